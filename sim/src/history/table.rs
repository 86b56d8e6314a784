//! A hash table of small numbers: the entries live elsewhere, and the table finds the number of an
//! equal one.
//!
//! Open addressing with linear probing and a hash that is the same on every machine and in every
//! run. Nothing is ever removed; `clear` keeps the room.

/// Numbers by the hash of what they stand for.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Hash and number plus one; a number of zero is an empty place.
    places: Vec<(u32, u32)>,
    len: usize,
}

impl Table {
    /// How many numbers are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// What it takes, in bytes; of one that will soon be full, what it takes while it grows.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let soon = (self.len + self.len / 16) * 8 >= self.places.len() * 5;
        let tables = if soon { 3 } else { 1 };
        tables * self.places.len() * size_of::<(u32, u32)>()
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets everything and keeps the room, unless that is far more than was used.
    pub fn clear(&mut self) {
        if self.places.len() > 64 && self.len < self.places.len() / 16 {
            self.places = Vec::new();
        } else {
            self.places.fill((0, 0));
        }
        self.len = 0;
    }

    /// The number with this hash for which `same` holds.
    pub fn find(&self, hash: u64, mut same: impl FnMut(u32) -> bool) -> Option<u32> {
        if self.places.is_empty() {
            return None;
        }
        let mask = self.places.len() - 1;
        let short = fold(hash);
        let mut at = short as usize & mask;
        loop {
            let (here, number) = self.places[at];
            if number == 0 {
                return None;
            }
            if here == short && same(number - 1) {
                return Some(number - 1);
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds a number that is known to be absent; it is below `u32::MAX`.
    pub fn insert(&mut self, hash: u64, number: u32) {
        if self.len * 8 >= self.places.len() * 5 {
            self.grow();
        }
        self.place(fold(hash), number + 1);
        self.len += 1;
    }

    fn place(&mut self, short: u32, stored: u32) {
        let mask = self.places.len() - 1;
        let mut at = short as usize & mask;
        while self.places[at].1 != 0 {
            at = (at + 1) & mask;
        }
        self.places[at] = (short, stored);
    }

    fn grow(&mut self) {
        let room = (self.places.len() * 2).max(16);
        let old = std::mem::replace(&mut self.places, vec![(0, 0); room]);
        for (short, stored) in old {
            if stored != 0 {
                self.place(short, stored);
            }
        }
    }
}

fn fold(hash: u64) -> u32 {
    u32::try_from((hash ^ (hash >> 32)) & 0xffff_ffff).expect("32 bits are left")
}

/// Mixes a word into a hash.
#[must_use]
pub const fn mix(hash: u64, word: u64) -> u64 {
    let x = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^ (x >> 29)
}

/// A [`std::hash::Hasher`] that gives the same everywhere, for states of a user's specification.
#[derive(Default)]
pub struct Fixed(u64);

impl std::hash::Hasher for Fixed {
    fn finish(&self) -> u64 {
        mix(self.0, 0x5851_f42d_4c95_7f2d)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = mix(self.0, xxhash_rust::xxh3::xxh3_64(bytes));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = mix(self.0, word);
    }

    fn write_u32(&mut self, word: u32) {
        self.0 = mix(self.0, u64::from(word));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_put_in_and_nothing_else() {
        let mut table = Table::default();
        let hash = |n: u32| mix(0, u64::from(n % 50));
        assert_eq!(table.find(hash(1), |_| true), None);
        for n in 0..1000 {
            table.insert(hash(n), n);
        }
        for n in 0..1000 {
            assert_eq!(table.find(hash(n), |m| m == n), Some(n));
        }
        assert_eq!(table.find(hash(3), |m| m == 1003), None);
        table.clear();
        assert!(table.is_empty() && table.find(hash(1), |_| true).is_none());
    }
}
