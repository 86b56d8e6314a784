//! `synod diff`: the same runs over two subjects or two builds, and where clients would see another
//! thing.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clap::Args;
use synod_reports::difference::Difference;
use synod_reports::record::{RunRecord, Verdict};

use crate::cli::exit;
use crate::cli::look;
use crate::cli::options::{Format, Global, RunOptions, WorkOptions, document};
use crate::cli::replay::replayed;
use crate::cli::terminal::{self, fail, invocation, print, say};
use crate::cli::which::{Which, options_of};
use crate::subject::bug_card::{bugs, unknown};
use crate::sweep::folder;
use crate::sweep::pool::Place;
use crate::sweep::seeds::SeedsArgument;
use crate::sweep::settings::{Judges, Keep, Settings, Target};
use crate::sweep::shelf;
use crate::sweep::trials::Trials;
use crate::trace::tale::{Depth, Line};

/// Arguments of `diff`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  synod diff synod abd --seeds 0..200
  synod diff synod synod+ack-before-sync safety/weather-3 --seeds 0..100
  synod diff target/synod/before target/synod/after      two builds: the folders of their sweeps

Clients see another thing when a run ends otherwise, or when any of them asks or hears another thing \
in its own order, whatever the time. Subjects are judged by what clients see alone, and folders as \
they were swept (--checks client). Exit status 1 when clients see another thing in some run.")]
pub struct DiffArgs {
    /// A subject, a subject with a planted bug as SUBJECT+BUG, or the folder of a sweep
    a: String,
    /// What it is compared with
    b: String,
    /// Scenarios, folders of them or files [default: the mix]
    scenarios: Vec<String>,
    /// Seeds: 0..1000, or 7 [default: 0..500]
    #[arg(
        long,
        env = "SYNOD_SEEDS",
        value_name = "SEEDS",
        allow_hyphen_values = true
    )]
    seeds: Option<SeedsArgument>,
    /// Override a value of the scenarios, like network.loss=5%
    #[arg(
        long,
        env = "SYNOD_SET",
        value_name = "KEY=VALUE",
        value_delimiter = ';'
    )]
    set: Vec<String>,
    /// The form of what goes to standard output
    #[arg(long, env = "SYNOD_FORMAT", value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    work: WorkOptions,
}

/// So many seeds, unless it is said.
const SEEDS: u64 = 500;

/// What is compared.
enum Side {
    /// Runs that were made before.
    Folder(PathBuf),
    /// Runs that are to be made.
    Subject(RunOptions),
}

impl Side {
    fn of(text: &str, set: &[String]) -> Result<Self, String> {
        let path = Path::new(text);
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let (subject, bug) = match text.split_once('+') {
            Some((subject, bug)) => (subject, Some(bug)),
            None => (text, None),
        };
        shelf::check_subject(subject)
            .map_err(|message| format!("{message}, and no folder `{text}`"))?;
        if let Some(bug) = bug
            && !bugs(subject).iter().any(|card| card.name == bug)
        {
            return Err(unknown(subject, bug));
        }
        Ok(Self::Subject(RunOptions {
            subject: Some(subject.to_owned()),
            bug: bug.map(str::to_owned),
            // A check of what is inside would end a run before its clients see anything.
            checks: Some(Judges::Client),
            set: set.to_vec(),
            ..RunOptions::default()
        }))
    }
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &DiffArgs, global: &Global) -> u8 {
    let halt = terminal::interrupts();
    let runs = match runs(arguments, global) {
        Ok(runs) => runs,
        Err(message) => return fail(exit::USAGE, &message),
    };
    if halt.load(Ordering::Relaxed) {
        return exit::INTERRUPTED;
    }
    let names = [&arguments.a[..], &arguments.b[..]];
    let difference = Difference::of(names, [&runs[0], &runs[1]]);
    if difference.runs == 0 {
        return fail(exit::VACUOUS, "the two sides have no run in common");
    }
    match arguments.format {
        Format::Human => {
            print(&difference.to_string());
            if let Some(worst) = difference.worst.first() {
                match parting(arguments, &worst.scenario, worst.seed) {
                    Ok(text) => print(&text),
                    Err(message) => say(&message),
                }
            }
        }
        format @ (Format::Json | Format::Jsonl) => print(&document(&difference, format)),
    }
    if difference.parted == 0 {
        exit::PASSED
    } else {
        exit::FAILED
    }
}

/// The runs of both sides.
fn runs(arguments: &DiffArgs, global: &Global) -> Result<[Vec<RunRecord>; 2], String> {
    let (a, b) = (
        Side::of(&arguments.a, &arguments.set)?,
        Side::of(&arguments.b, &arguments.set)?,
    );
    let is_given = !arguments.scenarios.is_empty() || arguments.seeds.is_some();
    match (&a, &b) {
        (Side::Folder(a), Side::Folder(b)) if is_given => Err(format!(
            "{} and {} are runs that were made: leave scenarios and --seeds out",
            a.display(),
            b.display()
        )),
        (Side::Folder(a), Side::Folder(b)) => Ok([read(a)?, read(b)?]),
        (Side::Folder(a), Side::Subject(b)) => {
            let before = read(a)?;
            let after = made_again(arguments, global, b, &before)?;
            Ok([before, after])
        }
        (Side::Subject(a), Side::Folder(b)) => {
            let before = read(b)?;
            let after = made_again(arguments, global, a, &before)?;
            Ok([after, before])
        }
        (Side::Subject(a), Side::Subject(b)) => {
            let before = made(arguments, global, a)?;
            let after = made_again(arguments, global, b, &before)?;
            Ok([before, after])
        }
    }
}

