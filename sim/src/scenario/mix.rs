//! The mix: which scenario a seed runs when none is named. Rendezvous hashing over the names,
//! weighted: a new file takes over some seeds, and no other seed changes its scenario.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::scenario::library::Library;
use crate::scenario::model::Scenario;
use crate::scenario::problem::LoadError;

/// The folders that the mix leaves out.
pub const LEFT_OUT: [&str; 2] = ["negative/", "regressions/"];

/// The scenarios of the mix.
#[derive(Clone, Debug)]
pub struct Mix {
    scenarios: Vec<Scenario>,
}

impl Mix {
    /// The mix of a library, with overrides for every scenario.
    ///
    /// # Errors
    /// One of its scenarios, or an override, is wrong.
    pub fn of(library: &Library, sets: &[String]) -> Result<Self, LoadError> {
        let names = library
            .names()
            .into_iter()
            .filter(|name| !LEFT_OUT.iter().any(|folder| name.starts_with(folder)));
        let scenarios: Result<Vec<Scenario>, LoadError> =
            names.map(|name| library.get_with(name, sets)).collect();
        Ok(Self {
            scenarios: scenarios?
                .into_iter()
                .filter(|scenario| scenario.weight > 0)
                .collect(),
        })
    }

    /// Leaves out the scenarios that are not wanted. Seeds that ran one of them run others; no
    /// other seed changes its scenario.
    pub fn retain(&mut self, wanted: impl FnMut(&Scenario) -> bool) {
        self.scenarios.retain(wanted);
    }

    /// Its scenarios, by name.
    #[must_use]
    pub fn scenarios(&self) -> &[Scenario] {
        &self.scenarios
    }

    /// The index of the scenario that this seed runs; none in an empty mix.
    #[must_use]
    pub fn draw_scenario(&self, seed: u64) -> Option<usize> {
        let score = |scenario: &Scenario| best_ticket(&scenario.name, scenario.weight, seed);
        (0..self.scenarios.len())
            .max_by_key(|index| (score(&self.scenarios[*index]), &self.scenarios[*index].name))
    }

    /// The scenario that this seed runs.
    #[must_use]
    pub fn scenario(&self, seed: u64) -> Option<&Scenario> {
        self.draw_scenario(seed).map(|index| &self.scenarios[index])
    }
}

/// The highest of as many draws as the weight has: so the chance to win is in proportion to the
/// weight.
fn best_ticket(name: &str, weight: u32, seed: u64) -> u64 {
    let base = xxh3_64_with_seed(name.as_bytes(), seed);
    (0..u64::from(weight))
        .map(|ticket| scramble(base.wrapping_add(ticket.wrapping_mul(0x9E37_79B9_7F4A_7C15))))
        .max()
        .unwrap_or(0)
}

/// The finalizer of SplitMix64: every bit of the input moves every bit of the output.
const fn scramble(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix() -> Mix {
        Mix::of(
            &Library::open(None, &crate::glossary::names()).unwrap(),
            &[],
        )
        .unwrap()
    }

    #[test]
    fn negatives_and_regressions_are_left_out() {
        assert!(
            mix()
                .scenarios()
                .iter()
                .all(|scenario| !scenario.name.starts_with("negative/")
                    && !scenario.name.starts_with("regressions/"))
        );
    }

    #[test]
    fn a_new_file_takes_seeds_over_and_moves_no_other() {
        let all = mix();
        let mut fewer = all.clone();
        let gone = fewer.scenarios.remove(3).name;
        let mut taken = 0;
        for seed in 0..5_000 {
            let (with, without) = (all.scenario(seed).unwrap(), fewer.scenario(seed).unwrap());
            if with.name == gone {
                taken += 1;
            } else {
                assert_eq!(with.name, without.name, "seed {seed}");
            }
        }
        assert!(taken > 0);
    }

    #[test]
    fn seeds_fall_by_weight() {
        let mix = mix();
        let total: u64 = mix
            .scenarios()
            .iter()
            .map(|scenario| u64::from(scenario.weight))
            .sum();
        let mut hits = vec![0u64; mix.scenarios().len()];
        let runs = 40_000;
        for seed in 0..runs {
            hits[mix.draw_scenario(seed).unwrap()] += 1;
        }
        for (scenario, hits) in mix.scenarios().iter().zip(hits) {
            let due = runs * u64::from(scenario.weight) / total;
            assert!(
                hits.abs_diff(due) < due / 4 + 60,
                "{}: {hits} of {due}",
                scenario.name
            );
        }
    }
}
