//! What a page shows, made of what a run's recorders kept, or of somebody's history.

pub mod explained;
pub mod history;
pub mod rows;
pub mod run;
pub mod spans;
