//! From chunks of bytes to parsers: lines are put together per stream, and only those of interest are taken apart.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use super::document::{Documents, Taken};
use super::gofmt::Names;
use super::line::{Line, clean, side};
use super::trigger::{Set, Triggers};
use super::{Hint, Parser, REGISTRY, Verdict, document, exit_code};
use crate::model::{Diagnostic, Language, Stream};

/// The triggers of every parser, the same for every log.
static TRIGGERS: LazyLock<Triggers> = LazyLock::new(|| {
    Triggers::new(REGISTRY.iter().map(|make| make()).map(|parser| (parser.triggers(), parser.json_triggers())))
});

/// Bytes of a line that parsers are shown.
const LINE_LIMIT: usize = 1 << 20;
/// The same for a line that may be a JSON document.
const RECORD_LIMIT: usize = 16 << 20;
/// Bytes of the line before that are remembered over the end of a chunk.
const BEFORE_LIMIT: usize = 4 << 10;

/// Reads the log of one job. Its memory does not grow with the log, only with what it finds.
pub struct Feed {
    hint: Hint,
    readers: Readers,
    tails: [Tail; 2],
}

/// What of a stream was not shown yet, because its line is not complete.
#[derive(Default)]
struct Tail {
    bytes: Vec<u8>,
    before: Vec<u8>,
}

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        let room = line_limit(&self.bytes, bytes).saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn remember(&mut self, line: &[u8]) {
        self.before.clear();
        self.before.extend_from_slice(&line[..line.len().min(BEFORE_LIMIT)]);
    }
}

fn line_limit(start: &[u8], rest: &[u8]) -> usize {
    match start.first().or(rest.first()) {
        Some(b'{' | b'[') => RECORD_LIMIT,
        _ => LINE_LIMIT,
    }
}

impl Feed {
    /// A reader for one log.
    pub fn new(hint: Hint) -> Self {
        Self { hint, readers: Readers::new(), tails: Default::default() }
    }

    /// Takes bytes of one stream in arrival order, in any chunks. What is found so far is appended to `out`; nothing
    /// is appended twice.
    pub fn push(&mut self, stream: Stream, bytes: &[u8], out: &mut Vec<Diagnostic>) {
        let Some(side) = side(stream) else { return };
        let tail = &mut self.tails[side];
        let mut block = bytes;
        if !tail.bytes.is_empty() {
            let Some(end) = memchr::memchr(b'\n', bytes) else {
                tail.push(bytes);
                return;
            };
            tail.push(&bytes[..end]);
            let line = std::mem::take(&mut tail.bytes);
            self.readers.lone_line(stream, &line, &tail.before);
            tail.remember(&line);
            tail.bytes = line;
            tail.bytes.clear();
            // A large record's room is not kept for the lines after it.
            tail.bytes.shrink_to(LINE_LIMIT);
            block = &bytes[end + 1..];
        }
        let whole = memchr::memrchr(b'\n', block).map_or(0, |at| at + 1);
        let (block, rest) = block.split_at(whole);
        if let [lines @ .., _] = block {
            self.readers.block(stream, block, &tail.before);
            tail.remember(&lines[memchr::memrchr(b'\n', lines).map_or(0, |at| at + 1)..]);
        }
        tail.push(rest);
        self.readers.hand_over(out);
    }

    /// The end of the log. `exit_code` is the recipe's, none if it is not known or the job was cancelled. Appends what
    /// is only certain now, and a `recipe_fail` if the recipe failed and nothing was found.
    pub fn finish(mut self, exit_code: Option<i32>, out: &mut Vec<Diagnostic>) {
        for (tail, stream) in self.tails.iter().zip([Stream::Stdout, Stream::Stderr]) {
            if !tail.bytes.is_empty() {
                self.readers.lone_line(stream, &tail.bytes, &tail.before);
            }
        }
        self.readers.finish();
        if self.hint.language.is_none_or(|language| language == Language::Go) {
            std::mem::take(&mut self.readers.names).finish(&mut self.readers.found);
        }
        self.readers.hand_over(out);
        if self.readers.told.is_empty()
            && let Some(failure) = exit_code.and_then(|code| exit_code::recipe_fail(code, self.hint.recipe.as_ref()))
        {
            out.push(failure);
        }
    }
}

/// The parsers, and what each of them waits for.
struct Readers {
    parsers: Vec<Box<dyn Parser>>,
    sides: [Side; 2],
    found: Vec<Diagnostic>,
    /// For the one tool whose output has nothing to know it by.
    names: Names,
    /// Hashes of what was handed over.
    told: HashSet<u64>,
}

/// Who waits for lines of one stream.
#[derive(Default)]
struct Side {
    open: Set,
    owner: Option<usize>,
    documents: Documents,
}

impl Side {
    fn is_idle(&self) -> bool {
        self.open == 0 && self.owner.is_none() && !self.documents.is_open()
    }
}

impl Readers {
    fn new() -> Self {
        let parsers: Vec<Box<dyn Parser>> = REGISTRY.iter().map(|make| make()).collect();
        Self { parsers, sides: Default::default(), found: Vec::new(), names: Names::default(), told: HashSet::new() }
    }

