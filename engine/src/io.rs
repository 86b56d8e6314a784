//! The port of a [`Node`](crate::node::Node): bytes and files in, bytes and files out. Whoever
//! hosts a node implements the other side.

use crate::command::Bytes;
use crate::ids::{ClientAddr, NodeId};

/// The name of a file in the node's one directory: at most 23 bytes of ASCII, held inline.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName {
    bytes: [u8; 23],
    length: u8,
}

impl FileName {
    /// The name, when it is non-empty ASCII of at most 23 bytes.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        if name.is_empty() || name.len() > 23 || !name.is_ascii() {
            return None;
        }
        let mut bytes = [0; 23];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        Some(Self {
            bytes,
            length: u8::try_from(name.len()).ok()?,
        })
    }

    /// The name of two parts, as [`new`](Self::new).
    #[must_use]
    pub fn joined(one: &str, two: &str) -> Option<Self> {
        let length = one.len() + two.len();
        if length == 0 || length > 23 || !one.is_ascii() || !two.is_ascii() {
            return None;
        }
        let mut bytes = [0; 23];
        bytes[..one.len()].copy_from_slice(one.as_bytes());
        bytes[one.len()..length].copy_from_slice(two.as_bytes());
        Some(Self {
            bytes,
            length: u8::try_from(length).ok()?,
        })
    }

    /// The name's bytes, which are ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or("")
    }
}

impl std::fmt::Debug for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names one disk operation of one boot; the completion carries it back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct OpId(pub u64);

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

/// A disk operation. Several may be under way; the host completes them in any order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DiskOp {
    /// All names in the directory.
    List,
    /// The length of a file in bytes.
    Length(FileName),
    /// Up to `length` bytes from `offset`; fewer at the file's end.
    Read {
        /// The file.
        file: FileName,
        /// Where, in bytes.
        offset: u64,
        /// How many bytes.
        length: u32,
    },
    /// Make a new, empty file. Fails when the name exists.
    Create(FileName),
    /// Write bytes; the file grows as needed, with zeros in between.
    Write {
        /// The file.
        file: FileName,
        /// Where, in bytes.
        offset: u64,
        /// What.
        data: Bytes,
    },
    /// Set the length; growing fills with zeros.
    Truncate {
        /// The file.
        file: FileName,
        /// The new length in bytes.
        length: u64,
    },
    /// Give a file another name, atomically replacing what had it.
    Rename {
        /// The name now.
        from: FileName,
        /// The name then.
        to: FileName,
    },
    /// Remove a name.
    Remove(FileName),
    /// Make the bytes and length of writes that were complete when this was submitted durable.
    /// Names are another matter.
    Sync(FileName),
    /// Make all name operations that were complete when this was submitted durable.
    SyncDir,
}

/// How a disk operation went well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DiskOk {
    /// Nothing to tell.
    Done,
    /// Answer to `List`, in name order.
    Names(Vec<FileName>),
    /// Answer to `Length`.
    Length(u64),
    /// Answer to `Read`.
    Data(Bytes),
}

/// How a disk operation failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskError {
    /// No such file.
    NotFound,
    /// The name is taken.
    Exists,
    /// The disk is full; nothing was written.
    NoSpace,
    /// The device failed. A write may be half done; after a failed sync nothing is known of what
    /// was to be synced.
    Io,
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
