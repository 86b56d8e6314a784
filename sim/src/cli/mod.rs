//! The `synod` command: arguments in, exit status out. CLI.md's promises are kept here; what the
//! words do is done elsewhere.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the command line is the host: it reads the environment and the clock"
)]

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub mod bench;
pub mod bugs;
pub mod card;
pub mod check_history;
pub mod crash_points;
pub mod diff;
mod environment;
pub mod exit;
pub mod explain;
pub mod hunt;
pub mod look;
pub mod merge;
mod narrow;
pub mod new_harness;
pub mod options;
pub mod profile;
pub mod replay;
pub mod scenario;
pub mod schema;
pub mod shrink;
pub mod summary;
pub mod sweep;
pub mod terminal;
pub mod trace;
mod track;
pub mod triage;
pub mod try_scenario;
pub mod units;
pub mod which;

use options::Global;

use crate::subject::catalog;
use crate::subject::process::Subject;

const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (commit ",
    env!("SYNOD_COMMIT"),
    ", sources ",
    env!("SYNOD_BUILD"),
    ")"
);

/// Deterministic simulation testing for consensus: sweeps seeds, replays failures, checks
/// histories.
#[derive(Parser, Debug)]
#[command(
    name = "synod",
    version = VERSION,
    max_term_width = 110,
    subcommand_required = true,
    arg_required_else_help = true,
)]
#[command(after_help = "\
Examples:
  synod sweep                                   2,000 runs of the mix of all scenarios
  synod sweep --bug accept-below-promise        plant a bug and watch it being caught
  synod replay safety/stale-read --seed 7 -v    tell what happens in one run
  synod hunt accept-below-promise               measure how soon a bug is found

Exit status: 0 passed, 1 a property failed, 2 usage, 3 inconclusive, 4 nothing ran or vacuous, \
5 nondeterminism, 70 the harness failed, 130 interrupted with results kept.")]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run many seeds and add up what they show
    Sweep(sweep::SweepArgs),
    /// Run one seed again, recording everything
    Replay(replay::ReplayArgs),
    /// Make the smallest reproducer that still fails the same check
    Shrink(shrink::ShrinkArgs),
    /// Say why a run fails: what it needs, when it became certain, and what led to it
    Explain(explain::ExplainArgs),
    /// Run one seed again, as text, lines of JSON, a page or a trace for Perfetto
    Trace(trace::TraceArgs),
    /// Say whether a recorded history is linearizable
    CheckHistory(check_history::CheckHistoryArgs),
    /// Validate, scaffold, try, list and show scenarios
    #[command(subcommand, after_help = scenario::EXAMPLES)]
    Scenario(scenario::ScenarioCommand),
    /// The bugs that can be planted
    Bugs(bugs::BugsArgs),
    /// Measure how many seeds each planted bug takes to be found
    Hunt(hunt::HuntArgs),
    /// Strike a short run at every boundary of what its replicas ask for
    CrashPoints(crash_points::CrashPointsArgs),
    /// Join the results of shards into those of the whole sweep
    Merge(merge::MergeArgs),
    /// Compare the same runs over two subjects or two builds, as clients see them
    Diff(diff::DiffArgs),
    /// Make an issue's text of each distinct failure of a sweep
    Triage(triage::TriageArgs),
    /// Make a package that puts an engine of your own under test
    NewHarness(new_harness::NewHarnessArgs),
    /// Print the JSON Schema of what is written, or read
    Schema(schema::SchemaArgs),
    /// Measure how fast runs are
    Bench(bench::BenchArgs),
    /// Print a shell's completions
    #[command(after_help = "Example:\n  synod completions bash > \
                            ~/.local/share/bash-completion/completions/synod")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(after_help = "Example:\n  synod man | man -l -")]
    Man,
    /// Do jobs for a sweep (internal)
    #[command(hide = true)]
    Worker,
}

