//! What a scenario's tables, keys and values are made of; `words` has them all.

use crate::scenario::names::Naming;
use crate::scenario::value::nearest;

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
}

/// What a key holds.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A string.
    Text,
    /// A list of strings.
    Texts,
    /// A name that is known.
    Named(Naming),
    /// A list of them.
    AllNamed(Naming),
    /// One of them, a list, or "any"; or some of these to pick from.
    SomeNamed(Naming),
    /// A digest: 16 hexadecimal digits.
    Digest,
    /// A whole number from 0.
    Whole,
    /// True or false, or some to pick from.
    Flag,
    /// One of these words, or some of them to pick from.
    Words(&'static [&'static str]),
    /// A quantity, a range or a pick; what, an example, and whether a bare integer is one.
    Quantity(&'static str, &'static str, bool),
    /// A quantity, or one for each replica.
    PerReplica(&'static str, &'static str),
    /// A time or a distribution of times.
    Distribution,
    /// A selection of replicas.
    Replicas,
    /// A core.
    Core,
    /// How an operation may end.
    Endings,
    /// The sides of a partition.
    Groups,
    /// A table.
    Table(&'static Table),
    /// A list of tables.
    Tables(&'static Table),
    /// A selection of replicas, or a table.
    ReplicasOr(&'static Table),
    /// One of these words, or a table.
    WordsOr(&'static [&'static str], &'static Table),
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
