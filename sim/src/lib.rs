//! A deterministic simulation testing harness for consensus.

pub mod choices;
pub mod history;
pub mod panics;
pub mod plan;
pub mod run;
pub mod scenario;
pub mod subject;
pub mod time;
pub mod trace;
pub mod verdict;
pub mod world;
