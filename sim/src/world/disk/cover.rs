//! What a sync covers: the versions that were visible when it was submitted, and of those what
//! other syncs have not settled meanwhile.

use std::num::NonZeroU64;

use smallvec::SmallVec;

use super::block::{SECTOR_BYTES, Sector, sectors_in};
use crate::choices::loose::Part;

/// Numbers the changes of a disk's content.
pub(super) type Stamp = NonZeroU64;

/// A sector as a sync covers it.
#[derive(Clone, Debug)]
pub(super) struct Covered {
    pub sector: u32,
    pub stamp: Stamp,
    pub content: Sector,
}

/// What a sync covers: what was complete when it was submitted.
#[derive(Clone, Debug, Default)]
pub(super) struct Cover {
    /// In order of the sector.
    pub sectors: SmallVec<[Covered; 4]>,
    /// The length, if it had changed.
    pub length: Option<(u64, Stamp)>,
}

impl Cover {
    /// Another sync succeeded: covers no more what is on the media already, as it was or newer.
    pub fn supersede(&mut self, durable: &Self) {
        self.retain(durable, |ours, theirs| ours > theirs);
        if let Some((length, cut)) = durable.length {
            self.sectors.retain(|covered| {
                u64::from(covered.sector) < sectors_in(length) || covered.stamp > cut
            });
            self.length.take_if(|(_, stamp)| *stamp <= cut);
        }
    }

    /// Another sync failed: covers no more what that one covered too.
    pub fn give_up(&mut self, failed: &Self) {
        self.retain(failed, |ours, theirs| ours != theirs);
        self.length.take_if(|length| failed.length == Some(*length));
    }

    /// The part for which `lands` says so, the length first, and the rest. Where a change of the
    /// length does not land, neither does what the old one, which the media has, does not reach.
    pub fn split(self, media_length: u64, mut lands: impl FnMut(Part) -> bool) -> (Self, Self) {
        let (mut landed, mut rest) = (Self::default(), Self::default());
        let length_lands = self.length.is_some() && lands(Part::Length);
        let limit = if self.length.is_none() || length_lands {
            u64::MAX
        } else {
            media_length
        };
        if length_lands {
            landed.length = self.length;
        } else {
            rest.length = self.length;
        }
        for covered in self.sectors {
            let reached = (u64::from(covered.sector) + 1) * SECTOR_BYTES <= limit;
            let part = if lands(Part::Sector(covered.sector)) && reached {
                &mut landed
            } else {
                &mut rest
            };
            part.sectors.push(covered);
        }
        (landed, rest)
    }

    /// What it covers.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let sectors = self.sectors.iter();
        let length = self.length.map(|_| Part::Length);
        length
            .into_iter()
            .chain(sectors.map(|covered| Part::Sector(covered.sector)))
    }

    /// Whether it covers nothing.
    pub fn is_empty(&self) -> bool {
        self.sectors.is_empty() && self.length.is_none()
    }

    /// Keeps the sectors that the other does not cover, and of those that it covers the ones whose
    /// stamps say so.
    fn retain(&mut self, other: &Self, keeps: impl Fn(Stamp, Stamp) -> bool) {
        let mut others = other.sectors.iter().peekable();
        self.sectors.retain(|covered| {
            while others
                .next_if(|other| other.sector < covered.sector)
                .is_some()
            {}
            others
                .next_if(|other| other.sector == covered.sector)
                .is_none_or(|other| keeps(covered.stamp, other.stamp))
        });
    }
}
