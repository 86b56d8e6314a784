//! What every adapter of an engine needs and no engine is about: a dialect, a machine, exactly-once,
//! a durable file, an order of outputs. Take what is of use.
//!
//! - [`dialect`]: what clients say and hear, where the engine has no client protocol of its own, and
//!   the bytes of a command for a replicated log;
//! - [`key_value`]: the state machine that the commands mean;
//! - [`answered`]: what was answered to whom, so that a retried command is done once;
//! - [`in_order`]: a synchronous engine on an asynchronous disk;
//! - [`cell`]: a durable cell: all of a small state in one file, always whole;
//! - [`frame`]: packed words and strings, with a checksum.

pub mod answered;
pub mod cell;
pub mod dialect;
pub mod frame;
pub mod in_order;
pub mod key_value;
