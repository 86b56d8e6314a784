//! Clients: what a request leads to, and when it is answered.

use synod_port::files::Bytes;

use super::Replica;
use super::desk::Read;
use crate::bugs::Bug;
use crate::contract;
use crate::effects::Effects;
use crate::ids::{ClientAddr, NodeId, Place, Slot};
use crate::message::{Outcome, Reply, Request, RequestId};
use crate::probe::Probe;
use crate::roles::proposer::Queued;
use crate::state_machine::StateMachine;
use crate::time::Mono;

impl<M: StateMachine, P: Probe> Replica<M, P> {
    pub(super) fn serve(
        &mut self,
        now: Mono,
        from: ClientAddr,
        request: Request,
        fx: &mut Effects,
    ) {
        let (id, operation) = match request {
            Request::Register { nonce } => (RequestId::Nonce(nonce), None),
            Request::Read { nonce, operation } => {
                return self.serve_read(now, from, RequestId::Nonce(nonce), operation, fx);
            }
            Request::Apply {
                session,
                sequence,
                answered_below,
                operation,
            } => {
                let id = RequestId::Numbered(session, sequence);
                if let Some(outcome) = self.executor.answered(
                    session,
                    sequence,
                    self.recovered_end().unwrap_or_default(),
                    &mut self.probe,
                ) {
                    fx.replies.push((from, Reply { to: id, outcome }));
                    return;
                }
                (id, Some((answered_below, operation)))
            }
        };
        let Some(ballot) = self.elector.leads() else {
            return self.refuse(from, id, fx);
        };
        let command = Queued {
            from,
            id,
            operation,
            since: now,
        };
        if self.proposer.too_large(&command) {
            fx.replies.push((
                from,
                Reply {
                    to: id,
                    outcome: Outcome::TooLarge,
                },
            ));
            return;
        }
        let taken = self.desk.wait(id, from, ballot);
        let under_way = taken == Some(ballot);
        if self
            .probe
            .flip(Bug::RetryThoughtUnderWay, under_way, taken.is_some())
        {
            return;
        }
        if let Err(command) = self.proposer.enqueue(command) {
            if self.probe.flip(Bug::BusyRequestStaysOnDesk, true, false) {
                self.desk.forget(command.id);
            }
            return busy(from, command.id, fx);
        }
        self.pump(now, fx);
    }

    /// A read sees everything that was chosen before it came, and is answered once a round that
    /// began after it came confirms that nobody else led meanwhile (Raft thesis 6.4). What phase 1
    /// reported counts as chosen before.
    fn serve_read(
        &mut self,
        now: Mono,
        from: ClientAddr,
        id: RequestId,
        operation: Bytes,
        fx: &mut Effects,
    ) {
        let (Some(_), Some(recovered_end)) = (self.elector.leads(), self.recovered_end()) else {
            return self.refuse(from, id, fx);
        };
        if self.reads.queue.len() >= self.config.queue {
            return busy(from, id, fx);
        }
        let known = self.learner.chosen_below();
        let early = self
            .probe
            .flip(Bug::ReadBeforeRecoveryCommits, false, known < recovered_end);
        let below = if early {
            known
        } else {
            known.max(recovered_end)
        };
        contract!(
            self.probe,
            ReadIndexCoversRecovery,
            below >= recovered_end,
            "a read below {below}, and phase 1 reported up to {recovered_end}"
        );
        let idle = self.reads.confirmed == self.reads.round;
        let earlier = self.probe.flip(Bug::ReadIndexAfterConfirm, false, !idle);
        let fresh = self.elector.hears_quorum(now);
        let leased = self.probe.flip(Bug::ReadLeaseFromAckReceipt, false, fresh);
        let round = if leased {
            self.reads.confirmed
        } else {
            self.reads.round + u64::from(!earlier)
        };
        self.reads.queue.push_back(Read {
            from,
            id,
            operation,
            below,
            round,
        });
        if idle && !leased {
            self.heartbeat(now, fx);
        }
        self.serve_reads(fx);
    }

    /// A node answered a confirmation round.
    pub(super) fn confirm(&mut self, node: NodeId, round: u64, fx: &mut Effects) {
        let current = self.reads.round;
        let other = self.probe.flip(
            Bug::ReadConfirmedByLateAnswer,
            round != current,
            round > current,
        );
        if other || current == self.reads.confirmed {
            return;
        }
        let again = !self.reads.answers.insert(node) && node != self.config.node;
        let twice = self
            .probe
            .flip(Bug::ReadConfirmedByOnePeerTwice, false, again);
        if self.reads.answers.len() + usize::from(twice) < self.config.quorum() {
            return;
        }
        let round = current;
        self.reads.confirmed = round;
        self.serve_reads(fx);
        if self.reads.queue.iter().any(|read| read.round > round) {
            // Reads that came during the round need one that begins now. Those that are confirmed,
            // and wait until they may be answered, do not.
            self.heartbeat_at = Mono(0);
        }
    }

    pub(super) fn serve_reads(&mut self, fx: &mut Effects) {
        let below = self.executor.applied_below();
        while let Some(read) = self.reads.queue.front() {
            let applied = self
                .probe
                .flip(Bug::ReadIgnoresApplyLag, below >= read.below, true);
            if read.round > self.reads.confirmed || !applied {
                return;
            }
            let Some(read) = self.reads.queue.pop_front() else {
                return;
            };
            contract!(
                self.probe,
                ReadSeesItsIndex,
                below >= read.below,
                "a read below {} is answered below {below}",
                read.below
            );
            let result = self.executor.read(&read.operation);
            fx.replies.push((
                read.from,
                Reply {
                    to: read.id,
                    outcome: Outcome::Read { below, result },
                },
            ));
        }
    }

    pub(super) fn answer(&mut self, id: RequestId, outcome: Outcome, fx: &mut Effects) {
        if let Outcome::Done { place, .. } = &outcome {
            let below = self.executor.applied_below();
            contract!(
                self.probe,
                ReplySentIsAllowed,
                place.slot < below,
                "a reply of slot {}, and the next to apply is {below}",
                place.slot
            );
        }
        if let Some((from, _)) = self.desk.waiting.remove(&id) {
            fx.replies.push((from, Reply { to: id, outcome }));
        }
    }

    /// Answers whoever waits longest, which only a mutant does.
    pub(super) fn answer_oldest(&mut self, slot: Slot, fx: &mut Effects) {
        if let Some((id, (from, _))) = self.desk.waiting.pop_first() {
            let outcome = Outcome::Done {
                place: Place { slot, index: 0 },
                result: [1].into(),
            };
            fx.replies.push((from, Reply { to: id, outcome }));
        }
    }

    pub(super) fn refuse(&mut self, from: ClientAddr, id: RequestId, fx: &mut Effects) {
        let hint = self
            .elector
            .leader()
            .filter(|leader| *leader != self.config.node);
        fx.replies.push((
            from,
            Reply {
                to: id,
                outcome: Outcome::NotLeader { hint },
            },
        ));
    }
}

/// Tells a client to come back later.
fn busy(from: ClientAddr, to: RequestId, fx: &mut Effects) {
    let outcome = Outcome::Busy;
    fx.replies.push((from, Reply { to, outcome }));
}
