//! JSON documents out of lines: on one line, spread over many, torn by other output, or cut short.
//!
//! The scanner follows the grammar. A line that breaks it is not part of the document, so what a second program printed
//! in between is told apart and goes its own way.

use super::line::lossy;
use super::scan::{Event, Scanner};
use super::value::{Told, Value};

/// Foreign lines in a row before a document that has begun is given up.
const PATIENCE: u32 = 1000;
/// The same where nothing but an opening bracket was seen, which any log may have.
const PATIENCE_AT_START: u32 = 20;
/// The same where the bracket stood behind other text, as in source code.
const PATIENCE_BEHIND_TEXT: u32 = 2;

/// What a line was to the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is part of one.
    Yes,
    /// It is none of theirs.
    No,
}

/// The document that is being read on one stream.
#[derive(Default)]
pub(super) struct Documents {
    open: Option<Open>,
    trial: Trial,
}

impl Documents {
    /// Whether a document has begun and not ended: every line has to be shown.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Reads a line without its break, or where a document is open any whole lines; complete values go to `told`.
    pub fn line(&mut self, line: &[u8], told: &mut Told<'_>) -> Taken {
        let Some(open) = &mut self.open else { return self.begin(line, told) };
        match open.feed(&mut self.trial, line, Piece::Line, told) {
            Fed::Part => Taken::Yes,
            Fed::End(end) => {
                self.open = None;
                self.begin(line[end..].trim_ascii_start(), told);
                Taken::Yes
            }
            // The line is the document's up to here, and then another program's.
            Fed::Broken { whole } if whole > 0 => {
                open.feed(&mut self.trial, &line[..whole], Piece::Part, told);
                Taken::Yes
            }
            Fed::Broken { .. } if is_opening(line) => self.next_or_other(line, told),
            Fed::Broken { .. } => {
                self.foreign(told);
                Taken::No
            }
        }
    }

    /// Reads as many whole lines as are the open document's. How many bytes they have.
    pub fn block(&mut self, block: &[u8], told: &mut Told<'_>) -> usize {
        let Some(open) = &mut self.open else { return 0 };
        let mut length = block.len();
        loop {
            match open.feed(&mut self.trial, &block[..length], Piece::Lines, told) {
                Fed::Part => return length,
                Fed::End(end) => {
                    self.open = None;
                    let rest = memchr::memchr(b'\n', &block[end..]).map_or(block.len(), |length| end + length);
                    self.begin(block[end..rest].trim_ascii_start(), told);
                    return (rest + 1).min(block.len());
                }
                Fed::Broken { .. } => {
                    let lines = self.trial.at.min(length.saturating_sub(1));
                    length = memchr::memrchr(b'\n', &block[..lines]).map_or(0, |at| at + 1);
                    if length == 0 {
                        return 0;
                    }
                }
            }
        }
    }

    /// A line that may be the next document, or a record of another program in between.
    fn next_or_other(&mut self, line: &[u8], told: &mut Told<'_>) -> Taken {
        let open = self.open.take();
        // A document of its own on one line leaves the one that is open as it is.
        let mut values = Vec::new();
        if self.begin(line, &mut |value| {
            values.push(value.to_owned());
            true
        }) == Taken::No
        {
            self.open = open;
            self.foreign(told);
            return Taken::No;
        }
        if self.is_open() {
            if let Some(mut cut) = open {
                cut.value.salvage(told);
            }
        } else {
            self.open = open;
        }
        for value in values {
            told(&value);
        }
        Taken::Yes
    }

    fn foreign(&mut self, told: &mut Told<'_>) {
        let Some(open) = &mut self.open else { return };
        open.foreign += 1;
        if open.foreign > open.patience {
            self.finish(told);
        }
    }

