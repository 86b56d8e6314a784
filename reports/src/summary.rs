//! What many runs add up to: `summary.json`. The fields that CLI.md lists are a promise; others may
//! come and go.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::coverage::Coverage;
use crate::known::Known;
use crate::record::{Costs, Deliveries, Operations, Verdict};
use crate::waits::Waits;

/// The version of `summary.json`, `run.json` and `results.jsonl`.
pub const FORMAT: u32 = 1;

/// From so many runs on, a milestone or a fault that never came makes a sweep vacuous.
pub const FLOOR_RUNS: u64 = 200;

/// From [`FLOOR_RUNS`] on, a check that compared nothing but in one run of so many makes a sweep
/// vacuous too.
pub const CHECKS_IN: u64 = 100;

/// How many runs ended in each way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[expect(missing_docs, reason = "the names are those of `Verdict`")]
pub struct Verdicts {
    pub pass: u64,
    pub safety: u64,
    pub liveness: u64,
    pub expectation: u64,
    pub panic: u64,
    #[serde(default)]
    pub lost: u64,
    pub excused: u64,
    pub inconclusive: u64,
    pub vacuous: u64,
    pub nondeterministic: u64,
}

impl Verdicts {
    /// The count of one verdict, to change.
    pub const fn of_mut(&mut self, verdict: Verdict) -> &mut u64 {
        match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Safety => &mut self.safety,
            Verdict::Liveness => &mut self.liveness,
            Verdict::Expectation => &mut self.expectation,
            Verdict::Panic => &mut self.panic,
            Verdict::Lost => &mut self.lost,
            Verdict::Excused => &mut self.excused,
            Verdict::Inconclusive => &mut self.inconclusive,
            Verdict::Vacuous => &mut self.vacuous,
            Verdict::Nondeterministic => &mut self.nondeterministic,
        }
    }

    /// The count of one verdict.
    #[must_use]
    pub const fn of(mut self, verdict: Verdict) -> u64 {
        *self.of_mut(verdict)
    }

    /// Runs in which a property failed, and lost ones.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.safety + self.liveness + self.expectation + self.panic + self.lost
    }
}

/// Failures that look alike.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Failure {
    /// Joins the check, its normalised message and the panic site.
    pub fingerprint: String,
    /// The verdict's name: `safety`, `liveness`, ...
    pub class: String,
    /// The check that failed.
    pub check: String,
    /// What the first run said.
    pub message: String,
    /// The first run's scenario.
    pub scenario: String,
    /// The first run's seed.
    pub seed: u64,
    /// How many runs failed like this.
    pub count: u64,
    /// The reproducer of the first run, from the folder that the summary is in. None when it could
    /// not be written.
    pub repro: Option<String>,
}

/// Something that had to happen and never did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Vacuity {
    /// `fault`, `milestone`, `check` or `operation`.
    pub what: String,
    /// The fault's or the operation's kind, or the milestone's or the check's name.
    pub name: String,
    /// The scenario that asked for it; none: all scenarios together.
    pub scenario: Option<String>,
    /// In so many runs that asked for it, or whose clients sent it, or that passed with this check
    /// among the judges.
    pub runs: u64,
}

/// How many runs were made twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Determinism {
    /// Runs made twice.
    pub checked: u64,
    /// Of these, so many gave two digests.
    pub mismatched: u64,
}

/// The totals of one scenario.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScenarioTotals {
    /// Runs.
    pub runs: u64,
    /// Runs in which a property failed.
    pub failed: u64,
    /// Fingerprint: runs that failed, or said nothing, like this.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<String, u64>,
    /// Runs with the failure that the scenario expects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// Fault kind: runs whose plan contained it.
    pub planned: BTreeMap<String, u64>,
    /// Fault kind: times it took effect.
    pub faults: BTreeMap<String, u64>,
    /// Milestone: runs that reached it.
    pub milestones: BTreeMap<String, u64>,
    /// Check: how often it looked. Contracts are not counted.
    #[serde(default)]
    pub checks: BTreeMap<String, Checked>,
    /// Kind of message between replicas: how often it reached a node in each role.
    #[serde(default)]
    pub deliveries: BTreeMap<String, Deliveries>,
    /// Kind of operation: how those of the workload went.
    #[serde(default)]
    pub operations: BTreeMap<String, Operations>,
    /// Kind of operation: runs whose workload sent some.
    #[serde(default)]
    pub operated: BTreeMap<String, u64>,
    /// How long clients waited, from the heal on, for their first answers.
    #[serde(default)]
    pub first_answers: Waits,
    /// How long they waited for those that came after.
    #[serde(default)]
    pub later_answers: Waits,
}

/// How often a check looked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Checked {
    /// Runs that passed, with this check among the judges.
    pub judged: u64,
    /// Of these, runs in which it compared something.
    pub compared: u64,
    /// How often it compared something, over all runs, those that failed too.
    pub times: u64,
}

impl Checked {
    /// Adds others.
    pub const fn add(&mut self, other: &Self) {
        self.judged += other.judged;
        self.compared += other.compared;
        self.times += other.times;
    }
}

/// What a scenario asks of all its runs together.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Demand {
    /// Milestones that some run must reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub milestones: Vec<String>,
    /// The check that must fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_failure: Option<String>,
    /// In at least so many of a million runs.
    #[serde(default)]
    pub at_least_ppm: u32,
}

/// What a sweep cost. Nothing else in a summary depends on the machine or the moment.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Cost {
    /// User and system seconds of all processes.
    pub cpu_seconds: f64,
    /// Seconds from start to end; for merged shards, of all of them together.
    pub wall_seconds: f64,
    /// The largest resident set of a process, where the system tells.
    pub peak_rss_bytes: Option<u64>,
    /// Scenario: CPU seconds of its runs.
    pub by_scenario: BTreeMap<String, f64>,
}

