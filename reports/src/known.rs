//! Failures that are known: counted apart for as long as somebody answers for them, and never silent.

use serde::{Deserialize, Serialize};

/// A known failure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Known {
    /// Which: as a summary names it.
    pub fingerprint: String,
    /// Why it does not count, for people: an issue, a name.
    pub reason: String,
    /// The last day on which it does not count, as YYYY-MM-DD in UTC.
    pub until: String,
    /// Runs that failed so.
    #[serde(default)]
    pub runs: u64,
}

impl Known {
    /// In a line.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self {
            fingerprint,
            reason,
            until,
            runs,
        } = self;
        let came = match runs {
            0 => "did not come".to_owned(),
            1 => "came in 1 run".to_owned(),
            runs => format!("came in {runs} runs"),
        };
        format!("known until {until}, {came} and does not count: {fingerprint}: {reason}")
    }
}
