//! `synod bench`: the figures of speed, of the scenarios as they are here. `cargo xtask bench`
//! holds a frozen workload against floors.

use std::num::NonZero;

use clap::Args;
use synod_reports::figure::{self, Figure};

use crate::cli::exit;
use crate::cli::options::{Format, Global, WorkOptions, document};
use crate::cli::terminal::{self, fail, print, warn};
use crate::glossary::names;
use crate::scenario::library::Library;
use crate::sweep::bench::alone::{self, Work};
use crate::sweep::bench::mix;
use crate::sweep::pool::Place;
use crate::sweep::seeds::{Seeds, SeedsArgument};
use crate::sweep::settings::Settings;
use crate::sweep::shelf;
use crate::time::Span;

/// What the five replicas go through.
const SCENARIO: &str = "safety/weather-5";

/// The seeds of the mix when none are named.
const SEEDS: Seeds = Seeds {
    start: 500_000,
    end: 500_200,
};

/// Arguments of `bench`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  synod bench
  synod bench --times 9 --format json
  synod bench --times 1 --seeds 0..50

All checks are on, and CPU seconds count. Two workers against one is of the wall clock: measure on \
                        an idle machine.")]
pub struct BenchArgs {
    /// Measure each figure so many times
    #[arg(long, env = "SYNOD_TIMES", value_name = "N", default_value = "5")]
    times: NonZero<u64>,
    /// Seeds of the mix in one measurement: A..B or random:N [default: 500000..500200]
    #[arg(long, env = "SYNOD_SEEDS", value_name = "SEEDS")]
    seeds: Option<SeedsArgument>,
    /// The form of what goes to standard output
    #[arg(long, env = "SYNOD_FORMAT", value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &BenchArgs, global: &Global) -> u8 {
    if cfg!(debug_assertions) {
        warn("this is a debug build: its figures say nothing");
    }
    match figures(arguments, global) {
        Ok(found) => {
            match arguments.format {
                Format::Human => print(&figure::text(&found)),
                Format::Json => print(&document(&found, Format::Json)),
                Format::Jsonl => found
                    .iter()
                    .for_each(|one| print(&document(one, Format::Jsonl))),
            }
            exit::PASSED
        }
        Err(broken) => fail(exit::HARNESS, &broken),
    }
}

fn figures(arguments: &BenchArgs, global: &Global) -> Result<Vec<Figure>, String> {
    let times = arguments.times.get();
    let seeds = arguments.seeds.map_or(SEEDS, |seeds| {
        seeds.resolve(u64::from(std::process::id()) << 32)
    });
    let seeds = seeds.start..seeds.end;
    let scenario = Library::standard(&names())
        .and_then(|library| library.get(SCENARIO))
        .map_err(|error| error.to_string())?;
    let few = seeds.start..seeds.end.min(seeds.start + 50);
    let work = Work {
        pings: 3_000_000,
        scenario,
        seeds: few,
        idle: Span::from_secs(2_000),
        operations: 1_000,
        copies: 200,
    };

    let bar = terminal::progress(global, Some(times * (2 * (seeds.end - seeds.start) + 1)));
    let mut found = alone::figures(times, &work, &mut |_| bar.inc(1))?;
    let options = WorkOptions {
        jobs: None,
        hang_after: std::time::Duration::from_secs(600),
        in_process: false,
    };
    let mut open = || -> Result<Place<'static>, String> {
        options.place(Box::leak(shelf::open(&Settings::default())?))
    };
    found.extend(
        mix::measure(times, &seeds, &mut open, &mut || bar.inc(1))
            .map_err(|broken| broken.0)?
            .figures,
    );
    bar.finish_and_clear();
    Ok(found)
}
