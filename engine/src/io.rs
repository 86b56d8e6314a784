//! The port of a [`Node`](crate::node::Node): bytes and files in, bytes and files out. Whoever
//! hosts a node implements the other side.

use synod_port::files::{Bytes, DiskError, DiskOk, DiskOp, OpId};

use crate::ids::{ClientAddr, NodeId};

/// What happens to a node.
#[derive(Debug)]
pub enum Input<'a> {
    /// The process has started. Always the first input of a boot.
    Boot {
        /// Randomness for this boot; the only one that the node ever gets.
        entropy: [u8; 32],
    },
    /// Bytes that claim to come from a peer.
    Message {
        /// The peer at the other end of the connection.
        from: NodeId,
        /// A frame, perhaps damaged.
        bytes: &'a [u8],
    },
    /// Bytes from a client.
    Request {
        /// Where a reply goes.
        from: ClientAddr,
        /// A frame, perhaps damaged.
        bytes: &'a [u8],
    },
    /// The deadline that the node asked for has been reached.
    Deadline,
    /// A disk operation has ended. The host drops completions that an earlier boot asked for.
    Disk {
        /// Which one.
        op: OpId,
        /// How.
        result: Result<DiskOk, DiskError>,
    },
}

/// What a node wants done. In order of a step's effects; a host may lose all from any point on by
/// being killed there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// Send a frame to a peer.
    Send {
        /// The peer.
        to: NodeId,
        /// The frame.
        bytes: Bytes,
    },
    /// Send a frame to a client.
    Reply {
        /// The client.
        to: ClientAddr,
        /// The frame.
        bytes: Bytes,
    },
    /// Do something to the disk.
    Disk {
        /// Comes back with the completion.
        op: OpId,
        /// What to do.
        what: DiskOp,
    },
    /// Recovery is over; the node takes part.
    Ready,
    /// The node stops, for good: it will not step again in this boot.
    Halt(Halt),
}

/// Why a node stopped by its own will.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Halt {
    /// No intact copy of the promise: what this acceptor has promised cannot be known.
    #[error("no intact copy of the promise is left")]
    PromiseLost,
    /// A synced part of the log is damaged: what this acceptor has voted for cannot be known.
    #[error("the log is damaged at segment {segment}, sector {sector}")]
    LogDamaged {
        /// The segment's number.
        segment: u64,
        /// The first bad sector.
        sector: u32,
    },
    /// The files belong to another cluster or node, or to a format that this build does not read.
    #[error("the files belong to another cluster or node, or to another format version")]
    Foreign,
    /// The disk failed again and again while recovering.
    #[error("the disk cannot be read")]
    Unreadable,
}

/// The outputs of one step, reused from step to step.
pub type Outputs = Vec<Output>;
