//! The simulated world.

pub mod disk;
pub mod ledger;
