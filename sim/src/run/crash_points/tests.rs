//! Crash points find what is planted, in the fork and in a straight line, and nothing in honest code.

use synod_reports::record::Verdict;

use super::*;
use crate::check::jury::{FENCING_AUDIT, LAST_QUORUM_AUDIT};
use crate::plan::{Distribution, Plan};
use crate::run::{Checks, run};
use crate::scenario::fault::Cut;
use crate::subject::process::ProbeLevel;
use crate::subject::synod::Synod;
use crate::time::{Instant, Span};
use crate::world::testing;

/// A few writes, small segments, and a leader who is cut off for a while.
fn plan() -> Plan {
    let ms = Span::from_millis;
    let mut plan = testing::with(&[(130, 150, testing::cut(Cut::IsolateLeader))]);
    let knobs = &mut plan.cluster.knobs;
    (knobs.election_timeout, knobs.heartbeat) = ((ms(60), ms(120)), ms(20));
    knobs.segment = 4096;
    // A vote can come before it is on the media of whoever gave it.
    plan.disk.sync = Distribution::Constant(ms(4));
    plan.workload.operations = 12;
    plan.workload.attempt_timeout = ms(100);
    plan.heal.at = Instant(0) + ms(350);
    plan
}

fn by_clients(bug: Option<&str>) -> RunSpec {
    RunSpec {
        bug: bug.map(str::to_owned),
        checks: Checks::Client,
        probe: ProbeLevel::BugsOnly,
        ..RunSpec::new(plan())
    }
}

fn survey(spec: &RunSpec, forks: u64) -> Survey {
    let bounds = Bounds { forks, failures: 1 };
    crash_points(spec, bounds, &mut |_| ()).expect("there is such a subject")
}

/// What clients see of the bug once a replica is struck: the check that says so.
#[track_caller]
fn finds(bug: &str, check: &str) {
    let spec = by_clients(Some(bug));
    assert_eq!(run(&spec).record.verdict, Verdict::Pass, "{bug} by itself");
    let survey = survey(&spec, 20_000);
    assert_eq!(survey.nondeterministic, []);
    let [found] = survey.found.as_slice() else {
        panic!("{bug}: not in {} forks", survey.forks);
    };
    assert_eq!(found.record.check.as_deref(), Some(check), "{bug}");
    let mut straight = spec;
    straight.plan.strikes.clone_from(&found.strikes);
    assert_eq!(run(&straight).record, found.record, "{bug}");
    // Honest code bears that strike.
    straight.bug = None;
    assert_eq!(run(&straight).record.verdict, Verdict::Pass, "{bug}");
}

#[test]
fn a_vote_that_is_told_before_its_sync_is_lost() {
    finds("accepted-before-fsync", LAST_QUORUM_AUDIT);
}

#[test]
fn a_promise_that_is_told_before_its_sync_keeps_nobody_out() {
    finds("promise-before-fsync", FENCING_AUDIT);
}

#[test]
fn a_sync_that_failed_is_not_to_be_trusted() {
    finds("fsync-retry-trusted", LAST_QUORUM_AUDIT);
}

#[test]
fn honest_code_bears_every_strike() {
    let survey = survey(&RunSpec::new(plan()), 1_500);
    assert!(survey.found.is_empty(), "{:?}", survey.found);
    assert_eq!((survey.forks, survey.undecided), (1_500, 0));
    assert_eq!(survey.nondeterministic, []);
    assert!(
        survey.left_out > 0,
        "the budget was used up, and it says so"
    );
    for (blow, times) in Blow::ALL.iter().zip(survey.blows) {
        assert!(times > 20, "{blow:?} fell {times} times");
    }
    let lit = |crossed: &&Crossed| crossed.blows.iter().any(|times| *times > 0);
    assert!(survey.windows.values().filter(lit).count() > 20);
    let all = survey.windows.values();
    let dark = all.filter(|crossed| !crossed.after.is_empty()).count();
    assert!(
        dark > 5,
        "what only a strike leads to is in the ledger: {dark}"
    );
}

#[test]
fn a_fork_is_a_straight_line_whatever_it_ends_as() {
    let spec = by_clients(Some("accepted-before-fsync"));
    let mut walk = Walk {
        subject: &Synod,
        spec: spec.clone(),
        bounds: Bounds {
            forks: 0,
            failures: 0,
        },
        survey: Survey::default(),
        wanted: None,
        told: &mut |_| (),
    };
    let mut run = walk.begin();
    let mut ends = BTreeSet::new();
    for _ in 0..600 {
        let copy = walk.copy(&run);
        run.step().expect("a run that passes");
        let stepped = run.world.watch().and_then(|watch| watch.stepped.take());
        let Some(stepped) = stepped.filter(|_| copy.world.events().is_multiple_of(11)) else {
            continue;
        };
        let at = Strike {
            event: copy.world.events(),
            replica: stepped.node.0 + 1,
            after: 1,
            by: Blow::Kill,
            keep: Vec::new(),
        };
        let Some(cut) = walk.cut(&copy, &at) else {
            continue;
        };
        for strike in walk.deaths(&cut, stepped.node, &at) {
            let mut fork = walk.copy(&cut);
            fork.goes_on(&strike);
            let mut straight = spec.clone();
            straight.plan.strikes = vec![strike.clone()];
            let (fork, straight) = (
                fork.outcome(&spec).record,
                super::super::run(&straight).record,
            );
            assert_eq!(fork, straight, "{strike}");
            ends.insert(straight.digest);
        }
    }
    assert!(ends.len() > 20, "{} of them", ends.len());
}

#[test]
fn a_strike_that_never_comes_is_told() {
    let mut spec = RunSpec::new(plan());
    spec.plan.strikes = vec![Strike {
        event: 1_000_000,
        replica: 1,
        after: 0,
        by: Blow::Kill,
        keep: Vec::new(),
    }];
    let record = run(&spec).record;
    assert_eq!(record.check.as_deref(), Some("unmatched"));
    let message = record.message.expect("it says which");
    assert!(
        message.contains("the strike at event 1000000, r1"),
        "{message}"
    );
}
