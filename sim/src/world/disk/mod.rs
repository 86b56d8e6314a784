//! A node's simulated disk: files in one directory, what is seen of them, and what is on the media.
//!
//! The promises are those of DESIGN: a sync covers the bytes and length of writes that were
//! complete when it was submitted, and never names; a directory sync covers names; sectors are
//! atomic and writes are not; a killed process leaves its completed writes visible and unsynced; a
//! power loss keeps any subset of what is unsynced; of a failed sync any part reaches the media, and
//! the rest reads as new or as old and never does.
//!
//! Mechanism only. When operations complete, and with what fate, is the world's decision; how a
//! fault strikes is drawn here, through [`Choices`], and what it really did is reported. An
//! operation on a file's content is about the file that had the name when the operation was
//! *submitted*; everything else (names, room, content) is looked at when it *completes*.
//!
//! A copy of a disk is cheap: files are shared until one side changes them, and then their sectors
//! are.

mod block;
mod cover;
mod damage;
mod directory;
mod file;
mod misdirect;
mod power;
mod report;
mod rot;
mod survival;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use block::{FlawId, SECTOR};
pub use damage::{Damage, Hit, Rot};
pub use report::{Completion, Fate, KillReport, PowerReport, Synced, Ticket};
pub use survival::Kept;

use synod_port::files::{DiskError, DiskOk, DiskOp, FileName};

use self::block::{SECTOR_BYTES, sectors_in};
use self::cover::{Cover, Stamp};
use self::directory::{Change, Directory, FileId};
use self::file::File;
use self::misdirect::Misdirection;
use self::survival::Survival;
use crate::choices::loose::{Loose, Part};
use crate::choices::{Choices, FaultAt, Label, Matter, Topic};
use crate::scenario::fault::Keep;

/// An operation that was submitted and has not completed.
#[derive(Clone, Debug)]
struct UnderWay {
    ticket: Ticket,
    op: DiskOp,
    /// The file that had the name when the operation was submitted.
    file: Option<FileId>,
    covers: Covers,
    /// What of it lands when it fails, if that is told.
    lands: Option<Vec<Loose>>,
}

/// What a sync under way covers.
#[derive(Clone, Debug)]
enum Covers {
    Nothing,
    File(Cover),
    Names(u64),
}

/// A node's disk.
#[derive(Clone, Debug)]
pub struct Disk {
    /// By [`FileId`].
    files: Vec<Option<Arc<File>>>,
    directory: Directory,
    /// In order of submission.
    under_way: Vec<UnderWay>,
    ticket: u64,
    stamp: Stamp,
    capacity: u64,
    used: u64,
    full: bool,
    flaws: u32,
    misdirection: Misdirection,
    /// What was synced last.
    synced: Option<FileId>,
}

/// No disk is larger, so that sectors can be counted with 32 bits.
const CAPACITY_MAX: u64 = 1 << 40;

impl Disk {
    /// A disk with these durable files that holds so many bytes, at most a tebibyte. Each file
    /// takes a sector for its name and its length in whole sectors.
    #[must_use]
    pub fn formatted(files: &[(FileName, Vec<u8>)], capacity: u64) -> Self {
        let mut disk = Self {
            files: Vec::with_capacity(files.len()),
            directory: Directory::default(),
            under_way: Vec::new(),
            ticket: 0,
            stamp: Stamp::MIN,
            capacity: capacity.min(CAPACITY_MAX),
            used: 0,
            full: false,
            flaws: 0,
            misdirection: Misdirection::Nothing,
            synced: None,
        };
        for (name, content) in files {
            let file = disk.add(File::durable(content));
            disk.directory.format(*name, file);
        }
        disk.used = disk.usage();
        disk
    }

    /// Makes every operation that needs room fail, or ends that.
    pub const fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    /// Bytes taken, as the capacity counts them. After a power loss removed files may be back and
    /// take more than there is.
    #[must_use]
    pub const fn used(&self) -> u64 {
        self.used
    }

    /// Takes an operation. It does nothing before it completes, but a sync covers what is complete
    /// now.
    pub fn submit(&mut self, op: DiskOp) -> Ticket {
        let name = match &op {
            DiskOp::Length(file) | DiskOp::Sync(file) => Some(*file),
            DiskOp::Read { file, .. }
            | DiskOp::Write { file, .. }
            | DiskOp::Truncate { file, .. } => Some(*file),
            DiskOp::List
            | DiskOp::Create(_)
            | DiskOp::Rename { .. }
            | DiskOp::Remove(_)
            | DiskOp::SyncDir => None,
        };
        let file = name.and_then(|name| self.directory.find(name));
        let covers = match (&op, file) {
            (DiskOp::Sync(_), Some(file)) => Covers::File(self.file(file).cover()),
            (DiskOp::SyncDir, _) => Covers::Names(self.directory.cover()),
            _ => Covers::Nothing,
        };
        let ticket = Ticket(self.ticket);
        self.ticket += 1;
        self.under_way.push(UnderWay {
            ticket,
            op,
            file,
            covers,
            lands: None,
        });
        ticket
    }

