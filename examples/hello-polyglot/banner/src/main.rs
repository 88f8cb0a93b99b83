//! `banner TEXT…`: prints the text in a box, at most 60 columns of it on a line.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let text: Vec<String> = std::env::args().skip(1).collect();
    if text.is_empty() {
        eprintln!("usage: banner TEXT...");
        return ExitCode::from(2);
    }
    let banner = banner::boxed(&banner::wrap(&text.join(" "), 60));
    match std::io::stdout().write_all(banner.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
