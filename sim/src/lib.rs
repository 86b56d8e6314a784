//! A deterministic simulation testing harness for consensus.

pub mod build;
pub mod check;
pub mod choices;
pub mod cli;
pub mod explain;
pub mod glossary;
pub mod history;
pub mod ids;
pub mod page;
pub mod panics;
pub mod plan;
pub mod prelude;
pub mod run;
pub mod scenario;
pub mod shrink;
pub mod subject;
pub mod sweep;
pub mod testing;
pub mod time;
pub mod trace;
pub mod verdict;
pub mod vigil;
pub mod world;
