//! From chunks of bytes to parsers: lines are put together per stream, and only those of interest are taken apart.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use super::aliases::Advisories;
use super::document::{Documents, Taken};
use super::go::gofmt::Names;
use super::line::{Line, seen, side, strip};
use super::trigger::{Set, Triggers};
use super::{Hint, Parser, REGISTRY, Verdict, document, exit_code};
use crate::model::{Diagnostic, Language, Stream};

/// The triggers of every parser, the same for every log.
static TRIGGERS: LazyLock<Triggers> = LazyLock::new(|| {
    Triggers::new(REGISTRY.iter().map(|make| make()).map(|parser| (parser.triggers(), parser.json_triggers())))
});

/// Bytes that are looked at together, and of a line that parsers are shown at once. A longer line is read in pieces if
/// it is JSON or XML, and shown as far as this if it is text.
const BLOCK: usize = 256 << 10;
/// Bytes of the line before that are remembered over the end of a block.
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
    /// What the line was so far, if pieces of it were read.
    long: Option<Long>,
    /// Blocks without their escape sequences.
    plain: Vec<u8>,
}

/// What a line is that is read in pieces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Long {
    Json,
    /// Its pieces are shown as lines; where a line ends means nothing in XML.
    Xml,
    /// Nothing more of it is looked at.
    Text,
}

impl Tail {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.long.is_none()
    }

    fn remember(&mut self, line: &[u8]) {
        self.before.clear();
        self.before.extend_from_slice(&line[..line.len().min(BEFORE_LIMIT)]);
    }
}

impl Feed {
    /// A reader for one log.
    pub fn new(hint: Hint) -> Self {
        Self { hint, readers: Readers::new(), tails: Default::default() }
    }

    /// Takes bytes of one stream in arrival order, in any chunks. What is found so far is appended to `out`; nothing
    /// is appended twice.
    pub fn push(&mut self, stream: Stream, mut bytes: &[u8], out: &mut Vec<Diagnostic>) {
        let Some(side) = side(stream) else { return };
        let Self { readers, tails, .. } = self;
        let tail = &mut tails[side];
        while !bytes.is_empty() {
            if tail.is_empty()
                && let Some(end) = memchr::memrchr(b'\n', &bytes[..bytes.len().min(BLOCK)])
            {
                readers.lines(stream, &bytes[..=end], tail);
                bytes = &bytes[end + 1..];
                continue;
            }
            let end = memchr::memchr(b'\n', bytes);
            readers.unfinished(stream, &bytes[..end.unwrap_or(bytes.len())], tail);
            if end.is_some() {
                readers.finish_line(stream, tail);
            }
            bytes = &bytes[end.map_or(bytes.len(), |end| end + 1)..];
        }
        readers.hand_over(out);
    }

    /// The end of the log. `exit_code` is the recipe's, none if it is not known or the job was cancelled. Appends what
    /// is only certain now, and a `recipe_fail` if the recipe failed and nothing was found.
    pub fn finish(mut self, exit_code: Option<i32>, out: &mut Vec<Diagnostic>) {
        for (tail, stream) in self.tails.iter_mut().zip([Stream::Stdout, Stream::Stderr]) {
            if !tail.is_empty() {
                self.readers.finish_line(stream, tail);
            }
        }
        self.readers.finish();
        if self.hint.language.is_none_or(|language| language == Language::Go) {
            std::mem::take(&mut self.readers.names).finish(&mut self.readers.found);
        }
        self.readers.hand_over(out);
        self.readers.leftovers();
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
    /// Hashes of the places of these.
    places: HashSet<u64>,
    advisories: Advisories,
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
        Self {
            parsers,
            sides: Default::default(),
            found: Vec::new(),
            names: Names::default(),
            told: HashSet::new(),
            places: HashSet::new(),
            advisories: Advisories::default(),
        }
    }

    /// Reads whole lines, the last one with its break.
    fn lines(&mut self, stream: Stream, block: &[u8], tail: &mut Tail) {
        if memchr::memchr(0x1b, block).is_some() {
            let mut plain = std::mem::take(&mut tail.plain);
            plain.clear();
            strip(block, &mut plain);
            self.block(stream, &plain, &tail.before);
            tail.remember(last_line(&plain));
            tail.plain = plain;
        } else {
            self.block(stream, block, &tail.before);
            tail.remember(last_line(block));
        }
    }

    /// Reads on in a line that is not complete.
    fn unfinished(&mut self, stream: Stream, mut bytes: &[u8], tail: &mut Tail) {
        while !bytes.is_empty() && tail.long != Some(Long::Text) {
            let (part, rest) = bytes.split_at(bytes.len().min(BLOCK + 1 - tail.bytes.len()));
            tail.bytes.extend_from_slice(part);
            bytes = rest;
            if tail.bytes.len() > BLOCK {
                self.long_line(stream, tail);
            }
        }
    }

