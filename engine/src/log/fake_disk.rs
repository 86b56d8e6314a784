//! A disk in memory for the tests of the log: what was not synced may be lost, sector by sector and
//! name by name.

use std::collections::{BTreeMap, BTreeSet};

use synod_port::files::{DiskError, DiskOk, DiskOp, FileName};

use crate::config::SECTOR;

/// A small generator (SplitMix64), so that a test is a function of its seed.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let n = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (n ^ (n >> 31)) % sides
    }

    pub(crate) fn flip(&mut self) -> bool {
        self.roll(2) == 0
    }
}

#[derive(Clone, Debug, Default)]
struct File {
    /// As it reads now.
    seen: Vec<u8>,
    /// As it is on the media.
    media: Vec<u8>,
    /// Sectors that the next sync writes.
    dirty: BTreeSet<usize>,
    /// Sectors that a failed sync gave up: they read as new, are not on the media, and are not
    /// written again.
    lied: BTreeSet<usize>,
}

#[derive(Clone, Debug)]
enum NameOp {
    Link(FileName, usize),
    Unlink(FileName),
    Rename(FileName, FileName, usize),
}

/// The disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeDisk {
    files: Vec<File>,
    names: BTreeMap<FileName, usize>,
    durable: BTreeMap<FileName, usize>,
    pending: Vec<NameOp>,
    /// The next sync, and the next write, fails.
    pub fail_sync: bool,
    pub fail_write: bool,
    pub full: bool,
}

impl FakeDisk {
    /// A disk with durable files.
    pub(crate) fn with(files: Vec<(FileName, Vec<u8>)>) -> Self {
        let mut disk = Self::default();
        for (at, (name, bytes)) in files.into_iter().enumerate() {
            disk.files.push(File {
                seen: bytes.clone(),
                media: bytes,
                ..File::default()
            });
            disk.names.insert(name, at);
        }
        disk.durable = disk.names.clone();
        disk
    }

    /// What can be seen, file by file.
    pub(crate) fn image(&self) -> Vec<(FileName, Vec<u8>)> {
        self.names
            .iter()
            .map(|(name, at)| (*name, self.files[*at].seen.clone()))
            .collect()
    }

    /// Does an operation.
    pub(crate) fn run(&mut self, op: &DiskOp) -> Result<DiskOk, DiskError> {
        match op {
            DiskOp::List => Ok(DiskOk::Names(self.names.keys().copied().collect())),
            DiskOp::Length(file) => Ok(DiskOk::Length(self.file(*file)?.seen.len() as u64)),
            DiskOp::Read {
                file,
                offset,
                length,
            } => {
                let bytes = &self.file(*file)?.seen;
                let start = (*offset as usize).min(bytes.len());
                let end = (start + *length as usize).min(bytes.len());
                Ok(DiskOk::Data(bytes[start..end].into()))
            }
            DiskOp::Create(file) => {
                if self.names.contains_key(file) {
                    return Err(DiskError::Exists);
                }
                if self.full {
                    return Err(DiskError::NoSpace);
                }
                self.files.push(File::default());
                self.names.insert(*file, self.files.len() - 1);
                self.pending.push(NameOp::Link(*file, self.files.len() - 1));
                Ok(DiskOk::Done)
            }
            DiskOp::Write { file, offset, data } => {
                if self.full {
                    return Err(DiskError::NoSpace);
                }
                let failed = std::mem::take(&mut self.fail_write);
                let half = if failed {
                    data.len() / SECTOR / 2 * SECTOR
                } else {
                    data.len()
                };
                self.file(*file)?.write(*offset as usize, &data[..half]);
                if failed {
                    Err(DiskError::Io)
                } else {
                    Ok(DiskOk::Done)
                }
            }
            DiskOp::Truncate { file, length } => {
                self.file(*file)?.resize(*length as usize);
                Ok(DiskOk::Done)
            }
            DiskOp::Rename { from, to } => {
                let at = self.names.remove(from).ok_or(DiskError::NotFound)?;
                self.names.insert(*to, at);
                self.pending.push(NameOp::Rename(*from, *to, at));
                Ok(DiskOk::Done)
            }
            DiskOp::Remove(file) => {
                self.names.remove(file).ok_or(DiskError::NotFound)?;
                self.pending.push(NameOp::Unlink(*file));
                Ok(DiskOk::Done)
            }
            DiskOp::Sync(file) => {
                let fail = std::mem::take(&mut self.fail_sync);
                let file = self.file(*file)?;
                let dirty = std::mem::take(&mut file.dirty);
                if fail {
                    file.lied.extend(dirty);
                    return Err(DiskError::Io);
                }
                file.media.resize(file.seen.len(), 0);
                dirty.into_iter().for_each(|sector| file.keep(sector));
                Ok(DiskOk::Done)
            }
            DiskOp::SyncDir => {
                if std::mem::take(&mut self.fail_sync) {
                    return Err(DiskError::Io);
                }
                let pending = std::mem::take(&mut self.pending);
                pending.into_iter().for_each(|op| self.link(op));
                Ok(DiskOk::Done)
            }
        }
    }

