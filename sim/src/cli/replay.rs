//! `synod replay`: one run again, with everything recorded.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use synod_reports::record::{NO_DIGEST, RunRecord, Verdict};
use synod_reports::table::{duration, grouped};

use crate::build;
use crate::check::jury::Jury;
use crate::cli::card::card;
use crate::cli::exit;
use crate::cli::look::{self, Look};
use crate::cli::narrow::Narrow;
use crate::cli::options::{Format, Global, RunOptions, WorkOptions, document};
use crate::cli::terminal::{self, fail, invocation, print, say, warn};
use crate::cli::which::Which;
use crate::sweep::file::put;
use crate::sweep::folder::PAGE;
use crate::sweep::job::Report;
use crate::sweep::pool::{Broken, Pool};
use crate::sweep::settings::{Item, Keep};
use crate::sweep::source::Origin;
use crate::trace::tale::{Depth, Line, text_of};

/// Arguments of `replay`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  synod replay target/synod/latest/failures/agreement-1a2b3c4d/repro.toml
  synod replay safety/stale-read --seed 7 -v          tell what happens, with virtual times
  synod replay safety/stale-read --seed 7 -vv         every message and sync too
  synod replay safety/stale-read --seed 7 --slot 3 --node r2
  synod replay safety/stale-read --seed 7 --kind accepted --from 1s --until '#900'
  synod replay safety/stale-read --seed 7 --break 'r2 leads'     up to there, and the replicas then
  synod replay safety/stale-read --seed 7 --state 1200ms --from 1s       what changed in between
  synod replay safety/stale-read --seed 7 --diff 8 --kind leads          where two runs part
  synod replay safety/stale-read --seed 7 --checks client
  synod replay safety/stale-read --seed 7 --bug accept-below-promise --out /tmp/run

A reproducer of the same build must give the digest that it had: exit 5 when it does not. One of \
another build is judged by its check alone.")]
pub struct ReplayArgs {
    #[command(flatten)]
    which: Which,
    /// Write report.html, history.jsonl, tale.txt and repro.toml into this folder
    #[arg(long, short, env = "SYNOD_OUT", value_name = "DIR")]
    out: Option<PathBuf>,
    /// The form of what goes to standard output
    #[arg(long, env = "SYNOD_FORMAT", value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    narrow: Narrow,
    #[command(flatten)]
    look: Look,
    #[command(flatten)]
    pub(super) run: RunOptions,
    #[command(flatten)]
    work: WorkOptions,
}

/// How the digest compares with the reproducer's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Compared {
    /// The reproducer had the same digest, and failed the same check.
    Same,
    /// It had another, or failed another: nondeterminism.
    Other,
    /// The reproducer is of another build, or options changed the run.
    Incomparable,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    record: &'a RunRecord,
    reproducer: Option<&'a Origin>,
    compared: Option<Compared>,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &ReplayArgs, global: &Global) -> u8 {
    let keep = if arguments.out.is_some() {
        Keep::Everything
    } else {
        Keep::Story
    };
    let replayed = match replayed(&arguments.which, &arguments.run, &arguments.work, keep) {
        Ok(replayed) => replayed,
        Err(message) => return fail(exit::USAGE, &message),
    };
    let Replayed {
        report,
        named,
        again,
    } = &replayed;
    let record = &report.line.record;
    let compared = compared(report, &arguments.run);
    match arguments.format {
        Format::Human => {
            match looked(arguments, report, global.verbose) {
                Ok(seen) => print(&seen),
                Err(message) => return fail(exit::USAGE, &message),
            }
            print(&text(
                record,
                compared,
                report.origin.as_ref(),
                &arguments.run,
                global,
            ));
            if record.verdict.is_failure() && !global.quiet {
                print(&card(report, again));
            }
        }
        format @ (Format::Json | Format::Jsonl) => {
            let shown = Shown {
                record,
                reproducer: report.origin.as_ref(),
                compared,
            };
            print(&document(&shown, format));
        }
    }
    if let Some(out) = &arguments.out
        && let Err(message) = write(out, report, again)
    {
        return fail(exit::HARNESS, &message);
    }
    if record.verdict.is_failure() && record.verdict != Verdict::Lost {
        say(&format!("Shrink with: {} shrink {named}", invocation()));
        say(&match &arguments.out {
            Some(out) => format!("View: {}", out.join(PAGE).display()),
            None => format!(
                "View: {} trace {named} --as html --out {PAGE}",
                invocation()
            ),
        });
    }
    judged(&replayed, &arguments.run)
}

