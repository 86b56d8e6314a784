//! Developer chores, in Rust and not in shell: `cargo xtask
//! ci|tidy|bench|pending|alone|guest|browser|explore|worlds|mutants|portfolio|bless`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod alone;
mod bench;
mod browser;
mod ci;
mod explore;
mod golden;
mod guest;
mod mutants;
mod planted;
mod portfolio;
mod tidy;
mod worlds;

/// What is measured here is what ships, so with the allocator of the `synod` command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Developer chores.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Everything that must hold before a change lands: formatting, clippy, tidy, tests, a smoke
    /// sweep and a short hunt
    Ci {
        /// Leave the tests out, for a caller that has just run them
        #[arg(long)]
        without_tests: bool,
    },
    /// What the house's rules say and a machine can check
    Tidy,
    /// The table of speed, against its floors and aims
    Bench(bench::Arguments),
    /// The searches against each other, over histories in which much is pending
    Pending {
        /// Only histories whose names hold this
        #[arg(long, value_name = "TEXT", default_value = "")]
        only: String,
        /// Write the histories into this folder instead
        #[arg(long, value_name = "DIR")]
        write: Option<PathBuf>,
    },
    /// Each check judges alone, and must catch a planted bug that it is known to catch
    Alone,
    /// Makes a package with `synod new-harness`, outside of the workspace, and tries it
    Guest,
    /// Opens pages of runs in a headless browser, and clicks through them
    Browser(browser::Arguments),
    /// Searches the schedules of typed replicas for something that breaks
    Explore(explore::Arguments),
    /// Visits every state of small worlds of typed replicas
    Worlds(worlds::Arguments),
    /// Which share of the mix each scenario should have, by what hunts found in each
    Portfolio(portfolio::Arguments),
    /// Judges mutants of the engine by a short sweep
    Mutants(mutants::Arguments),
    /// One measurement of a history: what `bench` starts
    #[command(hide = true)]
    Measure {
        name: String,
        folder: Option<PathBuf>,
    },
    /// A worker of a sweep: what `bench` starts
    #[command(hide = true)]
    Worker,
    /// Renew the golden digests after a change that is meant to change runs
    Bless,
}

fn main() -> ExitCode {
    let chore = Cli::parse().chore;
    let done = std::env::set_current_dir(root())
        .map_err(|error| format!("{}: {error}", root().display()))
        .and_then(|()| match chore {
            Chore::Ci { without_tests } => ci::run(without_tests),
            Chore::Tidy => tidy::run(),
            Chore::Bench(arguments) => bench::run(&arguments),
            Chore::Pending { only, write } => bench::pending::run(&only, write.as_deref()),
            Chore::Alone => alone::run(),
            Chore::Guest => guest::run(),
            Chore::Browser(arguments) => browser::run(&arguments),
            Chore::Explore(arguments) => explore::run(&arguments),
            Chore::Worlds(arguments) => worlds::run(&arguments),
            Chore::Portfolio(arguments) => portfolio::run(&arguments),
            Chore::Mutants(arguments) => mutants::run(&root(), &arguments),
            Chore::Measure { name, folder } => {
                bench::histories::measure_here(&name, folder.as_deref())
            }
            Chore::Worker => match synod_sim::sweep::worker::work() {
                0 => Ok(()),
                status => Err(format!("the worker ended with status {status}")),
            },
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
