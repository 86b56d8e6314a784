//! A recorded history: operations with their intervals and what came back, compact enough for
//! millions of them.
//!
//! Intervals are closed: two operations of which one ends at the time at which the other begins
//! overlap. What an operation says about the state, if anything, is its [`What`]; all checking
//! starts from there.

use std::num::NonZeroU64;

use crate::history::values::{ABSENT, Val, Values};

/// The time of a return that never came.
pub const NEVER: u64 = u64::MAX;

/// What was asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Asked {
    /// Read the value.
    Read,
    /// Set the value.
    Write(Val),
    /// Append to the value; the absent one counts as empty.
    Append(Val),
    /// Set the value to `new` if it is `expected`.
    Cas {
        /// What must be there.
        expected: Val,
        /// What is set.
        new: Val,
    },
    /// Make the value absent.
    Delete,
    /// Put a value at the end of a queue.
    Enqueue(Val),
    /// Take what is at the front of a queue.
    Dequeue,
    /// Put a value into a set.
    Add(Val),
    /// Take a value out of a set.
    Remove(Val),
    /// Whether a value is in a set.
    Contains(Val),
    /// A list of reads and writes of registers: `["read", key]` and `["write", key, value]`.
    Txn(Val),
}

impl Asked {
    /// Its kind, in the word that a history has for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write(_) => "write",
            Self::Append(_) => "append",
            Self::Cas { .. } => "cas",
            Self::Delete => "delete",
            Self::Enqueue(_) => "enqueue",
            Self::Dequeue => "dequeue",
            Self::Add(_) => "add",
            Self::Remove(_) => "remove",
            Self::Contains(_) => "contains",
            Self::Txn(_) => "txn",
        }
    }
}

/// What came back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// It took effect, with this answer; absent where there is none. A read of a set answers with
    /// a list, a transaction with itself and what it read: `["read", key, value]`.
    Ok(Val),
    /// It had no effect, and nothing is known about the state.
    Fail,
    /// It had no effect, and this value was there.
    Saw(Val),
    /// A compare-and-set found another value than it expected.
    Mismatch,
    /// Nothing is known: it may take effect at any later time, or never.
    Unknown,
}

/// The place in the log that ordered an operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place(NonZeroU64);

impl Place {
    /// Slots from here on cannot be told.
    pub const SLOT_END: u64 = 1 << 48;
    const AFTER: u64 = 0xffff;

    /// The place of a command in its slot's batch. An index of 65535 stands behind the whole slot.
    #[must_use]
    pub const fn new(slot: u64, index: u16) -> Self {
        let slot = if slot < Self::SLOT_END {
            slot
        } else {
            Self::SLOT_END - 1
        };
        Self(NonZeroU64::MIN.saturating_add(slot << 16 | index as u64))
    }

    /// Behind everything in this slot: where a read stands that saw the log up to it.
    #[must_use]
    pub const fn after(slot: u64) -> Self {
        Self::new(slot, 0xffff)
    }

    /// The slot.
    #[must_use]
    pub const fn slot(self) -> u64 {
        (self.0.get() - 1) >> 16
    }

    /// The index in the slot's batch; none behind the slot.
    #[must_use]
    pub fn index(self) -> Option<u16> {
        let index = (self.0.get() - 1) & Self::AFTER;
        if index == Self::AFTER {
            None
        } else {
            u16::try_from(index).ok()
        }
    }
}

/// What an operation says about the state at the moment at which it took effect, and does to it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum What {
    /// The state was this.
    Read(Val),
    /// The state was not this.
    Differs(Val),
    /// The state became this.
    Write(Val),
    /// This was appended to the state.
    Append(Val),
    /// The state was `expected` and became `new`.
    Cas {
        /// What was there.
        expected: Val,
        /// What is there now.
        new: Val,
    },
}

