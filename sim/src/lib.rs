//! A deterministic simulation testing harness for consensus.

pub mod check;
pub mod choices;
pub mod cli;
pub mod history;
pub mod plan;
pub mod run;
pub mod scenario;
pub mod subject;
pub mod time;
pub mod trace;
