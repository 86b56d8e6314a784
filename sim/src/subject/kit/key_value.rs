//! The key-value store that clients of a run talk to. Its state depends on the order of what it does:
//! an append that is lost, doubled or moved shows in every later read.

use std::collections::BTreeMap;

use crate::history::operation::{Action, Call, Return, Text};
use crate::subject::kit::frame::{Packed, pack, unpack};

/// The store.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyValue {
    values: BTreeMap<Text, Text>,
}

impl KeyValue {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<&Text> {
        self.values.get(key)
    }

    /// Does it.
    pub fn apply(&mut self, call: &Call) -> Return {
        let value = self.values.get(&call.key).cloned();
        let new = match (&call.action, &value) {
            (Action::Get, _) => return Return::Value(value),
            (Action::Put(new), _) => Some(new.clone()),
            (Action::Append(tag), old) => {
                let old = old.as_deref().unwrap_or_default();
                Some([old, tag].concat().into())
            }
            (Action::Cas { expected, new }, old) if expected == old => Some(new.clone()),
            (Action::Cas { .. }, _) => return Return::Mismatch(value),
            (Action::Delete, _) => None,
        };
        match new {
            Some(new) => self.values.insert(call.key.clone(), new),
            None => self.values.remove(&call.key),
        };
        Return::Done
    }

    /// Appends the whole state, for a snapshot.
    pub fn write(&self, into: &mut Vec<u8>) {
        pack(&[self.values.len() as u64], &[], into);
        for (key, value) in &self.values {
            pack(&[], &[key, value], into);
        }
    }

    /// Reads what [`KeyValue::write`] wrote, and gives the bytes behind it; none when it is not that.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let Packed {
            words: [count],
            mut rest,
            ..
        } = unpack::<1, 0>(bytes)?;
        let mut values = BTreeMap::new();
        for _ in 0..count {
            let Packed {
                texts: [key, value],
                rest: after,
                ..
            } = unpack::<0, 2>(rest)?;
            values.insert(key.into(), value.into());
            rest = after;
        }
        Some((Self { values }, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(action: Action) -> Call {
        Call {
            key: b"x"[..].into(),
            action,
        }
    }

    #[test]
    fn it_does_what_clients_expect_and_comes_back_from_its_bytes() {
        let text = |text: &str| Text::from(text.as_bytes());
        let cas = |expected: Option<&str>, new: &str| Action::Cas {
            expected: expected.map(text),
            new: text(new),
        };
        let mut store = KeyValue::default();
        for (action, result) in [
            (Action::Get, Return::Value(None)),
            (cas(Some("1"), "2"), Return::Mismatch(None)),
            (cas(None, "1"), Return::Done),
            (Action::Append(text("2")), Return::Done),
            (Action::Get, Return::Value(Some(text("12")))),
            (cas(Some("1"), "2"), Return::Mismatch(Some(text("12")))),
            (Action::Put(text("3")), Return::Done),
        ] {
            assert_eq!(store.apply(&call(action.clone())), result, "{action:?}");
        }
        let mut bytes = Vec::new();
        store.write(&mut bytes);
        bytes.extend_from_slice(b"more");
        assert_eq!(KeyValue::read(&bytes), Some((store.clone(), &b"more"[..])));
        assert_eq!(KeyValue::read(&bytes[..9]), None);
        assert_eq!(store.apply(&call(Action::Delete)), Return::Done);
        assert_eq!(store.get(b"x"), None);
    }
}
