//! A key-value store to replicate: get, put, append, compare-and-set, delete.
//!
//! Cloning it copies one pointer; the copy is made when one of two is changed. Its digest is kept
//! up to date, so that asking for it costs nothing. Keys are at most 65,535 bytes. An operation
//! that does not decode is answered [`Returned::Malformed`] and changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::state_machine::StateMachine;

/// An operation on one key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation<'a> {
    /// Read the value.
    Get {
        /// The key.
        key: &'a [u8],
    },
    /// Set the value.
    Put {
        /// The key.
        key: &'a [u8],
        /// The value.
        value: &'a [u8],
    },
    /// Append to the value; an absent one counts as empty.
    Append {
        /// The key.
        key: &'a [u8],
        /// What is appended.
        suffix: &'a [u8],
    },
    /// Set the value to `new` if it is `expected` (none: absent).
    CompareAndSet {
        /// The key.
        key: &'a [u8],
        /// What must be there.
        expected: Option<&'a [u8]>,
        /// The value to set.
        new: &'a [u8],
    },
    /// Make the key absent.
    Delete {
        /// The key.
        key: &'a [u8],
    },
}

const GET: u8 = 1;
const PUT: u8 = 2;
const APPEND: u8 = 3;
const SET_IF_EQUAL: u8 = 4;
const SET_IF_ABSENT: u8 = 5;
const DELETE: u8 = 6;

impl<'a> Operation<'a> {
    /// Appends the operation's bytes: kind (u8), length of the key (u16), key, for a compare with a
    /// value its length (u32) and itself, then the rest is the value.
    ///
    /// # Panics
    /// On a key of more than 65,535 bytes or an expected value of more than 4 GiB.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (kind, key, rest) = match *self {
            Self::Get { key } => (GET, key, [].as_slice()),
            Self::Put { key, value } => (PUT, key, value),
            Self::Append { key, suffix } => (APPEND, key, suffix),
            Self::CompareAndSet {
                key,
                expected: Some(_),
                new,
            } => (SET_IF_EQUAL, key, new),
            Self::CompareAndSet {
                key,
                expected: None,
                new,
            } => (SET_IF_ABSENT, key, new),
            Self::Delete { key } => (DELETE, key, [].as_slice()),
        };
        out.push(kind);
        out.extend_from_slice(
            &u16::try_from(key.len())
                .expect("a key is at most 65,535 bytes")
                .to_le_bytes(),
        );
        out.extend_from_slice(key);
        if let Self::CompareAndSet {
            expected: Some(expected),
            ..
        } = self
        {
            out.extend_from_slice(
                &u32::try_from(expected.len())
                    .expect("a value is less than 4 GiB")
                    .to_le_bytes(),
            );
            out.extend_from_slice(expected);
        }
        out.extend_from_slice(rest);
    }

    /// Reads an operation; none when the bytes are not one.
    #[must_use]
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        match (*kind, rest) {
            (GET, []) => Some(Self::Get { key }),
            (PUT, value) => Some(Self::Put { key, value }),
            (APPEND, suffix) => Some(Self::Append { key, suffix }),
            (SET_IF_EQUAL, rest) => {
                let (length, rest) = rest.split_first_chunk()?;
                let (expected, new) =
                    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
                Some(Self::CompareAndSet {
                    key,
                    expected: Some(expected),
                    new,
                })
            }
            (SET_IF_ABSENT, new) => Some(Self::CompareAndSet {
                key,
                expected: None,
                new,
            }),
            (DELETE, []) => Some(Self::Delete { key }),
            _ => None,
        }
    }
}

/// What an operation returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Returned<'a> {
    /// Done; nothing to tell.
    Done,
    /// A get's value; none: absent.
    Value(Option<&'a [u8]>),
    /// A compare-and-set found this instead; none: absent.
    Mismatch(Option<&'a [u8]>),
    /// The operation makes no sense, and nothing was done.
    Malformed,
}

impl<'a> Returned<'a> {
    /// Appends the result's bytes: kind (u8), then the rest is the value.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (kind, value) = match *self {
            Self::Done => (1, [].as_slice()),
            Self::Value(None) => (2, [].as_slice()),
            Self::Value(Some(value)) => (3, value),
            Self::Mismatch(None) => (4, [].as_slice()),
            Self::Mismatch(Some(value)) => (5, value),
            Self::Malformed => (6, [].as_slice()),
        };
        out.push(kind);
        out.extend_from_slice(value);
    }

    /// Reads a result; none when the bytes are not one.
    #[must_use]
    pub const fn decode(bytes: &'a [u8]) -> Option<Self> {
        match bytes {
            [1] => Some(Self::Done),
            [2] => Some(Self::Value(None)),
            [3, value @ ..] => Some(Self::Value(Some(value))),
            [4] => Some(Self::Mismatch(None)),
            [5, value @ ..] => Some(Self::Mismatch(Some(value))),
            [6] => Some(Self::Malformed),
            _ => None,
        }
    }
}

