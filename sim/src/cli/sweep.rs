//! `synod sweep`: many seeds, and what they add up to.

use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::{BuildHasher, Hasher};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use indicatif::ProgressBar;
use synod_reports::junit;
use synod_reports::line::ResultLine;
use synod_reports::summary::{Cost, Summary};

use crate::build;
use crate::cli::options::{Format, Global, RunOptions, WorkOptions};
use crate::cli::profile::Profile;
use crate::cli::summary::{print_summary, say_how_to_repeat, tell_github};
use crate::cli::terminal::{self, fail, invocation, print, quoted, say, warn};
use crate::cli::track::TrackOptions;
use crate::cli::{exit, units};
use crate::sweep::calendar;
use crate::sweep::coordinator::{self, Audience, Conduct, Outcome};
use crate::sweep::file::put;
use crate::sweep::folder::{self, Folder, RunInfo};
use crate::sweep::known;
use crate::sweep::old;
use crate::sweep::pool::Pool;
use crate::sweep::roster::Roster;
use crate::sweep::seeds::{Seeds, SeedsArgument, Shard};
use crate::sweep::shelf;
use crate::sweep::shrinking::shrink_failures;

/// Arguments of `sweep`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  synod sweep                                          2,000 seeds of the mix
  synod sweep --seeds 0..50000 --verify-determinism 10%
  synod sweep safety/ liveness/deaf-source.toml --seeds 0..500
  synod sweep --bug accept-below-promise --max-fail 1
  synod sweep --bug promise-before-fsync --only ghost,before-durable
  synod sweep --checks client                          judged by what a client can see
  synod sweep --profile nightly --time 30m --shard auto
  synod sweep safety/ --seeds 0..20 --set longer=10    runs ten times as long
  synod sweep --resume target/synod/latest             go on after Ctrl-C

Without scenarios, seed S runs the one scenario that the mix draws for it. With scenarios, every \
seed runs in each.

Results go to target/synod/<run-id>/, and to a link `latest` beside it.")]
pub struct SweepArgs {
    /// Scenario files, folders, or names in the library [default: the mix]
    #[arg(value_name = "SCENARIO|DIR")]
    scenarios: Vec<String>,
    /// A range of seeds, or so many from a random place: A..B or random:N
    #[arg(
        long,
        env = "SYNOD_SEEDS",
        value_name = "SEEDS",
        allow_hyphen_values = true
    )]
    seeds: Option<SeedsArgument>,
    /// Hand out no new runs after this time (all seeds from 0 on, unless --seeds says which)
    #[arg(long, env = "SYNOD_TIME", value_name = "TIME", value_parser = units::duration)]
    time: Option<Duration>,
    /// This part of the runs only: K/N, the first is 1, or auto from the CI's variables
    #[arg(long, env = "SYNOD_SHARD", value_name = "K/N|auto", value_parser = ShardArgument::read)]
    shard: Option<ShardArgument>,
    /// A set of defaults for the other options
    #[arg(long, env = "SYNOD_PROFILE", value_enum, default_value_t)]
    profile: Profile,
    /// End after so many failing runs
    #[arg(
        long,
        env = "SYNOD_MAX_FAIL",
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..),
    )]
    max_fail: Option<u64>,
    /// Make this share of the runs twice and compare all that comes out [default: 1%]
    #[arg(long, env = "SYNOD_VERIFY_DETERMINISM", value_name = "P%", value_parser = units::percent)]
    verify_determinism: Option<u32>,
    /// The folder for the results [default: target/synod/<run-id>]
    #[arg(long, short, env = "SYNOD_OUT", value_name = "DIR")]
    out: Option<PathBuf>,
    /// So many folders of sweeps stay in target/synod, the latest; 0: all. None goes when --out says
    /// where the results go
    #[arg(long, env = "SYNOD_KEEP_RUNS", value_name = "N", default_value_t = 20)]
    keep_runs: usize,
    /// Millions of events for making each of the first five failures smaller, once all runs are
    /// made; 0: none [default: 20]
    #[arg(
        long,
        env = "SYNOD_SHRINK",
        value_name = "MILLIONS",
        value_parser = clap::value_parser!(u64).range(..1_000_000),
    )]
    shrink: Option<u64>,
    /// Failures that are known and do not count until their day: a TOML file with a [[known]] for each,
    /// of fingerprint, reason and until
    #[arg(long, env = "SYNOD_KNOWN", value_name = "FILE")]
    known: Option<PathBuf>,
    #[command(flatten)]
    track: TrackOptions,
    /// Write JUnit XML here as well
    #[arg(long, env = "SYNOD_JUNIT", value_name = "FILE")]
    junit: Option<PathBuf>,
    /// The form of what goes to standard output
    #[arg(long, env = "SYNOD_FORMAT", value_enum, default_value_t)]
    format: Format,
    /// Go on with an interrupted sweep; it keeps its own scenarios, seeds and options, whatever the
    /// environment says
    #[arg(long, env = "SYNOD_RESUME", value_name = "DIR")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    run: RunOptions,
    #[command(flatten)]
    work: WorkOptions,
}

