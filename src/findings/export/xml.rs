//! What the XML formats share.

use std::borrow::Cow;
use std::io::{Result, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, Event};

/// Begins a document.
pub(super) fn document(out: &mut dyn Write) -> Result<Writer<&mut dyn Write>> {
    let mut writer = Writer::new_with_indent(out, b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    Ok(writer)
}

/// Ends a document.
pub(super) fn end(writer: Writer<&mut dyn Write>) -> Result<()> {
    writer.into_inner().write_all(b"\n")
}

/// Without the characters that XML 1.0 has no way to write, not even escaped (its section 2.2).
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let foreign = |c: char| (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}');
    if text.contains(foreign) { Cow::Owned(text.replace(foreign, "\u{fffd}")) } else { Cow::Borrowed(text) }
}
