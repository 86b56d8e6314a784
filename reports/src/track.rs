//! What a sweep found and what an operation cost, a line a commit: a change of messages, bytes or
//! syncs is seen without a clock.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::Costs;
use crate::summary::Summary;
use crate::table::rounded;

/// A line: one sweep at one commit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// The commit.
    pub commit: String,
    /// What was swept: only lines that say the same are compared.
    pub what: String,
    /// Runs.
    pub runs: u64,
    /// Fingerprint: failing runs.
    pub failures: BTreeMap<String, u64>,
    /// What they cost.
    pub costs: Costs,
}

impl Mark {
    /// The line of a sweep.
    #[must_use]
    pub fn of(summary: &Summary, commit: &str, what: &str) -> Self {
        let failures = summary.failures.iter();
        Self {
            commit: commit.to_owned(),
            what: what.to_owned(),
            runs: summary.runs,
            failures: failures
                .map(|failure| (failure.fingerprint.clone(), failure.count))
                .collect(),
            costs: summary.costs,
        }
    }

    /// Reads lines.
    ///
    /// # Errors
    /// The number of a line that is none, and why.
    pub fn read(text: &str) -> Result<Vec<Self>, String> {
        let lines = text.lines().zip(1..);
        lines
            .filter(|(line, _)| !line.trim().is_empty())
            .map(|(line, number)| {
                serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))
            })
            .collect()
    }

    /// The last of these lines that this one is to be compared with: of the same sweep, at another
    /// commit.
    #[must_use]
    pub fn before<'a>(&self, lines: &'a [Self]) -> Option<&'a Self> {
        let is_before = |line: &&Self| {
            line.what == self.what && line.runs == self.runs && line.commit != self.commit
        };
        lines.iter().rev().find(is_before)
    }

    /// What costs more, or less, than before, by more than so many in a million. A sentence each.
    #[must_use]
    pub fn drift(&self, before: &Self, bound_ppm: u32) -> Vec<String> {
        let names = ["messages", "bytes", "syncs"];
        let pairs = names.into_iter().zip(
            before
                .costs
                .of_an_operation()
                .into_iter()
                .zip(self.costs.of_an_operation()),
        );
        let changed = pairs.filter_map(|(name, (was, is))| {
            let change = if was == is { 0.0 } else { (is - was) / was };
            (change.abs() * 1e6 > f64::from(bound_ppm)).then(|| {
                format!(
                    "{name} an operation: {}, {} % {} than the {} of {}",
                    rounded(is),
                    rounded(change.abs() * 100.0),
                    if is > was { "more" } else { "less" },
                    rounded(was),
                    before.commit
                )
            })
        });
        changed.collect()
    }

    /// As a line, with its end.
    ///
    /// # Panics
    /// Never: it is plain data.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain data") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(commit: &str, messages: u64) -> Mark {
        Mark {
            commit: commit.to_owned(),
            what: "the mix, seeds 0..10".to_owned(),
            runs: 10,
            failures: BTreeMap::new(),
            costs: Costs {
                answered: 100,
                messages,
                bytes: 5000,
                syncs: 0,
            },
        }
    }

    #[test]
    fn a_change_beyond_the_bound_has_a_name() {
        let (before, after) = (mark("a", 1000), mark("b", 1060));
        assert_eq!(after.drift(&before, 60_000), Vec::<String>::new());
        assert_eq!(
            after.drift(&before, 50_000),
            ["messages an operation: 10.6, 6.00 % more than the 10.0 of a"]
        );
        assert_eq!(
            before.drift(&after, 50_000),
            ["messages an operation: 10.0, 5.66 % less than the 10.6 of b"]
        );
        let mut syncs = mark("c", 1000);
        syncs.costs.syncs = 7;
        assert_eq!(syncs.drift(&before, 50_000).len(), 1, "from nothing");
    }

    #[test]
    fn the_last_line_of_the_same_sweep_at_another_commit_is_compared() {
        let mut other = mark("d", 1);
        other.what = "another".to_owned();
        let lines = [mark("a", 1), mark("b", 2), other, mark("c", 3)];
        let text: String = lines.iter().map(Mark::to_json).collect();
        let read = Mark::read(&format!("{text}\n")).expect("lines");
        assert_eq!(read, lines);
        let now = mark("c", 9);
        assert_eq!(now.before(&read).map(|line| &line.commit[..]), Some("b"));
        let mut short = mark("e", 9);
        short.runs = 9;
        assert_eq!(short.before(&read), None);
        assert!(
            Mark::read("{}")
                .expect_err("no line")
                .starts_with("line 1: ")
        );
    }
}
