//! Many runs: which ones, in which processes, in what order they are told, and what they add up to.
//!
//! [`settings`] says what is swept. [`source`] makes plans of it and runs them, and [`shelf`] is
//! the source that the scenarios are behind; [`job`] is one run with all that a sweep wants of it;
//! [`endings`] name what no check of it finds, and [`lost`] is one without an end. [`roster`] numbers the runs. A [`worker`] is a
//! process that does jobs in a [`memory`] of its own, a [`child`] is a worker as its parent sees it,
//! a [`pool`] keeps several of them busy and outlives their deaths, and [`order`] puts what comes
//! back into seed order. [`repeats`] are made of what fails. [`coordinator`] joins these into a
//! sweep that writes its [`folder`], of which the [`old`] ones go; [`shrinking`] makes its failures [`smaller`], and [`merge`] joins
//! the folders of shards.
//!
//! Outside a run: clocks, threads and the environment are used here, and nothing of them reaches a
//! run.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the sweep is the host: it watches the wall clock, starts threads and processes"
)]

pub mod ablation;
pub mod applying;
pub mod bench;
pub mod calendar;
pub mod child;
pub mod coordinator;
pub mod cost;
pub mod endings;
#[cfg(test)]
pub mod fake;
pub mod file;
pub mod folder;
pub mod golden;
#[cfg(all(test, target_os = "linux"))]
pub mod hoarder;
pub mod hunt;
pub mod job;
pub mod known;
pub mod lost;
pub mod memory;
pub mod merge;
pub mod old;
pub mod order;
pub mod pool;
pub mod repeats;
pub mod roster;
pub mod seeds;
pub mod settings;
pub mod shelf;
pub mod shrinking;
pub mod smaller;
pub mod source;
pub mod trials;
pub mod tryout;
pub mod worker;
