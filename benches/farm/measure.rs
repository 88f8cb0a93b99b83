//! Times, medians, and taking turns.

use std::time::{Duration, Instant};

/// How long `work` takes.
pub fn timed<E>(work: impl FnOnce() -> Result<(), E>) -> Result<Duration, E> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed())
}

/// The middle one.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Both by turns, so that a change of the machine's mood meets both, and each one's median. Who goes first changes
/// with every round.
pub fn by_turns<E>(
    rounds: usize,
    mut ours: impl FnMut() -> Result<Duration, E>,
    mut peer: impl FnMut() -> Result<Duration, E>,
) -> Result<(Duration, Duration), E> {
    let (mut our_times, mut peer_times) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        if round % 2 == 0 {
            our_times.push(ours()?);
            peer_times.push(peer()?);
        } else {
            peer_times.push(peer()?);
            our_times.push(ours()?);
        }
    }
    Ok((median(our_times), median(peer_times)))
}
