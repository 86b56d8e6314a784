//! Phase 2 and what follows: propose, vote, choose, learn, apply.

use super::Replica;
use crate::bugs::Bug;
use crate::codec::command::commands;
use crate::command::{Command, Value};
use crate::contract;
use crate::effects::{Effects, To};
use crate::fact::Fact;
use crate::ids::{Ballot, Lsn, NodeId, Place, Slot};
use crate::message::Message;
use crate::outbox::{Ack, AfterPromise};
use crate::probe::Probe;
use crate::record::Record;
use crate::roles::acceptor::Verdict;
use crate::state_machine::StateMachine;
use crate::time::Mono;

/// A hint of what is chosen goes into the log each time that it has grown by so many slots.
const CHOSEN_HINT_EVERY: u64 = 8;

impl<M: StateMachine, P: Probe> Replica<M, P> {
    /// Sends a value on its way at the ballot that this node leads, and votes for it.
    pub(super) fn propose(&mut self, now: Mono, slot: Slot, value: Value, fx: &mut Effects) {
        let Some(ballot) = self.elector.leads() else {
            return;
        };
        contract!(
            self.probe,
            ProposalsAboveChosen,
            !self.learner.is_chosen(slot),
            "slot {slot} is chosen, and proposed again at {ballot}"
        );
        self.leads_at_its_promise(ballot);
        self.proposer
            .start(slot, value.clone(), now, &mut self.probe);
        let chosen_below = self.learner.chosen_below();
        fx.sends.push((
            To::Peers,
            Message::Accept {
                ballot,
                slot,
                value: value.clone(),
                chosen_below,
            },
        ));
        let me = self.config.node;
        self.consider(now, me, ballot, slot, value, fx);
        if self.probe.flip(Bug::LeaderSelfAckBeforeFsync, false, true) {
            self.count_vote(now, me, ballot, slot, fx);
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of an accept, taken apart by the caller"
    )]
    pub(super) fn on_accept(
        &mut self,
        now: Mono,
        from: NodeId,
        ballot: Ballot,
        slot: Slot,
        value: Value,
        chosen_below: Slot,
        fx: &mut Effects,
    ) {
        self.seen = self.seen.max(ballot);
        if ballot >= self.acceptor.promised() {
            self.follow(now, from, ballot, fx);
        }
        self.consider(now, from, ballot, slot, value, fx);
        if ballot >= self.acceptor.promised() {
            self.commit(now, from, ballot, chosen_below, fx);
        }
    }

    /// A leader whose ballot is not deposed here has spoken.
    pub(super) fn follow(&mut self, now: Mono, from: NodeId, ballot: Ballot, fx: &mut Effects) {
        if from != self.config.node && ballot.node == from {
            self.step_down(now, fx);
            self.elector.on_leader(ballot, now, &mut self.probe);
        }
    }

    /// Asks the acceptor for a vote, and answers when the disk allows it.
    pub(super) fn consider(
        &mut self,
        now: Mono,
        from: NodeId,
        ballot: Ballot,
        slot: Slot,
        value: Value,
        fx: &mut Effects,
    ) {
        if self.learner.is_chosen(slot) {
            let foreign = from != self.config.node;
            if self
                .probe
                .flip(Bug::AcceptInChosenSlotAcked, false, foreign)
            {
                let slots = vec![slot];
                fx.sends
                    .push((To::One(from), Message::Accepted { ballot, slots }));
                return;
            }
            self.tell_chosen(from, slot, fx);
            return;
        }
        let covered = self.outbox.has_promise(ballot);
        let ack = Ack {
            to: from,
            ballot,
            slot,
        };
        match self
            .acceptor
            .on_accept(ballot, slot, &value, covered, &mut self.probe)
        {
            Verdict::Refused if from == self.config.node => self.step_down(now, fx),
            Verdict::Refused => {
                fx.sends.push((
                    To::One(from),
                    Message::Reject {
                        ballot,
                        promised: self.acceptor.promised(),
                    },
                ));
            }
            Verdict::Contradiction => {}
            Verdict::PromiseFirst => {
                self.ask_for_promise(ballot, AfterPromise::Accept { from, slot, value }, fx)
            }
            Verdict::Again(lsn) => {
                let durable = self.outbox.has_record(lsn);
                if self.probe.flip(Bug::ResentAcceptAckedAtOnce, durable, true) {
                    self.acknowledge(now, &[ack], fx);
                } else {
                    self.outbox.after_record_again(lsn, ack);
                }
            }
            Verdict::New => {
                let lsn = self.record(
                    Record::Vote {
                        slot,
                        ballot,
                        value: value.clone(),
                    },
                    fx,
                );
                self.acceptor
                    .cast(ballot, slot, value, lsn, &mut self.probe);
                self.outbox.after_record(lsn, ack, &mut self.probe);
            }
        }
    }

