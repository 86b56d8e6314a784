//! Checkers.

pub mod linearizability;
