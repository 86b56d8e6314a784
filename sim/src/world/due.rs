//! What the agenda holds: messages under way, disk operations that end, and whatever else has its
//! time.

use crate::ids::FaultNumber;
use synod_port::files::{Bytes, OpId};

use super::disk::Ticket;

/// An end of a link: replicas from 0, and clients from the number of replicas on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Port(pub u16);

/// What did something to a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cause {
    Weather,
    Fault,
}

/// A message under way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub from: Port,
    pub to: Port,
    /// The sender's boot when it sent it.
    pub boot: u32,
    /// The message's number on its link.
    pub number: u32,
    /// The link's place in the table of links.
    pub link: usize,
    /// It is a second copy.
    pub copy: Option<Cause>,
    pub damaged: Option<Cause>,
    /// A fault made it late: it waits beyond what a partition cuts.
    pub waits: bool,
    pub bytes: Bytes,
}

/// What kind of operation it is, as far as faults care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum OpKind {
    Sync,
    SyncNames,
    Write,
    Read,
    Other,
}

/// What is due of a session between two replicas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SessionDue {
    /// One may begin between these.
    Begins(u8, u8),
    /// Its end is noticed here: whose session with whom, and its number.
    IsNoticed(u8, u8, u64),
    /// It outlasts a partition no longer.
    TimesOut(u8, u8, u64),
}

/// What is due at some time.
#[derive(Clone, Debug)]
pub(super) enum Due {
    /// A message arrives.
    Deliver(Flight),
    /// A disk operation ends.
    Disk {
        node: u8,
        boot: u32,
        ticket: Ticket,
        op: OpId,
        kind: OpKind,
    },
    /// A node may have reached its deadline.
    Wake { node: u8, boot: u32 },
    /// A step that takes time ends.
    Step { node: u8, boot: u32 },
    /// A node starts, unless it runs; by the end of this fault.
    Boot { node: u8, by: FaultNumber },
    /// Something is due of a session between two replicas.
    Session(SessionDue),
    /// A client has something to do.
    Client(u16),
    /// A planned fault starts.
    Nemesis(u32),
    /// A fault ends.
    FaultEnds(FaultNumber),
    /// The script looks at its step.
    Script,
}
