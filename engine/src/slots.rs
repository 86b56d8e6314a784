//! A log of things by slot, from a first slot on, without gaps: cheap to copy because full chunks
//! are shared.

use std::sync::Arc;

use crate::ids::Slot;

/// Things per chunk. A copy shares all chunks; writing to a shared one copies it.
const CHUNK: usize = 64;

/// A contiguous run of things, indexed by slot.
#[derive(Clone, Hash, Debug)]
pub struct Slots<T> {
    first: Slot,
    length: usize,
    chunks: Vec<Arc<Vec<T>>>,
}

impl<T: Clone> Slots<T> {
    /// An empty run that will start at `first`.
    #[must_use]
    pub const fn starting_at(first: Slot) -> Self {
        Self {
            first,
            length: 0,
            chunks: Vec::new(),
        }
    }

    /// The first slot that is held, or would be.
    #[must_use]
    pub const fn first(&self) -> Slot {
        self.first
    }

    /// The slot after the last one that is held.
    #[must_use]
    pub const fn end(&self) -> Slot {
        Slot(self.first.0 + self.length as u64)
    }

    /// What is at a slot, if it is held.
    #[must_use]
    pub fn get(&self, slot: Slot) -> Option<&T> {
        let index = usize::try_from(slot.0.checked_sub(self.first.0)?).ok()?;
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    /// Adds the thing of the next slot.
    pub fn push(&mut self, thing: T) {
        if self.length.is_multiple_of(CHUNK) {
            self.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
        }
        let last = self
            .chunks
            .last_mut()
            .expect("a chunk was just made if there was none");
        Arc::make_mut(last).push(thing);
        self.length += 1;
    }

    /// The things from a slot on, with their slots.
    pub fn from(&self, slot: Slot) -> impl Iterator<Item = (Slot, &T)> {
        (slot.max(self.first).0..self.end().0)
            .map(Slot)
            .map_while(|slot| Some((slot, self.get(slot)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_go_their_own_way() {
        let mut one = Slots::starting_at(Slot(5));
        (0..100).for_each(|n| one.push(n));
        let mut two = one.clone();
        two.push(7);
        assert_eq!((one.end(), two.end()), (Slot(105), Slot(106)));
        assert_eq!(
            (
                one.get(Slot(4)),
                one.get(Slot(5)),
                one.get(Slot(104)),
                one.get(Slot(105))
            ),
            (None, Some(&0), Some(&99), None)
        );
        assert_eq!(
            two.from(Slot(104))
                .map(|(slot, n)| (slot.0, *n))
                .collect::<Vec<_>>(),
            [(104, 99), (105, 7)]
        );
    }
}
