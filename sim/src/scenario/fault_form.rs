//! The tables of the fault verbs, as they stand in a file.
//!
//! A verb is written as a table, or, where one selection says it all, as that selection alone:
//! `pause = "leader"`.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::scenario::fault::{Boundary, Cut, Keep};
use crate::scenario::kinds::Kinds;
use crate::scenario::select::{Clients, Member, Replicas, Select};
use crate::scenario::units::{Count, Drift, Offset, Rate, Time};
use crate::scenario::value::{Choice, Ranged, Word};

/// A verb's table, or its most telling value alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Short<T>(pub T);

/// What can be made of one selection.
pub trait OfSelect: Sized {
    /// The verb about these replicas, everything else as by default.
    fn of(replicas: Select) -> Self;
}

impl<'de, T: OfSelect + Deserialize<'de>> Deserialize<'de> for Short<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: OfSelect + Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Short<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "replicas such as \"leader\", \"r2\", [\"r1\", \"r3\"] or 1, or a table with \
                     `replicas`",
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Select::parse(text)
                    .map(|select| Short(T::of(select)))
                    .map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut names: Vec<String> = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                Select::names(&names)
                    .map(|select| Short(T::of(select)))
                    .map_err(A::Error::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Short)
            }
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}

/// The clients that a cut parts from the others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Parted {
    /// So many, drawn.
    Share(Share),
    /// These.
    Named(Clients),
}

/// How many of the workload's clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Share {
    /// All.
    All,
    /// Half of them, the larger half of an odd number.
    Half,
    /// None.
    None,
}

impl Word for Share {
    const WHAT: &'static str = "a share of the clients";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("all", Self::All),
        ("half", Self::Half),
        ("none", Self::None),
    ];
}

