//! How a process dies on a disk, and how a disk loses its power.

use synod_port::files::{DiskOp, FileName};

use super::block::{SECTOR_BYTES, sectors_in};
use super::directory::{Directory, FileId};
use super::file::File;
use super::report::{KillReport, PowerReport, Synced, Ticket};
use super::survival::{Kept, Survival};
use super::{Covers, Disk, UnderWay};
use crate::choices::loose::{Loose, Part};
use crate::choices::{Choices, FaultAt, Label, Matter, Topic};
use crate::scenario::fault::Keep;

impl Disk {
    /// The process was killed. Its completed writes stay visible and unsynced; writes under way
    /// land as any subset of their sectors, truncations and name operations under way are done or
    /// not, all in any order; nothing lands later. Syncs under way have done nothing.
    pub fn kill(&mut self, choices: &mut dyn Choices, by: FaultAt) -> KillReport {
        self.kill_keeping(Keep::Any.into(), choices, by)
    }

    /// As [`kill`](Self::kill), and of what is under way this lands.
    pub fn kill_keeping(
        &mut self,
        kept: Kept<'_>,
        choices: &mut dyn Choices,
        by: FaultAt,
    ) -> KillReport {
        choices.about(Matter::Fault(by));
        let names = self.names();
        let report = self.settle(kept, &names, choices, Label::fault(Topic::KillKeep, by));
        self.forget_hidden();
        self.forget_nameless();
        report
    }

