//! `synod explain`: why a run fails, by running worlds near to it.

use std::num::NonZero;
use std::sync::atomic::Ordering;

use clap::Args;
use serde_json::json;
use synod_reports::record::RunRecord;
use synod_reports::table::{count, grouped};

use crate::check::jury::{FENCING_AUDIT, LAST_QUORUM_AUDIT};
use crate::cli::card::focus;
use crate::cli::exit;
use crate::cli::options::{Format, Global, RunOptions, document, jobs};
use crate::cli::terminal::{self, fail, invocation, print, say};
use crate::cli::units;
use crate::cli::which::{Failing, Which};
use crate::explain::bake_in::{FUTURES, Moment, bake_in, leaps};
use crate::explain::blame::{Blame, blame};
use crate::explain::causes::{Cause, Share, causes, share};
use crate::explain::neighbour::{Parting, nearest};
use crate::explain::provenance;
use crate::run::{Recording, RunSpec, run as run_once};
use crate::shrink::case::{Case, Spent};
use crate::shrink::search::written;
use crate::sweep::smaller::case_of;
use crate::trace::tale::{Depth, Line};

/// So many leaps are told.
const LEAPS: usize = 3;
/// So many lines of what happened in a leap.
const LINES_OF_A_LEAP: usize = 6;
/// So many lines of how a slot came to hold what it holds, the last ones.
const LINES_OF_A_SLOT: usize = 24;
/// So many slots of a key are told of.
const SLOTS_OF_A_KEY: usize = 2;

/// Arguments of `explain`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  synod explain target/synod/latest/failures/agreement-1a2b3c4d/shrunk.toml
  synod explain safety/weather-3 --seed 0 --bug accept-below-promise
  synod explain safety/weather-3 --seed 0 --bug accept-below-promise --format json --budget 10

Explain what is shrunk: it has less to say and says more. Shares are of 20 futures each: the run goes \
                        other ways from a moment on, under fresh choices. The same plan and budget \
                        give the same answer.

Exit status: 0 it was explained, 4 what was given does not fail.")]
pub struct ExplainArgs {
    #[command(flatten)]
    which: Which,
    /// Millions of events that runs may take together
    #[arg(
        long,
        env = "SYNOD_BUDGET",
        value_name = "MILLIONS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..1_000_000),
    )]
    budget: u64,
    /// Threads [default: one for each core]
    #[arg(long, short, env = "SYNOD_JOBS", value_name = "N", value_parser = units::workers)]
    jobs: Option<NonZero<usize>>,
    /// The form of what goes to standard output
    #[arg(long, env = "SYNOD_FORMAT", value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    run: RunOptions,
}

/// What was found.
struct Explained {
    record: RunRecord,
    tale: Vec<Line>,
    blame: Blame,
    whole: Option<Share>,
    causes: Vec<Cause>,
    moments: Vec<Moment>,
    parting: Option<Parting>,
    /// Slots, and how each came to hold what it holds.
    slots: Vec<u64>,
    spent: Spent,
    is_done: bool,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &ExplainArgs, global: &Global) -> u8 {
    let Failing {
        spec, goal, origin, ..
    } = match arguments.which.failing(&arguments.run, "explain") {
        Ok(failing) => failing,
        Err(status) => return status,
    };
    let interrupted = terminal::interrupts();
    let halt = || interrupted.load(Ordering::Relaxed);
    let budget = arguments.budget * 1_000_000;
    let case = case_of(
        spec.clone(),
        &origin,
        goal,
        jobs(arguments.jobs),
        budget,
        &halt,
    );
    let bar = terminal::progress(global, None);
    let explained = explained(spec, case, &mut |what, runs| {
        bar.set_position(runs);
        bar.set_message(what.to_owned());
    });
    bar.finish_and_clear();
    let explained = match explained {
        Ok(explained) => explained,
        Err(message) => return fail(exit::HARNESS, &message),
    };
    match arguments.format {
        Format::Human => print(&text(&explained)),
        format @ (Format::Json | Format::Jsonl) => print(&document(&value(&explained), format)),
    }
    say(&format!(
        "Replay with: {} replay {}",
        invocation(),
        arguments.which.named(&arguments.run)
    ));
    if halt() {
        exit::INTERRUPTED
    } else {
        exit::PASSED
    }
}