    /// Reads a piece of a line that is longer than a block.
    fn long_line(&mut self, stream: Stream, tail: &mut Tail) {
        let cut = |byte| memchr::memrchr(byte, &tail.bytes).map_or(BLOCK, |at| at + 1);
        if matches!(tail.long, None | Some(Long::Json)) {
            let at = cut(b',');
            let piece = seen(&tail.bytes[..at]);
            if self.piece(stream, &piece, tail.long.is_none()) {
                tail.bytes.drain(..at);
                tail.long = Some(Long::Json);
                return;
            }
        }
        let is_xml = tail.long == Some(Long::Xml) || (tail.long.is_none() && tail.bytes.starts_with(b"<"));
        if is_xml {
            let rest = tail.bytes.split_off(cut(b'>'));
            self.text_line(stream, tail);
            tail.bytes = rest;
            tail.long = Some(Long::Xml);
        } else {
            if tail.long.is_none() {
                tail.bytes.truncate(BLOCK);
                self.text_line(stream, tail);
            }
            tail.bytes.clear();
            tail.long = Some(Long::Text);
        }
    }

    /// The line of a tail is complete.
    fn finish_line(&mut self, stream: Stream, tail: &mut Tail) {
        match tail.long.take() {
            None | Some(Long::Xml) => self.text_line(stream, tail),
            Some(Long::Json) => {
                self.piece(stream, &seen(&tail.bytes), false);
            }
            Some(Long::Text) => {}
        }
        tail.bytes.clear();
    }

    /// Reads the bytes of a tail as a line.
    fn text_line(&mut self, stream: Stream, tail: &mut Tail) {
        let mut line = std::mem::take(&mut tail.bytes);
        line.push(b'\n');
        self.lines(stream, &line, tail);
        tail.bytes = line;
    }

    /// Reads a piece of a long line as JSON, if it is part of a document.
    fn piece(&mut self, stream: Stream, piece: &str, first: bool) -> bool {
        let Some(side) = side(stream) else { return false };
        let Self { parsers, sides, found, .. } = self;
        let Side { documents, owner, .. } = &mut sides[side];
        if owner.is_some() {
            return false;
        }
        let begin = if first && !documents.is_open() { document_begin(piece).unwrap_or(0) } else { 0 };
        documents.piece(&piece.as_bytes()[begin..], first, &mut |value| tell(parsers, found, value))
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
        // Where the next byte is that has to be cleaned away, so that a document's lines cannot be read together.
        let mut unclean = 0;
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
            if self.sides[side].owner.is_none() && self.sides[side].documents.is_open() {
                if unclean <= at {
                    unclean = at + clean_lines(&block[at..]);
                }
                let Self { parsers, sides, found, .. } = self;
                at += sides[side].documents.block(&block[at..unclean], &mut |value| tell(parsers, found, value));
                if at >= block.len() {
                    break;
                }
                if self.sides[side].is_idle() {
                    continue;
                }
            }
            let end = memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |length| at + length);
            let previous = match at {
                0 => before,
                at => last_line(&block[..at]),
            };
            self.line(stream, &block[at..end], previous);
            at = end + 1;
        }
    }

    fn line(&mut self, stream: Stream, raw: &[u8], before: &[u8]) {
        let Some(side) = side(stream) else { return };
        let text = seen(raw);
        let line = Line { text: &text, stream, before };
        let mut asked: Set = 0;
        if let Some(owner) = self.sides[side].owner.take() {
            asked |= 1 << owner;
            if matches!(self.ask(owner, side, &line), Verdict::Own | Verdict::Mine) {
                return;
            }
        }
        if self.documents(side, &text) == Taken::Yes {
            return;
        }
        let mut wanted = (self.sides[side].open | TRIGGERS.in_line(&text)) & !asked;
        while wanted != 0 {
            let index = wanted.trailing_zeros() as usize;
            wanted &= wanted - 1;
            if matches!(self.ask(index, side, &line), Verdict::Own | Verdict::Mine) {
                break;
            }
        }
    }

    /// Reads a line as JSON, where it may be.
    fn documents(&mut self, side: usize, text: &str) -> Taken {
        let Self { parsers, sides, found, .. } = self;
        let documents = &mut sides[side].documents;
        let mut told = |value: &str| tell(parsers, found, value);
        let is_open = documents.is_open();
        // Most records are whole. Then a parser says so faster than the scanner.
        if !is_open
            && text.starts_with("{\"")
            && text.ends_with('}')
            && (told(text) || document::is_whole(text.as_bytes()))
        {
            return Taken::Yes;
        }
        if (is_open || text.starts_with(['{', '['])) && documents.line(text.as_bytes(), &mut told) == Taken::Yes {
            return Taken::Yes;
        }
        // Behind other text: a record, or the beginning of a document that goes on over lines.
        let Some(begin) = document_begin(text).filter(|begin| *begin > 0) else { return Taken::No };
        if documents.is_open() {
            if TRIGGERS.in_json(text) != 0 {
                document::values(&text.as_bytes()[begin..], &mut told);
            }
        } else if (text.trim_end().ends_with(['{', '[']) || TRIGGERS.in_json(text) != 0)
            && documents.begin_behind_text(&text.as_bytes()[begin..], &mut told) == Taken::No
        {
            let last = text.trim_end().len() - 1;
            documents.begin_behind_text(&text.as_bytes()[last..], &mut told);
        }
        Taken::No
    }

    fn ask(&mut self, index: usize, side: usize, line: &Line<'_>) -> Verdict {
        let verdict = self.parsers[index].line(line, &mut self.found);
        let bit = 1 << index;
        let waiting = &mut self.sides[side];
        match verdict {
            Verdict::Idle | Verdict::Mine => waiting.open &= !bit,
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

    /// Asks for what is only said of places that nobody told.
    fn leftovers(&mut self) {
        let Self { parsers, found, places, .. } = self;
        for parser in parsers {
            parser.leftovers(found);
        }
        found.retain(|diagnostic| Place::of(diagnostic).is_none_or(|place| !place.is_among(places)));
    }

    /// Moves what was found to `out`, but not what was there before: a tool may say a thing once per target.
    fn hand_over(&mut self, out: &mut Vec<Diagnostic>) {
        for diagnostic in self.found.drain(..) {
            let mut hasher = DefaultHasher::new();
            (&diagnostic.file, diagnostic.line, diagnostic.column, &diagnostic.code, &diagnostic.message)
                .hash(&mut hasher);
            (diagnostic.kind, diagnostic.severity, &diagnostic.tool).hash(&mut hasher);
            if self.told.insert(hasher.finish()) && !self.advisories.is_told(&diagnostic) {
                self.places.extend(Place::of(&diagnostic).into_iter().flat_map(|place| place.hashes()));
                out.push(diagnostic);
            }
        }
    }
}

/// A line of a file, whose path may be spelled from any folder, or from none.
struct Place<'a> {
    name: &'a str,
    folder: Option<&'a str>,
    line: u32,
}