    /// Completes an operation under way, on this node; a write that fails does so by this fault.
    ///
    /// # Panics
    /// When it is not under way.
    pub fn complete(
        &mut self,
        ticket: Ticket,
        fate: Fate,
        choices: &mut dyn Choices,
        by: FaultAt,
    ) -> Completion {
        let at = self
            .under_way
            .iter()
            .position(|operation| operation.ticket == ticket)
            .expect("only an operation under way completes");
        let operation = self.under_way.remove(at);
        let lands = operation.lands.as_deref();
        let lands = lands.map_or(Keep::Any.into(), Kept::Those);
        match (operation.op, operation.covers) {
            (DiskOp::Sync(name), Covers::File(cover)) => {
                let file = operation.file.expect("a sync covers a file");
                let hide = if fate == Fate::Ok {
                    self.to_hide(file, &cover, choices, by.node)
                } else {
                    None
                };
                let (landed, rest) = match fate {
                    Fate::Ok => (cover, Cover::default()),
                    Fate::Fail(_) => self.land_part(file, cover, lands, (choices, by)),
                };
                let mut completion = self.end_sync(name, file, (landed, rest), fate, choices, by);
                if let (Fate::Ok, Some(synced)) = (fate, &completion.synced) {
                    self.synced = Some(file);
                    completion.misdirected =
                        self.misdirect(file, &synced.cover, hide, choices, by.node);
                }
                completion
            }
            (op @ DiskOp::Write { .. }, _) if fate == Fate::Fail(DiskError::Io) => {
                self.fail_write(&op, operation.file, lands, (choices, by))
            }
            (op, covers) => Completion::of(match fate {
                Fate::Ok => self.perform(op, operation.file, covers),
                Fate::Fail(error) => Err(error),
            }),
        }
    }

    /// Does the operation.
    fn perform(
        &mut self,
        op: DiskOp,
        file: Option<FileId>,
        covers: Covers,
    ) -> Result<DiskOk, DiskError> {
        match op {
            DiskOp::List => {
                return Ok(DiskOk::Names(
                    self.directory.visible.iter().map(|entry| entry.0).collect(),
                ));
            }
            DiskOp::Length(_) => {
                return Ok(DiskOk::Length(
                    self.file(file.ok_or(DiskError::NotFound)?).length(),
                ));
            }
            DiskOp::Read { offset, length, .. } => {
                let bytes = self
                    .file(file.ok_or(DiskError::NotFound)?)
                    .read(offset, u64::from(length));
                return bytes.map(DiskOk::Data).ok_or(DiskError::Io);
            }
            DiskOp::Write { offset, data, .. } => {
                self.write(file, offset, &data, || true).map(drop)?
            }
            DiskOp::Truncate { length, .. } => {
                let file = file.ok_or(DiskError::NotFound)?;
                self.room_for(file, length)?;
                self.change(file, |content, stamp| content.truncate(length, stamp));
            }
            DiskOp::Create(name) => {
                if self.directory.visible.get(name).is_some() {
                    return Err(DiskError::Exists);
                }
                if self.full || self.used.saturating_add(SECTOR_BYTES) > self.capacity {
                    return Err(DiskError::NoSpace);
                }
                let file = self.add(File::default());
                self.directory.change(Change::Create, name, file);
                self.used += SECTOR_BYTES;
            }
            DiskOp::Rename { from, to } => {
                let file = self
                    .directory
                    .visible
                    .get(from)
                    .ok_or(DiskError::NotFound)?;
                if from != to {
                    self.used -= self
                        .directory
                        .visible
                        .get(to)
                        .map_or(0, |replaced| self.cost(replaced));
                    self.directory.change(Change::Rename, to, file);
                }
            }
            DiskOp::Remove(name) => {
                let file = self
                    .directory
                    .visible
                    .get(name)
                    .ok_or(DiskError::NotFound)?;
                self.used -= self.cost(file);
                self.directory.change(Change::Remove, name, file);
            }
            DiskOp::Sync(_) => return Err(DiskError::NotFound),
            DiskOp::SyncDir => {
                if let Covers::Names(cover) = covers {
                    self.directory.synced(cover);
                    self.forget_nameless();
                }
            }
        }
        Ok(DiskOk::Done)
    }

