//! Every name that a scenario may use, from the one place that defines it.

use synod_reports::record::Verdict;
use synod_reports::tally::EXPECTED_FAILURE;

use crate::run::checks;
use crate::scenario::names::{Names, SubjectNames};
use crate::subject::catalog::{self, default_subject};
use crate::subject::process::Subject;
use crate::sweep::endings::{DETERMINISM, HARNESS};
use crate::sweep::lost::{CRASH, HANG, OUT_OF_MEMORY};
use crate::verdict::PORT;
use crate::verdict::undecided::Undecided;
use crate::world::tally::Milestone;

/// What runs end by that is no check of theirs, those that say nothing apart. A class of failures
/// that is its own check is not here.
const ENDINGS: [&str; 7] = [
    CRASH,
    DETERMINISM,
    EXPECTED_FAILURE,
    HANG,
    HARNESS,
    OUT_OF_MEMORY,
    PORT,
];

/// The names that this build knows.
#[must_use]
pub fn names() -> Names {
    let classes = Verdict::ALL.into_iter().filter(|class| class.is_failure());
    let mut subjects: Vec<_> = catalog::all().map(subject).collect();
    let undecided = Undecided::ALL.into_iter().map(Undecided::name);
    subjects.sort_by_key(|subject| (subject.name != default_subject(), subject.name));
    Names {
        milestones: Milestone::ALL
            .iter()
            .map(|milestone| milestone.name())
            .collect(),
        checks: checks().collect(),
        failures: checks().chain(classes.map(Verdict::name)).collect(),
        endings: ENDINGS.into_iter().chain(undecided).collect(),
        subjects,
    }
}

fn subject(subject: &dyn Subject) -> SubjectNames {
    SubjectNames {
        name: subject.name(),
        messages: subject.reader().map_or(&[], |reader| reader.kinds()),
        files: subject.files(),
        bugs: subject.bugs().iter().map(|card| card.name).collect(),
    }
}
