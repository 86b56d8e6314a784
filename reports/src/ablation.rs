//! What the detections of a planted bug owe to single checks and kinds of faults.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Of one bug.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Ablation {
    /// Detections that were looked into.
    pub detections: u64,
    /// Check: its part in them. A check that has none is there as well.
    pub checks: BTreeMap<String, Part>,
    /// Kind of fault, or rate of the weather, that was planned in some of them: its part.
    pub faults: BTreeMap<String, Part>,
}

/// The part that something has in a bug's detections.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Part {
    /// A check: how many it makes when nobody else judges. A fault: in how many it was planned.
    pub present: u64,
    /// How many are none without it.
    pub needed: u64,
}
