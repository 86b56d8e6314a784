//! Linearizability of recorded histories.
//!
//! A history is linearizable if its operations can be put in one order that respects real time
//! (what returned before another was called stands before it) and that the sequential specification
//! could have produced (Herlihy and Wing, 1990). Intervals are closed; an operation of unknown
//! outcome may take effect at any time after its call, or never. Histories are checked key by key,
//! which is enough.
//!
//! - `partition` puts the operations of one key on a line;
//! - `witness` replays the order that the log gives;
//! - `zones` decides histories of unique values in n log n;
//! - `search` (breadth first) and `depth` (depth first) decide everything, for any specification
//!   (`machine`), with the built-in register (`register`) knowing the future; `portfolio` gives them
//!   turns, under one `budget`;
//! - `restriction` checks what zones say by a search over the values in question alone, and finds
//!   the values that zones can judge though others are written twice;
//! - `plain` is the yardstick, and the second opinion;
//! - `chain` tries them in that order, `check` does so for each key, and `answer` says why not;
//! - `models` checks sets, queues and registers of transactions: by what nobody can have made
//!   (`unmade`), by their unique values in n log n (`set_order`, `queue_order`), or else by both
//!   searches;
//! - `online` holds a history that is still being made;
//! - `aftermath` judges the reads that audits add to one history;
//! - `generate` makes large histories to measure with, and `pending` those that are hard.

pub mod aftermath;
pub mod answer;
pub mod budget;
pub mod chain;
mod chains;
pub mod check;
pub mod contradiction;
pub mod depth;
#[cfg(test)]
mod exact;
mod explore;
pub mod generate;
pub mod machine;
pub mod mask;
pub mod models;
pub mod online;
pub mod partition;
mod path;
pub mod pending;
pub mod plain;
pub mod portfolio;
mod queue_order;
pub mod register;
pub mod repair;
pub mod restriction;
mod room;
pub mod search;
mod set_order;
#[cfg(test)]
mod small;
#[cfg(test)]
mod small_objects;
#[cfg(test)]
mod tests;
mod unmade;
mod used;
pub mod witness;
pub mod zones;
