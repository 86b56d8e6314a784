//! The contracts that join the roles, each broken by hand.

use super::desk::Read;
use super::*;
use crate::bugs::Bug;
use crate::command::Value;
use crate::ids::{ClusterId, Place};
use crate::key_value::KeyValue;
use crate::message::{Outcome, RequestId};
use crate::outbox::AfterPromise;
use crate::probe::Full;
use crate::time::Wall;

mod bugs;

const BALLOT: Ballot = Ballot {
    round: 1,
    node: NodeId(0),
};
const NOW: Mono = Mono(0);

fn replica(bug: Option<Bug>) -> (Replica<KeyValue, Full>, Effects) {
    let (config, mut fx) = (Config::new(ClusterId(1), NodeId(0), 3), Effects::default());
    let now = Now {
        mono: NOW,
        wall: Wall(0),
    };
    let replica = Replica::new(
        config,
        [7; 32],
        Recovered::default(),
        KeyValue::default(),
        Full::new(bug),
        now,
        &mut fx,
    );
    (replica, fx)
}

/// A replica that leads at its ballot and was told of votes in the slots below `recovered_end`.
fn leader(bug: Option<Bug>, recovered_end: Slot) -> (Replica<KeyValue, Full>, Effects) {
    let (mut replica, fx) = replica(bug);
    replica.acceptor.on_prepare(BALLOT, &mut replica.probe);
    replica.elector.campaign(BALLOT, NOW, &mut replica.probe);
    replica.elector.lead(BALLOT, NOW, &mut replica.probe);
    replica.proposer.usurp(BALLOT, recovered_end);
    (replica, fx)
}

#[test]
#[should_panic(expected = "contract PagesAreBounded")]
fn a_page_of_votes_beside_what_is_chosen_breaks_a_contract() {
    let (mut replica, mut fx) = replica(Some(Bug::RepairFromUndecidedCopy));
    replica.config.message_bytes = 1;
    replica.acceptor.on_prepare(BALLOT, &mut replica.probe);
    let (acceptor, librarian) = (&mut replica.acceptor, &mut replica.librarian);
    let value = || Value([0].into());
    librarian.push(Slot(0), value(), &mut replica.probe);
    acceptor.cast(BALLOT, Slot(1), value(), Lsn(1), &mut replica.probe);
    replica.on_catch_up(NodeId(1), Slot(0), &mut fx);
}

#[test]
#[should_panic(expected = "contract LeaderHoldsItsPromise")]
fn a_leader_that_promised_another_breaks_a_contract() {
    let (mut replica, mut fx) = leader(None, Slot(0));
    replica
        .acceptor
        .on_prepare(BALLOT.next_for(NodeId(1)), &mut replica.probe);
    replica.heartbeat(NOW, &mut fx);
}

#[test]
#[should_panic(expected = "contract ProposalsAboveChosen")]
fn a_chosen_slot_proposed_again_breaks_a_contract() {
    let (mut replica, mut fx) = leader(None, Slot(0));
    replica
        .learner
        .choose(Slot(0), Value::noop(), &mut replica.probe);
    replica.propose(NOW, Slot(0), Value::noop(), &mut fx);
}

#[test]
#[should_panic(expected = "contract PromiseIsDurableFirst")]
fn a_promise_said_too_early_breaks_a_contract() {
    let (mut replica, mut fx) = replica(None);
    replica.go_on(NOW, BALLOT, AfterPromise::Campaign, &mut fx);
}

#[test]
#[should_panic(expected = "contract OneBVotesWithinPromise")]
fn a_vote_reported_above_the_promise_breaks_a_contract() {
    let (mut replica, mut fx) = replica(None);
    let mut lenient = Full::without_contracts(None);
    replica.acceptor.cast(
        BALLOT.next_for(NodeId(1)),
        Slot(0),
        Value::noop(),
        Lsn(0),
        &mut lenient,
    );
    replica.on_prepare(NOW, NodeId(0), BALLOT, Slot(0), &mut fx);
}

#[test]
#[should_panic(expected = "contract TwoBMessageHasVote")]
fn an_acknowledgement_without_a_vote_breaks_a_contract() {
    let (mut replica, mut fx) = replica(None);
    replica.acknowledge(
        NOW,
        &[Ack {
            to: NodeId(1),
            ballot: BALLOT,
            slot: Slot(0),
        }],
        &mut fx,
    );
}

#[test]
#[should_panic(expected = "contract LoggedChosenMonotonic")]
fn a_log_that_knows_more_than_the_learner_breaks_a_contract() {
    let (mut replica, mut fx) = replica(None);
    replica.logged_chosen = Slot(9);
    replica.learn(NOW, Slot(0), Value::noop(), &mut fx);
}

#[test]
#[should_panic(expected = "contract AppliedIsWhatIsChosen")]
fn a_slot_that_is_skipped_breaks_a_contract() {
    let (mut replica, mut fx) = replica(None);
    replica.learner.resume(Slot(2), &mut replica.probe);
    replica.advance(NOW, &mut fx);
}

#[test]
#[should_panic(expected = "contract ReadIndexCoversRecovery")]
fn a_read_before_recovery_breaks_a_contract() {
    let (mut replica, mut fx) = leader(Some(Bug::ReadBeforeRecoveryCommits), Slot(5));
    let read = Request::Read {
        nonce: 1,
        operation: [].into(),
    };
    replica.serve(NOW, ClientAddr(1), read, &mut fx);
}

#[test]
fn reads_that_would_wait_beyond_the_queue_are_told_to_come_back() {
    let (mut replica, mut fx) = leader(None, Slot(0));
    let most = replica.config.queue as u64;
    for nonce in 0..=most {
        let operation = [].into();
        replica.serve(
            NOW,
            ClientAddr(1),
            Request::Read { nonce, operation },
            &mut fx,
        );
    }
    assert_eq!(replica.reads.queue.len() as u64, most);
    let told: Vec<_> = fx
        .replies
        .iter()
        .map(|(_, reply)| (reply.to, reply.outcome.clone()))
        .collect();
    assert_eq!(told, [(RequestId::Nonce(most), Outcome::Busy)]);
}

#[test]
#[should_panic(expected = "contract ReadSeesItsIndex")]
fn a_read_that_does_not_wait_breaks_a_contract() {
    let (mut replica, mut fx) = replica(Some(Bug::ReadIgnoresApplyLag));
    replica.reads.queue.push_back(Read {
        from: ClientAddr(1),
        id: RequestId::Nonce(1),
        operation: [].into(),
        below: Slot(1),
        round: 0,
    });
    replica.serve_reads(&mut fx);
}

#[test]
#[should_panic(expected = "contract ReplySentIsAllowed")]
fn a_reply_from_the_future_breaks_a_contract() {
    let (mut replica, mut fx) = replica(None);
    let place = Place {
        slot: Slot(5),
        index: 0,
    };
    replica.answer(
        RequestId::Nonce(1),
        Outcome::Done {
            place,
            result: [].into(),
        },
        &mut fx,
    );
}
