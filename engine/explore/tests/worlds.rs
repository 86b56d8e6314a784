//! Small worlds: honest ones that end with nothing broken, reductions that lose nothing, and planted
//! bugs that are found by a shortest way.

use std::collections::{BTreeMap, BTreeSet};

use synod_engine::bugs::Bug;
use synod_explore::worlds::bounds::{Bounds, Judges, Plan, Reductions, World};
use synod_explore::worlds::way::replay;
use synod_explore::worlds::{Broken, Counts, End, Taken, search, taken};

const fn plan(bounds: Bounds) -> Plan {
    Plan {
        bounds,
        judges: Judges::Contracts,
        bug: None,
        reductions: Reductions::ALL,
        bytes_max: 1 << 30,
    }
}

/// A change of leader, one value, and a restart.
const fn with_a_restart() -> Bounds {
    Bounds {
        restarts: 1,
        ..Bounds::new(3, 2, 1)
    }
}

#[test]
fn every_state_of_honest_worlds_is_right() {
    let restart = with_a_restart();
    let pages = Bounds {
        message_bytes: 1,
        beats: 1,
        ..Bounds::new(3, 1, 2)
    };
    let read = Bounds {
        reads: 1,
        ..Bounds::new(3, 1, 1)
    };
    for (bounds, least) in [
        (Bounds::new(3, 2, 1), 3_000),
        (Bounds::new(3, 2, 2), 200_000),
        (Bounds::new(5, 1, 1), 1_000),
        (restart, 300_000),
        (pages, 1_000),
        (read, 1_000),
    ] {
        let (end, counts) = search(plan(bounds), &mut |_| true);
        assert!(matches!(end, End::Complete), "{bounds}: {end:?}");
        assert!(counts.states >= least, "{bounds}: {counts:?}");
    }
}

#[test]
fn a_search_is_a_function_of_its_plan_and_can_be_cut() {
    let once = || search(plan(Bounds::new(3, 2, 1)), &mut |_| true).1;
    assert_eq!(once(), once());
    let large = plan(Bounds::new(3, 3, 2));
    let cut = |goes_on: &mut dyn FnMut(&Counts) -> bool| search(large, goes_on);
    let (end, counts) = cut(&mut |counts| counts.states < 100_000);
    assert!(matches!(end, End::Told) && counts.states >= 100_000);
    let small = Plan {
        bytes_max: 4 << 20,
        ..large
    };
    let (end, counts) = search(small, &mut |_| true);
    assert!(matches!(end, End::Memory) && counts.bytes >= 4 << 20);
}

/// By node: slots, and the numbers of values.
type Shape = [Vec<(u64, usize)>; 3];

/// What is taken for chosen, whoever the replicas are, and whatever the values.
fn shapes(plan: Plan) -> BTreeSet<Shape> {
    const ORDERS: [[usize; 3]; 6] = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    let shape = |taken: &Taken, order: [usize; 3]| {
        let mut names = BTreeMap::new();
        let mut node = |at: usize| {
            let mut slots = Vec::new();
            for (slot, value) in &taken[at] {
                let next = names.len();
                slots.push((*slot, *names.entry(*value).or_insert(next)));
            }
            slots
        };
        order.map(&mut node)
    };
    let least = |taken: &Taken| ORDERS.map(|order| shape(taken, order)).into_iter().min();
    taken(plan).iter().filter_map(least).collect()
}

#[test]
fn reductions_lose_nothing_that_can_be_taken_for_chosen() {
    const ALL: Reductions = Reductions::ALL;
    let each = [
        Reductions {
            candidates: false,
            ..ALL
        },
        Reductions {
            durable: false,
            ..ALL
        },
        Reductions { idle: false, ..ALL },
        Reductions {
            answers: false,
            ..ALL
        },
        Reductions {
            spent: false,
            ..ALL
        },
    ];
    let without = |bounds, reductions| Plan {
        reductions,
        ..plan(bounds)
    };
    let change = Bounds::new(3, 2, 1);
    let all = shapes(plan(change));
    assert!(all.len() >= 4, "{all:?}");
    for reductions in each {
        let found = shapes(without(change, reductions));
        assert_eq!(found, all, "{reductions:?}");
    }
    // Canvasses alone make a world of one campaign as large as others of two.
    let still = Bounds::new(3, 1, 2);
    let canvass = Reductions {
        canvass: false,
        ..ALL
    };
    let all = shapes(plan(still));
    assert!(all.len() >= 4, "{all:?}");
    assert_eq!(shapes(without(still, canvass)), all);
}

