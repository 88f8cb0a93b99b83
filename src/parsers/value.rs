//! The text of a JSON value that is being read, in bounded memory however large the value is.
//!
//! A value that has grown large is told in parts: all that is complete so far, closed to a valid value. Then the
//! elements that were told are cut out of the text, and their frame stays: the containers that are open, with the
//! members before them. So a reader sees several values of the same shape, each with some of the elements.

use super::line::lossy;
use super::scan::{Event, Scanner};

/// Bytes that make a part.
const PART: usize = 2 << 20;
/// The same while nothing was found in the value: what is large may be what the findings refer to, such as rules.
const FIRST_PART: usize = 8 << 20;
/// Bytes of a frame; a larger one is left away but for its brackets and keys.
const FRAME_LIMIT: usize = 4 << 20;
/// Bytes of a text that cannot be told in parts: a string is emptied then.
const LIMIT: usize = 12 << 20;

/// Ways to cut a value that was cut short, beside the nearest one.
const SALVAGES: usize = 4;

/// Who is told values; whether anything was found in it.
pub(super) type Told<'a> = dyn FnMut(&str) -> bool + 'a;

/// The text of one value.
pub(super) struct Value {
    text: Vec<u8>,
    /// The size at which the next part is told.
    next: usize,
    /// The end of a string is being looked for, whose text is not kept; true behind a backslash.
    emptied: Option<bool>,
    found: bool,
    /// Nothing more of it can be told.
    lost: bool,
}

impl Default for Value {
    fn default() -> Self {
        Self { text: Vec::new(), next: PART, emptied: None, found: false, lost: false }
    }
}

/// A container that is open in a text.
struct Level {
    array: bool,
    /// Where its bracket is.
    at: usize,
    /// Where the elements begin that are complete and need not be kept once they are told.
    begin: Option<usize>,
    /// Behind the last complete child.
    end: usize,
    /// Where the child begins that is not complete.
    resume: usize,
    /// That child has brackets.
    nested: bool,
}

impl Level {
    fn told(&self) -> usize {
        self.begin.map_or(0, |begin| self.end - begin)
    }
}

/// The containers that are open at the end of a text.
fn levels(text: &[u8]) -> (Vec<Level>, Scanner) {
    let (mut scanner, mut at) = (Scanner::default(), 0);
    let mut levels: Vec<Level> = Vec::new();
    loop {
        match scanner.next::<true>(text, &mut at) {
            Event::Opened => {
                if let Some(parent) = levels.last_mut() {
                    parent.nested = true;
                }
                let array = text[at - 1] == b'[';
                levels.push(Level { array, at: at - 1, begin: None, end: at, resume: at, nested: false });
            }
            Event::Closed => drop(levels.pop()),
            Event::Comma => {
                let Some(level) = levels.last_mut() else { continue };
                if level.array || level.nested {
                    level.begin.get_or_insert(level.resume);
                }
                level.end = at - 1;
                level.resume = at;
                level.nested = false;
            }
            Event::NotFinite(_) => {}
            Event::Rest | Event::Broken => return (levels, scanner),
        }
    }
}

/// The text up to the end of the last complete child of the container `index`, closed.
fn part(text: &[u8], levels: &[Level], index: usize) -> String {
    let mut part = lossy(&text[..levels[index].end]).into_owned();
    part.extend(levels[..=index].iter().rev().map(|level| if level.array { ']' } else { '}' }));
    part
}

