//! What broke: a check says so, or a contract panics.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does something; a panic is an error too, and says whether a contract is meant.
///
/// # Errors
/// What broke.
pub(crate) fn judged<T>(act: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| Err(said(panic)))
}

fn said(panic: Box<dyn Any + Send>) -> String {
    let text = match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic
            .downcast_ref::<&str>()
            .map_or_else(String::new, |text| (*text).to_owned()),
    };
    if text.starts_with("contract ") {
        text
    } else {
        format!("panic: {text}")
    }
}
