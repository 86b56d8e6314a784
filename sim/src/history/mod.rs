//! What clients did and saw.

pub mod input;
pub mod jsonl;
pub mod multi_register;
pub mod operation;
pub mod queue;
pub mod recorded;
pub mod set;
pub mod spec;
pub mod table;
pub mod values;
