//! Operations that contradict each other: why a history of values that are written once is not
//! linearizable, or one of any object in which a value came back that nobody made.

use crate::history::values::Val;

/// Operations that cannot all have happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contradiction {
    /// It found a value that nothing made, or made twice over.
    Unwritten {
        /// The operation.
        operation: u32,
    },
    /// The first must stand before the second, which returned before the first was called.
    Backwards {
        /// The one that must stand first.
        first: u32,
        /// The one that returned too early.
        second: u32,
    },
    /// It found a value in a register, a set or a queue where nobody can have put it by then.
    Unmade {
        /// The operation.
        operation: u32,
        /// The register; absent for all of a set or a queue. This and the value are those of the
        /// history.
        place: Val,
        /// The value.
        value: Val,
    },
    /// Two operations made different things of one version.
    Forked {
        /// One of them.
        one: u32,
        /// The other.
        other: u32,
    },
    /// Between `from` and `to` one value must have been there all the time, and yet another must
    /// have been there within that time: the block of `from` and `to` has to stand before that of
    /// `other_from` and `other_to`, and behind it.
    Torn {
        /// The earliest to return of the first block.
        from: Option<u32>,
        /// The latest to be called of the first block.
        to: u32,
        /// The earliest to return of the other block.
        other_from: Option<u32>,
        /// The latest to be called of the other block.
        other_to: u32,
    },
    /// It found another value, while that one must have been there all the time.
    Differs {
        /// The operation.
        operation: u32,
        /// Who saw the value after it.
        witness: u32,
    },
}

impl Contradiction {
    /// The operations of it.
    #[must_use]
    pub fn operations(&self) -> Vec<u32> {
        match *self {
            Self::Unwritten { operation } | Self::Unmade { operation, .. } => vec![operation],
            Self::Backwards {
                first: one,
                second: other,
            }
            | Self::Forked { one, other }
            | Self::Differs {
                operation: one,
                witness: other,
            } => {
                vec![one, other]
            }
            Self::Torn {
                from,
                to,
                other_from,
                other_to,
            } => from
                .into_iter()
                .chain([to])
                .chain(other_from)
                .chain([other_to])
                .collect(),
        }
    }

    /// The same with other names for the operations.
    #[must_use]
    pub fn map(self, name: impl Fn(u32) -> u32) -> Self {
        match self {
            Self::Unwritten { operation } => Self::Unwritten {
                operation: name(operation),
            },
            Self::Unmade {
                operation,
                place,
                value,
            } => Self::Unmade {
                operation: name(operation),
                place,
                value,
            },
            Self::Backwards { first, second } => Self::Backwards {
                first: name(first),
                second: name(second),
            },
            Self::Forked { one, other } => Self::Forked {
                one: name(one),
                other: name(other),
            },
            Self::Differs { operation, witness } => Self::Differs {
                operation: name(operation),
                witness: name(witness),
            },
            Self::Torn {
                from,
                to,
                other_from,
                other_to,
            } => Self::Torn {
                from: from.map(&name),
                to: name(to),
                other_from: other_from.map(&name),
                other_to: name(other_to),
            },
        }
    }
}
