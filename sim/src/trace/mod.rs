//! What happened in a run.

pub mod about;
pub mod event;
pub mod observer;
pub mod portrait;
pub mod recorder;
pub mod shown;
pub mod spacetime;
pub mod tale;
