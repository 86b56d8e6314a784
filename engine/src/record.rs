//! What a replica writes into its log. Promises live in files of their own (`log::promise`).

use crate::command::Value;
use crate::ids::{Ballot, Slot};

/// One record of the log. Later records of a slot replace earlier ones.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Record {
    /// This acceptor voted for `value` in `slot` at `ballot`.
    Vote {
        /// The slot.
        slot: Slot,
        /// The ballot.
        ballot: Ballot,
        /// The value.
        value: Value,
    },
    /// `value` is chosen in `slot`, learned from a peer, whatever this acceptor voted for there.
    Learned {
        /// The slot.
        slot: Slot,
        /// The value.
        value: Value,
    },
    /// Every slot below is chosen, and the latest record of each of them here has the chosen value.
    /// A hint that saves asking again.
    ChosenBelow {
        /// The first slot that is not known to be chosen.
        slot: Slot,
    },
}
