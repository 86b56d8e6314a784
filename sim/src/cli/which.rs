//! Which run a command is about: that of a reproducer's file, or a seed of a scenario.

use std::path::Path;

use clap::{Args, ValueEnum};
use synod_reports::record::RunRecord;

use crate::cli::exit;
use crate::cli::options::RunOptions;
use crate::cli::terminal::{fail, quoted};
use crate::run::{RunSpec, run};
use crate::shrink::case::Goal;
use crate::sweep::job::{origin_of, spec_of};
use crate::sweep::lost::{CRASH, HANG};
use crate::sweep::settings::{Settings, Target};
use crate::sweep::shelf;
use crate::sweep::source::{Origin, Selection, Source};

/// A run.
#[derive(Args, Clone, Debug)]
pub struct Which {
    /// A reproducer's file, or with --seed a scenario: its file or its name in the library
    #[arg(value_name = "REPRO|SCENARIO")]
    pub target: String,
    /// The seed of the scenario to run
    #[arg(long, env = "SYNOD_SEED", value_name = "S")]
    pub seed: Option<u64>,
}

/// A run that fails.
pub struct Failing {
    /// How it is run.
    pub spec: RunSpec,
    /// What it gave.
    pub record: RunRecord,
    /// Its failure.
    pub goal: Goal,
    /// What a reproducer of it says about itself.
    pub origin: Origin,
}

impl Which {
    /// The run, to be pasted after a command: its target and its options.
    #[must_use]
    pub fn named(&self, options: &RunOptions) -> String {
        let seed = self.seed.map(|seed| format!(" --seed {seed}"));
        let options = options_of(&options.settings(Vec::new()));
        quoted(&self.target) + &seed.unwrap_or_default() + &options
    }

    /// What runs are made of, and the one that is meant.
    ///
    /// # Errors
    /// When there is none.
    pub fn found(
        &self,
        options: &RunOptions,
    ) -> Result<(Settings, Box<dyn Source>, Target), String> {
        let argument = &self.target;
        let Some(seed) = self.seed else {
            let path = Path::new(argument);
            if !path.exists() || path.is_dir() {
                return Err(if argument.ends_with(".toml") && !path.is_dir() {
                    format!("{argument}: no such file")
                } else {
                    format!(
                        "`{argument}` is no reproducer's file; to run a scenario, say which seed: \
                         --seed 0"
                    )
                });
            }
            let settings = options.settings(Vec::new());
            let source = shelf::open(&settings)?;
            return Ok((settings, source, Target::Repro(argument.clone())));
        };
        let settings = options.settings(vec![argument.clone()]);
        let source = shelf::open(&settings)?;
        let name = only(argument, &shelf::select(&settings)?)?;
        Ok((settings, source, Target::Scenario(name, seed)))
    }

    /// Makes the run, which is to fail. `to_do` is what is asked for: "shrink".
    ///
    /// # Errors
    /// The exit status, when it is said why there is no such failure.
    pub fn failing(&self, options: &RunOptions, to_do: &str) -> Result<Failing, u8> {
        let found = self
            .found(options)
            .and_then(|(settings, mut source, target)| {
                let drawn = source.plan(&target)?;
                Ok((settings, drawn))
            });
        let (settings, drawn) = found.map_err(|message| fail(exit::USAGE, &message))?;
        let origin = drawn.origin.as_ref();
        let check = origin.and_then(|origin| origin.check.as_deref());
        if let Some(check) = check.filter(|check| [HANG, CRASH].contains(check)) {
            let message =
                format!("`{check}`: a run that comes to no end cannot be tried again and again");
            return Err(fail(exit::USAGE, &message));
        }
        let (mut spec, judges) = spec_of(&settings, drawn);
        let outcome = run(&spec);
        spec.plan.branches.extend_from_slice(&outcome.branches);
        let record = outcome.record;
        let Some(goal) = Goal::of(&record) else {
            let verdict = record.verdict.name();
            let message = format!("there is nothing to {to_do}: the run ended as `{verdict}`");
            return Err(fail(exit::VACUOUS, &message));
        };
        let origin = origin_of(&spec, judges, &record);
        Ok(Failing {
            spec,
            record,
            goal,
            origin,
        })
    }
}

/// The one scenario that was named.
fn only(argument: &str, selection: &Selection) -> Result<String, String> {
    match (selection.names.as_slice(), selection.once.as_slice()) {
        ([name], []) => Ok(name.clone()),
        ([], [(_, seed)]) => Err(format!(
            "`{argument}` is a reproducer and has its own seed, {seed}: leave --seed out"
        )),
        (names, once) => Err(format!(
            "`{argument}` holds {} scenarios: name one",
            names.len() + once.len()
        )),
    }
}

/// The words that say what these settings say of a run, to be pasted after its name.
#[must_use]
pub fn options_of(settings: &Settings) -> String {
    let judges = settings
        .judges
        .iter()
        .map(|judges| ("checks", judges.name()));
    let sets = settings.set.iter().map(|set| ("set", set.as_str()));
    let only = settings
        .only
        .named()
        .iter()
        .map(|name| ("only", name.as_str()));
    let options = settings.bug.iter().map(|bug| ("bug", bug.as_str()));
    let subject = settings
        .subject
        .iter()
        .map(|name| ("subject", name.as_str()));
    let strategy = settings.strategy.and_then(|one| one.to_possible_value());
    let strategy = strategy.iter().map(|one| ("strategy", one.get_name()));
    options
        .chain(subject)
        .chain(strategy)
        .chain(sets)
        .chain(only)
        .chain(judges)
        .map(|(option, value)| format!(" --{option} {}", quoted(value)))
        .collect()
}
