//! Which share of the mix each scenario should have, by what hunts found in each.
//!
//! A hunt with every scenario given tells how often a run of scenario s finds bug b. With shares w a
//! sweep of n runs is to find b with probability 1 - exp(-n Σ w(s) r(b, s)); the best shares make the
//! sum of these over all bugs greatest. It is concave, so climbing by exponentiated gradients
//! (Kivinen and Warmuth, 1997) comes to the best there is. What was planted is a sample of what there
//! may be, and rates are estimates: so every scenario keeps some share, and the weather, which nobody
//! aimed at anything, a large one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use synod_reports::hunt::HuntRow;
use synod_reports::table;

/// Which hunts, and for how many runs.
#[derive(Args)]
#[command(after_help = "\
Examples:
  synod hunt --runs 8 --up-to 8 --format jsonl \\
    --scenario scenarios/liveness --scenario scenarios/safety --scenario scenarios/storage > all.jsonl
  cargo xtask portfolio all.jsonl client.jsonl      client.jsonl: the same with --checks client

Of each bug and file, as of a bug of its own. Prints each scenario's share as it is and as it were \
                        best, with the weight that gives it.")]
pub struct Arguments {
    /// What `synod hunt --format jsonl` wrote
    #[arg(required = true, value_name = "FILE")]
    hunts: Vec<PathBuf>,
    /// Runs of a sweep in which bugs should be found
    #[arg(long, value_name = "N", default_value_t = 600)]
    runs: u32,
}

/// Scenarios that draw everything at random, aimed at nothing, and what they keep of the mix.
const RANDOM: [&str; 2] = ["safety/weather-3", "safety/weather-5"];
const RANDOM_SHARE: f64 = 0.25;
/// Every scenario keeps so much of an even share.
const KEPT: f64 = 0.2;
/// Steps of the ascent, and their size against the largest slope.
const STEPS: u32 = 4_000;
const STEP: f64 = 0.1;

/// Rates of a bug by scenario, in the order of the names.
type Rates = Vec<f64>;

/// Prints the shares.
///
/// # Errors
/// A file that is no hunt.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let weights = weights()?;
    let names: Vec<&str> = weights.keys().map(String::as_str).collect();
    let mut bugs = Vec::new();
    for hunt in &arguments.hunts {
        bugs.extend(rates(hunt, &names)?);
    }
    let total: f64 = weights.values().sum();
    let present: Vec<f64> = weights.values().map(|weight| weight / total).collect();
    let runs = f64::from(arguments.runs);
    let best = climb(&names, &bugs, runs);
    let mut rows: Vec<(f64, Vec<String>)> = names
        .iter()
        .zip(present.iter().zip(&best))
        .map(|(name, (present, best))| {
            let cells = vec![
                (*name).to_owned(),
                format!("{:.1} %", present * 100.0),
                format!("{:.1} %", best * 100.0),
                format!("{:.0}", weights[*name]),
                format!("{:.0}", (best * total).round().max(1.0)),
            ];
            (*best, cells)
        })
        .collect();
    rows.sort_by(|one, other| other.0.total_cmp(&one.0));
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(_, cells)| cells).collect();
    print!(
        "{}",
        table::plain(&["scenario", "share", "best", "weight", "best"], &rows)
    );
    println!(
        "of {} bugs {} runs are to find {:.1}, and {:.1} with the best shares",
        bugs.len(),
        arguments.runs,
        found(&bugs, &present, runs),
        found(&bugs, &best, runs),
    );
    Ok(())
}

/// Of every scenario of the mix; one of no weight is in it by name alone.
fn weights() -> Result<BTreeMap<String, f64>, String> {
    let mut weights = BTreeMap::new();
    for folder in ["liveness", "safety", "smoke", "storage"] {
        let path = Path::new("scenarios").join(folder);
        let entries = std::fs::read_dir(&path).map_err(|error| format!("{path:?}: {error}"))?;
        for entry in entries {
            let path = entry.map_err(|error| error.to_string())?.path();
            let text =
                std::fs::read_to_string(&path).map_err(|error| format!("{path:?}: {error}"))?;
            let scenario: toml::Table =
                toml::from_str(&text).map_err(|error| format!("{path:?}: {error}"))?;
            let weight = scenario.get("weight").and_then(toml::Value::as_integer);
            if weight == Some(0) {
                continue;
            }
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            #[expect(clippy::cast_precision_loss, reason = "weights are small")]
            weights.insert(format!("{folder}/{name}"), weight.unwrap_or(1) as f64);
        }
    }
    Ok(weights)
}

