//! A failing run, and what has to be known of it to make it small.

use serde::{Deserialize, Serialize};

use crate::run::RunSpec;
use crate::shrink::brief::Scribe;
use crate::shrink::case::{Case, Goal, Spent};
use crate::shrink::search::{Shrunk, shrink};
use crate::sweep::shelf::repro_of;
use crate::sweep::source::Origin;

/// A run that was made small, in a worker.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Smaller {
    /// The reproducer's TOML.
    pub file: String,
    /// Its lines of faults and single decisions.
    pub decisions: usize,
    /// Nothing smaller was found that was left to try.
    pub is_done: bool,
}

/// The case of this run, which failed so. `budget` is in events.
#[must_use]
pub fn case_of<'a>(
    spec: RunSpec,
    origin: &Origin,
    goal: Goal,
    jobs: usize,
    budget: u64,
    halt: &'a (dyn Fn() -> bool + Sync),
) -> Case<'a> {
    Case {
        goal,
        scribe: Scribe::new(repro_of(&spec.plan, origin)),
        jobs,
        budget,
        halt,
        ground: None,
        spent: Spent::default(),
        tried: std::collections::BTreeSet::new(),
        spec,
    }
}

/// Makes this run small, within so many events, and as long as that takes.
///
/// # Errors
/// When it cannot be written down as a plan that fails in the same way.
pub fn smaller(
    spec: &RunSpec,
    origin: &Origin,
    goal: Goal,
    budget: u64,
) -> Result<Smaller, String> {
    let case = case_of(spec.clone(), origin, goal, 1, budget, &|| false);
    let Shrunk {
        file,
        decisions,
        is_done,
        ..
    } = shrink(case, &spec.plan, &mut |_, _| ())?;
    Ok(Smaller {
        file,
        decisions,
        is_done,
    })
}
