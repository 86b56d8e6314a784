//! Who judges a run: one checker a file, and the suite that tells them all.

pub mod agreement;
pub mod appends;
pub mod ballots;
pub mod before_durable;
pub mod checker;
pub mod chunked;
pub mod convergence;
pub mod durability;
pub mod exactly_once;
pub mod ghost;
pub mod jury;
pub mod linearizability;
pub mod prefix;
pub mod progress;
pub mod roster;
pub mod session_order;
pub mod signal;
pub mod stability;
pub mod suite;
