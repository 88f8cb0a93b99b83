//! XML as it arrives (<https://www.w3.org/TR/xml/>): a scanner that is pushed text in any pieces and tells elements and
//! their text. It goes on after what is not well-formed, since a report is often written by hand-made code, and keeps
//! nothing but the tag that is being read and the names of the open elements.

use std::borrow::Cow;

use quick_xml::escape::unescape;
use quick_xml::events::BytesStart;

/// Bytes of one tag that are kept; of a longer one the attributes before.
const TAG_LIMIT: usize = 1 << 20;
/// Open elements whose names are kept; deeper ones are passed over.
const DEPTH_LIMIT: usize = 64;
/// Bytes that the longest entity or character reference has.
const REFERENCE: usize = 12;

/// What is told while text is pushed.
pub(in crate::parsers) trait Sink {
    /// An element begins.
    fn start(&mut self, name: &str, attributes: &Attributes<'_>);
    /// An element ends.
    fn end(&mut self, name: &str);
    /// Text of the innermost element, in any pieces.
    fn text(&mut self, text: &str);
}

/// The attributes of one element.
pub(in crate::parsers) struct Attributes<'a>(&'a BytesStart<'a>);

impl Attributes<'_> {
    /// A value with its escapes resolved.
    pub fn get(&self, name: &str) -> Option<String> {
        let mut attributes = self.0.attributes();
        attributes
            .with_checks(false)
            .flatten()
            .find(|attribute| attribute.key.as_ref() == name)
            .map(|attribute| plain(&attribute.value).into_owned())
    }

    /// A value that is a number, but not 0.
    pub fn number(&self, name: &str) -> Option<u32> {
        crate::parsers::text::number(self.get(name)?.trim()).and_then(crate::parsers::text::line_number)
    }
}

