//! What a replica wants done after a step: typed, and in the order in which it wants it. The
//! [`node`](crate::node) turns it into bytes and files.

use crate::ids::{Ballot, ClientAddr, NodeId};
use crate::message::{Message, Reply};
use crate::record::Record;

/// Who gets a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    /// One peer.
    One(NodeId),
    /// All nodes but this one; the node encodes the message once.
    Peers,
}

/// The effects of a step; the node takes everything out after each step and reuses the vectors.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// Messages that may leave now: whatever they rest on is durable.
    pub sends: Vec<(To, Message)>,
    /// Replies that may leave now.
    pub replies: Vec<(ClientAddr, Reply)>,
    /// Records to append to the log, oldest first; each takes the next [`Lsn`](crate::ids::Lsn),
    /// from 1 at boot.
    pub records: Vec<Record>,
    /// Make this promise durable. A later one supersedes an earlier one that is not being written
    /// yet.
    pub promise: Option<Ballot>,
}
