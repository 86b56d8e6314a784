//! Exactly once as clients see it, without looking inside: on a key that sees appends and reads
//! only, every value that is read is made of appended tags, each no more often than it was
//! appended, and none is missing whose append had been acknowledged before the read began. A
//! refused append never shows.
//!
//! It holds for tags of which none begins another; a key on which that fails, or on which anything
//! but appends and reads is done, is left to the check of linearizability. A value that extends the
//! one read before is read from there on, so the cost is that of the new tags.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::check::signal::Finding;
use crate::history::operation::{Action, Call, Return, Text};
use crate::trace::event::Outcome;

/// What is known of a tag.
#[derive(Clone, Copy, Default, Debug)]
struct Tag {
    /// Appends of it that may have taken effect.
    appended: u32,
    /// How often it is in the value that is being read.
    seen: u32,
    /// Which reading `seen` belongs to.
    reading: u64,
}

/// A key on which only appends and reads were done so far.
#[derive(Clone, Default, Debug)]
struct Key {
    tags: BTreeMap<Text, Tag>,
    /// Tags in the order of their acknowledgement.
    acknowledged: Vec<Text>,
    /// The last value that was read.
    value: Text,
    /// So many of the acknowledged tags are known to be in it.
    confirmed: usize,
    reading: u64,
}

/// An operation under way.
#[derive(Clone, Debug)]
enum Open {
    Append {
        key: Text,
        tag: Text,
    },
    /// With the number of acknowledged tags when it began.
    Get {
        key: Text,
        acknowledged: usize,
    },
}

/// All keys.
#[derive(Clone, Default, Debug)]
pub struct Appends {
    /// None: other things were done there.
    keys: BTreeMap<Text, Option<Arc<Key>>>,
    open: Vec<(u32, Open)>,
    /// Operations whose outcome was given up.
    unknown: Vec<(u32, Open)>,
    checked: u64,
}

impl Appends {
    /// How many reads were judged.
    #[must_use]
    pub const fn checked(&self) -> u64 {
        self.checked
    }

    /// An operation started.
    pub fn invoked(&mut self, process: u32, call: &Call) {
        if !self.keys.contains_key(&call.key) {
            self.keys.insert(call.key.clone(), Some(Arc::default()));
        }
        let Some(Some(known)) = self.keys.get_mut(&call.key) else {
            return;
        };
        let key = call.key.clone();
        match &call.action {
            Action::Get => self.open.push((
                process,
                Open::Get {
                    key,
                    acknowledged: known.acknowledged.len(),
                },
            )),
            Action::Append(tag) if Arc::make_mut(known).append(tag) => self.open.push((
                process,
                Open::Append {
                    key,
                    tag: tag.clone(),
                },
            )),
            Action::Append(_) | Action::Put(_) | Action::Cas { .. } | Action::Delete => {
                self.keys.insert(key, None);
            }
        }
    }

    /// An operation ended.
    ///
    /// # Errors
    /// What the value that was read shows too often, or lacks.
    pub fn returned(&mut self, process: u32, outcome: &Outcome) -> Finding {
        let Some(at) = self.open.iter().position(|(open, _)| *open == process) else {
            return Ok(());
        };
        let open = self.open.swap_remove(at).1;
        if *outcome == Outcome::Unknown {
            self.unknown.push((process, open));
            return Ok(());
        }
        self.ended(open, outcome)
    }

    /// An operation ended of which that was given up.
    ///
    /// # Errors
    /// What the value that was read shows too often, or lacks.
    pub fn learned(&mut self, process: u32, outcome: &Outcome) -> Finding {
        match self.unknown.iter().position(|(known, _)| *known == process) {
            Some(at) => {
                let open = self.unknown.swap_remove(at).1;
                self.ended(open, outcome)
            }
            None => Ok(()),
        }
    }

