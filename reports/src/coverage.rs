//! What the runs of a sweep came by together, and what none of them did: pairs of faults, messages
//! by phase and by who got them, coarse states.
//!
//! All of it is made of what each run's record says, one run after the other and in any order: parts
//! of a sweep add up to what the whole gives.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::counts::entry;
use crate::record::{Deliveries, RunRecord};

/// More states than this are not kept apart: a sample of them stands for all.
const STATES_MAX: usize = 1 << 20;

/// What the runs came by.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Coverage {
    /// Of two kinds of faults, in how many runs both took effect; of a kind with itself, in how many
    /// it did. Any two that took effect at all are there, under the one that is first by name: two
    /// with 0 never met.
    pub fault_pairs: BTreeMap<String, BTreeMap<String, u64>>,
    /// Phase and kind of message: in how many runs a node in each role got one then. Of every phase
    /// all kinds are there that anybody got at all.
    pub cells: BTreeMap<String, BTreeMap<String, Deliveries>>,
    /// Coarse states of the replicas.
    pub states: States,
}

/// How many coarse states there are, as far as runs tell of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct States {
    /// Runs that told of any.
    pub runs: u64,
    /// Distinct ones.
    pub distinct: u64,
    /// Distinct ones to a thousand runs.
    pub per_thousand_runs: u64,
    /// Those that one run alone came by.
    pub singletons: u64,
    /// Those that two runs came by.
    pub doubletons: u64,
    /// How many there are at least, seen and unseen, by how many are rare (Chao 1984, bias-corrected):
    /// `distinct + singletons * (singletons - 1) / (2 * (doubletons + 1))`. Close to `distinct` when
    /// more runs would show little that is new.
    pub chao1: u64,
    /// One of so many was looked at and stands for the others; 1 until there are a million.
    pub one_in: u64,
}

/// Adds up what runs came by.
#[derive(Default)]
pub struct Reached {
    fault_pairs: BTreeMap<String, BTreeMap<String, u64>>,
    cells: BTreeMap<String, BTreeMap<String, Deliveries>>,
    states: Sample<STATES_MAX>,
    /// Runs that told of states.
    runs: u64,
}

impl Coverage {
    /// The pairs of faults that took effect, and never in one run.
    pub fn never_met(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.fault_pairs.iter().flat_map(|(one, met)| {
            met.iter()
                .map(move |(other, runs)| (one.as_str(), other.as_str(), *runs))
        });
        pairs
            .filter(|(.., runs)| *runs == 0)
            .map(|(one, other, _)| (one, other))
    }

    /// How many pairs of faults there are.
    #[must_use]
    pub fn pairs(&self) -> usize {
        let kinds = self.fault_pairs.len();
        kinds * kinds.saturating_sub(1) / 2
    }
}

impl Reached {
    /// Adds a run.
    pub fn add(&mut self, record: &RunRecord) {
        let effective = record.faults.iter().filter(|(_, times)| **times > 0);
        let kinds: Vec<&String> = effective.map(|(kind, _)| kind).collect();
        for (place, one) in kinds.iter().enumerate() {
            let met = entry(&mut self.fault_pairs, one);
            kinds[place..]
                .iter()
                .for_each(|other| *entry(met, other) += 1);
        }
        for (phase, kinds) in &record.cells {
            let cells = entry(&mut self.cells, phase);
            for (kind, roles) in kinds {
                entry(cells, kind).add(&Deliveries::of_initials(roles));
            }
        }
        self.runs += u64::from(!record.states.is_empty());
        record.states.iter().for_each(|hash| self.states.add(*hash));
    }

    /// What they add up to.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let mut fault_pairs = self.fault_pairs.clone();
        for (one, met) in &mut fault_pairs {
            for other in self.fault_pairs.range(one.clone()..) {
                entry(met, other.0);
            }
        }
        let mut cells = self.cells.clone();
        let kinds = self.cells.values().flat_map(BTreeMap::keys);
        for kind in kinds {
            cells.values_mut().for_each(|cells| _ = entry(cells, kind));
        }
        Coverage {
            fault_pairs,
            cells,
            states: self.states.states(self.runs),
        }
    }
}

/// In how many runs each state was seen. When there are too many, those alone whose hashes end with
/// a zero bit more: which these are depends on no order (adaptive sampling, Flajolet 1990).
#[derive(Default)]
struct Sample<const MOST: usize> {
    zeros: u32,
    runs: BTreeMap<u32, u32>,
}

impl<const MOST: usize> Sample<MOST> {
    fn add(&mut self, hash: u32) {
        if hash.trailing_zeros() < self.zeros {
            return;
        }
        *self.runs.entry(hash).or_default() += 1;
        while self.runs.len() > MOST {
            self.zeros += 1;
            self.runs
                .retain(|hash, _| hash.trailing_zeros() >= self.zeros);
        }
    }

