//! `synod bench`: the figures of speed.

use std::num::NonZero;

use clap::Args;
use synod_reports::figure;

use crate::cli::exit;
use crate::cli::options::{Format, Global, WorkOptions};
use crate::cli::terminal::{self, fail, print, warn};
use crate::sweep::bench::mix::{SEEDS, figures};
use crate::sweep::pool::Place;
use crate::sweep::settings::Settings;
use crate::sweep::shelf;

/// Arguments of `bench`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  synod bench
  synod bench --times 9 --format json

The work is the same for every build: fixed seeds of the mix, all checks on. Measure on an idle machine.")]
pub struct BenchArgs {
    /// Measure each figure so many times
    #[arg(long, env = "SYNOD_TIMES", value_name = "N", default_value = "5")]
    times: NonZero<u64>,
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
    let work = WorkOptions { jobs: None, hang_after: std::time::Duration::from_secs(600), in_process: false };
    let bar = terminal::progress(global, Some(arguments.times.get() * SEEDS * 2));
    let mut open = || -> Result<Place<'static>, String> { work.place(Box::leak(shelf::open(&Settings::default())?)) };
    let measured = figures(arguments.times.get(), SEEDS, &mut open, &mut || bar.inc(1));
    bar.finish_and_clear();
    match measured {
        Ok(found) => {
            match arguments.format {
                Format::Human => print(&figure::text(&found)),
                Format::Json | Format::Jsonl => print(&(serde_json::to_string_pretty(&found).expect("plain data") + "\n")),
            }
            exit::PASSED
        }
        Err(broken) => fail(exit::HARNESS, &broken.0),
    }
}
