//! Values that a seed may decide: a range (`"a..b"`, drawn once per seed), a list to pick from (`{
//! pick = [..] }`, whose entries may be ranges), a distribution of times. What is drawn here is
//! decided by `plan`; this file only reads.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::choices::Strategy;
use crate::scenario::fault::{Boundary, DamageBudget, Keep, Outside, Until};
use crate::scenario::units::{Time, Unit, Wrong, parse, show, within};

/// A quantity, a range of it, or some of both to pick from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ranged<U> {
    /// Both ends included; never empty, and no range is.
    options: Vec<(i64, i64)>,
    unit: PhantomData<U>,
}

impl<U: Unit> Ranged<U> {
    /// Always this value.
    #[must_use]
    pub fn fixed(value: i64) -> Self {
        Self::between(value, value)
    }

    /// Anything from `low` to `high`.
    #[must_use]
    pub fn between(low: i64, high: i64) -> Self {
        Self {
            options: vec![(low, high.max(low))],
            unit: PhantomData,
        }
    }

    /// The ranges to pick from.
    #[must_use]
    pub fn options(&self) -> &[(i64, i64)] {
        &self.options
    }

    /// The smallest value that can be drawn.
    #[must_use]
    pub fn min(&self) -> i64 {
        self.options
            .iter()
            .map(|(low, _)| *low)
            .min()
            .expect("a value has at least one option")
    }

    /// The largest value that can be drawn.
    #[must_use]
    pub fn max(&self) -> i64 {
        self.options
            .iter()
            .map(|(_, high)| *high)
            .max()
            .expect("a value has at least one option")
    }

    /// The value that is drawn on average.
    #[must_use]
    pub fn mean(&self) -> i64 {
        let twice = self
            .options
            .iter()
            .map(|(low, high)| i128::from(*low) + i128::from(*high));
        let mean = twice.sum::<i128>() / (2 * self.options.len() as i128);
        i64::try_from(mean).expect("it lies between values")
    }

    /// Reads `"a"` or `"a..b"`.
    ///
    /// # Errors
    /// No such quantity, or an empty range.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let (low, high) = match text.split_once("..") {
            Some((low, high)) => (
                parse::<U>(low)?,
                parse::<U>(high.strip_prefix('=').unwrap_or(high))?,
            ),
            None => (parse::<U>(text)?, parse::<U>(text)?),
        };
        if low > high {
            let help = format!(
                "the smaller end comes first: \"{}..{}\"",
                show::<U>(high),
                show::<U>(low)
            );
            return Err(Wrong::new(
                format!("the range `{text}` is empty"),
                "nothing lies between these ends",
                help,
            ));
        }
        Ok(Self::between(low, high))
    }
}

/// `{ pick = [..] }`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Picks<T> {
    pick: Vec<T>,
}

impl<T> Picks<T> {
    pub(super) fn some<E: Error>(self) -> Result<Vec<T>, E> {
        if self.pick.is_empty() {
            Err(E::custom(Wrong::new(
                "nothing to pick from",
                "an empty list",
                "write `{ pick = [..] }` with at least one value",
            )))
        } else {
            Ok(self.pick)
        }
    }
}

impl<'de, U: Unit> Deserialize<'de> for Ranged<U> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<U>(PhantomData<U>);

        impl<'de, U: Unit> Visitor<'de> for Reader<U> {
            type Value = Ranged<U>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} such as {}", U::WHAT, U::EXAMPLE)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ranged::parse(text).map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                let value = if U::BARE {
                    within::<U>(value)
                } else {
                    parse::<U>(&value.to_string())
                };
                value.map(Ranged::fixed).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let picks = Picks::<Ranged<U>>::deserialize(MapAccessDeserializer::new(map))?
                    .some::<A::Error>()?;
                Ok(Ranged {
                    options: picks.into_iter().flat_map(|pick| pick.options).collect(),
                    unit: PhantomData,
                })
            }
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}

