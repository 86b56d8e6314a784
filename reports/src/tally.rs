//! Adds runs up, in seed order, one line at a time. It keeps totals and the first run of each
//! failure, so a sweep of any length fits.
//!
//! The same lines in the same order give the same summary, whoever ran them: shards are merged by
//! tallying their lines again.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::Xxh3;

use crate::counts::entry;
use crate::coverage::Reached;
use crate::fingerprint::fingerprint;
use crate::interval::upper95;
use crate::known::Known;
use crate::line::ResultLine;
use crate::record::{Costs, Deliveries, Operations, RunRecord, Verdict};
use crate::summary::{
    CHECKS_IN, Checked, Cost, Demand, Determinism, FLOOR_RUNS, FORMAT, Failure, ScenarioTotals,
    Summary, Vacuity, Verdicts,
};
use crate::waits::Collected;

/// The check of a scenario whose expected failure did not come often enough.
pub const EXPECTED_FAILURE: &str = "expected-failure";

/// So many failures must be expected, in fewer than [`FLOOR_RUNS`] runs, before their absence says
/// something.
const EXPECTED_ENOUGH: u128 = 20;

/// Totals of the runs so far.
#[derive(Default)]
pub struct Tally {
    runs: u64,
    verdicts: Verdicts,
    failures: Vec<Failure>,
    known: Vec<Known>,
    undecided: Vec<Failure>,
    first_runs: BTreeMap<String, RunRecord>,
    virtual_seconds: f64,
    messages_delivered: u64,
    events: u64,
    client_operations: u64,
    costs: Costs,
    audits: u64,
    accounted_bytes_max: u64,
    determinism: Determinism,
    digest: Xxh3,
    scenarios: BTreeMap<String, ScenarioTotals>,
    /// By scenario, first answers and later ones.
    waits: BTreeMap<String, [Collected; 2]>,
    reached: Reached,
}

impl Tally {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing yet, and these failures will not count. That a run came out in two ways counts always.
    #[must_use]
    pub fn knowing(known: &[Known]) -> Self {
        let fresh = known
            .iter()
            .cloned()
            .map(|known| Known { runs: 0, ..known });
        Self {
            known: fresh.collect(),
            ..Self::default()
        }
    }

    /// Adds a run. True when it is the first failure of its kind.
    pub fn add(&mut self, line: &ResultLine) -> bool {
        let record = &line.record;
        self.runs += 1;
        *self.verdicts.of_mut(record.verdict) += 1;
        self.virtual_seconds += record.virtual_seconds;
        self.messages_delivered += record.messages_delivered;
        self.events += record.events;
        self.client_operations += record.client_operations;
        if let Some(service) = &record.service {
            self.costs.add(&service.costs);
        }
        self.audits += record.audits;
        self.accounted_bytes_max = self.accounted_bytes_max.max(record.accounted_bytes);
        self.determinism.checked += u64::from(line.twice);
        self.determinism.mismatched += u64::from(record.verdict == Verdict::Nondeterministic);
        self.digest.update(record.digest.as_bytes());
        self.digest.update(b"\n");
        self.reached.add(record);
        self.add_to_scenario(line);
        if record.verdict == Verdict::Inconclusive {
            count_failure(&mut self.undecided, record);
        }
        (record.verdict.is_failure() || record.verdict == Verdict::Nondeterministic)
            && self.add_failure(record)
    }

    /// Failing runs so far that count, unequal digests included.
    #[must_use]
    pub fn failed(&self) -> u64 {
        let known: u64 = self.known.iter().map(|known| known.runs).sum();
        self.verdicts.failed() + self.verdicts.nondeterministic - known
    }

    /// Runs so far.
    #[must_use]
    pub const fn runs(&self) -> u64 {
        self.runs
    }

    /// The distinct failures so far, in the order of their first runs.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// The first run of each failure, by fingerprint.
    #[must_use]
    pub const fn first_runs(&self) -> &BTreeMap<String, RunRecord> {
        &self.first_runs
    }

