//! The port's files: what a replica that does no I/O of its own asks of its host's disk, and how that
//! ends.
//!
//! The engine asks and the simulator answers in these types, so nothing is converted on the way. The
//! crate is the ground floor: it depends on nothing, names neither side, and does nothing itself.
//! Inputs, outputs and clocks are not here; each side has its own.

#![deny(clippy::float_arithmetic)]

pub mod files;