fn read(path: &Path) -> Result<Vec<RunRecord>, String> {
    folder::read_info(path)?;
    let lines = folder::read_results(path)?;
    let records: Vec<RunRecord> = lines.into_iter().map(|line| line.record).collect();
    // Of a run that was lost nothing is known but that.
    let is_lost = |record: &&RunRecord| record.verdict == Verdict::Lost;
    if records
        .iter()
        .any(|record| record.service.is_none() && !is_lost(&record))
    {
        return Err(format!(
            "{}: the build that made it did not keep what clients saw; sweep anew",
            path.display()
        ));
    }
    Ok(records)
}

/// The runs that were asked for.
fn made(
    arguments: &DiffArgs,
    global: &Global,
    options: &RunOptions,
) -> Result<Vec<RunRecord>, String> {
    let settings = options.settings(arguments.scenarios.clone());
    let seeds = match arguments.seeds {
        Some(seeds) => seeds.resolve(0),
        None => crate::sweep::seeds::Seeds {
            start: 0,
            end: SEEDS,
        },
    };
    let names = if arguments.scenarios.is_empty() {
        Vec::new()
    } else {
        shelf::select(&settings)?.names
    };
    let targets: Vec<Target> = (seeds.start..seeds.end)
        .flat_map(|seed| {
            let named = names
                .iter()
                .map(move |name| Target::Scenario(name.clone(), seed));
            let mix = names.is_empty().then_some(Target::Mix(seed));
            named.chain(mix).collect::<Vec<_>>()
        })
        .collect();
    make(arguments, global, &settings, &targets)
}

/// The same runs as those, as far as the subject can make them.
fn made_again(
    arguments: &DiffArgs,
    global: &Global,
    options: &RunOptions,
    others: &[RunRecord],
) -> Result<Vec<RunRecord>, String> {
    let able = shelf::select(&options.settings(arguments.scenarios.clone()))?.names;
    let able: BTreeSet<&str> = able.iter().map(String::as_str).collect();
    let both = || {
        others
            .iter()
            .filter(|record| able.contains(&record.scenario[..]))
    };
    let names: BTreeSet<&str> = both().map(|record| &record.scenario[..]).collect();
    let settings = options.settings(names.into_iter().map(str::to_owned).collect());
    let targets: Vec<Target> = both()
        .map(|record| Target::Scenario(record.scenario.clone(), record.seed))
        .collect();
    make(arguments, global, &settings, &targets)
}

fn make(
    arguments: &DiffArgs,
    global: &Global,
    settings: &Settings,
    targets: &[Target],
) -> Result<Vec<RunRecord>, String> {
    let mut records = Vec::with_capacity(targets.len());
    if targets.is_empty() {
        return Ok(records);
    }
    let halt = terminal::interrupts();
    let bar = terminal::progress(global, Some(targets.len() as u64));
    let mut place = |settings: &Settings| -> Result<Place<'static>, String> {
        // In this process the source lives as long as the command.
        let source = shelf::open(settings)?;
        arguments.work.place(Box::leak(source))
    };
    let mut trials = Trials {
        jobs: arguments.work.jobs(),
        hang_after: arguments.work.hang_after,
        halt: &halt,
        place: &mut place,
    };
    let done = trials.make(settings, targets.iter().cloned(), &mut |_, line, _| {
        records.push(line.record);
        bar.set_position(records.len() as u64);
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    done.map_err(|broken| broken.0)?;
    Ok(records)
}

/// Where clients begin to see another thing in this run.
fn parting(arguments: &DiffArgs, scenario: &str, seed: u64) -> Result<String, String> {
    let which = Which {
        target: scenario.to_owned(),
        seed: Some(seed),
    };
    let mut sides = Vec::new();
    for name in [&arguments.a, &arguments.b] {
        match Side::of(name, &arguments.set)? {
            Side::Folder(_) => {
                return Err(format!(
                    "To see where they part, run `{} replay {} -v` with each build",
                    invocation(),
                    which.named(&RunOptions::default())
                ));
            }
            Side::Subject(options) => {
                let run = replayed(&which, &options, &arguments.work, Keep::Story)?;
                let named = format!(
                    "{scenario} --seed {seed}{}",
                    options_of(&options.settings(Vec::new()))
                );
                sides.push((named, run.report.tale));
            }
        }
    }
    let is_of_client = |line: &Line| {
        let first = line.about.nodes.first();
        line.depth == Depth::Story && first.is_some_and(|name| name.starts_with('c'))
    };
    let [(one, tale), (two, other)] = &sides[..] else {
        return Ok(String::new());
    };
    // When it happens counts for nothing.
    let same = |one: &Line, other: &Line| one.text == other.text;
    let parting = look::parting((one, tale), (two, other), is_of_client, same);
    Ok(format!(
        "\nWhat clients see in {scenario} seed {seed}:{parting}"
    ))
}
