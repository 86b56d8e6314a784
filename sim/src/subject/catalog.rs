//! The engines that can be put under test, by name: the guests that this program was started with,
//! and those that are built in. One more that is built in is a file and a line here; a guest needs
//! neither ([`cli::main_with`](crate::cli::main_with)).

use std::sync::{PoisonError, RwLock};

use crate::subject::abd::Abd;
use crate::subject::primary_copy::PrimaryCopy;
use crate::subject::process::Subject;
use crate::subject::synod::Synod;

/// Those that are built in.
const BUILT_IN: &[&dyn Subject] = &[&Synod, &PrimaryCopy, &Abd];

/// Engines that live outside this package, in the order in which they were registered.
static GUESTS: RwLock<Vec<&dyn Subject>> = RwLock::new(Vec::new());

/// Makes engines known that live outside this package. To be called before anything else, and alike
/// in every process that takes part; one that is known already is left as it is.
///
/// # Errors
/// A name is that of an engine that is built in, comes twice, or is none.
pub fn register(guests: &[&'static dyn Subject]) -> Result<(), String> {
    let mut taken: Vec<&str> = BUILT_IN.iter().map(|subject| subject.name()).collect();
    for guest in guests {
        let name = guest.name();
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_plain) {
            return Err(format!(
                "a subject is called {name:?}: a name is of a to z, 0 to 9, - and _"
            ));
        }
        if taken.contains(&name) {
            return Err(format!("two subjects are called `{name}`"));
        }
        taken.push(name);
    }
    let mut known = GUESTS.write().unwrap_or_else(PoisonError::into_inner);
    for guest in guests {
        if known.iter().all(|known| known.name() != guest.name()) {
            known.push(*guest);
        }
    }
    Ok(())
}

/// The engines that live outside this package.
#[must_use]
pub fn guests() -> Vec<&'static dyn Subject> {
    GUESTS
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// All of them, the guests first.
pub fn all() -> impl Iterator<Item = &'static dyn Subject> {
    guests().into_iter().chain(BUILT_IN.iter().copied())
}

/// The name of the subject of a run when nothing else is said.
#[must_use]
pub fn default_subject() -> &'static str {
    let guests = guests();
    guests.first().unwrap_or(&BUILT_IN[0]).name()
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
