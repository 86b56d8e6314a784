//! The witness check: a given order is replayed, and either explains the history or does not.
//!
//! An order is a witness if it holds every operation of known outcome, if each step has its outcome
//! in the state that the steps before it left, and if no operation stands behind one that was
//! called only after it had returned. That takes one pass; the log's own order takes a sort as
//! well. A failure says nothing about the history, only about the order.

use crate::check::linearizability::machine::Machine;
use crate::check::linearizability::partition::{OPEN, Places, Step};
use crate::history::recorded::What;

/// Why an order is no witness.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refuted {
    /// An operation of known outcome has no place in it.
    Missing {
        /// The operation.
        operation: u32,
    },
    /// Two operations stand the wrong way round: `later` returned before `earlier` was called.
    RealTime {
        /// The one that stands first.
        earlier: u32,
        /// The one that stands behind it.
        later: u32,
    },
    /// An operation does not have its outcome in the state at its place.
    Reply {
        /// The operation.
        operation: u32,
    },
}

impl Refuted {
    /// The same with other names for the operations.
    #[must_use]
    pub fn map(self, name: impl Fn(u32) -> u32) -> Self {
        match self {
            Self::Missing { operation } => Self::Missing {
                operation: name(operation),
            },
            Self::Reply { operation } => Self::Reply {
                operation: name(operation),
            },
            Self::RealTime { earlier, later } => Self::RealTime {
                earlier: name(earlier),
                later: name(later),
            },
        }
    }
}

/// Replays an order.
///
/// # Errors
/// The first thing that keeps it from being a witness.
pub fn replay<K: Machine>(machine: &mut K, steps: &[Step], order: &[u32]) -> Result<(), Refuted> {
    let mut state = machine.initial();
    let mut latest: Option<u32> = None;
    let mut known = 0;
    for &operation in order {
        let step = &steps[operation as usize];
        if let Some(earlier) = latest
            && step.ret < steps[earlier as usize].call
        {
            return Err(Refuted::RealTime {
                earlier,
                later: operation,
            });
        }
        if latest.is_none_or(|earlier| steps[earlier as usize].call < step.call) {
            latest = Some(operation);
        }
        known += usize::from(step.ret != OPEN);
        state = machine
            .step(state, operation, 0)
            .ok_or(Refuted::Reply { operation })?;
    }
    if known == steps.iter().filter(|step| step.ret != OPEN).count() {
        return Ok(());
    }
    let mut placed = vec![false; steps.len()];
    for &operation in order {
        placed[operation as usize] = true;
    }
    let operation = (0u32..)
        .zip(steps)
        .find(|(at, step)| step.ret != OPEN && !placed[*at as usize])
        .map_or(0, |(at, _)| at);
    Err(Refuted::Missing { operation })
}

/// The log's order: by place; at the same place reads behind what they follow, and among themselves
/// by their calls. Unknown operations without a place did not take effect.
///
/// # Errors
/// An operation of known outcome without a place, so that there is no such order.
pub fn log_order(steps: &[Step], places: Places<'_>) -> Result<Vec<u32>, Refuted> {
    let mut placed = Vec::with_capacity(steps.len());
    for (operation, step) in (0u32..).zip(steps) {
        match places(step.id) {
            Some(place) => placed.push((
                place,
                matches!(step.what, What::Read(_) | What::Differs(_)),
                operation,
            )),
            None if step.ret == OPEN => {}
            None => return Err(Refuted::Missing { operation }),
        }
    }
    if !placed.is_sorted() {
        // Steps are in the order of their calls, which decides among equals.
        placed.sort();
    }
    Ok(placed
        .into_iter()
        .map(|(_, _, operation)| operation)
        .collect())
}
