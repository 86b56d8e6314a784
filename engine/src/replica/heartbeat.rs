//! Heartbeats: the leader is alive, what is chosen, and who still follows it.

use super::Replica;
use crate::bugs::Bug;
use crate::effects::{Effects, To};
use crate::ids::{Ballot, NodeId, Slot};
use crate::message::Message;
use crate::probe::Probe;
use crate::state_machine::StateMachine;
use crate::time::Mono;

impl<M: StateMachine, P: Probe> Replica<M, P> {
    pub(super) fn heartbeat(&mut self, now: Mono, fx: &mut Effects) {
        let Some(ballot) = self.elector.leads() else {
            return;
        };
        self.leads_at_its_promise(ballot);
        self.heartbeat_at = now + self.config.heartbeat;
        let round = self.reads.round(&mut self.probe);
        let (below, end) = (self.learner.chosen_below(), self.learner.chosen_end());
        let over = self
            .probe
            .flip(Bug::CommitPointOverHole, false, end > below);
        let chosen_below = if over { end } else { below };
        fx.sends.push((
            To::Peers,
            Message::Heartbeat {
                ballot,
                round,
                chosen_below,
            },
        ));
        self.confirm(self.config.node, round, fx);
    }

    pub(super) fn on_heartbeat(
        &mut self,
        now: Mono,
        from: NodeId,
        ballot: Ballot,
        round: u64,
        chosen_below: Slot,
        fx: &mut Effects,
    ) {
        self.seen = self.seen.max(ballot);
        let promised = self.acceptor.promised();
        let deposed = self.probe.flip(
            Bug::HeartbeatComparesRoundOnly,
            ballot < promised,
            ballot.round < promised.round,
        );
        let calm = deposed && !self.strives();
        if self.probe.flip(Bug::TimerResetByDeposedLeader, false, calm) {
            self.elector.on_leader(ballot, now, &mut self.probe);
        }
        if deposed {
            fx.sends
                .push((To::One(from), Message::Reject { ballot, promised }));
            return;
        }
        self.follow(now, from, ballot, fx);
        fx.sends.push((
            To::One(from),
            Message::HeartbeatReply {
                ballot,
                round,
                chosen_below: self.learner.chosen_below(),
            },
        ));
        self.commit(now, from, ballot, chosen_below, fx);
    }

    pub(super) fn on_heartbeat_reply(
        &mut self,
        now: Mono,
        from: NodeId,
        ballot: Ballot,
        round: u64,
        fx: &mut Effects,
    ) {
        if self.elector.leads() == Some(ballot) {
            self.elector.on_answer(from, now);
            self.confirm(from, round, fx);
        }
    }
}
