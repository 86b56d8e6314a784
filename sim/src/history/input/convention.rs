//! What the same words mean in histories of different origin, and which meaning was taken.
//!
//! Each format begins with the convention of those who write it. A line that speaks for itself (a
//! failed compare-and-set with `saw` or `mismatch`) is taken at its word under every convention. One
//! that saw what it expected is wrong where failures are mismatches; where they have no effect it
//! failed for another reason.
//! Nothing is concluded from the words of an error.

use crate::history::input::model::Model;

/// What a failed compare-and-set says that carries neither `saw` nor `mismatch`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailedCas {
    /// That another value was there than it expected.
    Mismatch,
    /// That it had no effect, and nothing about the state.
    NoEffect,
}

/// What a read says that returned nil or null.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nil {
    /// That nothing was there.
    Absent,
    /// Nothing.
    Unknown,
}

/// What is wanted other than the format's convention.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    /// In place of the format's.
    pub failed_cas: Option<FailedCas>,
    /// In place of the format's.
    pub nil: Option<Nil>,
    /// The value of every key at the start, as the format writes values.
    pub initial: Option<String>,
}

/// What was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conventions {
    /// What a failed compare-and-set says.
    pub failed_cas: FailedCas,
    /// What a read of nil says.
    pub nil: Nil,
}

impl Conventions {
    /// A failure says only what it carries, and null is the absent value: synod's own lines.
    pub const SYNOD: Self = Self {
        failed_cas: FailedCas::NoEffect,
        nil: Nil::Absent,
    };
    /// A failed compare-and-set compared: the log lines of Jepsen's register tests.
    pub const LOG: Self = Self {
        failed_cas: FailedCas::Mismatch,
        nil: Nil::Absent,
    };
    /// Nothing is known of the state from a failure or from nil: Knossos' register.
    pub const EDN: Self = Self {
        failed_cas: FailedCas::NoEffect,
        nil: Nil::Unknown,
    };
    /// As in [`Conventions::EDN`], but nil is a value: a store in which nothing is absent.
    pub const STORE: Self = Self {
        failed_cas: FailedCas::NoEffect,
        nil: Nil::Absent,
    };

    /// These, for a model: a queue from which nothing was taken was empty.
    #[must_use]
    pub fn of(self, model: Model) -> Self {
        match model {
            Model::Queue => Self {
                nil: Nil::Absent,
                ..self
            },
            _ => self,
        }
    }

    /// These, but for what is wanted otherwise.
    #[must_use]
    pub fn with(self, wanted: &Wanted) -> Self {
        Self {
            failed_cas: wanted.failed_cas.unwrap_or(self.failed_cas),
            nil: wanted.nil.unwrap_or(self.nil),
        }
    }
}

impl FailedCas {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mismatch => "mismatch",
            Self::NoEffect => "no-effect",
        }
    }
}

impl Nil {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Unknown => "unknown",
        }
    }
}
