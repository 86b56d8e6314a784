//! Catching a panic together with the place where it happened, without a word on standard error.
//! Panics that nobody catches here are shown as ever.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// A panic that was caught.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caught {
    /// What it said.
    pub message: String,
    /// File and line.
    pub place: Option<String>,
}

thread_local! {
    /// The place of the last panic, while somebody catches.
    static CATCHING: RefCell<Option<Option<String>>> = const { RefCell::new(None) };
}

impl std::fmt::Display for Caught {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{} ({place})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Whether this place is in Synod's own sources and not in one of its subjects. What those of another
/// package are called does not matter: a compiler calls all files of a package alike.
#[must_use]
pub fn is_own(place: &str) -> bool {
    let here = file!().replace('\\', "/");
    let sources = here.trim_end_matches("panics.rs");
    let reports = format!("{}reports/src/", sources.trim_end_matches("sim/src/"));
    let own = place.strip_prefix(sources);
    own.is_some_and(|file| !file.starts_with("subject/")) || place.starts_with(&reports)
}

/// Runs something, and gives its panic with its place. What it was changing when it panicked may be
/// half changed.
///
/// # Errors
/// The panic.
pub fn caught<T>(run: impl FnOnce() -> T) -> Result<T, Caught> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let catches = CATCHING.with_borrow_mut(|catching| {
                let place = catching.as_mut()?;
                *place = info
                    .location()
                    .map(|at| format!("{}:{}", at.file().replace('\\', "/"), at.line()));
                Some(())
            });
            if catches.is_none() {
                before(info);
            }
        }));
    });
    let outer = CATCHING.replace(Some(None));
    let result = catch_unwind(AssertUnwindSafe(run));
    let place = CATCHING.replace(outer).flatten();
    result.map_err(|panic| {
        let message = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Caught {
            message: message.unwrap_or_else(|| "a panic without a message".to_owned()),
            place,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_sources_are_not_ours_whatever_they_are_called() {
        let here = file!().replace('\\', "/");
        assert!(is_own(&format!("{here}:7")));
        for other in [
            "/home/me/sim/src/panics.rs:7",
            "src/sim/src/world/network.rs:7",
            "engine/src/roles/acceptor.rs:7",
            &here.replace("panics.rs", "subject/primary_copy.rs:7"),
        ] {
            assert!(!is_own(other), "{other}");
        }
        assert!(is_own(
            &here.replace("sim/src/panics.rs", "reports/src/record.rs:7")
        ));
    }

    #[test]
    fn message_and_place_are_caught() {
        let result =
            caught(|| assert_eq!(1, 1 + usize::from(std::hint::black_box(true)), "numbers"));
        let caught = result.expect_err("it panics");
        assert!(
            caught.message.contains("numbers")
                && caught
                    .place
                    .is_some_and(|place| place.contains("panics.rs"))
        );
        assert!(super::caught(|| 7).is_ok_and(|value| value == 7));
    }
}
