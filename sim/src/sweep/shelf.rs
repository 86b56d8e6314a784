//! The one place that joins the sweep to scenarios and subjects.

use crate::sweep::settings::Settings;
use crate::sweep::source::{Selection, Source};

/// The source of these settings. The mix is read when it is first asked for.
///
/// # Errors
/// When a scenario that is named cannot be read, or a subject or bug is unknown.
pub fn open(_: &Settings) -> Result<Box<dyn Source>, String> {
    Err("there are no scenarios yet".to_owned())
}

/// The scenarios that these settings select.
///
/// # Errors
/// When one cannot be read.
pub fn select(_: &Settings) -> Result<Selection, String> {
    Err("there are no scenarios yet".to_owned())
}

/// Whether every scenario of the library can be read.
///
/// # Errors
/// What is wrong with those that cannot.
pub fn check_library() -> Result<(), String> {
    Ok(())
}
