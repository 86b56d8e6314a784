//! `synod crash-points`: a short run is struck at every boundary of what its replicas ask for.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use synod_reports::table::{self, grouped};

use crate::choices::strike::Blow;
use crate::cli::exit;
use crate::cli::options::{Format, Global, RunOptions, document};
use crate::cli::terminal::{self, fail, invocation, print, quoted, say};
use crate::run::RunSpec;
use crate::run::crash_points::{ALL_SUBSETS_UP_TO, Bounds, Crossed, Found, Survey, crash_points};
use crate::sweep::cost::cpu_of_this;
use crate::sweep::file::put;
use crate::sweep::job::{origin_of, spec_of};
use crate::sweep::settings::{Judges, Settings, Target};
use crate::sweep::shelf;
use crate::sweep::source::Source;
use crate::world::watch::Window;

/// What is walked when nothing is named.
const USUAL: &str = "storage/crash-points";

/// Arguments of `crash-points`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  synod crash-points                                       the run that is made for it
  synod crash-points --bug accepted-before-fsync --max-fail 1
  synod crash-points --bug fsync-retry-trusted --checks client --max-fail 1
  synod crash-points storage/crash-points --subject abd --limit 20000
  synod crash-points smoke/healthy-3 --seed 7 --limit 500 --format json

A quiet run is walked event by event. After each thing that a replica sends or asks of its disk, \
and after each change of its disk has ended, it is struck in a fork: killed, without power, \
without power together with all others, and each operation of its disk fails once. Of what no sync \
covers every subset survives once, of more than four things nothing, everything, each alone and \
each one missing. All checks judge what becomes of it. A failure leaves a reproducer, which \
`synod replay` runs.

The ledger names each operation under way and each time between two, by class of files, and says \
how often it was struck by what. Exit 3 when the budget of forks did not suffice.")]
pub struct CrashPointsArgs {
    /// The scenario
    #[arg(value_name = "SCENARIO", default_value = USUAL)]
    scenario: String,
    /// Its seed
    #[arg(long, env = "SYNOD_SEED", value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Forks at most
    #[arg(
        long,
        env = "SYNOD_LIMIT",
        value_name = "N",
        default_value_t = 50_000,
        value_parser = clap::value_parser!(u64).range(1..),
    )]
    limit: u64,
    /// End after so many ways to fail
    #[arg(
        long,
        env = "SYNOD_MAX_FAIL",
        value_name = "N",
        default_value_t = 20,
        value_parser = clap::value_parser!(u64).range(1..),
    )]
    max_fail: u64,
    /// Where reproducers go
    #[arg(
        long,
        short,
        env = "SYNOD_OUT",
        value_name = "DIR",
        default_value = "target/synod/crash-points"
    )]
    out: PathBuf,
    /// The form of what goes to standard output
    #[arg(long, env = "SYNOD_FORMAT", value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    run: RunOptions,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &CrashPointsArgs, global: &Global) -> u8 {
    let settings = arguments.run.settings(vec![arguments.scenario.clone()]);
    if settings.strategy.is_some() {
        let message = "--strategy has no effect here: a run is struck at every boundary, and draws \
                       nothing; leave it out (or unset SYNOD_STRATEGY)";
        return fail(exit::USAGE, message);
    }
    let (source, spec, judges) = match planned(&settings, arguments) {
        Ok(planned) => planned,
        Err(message) => return fail(exit::USAGE, &message),
    };
    let bounds = Bounds {
        forks: arguments.limit,
        failures: arguments.max_fail,
    };
    let began = cpu_of_this();
    let bar = terminal::progress(global, None);
    let survey = crash_points(&spec, bounds, &mut |survey| bar.set_position(survey.forks));
    bar.finish_and_clear();
    let Some(survey) = survey else {
        return fail(
            exit::USAGE,
            &format!("there is no subject {:?}", spec.subject),
        );
    };
    let spent = cpu_of_this()
        .zip(began)
        .map(|(now, then)| now.saturating_sub(then).as_secs_f64());
    let seconds = spent.unwrap_or_default();
    match arguments.format {
        Format::Human => print(&text(&survey, seconds)),
        format @ (Format::Json | Format::Jsonl) => {
            print(&document(&value(&survey, seconds), format));
        }
    }
    for found in &survey.found {
        match write(source.as_ref(), &spec, judges, found, arguments) {
            Ok(line) => say(&line),
            Err(message) => return fail(exit::HARNESS, &message),
        }
    }
    if let Some(strike) = survey.nondeterministic.first() {
        let message =
            format!("struck at {strike}, a fork ended in one way and a straight line in another");
        return fail(exit::NONDETERMINISTIC, &message);
    }
    if !survey.found.is_empty() {
        exit::FAILED
    } else if survey.forks == 0 {
        fail(exit::VACUOUS, "no replica was struck")
    } else if survey.left_out > 0 {
        let message = format!(
            "{} strikes were left out: raise --limit",
            grouped(survey.left_out)
        );
        fail(exit::INCONCLUSIVE, &message)
    } else if survey.undecided > 0 {
        fail(
            exit::INCONCLUSIVE,
            "no check could decide some of the forks",
        )
    } else {
        exit::PASSED
    }
}

