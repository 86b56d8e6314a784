//! From TOML to a scenario.

pub mod fault;
