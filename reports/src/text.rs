//! A summary for a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::coverage::Coverage;
use crate::interval::upper95;
use crate::record::{Deliveries, Verdict};
use crate::summary::{CHECKS_IN, Ending, Summary, Vacuity};
use crate::table::{bytes, count, duration, grouped, rounded};
use crate::waits::Waits;

/// How a sweep ended and what failed, in a few lines. `title` says what was run: "the mix, seeds
/// 0..2000".
#[must_use]
pub fn verdict(summary: &Summary, title: &str) -> String {
    let mut lines = vec![format!(
        "{} of {title}: {}{}",
        count(summary.runs, "run"),
        verdicts(summary),
        if summary.interrupted {
            " (interrupted)"
        } else {
            ""
        }
    )];
    for failure in summary.failures.iter().chain(&summary.undecided) {
        lines.push(format!(
            "  {} `{}` in {}, first {} seed {} [{}]",
            failure.class,
            failure.check,
            count(failure.count, "run"),
            failure.scenario,
            failure.seed,
            failure.fingerprint
        ));
        let shown = failure.message.lines().take(3);
        lines.extend(shown.map(|text| format!("    {}", text.trim_end())));
    }
    for known in &summary.known {
        lines.push(format!("  {}", known.sentence()));
    }
    for vacuity in &summary.vacuous {
        lines.push(format!("  vacuous: {}", self::vacuity(vacuity)));
    }
    lines.push(format!(
        "  {} and {} in {} of CPU{}; {} made twice, {} mismatched; digest {}",
        count(summary.events, "event"),
        count(summary.client_operations, "client operation"),
        duration(summary.cpu_seconds),
        speed(summary.seeds_per_cpu_minute(), "seeds per CPU minute"),
        count(summary.determinism.checked, "run"),
        summary.determinism.mismatched,
        summary.digest
    ));
    if summary.ending() == Ending::Passed {
        lines.push(format!(
            "  a seed fails with probability below {} % (95 %)",
            rounded(summary.residual_risk * 100.0)
        ));
    }
    lines.join("\n") + "\n"
}

/// All that a sweep added up.
#[must_use]
pub fn totals(summary: &Summary) -> String {
    let mut lines = vec![
        format!(
            "  {} messages delivered{}; {} audits; {} simulated",
            grouped(summary.messages_delivered),
            speed(summary.messages_per_cpu_second(), "per CPU second"),
            grouped(summary.audits),
            duration(summary.virtual_seconds),
        ),
        format!(
            "  {} of wall time; peak memory {} a process, {} a run",
            duration(summary.wall_seconds),
            summary
                .peak_rss_bytes
                .map_or_else(|| "unknown".to_owned(), bytes),
            bytes(summary.accounted_bytes_max),
        ),
    ];
    if !summary.operations.is_empty() {
        lines.push(format!("  answered: {}", answered(summary)));
    }
    if !summary.faults.is_empty() {
        lines.push(format!("  faults: {}", counts(summary.faults.iter())));
    }
    if !summary.milestones.is_empty() {
        lines.push(format!(
            "  milestones (runs): {}",
            counts(summary.milestones.iter())
        ));
    }
    if summary.first_answers.count > 0 {
        lines.push(format!(
            "  after the heal, half of the first answers took {}; half of those after them {}",
            waits(&summary.first_answers),
            waits(&summary.later_answers)
        ));
    }
    if !summary.checks.is_empty() {
        let times: BTreeMap<_, _> = summary
            .checks
            .iter()
            .map(|(name, checked)| (name.clone(), checked.times))
            .collect();
        lines.push(format!("  compared by checks: {}", counts(times.iter())));
    }
    let undelivered = undelivered(&summary.deliveries);
    if !undelivered.is_empty() {
        lines.push(format!(
            "  never delivered (to a node in this role): {}",
            undelivered.join(", ")
        ));
    }
    lines.join("\n") + "\n"
}

/// `, 2,998 seeds per CPU minute`.
fn speed(rate: Option<f64>, unit: &str) -> String {
    rate.map(|rate| format!(", {} {unit}", rounded(rate)))
        .unwrap_or_default()
}

/// `1,998 pass, 2 safety`.
#[must_use]
pub fn verdicts(summary: &Summary) -> String {
    let seen: Vec<String> = Verdict::ALL
        .into_iter()
        .map(|verdict| (verdict.name(), summary.verdicts.of(verdict)))
        .filter(|(_, runs)| *runs > 0)
        .map(|(name, runs)| format!("{} {name}", grouped(runs)))
        .collect();
    if seen.is_empty() {
        "nothing ran".to_owned()
    } else {
        seen.join(", ")
    }
}

