//! Who judges a run: one checker a file, and the suite that tells them all.

pub mod agreement;
pub mod answers;
pub mod appends;
pub mod ballots;
pub mod before_durable;
pub mod checker;
pub mod chunked;
pub mod convergence;
pub mod durability;
pub mod exactly_once;
pub mod ghost;
pub mod grants;
pub mod jury;
pub mod linearizability;
pub mod log_order;
pub mod prefix;
pub mod progress;
pub mod promises;
pub mod proposals;
pub mod roster;
pub mod session_order;
pub mod signal;
pub mod stability;
pub mod suite;
pub mod tallies;
