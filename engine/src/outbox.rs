//! What must wait for a durable record, and nothing else does.
//!
//! A promise leaves when the promise is durable; a vote is answered when its record is; a vote at a
//! ballot above the durable promise is not even cast before the promise is.

use std::collections::VecDeque;

use crate::command::Value;
use crate::contract;
use crate::ids::{Ballot, Lsn, NodeId, Slot};
use crate::message::Message;
use crate::probe::Probe;

/// What waits for a durable promise.
#[derive(Clone, Hash, Debug)]
pub enum AfterPromise {
    /// Send the promise to the candidate.
    Promise(NodeId, Message),
    /// This node's own campaign may ask its peers.
    Campaign,
    /// Consider this accept again.
    Accept {
        /// The proposer.
        from: NodeId,
        /// The slot.
        slot: Slot,
        /// The value.
        value: Value,
    },
}

impl AfterPromise {
    /// Whether `other` is the same thing, come again.
    fn is_again(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Campaign, Self::Campaign) => true,
            (Self::Promise(to, _), Self::Promise(other, _)) => to == other,
            (Self::Accept { slot, .. }, Self::Accept { slot: other, .. }) => slot == other,
            _ => false,
        }
    }
}

/// A vote whose record is on its way to the disk.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ack {
    /// Who proposed.
    pub to: NodeId,
    /// At which ballot.
    pub ballot: Ballot,
    /// In which slot.
    pub slot: Slot,
}

/// The one place where answers wait for the disk.
#[derive(Clone, Hash, Debug, Default)]
pub struct Outbox {
    appended: Lsn,
    durable: Lsn,
    promise: Ballot,
    after_promise: VecDeque<(Ballot, AfterPromise)>,
    acks: VecDeque<(Lsn, Ack)>,
}

impl Outbox {
    /// An outbox of a node that came back with this promise.
    #[must_use]
    pub fn new(promise: Ballot) -> Self {
        Self {
            promise,
            ..Self::default()
        }
    }

    /// The number of the record that is appended next.
    pub const fn append(&mut self) -> Lsn {
        self.appended = Lsn(self.appended.0 + 1);
        self.appended
    }

