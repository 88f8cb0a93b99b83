//! JSON documents out of lines: on one line, spread over many, torn by other output, or cut short.
//!
//! The grammar is RFC 8259. A scanner follows it byte by byte; a line that breaks the grammar is not part of the
//! document, so what a second program printed in between is told apart and goes its own way.

/// Bytes of one value that are kept.
const VALUE_LIMIT: usize = 16 << 20;
/// Nesting beyond this is not a tool's report.
const DEPTH_LIMIT: usize = 256;
/// Foreign lines in a row before a document that has begun is given up.
const PATIENCE: u32 = 1000;
/// The same where nothing but an opening bracket was seen, which any log may have.
const PATIENCE_AT_START: u32 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Value,
    /// After `[`.
    ValueOrEnd,
    Key,
    /// After `{`.
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    /// In a string that is a key, or a value.
    Text {
        key: bool,
        escape: bool,
    },
    /// In `true`, `null` or a number, with the bytes of a word that are still to come.
    Word(&'static [u8]),
    Number,
}

#[derive(Clone, Debug)]
struct Scanner {
    stack: Vec<u8>,
    expect: Expect,
}

enum Step {
    Inside,
    /// A bracket was opened.
    Opened,
    /// A bracket was closed; `stack` is what is still open.
    Closed,
    Broken,
}

impl Scanner {
    fn new() -> Self {
        Self { stack: Vec::new(), expect: Expect::Value }
    }

    fn byte(&mut self, byte: u8) -> Step {
        match self.expect {
            Expect::Text { key, escape: true } => {
                self.expect = Expect::Text { key, escape: false };
                return Step::Inside;
            }
            Expect::Text { key, .. } => {
                match byte {
                    b'"' if key => self.expect = Expect::Colon,
                    b'"' => self.expect = Expect::CommaOrEnd,
                    b'\\' => self.expect = Expect::Text { key, escape: true },
                    _ => {}
                }
                return Step::Inside;
            }
            Expect::Word([next, rest @ ..]) => {
                if byte != *next {
                    return Step::Broken;
                }
                self.expect = if rest.is_empty() { Expect::CommaOrEnd } else { Expect::Word(rest) };
                return Step::Inside;
            }
            Expect::Number if matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E') => return Step::Inside,
            Expect::Number | Expect::Word([]) => self.expect = Expect::CommaOrEnd,
            _ => {}
        }
        if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            return Step::Inside;
        }
        match (self.expect, byte) {
            (Expect::Value | Expect::ValueOrEnd, b'{' | b'[') => {
                if self.stack.len() >= DEPTH_LIMIT {
                    return Step::Broken;
                }
                self.stack.push(byte);
                self.expect = if byte == b'{' { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
                return Step::Opened;
            }
            (Expect::Value | Expect::ValueOrEnd, b'"') => self.expect = Expect::Text { key: false, escape: false },
            (Expect::Value | Expect::ValueOrEnd, b'0'..=b'9' | b'-') => self.expect = Expect::Number,
            (Expect::Value | Expect::ValueOrEnd, b't') => self.expect = Expect::Word(b"rue"),
            (Expect::Value | Expect::ValueOrEnd, b'f') => self.expect = Expect::Word(b"alse"),
            (Expect::Value | Expect::ValueOrEnd, b'n') => self.expect = Expect::Word(b"ull"),
            (Expect::Key | Expect::KeyOrEnd, b'"') => self.expect = Expect::Text { key: true, escape: false },
            (Expect::Colon, b':') => self.expect = Expect::Value,
            (Expect::CommaOrEnd, b',') => match self.stack.last() {
                Some(b'{') => self.expect = Expect::Key,
                Some(_) => self.expect = Expect::Value,
                None => return Step::Broken,
            },
            (Expect::CommaOrEnd | Expect::KeyOrEnd | Expect::ValueOrEnd, b'}' | b']') => {
                let matching = if byte == b'}' { b'{' } else { b'[' };
                if self.stack.pop() != Some(matching) {
                    return Step::Broken;
                }
                self.expect = Expect::CommaOrEnd;
                return Step::Closed;
            }
            _ => return Step::Broken,
        }
        Step::Inside
    }
}

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
}

