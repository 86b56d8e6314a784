//! What a host decides about a replica before it boots. The bounds are checked by
//! [`Config::validate`].

use crate::ids::{ClusterId, NodeId};
use crate::time::Span;

/// The settings of one replica. All replicas of a cluster should have the same, `node` apart.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Config {
    /// The cluster.
    pub cluster: ClusterId,
    /// This node, below `nodes`.
    pub node: NodeId,
    /// How many nodes the cluster has, 1 to 63; they are numbered from 0.
    pub nodes: u8,
    /// Undecided slots that a leader keeps in flight, at least 1.
    pub window: u64,
    /// Commands in a batch, at least 1.
    pub batch_count: u32,
    /// Encoded bytes of a batch; a single larger command is refused.
    pub batch_bytes: u32,
    /// How long the first command of a batch may wait for company.
    pub batch_delay: Span,
    /// Commands that wait for a place in the window, and reads that wait for a round that confirms
    /// them, before clients are told to come back later: so many of each.
    pub queue: usize,
    /// A follower suspects its leader after a silence drawn from this range.
    pub election_min: Span,
    /// The end of that range.
    pub election_max: Span,
    /// The time between heartbeats, well below `election_min`.
    pub heartbeat: Span,
    /// Undecided accepts and unanswered prepares are sent again after this long.
    pub retransmit: Span,
    /// Bytes of values in one message (a promise page, a catch-up reply); at least one value always
    /// fits.
    pub message_bytes: u32,
    /// Sessions that are kept; beyond it the one that was idle longest, in log order, is evicted.
    pub sessions: usize,
    /// Length of a log segment in bytes: a multiple of 8 sectors (4 KiB), at most 128 MiB.
    pub segment_bytes: u32,
}

/// The unit that a disk writes atomically, in bytes.
pub const SECTOR: usize = 512;

impl Config {
    /// Sensible settings for a cluster on one local network.
    #[must_use]
    pub fn new(cluster: ClusterId, node: NodeId, nodes: u8) -> Self {
        Self {
            cluster,
            node,
            nodes,
            window: 32,
            batch_count: 64,
            batch_bytes: 1 << 11,
            batch_delay: Span(0),
            queue: 1024,
            election_min: Span::from_millis(150),
            election_max: Span::from_millis(300),
            heartbeat: Span::from_millis(50),
            retransmit: Span::from_millis(60),
            message_bytes: 1 << 16,
            sessions: 256,
            segment_bytes: 1 << 16,
        }
    }

    /// How many nodes make a majority.
    #[must_use]
    pub const fn quorum(&self) -> usize {
        self.nodes as usize / 2 + 1
    }

    /// The other nodes, in order.
    pub fn peers(&self) -> impl Iterator<Item = NodeId> + Clone + use<> {
        let me = self.node;
        (0..self.nodes).map(NodeId).filter(move |node| *node != me)
    }

    /// Says what is wrong with the settings, if anything.
    ///
    /// # Errors
    /// The first bound that does not hold.
    pub fn validate(&self) -> Result<(), &'static str> {
        let segment = self.segment_bytes as usize;
        match () {
            () if self.nodes == 0 || self.nodes > 63 => Err("a cluster has 1 to 63 nodes"),
            () if self.node.0 >= self.nodes => Err("the node is not one of the cluster"),
            () if self.window == 0 => Err("the window is at least 1"),
            () if self.batch_count == 0 || self.batch_count > 1 << 15 => {
                Err("a batch has 1 to 32,768 commands")
            }
            () if self.election_min.0 == 0 || self.election_max < self.election_min => {
                Err("the election timeout is an empty range")
            }
            () if self.heartbeat.0 == 0 || self.heartbeat.0 * 2 > self.election_min.0 => {
                Err("the heartbeat is at most half the election timeout")
            }
            () if self.retransmit.0 == 0 => Err("the retransmit interval is at least 1 ns"),
            () if self.sessions == 0 => Err("at least 1 session is kept"),
            () if !segment.is_multiple_of(8 * SECTOR) || segment == 0 || segment > 1 << 27 => {
                Err("a segment is a multiple of 4 KiB, at least one and at most 128 MiB")
            }
            () if self.batch_bytes as usize > segment / 2 => {
                Err("a batch takes at most half a segment")
            }
            () => Ok(()),
        }
    }
}
