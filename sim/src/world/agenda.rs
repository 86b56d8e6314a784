//! What is due when: keys of 128 bits in order, with the entries in a slab beside them.
//!
//! A key is (time, sequence, slot of the slab), so entries of one instant come out in the order in
//! which they went in. Nothing is ever removed early: what is outdated by the time it is due is
//! recognised by whoever handles it.
//!
//! The keys that come next are sorted, up to a bound, and the others are in a 4-ary heap. Most
//! entries go in a little before they come out, so most never see the heap, and to sort one in
//! moves only the few that come before it.

use crate::time::Instant;

const SLOT_BITS: u32 = 24;
const SEQUENCE_BITS: u32 = 40;
const ARITY: usize = 4;

/// More keys than this are never kept sorted.
const SOON: usize = 128;

/// Entries by time, then by order of arrival.
#[derive(Clone, Debug)]
pub struct Agenda<T> {
    /// The keys that come first, the first of all at the end.
    soon: Vec<u128>,
    /// The others.
    heap: Vec<u128>,
    slab: Vec<Option<T>>,
    free: Vec<u32>,
    sequence: u64,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self {
            soon: Vec::new(),
            heap: Vec::new(),
            slab: Vec::new(),
            free: Vec::new(),
            sequence: 0,
        }
    }
}

impl<T> Agenda<T> {
    /// Adds an entry. At most 2^24 entries wait at once, and at most 2^40 ever come.
    #[inline]
    pub fn push(&mut self, at: Instant, entry: T) {
        let slot = if let Some(slot) = self.free.pop() {
            self.slab[slot as usize] = Some(entry);
            slot
        } else {
            self.slab.push(Some(entry));
            u32::try_from(self.slab.len() - 1).expect("fewer entries than fit in memory")
        };
        assert!(
            slot >> SLOT_BITS == 0 && self.sequence >> SEQUENCE_BITS == 0,
            "the agenda is full"
        );
        let key =
            u128::from(at.0) << 64 | u128::from(self.sequence) << SLOT_BITS | u128::from(slot);
        self.sequence += 1;
        if self.heap.first().is_some_and(|least| *least < key) {
            self.push_heap(key);
            return;
        }
        let place = self.soon.partition_point(|other| *other > key);
        self.soon.insert(place, key);
        if self.soon.len() > SOON {
            let last = self.soon.remove(0);
            self.push_heap(last);
        }
    }

    /// When the next entry is due.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.soon.last().or(self.heap.first()).map(|key| time(*key))
    }

    /// Takes the next entry.
    #[inline]
    pub fn pop(&mut self) -> Option<(Instant, T)> {
        if self.soon.is_empty() {
            self.refill();
        }
        let key = self.soon.pop()?;
        let slot = slot(key);
        self.free.push(u32::try_from(slot).expect("24 bits"));
        let entry = self.slab[slot]
            .take()
            .expect("a key's slot is filled until the key is taken");
        Some((time(key), entry))
    }

    /// All that waits, and when it is due; in no order.
    pub fn entries(&self) -> impl Iterator<Item = (Instant, &T)> {
        let keys = self.soon.iter().chain(&self.heap);
        keys.filter_map(|key| Some((time(*key), self.slab[slot(*key)].as_ref()?)))
    }

    /// How many entries wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.soon.len() + self.heap.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sorts the first half of what fits, so that what is pushed next finds room there.
    fn refill(&mut self) {
        while self.soon.len() < SOON / 2
            && let Some(key) = self.pop_heap()
        {
            self.soon.push(key);
        }
        self.soon.reverse();
    }

    fn push_heap(&mut self, key: u128) {
        let mut at = self.heap.len();
        self.heap.push(key);
        while at > 0 {
            let parent = (at - 1) / ARITY;
            if self.heap[parent] <= key {
                break;
            }
            self.heap[at] = self.heap[parent];
            at = parent;
        }
        self.heap[at] = key;
    }

    fn pop_heap(&mut self) -> Option<u128> {
        let last = self.heap.pop()?;
        let Some(first) = self.heap.first_mut() else {
            return Some(last);
        };
        let key = std::mem::replace(first, last);
        self.sink();
        Some(key)
    }

    /// Puts the first key where it belongs.
    fn sink(&mut self) {
        let key = self.heap[0];
        let mut at = 0;
        loop {
            let first = at * ARITY + 1;
            let child = match self.heap.get(first..) {
                None | Some([]) => break,
                Some(&[a, b, c, d, ..]) => {
                    // Without branches: which child is least is anybody's guess.
                    let (left, least_left) = if b < a { (1, b) } else { (0, a) };
                    let (right, least_right) = if d < c { (3, d) } else { (2, c) };
                    first
                        + if least_right < least_left {
                            right
                        } else {
                            left
                        }
                }
                Some(few) => {
                    first
                        + (1..few.len()).fold(0, |least, child| {
                            if few[child] < few[least] {
                                child
                            } else {
                                least
                            }
                        })
                }
            };
            let least = self.heap[child];
            if least >= key {
                break;
            }
            self.heap[at] = least;
            at = child;
        }
        self.heap[at] = key;
    }
}

fn slot(key: u128) -> usize {
    usize::try_from(key & ((1 << SLOT_BITS) - 1)).expect("24 bits")
}

fn time(key: u128) -> Instant {
    Instant(u64::try_from(key >> 64).expect("64 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn entries_come_by_time_then_by_arrival(
            script in proptest::collection::vec(proptest::option::weighted(0.7, 0u64..20), 0..600),
        ) {
            let mut agenda = Agenda::default();
            let mut model: Vec<(u64, usize)> = Vec::new();
            for (number, action) in script.into_iter().enumerate() {
                if let Some(at) = action {
                    agenda.push(Instant(at), number);
                    model.push((at, number));
                } else {
                    model.sort_unstable();
                    let expected = (!model.is_empty()).then(|| model.remove(0));
                    prop_assert_eq!(agenda.pop().map(|(at, entry)| (at.0, entry)), expected);
                }
                prop_assert_eq!(agenda.len(), model.len());
            }
        }
    }
}
