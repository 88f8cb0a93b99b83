//! Times, sizes and names as people read them.

use std::time::Duration;

use super::colour::Tone;
use crate::model::{Job, JobStatus, Severity, Timestamp};

/// `a, b`.
pub fn list(items: impl IntoIterator<Item = impl ToString>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// A length of time: `0.4s`, `12.3s`, `1m 05s`, `2h 03m`, `3d 04h`.
pub fn duration(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{}.{}s", seconds, span.subsec_millis() / 100),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {:02}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// How long ago, in its largest unit: `5s`, `3m`, `2h`, `6d`.
pub fn age(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A point in time; a day if it is the first moment of one: `2027-01-31`.
pub fn until(time: Timestamp) -> String {
    let text = time.to_string();
    if time.midnight() == time { text.split(' ').next().unwrap_or_default().to_owned() } else { text }
}

/// A size: `812 B`, `1.2 KiB`, `3.0 GiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let (mut whole, mut rest, mut unit) = (count, 0, 0);
    for (index, _) in UNITS.iter().enumerate() {
        if whole < 1024 {
            break;
        }
        (whole, rest, unit) = (whole / 1024, whole % 1024, index);
    }
    format!("{whole}.{} {}", rest * 10 / 1024, UNITS[unit])
}

/// `1 finding`, `2 findings`.
pub fn count(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// Untrusted text for one line of a terminal: no escape sequences, no control characters.
pub fn clean(text: &str) -> String {
    console::strip_ansi_codes(text)
        .chars()
        .map(|c| if c == '\t' { ' ' } else { c })
        .filter(|c| !c.is_control())
        .collect()
}

/// Text with blanks up to a width.
pub fn pad(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(console::measure_text_width(text));
    format!("{text}{:blanks$}", "")
}

/// What a job is called among others of its project: `clients/python test`, or `test` at the root.
pub fn label(job: &Job) -> String {
    if job.subproject.is_root() { job.recipe.to_string() } else { format!("{} {}", job.subproject, job.recipe) }
}

/// How a state looks.
pub fn status_tone(status: JobStatus) -> Tone {
    match status {
        JobStatus::Queued => Tone::Dim,
        JobStatus::Running => Tone::Busy,
        JobStatus::Passed => Tone::Good,
        JobStatus::Failed | JobStatus::TimedOut => Tone::Bad,
        JobStatus::Cancelled => Tone::Warn,
    }
}

/// How a severity looks.
pub fn severity_tone(severity: Severity) -> Tone {
    match severity {
        Severity::Error => Tone::Bad,
        Severity::Warn => Tone::Warn,
        Severity::Info => Tone::Busy,
    }
}

/// How a job ended, or that it has not: `failed (exit 101)`, `timed_out`.
pub fn outcome(job: &Job) -> String {
    match (job.status, job.exit_code) {
        (JobStatus::Failed, Some(code)) if job.error.is_none() => format!("failed (exit {code})"),
        (status, _) => status.to_string(),
    }
}

/// `3 findings (1 new)`; empty if there are none.
pub fn findings(total: i64, new: i64) -> String {
    match (u64::try_from(total).unwrap_or(0), u64::try_from(new).unwrap_or(0)) {
        (0, _) => String::new(),
        (total, 0) => count(total, "finding"),
        (total, new) => format!("{} ({new} new)", count(total, "finding")),
    }
}

/// How long a job took.
pub fn job_duration(job: &Job) -> Option<Duration> {
    job.duration_ms.and_then(|millis| u64::try_from(millis).ok()).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_short_and_keeps_its_width() {
        let text = |millis| duration(Duration::from_millis(millis));
        assert_eq!(
            [0, 449, 59_999, 60_000, 3_599_000, 7_380_000, 100 * 3_600_000].map(text),
            ["0.0s", "0.4s", "59.9s", "1m 00s", "59m 59s", "2h 03m", "4d 04h"]
        );
        let ago = |seconds| age(Duration::from_secs(seconds));
        assert_eq!([0, 59, 60, 7200, 86_400 * 400].map(ago), ["0s", "59s", "1m", "2h", "400d"]);
    }

    #[test]
    fn sizes_have_one_decimal() {
        assert_eq!(
            [0, 1023, 1024, 1536, 3 << 30, u64::MAX].map(bytes),
            ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "3.0 GiB", "16777215.9 TiB"]
        );
    }

    #[test]
    fn untrusted_text_cannot_move_the_cursor() {
        assert_eq!(clean("\x1b[31mred\x1b[0m\x1b]0;title\x07\r\tx\u{9b}2J\0"), "red x");
    }
}