/// A thing with a few names.
pub trait Word: Clone + 'static {
    /// `a shape of a partition`.
    const WHAT: &'static str;
    /// Name and thing.
    const WORDS: &'static [(&'static str, Self)];

    /// The thing of this name.
    ///
    /// # Errors
    /// No such name.
    fn named(text: &str) -> Result<Self, Wrong> {
        if let Some((_, word)) = Self::WORDS.iter().find(|(name, _)| *name == text) {
            return Ok(word.clone());
        }
        let names: Vec<&str> = Self::WORDS.iter().map(|(name, _)| *name).collect();
        let meant = nearest(text, names.iter().copied())
            .map_or(String::new(), |name| format!("did you mean `{name}`? "));
        Err(Wrong::new(
            format!("`{text}` is not {}", Self::WHAT),
            "unknown",
            format!("{meant}allowed: {}", names.join(", ")),
        ))
    }
}

/// The name of a thing.
#[must_use]
pub fn name<T: Word + PartialEq>(word: T) -> &'static str {
    let named = T::WORDS.iter().find(|(_, other)| *other == word);
    named.map_or("", |(name, _)| name)
}

/// The name that was probably meant.
#[must_use]
pub fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::damerau_levenshtein(text, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len().min(text.len()) / 4)
        .min()
        .map(|(_, name)| name)
}

impl Word for Keep {
    const WHAT: &'static str = "what a power loss keeps";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("any", Self::Any),
        ("nothing", Self::Nothing),
        ("everything", Self::Everything),
    ];
}

impl Word for Outside {
    const WHAT: &'static str = "what becomes of the replicas outside the core";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("gone", Self::Gone),
        ("deaf", Self::Deaf),
        ("mute", Self::Mute),
    ];
}

impl Word for DamageBudget {
    const WHAT: &'static str = "a budget of damage";
    const WORDS: &'static [(&'static str, Self)] =
        &[("survivable", Self::Survivable), ("none", Self::None)];
}

impl Word for Strategy {
    const WHAT: &'static str = "how choices are made";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("random", Self::Random),
        ("priorities", Self::Priorities),
        ("branching", Self::Branching),
    ];
}

impl Word for Boundary {
    const WHAT: &'static str = "a moment to die at";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("now", Self::Now),
        ("in-step", Self::InStep),
        ("in-recovery", Self::IN_RECOVERY),
    ];
}

impl Word for Until {
    const WHAT: &'static str = "what messages are kept back for";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("end", Self::End),
        ("leader-changed", Self::LeaderChanged),
        ("rejoined", Self::Rejoined),
        ("campaigned", Self::Campaigned),
        ("elected", Self::Elected),
    ];
}

impl Word for bool {
    const WHAT: &'static str = "a yes or no";
    const WORDS: &'static [(&'static str, Self)] = &[("true", true), ("false", false)];
}

/// A word, or some to pick from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice<T>(pub Vec<T>);

impl<T: Default> Default for Choice<T> {
    fn default() -> Self {
        Self(vec![T::default()])
    }
}

impl<'de, T: Word> Deserialize<'de> for Choice<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Word> Visitor<'de> for Reader<T> {
            type Value = Choice<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::WHAT)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                T::named(text)
                    .map(|word| Choice(vec![word]))
                    .map_err(E::custom)
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
                self.visit_str(if value { "true" } else { "false" })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let picks = Picks::<Choice<T>>::deserialize(MapAccessDeserializer::new(map))?
                    .some::<A::Error>()?;
                Ok(Choice(picks.into_iter().flat_map(|pick| pick.0).collect()))
            }
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}

/// A range that is a setting itself (shortest and longest), or some to pick from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bounds(pub Vec<(i64, i64)>);

impl<'de> Deserialize<'de> for Bounds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Ranged::<Time>::deserialize(deserializer)?.options))
    }
}

