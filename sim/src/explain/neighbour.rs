//! The run that passes and stays with a failing one the longest, and the first thing in which they
//! differ.

use serde::Serialize;
use synod_reports::record::Verdict;

use crate::explain::bake_in::{Moment, branched};
use crate::explain::causes::Cause;
use crate::plan::Plan;
use crate::run::{Recording, RunSpec, run};
use crate::trace::tale::Line;

/// So many lines of each run are shown from where they part.
const LINES: usize = 4;
/// So many plans without something are looked at.
const PLANS: usize = 8;

/// Where a run that passes leaves the one that fails.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Parting {
    /// What is other in the run that passes.
    pub how: String,
    /// So many lines of the tales are the same.
    pub same: usize,
    /// What comes next where it fails.
    pub fails: Vec<Line>,
    /// What comes next where it passes.
    pub passes: Vec<Line>,
}

/// The nearest of the runs that pass: of the futures of the run's moments, and of the plans without
/// something.
#[must_use]
pub fn nearest(
    spec: &RunSpec,
    tale: &[Line],
    moments: &[Moment],
    causes: &[Cause],
) -> Option<Parting> {
    let late = moments
        .iter()
        .rev()
        .find_map(|moment| Some((moment, moment.passing?)));
    let future = late.map(|(moment, salt)| {
        let how = format!("other choices from #{} on", moment.number);
        (how, branched(&spec.plan, moment.event, salt))
    });
    let without = causes
        .iter()
        .filter(|cause| cause.fails_without == Some(false))
        .take(PLANS)
        .filter_map(|cause| Some((format!("without {}", cause.what), cause.without.clone()?)));
    future
        .into_iter()
        .chain(without)
        .filter_map(|(how, plan)| parting(spec, tale, how, plan))
        .max_by_key(|parting| parting.same)
}

fn parting(spec: &RunSpec, tale: &[Line], how: String, plan: Plan) -> Option<Parting> {
    let other = run(&RunSpec {
        plan,
        record: Recording::Story,
        ..spec.clone()
    });
    if other.record.verdict != Verdict::Pass {
        return None;
    }
    let same = tale
        .iter()
        .zip(&other.tale)
        .take_while(|(one, two)| one == two)
        .count();
    let next = |lines: &[Line]| lines.iter().skip(same).take(LINES).cloned().collect();
    Some(Parting {
        how,
        same,
        fails: next(tale),
        passes: next(&other.tale),
    })
}
