//! Where a sweep gets its plans from and what runs them, as far as the sweep needs to know.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use synod_reports::summary::Demand;

use crate::check::jury::Jury;
use crate::plan::Plan;
use crate::run::{RunOutcome, RunSpec};
use crate::sweep::settings::Target;

/// What a reproducer says about itself, beside its plan.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Origin {
    /// The subject.
    pub subject: String,
    /// The planted bug.
    pub bug: Option<String>,
    /// The checks that judged, if it was not all of them.
    #[serde(default, skip_serializing_if = "Jury::is_everybody")]
    pub only: Jury,
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
    /// The checks that judged when a reproducer was found.
    pub only: Jury,
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

/// The failure that a scenario is there for: a check or a class. None when the check is named and does not judge, since then it cannot come.
#[must_use]
pub fn expected<'a>(checks: &'a crate::plan::Checks, jury: &Jury) -> Option<&'a str> {
    let is_check = |name: &str| crate::run::checks().any(|check| check == name);
    checks.expect_failure.as_deref().filter(|expected| jury.has(expected) || !is_check(expected))
}

/// What a plan's checks ask of all runs of its scenario together.
#[must_use]
pub fn demand(checks: &crate::plan::Checks, jury: &Jury) -> Demand {
    Demand { milestones: checks.milestones.clone(), expect_failure: expected(checks, jury).map(str::to_owned), at_least_ppm: checks.at_least_ppm }
}

/// The fault kinds in a plan, sorted, each once.
#[must_use]
pub fn fault_kinds(plan: &Plan) -> Vec<String> {
    use crate::plan::Verb;
    let scripted = plan.script.iter().filter_map(|step| match &step.verb {
        Verb::Inject { fault, .. } => Some(fault.kind()),
        _ => None,
    });
    let mut kinds: Vec<&str> = plan.nemesis.iter().map(|timed| timed.fault.kind()).chain(scripted).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.into_iter().map(str::to_owned).collect()
}
