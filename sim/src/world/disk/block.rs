//! What one sector holds. Blocks are shared between the visible content, the media's old content,
//! snapshots of syncs and copies of the whole disk; a write makes a new block and never changes a
//! shared one.

use std::sync::Arc;

/// Bytes of a sector: what reaches the media whole or not at all.
pub const SECTOR: usize = 512;

/// [`SECTOR`], for arithmetic with offsets.
pub(super) const SECTOR_BYTES: u64 = SECTOR as u64;

/// A sector of zeros.
pub(super) static ZEROS: [u8; SECTOR] = [0; SECTOR];

/// Names one place that was damaged on one disk; never reused on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FlawId(pub u32);

/// Damage that the simulator did to a block. It travels with the content: a block that is only
/// partly overwritten stays flawed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Flaw {
    /// Which.
    pub id: FlawId,
    /// Reads fail, until the whole sector is written.
    pub unreadable: bool,
}

/// The content of a sector that is not sparse.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Block {
    /// What is read.
    pub bytes: [u8; SECTOR],
    /// What the simulator did to it.
    pub flaw: Option<Flaw>,
}

/// A sector: a block, or nothing for zeros.
pub(super) type Sector = Option<Arc<Block>>;

/// The bytes of a sector.
pub(super) fn bytes_of(sector: &Sector) -> &[u8; SECTOR] {
    sector.as_ref().map_or(&ZEROS, |block| &block.bytes)
}

/// A whole, sound sector.
pub(super) fn whole(bytes: &[u8; SECTOR]) -> Sector {
    if *bytes == ZEROS {
        None
    } else {
        Some(Arc::new(Block {
            bytes: *bytes,
            flaw: None,
        }))
    }
}

/// The sector with some of its bytes replaced.
pub(super) fn patched(old: &Sector, within: usize, bytes: &[u8]) -> Sector {
    let mut block = old.as_deref().cloned().unwrap_or(Block {
        bytes: ZEROS,
        flaw: None,
    });
    block.bytes[within..within + bytes.len()].copy_from_slice(bytes);
    Some(Arc::new(block))
}

/// Whether reading the sector fails.
pub(super) fn unreadable(sector: &Sector) -> bool {
    sector
        .as_ref()
        .is_some_and(|block| block.flaw.is_some_and(|flaw| flaw.unreadable))
}

/// The number of sectors that `bytes` bytes take.
pub(super) const fn sectors_in(bytes: u64) -> u64 {
    bytes.div_ceil(SECTOR_BYTES)
}