impl Cost {
    /// Adds the runs of another.
    pub fn add_by_scenario(&mut self, other: &BTreeMap<String, f64>) {
        for (scenario, seconds) in other {
            *self.by_scenario.entry(scenario.clone()).or_default() += seconds;
        }
    }
}

/// How a sweep ended, in a word: the worst that is true of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// A run gave two digests.
    Nondeterministic,
    /// A property failed.
    Failed,
    /// It was ended before its time.
    Interrupted,
    /// Nothing ran, or something that had to happen never did.
    Vacuous,
    /// A budget ran out.
    Inconclusive,
    /// Every run passed.
    Passed,
}

impl Ending {
    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nondeterministic => "nondeterministic",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Vacuous => "vacuous",
            Self::Inconclusive => "inconclusive",
            Self::Passed => "passed",
        }
    }
}

/// What many runs add up to.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Summary {
    /// The version of this format.
    pub format: u32,
    /// Runs made.
    pub runs: u64,
    /// How they ended.
    pub verdicts: Verdicts,
    /// Distinct failures, in the order of their first runs.
    pub failures: Vec<Failure>,
    /// Known failures, which do not count, those that did not come too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Known>,
    /// Why runs said nothing, in the order of the first of each.
    #[serde(default)]
    pub undecided: Vec<Failure>,
    /// What never happened though it had to.
    pub vacuous: Vec<Vacuity>,
    /// User and system seconds of all processes.
    pub cpu_seconds: f64,
    /// Seconds from start to end.
    pub wall_seconds: f64,
    /// Scenario: CPU seconds of its runs.
    #[serde(default)]
    pub cpu_seconds_by_scenario: BTreeMap<String, f64>,
    /// Simulated seconds.
    pub virtual_seconds: f64,
    /// Messages that reached a replica or a client.
    pub messages_delivered: u64,
    /// Events.
    pub events: u64,
    /// Operations that clients invoked.
    pub client_operations: u64,
    /// Kind of operation: how those of the workload went.
    #[serde(default)]
    pub operations: BTreeMap<String, Operations>,
    /// What replicas did for operations that were answered.
    #[serde(default)]
    pub costs: Costs,
    /// Forks of the last-quorum audit that were judged.
    pub audits: u64,
    /// The largest resident set of a process, null where the system does not tell.
    pub peak_rss_bytes: Option<u64>,
    /// The largest accounted memory of a run.
    pub accounted_bytes_max: u64,
    /// The upper 95 % bound on the failure rate of a seed.
    pub residual_risk: f64,
    /// Fault kind: times it took effect.
    pub faults: BTreeMap<String, u64>,
    /// Milestone: runs that reached it.
    pub milestones: BTreeMap<String, u64>,
    /// Check: how often it looked. Contracts are not counted.
    #[serde(default)]
    pub checks: BTreeMap<String, Checked>,
    /// Kind of message between replicas: how often it reached a node in each role.
    #[serde(default)]
    pub deliveries: BTreeMap<String, Deliveries>,
    /// What the runs came by together, and what none of them did.
    #[serde(default)]
    pub coverage: Coverage,
    /// How long clients waited, from the heal on, for their first answers.
    #[serde(default)]
    pub first_answers: Waits,
    /// How long they waited for those that came after.
    #[serde(default)]
    pub later_answers: Waits,
    /// Runs made twice.
    pub determinism: Determinism,
    /// Over all runs' digests in seed order, 16 hexadecimal digits.
    pub digest: String,
    /// The totals of each scenario.
    pub scenarios: BTreeMap<String, ScenarioTotals>,
    /// The sweep was ended before its time.
    pub interrupted: bool,
}

impl Summary {
    /// The summary as JSON with a newline at the end.
    ///
    /// # Panics
    /// Never: a summary is plain data.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a summary is plain data");
        text.push('\n');
        text
    }

    /// What the runs cost.
    #[must_use]
    pub fn cost(&self) -> Cost {
        Cost {
            cpu_seconds: self.cpu_seconds,
            wall_seconds: self.wall_seconds,
            peak_rss_bytes: self.peak_rss_bytes,
            by_scenario: self.cpu_seconds_by_scenario.clone(),
        }
    }

    /// Runs that failed as it is known.
    #[must_use]
    pub fn known_runs(&self) -> u64 {
        self.known.iter().map(|known| known.runs).sum()
    }

    /// How the sweep ended. What is known does not count.
    #[must_use]
    pub fn ending(&self) -> Ending {
        let verdicts = &self.verdicts;
        if verdicts.nondeterministic > 0 {
            Ending::Nondeterministic
        } else if verdicts.failed() > self.known_runs() {
            Ending::Failed
        } else if self.interrupted {
            Ending::Interrupted
        } else if self.runs == 0 || verdicts.vacuous > 0 || !self.vacuous.is_empty() {
            Ending::Vacuous
        } else if verdicts.inconclusive > 0 {
            Ending::Inconclusive
        } else {
            Ending::Passed
        }
    }

    /// Seeds per CPU minute.
    #[must_use]
    pub fn seeds_per_cpu_minute(&self) -> Option<f64> {
        self.per_cpu_second(self.runs).map(|rate| rate * 60.0)
    }

    /// Delivered messages per CPU second.
    #[must_use]
    pub fn messages_per_cpu_second(&self) -> Option<f64> {
        self.per_cpu_second(self.messages_delivered)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    fn per_cpu_second(&self, count: u64) -> Option<f64> {
        (self.cpu_seconds > 0.0).then(|| count as f64 / self.cpu_seconds)
    }
}
