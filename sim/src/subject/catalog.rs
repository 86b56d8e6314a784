//! The engines that can be put under test, by name: the guests that this program was started with,
//! and those that are built in. One more that is built in is a file and a line here; a guest needs
//! neither ([`cli::main_with`](crate::cli::main_with)).

use std::sync::OnceLock;

use crate::subject::abd::Abd;
use crate::subject::primary_copy::PrimaryCopy;
use crate::subject::process::Subject;
use crate::subject::synod::Synod;

/// Those that are built in.
const BUILT_IN: &[&dyn Subject] = &[&Synod, &PrimaryCopy, &Abd];

/// Engines that live outside this package. They are named once, before anything runs, so that all of
/// a process, and every worker of the same program, knows the same ones.
static GUESTS: OnceLock<&'static [&'static dyn Subject]> = OnceLock::new();

/// Makes engines known that live outside this package, the one first that is meant when nothing
/// else is said. To be called before anything else; a second call with the same names does nothing.
///
/// # Errors
/// A name is taken or is none, or other guests were named before.
pub fn register(guests: &'static [&'static dyn Subject]) -> Result<(), String> {
    fn names(subjects: &[&dyn Subject]) -> Vec<&'static str> {
        subjects.iter().map(|subject| subject.name()).collect()
    }
    let mut taken = names(BUILT_IN);
    for name in names(guests) {
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || !name.bytes().all(is_plain) {
            return Err(format!(
                "a subject is called {name:?}: a name is of a to z, 0 to 9 and -"
            ));
        }
        if taken.contains(&name) {
            return Err(format!("two subjects are called `{name}`"));
        }
        taken.push(name);
    }
    let known = GUESTS.get_or_init(|| guests);
    if names(known) != names(guests) {
        return Err(format!(
            "other subjects were registered before: {}",
            names(known).join(", ")
        ));
    }
    Ok(())
}

/// The engines that live outside this package.
#[must_use]
pub fn guests() -> &'static [&'static dyn Subject] {
    GUESTS.get().copied().unwrap_or_default()
}

/// All of them, the guests first.
pub fn all() -> impl Iterator<Item = &'static dyn Subject> {
    guests().iter().chain(BUILT_IN).copied()
}

/// The name of the subject of a run when nothing else is said.
#[must_use]
pub fn default_subject() -> &'static str {
    guests().first().unwrap_or(&BUILT_IN[0]).name()
}

/// The subject of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Subject> {
    all().find(|subject| subject.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        let all: Vec<_> = all().collect();
        for (index, subject) in all.iter().enumerate() {
            assert!(
                all[..index]
                    .iter()
                    .all(|other| other.name() != subject.name())
            );
            assert!(find(subject.name()).is_some_and(|found| found.name() == subject.name()));
        }
        assert!(find("nobody").is_none());
        assert_eq!(default_subject(), "synod");
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        let refused = register(&[&Abd]).expect_err("it is built in");
        assert_eq!(refused, "two subjects are called `abd`");
        assert!(guests().is_empty());
    }
}