/// The exit status of a run that was made again.
#[must_use]
pub fn judged(replayed: &Replayed, options: &RunOptions) -> u8 {
    let record = &replayed.report.line.record;
    match (
        exit::of_run(record.verdict, record.check.as_deref()),
        compared(&replayed.report, options),
    ) {
        (exit::HARNESS, _) => exit::HARNESS,
        (_, Some(Compared::Other)) => fail(
            exit::NONDETERMINISTIC,
            "the digest, or the check that failed, is not the reproducer's: nondeterminism",
        ),
        (status, _) => status,
    }
}

/// What is asked for of the story.
///
/// # Errors
/// When it does not come to where it is to end, or there is no run to compare it with.
fn looked(arguments: &ReplayArgs, report: &Report, verbose: u8) -> Result<String, String> {
    let (look, narrow) = (&arguments.look, &arguments.narrow);
    let tale = look.until_break(&report.tale)?;
    // Whoever asks for something in particular sees all of it.
    let deepest = match verbose {
        0 if narrow.is_asked() => Depth::Wire,
        0 | 1 => Depth::Story,
        _ => Depth::Wire,
    };
    let wants = |line: &Line| line.depth <= deepest && narrow.wants(line);
    let mut seen = String::new();
    if let Some(which) = look.other(&arguments.which) {
        let other = replayed(&which, &arguments.run, &arguments.work, Keep::Story)?;
        let named = arguments.which.named(&arguments.run);
        let (one, two) = (
            (&named[..], tale),
            (&other.named[..], &other.report.tale[..]),
        );
        seen.push_str(&look::parting(one, two, wants, Line::eq));
    } else if verbose > 0 || narrow.is_asked() && !look.is_of_states() || look.is_of_story() {
        let lines = tale.iter().filter(|line| wants(line));
        seen.extend(lines.map(|line| format!("{line}\n")));
        if seen.is_empty() && narrow.is_asked() {
            warn("nothing of the story fits what was asked for");
        }
    }
    seen.push_str(&look.states(tale, narrow));
    Ok(seen)
}

/// A run that was made again.
pub struct Replayed {
    /// What it gave.
    pub report: Report,
    /// How it is named: its target and its options.
    pub named: String,
    /// The command that replays it.
    pub again: String,
}

/// Makes the run that is named so, and keeps so much of it.
///
/// # Errors
/// When there is none, or it was interrupted.
pub fn replayed(
    which: &Which,
    options: &RunOptions,
    work: &WorkOptions,
    keep: Keep,
) -> Result<Replayed, String> {
    let (settings, mut source, target) = which.found(options)?;
    source.plan(&target)?;
    let mut place = work.place(source.as_mut())?;
    let halt = terminal::interrupts();
    let pool = Pool {
        settings: &settings,
        jobs: 1,
        hang_after: work.hang_after,
        until: None,
        halt: &halt,
    };
    let mut item = Some(Item {
        number: 0,
        target,
        keep,
    });
    let mut report = None;
    let worked = pool.work(&mut place, &mut || item.take(), &mut |done| {
        report = Some(done);
        ControlFlow::Break(())
    });
    match (worked, report) {
        (Ok(()), Some(report)) => {
            let named = which.named(options);
            Ok(Replayed {
                report,
                again: format!("{} replay {named}", invocation()),
                named,
            })
        }
        (Ok(()), None) => Err("interrupted".to_owned()),
        (Err(Broken(reason)), _) => Err(reason),
    }
}

fn compared(report: &Report, options: &RunOptions) -> Option<Compared> {
    let origin = report.origin.as_ref()?;
    Some(compare(origin, &report.line.record, options))
}

/// Digests are compared only for the same build and the same run.
fn compare(origin: &Origin, record: &RunRecord, options: &RunOptions) -> Compared {
    match obstacle(origin, options) {
        Some(_) => Compared::Incomparable,
        // A file that names no check says nothing of one.
        None if origin.digest == record.digest
            && (origin.check.is_none() || origin.check == record.check) =>
        {
            Compared::Same
        }
        None => Compared::Other,
    }
}

