//! What checkers hear and say: the run's events, translated once by the suite into the terms of the
//! protocol.

use crate::history::operation::Call;
use crate::ids::{Client, Node};
use crate::subject::process::{Acknowledged, Claim, Durable, Promise};
use crate::trace::event::{Fact, Outcome};

/// What a checker says: nothing, or what is wrong, for people. Names replicas, slots and ballots,
/// never times.
pub type Finding = Result<(), String>;

/// Something that checkers judge.
#[derive(Clone, Copy, Debug)]
pub enum Signal<'a> {
    /// A process started.
    Boot(Node),
    /// A process finished its recovery.
    Ready(Node),
    /// A node lost its power, and its process if it had one. What survived comes to be durable, in
    /// any order.
    PowerLost(Node),
    /// A replica says that it did something.
    Fact(Node, &'a Fact),
    /// A replica's media hold something from now on.
    Durable(Node, &'a Durable),
    /// A replica sends a peer a message that rests on something durable.
    Claim(Node, &'a Claim),
    /// A page of a promise comes to a replica, from another one; it may be damaged.
    Heard(Node, Node, &'a Promise),
    /// A replica sends a client an acknowledgement.
    Acknowledged(Node, &'a Acknowledged),
    /// A client started an operation.
    Invoked(u32, &'a Call),
    /// A client knows how its operation ended.
    Returned(u32, &'a Outcome),
    /// A client hears what became of a request, by session and number: for the first time, late, or
    /// again.
    Answered(Client, (u64, u64), &'a Outcome),
    /// A client hears after all how an operation ended that it had given up as unknown.
    Learned(u32, &'a Outcome),
    /// The core has been healed for long; said again and again.
    Lull,
}

/// A set of kinds of signals.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Hears(u16);

impl Hears {
    /// `Boot`, `Ready` and `PowerLost`.
    pub const BOOTS: Self = Self(1);
    /// `Durable`.
    pub const MEDIA: Self = Self(2);
    /// `Claim`.
    pub const CLAIMS: Self = Self(4);
    /// `Heard`.
    pub const HEARD: Self = Self(2048);
    /// `Acknowledged`.
    pub const REPLIES: Self = Self(8);
    /// `Invoked`, `Returned`, `Answered` and `Learned`.
    pub const CLIENTS: Self = Self(16);
    /// `Fact` of a recovery, a promise, or who leads.
    pub const BALLOTS: Self = Self(32);
    /// `Fact` of a vote.
    pub const VOTED: Self = Self(64);
    /// `Fact` of a slot that is chosen.
    pub const CHOSEN: Self = Self(128);
    /// `Fact` of a slot that was applied.
    pub const APPLIED: Self = Self(256);
    /// `Fact` of an operation that was executed.
    pub const EXECUTED: Self = Self(512);
    /// `Lull`.
    pub const LULLS: Self = Self(1024);
    /// All of them.
    pub const ALL: Self = Self(4095);

    /// What can be told of a subject that does not show its media.
    pub const WITHOUT_MEDIA: Self =
        Self(Self::ALL.0 & !(Self::MEDIA.0 | Self::CLAIMS.0 | Self::HEARD.0));

    /// Both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the sets share anything.
    #[inline]
    #[must_use]
    pub const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl Signal<'_> {
    /// The kind of this signal.
    #[inline]
    #[must_use]
    pub const fn kind(&self) -> Hears {
        match self {
            Self::Boot(_) | Self::Ready(_) | Self::PowerLost(_) => Hears::BOOTS,
            Self::Fact(_, fact) => match fact {
                Fact::Recovered { .. }
                | Fact::Promised(_)
                | Fact::Campaigned(_)
                | Fact::Led(_)
                | Fact::SteppedDown(_) => Hears::BALLOTS,
                Fact::Voted { .. } => Hears::VOTED,
                Fact::Chosen { .. } => Hears::CHOSEN,
                Fact::Applied { .. } => Hears::APPLIED,
                Fact::Executed { .. } => Hears::EXECUTED,
            },
            Self::Durable(..) => Hears::MEDIA,
            Self::Claim(..) => Hears::CLAIMS,
            Self::Heard(..) => Hears::HEARD,
            Self::Acknowledged(..) => Hears::REPLIES,
            Self::Invoked(..) | Self::Returned(..) | Self::Answered(..) | Self::Learned(..) => {
                Hears::CLIENTS
            }
            Self::Lull => Hears::LULLS,
        }
    }
}

/// A ballot in one word: the round above the node, so that words compare as ballots do. 0 is below
/// every ballot that can be led.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct BallotWord(u64);

impl BallotWord {
    /// Below every ballot.
    pub const NONE: Self = Self(0);

    /// Not below any ballot.
    pub const MAX: Self = Self(u64::MAX);

    /// The word of a (round, node) pair. Rounds beyond 2^56 are all equal.
    #[must_use]
    pub const fn of(pair: (u64, u8)) -> Self {
        if pair.0 >= 1 << 56 {
            Self(u64::MAX)
        } else {
            Self(pair.0 << 8 | pair.1 as u64)
        }
    }

    /// The node that may lead it.
    #[must_use]
    pub const fn owner(self) -> Node {
        Node((self.0 & 0xff) as u8)
    }
}

impl std::fmt::Display for BallotWord {
    /// `7.r2`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.r{}", self.0 >> 8, (self.0 & 0xff) + 1)
    }
}

/// The per-replica state of a checker: absent for a node that the cluster does not have.
pub(crate) fn of_node<T>(nodes: &mut [T], node: Node) -> Result<&mut T, String> {
    nodes
        .get_mut(usize::from(node.0))
        .ok_or_else(|| format!("{node} is not one of the cluster"))
}
