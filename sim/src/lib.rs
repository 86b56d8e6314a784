//! A deterministic simulation testing harness for consensus.

pub mod choices;
pub mod cli {
    //! The `synod` command.
    pub mod scenario;
}
pub mod history;
pub mod plan;
pub mod run;
pub mod scenario;
pub mod subject;
pub mod time;
pub mod trace;