/// Why the digests are not those of the same run, if they are not.
fn obstacle(origin: &Origin, options: &RunOptions) -> Option<&'static str> {
    let is_other =
        |given: &Option<String>, had: Option<&String>| given.is_some() && given.as_ref() != had;
    let other_options = options.strategy.is_some()
        || is_other(&options.subject, Some(&origin.subject))
        || is_other(&options.bug, origin.bug.as_ref())
        || !options.only.is_empty() && Jury::only(&options.only) != origin.only
        || options.checks.is_some_and(|judges| judges != origin.judges)
        || options.beyond_contract
        || !options.set.is_empty();
    if origin.digest == NO_DIGEST {
        Some("the reproducer has none")
    } else if origin.edited {
        Some("the reproducer was edited")
    } else if origin.build != build::identity() {
        Some("the reproducer is of another build")
    } else if other_options {
        Some("these are other options")
    } else {
        None
    }
}

fn text(
    record: &RunRecord,
    compared: Option<Compared>,
    origin: Option<&Origin>,
    options: &RunOptions,
    global: &Global,
) -> String {
    let mut out = format!(
        "{} seed {}: {}\n",
        record.scenario,
        record.seed,
        record.verdict.name()
    );
    if let Some(check) = &record.check {
        out.push_str(&format!("  check    {check}\n"));
    }
    for (number, line) in record
        .message
        .as_deref()
        .unwrap_or_default()
        .lines()
        .enumerate()
    {
        out.push_str(&format!(
            "  {}{line}\n",
            if number == 0 {
                "message  "
            } else {
                "         "
            }
        ));
    }
    for unmatched in &record.unmatched {
        out.push_str(&format!("  never came: {unmatched}\n"));
    }
    let digest = match compared {
        None => "",
        Some(Compared::Same) => " (the reproducer's)",
        Some(Compared::Other) if origin.is_some_and(|origin| origin.digest == record.digest) => {
            " (the reproducer's, and yet another check failed)"
        }
        Some(Compared::Other) => " (NOT the reproducer's)",
        Some(Compared::Incomparable) => {
            let why = origin.and_then(|origin| obstacle(origin, options));
            &format!(" (not compared: {})", why.unwrap_or_default())
        }
    };
    out.push_str(&format!("  digest   {}{digest}\n", record.digest));
    if let Some(check) = origin.and_then(|origin| origin.check.as_ref())
        && record.check.as_ref() != Some(check)
    {
        out.push_str(&format!("  the reproducer failed `{check}`\n"));
    }
    // Of a failing run the card comes behind this, on the same screen.
    let brief = record.verdict.is_failure() && global.verbose == 0;
    if !global.quiet && !brief {
        out.push_str(&format!(
            "  {} messages delivered, {} events, {} client operations, {} simulated\n",
            grouped(record.messages_delivered),
            grouped(record.events),
            grouped(record.client_operations),
            duration(record.virtual_seconds)
        ));
        let counts = |counts: &std::collections::BTreeMap<String, u64>| {
            counts
                .iter()
                .map(|(name, times)| format!("{name} {times}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        for (name, list) in [
            ("faults", &record.faults),
            ("milestones", &record.milestones),
            ("compared by checks", &record.checks),
        ] {
            if !list.is_empty() {
                out.push_str(&format!("  {name}: {}\n", counts(list)));
            }
        }
        if let Some((reached, triggered)) = record.bug {
            out.push_str(&format!(
                "  the planted bug was reached {reached} times and changed the outcome \
                 {triggered} times\n"
            ));
        }
    }
    out
}

fn write(out: &Path, report: &Report, again: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", out.display());
    std::fs::create_dir_all(out).map_err(failed)?;
    let tale = (!report.tale.is_empty()).then(|| text_of(&report.tale, Depth::Wire));
    for (name, content) in [
        ("repro.toml", &report.repro),
        ("history.jsonl", &report.history),
        ("tale.txt", &tale),
        (PAGE, &report.html(again)),
    ] {
        match content {
            Some(content) => put(&out.join(name), content).map_err(failed)?,
            None => warn(&format!("this run left no {name}")),
        }
    }
    Ok(())
}
