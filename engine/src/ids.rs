//! The names that the protocol counts with: nodes, ballots, slots, sessions.
//!
//! Every range in this crate is half-open: `chosen_below` is the first slot that is *not* known to
//! be chosen.

use std::fmt;
use std::hash::{Hash, Hasher};

/// One member of the cluster. Small and dense, so that a set of them fits in a [`NodeSet`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct NodeId(pub u8);

/// The cluster that a frame or a file belongs to; anything of another cluster is refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ClusterId(pub u64);

/// How many times a node has booted on its present disk. Durable before the node says anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Incarnation(pub u64);

/// A ballot: totally ordered, and owned by the node that is named in it. `Ballot::ZERO` is below
/// every real one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Ballot {
    /// The round; the more significant half.
    pub round: u64,
    /// The only node that may propose at this ballot.
    pub node: NodeId,
}

impl Ballot {
    /// Below every ballot that a node can lead.
    pub const ZERO: Self = Self {
        round: 0,
        node: NodeId(0),
    };

    /// The lowest ballot of `node` that is above `self`.
    #[must_use]
    pub const fn next_for(self, node: NodeId) -> Self {
        Self {
            round: self.round + 1,
            node,
        }
    }
}

/// A position in the replicated log, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Slot(pub u64);

impl Slot {
    /// The slot after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// How many slots lie in `earlier..self`; 0 when `earlier` is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The place of a command: its slot, and its index in the batch that the slot carries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Place {
    /// The slot that ordered the command.
    pub slot: Slot,
    /// Its index in that slot's batch, from 0.
    pub index: u16,
}

/// A client's session: the place of its registration in the log, so it is never reused (RIFL, SOSP
/// '15).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SessionId(pub u64);

impl SessionId {
    /// The session that a registration at `place` opens. Never 0, which stands for "no session
    /// yet".
    #[must_use]
    pub const fn at(place: Place) -> Self {
        Self(((place.slot.0 + 1) << 16) | place.index as u64)
    }
}

/// The number of a request within its session, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Sequence(pub u64);

/// Where a reply goes: the host's name for a client's connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ClientAddr(pub u64);

/// A position in this node's own log of records, counted in records since boot; durability is
/// granted up to one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Lsn(pub u64);

/// Where a record lies is no part of what a replica knows. Whoever compares replicas by their hashes
/// compares their logs beside them, which say it.
impl Hash for Lsn {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// A set of nodes with ids below 64: tallies hold one, so a message that comes twice counts once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct NodeSet(pub u64);

impl NodeSet {
    /// Adds a node; says whether it was new.
    pub const fn insert(&mut self, node: NodeId) -> bool {
        let bit = 1u64 << node.0;
        let new = self.0 & bit == 0;
        self.0 |= bit;
        new
    }

    /// Whether the node is in the set.
    #[must_use]
    pub const fn contains(self, node: NodeId) -> bool {
        self.0 & (1 << node.0) != 0
    }

    /// How many nodes the set holds.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members, in order.
    pub fn iter(self) -> impl Iterator<Item = NodeId> {
        (0..64u8)
            .map(NodeId)
            .filter(move |node| self.contains(*node))
    }
}

impl FromIterator<NodeId> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> Self {
        let mut set = Self::default();
        for node in nodes {
            set.insert(node);
        }
        set
    }
}

impl fmt::Debug for NodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0 + 1)
    }
}

impl fmt::Display for Ballot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.round, self.node)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