    fn add_to_scenario(&mut self, line: &ResultLine) {
        let record = &line.record;
        if !self.scenarios.contains_key(&record.scenario) {
            self.scenarios
                .insert(record.scenario.clone(), ScenarioTotals::default());
        }
        let totals = self
            .scenarios
            .get_mut(&record.scenario)
            .expect("just inserted");
        totals.runs += 1;
        totals.failed += u64::from(record.verdict.is_failure());
        if !matches!(record.verdict, Verdict::Pass | Verdict::Excused) {
            let (check, message) = said(record);
            *totals
                .failures
                .entry(fingerprint(check, message))
                .or_default() += 1;
        }
        if let Some(came) = line.expected {
            *totals.expected.get_or_insert(0) += u64::from(came);
        }
        for kind in &line.planned {
            *entry(&mut totals.planned, kind) += 1;
        }
        for (kind, times) in &record.faults {
            *entry(&mut totals.faults, kind) += times;
        }
        for (name, times) in &record.milestones {
            *entry(&mut totals.milestones, name) += u64::from(*times > 0);
        }
        let [first, later] = entry(&mut self.waits, &record.scenario);
        first.add(&record.first_answers);
        later.add(&record.later_answers);
        // A run that failed was cut short.
        let judged_whole = record.verdict == Verdict::Pass && line.expected != Some(true);
        for (name, times) in &record.checks {
            entry(&mut totals.checks, name).add(&Checked {
                judged: u64::from(judged_whole),
                compared: u64::from(judged_whole && *times > 0),
                times: *times,
            });
        }
        for (kind, by_role) in &record.deliveries {
            entry(&mut totals.deliveries, kind).add(by_role);
        }
        for (kind, operations) in &record.operations {
            entry(&mut totals.operations, kind).add(operations);
            *entry(&mut totals.operated, kind) += u64::from(operations.sent > 0);
        }
    }

    fn add_failure(&mut self, record: &RunRecord) -> bool {
        let (check, message) = said(record);
        let fingerprint = fingerprint(check, message);
        if let Some(known) = self.known.iter_mut().find(|known| {
            known.fingerprint == fingerprint && record.verdict != Verdict::Nondeterministic
        }) {
            known.runs += 1;
        }
        let fingerprint = count_failure(&mut self.failures, record);
        let is_new = fingerprint.is_some();
        self.first_runs
            .extend(fingerprint.map(|fingerprint| (fingerprint, record.clone())));
        is_new
    }

