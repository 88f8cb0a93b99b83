//! The grammar of JSON (RFC 8259), followed byte by byte through any pieces of a text.
//!
//! More is let through than the grammar allows where tools print more: `NaN`, `Infinity` and `-Infinity`, as Python's
//! json writes them. They are told apart, so that readers which insist on the grammar can be given something else.

/// Nesting beyond this is not a tool's report.
const DEPTH_LIMIT: usize = 512;

/// What is not a number to JSON.
const NOT_FINITE: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];

/// Bytes of a text that are looked at one by one before the vectorised search is worth its start.
const SHORT: usize = 16;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expect {
    #[default]
    Value,
    /// After `[`.
    ValueOrEnd,
    Key,
    /// After `{`.
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    KeyText,
    Text,
    Number,
}

/// Where in a JSON text we are.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    stack: Vec<u8>,
    expect: Expect,
    /// The next byte of a string is escaped.
    escape: bool,
    /// Behind the quote that the last string began with, in the bytes that it began in.
    text_begin: usize,
}

/// What a scanner stopped at. Its place is behind it then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A bracket was opened.
    Opened,
    /// A bracket was closed.
    Closed,
    /// A member or an element is complete, and another one follows.
    Comma,
    /// A word that is no number, beginning here.
    NotFinite(usize),
    /// The bytes are used up.
    Rest,
    /// The grammar has no place for the byte here.
    Broken,
}

impl Scanner {
    /// Goes on to the next event from `at`; commas are events if `COMMAS`.
    pub fn next<const COMMAS: bool>(&mut self, bytes: &[u8], at: &mut usize) -> Event {
        loop {
            if matches!(self.expect, Expect::Text | Expect::KeyText) {
                match self.text(bytes, at) {
                    Some(event) => return event,
                    None => continue,
                }
            }
            let Some(&byte) = bytes.get(*at) else { return Event::Rest };
            if self.expect == Expect::Number {
                if matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E') {
                    *at += 1;
                    continue;
                }
                self.expect = Expect::CommaOrEnd;
            }
            if matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                *at += 1;
                continue;
            }
            match (self.expect, byte) {
                (Expect::Key | Expect::KeyOrEnd, b'"') => {
                    self.expect = Expect::KeyText;
                    self.text_begin = *at + 1;
                }
                (Expect::Colon, b':') => self.expect = Expect::Value,
                (Expect::Value | Expect::ValueOrEnd, b'"') => {
                    self.expect = Expect::Text;
                    self.text_begin = *at + 1;
                }
                (Expect::CommaOrEnd, b',') => {
                    self.expect = match self.stack.last() {
                        Some(b'{') => Expect::Key,
                        Some(_) => Expect::Value,
                        None => return Event::Broken,
                    };
                    if COMMAS {
                        *at += 1;
                        return Event::Comma;
                    }
                }
                (Expect::Value | Expect::ValueOrEnd, b'{' | b'[') => {
                    if self.stack.len() >= DEPTH_LIMIT {
                        return Event::Broken;
                    }
                    self.stack.push(byte);
                    self.expect = if byte == b'{' { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
                    *at += 1;
                    return Event::Opened;
                }
                (Expect::CommaOrEnd | Expect::KeyOrEnd, b'}') | (Expect::CommaOrEnd | Expect::ValueOrEnd, b']') => {
                    let matching = if byte == b'}' { b'{' } else { b'[' };
                    if self.stack.last() != Some(&matching) {
                        return Event::Broken;
                    }
                    self.stack.pop();
                    self.expect = Expect::CommaOrEnd;
                    *at += 1;
                    return Event::Closed;
                }
                (Expect::Value | Expect::ValueOrEnd, _) => match self.scalar(&bytes[*at..]) {
                    Some(Scalar::Number) => {}
                    Some(Scalar::Word(length)) => {
                        *at += length;
                        continue;
                    }
                    Some(Scalar::NotFinite(length)) => {
                        *at += length;
                        return Event::NotFinite(*at - length);
                    }
                    None => return Event::Broken,
                },
                _ => return Event::Broken,
            }
            *at += 1;
        }
    }

    /// Goes on to the end of a string; a line break in it breaks the grammar.
    fn text(&mut self, bytes: &[u8], at: &mut usize) -> Option<Event> {
        loop {
            if self.escape {
                match bytes.get(*at) {
                    None => return Some(Event::Rest),
                    Some(b'\n') => return Some(Event::Broken),
                    Some(_) => *at += 1,
                }
                self.escape = false;
            }
            let rest = &bytes[*at..];
            let near = rest.iter().take(SHORT).position(|byte| matches!(byte, b'"' | b'\\' | b'\n'));
            let found = near.or_else(|| {
                let far = rest.get(SHORT..)?;
                memchr::memchr3(b'"', b'\\', b'\n', far).map(|length| length + SHORT)
            });
            let Some(length) = found else {
                *at = bytes.len();
                return Some(Event::Rest);
            };
            *at += length;
            match rest[length] {
                b'"' => {
                    *at += 1;
                    self.expect = if self.expect == Expect::KeyText { Expect::Colon } else { Expect::CommaOrEnd };
                    return None;
                }
                b'\\' => {
                    *at += 1;
                    self.escape = true;
                }
                _ => return Some(Event::Broken),
            }
        }
    }

    /// What begins here that is no string and has no brackets.
    fn scalar(&mut self, bytes: &[u8]) -> Option<Scalar> {
        if let Some(word) = NOT_FINITE.iter().find(|word| bytes.starts_with(word)) {
            self.expect = Expect::CommaOrEnd;
            return Some(Scalar::NotFinite(word.len()));
        }
        if matches!(bytes.first(), Some(b'0'..=b'9' | b'-')) {
            self.expect = Expect::Number;
            return Some(Scalar::Number);
        }
        let words: [&[u8]; 3] = [b"true", b"false", b"null"];
        let word = words.iter().find(|word| bytes.starts_with(word))?;
        self.expect = Expect::CommaOrEnd;
        Some(Scalar::Word(word.len()))
    }

    /// How many brackets are open.
    pub fn depth(&self) -> usize {
        self.stack.len()
    }

    /// What closes all that is open, in order.
    pub fn closing(&self) -> impl Iterator<Item = u8> {
        self.stack.iter().rev().map(|bracket| if *bracket == b'{' { b'}' } else { b']' })
    }

    /// Whether the text goes on in the middle of a string.
    pub fn in_text(&self) -> bool {
        matches!(self.expect, Expect::Text | Expect::KeyText)
    }

    /// Where the last string began, behind its quote.
    pub fn text_begin(&self) -> usize {
        self.text_begin
    }

    /// Whether the next byte of the string is escaped.
    pub fn in_escape(&self) -> bool {
        self.escape
    }

    /// Becomes what another one is, without new memory if there is enough.
    pub fn set(&mut self, other: &Self) {
        self.stack.clone_from(&other.stack);
        self.expect = other.expect;
        self.escape = other.escape;
        self.text_begin = other.text_begin;
    }
}

