//! Elections and phase 1: canvass, campaign, promise, and the takeover.

use super::Replica;
use crate::bugs::Bug;
use crate::contract;
use crate::effects::{Effects, To};
use crate::fact::Fact;
use crate::ids::{Ballot, NodeId, Slot};
use crate::message::{Message, Vote};
use crate::outbox::AfterPromise;
use crate::probe::Probe;
use crate::roles::elector::Stand;
use crate::roles::proposer::{Page, Phase, Progress};
use crate::state_machine::StateMachine;
use crate::time::Mono;

impl<M: StateMachine, P: Probe> Replica<M, P> {
    /// Patience is over: asks whether a campaign at this ballot could succeed.
    pub(super) fn canvass(&mut self, now: Mono, ballot: Ballot, fx: &mut Effects) {
        self.abandon(now, fx);
        fx.sends.push((To::Peers, Message::Canvass { ballot }));
        let alone = self.config.quorum() == 1;
        if self
            .probe
            .flip(Bug::DeafCandidateDeposesForever, alone, true)
        {
            self.campaign(now, ballot, fx);
        }
    }

    pub(super) fn on_canvass(&mut self, now: Mono, from: NodeId, ballot: Ballot, fx: &mut Effects) {
        self.learn_of(ballot);
        let promised = self.acceptor.promised();
        let granted = self.elector.grants(ballot, promised, now, &mut self.probe);
        fx.sends.push((
            To::One(from),
            Message::CanvassReply {
                ballot,
                granted,
                promised,
            },
        ));
    }

    pub(super) fn on_canvass_reply(
        &mut self,
        now: Mono,
        from: NodeId,
        ballot: Ballot,
        granted: bool,
        promised: Ballot,
        fx: &mut Effects,
    ) {
        self.learn_of(promised);
        if granted && self.elector.on_grant(from, ballot) {
            self.campaign(now, ballot, fx);
        }
    }

    /// Somebody has promised this ballot, or wants to lead it: the next campaign is above it.
    fn learn_of(&mut self, ballot: Ballot) {
        if self
            .probe
            .flip(Bug::RefusalTeachesNoBallot, ballot > self.seen, false)
        {
            self.seen = ballot;
        }
    }

    /// Begins a campaign: the peers are asked once this node's own promise is durable, so a ballot
    /// is never used twice.
    fn campaign(&mut self, now: Mono, ballot: Ballot, fx: &mut Effects) {
        let promised = self.acceptor.promised();
        if self.probe.flip(
            Bug::BallotReuseAfterRestart,
            ballot <= promised,
            ballot < promised,
        ) || !self.acceptor.on_prepare(ballot, &mut self.probe)
        {
            return;
        }
        self.seen = self.seen.max(ballot);
        self.probe.fact(|| Fact::Campaigned(ballot));
        self.elector.campaign(ballot, now, &mut self.probe);
        self.ask_for_promise(ballot, AfterPromise::Campaign, fx);
    }

    pub(super) fn ask_for_promise(&mut self, ballot: Ballot, then: AfterPromise, fx: &mut Effects) {
        self.outbox.after_promise(ballot, then, &mut self.probe);
        fx.promise = Some(ballot);
    }

    /// The promise of this ballot is durable; goes on with what waited for it.
    pub(super) fn go_on(
        &mut self,
        now: Mono,
        ballot: Ballot,
        what: AfterPromise,
        fx: &mut Effects,
    ) {
        contract!(
            self.probe,
            PromiseIsDurableFirst,
            self.outbox.has_promise(ballot),
            "{ballot} is not durable, and {what:?} goes on"
        );
        match what {
            AfterPromise::Promise(to, message) => fx.sends.push((To::One(to), message)),
            AfterPromise::Accept { from, slot, value } => {
                self.consider(now, from, ballot, slot, value, fx)
            }
            AfterPromise::Campaign if self.elector.stand() == Stand::Campaigning(ballot) => {
                self.recover_votes(now, ballot, fx)
            }
            AfterPromise::Campaign => {}
        }
    }