    /// Reads the documents that stand at the beginning of `text`, if any do.
    fn begin(&mut self, mut text: &[u8], told: &mut Told<'_>) -> Taken {
        let mut taken = Taken::No;
        while matches!(text.first(), Some(b'{' | b'[')) {
            let mut open = Open::new(text[0] == b'[');
            match open.feed(&mut self.trial, text, Piece::Line, told) {
                Fed::Part => {
                    self.open = Some(open);
                    return Taken::Yes;
                }
                Fed::End(end) => {
                    taken = Taken::Yes;
                    text = text[end..].trim_ascii_start();
                }
                Fed::Broken { whole: 0 } => break,
                Fed::Broken { whole } => {
                    let mut found = false;
                    let told: &mut Told<'_> = &mut |value| {
                        found |= told(value);
                        found
                    };
                    open.feed(&mut self.trial, &text[..whole], Piece::Part, told);
                    open.value.salvage(told);
                    return if found { Taken::Yes } else { taken };
                }
            }
        }
        taken
    }

    /// Begins a document that stands behind other text.
    pub fn begin_behind_text(&mut self, text: &[u8], told: &mut Told<'_>) -> Taken {
        let taken = self.begin(text, told);
        if let Some(open) = &mut self.open {
            open.patience = PATIENCE_BEHIND_TEXT;
        }
        taken
    }

    /// Reads a part of a line that is too long to be read at once; `first` is its first part. Whether it is part of a
    /// document that goes on.
    pub fn piece(&mut self, piece: &[u8], first: bool, told: &mut Told<'_>) -> bool {
        if first && self.open.is_none() {
            if !is_opening(piece) {
                return false;
            }
            self.open = Some(Open::new(piece[0] == b'['));
        }
        let mut rest = piece;
        while let Some(open) = &mut self.open {
            match open.feed(&mut self.trial, rest, Piece::Part, told) {
                Fed::Part => return true,
                Fed::End(end) => {
                    self.open = None;
                    rest = rest[end..].trim_ascii_start();
                    if is_opening(rest) {
                        self.open = Some(Open::new(rest[0] == b'['));
                    }
                }
                Fed::Broken { whole } => {
                    if whole > 0 {
                        open.feed(&mut self.trial, &rest[..whole], Piece::Part, told);
                    }
                    self.finish(told);
                    return false;
                }
            }
        }
        false
    }

    /// The document that is open will not go on: what of it is whole is told.
    pub fn finish(&mut self, told: &mut Told<'_>) {
        if let Some(mut open) = self.open.take() {
            open.value.salvage(told);
        }
    }
}

fn is_opening(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'{' | b'['))
}

/// Tells the values in one line, which must be whole documents: for a line that holds more than the document.
pub(super) fn values(text: &[u8], told: &mut Told<'_>) {
    Documents::default().begin(text, told);
}

/// Whether a text is one document and nothing else, and all of it JSON.
pub(super) fn is_whole(text: &[u8]) -> bool {
    let (mut scanner, mut at) = (Scanner::default(), 0);
    loop {
        match scanner.next::<false>(text, &mut at) {
            Event::Closed if scanner.depth() == 0 => return at == text.len(),
            Event::NotFinite(_) | Event::Rest | Event::Broken => return false,
            _ => {}
        }
    }
}

/// What is fed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// A line without its break.
    Line,
    /// Whole lines.
    Lines,
    /// Part of a line.
    Part,
}

enum Fed {
    Part,
    /// The document ended here.
    End(usize),
    /// Nothing was read, for the grammar was broken; what is before this place is whole.
    Broken {
        whole: usize,
    },
}

/// Where something happens to the value that is being read.
#[derive(Clone, Copy)]
enum Mark {
    Start(usize),
    /// What is between is no number to JSON.
    Null(usize, usize),
    End(usize),
}

/// A try to read on, kept for its memory.
#[derive(Default)]
struct Trial {
    scanner: Scanner,
    marks: Vec<Mark>,
    at: usize,
}

struct Open {
    scanner: Scanner,
    /// The depth at which values are told: 0 for the document itself, 1 for the elements of an array.
    told_depth: usize,
    /// The value that is being read, empty outside of one.
    value: Value,
    /// Foreign lines in a row that are allowed, and that there were.
    patience: u32,
    foreign: u32,
    /// Its first line was read.
    begun: bool,
    /// Its second line was indented: at the margin is nothing but its end.
    indented: bool,
}

impl Open {
    fn new(array: bool) -> Self {
        Self {
            scanner: Scanner::default(),
            told_depth: usize::from(array),
            value: Value::default(),
            patience: PATIENCE_AT_START,
            foreign: 0,
            begun: false,
            indented: false,
        }
    }

