//! Sets of defaults for a sweep's options: for the desk, a pull request and the night.

use std::time::Duration;

use clap::ValueEnum;

use crate::sweep::seeds::Seeds;

/// So many seeds belong to each night, whether or not there is time for all of them. No two nights
/// share one, and none shares one with what is swept from 0 on.
const NIGHT: u64 = 100_000_000;

/// Defaults for several uses.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Profile {
    /// 2,000 seeds from 0 on; 1% twice
    #[default]
    Default,
    /// A pull request: for 3.5 seconds seeds from 0 on, up to 10,000 and up to 10 failing runs,
    /// which are not made smaller; 2% twice
    Pr,
    /// A night: an hour of seeds from 100,000,000 times the days since 1970 in UTC on, so that no
    /// two nights share one; 5% twice
    Nightly,
}

impl Profile {
    /// The seeds, when so many days have passed since 1970.
    #[must_use]
    pub const fn seeds(self, days: u64) -> Seeds {
        match self {
            Self::Default => Seeds {
                start: 0,
                end: 2_000,
            },
            Self::Pr => Seeds {
                start: 0,
                end: 10_000,
            },
            Self::Nightly => Seeds {
                start: days * NIGHT,
                end: (days + 1) * NIGHT,
            },
        }
    }

    /// No new runs are handed out after this.
    #[must_use]
    pub const fn time(self) -> Option<Duration> {
        match self {
            Self::Default => None,
            Self::Pr => Some(Duration::from_millis(3_500)),
            Self::Nightly => Some(Duration::from_secs(3_600)),
        }
    }

    /// It ends after so many failing runs.
    #[must_use]
    pub const fn max_fail(self) -> Option<u64> {
        match self {
            Self::Pr => Some(10),
            Self::Default | Self::Nightly => None,
        }
    }

    /// The share of runs that is made twice, in parts per million.
    #[must_use]
    pub const fn verify_ppm(self) -> u32 {
        match self {
            Self::Default => 10_000,
            Self::Pr => 20_000,
            Self::Nightly => 50_000,
        }
    }

    /// Millions of events for making each of the first failures smaller.
    #[must_use]
    pub const fn shrink(self) -> u64 {
        match self {
            Self::Pr => 0,
            Self::Default | Self::Nightly => 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_nights_share_a_seed() {
        let night = |days| Profile::Nightly.seeds(days);
        assert_eq!(night(20_000).start, 2_000_000_000_000);
        for days in [1, 20_000, 40_000] {
            assert_eq!(night(days).end, night(days + 1).start);
            assert!(night(days).start >= Profile::Pr.seeds(days).end);
        }
    }
}