    fn recover_votes(&mut self, now: Mono, ballot: Ballot, fx: &mut Effects) {
        let below = self.learner.chosen_below();
        let heard = self.librarian.target();
        let skips = self
            .probe
            .flip(Bug::Phase1SkipsHeardPrefix, false, heard > below);
        let from = if skips { heard } else { below };
        let entitled = self.led.is_some();
        if self.probe.flip(Bug::SkipPhase1IfWasLeader, false, entitled) {
            let next = self
                .acceptor
                .votes_from(from)
                .last()
                .map_or(from, |(slot, _)| slot.next());
            self.proposer.usurp(ballot, next);
            self.take_over(now, ballot, fx);
            return;
        }
        self.proposer.recover(ballot, from, now);
        fx.sends
            .push((To::Peers, Message::Prepare { ballot, from }));
        let (mut votes, _) = self.votes_page(from, u32::MAX);
        if self
            .probe
            .flip(Bug::CandidateSkipsOwnVotes, false, !votes.is_empty())
        {
            votes.clear();
        }
        self.on_promise(
            now,
            self.config.node,
            ballot,
            Page {
                from,
                votes,
                next: None,
            },
            fx,
        );
    }

    pub(super) fn on_prepare(
        &mut self,
        now: Mono,
        from: NodeId,
        ballot: Ballot,
        slot: Slot,
        fx: &mut Effects,
    ) {
        self.seen = self.seen.max(ballot);
        let before = self.acceptor.promised();
        let lags = slot < self.learner.chosen_below();
        if self
            .probe
            .flip(Bug::ConstrainedElectionRefused, false, lags)
        {
            return;
        }
        if !self.acceptor.on_prepare(ballot, &mut self.probe) {
            fx.sends.push((
                To::One(from),
                Message::Reject {
                    ballot,
                    promised: before,
                },
            ));
            return;
        }
        if ballot > before {
            self.step_down(now, fx);
            self.elector.on_promise(ballot, now, &mut self.probe);
        }
        let (votes, next) = self.votes_page(slot, self.config.message_bytes);
        let promise = Message::Promise {
            ballot,
            from: slot,
            votes,
            next,
            chosen_below: self.learner.chosen_below(),
        };
        if self.outbox.has_promise(ballot) {
            fx.sends.push((To::One(from), promise));
        } else {
            self.ask_for_promise(ballot, AfterPromise::Promise(from, promise), fx);
        }
    }

    /// What this node has to say of the slots from `from` on: what it knows to be chosen, and its
    /// votes. With the slot where the next page starts.
    fn votes_page(&mut self, from: Slot, bytes: u32) -> (Vec<Vote>, Option<Slot>) {
        let promised = self.acceptor.promised();
        let below = self.learner.chosen_below();
        let mut left = u64::from(bytes);
        let mut page: Vec<Vote> = Vec::new();
        let empty = self
            .probe
            .flip(Bug::TruncatedPrefixReadAsEmpty, false, from < below);
        let first = if empty { below } else { from };
        let chosen = (first.0..below.0).map(Slot).filter_map(|slot| {
            let value = self.librarian.get(slot)?.clone();
            Some(Vote {
                slot,
                ballot: Ballot::ZERO,
                value,
                chosen: true,
            })
        });
        let open = self
            .acceptor
            .votes_from(from.max(below))
            .map(|(slot, cast)| match self.learner.ahead(slot) {
                Some(value) => Vote {
                    slot,
                    ballot: cast.ballot,
                    value: value.clone(),
                    chosen: true,
                },
                None => Vote {
                    slot,
                    ballot: cast.ballot,
                    value: cast.value.clone(),
                    chosen: false,
                },
            });
        let mut next = None;
        for vote in chosen.chain(open) {
            let size = vote.value.0.len() as u64 + 32;
            if !page.is_empty() && size > left {
                let skips = self.probe.flip(Bug::PromisePageSkipsBoundary, false, true);
                next = Some(Slot(vote.slot.0 + u64::from(skips)));
                break;
            }
            left = left.saturating_sub(size);
            page.push(vote);
        }
        let within = |vote: &Vote| vote.chosen || vote.ballot <= promised;
        contract!(
            self.probe,
            OneBVotesWithinPromise,
            page.iter().all(within),
            "reports a vote above its promise {promised}"
        );
        let in_flight = |vote: &Vote| {
            let cast = self.acceptor.vote(vote.slot);
            !vote.chosen && cast.is_some_and(|cast| !self.outbox.has_record(cast.lsn))
        };
        let any = page.iter().any(in_flight);
        if self.probe.flip(Bug::PromiseOmitsVotesInFlight, false, any) {
            page.retain(|vote| !in_flight(vote));
        }
        for vote in &mut page {
            if self.probe.flip(
                Bug::PromiseReportsPromisedAsAccepted,
                false,
                !vote.chosen && vote.ballot != promised,
            ) {
                vote.ballot = promised;
            }
        }
        (page, next)
    }

