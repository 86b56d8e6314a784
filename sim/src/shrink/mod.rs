//! From a run that fails to a short reproducer that fails the same check.
//!
//! A [`case`] says what must fail, and tries plans. [`brief`] writes a plan in as few lines as the
//! format allows, and reads it back: what is tried is always what can be written. [`edits`] and
//! [`faults`] make smaller plans out of one, [`amounts`] rounder ones, `instead` puts one fault in the
//! place of many, and [`decisions`] swaps the weather for the few decisions of it that matter.
//! [`search`] goes through all of them until nothing helps any more, and [`labels`] says of what is
//! left which of it is needed.
//!
//! What is found depends on the plan, the goal and the budget, which counts events. It does not depend
//! on how many threads try plans, nor on the clock, which can only end the search.

pub mod amounts;
pub mod brief;
pub mod case;
pub mod decisions;
pub mod edits;
pub mod faults;
mod instead;
pub mod labels;
pub mod search;
#[cfg(test)]
mod tests;
