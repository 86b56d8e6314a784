//! A queue, first in first out.

use crate::history::recorded::{Asked, Outcome, Recorded};
use crate::history::spec::{Effect, Spec};
use crate::history::values::{ABSENT, Val};

/// An operation on a queue, and what came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueueOperation {
    /// A value was put at the end.
    Enqueue(Val),
    /// This value was at the front, and was taken.
    Dequeue(Val),
    /// The queue was empty.
    Empty,
    /// What was at the front was taken, whatever it was, if there was anything.
    Take,
}

impl QueueOperation {
    /// What an operation says and does; none if that is nothing.
    #[must_use]
    pub fn of(operation: &Recorded) -> Option<Self> {
        Some(match (operation.asked, operation.outcome) {
            (Asked::Enqueue(value), Outcome::Ok(_) | Outcome::Unknown) => Self::Enqueue(value),
            (Asked::Dequeue, Outcome::Ok(ABSENT)) => Self::Empty,
            (Asked::Dequeue, Outcome::Ok(value)) => Self::Dequeue(value),
            (Asked::Dequeue, Outcome::Unknown) => Self::Take,
            _ => return None,
        })
    }
}

/// The queue, which is empty at the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Queue;

impl Spec for Queue {
    type Operation = QueueOperation;
    /// The values, the front first.
    type State = Vec<Val>;

    fn initial(&self) -> Vec<Val> {
        Vec::new()
    }

    fn step(&self, state: &Vec<Val>, operation: &QueueOperation) -> Option<Vec<Val>> {
        let rest = || state.get(1..).unwrap_or_default().to_vec();
        match *operation {
            QueueOperation::Enqueue(value) => {
                let mut longer = Vec::with_capacity(state.len() + 1);
                longer.extend_from_slice(state);
                longer.push(value);
                Some(longer)
            }
            QueueOperation::Dequeue(value) => (state.first() == Some(&value)).then(rest),
            QueueOperation::Empty => state.is_empty().then(Vec::new),
            QueueOperation::Take => Some(rest()),
        }
    }

    fn effect(&self, operation: &QueueOperation) -> Effect {
        match operation {
            QueueOperation::Empty => Effect::Read,
            QueueOperation::Enqueue(_) | QueueOperation::Take => Effect::Total,
            QueueOperation::Dequeue(_) => Effect::Partial,
        }
    }

    fn heap(&self, state: &Vec<Val>) -> usize {
        state.capacity() * size_of::<Val>()
    }
}
