//! What the recipes of the log benchmarks print.

use std::io::Write;
use std::process::ExitCode;

/// The first argument that makes this program a producer.
pub const ARGUMENT: &str = "print-lines";

/// Prints lines if it was started to: `print-lines bulk|single COUNT`.
pub fn if_asked() -> Option<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [first, how, count] = arguments.as_slice() else { return None };
    if first != ARGUMENT {
        return None;
    }
    let printed = match how.as_str() {
        "bulk" => bulk(count.parse().ok()?),
        "single" => single(count.parse().ok()?),
        _ => return None,
    };
    Some(if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Lines of 100 bytes, 64 KiB with each write.
fn bulk(mut count: u64) -> std::io::Result<()> {
    const TOGETHER: u64 = 655;
    let block: Vec<u8> = (0..TOGETHER).flat_map(line).collect();
    let mut out = stdout();
    while count > 0 {
        let lines = count.min(TOGETHER);
        out.write_all(&block[..lines as usize * 100])?;
        count -= lines;
    }
    Ok(())
}

/// The same lines, one with each write.
fn single(count: u64) -> std::io::Result<()> {
    let lines: Vec<Vec<u8>> = (0..1000).map(line).collect();
    let mut out = stdout();
    for number in 0..count {
        out.write_all(&lines[number as usize % lines.len()])?;
    }
    Ok(())
}

/// Standard output without the standard library's buffer: one call is one write(2).
fn stdout() -> std::fs::File {
    use std::os::fd::AsFd;
    let fd = std::io::stdout().as_fd().try_clone_to_owned().expect("a process has room for one more descriptor");
    fd.into()
}

/// As a build prints it: mostly text, a word that some parser looks for here and there.
fn line(number: u64) -> Vec<u8> {
    let text = match number % 50 {
        7 => format!("   Compiling crate-{number:05} v1.2.3"),
        23 => format!("test module_{number:05}::works ... ok"),
        _ => format!("[{number:05}] processed src/module/part_{number:05}.rs in 12 ms, nothing to say about it"),
    };
    format!("{text:.<99}\n").into_bytes()
}