    /// Tells a proposer that its slot is decided.
    fn tell_chosen(&mut self, to: NodeId, slot: Slot, fx: &mut Effects) {
        if to == self.config.node {
            return;
        }
        if let Some(value) = self
            .librarian
            .get(slot)
            .or_else(|| self.learner.ahead(slot))
        {
            let values = vec![value.clone()];
            fx.sends.push((
                To::One(to),
                Message::CatchUpReply {
                    from: slot,
                    values,
                    chosen_below: self.learner.chosen_below(),
                },
            ));
        }
    }

    fn record(&mut self, record: Record, fx: &mut Effects) -> Lsn {
        let chosen = self.learner.chosen_below();
        contract!(
            self.probe,
            LoggedChosenMonotonic,
            chosen >= self.logged_chosen,
            "{chosen}, and the log says {}",
            self.logged_chosen
        );
        if chosen.since(self.logged_chosen) >= CHOSEN_HINT_EVERY {
            self.logged_chosen = chosen;
            self.outbox.append();
            let heard = self.librarian.target();
            let hearsay = self
                .probe
                .flip(Bug::HintFromHeardCommitPoint, false, heard > chosen);
            let slot = if hearsay { heard } else { chosen };
            fx.records.push(Record::ChosenBelow { slot });
        }
        fx.records.push(record);
        self.outbox.append()
    }

    /// Votes whose records are durable: answers the proposers, one message for each run of equal
    /// ballots.
    pub(super) fn acknowledge(&mut self, now: Mono, acks: &[Ack], fx: &mut Effects) {
        for run in acks.chunk_by(|one, two| (one.to, one.ballot) == (two.to, two.ballot)) {
            let Some(Ack { to, ballot, .. }) = run.first().copied() else {
                continue;
            };
            if to == self.config.node {
                for ack in run {
                    self.count_vote(now, to, ballot, ack.slot, fx);
                }
                continue;
            }
            let mut slots: Vec<Slot> = run.iter().map(|ack| ack.slot).collect();
            slots.sort_unstable();
            slots.dedup();
            let first = slots.first().copied().unwrap_or_default();
            let gap = (self.learner.chosen_below().0..first.0)
                .map(Slot)
                .find(|slot| {
                    self.acceptor
                        .vote(*slot)
                        .is_none_or(|cast| cast.ballot != ballot)
                });
            if self
                .probe
                .flip(Bug::GappedAcceptCumulativeAck, false, gap.is_some())
            {
                slots.splice(0..0, (self.learner.chosen_below().0..first.0).map(Slot));
            }
            for slot in &slots {
                contract!(
                    self.probe,
                    TwoBMessageHasVote,
                    self.has_voted(*slot, ballot),
                    "says that it voted in slot {slot} at {ballot}"
                );
            }
            fx.sends
                .push((To::One(to), Message::Accepted { ballot, slots }));
        }
        self.advance(now, fx);
    }

