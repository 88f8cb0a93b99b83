//! What a person or a script sees. Nothing else in the library prints.
//!
//! stdout carries the answer, stderr everything else. When the reader of stdout goes away (`| head`, a closed terminal), the rest of
//! the answer is dropped without a word: a command that only prints ends with 0, a run goes on and exits as it would.

pub mod colour;
pub mod echo;
pub mod error;
pub mod finding_table;
pub mod job_table;
pub mod json;
pub mod progress;
pub mod report;
pub mod table;
pub mod text;
pub mod wait;

use std::io::{BufWriter, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;

use self::colour::{Paint, Tone};
use self::table::Look;
use super::args::{Format, Global};
use crate::error::{Error, Result};

/// The two streams, and how to write to them.
#[derive(Debug)]
pub struct Ui {
    /// Form of the answer.
    pub format: Format,
    /// Whether stderr gets nothing but warnings and errors.
    pub quiet: bool,
    /// Colours of stdout.
    pub out: Paint,
    /// Colours of stderr.
    pub err: Paint,
    /// Whether stderr is a terminal that can move its cursor.
    pub live: bool,
    out_terminal: bool,
    out_closed: AtomicBool,
}

impl Ui {
    /// From the flags, the environment and what the streams are.
    pub fn new(global: &Global) -> Self {
        let out_terminal = std::io::stdout().is_terminal();
        let err_terminal = std::io::stderr().is_terminal();
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            format: global.format,
            quiet: global.quiet,
            out: Paint::choose(global.color, out_terminal && !dumb),
            err: Paint::choose(global.color, err_terminal && !dumb),
            live: err_terminal && !dumb && !global.quiet && global.verbose == 0,
            out_terminal,
            out_closed: AtomicBool::new(false),
        }
    }

    /// Whether the answer is to be JSON.
    pub fn is_json(&self) -> bool {
        matches!(self.format, Format::Json | Format::Jsonl)
    }

    /// How tables on stdout look: as wide as the terminal; elsewhere as wide as they need, a row on one line.
    pub fn look(&self) -> Look {
        let width = self.out_terminal.then(|| usize::from(console::Term::stdout().size().1));
        Look { width, paint: self.out, lines: self.out_terminal || self.format == Format::Table }
    }

    /// Part of the answer.
    pub fn print(&self, text: &str) -> Result<()> {
        self.write(text.as_bytes())
    }

    /// Part of the answer, as it is.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        if self.is_closed() {
            return Ok(());
        }
        self.stream(|out| out.write_all(bytes))
    }

    /// Part of the answer that is written piece by piece.
    pub fn stream(&self, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
        let mut out = BufWriter::new(std::io::stdout().lock());
        match write(&mut out).and_then(|()| out.flush()) {
            Ok(()) => Ok(()),
            Err(error) => {
                // Said once: what else would be written is dropped, and what waits in the buffer with it.
                let _ = out.into_parts();
                self.out_closed.store(true, Ordering::Relaxed);
                let gone = error.kind() == ErrorKind::BrokenPipe || error.raw_os_error() == Some(Errno::EIO as i32);
                if gone { Ok(()) } else { Err(Error::io("write to", Path::new("the standard output"), &error)) }
            }
        }
    }

    /// Whether nobody reads stdout any more.
    pub fn is_closed(&self) -> bool {
        self.out_closed.load(Ordering::Relaxed)
    }

    /// The whole answer as one JSON document: on one line for programs, indented for people.
    pub fn json(&self, answer: &impl serde::Serialize) -> Result<()> {
        self.print(&json::document(answer, self.out_terminal)?)
    }

    /// Something that is good to know.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.err_line(&format!("{} {text}", self.err.paint(Tone::Dim, "note:")));
        }
    }

    /// Something that should not be.
    pub fn warn(&self, text: &str) {
        self.err_line(&format!("{} {text}", self.err.paint(Tone::Warn, "warning:")));
    }

    /// Bytes on stderr, as they are.
    pub fn err_bytes(&self, bytes: &[u8]) {
        let _ = std::io::stderr().lock().write_all(bytes);
    }

    /// A line on stderr, as it is. A stderr that cannot be written to has nobody to tell it to.
    pub fn err_line(&self, line: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }
}