#[derive(Clone, Copy, Debug)]
enum ShardArgument {
    Given(Shard),
    Auto,
}

impl ShardArgument {
    fn read(text: &str) -> Result<Self, String> {
        if text == "auto" {
            Ok(Self::Auto)
        } else {
            text.parse().map(Self::Given)
        }
    }
}

/// What a sweep that goes on has from its beginning. In the environment it is passed over.
const BEGUN_WITH: [&str; 16] = [
    "scenarios",
    "seeds",
    "shard",
    "profile",
    "out",
    "max_fail",
    "known",
    "shrink",
    "subject",
    "bug",
    "set",
    "only",
    "checks",
    "strategy",
    "verify_determinism",
    "beyond_contract",
];

/// Why these arguments cannot go on with a sweep.
#[must_use]
pub fn not_with_resume(arguments: &ArgMatches) -> Option<String> {
    arguments.value_source("resume")?;
    let is_typed = |id: &&&str| arguments.value_source(id) == Some(ValueSource::CommandLine);
    let typed = BEGUN_WITH.iter().find(is_typed)?;
    let typed = match *typed {
        "scenarios" => "scenarios".to_owned(),
        option => format!("--{}", option.replace('_', "-")),
    };
    Some(format!(
        "--resume goes on with a sweep as it was begun: leave {typed} out, or sweep anew"
    ))
}

/// Where the folders of sweeps are, unless it is said.
const RUNS: &str = "target/synod";

/// Runs the command.
#[must_use]
pub fn run(arguments: &SweepArgs, global: &Global) -> u8 {
    let begun = match &arguments.resume {
        Some(path) => resume(path),
        None => begin(arguments),
    };
    let begun = match begun {
        Ok(begun) => begun,
        Err(message) => return fail(exit::USAGE, &message),
    };
    match sweep(arguments, global, begun) {
        Ok(status) => status,
        Err(message) => fail(exit::USAGE, &message),
    }
}

/// What is to be swept, and what of it is known.
struct Begun {
    info: RunInfo,
    path: PathBuf,
    known: Vec<ResultLine>,
    cost: Cost,
    time: Option<Duration>,
}

fn begin(arguments: &SweepArgs) -> Result<Begun, String> {
    let profile = arguments.profile;
    let mut settings = arguments.run.settings(arguments.scenarios.clone());
    settings.verify_ppm = arguments.verify_determinism.unwrap_or(profile.verify_ppm());
    let selection = shelf::select(&settings)?;
    let seeds = match arguments.seeds {
        Some(given) => given.resolve(entropy()),
        None if arguments.time.is_some() && profile != Profile::Nightly => Seeds {
            start: 0,
            end: u64::MAX,
        },
        None => profile.seeds(calendar::days()),
    };
    let shard = match arguments.shard {
        None => None,
        Some(ShardArgument::Given(shard)) => Some(shard),
        Some(ShardArgument::Auto) => {
            let found = Shard::detect(|name| std::env::var(name).ok())?;
            if found.is_none() {
                warn(
                    "--shard auto: no variables of a CI system or of Kubernetes are set, so this \
                     runs everything",
                );
            }
            found
        }
    };
    let mut info = RunInfo::new(
        settings,
        seeds,
        shard,
        arguments.max_fail.or(profile.max_fail()),
        selection,
    );
    info.shrink = arguments.shrink.unwrap_or(profile.shrink()) * 1_000_000;
    if let Some(file) = &arguments.known {
        let (known, past) = known::read(file)?;
        info.known = known;
        for sentence in past {
            warn(&sentence);
        }
    }
    let path = arguments
        .out
        .clone()
        .unwrap_or_else(|| Path::new(RUNS).join(calendar::run_id()));
    Ok(Begun {
        info,
        path,
        known: Vec::new(),
        cost: Cost::default(),
        time: arguments.time.or(profile.time()),
    })
}

