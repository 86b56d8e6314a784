//! The values of a history, each kept once and known by a number.
//!
//! A value is a string of bytes, or something else that is only ever compared (a number, a truth
//! value, a list), kept as its canonical text. `7` and `"7"` are different values.

use std::collections::BTreeMap;

use crate::history::table::Table;

/// The number of a value; zero is the absent one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Val(pub u32);

/// No value: what a read of a key returns that was never written, or deleted.
pub const ABSENT: Val = Val(0);

/// What the bytes of a value are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Form {
    /// A string: can be appended to.
    Text,
    /// The canonical text of something else: can only be compared.
    Other,
}

/// Values by number and numbers by value.
#[derive(Clone, Debug, Default)]
pub struct Values {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    forms: Vec<Form>,
    table: Table,
    /// What is in the lists that somebody looks into.
    lists: BTreeMap<Val, Box<[Val]>>,
}

impl Values {
    /// The number of this value, which is kept if it is new. There may be no more than `u32::MAX -
    /// 2` different ones.
    pub fn intern(&mut self, form: Form, bytes: &[u8]) -> Val {
        let hash = xxhash_rust::xxh3::xxh3_64(bytes);
        if let Some(found) = self.table.find(hash, |at| self.at(at) == (form, bytes)) {
            return Val(found + 1);
        }
        let number = u32::try_from(self.ends.len())
            .expect("fewer values than lines, and lines are counted in 32 bits");
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
        self.forms.push(form);
        self.table.insert(hash, number);
        Val(number + 1)
    }

    /// The number of a string.
    pub fn text(&mut self, bytes: &[u8]) -> Val {
        self.intern(Form::Text, bytes)
    }

    /// A value that no state ever holds: what an operation says that it saw, and cannot have seen.
    /// No client writes such an object.
    pub fn impossible(&mut self) -> Val {
        self.intern(Form::Other, br#"{"impossible":true}"#)
    }

    fn at(&self, at: u32) -> (Form, &[u8]) {
        let at = at as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        (self.forms[at], &self.bytes[start..self.ends[at]])
    }

    /// What a number stands for; none for the absent value.
    #[must_use]
    pub fn get(&self, value: Val) -> Option<(Form, &[u8])> {
        (value != ABSENT).then(|| self.at(value.0 - 1))
    }

    /// The bytes of a value; those of the absent one are empty.
    #[must_use]
    pub fn bytes(&self, value: Val) -> &[u8] {
        self.get(value).map_or(&[], |(_, bytes)| bytes)
    }

    /// The number of the list of these values, into which one can look.
    pub fn list(&mut self, members: &[Val]) -> Val {
        let mut text = String::from("[");
        for (at, member) in members.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            match self.get(*member) {
                Some((Form::Other, bytes)) => text.push_str(&String::from_utf8_lossy(bytes)),
                _ => text.push_str(&self.json(*member).to_string()),
            }
        }
        text.push(']');
        let list = self.intern(Form::Other, text.as_bytes());
        self.lists.entry(list).or_insert_with(|| members.into());
        list
    }

    /// What is in a list that was made by [`Values::list`].
    #[must_use]
    pub fn members(&self, list: Val) -> Option<&[Val]> {
        self.lists.get(&list).map(|members| &**members)
    }

    /// How many there are, the absent one counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len() + 1
    }

    /// Never: the absent value is always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The value as JSON: `null`, a string, or the canonical text.
    #[must_use]
    pub fn json(&self, value: Val) -> serde_json::Value {
        match self.get(value) {
            None => serde_json::Value::Null,
            Some((Form::Text, bytes)) => {
                serde_json::Value::String(String::from_utf8_lossy(bytes).into_owned())
            }
            Some((Form::Other, bytes)) => serde_json::from_slice(bytes).unwrap_or_else(|_| {
                serde_json::Value::String(String::from_utf8_lossy(bytes).into_owned())
            }),
        }
    }

    /// Gives up the means to add more, and the memory for it.
    pub fn seal(&mut self) {
        self.table = Table::default();
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.forms.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_number() {
        let mut values = Values::default();
        let seven = values.intern(Form::Other, b"7");
        let text = values.text(b"7");
        assert_ne!(seven, text);
        assert_eq!(seven, values.intern(Form::Other, b"7"));
        assert_eq!(values.json(seven), 7);
        assert_eq!(values.json(text), "7");
        assert_eq!(values.json(ABSENT), serde_json::Value::Null);
        assert_eq!(
            (values.bytes(text), values.bytes(ABSENT)),
            (&b"7"[..], &b""[..])
        );
    }

    #[test]
    fn one_can_look_into_a_list() {
        let mut values = Values::default();
        let (seven, text) = (values.intern(Form::Other, b"7"), values.text(b"7"));
        let inner = values.list(&[seven, ABSENT]);
        let list = values.list(&[text, inner]);
        assert_eq!(values.bytes(list), br#"["7",[7,null]]"#);
        assert_eq!(values.members(list), Some(&[text, inner][..]));
        assert_eq!(values.list(&[text, inner]), list);
        assert_eq!(values.members(seven), None);
    }
}
