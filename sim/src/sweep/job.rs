//! One run with everything that a sweep wants of it: its panics caught, its expected failure
//! judged, its digest checked by a second run.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use synod_reports::fingerprint::split_site;
use synod_reports::line::ResultLine;
use synod_reports::page::html::html;
use synod_reports::page::model::Page;
use synod_reports::record::{RunRecord, Verdict};
use synod_reports::tally::EXPECTED_FAILURE;
use xxhash_rust::xxh3::xxh3_64;

use crate::build;
use crate::check::jury::{CONTRACT, Jury};
use crate::page::run as page;
use crate::panics::caught;
use crate::panics::is_own;
use crate::plan::Checks;
use crate::run::{self, Recording, RunOutcome, RunSpec};
use crate::shrink::case::Goal;
use crate::subject::catalog::{self, default_subject};
use crate::subject::process::ProbeLevel;
use crate::sweep::cost::cpu_of_this;
use crate::sweep::endings::{DETERMINISM, HARNESS};
use crate::sweep::lost;
use crate::sweep::settings::{Item, Judges, Keep, Settings};
use crate::sweep::smaller::{Smaller, smaller};
use crate::sweep::source::{Origin, Planned, Source, expected, leave_out, planned};
use crate::trace::tale::Line;
use crate::verdict::PANIC;
use crate::world::tally::Milestone;

/// What a job gave.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The item's place in the sweep.
    pub number: u64,
    /// The run's line.
    pub line: ResultLine,
    /// CPU time of the job in nanoseconds, second run included.
    pub cpu_ns: u64,
    /// The largest resident set of the process so far, if it was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rss: Option<u64>,
    /// The history, when it was to be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// The tale, when it was to be kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tale: Vec<Line>,
    /// A line about each replica as it was at the end, when it was to be kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<String>,
    /// What a person opens to see why it failed, when it was to be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
    /// The reproducer's TOML, when it was to be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repro: Option<String>,
    /// A smaller reproducer, when one was to be made, or why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shrunk: Option<Result<Smaller, String>>,
    /// What the reproducer that was run says about itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl Report {
    /// The report of a line alone.
    #[must_use]
    pub const fn new(number: u64, line: ResultLine) -> Self {
        Self {
            number,
            line,
            cpu_ns: 0,
            rss: None,
            history: None,
            tale: Vec::new(),
            replicas: Vec::new(),
            page: None,
            repro: None,
            shrunk: None,
            origin: None,
        }
    }
}

impl Report {
    /// The page of the run as one HTML file; none when it was not kept. `again` is the command that
    /// gives the run again.
    #[must_use]
    pub fn html(&self, again: &str) -> Option<String> {
        let page = Page {
            reproduce: Some(again.to_owned()),
            ..self.page.clone()?
        };
        Some(html(&page))
    }
}

/// Does the job. `announce` is told the scenario's name and the seed before anything can go wrong
/// with the run.
///
/// # Errors
/// When there is no plan for the item.
pub fn execute(
    source: &mut dyn Source,
    settings: &Settings,
    item: &Item,
    announce: &mut dyn FnMut(&str),
) -> Result<Report, String> {
    let started = cpu_of_this();
    let scenario = source.scenario(&item.target)?;
    announce(&scenario);
    let drawn = source.plan(&item.target)?;
    let origin = drawn.origin.clone();
    let record = match item.keep {
        Keep::Line | Keep::Plan(_) | Keep::Shrunk(_) => Recording::Nothing,
        Keep::Story => Recording::Story,
        Keep::Page(_) => Recording::Page,
        Keep::Everything => Recording::Everything,
    };
    let (mut spec, judges) = spec_of(settings, drawn);
    spec.record = record;
    for kind in &settings.without {
        leave_out(&mut spec.plan, kind);
    }
    let mut report = if let Keep::Plan(check) = &item.keep {
        Report::new(
            item.number,
            lost::line(&spec.plan.scenario, spec.plan.seed, check, String::new()),
        )
    } else {
        let outcome = guarded(source, &spec);
        spec.plan.branches.extend_from_slice(&outcome.branches);
        let mut line = ResultLine::new(outcome.record.clone());
        line.planned = planned(&spec.plan, catalog::find(&spec.subject), outcome.in_weather);
        own_up(&mut line.record);
        line.expected =
            judge_expected(&spec.plan.checks, &spec.jury, spec.checks, &mut line.record);
        if record == Recording::Nothing
            && origin.is_none()
            && chosen(spec.plan.seed, settings.verify_ppm)
        {
            line.twice = true;
            verify(source, &spec, &outcome, &mut line);
        }
        let rows = if let Keep::Page(rows) = item.keep {
            rows
        } else {
            page::ROWS
        };
        let page = outcome
            .spacetime
            .as_deref()
            .map(|seen| page::of_run(&line.record, outcome.history.as_deref(), seen, rows));
        Report {
            page,
            history: outcome.history,
            tale: outcome.tale,
            replicas: outcome.replicas,
            ..Report::new(item.number, line)
        }
    };
    let own = || origin_of(&spec, judges, &report.line.record);
    match item.keep {
        Keep::Line => {}
        Keep::Story | Keep::Page(_) | Keep::Everything | Keep::Plan(_) => {
            report.repro = Some(source.pin(&spec.plan, &own()));
        }
        Keep::Shrunk(budget) => {
            let shrunk = Goal::of(&report.line.record)
                .ok_or_else(|| "it did not fail again".to_owned())
                .and_then(|goal| smaller(&spec, &own(), goal, budget));
            report.shrunk = Some(shrunk);
        }
    }
    report.origin = origin;
    report.cpu_ns = match (started, cpu_of_this()) {
        (Some(started), Some(ended)) => {
            u64::try_from(ended.saturating_sub(started).as_nanos()).unwrap_or(u64::MAX)
        }
        _ => 0,
    };
    Ok(report)
}

