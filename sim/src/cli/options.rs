//! Options that several commands share.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::check::jury::Jury;
use crate::choices::Strategy;
use crate::cli::units;
use crate::sweep::pool::Place;
use crate::sweep::settings::{BEYOND_CONTRACT, Judges, Settings};
use crate::sweep::source::Source;

/// What every command takes.
#[derive(Args, Clone, Debug, Default)]
pub struct Global {
    /// Say only what matters
    #[arg(
        short,
        long,
        global = true,
        env = "SYNOD_QUIET",
        value_parser = FalseyValueParser::new(),
        conflicts_with = "verbose",
        help_heading = "Everywhere",
    )]
    pub quiet: bool,
    /// Say more; with `replay`, tell the story
    #[arg(
        short,
        long,
        global = true,
        action = clap::ArgAction::Count,
        env = "SYNOD_VERBOSE",
        help_heading = "Everywhere",
    )]
    pub verbose: u8,
    /// Colours; NO_COLOR and CLICOLOR are honoured
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "SYNOD_COLOR",
        value_name = "WHEN",
        help_heading = "Everywhere"
    )]
    pub color: Color,
    /// No progress bar
    #[arg(
        long,
        global = true,
        env = "SYNOD_NO_PROGRESS",
        value_parser = FalseyValueParser::new(),
        help_heading = "Everywhere",
    )]
    pub no_progress: bool,
}

/// When to use colours.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Also elsewhere.
    Always,
    /// Nowhere.
    Never,
}

/// The form of what goes to standard output.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// A line of JSON a run, or a bug that is hunted.
    Jsonl,
}

/// The JSON of this, as one document or on one line.
#[must_use]
pub fn document(of: &impl Serialize, format: Format) -> String {
    let text = match format {
        Format::Jsonl => serde_json::to_string(of),
        Format::Human | Format::Json => serde_json::to_string_pretty(of),
    };
    text.expect("plain data") + "\n"
}

/// The effective scenario beyond its file.
#[derive(Args, Clone, Debug, Default)]
pub struct RunOptions {
    /// The engine under test
    #[arg(long, env = "SYNOD_SUBJECT", value_name = "NAME")]
    pub subject: Option<String>,
    /// Plant a bug (see `synod bugs list`)
    #[arg(long, env = "SYNOD_BUG", value_name = "NAME")]
    pub bug: Option<String>,
    /// Who judges: all, or only what a client can see [default: the reproducer's, or all]
    #[arg(long, env = "SYNOD_CHECKS", value_enum, value_name = "JUDGES")]
    pub checks: Option<Judges>,
    /// Only this check judges, or these; contracts are off unless `contract` is one of them
    #[arg(
        long,
        env = "SYNOD_ONLY",
        value_name = "CHECKER",
        value_delimiter = ','
    )]
    pub only: Vec<String>,
    /// Override a value of the scenario, like network.loss=5%
    #[arg(
        long,
        env = "SYNOD_SET",
        value_name = "KEY=VALUE",
        value_delimiter = ';',
        value_parser = assignment,
    )]
    pub set: Vec<String>,
    /// Let links between replicas lose, double, damage and reorder messages, whatever the subject
    /// relies on
    #[arg(long, env = "SYNOD_BEYOND_CONTRACT", value_parser = FalseyValueParser::new())]
    pub beyond_contract: bool,
    /// How choices are made [default: as the scenario says, or at random]
    #[arg(long, env = "SYNOD_STRATEGY", value_enum, value_name = "NAME")]
    pub strategy: Option<Strategy>,
}

impl RunOptions {
    /// Settings with these options.
    #[must_use]
    pub fn settings(&self, scenarios: Vec<String>) -> Settings {
        Settings {
            scenarios,
            set: self
                .set
                .iter()
                .cloned()
                .chain(self.beyond_contract.then(|| BEYOND_CONTRACT.to_owned()))
                .collect(),
            only: Jury::only(&self.only),
            judges: self.checks,
            subject: self.subject.clone(),
            bug: self.bug.clone(),
            strategy: self.strategy,
            ..Settings::default()
        }
    }
}

/// How runs are made.
#[derive(Args, Clone, Debug)]
pub struct WorkOptions {
    /// Worker processes [default: one for each core]
    #[arg(long, short, env = "SYNOD_JOBS", value_name = "N", value_parser = units::workers)]
    pub jobs: Option<NonZero<usize>>,
    /// A run that takes more CPU time than this counts as a hang, and so does one that waits for ten
    /// times as long
    #[arg(
        long,
        env = "SYNOD_HANG_AFTER",
        value_name = "TIME",
        value_parser = units::duration,
        default_value = "2m",
    )]
    pub hang_after: Duration,
    /// Run in this process, for a debugger: a crash then ends everything
    #[arg(long, env = "SYNOD_IN_PROCESS", value_parser = FalseyValueParser::new())]
    pub in_process: bool,
}

impl WorkOptions {
    /// The number of workers.
    #[must_use]
    pub fn jobs(&self) -> usize {
        jobs(self.jobs)
    }

    /// Where runs are made.
    ///
    /// # Errors
    /// When this program cannot find itself to start workers.
    pub fn place<'a>(&self, source: &'a mut dyn Source) -> Result<Place<'a>, String> {
        if self.in_process {
            return Ok(Place::Here(source));
        }
        let program: PathBuf = std::env::current_exe().map_err(|error| {
            format!(
                "this program does not find itself to start workers ({error}); use --in-process"
            )
        })?;
        Ok(Place::Children(program, vec!["worker".to_owned()]))
    }
}

/// So many workers, or one for each core.
#[must_use]
pub fn jobs(asked: Option<NonZero<usize>>) -> usize {
    asked
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZero::get)
}

fn assignment(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((key, _)) if !key.trim().is_empty() => Ok(text.to_owned()),
        _ => Err(
            "say KEY=VALUE, with the key's place in the scenario: --set network.loss=5%".to_owned(),
        ),
    }
}