type Planned = (Box<dyn Source>, RunSpec, Judges);

fn planned(settings: &Settings, arguments: &CrashPointsArgs) -> Result<Planned, String> {
    let selection = shelf::select(settings)?;
    let [name] = selection.names.as_slice() else {
        return Err(format!("`{}` is not one scenario", arguments.scenario));
    };
    let mut source = shelf::open(settings)?;
    let drawn = source.plan(&Target::Scenario(name.clone(), arguments.seed))?;
    let (spec, judges) = spec_of(settings, drawn);
    Ok((source, spec, judges))
}

/// Writes the reproducer, and says what was found and how to run it.
fn write(
    source: &dyn Source,
    spec: &RunSpec,
    judges: Judges,
    found: &Found,
    arguments: &CrashPointsArgs,
) -> Result<String, String> {
    let mut plan = spec.plan.clone();
    plan.strikes.clone_from(&found.strikes);
    let origin = origin_of(spec, judges, &found.record);
    let folder = arguments.out.join(found.fingerprint());
    let path = folder.join("repro.toml");
    let written =
        std::fs::create_dir_all(&folder).and_then(|()| put(&path, source.pin(&plan, &origin)));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    let mut out = format!(
        "{}: {}\n",
        found.record.check.as_deref().unwrap_or("failed"),
        found.record.message.as_deref().unwrap_or_default()
    );
    for strike in &found.strikes {
        out.push_str(&format!("  struck at {strike}\n"));
    }
    out.push_str(&format!(
        "  fork {} was the first of {} that fail so\nReproduce with: {} replay {}",
        grouped(found.forks),
        grouped(found.count),
        invocation(),
        quoted(&path.to_string_lossy())
    ));
    Ok(out)
}

fn text(survey: &Survey, seconds: f64) -> String {
    let heading = [
        "window", "seen", "kill", "power", "outage", "kept", "fails", "dark",
    ];
    let row = |(window, crossed): (&Window, &Crossed)| {
        let counts = [crossed.seen].into_iter().chain(crossed.blows).map(grouped);
        let name = [window.to_string()].into_iter();
        name.chain(counts)
            .chain([dark(crossed).unwrap_or_default()])
            .collect()
    };
    let rows: Vec<Vec<String>> = survey.windows.iter().map(row).collect();
    let mut out = table::plain(&heading, &rows);
    out.push_str(&format!(
        "{} runs walked, {} boundaries found, {} more with nothing new since one that was\n",
        grouped(survey.walked),
        grouped(survey.points),
        grouped(survey.same)
    ));
    out.push_str(&format!(
        "{} deaths with something unsynced, at most {} things; {} with more than {}, of which a \
         sample survives\n",
        grouped(survey.loose),
        survey.loosest,
        grouped(survey.sampled),
        ALL_SUBSETS_UP_TO
    ));
    let blows = Blow::ALL.iter().zip(survey.blows);
    let blows: Vec<String> = blows
        .map(|(blow, times)| format!("{} {}", blow.name(), grouped(times)))
        .collect();
    out.push_str(&format!(
        "{} forks ({}) in {seconds:.1} CPU seconds; {} left out, {} undecided; {} ways to fail\n",
        grouped(survey.forks),
        blows.join(", "),
        grouped(survey.left_out),
        grouped(survey.undecided),
        survey.found.len()
    ));
    out
}

/// Why no blow fell into a window, if none did.
fn dark(crossed: &Crossed) -> Option<String> {
    if crossed.blows.iter().any(|times| *times > 0) {
        return None;
    }
    Some(match crossed.after.as_slice() {
        [] => "no boundary in it was struck".to_owned(),
        [.., last] => format!(
            "came only after {} strikes, the last at {last}, and nothing was walked from there",
            crossed.after.len()
        ),
    })
}

fn value(survey: &Survey, seconds: f64) -> Value {
    let blows = |blows: &[u64]| -> Value {
        let named = Blow::ALL.iter().zip(blows);
        named
            .map(|(blow, times)| (blow.name().to_owned(), json!(times)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let window = |(window, crossed): (&Window, &Crossed)| {
        json!({
            "window": window.to_string(),
            "class": window.class.to_string(),
            "seen": crossed.seen,
            "blows": blows(&crossed.blows),
            "only_after": crossed.after,
            "dark": dark(crossed),
        })
    };
    let found = |found: &Found| {
        json!({
            "fingerprint": found.fingerprint(),
            "check": found.record.check,
            "message": found.record.message,
            "strikes": found.strikes,
            "forks": found.forks,
            "count": found.count,
        })
    };
    json!({
        "walked": survey.walked,
        "points": survey.points,
        "same": survey.same,
        "forks": survey.forks,
        "blows": blows(&survey.blows),
        "sampled": survey.sampled,
        "left_out": survey.left_out,
        "undecided": survey.undecided,
        "cpu_seconds": seconds,
        "windows": survey.windows.iter().map(window).collect::<Vec<_>>(),
        "failures": survey.found.iter().map(found).collect::<Vec<_>>(),
    })
}
