//! A file: its bytes as they are read, and what of them is on the media.
//!
//! Only one image is kept, the visible one. A sector whose visible content is not known to be on
//! the media has an entry in a short list with what the media holds instead, so that a write, a
//! sync and a power loss cost by the sectors that are unsynced, not by the file. An entry that is
//! *due* is covered by the next sync. One that is not due is either left behind by a failed sync
//! (it reads as new, counts as clean, and is not on the media; Rebello et al., ATC '20; where the
//! page cache drops such a sector instead, it has no entry any more, and reads as old) or lies
//! beyond the end, cut off by a truncation: the media still holds it until a sync covers the new
//! length.
//!
//! A sync covers the versions that were visible when it was submitted. Stamps, one for each change
//! on the disk, tell versions apart.

use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;
use synod_port::files::{Bytes, FileName};

use super::block::{
    SECTOR, SECTOR_BYTES, Sector, ZEROS, bytes_of, patched, sectors_in, unreadable, whole,
};
use super::cover::{Cover, Covered, Stamp};
use super::report::PowerReport;
use super::survival::{Kept, Survival};
use crate::choices::loose::Part;
use crate::choices::{Choices, Label};

/// A sector whose visible content is not known to be on the media.
#[derive(Clone, Debug)]
struct Unsynced {
    sector: u32,
    /// What the media holds.
    media: Sector,
    /// The last change of the visible content, if the next sync covers it.
    due: Option<Stamp>,
}

/// A file.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    /// What is read; shorter than the length where only zeros follow, and never longer. Bytes
    /// beyond the length are zero.
    sectors: Vec<Sector>,
    length: u64,
    media_length: u64,
    /// The last change of the length, if the next sync covers it.
    length_due: Option<Stamp>,
    /// In order of the sector.
    unsynced: Vec<Unsynced>,
    /// Sectors that came to the media last, by a sync or by surviving a power loss.
    newest: SmallVec<[u32; 4]>,
    /// All visible bytes, once somebody has read them and until the file changes. Boots read whole
    /// files, those of audits the same files over and over.
    image: OnceLock<Bytes>,
}

impl File {
    /// The file, to be changed.
    pub fn changing(file: &mut Arc<Self>) -> &mut Self {
        let file = Arc::make_mut(file);
        file.image.take();
        file
    }

    /// A file whose content is on the media.
    pub fn durable(content: &[u8]) -> Self {
        let mut file = Self::default();
        file.write(0, content, Stamp::MIN, || true);
        file.synced(&file.cover());
        file.newest.clear();
        file
    }

    /// Whether a sector came to the media last, by a sync or by surviving a power loss: before that,
    /// a power loss could have left any part of what came with it.
    pub fn is_newest(&self, sector: u32) -> bool {
        self.newest.contains(&sector)
    }

    /// The visible length in bytes.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The length on the media.
    pub const fn media_length(&self) -> u64 {
        self.media_length
    }

    /// Whether a power loss may change it.
    pub const fn is_unsynced(&self) -> bool {
        !self.unsynced.is_empty() || self.length_due.is_some() || self.length != self.media_length
    }

    /// The blocks that are held in memory, roughly.
    pub fn blocks(&self) -> usize {
        self.sectors.iter().flatten().count()
            + self
                .unsynced
                .iter()
                .filter(|entry| entry.media.is_some())
                .count()
    }

    /// Up to `length` visible bytes from `offset`, or nothing when the device cannot read one of
    /// the sectors.
    pub fn read(&self, offset: u64, length: u64) -> Option<Bytes> {
        let size = self.length.saturating_sub(offset).min(length);
        if size < self.length {
            return self.copied(offset, size);
        }
        if let Some(image) = self.image.get() {
            return Some(image.clone());
        }
        let bytes = self.copied(offset, size)?;
        Some(self.image.get_or_init(|| bytes).clone())
    }

