//! The ways in which a value is written: as it is, quoted, escaped, encoded.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Bytes of the shortest form: what is shorter occurs everywhere.
const LEAST: usize = 4;

/// What stays as it is by RFC 3986, and with JavaScript's `encodeURIComponent`, and in a path.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const COMPONENT: &AsciiSet = &UNRESERVED.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// Where tools wrap base64: `base64` after 76 characters, OpenSSL after 64.
const WRAPPED: [usize; 2] = [76, 64];

/// Every form of a value that is masked.
pub(super) fn of(value: &str) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::new();
    let trimmed = value.trim();
    texts(trimmed, &mut forms);
    // What a shell makes of it without quotes.
    texts(&trimmed.split_whitespace().collect::<Vec<_>>().join(" "), &mut forms);
    for line in trimmed.lines() {
        texts(line.trim(), &mut forms);
    }
    for set in [UNRESERVED, COMPONENT, PATH] {
        let encoded = utf8_percent_encode(trimmed, set).to_string();
        forms.insert(encoded.replace("%20", "+").into_bytes());
        forms.insert(lower_hex(&encoded).into_bytes());
        forms.insert(encoded.into_bytes());
    }
    base64(value.as_bytes(), &mut forms);
    base64(trimmed.as_bytes(), &mut forms);
    forms.retain(|form| form.len() >= LEAST);
    forms
}

/// A text, and what JSON, XML, shells and source code make of it.
fn texts(text: &str, forms: &mut BTreeSet<Vec<u8>>) {
    let json = serde_json::Value::from(text).to_string();
    let xml = quick_xml::escape::escape(text);
    for form in [
        text,
        &json[1..json.len() - 1],
        &quick_xml::escape::partial_escape(text),
        &xml,
        &xml.replace('\n', "&#10;"),
        &xml.replace("&apos;", "'"),
        // As `set` and `set -x` show it: bash, and dash.
        &text.replace('\'', "'\\''"),
        &text.replace('\'', "'\"'\"'"),
        &backslashed(text, ""),
        &backslashed(text, "'"),
        &backslashed(text, "\""),
        &backslashed(text, "'\""),
    ] {
        forms.insert(form.as_bytes().to_vec());
        forms.insert(echoed(form));
    }
}

/// In quotes, as source code and `$'…'` have it: what tells which quotes these are is escaped, and the rest is not.
fn backslashed(text: &str, quotes: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\\' => escaped.push_str("\\\\"),
            _ => {
                escaped.extend(quotes.contains(c).then_some('\\'));
                escaped.push(c);
            }
        }
    }
    escaped
}

/// What `echo` prints of it in a shell such as dash, which undoes escapes.
fn echoed(text: &str) -> Vec<u8> {
    let mut printed = Vec::with_capacity(text.len());
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let escape = (byte == b'\\').then(|| bytes.peek().copied()).flatten();
        let meant = match escape {
            Some(b'a') => 7,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'v') => 11,
            Some(b'\\') => b'\\',
            // Nothing comes after it.
            Some(b'c') => break,
            Some(b'0') => {
                bytes.next();
                let mut code = 0_u8;
                for _ in 0..3 {
                    let Some(digit) = bytes.next_if(|digit| (b'0'..=b'7').contains(digit)) else { break };
                    code = code.wrapping_mul(8).wrapping_add(digit - b'0');
                }
                printed.push(code);
                continue;
            }
            _ => {
                printed.push(byte);
                continue;
            }
        };
        bytes.next();
        printed.push(meant);
    }
    printed
}

fn lower_hex(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at(2.min(part.len()));
        text.push('%');
        text.push_str(&code.to_ascii_lowercase());
        text.push_str(rest);
    }
    text
}

/// base64 of anything that the value stands in: which characters it becomes depends on how many bytes, modulo three,
/// stand before it. Those that are of a neighbour too are left out, but where the value is the end.
fn base64(value: &[u8], forms: &mut BTreeSet<Vec<u8>>) {
    for engine in [STANDARD, URL_SAFE] {
        for before in 0..3 {
            let text = engine.encode([&b"\0\0"[..before], value].concat());
            let first = (before * 8).div_ceil(6);
            let whole = (before + value.len()) * 8 / 6;
            forms.insert(text.as_bytes()[first..whole].to_vec());
            forms.insert(text.trim_end_matches('=').as_bytes()[first..].to_vec());
            forms.insert(text.as_bytes()[first..].to_vec());
            if before == 0 {
                for width in WRAPPED.into_iter().filter(|width| text.len() > *width) {
                    forms.extend(text.as_bytes().chunks(width).map(<[u8]>::to_vec));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(value: &str, form: &str) -> bool {
        of(value).contains(form.as_bytes())
    }

    #[test]
    fn a_value_has_the_forms_in_which_tools_write_it() {
        let value = "p@ss/w&rd <'1\"> é";
        assert!(has(value, value));
        assert!(has(value, "p@ss/w&rd <'1\\\"> é"), "JSON");
        assert!(has(value, "p@ss/w&amp;rd &lt;&apos;1&quot;&gt; é"), "XML");
        assert!(has(value, "p@ss/w&amp;rd &lt;'1\"&gt; é"), "XML, in text");
        assert!(has(value, "p@ss/w&rd <'\\''1\"> é"), "sh");
        assert!(has(value, "p%40ss%2Fw%26rd%20%3C%271%22%3E%20%C3%A9"), "RFC 3986");
        assert!(has(value, "p%40ss%2fw%26rd%20%3c%271%22%3e%20%c3%a9"), "the same in small letters");
        assert!(has(value, "p%40ss%2Fw%26rd+%3C%271%22%3E+%C3%A9"), "a form");
        assert!(has(r"a\nb'c", "a\nb'c") && has(r"a\\b\0101c", r"a\bAc"), "echo");
        assert!(has(r#"tok\zen"x"#, r#"tok\zen\"x"#), "JSON by echo");
        assert!(has(r"it's\me", r"it\'s\\me") && has(r"it's\me", r"it's\\me"), "source code");
        assert!(has(" one\n  two2\n", "two2") && !has("one2\nab", "ab"));
    }

    #[test]
    fn base64_of_anything_around_a_value_holds_a_form_of_it() {
        let value = "s3cret-va?ue>1";
        let forms = of(value);
        for engine in [STANDARD, URL_SAFE] {
            for before in ["", "u", "us", "use", "user:"] {
                for after in ["", "\n", "ab", "abc"] {
                    let text = engine.encode(format!("{before}{value}{after}"));
                    let longest = forms
                        .iter()
                        .filter(|form| memchr::memmem::find(text.as_bytes(), form).is_some())
                        .map(Vec::len)
                        .max();
                    // All but the characters that are half a neighbour's.
                    assert!(longest.unwrap_or_default() + 2 >= value.len() * 8 / 6, "{before:?} {after:?} {text}");
                }
            }
        }
    }
}
