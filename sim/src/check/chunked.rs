//! Logs of small entries by dense index that copy cheaply: chunks behind `Arc`, copied when they
//! are written after a fork.
//!
//! An index is input (a damaged or mutant subject may report any), so it is bounded: beyond
//! [`BOUND`] nothing is stored and the caller is told.

use std::sync::Arc;

/// Entries in a chunk.
const CHUNK: usize = 64;

/// No index reaches this.
pub const BOUND: u64 = 1 << 26;

/// Entries by index; those never written read as absent or as the default.
#[derive(Clone, Debug)]
pub struct Chunked<T> {
    chunks: Vec<Option<Arc<[T; CHUNK]>>>,
    /// So many chunks at the front were forgotten.
    forgotten: usize,
}

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            forgotten: 0,
        }
    }
}

fn split(index: u64) -> (usize, usize) {
    let index = usize::try_from(index.min(BOUND)).unwrap_or(usize::MAX);
    (index / CHUNK, index % CHUNK)
}

impl<T: Clone + Default> Chunked<T> {
    /// The entry, unless its chunk was never written or is forgotten.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<&T> {
        let (chunk, place) = split(index);
        Some(&self.chunks.get(chunk)?.as_ref()?[place])
    }

    /// The entry to write to; none at or beyond [`BOUND`].
    pub fn entry(&mut self, index: u64) -> Option<&mut T> {
        if index >= BOUND {
            return None;
        }
        let (chunk, place) = split(index);
        if chunk >= self.chunks.len() {
            self.chunks.resize(chunk + 1, None);
        }
        let chunk = self.chunks[chunk]
            .get_or_insert_with(|| Arc::new(std::array::from_fn(|_| T::default())));
        Some(&mut Arc::make_mut(chunk)[place])
    }

    /// The entries of these indices that were written, or lie in a chunk with one that was, in
    /// order.
    pub fn range(&self, from: u64, end: u64) -> impl Iterator<Item = (u64, &T)> {
        let ((first, _), (last, _)) = (split(from), split(end));
        let chunks = self.chunks.iter().enumerate();
        chunks
            .take(last.saturating_add(1))
            .skip(first.max(self.forgotten))
            .filter_map(|(at, chunk)| Some((at, chunk.as_ref()?)))
            .flat_map(|(at, chunk)| ((at * CHUNK) as u64..).zip(chunk.iter()))
            .filter(move |(index, _)| (from..end).contains(index))
    }

    /// Drops all chunks that lie wholly below the index. They read as absent afterwards.
    pub fn forget_below(&mut self, index: u64) {
        let end = split(index).0.min(self.chunks.len());
        for chunk in self.chunks.iter_mut().take(end).skip(self.forgotten) {
            *chunk = None;
        }
        self.forgotten = self.forgotten.max(end);
    }

    /// The bytes of chunks that are held, shared or not.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let held = self.chunks.iter().skip(self.forgotten).flatten().count();
        (held * CHUNK * size_of::<T>() + self.chunks.len() * size_of::<usize>()) as u64
    }
}

/// Entries by session and sequence. Sessions are few and mostly come in order of their names.
#[derive(Clone, Debug)]
pub struct BySession<T> {
    /// Sorted by session.
    sessions: Vec<(u64, Chunked<T>)>,
}

impl<T> Default for BySession<T> {
    fn default() -> Self {
        Self {
            sessions: Vec::new(),
        }
    }
}

impl<T: Clone + Default> BySession<T> {
    /// The entry to write to; none when the sequence is out of bounds.
    pub fn entry(&mut self, session: u64, sequence: u64) -> Option<&mut T> {
        let at = match self
            .sessions
            .binary_search_by_key(&session, |(name, _)| *name)
        {
            Ok(at) => at,
            Err(at) => {
                self.sessions.insert(at, (session, Chunked::default()));
                at
            }
        };
        self.sessions[at].1.entry(sequence)
    }

    /// The bytes held, shared or not.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.sessions
            .iter()
            .map(|(_, log)| log.bytes() + size_of::<(u64, Chunked<T>)>() as u64)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_goes_its_own_way() {
        let mut log = Chunked::<u64>::default();
        *log.entry(5).unwrap() = 1;
        let mut copy = log.clone();
        *copy.entry(5).unwrap() = 2;
        *copy.entry(500).unwrap() = 3;
        assert_eq!((log.get(5), copy.get(5)), (Some(&1), Some(&2)));
        assert_eq!(
            (log.get(500), copy.get(500), copy.get(300)),
            (None, Some(&3), None)
        );
    }

    #[test]
    fn what_is_forgotten_reads_as_absent_and_a_wild_index_is_refused() {
        let mut log = Chunked::<u64>::default();
        for index in 0..200 {
            *log.entry(index).unwrap() = index;
        }
        log.forget_below(130);
        assert_eq!(
            (log.get(127), log.get(128), log.get(199)),
            (None, Some(&128), Some(&199))
        );
        assert!(log.entry(BOUND).is_none() && log.entry(u64::MAX).is_none());
        assert!(log.get(u64::MAX).is_none());
    }

    #[test]
    fn a_range_skips_what_is_not_there() {
        let mut log = Chunked::<u64>::default();
        for index in [3, 63, 64, 500] {
            *log.entry(index).unwrap() = index;
        }
        let written = |log: &Chunked<u64>, from, end| {
            log.range(from, end)
                .filter(|(index, entry)| *index == **entry && *index > 0)
                .map(|(index, _)| index)
                .collect::<Vec<_>>()
        };
        assert_eq!(written(&log, 0, u64::MAX), [3, 63, 64, 500]);
        assert_eq!(written(&log, 63, 500), [63, 64]);
        assert!(written(&log, 64, 64).is_empty());
        assert_eq!(log.range(0, u64::MAX).count(), 3 * CHUNK);
        log.forget_below(64);
        assert_eq!(written(&log, 0, u64::MAX), [64, 500]);
        assert_eq!(log.range(u64::MAX, u64::MAX).count(), 0);
    }

    #[test]
    fn sessions_are_apart() {
        let mut log = BySession::<u64>::default();
        *log.entry(9, 0).unwrap() = 1;
        *log.entry(3, 0).unwrap() = 2;
        assert_eq!(
            (
                *log.entry(9, 0).unwrap(),
                *log.entry(3, 0).unwrap(),
                *log.entry(3, 1).unwrap()
            ),
            (1, 2, 0)
        );
    }
}
