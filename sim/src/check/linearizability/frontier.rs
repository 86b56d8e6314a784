//! Where a search stands between two parts of a history: all that the part before says about the
//! part behind.
//!
//! With it the settled part can be forgotten.

use crate::check::linearizability::machine::Machine;

/// Every way in which the part before can have ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frontier {
    /// How many operations were open: the first events of the part behind are their calls.
    pub open: usize,
    /// The ways.
    pub points: Vec<Point>,
    /// The unknown operations that still matter.
    pub unknown: Vec<u32>,
}

/// One way in which the part before can have ended. Operations have the numbers of the part that is
/// searched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Point {
    /// The machine's state.
    pub state: u32,
    /// Unknown operations that took effect.
    pub used: Vec<u32>,
    /// Open operations that may be regarded as done.
    pub done: Vec<u32>,
    /// Open operations that may be regarded as not done. Some may be regarded as either.
    pub undone: Vec<u32>,
}

impl Frontier {
    /// Before everything.
    pub fn start<K: Machine>(machine: &K) -> Self {
        let point = Point {
            state: machine.initial(),
            used: Vec::new(),
            done: Vec::new(),
            undone: Vec::new(),
        };
        Self {
            open: 0,
            points: vec![point],
            unknown: Vec::new(),
        }
    }
}
