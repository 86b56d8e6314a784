//! `synod hunt`: how soon each planted bug is found.

use clap::Args;
use std::sync::atomic::Ordering;
use synod_reports::certificate;
use synod_reports::hunt::{self, BugCard, HuntRow};

use crate::check::jury::Jury;
use crate::choices::Strategy;
use crate::cli::exit;
use crate::cli::options::{Format, Global, WorkOptions};
use crate::cli::terminal::{self, fail, print};
use crate::subject::bug_card::{bugs, unknown};
use crate::subject::catalog::default_subject;
use crate::sweep::hunt::{Plan, hunt};
use crate::sweep::pool::Place;
use crate::sweep::seeds::Seeds;
use crate::sweep::settings::{Judges, Settings};
use crate::sweep::shelf;

/// Arguments of `hunt`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  synod hunt                                        every bug
  synod hunt accept-below-promise --runs 20000 --up-to 0
  synod hunt --checks client --format json          by what clients see, contracts and facts off
  synod hunt --only ghost --until-found             what one checker finds alone
  synod hunt --until-found --runs 500               the quickest: stop each bug when it is found
  synod hunt --ablate --runs 500                    what the bugs need: checks, faults, scenarios

Each bug is planted in a fixed number of fresh seeds, and the hunt does not stop at the first \
detection. A failure counts when the bug had changed something in it; twenty of those at most are \
made again, and must fail so again, and pass without the bug. Intervals are exact \
(Clopper-Pearson, 95 %). `reached` and `triggered` count runs. Runs that hang, crash or pass their \
memory are counted apart, as `lost`. `--format jsonl` prints a line for each bug as soon as it is \
done. Exit 1 when a bug was not found, or a failure was not the bug's.")]
pub struct HuntArgs {
    /// The bugs [default: all]
    #[arg(value_name = "BUG")]
    bugs: Vec<String>,
    /// Seeds for each bug
    #[arg(
        long,
        env = "SYNOD_RUNS",
        value_name = "N",
        default_value_t = 2_000,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000_000),
    )]
    runs: u64,
    /// A bug that was not found gets further batches of as many seeds, up to this many in all
    #[arg(long, env = "SYNOD_UP_TO", value_name = "N", default_value_t = 20_000)]
    up_to: u64,
    /// The seeds; overrides --runs
    #[arg(
        long,
        env = "SYNOD_SEEDS",
        value_name = "A..B",
        allow_hyphen_values = true
    )]
    seeds: Option<crate::sweep::seeds::SeedsArgument>,
    /// Who judges
    #[arg(long, env = "SYNOD_CHECKS", value_enum, default_value_t)]
    checks: Judges,
    /// Only this check judges, or these; contracts are off unless `contract` is one of them
    #[arg(
        long,
        env = "SYNOD_ONLY",
        value_name = "CHECKER",
        value_delimiter = ','
    )]
    only: Vec<String>,
    /// Stop each bug at its first detection; the rates then say little
    #[arg(long, env = "SYNOD_UNTIL_FOUND", value_parser = clap::builder::FalseyValueParser::new())]
    until_found: bool,
    /// Ask as well which checks and which faults the bugs need: of each bug, ten detections are made
    /// again with one check alone, and with one kind of fault left out
    #[arg(long, env = "SYNOD_ABLATE", value_parser = clap::builder::FalseyValueParser::new())]
    ablate: bool,
    /// How choices are made [default: as the scenario says, or at random]
    #[arg(long, env = "SYNOD_STRATEGY", value_enum, value_name = "NAME")]
    strategy: Option<Strategy>,
    /// Hunt in this scenario, given once or more [default: the mix]
    #[arg(
        long,
        env = "SYNOD_SCENARIO",
        value_name = "SCENARIO|DIR",
        value_delimiter = ';'
    )]
    scenario: Vec<String>,
    /// The engine
    #[arg(long, env = "SYNOD_SUBJECT", value_name = "NAME", default_value_t = default_subject().to_owned())]
    subject: String,
    /// Print a Markdown table
    #[arg(long, env = "SYNOD_MARKDOWN", value_parser = clap::builder::FalseyValueParser::new())]
    markdown: bool,
    /// The form of what goes to standard output
    #[arg(long, env = "SYNOD_FORMAT", value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    work: WorkOptions,
}

/// The first seed of a hunt: far from those that sweeps begin with, so that what was tuned on these
/// is measured on others.
const FIRST_SEED: u64 = 1_000_000;

