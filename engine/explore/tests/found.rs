//! Planted bugs that a search finds in so many steps, and honest code in which it finds nothing.

use synod_engine::bugs::Bug;
use synod_explore::cluster::Setup;
use synod_explore::search::{Search, Strategy};
use synod_explore::shrink::{replay, shrink};

fn setup(bug: Option<Bug>, contracts: bool) -> Setup {
    Setup {
        nodes: 5,
        window: 4,
        message_bytes: 100,
        contracts,
        bug,
    }
}

/// How many steps a search takes at most.
const STEPS: u64 = 200_000;

#[test]
fn bugs_are_found_and_shrunk_to_ways_that_replay() {
    for bug in [
        Bug::AcceptBelowPromise,
        Bug::AcceptDoesNotRaisePromise,
        Bug::CommitAppliesStaleBallotEntry,
        Bug::PromiseCountedTwice,
        Bug::PromisePageTruncatedSilently,
    ] {
        let setup = setup(Some(bug), false);
        let found =
            (0..8).find_map(|seed| Search::new(setup.clone(), Strategy::Local, seed).run(STEPS));
        let found = found.unwrap_or_else(|| panic!("{bug:?} was not found"));
        let outcome = replay(&setup, &found.actions);
        assert_eq!(outcome.broken.as_deref(), Some(&*found.what), "{bug:?}");
        let few = shrink(&setup, &found);
        assert!(few.actions.len() < found.actions.len(), "{bug:?}");
        let outcome = replay(&setup, &few.actions);
        assert_eq!(outcome.broken, Some(few.what), "{bug:?}");
        assert_eq!(outcome.events.len(), few.actions.len());
    }
}

#[test]
fn nothing_is_found_in_honest_code() {
    for (seed, strategy) in [Strategy::Local, Strategy::Whole, Strategy::Walk]
        .into_iter()
        .enumerate()
    {
        let mut search = Search::new(setup(None, true), strategy, seed as u64);
        assert_eq!(search.run(50_000), None);
        assert!(search.steps() >= 50_000);
    }
}

#[test]
fn a_search_is_a_function_of_its_seed() {
    let setup = setup(Some(Bug::AcceptBelowPromise), false);
    let once = || {
        let mut search = Search::new(setup.clone(), Strategy::Local, 7);
        (search.run(STEPS), search.steps())
    };
    assert_eq!(once(), once());
}
