//! `synod scenario try`: what a scenario does, an author's first question.

use std::time::{Duration, Instant};

use clap::Args;
use synod_reports::table::{self, count, grouped};

use crate::cli::exit;
use crate::cli::options::{Format, Global, WorkOptions, document};
use crate::cli::terminal::{self, fail, invocation, print, quoted, warn};
use crate::cli::units;
use crate::subject::bug_card::{bugs, unknown};
use crate::sweep::pool::{Broken, Place};
use crate::sweep::seeds::{Seeds, SeedsArgument};
use crate::sweep::settings::Settings;
use crate::sweep::shelf;
use crate::sweep::source::Selection;
use crate::sweep::trials::Trials;
use crate::sweep::tryout::{Plan, Tryout, tryout};

/// What `--bugs` says when nothing is said.
const ALL: &str = "all";

/// Plants no bug.
const NONE: &str = "none";

/// Arguments of `scenario try`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  synod scenario try safety/stale-read
  synod scenario try scenarios/safety/my-idea.toml --seeds 0..200 --bugs none
  synod scenario try safety/weather-3 --bugs accept-below-promise --bug-seeds 20
  synod scenario try storage/torn-tail --format json

Each seed runs honestly, and once more without each kind of fault that it has: where the two come \
out alike, the fault changed nothing. Then each planted bug is tried in the first few seeds, until \
a check catches it; a bug that is not caught there may be in more seeds, which `synod hunt \
--scenario` measures.

Exit 1 when an honest run failed; 4 when a fault changed nothing in any run, or a milestone that \
the scenario asks for never came.")]
pub struct TryArgs {
    /// A file, or a name such as safety/weather-3
    scenario: String,
    /// The seeds of the honest runs
    #[arg(
        long,
        env = "SYNOD_SEEDS",
        value_name = "A..B",
        default_value = "0..20",
        allow_hyphen_values = true
    )]
    seeds: SeedsArgument,
    /// The bugs that are planted: all, none, or names
    #[arg(
        long,
        env = "SYNOD_BUGS",
        value_name = "BUG",
        value_delimiter = ',',
        default_value = ALL
    )]
    bugs: Vec<String>,
    /// Each bug is tried in so many seeds, until it is caught
    #[arg(
        long,
        env = "SYNOD_BUG_SEEDS",
        value_name = "N",
        default_value_t = 3,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000),
    )]
    bug_seeds: u64,
    /// No further bug is tried after this time
    #[arg(
        long,
        env = "SYNOD_TIME",
        value_name = "TIME",
        value_parser = units::duration,
        default_value = "2m"
    )]
    time: Duration,
    /// The engine under test [default: the scenario's]
    #[arg(long, env = "SYNOD_SUBJECT", value_name = "NAME")]
    subject: Option<String>,
    /// Override a value: cluster.replicas=5
    #[arg(
        long = "set",
        value_name = "KEY=VALUE",
        env = "SYNOD_SET",
        value_delimiter = ';'
    )]
    sets: Vec<String>,
    /// The form of what goes to standard output
    #[arg(long, env = "SYNOD_FORMAT", value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    work: WorkOptions,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &TryArgs, global: &Global) -> u8 {
    let plan = match plan(arguments) {
        Ok(plan) => plan,
        Err(message) => return fail(exit::USAGE, &message),
    };
    let halt = terminal::interrupts();
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
    let all = match tryout(&plan, &mut trials) {
        Ok(all) => all,
        Err(Broken(reason)) => return fail(exit::HARNESS, &reason),
    };
    match arguments.format {
        Format::Human => print(&text(&all, &plan, global.verbose > 0)),
        format @ (Format::Json | Format::Jsonl) => print(&document(&all, format)),
    }
    if !all.untried.is_empty() {
        warn(&format!(
            "there was no time for {}: raise --time",
            count(all.untried.len() as u64, "bug")
        ));
    }
    status(
        &all,
        halt.load(std::sync::atomic::Ordering::Relaxed),
        arguments,
    )
}

fn plan(arguments: &TryArgs) -> Result<Plan, String> {
    let settings = Settings {
        scenarios: vec![arguments.scenario.clone()],
        set: arguments.sets.clone(),
        subject: arguments.subject.clone(),
        ..Settings::default()
    };
    let selection = shelf::select(&settings)?;
    let scenario = only(&arguments.scenario, &selection)?;
    let subject = shelf::subject_name(&settings, &scenario)?;
    let milestones = selection
        .demands
        .get(&scenario)
        .map_or_else(Vec::new, |demand| demand.milestones.clone());
    let seeds = match arguments.seeds {
        SeedsArgument::Range(seeds) => seeds,
        SeedsArgument::Random(count) => Seeds {
            start: 0,
            end: count,
        },
    };
    Ok(Plan {
        bugs: planted(&arguments.bugs, subject)?,
        settings,
        scenario,
        seeds,
        bug_seeds: arguments.bug_seeds,
        milestones,
        until: Instant::now().checked_add(arguments.time),
    })
}

fn only(argument: &str, selection: &Selection) -> Result<String, String> {
    match (selection.names.as_slice(), selection.once.as_slice()) {
        ([name], []) => Ok(name.clone()),
        ([], [_]) => Err(format!(
            "`{argument}` is a reproducer, which is one run: `{} replay {}` runs it",
            invocation(),
            quoted(argument)
        )),
        _ => Err(format!(
            "`{argument}` holds several scenarios: name one of them"
        )),
    }
}

