//! What clients did and saw.

pub mod input;
pub mod jsonl;
pub mod operation;
pub mod recorded;
pub mod spec;
pub mod table;
pub mod values;