/// The store.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct KeyValue {
    entries: Arc<BTreeMap<Arc<[u8]>, Entry>>,
    /// The sum of the entries' hashes: it does not depend on the order in which they came.
    digest: u64,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Entry {
    value: Arc<Vec<u8>>,
    /// The hash of the value's whole words, so that appending goes on from it.
    words: u64,
    /// The hash of key and value.
    hash: u64,
}

impl KeyValue {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.entries.get(key).map(|entry| entry.value.as_slice())
    }

    fn put(&mut self, key: &[u8], value: &[u8]) {
        let entries = Arc::make_mut(&mut self.entries);
        if let Some(entry) = entries.get_mut(key) {
            let old = entry.hash;
            entry.set(key, value);
            self.digest = self.digest.wrapping_sub(old).wrapping_add(entry.hash);
        } else {
            let entry = Entry::new(key, value);
            self.digest = self.digest.wrapping_add(entry.hash);
            entries.insert(Arc::from(key), entry);
        }
    }

    fn append(&mut self, key: &[u8], suffix: &[u8]) {
        let Some(entry) = Arc::make_mut(&mut self.entries).get_mut(key) else {
            return self.put(key, suffix);
        };
        let old = entry.hash;
        entry.append(key, suffix);
        self.digest = self.digest.wrapping_sub(old).wrapping_add(entry.hash);
    }

    fn delete(&mut self, key: &[u8]) {
        if self.entries.contains_key(key) {
            let old = Arc::make_mut(&mut self.entries)
                .remove(key)
                .map_or(0, |entry| entry.hash);
            self.digest = self.digest.wrapping_sub(old);
        }
    }
}

impl StateMachine for KeyValue {
    fn apply(&mut self, operation: &[u8], result: &mut Vec<u8>) {
        match Operation::decode(operation) {
            Some(Operation::Get { .. }) | None => return self.read(operation, result),
            Some(Operation::Put { key, value }) => self.put(key, value),
            Some(Operation::Append { key, suffix }) => self.append(key, suffix),
            Some(Operation::CompareAndSet { key, expected, new }) => {
                let found = self.get(key);
                if found != expected {
                    return Returned::Mismatch(found).encode(result);
                }
                self.put(key, new);
            }
            Some(Operation::Delete { key }) => self.delete(key),
        }
        Returned::Done.encode(result);
    }

    fn read(&self, operation: &[u8], result: &mut Vec<u8>) {
        match Operation::decode(operation) {
            Some(Operation::Get { key }) => Returned::Value(self.get(key)).encode(result),
            _ => Returned::Malformed.encode(result),
        }
    }

    fn digest(&self) -> u64 {
        self.digest
    }
}

impl Entry {
    fn new(key: &[u8], value: &[u8]) -> Self {
        let mut entry = Self {
            value: Arc::new(value.to_vec()),
            words: START,
            hash: 0,
        };
        entry.hash_from(0, key);
        entry
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        match Arc::get_mut(&mut self.value) {
            Some(old) => {
                old.clear();
                old.extend_from_slice(value);
            }
            None => self.value = Arc::new(value.to_vec()),
        }
        self.words = START;
        self.hash_from(0, key);
    }

    fn append(&mut self, key: &[u8], suffix: &[u8]) {
        let whole = self.value.len() - self.value.len() % WORD;
        Arc::make_mut(&mut self.value).extend_from_slice(suffix);
        self.hash_from(whole, key);
    }

    /// Goes on hashing the value from a word's beginning.
    fn hash_from(&mut self, start: usize, key: &[u8]) {
        let (words, rest) = whole_words(self.words, &self.value[start..]);
        self.words = words;
        let (key_words, key_rest) = whole_words(START, key);
        let value = mix(step(words, rest).wrapping_add(self.value.len() as u64));
        self.hash = mix(step(key_words, key_rest)
            .wrapping_add(key.len() as u64)
            .rotate_left(32)
            ^ value);
    }
}

const START: u64 = 0xcbf2_9ce4_8422_2325;
const WORD: usize = 8;

