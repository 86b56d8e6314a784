//! The roles of Multi-Paxos. No role imports another; the [`replica`](crate::replica) joins them.

pub mod acceptor;
pub mod elector;
pub mod executor;
pub mod learner;
pub mod librarian;
pub mod proposer;