/// What the runs came by together, and what none of them did, in a few lines: of pairs of faults so
/// many at most are named.
#[must_use]
pub fn coverage(coverage: &Coverage, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let apart: Vec<String> = coverage
        .never_met()
        .map(|(one, other)| format!("{one} + {other}"))
        .collect();
    if coverage.pairs() > 0 {
        let shown = apart.len().min(most);
        let mut named = apart[..shown].join(", ");
        if shown < apart.len() {
            let _ = write!(named, " and {} more", grouped((apart.len() - shown) as u64));
        }
        lines.push(format!(
            "{} of {} pairs of faults took effect in one run{}{named}",
            grouped((coverage.pairs() - apart.len()) as u64),
            grouped(coverage.pairs() as u64),
            if apart.is_empty() { "" } else { "; never: " },
        ));
    }
    for (phase, kinds) in &coverage.cells {
        let undelivered = undelivered(kinds);
        if !undelivered.is_empty() {
            lines.push(format!(
                "never delivered in the {phase} (to a node in this role): {}",
                undelivered.join(", ")
            ));
        }
    }
    let states = &coverage.states;
    if states.runs > 0 {
        lines.push(format!(
            "{} coarse states, {} to a thousand runs; {} in one run alone, {} in two; there are {} or \
             more (Chao1)",
            grouped(states.distinct),
            grouped(states.per_thousand_runs),
            grouped(states.singletons),
            grouped(states.doubletons),
            grouped(states.chao1),
        ));
    }
    lines
}

/// The kinds of messages that no node got, and those that no node in some role got: `resign
/// (leader)`.
#[must_use]
pub fn undelivered(deliveries: &BTreeMap<String, Deliveries>) -> Vec<String> {
    let kinds = deliveries.iter().filter_map(|(kind, by_role)| {
        let by_role = by_role.by_role();
        let missing: Vec<_> = by_role
            .iter()
            .filter(|(_, times)| *times == 0)
            .map(|(role, _)| *role)
            .collect();
        match missing.len() {
            0 => None,
            all if all == by_role.len() => Some(kind.clone()),
            _ => Some(format!("{kind} ({})", missing.join(", "))),
        }
    });
    kinds.collect()
}

/// `0.0610 s at most, 99 % 2.01 s, all 3.70 s`.
#[must_use]
pub fn waits(waits: &Waits) -> String {
    let shown = |micros: u64| duration(Duration::from_micros(micros).as_secs_f64());
    format!(
        "{} at most, 99 % {}, all {}",
        shown(waits.p50),
        shown(waits.p99),
        shown(waits.max)
    )
}

/// What never happened, in a sentence.
#[must_use]
pub fn vacuity(vacuity: &Vacuity) -> String {
    let place = vacuity.scenario.as_deref().map_or_else(
        || "of all scenarios together".to_owned(),
        |scenario| format!("of {scenario}"),
    );
    let rate = rounded(upper95(0, vacuity.runs) * 100.0);
    match vacuity.what.as_str() {
        "fault" => format!(
            "fault `{}` was planned in {} {place} and never took effect (below {rate} %)",
            vacuity.name,
            count(vacuity.runs, "run")
        ),
        "check" => format!(
            "check `{}` judged {} {place} and compared something in fewer than one of {CHECKS_IN}",
            vacuity.name,
            count(vacuity.runs, "run")
        ),
        "operation" => format!(
            "operation `{}` was sent in {} {place} and never answered",
            vacuity.name,
            count(vacuity.runs, "run")
        ),
        what => format!(
            "{what} `{}` was reached in none of {} {place} (below {rate} %)",
            vacuity.name,
            count(vacuity.runs, "run")
        ),
    }
}

/// `cas 90 of 100, put 5 of 5`.
fn answered(summary: &Summary) -> String {
    let kinds: Vec<String> = summary
        .operations
        .iter()
        .map(|(kind, some)| {
            let [answered, sent] = [some.answered, some.sent].map(grouped);
            format!("{kind} {answered} of {sent}")
        })
        .collect();
    kinds.join(", ")
}