impl Value {
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && !self.lost
    }

    pub fn clear(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        text.shrink_to(PART);
        *self = Self { text, ..Self::default() };
    }

    /// Appends to the text.
    pub fn keep(&mut self, mut text: &[u8], told: &mut Told<'_>) {
        if self.lost || text.is_empty() {
            return;
        }
        if let Some(escape) = &mut self.emptied {
            let Some(end) = text_end(text, escape) else { return };
            text = &text[end..];
            self.emptied = None;
        }
        self.text.extend_from_slice(text);
        if self.text.len() >= self.next {
            self.shorten(told);
        }
    }

    /// The value is complete.
    pub fn tell(&mut self, told: &mut Told<'_>) {
        if !self.lost {
            told(&lossy(&self.text));
        }
        self.clear();
    }

    /// The value was cut short: what is whole in it is told, with its brackets closed. Whether anything was found.
    pub fn salvage(&mut self, told: &mut Told<'_>) -> bool {
        let (mut scanner, mut at, mut whole) = (Scanner::default(), 0, 0);
        loop {
            match scanner.next::<false>(&self.text, &mut at) {
                Event::Closed => whole = at,
                Event::Rest | Event::Broken => break,
                _ => {}
            }
        }
        self.text.truncate(whole);
        let (levels, scanner) = levels(&self.text);
        let mut found = false;
        if whole > 0 && !self.lost {
            let mut text = lossy(&self.text).into_owned();
            text.extend(scanner.closing().map(char::from));
            // A reader may not take half an element, nor anything beside it.
            let mut arrays = levels.iter().enumerate().rev().filter(|(_, level)| level.array && level.told() > 0);
            found =
                told(&text) || arrays.by_ref().take(SALVAGES).any(|(index, _)| told(&part(&self.text, &levels, index)));
        }
        self.clear();
        found
    }

    fn shorten(&mut self, told: &mut Told<'_>) {
        let (levels, _) = levels(&self.text);
        // Where most is complete; of equals the outermost.
        let most = levels.iter().enumerate().rev().max_by_key(|(_, level)| level.told());
        if let Some((index, level)) = most
            && level.told() >= PART / 4
        {
            self.found |= told(&part(&self.text, &levels, index));
            if self.found || self.text.len() >= FIRST_PART {
                self.cut(&levels, index);
            } else {
                self.next = FIRST_PART;
                return;
            }
        }
        if self.text.len() >= LIMIT {
            self.give_up();
        }
        self.next = self.text.len() + PART;
    }

    /// Cuts out what was told of the container `index` and of those around it.
    fn cut(&mut self, levels: &[Level], index: usize) {
        let mut frame = Vec::new();
        let mut from = 0;
        for (at, level) in levels[..=index].iter().enumerate() {
            if let Some(begin) = level.begin
                && (level.array || at == index)
            {
                frame.extend_from_slice(&self.text[from..begin]);
                from = level.resume;
            }
        }
        if frame.len() > FRAME_LIMIT {
            self.bare(&levels[..=index]);
        } else {
            frame.extend_from_slice(&self.text[from..]);
            self.text = frame;
        }
    }

    /// Leaves nothing of these containers but their brackets, the keys of the members that are open, and what is in
    /// the last one's.
    fn bare(&mut self, levels: &[Level]) {
        let mut frame = Vec::new();
        let mut from = 0;
        for level in levels {
            frame.extend_from_slice(&self.text[from..=level.at]);
            from = level.resume;
        }
        frame.extend_from_slice(&self.text[from..]);
        self.text = frame;
    }

    /// Gets below the limit where there is nothing to be told.
    fn give_up(&mut self) {
        self.bare(&levels(&self.text).0);
        let (_, scanner) = levels(&self.text);
        if self.text.len() < LIMIT / 2 {
            return;
        }
        if scanner.in_text() && scanner.text_begin() < LIMIT / 2 {
            self.text.truncate(scanner.text_begin());
            self.emptied = Some(scanner.in_escape());
        } else {
            self.lost = true;
            self.text = Vec::new();
        }
    }
}

