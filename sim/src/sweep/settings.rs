//! What all runs of a sweep share, and one run of it. This is what a coordinator tells its workers,
//! and what `run.json` keeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::check::jury::{CONTRACT, Jury};
use crate::choices::Strategy;
use crate::run::Checks;
use crate::subject::process::ProbeLevel;

/// What `--beyond-contract` sets.
pub const BEYOND_CONTRACT: &str = "network.beyond-contract=true";

/// Who judges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Judges {
    /// Every checker, with contracts and facts.
    #[default]
    All,
    /// Only what a client can see, with contracts and facts off.
    Client,
}

impl Judges {
    /// The judges of this name.
    ///
    /// # Errors
    /// When there are none.
    pub fn named(name: &str) -> Result<Self, String> {
        [Self::All, Self::Client]
            .into_iter()
            .find(|judges| judges.name() == name)
            .ok_or_else(|| format!("checks = {name:?} is neither \"all\" nor \"client\""))
    }

    /// Their name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Client => "client",
        }
    }

    /// The checkers.
    #[must_use]
    pub const fn checks(self) -> Checks {
        match self {
            Self::All => Checks::All,
            Self::Client => Checks::Client,
        }
    }

    /// How much to look into the subject. A contract ends a run, so none is evaluated when
    /// contracts do not judge.
    #[must_use]
    pub fn probe(self, jury: &Jury) -> ProbeLevel {
        match self {
            Self::All if jury.has(CONTRACT) => ProbeLevel::Full,
            Self::All => ProbeLevel::Facts,
            Self::Client => ProbeLevel::BugsOnly,
        }
    }
}

/// What all runs of a sweep share.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Settings {
    /// Scenarios and folders as they were given; empty: the mix.
    #[serde(default)]
    pub scenarios: Vec<String>,
    /// Overrides of scenario values, `KEY=VALUE`.
    #[serde(default)]
    pub set: Vec<String>,
    /// Kinds of faults and rates of the weather that are taken out of each plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// Only these checks judge; everybody: the reproducer's, or all.
    #[serde(default, skip_serializing_if = "Jury::is_everybody")]
    pub only: Jury,
    /// The subject; none: the reproducer's, or the default.
    #[serde(default)]
    pub subject: Option<String>,
    /// The planted bug; none: the reproducer's, or none.
    #[serde(default)]
    pub bug: Option<String>,
    /// How choices are made; none: as the scenarios say.
    #[serde(default)]
    pub strategy: Option<Strategy>,
    /// Who judges; none: the reproducer's, or all.
    #[serde(default)]
    pub judges: Option<Judges>,
    /// The hash of each scenario as it was when the sweep began, overrides included, by name: a
    /// sweep is of these and of no others. Empty: whatever is read is right.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hashes: BTreeMap<String, String>,
    /// The share of runs that is made twice, in parts per million.
    #[serde(default)]
    pub verify_ppm: u32,
}

/// Which run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// The scenario that the mix draws for this seed.
    Mix(u64),
    /// This scenario, by its name in the library or its path, and this seed.
    Scenario(String, u64),
    /// A reproducer, by its path.
    Repro(String),
}

/// How much to keep of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Its line.
    #[default]
    Line,
    /// Its line, history, tale and reproducer.
    Story,
    /// All of that, and its page.
    Everything,
    /// Its line, history, reproducer, and a page of so many messages and happenings at most.
    Page(usize),
    /// Its reproducer alone, for this check; it is not run, because it would not come to an end.
    Plan(String),
    /// Its line, and a smaller reproducer, for which so many events may be spent.
    Shrunk(u64),
}

/// One run to make.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Item {
    /// Its place in the sweep, from 0.
    pub number: u64,
    /// Which run.
    pub target: Target,
    /// How much to keep of it.
    #[serde(default)]
    pub keep: Keep,
}
