//! How a process dies on a disk, and how a disk loses its power.

use synod_port::files::DiskOp;

use super::directory::{Directory, FileId};
use super::file::File;
use super::report::{KillReport, PowerReport, Synced};
use super::survival::Survival;
use super::{Covers, Disk};
use crate::choices::{Choices, FaultAt, Label, Matter, Topic};
use crate::scenario::fault::Keep;

impl Disk {
    /// The process was killed. Its completed writes stay visible and unsynced; writes under way
    /// land as any subset of their sectors, truncations and name operations under way are done or
    /// not, all in any order; nothing lands later. Syncs under way have done nothing.
    pub fn kill(&mut self, choices: &mut dyn Choices, by: FaultAt) -> KillReport {
        choices.about(Matter::Fault(by));
        let report = self.settle(Keep::Any, choices, Label::fault(Topic::KillKeep, by));
        self.forget_hidden();
        self.forget_nameless();
        report
    }

    /// The power is gone. Operations under way are settled as at a kill; then each file keeps any
    /// subset of its unsynced sectors, and its durable or its new length; of the name operations
    /// any subset survives. What is seen afterwards is what the media holds.
    pub fn lose_power(
        &mut self,
        keep: Keep,
        choices: &mut dyn Choices,
        by: FaultAt,
    ) -> PowerReport {
        choices.about(Matter::Fault(by));
        let sectors = Label::fault(Topic::PowerKeep, by);
        self.forget_hidden();
        let mut report = PowerReport {
            under_way: self.settle(keep, choices, sectors),
            ..PowerReport::default()
        };
        let mut survived = Vec::new();
        for (at, file) in (0..).zip(&mut self.files) {
            if let Some(file) = file
                && file.is_unsynced()
            {
                let file = File::changing(file);
                let cover = file.lose_power(keep, choices, sectors, &mut report);
                if !cover.sectors.is_empty() {
                    survived.push((FileId(at), cover));
                }
            }
        }
        let names = self
            .directory
            .lose_power(keep, choices, Label::fault(Topic::NamesKeep, by));
        (report.lost_names, report.returned_names) = (names.lost, names.returned);
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
    fn settle(&mut self, keep: Keep, choices: &mut dyn Choices, label: Label) -> KillReport {
        let mut open = std::mem::take(&mut self.under_way);
        let changes = |op: &DiskOp| match op {
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
        };
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
                let (landed, dropped) =
                    self.write_part(&operation.op, operation.file, keep, choices, label);
                report.landed_sectors += landed;
                report.dropped_sectors += dropped;
                report.torn_writes += u32::from(landed > 0 && dropped > 0);
            } else if Survival::of(keep, 1, choices, label).keeps(choices, label)
                && self
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
}