    /// Whether this node durably voted so, as far as it still knows: its vote may have risen since,
    /// and is forgotten when the slot is chosen.
    fn has_voted(&self, slot: Slot, ballot: Ballot) -> bool {
        let vote = self.acceptor.vote(slot);
        slot < self.learner.chosen_below()
            || vote.is_some_and(|cast| {
                cast.ballot > ballot || (cast.ballot == ballot && self.outbox.has_record(cast.lsn))
            })
    }

    pub(super) fn on_accepted(
        &mut self,
        now: Mono,
        from: NodeId,
        ballot: Ballot,
        slots: &[Slot],
        fx: &mut Effects,
    ) {
        if self.elector.leads() == Some(ballot) {
            self.elector.on_answer(from, now);
        }
        let run = match slots {
            [first, .., last] => first.0..last.0 + 1,
            _ => 0..0,
        };
        let gapped = run.end - run.start > slots.len() as u64;
        if self.probe.flip(Bug::AckRunFillsGaps, false, gapped) {
            for slot in run.map(Slot) {
                self.count_vote(now, from, ballot, slot, fx);
            }
        }
        for slot in slots {
            self.count_vote(now, from, ballot, *slot, fx);
        }
        self.advance(now, fx);
    }

    /// Counts a durable vote; the one that makes a quorum makes the slot chosen.
    fn count_vote(&mut self, _: Mono, voter: NodeId, ballot: Ballot, slot: Slot, _: &mut Effects) {
        if self.elector.leads().is_none() || self.proposer.proposal(slot).is_none() {
            return;
        }
        if self.learner.on_vote(voter, ballot, slot, &mut self.probe)
            && let Some(value) = self.proposer.proposal(slot).cloned()
        {
            self.learner.choose(slot, value, &mut self.probe);
            self.proposer.settle(slot);
        }
    }

    /// The leader of `ballot` says that all slots below are chosen: those that this node voted for
    /// at that ballot are known.
    pub(super) fn commit(
        &mut self,
        now: Mono,
        teller: NodeId,
        ballot: Ballot,
        below: Slot,
        fx: &mut Effects,
    ) {
        self.librarian.hear_of(below, teller);
        let from = self.learner.chosen_below();
        if below <= from {
            return;
        }
        let back = self.outbox.is_untouched() && self.acceptor.vote(from).is_none();
        if self
            .probe
            .flip(Bug::CommitAssertOnRegressedPeer, false, back)
        {
            panic!("slots below {below} are chosen, and the log ends at {from}");
        }
        let mut known = Vec::new();
        for (slot, cast) in self.acceptor.votes_from(from) {
            if self
                .probe
                .flip(Bug::CommitBoundInclusive, slot >= below, slot > below)
            {
                break;
            }
            if self.probe.flip(
                Bug::CommitAppliesStaleBallotEntry,
                cast.ballot == ballot,
                true,
            ) {
                known.push((slot, cast.value.clone()));
            }
        }
        for (slot, value) in known {
            self.learner.choose(slot, value, &mut self.probe);
        }
        self.advance(now, fx);
        self.fetch(now, fx);
    }

    /// A peer says that this value is chosen. It is recorded unless the latest record of the slot
    /// says the same.
    pub(super) fn learn(&mut self, now: Mono, slot: Slot, value: Value, fx: &mut Effects) {
        if self.learner.is_chosen(slot) {
            return;
        }
        let recorded = self
            .acceptor
            .vote(slot)
            .is_some_and(|cast| cast.value == value);
        let conflicting = !recorded && self.acceptor.vote(slot).is_some();
        if !self.probe.flip(
            Bug::LearnedValueOnlyInMemory,
            recorded,
            recorded || conflicting,
        ) {
            self.record(
                Record::Learned {
                    slot,
                    value: value.clone(),
                },
                fx,
            );
        }
        // Another value than the one that this leader proposed: a higher ballot overruled it. It
        // must say no more what is chosen, since its followers take what they voted for at its
        // ballot, below its commit point, for chosen.
        let overruled = self
            .proposer
            .proposal(slot)
            .is_some_and(|proposal| *proposal != value);
        self.learner.choose(slot, value, &mut self.probe);
        let foreign = self.proposer.proposal(slot).is_none();
        if self
            .probe
            .flip(Bug::LearnedSlotKeepsItsPlace, true, foreign)
        {
            self.proposer.settle(slot);
        }
        if self
            .probe
            .flip(Bug::OverruledLeaderGoesOn, overruled, false)
        {
            self.step_down(now, fx);
        }
    }

