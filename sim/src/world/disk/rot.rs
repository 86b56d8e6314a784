//! Damage to what was synced: bit rot, misdirected writes, latent sector errors.

use std::sync::Arc;

use synod_port::files::FileName;

use super::Disk;
use super::block::{Block, Flaw, FlawId, SECTOR, Sector, ZEROS, bytes_of};
use super::damage::{Damage, Hit, Rot};
use super::directory::FileId;
use crate::choices::{Choices, FaultAt, Label, Matter, Topic};

/// How many sectors are the tail of a file.
const TAIL: usize = 4;

/// A place that may be damaged.
pub(super) struct Place {
    pub name: FileName,
    pub file: FileId,
    pub sector: u32,
}

impl Disk {
    /// Damages sectors on the media that were written and synced, under names that are durable, and
    /// not damaged yet. Only bytes that belong to the file are: what is beyond its end nobody reads.
    /// Readers see the damage at once. Says what was hit: a damage that leaves the sector as it is
    /// hits nothing.
    pub fn rot(&mut self, rot: &Rot<'_>, choices: &mut dyn Choices, by: FaultAt) -> Vec<Hit> {
        choices.about(Matter::Fault(by));
        let label = Label::fault(Topic::BitRot, by);
        let mut places = self.places(&rot.spots.files);
        if rot.spots.tail {
            self.leave_tail(&mut places);
        }
        let mut hits = Vec::new();
        for _ in 0..rot.spots.sectors {
            if places.is_empty() || rot.kinds.is_empty() {
                break;
            }
            let at = choices.pick(label, places.len());
            let place = places.swap_remove(at);
            let damage = match rot.kinds[choices.pick(label, rot.kinds.len())] {
                Damage::Zeroed if self.could_be_torn(&place) => Damage::Noise,
                damage => damage,
            };
            let file = self.file(place.file);
            let (old, extent) = (
                *bytes_of(file.media(place.sector)),
                file.extent(place.sector),
            );
            if extent == 0 {
                continue;
            }
            let mut bytes = match damage {
                Damage::Bit => flipped(old, choices.draw(label, 8 * extent as u64)),
                Damage::Byte => {
                    let (at, by) = (choices.pick(label, extent), choices.draw(label, 255) + 1);
                    let mut bytes = old;
                    bytes[at] ^= u8::try_from(by).expect("at most 255");
                    bytes
                }
                Damage::Noise => noise(choices.draw(label, u64::MAX)),
                Damage::Zeroed => ZEROS,
                Damage::Misdirected if places.is_empty() => old,
                Damage::Misdirected => {
                    let other = &places[choices.pick(label, places.len())];
                    *bytes_of(self.file(other.file).media(other.sector))
                }
                Damage::Unreadable | Damage::Unwritten => old,
            };
            bytes[extent..].fill(0);
            let unreadable = damage == Damage::Unreadable;
            if bytes == old && !unreadable {
                continue;
            }
            let flaw = FlawId(self.flaws);
            self.flaws += 1;
            let block = Block {
                bytes,
                flaw: Some(Flaw {
                    id: flaw,
                    unreadable,
                }),
            };
            self.file_mut(place.file)
                .damage(place.sector, Some(Arc::new(block)));
            let file = self.directory.name_of(place.file).unwrap_or(place.name);
            hits.push(Hit {
                flaw,
                file,
                sector: place.sector,
                damage,
            });
        }
        hits
    }

    /// Leaves the last places of the last file that hold anything.
    fn leave_tail(&self, places: &mut Vec<Place>) {
        places.retain(|place| *bytes_of(self.file(place.file).media(place.sector)) != ZEROS);
        let last = places.iter().map(|place| place.name).max();
        places.retain(|place| Some(place.name) == last);
        places.sort_unstable_by_key(|place| place.sector);
        places.drain(..places.len().saturating_sub(TAIL));
    }

    /// Whether nothing on the disk could tell that this sector was ever written, if it were zero:
    /// only zeros follow in the file, or a power loss in the middle of what was written last would
    /// have left the same. No redundancy reveals that, so it is outside the model.
    fn could_be_torn(&self, place: &Place) -> bool {
        let file = self.file(place.file);
        let is_last = |(sector, content): (u32, &Sector)| {
            sector <= place.sector || *bytes_of(content) == ZEROS
        };
        file.is_newest(place.sector) || file.media_blocks().all(is_last)
    }

    /// The damage that is still on the media, in order: not written over and synced, nor in a file
    /// that is durably removed.
    #[must_use]
    pub fn flaws(&self) -> Vec<FlawId> {
        if self.flaws == 0 {
            return Vec::new();
        }
        let blocks = self
            .files
            .iter()
            .flatten()
            .flat_map(|file| file.media_blocks());
        let mut flaws: Vec<FlawId> = blocks
            .filter_map(|(_, sector)| Some(flaw_of(sector)?.id))
            .collect();
        flaws.sort_unstable();
        flaws.dedup();
        flaws
    }

    /// Sectors on the media that were written and synced, under durable names of this prefix, and
    /// are not damaged.
    pub(super) fn places(&self, prefix: &str) -> Vec<Place> {
        let files = self
            .directory
            .durable
            .iter()
            .filter(|(name, _)| name.as_bytes().starts_with(prefix.as_bytes()));
        let sound = |(name, file)| {
            let settled = self
                .file(file)
                .settled_blocks()
                .filter(|(_, content)| flaw_of(content).is_none());
            settled.map(move |(sector, _)| Place { name, file, sector })
        };
        files.flat_map(sound).collect()
    }
}

fn flaw_of(sector: &Sector) -> Option<Flaw> {
    sector.as_ref().and_then(|block| block.flaw)
}

fn flipped(mut bytes: [u8; SECTOR], bit: u64) -> [u8; SECTOR] {
    let bit = usize::try_from(bit).expect("below 4096");
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

/// A sector of noise from one word (SplitMix64; Steele, Lea and Flood, OOPSLA '14).
fn noise(mut word: u64) -> [u8; SECTOR] {
    let mut bytes = ZEROS;
    for chunk in bytes.chunks_exact_mut(8) {
        word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes
}
