//! Whom a verb is about: a role such as `"leader"` or `"follower"`, `"minority"`, `"core"`, `"r2"`, a
//! list of names, a number (`1`, `"1..all"`), or some of these to pick from.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::ids::{Client, Node};
use crate::scenario::units::{Count, Wrong};
use crate::scenario::value::{Ranged, nearest};

/// The most replicas that a cluster has.
pub const REPLICAS_MAX: u8 = 9;
/// The most clients.
pub const CLIENTS_MAX: u16 = 64;
/// `all` as the end of a range of numbers: cut to the cluster's size when drawn.
pub const ALL: i64 = 255;

/// A selection of replicas. Roles stay roles until a run; everything else is decided when the plan
/// is drawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Select {
    /// Every replica.
    All,
    /// One of them.
    Any,
    /// The leader.
    Leader,
    /// All but the leader.
    Others,
    /// The next after the leader, by number, that runs.
    Follower,
    /// As many as can be missed, drawn.
    Minority,
    /// The fewest that are more than half, drawn.
    Majority,
    /// Those that are healed in the end.
    Core,
    /// Those that acknowledged the newest votes of a quorum, their proposer not among them.
    Acknowledgers,
    /// Those that did not, their proposer not among them.
    Laggards,
    /// The only one whose disk still holds a chosen value.
    LastHolder,
    /// So many, drawn.
    Count(Ranged<Count>),
    /// These, in order and without doubles.
    Nodes(Vec<Node>),
    /// One of these selections.
    Pick(Vec<Select>),
}

/// The words that select replicas by what they do.
pub const ROLES: &[&str] = &[
    "all",
    "any",
    "leader",
    "others",
    "follower",
    "minority",
    "majority",
    "core",
    "acknowledgers",
    "laggards",
    "last-holder",
];

/// Those of them that can stand on a side of a partition.
pub const ROLES_OF_SIDES: &[&str] = &[
    "all",
    "leader",
    "others",
    "follower",
    "core",
    "acknowledgers",
    "laggards",
    "last-holder",
];

fn unknown(text: &str) -> Wrong {
    let meant = nearest(text, ROLES.iter().copied())
        .map_or(String::new(), |name| format!("did you mean `{name}`? "));
    let roles: Vec<String> = ROLES.iter().map(|role| format!("\"{role}\"")).collect();
    let help = format!(
        "{meant}write {}, \"r2\", a list of names, or a number such as 2 or \"1..all\"",
        roles.join(", ")
    );
    Wrong::new(format!("`{text}` selects no replicas"), "unknown", help)
}

/// The replica of a name such as `r2`.
#[must_use]
pub fn node(text: &str) -> Option<Node> {
    let number: u8 = number(text, 'r')?.try_into().ok()?;
    (1..=REPLICAS_MAX)
        .contains(&number)
        .then(|| Node(number - 1))
}

/// The client of a name such as `c1`.
#[must_use]
pub fn client(text: &str) -> Option<Client> {
    let number = number(text, 'c')?;
    (1..=CLIENTS_MAX)
        .contains(&number)
        .then(|| Client(number - 1))
}

fn number(text: &str, letter: char) -> Option<u16> {
    let digits = text.strip_prefix(letter)?;
    if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        None
    } else {
        digits.parse().ok()
    }
}

impl Select {
    /// Reads a selection that is one string.
    ///
    /// # Errors
    /// It selects nothing that can be.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        match text {
            "all" => return Ok(Self::All),
            "any" => return Ok(Self::Any),
            "leader" => return Ok(Self::Leader),
            "others" => return Ok(Self::Others),
            "follower" => return Ok(Self::Follower),
            "minority" => return Ok(Self::Minority),
            "majority" => return Ok(Self::Majority),
            "core" => return Ok(Self::Core),
            "acknowledgers" => return Ok(Self::Acknowledgers),
            "laggards" => return Ok(Self::Laggards),
            "last-holder" => return Ok(Self::LastHolder),
            _ => {}
        }
        if let Some(node) = node(text) {
            return Ok(Self::Nodes(vec![node]));
        }
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(unknown(text));
        }
        let count = match text.strip_suffix("..all") {
            Some(low) => Ranged::parse(&format!("{low}..{ALL}")),
            None => Ranged::parse(text),
        };
        count.map(Self::Count)
    }

    /// Reads a list of names.
    ///
    /// # Errors
    /// An entry is not the name of a replica, or is there twice.
    pub fn names(names: &[String]) -> Result<Self, Wrong> {
        let mut nodes = Vec::new();
        for name in names {
            let node = node(name).ok_or_else(|| {
                Wrong::new(
                    format!("`{name}` is not the name of a replica"),
                    "a list holds names",
                    format!(
                        "replicas are named r1 to r{REPLICAS_MAX}; roles stand alone: \"leader\""
                    ),
                )
            })?;
            if nodes.contains(&node) {
                return Err(Wrong::new(
                    format!("`{name}` is there twice"),
                    "the same replica twice",
                    "name each replica once",
                ));
            }
            nodes.push(node);
        }
        nodes.sort_unstable();
        Ok(Self::Nodes(nodes))
    }

    /// Calls `visit` for this selection and everything that it may be picked from.
    pub fn each(&self, visit: &mut dyn FnMut(&Self)) {
        visit(self);
        if let Self::Pick(options) = self {
            for option in options {
                option.each(visit);
            }
        }
    }
}