    /// The summary. `demands` says what each scenario asks of its runs together; scenarios that are
    /// not in it ask for nothing.
    #[must_use]
    pub fn finish(
        &self,
        demands: &BTreeMap<String, Demand>,
        cost: Cost,
        interrupted: bool,
    ) -> Summary {
        let mut verdicts = self.verdicts;
        let mut failures = self.failures.clone();
        for (scenario, failure) in self.expected_too_seldom(demands) {
            let short = self.scenarios[scenario].runs;
            verdicts.pass = verdicts.pass.saturating_sub(short);
            verdicts.expectation += short;
            failures.push(failure);
        }
        let mut faults = BTreeMap::new();
        let mut milestones = BTreeMap::new();
        let mut checks: BTreeMap<String, Checked> = BTreeMap::new();
        let mut deliveries: BTreeMap<String, Deliveries> = BTreeMap::new();
        let mut operations: BTreeMap<String, Operations> = BTreeMap::new();
        for totals in self.scenarios.values() {
            for (name, checked) in &totals.checks {
                entry(&mut checks, name).add(checked);
            }
            for (kind, by_role) in &totals.deliveries {
                entry(&mut deliveries, kind).add(by_role);
            }
            for (kind, some) in &totals.operations {
                entry(&mut operations, kind).add(some);
            }
            for (kind, times) in &totals.faults {
                *entry(&mut faults, kind) += times;
            }
            for (name, runs) in &totals.milestones {
                *entry(&mut milestones, name) += runs;
            }
        }
        let mut scenarios = self.scenarios.clone();
        let [mut first, mut later] = <[Collected; 2]>::default();
        for (name, waits) in &self.waits {
            first.join(&waits[0]);
            later.join(&waits[1]);
            let totals = entry(&mut scenarios, name);
            (totals.first_answers, totals.later_answers) = (waits[0].waits(), waits[1].waits());
        }
        Summary {
            format: FORMAT,
            runs: self.runs,
            verdicts,
            failures,
            known: self.known.clone(),
            undecided: self.undecided.clone(),
            vacuous: self.vacuities(demands),
            cpu_seconds: cost.cpu_seconds,
            wall_seconds: cost.wall_seconds,
            cpu_seconds_by_scenario: cost.by_scenario,
            virtual_seconds: self.virtual_seconds,
            messages_delivered: self.messages_delivered,
            events: self.events,
            client_operations: self.client_operations,
            operations,
            costs: self.costs,
            audits: self.audits,
            peak_rss_bytes: cost.peak_rss_bytes,
            accounted_bytes_max: self.accounted_bytes_max,
            residual_risk: upper95(verdicts.failed() + verdicts.nondeterministic, self.runs),
            faults,
            milestones,
            checks,
            deliveries,
            coverage: self.reached.coverage(),
            determinism: self.determinism,
            digest: format!("{:016x}", self.digest.digest()),
            first_answers: first.waits(),
            later_answers: later.waits(),
            scenarios,
            interrupted,
        }
    }

    /// Scenarios whose expected failure may stay away from a run, and stayed away from too many.
    /// (Where every run must show it, the run itself fails.)
    fn expected_too_seldom<'a>(
        &'a self,
        demands: &'a BTreeMap<String, Demand>,
    ) -> impl Iterator<Item = (&'a str, Failure)> {
        demands.iter().filter_map(|(scenario, demand)| {
            let check = demand.expect_failure.as_deref()?;
            let totals = self.scenarios.get(scenario)?;
            let came = totals.expected.unwrap_or(0);
            let enough = u128::from(came) * 1_000_000
                >= u128::from(totals.runs) * u128::from(demand.at_least_ppm)
                && came > 0;
            let judged = totals.runs >= FLOOR_RUNS
                || u128::from(totals.runs) * u128::from(demand.at_least_ppm)
                    >= EXPECTED_ENOUGH * 1_000_000;
            if enough || demand.at_least_ppm >= 1_000_000 || !judged {
                return None;
            }
            let message = format!(
                "`{check}` was to fail in at least {} of a million runs of {scenario}, and did in \
                 {came} of {}",
                demand.at_least_ppm, totals.runs
            );
            let failure = Failure {
                fingerprint: fingerprint(EXPECTED_FAILURE, scenario),
                class: Verdict::Expectation.name().to_owned(),
                check: EXPECTED_FAILURE.to_owned(),
                message,
                scenario: scenario.clone(),
                seed: 0,
                count: totals.runs,
                repro: None,
            };
            Some((scenario.as_str(), failure))
        })
    }

    /// What never happened in enough runs that asked for it: scenario by scenario, and over all of
    /// them.
    fn vacuities(&self, demands: &BTreeMap<String, Demand>) -> Vec<Vacuity> {
        let mut found = Vec::new();
        let mut all: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
        for (scenario, totals) in &self.scenarios {
            let faults = totals
                .planned
                .iter()
                .map(|(kind, runs)| ("fault", kind, *runs, totals.faults.get(kind)));
            let asked = demands
                .get(scenario)
                .map(|demand| demand.milestones.as_slice())
                .unwrap_or_default();
            let milestones = asked
                .iter()
                .map(|name| ("milestone", name, totals.runs, totals.milestones.get(name)));
            let checks = totals
                .checks
                .iter()
                .map(|(name, checked)| ("check", name, checked.judged, Some(&checked.compared)));
            let operations = totals.operated.iter().map(|(kind, runs)| {
                let answered = totals.operations.get(kind).map(|some| &some.answered);
                ("operation", kind, *runs, answered)
            });
            let demanded = faults.chain(milestones).chain(checks).chain(operations);
            for (what, name, runs, came) in demanded {
                let came = came.copied().unwrap_or(0);
                let sum = all.entry((what, name)).or_default();
                sum.0 += runs;
                sum.1 += came;
                if is_below_floor(what, runs, came) {
                    found.push(Vacuity {
                        what: what.to_owned(),
                        name: name.clone(),
                        scenario: Some(scenario.clone()),
                        runs,
                    });
                }
            }
        }
        let everywhere = all
            .into_iter()
            .filter(|((what, _), (runs, came))| is_below_floor(what, *runs, *came));
        for ((what, name), (runs, _)) in everywhere {
            if !found
                .iter()
                .any(|known| known.what == what && known.name == name)
            {
                found.push(Vacuity {
                    what: what.to_owned(),
                    name: name.to_owned(),
                    scenario: None,
                    runs,
                });
            }
        }
        found
    }
}