    fn copied(&self, offset: u64, size: u64) -> Option<Bytes> {
        let mut bytes = zeros(usize::try_from(size).expect("a file fits in memory"));
        let buffer = Arc::get_mut(&mut bytes).expect("nobody else has it yet");
        // Behind the sectors that are held there are zeros alone, and they are there already.
        let held = (self.sectors.len() as u64 * SECTOR_BYTES)
            .saturating_sub(offset)
            .min(size);
        let held = usize::try_from(held).expect("it is at most the size");
        let mut at = 0;
        while at < held {
            let (sector, within) = place(offset + at as u64);
            let size = (SECTOR - within).min(held - at);
            if let Some(content @ Some(block)) = self.sectors.get(sector as usize) {
                if unreadable(content) {
                    return None;
                }
                buffer[at..at + size].copy_from_slice(&block.bytes[within..within + size]);
            }
            at += size;
        }
        Some(bytes)
    }

    /// Writes those sectors of `data` for which `lands` says so, in order, and says how many did.
    /// The length grows to the end of the last one.
    pub fn write(
        &mut self,
        offset: u64,
        data: &[u8],
        stamp: Stamp,
        mut lands: impl FnMut() -> bool,
    ) -> u32 {
        let (mut at, mut end, mut landed) = (0, 0, 0);
        while at < data.len() {
            let position = offset + at as u64;
            let (sector, within) = place(position);
            let part = &data[at..data.len().min(at + SECTOR - within)];
            at += part.len();
            if !lands() {
                continue;
            }
            let new = match <&[u8; SECTOR]>::try_from(part) {
                Ok(bytes) => whole(bytes),
                Err(_) => {
                    let old = self.sectors.get(sector as usize).unwrap_or(&None);
                    if unreadable(old) {
                        continue;
                    }
                    patched(old, within, part)
                }
            };
            self.put(sector, new, stamp);
            end = position + part.len() as u64;
            landed += 1;
        }
        self.grow(end, stamp);
        landed
    }

    /// Whether a write would have to read a sector that cannot be read, because it covers only a
    /// part of it.
    pub fn obstructs(&self, offset: u64, size: usize) -> bool {
        let end = offset + size as u64;
        [offset, end].iter().any(|edge| {
            edge % SECTOR_BYTES != 0
                && unreadable(self.sectors.get(place(*edge).0 as usize).unwrap_or(&None))
        })
    }

    /// Sets the length. What is beyond is dropped; growing fills with zeros.
    pub fn truncate(&mut self, length: u64, stamp: Stamp) {
        self.grow(length, stamp);
        if length < self.length {
            let (last, within) = place(length);
            if let Some(content) = self.sectors.get(last as usize).filter(|_| within > 0)
                && bytes_of(content)[within..] != ZEROS[within..]
            {
                let new = patched(content, within, &ZEROS[within..]);
                self.put(last, new, stamp);
            }
            self.drop_from(sectors_in(length));
            self.length = length;
        }
        self.length_due = Some(stamp);
    }

    /// What a sync that is submitted now covers.
    pub fn cover(&self) -> Cover {
        let covered = |entry: &Unsynced| {
            let content = self
                .sectors
                .get(entry.sector as usize)
                .cloned()
                .unwrap_or(None);
            Some(Covered {
                sector: entry.sector,
                stamp: entry.due?,
                content,
            })
        };
        Cover {
            sectors: self.unsynced.iter().filter_map(covered).collect(),
            length: self.length_due.map(|stamp| (self.length, stamp)),
        }
    }

    /// The sync of this cover succeeded: it is on the media now.
    pub fn synced(&mut self, cover: &Cover) {
        if let Some((length, stamp)) = cover.length {
            if length < self.media_length {
                self.cut_media(length);
            }
            self.media_length = length;
            self.length_due.take_if(|due| *due == stamp);
        }
        if !cover.sectors.is_empty() {
            self.newest = cover.sectors.iter().map(|one| one.sector).collect();
        }
        let mut covered = cover.sectors.iter().peekable();
        self.unsynced.retain_mut(|entry| {
            while covered
                .next_if(|covered| covered.sector < entry.sector)
                .is_some()
            {}
            let Some(now) = covered.next_if(|covered| covered.sector == entry.sector) else {
                return true;
            };
            if entry.due == Some(now.stamp) {
                return false;
            }
            entry.media = now.content.clone();
            true
        });
    }