/// The whole command, for these engines beside those that are built in: what a package of your own
/// has as its `main`. The first of them is meant when no `--subject` is given. Workers of a sweep
/// are processes of the same program.
///
/// ```no_run
/// # use synod_sim::subject::abd::Abd as MyEngine;
/// fn main() -> std::process::ExitCode {
///     synod_sim::cli::main_with(&[&MyEngine])
/// }
/// ```
#[must_use]
pub fn main_with(guests: &[&'static dyn Subject]) -> ExitCode {
    if let Err(message) = catalog::register(guests) {
        return ExitCode::from(terminal::fail(exit::USAGE, &message));
    }
    // Before the program's file can be replaced by a newer one.
    let _ = crate::build::identity();
    ExitCode::from(main(std::env::args_os()))
}

/// `-vv` shows everything.
const DEEPEST: u8 = 2;

/// Runs the command with these arguments, the program's name first, and returns the exit status.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match parse(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and versions are asked for; all else is a wrong use.
            if error.use_stderr() {
                let _ = error.print();
                environment::explain(&error, Cli::command(), &arguments);
                return exit::USAGE;
            }
            terminal::print(&error.render().ansi().to_string());
            return terminal::settled(exit::PASSED);
        }
    };
    if cli.global.verbose > DEEPEST {
        let message = "-vv, or SYNOD_VERBOSE=2, shows all that there is: ask for no more";
        return terminal::fail(exit::USAGE, message);
    }
    terminal::set_up(&cli.global);
    let status = match cli.command {
        Command::Sweep(arguments) => sweep::run(&arguments, &cli.global),
        Command::Replay(arguments) => replay::run(&arguments, &cli.global),
        Command::Shrink(arguments) => shrink::run(&arguments, &cli.global),
        Command::Explain(arguments) => explain::run(&arguments, &cli.global),
        Command::Trace(arguments) => trace::run(&arguments, &cli.global),
        Command::CheckHistory(arguments) => check_history::run(&arguments),
        Command::Scenario(command) => scenario::run(command, &cli.global),
        Command::Bugs(arguments) => bugs::run(&arguments),
        Command::Hunt(arguments) => hunt::run(&arguments, &cli.global),
        Command::CrashPoints(arguments) => crash_points::run(&arguments, &cli.global),
        Command::Merge(arguments) => merge::run(&arguments, &cli.global),
        Command::Diff(arguments) => diff::run(&arguments, &cli.global),
        Command::Triage(arguments) => triage::run(&arguments),
        Command::NewHarness(arguments) => new_harness::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments, &cli.global),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "synod", &mut script);
            terminal::print(&String::from_utf8_lossy(&script));
            exit::PASSED
        }
        Command::Man => man(),
        Command::Worker => crate::sweep::worker::work(),
    };
    terminal::settled(status)
}

fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(arguments)?;
    if let Some(("sweep", sweep)) = matches.subcommand()
        && let Some(message) = sweep::not_with_resume(sweep)
    {
        return Err(command.error(ErrorKind::ArgumentConflict, message));
    }
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// One page for the command and all its subcommands.
fn man() -> u8 {
    let mut page = Vec::new();
    let mut command = Cli::command();
    command.build();
    let mut written = clap_mangen::Man::new(command.clone()).render(&mut page);
    for subcommand in command
        .get_subcommands()
        .filter(|subcommand| !subcommand.is_hide_set() && subcommand.get_name() != "help")
    {
        let title = format!(".SH \"synod {}\"\n", subcommand.get_name());
        let part = clap_mangen::Man::new(subcommand.clone());
        page.extend_from_slice(title.as_bytes());
        written = written
            .and_then(|()| part.render_description_section(&mut page))
            .and_then(|()| part.render_options_section(&mut page));
    }
    match written {
        Ok(()) => {
            terminal::print(&String::from_utf8_lossy(&page));
            exit::PASSED
        }
        Err(error) => terminal::fail(exit::HARNESS, &error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        for command in Cli::command()
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
        {
            let help = command.clone().render_help().to_string();
            assert!(help.contains("Example"), "{} has none", command.get_name());
        }
    }

    /// A command and all that are under it.
    fn with_all_below(command: &clap::Command) -> Vec<clap::Command> {
        let below = command.get_subcommands().flat_map(with_all_below);
        std::iter::once(command.clone()).chain(below).collect()
    }

    /// A line that was broken by hand is broken again where the terminal is narrower.
    #[test]
    fn a_paragraph_of_help_is_one_line() {
        for command in with_all_below(&Cli::command()) {
            let help = command.get_after_help().map(ToString::to_string);
            let help = help.unwrap_or_default();
            let lines: Vec<&str> = help.lines().collect();
            for pair in lines.windows(2) {
                let goes_on = |line: &str| !line.is_empty() && !line.starts_with(' ');
                let broken = goes_on(pair[0]) && goes_on(pair[1]);
                assert!(!broken, "{}: {pair:?}", command.get_name());
            }
            for example in lines.iter().filter(|line| line.starts_with(' ')) {
                let width = example.chars().count();
                assert!(width <= 100, "{}: {example}", command.get_name());
            }
        }
    }

    #[test]
    fn every_flag_of_a_sweep_has_an_environment_twin() {
        let command = Cli::command();
        let sweep = command.find_subcommand("sweep").expect("it is there");
        for argument in sweep
            .get_arguments()
            .filter(|argument| argument.get_long().is_some_and(|long| long != "help"))
        {
            let twin = argument
                .get_env()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            assert!(
                twin.starts_with("SYNOD_"),
                "--{} has {twin:?}",
                argument.get_long().unwrap_or_default()
            );
        }
    }
}