    fn states(&self, runs: u64) -> States {
        let one_in = 1 << self.zeros;
        let seen = |times| self.runs.values().filter(|seen| **seen == times).count() as u64;
        let (distinct, once, twice) = (self.runs.len() as u64, seen(1), seen(2));
        let unseen = once * once.saturating_sub(1) / (2 * (twice + 1));
        States {
            runs,
            distinct: distinct * one_in,
            per_thousand_runs: (distinct * one_in * 1000).checked_div(runs).unwrap_or(0),
            singletons: once * one_in,
            doubletons: twice * one_in,
            chao1: (distinct + unseen) * one_in,
            one_in,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::tests::line;

    fn record(faults: &[&str], states: &[u32]) -> RunRecord {
        RunRecord {
            faults: faults.iter().map(|kind| ((*kind).to_owned(), 2)).collect(),
            states: states.to_vec(),
            ..line("a", 1).record
        }
    }

    fn coverage(records: &[RunRecord]) -> Coverage {
        let mut reached = Reached::default();
        records.iter().for_each(|record| reached.add(record));
        reached.coverage()
    }

    #[test]
    fn faults_that_never_met_are_told() {
        let mut without = record(&["kill", "pause"], &[]);
        without.faults.insert("clog".to_owned(), 0);
        let pairs = coverage(&[
            record(&["bit-rot", "kill"], &[]),
            record(&["bit-rot", "kill"], &[]),
            without,
        ])
        .fault_pairs;
        let pairs: Vec<(&str, &str, u64)> = pairs
            .iter()
            .flat_map(|(one, met)| met.iter().map(|(other, runs)| (&**one, &**other, *runs)))
            .collect();
        assert_eq!(
            pairs,
            [
                ("bit-rot", "bit-rot", 2),
                ("bit-rot", "kill", 2),
                ("bit-rot", "pause", 0),
                ("kill", "kill", 3),
                ("kill", "pause", 1),
                ("pause", "pause", 1),
            ]
        );
    }

    #[test]
    fn cells_count_runs_and_have_every_kind_in_every_phase() {
        let cells = |chaos: &str, closing: Option<&str>| {
            let cells =
                |kind: &str, roles: &str| BTreeMap::from([(kind.to_owned(), roles.to_owned())]);
            let closing = closing.map_or_else(BTreeMap::new, |roles| cells("accept", roles));
            RunRecord {
                cells: BTreeMap::from([
                    ("chaos".to_owned(), cells("promise", chaos)),
                    ("closing".to_owned(), closing),
                ]),
                ..record(&[], &[])
            }
        };
        let cells = coverage(&[cells("lf", None), cells("cf", Some("f"))]).cells;
        let of = |phase: &str, kind: &str| cells[phase][kind].by_role().map(|(_, runs)| runs);
        assert_eq!(
            [
                of("chaos", "promise"),
                of("chaos", "accept"),
                of("closing", "promise"),
                of("closing", "accept"),
            ],
            [[1, 1, 2], [0, 0, 0], [0, 0, 0], [0, 0, 1]]
        );
    }

    #[test]
    fn rare_states_tell_of_unseen_ones() {
        let told = coverage(&[
            record(&[], &[1, 2, 3, 4]),
            record(&[], &[2, 3, 5]),
            record(&[], &[3, 6, 7]),
            record(&[], &[]),
        ]);
        // Five were seen once, one twice, one three times.
        assert_eq!(
            told.states,
            States {
                runs: 3,
                distinct: 7,
                per_thousand_runs: 2333,
                singletons: 5,
                doubletons: 1,
                chao1: 7 + 5 * 4 / (2 * 2),
                one_in: 1,
            }
        );
        assert_eq!(coverage(&[]).states.chao1, 0);
    }

    #[test]
    fn of_too_many_states_a_sample_is_kept_whatever_the_order() {
        let hashes = (0..10_000_u32).map(|number| number.wrapping_mul(0x9e37_79b9));
        let told = |hashes: &mut dyn Iterator<Item = u32>| {
            let mut sample = Sample::<1000>::default();
            hashes.for_each(|hash| sample.add(hash));
            sample.states(10)
        };
        let twice = hashes.clone().chain(hashes.clone().rev());
        let (one, two) = (told(&mut twice.clone()), told(&mut twice.clone().rev()));
        assert_eq!(one, two);
        assert_eq!(one.one_in, 16);
        assert!((9_000..11_000).contains(&one.distinct), "{}", one.distinct);
        assert_eq!((one.singletons, one.doubletons), (0, one.distinct));
    }
}
