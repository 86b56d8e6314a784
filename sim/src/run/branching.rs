//! A run can be copied at every event, and goes on as the one that was not; a branch of the copy
//! comes out again in a straight line.

use std::collections::BTreeSet;

use super::*;
use crate::choices::Branch;
use crate::subject::synod::Synod;
use crate::world::testing;

/// A prime, so that copies do not keep step with anything.
const EVERY: u64 = 997;

fn spec(seed: u64, bug: Option<&str>) -> RunSpec {
    RunSpec {
        bug: bug.map(str::to_owned),
        record: Recording::Story,
        ..RunSpec::new(testing::storm(seed))
    }
}

fn begun(spec: &RunSpec) -> Run<Court> {
    let court = Court::new(3, Synod.reader(), spec.checks, spec.jury.clone());
    Run::begin(spec, &Synod, court)
}

/// All that a run gives: the record, the history, what is told.
type Outcome = (RunRecord, String, String);

fn to_the_end(mut run: Run<Court>, spec: &RunSpec) -> Outcome {
    run.whole();
    let outcome = run.outcome(spec);
    assert!(outcome.tale.len() > 10);
    let tale = outcome.tale.iter().map(|line| format!("{line:?}\n"));
    let history = outcome.history.expect("it was recorded");
    (outcome.record, history, tale.collect())
}

fn are_equal(one: &Outcome, other: &Outcome, what: &str) {
    assert_eq!(one.0, other.0, "{what}");
    for (one, other) in [(&one.1, &other.1), (&one.2, &other.2)] {
        let differ = one
            .lines()
            .zip(other.lines())
            .find(|(one, other)| one != other);
        assert_eq!(differ, None, "{what}");
        assert_eq!(one.len(), other.len(), "{what}");
    }
}

fn at_event(spec: &RunSpec, event: u64) -> Run<Court> {
    let mut run = begun(spec);
    while run.world.events() < event {
        run.step().expect("a run that passes");
    }
    run
}

#[test]
fn a_copy_goes_on_as_the_run_does() {
    let mut verdicts = BTreeSet::new();
    for (seed, bug) in [(1, None), (2, Some("batch-acked-after-first-record"))] {
        let spec = spec(seed, bug);
        let whole = to_the_end(begun(&spec), &spec);
        let mut run = begun(&spec);
        let mut phases = BTreeSet::new();
        while run.phase != course::Phase::Over {
            let phase = format!("{:?}", run.phase);
            let phase = phase.split(['(', ' ']).next().expect("a name").to_owned();
            if phases.insert(phase) || run.world.events().is_multiple_of(EVERY) {
                let copy = run.fork().expect("the engine can be copied");
                let what = format!("a copy at {}", run.world.events());
                are_equal(&to_the_end(copy, &spec), &whole, &what);
            }
            if run.step().is_err() {
                break;
            }
        }
        if whole.0.verdict == Verdict::Pass {
            let all = ["CatchUp", "Chaos", "Quiet", "ReadBack", "Writes"];
            assert_eq!(phases.iter().collect::<Vec<_>>(), all);
        }
        verdicts.insert(whole.0.verdict.name());
    }
    assert_eq!(verdicts.len(), 2, "one passes, one fails: {verdicts:?}");
}

#[test]
fn a_branch_is_a_straight_line() {
    let spec = spec(2, None);
    let whole = to_the_end(begun(&spec), &spec);
    let mut branched = BTreeSet::from([whole.0.digest.clone()]);
    for (event, salt) in [(0, 7), (1500, 7), (1500, 8), (whole.0.events - 500, 7)] {
        let mut copy = at_event(&spec, event).fork().expect("a copy");
        copy.world.branch(salt);
        let mut straight = spec.clone();
        straight.plan.branches = vec![Branch { event, salt }];
        let outcome = to_the_end(begun(&straight), &straight);
        are_equal(
            &to_the_end(copy, &spec),
            &outcome,
            &format!("{event} {salt}"),
        );
        assert!(branched.insert(outcome.0.digest), "{event} {salt}");
        // And from a branch another.
        let again = Branch {
            event: event + 100,
            salt,
        };
        let mut copy = at_event(&straight, again.event);
        copy.world.branch(salt);
        straight.plan.branches.push(again);
        let outcome = to_the_end(begun(&straight), &straight);
        are_equal(
            &to_the_end(copy, &spec),
            &outcome,
            &format!("{event} {salt} twice"),
        );
        assert!(branched.insert(outcome.0.digest), "{event} {salt} twice");
    }
}

#[test]
fn a_branch_that_is_never_reached_is_told() {
    let mut spec = spec(2, None);
    let event = to_the_end(begun(&spec), &spec).0.events + 1_000_000;
    spec.plan.branches = vec![Branch { event, salt: 1 }];
    let record = run(&spec).record;
    assert_eq!(
        (record.verdict, record.check.as_deref()),
        (Verdict::Inconclusive, Some("unmatched"))
    );
    let message = record.message.expect("it says which");
    assert!(
        message.contains(&format!("the branch after event {event}")),
        "{message}"
    );
}
