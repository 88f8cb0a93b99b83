//! What CI services and task runners put before each line of the tools that they run. Only forms that no tool prints
//! itself: each ends in a way that a path, a message and a number do not have.

/// Digits after the comma of a second, in the time stamps of GitHub's logs (7), of docker and kubectl (9).
const FRACTIONS: std::ops::RangeInclusive<usize> = 6..=9;

/// Bytes that a task's name may have.
const NAME_LIMIT: usize = 120;
/// Words before a colon that are a message's own.
const LEVELS: [&[u8]; 7] = [b"error", b"warning", b"note", b"info", b"fatal", b"help", b"hint"];

/// The length of what is before a tool's own text: a mark of the order of bytes, a time stamp as CI services, docker and
/// kubectl put it before each line, a service's name as docker compose does, a step's number as a docker build does, the
/// level by which GitHub and Azure mark a line that they annotate, or a task's name as monorepo tools print it.
pub(super) fn prefix(text: &str) -> usize {
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut at = mark;
    for part in [service, any_stamp, any_stamp, level, task] {
        at += part(&text.as_bytes()[at..]);
    }
    if text[at..].starts_with('\u{feff}') { at + '\u{feff}'.len_utf8() } else { at }
}

/// The length of a time stamp, in whichever form.
fn any_stamp(text: &[u8]) -> usize {
    match time_stamp(text) {
        0 => stamp(text),
        length => length + gitlab(&text[length..]),
    }
}

