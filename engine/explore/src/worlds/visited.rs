//! The states that were visited, in the order in which they were, each with the one before it.

use super::index::mix;

/// See the module. A state takes `4 * N + 4` bytes, and from five to eleven in the index.
#[derive(Debug)]
pub(super) struct Visited<const N: usize> {
    /// By number, in chunks: the cells of a state, by node, and the state that it was reached from
    /// first.
    chunks: Vec<Vec<([u32; N], u32)>>,
    length: usize,
    /// By hash: the numbers of states.
    slots: Vec<u32>,
}

const CHUNK: usize = 1 << 16;
const FREE: u32 = u32::MAX;

impl<const N: usize> Visited<N> {
    pub(super) fn new() -> Self {
        Self {
            chunks: Vec::new(),
            length: 0,
            slots: vec![FREE; CHUNK],
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.length
    }

    /// How many bytes it takes.
    pub(super) const fn bytes(&self) -> u64 {
        (self.chunks.len() * CHUNK * (4 * N + 4) + self.slots.len() * 4) as u64
    }

    pub(super) fn state(&self, at: usize) -> [u32; N] {
        self.chunks[at / CHUNK][at % CHUNK].0
    }

    /// The number of the state that this one was reached from first.
    pub(super) fn parent(&self, at: usize) -> usize {
        self.chunks[at / CHUNK][at % CHUNK].1 as usize
    }

    /// Keeps a state, unless it was visited. Whether it was new.
    pub(super) fn insert(&mut self, state: [u32; N], parent: usize) -> bool {
        let number = |count: usize| u32::try_from(count).expect("fewer than four billion states");
        if 4 * self.length >= 3 * self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut place = hash(&state) & mask;
        while self.slots[place] != FREE {
            if self.state(self.slots[place] as usize) == state {
                return false;
            }
            place = (place + 1) & mask;
        }
        self.slots[place] = number(self.length);
        if self.length.is_multiple_of(CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.push((state, number(parent)));
        }
        self.length += 1;
        true
    }

    fn grow(&mut self) {
        let length = 2 * self.slots.len();
        self.slots = Vec::new();
        self.slots.resize(length, FREE);
        let mask = length - 1;
        for (number, (state, _)) in (0..).zip(self.chunks.iter().flatten()) {
            let mut place = hash(state) & mask;
            while self.slots[place] != FREE {
                place = (place + 1) & mask;
            }
            self.slots[place] = number;
        }
    }
}

fn hash<const N: usize>(state: &[u32; N]) -> usize {
    let all = state.iter().fold(0, |hash: u64, cell| {
        mix(hash ^ u64::from(*cell)).rotate_left(17)
    });
    all as usize
}
