//! Findings out of a log that some tool printed anywhere, without any project.

use std::collections::HashSet;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::{Filter, FindingFilter, Findings, sorted};
use crate::error::{Error, Result};
use crate::findings;
use crate::model::{Diagnostic, Language, RecipeName, Stream, Timestamp};
use crate::parsers::{Feed, Hint};

/// What is known of a captured log beside its bytes.
#[derive(Clone, Debug, Default)]
pub struct CapturedLog {
    /// What the tool checked.
    pub language: Option<Language>,
    /// What the tool was run for.
    pub recipe: Option<RecipeName>,
    /// How the tool ended.
    pub exit_code: Option<i32>,
    /// Whether the tools' own records are wanted too, which are most of what findings hold.
    pub records: bool,
}

/// Reads a captured log to its end, in bounded memory but for the findings themselves. All of them are new, as there
/// is nothing to compare with.
pub fn read_captured(mut log: impl Read, hint: CapturedLog, filter: &FindingFilter) -> Result<Findings> {
    let mut feed = Feed::new(Hint { language: hint.language, recipe: hint.recipe });
    let filter = Filter::new(filter)?;
    let now = Timestamp::now();
    let (mut found, mut seen, mut rows) = (Vec::new(), HashSet::new(), Vec::new());
    let mut keep = |found: &mut Vec<Diagnostic>| {
        for mut diagnostic in found.drain(..) {
            diagnostic.raw = diagnostic.raw.filter(|_| hint.records);
            let finding = findings::finding_without_job(diagnostic, now);
            if seen.insert(finding.fingerprint.to_bits()) && filter.lets(&finding) {
                rows.push(finding);
            }
        }
    };
    let mut buffer = vec![0_u8; 256 * 1024];
    loop {
        match log.read(&mut buffer) {
            Ok(0) => break,
            // Who captured both streams into one file cannot tell them apart any more; parsers do not insist.
            Ok(length) => feed.push(Stream::Stdout, &buffer[..length], &mut found),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io("read", Path::new("the captured log"), &error)),
        }
        keep(&mut found);
    }
    feed.finish(hint.exit_code, &mut found);
    keep(&mut found);
    Ok(sorted(rows))
}