enum Scalar {
    Number,
    Word(usize),
    NotFinite(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> String {
        let (mut scanner, mut at) = (Scanner::default(), 0);
        let mut events = String::new();
        loop {
            let event = scanner.next::<true>(text.as_bytes(), &mut at);
            events.push(match event {
                Event::Opened => '(',
                Event::Closed => ')',
                Event::Comma => ',',
                Event::NotFinite(_) => 'n',
                Event::Rest => '.',
                Event::Broken => '!',
            });
            if matches!(event, Event::Rest | Event::Broken) {
                return events;
            }
        }
    }

    #[test]
    fn the_grammar_is_followed() {
        for (text, expected) in [
            ("{}", "()."),
            ("[ ]", "()."),
            (r#"{"a":"}\"]\\","b":[1,-2.5e+3,true,null]}"#, "(,(,,,))."),
            (r#"{"a":NaN,"b":[Infinity,-Infinity]}"#, "(n,(n,n))."),
            ("{\"a\":\"b\nc\"}", "(!"),
            ("{\"a\":\"b\\\nc\"}", "(!"),
            ("{]", "(!"),
            ("[}", "(!"),
            ("{\"a\"}", "(!"),
            ("[1 2]", "(!"),
            ("[tru]", "(!"),
            ("{\"a\":1,}", "(,!"),
            ("[\"a", "(."),
        ] {
            assert_eq!(events(text), expected, "{text}");
        }
        assert_eq!(events(&"[".repeat(1000)), format!("{}!", "(".repeat(DEPTH_LIMIT)));
    }

    #[test]
    fn pieces_make_no_difference() {
        let text = r#"{"a":"x\"y","k":[{"b":12.5},"\\"],"z":""}"#.as_bytes();
        for cut in 0..text.len() {
            let mut scanner = Scanner::default();
            for piece in [&text[..cut], &text[cut..]] {
                let mut at = 0;
                while at < piece.len() {
                    assert_ne!(scanner.next::<true>(piece, &mut at), Event::Broken, "{cut}");
                }
            }
            assert_eq!(scanner.depth(), 0);
        }
    }
}
