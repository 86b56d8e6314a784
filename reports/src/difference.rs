//! The same runs over two subjects or two builds: in how many of them clients would see another
//! thing, and what they wait and what it costs on both sides.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::record::{Costs, RunRecord, Service, Verdict};
use crate::table::{count, grouped, rounded};
use crate::waits::Collected;

/// A run that came out otherwise.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Parted {
    /// The scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// How it ended on each side: a verdict, and the check that failed.
    pub ended: [String; 2],
    /// How far apart the two are: another verdict is farther than any other numbers.
    #[serde(skip)]
    distance: f64,
}

/// One side, all its runs together.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Side {
    /// What it is called.
    pub name: String,
    /// Runs that passed.
    pub passed: u64,
    /// Operations that were answered.
    pub answered: u64,
    /// Of the runs' median answers, the median, in microseconds of simulated time.
    pub wait_p50: u64,
    /// Of the runs' answers that only one in a hundred is slower than, the median.
    pub wait_p99: u64,
    /// Of the longest times without any answer, the median.
    pub silence_p50: u64,
    /// Of these, that one which one run in a hundred exceeds.
    pub silence_p99: u64,
    /// Of the first answers after the heal, the median.
    pub recovery_p50: u64,
    /// Of these, that one which one in a hundred exceeds.
    pub recovery_p99: u64,
    /// Messages between replicas for each operation that was answered.
    pub messages: f64,
    /// Their bytes.
    pub bytes: f64,
    /// Syncs.
    pub syncs: f64,
}

/// Two sides beside each other.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Difference {
    /// Runs that both made.
    pub runs: u64,
    /// Runs that only one of them made.
    pub unpaired: u64,
    /// Runs in which clients saw another thing: another end, or other answers.
    pub parted: u64,
    /// Of these, runs that ended otherwise.
    pub ended_otherwise: u64,
    /// How often they ended so on the one side and so on the other, where that differs.
    pub ends: BTreeMap<String, u64>,
    /// Both sides.
    pub sides: [Side; 2],
    /// The runs that are farthest apart, at most five.
    pub worst: Vec<Parted>,
}

/// So many runs are named.
const WORST: usize = 5;

impl Difference {
    /// Of the runs of two sides, in any order.
    #[must_use]
    pub fn of(names: [&str; 2], runs: [&[RunRecord]; 2]) -> Self {
        let key = |record: &RunRecord| (record.scenario.clone(), record.seed);
        let mut others: BTreeMap<(String, u64), &RunRecord> =
            runs[1].iter().map(|record| (key(record), record)).collect();
        let mut sums = [Sum::default(), Sum::default()];
        let (mut pairs, mut alone) = (0, 0);
        let (mut parted, mut ends) = (Vec::new(), BTreeMap::new());
        for one in runs[0] {
            let Some(other) = others.remove(&key(one)) else {
                alone += 1;
                continue;
            };
            pairs += 1;
            sums[0].add(one);
            sums[1].add(other);
            let ended = [ended(one), ended(other)];
            if ended[0] != ended[1] {
                *ends
                    .entry(format!("{} -> {}", ended[0], ended[1]))
                    .or_insert(0) += 1;
            }
            let answers = |record: &RunRecord| {
                let service = record.service.as_ref();
                service.map(|service| service.answers.clone())
            };
            if ended[0] != ended[1] || answers(one) != answers(other) {
                parted.push(Parted {
                    scenario: one.scenario.clone(),
                    seed: one.seed,
                    distance: distance(one, other),
                    ended,
                });
            }
        }
        let otherwise = parted
            .iter()
            .filter(|one| one.ended[0] != one.ended[1])
            .count();
        let all = parted.len();
        // The first of those that are equally far stays the first.
        parted.sort_by(|one, other| other.distance.total_cmp(&one.distance));
        parted.truncate(WORST);
        let [one, other] = sums;
        Self {
            runs: pairs,
            unpaired: alone + others.len() as u64,
            parted: all as u64,
            ended_otherwise: otherwise as u64,
            ends,
            sides: [one.side(names[0]), other.side(names[1])],
            worst: parted,
        }
    }
}

/// How a run ended.
fn ended(record: &RunRecord) -> String {
    let verdict = record.verdict.name();
    match &record.check {
        Some(check) => format!("{verdict} ({check})"),
        None => verdict.to_owned(),
    }
}

/// How far apart two runs are, by what clients saw: the larger of the ratios of what was answered and
/// of the longest silence.
fn distance(one: &RunRecord, other: &RunRecord) -> f64 {
    if one.verdict != other.verdict {
        return f64::INFINITY;
    }
    let none = Service::default();
    let of = |record: &RunRecord| {
        let service = record.service.as_ref().unwrap_or(&none);
        [service.costs.answered, service.longest_silence].map(|it| as_float(it + 1))
    };
    let ratios = of(one)
        .into_iter()
        .zip(of(other))
        .map(|(a, b)| (a / b).max(b / a));
    ratios.fold(1.0, f64::max)
}

#[derive(Default)]
struct Sum {
    passed: u64,
    costs: Costs,
    medians: Collected,
    tails: Collected,
    silences: Collected,
    recoveries: Collected,
}

impl Sum {
    fn add(&mut self, record: &RunRecord) {
        self.passed += u64::from(record.verdict == Verdict::Pass);
        self.recoveries.add(&record.first_answers);
        let Some(service) = &record.service else {
            return;
        };
        self.costs.add(&service.costs);
        self.medians.add(&[service.wait_p50]);
        self.tails.add(&[service.wait_p99]);
        self.silences.add(&[service.longest_silence]);
    }

