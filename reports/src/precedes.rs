//! What the runs that fail in one way have in common, against those of the same scenarios that pass:
//! which faults and milestones came in all of them, and which in none. An association, and no cause.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::fingerprint::fingerprint;
use crate::line::ResultLine;
use crate::record::{RunRecord, Verdict};
use crate::tally::said;

/// What all failing runs share says something when so many percent at most of the others have it.
const COMMON_MOST: u64 = 90;
/// What no failing run has says something when so many percent at least of the others have it.
const ABSENT_LEAST: u64 = 20;
/// Of fewer failing runs nothing is said about what they lack.
const RUNS_LEAST: u64 = 5;

/// A fault or a milestone, and how many percent of the runs that pass have it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Thing {
    /// Its name.
    pub name: String,
    /// Percent of the runs of the same scenarios that pass; none when none of them passes.
    pub passing_percent: Option<u64>,
}

/// The runs that fail in one way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Preceded {
    /// The failure.
    pub fingerprint: String,
    /// Runs.
    pub runs: u64,
    /// Distinct seeds: draws that are independent of each other.
    pub seeds: u64,
    /// Distinct scenarios.
    pub scenarios: u64,
    /// Runs in which no fault took effect.
    pub without_fault: u64,
    /// What came in all of them, what is rarest elsewhere first.
    pub in_all: Vec<Thing>,
    /// What came in none of them, what is most frequent elsewhere first.
    pub in_none: Vec<Thing>,
}

/// Each failure of these runs, in the order of their first ones.
#[must_use]
pub fn preceded(lines: &[ResultLine]) -> Vec<Preceded> {
    let mut failures: Vec<(String, Vec<&RunRecord>)> = Vec::new();
    let fails = |record: &&RunRecord| {
        record.verdict.is_failure() || record.verdict == Verdict::Nondeterministic
    };
    for record in lines.iter().map(|line| &line.record).filter(fails) {
        let (check, message) = said(record);
        let name = fingerprint(check, message);
        match failures.iter_mut().find(|(known, _)| *known == name) {
            Some((_, records)) => records.push(record),
            None => failures.push((name, vec![record])),
        }
    }
    failures
        .into_iter()
        .map(|(fingerprint, records)| of(fingerprint, &records, lines))
        .collect()
}

fn of(fingerprint: String, records: &[&RunRecord], lines: &[ResultLine]) -> Preceded {
    let scenarios: BTreeSet<&str> = records.iter().map(|one| one.scenario.as_str()).collect();
    let passing = lines.iter().map(|line| &line.record).filter(|record| {
        record.verdict == Verdict::Pass && scenarios.contains(record.scenario.as_str())
    });
    let passing: Vec<&RunRecord> = passing.collect();
    let (here, there) = (counted(records), counted(&passing));
    let runs = records.len() as u64;
    let thing = |name: &str| Thing {
        name: name.to_owned(),
        passing_percent: (!passing.is_empty())
            .then(|| there.get(name).copied().unwrap_or(0) * 100 / passing.len() as u64),
    };
    let mut in_all: Vec<Thing> = here
        .iter()
        .filter(|(_, times)| **times == runs)
        .map(|(name, _)| thing(name))
        .filter(|thing| {
            thing
                .passing_percent
                .is_none_or(|share| share <= COMMON_MOST)
        })
        .collect();
    in_all.sort_by_key(|thing| thing.passing_percent);
    let mut in_none: Vec<Thing> = there
        .keys()
        .filter(|name| runs >= RUNS_LEAST && !here.contains_key(*name))
        .map(|name| thing(name))
        .filter(|thing| {
            thing
                .passing_percent
                .is_some_and(|share| share >= ABSENT_LEAST)
        })
        .collect();
    in_none.sort_by_key(|thing| std::cmp::Reverse(thing.passing_percent));
    Preceded {
        fingerprint,
        runs,
        seeds: records
            .iter()
            .map(|one| one.seed)
            .collect::<BTreeSet<_>>()
            .len() as u64,
        scenarios: scenarios.len() as u64,
        without_fault: records
            .iter()
            .filter(|record| record.faults.values().all(|times| *times == 0))
            .count() as u64,
        in_all,
        in_none,
    }
}

/// In how many of these runs each fault took effect, and each milestone was reached.
fn counted<'a>(records: &[&'a RunRecord]) -> BTreeMap<&'a str, u64> {
    let mut counted = BTreeMap::new();
    for record in records {
        let came = record.faults.iter().chain(&record.milestones);
        for (name, _) in came.filter(|(_, times)| **times > 0) {
            *counted.entry(name.as_str()).or_default() += 1;
        }
    }
    counted
}

impl Preceded {
    /// In words, a sentence a line.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.without_fault > 0 {
            lines.push(format!(
                "In {} of {} no fault took effect at all.",
                self.without_fault, self.runs
            ));
        }
        let named = |things: &[Thing]| {
            let one = |thing: &Thing| match thing.passing_percent {
                Some(share) => format!("{} ({share} % of those that pass)", thing.name),
                None => thing.name.clone(),
            };
            things.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        if !self.in_all.is_empty() && self.runs > 1 {
            lines.push(format!("All of them had: {}.", named(&self.in_all)));
        }
        if !self.in_none.is_empty() {
            lines.push(format!("None of them had: {}.", named(&self.in_none)));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::tests::line;

    #[test]
    fn what_failing_runs_share_is_named_with_how_frequent_it_is_elsewhere() {
        let run = |seed: u64, fails: bool, faults: &[&str]| {
            let mut line = line("safety/x", seed);
            if fails {
                line.record.verdict = Verdict::Safety;
                line.record.check = Some("agreement".to_owned());
                line.record.message = Some(format!("slot {seed}"));
            }
            line.record.milestones = BTreeMap::new();
            let faults = faults.iter().map(|kind| ((*kind).to_owned(), 1));
            line.record.faults = faults.collect();
            line
        };
        let mut lines: Vec<ResultLine> = (0..5)
            .map(|seed| run(seed, true, &["kill", "lose"]))
            .collect();
        lines.extend((5..9).map(|seed| run(seed, false, &["lose", "pause"])));
        lines.push(run(9, false, &["kill", "lose"]));
        lines.push({
            let mut other = run(10, false, &[]);
            other.record.scenario = "safety/y".to_owned();
            other
        });
        let [one] = &preceded(&lines)[..] else {
            panic!("one failure");
        };
        assert_eq!(
            (one.runs, one.seeds, one.scenarios, one.without_fault),
            (5, 5, 1, 0)
        );
        assert_eq!(
            one.sentences(),
            [
                "All of them had: kill (20 % of those that pass).",
                "None of them had: pause (80 % of those that pass)."
            ],
            "every run had lose"
        );
        lines.push(run(11, true, &[]));
        let [one] = &preceded(&lines)[..] else {
            panic!("one failure");
        };
        assert_eq!(one.sentences()[0], "In 1 of 6 no fault took effect at all.");
        assert!(one.in_all.is_empty());
    }
}