    /// Applies what has become a prefix, and goes on with what waited for it.
    pub(super) fn advance(&mut self, now: Mono, fx: &mut Effects) {
        let before = self.learner.chosen_below();
        while let Some((slot, value)) = self.learner.release(&mut self.probe) {
            while self.librarian.end() < slot {
                self.librarian
                    .push(self.librarian.end(), Value::noop(), &mut self.probe);
            }
            self.apply(now, slot, &value, fx);
            self.librarian.push(slot, value, &mut self.probe);
        }
        let below = self.learner.chosen_below();
        let held = [self.executor.applied_below(), self.librarian.end()];
        contract!(
            self.probe,
            AppliedIsWhatIsChosen,
            held == [below; 2],
            "{below} slots are chosen, and {held:?} applied and shelved"
        );
        if below > before {
            self.acceptor.forget_below(below, &mut self.probe);
            self.pump(now, fx);
        }
        self.serve_reads(fx);
    }

    pub(super) fn apply(&mut self, now: Mono, slot: Slot, value: &Value, fx: &mut Effects) {
        self.executor.enter(slot, now, &mut self.probe);
        if value.is_noop()
            && self
                .probe
                .flip(Bug::NoopConsumesReply, false, !self.desk.is_empty())
        {
            self.answer_oldest(slot, fx);
        }
        // A batch that does not decode was never proposed by an honest leader; it means the same to
        // everybody: nothing.
        let batch = (0..=u16::MAX).zip(commands(value).map_while(Result::ok));
        let turned = self.executor.is_salted();
        if self.probe.flip(Bug::HashOrderLeaks, false, turned) {
            let batch: Vec<_> = batch.collect();
            for (index, command) in batch.into_iter().rev() {
                self.execute(Place { slot, index }, command, fx);
            }
        } else {
            for (index, command) in batch {
                self.execute(Place { slot, index }, command, fx);
            }
        }
        let executor = &self.executor;
        self.probe.fact(|| Fact::Applied {
            slot,
            value: value.clone(),
            state: executor.digest(),
        });
    }

    fn execute(&mut self, place: Place, command: Command<'_>, fx: &mut Effects) {
        let (id, outcome) = self.executor.apply(place, command, &mut self.probe);
        self.answer(id, outcome, fx);
    }

    /// Proposes batches while the window has room.
    pub(super) fn pump(&mut self, now: Mono, fx: &mut Effects) {
        while let Some((slot, value)) = self.proposer.batch(now, &mut self.probe) {
            self.propose(now, slot, value, fx);
        }
    }

    /// Sends again what has been on its way for too long, to those who have not voted.
    pub(super) fn retransmit(&mut self, now: Mono, fx: &mut Effects) {
        let Some(ballot) = self.elector.leads() else {
            return;
        };
        let chosen_below = self.learner.chosen_below();
        for (slot, value) in self.proposer.overdue(now, &mut self.probe) {
            let voters = self.learner.voters(slot);
            let laggards = self.config.peers().filter(|peer| !voters.contains(*peer));
            for (nth, peer) in laggards.enumerate() {
                if self
                    .probe
                    .flip(Bug::RetransmitToFirstLaggard, false, nth > 0)
                {
                    break;
                }
                fx.sends.push((
                    To::One(peer),
                    Message::Accept {
                        ballot,
                        slot,
                        value: value.clone(),
                        chosen_below,
                    },
                ));
            }
        }
    }
}