impl Documents {
    /// Whether a document has begun and not ended: every line has to be shown.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Reads one line; complete values go to `told`.
    pub fn line(&mut self, line: &str, told: &mut dyn FnMut(&str)) -> Taken {
        if let Some(open) = &mut self.open {
            // In an indented document nothing but its end stands at the margin: this is the next one.
            if matches!(line.as_bytes().first(), Some(b'{' | b'[')) {
                self.finish(told);
                return self.begin(line, told);
            }
            match open.feed(line, told) {
                Fed::Part => {}
                Fed::End(rest) => {
                    self.open = None;
                    self.begin(rest.trim_start(), told);
                }
                Fed::Foreign => {
                    open.foreign += 1;
                    if open.foreign > if open.lines < 2 { PATIENCE_AT_START } else { PATIENCE } {
                        self.finish(told);
                    }
                    return Taken::No;
                }
            }
            return Taken::Yes;
        }
        self.begin(line, told)
    }

    /// Reads the documents that stand at the beginning of `text`, if any do.
    fn begin(&mut self, mut text: &str, told: &mut dyn FnMut(&str)) -> Taken {
        let mut taken = Taken::No;
        while matches!(text.as_bytes().first(), Some(b'{' | b'[')) {
            let mut open = Open::new(text.starts_with('['));
            match open.feed(text, told) {
                Fed::Part => {
                    self.open = Some(open);
                    return Taken::Yes;
                }
                Fed::End(rest) => {
                    taken = Taken::Yes;
                    text = rest.trim_start();
                }
                Fed::Foreign => break,
            }
        }
        taken
    }

    /// The document that is open will not go on: what of it is whole is told.
    pub fn finish(&mut self, told: &mut dyn FnMut(&str)) {
        if let Some(value) = self.open.take().and_then(Open::salvage) {
            told(&value);
        }
    }
}

/// Tells the values in one line, which must be whole documents: for a line that holds more than the document.
pub(super) fn values(text: &str, told: &mut dyn FnMut(&str)) {
    Documents::default().begin(text, told);
}

enum Fed<'a> {
    Part,
    /// The document ended; this is what follows on the line.
    End(&'a str),
    Foreign,
}

/// Where in a line something happens to the value that is being read.
#[derive(Clone, Copy)]
enum Mark {
    Start(usize),
    /// After this byte the value could be cut, and closed to a valid one.
    Cut(usize),
    End(usize),
}

struct Open {
    scanner: Scanner,
    /// The depth at which values are told: 0 for the document itself, 1 for the elements of an array.
    told_depth: usize,
    /// The value that is being read, empty outside of one.
    text: String,
    /// Where `text` could be cut.
    cut: usize,
    /// The value is larger than is kept; it is followed to its end, but not told.
    oversized: bool,
    /// Lines in a row that were not the document's.
    foreign: u32,
    /// Lines that were.
    lines: u32,
}

impl Open {
    fn new(array: bool) -> Self {
        Self {
            scanner: Scanner::new(),
            told_depth: usize::from(array),
            text: String::new(),
            cut: 0,
            oversized: false,
            foreign: 0,
            lines: 0,
        }
    }

