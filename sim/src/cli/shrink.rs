//! `synod shrink`: the smallest reproducer that still fails the same check.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use synod_reports::table::grouped;

use crate::cli::exit;
use crate::cli::options::{Format, Global, RunOptions, jobs};
use crate::cli::terminal::{self, fail, invocation, print, quoted, say};
use crate::cli::units;
use crate::cli::which::{Failing, Which};
use crate::plan::Plan;
use crate::shrink::edits::pieces;
use crate::shrink::search::{Shrunk, shrink};
use crate::sweep::cost::cpu_of_this;
use crate::sweep::file::put;
use crate::sweep::smaller::case_of;

/// Arguments of `shrink`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  synod shrink target/synod/latest/failures/agreement-1a2b3c4d/repro.toml
  synod shrink safety/weather-5 --seed 7 --bug accept-below-promise
  synod shrink safety/weather-5 --seed 7 --bug accept-below-promise --out small.toml --budget 20
  synod shrink repro.toml --checks client --format json

Whatever the run does not need to fail the same check is taken out of its plan: what comes after the \
failure, faults, clients, operations, replicas, settings, weather. Of what is left each line says \
whether it is needed, by trying. The same plan and budget give the same file, however many threads \
there are; --time and Ctrl-C end the search with the best so far.

Exit status: 0 a reproducer was written, 4 what was given does not fail.")]
pub struct ShrinkArgs {
    #[command(flatten)]
    which: Which,
    /// Where the reproducer goes [default: shrunk.toml beside the one that is given, or else
    /// target/synod/shrunk/SCENARIO-SEED.toml]
    #[arg(long, short, env = "SYNOD_OUT", value_name = "FILE")]
    out: Option<PathBuf>,
    /// Millions of events that runs may take together
    #[arg(
        long,
        env = "SYNOD_BUDGET",
        value_name = "MILLIONS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..1_000_000),
    )]
    budget: u64,
    /// End after so long with the best so far
    #[arg(long, env = "SYNOD_TIME", value_name = "TIME", value_parser = units::duration)]
    time: Option<Duration>,
    /// Threads [default: one for each core]
    #[arg(long, short, env = "SYNOD_JOBS", value_name = "N", value_parser = units::workers)]
    jobs: Option<std::num::NonZero<usize>>,
    /// The form of what goes to standard output
    #[arg(long, env = "SYNOD_FORMAT", value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    run: RunOptions,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &ShrinkArgs, global: &Global) -> u8 {
    let began = cpu_of_this();
    let Failing {
        spec, goal, origin, ..
    } = match arguments.which.failing(&arguments.run, "shrink") {
        Ok(failing) => failing,
        Err(status) => return status,
    };
    let plan = spec.plan.clone();
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| usual(arguments, &plan));
    let until = arguments.time.map(|time| Instant::now() + time);
    let interrupted = terminal::interrupts();
    let halt = || {
        interrupted.load(std::sync::atomic::Ordering::Relaxed)
            || until.is_some_and(|until| Instant::now() >= until)
    };
    let bar = terminal::progress(global, None);
    let budget = arguments.budget * 1_000_000;
    let case = case_of(spec, &origin, goal, jobs(arguments.jobs), budget, &halt);
    if let Err(error) = writes(&out, &case.scribe.brief(&plan).text()) {
        return fail(exit::HARNESS, &format!("{}: {error}", out.display()));
    }
    let shrunk = shrink(case, &plan, &mut |best, case| {
        bar.set_position(case.spent.runs);
        bar.set_message(of(best));
        // The best so far is there, whatever happens next.
        let _ = writes(&out, &case.scribe.brief(best).text());
    });
    bar.finish_and_clear();
    let shrunk = match shrunk {
        Ok(shrunk) => shrunk,
        Err(message) => return fail(exit::HARNESS, &message),
    };
    if let Err(error) = writes(&out, &shrunk.file) {
        return fail(exit::HARNESS, &format!("{}: {error}", out.display()));
    }
    let spent = cpu_of_this().zip(began);
    let seconds = spent.map_or(0.0, |(now, then)| now.saturating_sub(then).as_secs_f64());
    match arguments.format {
        Format::Human => print(&text(&plan, &shrunk, seconds)),
        Format::Json | Format::Jsonl => {
            let value = value(&plan, &shrunk, seconds, &out);
            print(&(serde_json::to_string_pretty(&value).expect("plain data") + "\n"));
        }
    }
    say(&format!(
        "Replay with: {} replay {}",
        invocation(),
        quoted(&out.to_string_lossy())
    ));
    if interrupted.load(std::sync::atomic::Ordering::Relaxed) {
        exit::INTERRUPTED
    } else {
        exit::PASSED
    }
}

