//! What happens in a run, as checkers and recorders see it.

use synod_port::files::{DiskError, FileName};

use crate::history::operation::{Call, Return};
use crate::ids::{Client, Endpoint, Node};
use crate::time::Instant;

/// The hash under which values are compared across media, facts and messages.
#[must_use]
pub fn value_hash(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// When an event happened: true time, and its number, which orders everything in the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Stamp {
    /// Virtual time.
    pub time: Instant,
    /// The event's number in the run, from 0.
    pub number: u64,
}

/// An acknowledgement that a replica has sent, and that has not come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// When this was asked; not before it was sent.
    pub stamp: Stamp,
    /// Whose operation ends with it.
    pub process: u32,
    /// The client's number.
    pub client: Client,
    /// What it says.
    pub outcome: Outcome,
}

impl Sent {
    /// The event that it is when it comes.
    #[must_use]
    pub const fn as_event(&self) -> Event<'_> {
        Event::Returned {
            process: self.process,
            client: self.client,
            outcome: &self.outcome,
        }
    }
}

/// A ballot as (round, node).
pub type BallotPair = (u64, u8);

/// What a replica claims to have done. A subject that reports nothing is checked from outside
/// alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// Recovery ended.
    Recovered {
        /// The promise it came back with.
        promised: BallotPair,
        /// All slots below are known to be chosen.
        chosen_below: u64,
        /// A torn tail was cut.
        torn: bool,
    },
    /// The promise was raised in memory.
    Promised(BallotPair),
    /// A vote was cast in memory.
    Voted {
        /// The slot.
        slot: u64,
        /// The ballot.
        ballot: BallotPair,
        /// `value_hash` of the value.
        value: u64,
    },
    /// A campaign began.
    Campaigned(BallotPair),
    /// The node leads.
    Led(BallotPair),
    /// The node leads no more.
    SteppedDown(BallotPair),
    /// A value is known to be chosen.
    Chosen {
        /// The slot.
        slot: u64,
        /// `value_hash` of the value.
        value: u64,
    },
    /// A slot was applied.
    Applied {
        /// The slot.
        slot: u64,
        /// `value_hash` of the value.
        value: u64,
        /// A digest of the replicated state afterwards.
        state: u64,
    },
    /// An operation was executed, not answered from memory.
    Executed {
        /// The slot.
        slot: u64,
        /// The index in the slot's batch.
        index: u16,
        /// The session.
        session: u64,
        /// The request's number.
        sequence: u64,
    },
}

/// One event.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A process started.
    Boot {
        /// Which.
        node: Node,
        /// How many times this node has started, from 1.
        boot: u64,
    },
    /// A process finished its recovery.
    Ready(Node),
    /// A process was killed; its completed writes stay visible.
    Killed(Node),
    /// A node lost power; unsynced sectors and names survive as any subset.
    PowerLost(Node),
    /// A process stopped by its own will.
    Halted {
        /// Which.
        node: Node,
        /// Why.
        reason: &'a str,
        /// Because its disk cannot be trusted.
        damaged: bool,
    },
    /// A process is not scheduled any more.
    Paused(Node),
    /// A process is scheduled again.
    Resumed(Node),
    /// A process hears that a session with a peer has begun or ended.
    Session {
        /// Whose.
        node: Node,
        /// With whom.
        peer: Node,
        /// Its number.
        session: u64,
        /// It has begun.
        begins: bool,
    },
    /// Links between replicas were cut or mended: with how many others each one can talk, both
    /// ways.
    Contacts(&'a [u8]),
    /// Bytes left an endpoint.
    Sent {
        /// From.
        from: Endpoint,
        /// To.
        to: Endpoint,
        /// What.
        bytes: &'a [u8],
    },
    /// Bytes arrived.
    Delivered {
        /// From.
        from: Endpoint,
        /// To.
        to: Endpoint,
        /// What, perhaps damaged.
        bytes: &'a [u8],
    },
    /// These sectors are on the media now: a sync succeeded, or failed and wrote them, or they
    /// survived a power loss unsynced.
    Synced {
        /// Where.
        node: Node,
        /// The file.
        file: FileName,
        /// Sector index and content.
        sectors: &'a [(u32, &'a [u8])],
    },
    /// A sync of the directory succeeded, or the power came back, or the replica's disk was
    /// formatted: it durably holds exactly these names now.
    NamesSynced {
        /// Where.
        node: Node,
        /// All durable names, in order.
        names: &'a [FileName],
    },
    /// A disk operation failed.
    DiskFailed {
        /// Where.
        node: Node,
        /// What was asked, in a word.
        what: &'static str,
        /// How.
        error: DiskError,
    },
    /// The replica says that it did something.
    Fact {
        /// Who.
        node: Node,
        /// What.
        fact: &'a Fact,
    },
    /// A client started an operation (its first attempt).
    Invoked {
        /// The history's process: one open operation at a time.
        process: u32,
        /// The client behind it.
        client: Client,
        /// What.
        call: &'a Call,
    },
    /// A client knows how an operation ended.
    Returned {
        /// The process.
        process: u32,
        /// The client behind it.
        client: Client,
        /// How.
        outcome: &'a Outcome,
    },
    /// A client hears what became of a request: for the first time, late, or again.
    Answered {
        /// The client.
        client: Client,
        /// The session of the request, 0 where there are none.
        session: u64,
        /// Its number in the session.
        sequence: u64,
        /// What it hears: that it took effect, or that it definitely did not.
        outcome: &'a Outcome,
    },
    /// A client hears after all how an operation ended that it had given up as unknown.
    Learned {
        /// The process.
        process: u32,
        /// The client behind it.
        client: Client,
        /// How.
        outcome: &'a Outcome,
    },
    /// The core has been healed for long, and nobody has failed since: said again and again, with
    /// at least two election timeouts in between.
    Lull,
    /// A fault took effect.
    Fault {
        /// Its kind, as in the fault counters; or that one of the plan `begins`, `ends`, or
        /// `happens` at once, and then the detail says which.
        kind: &'static str,
        /// Where, for people.
        detail: &'a str,
    },
}

/// How an operation ended for its client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It took effect.
    Ok {
        /// The result.
        result: Return,
        /// The slot and index that ordered it; for a read, the last slot that it saw and
        /// `u16::MAX`.
        place: Option<(u64, u16)>,
    },
    /// It certainly did not take effect and never will.
    Fail,
    /// Nobody knows, for ever.
    Unknown,
}
