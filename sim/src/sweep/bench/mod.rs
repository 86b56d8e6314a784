//! Figures of speed: how each is measured. How much of what is measured is the caller's to say.
//!
//! [`mix`] measures whole sweeps of the mix, with worker processes.

pub mod mix;
