//! The replica: joins the roles, and is the only one who knows them all.
//!
//! Typed messages, requests and durability come in; [`Effects`] go out. It never waits: what must
//! wait for the disk is in the [outbox](crate::outbox). The entry points are here; `phase1` and
//! `phase2` hold the two phases, `heartbeat` what a leader says of itself, `catch_up` what those ask
//! who missed something, `serve` what clients ask, `desk` who of them waits.

mod catch_up;
mod desk;
mod heartbeat;
mod phase1;
mod phase2;
mod recover;
mod serve;
#[cfg(test)]
mod tests;

use crate::bugs::Bug;
use crate::config::Config;
use crate::contract;
use crate::dice::Dice;
use crate::effects::{Effects, To};
use crate::ids::{Ballot, ClientAddr, Lsn, NodeId, Slot};
use crate::message::{Message, Request};
use crate::outbox::{Ack, Outbox};
use crate::probe::Probe;
use crate::recovered::Recovered;
use crate::roles::acceptor::Acceptor;
use crate::roles::elector::{Elector, Stand, Urge};
use crate::roles::executor::Executor;
use crate::roles::learner::Learner;
use crate::roles::librarian::Librarian;
use crate::roles::proposer::{Page, Phase, Proposer};
use crate::state_machine::StateMachine;
use crate::time::{Mono, Now, Span, earlier};
use desk::{Desk, Reads};

/// One replica of the library, without bytes and files. Its hash is of all that it knows: two with
/// equal hashes do the same, as far as what [`Dice`] draws does not matter.
#[derive(Clone, Hash, Debug)]
pub struct Replica<M, P> {
    config: Config,
    probe: P,
    acceptor: Acceptor,
    proposer: Proposer,
    learner: Learner,
    executor: Executor<M>,
    elector: Elector,
    librarian: Librarian,
    outbox: Outbox,
    desk: Desk,
    reads: Reads,
    /// The highest ballot that was ever seen, its own included; campaigns start above it.
    seen: Ballot,
    /// The last ballot that this node led in this boot.
    led: Option<Ballot>,
    /// When a leader speaks next, whether or not it has anything to say.
    heartbeat_at: Mono,
    /// The log says that all slots below are chosen.
    logged_chosen: Slot,
    /// Empty between steps.
    acks: Vec<Ack>,
}

impl<M: StateMachine, P: Probe> Replica<M, P> {
    /// A replica that comes back from its files, and applies what it knows to be chosen.
    #[must_use]
    pub fn new(
        config: Config,
        entropy: [u8; 32],
        recovered: Recovered,
        machine: M,
        mut probe: P,
        now: Now,
        fx: &mut Effects,
    ) -> Self {
        let mut dice = Dice::new(entropy);
        let salt = dice.between(Span(0), Span(u64::MAX - 1)).0;
        let (me, nodes) = (config.node, config.nodes);
        let even = nodes % 2 == 0;
        let half = probe.flip(Bug::HalfIsAQuorum, false, even);
        let quorum = config.quorum() - usize::from(half);
        let mut replica = Self {
            acceptor: Acceptor::default(),
            proposer: Proposer::new(&config, quorum),
            learner: Learner::new(quorum, Slot(0)),
            executor: Executor::new(machine, config.sessions, salt),
            elector: Elector::new(
                me,
                nodes,
                quorum,
                (config.election_min, config.election_max),
                now.mono,
                dice,
            ),
            librarian: Librarian::new(config.retransmit),
            outbox: Outbox::new(recovered.promised),
            desk: Desk::default(),
            reads: Reads::default(),
            seen: recovered.promised,
            led: None,
            heartbeat_at: now.mono,
            logged_chosen: Slot(0),
            acks: Vec::new(),
            config,
            probe,
        };
        replica.recover(recovered, now.mono, fx);
        replica
    }