/// Where a string ends whose beginning is not in the text; `escape` is whether its first byte is escaped.
fn text_end(text: &[u8], escape: &mut bool) -> Option<usize> {
    let mut at = usize::from(std::mem::take(escape));
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        // Behind what is escaped.
        at += 2;
        if at > text.len() {
            *escape = true;
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a text in pieces; each value that was told, without white space.
    fn told(text: &str, found: bool) -> Vec<serde_json::Value> {
        let mut values = Vec::new();
        let mut value = Value::default();
        let mut most = 0;
        for piece in text.as_bytes().chunks(60_000) {
            value.keep(piece, &mut |text| {
                values.push(serde_json::from_str(text).unwrap());
                found
            });
            most = most.max(value.text.len());
        }
        assert!(most < LIMIT + 100_000, "{most}");
        value.tell(&mut |text| {
            values.push(serde_json::from_str(text).unwrap());
            found
        });
        values
    }

    fn count(values: &[serde_json::Value], pointer: &str) -> usize {
        let at = |value: &serde_json::Value| match value.pointer(pointer) {
            Some(serde_json::Value::Array(elements)) => elements.len(),
            Some(serde_json::Value::Object(members)) => members.len(),
            _ => 0,
        };
        values.iter().map(at).sum()
    }

    #[test]
    fn a_large_value_comes_in_parts_with_its_frame() {
        let elements = r#"{"ruleId":"x","locations":[{"a":1},{"b":[2]}]},"#.repeat(120_000);
        let rules = r#"{"id":"x"},"#.repeat(20_000);
        let text = format!(
            r#"{{"version":"2","runs":[{{"tool":{{"rules":[{}]}},"results":[{}]}}],"end":1}}"#,
            rules.trim_end_matches(','),
            elements.trim_end_matches(',')
        );
        let values = told(&text, true);
        assert!(values.len() > 2);
        assert_eq!(count(&values, "/runs/0/results"), 120_000);
        for value in &values {
            assert_eq!(value["version"], "2");
            assert_eq!(value.pointer("/runs/0/tool/rules").unwrap().as_array().unwrap().len(), 20_000);
        }
        assert_eq!(values.last().unwrap()["end"], 1);
    }

    #[test]
    fn rules_are_not_taken_for_findings() {
        let rules = r#"{"id":"x"},"#.repeat(300_000);
        let text = format!(r#"{{"rules":[{}],"results":[{{"a":1}}]}}"#, rules.trim_end_matches(','));
        let values = told(&text, false);
        assert_eq!(values.last().unwrap()["rules"].as_array().unwrap().len(), 300_000);
    }

    #[test]
    fn members_of_an_object_are_told_in_parts_too() {
        let members: Vec<String> = (0..120_000).map(|n| format!(r#""p{n}":{{"via":[{{"id":{n}}}]}}"#)).collect();
        let text = format!(r#"{{"version":2,"vulnerabilities":{{{}}},"end":{{}}}}"#, members.join(","));
        let values = told(&text, true);
        assert!(values.len() > 1);
        assert_eq!(count(&values, "/vulnerabilities"), 120_000);
    }

    #[test]
    fn what_cannot_be_told_in_parts_is_bounded() {
        // One string, an object of scalars, one number.
        let long = r#"x\\\""#.repeat(2 << 20);
        let values = told(&format!(r#"{{"r":[{{"a":1,"s":"{long}","b":2}},{{"c":3}}]}}"#), true);
        assert_eq!(count(&values, "/r"), 2);
        assert_eq!(values.last().unwrap()["r"].as_array().unwrap().last().unwrap()["c"], 3);
        let members: String = (0..800_000).map(|n| format!(r#""p{n}":{n},"#)).collect();
        let values = told(&format!(r#"{{{members}"r":[1]}}"#), true);
        assert_eq!(count(&values, "/r"), 1);
        let values = told(&format!(r#"{{"r":[{{"a":{}}}]}}"#, "1".repeat(13 << 20)), true);
        assert!(values.is_empty());
    }

    #[test]
    fn the_end_of_a_string_is_found_over_pieces() {
        let text = br#"a\\\"b\\" c"#;
        for cut in 0..8 {
            let mut escape = false;
            let first = text_end(&text[..cut], &mut escape);
            assert_eq!(first, None);
            assert_eq!(text_end(&text[cut..], &mut escape), Some(8 - cut), "{cut}");
        }
    }
}