    fn feed(&mut self, trial: &mut Trial, text: &[u8], piece: Piece, told: &mut Told<'_>) -> Fed {
        let Trial { scanner, marks, at } = trial;
        scanner.set(&self.scanner);
        marks.clear();
        *at = 0;
        let mut whole = 0;
        let is_second = self.begun && self.patience < PATIENCE && piece != Piece::Part;
        let indented = if is_second { matches!(text.first(), Some(b' ' | b'\t')) } else { self.indented };
        let end = loop {
            match scanner.next::<false>(text, at) {
                Event::Opened => {
                    if indented && piece != Piece::Part && (*at == 1 || text[*at - 2] == b'\n') {
                        return Fed::Broken { whole: 0 };
                    }
                    if scanner.depth() == self.told_depth + 1 {
                        marks.push(Mark::Start(*at - 1));
                    }
                }
                Event::Closed => {
                    whole = *at;
                    let depth = scanner.depth();
                    if depth == self.told_depth {
                        marks.push(Mark::End(*at));
                    }
                    if depth == 0 {
                        break Some(*at);
                    }
                }
                Event::NotFinite(begin) => marks.push(Mark::Null(begin, *at)),
                Event::Comma => {}
                Event::Broken => return Fed::Broken { whole: with_comma(text, whole) },
                // A string does not go on over a line break: the line was cut, or is none of the document's.
                Event::Rest if scanner.in_text() && piece == Piece::Line => {
                    return Fed::Broken { whole: with_comma(text, whole) };
                }
                Event::Rest => break None,
            }
        };
        let mut inside = self.scanner.depth() > self.told_depth;
        self.scanner.set(scanner);
        if is_second {
            self.indented = indented;
            self.patience = PATIENCE;
        }
        self.begun = true;
        self.foreign = 0;
        let mut from = 0;
        for mark in marks {
            match *mark {
                Mark::Start(at) => {
                    self.value.clear();
                    inside = true;
                    from = at;
                }
                Mark::Null(begin, end) if inside => {
                    self.value.keep(&text[from..begin], told);
                    self.value.keep(b"null", told);
                    from = end;
                }
                Mark::Null(..) => {}
                Mark::End(at) if self.value.is_empty() => {
                    told(&lossy(&text[from..at]));
                    inside = false;
                    from = at;
                }
                Mark::End(at) => {
                    self.value.keep(&text[from..at], told);
                    self.value.tell(told);
                    inside = false;
                    from = at;
                }
            }
        }
        if let Some(end) = end {
            return Fed::End(end);
        }
        if inside {
            self.value.keep(&text[from..], told);
            if piece == Piece::Line {
                self.value.keep(b"\n", told);
            }
        }
        Fed::Part
    }
}

