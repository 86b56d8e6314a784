//! What replicas say to each other, and what clients and a replica say to each other. Bytes are the
//! codec's business.

use synod_port::files::Bytes;

use crate::command::Value;
use crate::ids::{Ballot, Place, Sequence, SessionId, Slot};

/// A message between replicas. The sender's id and incarnation are in the frame around it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Message {
    /// "Would you promise this ballot?", asked before a campaign so that a node that cannot win
    /// disturbs nobody (Raft thesis 9.6, pre-vote).
    Canvass {
        /// The ballot that the sender would lead.
        ballot: Ballot,
    },
    /// The answer to a canvass.
    CanvassReply {
        /// The ballot that was asked for.
        ballot: Ballot,
        /// The answerer hears no leader and has promised nothing as high.
        granted: bool,
        /// The highest ballot that the answerer has promised.
        promised: Ballot,
    },
    /// Phase 1a.
    Prepare {
        /// The ballot.
        ballot: Ballot,
        /// Votes are wanted from this slot on.
        from: Slot,
    },
    /// Phase 1b: a promise, with one page of the votes from the asked slot on.
    Promise {
        /// The ballot that was promised.
        ballot: Ballot,
        /// The first slot of this page: the `from` of the prepare that it answers.
        from: Slot,
        /// The votes of this page, in slot order.
        votes: Vec<Vote>,
        /// Where the next page starts, or none when this one is the last: there is no vote at or
        /// beyond the page's end.
        next: Option<Slot>,
        /// All slots below are chosen, as far as the promiser knows.
        chosen_below: Slot,
    },
    /// Phase 2a for one slot.
    Accept {
        /// The ballot.
        ballot: Ballot,
        /// The slot.
        slot: Slot,
        /// The value.
        value: Value,
        /// All slots below are chosen.
        chosen_below: Slot,
    },
    /// Phase 2b: votes at this ballot that are durable at the sender.
    Accepted {
        /// The ballot.
        ballot: Ballot,
        /// The slots, in increasing order.
        slots: Vec<Slot>,
    },
    /// A prepare or an accept was refused.
    Reject {
        /// The ballot that was refused.
        ballot: Ballot,
        /// The higher one that was promised.
        promised: Ballot,
    },
    /// The leader is alive, and this is what is chosen.
    Heartbeat {
        /// The leader's ballot.
        ballot: Ballot,
        /// Counts the leader's confirmation rounds, from 1.
        round: u64,
        /// All slots below are chosen.
        chosen_below: Slot,
    },
    /// The answer to a heartbeat: the sender still follows that ballot.
    HeartbeatReply {
        /// The ballot.
        ballot: Ballot,
        /// The round that is answered.
        round: u64,
        /// All slots below are chosen and known to the sender.
        chosen_below: Slot,
    },
    /// The sender led at this ballot and does so no more. A hint that saves its followers their
    /// patience; nothing rests on it.
    Resign {
        /// The ballot.
        ballot: Ballot,
    },
    /// "Send me chosen values from this slot on."
    CatchUp {
        /// The first slot that the sender lacks.
        from: Slot,
    },
    /// Chosen values, contiguous from `from`.
    CatchUpReply {
        /// The slot of the first value.
        from: Slot,
        /// The values.
        values: Vec<Value>,
        /// All slots below are chosen, as far as the answerer knows.
        chosen_below: Slot,
    },
}

/// What one acceptor says of one slot in a promise.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Vote {
    /// The slot.
    pub slot: Slot,
    /// The ballot at which the value was voted for.
    pub ballot: Ballot,
    /// The value.
    pub value: Value,
    /// The answerer knows that this value is chosen.
    pub chosen: bool,
}

/// A request of a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Open a session.
    Register {
        /// Echoed in the reply.
        nonce: u64,
    },
    /// Apply an operation exactly once.
    Apply {
        /// The session.
        session: SessionId,
        /// Its number in the session.
        sequence: Sequence,
        /// All requests of the session below this one are answered.
        answered_below: Sequence,
        /// The operation.
        operation: Bytes,
    },
    /// Read without a trace in the log; linearizable, by a confirmation round of the leader (Raft
    /// thesis 6.4).
    Read {
        /// Echoed in the reply.
        nonce: u64,
        /// The read-only operation.
        operation: Bytes,
    },
}

/// An answer to a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The request that this answers.
    pub to: RequestId,
    /// The answer.
    pub outcome: Outcome,
}

/// Which request an answer belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RequestId {
    /// A registration or a read, by the client's nonce.
    Nonce(u64),
    /// An operation, by session and sequence.
    Numbered(SessionId, Sequence),
}

/// How a request ended. Everything but `Registered`, `Done` and `Read` is a refusal by this replica
/// now: it was not proposed for *this* attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The session is open.
    Registered(SessionId),
    /// The operation was applied at this place, now or at an earlier attempt.
    Done {
        /// Where.
        place: Place,
        /// The state machine's result.
        result: Bytes,
    },
    /// The state as of all slots below this one gave this result.
    Read {
        /// The first slot that the read does not see.
        below: Slot,
        /// The state machine's result.
        result: Bytes,
    },
    /// This replica does not lead; perhaps that one does.
    NotLeader {
        /// The leader that this replica follows, if any.
        hint: Option<crate::ids::NodeId>,
    },
    /// The pipeline is full; try again later.
    Busy,
    /// The request does not fit in a slot.
    TooLarge,
    /// The session was evicted, or the reply that is asked for was acknowledged before and is
    /// forgotten.
    SessionGone,
}
