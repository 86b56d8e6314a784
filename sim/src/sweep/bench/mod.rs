//! Figures of speed: how each is measured. How much of what is measured is the caller's to say.
//!
//! [`alone`] measures one thread at work: the kernel, a cluster under faults, an idle one, copies.
//! [`mix`] measures whole sweeps of the mix, with worker processes.

pub mod alone;
pub mod mix;