/// How a plan is run, and who judges: as these settings say, and else as its file does.
#[must_use]
pub fn spec_of(settings: &Settings, drawn: Planned) -> (RunSpec, Judges) {
    let mut plan = drawn.plan;
    plan.strategy = settings.strategy.unwrap_or(plan.strategy);
    let subject = settings.subject.clone().or(drawn.subject);
    let jury = if settings.only.is_everybody() {
        drawn.only
    } else {
        settings.only.clone()
    };
    let judges = settings.judges.or(drawn.judges).unwrap_or_default();
    let spec = RunSpec {
        subject: subject.unwrap_or_else(|| default_subject().to_owned()),
        bug: settings.bug.clone().or(drawn.bug),
        probe: judges.probe(&jury),
        checks: judges.checks(),
        jury,
        record: Recording::Nothing,
        plan,
    };
    (spec, judges)
}

/// What a reproducer of this run says about itself.
#[must_use]
pub fn origin_of(spec: &RunSpec, judges: Judges, record: &RunRecord) -> Origin {
    Origin {
        subject: spec.subject.clone(),
        bug: spec.bug.clone(),
        only: spec.jury.clone(),
        judges,
        check: record.check.clone(),
        digest: record.digest.clone(),
        build: build::identity().to_owned(),
        edited: false,
    }
}

/// Whether the run of this seed is made twice. Depends on the seed alone, so that every shard and
/// every number of jobs agree.
fn chosen(seed: u64, ppm: u32) -> bool {
    xxh3_64(&seed.to_le_bytes()) % 1_000_000 < u64::from(ppm)
}

/// Runs again with other things that must not matter, and turns the verdict when anything of the
/// outcome is another.
///
/// A failing run may have been ended by a contract or by a checker of facts, so it is repeated
/// under the same probe. Where contracts do not judge, a run may pass that breaks one, so none is
/// evaluated then.
fn verify(source: &mut dyn Source, spec: &RunSpec, first: &RunOutcome, line: &mut ResultLine) {
    let most = if spec.jury.has(CONTRACT) && spec.checks == run::Checks::All {
        ProbeLevel::Full
    } else {
        ProbeLevel::Facts
    };
    let levels: &[ProbeLevel] = match (first.record.verdict, &spec.bug) {
        (Verdict::Pass, None) => &[ProbeLevel::Nothing, ProbeLevel::BugsOnly, most],
        (Verdict::Pass, Some(_)) => &[ProbeLevel::BugsOnly, most],
        _ => &[spec.probe],
    };
    let probe = levels[usize::try_from(spec.plan.seed % levels.len() as u64)
        .expect("below the number of levels")];
    let again = guarded(
        source,
        &RunSpec {
            probe,
            record: match spec.record {
                Recording::Nothing => Recording::Story,
                _ => Recording::Nothing,
            },
            ..spec.clone()
        },
    );
    if let Some(difference) = difference(first, &again, probe == spec.probe) {
        line.record.verdict = Verdict::Nondeterministic;
        line.record.check = Some(DETERMINISM.to_owned());
        line.record.message = Some(format!(
            "{difference} when run again, recording, with the probe {probe:?} instead of {:?}",
            spec.probe
        ));
    }
}

