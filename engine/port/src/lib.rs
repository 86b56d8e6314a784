//! The port between a replica that does no I/O of its own and whoever hosts it: bytes and files.
//!
//! The engine is stepped through these types and the simulator hosts through them, so nothing is
//! converted on the way. The crate is the ground floor: it depends on nothing, names neither side,
//! and holds no behaviour.

#![deny(clippy::float_arithmetic)]

pub mod files;
