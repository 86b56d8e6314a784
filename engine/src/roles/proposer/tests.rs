//! The proposer by itself: phase 1, the window, batches, and its contracts broken.

use super::*;
use crate::ids::ClusterId;
use crate::probe::Full;

const BALLOT: Ballot = Ballot {
    round: 3,
    node: NodeId(0),
};

fn proposer() -> Proposer {
    let mut config = Config::new(ClusterId(1), NodeId(0), 3);
    config.window = 2;
    config.batch_count = 2;
    Proposer::new(&config, config.quorum())
}

fn vote(slot: u64, round: u64, text: &str) -> Vote {
    Vote {
        slot: Slot(slot),
        ballot: Ballot {
            round,
            node: NodeId(1),
        },
        value: Value(text.as_bytes().into()),
        chosen: false,
    }
}

fn register(nonce: u64) -> Queued {
    Queued {
        from: ClientAddr(0),
        id: RequestId::Nonce(nonce),
        operation: None,
        since: Mono(0),
    }
}

#[test]
fn phase_1_takes_the_highest_vote_and_fills_holes() {
    let (mut proposer, mut probe) = (proposer(), Full::default());
    proposer.recover(BALLOT, Slot(0), Mono(0));
    let mut hear = |node, from, votes, next| {
        proposer.on_promise(
            NodeId(node),
            false,
            BALLOT,
            Page {
                from: Slot(from),
                votes,
                next,
            },
            &mut probe,
        )
    };
    let first = hear(1, 0, vec![vote(0, 2, "old"), vote(2, 1, "x")], None);
    let again = hear(1, 0, vec![], None);
    let page = hear(2, 0, vec![vote(0, 1, "older")], Some(Slot(2)));
    assert_eq!(
        (first, again, page),
        (
            Progress::Nothing,
            Progress::Nothing,
            Progress::Page(NodeId(2), Slot(2))
        )
    );
    let last = hear(2, 2, vec![vote(2, 2, "y")], None);
    assert_eq!(last, Progress::Complete);
    let plan: Vec<_> = proposer
        .lead(Slot(0), &mut probe)
        .into_iter()
        .map(|vote| String::from_utf8_lossy(&vote.value.0).into_owned())
        .collect();
    assert_eq!(plan, ["old", "", "y"]);
    assert_eq!(proposer.next(), Some(Slot(3)));
}

#[test]
fn the_window_and_the_batch_bound_what_is_on_its_way() {
    let (mut proposer, mut probe) = (proposer(), Full::default());
    proposer.usurp(BALLOT, Slot(0));
    for nonce in 0..7 {
        proposer
            .enqueue(register(nonce))
            .expect("the queue is long");
    }
    let mut started = 0;
    while let Some((slot, value)) = proposer.batch(Mono(0), &mut probe) {
        proposer.start(slot, value, Mono(0), &mut probe);
        started += 1;
    }
    assert_eq!((started, proposer.queue.len()), (2, 3));
    proposer.settle(Slot(0));
    assert!(proposer.batch(Mono(0), &mut probe).is_some());
}

#[test]
#[should_panic(expected = "contract LeadsWithQuorumOfPromises")]
fn a_lead_without_a_quorum_breaks_its_contract() {
    let mut proposer = proposer();
    proposer.recover(BALLOT, Slot(0), Mono(0));
    proposer.lead(Slot(0), &mut Full::default());
}

/// A proposer with this bug that has heard, from two nodes, of an old vote in slot 0 and of a newer
/// one.
fn recovered(bug: Bug) -> (Proposer, Full) {
    let (mut proposer, mut probe) = (proposer(), Full::new(Some(bug)));
    proposer.recover(BALLOT, Slot(0), Mono(0));
    for (node, round) in [(1, 1), (2, 2)] {
        let page = Page {
            from: Slot(0),
            votes: vec![vote(0, round, "x")],
            next: None,
        };
        proposer.on_promise(NodeId(node), false, BALLOT, page, &mut probe);
    }
    (proposer, probe)
}

#[test]
#[should_panic(expected = "contract ValIsHighestNumberedProposal")]
fn a_lower_vote_that_is_kept_breaks_a_contract() {
    recovered(Bug::Phase1PicksArbitraryValue);
}

#[test]
fn what_is_new_comes_behind_all_that_was_learned_meanwhile() {
    let (mut proposer, mut probe) = recovered(Bug::NoAcceptRetransmit);
    let plan: Vec<_> = proposer
        .lead(Slot(3), &mut probe)
        .into_iter()
        .map(|vote| (vote.slot, vote.value.is_noop()))
        .collect();
    assert_eq!(plan, [(Slot(0), false), (Slot(1), true), (Slot(2), true)]);
    assert_eq!(proposer.next(), Some(Slot(3)));
}

#[test]
#[should_panic(expected = "contract ReportedSlotsAreProposed")]
fn a_reported_slot_that_is_left_out_breaks_a_contract() {
    let (mut proposer, mut probe) = recovered(Bug::NextSlotFromOwnLog);
    proposer.lead(Slot(0), &mut probe);
}

#[test]
#[should_panic(expected = "contract ProposesWhileLeading")]
fn a_proposal_of_a_follower_breaks_a_contract() {
    proposer().start(Slot(0), Value::noop(), Mono(0), &mut Full::default());
}

#[test]
#[should_panic(expected = "contract FreshSlotsAreFree")]
fn a_slot_that_is_taken_breaks_a_contract() {
    let (mut proposer, mut probe) = (proposer(), Full::default());
    proposer.usurp(BALLOT, Slot(0));
    proposer.start(Slot(0), Value::noop(), Mono(0), &mut probe);
    if let Phase::Leading(lead) = &mut proposer.phase {
        lead.next = Slot(0);
    }
    proposer.batch(Mono(0), &mut probe);
}

#[test]
#[should_panic(expected = "contract OneValuePerBallotAndSlot")]
fn two_values_in_a_slot_break_a_contract() {
    let mut proposer = proposer();
    proposer.usurp(BALLOT, Slot(0));
    for _ in 0..2 {
        proposer.start(Slot(0), Value::noop(), Mono(0), &mut Full::default());
    }
}

#[test]
fn a_command_that_does_not_fit_is_in_the_next_batch() {
    let left = |bug| {
        let (mut proposer, mut probe) = (proposer(), Full::new(bug));
        proposer.batch.1 = register(0).size();
        proposer.usurp(BALLOT, Slot(0));
        for nonce in 0..2 {
            proposer
                .enqueue(register(nonce))
                .expect("the queue is long");
        }
        proposer.batch(Mono(0), &mut probe);
        proposer.queue.len()
    };
    assert_eq!((left(None), left(Some(Bug::BatchDropsOverflow))), (1, 0));
}
