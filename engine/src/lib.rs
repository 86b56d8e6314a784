//! A sans-IO multi-Paxos replicated state library: no threads, no clock, no randomness of its own.
//!
//! [`node::Node`] speaks bytes and files, and is what a host runs; inside it a [`replica::Replica`]
//! speaks typed messages and records, and joins the roles, after the decomposition of IronRSL:
//! acceptor, proposer, learner, executor, elector, librarian.

#![deny(clippy::float_arithmetic)]

pub mod bugs;
pub mod codec;
pub mod command;
pub mod config;
pub mod contract;
pub mod dice;
pub mod effects;
pub mod fact;
pub mod ids;
pub mod io;
pub mod key_value;
pub mod log;
pub mod message;
pub mod node;
pub mod outbox;
pub mod probe;
pub mod record;
pub mod recovered;
pub mod replica;
pub mod roles;
pub mod slots;
pub mod sorted;
pub mod state_machine;
pub mod time;