    /// Whether nothing was appended in this boot.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.appended == Lsn(0)
    }

    /// Whether a promise of this ballot, or a higher one, is durable.
    #[must_use]
    pub fn has_promise(&self, ballot: Ballot) -> bool {
        ballot <= self.promise
    }

    /// Whether a record is durable.
    #[must_use]
    pub fn has_record(&self, lsn: Lsn) -> bool {
        lsn <= self.durable
    }

    /// Keeps something until the promise of `ballot` is durable. What comes again takes the place
    /// of what came first.
    pub fn after_promise<P: Probe>(&mut self, ballot: Ballot, what: AfterPromise, probe: &mut P) {
        contract!(
            probe,
            WaitsForWhatIsMissing,
            ballot > self.promise,
            "{ballot} is waited for, and {} is durable",
            self.promise
        );
        contract!(
            probe,
            WhatIsDurableHoldsNobodyUp,
            self.after_promise
                .iter()
                .all(|(held, _)| *held > self.promise),
            "something waits for a promise up to {}, which is durable",
            self.promise
        );
        let place = self
            .after_promise
            .iter_mut()
            .find(|(held, old)| *held == ballot && old.is_again(&what));
        match place {
            Some((_, old)) => *old = what,
            None => self.after_promise.push_back((ballot, what)),
        }
    }

    /// Keeps an acknowledgement until the record is durable.
    pub fn after_record<P: Probe>(&mut self, lsn: Lsn, ack: Ack, probe: &mut P) {
        contract!(
            probe,
            AnswersWaitForTheirRecord,
            lsn == self.appended,
            "an answer waits for record {}, the last is {}",
            lsn.0,
            self.appended.0
        );
        self.acks.push_back((lsn, ack));
    }

    /// Keeps an acknowledgement that may be kept already, because the same accept came again.
    pub fn after_record_again(&mut self, lsn: Lsn, ack: Ack) {
        if !self.acks.contains(&(lsn, ack)) {
            self.acks.push_back((lsn, ack));
        }
    }

    /// A promise became durable: what waited for exactly this ballot may go; what waited for a
    /// lower one is out of date, and dropped.
    pub fn on_promise_durable<P: Probe>(
        &mut self,
        ballot: Ballot,
        probe: &mut P,
    ) -> Vec<AfterPromise> {
        contract!(
            probe,
            DurablePromisesIncrease,
            ballot >= self.promise,
            "{ballot} became durable after {}",
            self.promise
        );
        self.promise = self.promise.max(ballot);
        let mut ready = Vec::new();
        self.after_promise.retain(|(wanted, what)| {
            if *wanted == ballot {
                ready.push(what.clone());
            }
            *wanted > ballot
        });
        ready
    }

    /// Records became durable: takes the acknowledgements that rest on them, in order.
    pub fn on_durable<P: Probe>(&mut self, lsn: Lsn, ready: &mut Vec<Ack>, probe: &mut P) {
        contract!(
            probe,
            DurableWasAppended,
            lsn <= self.appended,
            "record {} is durable, and {} were appended",
            lsn.0,
            self.appended.0
        );
        contract!(
            probe,
            DurabilityMonotonic,
            lsn >= self.durable,
            "record {} became durable after {}",
            lsn.0,
            self.durable.0
        );
        self.durable = self.durable.max(lsn);
        // An ack for a record that was already durable may stand behind one that is not: order is
        // by arrival, not by record.
        let durable = self.durable;
        self.acks.retain(|(wanted, ack)| {
            let held = *wanted > durable;
            if !held {
                ready.push(*ack);
            }
            held
        });
    }

    /// How much waits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.after_promise.len() + self.acks.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Full;

    const LOW: Ballot = Ballot {
        round: 1,
        node: NodeId(0),
    };
    const HIGH: Ballot = Ballot {
        round: 2,
        node: NodeId(0),
    };
    const ACK: Ack = Ack {
        to: NodeId(1),
        ballot: LOW,
        slot: Slot(0),
    };

    #[test]
    #[should_panic(expected = "contract WaitsForWhatIsMissing")]
    fn waiting_for_a_durable_promise_breaks_a_contract() {
        Outbox::new(HIGH).after_promise(LOW, AfterPromise::Campaign, &mut Full::default());
    }

    #[test]
    #[should_panic(expected = "contract WhatIsDurableHoldsNobodyUp")]
    fn waiting_on_when_a_promise_is_durable_breaks_a_contract() {
        let mut outbox = Outbox {
            after_promise: [(LOW, AfterPromise::Campaign)].into(),
            ..Outbox::new(LOW)
        };
        outbox.after_promise(HIGH, AfterPromise::Campaign, &mut Full::default());
    }

    #[test]
    #[should_panic(expected = "contract AnswersWaitForTheirRecord")]
    fn waiting_for_a_record_that_is_not_appended_breaks_a_contract() {
        Outbox::default().after_record(Lsn(1), ACK, &mut Full::default());
    }

    #[test]
    #[should_panic(expected = "contract DurablePromisesIncrease")]
    fn a_durable_promise_that_falls_breaks_its_contract() {
        Outbox::new(HIGH).on_promise_durable(LOW, &mut Full::default());
    }

    #[test]
    #[should_panic(expected = "contract DurableWasAppended")]
    fn durability_of_nothing_breaks_a_contract() {
        Outbox::default().on_durable(Lsn(1), &mut Vec::new(), &mut Full::default());
    }

    #[test]
    #[should_panic(expected = "contract DurabilityMonotonic")]
    fn durability_that_falls_breaks_its_contract() {
        let (mut outbox, mut probe) = (Outbox::default(), Full::default());
        outbox.append();
        outbox.append();
        for lsn in [2, 1] {
            outbox.on_durable(Lsn(lsn), &mut Vec::new(), &mut probe);
        }
    }
}
