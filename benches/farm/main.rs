//! The benchmarks: each figure of crafting beside its peer or its limit, measured in the same run. See
//! `benches/README.md`.
//!
//! `cargo bench --bench farm` runs all of them, `cargo bench --bench farm -- log queue` those that are named.

mod findings;
mod followers;
mod http;
mod idle;
mod large;
mod ledger;
mod log;
mod measure;
mod overhead;
mod parsers;
mod produce;
mod queue;
mod reports;
mod sandbox;
mod table;
mod warm;

use std::process::ExitCode;

use table::{Row, Table};

/// What a benchmark gives, or why it could not be run.
type Measured = Result<Vec<Row>, Box<dyn std::error::Error>>;

type Benchmark = (&'static str, fn() -> Measured);

const BENCHMARKS: [Benchmark; 11] = [
    ("overhead", overhead::run),
    ("log", log::run),
    ("parsers", parsers::run),
    ("findings", findings::run),
    ("queue", queue::run),
    ("ledger", ledger::run),
    ("warm", warm::run),
    ("large", large::run),
    ("http", http::run),
    ("followers", followers::run),
    ("idle", idle::run),
];

fn main() -> ExitCode {
    // The farm starts this program again as a job's supervisor, and a recipe starts it to print something.
    let asked = crafting::runtime::supervise_if_asked().or_else(produce::if_asked);
    if let Some(code) = asked.or_else(followers::if_asked).or_else(http::if_asked) {
        return code;
    }
    // Cargo adds --bench.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let names: Vec<&str> = BENCHMARKS.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = wanted.iter().find(|wanted| !names.contains(&wanted.as_str())) {
        eprintln!("there is no benchmark {unknown}; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    let mut table = Table::default();
    for (name, run) in BENCHMARKS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        eprintln!("measuring {name} …");
        match run() {
            Ok(rows) => table.extend(rows),
            Err(error) => table.extend([Row::skipped(name, &error.to_string())]),
        }
    }
    println!("{}\n\n{table}", sandbox::machine());
    ExitCode::SUCCESS
}
