//! Shrinking as a whole, of runs that are short.

use std::collections::BTreeSet;

use synod_reports::record::Verdict;

use crate::glossary::names;
use crate::plan::draw::draw;
use crate::plan::pin::to_toml;
use crate::plan::{Plan, Verb};
use crate::run::{RunSpec, decisions, run};
use crate::scenario::embedded::FILES;
use crate::scenario::form::Repro;
use crate::scenario::load::parse;
use crate::shrink::brief::{Brief, Scribe};
use crate::shrink::case::{Candidate, Case, Goal, Spent};
use crate::shrink::decisions::deviations;
use crate::shrink::edits;
use crate::shrink::labels::NEEDED;
use crate::shrink::search::{Shrunk, shrink};
use crate::time::Instant;

/// A request that is tried again at another leader is executed again: it takes a change of leader, and
/// little else of all this.
const CUT_OFF: &str = r#"
format = 1
title = "A leader that is cut off, among much else"
why = "Most of it has nothing to do with what fails."
[network]
latency = { shape = "exponential", mean = "2ms", max = "40ms" }
loss = "1%"
[clock]
drift = "-100ppm..100ppm"
[workload]
clients = 4
operations = 120
keys = 2
[[step]]
at = "500ms"
hold = "100ms"
pause = { replicas = "r3" }
[[step]]
at = "900ms"
hold = "1s"
kill = { replicas = "leader" }
[[step]]
at = "2200ms"
hold = "700ms"
partition = { groups = [["leader", "c1"], ["others", "c2", "c3"]] }
[[step]]
at = "3100ms"
hold = "300ms"
slow-disk = { replicas = "r1", by = "10ms" }
[heal]
at = "4s"
"#;

const BUG: &str = "dedup-in-leader-memory";

fn repro(bug: Option<&str>) -> Repro {
    Repro {
        scenario: "cut-off".to_owned(),
        seed: SEED,
        bug: bug.map(str::to_owned),
        ..Repro::default()
    }
}

const SEED: u64 = 5;

fn plan() -> Plan {
    let scenario =
        parse("cut-off", CUT_OFF, &[], &names()).unwrap_or_else(|error| panic!("{error}"));
    draw(&scenario, SEED).without_lines()
}

fn spec(plan: Plan, bug: Option<&str>) -> RunSpec {
    RunSpec {
        bug: bug.map(str::to_owned),
        ..RunSpec::new(plan)
    }
}

fn case(goal: Goal, jobs: usize, budget: u64) -> Case<'static> {
    Case {
        spec: spec(plan(), Some(BUG)),
        goal,
        scribe: Scribe::new(repro(Some(BUG))),
        jobs,
        budget,
        halt: &|| false,
        ground: None,
        spent: Spent::default(),
        tried: BTreeSet::new(),
    }
}

fn goal() -> Goal {
    let record = run(&spec(plan(), Some(BUG))).record;
    Goal::of(&record).expect("the bug is found in this run")
}

fn shrunk(jobs: usize, budget: u64) -> (Shrunk, Vec<Plan>) {
    let mut better = Vec::new();
    let shrunk = shrink(case(goal(), jobs, budget), &plan(), &mut |plan, _| {
        better.push(plan.clone());
    });
    (shrunk.expect("it can be written down"), better)
}

#[test]
fn a_planted_bug_becomes_a_few_lines_that_fail_the_same_check() {
    let (one, better) = shrunk(1, 20_000_000);
    let goal = goal();
    assert!(goal.is_met(&one.record) && one.is_done, "{}", one.file);
    assert!(
        one.decisions <= 8 && edits::pieces(&one.plan) < 4,
        "{}",
        one.file
    );
    for plan in &better {
        let record = run(&spec(plan.clone(), Some(BUG))).record;
        assert!(goal.is_met(&record), "{:?}", record.check);
    }

    // However many threads try plans, they find the same.
    let (two, _) = shrunk(2, 20_000_000);
    assert_eq!((&one.file, one.spent), (&two.file, two.spent));

    // It replays to the digest that it names.
    let scribe = Scribe::new(repro(Some(BUG)));
    let read = scribe.read(&one.file).expect("it can be read");
    let replayed = run(&spec(read, Some(BUG))).record;
    assert_eq!(
        (&replayed.digest, &replayed.message),
        (&one.record.digest, &one.record.message)
    );
    assert!(one.file.contains(&replayed.digest), "{}", one.file);

    // Without what is needed, it does not fail so.
    let lines: Vec<&str> = one.file.lines().collect();
    let mut needed = 0;
    for (place, line) in lines.iter().enumerate() {
        if line.starts_with("[[") && line.ends_with(NEEDED) {
            let end = lines[place + 1..]
                .iter()
                .position(|line| line.starts_with("[["));
            let end = end.map_or(lines.len(), |end| place + 1 + end);
            let left = [&lines[..place], &lines[end..]].concat().join("\n");
            let read = scribe.read(&left).unwrap_or_else(|| panic!("{left}"));
            let record = run(&spec(read, Some(BUG))).record;
            assert!(!goal.is_met(&record), "{}", one.file);
            needed += 1;
        }
    }
    assert_eq!(needed, edits::pieces(&one.plan), "{}", one.file);
}

