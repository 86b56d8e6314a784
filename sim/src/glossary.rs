//! Every name that a scenario may use, from the one place that defines it.

use synod_reports::record::Verdict;

use crate::run::checks;
use crate::scenario::names::{Names, SubjectNames};
use crate::subject::catalog::{self, DEFAULT_SUBJECT};
use crate::subject::process::Subject;
use crate::world::tally::Milestone;

/// What runs end by that no checker looks for. A class of failures that is its own check is not
/// here.
const ENDINGS: [&str; 11] = [
    "crash",
    "determinism",
    "events",
    "expected-failure",
    "hang",
    "harness",
    "observer",
    "out-of-memory",
    "subject",
    "time",
    "unmatched",
];

/// The names that this build knows.
#[must_use]
pub fn names() -> Names {
    let classes = Verdict::ALL.into_iter().filter(|class| class.is_failure());
    let mut subjects: Vec<_> = catalog::ALL.iter().copied().map(subject).collect();
    subjects.sort_by_key(|subject| (subject.name != DEFAULT_SUBJECT, subject.name));
    Names {
        milestones: Milestone::ALL
            .iter()
            .map(|milestone| milestone.name())
            .collect(),
        failures: checks().chain(classes.map(Verdict::name)).collect(),
        endings: ENDINGS.to_vec(),
        subjects,
    }
}

fn subject(subject: &dyn Subject) -> SubjectNames {
    SubjectNames {
        name: subject.name(),
        messages: subject.reader().map_or(&[], |reader| reader.kinds()),
    }
}