/// Runs the command.
#[must_use]
pub fn run(arguments: &HuntArgs, global: &Global) -> u8 {
    let cards = match select(arguments) {
        Ok(cards) => cards,
        Err(message) => return fail(exit::USAGE, &message),
    };
    let range = Seeds {
        start: FIRST_SEED,
        end: FIRST_SEED + arguments.runs,
    };
    let seeds = arguments
        .seeds
        .map_or(range, |seeds| seeds.resolve(FIRST_SEED << 16));
    let base = Settings {
        scenarios: arguments.scenario.clone(),
        subject: Some(arguments.subject.clone()),
        judges: Some(arguments.checks),
        only: Jury::only(&arguments.only),
        strategy: arguments.strategy,
        ..Settings::default()
    };
    let scenarios = match shelf::select(&base) {
        Ok(selection) if !arguments.scenario.is_empty() => selection.names,
        Ok(_) => Vec::new(),
        Err(message) => return fail(exit::USAGE, &message),
    };
    let halt = terminal::interrupts();
    let (mut rows, mut broken) = (Vec::new(), None);
    for card in &cards {
        let plan = Plan {
            settings: Settings {
                bug: Some(card.name.clone()),
                ..base.clone()
            },
            scenarios: scenarios.clone(),
            seeds,
            up_to: arguments.up_to,
            until_found: arguments.until_found,
            ablate: arguments.ablate,
            jobs: arguments.work.jobs(),
            hang_after: arguments.work.hang_after,
        };
        let bar = terminal::progress(global, Some(seeds.end - seeds.start));
        let mut open = |settings: &Settings| -> Result<Place<'static>, String> {
            // In this process the source lives as long as the command.
            let source = shelf::open(settings)?;
            arguments.work.place(Box::leak(source))
        };
        let counted = hunt(&plan, &halt, &mut open, &mut |count| {
            bar.set_position(count.runs);
            if count.runs == 1 || count.runs.is_multiple_of(50) {
                bar.set_message(format!("{}: found {} times", card.name, count.detections));
            }
        });
        bar.finish_and_clear();
        match counted {
            Ok(count) => {
                tracing::info!("{}: {} of {} runs", card.name, count.detections, count.runs);
                let row = HuntRow::new(card, count);
                if arguments.format == Format::Jsonl {
                    print(&(serde_json::to_string(&row).expect("plain data") + "\n"));
                }
                rows.push(row);
            }
            Err(reason) => {
                broken = Some(reason);
                break;
            }
        }
        if halt.load(Ordering::Relaxed) {
            break;
        }
    }
    match arguments.format {
        Format::Human if arguments.markdown => {
            print(&hunt::markdown(&rows));
            if arguments.ablate {
                print(&format!("\n{}", certificate::markdown(&rows)));
            }
        }
        Format::Human => {
            print(&hunt::text(&rows));
            if arguments.ablate {
                print(&format!("\n{}", certificate::text(&rows)));
            }
        }
        Format::Json => print(&(serde_json::to_string_pretty(&rows).expect("plain data") + "\n")),
        Format::Jsonl => {}
    }
    if let Some(broken) = broken {
        return fail(exit::HARNESS, &broken.0);
    }
    let hidden: Vec<&str> = rows
        .iter()
        .filter(|row| row.detections == 0)
        .map(|row| row.bug.as_str())
        .collect();
    let unsound: Vec<&str> = rows
        .iter()
        .filter(|row| row.unsound > 0)
        .map(|row| row.bug.as_str())
        .collect();
    if halt.load(Ordering::Relaxed) {
        exit::INTERRUPTED
    } else if !unsound.is_empty() {
        let message = format!(
            "runs failed that the bug had no part in (`unsound`): {}",
            unsound.join(", ")
        );
        fail(exit::FAILED, &message)
    } else if hidden.is_empty() {
        exit::PASSED
    } else {
        fail(exit::FAILED, &format!("not found: {}", hidden.join(", ")))
    }
}

fn select(arguments: &HuntArgs) -> Result<Vec<BugCard>, String> {
    let all = bugs(&arguments.subject);
    if arguments.bugs.is_empty() {
        return if all.is_empty() {
            Err(unknown(&arguments.subject, ""))
        } else {
            Ok(all)
        };
    }
    let named = |name: &String| {
        all.iter()
            .find(|card| card.name == *name)
            .cloned()
            .ok_or_else(|| unknown(&arguments.subject, name))
    };
    arguments.bugs.iter().map(named).collect()
}
