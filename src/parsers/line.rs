//! One line of a log, made readable.

use std::borrow::Cow;

use super::prefix::prefix;
use crate::model::Stream;

/// A line as parsers see it.
pub(super) struct Line<'a> {
    /// Without line break, escape sequences and overwritten progress; what is not UTF-8 became U+FFFD.
    pub text: &'a str,
    /// Which of the two streams it came from.
    pub stream: Stream,
    /// The line before it on the same stream, raw.
    pub before: &'a [u8],
}

impl<'a> Line<'a> {
    /// The line before it on the same stream. For tools whose recognisable line is not their first.
    pub fn previous(&self) -> Cow<'a, str> {
        seen(self.before)
    }

    /// 0 for the standard output, 1 for the standard error: to index a parser's state per stream.
    pub fn side(&self) -> usize {
        side(self.stream).unwrap_or(0)
    }
}

/// The index of a stream that parsers read; crafting's own lines are none.
pub(super) fn side(stream: Stream) -> Option<usize> {
    match stream {
        Stream::Stdout => Some(0),
        Stream::Stderr => Some(1),
        Stream::Crafting => None,
    }
}

/// Appends a block of lines without its escape sequences, none of which goes on over the end of a line.
pub(super) fn strip(block: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(length) = memchr::memchr(0x1b, &block[at..]) {
        out.extend_from_slice(&block[at..at + length]);
        at = after_escape(block, at + length);
    }
    out.extend_from_slice(&block[at..]);
}

/// A raw line as its tool printed it: clean, and without what others put before each line of a log.
pub(super) fn seen(raw: &[u8]) -> Cow<'_, str> {
    match clean(raw) {
        Cow::Borrowed(text) => Cow::Borrowed(&text[prefix(text)..]),
        Cow::Owned(mut text) => {
            text.drain(..prefix(&text));
            Cow::Owned(text)
        }
    }
}

/// A raw line as people saw it: escape sequences (ECMA-48: CSI, OSC and the two-byte ones) are gone, a carriage return
/// starts the line anew unless nothing follows it, control characters other than tab are gone.
pub(super) fn clean(raw: &[u8]) -> Cow<'_, str> {
    let mut end = raw.len();
    while end > 0 && matches!(raw[end - 1], b'\r' | b'\n') {
        end -= 1;
    }
    let raw = &raw[..end];
    if !has_control(raw) {
        return lossy(raw);
    }
    let mut kept = Vec::with_capacity(raw.len());
    let mut restart = None;
    let mut at = 0;
    while at < raw.len() {
        match raw[at] {
            0x1b => at = after_escape(raw, at),
            b'\r' => {
                restart = Some(kept.len());
                at += 1;
            }
            byte => {
                if byte >= b' ' || byte == b'\t' {
                    if let Some(from) = restart.take() {
                        kept.drain(..from);
                    }
                    kept.push(byte);
                }
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&kept).into_owned())
}

/// Bytes as text; what is not UTF-8 becomes U+FFFD. Where all is UTF-8, as nearly always, that is seen faster than by the
/// standard library's function of this name alone.
pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Whether any byte but the tab is a control character.
pub(super) fn has_control(raw: &[u8]) -> bool {
    // Piece by piece without a way out of a piece, which is what the compiler makes vectors of.
    let control = |found: bool, byte: &u8| found | (*byte < b' ' && *byte != b'\t');
    raw.chunks(64).any(|piece| piece.iter().fold(false, control))
}

/// The index behind the escape sequence that begins at `at`; a line break ends any.
fn after_escape(raw: &[u8], at: usize) -> usize {
    match raw.get(at + 1) {
        // CSI: parameters and intermediates, then one final byte.
        Some(b'[') => {
            let end = raw[at + 2..].iter().position(|byte| !(0x20..=0x3f).contains(byte));
            end.map_or(raw.len(), |length| behind(raw, at + 2 + length))
        }
        // OSC, DCS, PM, APC, SOS: up to BEL or ST.
        Some(b']' | b'P' | b'^' | b'_' | b'X') => match memchr::memchr3(0x07, 0x1b, b'\n', &raw[at + 2..]) {
            None => raw.len(),
            Some(length) => match raw[at + 2 + length..] {
                [0x07, ..] => at + 2 + length + 1,
                [0x1b, b'\\', ..] => at + 2 + length + 2,
                _ => at + 2 + length,
            },
        },
        // Charset selection has one more byte: ESC ( B.
        Some(b'(' | b')' | b'*' | b'+' | b'#' | b'%' | b' ') => behind(raw, at + 2),
        Some(_) => behind(raw, at + 1),
        None => raw.len(),
    }
}

/// The index behind the last byte of an escape sequence, which a line break is not.
fn behind(raw: &[u8], last: usize) -> usize {
    match raw.get(last) {
        Some(b'\n') => last,
        Some(_) => last + 1,
        None => raw.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_was_seen() {
        for (raw, seen) in [
            ("plain", "plain"),
            ("\x1b[1m\x1b[38;5;9merror\x1b[0m: x\x1b(B\x1b[m", "error: x"),
            ("\x1b]8;;http://x\x07link\x1b]8;;\x1b\\ end", "link end"),
            ("10%\r20%\rdone\r", "done"),
            ("a\r\r", "a"),
            ("tab\tnul\0bel\x07", "tab\tnulbel"),
            ("\x1b[", ""),
            ("\x1b", ""),
            ("\x1b]unended", ""),
        ] {
            assert_eq!(clean(raw.as_bytes()), seen, "{raw:?}");
        }
        assert_eq!(clean(b"a\xffb"), "a\u{fffd}b");
    }

    #[test]
    fn a_block_is_stripped_as_its_lines_are() {
        let lines =
            ["plain", "\x1b[1merr\x1b[0m\x1b[1mor\x1b[0m: x", "\x1b[", "\x1b]8;;x", "\x1b", "\x1b(", "a\x1b[31"];
        let mut stripped = Vec::new();
        strip((lines.join("\n") + "\n").as_bytes(), &mut stripped);
        let expected: Vec<_> = lines.iter().map(|line| clean(line.as_bytes()) + "\n").collect();
        assert_eq!(String::from_utf8(stripped).unwrap(), expected.concat());
    }

    #[test]
    fn what_others_put_before_lines_is_passed_over() {
        for (raw, text) in [
            ("2026-01-01T00:00:00.1234567Z error: x", "error: x"),
            ("2026-01-01T00:00:00.123456789Z   indented", "  indented"),
            ("2026-01-01T00:00:00.1234567Z", ""),
            ("\u{feff}2026-01-01T00:00:00.1234567Z {", "{"),
            ("\u{feff}{", "{"),
            ("web-1  | {", "{"),
            ("my_app_web_12 |   x", "  x"),
            ("web-1  | 2026-01-01T00:00:00.1234567Z x", "x"),
            ("web-1  |", ""),
            ("2026-01-01T00:00:00.1234567Z ##[error]  1:8  error", "  1:8  error"),
            ("2026-01-01T00:00:00.123456Z 01O   x", "  x"),
            ("[12:00:01.250]   x", "  x"),
            ("web:lint:   x", "  x"),
            ("[12:00:01.250] web:lint:", ""),
        ] {
            assert_eq!(seen(raw.as_bytes()), text, "{raw:?}");
        }
        for own in [
            "2026-01-01T00:00:00Z x",
            "2026-01-01T00:00:00.123Z x",
            "12 | let x",
            " 1 | x",
            "web | x",
            "a-1| x",
            "-1 | x",
            "a-1 x",
        ] {
            assert_eq!(seen(own.as_bytes()), own);
        }
    }
}
