//! A log in pieces, as they are told: whole lines where that is possible, and text apart from what is none.

use bytes::Bytes;

use super::PIECE;

/// Some bytes of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where in the log they begin.
    pub start: u64,
    /// As in the log.
    pub bytes: Bytes,
    /// Whether their last line goes on in the next piece.
    pub more: bool,
}

impl Piece {
    /// Where in the log they end.
    pub fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

/// Cuts what stands at `start`, at most [`PIECE`] bytes a piece. What is left over is the beginning of a line that is
/// to come, unless this is all of it (`whole`).
pub(super) fn cut(start: u64, bytes: &Bytes, whole: bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some((length, more)) = next(&bytes[at..], whole) {
        pieces.push(Piece { start: start + at as u64, bytes: bytes.slice(at..at + length), more });
        at += length;
    }
    pieces
}

/// How long the first piece is, and whether its line goes on.
fn next(rest: &[u8], whole: bool) -> Option<(usize, bool)> {
    let room = &rest[..rest.len().min(PIECE)];
    match memchr::memrchr(b'\n', room) {
        // Whole lines: text as far as it goes, or the one line that is none.
        Some(newline) => {
            let lines = &room[..=newline];
            let text = text(lines);
            if text == lines.len() {
                return Some((lines.len(), false));
            }
            if let Some(end) = memchr::memrchr(b'\n', &lines[..text]) {
                return Some((end + 1, false));
            }
            Some((memchr::memchr(b'\n', lines).map_or(lines.len(), |end| end + 1), false))
        }
        // A long line: not torn within a character.
        None if room.len() == PIECE && (rest.len() > PIECE || !whole) => {
            let cut = text(room);
            Some((if cut > PIECE - 4 { cut } else { PIECE }, true))
        }
        None if whole && !room.is_empty() => Some((room.len(), false)),
        None => None,
    }
}

/// How many of the first bytes are UTF-8.
fn text(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.len(),
        Err(error) => error.valid_up_to(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8], whole: bool) -> Vec<(Vec<u8>, bool)> {
        let pieces = cut(7, &Bytes::copy_from_slice(bytes), whole);
        let mut at = 7;
        for piece in &pieces {
            assert_eq!(piece.start, at);
            at = piece.end();
        }
        pieces.into_iter().map(|piece| (piece.bytes.to_vec(), piece.more)).collect()
    }

    #[test]
    fn lines_stay_together_and_what_is_no_text_stands_alone() {
        assert_eq!(told(b"a\nb\nc", false), [(b"a\nb\n".to_vec(), false)]);
        assert_eq!(told(b"a\nb\nc", true), [(b"a\nb\n".to_vec(), false), (b"c".to_vec(), false)]);
        let mixed = [(b"a\n".to_vec(), false), (b"x\xff\n".to_vec(), false), (b"b\n".to_vec(), false)];
        assert_eq!(told(b"a\nx\xff\nb\n", false), mixed);
        assert_eq!(told(b"", true), []);
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let line = format!("x{}\n", "é".repeat(PIECE));
        let pieces = told(line.as_bytes(), false);
        assert_eq!(pieces.iter().flat_map(|(bytes, _)| bytes.clone()).collect::<Vec<_>>(), line.as_bytes());
        assert!(pieces.iter().all(|(bytes, _)| bytes.len() <= PIECE && std::str::from_utf8(bytes).is_ok()));
        let more: Vec<bool> = pieces.iter().map(|(_, more)| *more).collect();
        assert_eq!(more, [true, true, false]);
        // No text: cut anywhere. A line that just fills a piece does not go on.
        assert_eq!(told(&vec![0xff; PIECE + 1], true).len(), 2);
        assert_eq!(told(&vec![b'x'; PIECE], true), [(vec![b'x'; PIECE], false)]);
        assert_eq!(told(&vec![b'x'; PIECE], false), [(vec![b'x'; PIECE], true)]);
    }
}