fn resume(path: &Path) -> Result<Begun, String> {
    let info = folder::read_info(path)?;
    if info.build != build::identity() {
        return Err(format!(
            "{} was begun by another build ({} at {}, this is {}): its digests cannot be \
             joined with new ones; sweep anew",
            path.display(),
            info.build,
            info.commit,
            build::identity(),
        ));
    }
    shelf::check_unchanged(&info.settings)
        .map_err(|message| format!("{}: {message}", path.display()))?;
    let known = folder::read_results(path).map_err(|message| {
        format!("{message}; delete that line, and its run is made again, or sweep anew")
    })?;
    let cost = folder::read_summary(path)?.map_or_else(Cost::default, |summary| summary.cost());
    // Through the link, the results of another sweep could take this one's place meanwhile.
    let path = path
        .canonicalize()
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let here = std::env::current_dir().unwrap_or_default();
    let near = path.strip_prefix(here).ok();
    let near = near.filter(|near| !near.as_os_str().is_empty());
    let path = near.map_or(path.clone(), Path::to_owned);
    Ok(Begun {
        info,
        path,
        known,
        cost,
        time: None,
    })
}

/// Randomness from the system, without a dependency: the keys of a standard hasher.
fn entropy() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn sweep(arguments: &SweepArgs, global: &Global, begun: Begun) -> Result<u8, String> {
    let Begun {
        info,
        path,
        known,
        cost,
        time,
    } = begun;
    let time = time.or(arguments.time);
    if let Some(junit) = &arguments.junit {
        // Before the sweep, not after an hour of it.
        File::options()
            .create(true)
            .append(true)
            .open(junit)
            .map_err(|error| {
                let name = junit.display();
                format!("--junit {name}: {error}; name a file that can be made, in a folder that is there")
            })?;
    }
    let mut source = shelf::open(&info.settings)?;
    let mut place = arguments.work.place(source.as_mut())?;
    let mut unwritable = None;
    let opened = match arguments.resume {
        Some(_) => Folder::resume(&path, &known),
        None => Folder::create(&path, &info),
    };
    let mut folder = match opened {
        Ok(folder) => Some(folder),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            return Err(format!("{}: {error}", path.display()));
        }
        Err(error) => {
            let message = format!("{}: {error}", path.display());
            warn(&format!(
                "{message}; the results go to standard output alone"
            ));
            unwritable = Some(format!("no results were written: {message}"));
            None
        }
    };
    if folder.is_some() && arguments.out.is_none() && arguments.resume.is_none() {
        folder::link_latest(&path);
        for gone in old::prune(Path::new(RUNS), arguments.keep_runs) {
            tracing::info!("removed {}, an old sweep", gone.display());
        }
    }
    let again = junit::Again {
        program: invocation(),
        folder: quoted(&path.to_string_lossy()),
    };
    if let Some(folder) = &mut folder {
        folder.run_again_by(again.clone());
    }
    let interrupted = terminal::interrupts();
    let size = Roster::of(&info).size();
    let endless = time.is_some() && info.seeds.end == u64::MAX;
    let mut audience = Watching {
        bar: terminal::progress(global, (!endless).then_some(size)),
        lines: arguments.format == Format::Jsonl,
    };
    let is_tonight = arguments.profile == Profile::Nightly && arguments.seeds.is_none();
    if is_tonight && arguments.resume.is_none() && !global.quiet {
        say(&format!("{}; its base is the day in UTC", info.title()));
    }
    tracing::info!(
        "{}: {size} runs by {} workers, results in {}",
        info.title(),
        arguments.work.jobs(),
        path.display()
    );
    let conduct = Conduct {
        jobs: arguments.work.jobs(),
        time,
        hang_after: arguments.work.hang_after,
        interrupted: &interrupted,
        known,
        known_cost: cost,
    };
    let Outcome {
        summary,
        mut broken,
        unwritten,
        repeated_otherwise,
    } = coordinator::sweep(&info, conduct, &mut place, folder.as_mut(), &mut audience);
    let shrunk = match &folder {
        Some(folder)
            if unwritten.is_none() && info.shrink > 0 && !interrupted.load(Ordering::Relaxed) =>
        {
            let failures = &summary.failures;
            if !failures.is_empty() {
                audience.bar.set_message("(making failures smaller)");
            }
            let pool = Pool {
                settings: &info.settings,
                jobs: arguments.work.jobs(),
                hang_after: arguments.work.hang_after,
                until: None,
                halt: &interrupted,
            };
            shrink_failures(&info, failures, &pool, &mut place, folder)
        }
        _ => Ok(Vec::new()),
    };
    audience.bar.finish_and_clear();
    let shrunk = shrunk.unwrap_or_else(|reason| {
        broken.push(reason);
        Vec::new()
    });

    let written = folder.is_some() && unwritten.is_none();
    broken.extend(unwritable);
    broken
        .extend(unwritten.map(|message| format!("the results there are not complete: {message}")));
    if let Some(junit) = &arguments.junit
        && let Err(error) = put(junit, junit::summary(&summary, &again))
    {
        broken.push(format!("{}: {error}", junit.display()));
    }
    let written = written.then_some(path.as_path());
    show(&summary, &info, written, arguments.format, global);
    say_how_to_repeat(&summary.failures, &shrunk, &info, &path);
    if let Err(message) = tell_github(&summary, &info, |name| std::env::var(name).ok()) {
        broken.push(message);
    }
    for failure in &repeated_otherwise {
        let _ = fail(
            exit::NONDETERMINISTIC,
            &format!(
                "{} seed {} came out otherwise when it was run again: nondeterminism",
                failure.scenario, failure.seed
            ),
        );
    }
    let drift = arguments
        .track
        .drift(&summary, &info)
        .unwrap_or_else(|message| {
            broken.push(message);
            Vec::new()
        });
    for change in &drift {
        let _ = fail(exit::FAILED, change);
    }
    for reason in &broken {
        let _ = fail(exit::HARNESS, reason);
    }
    Ok(match exit::of_summary(&summary) {
        _ if !broken.is_empty() => exit::HARNESS,
        exit::HARNESS => exit::HARNESS,
        _ if !repeated_otherwise.is_empty() => exit::NONDETERMINISTIC,
        exit::PASSED if !drift.is_empty() => exit::FAILED,
        status => status,
    })
}

