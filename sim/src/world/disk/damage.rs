//! Damage to what was synced: how, what is asked for, and what was hit.

use synod_port::files::FileName;

use super::block::FlawId;
use crate::scenario::fault::Spots;

/// What is to be damaged.
#[derive(Clone, Copy, Debug)]
pub struct Rot<'a> {
    /// Which sectors, if there are as many.
    pub spots: &'a Spots,
    /// One of these is drawn for each sector; [`Damage::ROT`] is plain bit rot.
    pub kinds: &'a [Damage],
}

/// How a sector is damaged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Damage {
    /// One bit is wrong.
    Bit,
    /// One byte is wrong.
    Byte,
    /// Every byte is noise.
    Noise,
    /// Every byte is zero.
    Zeroed,
    /// It holds what another sector of the disk holds or should hold: a misdirected write.
    Misdirected,
    /// It holds what it held before it was written last: that write was misdirected.
    Unwritten,
    /// It cannot be read: a latent sector error.
    Unreadable,
}

impl Damage {
    /// Bit rot: what readers are not told of.
    pub const ROT: [Self; 4] = [Self::Bit, Self::Byte, Self::Noise, Self::Zeroed];
    /// Bit rot that a checksum reveals wherever it strikes. Zeros may look like a torn tail.
    pub const REVEALED: [Self; 3] = [Self::Bit, Self::Byte, Self::Noise];
}

/// A sector that was damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// Asked for by [`Disk::flaws`](super::Disk::flaws).
    pub flaw: FlawId,
    /// Where.
    pub file: FileName,
    /// Where in it.
    pub sector: u32,
    /// How.
    pub damage: Damage,
}
