//! Planted bugs that runs find hardly ever, or never, do what their cards say.

use super::*;
use crate::ids::{Sequence, SessionId};

/// Of the round of `BALLOT`, and above it.
const RIVAL: Ballot = Ballot {
    round: 1,
    node: NodeId(2),
};

#[test]
fn a_heartbeat_of_the_promised_round_and_a_lower_node_is_refused() {
    let refused = |bug| {
        let (mut replica, mut fx) = replica(bug);
        replica.acceptor.on_prepare(RIVAL, &mut replica.probe);
        let lower = Ballot {
            round: 1,
            node: NodeId(1),
        };
        replica.on_heartbeat(NOW, NodeId(1), lower, 1, Slot(0), &mut fx);
        matches!(fx.sends[..], [(To::One(NodeId(1)), Message::Reject { .. })])
    };
    assert!(refused(None));
    assert!(!refused(Some(Bug::HeartbeatComparesRoundOnly)));
}

#[test]
fn a_candidate_that_lags_is_promised() {
    let promised = |bug| {
        let (mut replica, mut fx) = replica(bug);
        replica.learner.resume(Slot(3), &mut replica.probe);
        replica.on_prepare(NOW, NodeId(2), RIVAL, Slot(2), &mut fx);
        fx.promise
    };
    assert_eq!(promised(None), Some(RIVAL));
    assert_eq!(promised(Some(Bug::ConstrainedElectionRefused)), None);
}

#[test]
fn who_is_refused_asks_higher_the_next_time() {
    let seen = |bug| {
        let (mut replica, mut fx) = replica(bug);
        replica.on_canvass_reply(NOW, NodeId(2), BALLOT, false, RIVAL, &mut fx);
        replica.seen
    };
    assert_eq!(seen(None), RIVAL);
    assert_eq!(seen(Some(Bug::RefusalTeachesNoBallot)), Ballot::ZERO);
}

#[test]
fn a_request_of_an_earlier_leadership_is_proposed_when_it_comes_again() {
    let proposed = |bug| {
        let (mut replica, mut fx) = leader(bug, Slot(0));
        let (session, sequence) = (SessionId(1), Sequence(0));
        let id = RequestId::Numbered(session, sequence);
        replica.desk.wait(id, ClientAddr(1), Ballot::ZERO);
        let request = Request::Apply {
            session,
            sequence,
            answered_below: sequence,
            operation: [].into(),
        };
        replica.serve(NOW, ClientAddr(1), request, &mut fx);
        !fx.sends.is_empty()
    };
    assert!(proposed(None));
    assert!(!proposed(Some(Bug::RetryThoughtUnderWay)));
}

#[test]
fn half_of_the_nodes_choose_nothing() {
    let chosen = |bug| {
        let config = Config::new(ClusterId(1), NodeId(0), 4);
        let mut replica = Replica::new(
            config,
            [7; 32],
            Recovered::default(),
            KeyValue::default(),
            Full::new(bug),
            Now::default(),
            &mut Effects::default(),
        );
        replica.learner.lead(BALLOT, &mut replica.probe);
        let mut vote = |voter| {
            let learner = &mut replica.learner;
            learner.on_vote(NodeId(voter), BALLOT, Slot(0), &mut replica.probe)
        };
        vote(0) || vote(1)
    };
    assert!(!chosen(None));
    assert!(chosen(Some(Bug::HalfIsAQuorum)));
}