    /// Shows the lines of interest out of a block of whole lines, the last one with its line break.
    fn block(&mut self, stream: Stream, block: &[u8], before: &[u8]) {
        let Some(side) = side(stream) else { return };
        if stream == Stream::Stdout {
            self.names.block(block);
        }
        let mut walk = TRIGGERS.walk(block);
        let mut at = 0;
        // Documents are recognised by the line break before them, which the first line of a block does not have.
        let mut look = opens_document(block);
        while at < block.len() {
            if !look && self.sides[side].is_idle() {
                match walk.next_line(at) {
                    Some(start) => at = start,
                    None => break,
                }
                if at >= block.len() {
                    break;
                }
            }
            look = false;
            let end = memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |length| at + length);
            let previous = match at {
                0 => before,
                at => &block[memchr::memrchr(b'\n', &block[..at - 1]).map_or(0, |at| at + 1)..at - 1],
            };
            self.line(stream, &block[at..end], previous);
            at = end + 1;
        }
    }

    /// Shows a line that was put together out of chunks.
    fn lone_line(&mut self, stream: Stream, line: &[u8], before: &[u8]) {
        if stream == Stream::Stdout {
            self.names.block(line);
        }
        let interesting = side(stream).is_some_and(|side| !self.sides[side].is_idle())
            || opens_document(line)
            || TRIGGERS.walk(line).next_line(0).is_some();
        if interesting {
            self.line(stream, line, before);
        }
    }

    fn line(&mut self, stream: Stream, raw: &[u8], before: &[u8]) {
        let Some(side) = side(stream) else { return };
        let raw = &raw[..raw.len().min(line_limit(raw, &[]))];
        let text = clean(raw);
        let line = Line { text: &text, stream, before };
        let mut asked: Set = 0;
        if let Some(owner) = self.sides[side].owner.take() {
            asked |= 1 << owner;
            if self.ask(owner, side, &line) == Verdict::Own {
                return;
            }
        }
        if self.sides[side].documents.is_open() || text.starts_with(['{', '[']) {
            let Self { parsers, sides, found, .. } = self;
            let taken = sides[side].documents.line(&text, &mut |value| tell(parsers, found, value));
            if taken == Taken::Yes {
                return;
            }
        }
        if let Some(start) = text.find(['{', '['])
            && start > 0
            && TRIGGERS.in_json(&text) != 0
        {
            let Self { parsers, found, .. } = self;
            // A record behind a time stamp or a prefix.
            let start = text.find("{\"").unwrap_or(start);
            document::values(&text[start..], &mut |value| tell(parsers, found, value));
        }
        let mut wanted = (self.sides[side].open | TRIGGERS.in_line(&text)) & !asked;
        while wanted != 0 {
            let index = wanted.trailing_zeros() as usize;
            wanted &= wanted - 1;
            if self.ask(index, side, &line) == Verdict::Own {
                break;
            }
        }
    }

    fn ask(&mut self, index: usize, side: usize, line: &Line<'_>) -> Verdict {
        let verdict = self.parsers[index].line(line, &mut self.found);
        let bit = 1 << index;
        let waiting = &mut self.sides[side];
        match verdict {
            Verdict::Idle => waiting.open &= !bit,
            Verdict::Open => waiting.open |= bit,
            Verdict::Own => {
                waiting.open &= !bit;
                waiting.owner = Some(index);
            }
        }
        verdict
    }

    fn finish(&mut self) {
        let Self { parsers, sides, found, .. } = self;
        for side in sides {
            side.documents.finish(&mut |value| tell(parsers, found, value));
        }
        for parser in parsers {
            parser.finish(found);
        }
    }

    /// Moves what was found to `out`, but not what was there before: a tool may say a thing once per target.
    fn hand_over(&mut self, out: &mut Vec<Diagnostic>) {
        for diagnostic in self.found.drain(..) {
            let mut hasher = DefaultHasher::new();
            (&diagnostic.file, diagnostic.line, diagnostic.column, &diagnostic.code, &diagnostic.message)
                .hash(&mut hasher);
            (diagnostic.kind, diagnostic.severity, &diagnostic.tool).hash(&mut hasher);
            if self.told.insert(hasher.finish()) {
                out.push(diagnostic);
            }
        }
    }
}

/// The same lines that the triggers' openings find in a block.
fn opens_document(line: &[u8]) -> bool {
    match line {
        [b'[', b'{', ..] | [b'[' | b'{'] => true,
        [b'[' | b'{', second, ..] => matches!(second, b'\n' | b'\r'),
        _ => false,
    }
}

fn tell(parsers: &mut [Box<dyn Parser>], found: &mut Vec<Diagnostic>, value: &str) {
    let mut wanted = TRIGGERS.in_json(value);
    while wanted != 0 {
        let index = wanted.trailing_zeros() as usize;
        wanted &= wanted - 1;
        parsers[index].json(value, found);
    }
}