/// Counts a run among those that look like it. The fingerprint, when it is the first.
fn count_failure(failures: &mut Vec<Failure>, record: &RunRecord) -> Option<String> {
    let (check, message) = said(record);
    let fingerprint = fingerprint(check, message);
    let known = failures
        .iter_mut()
        .find(|failure| failure.fingerprint == fingerprint);
    if let Some(known) = known {
        known.count += 1;
        return None;
    }
    failures.push(Failure {
        fingerprint: fingerprint.clone(),
        class: record.verdict.name().to_owned(),
        check: check.to_owned(),
        message: message.to_owned(),
        scenario: record.scenario.clone(),
        seed: record.seed,
        count: 1,
        repro: None,
    });
    Some(fingerprint)
}

/// The check that ended this run, and what it said.
#[must_use]
pub fn said(record: &RunRecord) -> (&str, &str) {
    (
        record.check.as_deref().unwrap_or(record.verdict.name()),
        record.message.as_deref().unwrap_or_default(),
    )
}

/// Whether a thing came too seldom in enough runs. A fault, a milestone or an answer has to come
/// at all, a check has to compare something in one run of [`CHECKS_IN`].
fn is_below_floor(what: &str, runs: u64, came: u64) -> bool {
    let floor = if what == "check" { runs / CHECKS_IN } else { 0 };
    runs >= FLOOR_RUNS && came <= floor
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::tests::line;

    /// So many passing runs in which `stability` was a judge, and compared something in this many.
    fn compared(runs: u64, some: u64) -> Vec<Vacuity> {
        let lines = (0..runs).map(|seed| {
            let mut line = line("safety/x", seed);
            line.record.checks = BTreeMap::from([("stability".to_owned(), u64::from(seed < some))]);
            line
        });
        summary(lines, &BTreeMap::new()).vacuous
    }

    #[test]
    fn a_check_that_hardly_ever_looked_makes_a_sweep_vacuous() {
        assert!(compared(199, 0).is_empty(), "too few runs to say so");
        assert!(compared(200, 3).is_empty());
        for some in [0, 2] {
            let found = compared(200, some);
            assert_eq!(found.len(), 1);
            let Vacuity {
                what,
                name,
                scenario,
                runs,
            } = &found[0];
            assert_eq!((&**what, &**name, *runs), ("check", "stability", 200));
            assert_eq!(scenario.as_deref(), Some("safety/x"));
        }
    }

    #[test]
    fn runs_that_failed_say_nothing_about_checks_that_did_not_look() {
        let lines = (0..500).map(|seed| {
            let mut line = failing(seed, "agreement", "two values");
            line.record.checks = BTreeMap::from([("stability".to_owned(), 0)]);
            line
        });
        assert!(summary(lines, &BTreeMap::new()).vacuous.is_empty());
    }

    fn failing(seed: u64, check: &str, message: &str) -> ResultLine {
        let mut line = line("safety/x", seed);
        line.record.verdict = Verdict::Safety;
        line.record.check = Some(check.to_owned());
        line.record.message = Some(message.to_owned());
        line
    }

    fn summary(
        lines: impl IntoIterator<Item = ResultLine>,
        demands: &BTreeMap<String, Demand>,
    ) -> Summary {
        let mut tally = Tally::new();
        for line in lines {
            tally.add(&line);
        }
        tally.finish(demands, Cost::default(), false)
    }

    #[test]
    fn runs_that_said_nothing_are_told_of_and_are_no_failures() {
        let lines = (7..10).map(|seed| {
            let mut line = failing(seed, "events", "the budget ran out");
            line.record.verdict = Verdict::Inconclusive;
            line
        });
        let summary = summary(lines, &BTreeMap::new());
        assert!(summary.failures.is_empty());
        let [undecided] = &summary.undecided[..] else {
            panic!("{:?}", summary.undecided)
        };
        assert_eq!((undecided.seed, undecided.count), (7, 3));
        let text = crate::text::verdict(&summary, "x");
        assert!(text.contains("inconclusive `events` in 3 runs, first safety/x seed 7"));
        assert!(crate::markdown::summary(&summary, "x").contains("safety/x seed 7"));
    }

    #[test]
    fn many_failing_seeds_are_few_failures() {
        let lines = (0..37)
            .map(|seed| failing(seed, "agreement", &format!("slot {seed}: two values")))
            .chain([failing(90, "linearizability", "no order")]);
        let summary = summary(lines, &BTreeMap::new());
        assert_eq!(summary.verdicts.safety, 38);
        let seen: Vec<_> = summary
            .failures
            .iter()
            .map(|failure| (failure.check.as_str(), failure.seed, failure.count))
            .collect();
        assert_eq!(seen, [("agreement", 0, 37), ("linearizability", 90, 1)]);
    }

    #[test]
    fn the_digest_depends_on_every_run_and_on_the_order() {
        let of = |seeds: &[u64]| {
            summary(seeds.iter().map(|seed| line("a", *seed)), &BTreeMap::new()).digest
        };
        assert_eq!(of(&[1, 2, 3]), of(&[1, 2, 3]));
        assert_ne!(of(&[1, 2, 3]), of(&[1, 3, 2]));
        assert_ne!(of(&[1, 2, 3]), of(&[1, 2]));
    }

    #[test]
    fn a_fault_that_never_took_effect_is_vacuous_only_with_enough_runs() {
        let runs = |count| {
            (0..count).map(|seed| {
                let mut line = line("safety/x", seed);
                line.planned = vec!["kill".to_owned(), "bit-rot".to_owned()];
                line
            })
        };
        assert_eq!(summary(runs(FLOOR_RUNS - 1), &BTreeMap::new()).vacuous, []);
        let found = summary(runs(FLOOR_RUNS), &BTreeMap::new()).vacuous;
        assert_eq!(
            found,
            [Vacuity {
                what: "fault".to_owned(),
                name: "bit-rot".to_owned(),
                scenario: Some("safety/x".to_owned()),
                runs: FLOOR_RUNS
            }]
        );
    }

    #[test]
    fn a_fault_in_many_scenarios_is_judged_over_all_of_them() {
        let runs = (0..FLOOR_RUNS).map(|seed| {
            let mut line = line(if seed % 2 == 0 { "a" } else { "b" }, seed);
            line.planned = vec!["bit-rot".to_owned()];
            line
        });
        let found = summary(runs, &BTreeMap::new()).vacuous;
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].scenario.clone(), found[0].runs),
            (None, FLOOR_RUNS)
        );
    }

    #[test]
    fn a_milestone_that_no_run_reached_is_vacuous() {
        let demand = Demand {
            milestones: vec!["leader-changed".to_owned(), "torn-tail-cut".to_owned()],
            ..Demand::default()
        };
        let demands = BTreeMap::from([("a".to_owned(), demand)]);
        let found = summary((0..FLOOR_RUNS).map(|seed| line("a", seed)), &demands).vacuous;
        assert_eq!(
            found
                .iter()
                .map(|vacuity| vacuity.name.as_str())
                .collect::<Vec<_>>(),
            ["torn-tail-cut"]
        );
    }

    #[test]
    fn an_expected_failure_must_come_often_enough() {
        let demand = Demand {
            expect_failure: Some("linearizability".to_owned()),
            at_least_ppm: 100_000,
            ..Demand::default()
        };
        let demands = BTreeMap::from([("a".to_owned(), demand)]);
        let runs = |every: u64| {
            (0..400).map(move |seed| {
                let mut line = line("a", seed);
                line.expected = Some(seed % every == 0);
                line
            })
        };
        assert_eq!(summary(runs(10), &demands).verdicts.pass, 400);
        let seldom = summary(runs(11), &demands);
        assert_eq!(
            (seldom.verdicts.pass, seldom.verdicts.expectation),
            (0, 400)
        );
        assert_eq!(seldom.failures[0].check, EXPECTED_FAILURE);
    }

    #[test]
    fn a_failure_that_is_due_often_is_missed_early() {
        let demand = Demand {
            expect_failure: Some("linearizability".to_owned()),
            at_least_ppm: 500_000,
            ..Demand::default()
        };
        let demands = BTreeMap::from([("a".to_owned(), demand)]);
        let missed = |runs: u64| {
            let lines = (0..runs).map(|seed| ResultLine {
                expected: Some(false),
                ..line("a", seed)
            });
            summary(lines, &demands).verdicts.expectation
        };
        assert_eq!((missed(39), missed(40)), (0, 40));
    }

    #[test]
    fn a_lost_run_is_a_failure_and_no_panic() {
        let mut hung = line("a", 1);
        hung.record.verdict = Verdict::Lost;
        hung.record.check = Some("hang".to_owned());
        let summary = summary([line("a", 0), hung], &BTreeMap::new());
        let verdicts = &summary.verdicts;
        assert_eq!(
            (verdicts.lost, verdicts.panic, verdicts.failed()),
            (1, 0, 1)
        );
        assert_eq!(
            (
                summary.failures[0].class.as_str(),
                summary.scenarios["a"].failed
            ),
            ("lost", 1)
        );
        let title = "the mix";
        let text = crate::text::verdict(&summary, title);
        assert!(
            text.contains("1 pass, 1 lost\n  lost `hang` in 1 run"),
            "{text}"
        );
        let markdown = crate::markdown::summary(&summary, title);
        assert!(
            markdown.starts_with("# Synod: failed\n") && markdown.contains("| lost | hang | 1 |"),
            "{markdown}"
        );
        let junit = crate::junit::summary(
            &summary,
            &crate::junit::Again {
                program: "synod".to_owned(),
                folder: ".".to_owned(),
            },
        );
        assert!(junit.contains(r#"<failure type="hang""#), "{junit}");
        let json: serde_json::Value = serde_json::from_str(&summary.to_json()).expect("is JSON");
        assert_eq!(
            (&json["verdicts"]["lost"], &json["verdicts"]["panic"]),
            (&1.into(), &0.into())
        );
    }

    #[test]
    fn unequal_digests_are_counted_apart() {
        let mut two = line("a", 1);
        two.twice = true;
        two.record.verdict = Verdict::Nondeterministic;
        let summary = summary([line("a", 0), two], &BTreeMap::new());
        assert_eq!(
            summary.determinism,
            Determinism {
                checked: 1,
                mismatched: 1
            }
        );
        assert_eq!((summary.verdicts.failed(), summary.failures.len()), (0, 1));
    }
}
