//! What steps ask of clients and wait for, as it stands in a file: `invoke` and `expect`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::scenario::fault_form::form;
use crate::scenario::select::{Replica, Select};
use crate::scenario::units::{Count, Time, Wrong};
use crate::scenario::value::Ranged;

form!(
    /// `invoke`.
    InvokeForm {
        /// `c1`.
        client: String,
        /// `get`, `put`, `append`, `cas` or `delete`.
        op: String,
        /// The key.
        key: String,
        /// What to put or append.
        value: Option<String>,
        /// What a cas must find; absent: nothing there.
        old: Option<String>,
        /// What a cas sets.
        new: Option<String>,
        /// How it may end.
        #[serde(default)]
        expect: Endings,
        /// Go on without waiting for it.
        #[serde(default)]
        background: bool,
    }
);

/// One way an operation may end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// `"ok"`.
    Ok,
    /// `"absent"`: a get found nothing.
    Absent,
    /// `{ value = ".." }`: a get found this.
    Value(String),
    /// `"timeout"`.
    Timeout,
    /// `"refused"`.
    Refused,
    /// `"mismatch"`.
    Mismatch,
}

/// How an operation may end: one ending or a list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Endings(pub Vec<Ending>);

impl<'de> Deserialize<'de> for Endings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Endings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "an ending: \"ok\", \"timeout\", \"refused\", \"mismatch\", \"absent\", { \
                     value = \"1\" }, or a list of them",
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Endings, E> {
                let ending = match text {
                    "ok" => Ending::Ok,
                    "absent" => Ending::Absent,
                    "timeout" => Ending::Timeout,
                    "refused" => Ending::Refused,
                    "mismatch" => Ending::Mismatch,
                    _ => return Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                };
                Ok(Endings(vec![ending]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Endings, A::Error> {
                let mut endings = Vec::new();
                while let Some(Endings(some)) = seq.next_element()? {
                    endings.extend(some);
                }
                Ok(Endings(endings))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Endings, A::Error> {
                let found = MapAccessDeserializer::new(map);
                let mut found: BTreeMap<String, String> = Deserialize::deserialize(found)?;
                match (found.remove("value"), found.is_empty()) {
                    (Some(value), true) => Ok(Endings(vec![Ending::Value(value)])),
                    _ => Err(A::Error::custom(Wrong::new(
                        "an ending of another kind",
                        "no ending",
                        "write { value = \"1\" } for what a get finds",
                    ))),
                }
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

form!(
    /// `expect`: one of the things to wait for, and `within` or `for`.
    ExpectForm {
        /// A leader among these.
        leader: Option<Select>,
        /// No leader among these.
        no_leader: Option<Select>,
        /// A key has a value.
        value: Option<ValueForm>,
        /// These have applied everything.
        caught_up: Option<Select>,
        /// These have halted.
        halted: Option<Select>,
        /// These take part.
        ready: Option<Select>,
        /// So many operations have been answered.
        operations: Option<Ranged<Count>>,
        /// A replica lacks so many slots.
        lag: Option<LagForm>,
        /// Happens by then.
        within: Option<Ranged<Time>>,
        /// Holds throughout.
        r#for: Option<Ranged<Time>>,
    }
);

form!(
    /// `expect = { value = .. }`.
    ValueForm {
        /// The key.
        key: String,
        /// Its value; absent: nothing there.
        is: Option<String>,
    }
);

form!(
    /// `expect = { lag = .. }`.
    LagForm {
        /// `r3`.
        replica: Replica,
        /// How many.
        slots: Slots,
    }
);

/// At least and at most so many slots; no end: or more. It is waited for, and not drawn from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slots(pub (u64, Option<u64>));

impl<'de> Deserialize<'de> for Slots {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => text,
            other => other.to_string(),
        };
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl Slots {
    fn parse(text: &str) -> Result<Self, Wrong> {
        let help = "write \"20..all\" for 20 or more, or both ends: \"0..3\"";
        let Some((low, high)) = text.split_once("..") else {
            let title = format!("`{text}` is no range of slots");
            return Err(Wrong::new(title, "how many more or fewer will do?", help));
        };
        let end = |digits: &str| {
            let known = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            known.then(|| digits.parse().ok()).flatten()
        };
        let low: Option<u64> = end(low);
        let high = match high {
            "all" => Some(None),
            high => end(high).map(Some),
        };
        match (low, high) {
            (Some(0), Some(None)) => Err(Wrong::new(
                "every replica lacks 0 slots or more",
                "always so",
                help,
            )),
            (Some(low), Some(high)) if high.is_none_or(|high: u64| low <= high) => {
                Ok(Self((low, high)))
            }
            _ => {
                let title = format!("`{text}` is no range of slots");
                Err(Wrong::new(title, "unreadable", help))
            }
        }
    }

    /// As a file says it.
    #[must_use]
    pub fn shown((low, high): (u64, Option<u64>)) -> String {
        match high {
            Some(high) => format!("{low}..{high}"),
            None => format!("{low}..all"),
        }
    }
}
