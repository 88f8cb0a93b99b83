//! The program `crafting`: arguments in, exit status out.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else: a job's supervisor is this program too, and is started for every job.
    if let Some(code) = crafting::runtime::supervise_if_asked() {
        return code;
    }
    ExitCode::from(crafting::cli::run(std::env::args_os().collect()))
}
