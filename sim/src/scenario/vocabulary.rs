//! What a scenario's tables, keys and values are made of; `words` has them all.

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

use crate::scenario::names::Naming;
use crate::scenario::problem::Problem;
use crate::scenario::units::{Unit, show};
use crate::scenario::value::{Ranged, nearest};

/// A table of a file.
pub struct Table {
    /// `` a verb of a step ``, `` a key of `[network]` ``: what an unknown key is not.
    pub what: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
    /// Exactly one of its keys that are verbs must be there.
    pub verbs: bool,
}

/// A key.
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// For the schema and for people.
    pub doc: &'static str,
    /// It must be there.
    pub required: bool,
    /// It is a verb.
    pub verb: bool,
    /// What others call it.
    pub also: &'static [&'static str],
    /// What its number, or its quantity in the smallest unit, may be.
    pub bounds: Option<Bounds>,
}

/// The smallest and the largest value of a number, and what to say of others.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// The smallest.
    pub min: i128,
    /// The largest.
    pub max: i128,
    /// `a cluster has 1 to 9 replicas`.
    pub help: &'static str,
}

/// Reads the smallest and the largest value of what stands in a file.
type Ends = fn(&Spanned<DeValue<'_>>) -> Result<(i64, i64), Problem>;

/// A unit as a value.
pub struct Measure {
    /// `a time`.
    pub what: &'static str,
    /// `"150ms", "2s"`.
    pub example: &'static str,
    /// Whether a bare integer is one.
    pub bare: bool,
    /// Its suffixes, and how many of the smallest unit each is.
    pub suffixes: &'static [(&'static str, i64)],
    /// Whether it may be below 0.
    pub signed: bool,
    /// The smallest and the largest value that can be drawn from what stands in a file.
    pub read: Ends,
    /// A value with its unit.
    pub show: fn(i64) -> String,
}

impl Measure {
    /// This unit.
    #[must_use]
    pub const fn of<U: Unit>() -> Self {
        Self {
            what: U::WHAT,
            example: U::EXAMPLE,
            bare: U::BARE,
            suffixes: U::SUFFIXES,
            signed: U::MIN < 0,
            read: |value| read::<Ranged<U>>(value).map(|drawn| (drawn.min(), drawn.max())),
            show: show::<U>,
        }
    }
}

/// Reads a value as the form of its key does.
///
/// # Errors
/// It is none.
pub fn read<T: for<'de> Deserialize<'de>>(value: &Spanned<DeValue<'_>>) -> Result<T, Problem> {
    T::deserialize(ValueDeserializer::from(value.clone())).map_err(|error| {
        let problem = Problem::of_toml(&error);
        Problem {
            place: problem.place.or(Some(value.span())),
            ..problem
        }
    })
}

/// What a key holds.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A string.
    Text,
    /// A name that is known.
    Named(Naming),
    /// A list of them.
    AllNamed(Naming),
    /// One of them, a list, or "any"; or some of these to pick from.
    SomeNamed(Naming),
    /// How a name of a file begins.
    FilePrefix,
    /// A digest: 16 hexadecimal digits.
    Digest,
    /// A whole number from 0, within the key's bounds.
    Whole,
    /// True or false.
    Bool,
    /// True or false, or some to pick from.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, or some of them to pick from.
    Words(&'static [&'static str]),
    /// These words, in this order.
    Sequence(&'static [&'static str]),
    /// A quantity, a range or a pick.
    Quantity(&'static Measure),
    /// A quantity, or one for each replica.
    PerReplica(&'static Measure),
    /// A time or a distribution of times.
    Distribution,
    /// A selection of replicas.
    Replicas,
    /// The name of a replica.
    Replica,
    /// At least and at most so many slots.
    Slots,
    /// All replicas by name, in an order.
    Order,
    /// The name of a client.
    Client,
    /// A list of them.
    Clients,
    /// A list of them, or how many of all.
    Parted,
    /// The name of a replica or a client.
    Party,
    /// A core.
    Core,
    /// How an operation may end.
    Endings,
    /// The sides of a partition.
    Groups,
    /// What of a disk survives a death.
    Loose,
    /// What a pick is from: the items are of the kind that is picked.
    Options,
    /// A table.
    Table(&'static Table),
    /// A list of tables.
    Tables(&'static Table),
    /// A selection of replicas, or a table.
    ReplicasOr(&'static Table),
    /// One of these words, or a table.
    WordsOr(&'static [&'static str], &'static Table),
}

impl Kind {
    /// Whether it can be picked from several: `{ pick = [..] }`.
    #[must_use]
    pub const fn is_picked(self) -> bool {
        matches!(
            self,
            Self::SomeNamed(_)
                | Self::Flag
                | Self::Words(_)
                | Self::Quantity(_)
                | Self::PerReplica(_)
                | Self::Replicas
        )
    }
}

impl Table {
    /// The key of this name.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The names of its verbs, or of its keys when `verbs` is false, sorted.
    #[must_use]
    pub fn names(&self, verbs: bool) -> Vec<&'static str> {
        let mut names: Vec<_> = self
            .keys
            .iter()
            .filter(|key| key.verb == verbs)
            .map(|key| key.name)
            .collect();
        names.sort_unstable();
        names
    }

    /// The key that was probably meant.
    #[must_use]
    pub fn meant(&self, name: &str) -> Option<&'static str> {
        if let Some(key) = self.keys.iter().find(|key| key.also.contains(&name)) {
            return Some(key.name);
        }
        let names = self.keys.iter().map(|key| key.name);
        nearest(&name.replace('_', "-"), names).or_else(|| {
            let others = self
                .keys
                .iter()
                .flat_map(|key| key.also.iter().map(move |also| (*also, key.name)));
            let near = nearest(name, others.clone().map(|(also, _)| also))?;
            others
                .clone()
                .find(|(also, _)| *also == near)
                .map(|(_, name)| name)
        })
    }
}
