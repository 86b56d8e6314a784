//! What runs end by that no check of a run finds.

/// The check of a panic that is the simulator's own.
pub const HARNESS: &str = "harness";

/// The check of two unequal outcomes of one run.
pub const DETERMINISM: &str = "determinism";
