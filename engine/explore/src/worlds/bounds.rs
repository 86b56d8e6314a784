//! How small a world is, who judges it, and which states are not told apart.

use std::fmt;

use synod_engine::bugs::Bug;

/// How often what is bounded happens, in the whole world. Loss, copies and reordering of messages
/// have no bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Replicas: 3 or 5.
    pub nodes: u8,
    /// Campaigns, which are ballots; no ballot's round is above this number either.
    pub campaigns: u8,
    /// New things that clients ask leaders for, which are slots.
    pub asks: u8,
    /// Of them, those that one replica is asked for.
    pub asks_each: u8,
    /// Reads that clients ask leaders for.
    pub reads: u8,
    /// Heartbeats, beside the one that each new leader begins with.
    pub beats: u8,
    /// Restarts.
    pub restarts: u8,
    /// Slots that a leader keeps under way at once.
    pub window: u64,
    /// The bytes of votes or values in a message: 1 puts each on a page of its own.
    pub message_bytes: u32,
}

impl Bounds {
    /// No reads, beats and restarts, and room for everything in a message and in a window.
    #[must_use]
    pub const fn new(nodes: u8, campaigns: u8, asks: u8) -> Self {
        Self {
            nodes,
            campaigns,
            asks,
            asks_each: asks,
            reads: 0,
            beats: 0,
            restarts: 0,
            window: 4,
            message_bytes: 1 << 16,
        }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            nodes,
            campaigns,
            asks,
            asks_each,
            reads,
            beats,
            restarts,
            window,
            message_bytes,
        } = self;
        write!(
            f,
            "{nodes} replicas, {campaigns} campaigns, {asks} asks of at most {asks_each} each, {reads} reads, {beats} beats, \
             {restarts} restarts, a window of {window}, {message_bytes} bytes in a message"
        )
    }
}

/// A world that is documented.
#[derive(Clone, Copy, Debug)]
pub struct World {
    /// Its name.
    pub name: &'static str,
    /// How small it is.
    pub bounds: Bounds,
}

/// All of them. Those of three replicas end in ten CPU minutes together, and so does the first one of
/// five; the last is visited as deep as these allow.
pub const WORLDS: [World; 8] = [
    // Three ballots, and two values for a slot.
    World {
        name: "duel",
        bounds: Bounds {
            asks_each: 1,
            ..Bounds::new(3, 3, 2)
        },
    },
    // Three slots under way, and a change of leader.
    World {
        name: "slots",
        bounds: Bounds::new(3, 2, 3),
    },
    // Two slots, each vote on a page of its own, a change of leader, and a heartbeat that says what
    // is chosen.
    World {
        name: "pages",
        bounds: Bounds {
            beats: 1,
            message_bytes: 1,
            ..Bounds::new(3, 2, 2)
        },
    },
    // A death, a change of leader, and two values for a slot.
    World {
        name: "restart",
        bounds: Bounds {
            asks_each: 1,
            restarts: 1,
            ..Bounds::new(3, 2, 2)
        },
    },
    // Two deaths, and a change of leader.
    World {
        name: "deaths",
        bounds: Bounds {
            restarts: 2,
            ..Bounds::new(3, 2, 1)
        },
    },
    // A read, and a change of leader.
    World {
        name: "read",
        bounds: Bounds {
            reads: 1,
            ..Bounds::new(3, 2, 1)
        },
    },
    // Five replicas, a change of leader, and two values for a slot.
    World {
        name: "five",
        bounds: Bounds {
            asks_each: 1,
            ..Bounds::new(5, 2, 2)
        },
    },
    // The same with three ballots; it does not end.
    World {
        name: "deep",
        bounds: Bounds {
            asks_each: 1,
            ..Bounds::new(5, 3, 2)
        },
    },
];

impl World {
    /// The world of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        WORLDS.into_iter().find(|world| world.name == name)
    }
}

/// Who judges; each judges what those before do, too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Judges {
    /// Nobody: what happens is only counted.
    Nobody,
    /// Agreement: no two replicas, and none before and after a restart, take different values for
    /// chosen in a slot. And no read misses what was answered for before it was asked.
    Agreement,
    /// The ledger: what is taken for chosen is, what is proposed is safe, what is said is true.
    Ledger,
    /// The engine's contracts.
    Contracts,
}

/// Which states are not told apart, or not visited, because others show all that they could.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reductions {
    /// Candidates are the first replicas. A replica's number matters only where ballots are compared,
    /// and who never campaigns is in no ballot: a way with other candidates is one with these, renamed
    /// in their order. So a replica campaigns only if there are campaigns left for all before it that
    /// did not yet.
    pub candidates: bool,
    /// A canvass is granted at once, by a quorum that has promised nothing as high; its messages are
    /// not sent. Who is granted later could begin now and be slow to be heard; who is not granted does
    /// nothing. A leader that gives up to canvass does both in one step: between the two it only
    /// ignores what could as well not come.
    pub canvass: bool,
    /// While no restart is left, what is written is durable in the same step. Nobody else sees when:
    /// what waits for it could be said now and come late. (A ballot whose promise is not durable
    /// before a higher one is asked for is never heard of, as if there had been no campaign.)
    pub durable: bool,
    /// What changes nothing for who hears it is not sent: a leader's resignation, which ends patience
    /// that may end anyway, and answers to heartbeats while nobody reads.
    pub idle: bool,
    /// A refusal, and what is chosen, are told at once, from the state that the answerer is in, and
    /// are not kept. A promise is told once.
    pub answers: bool,
    /// A promise, or a vote that is told, which changes nothing for who gets it is forgotten: it never
    /// will. It was counted, or is of a ballot that its addressee does not strive for any more.
    pub spent: bool,
}

impl Reductions {
    /// All of them.
    pub const ALL: Self = Self {
        candidates: true,
        canvass: true,
        durable: true,
        idle: true,
        answers: true,
        spent: true,
    };
    /// None of them.
    pub const NONE: Self = Self {
        candidates: false,
        canvass: false,
        durable: false,
        idle: false,
        answers: false,
        spent: false,
    };
}

/// What is searched, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// How small the world is.
    pub bounds: Bounds,
    /// Who judges.
    pub judges: Judges,
    /// The planted bug.
    pub bug: Option<Bug>,
    /// What is not told apart.
    pub reductions: Reductions,
    /// The search ends when it takes more memory than so many bytes, as it accounts for them.
    pub bytes_max: u64,
}

impl Plan {
    /// Whether all that is written becomes durable in the same step, after so many restarts.
    pub(super) const fn settles(&self, restarts: u8) -> bool {
        self.reductions.durable && restarts == self.bounds.restarts
    }
}
