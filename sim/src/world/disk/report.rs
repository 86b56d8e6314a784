//! What the disk tells the world: how operations end, and what faults really did, so that fault
//! counters count only what took effect.

use smallvec::SmallVec;
use synod_port::files::{DiskError, DiskOk, FileName};

use super::block::bytes_of;
use super::cover::Cover;
use super::damage::Hit;

/// Names an operation under way on one disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub u64);

/// How the device treats an operation when it completes. The disk itself still finds missing files
/// and a lack of space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It works.
    Ok,
    /// It fails with this error. A write that fails with `Io` lands as any subset of its sectors,
    /// and so does what a failed sync covered. What of that does not land reads as new, or as old if
    /// no other sync of the file is under way, and no later sync covers it unless it is written
    /// again. Everything else that fails has done nothing.
    Fail(DiskError),
}

/// How an operation ended.
#[derive(Clone, Debug)]
pub struct Completion {
    /// For the subject.
    pub result: Result<DiskOk, DiskError>,
    /// What a sync of a file made durable: all that it covered, or what of that landed though it
    /// failed.
    pub synced: Option<Synced>,
    /// Sectors of a failed write that did not land, or of a failed sync that did not and count as
    /// clean.
    pub spoiled: u32,
    /// The two places of a misdirected write that came to light with a sync.
    pub misdirected: Vec<Hit>,
}

impl Completion {
    pub(super) const fn of(result: Result<DiskOk, DiskError>) -> Self {
        Self {
            result,
            synced: None,
            spoiled: 0,
            misdirected: Vec::new(),
        }
    }
}

/// What is durable from now on: a sync wrote it, or it survived a power loss. It shares the
/// sectors with the disk.
#[derive(Clone, Debug)]
pub struct Synced {
    /// The file by its present name, or by the last that it had.
    pub file: FileName,
    pub(super) cover: Cover,
}

impl Synced {
    /// The index and the content on the media of each sector that became durable, in order of the
    /// index. Sectors that only grew or shrank with the length are not among them.
    #[must_use]
    pub fn sectors(&self) -> SmallVec<[(u32, &[u8]); 8]> {
        self.cover
            .sectors
            .iter()
            .map(|covered| (covered.sector, bytes_of(&covered.content).as_slice()))
            .collect()
    }

    /// The new length of the file, if the sync covered a change of it.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.cover.length.map(|(length, _)| length)
    }
}

/// What became of operations that were under way when the process died.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KillReport {
    /// Sectors of writes under way that landed: visible, unsynced.
    pub landed_sectors: u32,
    /// Sectors of writes under way that never will.
    pub dropped_sectors: u32,
    /// Writes under way of which only a part landed.
    pub torn_writes: u32,
    /// Truncations and name operations under way that were done.
    pub landed_operations: u32,
    /// Those that were not.
    pub dropped_operations: u32,
}

/// What a power loss did. Sectors whose two contents are the same count nowhere.
#[derive(Clone, Debug, Default)]
pub struct PowerReport {
    /// What became of operations under way; what landed of them is unsynced, and among the rest of
    /// the report.
    pub under_way: KillReport,
    /// Unsynced sectors that are what they were before.
    pub lost_sectors: u32,
    /// Unsynced sectors that survived.
    pub kept_sectors: u32,
    /// Writes of more than one sector of which only a part survived.
    pub torn_writes: u32,
    /// Files that have their old length again.
    pub lost_lengths: u32,
    /// Name operations that are undone.
    pub lost_names: u32,
    /// Names that are back though they had been removed, replaced or given up.
    pub returned_names: u32,
    /// The unsynced sectors that survived, of files that still have a name, in order of the name.
    pub survived: Vec<Synced>,
}