fn explained(
    mut spec: RunSpec,
    mut case: Case<'_>,
    told: &mut dyn FnMut(&str, u64),
) -> Result<Explained, String> {
    let (plan, record) = written(&case, &spec.plan)?;
    spec.plan = plan.clone();
    let told_run = run_once(&RunSpec {
        record: Recording::Story,
        ..spec.clone()
    });
    let (tale, steps) = (told_run.tale, told_run.steps);
    told("who", case.spent.runs);
    let blame = blame(&spec, &record);
    told("what it needs", case.spent.runs);
    let whole = share(&mut case, &plan);
    let causes = causes(&mut case, &plan);
    told("when it became certain", case.spent.runs);
    let moments = bake_in(&mut case, &plan, &steps);
    told("the nearest run that passes", case.spent.runs);
    let parting = nearest(&spec, &tale, &moments, &causes);
    let focus = focus(record.message.as_deref().unwrap_or_default());
    let slots = match (focus.slot(), focus.key()) {
        (Some(slot), _) => vec![slot],
        (None, Some(key)) => provenance::slots_of_key(&tale, key, SLOTS_OF_A_KEY),
        (None, None) => Vec::new(),
    };
    Ok(Explained {
        is_done: !case.is_over(),
        spent: case.spent,
        record,
        tale,
        blame,
        whole,
        causes,
        moments,
        parting,
        slots,
    })
}

fn text(explained: &Explained) -> String {
    let Explained { record, tale, .. } = explained;
    let mut out = format!(
        "{} seed {}: `{}`\n  {}\n\nIt is {}:\n",
        record.scenario,
        record.seed,
        record.check.as_deref().unwrap_or_default(),
        record
            .message
            .as_deref()
            .unwrap_or_default()
            .replace('\n', "\n  "),
        explained.blame.who.words(),
    );
    for why in &explained.blame.why {
        out.push_str(&format!("  {why}\n"));
    }
    if let Some(parting) = &explained.parting {
        out.push_str(&format!(
            "\nThe nearest run that passes, {}, is the same for {}, and then:\n",
            parting.how,
            count(parting.same as u64, "line")
        ));
        for (name, lines) in [("fails", &parting.fails), ("passes", &parting.passes)] {
            for line in lines {
                out.push_str(&format!("  {name:<7} {line}\n"));
            }
            if lines.is_empty() {
                out.push_str(&format!("  {name:<7} it ends\n"));
            }
        }
    }
    out.push_str(&needs(explained));
    out.push_str(&certain(explained));
    for slot in &explained.slots {
        let lines = provenance::of_slot(tale, *slot);
        if lines.is_empty() {
            continue;
        }
        let skipped = lines.len().saturating_sub(LINES_OF_A_SLOT);
        out.push_str(&format!(
            "\nHow slot {slot} came to hold what it holds{}:\n",
            match skipped {
                0 => String::new(),
                some => format!(
                    " (the last {LINES_OF_A_SLOT} of {})",
                    some + LINES_OF_A_SLOT
                ),
            }
        ));
        for line in &lines[skipped..] {
            out.push_str(&format!("  {line}\n"));
        }
    }
    out.push_str(&format!(
        "\n{} of {} events{}. A number after # is a `time` of the history.\n",
        count(explained.spent.runs, "run"),
        grouped(explained.spent.events),
        if explained.is_done {
            ""
        } else {
            "; the budget is spent: a larger --budget says more"
        }
    ));
    out
}

fn needs(explained: &Explained) -> String {
    let mut out = String::from("\nWhat it needs of its plan:\n");
    // Where no other future fails, shares say nothing.
    let tells = explained.whole.is_some_and(|share| share.failed > 0);
    if let Some(Share { failed, futures }) = explained.whole {
        out.push_str(&format!(
            "  with all of it, {failed} of {futures} other futures fail{}\n",
            if tells {
                ""
            } else {
                ": what is needed below is needed by this very run"
            }
        ));
    }
    let check = explained.record.check.as_deref().unwrap_or_default();
    let is_audit = [FENCING_AUDIT, LAST_QUORUM_AUDIT].contains(&check);
    if is_audit {
        out.push_str("  (in each future audits look at other moments, so shares are low)\n");
    }
    if explained.causes.is_empty() {
        out.push_str("  no fault and no step: it fails without any\n");
    }
    for cause in &explained.causes {
        let label = match (cause.fails_without, cause.futures) {
            (Some(true), _) => "free    it fails without".to_owned(),
            (Some(false), Some(Share { failed, futures })) if tells => {
                format!("needed  without, {failed} of {futures} fail")
            }
            (Some(false), _) => "needed".to_owned(),
            (None, _) if cause.without.is_none() => "needed  the rest cannot be read".to_owned(),
            (None, _) => "not tried".to_owned(),
        };
        out.push_str(&format!("  {label}: {}\n", cause.what));
    }
    out
}

