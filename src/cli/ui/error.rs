//! Errors at the door: `error: …` and `hint: …`, or the same as JSON, on stderr.

use std::error::Error as _;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::panic::PanicHookInfo;

use clap::error::ErrorKind;
use serde::Serialize;

use super::super::args::ColorWhen;
use super::colour::{Paint, Tone};
use crate::error::{Error, Result};

#[derive(Serialize)]
struct Document<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'static str,
    message: String,
    hint: Option<&'a str>,
}

/// How errors are written; known before the arguments are.
#[derive(Clone, Copy, Debug)]
pub struct Errors {
    json: bool,
    paint: Paint,
}

impl Errors {
    /// From the raw arguments, since they may be what is wrong.
    pub fn new(args: &[OsString]) -> Self {
        let args: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).take_while(|arg| arg != "--").collect();
        let value = |flag: &str| {
            let joined = format!("{flag}=");
            args.iter().enumerate().rev().find_map(|(index, arg)| match arg.strip_prefix(joined.as_str()) {
                Some(value) => Some(value.to_owned()),
                None if arg == flag => args.get(index + 1).map(ToString::to_string),
                None => None,
            })
        };
        let when = match value("--color").as_deref() {
            Some("always") => ColorWhen::Always,
            Some("never") => ColorWhen::Never,
            _ => ColorWhen::Auto,
        };
        let json = matches!(value("--format").as_deref(), Some("json" | "jsonl"));
        Self { json, paint: Paint::choose(when, std::io::stderr().is_terminal()) }
    }

    /// Whether they are written for programs.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Writes the error; returns the exit status that goes with it.
    pub fn report(self, error: &Error) -> u8 {
        let _ = writeln!(std::io::stderr().lock(), "{}", self.render(error));
        error.code().exit_status()
    }

    fn render(self, error: &Error) -> String {
        if self.json {
            let body = Body { code: error.code().as_str(), message: error.to_string(), hint: error.hint_text() };
            return serde_json::to_string(&Document { error: body }).unwrap_or_default();
        }
        let mut text = format!("{} {error}", self.paint.paint(Tone::Bad, "error:"));
        if let Some(hint) = error.hint_text() {
            text.push_str(&format!("\n{} {hint}", self.paint.paint(Tone::Busy, "hint:")));
        }
        text
    }
}

/// What clap has to say: help and versions are answers (`Ok`), everything else is bad input.
pub fn of_clap(error: &clap::Error) -> Result<()> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(()),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Err(Error::invalid("a command is missing").hint("--help lists them"))
        }
        _ => Err(bad_input(error)),
    }
}

fn bad_input(error: &clap::Error) -> Error {
    // A value that one of the model's types refused: its own words, and its own hint.
    if let Some(inner) = error.source().and_then(|source| source.downcast_ref::<Error>()) {
        let flag = error.get(clap::error::ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
        let flag = flag.split_whitespace().next().unwrap_or_default();
        let refused = Error::new(inner.code(), inner.to_string());
        let refused = if flag.starts_with("--") { refused.context(flag) } else { refused };
        return match inner.hint_text() {
            Some(hint) => refused.hint(hint),
            None => refused,
        };
    }
    let text = error.render().to_string();
    let mut message: Vec<&str> = Vec::new();
    let mut hints: Vec<&str> = Vec::new();
    let mut usage = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            // That it could be a value after `--` is hardly ever what was meant.
            if !tip.starts_with("to pass '") {
                hints.push(tip);
            }
        } else if let Some(line) = line.strip_prefix("Usage: ") {
            usage = Some(line);
        } else if usage.is_none() && !line.starts_with("For more information") {
            message.push(line);
        }
    }
    let message = message.join(" ");
    let command = |usage: &str| {
        usage.split([' ', '\n']).take_while(|word| !word.starts_with(['[', '<', '-'])).collect::<Vec<_>>().join(" ")
    };
    let hint = match (hints.is_empty(), usage, error.kind()) {
        (false, ..) => hints.join("; "),
        (true, Some(usage), ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument) => {
            format!("see `{} --help`", command(usage))
        }
        (true, Some(usage), _) => format!("usage: {usage}"),
        (true, None, _) => "see `crafting --help`".to_owned(),
    };
    Error::invalid(message.strip_prefix("error: ").unwrap_or(&message)).hint(hint)
}

/// Instead of Rust's own panic message, unless a backtrace is asked for.
pub fn install_panic_hook() {
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(std::io::stderr().lock(), "{}", bug(panic));
    }));
}

fn bug(panic: &PanicHookInfo<'_>) -> String {
    let what = panic.payload_as_str().unwrap_or("of an unknown kind").lines().next().unwrap_or_default();
    let place = panic.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
    format!(
        "error: crafting {} has a fault: {what}{place}\n\
         hint: please report this line and the command; RUST_BACKTRACE=1 tells more",
        env!("CARGO_PKG_VERSION")
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::super::args::Cli;
    use super::*;

    fn rendered(args: &[&str]) -> String {
        let errors = Errors { json: false, paint: Paint(false) };
        let error = Cli::try_parse_from(args).unwrap_err();
        errors.render(&of_clap(&error).unwrap_err())
    }

    #[test]
    fn what_was_typed_wrong_is_an_error_and_a_hint() {
        let lines = [
            "job rnu",
            "job run --dryrun",
            "job list --status pased",
            "job list --limit 0",
            "job run --timeout soon",
            "job show @first",
            "job run Test",
            "job run -p a/b",
            "project remove",
            "job run --ref a --committed",
            "findings --exit-code 1",
        ];
        let errors = lines.map(|line| {
            let args: Vec<&str> = std::iter::once("crafting").chain(line.split(' ')).collect();
            format!("$ crafting {line}\n{}\n", rendered(&args))
        });
        insta::assert_snapshot!("usage_errors", errors.join("\n"));
    }

    #[test]
    fn json_is_known_before_the_arguments_are() {
        let json = |args: &[&str]| Errors::new(&args.iter().map(OsString::from).collect::<Vec<_>>()).json;
        assert!(json(&["crafting", "--format", "json", "nonsense"]));
        assert!(json(&["crafting", "nonsense", "--format=json"]));
        assert!(!json(&["crafting", "--format", "table"]));
        assert!(!json(&["crafting", "--", "--format=json"]));
        let errors = Errors { json: true, paint: Paint(true) };
        let error = Error::not_found("there is no \"x\"").hint("look\nelsewhere");
        assert_eq!(
            errors.render(&error),
            r#"{"error":{"code":"not_found","message":"there is no \"x\"","hint":"look\nelsewhere"}}"#
        );
    }
}
