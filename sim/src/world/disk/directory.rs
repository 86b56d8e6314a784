//! The one directory: names as they are seen, names on the media, and the operations between the
//! two that no directory sync covers yet.

use synod_port::files::FileName;

use super::survival::{Kept, Survival};
use crate::choices::loose::{Loose, Part};
use crate::choices::{Choices, Label};

/// A file, whatever its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct FileId(pub u32);

/// Names and their files, in name order. A file has one name at most.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Names(Vec<(FileName, FileId)>);

impl Names {
    pub fn get(&self, name: FileName) -> Option<FileId> {
        self.0
            .binary_search_by_key(&name, |entry| entry.0)
            .ok()
            .map(|at| self.0[at].1)
    }

    pub fn name_of(&self, file: FileId) -> Option<FileName> {
        self.0
            .iter()
            .find(|entry| entry.1 == file)
            .map(|entry| entry.0)
    }

    pub fn iter(&self) -> impl Iterator<Item = (FileName, FileId)> {
        self.0.iter().copied()
    }

    pub fn set(&mut self, name: FileName, file: FileId) {
        match self.0.binary_search_by_key(&name, |entry| entry.0) {
            Ok(at) => self.0[at].1 = file,
            Err(at) => self.0.insert(at, (name, file)),
        }
    }

    /// Takes the name away, if it is this file's.
    fn unset(&mut self, name: FileName, file: FileId) -> bool {
        let at = self.0.iter().position(|entry| *entry == (name, file));
        at.map(|at| self.0.remove(at)).is_some()
    }
}

/// What a name operation did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    Create,
    Rename,
    Remove,
}

impl Change {
    const fn part(self) -> Part {
        match self {
            Self::Create => Part::Create,
            Self::Rename => Part::Rename,
            Self::Remove => Part::Remove,
        }
    }
}

/// A completed name operation that is not known to be on the media.
#[derive(Clone, Copy, Debug)]
struct Unsynced {
    number: u64,
    change: Change,
    /// The name that the file has afterwards, or, after a removal, had before.
    name: FileName,
    file: FileId,
}

/// What a power loss did to names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct NamesReport {
    pub lost: u32,
    pub returned: u32,
}

/// The directory.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    pub visible: Names,
    pub durable: Names,
    /// In order of completion.
    unsynced: Vec<Unsynced>,
    /// Of the next name operation.
    number: u64,
    /// The visible name that was looked up last: most operations are about the file of the one
    /// before.
    recent: Option<(FileName, FileId)>,
}

impl Directory {
    /// Names a file that is durable from the start.
    pub fn format(&mut self, name: FileName, file: FileId) {
        self.visible.set(name, file);
        self.durable.set(name, file);
    }

    /// The file that is seen under this name.
    pub fn find(&mut self, name: FileName) -> Option<FileId> {
        if self.recent.is_none_or(|recent| recent.0 != name) {
            self.recent = Some((name, self.visible.get(name)?));
        }
        self.recent.map(|recent| recent.1)
    }

    /// The name under which this file is seen.
    pub fn name_of(&self, file: FileId) -> Option<FileName> {
        match self.recent {
            Some((name, recent)) if recent == file => Some(name),
            _ => self.visible.name_of(file),
        }
    }

    /// Gives a new file its name, or a file another one.
    pub fn change(&mut self, change: Change, name: FileName, file: FileId) {
        let operation = Unsynced {
            number: self.number,
            change,
            name,
            file,
        };
        self.number += 1;
        self.recent = None;
        apply(operation, &mut self.visible);
        self.unsynced.push(operation);
    }

    /// What a directory sync that is submitted now covers.
    pub const fn cover(&self) -> u64 {
        self.number
    }

    /// The directory sync with this cover succeeded.
    pub fn synced(&mut self, cover: u64) {
        let end = self
            .unsynced
            .partition_point(|operation| operation.number < cover);
        for operation in self.unsynced.drain(..end) {
            apply(operation, &mut self.durable);
        }
    }

    /// The power is gone: any subset of the unsynced operations survives, each whole.
    ///
    /// An operation that would take a name from a file which nobody removed or replaced (because
    /// the rename that moved that file away did not survive) does not survive either: it could not
    /// have been done on the media before that rename.
    pub fn lose_power(
        &mut self,
        kept: Kept<'_>,
        choices: &mut dyn Choices,
        label: Label,
    ) -> NamesReport {
        let survival = Survival::of(kept, self.unsynced.len(), choices, label);
        let mut report = NamesReport::default();
        for operation in std::mem::take(&mut self.unsynced) {
            let held = operation.change != Change::Remove
                && self.durable.get(operation.name).is_some_and(|holder| {
                    holder != operation.file && self.visible.name_of(holder).is_some()
                });
            let thing = (Some(operation.name), operation.change.part());
            if survival.keeps(thing, choices, label) && !held {
                apply(operation, &mut self.durable);
            } else {
                report.lost += 1;
            }
        }
        let returned = self
            .durable
            .iter()
            .filter(|(name, file)| self.visible.get(*name) != Some(*file));
        report.returned = u32::try_from(returned.count()).unwrap_or(u32::MAX);
        self.visible.clone_from(&self.durable);
        self.recent = None;
        report
    }

    /// The name of a file: the one that it has, or had last.
    pub fn known_as(&self, file: FileId) -> Option<FileName> {
        let last = || {
            let mut all = self.unsynced.iter().rev();
            all.find(|one| one.file == file).map(|one| one.name)
        };
        let named = self.visible.name_of(file);
        named.or_else(|| self.durable.name_of(file)).or_else(last)
    }

    /// The name operations that no directory sync covers.
    pub fn loose(&self) -> impl Iterator<Item = Loose> {
        self.unsynced.iter().map(|operation| Loose {
            file: operation.name,
            part: operation.change.part(),
        })
    }

    /// Every file that has or may again have a name.
    pub fn files(&self) -> impl Iterator<Item = FileId> {
        let named = self
            .visible
            .iter()
            .chain(self.durable.iter())
            .map(|entry| entry.1);
        named.chain(self.unsynced.iter().map(|operation| operation.file))
    }
}

/// Does the operation to these names, which may lack operations before it: a rename takes the file
/// from whatever name it has there.
fn apply(operation: Unsynced, names: &mut Names) {
    match operation.change {
        Change::Create => names.set(operation.name, operation.file),
        Change::Rename => {
            if let Some(old) = names.name_of(operation.file) {
                names.unset(old, operation.file);
            }
            names.set(operation.name, operation.file);
        }
        Change::Remove => {
            names.unset(operation.name, operation.file);
        }
    }
}
