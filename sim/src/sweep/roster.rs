//! The runs of a sweep, numbered: each reproducer once, then every seed in every scenario, or in
//! the one that the mix draws. A shard has every so-many-th.

use synod_reports::line::ResultLine;

use crate::sweep::folder::RunInfo;
use crate::sweep::settings::Target;

/// The runs of a sweep or of its shard. Places count from 0 without gaps.
#[derive(Clone, Copy, Debug)]
pub struct Roster<'a> {
    info: &'a RunInfo,
}

impl<'a> Roster<'a> {
    /// The runs of this sweep.
    #[must_use]
    pub const fn of(info: &'a RunInfo) -> Self {
        Self { info }
    }

    /// How many runs.
    #[must_use]
    pub fn size(self) -> u64 {
        let seeds = self.info.seeds.end - self.info.seeds.start;
        let all = seeds
            .saturating_mul(self.runs_a_seed())
            .saturating_add(self.info.once.len() as u64);
        self.info.shard.map_or(all, |shard| {
            all.saturating_sub(shard.index - 1).div_ceil(shard.of)
        })
    }

    /// The run at this place, which is below the size.
    #[must_use]
    pub fn target(self, place: u64) -> Target {
        let number = self
            .info
            .shard
            .map_or(place, |shard| place * shard.of + shard.index - 1);
        let Some(number) = number.checked_sub(self.info.once.len() as u64) else {
            let (name, seed) =
                &self.info.once[usize::try_from(number).expect("below the number of reproducers")];
            return Target::Scenario(name.clone(), *seed);
        };
        let seed = self.info.seeds.start + number / self.runs_a_seed();
        if self.is_mix() {
            return Target::Mix(seed);
        }
        let scenario =
            usize::try_from(number % self.runs_a_seed()).expect("below the number of scenarios");
        Target::Scenario(self.info.scenarios[scenario].clone(), seed)
    }

    /// The place of a line; none when it is not one of these runs.
    #[must_use]
    pub fn place(self, line: &ResultLine) -> Option<u64> {
        let (scenario, seed) = (&line.record.scenario, line.record.seed);
        let number = match self
            .info
            .once
            .iter()
            .position(|(name, own)| name == scenario && *own == seed)
        {
            Some(once) => once as u64,
            None => {
                let seed = seed
                    .checked_sub(self.info.seeds.start)
                    .filter(|_| seed < self.info.seeds.end)?;
                let scenario = if self.is_mix() {
                    0
                } else {
                    self.info
                        .scenarios
                        .iter()
                        .position(|name| name == scenario)? as u64
                };
                seed.checked_mul(self.runs_a_seed())?
                    .checked_add(scenario)?
                    .checked_add(self.info.once.len() as u64)?
            }
        };
        match self.info.shard {
            None => Some(number),
            Some(shard) => shard.takes(number).then(|| number / shard.of),
        }
    }

    /// A run that was made, to be made again.
    #[must_use]
    pub fn repeat(self, scenario: &str, seed: u64) -> Target {
        if self.is_mix() {
            Target::Mix(seed)
        } else {
            Target::Scenario(scenario.to_owned(), seed)
        }
    }

    const fn is_mix(self) -> bool {
        self.info.settings.scenarios.is_empty()
    }

    const fn runs_a_seed(self) -> u64 {
        if self.is_mix() {
            1
        } else {
            self.info.scenarios.len() as u64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::lost;
    use crate::sweep::seeds::{Seeds, Shard};
    use crate::sweep::settings::Settings;
    use crate::sweep::source::Selection;

    fn info(names: &[&str], once: &[(&str, u64)], shard: Option<Shard>) -> RunInfo {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let once: Vec<(String, u64)> = once
            .iter()
            .map(|(name, seed)| ((*name).to_owned(), *seed))
            .collect();
        let scenarios = names
            .iter()
            .chain(once.iter().map(|(name, _)| name))
            .cloned()
            .collect();
        let settings = Settings {
            scenarios,
            ..Settings::default()
        };
        RunInfo::new(
            settings,
            Seeds { start: 5, end: 12 },
            shard,
            None,
            Selection {
                names,
                once,
                ..Selection::default()
            },
        )
    }

    #[test]
    fn places_and_runs_fit_each_other() {
        let reproducers = [("r", 900), ("s", 6)];
        for (names, once, size) in [
            (&[][..], 0, 7),
            (&["a", "b"], 0, 14),
            (&["a"], 2, 9),
            (&[], 1, 1),
        ] {
            let once = &reproducers[..once];
            assert_eq!(Roster::of(&info(names, once, None)).size(), size);
            for shard in [None, Some(Shard { index: 2, of: 3 })] {
                let info = info(names, once, shard);
                for place in 0..Roster::of(&info).size() {
                    let (scenario, seed) = match Roster::of(&info).target(place) {
                        Target::Mix(seed) => ("drawn".to_owned(), seed),
                        Target::Scenario(scenario, seed) => (scenario, seed),
                        Target::Repro(path) => panic!("{path}"),
                    };
                    assert_eq!(
                        Roster::of(&info).place(&lost::line(&scenario, seed, "", String::new())),
                        Some(place)
                    );
                }
            }
        }
    }

    #[test]
    fn strangers_have_no_place() {
        let info = info(&["a"], &[("r", 900)], None);
        for (scenario, seed) in [("a", 4), ("a", 12), ("b", 5), ("r", 901)] {
            assert_eq!(
                Roster::of(&info).place(&lost::line(scenario, seed, "", String::new())),
                None,
                "{scenario} {seed}"
            );
        }
    }
}
