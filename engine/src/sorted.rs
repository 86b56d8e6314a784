//! A map of few things whose keys mostly come in rising order and leave from the front: what is on
//! its way.
//!
//! It is a sorted queue. Adding behind the last key and taking the first one off move nothing, and
//! nothing is allocated for each thing; putting something into the middle moves what is behind it,
//! so whoever uses this bounds how many there are.

use std::collections::VecDeque;

/// Things by key, in order of the key.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Sorted<K, T> {
    entries: VecDeque<(K, T)>,
}

impl<K, T> Default for Sorted<K, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, T> Sorted<K, T> {
    /// An empty map.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            entries: VecDeque::new(),
        }
    }

    /// How many things there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

impl<K: Ord + Copy, T> Sorted<K, T> {
    /// The thing of a key.
    #[must_use]
    pub fn get(&self, key: K) -> Option<&T> {
        let at = self.find(key).ok()?;
        self.entries.get(at).map(|(_, thing)| thing)
    }

    /// The thing of a key, to be changed; a new one if there is none.
    pub fn get_or_default(&mut self, key: K) -> &mut T
    where
        T: Default,
    {
        let at = self.find(key).unwrap_or_else(|at| {
            self.entries.insert(at, (key, T::default()));
            at
        });
        &mut self.entries[at].1
    }

    /// Puts a thing in; gives back what it replaces.
    pub fn insert(&mut self, key: K, thing: T) -> Option<T> {
        match self.find(key) {
            Ok(at) => Some(std::mem::replace(&mut self.entries[at].1, thing)),
            Err(at) => {
                self.entries.insert(at, (key, thing));
                None
            }
        }
    }

    /// Takes the thing of a key out.
    pub fn remove(&mut self, key: K) -> Option<T> {
        let at = self.find(key).ok()?;
        self.entries.remove(at).map(|(_, thing)| thing)
    }

    /// Takes out everything below a key.
    pub fn remove_below(&mut self, key: K) {
        while self.first().is_some_and(|(first, _)| first < key) {
            self.entries.pop_front();
        }
    }

    /// What has the lowest key.
    #[must_use]
    pub fn first(&self) -> Option<(K, &T)> {
        self.entries.front().map(|(key, thing)| (*key, thing))
    }

    /// Takes out what has the lowest key.
    pub fn pop_first(&mut self) -> Option<(K, T)> {
        self.entries.pop_front()
    }

    /// What has the highest key.
    #[must_use]
    pub fn last(&self) -> Option<(K, &T)> {
        self.entries.back().map(|(key, thing)| (*key, thing))
    }

    /// Everything from a key on, in order.
    pub fn from(&self, key: K) -> impl Iterator<Item = (K, &T)> {
        let start = self.find(key).unwrap_or_else(|at| at);
        self.entries
            .range(start..)
            .map(|(key, thing)| (*key, thing))
    }

    /// Everything, in order.
    pub fn iter(&self) -> impl Iterator<Item = (K, &T)> {
        self.entries.iter().map(|(key, thing)| (*key, thing))
    }

    /// Everything, in order, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (K, &mut T)> {
        self.entries.iter_mut().map(|(key, thing)| (*key, thing))
    }

    /// Where a key is, or where it belongs.
    fn find(&self, key: K) -> Result<usize, usize> {
        match self.entries.back() {
            Some((last, _)) if key <= *last => {
                self.entries.binary_search_by_key(&key, |(key, _)| *key)
            }
            _ => Err(self.entries.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_does_what_a_map_does(
            steps in prop::collection::vec((0u8..6, 0u8..12, any::<u8>()), 0..80),
        ) {
            let (mut sorted, mut map) = (Sorted::new(), BTreeMap::new());
            for (what, key, thing) in steps {
                match what {
                    0 | 1 => prop_assert_eq!(sorted.insert(key, thing), map.insert(key, thing)),
                    2 => prop_assert_eq!(sorted.remove(key), map.remove(&key)),
                    3 => prop_assert_eq!(sorted.pop_first(), map.pop_first()),
                    4 => {
                        sorted.remove_below(key);
                        map = map.split_off(&key);
                    }
                    _ => *sorted.get_or_default(key) = *map.entry(key).insert_entry(thing).get(),
                }
                prop_assert_eq!(sorted.get(key), map.get(&key));
                prop_assert_eq!(
                    sorted.first(),
                    map.first_key_value().map(|(key, thing)| (*key, thing)),
                );
                prop_assert_eq!(
                    sorted.last(),
                    map.last_key_value().map(|(key, thing)| (*key, thing)),
                );
                prop_assert!(sorted.from(key).eq(map.range(key..).map(|(key, thing)| (
                    *key,
                    thing,
                ))));
                prop_assert_eq!((sorted.len(), sorted.is_empty()), (map.len(), map.is_empty()));
            }
        }
    }
}