/// Text without escapes; as it stands where they cannot be resolved.
fn plain(raw: &str) -> Cow<'_, str> {
    if memchr::memchr(b'&', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    unescape(raw).unwrap_or(Cow::Borrowed(raw))
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// In a tag, perhaps in a quoted value.
    Tag(Option<u8>),
    /// In a comment, an instruction or a section of character data, up to these bytes; whether it is text.
    Until(&'static str, bool),
    /// In `<!DOCTYPE`, so many brackets deep.
    Doctype(u32),
}

/// A place in one document.
#[derive(Default)]
pub(in crate::parsers) struct Scanner {
    state: State,
    /// What was not told yet, as it may be half of something.
    tail: String,
    tag: String,
    open: Vec<String>,
    /// Open elements below those of `open`.
    deeper: usize,
}

impl Scanner {
    /// Whether nothing is half read, so that a line without any tag is text of the innermost element.
    pub fn is_between(&self) -> bool {
        self.state == State::Text && self.tail.is_empty()
    }

    /// Reads on. The document ends with its root element; then what follows is given back.
    pub fn push<'a>(&mut self, text: &'a str, sink: &mut dyn Sink) -> Option<&'a str> {
        let joined;
        let mut rest = text;
        if !self.tail.is_empty() {
            joined = std::mem::take(&mut self.tail) + text;
            let left = self.scan(&joined, sink)?;
            return Some(&text[text.len() - left.min(text.len())..]);
        }
        let left = self.scan(rest, sink)?;
        rest = &rest[rest.len() - left..];
        Some(rest)
    }

    /// How many bytes stand behind the document, if it ended.
    fn scan(&mut self, text: &str, sink: &mut dyn Sink) -> Option<usize> {
        let mut rest = text;
        while !rest.is_empty() {
            match self.state {
                State::Text => {
                    let Some(at) = memchr::memchr(b'<', rest.as_bytes()) else {
                        let whole = whole_text(rest);
                        self.tell(&rest[..whole], sink);
                        rest[whole..].clone_into(&mut self.tail);
                        break;
                    };
                    self.tell(&rest[..at], sink);
                    rest = &rest[at..];
                    let (state, length) = match opening(rest) {
                        Opening::Is(state, length) => (state, length),
                        Opening::Half => {
                            rest.clone_into(&mut self.tail);
                            break;
                        }
                        Opening::Text => {
                            self.tell("<", sink);
                            (State::Text, 1)
                        }
                    };
                    self.state = state;
                    self.tag.clear();
                    rest = &rest[length..];
                }
                State::Tag(Some(quote)) => {
                    let end = memchr::memchr(quote, rest.as_bytes()).map(|at| at + 1);
                    self.keep(&rest[..end.unwrap_or(rest.len())]);
                    if end.is_some() {
                        self.state = State::Tag(None);
                    }
                    rest = &rest[end.unwrap_or(rest.len())..];
                }
                State::Tag(None) => {
                    let at = memchr::memchr3(b'>', b'"', b'\'', rest.as_bytes());
                    self.keep(&rest[..at.unwrap_or(rest.len())]);
                    let Some(at) = at else { break };
                    if rest.as_bytes()[at] == b'>' {
                        self.state = State::Text;
                        rest = &rest[at + 1..];
                        if self.tag_ended(sink) {
                            return Some(rest.len());
                        }
                    } else {
                        self.keep(&rest[at..=at]);
                        self.state = State::Tag(Some(rest.as_bytes()[at]));
                        rest = &rest[at + 1..];
                    }
                }
                State::Until(end, is_text) => {
                    let Some(at) = memchr::memmem::find(rest.as_bytes(), end.as_bytes()) else {
                        // The end may have begun.
                        let whole = rest.floor_char_boundary(rest.len().saturating_sub(end.len() - 1));
                        if is_text {
                            sink.text(&rest[..whole]);
                        }
                        rest[whole..].clone_into(&mut self.tail);
                        break;
                    };
                    if is_text {
                        sink.text(&rest[..at]);
                    }
                    self.state = State::Text;
                    rest = &rest[at + end.len()..];
                }
                State::Doctype(depth) => {
                    let Some(at) = memchr::memchr3(b'>', b'[', b']', rest.as_bytes()) else { break };
                    self.state = match rest.as_bytes()[at] {
                        b'[' => State::Doctype(depth.saturating_add(1)),
                        b']' => State::Doctype(depth.saturating_sub(1)),
                        _ if depth > 0 => State::Doctype(depth),
                        _ => State::Text,
                    };
                    rest = &rest[at + 1..];
                }
            }
        }
        None
    }

    fn tell(&self, raw: &str, sink: &mut dyn Sink) {
        if !raw.is_empty() {
            sink.text(&plain(raw));
        }
    }

    fn keep(&mut self, part: &str) {
        let room = TAG_LIMIT.saturating_sub(self.tag.len());
        self.tag.push_str(&part[..part.floor_char_boundary(room)]);
    }

    /// A tag was read to its end; whether it ended the document.
    fn tag_ended(&mut self, sink: &mut dyn Sink) -> bool {
        let tag = std::mem::take(&mut self.tag);
        if let Some(name) = tag.strip_prefix('/') {
            let name = name.trim();
            if self.deeper > 0 && !self.open.iter().any(|open| open == name) {
                self.deeper -= 1;
            } else if let Some(at) = self.open.iter().rposition(|open| open == name) {
                // What was left open within it ends with it.
                while self.open.len() > at {
                    if let Some(name) = self.open.pop() {
                        sink.end(&name);
                    }
                }
                self.deeper = 0;
            }
        } else {
            let (content, is_empty) = match tag.strip_suffix('/') {
                Some(content) => (content, true),
                None => (tag.as_str(), false),
            };
            let length = content.find(|c: char| c.is_ascii_whitespace()).unwrap_or(content.len());
            let start = BytesStart::from_content(content, length);
            let name = &content[..length];
            if self.open.len() >= DEPTH_LIMIT {
                self.deeper += usize::from(!is_empty);
            } else {
                sink.start(name, &Attributes(&start));
                if is_empty {
                    sink.end(name);
                } else {
                    self.open.push(crate::parsers::text::bounded(name, 64).to_owned());
                }
            }
        }
        self.open.is_empty()
    }
}

