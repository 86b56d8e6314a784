//! Kinds of messages, as they stand in a file: `"accept"`, `["promise", "accepted"]`, `"any"`, or
//! some of these to pick from. Whether there is such a kind is looked up elsewhere.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::scenario::units::Wrong;
use crate::scenario::value::Picks;

/// Any kind of messages.
pub const ANY: &str = "any";

/// Whether a message of this kind is among those that are meant; an empty list means any.
pub fn include(meant: &[String], kind: impl FnOnce() -> Option<&'static str>) -> bool {
    meant.is_empty() || kind().is_some_and(|kind| meant.iter().any(|one| one == kind))
}

/// Kinds of messages: one, a list, or `"any"`, which is an empty list here; or some of these to pick
/// from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kinds(pub Vec<Vec<String>>);

impl Default for Kinds {
    fn default() -> Self {
        Self(vec![Vec::new()])
    }
}

impl<'de> Deserialize<'de> for Kinds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Kinds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "kinds of messages such as \"accept\", [\"prepare\", \"accept\"] or \"any\"",
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Kinds, E> {
                let named = (text != ANY).then(|| text.to_owned());
                Ok(Kinds(vec![named.into_iter().collect()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Kinds, A::Error> {
                let mut names: Vec<String> = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                if names.is_empty() {
                    let help = "name a kind, or write kind = \"any\"";
                    return Err(A::Error::custom(Wrong::new(
                        "messages of no kind",
                        "an empty list",
                        help,
                    )));
                }
                Ok(Kinds(vec![names]))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Kinds, A::Error> {
                let picks = Picks::<Kinds>::deserialize(MapAccessDeserializer::new(map))?
                    .some::<A::Error>()?;
                Ok(Kinds(picks.into_iter().flat_map(|pick| pick.0).collect()))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}
