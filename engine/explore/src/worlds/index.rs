//! A table from words to words, open addressed: nothing but an array, twice as large when it is half
//! full.

/// See the module. A key is never `u64::MAX`.
#[derive(Debug)]
pub(super) struct Index {
    slots: Vec<(u64, u64)>,
    count: usize,
}

const FREE: u64 = u64::MAX;

impl Index {
    /// An empty table.
    pub(super) fn new() -> Self {
        Self {
            slots: vec![(FREE, 0); 1 << 16],
            count: 0,
        }
    }

    /// How many bytes it takes.
    pub(super) fn bytes(&self) -> u64 {
        16 * self.slots.len() as u64
    }

    /// What is kept under a key.
    pub(super) fn get(&self, key: u64) -> Option<u64> {
        let (found, value) = self.slots[self.place(key)];
        (found == key).then_some(value)
    }

    /// Keeps something under a key that nothing is kept under.
    pub(super) fn insert(&mut self, key: u64, value: u64) {
        if 2 * self.count >= self.slots.len() {
            let larger = vec![(FREE, 0); 2 * self.slots.len()];
            for (key, value) in std::mem::replace(&mut self.slots, larger) {
                if key != FREE {
                    let place = self.place(key);
                    self.slots[place] = (key, value);
                }
            }
        }
        let place = self.place(key);
        self.slots[place] = (key, value);
        self.count += 1;
    }

    fn place(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = mix(key) as usize & mask;
        while self.slots[at].0 != key && self.slots[at].0 != FREE {
            at = (at + 1) & mask;
        }
        at
    }
}

/// Spreads every bit of a word over all.
pub(super) const fn mix(word: u64) -> u64 {
    let word = (word ^ word >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let word = (word ^ word >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word ^ word >> 32
}