enum Opening {
    Is(State, usize),
    /// More has to be seen.
    Half,
    /// A `<` that should have been escaped.
    Text,
}

/// What begins with this `<`.
fn opening(text: &str) -> Opening {
    for (start, state) in [
        ("<![CDATA[", State::Until("]]>", true)),
        ("<!--", State::Until("-->", false)),
        ("<?", State::Until("?>", false)),
    ] {
        if text.starts_with(start) {
            return Opening::Is(state, start.len());
        }
        if start.starts_with(text) {
            return Opening::Half;
        }
    }
    match text[1..].chars().next() {
        Some('!') => Opening::Is(State::Doctype(0), 2),
        Some(c) if c == '/' || c == '_' || c.is_alphabetic() => Opening::Is(State::Tag(None), 1),
        _ => Opening::Text,
    }
}

/// The length of the text before a reference that may go on.
fn whole_text(text: &str) -> usize {
    match text.rfind('&') {
        Some(at) if text.len() - at < REFERENCE && !text[at..].contains(';') => at,
        _ => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Told(String);

    impl Sink for Told {
        fn start(&mut self, name: &str, attributes: &Attributes<'_>) {
            self.0.push_str(&format!("<{name}{}>", attributes.get("a").map(|a| format!(" {a}")).unwrap_or_default()));
        }
        fn end(&mut self, name: &str) {
            self.0.push_str(&format!("</{name}>"));
        }
        fn text(&mut self, text: &str) {
            self.0.push_str(text);
        }
    }

    fn read(text: &str, piece: usize) -> (String, Option<String>) {
        let (mut scanner, mut told) = (Scanner::default(), Told::default());
        let mut rest = text;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.floor_char_boundary(piece.max(4)).min(rest.len()));
            if let Some(left) = scanner.push(now, &mut told) {
                return (told.0, Some(format!("{left}{later}")));
            }
            rest = later;
        }
        (told.0, None)
    }

    #[test]
    fn elements_text_and_what_is_not_well_formed() {
        for (text, told, left) in [
            ("<r><b a='&lt;&#x41;>'/>x &amp; y</r>z", "<r><b <A>></b>x & y</r>", Some("z")),
            ("<?xml version=\"1.0\"?><!-- <x> --><r><![CDATA[<y>&]] ]]></r>", "<r><y>&]] </r>", Some("")),
            ("<r>1 < 2 <nil> &foo; & b</r>", "<r>1 < 2 <nil> &foo; & b</nil></r>", Some("")),
            ("<!DOCTYPE r [<!ENTITY a \"b\"><!ENTITY c \"&a;&a;\">]><r a=\"&c;\">&c;</r>", "<r &c;>&c;</r>", Some("")),
            ("<r><a></b></r>", "<r><a></a></r>", Some("")),
            ("<r><a a=\"cut", "<r>", None),
            ("<r a=\"ü\n2\">", "<r ü\n2>", None),
        ] {
            for piece in [4, 5, 7, 1000] {
                assert_eq!(read(text, piece), (told.to_owned(), left.map(str::to_owned)), "{text} by {piece}");
            }
        }
    }

    #[test]
    fn nesting_and_length_are_bounded() {
        let deep = "<a>".repeat(100_000);
        assert!(read(&format!("<r>{deep}</r>."), 1 << 16).1.is_some());
        let long = format!("<r a=\"1\" b=\"{}\" c='x'></r>", "b".repeat(3 << 20));
        assert_eq!(read(&long, 1 << 16), ("<r 1></r>".to_owned(), Some(String::new())));
    }
}
