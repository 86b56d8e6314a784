//! The one place that joins the sweep to scenarios and subjects.

use crate::sweep::settings::Settings;
use crate::sweep::source::{Selection, Source};

/// The source of these settings, and the scenarios that they select.
///
/// # Errors
/// When a scenario cannot be read, or a subject or bug is unknown.
pub fn open(_: &Settings) -> Result<(Box<dyn Source>, Selection), String> {
    Err("there are no scenarios yet".to_owned())
}

/// Whether every scenario of the library can be read.
///
/// # Errors
/// What is wrong with those that cannot.
pub fn check_library() -> Result<(), String> {
    Ok(())
}
