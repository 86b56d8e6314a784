//! What a replica says that it did, for observers only. Facts never reach a message, a file or a
//! decision.

use crate::command::Value;
use crate::ids::{Ballot, Place, Sequence, SessionId, Slot};

/// One legal step of Multi-Paxos, as the replica believes that it took it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// Recovery ended with this promise, and a log that is chosen below that slot.
    Recovered {
        /// The promise.
        promised: Ballot,
        /// The first slot not known to be chosen.
        chosen_below: Slot,
        /// Something above the watermark was cut from the log's end.
        torn: bool,
    },
    /// The promise was raised; it is not durable yet.
    Promised(Ballot),
    /// A vote was cast; it is not durable yet.
    Voted {
        /// The slot.
        slot: Slot,
        /// The ballot.
        ballot: Ballot,
        /// The value.
        value: Value,
    },
    /// A campaign began.
    Campaigned(Ballot),
    /// Phase 1 is complete; the node leads.
    Led(Ballot),
    /// The node leads no more.
    SteppedDown(Ballot),
    /// The value is known to be chosen.
    Chosen {
        /// The slot.
        slot: Slot,
        /// The value.
        value: Value,
    },
    /// The slot was applied.
    Applied {
        /// The slot.
        slot: Slot,
        /// The value.
        value: Value,
        /// A digest of the replicated state afterwards, when this build of the probe computes one.
        state: u64,
    },
    /// An operation was executed (not answered from a session's memory).
    Executed {
        /// Where.
        place: Place,
        /// The session.
        session: SessionId,
        /// The request.
        sequence: Sequence,
    },
}
