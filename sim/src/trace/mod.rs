//! What happened in a run.

pub mod event;
pub mod observer;
pub mod recorder;
pub mod tale;