/// The length of `2026-01-01T00:00:00.0000000Z `.
fn time_stamp(text: &[u8]) -> usize {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00.";
    if !has_shape(text, SHAPE) {
        return 0;
    }
    let digits = text[SHAPE.len()..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    match &text[SHAPE.len() + digits..] {
        [b'Z', b' ', ..] if FRACTIONS.contains(&digits) => SHAPE.len() + digits + 2,
        [b'Z'] if FRACTIONS.contains(&digits) => text.len(),
        _ => 0,
    }
}

/// The length of `web-1  | `: a name and a number, and a bar that stands in the same column in every line.
fn service(text: &[u8]) -> usize {
    let name =
        text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')).count();
    let digits = text[..name].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let is_numbered = digits > 0 && text[..name - digits].last().is_some_and(|byte| matches!(byte, b'-' | b'_'));
    if !is_numbered || !text[0].is_ascii_alphabetic() {
        return 0;
    }
    let spaces = text[name..].iter().take_while(|byte| **byte == b' ').count();
    match &text[name + spaces..] {
        [b'|', b' ', ..] if spaces > 0 => name + spaces + 2,
        [b'|'] if spaces > 0 => text.len(),
        _ => 0,
    }
}

/// The length of `##[error]`, by which GitHub and Azure show a line that they annotated.
fn level(text: &[u8]) -> usize {
    let levels: [&[u8]; 4] = [b"##[error]", b"##[warning]", b"##[notice]", b"##[debug]"];
    levels.iter().find(|level| text.starts_with(level)).map_or(0, |level| level.len())
}

/// The length of `01O `, which GitLab puts behind the time: the source, the stream, and whether the line goes on.
fn gitlab(text: &[u8]) -> usize {
    match text {
        [a, b, b'O' | b'E', b' ' | b'+', ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => 4,
        [a, b, b'O' | b'E'] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => 3,
        _ => 0,
    }
}

/// The length of a time of day in brackets, of Netlify's and Vercel's times, and of a docker build's step and seconds.
fn stamp(text: &[u8]) -> usize {
    let shapes: [&[u8]; 13] = [
        b"[0000-00-00T00:00:00.000Z]",
        b"[0000-00-00T00:00:00Z]",
        b"[00:00:00.000]",
        b"[00:00:00]",
        b"00:00:00.000 |",
        b"00:00:00.000",
        b"00:00:00 AM:",
        b"00:00:00 PM:",
        b"0:00:00 AM:",
        b"0:00:00 PM:",
        b"00:00:00 ",
        b"0000-00-00 00:00:00.000 |",
        b"00:00:00",
    ];
    // The compiler of TypeScript itself says when it watched.
    if text.get(9..12).is_some_and(|half| matches!(half, b"AM " | b"PM ")) {
        return 0;
    }
    let length = |shape: &&[u8]| if has_shape(text, shape) { behind(text, shape.len()) } else { 0 };
    shapes.iter().map(length).find(|length| *length > 0).unwrap_or_else(|| behind(text, step(text)))
}

/// Whether a text begins with this, where 0 is any digit.
fn has_shape(text: &[u8], shape: &[u8]) -> bool {
    let agrees = |(byte, shape): (&u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
    text.len() >= shape.len() && text.iter().zip(shape).all(agrees)
}

/// With the space that stands behind it; nothing if something else does.
fn behind(text: &[u8], length: usize) -> usize {
    match text.get(length) {
        _ if length == 0 => 0,
        None => length,
        Some(b' ') => length + 1,
        Some(_) => 0,
    }
}

/// The length of `#12 3.456`.
fn step(text: &[u8]) -> usize {
    let digits = |from: usize| text.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let number = digits(1);
    if text.first() != Some(&b'#') || number == 0 || text.get(1 + number) != Some(&b' ') {
        return 0;
    }
    let seconds = 2 + number + digits(2 + number);
    let fraction = digits(seconds + 1);
    if seconds == 2 + number || text.get(seconds) != Some(&b'.') || fraction == 0 { 0 } else { seconds + 1 + fraction }
}

/// The length of a task's name: `web:lint: ` (turbo), `packages/web lint: ` (pnpm), `@scope/web: ` (lerna), `[0] `
/// (concurrently), `[@scope/web]: ` (yarn).
fn task(text: &[u8]) -> usize {
    let yarn = "➤ YN0000: ".as_bytes();
    if let Some(rest) = text.strip_prefix(yarn).filter(|rest| rest.starts_with(b"[")) {
        let length = bracketed(rest);
        return if length == 0 { 0 } else { yarn.len() + length };
    }
    match text.first() {
        Some(b'[') => bracketed(text),
        Some(first) if first.is_ascii_lowercase() || matches!(first, b'@') => named(text),
        _ => 0,
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b'@')
}

/// The length of `[0] ` or `[@scope/web]: `.
fn bracketed(text: &[u8]) -> usize {
    let length = text[1..].iter().take(NAME_LIMIT).take_while(|byte| is_name(**byte)).count();
    let name = &text[1..1 + length];
    match &text[1 + length..] {
        [b']', ..] if !name.is_empty() && name.iter().all(u8::is_ascii_digit) => behind(text, length + 2),
        [b']', b':', ..] if name.first() == Some(&b'@') && name.contains(&b'/') => behind(text, length + 3),
        _ => 0,
    }
}

/// The length of `web:lint: `, `packages/web lint: ` or `@scope/web: `.
fn named(text: &[u8]) -> usize {
    let length = text.iter().take(NAME_LIMIT).take_while(|byte| is_name(**byte)).count();
    let name = &text[..length];
    let rest = &text[length..];
    let is_scoped = name.first() == Some(&b'@') && name.contains(&b'/');
    if is_scoped && rest.first() == Some(&b':') && rest.get(1).is_none_or(|byte| *byte == b' ') {
        return behind(text, length + 1);
    }
    let is_package = match rest.first() {
        Some(b':' | b'#') => !LEVELS.contains(&name) && name != b"file",
        Some(b' ') => name.contains(&b'/'),
        _ => false,
    };
    if !is_package || !rest.get(1).is_some_and(u8::is_ascii_lowercase) {
        return 0;
    }
    let is_word = |byte: &&u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b':');
    let word = rest[1..].iter().take(NAME_LIMIT).take_while(is_word).count();
    match rest[1..1 + word].strip_suffix(b":") {
        Some(task) if !task.is_empty() && !task.ends_with(b":") && !LEVELS.contains(&task) => {
            behind(text, length + 1 + word)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes() {
        let rest = |text: &str, length: usize| text[length..].to_owned();
        for text in [
            "[2026-01-02T03:04:05.678Z]   x",
            "[03:04:05]   x",
            "[03:04:05.678]   x",
            "03:04:05.678   x",
            "03:04:05.678 |   x",
            "3:04:05 PM:   x",
            "03:04:05    x",
            "#12 3.456   x",
        ] {
            assert_eq!(rest(text, stamp(text.as_bytes())), "  x", "{text}");
        }
        for text in [
            "web:lint:   x",
            "@scope/web:lint:ci:   x",
            "web#lint:   x",
            "packages/web lint:   x",
            "@scope/web:   x",
            "[0]   x",
            "[@scope/web]:   x",
            "➤ YN0000: [@scope/web]:   x",
        ] {
            assert_eq!(rest(text, task(text.as_bytes())), "  x", "{text}");
        }
    }

    #[test]
    fn what_tools_print_themselves_is_theirs() {
        for text in [
            "src/a.c:12:3: error: x",
            "a.go:12: x",
            "main.o:func: x",
            "std::error: x",
            "error: x:y: z",
            "warning:foo: x",
            "gcc: error: x",
            "src/a error: x",
            "word word: x",
            "[warn] a.js",
            "[ERROR] x",
            "[tsl] ERROR in x",
            "[1/4] Resolving",
            "12:30 x",
            "12:30:45:x",
            "12:30:45 AM - x",
            "[12:30:45 AM] Found 0 errors.",
            "#12 DONE 0.1s",
            "# 1.2 x",
            "#1 x",
            "node:internal/modules: x",
            "file:foo: x",
            "\"a:b\": 1",
            "http://x: y",
            "",
        ] {
            assert_eq!(stamp(text.as_bytes()) + task(text.as_bytes()), 0, "{text}");
        }
    }
}