    /// An operation that was under way when the process died: it was done or not, and of a write
    /// any sectors are there.
    pub(crate) fn tear(&mut self, op: &DiskOp, dice: &mut Dice) {
        let DiskOp::Write { file, offset, data } = op else {
            if dice.flip() {
                let _ = self.run(op);
            }
            return;
        };
        let Ok(file) = self.file(*file) else {
            return;
        };
        for (at, sector) in data.chunks(SECTOR).enumerate() {
            if dice.flip() {
                file.write(*offset as usize + at * SECTOR, sector);
            }
        }
    }

    /// The power goes: any subset of what was not synced is left.
    pub(crate) fn cut_power(&mut self, dice: &mut Dice) {
        for file in &mut self.files {
            if dice.flip() {
                file.media.resize(file.seen.len(), 0);
            }
            let unsynced: Vec<_> = file.dirty.iter().chain(&file.lied).copied().collect();
            for sector in unsynced {
                if dice.flip() && sector * SECTOR < file.media.len() {
                    file.keep(sector);
                }
            }
            file.seen = file.media.clone();
            file.dirty.clear();
            file.lied.clear();
        }
        for op in std::mem::take(&mut self.pending) {
            if dice.flip() {
                self.link(op);
            }
        }
        self.names = self.durable.clone();
        (self.fail_sync, self.fail_write, self.full) = (false, false, false);
    }

    fn link(&mut self, op: NameOp) {
        match op {
            NameOp::Link(name, at) => {
                self.durable.insert(name, at);
            }
            NameOp::Unlink(name) => {
                self.durable.remove(&name);
            }
            NameOp::Rename(from, to, at) => {
                self.durable.remove(&from);
                self.durable.insert(to, at);
            }
        }
    }

    fn file(&mut self, name: FileName) -> Result<&mut File, DiskError> {
        self.names
            .get(&name)
            .map(|at| &mut self.files[*at])
            .ok_or(DiskError::NotFound)
    }
}

impl File {
    fn write(&mut self, offset: usize, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        if self.seen.len() < offset + data.len() {
            self.seen.resize(offset + data.len(), 0);
        }
        self.seen[offset..offset + data.len()].copy_from_slice(data);
        self.dirty
            .extend(offset / SECTOR..(offset + data.len()).div_ceil(SECTOR));
    }

    fn resize(&mut self, length: usize) {
        self.seen.resize(length, 0);
    }

    /// A sector reaches the media.
    fn keep(&mut self, sector: usize) {
        let start = sector * SECTOR;
        let end = (start + SECTOR).min(self.seen.len()).min(self.media.len());
        if start < end {
            self.media[start..end].copy_from_slice(&self.seen[start..end]);
        }
    }
}