    fn ended(&mut self, open: Open, outcome: &Outcome) -> Finding {
        match (open, outcome) {
            (Open::Append { key, tag }, Outcome::Ok { .. }) => {
                if let Some(Some(known)) = self.keys.get_mut(&key) {
                    Arc::make_mut(known).acknowledged.push(tag);
                }
            }
            (Open::Append { key, tag }, Outcome::Fail) => {
                if let Some(Some(known)) = self.keys.get_mut(&key)
                    && let Some(tag) = Arc::make_mut(known).tags.get_mut(&tag)
                {
                    tag.appended = tag.appended.saturating_sub(1);
                }
            }
            (
                Open::Get { key, acknowledged },
                Outcome::Ok {
                    result: Return::Value(value),
                    ..
                },
            ) => {
                if let Some(Some(known)) = self.keys.get_mut(&key) {
                    self.checked += 1;
                    let value = value.clone().unwrap_or_default();
                    let found = Arc::make_mut(known).read(&value, acknowledged);
                    return found.map_err(|what| {
                        format!(
                            "a read of key {} shows {what}",
                            String::from_utf8_lossy(&key)
                        )
                    });
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Key {
    /// Counts an append; false when values can no longer be taken apart.
    fn append(&mut self, tag: &Text) -> bool {
        if let Some(known) = self.tags.get_mut(tag) {
            known.appended += 1;
            return true;
        }
        // In a set where none begins another, only the neighbours can begin the new one or be begun
        // by it.
        let before = self
            .tags
            .range::<[u8], _>((Bound::Unbounded, Bound::Excluded(&**tag)))
            .next_back();
        let after = self
            .tags
            .range::<[u8], _>((Bound::Excluded(&**tag), Bound::Unbounded))
            .next();
        if tag.is_empty()
            || before.is_some_and(|(other, _)| tag.starts_with(other))
            || after.is_some_and(|(other, _)| other.starts_with(tag))
        {
            return false;
        }
        self.tags.insert(
            tag.clone(),
            Tag {
                appended: 1,
                ..Tag::default()
            },
        );
        true
    }

    /// Takes a value apart. Some of the acknowledged tags, from the first on, must be in it.
    fn read(&mut self, value: &Text, acknowledged: usize) -> Finding {
        let mut rest = match value.strip_prefix(&*self.value) {
            Some(rest) => rest,
            None => {
                (self.reading, self.confirmed) = (self.reading + 1, 0);
                value
            }
        };
        self.value = value.clone();
        while !rest.is_empty() {
            let tag = self
                .tags
                .range_mut::<[u8], _>((Bound::Unbounded, Bound::Included(rest)))
                .next_back();
            let Some((text, tag, after)) =
                tag.and_then(|(text, tag)| Some((text, tag, rest.strip_prefix(&**text)?)))
            else {
                return Err("bytes that nobody appended".to_owned());
            };
            rest = after;
            tag.seen = if tag.reading == self.reading {
                tag.seen + 1
            } else {
                1
            };
            tag.reading = self.reading;
            if tag.seen > tag.appended {
                let text = String::from_utf8_lossy(text);
                return Err(format!(
                    "the tag {text} {} times, and it was appended {} times",
                    tag.seen, tag.appended
                ));
            }
        }
        for text in self
            .acknowledged
            .get(self.confirmed..acknowledged)
            .unwrap_or_default()
        {
            if !self
                .tags
                .get(text)
                .is_some_and(|tag| tag.reading == self.reading && tag.seen > 0)
            {
                return Err(format!(
                    "no tag {}, and its append was acknowledged before",
                    String::from_utf8_lossy(text)
                ));
            }
        }
        self.confirmed = self.confirmed.max(acknowledged);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        Arc::from(text.as_bytes())
    }

    fn call(appends: &mut Appends, process: u32, action: Action) {
        appends.invoked(
            process,
            &Call {
                key: text("k"),
                action,
            },
        );
    }

    fn ok(appends: &mut Appends, process: u32, result: Return) -> Finding {
        appends.returned(
            process,
            &Outcome::Ok {
                result,
                place: None,
            },
        )
    }

    fn append(appends: &mut Appends, tag: &str) {
        call(appends, 1, Action::Append(text(tag)));
        ok(appends, 1, Return::Done).unwrap();
    }

    fn get(appends: &mut Appends, value: &str) -> Finding {
        call(appends, 2, Action::Get);
        let value = if value.is_empty() {
            None
        } else {
            Some(text(value))
        };
        ok(appends, 2, Return::Value(value))
    }

    #[test]
    fn each_tag_shows_once() {
        let mut appends = Appends::default();
        get(&mut appends, "").unwrap();
        append(&mut appends, "a1;");
        get(&mut appends, "a1;").unwrap();
        append(&mut appends, "b1;");
        append(&mut appends, "a10;");
        get(&mut appends, "a1;b1;a10;").unwrap();
        assert_eq!(appends.checked(), 3);
        let error = get(&mut appends.clone(), "a1;b1;a10;b1;").unwrap_err();
        assert_eq!(
            error,
            "a read of key k shows the tag b1; 2 times, and it was appended 1 times"
        );
        let error = get(&mut appends.clone(), "b1;b1;a1;a10;").unwrap_err();
        assert!(error.contains("b1; 2 times"), "{error}");
        let error = get(&mut appends, "a1;b1;a10;x").unwrap_err();
        assert!(error.contains("bytes that nobody appended"), "{error}");
    }

    #[test]
    fn an_acknowledged_tag_is_never_missing_from_a_later_read() {
        let mut appends = Appends::default();
        append(&mut appends, "a1;");
        call(&mut appends, 3, Action::Get);
        append(&mut appends, "b1;");
        get(&mut appends.clone(), "").unwrap_err();
        assert_eq!(
            get(&mut appends.clone(), "a1;").unwrap_err(),
            "a read of key k shows no tag b1;, and its append was acknowledged before"
        );
        get(&mut appends, "a1;b1;").unwrap();
        ok(&mut appends.clone(), 3, Return::Value(Some(text("a1;")))).unwrap();
        ok(&mut appends, 3, Return::Value(Some(text("b1;")))).unwrap_err();
    }

    #[test]
    fn an_unknown_append_may_show_and_a_refused_one_must_not() {
        let mut appends = Appends::default();
        call(&mut appends, 1, Action::Append(text("a;")));
        appends.returned(1, &Outcome::Unknown).unwrap();
        get(&mut appends, "").unwrap();
        get(&mut appends, "a;").unwrap();
        call(&mut appends, 3, Action::Append(text("b;")));
        appends.returned(3, &Outcome::Fail).unwrap();
        get(&mut appends, "a;b;").unwrap_err();
    }

    #[test]
    fn an_answer_that_comes_late_acknowledges() {
        let done = |result| Outcome::Ok {
            result,
            place: None,
        };
        let mut appends = Appends::default();
        call(&mut appends, 1, Action::Append(text("a;")));
        appends.returned(1, &Outcome::Unknown).unwrap();
        call(&mut appends, 3, Action::Get);
        appends.returned(3, &Outcome::Unknown).unwrap();
        get(&mut appends, "").unwrap();
        appends.learned(1, &done(Return::Done)).unwrap();
        get(&mut appends.clone(), "").unwrap_err();
        get(&mut appends.clone(), "a;").unwrap();
        let read = |value: &str| done(Return::Value(Some(text(value))));
        appends.clone().learned(3, &read("a;")).unwrap();
        appends.clone().learned(3, &read("")).unwrap();
        appends.clone().learned(3, &read("b;")).unwrap_err();
        appends.learned(1, &done(Return::Done)).unwrap();
    }

    #[test]
    fn a_tag_that_was_appended_twice_may_show_twice() {
        let mut appends = Appends::default();
        append(&mut appends, "a;");
        append(&mut appends, "a;");
        get(&mut appends, "a;a;").unwrap();
        get(&mut appends, "a;a;a;").unwrap_err();
    }

    #[test]
    fn keys_that_see_more_are_left_alone() {
        for spoil in [
            Action::Put(text("x")),
            Action::Delete,
            Action::Cas {
                expected: None,
                new: text("x"),
            },
            Action::Append(text("a")),
            Action::Append(text("")),
        ] {
            let mut appends = Appends::default();
            append(&mut appends, "a;");
            call(&mut appends, 3, spoil);
            ok(&mut appends, 3, Return::Done).unwrap();
            append(&mut appends, "c;");
            get(&mut appends, "a;a;a;").unwrap();
            assert_eq!(appends.checked(), 0);
        }
    }
}
