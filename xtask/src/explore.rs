//! How soon each strategy of [`synod_explore`] finds a planted bug, or whether it finds one in honest
//! code.

use clap::{Args, ValueEnum};
use synod_engine::bugs::Bug;
use synod_explore::cluster::Setup;
use synod_explore::search::{Found, Search, Strategy};
use synod_explore::shrink::{replay, shrink};
use synod_sim::panics::caught;
use synod_sim::sweep::cost::cpu_of_this;

use crate::planted::without_disk;

/// What to search for, how, and how long.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask explore --millions 100                    honest code
  cargo xtask explore --bug accept-below-promise --tell
  cargo xtask explore --bug ack-ballot-unchecked --tries 10 --without-contracts --strategy walk

A step is a message that comes, a patience that ends, a client that asks, or something that becomes \
                        durable; a million take about a CPU second. A try is a function of its seed. \
                        Exit 1 when something breaks in honest code, or a planted bug is never found.")]
pub struct Arguments {
    /// The planted bug, see `synod bugs list` [default: none, honest code]
    #[arg(long, value_name = "BUG", value_parser = without_disk)]
    bug: Option<Bug>,
    /// How the search goes about it
    #[arg(long, value_enum, default_value_t = Way::Local)]
    strategy: Way,
    /// Independent tries, each until its first find
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    tries: u64,
    /// Steps of a try, in millions
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    millions: u64,
    /// The first try's seed
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1_000_000_000))]
    seed: u64,
    /// Judge without contracts
    #[arg(long)]
    without_contracts: bool,
    /// Print what happened, shrunk, for the first find
    #[arg(long)]
    tell: bool,
}

/// A [`Strategy`], by name.
#[derive(Clone, Copy, ValueEnum)]
enum Way {
    /// Walks at random
    Walk,
    /// An archive by whole states
    Whole,
    /// An archive by what is rare about one replica or two
    Local,
}

/// A search gets no better after so many steps: then another one begins.
const SEARCH: u64 = 1_000_000;

/// Runs the tries.
///
/// # Errors
/// When there is no such bug, something was found in honest code, or the bug was not.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let bug = arguments.bug;
    let mut finds = 0;
    for at in arguments.seed..arguments.seed + arguments.tries {
        let tell = arguments.tell && finds == 0;
        // The search catches the panics of contracts; meanwhile nothing else is said of them.
        let found = caught(|| try_once(arguments, bug, at, tell))
            .map_err(|panic| format!("the search itself broke: {panic}"))?;
        finds += u64::from(found);
    }
    println!("{finds} of {} tries found something", arguments.tries);
    match (bug, finds) {
        (None, 1..) => Err("something is broken, and no bug is planted".to_owned()),
        (Some(_), 0) => Err("the planted bug was not found".to_owned()),
        _ => Ok(()),
    }
}

/// A try, and what is to be said of it. Whether it found something.
fn try_once(arguments: &Arguments, bug: Option<Bug>, at: u64, tell: bool) -> bool {
    let begin = cpu_of_this().unwrap_or_default();
    let (found, steps) = search(arguments, bug, at);
    let seconds = cpu_of_this().unwrap_or_default().saturating_sub(begin);
    let seconds = seconds.as_secs_f64();
    let Some((setup, found)) = found else {
        println!("try {at}: nothing in {steps} steps, {seconds:.1} CPU seconds");
        return false;
    };
    let few = shrink(&setup, &found);
    println!(
        "try {at}: {steps} steps, {seconds:.1} CPU seconds, {} actions, {} of them needed: {}",
        found.actions.len(),
        few.actions.len(),
        found.what
    );
    if tell {
        for event in replay(&setup, &few.actions).events {
            println!("  {event}");
        }
        println!("  {}", few.what);
    }
    true
}

/// Searches one after the other, in clusters that differ.
fn search(arguments: &Arguments, bug: Option<Bug>, at: u64) -> (Option<(Setup, Found)>, u64) {
    let strategy = match arguments.strategy {
        Way::Walk => Strategy::Walk,
        Way::Whole => Strategy::Whole,
        Way::Local => Strategy::Local,
    };
    let mut steps = 0;
    for turn in 0..arguments.millions {
        let seed = at * 1_000_000 + turn;
        let setup = Setup {
            nodes: 5,
            window: [1, 4, 32][usize::try_from(seed % 3).unwrap_or(0)],
            message_bytes: [1, 100, 1 << 16, 1][usize::try_from(seed % 4).unwrap_or(0)],
            contracts: !arguments.without_contracts,
            bug,
        };
        let mut search = Search::new(setup.clone(), strategy, seed);
        let found = search.run(SEARCH);
        steps += search.steps();
        if let Some(found) = found {
            return (Some((setup, found)), steps);
        }
    }
    (None, steps)
}