impl<'a> Place<'a> {
    fn of(diagnostic: &'a Diagnostic) -> Option<Self> {
        let line = diagnostic.line?;
        let mut parts = diagnostic.file.as_deref()?.rsplit(['/', '\\']).filter(|part| !part.is_empty());
        let name = parts.next()?;
        Some(Self { name, folder: parts.next().filter(|part| *part != "."), line })
    }

    /// The place without its folder, and with it or with what stands for none.
    fn hashes(&self) -> [u64; 2] {
        [self.hash(None), self.hash(Some(self.folder.unwrap_or_default()))]
    }

    fn hash(&self, folder: Option<&str>) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.name, folder, self.line).hash(&mut hasher);
        hasher.finish()
    }

    /// Whether one of these may be the same place: where both tell the folder, it has to be the same.
    fn is_among(&self, hashes: &HashSet<u64>) -> bool {
        match self.folder {
            Some(folder) => [folder, ""].iter().any(|folder| hashes.contains(&self.hash(Some(folder)))),
            None => hashes.contains(&self.hash(None)),
        }
    }
}

/// The same lines that the triggers' openings find in a block.
fn opens_document(block: &[u8]) -> bool {
    let line = block.strip_prefix("\u{feff}".as_bytes()).unwrap_or(block);
    match line {
        [b'[', b'{', ..] | [b'{', b' ', ..] | [b'[' | b'{'] => true,
        [b'[' | b'{', second, ..] => matches!(second, b'\n' | b'\r'),
        _ => false,
    }
}

/// Where in a line JSON may begin.
fn document_begin(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_begin = |at: &usize| matches!(bytes[*at..], [b'{', b'"', ..] | [b'[', b'{', ..]);
    let last = || text.trim_end().ends_with(['{', '[']).then(|| text.trim_end().len() - 1);
    memchr::memchr2_iter(b'{', b'[', bytes).find(is_begin).or_else(last)
}

/// The last one of some lines, without its break.
fn last_line(lines: &[u8]) -> &[u8] {
    let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
    &lines[memchr::memrchr(b'\n', lines).map_or(0, |at| at + 1)..]
}

/// The bytes of the lines before the first one that has to be cleaned.
fn clean_lines(block: &[u8]) -> usize {
    const TOGETHER: usize = 64;
    let is_control = |byte: u8| byte < b' ' && byte != b'\n' && byte != b'\t';
    for (number, piece) in block.chunks(TOGETHER).enumerate() {
        // Without a way out of the piece, which is what the compiler makes vectors of.
        if !piece.iter().fold(false, |found, byte| found | is_control(*byte)) {
            continue;
        }
        for (at, byte) in piece.iter().enumerate().map(|(at, byte)| (number * TOGETHER + at, *byte)) {
            if is_control(byte) && !(byte == b'\r' && block.get(at + 1) == Some(&b'\n')) {
                return memchr::memrchr(b'\n', &block[..at]).map_or(0, |at| at + 1);
            }
        }
    }
    block.len()
}

/// Shows a value to the parsers whose triggers it holds, until one found something in it. Whether one did.
fn tell(parsers: &mut [Box<dyn Parser>], found: &mut Vec<Diagnostic>, value: &str) -> bool {
    let before = found.len();
    let mut wanted = TRIGGERS.in_json(value);
    while wanted != 0 && found.len() == before {
        let index = wanted.trailing_zeros() as usize;
        wanted &= wanted - 1;
        parsers[index].json(value, found);
    }
    found.len() > before
}