fn counts<'a>(counts: impl Iterator<Item = (&'a String, &'a u64)>) -> String {
    let mut out = String::new();
    for (name, times) in counts {
        let _ = write!(
            out,
            "{}{name} {}",
            if out.is_empty() { "" } else { ", " },
            grouped(*times)
        );
    }
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::line::tests::line;
    use crate::summary::{Cost, Demand};
    use crate::tally::Tally;

    /// Three runs, one of them failing, for the renderers' tests.
    pub fn example() -> Summary {
        let mut tally = Tally::new();
        tally.add(&line("safety/stale-read", 0));
        let mut bad = line("safety/stale-read", 1);
        bad.record.verdict = Verdict::Safety;
        bad.record.check = Some("linearizability".to_owned());
        bad.record.message = Some("key \"x\": read <2> & found 1".to_owned());
        tally.add(&bad);
        tally.add(&line("smoke/one", 2));
        let cost = Cost {
            cpu_seconds: 0.5,
            wall_seconds: 0.25,
            peak_rss_bytes: Some(12_345_678),
            by_scenario: BTreeMap::new(),
        };
        let mut summary = tally.finish(&BTreeMap::<String, Demand>::new(), cost, false);
        summary.failures[0].repro = Some("failures/x/repro.toml".to_owned());
        summary
    }

    #[test]
    fn a_summary_reads_well() {
        let mut summary = example();
        let expected = format!(
            "3 runs of the mix, seeds 0..3: 2 pass, 1 safety
  safety `linearizability` in 1 run, first safety/stale-read seed 1 [{}]
    key \"x\": read <2> & found 1
  300 events and 30 client operations in 0.500 s of CPU, 360 seeds per CPU minute; 0 runs made \
             twice, 0 mismatched; digest {}
",
            summary.failures[0].fingerprint, summary.digest
        );
        assert_eq!(verdict(&summary, "the mix, seeds 0..3"), expected);
        let expected = "  150 messages delivered, 300 per CPU second; 6 audits; 4.50 s simulated
  0.250 s of wall time; peak memory 12.3 MB a process, 1.00 kB a run
  answered: put 27 of 30
  faults: kill 6
  milestones (runs): leader-changed 3
  after the heal, half of the first answers took 0.00150 s at most, 99 % 0.00200 s, all 0.00200 s; \
             half of those after them 0.000400 s at most, 99 % 0.000400 s, all 0.000400 s
  compared by checks: agreement 15
  never delivered (to a node in this role): prepare (leader)
";
        assert_eq!(totals(&summary), expected);
        let risk = "probability below";
        assert!(!verdict(&summary, "x").contains(risk), "it fails");
        summary.failures.clear();
        (summary.verdicts.pass, summary.verdicts.safety) = (3, 0);
        assert!(verdict(&summary, "x").contains(risk));
    }

    #[test]
    fn coverage_says_what_never_was() {
        let mut coverage = example().coverage;
        for (one, other) in [("clog", "kill"), ("clog", "pause"), ("kill", "pause")] {
            let met = coverage.fault_pairs.entry(one.to_owned()).or_default();
            met.insert(other.to_owned(), u64::from(other == "kill"));
        }
        coverage
            .fault_pairs
            .insert("pause".to_owned(), BTreeMap::new());
        assert_eq!(
            super::coverage(&coverage, 1),
            [
                "1 of 3 pairs of faults took effect in one run; never: clog + pause and 1 more",
                "never delivered in the chaos (to a node in this role): prepare (leader)",
                "4 coarse states, 1,333 to a thousand runs; 3 in one run alone, 0 in two; there are 7 \
                 or more (Chao1)",
            ]
        );
        assert!(super::coverage(&Coverage::default(), 1).is_empty());
    }

    #[test]
    fn nothing_is_said_plainly() {
        let nothing = Tally::new().finish(&BTreeMap::new(), Cost::default(), false);
        assert!(verdict(&nothing, "the mix").starts_with("0 runs of the mix: nothing ran\n"));
    }

    #[test]
    fn vacuities_say_how_rare_the_thing_would_have_to_be() {
        let fault = Vacuity {
            what: "fault".to_owned(),
            name: "bit-rot".to_owned(),
            scenario: Some("a".to_owned()),
            runs: 200,
        };
        assert_eq!(
            vacuity(&fault),
            "fault `bit-rot` was planned in 200 runs of a and never took effect (below 1.49 %)"
        );
        let milestone = Vacuity {
            what: "milestone".to_owned(),
            name: "led".to_owned(),
            scenario: None,
            runs: 200,
        };
        assert_eq!(
            vacuity(&milestone),
            "milestone `led` was reached in none of 200 runs of all scenarios together (below \
             1.49 %)"
        );
    }
}