    pub(super) fn on_promise(
        &mut self,
        now: Mono,
        from: NodeId,
        ballot: Ballot,
        page: Page,
        fx: &mut Effects,
    ) {
        let own = from == self.config.node;
        match self
            .proposer
            .on_promise(from, own, ballot, page, &mut self.probe)
        {
            Progress::Nothing => {}
            Progress::Page(node, slot) => fx
                .sends
                .push((To::One(node), Message::Prepare { ballot, from: slot })),
            Progress::Complete => self.take_over(now, ballot, fx),
        }
    }

    /// Phase 1 is complete: leads, and proposes again at its own ballot whatever might be chosen.
    fn take_over(&mut self, now: Mono, ballot: Ballot, fx: &mut Effects) {
        let chosen_end = self.learner.chosen_end();
        let plan = self.proposer.lead(chosen_end, &mut self.probe);
        self.probe.fact(|| Fact::Led(ballot));
        if let Some(last) = self.led.replace(ballot) {
            self.desk.forget_before(last);
        }
        self.elector.lead(ballot, now, &mut self.probe);
        self.learner.lead(ballot, &mut self.probe);
        self.reads.restart();
        for vote in plan {
            if vote.chosen {
                self.learn(now, vote.slot, vote.value, fx);
            } else if !self.learner.is_chosen(vote.slot) {
                self.propose(now, vote.slot, vote.value, fx);
            }
        }
        self.heartbeat(now, fx);
        self.advance(now, fx);
    }

    pub(super) fn on_reject(
        &mut self,
        now: Mono,
        from: NodeId,
        ballot: Ballot,
        promised: Ballot,
        fx: &mut Effects,
    ) {
        self.learn_of(promised);
        let mine = match self.proposer.phase() {
            Phase::Idle => None,
            Phase::Recovering(recovery) => Some(recovery.ballot),
            Phase::Leading(lead) => Some(lead.ballot),
        };
        if mine != Some(ballot) || promised <= ballot {
            return;
        }
        if self.elector.leads().is_some() && self.probe.flip(Bug::CommitOnNack, false, true) {
            let end = self.proposer.next().unwrap_or_default();
            let open: Vec<Slot> = (self.learner.chosen_below().0..end.0).map(Slot).collect();
            self.on_accepted(now, from, ballot, &open, fx);
        }
        if self.elector.leads().is_some()
            && self.probe.flip(Bug::TimerResetByDeposedLeader, false, true)
        {
            // The mutant takes a refusal for an answer like any other, and goes on speaking.
            self.elector.on_answer(from, now);
            return;
        }
        if self.elector.leads().is_some()
            && self.probe.flip(Bug::RetryTimerBumpsBallot, false, true)
        {
            let bumped = promised.next_for(self.config.node);
            let next = self.proposer.next().unwrap_or_default();
            self.proposer.usurp(bumped, next);
            self.elector.lead(bumped, now, &mut self.probe);
            self.learner.lead(bumped, &mut self.probe);
            return;
        }
        self.resign(now, fx);
    }

    /// Stops leading or campaigning while some may still follow it: they are told, so that they
    /// need not wait until they miss it.
    pub(super) fn resign(&mut self, now: Mono, fx: &mut Effects) {
        if let Some(ballot) = self.elector.leads() {
            fx.sends.push((To::Peers, Message::Resign { ballot }));
        }
        self.step_down(now, fx);
    }

    pub(super) fn on_resign(&mut self, now: Mono, from: NodeId, ballot: Ballot) {
        if ballot.node == from {
            self.elector.on_resign(ballot, now);
        }
    }

    /// Stops leading or campaigning, if it did.
    pub(super) fn step_down(&mut self, now: Mono, fx: &mut Effects) {
        if !self.strives() {
            return;
        }
        self.abandon(now, fx);
        self.elector.step_down(now, &mut self.probe);
    }

    /// Drops what only a proposer has: clients whose commands were never proposed are told; the
    /// others may still be answered.
    fn abandon(&mut self, _: Mono, fx: &mut Effects) {
        if let Some(ballot) = self.elector.leads() {
            self.probe.fact(|| Fact::SteppedDown(ballot));
        }
        let unproposed = self.proposer.resign(&mut self.probe);
        for command in unproposed {
            self.desk.forget(command.id);
            self.refuse(command.from, command.id, fx);
        }
        let none = self.reads.queue.is_empty();
        if self.probe.flip(Bug::ReadsSurviveStepDown, true, none) {
            for read in self.reads.drain() {
                self.refuse(read.from, read.id, fx);
            }
        }
        if self
            .probe
            .flip(Bug::DefiniteFailOnStepdown, false, !self.desk.is_empty())
        {
            for (id, from) in self.desk.drain() {
                self.refuse(from, id, fx);
            }
        }
    }
}