    /// The sync of this cover failed, and this did not land: unless it has changed since, it counts
    /// as clean, and reads as old where `drops` says so, and as new otherwise. Says how many sectors.
    pub fn sync_failed(&mut self, cover: &Cover, mut drops: impl FnMut() -> bool) -> u32 {
        if let Some((_, stamp)) = cover.length {
            self.length_due.take_if(|due| *due == stamp);
        }
        let mut covered = cover.sectors.iter().peekable();
        let mut stranded = 0;
        let mut dropped: SmallVec<[u32; 4]> = SmallVec::new();
        for entry in &mut self.unsynced {
            while covered
                .next_if(|covered| covered.sector < entry.sector)
                .is_some()
            {}
            if let Some(now) = covered.next_if(|covered| covered.sector == entry.sector)
                && entry.due.take_if(|due| *due == now.stamp).is_some()
            {
                stranded += 1;
                if drops() {
                    dropped.push(entry.sector);
                }
            }
        }
        dropped.into_iter().for_each(|sector| self.drop(sector));
        stranded
    }

    /// The page cache drops a sector, which reads from now on as the media has it, unless it was cut
    /// off there.
    fn drop(&mut self, sector: u32) {
        let at = self
            .unsynced
            .binary_search_by_key(&sector, |entry| entry.sector)
            .expect("what is dropped is not on the media");
        let (last, within) = place(self.length);
        let old = bytes_of(&self.unsynced[at].media);
        if sector != last || old[within..] == ZEROS[within..] {
            let entry = self.unsynced.remove(at);
            self.set(sector, entry.media);
        }
    }

    /// Forgets the entries of sectors that hold zeros both for readers and on the media. Only while
    /// no sync of the file is under way, since the end of one takes a sector without an entry for
    /// one that another sync has made durable.
    pub fn tidy(&mut self) {
        let sectors = &self.sectors;
        self.unsynced.retain(|entry| {
            entry.media.is_some()
                || sectors
                    .get(entry.sector as usize)
                    .is_some_and(Option::is_some)
        });
    }

