//! How soon each strategy of [`synod_explore`] finds a planted bug, or whether it finds one in honest
//! code.

use std::panic::set_hook;

use clap::{Args, ValueEnum};
use synod_engine::bugs::Bug;
use synod_explore::cluster::Setup;
use synod_explore::search::{Found, Search, Strategy};
use synod_explore::shrink::{replay, shrink};
use synod_sim::sweep::cost::cpu_of_this;

/// What to search for, how, and how long.
#[derive(Args)]
pub struct Arguments {
    /// The planted bug [default: none, honest code]
    #[arg(long)]
    bug: Option<String>,
    /// How the search goes about it
    #[arg(long, value_enum, default_value_t = Way::Local)]
    strategy: Way,
    /// Independent tries, each until its first find
    #[arg(long, default_value_t = 1)]
    tries: u64,
    /// Steps of a try, in millions
    #[arg(long, default_value_t = 20)]
    millions: u64,
    /// The first try's seed
    #[arg(long, default_value_t = 0)]
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
/// When there is no such bug, or something was found in honest code.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let named = |name: &String| {
        Bug::named(name)
            .ok_or_else(|| format!("no planted bug is called {name}; `synod bugs list` names them"))
    };
    let bug = arguments.bug.as_ref().map(named).transpose()?;
    set_hook(Box::new(|_| ()));
    let mut told = !arguments.tell;
    let mut finds = 0;
    for at in arguments.seed..arguments.seed + arguments.tries {
        let begin = cpu_of_this().unwrap_or_default();
        let (found, steps) = one(arguments, bug, at);
        let seconds = cpu_of_this().unwrap_or_default().saturating_sub(begin);
        let seconds = seconds.as_secs_f64();
        let Some((setup, found)) = found else {
            println!("try {at}: nothing in {steps} steps, {seconds:.1} CPU seconds");
            continue;
        };
        finds += 1;
        let few = shrink(&setup, &found);
        println!(
            "try {at}: {steps} steps, {seconds:.1} CPU seconds, {} actions, {} of them needed: {}",
            found.actions.len(),
            few.actions.len(),
            found.what
        );
        if !std::mem::replace(&mut told, true) {
            for event in replay(&setup, &few.actions).events {
                println!("  {event}");
            }
            println!("  {}", few.what);
        }
    }
    println!("{finds} of {} tries found something", arguments.tries);
    match (bug, finds) {
        (None, 1..) => Err("something is broken, and no bug is planted".to_owned()),
        _ => Ok(()),
    }
}

/// One try: searches one after the other, in clusters that differ.
fn one(arguments: &Arguments, bug: Option<Bug>, at: u64) -> (Option<(Setup, Found)>, u64) {
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
