//! Misdirected writes: a synced sector went to another place. Where it should be the media still
//! holds what was there before, and where it went something is overwritten.
//!
//! The page cache hides it at first: readers see what was written until the same file has been
//! synced again, with later writes. That is also when the damage is done here. A write that is
//! misdirected and that nothing after it could reveal is a silent loss without any redundancy,
//! which is out of the model; a death before the later sync leaves the write where it belongs.

use std::sync::Arc;

use super::Disk;
use super::block::{Block, Flaw, FlawId, Sector, bytes_of};
use super::cover::{Cover, Stamp};
use super::damage::{Damage, Hit};
use super::directory::FileId;
use crate::choices::{Choices, FaultAt, Label, Matter, Topic};
use crate::ids::FaultNumber;

/// Whether a write is to be misdirected.
#[derive(Clone, Debug, Default)]
pub(super) enum Misdirection {
    /// None is.
    #[default]
    Nothing,
    /// One of the next that are synced, by this fault.
    Armed(FaultNumber),
    /// This one was, if the file is synced again.
    Hidden(FaultNumber, Hidden),
}

/// A synced sector that may have gone elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Hidden {
    file: FileId,
    sector: u32,
    /// What the media held before.
    old: Sector,
    new: Sector,
    /// Changes after this one were made when it was synced already.
    since: Stamp,
}

impl Disk {
    /// One of the next writes goes to another place by this fault, or, once more, none does.
    pub fn set_misdirecting(&mut self, by: Option<FaultNumber>) {
        match (by, &self.misdirection) {
            (Some(fault), Misdirection::Nothing) => self.misdirection = Misdirection::Armed(fault),
            (Some(_), _) => {}
            (None, _) => self.misdirection = Misdirection::Nothing,
        }
    }

    /// The fault by which a write is to be misdirected.
    fn misdirecting(&self) -> Option<FaultNumber> {
        match self.misdirection {
            Misdirection::Nothing => None,
            Misdirection::Armed(fault) | Misdirection::Hidden(fault, _) => Some(fault),
        }
    }

    /// Whether a write is to be misdirected, or was and may come to light.
    #[cfg(test)]
    pub fn is_misdirecting(&self) -> bool {
        !matches!(self.misdirection, Misdirection::Nothing)
    }

    /// The process has died: what was hidden went where it belongs.
    pub(super) fn forget_hidden(&mut self) {
        if let Misdirection::Hidden(fault, _) = self.misdirection {
            self.misdirection = Misdirection::Armed(fault);
        }
    }

    /// Of what a sync is about to make durable, a sector that is to be misdirected.
    pub(super) fn to_hide(
        &self,
        file: FileId,
        cover: &Cover,
        choices: &mut dyn Choices,
        node: u16,
    ) -> Option<Hidden> {
        let by = FaultAt::node(self.misdirecting()?, node);
        choices.about(Matter::Fault(by));
        let content = self.file(file);
        let differ = |old: &Sector, new: &Sector| bytes_of(old) != bytes_of(new);
        let mut sectors = cover
            .sectors
            .iter()
            .filter(|covered| differ(content.media(covered.sector), &covered.content));
        let count = sectors.clone().count();
        let chosen = if count < 2 {
            0
        } else {
            choices.pick(Label::fault(Topic::Misdirect, by), count)
        };
        let covered = sectors.nth(chosen)?;
        let old = content.media(covered.sector).clone();
        Some(Hidden {
            file,
            sector: covered.sector,
            old,
            new: covered.content.clone(),
            since: self.stamp,
        })
    }

    /// A sync has made this durable: what an earlier sync of the file hid comes to light, or this
    /// one hides something. Says what was hit: the place where the write should be, and the place
    /// where it is.
    pub(super) fn misdirect(
        &mut self,
        file: FileId,
        cover: &Cover,
        hide: Option<Hidden>,
        choices: &mut dyn Choices,
        node: u16,
    ) -> Vec<Hit> {
        if let Misdirection::Hidden(fault, hidden) = &self.misdirection
            && hidden.file == file
            && !cover.sectors.is_empty()
            && cover
                .sectors
                .iter()
                .all(|covered| covered.sector != hidden.sector && covered.stamp > hidden.since)
        {
            let (by, hidden) = (FaultAt::node(*fault, node), hidden.clone());
            choices.about(Matter::Fault(by));
            let hits = self.come_to_light(&hidden, choices, by);
            if !hits.is_empty() {
                self.misdirection = Misdirection::Nothing;
                return hits;
            }
        }
        if let (Some(hide), Some(fault)) = (hide, self.misdirecting()) {
            self.misdirection = Misdirection::Hidden(fault, hide);
        }
        Vec::new()
    }

    fn come_to_light(
        &mut self,
        hidden: &Hidden,
        choices: &mut dyn Choices,
        by: FaultAt,
    ) -> Vec<Hit> {
        let mut places = self.places("");
        let Some(at) = places
            .iter()
            .position(|place| (place.file, place.sector) == (hidden.file, hidden.sector))
        else {
            return Vec::new();
        };
        let missed = places.swap_remove(at);
        if bytes_of(self.file(hidden.file).media(hidden.sector)) != bytes_of(&hidden.new) {
            return Vec::new();
        }
        places.retain(|place| {
            bytes_of(self.file(place.file).media(place.sector)) != bytes_of(&hidden.new)
        });
        if places.is_empty() {
            return Vec::new();
        }
        let struck =
            places.swap_remove(choices.pick(Label::fault(Topic::Misdirect, by), places.len()));
        [
            (missed, &hidden.old, Damage::Unwritten),
            (struck, &hidden.new, Damage::Misdirected),
        ]
        .map(|(place, content, damage)| {
            let flaw = FlawId(self.flaws);
            self.flaws += 1;
            let block = Block {
                bytes: *bytes_of(content),
                flaw: Some(Flaw {
                    id: flaw,
                    unreadable: false,
                }),
            };
            self.file_mut(place.file)
                .damage(place.sector, Some(Arc::new(block)));
            Hit {
                flaw,
                file: self.directory.name_of(place.file).unwrap_or(place.name),
                sector: place.sector,
                damage,
            }
        })
        .to_vec()
    }
}