#[test]
fn what_fails_another_check_is_not_taken() {
    let Goal { class, check, site } = goal();
    let fails: [Candidate; 1] = [plan().into()];
    let hit = |class, check: &str| {
        let goal = Goal {
            class,
            check: check.to_owned(),
            site: site.clone(),
        };
        case(goal, 1, u64::MAX).first(&fails).map(|hit| hit.place)
    };
    assert_eq!(hit(class, &check), Some(0));
    assert_eq!(hit(class, "agreement"), None);
    assert_eq!(hit(Verdict::Liveness, &check), None);
}

#[test]
fn the_first_that_fails_is_taken_whichever_thread_is_done_first() {
    let fine = edits::without(&plan(), &(0..4));
    let quick = edits::healed_at(&plan(), Instant(3_500_000_000));
    let all: Vec<Candidate> = [fine, plan(), quick].map(Candidate::from).into();
    for jobs in 1..4 {
        let mut case = case(goal(), jobs, u64::MAX);
        let hit = case.first(&all).expect("the second fails");
        assert_eq!((hit.place, case.spent.runs), (1, 2), "{jobs} jobs");
        // What was tried is not tried again.
        assert_eq!(case.first(&all[..2]).map(|hit| hit.place), None);
        assert_eq!(case.spent.runs, 2);
    }
}

#[test]
fn a_budget_ends_the_search_with_something_that_fails() {
    let (shrunk, better) = shrunk(1, 100_000);
    assert!(!shrunk.is_done && goal().is_met(&shrunk.record));
    assert!(
        !better.is_empty() && shrunk.spent.events < 400_000,
        "{:?}",
        shrunk.spent
    );
}

#[test]
fn what_the_weather_decided_goes_the_same_when_it_is_told() {
    let plan = plan();
    let of = |plan: &Plan| run(&spec(plan.clone(), Some(BUG))).record;
    let all = decisions(&spec(plan.clone(), Some(BUG)));
    let usual = Scribe::new(repro(Some(BUG)));
    let quiet = usual
        .brief(&plan)
        .without(|(section, _)| section == "network");
    let quiet = usual.read(&quiet.text()).expect("it can be read");
    let told = Plan {
        overrides: deviations(all, &quiet),
        ..quiet.clone()
    };
    let (weather, told) = (of(&plan), of(&told));
    assert!(told.faults["override"] > 500, "{:?}", told.faults);
    assert_eq!(
        (&weather.digest, &weather.message),
        (&told.digest, &told.message)
    );
    assert_ne!(weather.digest, of(&quiet).digest);
}

/// What is expected is wrong: no fault is needed, and all that was asked is.
const WRONG: &str = r#"
format = 1
title = "The wrong value is expected"
why = "What a script expects rests on what it asked before."
[[step]]
invoke = { client = "c1", op = "put", key = "x", value = "1", expect = "ok" }
[[step]]
hold = "100ms"
pause = { replicas = "r3" }
[[step]]
invoke = { client = "c2", op = "append", key = "a", value = "2", expect = "ok" }
[[step]]
expect = { value = { key = "x", is = "2" }, within = "2s" }
[[step]]
sleep = "1s"
[heal]
at = "8s"
"#;

#[test]
fn what_an_expectation_rests_on_stays() {
    let scenario = parse("wrong", WRONG, &[], &names()).unwrap_or_else(|error| panic!("{error}"));
    let plan = draw(&scenario, SEED).without_lines();
    let record = run(&spec(plan.clone(), None)).record;
    let message = record.message.clone().unwrap_or_default();
    assert!(message.starts_with("step 4: expected"), "{message}");
    let mut case = case(Goal::of(&record).expect("it fails"), 1, 5_000_000);
    case.spec = spec(plan.clone(), None);
    case.scribe = Scribe::new(repro(None));
    let shrunk = shrink(case, &plan, &mut |_, _| ()).expect("it can be written down");
    let left: Vec<&Verb> = shrunk.plan.script.iter().map(|step| &step.verb).collect();
    let rests_on = [&plan.script[0], &plan.script[2], &plan.script[3]];
    assert_eq!(left, rests_on.map(|step| &step.verb), "{}", shrunk.file);
    assert!(shrunk.file.contains("within = \"2s\" }"), "{}", shrunk.file);
}

#[test]
fn every_plan_of_the_library_comes_back_from_its_brief_file() {
    for (name, text) in FILES {
        let scenario = parse(name, text, &[], &names()).unwrap_or_else(|error| panic!("{error}"));
        let seed = scenario.repro.as_ref().map_or(5, |repro| repro.seed);
        let plan = draw(&scenario, seed).without_lines();
        let repro = Repro {
            scenario: plan.scenario.clone(),
            seed,
            ..Repro::default()
        };
        let whole = to_toml(&plan, &repro);
        let scribe = Scribe::new(repro);
        let brief: Brief = scribe.brief(&plan);
        assert_eq!(
            scribe.read(&brief.text()).as_ref(),
            Some(&plan),
            "{}",
            brief.text()
        );
        let lines = |text: &str| text.lines().filter(|line| !line.is_empty()).count();
        assert!(lines(&brief.text()) < lines(&whole), "{name}");
    }
}
