//! One run: the whole way from a scenario and a seed to a verdict.

use synod_reports::record::{RunRecord, Verdict};

pub use crate::check::suite::Checks;
use crate::plan::Plan;
use crate::subject::process::ProbeLevel;

/// What a run is a function of, beside the build.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunSpec {
    /// The explicit plan, with the seed of the choices in it.
    pub plan: Plan,
    /// The subject's name in the catalog.
    pub subject: String,
    /// The planted bug's name.
    pub bug: Option<String>,
    /// How much to look into the subject. Never changes the digest.
    pub probe: ProbeLevel,
    /// Which checkers judge.
    pub checks: Checks,
    /// Keep the history and a tale of what happened. Never changes the digest.
    pub record: bool,
}

/// What a run gave.
#[derive(Clone, Debug)]
pub struct RunOutcome {
    /// The line for `results.jsonl`.
    pub record: RunRecord,
    /// The history as `history.jsonl`, when it was recorded.
    pub history: Option<String>,
    /// One line an event that a person would want to know, when it was recorded.
    pub tale: Vec<String>,
}

/// Runs a plan to its end and judges it.
#[must_use]
pub fn run(spec: &RunSpec) -> RunOutcome {
    let record = RunRecord {
        scenario: spec.plan.scenario.clone(),
        seed: spec.plan.seed,
        verdict: Verdict::Inconclusive,
        check: None,
        message: None,
        digest: String::new(),
        events: 0,
        messages_delivered: 0,
        virtual_seconds: 0.0,
        client_operations: 0,
        audits: 0,
        accounted_bytes: 0,
        faults: std::collections::BTreeMap::new(),
        milestones: std::collections::BTreeMap::new(),
        bug: None,
    };
    RunOutcome { record, history: None, tale: Vec::new() }
}
