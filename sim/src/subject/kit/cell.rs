//! A durable cell for engines that have no log of their own: bytes in one file, which is written
//! anew under another name and renamed into place, so that whatever the disk loses it is whole:
//! what was saved last, or the one before while that was being written.
//!
//! It notices damage by a checksum, and mends none. It asks the disk for one thing at a time, and
//! takes every failure for an end: the host halts and boots again.

use std::collections::VecDeque;

use synod_port::files::{DiskError, DiskOk, DiskOp, FileName, OpId};

use crate::subject::kit::frame::{sealed, unsealed};
use crate::subject::process::Output;

/// What an ended disk operation means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// There is more to do.
    Nothing,
    /// These bytes were read. They are saved once more: an earlier boot may have written them, and
    /// their sync failed.
    Read(Vec<u8>),
    /// What was read or given last is durable.
    Saved,
    /// The process has to end.
    Halt(Output),
}

/// The cell.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// What the disk is to do after the thing that is under way.
    queue: VecDeque<DiskOp>,
    busy: bool,
    /// The bytes were read in this boot.
    read: bool,
    operations: u64,
}

impl Cell {
    /// The file of a new disk.
    #[must_use]
    pub fn format(bytes: &[u8]) -> (FileName, Vec<u8>) {
        (file("cell"), sealed(bytes.to_vec()))
    }

    /// Begins a boot.
    pub fn boot(&mut self) {
        self.queue.push_back(DiskOp::Length(file("cell")));
    }

    /// Whether nothing is being read or saved.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        !self.busy && self.queue.is_empty()
    }

    /// Saves these bytes; only when idle.
    pub fn save(&mut self, bytes: Vec<u8>) {
        let [next, cell] = [file("next"), file("cell")];
        let write = DiskOp::Write {
            file: next,
            offset: 0,
            data: sealed(bytes).into(),
        };
        self.queue.extend([
            DiskOp::Create(next),
            write,
            DiskOp::Sync(next),
            DiskOp::Rename {
                from: next,
                to: cell,
            },
            DiskOp::SyncDir,
        ]);
    }

    /// A disk operation has ended.
    pub fn on_disk(&mut self, result: Result<DiskOk, DiskError>) -> Told {
        self.busy = false;
        let damaged = match result {
            Ok(DiskOk::Length(length)) => {
                self.queue.push_back(DiskOp::Read {
                    file: file("cell"),
                    offset: 0,
                    length: u32::try_from(length).unwrap_or(u32::MAX),
                });
                return Told::Nothing;
            }
            Ok(DiskOk::Data(data)) => match unsealed(&data) {
                Some(bytes) => {
                    self.read = true;
                    self.queue.push_back(DiskOp::Remove(file("next")));
                    self.save(bytes.to_vec());
                    return Told::Read(bytes.to_vec());
                }
                None => true,
            },
            Ok(DiskOk::Done | DiskOk::Names(_)) => {
                return if self.is_idle() {
                    Told::Saved
                } else {
                    Told::Nothing
                };
            }
            // The file that was to be removed: all else is there.
            Err(DiskError::NotFound) if self.read => return Told::Nothing,
            Err(error) => error == DiskError::NotFound,
        };
        Told::Halt(Output::Halt {
            reason: if damaged {
                "the file is damaged"
            } else {
                "the disk failed"
            }
            .to_owned(),
            damaged,
        })
    }

    /// Has the disk do what is next.
    pub fn pump(&mut self, out: &mut Vec<Output>) {
        if self.busy {
            return;
        }
        if let Some(what) = self.queue.pop_front() {
            self.busy = true;
            self.operations += 1;
            out.push(Output::Disk {
                op: OpId(self.operations),
                what,
            });
        }
    }
}

fn file(name: &str) -> FileName {
    FileName::new(name).expect("a short name")
}

#[cfg(test)]
mod tests {
    use super::*;
    use synod_port::files::Bytes;

    fn data(bytes: &[u8]) -> Result<DiskOk, DiskError> {
        Ok(DiskOk::Data(Bytes::from(bytes)))
    }

    fn halts(told: Told) -> Option<bool> {
        match told {
            Told::Halt(Output::Halt { damaged, .. }) => Some(damaged),
            _ => None,
        }
    }

    #[test]
    fn what_was_read_is_saved_before_it_counts() {
        let (mut cell, mut out) = (Cell::default(), Vec::new());
        cell.boot();
        cell.pump(&mut out);
        assert_eq!(cell.on_disk(Ok(DiskOk::Length(13))), Told::Nothing);
        cell.pump(&mut out);
        assert_eq!(
            cell.on_disk(data(&Cell::format(b"bytes").1)),
            Told::Read(b"bytes".to_vec())
        );
        cell.pump(&mut out);
        assert_eq!(cell.on_disk(Err(DiskError::NotFound)), Told::Nothing);
        for left in (0..5).rev() {
            cell.pump(&mut out);
            assert_eq!(
                cell.on_disk(Ok(DiskOk::Done)),
                if left == 0 {
                    Told::Saved
                } else {
                    Told::Nothing
                }
            );
        }
        assert!(cell.is_idle());
        assert_eq!(out.len(), 8);
    }

    #[test]
    fn damage_is_told_from_a_failing_disk() {
        let file = Cell::format(b"bytes").1;
        for at in 0..file.len() {
            let mut flipped = file.clone();
            flipped[at] ^= 1;
            assert_eq!(halts(Cell::default().on_disk(data(&flipped))), Some(true));
            assert_eq!(
                halts(Cell::default().on_disk(data(&file[..at]))),
                Some(true)
            );
        }
        assert_eq!(
            halts(Cell::default().on_disk(Err(DiskError::NotFound))),
            Some(true)
        );
        assert_eq!(
            halts(Cell::default().on_disk(Err(DiskError::Io))),
            Some(false)
        );
    }
}
