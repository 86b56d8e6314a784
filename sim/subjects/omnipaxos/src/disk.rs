//! The engine's storage, in memory. The replica shares it with the engine, and saves all of it at
//! the end of each step that changed it, so what the engine asks for in one step is atomic.

use std::cell::RefCell;
use std::rc::Rc;

use omnipaxos::ballot_leader_election::Ballot;
use omnipaxos::storage::{StopSign, Storage, StorageOp, StorageResult};
use serde::{Deserialize, Serialize};

use crate::machine::{Command, Image};

/// What the engine stores.
#[derive(Default, Serialize, Deserialize)]
pub struct Disk<const S: bool> {
    promise: Option<Ballot>,
    accepted: Option<Ballot>,
    decided: usize,
    /// The first index of `log`.
    compacted: usize,
    log: Vec<Command<S>>,
    stopsign: Option<StopSign>,
    snapshot: Option<Image<S>>,
    /// It is not as it was saved.
    #[serde(skip)]
    changed: bool,
}

impl<const S: bool> Disk<S> {
    pub fn read(bytes: &[u8]) -> Self {
        bincode::deserialize(bytes).expect("it was written here, and is intact")
    }

    pub fn bytes(&self) -> Vec<u8> {
        bincode::serialize(self).expect("all of it can be written")
    }

    fn entries(&self, from: usize, to: usize) -> Vec<Command<S>> {
        let place = |index: usize| index.checked_sub(self.compacted);
        let range = place(from).zip(place(to));
        let found = range.and_then(|(from, to)| self.log.get(from..to));
        found.unwrap_or_default().to_vec()
    }

    fn do_it(&mut self, op: StorageOp<Command<S>>) {
        self.changed = true;
        match op {
            StorageOp::AppendEntry(entry) => self.log.push(entry),
            StorageOp::AppendEntries(entries) => self.log.extend(entries),
            StorageOp::AppendOnPrefix(from, entries) => {
                self.log.truncate(from - self.compacted);
                self.log.extend(entries);
            }
            StorageOp::SetPromise(ballot) => self.promise = Some(ballot),
            StorageOp::SetDecidedIndex(index) => self.decided = index,
            StorageOp::SetAcceptedRound(ballot) => self.accepted = Some(ballot),
            StorageOp::SetCompactedIdx(index) => self.compacted = index,
            // The index that is compacted is set next.
            StorageOp::Trim(index) => {
                let end = self.log.len().min(index - self.compacted);
                self.log.drain(..end);
            }
            StorageOp::SetStopsign(stopsign) => self.stopsign = stopsign,
            StorageOp::SetSnapshot(snapshot) => self.snapshot = snapshot,
        }
    }
}

/// The storage, with the engine's hand on it and the replica's.
#[derive(Clone, Default)]
pub struct Shared<const S: bool>(Rc<RefCell<Disk<S>>>);

impl<const S: bool> Shared<S> {
    pub fn new(disk: Disk<S>) -> Self {
        Self(Rc::new(RefCell::new(disk)))
    }

    /// What is to be saved, once, if anything changed.
    pub fn take_changed(&self) -> Option<Vec<u8>> {
        let changed = std::mem::take(&mut self.0.borrow_mut().changed);
        changed.then(|| self.0.borrow().bytes())
    }

    fn put(&self, op: StorageOp<Command<S>>) -> StorageResult<()> {
        self.0.borrow_mut().do_it(op);
        Ok(())
    }
}

impl<const S: bool> Storage<Command<S>> for Shared<S> {
    fn write_atomically(&mut self, ops: Vec<StorageOp<Command<S>>>) -> StorageResult<()> {
        ops.into_iter().try_for_each(|op| self.put(op))
    }

    fn append_entry(&mut self, entry: Command<S>) -> StorageResult<()> {
        self.put(StorageOp::AppendEntry(entry))
    }

    fn append_entries(&mut self, entries: Vec<Command<S>>) -> StorageResult<()> {
        self.put(StorageOp::AppendEntries(entries))
    }

    fn append_on_prefix(&mut self, from: usize, entries: Vec<Command<S>>) -> StorageResult<()> {
        self.put(StorageOp::AppendOnPrefix(from, entries))
    }

    fn set_promise(&mut self, ballot: Ballot) -> StorageResult<()> {
        self.put(StorageOp::SetPromise(ballot))
    }

    fn set_decided_idx(&mut self, index: usize) -> StorageResult<()> {
        self.put(StorageOp::SetDecidedIndex(index))
    }

    fn get_decided_idx(&self) -> StorageResult<usize> {
        Ok(self.0.borrow().decided)
    }

    fn set_accepted_round(&mut self, ballot: Ballot) -> StorageResult<()> {
        self.put(StorageOp::SetAcceptedRound(ballot))
    }

    fn get_accepted_round(&self) -> StorageResult<Option<Ballot>> {
        Ok(self.0.borrow().accepted)
    }

    fn get_entries(&self, from: usize, to: usize) -> StorageResult<Vec<Command<S>>> {
        Ok(self.0.borrow().entries(from, to))
    }

    fn get_log_len(&self) -> StorageResult<usize> {
        Ok(self.0.borrow().log.len())
    }

    fn get_suffix(&self, from: usize) -> StorageResult<Vec<Command<S>>> {
        let disk = self.0.borrow();
        Ok(disk.entries(from, disk.compacted + disk.log.len()))
    }

    fn get_promise(&self) -> StorageResult<Option<Ballot>> {
        Ok(self.0.borrow().promise)
    }

    fn set_stopsign(&mut self, stopsign: Option<StopSign>) -> StorageResult<()> {
        self.put(StorageOp::SetStopsign(stopsign))
    }

    fn get_stopsign(&self) -> StorageResult<Option<StopSign>> {
        Ok(self.0.borrow().stopsign.clone())
    }

    fn trim(&mut self, index: usize) -> StorageResult<()> {
        self.put(StorageOp::Trim(index))
    }

    fn set_compacted_idx(&mut self, index: usize) -> StorageResult<()> {
        self.put(StorageOp::SetCompactedIdx(index))
    }

    fn get_compacted_idx(&self) -> StorageResult<usize> {
        Ok(self.0.borrow().compacted)
    }

    fn set_snapshot(&mut self, image: Option<Image<S>>) -> StorageResult<()> {
        self.put(StorageOp::SetSnapshot(image))
    }

    fn get_snapshot(&self) -> StorageResult<Option<Image<S>>> {
        Ok(self.0.borrow().snapshot.clone())
    }
}
