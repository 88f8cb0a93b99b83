//! What it costs to look for findings where there are none, beside looking for line ends.

use crafting::model::Stream;
use crafting::parsers::{Feed, Hint};

use super::Measured;
use super::measure::{by_turns, timed};
use super::table::Row;

const BYTES: usize = 256 << 20;

pub fn run() -> Measured {
    let line = "2026-01-01T00:00:00Z DEBUG server::pool: handled request 4711 for /api/v1/items in 12 ms, cache hit\n";
    let logs = [
        ("boring lines", line.repeat(600)),
        ("passing tests", "test module::tests::a_rather_long_name_of_a_test ... ok\n".repeat(1000)),
        ("pytest -v", "tests/test_module.py::TestClass::test_function_number_1 PASSED           [ 42%]\n".repeat(1000)),
        ("coloured lines", format!("\x1b[32mINFO\x1b[0m {line}").repeat(600)),
        ("JSON records", format!("{{\"level\":\"info\",\"text\":{line:?}}}\n").repeat(600)),
    ];
    logs.into_iter().map(|(name, block)| row(name, block.as_bytes())).collect()
}

fn row(name: &str, block: &[u8]) -> Result<Row, Box<dyn std::error::Error>> {
    let rounds = BYTES / block.len();
    let (ours, peer) = by_turns::<Box<dyn std::error::Error>>(
        3,
        || {
            timed(|| {
                let (mut feed, mut found) = (Feed::new(Hint::default()), Vec::new());
                for _ in 0..rounds {
                    feed.push(Stream::Stdout, block, &mut found);
                }
                feed.finish(Some(0), &mut found);
                if found.is_empty() { Ok(()) } else { Err(format!("{name} hold {} findings", found.len()).into()) }
            })
        },
        || {
            timed(|| {
                let lines: usize =
                    (0..rounds).map(|_| memchr::memchr_iter(b'\n', std::hint::black_box(block)).count()).sum();
                std::hint::black_box(lines);
                Ok(())
            })
        },
    )?;
    #[allow(clippy::cast_precision_loss)] // Megabytes for people.
    let rate = |seconds: f64| (rounds * block.len()) as f64 / 1e6 / seconds;
    let beside = ("line ends alone", rate(peer.as_secs_f64()));
    Ok(Row::rate(&format!("parsers: {name}"), "MB", rate(ours.as_secs_f64()), beside, None))
}