/// Of each bug that was found in this hunt.
fn rates(hunt: &Path, names: &[&str]) -> Result<Vec<Rates>, String> {
    let text =
        std::fs::read_to_string(hunt).map_err(|error| format!("{}: {error}", hunt.display()))?;
    let mut bugs = Vec::new();
    for line in text.lines() {
        let row: HuntRow = serde_json::from_str(line).map_err(|error| {
            format!(
                "{}: {error}; it takes what `synod hunt --format jsonl` prints",
                hunt.display()
            )
        })?;
        let rate = |name: &&str| {
            row.scenarios.get(*name).map_or(0.0, |share| {
                #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
                let (runs, detections) = (share.runs as f64, share.detections as f64);
                detections / runs.max(1.0)
            })
        };
        if row.detections > 0 {
            bugs.push(names.iter().map(rate).collect());
        }
    }
    Ok(bugs)
}

/// How often a run finds the bug.
fn rate(bug: &Rates, shares: &[f64]) -> f64 {
    bug.iter()
        .zip(shares)
        .map(|(rate, share)| rate * share)
        .sum()
}

/// How many of the bugs so many runs are to find.
fn found(bugs: &[Rates], shares: &[f64], runs: f64) -> f64 {
    let of = |bug: &Rates| 1.0 - (-runs * rate(bug, shares)).exp();
    bugs.iter().map(of).sum()
}

/// The best shares.
fn climb(names: &[&str], bugs: &[Rates], runs: f64) -> Vec<f64> {
    let count = f64::from(u32::try_from(names.len()).unwrap_or(u32::MAX));
    let mut free = vec![1.0 / count; names.len()];
    let mut shares = kept(names, &free);
    for _ in 0..STEPS {
        let mut slopes = vec![0.0; names.len()];
        for bug in bugs {
            let hidden = (-runs * rate(bug, &shares)).exp();
            for (slope, rate) in slopes.iter_mut().zip(bug) {
                *slope += rate * hidden;
            }
        }
        let steepest = slopes.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        for (share, slope) in free.iter_mut().zip(&slopes) {
            *share *= (STEP * slope / steepest).exp();
        }
        let sum: f64 = free.iter().sum();
        free.iter_mut().for_each(|share| *share /= sum);
        shares = kept(names, &free);
    }
    shares
}

/// Mixes in what every scenario keeps, and what the weather does.
fn kept(names: &[&str], free: &[f64]) -> Vec<f64> {
    let [all, weather] = [names.len(), RANDOM.len()]
        .map(|count| f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    let own = |name: &&str| {
        KEPT / all
            + if RANDOM.contains(name) {
                RANDOM_SHARE / weather
            } else {
                0.0
            }
    };
    let rest = 1.0 - KEPT - RANDOM_SHARE;
    names
        .iter()
        .zip(free)
        .map(|(name, free)| own(name) + rest * free)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_go_where_bugs_are_that_nothing_else_finds() {
        let names = ["safety/a", "safety/b", "safety/c", "safety/weather-5"];
        // A finds what all find; b alone finds a rare one; c finds nothing.
        let bugs = [vec![0.5, 0.2, 0.0, 0.4], vec![0.0, 0.01, 0.0, 0.0]];
        let best = climb(&names, &bugs, 100.0);
        let [a, b, c, weather] = best[..] else {
            panic!("four shares")
        };
        assert!((best.iter().sum::<f64>() - 1.0 + RANDOM_SHARE / 2.0).abs() < 1e-9);
        assert!(b > 0.5 && c < 0.06 && a < 0.1, "{best:?}");
        assert!(weather > RANDOM_SHARE / 2.0);
        let even = [0.25; 4];
        assert!(found(&bugs, &best, 100.0) > found(&bugs, &even, 100.0));
    }
}