/// Follows a sweep at a terminal.
struct Watching {
    bar: ProgressBar,
    lines: bool,
}

impl Audience for Watching {
    fn line(&mut self, line: &ResultLine) {
        if self.lines {
            self.bar.suspend(|| print(&(line.to_json() + "\n")));
        }
        let record = &line.record;
        if record.verdict.is_failure() {
            self.bar.suspend(|| {
                tracing::info!(
                    "{} seed {}: {} `{}`",
                    record.scenario,
                    record.seed,
                    record.verdict.name(),
                    record.check.as_deref().unwrap_or_default()
                );
            });
        }
    }

    fn progress(&mut self, done: u64, failed: u64) {
        self.bar.set_position(done);
        if failed > 0 {
            self.bar.set_message(format!("({failed} failed)"));
        }
    }
}

fn show(summary: &Summary, info: &RunInfo, path: Option<&Path>, format: Format, global: &Global) {
    match format {
        Format::Json => print(&summary.to_json()),
        Format::Jsonl => {}
        Format::Human => {
            print_summary(summary, &info.title(), global);
            if let Some(path) = path {
                print(&format!("  results in {}\n", path.display()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::sweep::folder::{PAGE, SHRUNK};
    use crate::sweep::settings::Judges;

    #[test]
    fn what_is_resumed_is_as_it_was_left() {
        let place = tempfile::tempdir().expect("a folder");
        let file = place.path().join("x.toml");
        let text = "format = 1\ntitle = \"x\"\nwhy = \"y\"\n[network]\nloss = \"1%\"\n[workload]\n";
        let swept = place.path().join("swept").display().to_string();
        let words = |rest: &[&str]| {
            let begin = ["synod", "-q", "sweep", "--in-process", "--format", "jsonl"];
            begin
                .iter()
                .chain(rest)
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        let status = |rest: &[&str]| {
            let cli = Cli::try_parse_from(words(rest)).expect("they are right");
            match cli.command {
                Command::Sweep(arguments) => run(&arguments, &cli.global),
                other => panic!("{other:?}"),
            }
        };
        std::fs::write(&file, text).expect("writes");
        let scenario = file.display().to_string();
        let begun = status(&[&scenario, "--seeds", "0..2", "--out", &swept]);
        let results = place.path().join("swept/results.jsonl");
        let before = std::fs::read(&results).expect("reads");
        assert_eq!(status(&["--resume", &swept]), begun);
        std::fs::write(&file, text.replace("1%", "2%")).expect("writes");
        assert_eq!(status(&["--resume", &swept]), exit::USAGE);
        assert_eq!(std::fs::read(&results).expect("reads"), before);

        std::fs::write(&file, text).expect("writes");
        let whole = String::from_utf8(before).expect("it is text");
        let (first, rest) = whole.split_once('\n').expect("a line");
        let broken = format!("{}\n{rest}", &first[..first.len() / 2]);
        std::fs::write(&results, broken).expect("writes");
        let refused = resume(Path::new(&swept)).err().expect("a broken line");
        assert!(
            refused.contains("results.jsonl:1:") && refused.contains("delete that line"),
            "{refused}"
        );
        std::fs::write(&results, rest).expect("writes");
        assert_eq!(status(&["--resume", &swept]), begun);
        let again = std::fs::read_to_string(&results).expect("reads");
        assert_eq!(again, whole, "its run is made again");
    }

    #[test]
    fn a_known_failure_counts_apart_until_its_day() {
        let place = tempfile::tempdir().expect("a folder");
        let out = place.path().join("out").display().to_string();
        let file = place.path().join("known.toml");
        let known = file.display().to_string();
        let status = |more: &[&str]| {
            let words = "synod -q --no-progress sweep --in-process smoke/healthy-3 --seeds 0..2 \
                         --shrink 0 --bug commit-bound-inclusive --max-fail 1";
            let words: Vec<&str> = words.split_whitespace().collect();
            let all = [&words[..], &["--out", &out], more].concat();
            let cli = Cli::try_parse_from(all).expect("they are right");
            match cli.command {
                Command::Sweep(arguments) => run(&arguments, &cli.global),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(status(&[]), exit::FAILED);
        let summary = || {
            let summary = folder::read_summary(Path::new(&out)).expect("reads");
            summary.expect("it is there")
        };
        assert_eq!(summary().runs, 1, "one failure is enough");
        let fingerprint = summary().failures[0].fingerprint.clone();
        let write = |until: &str| {
            let text = format!(
                "[[known]]\nfingerprint = {fingerprint:?}\nreason = \"#7\"\nuntil = {until:?}\n"
            );
            std::fs::write(&file, text).expect("writes");
        };
        write("2999-12-31");
        assert_eq!(status(&["--known", &known]), exit::PASSED);
        let told = summary();
        assert_eq!((told.runs, told.known[0].runs), (2, 2), "it ends no sweep");
        assert_eq!(told.verdicts.failed(), 2, "and is not silent");
        write("2020-01-01");
        assert_eq!(status(&["--known", &known]), exit::FAILED);
        std::fs::write(&file, "known = 3").expect("writes");
        assert_eq!(status(&["--known", &known]), exit::USAGE);
    }

    #[test]
    fn a_failure_is_made_smaller_by_itself() {
        let place = tempfile::tempdir().expect("a folder");
        let out = place.path().join("out").display().to_string();
        let status = |words: &[&str]| {
            let all = ["synod", "-q", "--no-progress"].iter().chain(words);
            match Cli::try_parse_from(all).expect("they are right") {
                Cli {
                    command: Command::Sweep(arguments),
                    global,
                } => run(&arguments, &global),
                Cli {
                    command: Command::Replay(arguments),
                    global,
                } => crate::cli::replay::run(&arguments, &global),
                other => panic!("{other:?}"),
            }
        };
        let sweep = [
            "sweep",
            "--in-process",
            "smoke/healthy-3",
            "--seeds",
            "0..1",
            "--bug",
            "commit-bound-inclusive",
            "--out",
            &out,
        ];
        let shrunk = || {
            let failures = std::fs::read_dir(Path::new(&out).join("failures")).expect("a failure");
            let mut failures = failures.map(|folder| folder.expect("reads").path().join(SHRUNK));
            failures.next().expect("a failure")
        };
        assert_eq!(status(&[&sweep[..], &["--shrink", "0"]].concat()), 1);
        assert!(!shrunk().exists(), "nobody asked for it");
        assert_eq!(status(&[&sweep[..], &["--shrink", "2"]].concat()), 1);
        let page = std::fs::read_to_string(shrunk().with_file_name(PAGE)).expect("it has a page");
        assert!(page.contains("synod replay failures/"));
        let file = shrunk().display().to_string();
        let lines = std::fs::read_to_string(&file).expect("it was written");
        assert!(lines.lines().count() < 40, "{lines}");
        // Of the same build, so its digest is compared: not 5.
        assert_eq!(status(&["replay", "--in-process", &file]), 1);
    }

    #[test]
    fn a_sweep_and_a_replay_may_be_judged_by_clients() {
        for command in ["sweep", "replay"] {
            let words = ["synod", command, "smoke/healthy-3", "--checks", "client"];
            let run = match Cli::try_parse_from(words).expect("they are right").command {
                Command::Sweep(arguments) => arguments.run.settings(Vec::new()),
                Command::Replay(arguments) => arguments.run.settings(Vec::new()),
                other => panic!("{other:?}"),
            };
            assert_eq!(run.judges, Some(Judges::Client));
        }
    }
}