    /// Writes those sectors that land. Says how many did.
    fn write(
        &mut self,
        file: Option<FileId>,
        offset: u64,
        data: &[u8],
        lands: impl FnMut() -> bool,
    ) -> Result<u32, DiskError> {
        let file = file.ok_or(DiskError::NotFound)?;
        if data.is_empty() {
            return Ok(0);
        }
        self.room_for(file, offset.saturating_add(data.len() as u64))?;
        if self.file(file).obstructs(offset, data.len()) {
            return Err(DiskError::Io);
        }
        Ok(self.change(file, |content, stamp| {
            content.write(offset, data, stamp, lands)
        }))
    }

    /// Changes the content of a file, and with its length what is taken.
    fn change<R>(&mut self, file: FileId, change: impl FnOnce(&mut File, Stamp) -> R) -> R {
        self.stamp = self
            .stamp
            .checked_add(1)
            .expect("no run makes 2^64 changes");
        let stamp = self.stamp;
        let content = self.file_mut(file);
        let before = sectors_in(content.length());
        let result = change(content, stamp);
        let after = sectors_in(content.length());
        if after != before && self.directory.name_of(file).is_some() {
            self.used = self.used - before * SECTOR_BYTES + after * SECTOR_BYTES;
        }
        result
    }

    /// A write that fails lands as any subset of its sectors.
    fn fail_write(
        &mut self,
        op: &DiskOp,
        file: Option<FileId>,
        lands: Kept<'_>,
        (choices, by): (&mut dyn Choices, FaultAt),
    ) -> Completion {
        choices.about(Matter::Fault(by));
        let name = file.and_then(|file| self.directory.known_as(file));
        let (_, spoiled) = self.write_part(
            op,
            file,
            (lands, name),
            choices,
            Label::fault(Topic::WritePart, by),
        );
        Completion {
            result: Err(DiskError::Io),
            synced: None,
            spoiled,
            misdirected: Vec::new(),
        }
    }

