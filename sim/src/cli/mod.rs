//! The `synod` command.

pub mod check_history;
