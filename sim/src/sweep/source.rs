//! Where a sweep gets its plans from and what runs them, as far as the sweep needs to know.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use synod_reports::summary::Demand;

use crate::plan::{Plan, Verb};
use crate::run::{RunOutcome, RunSpec};
use crate::scenario::fault::{Fault, LinkFault};
use crate::subject::process::Subject;
use crate::sweep::settings::Target;
use crate::world::tally::Milestone;

/// What a reproducer says about itself, beside its plan.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Origin {
    /// The subject.
    pub subject: String,
    /// The planted bug.
    pub bug: Option<String>,
    /// The check that failed.
    pub check: Option<String>,
    /// The digest that the run had.
    pub digest: String,
    /// The build that had it.
    pub build: String,
}

/// A plan, and what its file says about how to run it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The engine that the scenario is for; none: the default.
    pub subject: Option<String>,
    /// The bug that a reproducer was found with.
    pub bug: Option<String>,
    /// What a reproducer showed; none for a plan that was drawn.
    pub origin: Option<Origin>,
}

/// Makes plans and runs them. Errors are for people: which file, what is wrong, what to do.
pub trait Source {
    /// The scenario's name of this run, as results show it.
    ///
    /// # Errors
    /// When there is no such scenario, or it cannot be read.
    fn scenario(&mut self, target: &Target) -> Result<String, String>;

    /// The plan of this run.
    ///
    /// # Errors
    /// As [`Self::scenario`], or when no plan can be drawn.
    fn plan(&mut self, target: &Target) -> Result<Planned, String>;

    /// The plan as a reproducer's TOML.
    fn pin(&self, plan: &Plan, origin: &Origin) -> String;

    /// Runs a plan.
    fn run(&mut self, spec: &RunSpec) -> RunOutcome {
        crate::run::run(spec)
    }
}

/// The scenarios of a sweep.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selection {
    /// Their names, in order. For the mix: those that it draws from.
    pub names: Vec<String>,
    /// Reproducers, which run once each, with their seeds.
    pub once: Vec<(String, u64)>,
    /// What each asks of all its runs together.
    pub demands: BTreeMap<String, Demand>,
}

/// What a plan's checks ask of all runs of its scenario together, when this is the subject.
#[must_use]
pub fn demand(checks: &crate::plan::Checks, subject: Option<&dyn Subject>) -> Demand {
    let can = |name: &String| subject.zip(Milestone::named(name)).is_none_or(|(subject, milestone)| milestone.can_show(subject));
    let milestones = checks.milestones.iter().filter(|name| can(name)).cloned().collect();
    Demand { milestones, expect_failure: checks.expect_failure.clone(), at_least_ppm: checks.at_least_ppm }
}

/// The fault kinds in a plan that can hit this subject, sorted, each once.
#[must_use]
pub fn fault_kinds(plan: &Plan, subject: Option<&dyn Subject>) -> Vec<String> {
    let scripted = plan.script.iter().filter_map(|step| match &step.verb {
        Verb::Inject { fault, .. } => Some(fault),
        _ => None,
    });
    // Messages that nobody can read are of no kind.
    let nameless = subject.is_some_and(|subject| subject.reader().is_none());
    let faults = plan.nemesis.iter().map(|timed| &timed.fault).chain(scripted);
    let can = |fault: &&Fault| !(nameless && matches!(fault, Fault::Links { fault: LinkFault::Delay { kind: Some(_), .. }, .. }));
    let mut kinds: Vec<&str> = faults.filter(can).map(Fault::kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.into_iter().map(str::to_owned).collect()
}
