//! The engines that can be put under test, by name. A new engine is a file and a line here.

use crate::subject::abd::Abd;
use crate::subject::primary_copy::PrimaryCopy;
use crate::subject::process::Subject;
use crate::subject::synod::Synod;

/// The subject of a run when nothing else is said.
pub const DEFAULT_SUBJECT: &str = "synod";

/// All of them.
pub const ALL: &[&dyn Subject] = &[&Synod, &PrimaryCopy, &Abd];

/// The subject of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Subject> {
    ALL.iter().copied().find(|subject| subject.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for (index, subject) in ALL.iter().enumerate() {
            assert!(
                ALL[..index]
                    .iter()
                    .all(|other| other.name() != subject.name())
            );
            assert!(find(subject.name()).is_some_and(|found| found.name() == subject.name()));
        }
        assert!(find("nobody").is_none());
    }
}
