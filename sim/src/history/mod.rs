//! What clients did and saw.

pub mod operation;
