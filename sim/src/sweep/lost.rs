//! Runs that do not come to an end by themselves: what they are called, and the line that stands for
//! them in the results.
//!
//! Such a run is the verdict `lost`. It says nothing about a property, and nothing about a panic of
//! the subject, which would have been caught. A run is held to be lost when a fresh worker, which
//! has made no other run, does not come back from it either; a hang, which is measured in CPU time,
//! counts at once.

use synod_reports::line::ResultLine;
use synod_reports::record::{RunRecord, Verdict};

/// The check of a run that does not end.
pub const HANG: &str = "hang";

/// How a worker's line begins that says why it gives up a run.
pub const ENDLESS: &str = "endless: ";

/// The check of a run that its worker died of.
pub const CRASH: &str = "crash";

pub use crate::verdict::OUT_OF_MEMORY;

/// The line of a run that is lost.
#[must_use]
pub fn line(scenario: &str, seed: u64, check: &str, message: String) -> ResultLine {
    ResultLine::new(RunRecord {
        check: Some(check.to_owned()),
        message: Some(message),
        ..RunRecord::blank(scenario, seed, Verdict::Lost)
    })
}