/// `whole`, with the comma that follows it in a text.
fn with_comma(text: &[u8], whole: usize) -> usize {
    let space = text[whole..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    if whole > 0 && text.get(whole + space) == Some(&b',') { whole + space + 1 } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(log: &str) -> (Vec<String>, Vec<String>) {
        let mut documents = Documents::default();
        let (mut told, mut foreign) = (Vec::new(), Vec::new());
        let mut keep = |value: &str| {
            told.push(value.split_whitespace().collect::<String>());
            true
        };
        for line in log.lines() {
            if documents.line(line.as_bytes(), &mut keep) == Taken::No {
                foreign.push(line.to_owned());
            }
        }
        documents.finish(&mut keep);
        (told, foreign)
    }

    /// The same where whole lines are read together as far as they are a document's.
    fn read_blocks(log: &str) -> Vec<String> {
        let mut documents = Documents::default();
        let mut told = Vec::new();
        let mut keep = |value: &str| {
            told.push(value.split_whitespace().collect::<String>());
            true
        };
        let mut rest = log.as_bytes();
        while !rest.is_empty() {
            rest = &rest[documents.block(rest, &mut keep)..];
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            if end > 0 {
                documents.line(&rest[..end], &mut keep);
            }
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        documents.finish(&mut keep);
        told
    }

    #[track_caller]
    fn check(log: &str, told: &[&str], foreign: &[&str]) {
        assert_eq!(
            read(log),
            (
                told.iter().map(|text| (*text).to_owned()).collect(),
                foreign.iter().map(|text| (*text).to_owned()).collect()
            ),
            "{log}"
        );
        assert_eq!(read_blocks(log), told, "in blocks: {log}");
    }

    #[test]
    fn documents_and_elements_among_other_lines() {
        check(
            "x\n{\"a\":\"}\\\"\"}\n[INFO] y\n[{\"b\":1},{\"c\":[2]}]\n[1, 2]\n{\"d\":1}{\"e\":2} z\n",
            &["{\"a\":\"}\\\"\"}", "{\"b\":1}", "{\"c\":[2]}", "{\"d\":1}", "{\"e\":2}"],
            &["x", "[INFO] y"],
        );
        check("{\n  \"a\": 1\n}\n{\n  \"b\": 1\n}\n", &["{\"a\":1}", "{\"b\":1}"], &[]);
        check("{\n  \"a\": 1\n}{\n  \"b\": 1\n}\n", &["{\"a\":1}", "{\"b\":1}"], &[]);
        check("{\"r\":[\n{\"a\":1},\n{\"b\":2}\n]}\n", &["{\"r\":[{\"a\":1},{\"b\":2}]}"], &[]);
        check(
            "{\n  \"a\": [NaN, -Infinity, {\"b\": Infinity}]\n}\n[{\"a\": NaN}]\n",
            &["{\"a\":[null,null,{\"b\":null}]}", "{\"a\":null}"],
            &[],
        );
    }

    #[test]
    fn a_torn_document_is_whole_without_the_tears() {
        check(
            "[\n  {\n    \"a\": 1,\nnpm warn x\n    \"b\": true\n[  5%] z\n  }\n,\n  {}\n]\nend\n",
            &["{\"a\":1,\"b\":true}", "{}"],
            &["npm warn x", "[  5%] z", "end"],
        );
        // A record of its own in between, and a line whose end is another program's.
        check(
            "{\n  \"a\": [\n{\"level\":\"info\"}\n    {\n      \"b\": true\n    }, npm warn x\n    {}\n  ]\n}\n",
            &["{\"level\":\"info\"}", "{\"a\":[{\"b\":true},{}]}"],
            &[],
        );
    }

    #[test]
    fn a_document_cut_short_is_told_as_far_as_it_is_whole() {
        check("{\n  \"r\": [\n    {\"a\": 1},\n    {\"b\":\n", &["{\"r\":[{\"a\":1}]}"], &[]);
        check("[\n  {\"a\": 1},\n  {\"m\": [{\"x\": 1},\n", &["{\"a\":1}", "{\"m\":[{\"x\":1}]}"], &[]);
        check("{\"r\":[{\"a\":1},{\"b\":\"cu", &["{\"r\":[{\"a\":1}]}"], &[]);
        check("[{\"r\":1},{\"b\":tr", &["{\"r\":1}"], &[]);
        check(
            "{\n  \"r\": [\n    {\"a\": 1}, {\"b\": 2}, {\"c\": \"x\n{\n  \"s\": 1\n}\n",
            &["{\"r\":[{\"a\":1},{\"b\":2}]}", "{\"s\":1}"],
            &[],
        );
    }

    #[test]
    fn brackets_that_are_no_document_are_let_go() {
        let boring = ["boring: line"; 30];
        check(&format!("{{\n{}\n[\n  {{\"a\": 1}}\n]\n", boring.join("\n")), &["{\"a\":1}"], &boring);
    }

    #[test]
    fn a_line_in_pieces() {
        let line = br#"{"a":[{"b":1},{"b":2},{"b":3}]}{"c":"#;
        for cut in 1..line.len() {
            let mut documents = Documents::default();
            let mut told = Vec::new();
            let mut keep = |value: &str| {
                told.push(value.to_owned());
                true
            };
            let goes_on = documents.piece(&line[..cut], true, &mut keep);
            assert_eq!(goes_on, cut != 31);
            assert!(documents.piece(&line[cut..], !goes_on, &mut keep));
            documents.finish(&mut keep);
            assert_eq!(told, [r#"{"a":[{"b":1},{"b":2},{"b":3}]}"#], "{cut}");
        }
    }
}