impl<'de> Deserialize<'de> for Parted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Parted;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"half\", \"all\", \"none\", or a list of names beside an `order`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Parted, E> {
                Share::named(text).map(Parted::Share).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Parted, A::Error> {
                Clients::deserialize(SeqAccessDeserializer::new(seq)).map(Parted::Named)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

macro_rules! form {
    ($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name { $($(#[$attribute])* pub $field: $type,)* }
    };
}

pub(crate) use form;

macro_rules! of_select {
    ($($name:ident { $($field:ident: $default:expr),* })*) => {
        $(impl OfSelect for $name {
            fn of(replicas: Select) -> Self {
                Self { replicas, $($field: $default,)* }
            }
        })*
    };
}

impl Word for Cut {
    const WHAT: &'static str = "a shape of a partition";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("halves", Self::Halves),
        ("one-way", Self::OneWay),
        ("isolate-one", Self::IsolateOne),
        ("isolate-leader", Self::IsolateLeader),
        ("leader-in-minority", Self::LeaderInMinority),
        ("ring", Self::Ring),
        ("bridge", Self::Bridge),
        ("hub", Self::Hub),
        ("chain", Self::Chain),
        ("constrained", Self::Constrained),
    ];
}

pub(super) fn all() -> Select {
    Select::All
}

fn anywhere() -> Choice<bool> {
    Choice(vec![false])
}

fn one() -> Ranged<Count> {
    Ranged::fixed(1)
}

pub(super) fn some_delay() -> Ranged<Time> {
    Ranged::between(1_000_000, 20_000_000)
}

form!(
    /// `partition`: a shape, or groups that cannot reach each other.
    PartitionForm {
        /// A named shape.
        shape: Option<Choice<Cut>>,
        /// The sides.
        groups: Option<Vec<Vec<Member>>>,
        /// The replicas in the order that the shape goes by.
        order: Option<Replicas>,
        /// The clients that are parted from the others together with the leader.
        clients: Option<Parted>,
    }
);
form!(
    /// `when`: at a moment of what a process does.
    WhenForm {
        /// It is about to send a message of these kinds.
        sends: Option<Kinds>,
        /// It is between these two: `write` and `sync`.
        between: Option<Vec<String>>,
        /// Of a file whose name starts with this.
        file: Option<String>,
    }
);
form!(
    /// `kill`.
    KillForm {
        /// Whose process.
        replicas: Select,
        /// Where it dies.
        #[serde(default)]
        boundary: Choice<Boundary>,
        /// How many recoveries in a row it does not survive.
        #[serde(default = "one")]
        deaths: Ranged<Count>,
        /// At a moment of what it does.
        when: Option<WhenForm>,
    }
);
form!(
    /// `power-loss`.
    PowerLossForm {
        /// Whose power.
        replicas: Select,
        /// What survives of unsynced data.
        #[serde(default)]
        keep: Choice<Keep>,
        /// Where it dies.
        #[serde(default)]
        boundary: Choice<Boundary>,
        /// How many recoveries in a row it does not survive.
        #[serde(default = "one")]
        deaths: Ranged<Count>,
        /// At a moment of what it does.
        when: Option<WhenForm>,
    }
);
form!(
    /// A verb that needs nothing but replicas.
    TargetForm {
        /// Whom.
        replicas: Select,
    }
);
form!(
    /// `sync-failure`, `write-failure`, `read-failure`.
    FailureForm {
        /// Whose disk.
        replicas: Select,
        /// How many of them fail; all by default.
        #[serde(default = "certain")]
        rate: Ranged<Rate>,
    }
);
form!(
    /// `slow-disk` and `slow-cpu`.
    SlowForm {
        /// Whose disk or process.
        replicas: Select,
        /// The extra time of each operation, or the time of each step.
        #[serde(default = "some_delay")]
        by: Ranged<Time>,
    }
);
form!(
    /// `bit-rot` and `sector-error`.
    BitRotForm {
        /// Whose disk: a number, or names.
        replicas: Select,
        /// How many sectors.
        #[serde(default = "one")]
        sectors: Ranged<Count>,
        /// Only files whose name starts with this.
        #[serde(default)]
        files: String,
        /// Only where the last of these files ends.
        #[serde(default = "anywhere")]
        tail: Choice<bool>,
    }
);
form!(
    /// `clock-jump`.
    ClockJumpForm {
        /// Whose wall clock.
        replicas: Select,
        /// By how much.
        by: Ranged<Offset>,
    }
);
form!(
    /// `clock-drift`.
    ClockDriftForm {
        /// Whose clocks.
        replicas: Select,
        /// The new rate error.
        rate: Ranged<Drift>,
    }
);
form!(
    /// `clog`.
    ClogForm {
        /// Senders.
        #[serde(default = "all")]
        from: Select,
        /// Receivers.
        #[serde(default = "all")]
        to: Select,
    }
);
form!(
    /// `slow-link`.
    SlowLinkForm {
        /// Senders.
        #[serde(default = "all")]
        from: Select,
        /// Receivers.
        #[serde(default = "all")]
        to: Select,
        /// So much is added to every delay.
        by: Ranged<Time>,
    }
);
pub(super) fn certain() -> Ranged<Rate> {
    Ranged::fixed(1_000_000)
}

of_select! {
    KillForm { boundary: Choice::default(), deaths: one(), when: None }
    PowerLossForm {
        keep: Choice::default(), boundary: Choice::default(), deaths: one(), when: None
    }
    TargetForm {}
    FailureForm { rate: certain() }
    SlowForm { by: some_delay() }
    BitRotForm { sectors: one(), files: String::new(), tail: anywhere() }
}

/// `partition`, as a table or as a shape's name alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartitionVerb(pub PartitionForm);

impl<'de> Deserialize<'de> for PartitionVerb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = PartitionVerb;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a shape of a partition, or a table with `shape` or `groups`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<PartitionVerb, E> {
                Cut::named(text)
                    .map(|cut| {
                        PartitionVerb(PartitionForm {
                            shape: Some(Choice(vec![cut])),
                            groups: None,
                            order: None,
                            clients: None,
                        })
                    })
                    .map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PartitionVerb, A::Error> {
                PartitionForm::deserialize(MapAccessDeserializer::new(map)).map(PartitionVerb)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}
