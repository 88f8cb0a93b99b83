//! One line of a log, made readable.

use std::borrow::Cow;

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
        clean(self.before)
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

/// A raw line as people saw it: escape sequences (ECMA-48: CSI, OSC and the two-byte ones) are gone, a carriage return
/// starts the line anew unless nothing follows it, control characters other than tab are gone.
pub(super) fn clean(raw: &[u8]) -> Cow<'_, str> {
    let mut end = raw.len();
    while end > 0 && matches!(raw[end - 1], b'\r' | b'\n') {
        end -= 1;
    }
    let raw = &raw[..end];
    if !raw.iter().any(|&byte| byte < b' ' && byte != b'\t') {
        return String::from_utf8_lossy(raw);
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

/// The index behind the escape sequence that begins at `at`.
fn after_escape(raw: &[u8], at: usize) -> usize {
    match raw.get(at + 1) {
        // CSI: parameters and intermediates, then one final byte.
        Some(b'[') => raw[at + 2..]
            .iter()
            .position(|byte| !(0x20..=0x3f).contains(byte))
            .map_or(raw.len(), |length| at + 2 + length + 1),
        // OSC, DCS, PM, APC, SOS: up to BEL or ST.
        Some(b']' | b'P' | b'^' | b'_' | b'X') => {
            let mut end = at + 2;
            while end < raw.len() {
                if raw[end] == 0x07 {
                    return end + 1;
                }
                if raw[end] == 0x1b {
                    return if raw.get(end + 1) == Some(&b'\\') { end + 2 } else { end };
                }
                end += 1;
            }
            end
        }
        // Charset selection has one more byte: ESC ( B.
        Some(b'(' | b')' | b'*' | b'+' | b'#' | b'%' | b' ') => (at + 3).min(raw.len()),
        Some(_) => at + 2,
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
}
