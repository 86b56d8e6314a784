//! Which seeds are swept, and which of the runs a shard makes.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Seeds `start..end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seeds {
    /// The first.
    pub start: u64,
    /// The one after the last.
    pub end: u64,
}

/// What `--seeds` says: a range, or so many from a random place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SeedsArgument {
    /// `A..B`.
    Range(Seeds),
    /// `random:N`.
    Random(u64),
}

impl SeedsArgument {
    /// The seeds. `entropy` places a random range, far below the end of the numbers so that the
    /// range has its length.
    #[must_use]
    pub const fn resolve(self, entropy: u64) -> Seeds {
        match self {
            Self::Range(seeds) => seeds,
            Self::Random(count) => {
                let start = entropy >> 16;
                Seeds {
                    start,
                    end: start.saturating_add(count),
                }
            }
        }
    }
}

impl FromStr for SeedsArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = "say a range like 0..2000 (the end is not included), or random:2000";
        if let Some(count) = text.strip_prefix("random:") {
            return number(count)
                .filter(|count| *count > 0)
                .map(Self::Random)
                .ok_or_else(|| format!("`{count}` is no number of seeds from 1 on: {shape}"));
        }
        let (start, end) = text.split_once("..").ok_or_else(|| {
            match number(text).and_then(|one| one.checked_add(1)) {
                Some(next) => {
                    let one = text.trim();
                    format!("that is one seed: say {one}..{next} for it alone, or {shape}")
                }
                None => format!("that is no range of seeds: {shape}"),
            }
        })?;
        let seed = |part: &str| number(part).ok_or_else(|| format!("`{part}` is no seed: {shape}"));
        let seeds = Seeds {
            start: seed(start)?,
            end: seed(end)?,
        };
        if seeds.start >= seeds.end {
            Err(format!("the range is empty: {shape}"))
        } else {
            Ok(Self::Range(seeds))
        }
    }
}

fn number(text: &str) -> Option<u64> {
    text.trim().replace('_', "").parse().ok()
}

impl std::fmt::Display for Seeds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.end == u64::MAX {
            write!(f, "{}..", self.start)
        } else {
            write!(f, "{}..{}", self.start, self.end)
        }
    }
}

/// Every `of`-th run is this shard's, from the `index`-th on (1-based).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shard {
    /// 1 to `of`.
    pub index: u64,
    /// How many shards there are.
    pub of: u64,
}

impl Shard {
    /// Whether the run of this number (from 0, over the whole sweep) is the shard's.
    #[must_use]
    pub const fn takes(self, number: u64) -> bool {
        number % self.of == self.index - 1
    }

    /// The shard that a CI system or Kubernetes says this process is, if one does. `variable` reads
    /// the environment.
    ///
    /// # Errors
    /// When a system says something that is no shard.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        // Name, index, total, and what the first index is.
        const SYSTEMS: [(&str, &str, u64); 6] = [
            ("SYNOD_SHARD_INDEX", "SYNOD_SHARD_TOTAL", 1),
            ("CI_NODE_INDEX", "CI_NODE_TOTAL", 1),
            ("CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0),
            ("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),
            ("JOB_COMPLETION_INDEX", "JOB_COMPLETIONS", 0),
            ("SLURM_PROCID", "SLURM_NTASKS", 0),
        ];
        for (index, total, first) in SYSTEMS {
            let (Some(place), Some(of)) = (variable(index), variable(total)) else {
                continue;
            };
            let shard = number(&place).zip(number(&of)).and_then(|(place, of)| {
                Some(Self {
                    index: place.checked_sub(first)?.checked_add(1)?,
                    of,
                })
            });
            return match shard {
                Some(shard) if (1..=shard.of).contains(&shard.index) => Ok(Some(shard)),
                _ => Err(format!(
                    "{index}={place} and {total}={of} name no shard: give --shard K/N"
                )),
            };
        }
        Ok(None)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text
            .split_once('/')
            .and_then(|(index, of)| Some((number(index)?, number(of)?)));
        match parts {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Self { index, of }),
            _ => Err("say which shard of how many, like 1/4 (the first is 1), or auto".to_owned()),
        }
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_refused() {
        assert_eq!(
            "5..10".parse(),
            Ok(SeedsArgument::Range(Seeds { start: 5, end: 10 }))
        );
        assert_eq!(
            "0..50_000".parse(),
            Ok(SeedsArgument::Range(Seeds {
                start: 0,
                end: 50_000
            }))
        );
        assert_eq!("random:7".parse(), Ok(SeedsArgument::Random(7)));
        for wrong in [
            "",
            "x",
            "5",
            "5..",
            "..5",
            "5..5",
            "6..5",
            "-1..5",
            "1..2..3",
            "random:",
            "random:x",
            "random:0",
            "0..99999999999999999999",
        ] {
            let message = wrong.parse::<SeedsArgument>().expect_err(wrong);
            assert!(message.contains("0..2000"), "{message}");
        }
        let one = "7".parse::<SeedsArgument>().expect_err("no range");
        assert!(one.contains("say 7..8"), "{one}");
    }

    #[test]
    fn a_random_range_has_its_length() {
        let seeds = SeedsArgument::Random(100).resolve(u64::MAX);
        assert_eq!(seeds.end - seeds.start, 100);
    }

    #[test]
    fn shards_part_the_runs() {
        let shards: Vec<Shard> = (1..=3).map(|index| Shard { index, of: 3 }).collect();
        for number in 0..20 {
            assert_eq!(shards.iter().filter(|shard| shard.takes(number)).count(), 1);
        }
        assert_eq!("2/4".parse(), Ok(Shard { index: 2, of: 4 }));
        for wrong in ["", "0/4", "5/4", "1", "a/b", "1/0"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn ci_systems_count_from_0_or_from_1() {
        let with = |pairs: &'static [(&str, &str)]| {
            Shard::detect(|name| {
                pairs
                    .iter()
                    .find(|pair| pair.0 == name)
                    .map(|pair| pair.1.to_owned())
            })
        };
        assert_eq!(
            with(&[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "4")]),
            Ok(Some(Shard { index: 2, of: 4 }))
        );
        assert_eq!(
            with(&[("JOB_COMPLETION_INDEX", "0"), ("JOB_COMPLETIONS", "4")]),
            Ok(Some(Shard { index: 1, of: 4 }))
        );
        assert_eq!(with(&[("JOB_COMPLETION_INDEX", "0")]), Ok(None));
        assert!(with(&[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "4")]).is_err());
    }
}
