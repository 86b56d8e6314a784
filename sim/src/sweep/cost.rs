//! What processes cost: CPU time and the largest resident set. Where the system does not tell,
//! nothing is claimed.

use std::time::Duration;

/// User and system time of this process and of all its children that have ended and were waited
/// for.
#[must_use]
pub fn cpu_of_all() -> Option<Duration> {
    #[cfg(unix)]
    {
        use nix::sys::resource::{UsageWho, getrusage};
        let of = |who| {
            let usage = getrusage(who).ok()?;
            let seconds = |time: nix::sys::time::TimeVal| {
                Some(Duration::new(
                    u64::try_from(time.tv_sec()).ok()?,
                    u32::try_from(time.tv_usec()).ok()?.saturating_mul(1_000),
                ))
            };
            Some(seconds(usage.user_time())? + seconds(usage.system_time())?)
        };
        Some(of(UsageWho::RUSAGE_SELF)? + of(UsageWho::RUSAGE_CHILDREN)?)
    }
    #[cfg(not(unix))]
    None
}

/// CPU time of this process, finer than [`cpu_of_all`].
#[must_use]
pub fn cpu_of_this() -> Option<Duration> {
    #[cfg(unix)]
    {
        nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID
            .now()
            .ok()
            .map(Duration::from)
    }
    #[cfg(not(unix))]
    None
}

/// CPU time of another process so far. Linux only.
#[must_use]
pub fn cpu_of(process: u32) -> Option<Duration> {
    #[cfg(target_os = "linux")]
    {
        let process = nix::unistd::Pid::from_raw(i32::try_from(process).ok()?);
        let clock = nix::time::clock_getcpuclockid(process).ok()?;
        clock.now().ok().map(Duration::from)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = process;
        None
    }
}

/// The largest resident set that this process ever had, in bytes. Linux only.
#[must_use]
pub fn peak_rss_of_this() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_what_work_costs() {
        let before = cpu_of_this().expect("Linux has the clock");
        let mut word = 1_u64;
        for step in 0..20_000_000_u64 {
            word = std::hint::black_box(word.wrapping_mul(3) ^ step);
        }
        assert!(cpu_of_this().expect("as before") > before);
        assert!(cpu_of_all().expect("Linux has getrusage") > Duration::ZERO);
        assert!(peak_rss_of_this().expect("Linux has /proc") > 100_000);
    }
}