    /// The power is gone: of what is due any subset survives, everything else is what the media
    /// held. Says what survived and is other than what the media held.
    pub fn lose_power(
        &mut self,
        (kept, name): (Kept<'_>, Option<FileName>),
        choices: &mut dyn Choices,
        label: Label,
        report: &mut PowerReport,
    ) -> Cover {
        let due = self
            .unsynced
            .iter()
            .filter(|entry| entry.due.is_some())
            .count()
            + usize::from(self.length_due.is_some());
        let survival = Survival::of(kept, due, choices, label);
        let keeps_length =
            self.length_due.is_some() && survival.keeps((name, Part::Length), choices, label);
        let length = if keeps_length {
            self.length
        } else {
            self.media_length
        };
        report.lost_lengths += u32::from(length != self.length);
        let mut writes: SmallVec<[(Stamp, bool); 8]> = SmallVec::new();
        let mut survived: SmallVec<[(u32, Stamp); 8]> = SmallVec::new();
        for entry in std::mem::take(&mut self.unsynced) {
            let thing = (name, Part::Sector(entry.sector));
            let kept = entry.due.is_some() && survival.keeps(thing, choices, label);
            let start = u64::from(entry.sector) * SECTOR_BYTES;
            let visible = self.sectors.get(entry.sector as usize).unwrap_or(&None);
            if start < self.length && bytes_of(visible) != bytes_of(&entry.media) {
                let survives = kept && start < length;
                let counter = if survives {
                    &mut report.kept_sectors
                } else {
                    &mut report.lost_sectors
                };
                *counter += 1;
                writes.extend(entry.due.map(|stamp| (stamp, survives)));
                survived.extend(
                    entry
                        .due
                        .filter(|_| survives)
                        .map(|stamp| (entry.sector, stamp)),
                );
            }
            if !kept {
                self.set(entry.sector, entry.media);
            }
        }
        report.torn_writes += torn(&mut writes);
        self.sectors
            .truncate(usize::try_from(sectors_in(length)).expect("a file fits in memory"));
        let (last, within) = place(length);
        if let Some(content) = self.sectors.get_mut(last as usize).filter(|_| within > 0)
            && bytes_of(content)[within..] != ZEROS[within..]
        {
            *content = patched(content, within, &ZEROS[within..]);
        }
        (self.length, self.media_length, self.length_due) = (length, length, None);
        self.newest
            .extend(survived.iter().map(|(sector, _)| *sector));
        let covered = |(sector, stamp): (u32, Stamp)| Covered {
            sector,
            stamp,
            content: self.media(sector).clone(),
        };
        Cover {
            sectors: survived.into_iter().map(covered).collect(),
            length: None,
        }
    }

    /// What a power loss may take or leave, once what is written up to `end` has landed: sectors that
    /// hold something else on the media, and the length.
    pub fn loose(&self, end: u64) -> Vec<Part> {
        let differs = |entry: &&Unsynced| {
            let visible = self.sectors.get(entry.sector as usize).unwrap_or(&None);
            entry.due.is_some() && bytes_of(visible) != bytes_of(&entry.media)
        };
        let sectors = self.unsynced.iter().filter(differs);
        let mut parts: Vec<Part> = sectors.map(|entry| Part::Sector(entry.sector)).collect();
        let changed = self.length_due.is_some() && self.length != self.media_length;
        parts.extend((changed || end > self.length.max(self.media_length)).then_some(Part::Length));
        parts
    }

    /// The content of a sector on the media.
    pub fn media(&self, sector: u32) -> &Sector {
        match self
            .unsynced
            .binary_search_by_key(&sector, |entry| entry.sector)
        {
            Ok(at) => &self.unsynced[at].media,
            Err(_) => self.sectors.get(sector as usize).unwrap_or(&None),
        }
    }

    /// How many bytes of a sector belong to the file, both as it is read and on the media.
    pub fn extent(&self, sector: u32) -> usize {
        let length = self.length.min(self.media_length);
        let rest = length.saturating_sub(u64::from(sector) * SECTOR_BYTES);
        usize::try_from(rest.min(SECTOR_BYTES)).expect("at most 512")
    }

    /// All bytes on the media.
    pub fn media_bytes(&self) -> Vec<u8> {
        let mut bytes =
            Vec::with_capacity(usize::try_from(self.media_length).expect("a file fits in memory"));
        for sector in 0..count(self.media_length) {
            bytes.extend_from_slice(bytes_of(self.media(sector)));
        }
        bytes.truncate(usize::try_from(self.media_length).expect("a file fits in memory"));
        bytes
    }

    /// Every sector on the media that is not sparse.
    pub fn media_blocks(&self) -> impl Iterator<Item = (u32, &Sector)> {
        (0..count(self.media_length))
            .map(|sector| (sector, self.media(sector)))
            .filter(|(_, content)| content.is_some())
    }

    /// The sectors that were written, and that are on the media as they are read.
    pub fn settled_blocks(&self) -> impl Iterator<Item = (u32, &Sector)> {
        let settled = |sector: &u32| {
            self.unsynced
                .binary_search_by_key(sector, |entry| entry.sector)
                .is_err()
        };
        self.media_blocks()
            .filter(move |(sector, _)| settled(sector))
    }

    /// Replaces a settled sector, on the media and for readers.
    pub fn damage(&mut self, sector: u32, content: Sector) {
        debug_assert!(
            self.unsynced
                .binary_search_by_key(&sector, |entry| entry.sector)
                .is_err(),
            "only a settled sector is damaged"
        );
        self.set(sector, content);
    }

    fn set(&mut self, sector: u32, content: Sector) -> Sector {
        let index = sector as usize;
        if self.sectors.len() <= index {
            content.as_ref()?;
            self.sectors.resize(index + 1, None);
        }
        std::mem::replace(&mut self.sectors[index], content)
    }

    fn put(&mut self, sector: u32, content: Sector, stamp: Stamp) {
        let old = self.set(sector, content);
        match self
            .unsynced
            .binary_search_by_key(&sector, |entry| entry.sector)
        {
            Ok(at) => self.unsynced[at].due = Some(stamp),
            Err(at) => self.unsynced.insert(
                at,
                Unsynced {
                    sector,
                    media: old,
                    due: Some(stamp),
                },
            ),
        }
    }

    /// Makes the file at least `length` bytes long. What a truncation cut off there is due as zeros
    /// now.
    fn grow(&mut self, length: u64, stamp: Stamp) {
        if length > self.length {
            let (first, end) = (place(self.length).0, count(length));
            let from = self.unsynced.partition_point(|entry| entry.sector < first);
            for entry in self.unsynced[from..]
                .iter_mut()
                .take_while(|entry| entry.sector < end)
            {
                entry.due = Some(stamp);
            }
            self.length = length;
            self.length_due = Some(stamp);
        } else if length > self.media_length {
            self.length_due = Some(stamp);
        }
    }

    /// Drops the visible sectors from `first` on. The media keeps them until a sync covers the
    /// length.
    fn drop_from(&mut self, first: u64) {
        let first = usize::try_from(first).expect("a file fits in memory");
        let from = self
            .unsynced
            .partition_point(|entry| (entry.sector as usize) < first);
        let mut entries = self.unsynced.split_off(from).into_iter().peekable();
        for (sector, content) in (first..).zip(self.sectors.drain(first.min(self.sectors.len())..))
        {
            let sector = u32::try_from(sector).expect("the capacity bounds a file to 2^31 sectors");
            if let Some(entry) = entries.next_if(|entry| entry.sector == sector) {
                self.unsynced.push(Unsynced { due: None, ..entry });
            } else if content.is_some() {
                self.unsynced.push(Unsynced {
                    sector,
                    media: content,
                    due: None,
                });
            }
        }
        self.unsynced
            .extend(entries.map(|entry| Unsynced { due: None, ..entry }));
    }

    /// The media forgets what is beyond `length`.
    fn cut_media(&mut self, length: u64) {
        let (last, within) = place(length);
        let from = self.unsynced.partition_point(|entry| entry.sector < last);
        for entry in &mut self.unsynced[from..] {
            if entry.sector > last || within == 0 {
                entry.media = None;
            } else if entry.media.is_some() {
                entry.media = patched(&entry.media, within, &ZEROS[within..]);
            }
        }
    }
}

/// The writes of which one part is on the media and another is not.
fn torn(writes: &mut [(Stamp, bool)]) -> u32 {
    writes.sort_unstable();
    let parted = writes
        .chunk_by(|one, other| one.0 == other.0)
        .filter(|parts| parts.first().map(|part| part.1) != parts.last().map(|part| part.1));
    u32::try_from(parted.count()).unwrap_or(u32::MAX)
}

/// So many zeros. Most of what is read is the unused rest of a segment, so they are copied from a
/// place that is at hand, and written once.
fn zeros(size: usize) -> Bytes {
    static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
    ZEROS
        .get(..size)
        .map_or_else(|| vec![0; size].into(), Bytes::from)
}

/// The sector and the byte in it.
fn place(offset: u64) -> (u32, usize) {
    let sector =
        u32::try_from(offset / SECTOR_BYTES).expect("the capacity bounds a file to 2^31 sectors");
    (
        sector,
        usize::try_from(offset % SECTOR_BYTES).expect("below 512"),
    )
}

fn count(length: u64) -> u32 {
    u32::try_from(sectors_in(length)).expect("the capacity bounds a file to 2^31 sectors")
}
