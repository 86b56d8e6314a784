//! Every state of small worlds of typed replicas, and what breaks in one of them: see
//! [`synod_explore::worlds`].

use clap::{Args, ValueEnum};
use synod_engine::bugs::Bug;
use synod_explore::worlds::bounds::{Bounds, Judges, Plan, Reductions, WORLDS, World};
use synod_explore::worlds::{Counts, End, search};
use synod_sim::panics::caught;
use synod_sim::sweep::cost::cpu_of_this;

use crate::planted::without_disk;

/// Which worlds, who judges, and how long.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask worlds                                    every documented world of three replicas
  cargo xtask worlds --world five                       a world of five replicas
  cargo xtask worlds --world deep                       another, as deep as ten CPU minutes allow
  cargo xtask worlds --world restart --bug accepted-before-fsync --judges agreement --tell
  cargo xtask worlds --nodes 3 --campaigns 2 --asks 1 --no-reduction

Messages are lost, doubled, reordered and late without a bound; all else is bounded by the world. A \
                        search is breadth first, so what breaks is told by a shortest way. Exit 1 when \
                        something breaks in honest code, a planted bug is not found, or a \
                        world but `deep` is not visited to its end.")]
pub struct Arguments {
    /// Only this documented world [default: all of three replicas]
    #[arg(long, value_name = "NAME", value_parser = named, conflicts_with = "nodes")]
    world: Option<String>,
    /// The planted bug, see `synod bugs list` [default: none, honest code]
    #[arg(long, value_name = "BUG", value_parser = without_disk)]
    bug: Option<Bug>,
    /// Who judges; each also what those before judge
    #[arg(long, value_enum, default_value_t = Who::Contracts)]
    judges: Who,
    /// Tell all states apart, and visit them all
    #[arg(long)]
    no_reduction: bool,
    /// Tell apart what this reduction does not; can be given again
    #[arg(long, value_enum, value_name = "REDUCTION")]
    without: Vec<Reduction>,
    /// A world of so many replicas instead, of 2 campaigns and 1 ask
    #[arg(long, value_parser = ["3", "5"])]
    nodes: Option<String>,
    /// Campaigns, in place of the world's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=8))]
    campaigns: Option<u8>,
    /// New things that clients ask for, in place of the world's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(..=8))]
    asks: Option<u8>,
    /// Of them, those that one replica is asked for
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(..=8))]
    asks_each: Option<u8>,
    /// Reads, in place of the world's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(..=8))]
    reads: Option<u8>,
    /// Heartbeats beside those of new leaders, in place of the world's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(..=8))]
    beats: Option<u8>,
    /// Restarts, in place of the world's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(..=8))]
    restarts: Option<u8>,
    /// Bytes of values in a message, in place of the world's; 1 puts each on a page of its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65536))]
    message_bytes: Option<u32>,
    /// CPU minutes of a world at most
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    cpu_minutes: u64,
    /// Memory of a search at most, as accounted for, in megabytes
    #[arg(long, value_name = "MB", default_value_t = 2048, value_parser = clap::value_parser!(u64).range(16..=1_000_000))]
    memory: u64,
    /// Print what happened on the way to what broke
    #[arg(long)]
    tell: bool,
}

/// [`Judges`], by name.
#[derive(Clone, Copy, ValueEnum)]
enum Who {
    /// States are only counted
    Nobody,
    /// No two values are taken for chosen in a slot, and reads miss nothing
    Agreement,
    /// What is taken for chosen is, what is proposed is safe, what is said is true
    Ledger,
    /// The engine's contracts
    Contracts,
}

/// One of [`Reductions`], by name.
#[derive(Clone, Copy, ValueEnum)]
enum Reduction {
    /// The first replicas are the candidates
    Candidates,
    /// A canvass is granted at once
    Canvass,
    /// Without restarts, what is written is durable at once
    Durable,
    /// What changes nothing is not sent
    Idle,
    /// Refusals, and what is chosen, are told at once
    Answers,
    /// What changes nothing any more is forgotten
    Spent,
}

