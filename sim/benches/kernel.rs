//! Messages per CPU second of the kernel alone.
#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::time::Instant;

use synod_sim::world::pinging::ping;

/// CPU nanoseconds of this thread where Linux tells, or else wall time: the thread never waits.
fn cpu_ns(begin: Instant) -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let cpu = stat.and_then(|stat| stat.split(' ').next().and_then(|ns| ns.parse().ok()));
    cpu.unwrap_or_else(|| u64::try_from(begin.elapsed().as_nanos()).expect("a short time"))
}

fn main() {
    const MESSAGES: u64 = 3_000_000;
    let begin = Instant::now();
    let mut rates: Vec<u64> = (0..5)
        .map(|seed| {
            let before = cpu_ns(begin);
            let pinged = std::hint::black_box(ping(seed, MESSAGES));
            pinged.delivered * 1_000_000_000 / (cpu_ns(begin) - before).max(1)
        })
        .collect();
    rates.sort_unstable();
    println!("kernel alone, five hosts pinging: {} messages per CPU second (median of {rates:?})", rates[rates.len() / 2]);
}