    /// The power is gone. Operations under way are settled as at a kill; then each file keeps any
    /// subset of its unsynced sectors, and its durable or its new length; of the name operations
    /// any subset survives. What is seen afterwards is what the media holds.
    pub fn lose_power<'a>(
        &mut self,
        kept: impl Into<Kept<'a>>,
        choices: &mut dyn Choices,
        by: FaultAt,
    ) -> PowerReport {
        let kept = kept.into();
        choices.about(Matter::Fault(by));
        let names = self.names();
        let sectors = Label::fault(Topic::PowerKeep, by);
        self.forget_hidden();
        let mut report = PowerReport {
            under_way: self.settle(kept, &names, choices, sectors),
            ..PowerReport::default()
        };
        let mut survived = Vec::new();
        for (at, file) in (0..).zip(&mut self.files) {
            if let Some(file) = file
                && file.is_unsynced()
            {
                let file = File::changing(file);
                let name = named(&names, FileId(at));
                let cover = file.lose_power((kept, name), choices, sectors, &mut report);
                if !cover.sectors.is_empty() {
                    survived.push((FileId(at), cover));
                }
            }
        }
        let lost = self
            .directory
            .lose_power(kept, choices, Label::fault(Topic::NamesKeep, by));
        (report.lost_names, report.returned_names) = (lost.lost, lost.returned);
        let named = survived.into_iter().filter_map(|(file, cover)| {
            let file = self.directory.name_of(file)?;
            Some(Synced { file, cover })
        });
        report.survived.extend(named);
        report.survived.sort_unstable_by_key(|synced| synced.file);
        self.forget_nameless();
        self.used = self.usage();
        report
    }

    /// The disk is replaced by an empty one of the same size. Says whether there was anything on
    /// it.
    pub fn lose_everything(&mut self) -> bool {
        let held = self.files.iter().any(Option::is_some);
        self.files.clear();
        self.synced = None;
        self.directory = Directory::default();
        self.under_way.clear();
        self.used = 0;
        self.forget_hidden();
        held
    }

    /// Ends all operations under way, those that change something in any order.
    fn settle(
        &mut self,
        kept: Kept<'_>,
        names: &[Option<FileName>],
        choices: &mut dyn Choices,
        label: Label,
    ) -> KillReport {
        let mut open = std::mem::take(&mut self.under_way);
        open.retain(|operation| changes(&operation.op));
        let mut report = KillReport::default();
        while !open.is_empty() {
            let next = if open.len() == 1 {
                0
            } else {
                choices.pick(label, open.len())
            };
            let operation = open.remove(next);
            if let DiskOp::Write { .. } = operation.op {
                let name = operation.file.and_then(|file| named(names, file));
                let part = (kept, name);
                let (landed, dropped) =
                    self.write_part(&operation.op, operation.file, part, choices, label);
                report.landed_sectors += landed;
                report.dropped_sectors += dropped;
                report.torn_writes += u32::from(landed > 0 && dropped > 0);
            } else if Survival::of(kept, 1, choices, label).keeps(
                self.under_way_name(&operation, names),
                choices,
                label,
            ) && self
                .perform(operation.op, operation.file, Covers::Nothing)
                .is_ok()
            {
                report.landed_operations += 1;
            } else {
                report.dropped_operations += 1;
            }
        }
        report
    }

    /// The name of each file, by its number: the one that it has, or had last.
    fn names(&self) -> Vec<Option<FileName>> {
        let files = (0..).zip(&self.files);
        let known = files.map(|(at, file)| {
            self.directory
                .known_as(FileId(at))
                .filter(|_| file.is_some())
        });
        known.collect()
    }

    /// What a change under way that is no write does, and to which file.
    fn under_way_name(
        &self,
        operation: &UnderWay,
        names: &[Option<FileName>],
    ) -> (Option<FileName>, Part) {
        match operation.op {
            DiskOp::Create(name) => (Some(name), Part::Create),
            DiskOp::Rename { to, .. } => (Some(to), Part::Rename),
            DiskOp::Remove(name) => (Some(name), Part::Remove),
            _ => (
                operation.file.and_then(|file| named(names, file)),
                Part::Resizing,
            ),
        }
    }

    /// What is under way and changes something: a kill may leave any subset of it.
    #[must_use]
    pub fn landing(&self) -> Vec<Loose> {
        let names = self.names();
        let mut found = Vec::new();
        let open = self.under_way.iter();
        for operation in open.filter(|operation| changes(&operation.op)) {
            if let DiskOp::Write { offset, data, .. } = &operation.op {
                let file = operation.file.and_then(|file| named(&names, file));
                let parts = sectors_of(*offset, data.len()).map(Part::Landing);
                found.extend(file.into_iter().flat_map(|file| {
                    let part = move |part| Loose { file, part };
                    parts.clone().map(part)
                }));
            } else if let (Some(file), part) = self.under_way_name(operation, &names) {
                found.push(Loose { file, part });
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What of an operation under way may land though it fails.
    #[must_use]
    pub fn breakable(&self, ticket: Ticket) -> Vec<Loose> {
        let mut open = self.under_way.iter();
        let Some(operation) = open.find(|operation| operation.ticket == ticket) else {
            return Vec::new();
        };
        let parts: Vec<Part> = match (&operation.op, &operation.covers) {
            (DiskOp::Write { offset, data, .. }, _) => {
                sectors_of(*offset, data.len()).map(Part::Landing).collect()
            }
            (_, Covers::File(cover)) => cover.parts().collect(),
            _ => Vec::new(),
        };
        let file = operation
            .file
            .and_then(|file| self.directory.known_as(file));
        let of = |file| parts.into_iter().map(|part| Loose { file, part }).collect();
        file.map_or_else(Vec::new, of)
    }

    /// Of this operation under way just this lands, should it fail.
    pub fn fails_keeping(&mut self, ticket: Ticket, kept: &[Loose]) {
        let mut open = self.under_way.iter_mut();
        if let Some(operation) = open.find(|operation| operation.ticket == ticket) {
            operation.lands = Some(kept.to_vec());
        }
    }

    /// What no sync covers: a power loss may leave any subset of it.
    #[must_use]
    pub fn loose(&self) -> Vec<Loose> {
        let names = self.names();
        let mut found = self.landing();
        for (at, file) in (0..).zip(&self.files) {
            let (Some(file), Some(name)) = (file, named(&names, FileId(at))) else {
                continue;
            };
            let ends = self
                .under_way
                .iter()
                .filter(|operation| operation.file == Some(FileId(at)));
            let end = ends.filter_map(|operation| match &operation.op {
                DiskOp::Write { offset, data, .. } => Some(offset + data.len() as u64),
                _ => None,
            });
            let parts = file.loose(end.max().unwrap_or(0));
            found.extend(parts.into_iter().map(|part| Loose { file: name, part }));
        }
        found.extend(self.directory.loose());
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn named(names: &[Option<FileName>], file: FileId) -> Option<FileName> {
    names.get(file.0 as usize).copied().flatten()
}

/// The sectors that a write touches.
fn sectors_of(offset: u64, size: usize) -> impl Iterator<Item = u32> + Clone {
    let end = sectors_in(offset + size as u64);
    let count = |sector| u32::try_from(sector).expect("the capacity bounds a file to 2^31 sectors");
    (offset / SECTOR_BYTES..if size == 0 { 0 } else { end }).map(count)
}

/// Whether an operation changes anything when it ends.
const fn changes(op: &DiskOp) -> bool {
    match op {
        DiskOp::Write { .. }
        | DiskOp::Truncate { .. }
        | DiskOp::Create(_)
        | DiskOp::Rename { .. }
        | DiskOp::Remove(_) => true,
        DiskOp::List
        | DiskOp::Length(_)
        | DiskOp::Read { .. }
        | DiskOp::Sync(_)
        | DiskOp::SyncDir => false,
    }
}