    fn side(&self, name: &str) -> Side {
        let [messages, bytes, syncs] = self.costs.of_an_operation();
        let [medians, tails, silences, recoveries] =
            [&self.medians, &self.tails, &self.silences, &self.recoveries].map(Collected::waits);
        Side {
            name: name.to_owned(),
            passed: self.passed,
            answered: self.costs.answered,
            wait_p50: medians.p50,
            wait_p99: tails.p50,
            silence_p50: silences.p50,
            silence_p99: silences.p99,
            recovery_p50: recoveries.p50,
            recovery_p99: recoveries.p99,
            messages,
            bytes,
            syncs,
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "ratios are shown with three digits"
)]
const fn as_float(number: u64) -> f64 {
    number as f64
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [one, other] = &self.sides;
        writeln!(f, "A is {}, B is {}", one.name, other.name)?;
        let share = as_float(self.parted) / as_float(self.runs.max(1)) * 1e6;
        writeln!(
            f,
            "clients see another thing in {} of {}, {} in a million; {} of them end otherwise",
            grouped(self.parted),
            count(self.runs, "run"),
            rounded(share),
            grouped(self.ended_otherwise)
        )?;
        if self.unpaired > 0 {
            writeln!(
                f,
                "{} of one side alone, not compared",
                count(self.unpaired, "run")
            )?;
        }
        for (ends, times) in &self.ends {
            writeln!(f, "  {} {ends}", grouped(*times))?;
        }
        let width = 44;
        writeln!(f, "\n{:width$} {:>12} {:>12} {:>8}", "", "A", "B", "B / A")?;
        let millis = |micros: u64| as_float(micros) / 1000.0;
        for (name, a, b) in [
            (
                "runs that pass",
                as_float(one.passed),
                as_float(other.passed),
            ),
            (
                "operations answered",
                as_float(one.answered),
                as_float(other.answered),
            ),
            (
                "answer, median of a run: ms",
                millis(one.wait_p50),
                millis(other.wait_p50),
            ),
            (
                "answer, slowest 1 % of a run: ms",
                millis(one.wait_p99),
                millis(other.wait_p99),
            ),
            (
                "longest silence, median: ms",
                millis(one.silence_p50),
                millis(other.silence_p50),
            ),
            (
                "longest silence, worst 1 %: ms",
                millis(one.silence_p99),
                millis(other.silence_p99),
            ),
            (
                "first after the heal, median: ms",
                millis(one.recovery_p50),
                millis(other.recovery_p50),
            ),
            (
                "first after the heal, worst 1 %: ms",
                millis(one.recovery_p99),
                millis(other.recovery_p99),
            ),
            (
                "messages between replicas an operation",
                one.messages,
                other.messages,
            ),
            (
                "bytes between replicas an operation",
                one.bytes,
                other.bytes,
            ),
            ("syncs an operation", one.syncs, other.syncs),
        ] {
            let ratio = if a == b { 1.0 } else { b / a };
            writeln!(
                f,
                "{name:width$} {:>12} {:>12} {:>8}",
                rounded(a),
                rounded(b),
                rounded(ratio)
            )?;
        }
        if !self.worst.is_empty() {
            writeln!(f, "\nThe farthest apart:")?;
        }
        for Parted {
            scenario,
            seed,
            ended,
            ..
        } in &self.worst
        {
            let [a, b] = ended;
            let how = if a == b {
                format!("{a}, with other answers")
            } else {
                format!("{a} -> {b}")
            };
            writeln!(f, "  {scenario} seed {seed}: {how}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seed: u64, verdict: Verdict, answers: &str, answered: u64) -> RunRecord {
        let mut record = RunRecord::blank("a/b", seed, verdict);
        record.first_answers = vec![1000 * answered];
        record.service = Some(Service {
            answers: answers.to_owned(),
            wait_p50: 10 * answered,
            costs: Costs {
                answered,
                messages: 6 * answered,
                ..Costs::default()
            },
            ..Service::default()
        });
        record
    }

    #[test]
    fn equal_sides_do_not_part() {
        let runs = [1, 2].map(|seed| run(seed, Verdict::Pass, "x", 10));
        let difference = Difference::of(["a", "b"], [&runs, &runs]);
        assert_eq!(
            (difference.runs, difference.parted, difference.unpaired),
            (2, 0, 0)
        );
        assert_eq!(difference.worst, []);
        assert!((difference.sides[0].messages - 6.0).abs() < 1e-9);
        let text = difference.to_string();
        assert!(
            text.contains("another thing in 0 of 2 runs, 0 in a million"),
            "{text}"
        );
    }

    #[test]
    fn another_end_is_farther_than_other_answers_and_the_order_of_runs_does_not_matter() {
        let one = [1, 2, 3, 4].map(|seed| run(seed, Verdict::Pass, "x", 10));
        let mut other = [
            run(3, Verdict::Pass, "y", 1000),
            run(9, Verdict::Pass, "x", 10),
            run(2, Verdict::Safety, "x", 10),
            run(1, Verdict::Pass, "x", 10),
        ];
        other[2].check = Some("agreement".to_owned());
        let difference = Difference::of(["a", "b"], [&one, &other]);
        assert_eq!(
            (difference.runs, difference.parted, difference.unpaired),
            (3, 2, 2)
        );
        assert_eq!(difference.ended_otherwise, 1);
        let worst: Vec<u64> = difference.worst.iter().map(|parted| parted.seed).collect();
        assert_eq!(worst, [2, 3]);
        let text = difference.to_string();
        assert!(text.contains("  1 pass -> safety (agreement)\n"), "{text}");
        assert!(
            text.contains("a/b seed 3: pass, with other answers"),
            "{text}"
        );
        assert!(text.contains("2 runs of one side alone"), "{text}");
    }
}