impl<'de> Deserialize<'de> for Select {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Select;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("replicas such as \"leader\", \"r2\", [\"r1\", \"r3\"] or 1")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Select, E> {
                Select::parse(text).map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Select, E> {
                Select::parse(&value.to_string()).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Select, A::Error> {
                let mut names: Vec<String> = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                Select::names(&names).map_err(A::Error::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Select, A::Error> {
                #[derive(serde::Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Picks {
                    pick: Vec<Select>,
                }
                let picks = Picks::deserialize(MapAccessDeserializer::new(map))?;
                if picks.pick.is_empty() {
                    Err(A::Error::custom(Wrong::new(
                        "nothing to pick from",
                        "an empty list",
                        "write { pick = [\"leader\", 1] }",
                    )))
                } else {
                    Ok(Select::Pick(picks.pick))
                }
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// One that stands on a side of a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Member {
    /// Replicas.
    Replicas(Select),
    /// A client.
    Client(Client),
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Some(client) = client(&text) {
            return Ok(Self::Client(client));
        }
        match Select::parse(&text) {
            Ok(
                select @ (Select::Leader
                | Select::Others
                | Select::Follower
                | Select::Core
                | Select::Acknowledgers
                | Select::Laggards
                | Select::LastHolder
                | Select::Nodes(_)
                | Select::All),
            ) => Ok(Self::Replicas(select)),
            _ => Err(D::Error::custom(Wrong::new(
                format!("`{text}` is on no side of a partition"),
                "unknown",
                format!(
                    "a side holds replicas (r1, {}) and clients (c1)",
                    ROLES_OF_SIDES.join(", ")
                ),
            ))),
        }
    }
}

/// A replica by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replica(pub Node);

impl<'de> Deserialize<'de> for Replica {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        node(&name).map(Self).ok_or_else(|| {
            D::Error::custom(Wrong::new(
                format!("`{name}` is not the name of a replica"),
                "one name",
                format!("replicas are named r1 to r{REPLICAS_MAX}"),
            ))
        })
    }
}

/// Replicas by name, in the order in which they are written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replicas(pub Vec<Node>);

/// Clients by name, in the order in which they are written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clients(pub Vec<Client>);

impl<'de> Deserialize<'de> for Replicas {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let help = format!("replicas are named r1 to r{REPLICAS_MAX}");
        names(deserializer, node, "a replica", help).map(Self)
    }
}

impl<'de> Deserialize<'de> for Clients {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let help = format!("clients are named c1 to c{CLIENTS_MAX}");
        names(deserializer, client, "a client", help).map(Self)
    }
}

fn names<'de, T: PartialEq, D: Deserializer<'de>>(
    deserializer: D,
    named: fn(&str) -> Option<T>,
    what: &str,
    help: String,
) -> Result<Vec<T>, D::Error> {
    let mut found = Vec::new();
    for name in Vec::<String>::deserialize(deserializer)? {
        let Some(one) = named(&name) else {
            let title = format!("`{name}` is not the name of {what}");
            return Err(D::Error::custom(Wrong::new(title, "unknown", help)));
        };
        if found.contains(&one) {
            let title = format!("`{name}` is there twice");
            return Err(D::Error::custom(Wrong::new(
                title,
                "twice",
                "name each once",
            )));
        }
        found.push(one);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections_of_all_kinds() {
        assert_eq!(Select::parse("leader"), Ok(Select::Leader));
        assert_eq!(Select::parse("r2"), Ok(Select::Nodes(vec![Node(1)])));
        assert_eq!(Select::parse("2"), Ok(Select::Count(Ranged::fixed(2))));
        assert_eq!(
            Select::parse("1..all"),
            Ok(Select::Count(Ranged::between(1, ALL)))
        );
        assert_eq!(
            Select::names(&["r3".into(), "r1".into()]),
            Ok(Select::Nodes(vec![Node(0), Node(2)]))
        );
    }

    #[test]
    fn what_selects_nothing_is_an_error() {
        assert!(
            Select::parse("leadr")
                .unwrap_err()
                .help
                .starts_with("did you mean `leader`?")
        );
        for text in ["r0", "r10", "r01", "R1", "", "r1..r3", "3..1"] {
            assert!(Select::parse(text).is_err(), "{text}");
        }
        assert!(Select::names(&["leader".into()]).is_err());
        assert!(Select::names(&["r1".into(), "r1".into()]).is_err());
    }
}