/// A bar of a share.
const BAR: u64 = 25;

fn certain(explained: &Explained) -> String {
    if explained.moments.is_empty() {
        return String::new();
    }
    let time_of = |number: u64| {
        let line = explained.tale.iter().find(|line| line.number >= number);
        line.map_or_else(String::new, |line| format!("{} s", line.time))
    };
    let mut out = format!(
        "\nWhen it became certain: of {FUTURES} futures from each event on, so many fail\n"
    );
    let moments = &explained.moments;
    for (place, moment) in moments.iter().enumerate() {
        // Of a plateau, its ends.
        let same = |other: Option<&Moment>| other.is_some_and(|it| it.failed == moment.failed);
        let before = place.checked_sub(1).and_then(|before| moments.get(before));
        if same(before) && same(moments.get(place + 1)) {
            continue;
        }
        let filled = moment.failed * BAR / moment.futures.max(1);
        let bar = "#".repeat(usize::try_from(filled).unwrap_or_default());
        out.push_str(&format!(
            "  {:>8} {:>12} {:>3} % {bar}\n",
            format!("#{}", moment.number),
            time_of(moment.number),
            moment.percent()
        ));
    }
    for (before, after) in leaps(&explained.moments, LEAPS) {
        out.push_str(&format!(
            "  from {} % to {} % between #{} and #{}:\n",
            before.percent(),
            after.percent(),
            before.number,
            after.number
        ));
        for line in within(&explained.tale, before.number, after.number) {
            out.push_str(&format!("    {line}\n"));
        }
    }
    out
}

/// The last lines of what happened there: of the story, or else of the wire.
fn within(tale: &[Line], from: u64, to: u64) -> Vec<&Line> {
    let there = |depth| {
        let lines = tale
            .iter()
            .filter(|line| (from..to).contains(&line.number) && line.depth <= depth);
        lines.collect::<Vec<_>>()
    };
    let mut lines = there(Depth::Story);
    if lines.is_empty() {
        lines = there(Depth::Wire);
    }
    lines.split_off(lines.len().saturating_sub(LINES_OF_A_LEAP))
}

fn value(explained: &Explained) -> serde_json::Value {
    let record = &explained.record;
    let told = |lines: &[&Line]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
    let leaps: Vec<_> = leaps(&explained.moments, LEAPS)
        .into_iter()
        .map(|(before, after)| {
            json!({
                "from": before,
                "to": after,
                "events": told(&within(&explained.tale, before.number, after.number)),
            })
        })
        .collect();
    let slots: serde_json::Map<String, serde_json::Value> = explained
        .slots
        .iter()
        .map(|slot| {
            let lines = provenance::of_slot(&explained.tale, *slot);
            (slot.to_string(), json!(told(&lines)))
        })
        .collect();
    json!({
        "scenario": record.scenario,
        "seed": record.seed,
        "class": record.verdict.name(),
        "check": record.check,
        "message": record.message,
        "digest": record.digest,
        "blame": explained.blame,
        "futures": explained.whole,
        "causes": explained.causes,
        "bake_in": explained.moments,
        "leaps": leaps,
        "nearest": explained.parting,
        "slots": slots,
        "runs": explained.spent.runs,
        "events": explained.spent.events,
        "done": explained.is_done,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn status(words: &[&str]) -> u8 {
        let cli = Cli::try_parse_from(words).expect("they are right");
        match cli.command {
            Command::Explain(arguments) => run(&arguments, &cli.global),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_passes_is_not_explained_and_what_is_not_there_is_said() {
        let words = ["synod", "-q", "explain", "smoke/healthy-3", "--seed", "0"];
        assert_eq!(status(&words), exit::VACUOUS);
        assert_eq!(
            status(&["synod", "-q", "explain", "nothing.toml"]),
            exit::USAGE
        );
    }

    #[test]
    fn a_failing_run_is_explained() {
        let words = "synod -q --no-progress explain smoke/healthy-3 --seed 0 --budget 1 --bug \
                     commit-bound-inclusive";
        let words: Vec<&str> = words.split_whitespace().collect();
        assert_eq!(status(&words), exit::PASSED);
        let json = [&words[..], &["--format", "json"]].concat();
        assert_eq!(status(&json), exit::PASSED);
    }
}