/// Hashes all whole words; says what the bytes are that are left.
fn whole_words(start: u64, bytes: &[u8]) -> (u64, u64) {
    let (words, rest) = bytes.as_chunks::<WORD>();
    let mut last = [0; WORD];
    last[..rest.len()].copy_from_slice(rest);
    (
        words
            .iter()
            .fold(start, |hash, word| step(hash, u64::from_le_bytes(*word))),
        u64::from_le_bytes(last),
    )
}

/// One step of FNV-1a by words: of the hash, and of the word, it loses nothing.
const fn step(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The finalizer of SplitMix64: spreads every bit over all.
const fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn apply(store: &mut KeyValue, operation: Operation<'_>) -> Vec<u8> {
        let (mut bytes, mut result) = (Vec::new(), Vec::new());
        operation.encode(&mut bytes);
        assert_eq!(Operation::decode(&bytes), Some(operation));
        store.apply(&bytes, &mut result);
        result
    }

    #[test]
    fn operations_do_what_they_say() {
        let mut store = KeyValue::new();
        let key = b"x".as_slice();
        let mut check = |operation, returned| {
            let result = apply(&mut store, operation);
            assert_eq!(Returned::decode(&result), Some(returned), "{operation:?}");
        };
        check(Operation::Get { key }, Returned::Value(None));
        check(Operation::Append { key, suffix: b"1" }, Returned::Done);
        check(Operation::Append { key, suffix: b"2" }, Returned::Done);
        check(Operation::Get { key }, Returned::Value(Some(b"12")));
        check(
            Operation::CompareAndSet {
                key,
                expected: None,
                new: b"3",
            },
            Returned::Mismatch(Some(b"12")),
        );
        check(
            Operation::CompareAndSet {
                key,
                expected: Some(b"12"),
                new: b"",
            },
            Returned::Done,
        );
        check(Operation::Get { key }, Returned::Value(Some(b"")));
        check(Operation::Delete { key }, Returned::Done);
        check(
            Operation::CompareAndSet {
                key,
                expected: Some(b""),
                new: b"3",
            },
            Returned::Mismatch(None),
        );
        check(
            Operation::CompareAndSet {
                key,
                expected: None,
                new: b"3",
            },
            Returned::Done,
        );
        check(Operation::Put { key, value: b"4" }, Returned::Done);
        check(Operation::Get { key }, Returned::Value(Some(b"4")));
    }

    #[test]
    fn nonsense_is_answered_and_changes_nothing() {
        let mut store = KeyValue::new();
        let mut result = Vec::new();
        store.apply(&[PUT, 9, 0, b'x'], &mut result);
        assert_eq!(Returned::decode(&result), Some(Returned::Malformed));
        assert_eq!(store, KeyValue::new());
    }

    #[test]
    fn a_copy_goes_its_own_way() {
        let mut store = KeyValue::new();
        apply(
            &mut store,
            Operation::Put {
                key: b"x",
                value: b"1",
            },
        );
        let mut copy = store.clone();
        assert!(Arc::ptr_eq(&store.entries, &copy.entries));
        apply(
            &mut copy,
            Operation::Append {
                key: b"x",
                suffix: b"2",
            },
        );
        assert_eq!(
            (store.get(b"x"), copy.get(b"x")),
            (Some(b"1".as_slice()), Some(b"12".as_slice()))
        );
    }

    proptest! {
        #[test]
        fn equal_states_have_equal_digests_whatever_led_to_them(
            steps in prop::collection::vec((0u8..4, 0u8..3, any::<u8>()), 0..60),
        ) {
            let mut store = KeyValue::new();
            for (what, key, value) in steps {
                let (key, value) = ([key], [value]);
                apply(&mut store, match what {
                    0 => Operation::Put { key: &key, value: &value },
                    1 | 2 => Operation::Append { key: &key, suffix: &value },
                    _ => Operation::Delete { key: &key },
                });
            }
            let mut rebuilt = KeyValue::new();
            for (key, entry) in store.entries.iter().rev() {
                rebuilt.put(key, &entry.value);
            }
            prop_assert_eq!(rebuilt.digest(), store.digest());
            prop_assert_eq!(&rebuilt, &store);
            rebuilt.append(b"another", b"");
            prop_assert_ne!(rebuilt.digest(), store.digest());
        }

        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let mut result = Vec::new();
            KeyValue::new().apply(&bytes, &mut result);
            prop_assert!(Returned::decode(&result).is_some());
        }
    }
}
