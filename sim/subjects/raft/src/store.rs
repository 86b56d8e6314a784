//! What raft reads, and what must survive: the hard state, the log, and the machine with the index
//! up to which the log is applied to it. As in TiKV, the log is kept somewhat longer than the
//! machine needs it, so that only a follower that lags far behind gets a snapshot.
//!
//! All of it goes to the disk as one whole, by the kit's `Cell`.

use std::collections::BTreeMap;

use protobuf::Message as _;
use raft::eraftpb::{ConfState, Entry, HardState, Snapshot};
use raft::{Error, GetEntriesContext, RaftState, Result, Storage, StorageError};
use synod_sim::prelude::*;

/// Applied entries that are kept at a compaction, and how many more make one.
const KEPT: u64 = 8;
const EXCESS: u64 = 24;

pub struct Store {
    /// The members. They do not change.
    pub voters: ConfState,
    pub hard: HardState,
    /// By index. The first one is there for its term alone.
    entries: BTreeMap<u64, Entry>,
    pub applied: u64,
    pub machine: KeyValue,
}

impl Store {
    pub fn new(voters: ConfState) -> Self {
        Self {
            voters,
            hard: HardState::default(),
            entries: BTreeMap::from([(0, Entry::default())]),
            applied: 0,
            machine: KeyValue::default(),
        }
    }

    fn first(&self) -> u64 {
        *self.entries.keys().next().expect("there always is one")
    }

    pub fn append(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.entries.split_off(&entry.index);
            assert!(self.last_index() == Ok(entry.index - 1), "a hole");
            self.entries.insert(entry.index, entry.clone());
        }
    }

    pub fn restore(&mut self, snapshot: &Snapshot) {
        let mut entry = Entry::default();
        entry.index = snapshot.get_metadata().index;
        entry.term = snapshot.get_metadata().term;
        self.applied = entry.index;
        self.entries = BTreeMap::from([(entry.index, entry)]);
        (self.machine, _) = KeyValue::read(&snapshot.data).expect("its message was intact");
    }

    pub fn compact(&mut self) {
        if self.applied >= self.first() + KEPT + EXCESS {
            self.entries = self.entries.split_off(&(self.applied - KEPT));
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame::pack(&[self.applied], &[&packed(&self.hard)], &mut bytes);
        self.machine.write(&mut bytes);
        for entry in self.entries.values() {
            frame::pack(&[], &[&packed(entry)], &mut bytes);
        }
        bytes
    }

    pub fn read(voters: ConfState, bytes: &[u8]) -> Option<Self> {
        let frame::Packed {
            words: [applied],
            texts: [hard],
            rest,
        } = frame::unpack(bytes)?;
        let (machine, mut rest) = KeyValue::read(rest)?;
        let mut entries = BTreeMap::new();
        while let Some(next) = frame::unpack::<0, 1>(rest) {
            let entry = Entry::parse_from_bytes(next.texts[0]).ok()?;
            entries.insert(entry.index, entry);
            rest = next.rest;
        }
        Some(Self {
            voters,
            hard: HardState::parse_from_bytes(hard).ok()?,
            entries,
            applied,
            machine,
        })
    }
}

pub fn packed(message: &impl protobuf::Message) -> Vec<u8> {
    message.write_to_bytes().expect("memory takes all")
}

impl Storage for Store {
    fn initial_state(&self) -> Result<RaftState> {
        Ok(RaftState::new(self.hard.clone(), self.voters.clone()))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        bytes_max: impl Into<Option<u64>>,
        _: GetEntriesContext,
    ) -> Result<Vec<Entry>> {
        if low <= self.first() {
            return Err(Error::Store(StorageError::Compacted));
        }
        let range = self.entries.range(low..high);
        let mut entries = range.map(|(_, entry)| entry.clone()).collect();
        raft::util::limit_size(&mut entries, bytes_max.into());
        Ok(entries)
    }

    fn term(&self, index: u64) -> Result<u64> {
        match self.entries.get(&index) {
            Some(entry) => Ok(entry.term),
            None if index < self.first() => Err(Error::Store(StorageError::Compacted)),
            None => Err(Error::Store(StorageError::Unavailable)),
        }
    }

    fn first_index(&self) -> Result<u64> {
        Ok(self.first() + 1)
    }

    fn last_index(&self) -> Result<u64> {
        Ok(self.entries.keys().next_back().copied().unwrap_or(0))
    }

    fn snapshot(&self, least: u64, _: u64) -> Result<Snapshot> {
        if self.applied < least {
            return Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable));
        }
        let mut snapshot = Snapshot::default();
        let metadata = snapshot.mut_metadata();
        metadata.index = self.applied;
        metadata.term = self.term(self.applied)?;
        metadata.set_conf_state(self.voters.clone());
        let mut machine = Vec::new();
        self.machine.write(&mut machine);
        snapshot.data = machine.into();
        Ok(snapshot)
    }
}