    fn feed<'a>(&mut self, line: &'a str, told: &mut dyn FnMut(&str)) -> Fed<'a> {
        let mut scanner = self.scanner.clone();
        let mut inside = scanner.stack.len() > self.told_depth;
        let mut marks = Vec::new();
        let mut end = None;
        for (at, byte) in line.bytes().enumerate() {
            let step = scanner.byte(byte);
            let depth = scanner.stack.len();
            match step {
                Step::Inside => {}
                Step::Opened if depth == self.told_depth + 1 => marks.push(Mark::Start(at)),
                Step::Opened => {}
                Step::Closed if depth == self.told_depth && (depth > 0 || self.told_depth == 0) => {
                    marks.push(Mark::End(at + 1));
                }
                Step::Closed if depth > self.told_depth => marks.push(Mark::Cut(at + 1)),
                Step::Closed => {}
                Step::Broken => return Fed::Foreign,
            }
            if depth == 0 {
                end = Some(at + 1);
                break;
            }
        }
        // A string does not go on over a line break: the line was cut, or is none of the document's.
        if end.is_none() && matches!(scanner.expect, Expect::Text { .. }) {
            return Fed::Foreign;
        }
        self.scanner = scanner;
        self.lines += 1;
        self.foreign = 0;
        let mut from = 0;
        for mark in marks {
            match mark {
                Mark::Start(at) => {
                    self.clear();
                    inside = true;
                    from = at;
                }
                Mark::Cut(at) => {
                    self.keep(&line[from..at]);
                    self.cut = self.text.len();
                    from = at;
                }
                Mark::End(at) => {
                    self.keep(&line[from..at]);
                    if !self.oversized {
                        told(&self.text);
                    }
                    self.clear();
                    inside = false;
                    from = at;
                }
            }
        }
        if let Some(end) = end {
            return Fed::End(&line[end..]);
        }
        if inside {
            self.keep(&line[from..]);
            self.keep("\n");
        }
        Fed::Part
    }

    fn clear(&mut self) {
        self.text.clear();
        self.cut = 0;
        self.oversized = false;
    }

    fn keep(&mut self, part: &str) {
        if self.text.len() + part.len() > VALUE_LIMIT {
            self.oversized = true;
        } else if !self.oversized {
            self.text.push_str(part);
        }
    }

    /// The value that was cut short, without what is not whole in it, and with its brackets closed.
    fn salvage(mut self) -> Option<String> {
        if self.cut == 0 {
            return None;
        }
        self.text.truncate(self.cut);
        let mut scanner = Scanner::new();
        for byte in self.text.bytes() {
            scanner.byte(byte);
        }
        while let Some(bracket) = scanner.stack.pop() {
            self.text.push(if bracket == b'{' { '}' } else { ']' });
        }
        Some(self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(log: &str) -> (Vec<String>, Vec<String>) {
        let mut documents = Documents::default();
        let (mut told, mut foreign) = (Vec::new(), Vec::new());
        for line in log.lines() {
            let taken = documents.line(line, &mut |value| told.push(value.to_owned()));
            if taken == Taken::No {
                foreign.push(line.to_owned());
            }
        }
        documents.finish(&mut |value| told.push(value.to_owned()));
        (told.iter().map(|value| value.split_whitespace().collect()).collect(), foreign)
    }

    #[test]
    fn documents_and_elements_among_other_lines() {
        let (told, foreign) =
            read("x\n{\"a\":\"}\\\"\"}\n[INFO] y\n[{\"b\":1},{\"c\":[2]}]\n[1, 2]\n{\"d\":1}{\"e\":2} z\n");
        assert_eq!(told, ["{\"a\":\"}\\\"\"}", "{\"b\":1}", "{\"c\":[2]}", "{\"d\":1}", "{\"e\":2}"]);
        assert_eq!(foreign, ["x", "[INFO] y"]);
    }

    #[test]
    fn a_torn_document_is_whole_without_the_tears() {
        let (told, foreign) = read("[\n  {\n    \"a\": 1,\nnpm warn x\n    \"b\": true\n[  5%] z\n  }\n,\n  {}\n]\n");
        // The margin rule ends the first document at a line that begins with a bracket.
        assert_eq!(told, [] as [&str; 0]);
        assert_eq!(foreign.first().map(String::as_str), Some("npm warn x"));
        let (told, foreign) = read("[\n  {\n    \"a\": 1,\nnpm warn x\n    \"b\": true\n  },\n  {}\n]\nend\n");
        assert_eq!(told, ["{\"a\":1,\"b\":true}", "{}"]);
        assert_eq!(foreign, ["npm warn x", "end"]);
    }

    #[test]
    fn a_document_cut_short_is_told_as_far_as_it_is_whole() {
        let (told, _) = read("{\n  \"r\": [\n    {\"a\": 1},\n    {\"b\":\n");
        assert_eq!(told, ["{\"r\":[{\"a\":1}]}"]);
        let (told, _) = read("[\n  {\"a\": 1},\n  {\"m\": [{\"x\": 1},\n");
        assert_eq!(told, ["{\"a\":1}", "{\"m\":[{\"x\":1}]}"]);
        let (told, _) = read("{\"r\":[{\"a\":1},{\"b\":\"cu");
        assert_eq!(told, [] as [&str; 0]);
    }

    #[test]
    fn brackets_that_are_no_document_are_let_go() {
        let log = format!("{{\n{}[\n  {{\"a\": 1}}\n]\n", "boring: line\n".repeat(30));
        let (told, foreign) = read(&log);
        assert_eq!(told, ["{\"a\":1}"]);
        assert_eq!(foreign.len(), 30);
    }
}
