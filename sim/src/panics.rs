//! Catching a panic of the subject together with the place where it happened, without a word on standard error.

use std::any::Any;
use std::cell::RefCell;
use std::panic;
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

/// Runs something that catches its panics, and gives the caught one with its place.
///
/// # Errors
/// The panic.
pub fn caught<T>(run: impl FnOnce() -> Result<T, Box<dyn Any + Send>>) -> Result<T, Caught> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let catches = CATCHING.with_borrow_mut(|catching| {
                let place = catching.as_mut()?;
                *place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
                Some(())
            });
            if catches.is_none() {
                before(info);
            }
        }));
    });
    let outer = CATCHING.replace(Some(None));
    let result = run();
    let place = CATCHING.replace(outer).flatten();
    result.map_err(|panic| {
        let message = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
        Caught { message: message.unwrap_or_else(|| "a panic without a message".to_owned()), place }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_and_place_are_caught() {
        let result = caught(|| panic::catch_unwind(|| assert_eq!(1, 1 + usize::from(std::hint::black_box(true)), "numbers")));
        let caught = result.expect_err("it panics");
        assert!(caught.message.contains("numbers") && caught.place.is_some_and(|place| place.contains("panics.rs")));
        assert!(super::caught(|| panic::catch_unwind(|| 7)).is_ok_and(|value| value == 7));
    }
}