/// One operation of a recorded history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// When it was called.
    pub call: u64,
    /// When it returned; [`NEVER`] if its outcome is unknown.
    pub ret: u64,
    /// The log's place, where it is known.
    pub place: Option<Place>,
    /// What was asked.
    pub asked: Asked,
    /// What came back.
    pub outcome: Outcome,
    /// Who asked: an index into [`History::processes`].
    pub process: u32,
    /// Of which key: an index into [`History::keys`].
    pub key: u32,
    /// The lines of the call and of the return in the input; zero for none.
    pub lines: [u32; 2],
}

impl Recorded {
    /// What it says of a register and does to it; none if that is nothing: a failure without a
    /// reason, a read without an answer, or an operation on something else.
    #[must_use]
    pub fn what(&self) -> Option<What> {
        let definite = match self.outcome {
            Outcome::Fail => return None,
            Outcome::Saw(value) => return Some(What::Read(value)),
            Outcome::Mismatch => match self.asked {
                Asked::Cas { expected, .. } => return Some(What::Differs(expected)),
                _ => return None,
            },
            Outcome::Ok(_) => true,
            Outcome::Unknown => false,
        };
        Some(match (self.asked, self.outcome) {
            (Asked::Read, Outcome::Ok(value)) => What::Read(value),
            (Asked::Read, _) => return None,
            (Asked::Write(value), _) => What::Write(value),
            (Asked::Delete, _) => What::Write(ABSENT),
            (Asked::Append(value), _) => What::Append(value),
            // It changes nothing: a read if it is known to have succeeded, and nothing at all
            // otherwise.
            (Asked::Cas { expected, new }, _) if expected == new && definite => {
                What::Read(expected)
            }
            (Asked::Cas { expected, new }, _) if expected == new => return None,
            (Asked::Cas { expected, new }, _) => What::Cas { expected, new },
            (
                Asked::Enqueue(_)
                | Asked::Dequeue
                | Asked::Add(_)
                | Asked::Remove(_)
                | Asked::Contains(_)
                | Asked::Txn(_),
                _,
            ) => return None,
        })
    }
}

/// A recorded history.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The operations, in the order of their calls in the input.
    pub operations: Vec<Recorded>,
    /// The values and keys that they name.
    pub values: Values,
    /// What each key is called; a history of one register has one key, whose name is absent.
    pub keys: Vec<Val>,
    /// What each process is called.
    pub processes: Vec<i64>,
    /// The value of every key at the start.
    pub initial: Val,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(asked: Asked, outcome: Outcome) -> Option<What> {
        Recorded {
            call: 0,
            ret: 1,
            place: None,
            asked,
            outcome,
            process: 0,
            key: 0,
            lines: [0; 2],
        }
        .what()
    }

    #[test]
    fn a_failure_says_only_what_it_carries() {
        let cas = Asked::Cas {
            expected: Val(1),
            new: Val(2),
        };
        assert_eq!(outcome(cas, Outcome::Fail), None);
        assert_eq!(outcome(cas, Outcome::Saw(Val(3))), Some(What::Read(Val(3))));
        assert_eq!(outcome(cas, Outcome::Mismatch), Some(What::Differs(Val(1))));
        assert_eq!(outcome(Asked::Write(Val(1)), Outcome::Fail), None);
        assert_eq!(outcome(Asked::Read, Outcome::Unknown), None);
    }

    #[test]
    fn a_swap_for_itself_is_a_read() {
        let cas = Asked::Cas {
            expected: Val(1),
            new: Val(1),
        };
        assert_eq!(outcome(cas, Outcome::Ok(ABSENT)), Some(What::Read(Val(1))));
        assert_eq!(outcome(cas, Outcome::Unknown), None);
    }

    #[test]
    fn places_are_ordered_by_slot_then_index() {
        assert!(Place::new(1, 3) < Place::after(1) && Place::after(1) < Place::new(2, 0));
        assert_eq!(
            (
                Place::new(7, 3).slot(),
                Place::new(7, 3).index(),
                Place::after(7).index()
            ),
            (7, Some(3), None)
        );
    }
}
