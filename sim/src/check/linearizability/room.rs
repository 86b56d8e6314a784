//! What lists take, the room that they make for more included.
//!
//! A vector that is full is copied into one twice as large, so that for a moment three times its
//! size is there. A [`Pile`] never moves what is in it; it is for the lists that make up nearly all
//! that a search takes.

use std::ops::Index;

/// How many entries a piece has.
const PIECE: usize = 1 << 12;

/// What a vector takes, in bytes; of one that will soon be full, what it takes while it grows.
pub(super) fn room<T>(list: &Vec<T>) -> usize {
    soon(list.len(), list.capacity()) * size_of::<T>()
}

/// How many entries there is room for, at the moment or while more room is made.
fn soon(len: usize, capacity: usize) -> usize {
    if len + len / 16 >= capacity {
        3 * capacity
    } else {
        capacity
    }
}

/// A list that grows piece by piece and only at its end. The first piece grows as a vector does.
#[derive(Clone)]
pub(super) struct Pile<T> {
    pieces: Vec<Vec<T>>,
}

impl<T> Default for Pile<T> {
    fn default() -> Self {
        Self { pieces: Vec::new() }
    }
}

impl<T> Pile<T> {
    /// How many entries it has.
    pub fn len(&self) -> usize {
        let full = self.pieces.len().saturating_sub(1);
        full * PIECE + self.pieces.last().map_or(0, Vec::len)
    }

    /// Adds one at the end.
    pub fn push(&mut self, entry: T) {
        match self.pieces.last_mut() {
            Some(last) if last.len() < PIECE => last.push(entry),
            None => self.pieces.push(vec![entry]),
            Some(_) => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(entry);
                self.pieces.push(piece);
            }
        }
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.pieces.iter().flatten()
    }

    /// Forgets everything and keeps the first piece's room.
    pub fn clear(&mut self) {
        self.pieces.truncate(1);
        if let Some(first) = self.pieces.first_mut() {
            first.clear();
        }
    }

    /// What it takes, in bytes, apart from what its entries hold elsewhere.
    pub fn bytes(&self) -> usize {
        let places = match self.pieces.as_slice() {
            [] => 0,
            [first] => soon(first.len(), first.capacity()),
            pieces => pieces.len() * PIECE,
        };
        places * size_of::<T>() + room(&self.pieces)
    }
}

impl<T> Index<usize> for Pile<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.pieces[at / PIECE][at % PIECE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pile_is_a_list() {
        let mut pile = Pile::default();
        assert_eq!((pile.len(), pile.bytes()), (0, 0));
        for round in [3 * PIECE + 5, PIECE, 7] {
            pile.clear();
            for number in 0..round {
                assert_eq!(pile.len(), number);
                pile.push(number);
            }
            assert!(pile.iter().copied().eq(0..round));
            assert!(
                [0, round / 2, round - 1]
                    .into_iter()
                    .all(|at| pile[at] == at)
            );
        }
    }

    #[test]
    fn a_large_pile_takes_what_is_in_it() {
        let mut pile = Pile::default();
        for number in 0..100 * PIECE as u64 {
            pile.push(number);
        }
        let whole = pile.len() * size_of::<u64>();
        assert!((whole..whole + whole / 50).contains(&pile.bytes()));
    }

    #[test]
    fn a_vector_that_grows_is_there_twice() {
        let mut list = Vec::with_capacity(64);
        list.push(0u32);
        assert_eq!(room(&list), 64 * 4);
        list.resize(64, 0);
        assert_eq!(room(&list), 3 * 64 * 4);
    }
}