/// What is found of a planted bug, and in how many states.
fn found(bug: Bug, judges: Judges, bounds: Bounds, reductions: Reductions) -> (Broken, u64) {
    let plan = Plan {
        judges,
        bug: Some(bug),
        reductions,
        ..plan(bounds)
    };
    let (end, counts) = search(plan, &mut |counts| counts.states < 4_000_000);
    let End::Broken(broken) = end else {
        panic!("{bug:?} by {judges:?}: {end:?}, {counts:?}");
    };
    assert_eq!(
        replay(&plan, &broken.way),
        Ok(Some(broken.what.clone())),
        "{bug:?}"
    );
    (broken, counts.states)
}

fn world(name: &str) -> Bounds {
    World::named(name).expect("it is documented").bounds
}

#[test]
fn bugs_make_replicas_disagree_within_the_bounds() {
    let two = Bounds::new(3, 2, 2);
    let pages = Bounds {
        asks_each: 2,
        message_bytes: 1,
        ..Bounds::new(3, 2, 3)
    };
    let (duel, restart) = (world("duel"), world("restart"));
    for (bug, bounds) in [
        (Bug::AcceptBelowPromise, two),
        (Bug::Phase1FillsHolesFromOwnLog, two),
        (Bug::NextSlotFromOwnLog, two),
        (Bug::RetryTimerBumpsBallot, two),
        (Bug::CommitOnNack, two),
        (Bug::GappedAcceptCumulativeAck, two),
        (Bug::PromisePageTruncatedSilently, pages),
        (Bug::SkipPhase1IfWasLeader, duel),
        (Bug::PromiseReportsPromisedAsAccepted, duel),
        (Bug::Phase1PicksArbitraryValue, duel),
        (Bug::AcceptAckCountedTwice, restart),
        (Bug::LeaderSelfAckBeforeFsync, restart),
        (Bug::AcceptedBeforeFsync, restart),
        (Bug::PromiseBeforeFsync, restart),
        (Bug::HardstateFileUnsynced, restart),
    ] {
        let (alone, states) = found(bug, Judges::Agreement, bounds, Reductions::ALL);
        assert!(alone.what.starts_with("agreement: "), "{}", alone.what);
        let (sooner, fewer) = found(bug, Judges::Ledger, bounds, Reductions::ALL);
        assert!(
            sooner.way.len() < alone.way.len() && fewer < states,
            "{bug:?}"
        );
    }
}

#[test]
fn bugs_that_need_five_replicas_or_other_judges_are_found() {
    let (two, five) = (Bounds::new(3, 2, 2), Bounds::new(5, 2, 1));
    for (bug, judges, bounds, kind) in [
        (Bug::CommitOverHole, Judges::Ledger, two, "claim: "),
        (
            Bug::CommitAppliesStaleBallotEntry,
            Judges::Ledger,
            Bounds { beats: 1, ..two },
            "agreement: ",
        ),
        (Bug::ReplyBeforeQuorum, Judges::Ledger, five, "agreement: "),
        (
            Bug::PromiseCountedTwice,
            Judges::Contracts,
            five,
            "contract LeadsWithQuorumOfPromises",
        ),
        (
            Bug::AcceptDoesNotRaisePromise,
            Judges::Contracts,
            two,
            "contract VotePrecedesMaxBal",
        ),
    ] {
        let (broken, _) = found(bug, judges, bounds, Reductions::ALL);
        assert!(broken.what.starts_with(kind), "{bug:?}: {}", broken.what);
    }
}

#[test]
fn a_reduction_may_hide_a_bug_that_is_found_without_it() {
    // Votes of an old ballot change nothing in code that is right, and are forgotten.
    let reductions = Reductions {
        spent: false,
        ..Reductions::ALL
    };
    let (bug, five) = (Bug::AckBallotUnchecked, Bounds::new(5, 2, 1));
    let (broken, _) = found(bug, Judges::Ledger, five, reductions);
    assert!(broken.what.starts_with("agreement: "), "{}", broken.what);
}

#[test]
fn reads_that_miss_an_answer_are_found() {
    for bug in [Bug::ReadBeforeRecoveryCommits, Bug::ReadIgnoresApplyLag] {
        let (broken, _) = found(bug, Judges::Agreement, world("read"), Reductions::ALL);
        assert!(broken.what.starts_with("reads: "), "{}", broken.what);
    }
}