/// Where a reproducer goes when nobody says.
fn usual(arguments: &ShrinkArgs, plan: &Plan) -> PathBuf {
    let given = Path::new(&arguments.which.target);
    if arguments.which.seed.is_none() {
        return given.with_file_name("shrunk.toml");
    }
    let name = plan.scenario.replace('/', "-");
    PathBuf::from(format!("target/synod/shrunk/{name}-{}.toml", plan.seed))
}

fn writes(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    put(path, text)
}

fn of(plan: &Plan) -> String {
    format!(
        "{} faults and steps, {} replicas, {} operations",
        pieces(plan),
        plan.cluster.replicas,
        plan.workload.operations
    )
}

fn text(from: &Plan, shrunk: &Shrunk, seconds: f64) -> String {
    format!(
        "{}\n{}: {}\nfrom {} to {}\n{} lines of faults and decisions, {} with the settings; {} runs of {} \
         events in {seconds:.1} CPU seconds{}\n",
        shrunk.file,
        shrunk.record.check.as_deref().unwrap_or_default(),
        shrunk.record.message.as_deref().unwrap_or_default(),
        of(from),
        of(&shrunk.plan),
        shrunk.decisions,
        shrunk.lines,
        grouped(shrunk.spent.runs),
        grouped(shrunk.spent.events),
        if shrunk.is_done {
            ""
        } else {
            "; more may be gained by a larger --budget"
        }
    )
}

fn value(from: &Plan, shrunk: &Shrunk, seconds: f64, out: &Path) -> serde_json::Value {
    json!({
        "scenario": from.scenario,
        "seed": from.seed,
        "class": shrunk.record.verdict.name(),
        "check": shrunk.record.check,
        "message": shrunk.record.message,
        "digest": shrunk.record.digest,
        "repro": out.to_string_lossy(),
        "faults_before": pieces(from),
        "faults": pieces(&shrunk.plan),
        "lines_of_decisions": shrunk.decisions,
        "lines": shrunk.lines,
        "runs": shrunk.spent.runs,
        "events": shrunk.spent.events,
        "cpu_seconds": seconds,
        "done": shrunk.is_done,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn status(words: &[&str]) -> u8 {
        let cli = Cli::try_parse_from(words).expect("they are right");
        match cli.command {
            Command::Shrink(arguments) => run(&arguments, &cli.global),
            Command::Replay(arguments) => crate::cli::replay::run(&arguments, &cli.global),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_does_not_fail_is_not_shrunk() {
        let place = tempfile::tempdir().expect("a folder");
        let out = place.path().join("out.toml").display().to_string();
        let words = [
            "synod",
            "-q",
            "shrink",
            "smoke/healthy-3",
            "--seed",
            "0",
            "--out",
            &out,
        ];
        assert_eq!(status(&words), exit::VACUOUS);
        assert!(!Path::new(&out).exists());
        let unknown = ["synod", "-q", "shrink", "nothing.toml", "--out", &out];
        assert_eq!(status(&unknown), exit::USAGE);
    }

    #[test]
    fn what_is_shrunk_is_replayed_and_shrunk_again() {
        let place = tempfile::tempdir().expect("a folder");
        let out = place.path().join("new/out.toml").display().to_string();
        let mut words = vec!["synod", "-q", "--no-progress", "shrink", "smoke/healthy-3"];
        words.extend([
            "--seed",
            "0",
            "--bug",
            "commit-bound-inclusive",
            "--out",
            &out,
        ]);
        assert_eq!(status(&words), exit::PASSED);
        let text = std::fs::read_to_string(&out).expect("it was written");
        assert!(text.lines().count() < 25, "{text}");
        // Of the same build, so its digest is compared: not 5.
        assert_eq!(
            status(&["synod", "-q", "replay", "--in-process", &out]),
            exit::FAILED
        );
        assert_eq!(
            status(&["synod", "-q", "--no-progress", "shrink", &out]),
            exit::PASSED
        );
        let again = place.path().join("new/shrunk.toml");
        let again = std::fs::read_to_string(again).expect("it is beside the one that was given");
        let lines = |text: &str| text.lines().count();
        assert!(lines(&again) <= lines(&text), "{again}");
    }
}
