//! Developer chores, in Rust and not in shell: `cargo xtask ci|tidy|bench|alone|bless`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod alone;
mod bench;
mod ci;
mod golden;
mod tidy;

/// Developer chores.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Everything that must hold before a change lands: formatting, clippy, tidy, tests, a smoke sweep and a short hunt
    Ci {
        /// Leave the tests out, for a caller that has just run them
        #[arg(long)]
        without_tests: bool,
    },
    /// What the house's rules say and a machine can check
    Tidy,
    /// The table of speed, against its floors and aims
    Bench {
        /// Measure each figure so many times
        #[arg(long, default_value_t = 5)]
        times: u64,
        /// Print Markdown for the README
        #[arg(long)]
        markdown: bool,
    },
    /// Each check judges alone, and must catch a planted bug that it is known to catch
    Alone,
    /// Renew the golden digests after a change that is meant to change runs
    Bless,
}

fn main() -> ExitCode {
    let chore = Cli::parse().chore;
    let done = std::env::set_current_dir(root()).map_err(|error| format!("{}: {error}", root().display())).and_then(|()| match chore {
        Chore::Ci { without_tests } => ci::run(without_tests),
        Chore::Tidy => tidy::run(),
        Chore::Bench { times, markdown } => bench::run(times, markdown),
        Chore::Alone => alone::run(),
        Chore::Bless => golden::bless(),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}