/// A distribution of times, each of its parameters drawn once per seed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Always the same.
    Constant(Ranged<Time>),
    /// Uniform, both ends included.
    Uniform(Ranged<Time>, Ranged<Time>),
    /// Exponential, cut at the maximum.
    Exponential {
        /// The mean.
        mean: Ranged<Time>,
        /// Nothing is longer.
        max: Ranged<Time>,
    },
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ShapeTable {
    pick: Option<Vec<Ranged<Time>>>,
    shape: Option<String>,
    value: Option<Ranged<Time>>,
    min: Option<Ranged<Time>>,
    max: Option<Ranged<Time>>,
    mean: Option<Ranged<Time>>,
}

impl ShapeTable {
    fn shape(self) -> Result<Shape, Wrong> {
        const HELP: &str = "write \"1ms\", { shape = \"uniform\", min = \"1ms\", max = \"5ms\" } \
                            or { shape = \"exponential\", mean = \"3ms\", max = \"250ms\" }";
        let wrong = |title: &str, label: &str| Err(Wrong::new(title, label, HELP));
        match (self.shape.clone().as_deref(), self) {
            (
                None,
                Self {
                    pick: Some(pick),
                    value: None,
                    min: None,
                    max: None,
                    mean: None,
                    ..
                },
            ) if !pick.is_empty() => Ok(Shape::Constant(Ranged {
                options: pick.into_iter().flat_map(|pick| pick.options).collect(),
                unit: PhantomData,
            })),
            (
                Some("constant"),
                Self {
                    value: Some(value),
                    pick: None,
                    min: None,
                    max: None,
                    mean: None,
                    ..
                },
            ) => Ok(Shape::Constant(value)),
            (
                Some("uniform"),
                Self {
                    min: Some(min),
                    max: Some(max),
                    pick: None,
                    value: None,
                    mean: None,
                    ..
                },
            ) if min.max() <= max.min() => Ok(Shape::Uniform(min, max)),
            (
                Some("exponential"),
                Self {
                    mean: Some(mean),
                    max: Some(max),
                    pick: None,
                    value: None,
                    min: None,
                    ..
                },
            ) if mean.max() <= max.min() => Ok(Shape::Exponential { mean, max }),
            (Some("constant"), _) => wrong(
                "a constant has a `value` and nothing else",
                "not a distribution",
            ),
            (Some("uniform"), _) => wrong(
                "a uniform distribution goes from `min` up to `max`",
                "one is missing, too much, or `min` is the larger",
            ),
            (Some("exponential"), _) => wrong(
                "an exponential distribution has a `mean` and a `max` above it",
                "one is missing, too much, or `max` is the smaller",
            ),
            (Some(_), _) => wrong(
                "unknown shape of a distribution",
                "shapes: constant, uniform, exponential",
            ),
            (None, _) => wrong("a distribution needs a `shape`", "no `shape` here"),
        }
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time or a distribution of times")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ranged::parse(text).map(Shape::Constant).map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                ShapeTable::deserialize(MapAccessDeserializer::new(map))?
                    .shape()
                    .map_err(A::Error::custom)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// One value for all replicas' draws, or one for each replica in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PerReplica<U> {
    /// Drawn for each replica from this.
    Each(Ranged<U>),
    /// These, in order.
    List(Vec<Ranged<U>>),
}

impl<'de, U: Unit> Deserialize<'de> for PerReplica<U> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<U>(PhantomData<U>);

        impl<'de, U: Unit> Visitor<'de> for Reader<U> {
            type Value = PerReplica<U>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    "{} such as {}, or a list with one for each replica",
                    U::WHAT,
                    U::EXAMPLE
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ranged::parse(text).map(PerReplica::Each).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(value) = seq.next_element()? {
                    list.push(value);
                }
                Ok(PerReplica::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Ranged::deserialize(MapAccessDeserializer::new(map)).map(PerReplica::Each)
            }
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}
