//! Sets of places in the window of open operations: one word for most histories, more where more
//! operations are open at once.

use std::fmt::Debug;
use std::hash::Hash;

/// A set of small numbers.
pub trait Mask: Clone + Eq + Hash + Debug {
    /// The empty set, with room for numbers below `places`.
    fn empty(places: usize) -> Self;
    /// What a set of so many places takes beside its own size, in bytes.
    fn heap(places: usize) -> usize;
    /// The words, lowest numbers first.
    fn words(&self) -> &[u64];
    /// The words, to be changed.
    fn words_mut(&mut self) -> &mut [u64];

    /// Whether a number is in it.
    fn has(&self, at: usize) -> bool {
        self.words()[at / 64] >> (at % 64) & 1 == 1
    }

    /// Adds a number.
    fn add(&mut self, at: usize) {
        self.words_mut()[at / 64] |= 1 << (at % 64);
    }

    /// Takes a number out.
    fn remove(&mut self, at: usize) {
        self.words_mut()[at / 64] &= !(1 << (at % 64));
    }

    /// Adds what is in both of two sets.
    fn add_common(&mut self, one: &Self, other: &Self) {
        for (word, (a, b)) in self
            .words_mut()
            .iter_mut()
            .zip(one.words().iter().zip(other.words()))
        {
            *word |= a & b;
        }
    }

    /// Whether it contains all of another.
    fn covers(&self, other: &Self) -> bool {
        self.words()
            .iter()
            .zip(other.words())
            .all(|(a, b)| b & !a == 0)
    }

    /// How many are in it.
    fn count(&self) -> u32 {
        self.words().iter().map(|word| word.count_ones()).sum()
    }

    /// The lowest number from `from` on that is in this set and not in `without`.
    fn next(&self, without: &Self, from: usize) -> Option<usize> {
        let mut at = from / 64;
        let words = self.words();
        if at >= words.len() {
            return None;
        }
        let mut word = words[at] & !without.words()[at] & (u64::MAX << (from % 64));
        while word == 0 {
            at += 1;
            if at == words.len() {
                return None;
            }
            word = words[at] & !without.words()[at];
        }
        Some(at * 64 + word.trailing_zeros() as usize)
    }
}

impl<const N: usize> Mask for [u64; N] {
    fn empty(_places: usize) -> Self {
        [0; N]
    }
    fn heap(_places: usize) -> usize {
        0
    }
    fn words(&self) -> &[u64] {
        self
    }
    fn words_mut(&mut self) -> &mut [u64] {
        self
    }
}

impl Mask for Vec<u64> {
    fn empty(places: usize) -> Self {
        vec![0; places.div_ceil(64).max(1)]
    }
    fn heap(places: usize) -> usize {
        places.div_ceil(64).max(1) * 8 + 16
    }
    fn words(&self) -> &[u64] {
        self
    }
    fn words_mut(&mut self) -> &mut [u64] {
        self
    }
}

/// The lowest number from `from` on that is in both sets.
pub fn next_common<M: Mask>(one: &M, other: &M, from: usize) -> Option<usize> {
    let (one, other) = (one.words(), other.words());
    let mut at = from / 64;
    if at >= one.len() {
        return None;
    }
    let mut word = one[at] & other[at] & (u64::MAX << (from % 64));
    while word == 0 {
        at += 1;
        if at == one.len() {
            return None;
        }
        word = one[at] & other[at];
    }
    Some(at * 64 + word.trailing_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_any_width() {
        fn works<M: Mask>(places: usize) {
            let (mut set, mut other) = (M::empty(places), M::empty(places));
            for at in [0, 3, places - 1] {
                set.add(at);
            }
            other.add(3);
            assert!(set.covers(&other) && !other.covers(&set) && set.count() == 3);
            assert_eq!(
                (
                    set.next(&other, 0),
                    set.next(&other, 1),
                    set.next(&other, places)
                ),
                (Some(0), Some(places - 1), None)
            );
            other.add_common(&set.clone(), &set);
            assert_eq!(other, set);
            set.remove(0);
            assert!(!set.has(0) && set.has(3));
        }
        works::<[u64; 1]>(64);
        works::<[u64; 4]>(256);
        works::<Vec<u64>>(1000);
    }
}
