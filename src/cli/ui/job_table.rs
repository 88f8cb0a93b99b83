//! Jobs, for people.

use std::path::Path;

use super::table::{Cell, Look, Table, facts};
use super::text;
use crate::model::{Job, Timestamp};

/// Jobs, one a row.
pub fn list(jobs: &[Job], now: Timestamp, look: Look) -> String {
    let mut table =
        Table::new(["job", "status", "project", "subproject", "recipe", "findings", "took", "age", "commit"])
            .right(&[5, 6, 7])
            .optional(&[8, 6]);
    for job in jobs {
        let commit = job.sha.as_ref().map(|sha| format!("{}{}", sha.short(), if job.dirty { "+" } else { "" }));
        table.row([
            job.id.as_str().into(),
            Cell::toned(job.status.as_str(), text::status_tone(job.status)),
            job.project.as_str().into(),
            job.subproject.as_str().into(),
            job.recipe.as_str().into(),
            found(job).into(),
            text::job_duration(job).map(text::duration).unwrap_or_default().into(),
            text::age(now.since(job.queued_at)).into(),
            commit.unwrap_or_default().into(),
        ]);
    }
    table.render(look)
}

/// `3`, of which `1` is new: `3 (1 new)`.
fn found(job: &Job) -> String {
    match (job.findings_count, job.findings_new) {
        (0, _) if !job.status.is_final() => String::new(),
        (total, 0) => total.to_string(),
        (total, new) => format!("{total} ({new} new)"),
    }
}

/// All that is known of one job.
pub fn show(job: &Job, log_path: Option<&Path>, kept_tree: Option<&Path>, now: Timestamp, look: Look) -> String {
    let shown = |path: Option<&Path>| path.map(|path| path.display().to_string()).unwrap_or_default();
    let recipe = &job.recipe_snapshot;
    let time = |time: Option<Timestamp>| {
        time.map(|time| format!("{time} ({} ago)", text::age(now.since(time)))).unwrap_or_default()
    };
    let found = match (job.findings_count, job.findings_fixed) {
        (total, 0) => total.to_string(),
        (total, fixed) => format!("{total}, {fixed} fixed"),
    };
    let yes = |set: bool| if set { "yes".to_owned() } else { String::new() };
    let rows = [
        ("job", job.id.to_string()),
        ("batch", job.batch_id.to_string()),
        ("project", job.project.to_string()),
        ("subproject", job.subproject.to_string()),
        ("recipe", job.recipe.to_string()),
        ("command", recipe.command.clone()),
        ("status", text::outcome(job)),
        ("error", job.error.clone().unwrap_or_default()),
        ("ref", job.git_ref.to_string()),
        ("commit", job.sha.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("dirty", if job.dirty { "yes: a snapshot of uncommitted changes".to_owned() } else { String::new() }),
        ("queued", time(Some(job.queued_at))),
        ("started", time(job.started_at)),
        ("finished", time(job.finished_at)),
        ("took", text::job_duration(job).map(text::duration).unwrap_or_default()),
        ("findings", if job.findings_new > 0 { format!("{found} ({} new)", job.findings_new) } else { found }),
        ("log", format!("{}, {}", text::count(unsigned(job.log_lines), "line"), text::bytes(unsigned(job.log_bytes)))),
        ("log file", shown(log_path)),
        ("kept tree", shown(kept_tree)),
        ("folder", recipe.path.to_string()),
        ("language", recipe.language.to_string()),
        ("timeout", text::duration(std::time::Duration::from_secs(recipe.timeout_secs))),
        ("environment", recipe.env.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("\n")),
        ("keeps", recipe.keep.join("\n")),
        ("fresh", yes(recipe.fresh)),
        ("submodules", yes(recipe.submodules)),
        ("retries", if recipe.retries > 0 { recipe.retries.to_string() } else { String::new() }),
        ("retry of", job.retry_of.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("runtime", job.runtime.clone()),
        ("token", job.token.clone().unwrap_or_default()),
    ];
    facts(&rows, look)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::colour::Paint;
    use super::super::report::samples::job;
    use super::*;
    use crate::model::JobStatus;

    fn look(width: Option<usize>) -> Look {
        Look { width, paint: Paint(false), lines: width.is_some() }
    }

    #[test]
    fn a_list_fits_wide_and_narrow() {
        let jobs = [
            job("aaaaaaaaaaaa", ".", "test", JobStatus::Running),
            job("bbbbbbbbbbbb", "clients/python", "lint", JobStatus::Failed),
        ];
        let now = Timestamp::from_millis(1_777_470_600_000);
        insta::assert_snapshot!("jobs_120", list(&jobs, now, look(Some(120))));
        insta::assert_snapshot!("jobs_80", list(&jobs, now, look(Some(80))));
        insta::assert_snapshot!("jobs_40", list(&jobs, now, look(Some(40))));
        insta::assert_snapshot!("jobs_piped", list(&jobs, now, look(None)));
    }
}
