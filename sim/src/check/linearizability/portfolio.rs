//! Both searches on one history, in turns, under one budget.
//!
//! The breadth-first search alone is at work as long as it gets on. Once it does many steps for an
//! event, the depth-first search is given as many; after that they take turns, each turn longer
//! than the last, so that the one that would end first does so at the cost of a few times its own.
//! Turns are counted in steps, so that everything happens again on every machine.

use crate::check::linearizability::budget::Budget;
use crate::check::linearizability::depth::Depth;
use crate::check::linearizability::machine::Machine;
use crate::check::linearizability::mask::Mask;
use crate::check::linearizability::partition::Step;
use crate::check::linearizability::search::{Ending, Line, Remember, Search, widest};

/// Which search came to the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The one that keeps all configurations.
    Breadth,
    /// The one that follows one of them.
    Depth,
}

/// How a search ended, whose it was, and how many steps all took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Searched {
    /// The ending.
    pub ending: Ending,
    /// Who reached it.
    pub part: Part,
    /// The steps of both.
    pub steps: u64,
}

/// With so many steps for each event the breadth-first search gets on.
const EASY: u64 = 32;

/// The shortest turn, in steps.
const TURN: u64 = 1 << 12;

/// Searches from the start to the end. An order is given only by the depth-first search.
pub fn both<K: Machine>(
    machine: &mut K,
    steps: &[Step],
    events: &[u32],
    budget: Budget,
) -> Searched {
    let line = Line { steps, events };
    match widest(steps, events) {
        0..=64 => turns::<K, [u64; 1]>(machine, line, 64, budget),
        65..=256 => turns::<K, [u64; 4]>(machine, line, 256, budget),
        places => turns::<K, Vec<u64>>(machine, line, places, budget),
    }
}

fn turns<K: Machine, M: Mask>(
    machine: &mut K,
    line: Line<'_>,
    places: usize,
    budget: Budget,
) -> Searched {
    let mut breadth = Search::<K, M>::new(machine, line, places, Remember::Verdict, budget);
    let mut depth: Option<Depth<'_, M>> = None;
    let mut exhausted = [None; 2];
    loop {
        let worked = depth.as_ref().map_or(0, Depth::work);
        let taken = depth.as_ref().map_or(0, Depth::bytes);
        if exhausted[0].is_none() {
            breadth.budget = Budget {
                steps: budget.steps.saturating_sub(worked),
                bytes: budget.bytes.saturating_sub(taken),
            };
            let turn = TURN.max(breadth.work / 4);
            match breadth.advance(breadth.work + turn) {
                Some(Ending::Exhausted(reason)) => {
                    breadth.forget_everything();
                    exhausted[0] = Some(reason);
                }
                Some(ending) => {
                    return Searched {
                        ending,
                        part: Part::Breadth,
                        steps: breadth.work + worked,
                    };
                }
                None => {}
            }
            if exhausted[0].is_none() && breadth.work <= EASY * breadth.passed() as u64 + TURN {
                continue;
            }
        }
        if exhausted[1].is_none() {
            // The machine's states serve both.
            let others = breadth.bytes() - breadth.machine.bytes();
            let left = budget.bytes.saturating_sub(others);
            let depth = depth.get_or_insert_with(|| {
                Depth::new(breadth.machine, line, places, Remember::Verdict, budget)
            });
            depth.budget = Budget {
                steps: budget.steps.saturating_sub(breadth.work),
                bytes: if exhausted[0].is_none() {
                    left / 2
                } else {
                    left
                },
            };
            let until = match exhausted[0] {
                None => breadth.work,
                Some(_) => depth.work() + TURN.max(depth.work() / 4),
            };
            match depth.advance(breadth.machine, until) {
                Some(Ending::Exhausted(reason)) => {
                    depth.forget_everything();
                    exhausted[1] = Some(reason);
                }
                Some(ending) => {
                    return Searched {
                        ending,
                        part: Part::Depth,
                        steps: breadth.work + depth.work(),
                    };
                }
                None => {}
            }
        }
        if let [Some(reason), Some(_)] = exhausted {
            return Searched {
                ending: Ending::Exhausted(reason),
                part: Part::Breadth,
                steps: breadth.work + depth.as_ref().map_or(0, Depth::work),
            };
        }
    }
}
