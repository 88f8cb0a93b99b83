//! `docker build` and `docker buildx build`: why BuildKit gave up, with the place in the Dockerfile that it shows
//! (<https://docs.docker.com/reference/cli/docker/buildx/build/>).

use crate::model::{Diagnostic, Kind, Severity};
use crate::parsers::line::Line;
use crate::parsers::text::{number, one_line, raw};
use crate::parsers::{Parser, Verdict};

/// Remembers the place that stands above the error, per stream.
#[derive(Default)]
pub(in crate::parsers) struct Docker {
    places: [Option<(String, u32)>; 2],
}

impl Parser for Docker {
    fn triggers(&self) -> &'static [&'static str] {
        &["--------------------", "failed to solve: ", " returned a non-zero code: "]
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Diagnostic>) -> Verdict {
        let place = &mut self.places[line.side()];
        // `Dockerfile:12` above a rule.
        if line.text == "--------------------" {
            let before = line.previous();
            let at = before.rsplit_once(':').and_then(|(file, at)| Some((file.to_owned(), number(at.trim_end())?)));
            *place = at.filter(|(file, _)| !file.contains(' ')).or(place.take());
            return Verdict::Idle;
        }
        // Before BuildKit.
        if line.text.starts_with("The command '") && line.text.contains(" returned a non-zero code: ") {
            let found = Diagnostic::new("docker build", Kind::Lint, Severity::Error, "process", one_line(line.text));
            out.push(Diagnostic { raw: raw(line.text), ..found });
            return Verdict::Idle;
        }
        let Some((who, reason)) = line.text.split_once("failed to solve: ") else { return Verdict::Idle };
        // The action of GitHub says it again: `Error: buildx failed with: ERROR: …`.
        let is_own = ["", "ERROR: ", "error: ", "ERROR: failed to build: "].contains(&who)
            || who.strip_prefix("target ").is_some_and(|name| name.ends_with(": ") && !name.trim_end().contains(' '));
        if !is_own {
            return Verdict::Idle;
        }
        let parse = reason.find("dockerfile parse error on line ");
        let (code, place) = match parse {
            // It does not say which file it read.
            Some(_) => ("syntax", None),
            None if reason.starts_with("process \"") => ("process", place.take()),
            None => ("failed_to_solve", place.take()),
        };
        let found = Diagnostic::new("docker build", Kind::Lint, Severity::Error, code, one_line(reason));
        let (file, at) = place.unzip();
        out.push(Diagnostic { file, line: at, raw: raw(line.text), ..found });
        Verdict::Idle
    }
}
