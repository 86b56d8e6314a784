//! Values that were appended to, taken apart: which whole value, and which appends in which order,
//! they are made of.
//!
//! A value tells its history only if it can be read in one way; if it can be read in two, nothing
//! is said.

use crate::check::linearizability::partition::Partition;
use crate::history::table::Table;
use crate::history::values::{ABSENT, Val};

/// The parts that values are made of, each made by one operation.
pub struct Chains<'a> {
    bases: Parts<'a>,
    tails: Parts<'a>,
    /// Whether the value at the start counts as empty, so that appends alone make a value.
    empty_start: bool,
    initial: Val,
    /// By value: where its path stands in `paths`; nothing yet if both are zero.
    known: Vec<(usize, usize)>,
    paths: Vec<u32>,
}

#[derive(Default)]
struct Parts<'a> {
    parts: Vec<(&'a [u8], u32)>,
    table: Table,
    /// Their lengths, ascending.
    lengths: Vec<usize>,
}

impl<'a> Parts<'a> {
    /// False if it is there already.
    fn add(&mut self, bytes: &'a [u8], version: u32) -> bool {
        if self.find(bytes).is_some() {
            return false;
        }
        let number = u32::try_from(self.parts.len()).expect("no more parts than operations");
        self.table.insert(xxhash_rust::xxh3::xxh3_64(bytes), number);
        self.parts.push((bytes, version));
        if let Err(at) = self.lengths.binary_search(&bytes.len()) {
            self.lengths.insert(at, bytes.len());
        }
        true
    }

    fn find(&self, bytes: &[u8]) -> Option<u32> {
        let found = self.table.find(xxhash_rust::xxh3::xxh3_64(bytes), |at| {
            self.parts[at as usize].0 == bytes
        })?;
        Some(self.parts[found as usize].1)
    }
}

/// A value that can be read in more ways than this many places can go wrong is left alone.
const DEAD_ENDS: usize = 1000;

impl<'a> Chains<'a> {
    /// The parts that are there at the start.
    pub fn new(partition: &Partition<'a>) -> Self {
        let initial = partition.initial;
        let start = partition.bytes(initial);
        let mut bases = Parts::default();
        let empty_start = start.is_empty();
        if !empty_start {
            bases.add(start, 0);
        }
        let known = vec![(0, 0); partition.vals.len()];
        Self {
            bases,
            tails: Parts::default(),
            empty_start,
            initial,
            known,
            paths: vec![0],
        }
    }

    /// Adds a value that was written whole; none if values can no longer be told apart.
    pub fn add_base(&mut self, bytes: &'a [u8], version: u32, value: Val) -> Option<()> {
        (value != ABSENT && !bytes.is_empty() && self.bases.add(bytes, version)).then_some(())
    }

    /// Adds what was appended; none if values can no longer be told apart.
    pub fn add_tail(&mut self, bytes: &'a [u8], version: u32) -> Option<()> {
        (!bytes.is_empty() && self.tails.add(bytes, version)).then_some(())
    }

    /// The versions that a value went through, the value itself last; empty if nothing can have
    /// made it, or something must have been appended twice. None if there are several ways to read
    /// it.
    pub fn parse(&mut self, partition: &Partition<'a>, value: Val) -> Option<&[u32]> {
        let at = value.0 as usize;
        if self.known[at] == (0, 0) {
            let start = self.paths.len();
            if value == self.initial {
                self.paths.push(0);
                // What is empty at the start cannot be made again, but anything else may be.
                if !self.empty_start && self.readings(partition.bytes(value), start)? {
                    return None;
                }
            } else if value != ABSENT
                && !(self.initial == ABSENT && partition.bytes(value).is_empty())
            {
                self.readings(partition.bytes(value), start)?;
                self.drop_repeated(start);
            }
            self.known[at] = (start, self.paths.len());
        }
        let (start, end) = self.known[at];
        Some(&self.paths[start..end])
    }

    /// A path in which something stands twice is no path.
    fn drop_repeated(&mut self, start: usize) {
        let mut sorted = self.paths[start..].to_vec();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            self.paths.truncate(start);
        }
    }

    /// Appends the one way to read these bytes to `paths`, if there is one; none if there are two.
    /// For the value at the start, whose own way stands there already: whether there is another.
    fn readings(&mut self, bytes: &[u8], start: usize) -> Option<bool> {
        let own = self.paths.len() > start;
        let mut found = 0;
        // What is still to be tried: how much was read, how long the path was, and the version to
        // go on with.
        let mut open: Vec<(usize, usize, u32)> = Vec::new();
        let mut dead: Vec<usize> = Vec::new();
        let mut path: Vec<u32> = Vec::new();
        let mut best: Vec<u32> = Vec::new();
        if self.empty_start {
            open.push((0, 0, 0));
        }
        for &length in self
            .bases
            .lengths
            .iter()
            .take_while(|length| **length <= bytes.len())
        {
            if let Some(version) = self.bases.find(&bytes[..length])
                && !(own && version == 0)
            {
                open.push((length, 0, version));
            }
        }
        let mut steps = 0usize;
        while let Some((at, depth, version)) = open.pop() {
            path.truncate(depth);
            path.push(version);
            if at == bytes.len() {
                found += 1;
                if found > 1 || own {
                    return if own { Some(true) } else { None };
                }
                best.clone_from(&path);
                continue;
            }
            steps += 1;
            if steps > bytes.len() + DEAD_ENDS {
                return None;
            }
            let before = open.len();
            for &length in self
                .tails
                .lengths
                .iter()
                .take_while(|length| at + **length <= bytes.len())
            {
                if let Some(version) = self.tails.find(&bytes[at..at + length]) {
                    open.push((at + length, depth + 1, version));
                }
            }
            if open.len() == before {
                dead.push(at);
                if dead.len() > DEAD_ENDS {
                    return None;
                }
            }
        }
        self.paths.extend(best);
        Some(false)
    }
}