    /// A message came from a peer.
    pub fn on_message(&mut self, now: Now, from: NodeId, message: Message, fx: &mut Effects) {
        let now = now.mono;
        match message {
            Message::Canvass { ballot } => self.on_canvass(now, from, ballot, fx),
            Message::CanvassReply {
                ballot,
                granted,
                promised,
            } => self.on_canvass_reply(now, from, ballot, granted, promised, fx),
            Message::Prepare { ballot, from: slot } => self.on_prepare(now, from, ballot, slot, fx),
            Message::Promise {
                ballot,
                from: slot,
                votes,
                next,
                chosen_below,
            } => {
                self.librarian.hear_of(chosen_below, from);
                self.on_promise(
                    now,
                    from,
                    ballot,
                    Page {
                        from: slot,
                        votes,
                        next,
                    },
                    fx,
                );
            }
            Message::Accept {
                ballot,
                slot,
                value,
                chosen_below,
            } => self.on_accept(now, from, ballot, slot, value, chosen_below, fx),
            Message::Accepted { ballot, slots } => self.on_accepted(now, from, ballot, &slots, fx),
            Message::Reject { ballot, promised } => self.on_reject(now, from, ballot, promised, fx),
            Message::Heartbeat {
                ballot,
                round,
                chosen_below,
            } => self.on_heartbeat(now, from, ballot, round, chosen_below, fx),
            Message::HeartbeatReply { ballot, round, .. } => {
                self.on_heartbeat_reply(now, from, ballot, round, fx)
            }
            Message::Resign { ballot } => self.on_resign(now, from, ballot),
            Message::CatchUp { from: slot } => self.on_catch_up(from, slot, fx),
            Message::CatchUpReply {
                from: slot,
                values,
                chosen_below,
            } => self.on_catch_up_reply(now, from, slot, values, chosen_below, fx),
        }
    }

    /// A request came from a client.
    pub fn on_request(&mut self, now: Now, from: ClientAddr, request: Request, fx: &mut Effects) {
        self.serve(now.mono, from, request, fx);
    }

    /// The time that was asked for has come; being early does no harm.
    pub fn on_deadline(&mut self, now: Now, fx: &mut Effects) {
        let now = now.mono;
        let promised = self.acceptor.promised();
        let next = self.seen.max(promised).next_for(self.config.node);
        let reusable = promised.node == self.config.node && self.elector.is_fresh();
        let reuses = self.probe.flip(
            Bug::BallotReuseAfterRestart,
            false,
            reusable && self.seen == promised && promised > Ballot::ZERO,
        );
        let next = if reuses { promised } else { next };
        match self.elector.on_deadline(now, next, &mut self.probe) {
            Some(Urge::Canvass(ballot)) => self.canvass(now, ballot, fx),
            Some(Urge::StepDown) => self.resign(now, fx),
            None => {}
        }
        if self.elector.leads().is_some() && now >= self.heartbeat_at {
            self.heartbeat(now, fx);
        }
        if let Phase::Recovering(recovery) = self.proposer.phase() {
            let ballot = recovery.ballot;
            for (peer, slot) in self
                .proposer
                .ask_again(now, self.config.peers(), &mut self.probe)
            {
                fx.sends
                    .push((To::One(peer), Message::Prepare { ballot, from: slot }));
            }
        }
        self.retransmit(now, fx);
        self.pump(now, fx);
        self.fetch(now, fx);
    }

    /// All records up to and including this one are durable.
    pub fn on_durable(&mut self, now: Now, lsn: Lsn, fx: &mut Effects) {
        let mut acks = std::mem::take(&mut self.acks);
        self.outbox.on_durable(lsn, &mut acks, &mut self.probe);
        self.acknowledge(now.mono, &acks, fx);
        acks.clear();
        self.acks = acks;
    }

    /// The promise of this ballot is durable.
    pub fn on_promise_durable(&mut self, now: Now, ballot: Ballot, fx: &mut Effects) {
        for what in self.outbox.on_promise_durable(ballot, &mut self.probe) {
            self.go_on(now.mono, ballot, what, fx);
        }
    }

    /// When the replica wants to be woken.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        let heartbeat = self.elector.leads().map(|_| self.heartbeat_at);
        let catch_up = self.librarian.deadline(self.learner.chosen_below());
        earlier(
            Some(self.elector.deadline()),
            earlier(heartbeat, earlier(self.proposer.deadline(), catch_up)),
        )
    }

    /// Whether something waits for the disk.
    pub(crate) fn waits_for_disk(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// What the replica strives for.
    pub const fn stand(&self) -> Stand {
        self.elector.stand()
    }

    /// The hooks.
    pub const fn probe(&self) -> &P {
        &self.probe
    }

    /// The hooks, to be drained.
    pub const fn probe_mut(&mut self) -> &mut P {
        &mut self.probe
    }

    /// Holds the lemma that whoever leads has promised its own ballot and nothing above.
    fn leads_at_its_promise(&self, ballot: Ballot) {
        let promised = self.acceptor.promised();
        contract!(
            self.probe,
            LeaderHoldsItsPromise,
            promised == ballot,
            "leads at {ballot}, having promised {promised}"
        );
    }

    /// Whether this node leads, or wants to.
    fn strives(&self) -> bool {
        matches!(
            self.elector.stand(),
            Stand::Campaigning(_) | Stand::Leading(_)
        )
    }
}