/// Searches the worlds.
///
/// # Errors
/// When there is no such world or bug, something broke in honest code, the planted bug was not found,
/// or a world was not visited to its end that has to be.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let bug = arguments.bug;
    let mut problems = Vec::new();
    let mut found = false;
    for (name, bounds) in worlds(arguments) {
        let plan = Plan {
            bounds,
            judges: match arguments.judges {
                Who::Nobody => Judges::Nobody,
                Who::Agreement => Judges::Agreement,
                Who::Ledger => Judges::Ledger,
                Who::Contracts => Judges::Contracts,
            },
            bug,
            reductions: reductions(arguments),
            bytes_max: arguments.memory << 20,
        };
        match caught(|| world(arguments, name, plan))
            .map_err(|panic| format!("the search itself broke: {panic}"))?
        {
            End::Broken(_) if bug.is_some() => {
                found = true;
                break;
            }
            End::Broken(broken) => problems.push(format!("{name}: {}", broken.what)),
            End::Memory | End::Told if bug.is_none() && name != "deep" => {
                problems.push(format!("{name}: not visited to its end"));
            }
            End::Complete | End::Memory | End::Told => {}
        }
    }
    if bug.is_some() && !found {
        problems.push("the planted bug was not found".to_owned());
    }
    match problems.as_slice() {
        [] => Ok(()),
        problems => Err(problems.join("; ")),
    }
}

/// The name of a world.
fn named(name: &str) -> Result<String, String> {
    let names: Vec<&str> = WORLDS.iter().map(|world| world.name).collect();
    if names.contains(&name) {
        Ok(name.to_owned())
    } else {
        Err(format!(
            "no world is called {name}; there are {}",
            names.join(", ")
        ))
    }
}

/// The worlds that are meant, by name.
fn worlds(arguments: &Arguments) -> Vec<(&'static str, Bounds)> {
    let mut worlds: Vec<(&'static str, Bounds)> = match (&arguments.world, &arguments.nodes) {
        (Some(name), _) => {
            let world = World::named(name).expect("it is one of the names");
            vec![(world.name, world.bounds)]
        }
        (None, Some(nodes)) => {
            let nodes = if nodes == "5" { 5 } else { 3 };
            vec![("a world", Bounds::new(nodes, 2, 1))]
        }
        (None, None) => {
            let three = WORLDS.iter().filter(|world| world.bounds.nodes == 3);
            three.map(|world| (world.name, world.bounds)).collect()
        }
    };
    for (_, bounds) in &mut worlds {
        let set = |to: &mut u8, from: Option<u8>| *to = from.unwrap_or(*to);
        set(&mut bounds.campaigns, arguments.campaigns);
        set(&mut bounds.asks, arguments.asks);
        let each = arguments.asks_each.or(arguments.asks);
        set(&mut bounds.asks_each, each);
        set(&mut bounds.reads, arguments.reads);
        set(&mut bounds.beats, arguments.beats);
        set(&mut bounds.restarts, arguments.restarts);
        bounds.message_bytes = arguments.message_bytes.unwrap_or(bounds.message_bytes);
    }
    worlds
}

fn reductions(arguments: &Arguments) -> Reductions {
    let mut reductions = if arguments.no_reduction {
        Reductions::NONE
    } else {
        Reductions::ALL
    };
    for without in &arguments.without {
        *match without {
            Reduction::Candidates => &mut reductions.candidates,
            Reduction::Canvass => &mut reductions.canvass,
            Reduction::Durable => &mut reductions.durable,
            Reduction::Idle => &mut reductions.idle,
            Reduction::Answers => &mut reductions.answers,
            Reduction::Spent => &mut reductions.spent,
        } = false;
    }
    reductions
}

/// Searches a world, and tells what came of it.
fn world(arguments: &Arguments, name: &str, plan: Plan) -> End {
    let begin = cpu_of_this().unwrap_or_default();
    let seconds = || {
        let spent = cpu_of_this().unwrap_or_default().saturating_sub(begin);
        spent.as_secs_f64()
    };
    println!("{name}: {}", plan.bounds);
    let most = arguments.cpu_minutes as f64 * 60.0;
    let (end, counts) = search(plan, &mut |_| seconds() < most);
    println!("  {}", summary(&counts, seconds()));
    let cut = format!("every state up to {} steps away was visited", counts.depth);
    match &end {
        End::Complete => println!("  it ended: no state is left to expand"),
        End::Memory => println!("  cut, for want of memory: {cut}"),
        End::Told => println!("  cut, for want of time: {cut}"),
        End::Broken(broken) => {
            println!("  broken after {} steps: {}", broken.way.len(), broken.what);
            for step in broken.way.iter().filter(|_| arguments.tell) {
                println!("    {step}");
            }
        }
    }
    end
}

fn summary(counts: &Counts, seconds: f64) -> String {
    format!(
        "{} states, {} transitions, depth {}; {} cells, {} messages, {} engine steps; {seconds:.1} \
         CPU seconds, {} MB",
        counts.states,
        counts.transitions,
        counts.depth,
        counts.cells,
        counts.messages,
        counts.engine_steps,
        counts.bytes >> 20
    )
}