/// The bugs that are meant, in the order of the list.
fn planted(words: &[String], subject: &str) -> Result<Vec<String>, String> {
    let all = bugs(subject);
    match words {
        [word] if word == NONE => return Ok(Vec::new()),
        [word] if word == ALL => return Ok(all.into_iter().map(|card| card.name).collect()),
        _ => {}
    }
    for word in words {
        if !all.iter().any(|card| card.name == *word) {
            return Err(unknown(subject, word));
        }
    }
    Ok(words.to_vec())
}

fn status(all: &Tryout, halted: bool, arguments: &TryArgs) -> u8 {
    let (unfelt, unreached) = (all.unfelt(), all.unreached());
    if let Some(failed) = all.failed.first() {
        let message = format!(
            "{} of {} failed: look at the first with `{} replay {} --seed {} -v`",
            all.failed.len(),
            count(all.runs, "run"),
            invocation(),
            quoted(&arguments.scenario),
            failed.seed
        );
        fail(exit::FAILED, &message)
    } else if halted {
        exit::INTERRUPTED
    } else if !unfelt.is_empty() {
        let message = format!(
            "these changed nothing in any run: {}; let them last longer, or strike what is in use",
            unfelt.join(", ")
        );
        fail(exit::VACUOUS, &message)
    } else if !unreached.is_empty() {
        let message = format!(
            "these milestones are asked for and never came: {}; try more seeds, or more faults",
            unreached.join(", ")
        );
        fail(exit::VACUOUS, &message)
    } else if all.runs == 0 {
        fail(exit::VACUOUS, "nothing ran")
    } else {
        exit::PASSED
    }
}

fn text(all: &Tryout, plan: &Plan, verbose: bool) -> String {
    let verdicts: Vec<String> = all
        .verdicts
        .iter()
        .map(|(verdict, runs)| format!("{} {verdict}", grouped(*runs)))
        .collect();
    let mut out = format!(
        "{} of {}, seeds {}: {}; {} distinct\n",
        count(all.runs, "run"),
        all.scenario,
        plan.seeds,
        verdicts.join(", "),
        grouped(all.distinct)
    );
    for failed in all.failed.iter().take(5) {
        out.push_str(&format!(
            "  seed {}: `{}` {}\n",
            failed.seed,
            failed.check.as_deref().unwrap_or_default(),
            first_line(failed.message.as_deref())
        ));
    }
    if all.faults.is_empty() {
        out.push_str("no faults\n");
    } else {
        let rows: Vec<Vec<String>> = all
            .faults
            .iter()
            .map(|(kind, felt)| {
                let changed = if felt.compared > 0 {
                    grouped(felt.changed)
                } else {
                    "cannot be left out".to_owned()
                };
                vec![
                    kind.clone(),
                    grouped(felt.runs),
                    grouped(felt.took_effect),
                    grouped(felt.times),
                    changed,
                ]
            })
            .collect();
        let heading = [
            "fault",
            "in runs",
            "took effect in",
            "times",
            "changed the run in",
        ];
        out.push_str(&table::plain(&heading, &rows));
    }
    let milestones: Vec<String> = all
        .milestones
        .iter()
        .map(|(name, runs)| format!("{name} {}", grouped(*runs)))
        .collect();
    out.push_str(&format!("milestones (runs): {}\n", or_none(&milestones)));
    out.push_str(&bugs_text(all, plan, verbose));
    out
}

fn bugs_text(all: &Tryout, plan: &Plan, verbose: bool) -> String {
    let tried = all.caught.len() + all.missed.len();
    if tried == 0 {
        return "no bug was tried\n".to_owned();
    }
    let caught: Vec<String> = all
        .caught
        .iter()
        .map(|one| {
            let check = one.check.as_deref().unwrap_or("a check");
            format!("{} ({check}, seed {})", one.bug, one.seed)
        })
        .collect();
    let mut out = format!(
        "catches {} of {} planted in up to {} each: {}\n",
        grouped(caught.len() as u64),
        count(tried as u64, "bug"),
        count(plan.bug_seeds.min(all.runs), "seed"),
        or_none(&caught)
    );
    let idle = all.missed.iter().filter(|one| one.triggered == 0).count();
    if !all.missed.is_empty() {
        out.push_str(&format!(
            "misses {}, of which {} changed nothing that the engine did{}\n",
            grouped(all.missed.len() as u64),
            grouped(idle as u64),
            if verbose { ":" } else { "; -v names them" }
        ));
    }
    for missed in all.missed.iter().filter(|_| verbose) {
        out.push_str(&format!(
            "  {}: {}, reached in {}, had an effect in {}\n",
            missed.bug,
            count(missed.runs, "run"),
            grouped(missed.reached),
            grouped(missed.triggered)
        ));
    }
    out
}

fn or_none(list: &[String]) -> String {
    if list.is_empty() {
        "none".to_owned()
    } else {
        list.join(", ")
    }
}

fn first_line(message: Option<&str>) -> &str {
    message
        .and_then(|message| message.lines().next())
        .unwrap_or_default()
}