/// The first thing in which two outcomes of one run differ, the digest before all. Under another
/// probe, memory and all that facts tell of may be others.
fn difference(one: &RunOutcome, two: &RunOutcome, same_probe: bool) -> Option<String> {
    let fields = |outcome: &RunOutcome| {
        let mut record = outcome.record.clone();
        if !same_probe {
            record.accounted_bytes = 0;
            record.checks.clear();
            record.deliveries.clear();
            record.cells.clear();
            record.states.clear();
            record
                .milestones
                .retain(|name, _| !Milestone::named(name).is_some_and(Milestone::is_seen_in_facts));
        }
        let mut fields = match serde_json::to_value(record).expect("plain data") {
            Value::Object(fields) => fields,
            other => panic!("a record is an object, and not {other}"),
        };
        fields.insert("in_weather".to_owned(), outcome.in_weather.into());
        fields
    };
    let (one, two) = (fields(one), fields(two));
    let names = ["digest".to_owned()];
    let mut names = names.iter().chain(one.keys()).chain(two.keys());
    let name = names.find(|name| one.get(*name) != two.get(*name))?;
    let shown = |fields: &Map<String, Value>| {
        fields.get(name).map_or_else(
            || "none".to_owned(),
            |value| value.as_str().map_or(value.to_string(), str::to_owned),
        )
    };
    Some(format!("{name} {}, and {}", shown(&one), shown(&two)))
}

/// A panic in the simulator's own sources, those of its subjects apart, is the harness's failure.
fn own_up(record: &mut RunRecord) {
    let site = record
        .message
        .as_deref()
        .and_then(|message| split_site(message).1);
    if record.check.as_deref() == Some(PANIC) && site.is_some_and(is_own) {
        record.check = Some(HARNESS.to_owned());
    }
}

/// Turns the verdict of a scenario that expects a failure: with it, the run passes. Says whether
/// the failure came; none when none is expected.
fn judge_expected(
    checks: &Checks,
    jury: &Jury,
    judging: run::Checks,
    record: &mut RunRecord,
) -> Option<bool> {
    let expected = expected(checks, jury, judging)?;
    let settled = record.verdict.is_failure() || record.verdict == Verdict::Pass;
    // A check, or a whole class of them.
    let came = record.check.as_deref() == Some(expected)
        || (record.verdict.is_failure() && record.verdict.name() == expected);
    if settled && came {
        record.verdict = Verdict::Pass;
        return Some(true);
    }
    let stayed_away =
        record.verdict == Verdict::Pass || record.check.as_deref() == Some(EXPECTED_FAILURE);
    if stayed_away && checks.at_least_ppm >= 1_000_000 {
        record.verdict = Verdict::Expectation;
        record.check = Some(EXPECTED_FAILURE.to_owned());
        record.message = Some(format!("`{expected}` was to fail, and did not"));
    } else if stayed_away {
        record.verdict = Verdict::Pass;
        (record.check, record.message) = (None, None);
    }
    Some(false)
}

