//! Searches the schedules of a few typed replicas: which message comes next, which never, whose
//! patience ends, what is durable when.
//!
//! The simulator's runs are whole: bytes, disks, clocks, clients, and weather that is drawn. What is
//! rare there (an election within an election, with the right messages late) takes more seeds than
//! anybody has. Here are only the roles, so that a step costs microseconds and a fork is cheap, and
//! the search goes on from where it has been least.
//!
//! - [`cluster`]: replicas, the messages under way between them, and the actions that there are.
//! - [`ledger`]: what observers know to be true, and what breaks it: agreement, safety of proposals,
//!   truth of what is said.
//! - [`features`]: how a state differs from others, by one replica and by a pair.
//! - [`mood`]: what an excursion likes to happen.
//! - [`search`]: an archive of states, and excursions from the rarest.
//! - [`shrink`]: the few actions that matter.
//! - [`worlds`]: every state of a small world, where a search by chance says nothing of what it did
//!   not meet.
//!
//! A search is a function of its seed and of the number of its steps; a way that it found replays.

mod broken;
pub mod cluster;
pub mod features;
pub mod ledger;
pub mod mood;
pub mod search;
pub mod shrink;
pub mod sort;
pub mod worlds;
