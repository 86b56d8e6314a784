//! Sets of unknown operations that took effect. Few configurations use any and many use the same,
//! so each set is kept once and known by a number.

use crate::check::linearizability::room::room;
use crate::history::table::{Table, mix};

/// The sets that the configurations of a search refer to. Number zero is the empty one.
pub struct UsedSets {
    sets: Vec<Box<[u32]>>,
    table: Table,
    /// Grown beyond this, the sets are worth going through.
    limit: usize,
    /// What the operations of the sets take.
    bytes: usize,
}

impl Default for UsedSets {
    fn default() -> Self {
        Self {
            sets: vec![Box::from([])],
            table: Table::default(),
            limit: 64,
            bytes: 0,
        }
    }
}

impl UsedSets {
    /// The operations of a set, ascending.
    pub fn get(&self, set: u32) -> &[u32] {
        &self.sets[set as usize]
    }

    /// Whether a set has an operation.
    pub fn has(&self, set: u32, operation: u32) -> bool {
        set != 0 && self.get(set).binary_search(&operation).is_ok()
    }

    /// The set with one more.
    pub fn with(&mut self, set: u32, operation: u32) -> u32 {
        let old = self.get(set);
        let at = old.partition_point(|other| *other < operation);
        let mut longer = Vec::with_capacity(old.len() + 1);
        longer.extend_from_slice(&old[..at]);
        longer.push(operation);
        longer.extend_from_slice(&old[at..]);
        self.number(longer)
    }

    /// A set of another collection, without those that are gone.
    pub fn without(&mut self, set: &[u32], gone: impl Fn(u32) -> bool) -> u32 {
        self.number(
            set.iter()
                .copied()
                .filter(|operation| !gone(*operation))
                .collect(),
        )
    }

    fn number(&mut self, set: Vec<u32>) -> u32 {
        if set.is_empty() {
            return 0;
        }
        let hash = set
            .iter()
            .fold(0, |hash, operation| mix(hash, u64::from(*operation)));
        if let Some(found) = self.table.find(hash, |at| *self.sets[at as usize] == *set) {
            return found;
        }
        let number =
            u32::try_from(self.sets.len()).expect("the search's budget ends long before 2^32 sets");
        self.bytes += set.len() * size_of::<u32>() + 16;
        self.sets.push(set.into());
        self.table.insert(hash, number);
        number
    }

    /// What all sets take, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes + room(&self.sets) + self.table.bytes()
    }

    /// Whether all of one set is in another.
    pub fn within(&self, inner: u32, outer: u32) -> bool {
        if inner == 0 || inner == outer {
            return true;
        }
        let (inner, mut outer) = (self.get(inner), self.get(outer));
        inner.len() <= outer.len()
            && inner
                .iter()
                .all(|operation| match outer.binary_search(operation) {
                    Ok(at) => {
                        outer = &outer[at + 1..];
                        true
                    }
                    Err(_) => false,
                })
    }

    /// Whether the sets have become many since they were last gone through.
    pub fn crowded(&self) -> bool {
        self.sets.len() > self.limit
    }

    /// What all of these sets have.
    pub fn common(&self, mut sets: impl Iterator<Item = u32>) -> Vec<u32> {
        let mut common = sets
            .next()
            .map_or_else(Vec::new, |first| self.get(first).to_vec());
        for set in sets {
            common.retain(|operation| self.has(set, *operation));
        }
        common
    }

    /// An empty collection to which this one's live sets are moved. The next time comes after as
    /// many new sets as are alive now.
    pub fn rebuilt(&self) -> Self {
        Self {
            limit: 64.max(self.sets.len().min(self.limit * 2)),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_kept_once() {
        let mut sets = UsedSets::default();
        let (three, five) = (sets.with(0, 3), sets.with(0, 5));
        let both = sets.with(three, 5);
        assert_eq!(both, sets.with(five, 3));
        assert!(
            sets.within(three, both)
                && sets.within(0, five)
                && !sets.within(both, five)
                && !sets.within(three, five)
        );
        assert!(sets.has(both, 3) && !sets.has(five, 3) && !sets.has(0, 3));
        assert_eq!(sets.common([both, five].into_iter()), [5]);
        let mut kept = sets.rebuilt();
        assert_eq!(
            kept.without(sets.get(both), |operation| operation == 5),
            kept.with(0, 3)
        );
    }
}