/// Runs the plan. A panic that leaves the run becomes its verdict.
fn guarded(source: &mut dyn Source, spec: &RunSpec) -> RunOutcome {
    caught(|| source.run(spec)).unwrap_or_else(|panic| {
        let blank = RunRecord::blank(&spec.plan.scenario, spec.plan.seed, Verdict::Panic);
        RunOutcome::of(RunRecord {
            check: Some("panic".to_owned()),
            message: Some(panic.to_string()),
            ..blank
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::fake::{Behaviour, Fake};
    use crate::sweep::settings::Target;

    fn line(behaviour: Behaviour, settings: &Settings, seed: u64) -> ResultLine {
        let item = Item {
            number: 0,
            target: Target::Scenario("smoke/fake".to_owned(), seed),
            keep: Keep::Line,
        };
        execute(&mut Fake::new(behaviour), settings, &item, &mut |_| ())
            .expect("a plan")
            .line
    }

    #[test]
    fn a_share_of_runs_is_made_twice_and_depends_on_the_seed_alone() {
        let twice = |ppm| (0..10_000).filter(|seed| chosen(*seed, ppm)).count();
        assert_eq!((twice(0), twice(1_000_000)), (0, 10_000));
        assert!((400..600).contains(&twice(50_000)), "{}", twice(50_000));
    }

    #[test]
    fn unequal_digests_are_found() {
        let settings = Settings {
            verify_ppm: 1_000_000,
            ..Settings::default()
        };
        let fine = line(Behaviour::Pass, &settings, 3);
        assert!(fine.twice && fine.record.verdict == Verdict::Pass);
        let torn = line(Behaviour::DigestFollowsRecording, &settings, 3);
        assert_eq!(
            (torn.record.verdict, torn.record.check.as_deref()),
            (Verdict::Nondeterministic, Some(DETERMINISM))
        );
        let leaky = (0..3)
            .map(|seed| {
                line(Behaviour::DigestFollowsProbe, &settings, seed)
                    .record
                    .verdict
            })
            .filter(|verdict| *verdict == Verdict::Nondeterministic);
        assert_eq!(
            leaky.count(),
            2,
            "of the three levels one is the first run's own"
        );
    }

    #[test]
    fn unequal_outcomes_are_found_behind_equal_digests() {
        let settings = Settings {
            verify_ppm: 1_000_000,
            ..Settings::default()
        };
        let found = |behaviour| {
            let record = line(behaviour, &settings, 2).record;
            assert_eq!(record.check.as_deref(), Some(DETERMINISM), "{behaviour:?}");
            record.message.unwrap_or_default()
        };
        let again = "when run again, recording, with the probe Full instead of Full";
        assert_eq!(
            found(Behaviour::VerdictFollowsRecording),
            format!("verdict pass, and safety {again}")
        );
        assert_eq!(
            found(Behaviour::FaultsFollowRecording),
            format!("faults {{}}, and {{\"kill\":1}} {again}")
        );
        assert_eq!(
            found(Behaviour::AuditsFollowRecording),
            format!("audits 0, and 1 {again}")
        );
        for seed in 0..3 {
            let watched = line(Behaviour::FactsFollowProbe, &settings, seed).record;
            assert_eq!(watched.verdict, Verdict::Pass, "facts are seen in facts");
        }
    }

    #[test]
    fn a_panic_is_a_verdict_and_has_a_place() {
        let record = line(Behaviour::Panic, &Settings::default(), 1).record;
        assert_eq!(
            (record.verdict, record.check.as_deref()),
            (Verdict::Panic, Some(HARNESS))
        );
        let message = record.message.expect("has one");
        assert!(
            message.starts_with("seed 1 is unlucky (sim/src/sweep/fake.rs:"),
            "{message}"
        );
    }

    #[test]
    fn a_subjects_panic_is_not_the_harness_own() {
        let check = |message: &str| {
            let mut record = RunRecord {
                check: Some("panic".to_owned()),
                message: Some(message.to_owned()),
                ..RunRecord::blank("a", 1, Verdict::Panic)
            };
            own_up(&mut record);
            record.check.unwrap_or_default()
        };
        assert_eq!(check("boom (engine/src/roles/acceptor.rs:7)"), "panic");
        assert_eq!(check("boom (sim/src/subject/primary_copy.rs:7)"), "panic");
        assert_eq!(check("boom (sim/src/world/network.rs:7)"), HARNESS);
    }

    #[test]
    fn a_reproducer_may_have_ended_by_what_no_checker_looks_for() {
        let known = crate::glossary::names().endings;
        for ending in [
            HARNESS,
            DETERMINISM,
            EXPECTED_FAILURE,
            lost::HANG,
            lost::CRASH,
            lost::OUT_OF_MEMORY,
        ] {
            assert!(known.contains(&ending), "{ending}");
        }
    }

    #[test]
    fn an_expected_failure_passes_and_its_absence_fails() {
        let checks = |at_least_ppm| Checks {
            expect_failure: Some("linearizability".to_owned()),
            at_least_ppm,
            milestones: Vec::new(),
        };
        let record = |verdict, check: Option<&str>| RunRecord {
            check: check.map(str::to_owned),
            ..RunRecord::blank("a", 1, verdict)
        };
        let judge = |at_least, mut record: RunRecord| {
            let came = judge_expected(
                &checks(at_least),
                &Jury::default(),
                run::Checks::All,
                &mut record,
            );
            (came, record.verdict)
        };
        assert_eq!(
            judge(1_000_000, record(Verdict::Safety, Some("linearizability"))),
            (Some(true), Verdict::Pass)
        );
        assert_eq!(
            judge(1_000_000, record(Verdict::Pass, Some("linearizability"))),
            (Some(true), Verdict::Pass)
        );
        assert_eq!(
            judge(1_000_000, record(Verdict::Pass, None)),
            (Some(false), Verdict::Expectation)
        );
        assert_eq!(
            judge(100, record(Verdict::Pass, None)),
            (Some(false), Verdict::Pass)
        );
        assert_eq!(
            judge(100, record(Verdict::Expectation, Some(EXPECTED_FAILURE))),
            (Some(false), Verdict::Pass)
        );
        assert_eq!(
            judge(100, record(Verdict::Safety, Some("agreement"))),
            (Some(false), Verdict::Safety)
        );
        let unjudged = |expected: &str, jury: &Jury, judging| {
            let checks = Checks {
                expect_failure: Some(expected.to_owned()),
                at_least_ppm: 1_000_000,
                milestones: Vec::new(),
            };
            judge_expected(&checks, jury, judging, &mut record(Verdict::Pass, None))
        };
        let (prefix, everybody) = (Jury::only(["prefix"]), Jury::default());
        assert_eq!(
            [
                unjudged("linearizability", &prefix, run::Checks::All),
                unjudged("safety", &prefix, run::Checks::All),
                unjudged("agreement", &everybody, run::Checks::Client),
                unjudged("linearizability", &everybody, run::Checks::Client),
            ],
            [None, Some(false), None, Some(false)],
            "a check that does not judge cannot come"
        );
    }
}
