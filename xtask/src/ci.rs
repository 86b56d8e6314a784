//! What a change must pass, in the order in which it fails cheapest.

use std::process::Command;
use std::time::Instant;

use crate::{alone, browser, guest, tidy};

/// Seeds of the smoke sweep, far from those that others use.
const SMOKE_SEEDS: &str = "300000..301000";

/// What an operation cost in it, commit by commit.
const COSTS: &str = "target/costs.jsonl";

/// The bugs of the short hunt, of several components.
const QUARRY: [&str; 4] = [
    "accept-below-promise",
    "promise-before-fsync",
    "accepted-before-fsync",
    "torn-tail-not-truncated",
];

/// Runs all steps, and stops at the first that fails.
///
/// # Errors
/// The step that failed.
pub fn run(without_tests: bool) -> Result<(), String> {
    cargo("formatting", &["fmt", "--all", "--check"])?;
    step("tidy", tidy::run)?;
    cargo(
        "clippy",
        &[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ],
    )?;
    if !without_tests {
        cargo("tests", &["test", "--workspace"])?;
    }
    cargo("release build", &["build", "--quiet", "--release"])?;
    // The line of this commit is not put into what is committed.
    std::fs::copy("sim/tests/costs.jsonl", COSTS)
        .map_err(|error| format!("sim/tests/costs.jsonl: {error}"))?;
    cargo(
        "smoke sweep",
        &[
            "run",
            "--quiet",
            "--release",
            "--",
            "sweep",
            "--seeds",
            SMOKE_SEEDS,
            "--verify-determinism",
            "5%",
            "--track",
            COSTS,
            "--no-progress",
        ],
    )?;
    cargo(
        "regressions",
        &[
            "run",
            "--quiet",
            "--release",
            "--",
            "sweep",
            "scenarios/regressions",
            "--no-progress",
        ],
    )?;
    cargo(
        "negative",
        &[
            "run",
            "--quiet",
            "--release",
            "--",
            "sweep",
            "scenarios/negative",
            "--seeds",
            "0..200",
            "--no-progress",
        ],
    )?;
    step("alone", alone::run)?;
    step("guest", guest::run)?;
    step("browser", browser::in_ci)?;
    cargo(
        "crash points",
        &[
            "run",
            "--quiet",
            "--release",
            "--",
            "crash-points",
            "--no-progress",
        ],
    )?;
    let known = synod_sim::subject::bug_card::bugs("synod");
    let quarry = QUARRY
        .into_iter()
        .filter(|name| known.iter().any(|card| card.name == *name));
    let hunt: Vec<&str> = [
        "run",
        "--quiet",
        "--release",
        "--",
        "hunt",
        "--until-found",
        "--runs",
        "2000",
        "--no-progress",
    ]
    .into_iter()
    .chain(quarry)
    .collect();
    cargo("short hunt", &hunt)
}

fn cargo(name: &str, arguments: &[&str]) -> Result<(), String> {
    step(name, || {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(program)
            .args(arguments)
            .status()
            .map_err(|error| format!("cargo {}: {error}", arguments.join(" ")))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("cargo {}: {status}", arguments.join(" ")))
        }
    })
}

fn step(name: &str, action: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    println!("== {name}");
    let began = Instant::now();
    let done = action();
    println!(
        "== {name}: {} in {:.1} s",
        if done.is_ok() { "ok" } else { "FAILED" },
        began.elapsed().as_secs_f64()
    );
    done
}
