//! What a Synod run looks like to a person or a machine. Knows no simulator.

pub mod record;
