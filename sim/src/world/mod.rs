//! The simulated world: everything that is not the subject.

mod active;
pub mod agenda;
mod aimed;
mod attempts;
pub mod audit;
mod bookmark;
mod busy;
mod client;
mod clients;
pub mod clock;
mod connecting;
mod cut;
mod digest;
pub mod disk;
mod due;
mod features;
mod fencing;
mod holders;
pub mod ledger;
mod life;
mod nemesis;
mod network;
mod node;
mod overrides;
mod partition;
pub mod pinging;
pub mod pledge;
mod report;
mod roles;
mod script;
mod service;
mod sessions;
mod stage;
mod steps;
mod strikes;
pub mod tally;
mod votes;
pub mod watch;
mod workload;
#[expect(
    clippy::module_inception,
    reason = "the world itself is one file of the folder of its parts"
)]
pub mod world;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
