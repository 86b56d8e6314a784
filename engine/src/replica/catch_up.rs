//! The catching up of those who missed what was chosen.

use super::Replica;
use crate::bugs::Bug;
use crate::command::Value;
use crate::contract;
use crate::effects::{Effects, To};
use crate::ids::{NodeId, Slot};
use crate::message::Message;
use crate::probe::Probe;
use crate::state_machine::StateMachine;
use crate::time::Mono;

impl<M: StateMachine, P: Probe> Replica<M, P> {
    /// Asks for chosen values that this node lacks.
    pub(super) fn fetch(&mut self, now: Mono, fx: &mut Effects) {
        let from = self.learner.chosen_below();
        if let Some(source) = self
            .librarian
            .ask(from, now, self.config.peers(), &mut self.probe)
        {
            fx.sends.push((To::One(source), Message::CatchUp { from }));
        }
    }

    pub(super) fn on_catch_up(&mut self, from: NodeId, slot: Slot, fx: &mut Effects) {
        let mut values = self.librarian.page(slot, self.config.message_bytes);
        let end = Slot(slot.0 + values.len() as u64);
        let undecided = end == self.librarian.end() && self.acceptor.vote(end).is_some();
        if self
            .probe
            .flip(Bug::RepairFromUndecidedCopy, false, undecided)
        {
            let votes = (end.0..).map_while(|slot| self.acceptor.vote(Slot(slot)));
            values.extend(votes.map(|cast| cast.value.clone()));
        }
        contract!(
            self.probe,
            PagesAreBounded,
            values.len() <= 1 || bytes_of(&values) <= u64::from(self.config.message_bytes),
            "{} values of {} bytes make a page",
            values.len(),
            bytes_of(&values)
        );
        if !values.is_empty() {
            fx.sends.push((
                To::One(from),
                Message::CatchUpReply {
                    from: slot,
                    values,
                    chosen_below: self.learner.chosen_below(),
                },
            ));
        }
    }

    pub(super) fn on_catch_up_reply(
        &mut self,
        now: Mono,
        from: NodeId,
        first: Slot,
        values: Vec<Value>,
        chosen_below: Slot,
        fx: &mut Effects,
    ) {
        self.librarian.hear_of(chosen_below, from);
        let below = self.learner.chosen_below();
        let late = first < below && below.since(first) < values.len() as u64;
        let shifts = self.probe.flip(Bug::LateCatchUpReplyShifted, false, late);
        let mut slot = if shifts { below } else { first };
        for value in values {
            self.learn(now, slot, value, fx);
            slot = slot.next();
        }
        if first <= self.learner.chosen_below() {
            self.librarian.answered();
        }
        self.advance(now, fx);
        self.fetch(now, fx);
    }
}

fn bytes_of(values: &[Value]) -> u64 {
    values.iter().map(|value| value.0.len() as u64).sum()
}