    /// Lands some sectors of a write, and says how many did and how many did not.
    fn write_part(
        &mut self,
        op: &DiskOp,
        file: Option<FileId>,
        (kept, name): (Kept<'_>, Option<FileName>),
        choices: &mut dyn Choices,
        label: Label,
    ) -> (u32, u32) {
        let DiskOp::Write { offset, data, .. } = op else {
            return (0, 0);
        };
        let sectors = if data.is_empty() {
            0
        } else {
            sectors_in(offset % SECTOR_BYTES + data.len() as u64)
        };
        let sectors = u32::try_from(sectors).expect("a write has fewer than 2^32 sectors");
        let survival = Survival::of(kept, sectors as usize, choices, label);
        let mut sector = u32::try_from(*offset / SECTOR_BYTES).unwrap_or(u32::MAX);
        let lands = || {
            let thing = (name, Part::Landing(sector));
            sector = sector.saturating_add(1);
            survival.keeps(thing, choices, label)
        };
        let landed = self.write(file, *offset, data, lands).unwrap_or(0);
        (landed, sectors - landed)
    }

    /// Of what a failed sync covers, the part that lands, and the rest.
    fn land_part(
        &self,
        file: FileId,
        cover: Cover,
        lands: Kept<'_>,
        (choices, by): (&mut dyn Choices, FaultAt),
    ) -> (Cover, Cover) {
        choices.about(Matter::Fault(by));
        let label = Label::fault(Topic::SyncPart, by);
        let things = cover.sectors.len() + usize::from(cover.length.is_some());
        let survival = Survival::of(lands, things, choices, label);
        let name = self.directory.known_as(file);
        let media_length = self.file(file).media_length();
        cover.split(media_length, |part| {
            survival.keeps((name, part), choices, label)
        })
    }

    /// Ends a sync of a file, for the part of its cover that lands and for the rest, and for what
    /// other syncs under way cover.
    fn end_sync(
        &mut self,
        name: FileName,
        file: FileId,
        (landed, rest): (Cover, Cover),
        fate: Fate,
        choices: &mut dyn Choices,
        by: FaultAt,
    ) -> Completion {
        let mut alone = true;
        for other in self
            .under_way
            .iter_mut()
            .filter(|other| other.file == Some(file))
        {
            let Covers::File(theirs) = &mut other.covers else {
                continue;
            };
            alone = false;
            theirs.supersede(&landed);
            theirs.give_up(&rest);
        }
        let label = Label::fault(Topic::SyncPart, by);
        // While another sync is under way, the page cache keeps what that one may have to write.
        let dropped = if alone {
            Survival::of(Keep::Any, rest.sectors.len(), choices, label)
        } else {
            Survival::Nothing
        };
        let content = self.file_mut(file);
        content.synced(&landed);
        let spoiled = content.sync_failed(&rest, || dropped.draws(choices, label));
        if alone {
            content.tidy();
        }
        let file = self.directory.name_of(file).unwrap_or(name);
        Completion {
            result: match fate {
                Fate::Ok => Ok(DiskOk::Done),
                Fate::Fail(error) => Err(error),
            },
            synced: (fate == Fate::Ok || !landed.is_empty()).then_some(Synced {
                file,
                cover: landed,
            }),
            spoiled,
            misdirected: Vec::new(),
        }
    }

    /// Whether the file may become so long. What needs no further sector needs no room, but nothing
    /// grows on a full disk.
    fn room_for(&self, file: FileId, length: u64) -> Result<(), DiskError> {
        let before = self.file(file).length();
        if length <= before {
            return Ok(());
        }
        let more = sectors_in(length) - sectors_in(before);
        let fits = more == 0
            || self.used.saturating_add(more.saturating_mul(SECTOR_BYTES)) <= self.capacity;
        if fits && !self.full && length <= CAPACITY_MAX {
            Ok(())
        } else {
            Err(DiskError::NoSpace)
        }
    }

    fn cost(&self, file: FileId) -> u64 {
        SECTOR_BYTES + sectors_in(self.file(file).length()) * SECTOR_BYTES
    }

    fn usage(&self) -> u64 {
        self.directory
            .visible
            .iter()
            .map(|(_, file)| self.cost(file))
            .sum()
    }

    fn file(&self, file: FileId) -> &File {
        self.files[file.0 as usize]
            .as_deref()
            .expect("a file that is referred to is kept")
    }

    fn file_mut(&mut self, file: FileId) -> &mut File {
        File::changing(
            self.files[file.0 as usize]
                .as_mut()
                .expect("a file that is referred to is kept"),
        )
    }

    fn add(&mut self, file: File) -> FileId {
        let vacant = self
            .files
            .iter()
            .position(Option::is_none)
            .unwrap_or(self.files.len());
        if vacant == self.files.len() {
            self.files.push(None);
        }
        self.files[vacant] = Some(Arc::new(file));
        FileId(
            u32::try_from(vacant)
                .expect("each file takes a sector, and those are counted with 32 bits"),
        )
    }

    /// Frees files that have no name, will have none again, and that no operation is about.
    fn forget_nameless(&mut self) {
        let mut referred = vec![false; self.files.len()];
        for file in self
            .directory
            .files()
            .chain(self.under_way.iter().filter_map(|operation| operation.file))
        {
            referred[file.0 as usize] = true;
        }
        self.synced = self.synced.filter(|file| referred[file.0 as usize]);
        for (file, referred) in self.files.iter_mut().zip(referred) {
            if !referred {
                *file = None;
            }
        }
    }

    /// Bytes of memory, roughly. Looks at every sector.
    #[must_use]
    pub fn accounted_bytes(&self) -> u64 {
        let blocks: usize = self.files.iter().flatten().map(|file| file.blocks()).sum();
        (blocks * (SECTOR + 32) + self.files.len() * 160 + self.under_way.len() * 256) as u64
    }

    /// What a file reads as now, if it is there and can be read.
    #[must_use]
    pub fn peek(&self, name: FileName) -> Option<Vec<u8>> {
        let file = self.file(self.directory.visible.get(name)?);
        file.read(0, file.length()).map(|bytes| bytes.to_vec())
    }

    /// Whether a power loss may change what a file holds.
    #[must_use]
    pub fn is_unsynced(&self, name: FileName) -> bool {
        let file = self.directory.visible.get(name);
        file.is_some_and(|file| self.file(file).is_unsynced())
    }

    /// The file that was synced last, by its present name.
    #[must_use]
    pub fn last_synced(&self) -> Option<FileName> {
        self.directory.name_of(self.synced?)
    }

    /// The names on the media, in order.
    pub fn durable_names(&self) -> impl Iterator<Item = FileName> + '_ {
        self.directory.durable.iter().map(|(name, _)| name)
    }

    /// The names on the media, and what the media holds under them: what a power loss that keeps
    /// nothing leaves.
    #[must_use]
    pub fn durable_image(&self) -> BTreeMap<FileName, Vec<u8>> {
        self.directory
            .durable
            .iter()
            .map(|(name, file)| (name, self.file(file).media_bytes()))
            .collect()
    }

    /// The names and contents as they are seen now, but for files that cannot be read.
    #[must_use]
    pub fn visible_image(&self) -> BTreeMap<FileName, Vec<u8>> {
        let seen = |(name, _)| Some((name, self.peek(name)?));
        self.directory.visible.iter().filter_map(seen).collect()
    }
}

#[cfg(test)]
mod promises;
