//! A placeholder with the replica's signatures: a cluster of one that logs each command and answers once it is durable.

use std::collections::VecDeque;

use crate::codec::command::{BatchBuilder, commands};
use crate::command::Command;
use crate::config::Config;
use crate::effects::{Effects, To};
use crate::ids::{Ballot, ClientAddr, Lsn, NodeId, Place, SessionId, Slot};
use crate::message::{Message, Outcome, Reply, Request, RequestId};
use crate::probe::Probe;
use crate::record::Record;
use crate::recovered::Recovered;
use crate::state_machine::StateMachine;
use crate::time::{Mono, Now};

/// The placeholder.
#[derive(Clone, Debug)]
pub struct Replica<M: StateMachine, P: Probe> {
    machine: M,
    probe: P,
    next: Slot,
    lsn: Lsn,
    waiting: VecDeque<(Lsn, ClientAddr, Reply)>,
    promising: Vec<(NodeId, Ballot)>,
}

impl<M: StateMachine, P: Probe> Replica<M, P> {
    /// Applies what was recovered.
    pub fn new(_: Config, _: [u8; 32], recovered: Recovered, mut machine: M, probe: P, _: Now, _: &mut Effects) -> Self {
        let mut next = Slot(0);
        for record in recovered.records {
            if let Record::Vote { slot, value, .. } = record {
                next = slot.next();
                for command in commands(&value) {
                    if let Ok(Command::Apply { operation, .. }) = command {
                        machine.apply(operation, &mut Vec::new());
                    }
                }
            }
        }
        Self { machine, probe, next, lsn: Lsn(0), waiting: VecDeque::new(), promising: Vec::new() }
    }

    /// Answers prepares.
    pub fn on_message(&mut self, _: Now, from: NodeId, message: Message, fx: &mut Effects) {
        if let Message::Prepare { ballot, .. } = message {
            self.promising.push((from, ballot));
            fx.promise = Some(ballot);
        }
    }

    /// Logs commands.
    pub fn on_request(&mut self, _: Now, from: ClientAddr, request: Request, fx: &mut Effects) {
        let mut batch = BatchBuilder::new();
        let place = Place { slot: self.next, index: 0 };
        let reply = match request {
            Request::Register { nonce } => {
                batch.push_register(nonce);
                Reply { to: RequestId::Nonce(nonce), outcome: Outcome::Registered(SessionId::at(place)) }
            }
            Request::Apply { session, sequence, answered_below, operation } => {
                batch.push_apply(session, sequence, answered_below, &operation);
                let mut result = Vec::new();
                self.machine.apply(&operation, &mut result);
                Reply { to: RequestId::Numbered(session, sequence), outcome: Outcome::Done { place, result: result.into() } }
            }
            Request::Read { .. } => return,
        };
        fx.records.push(Record::Vote { slot: self.next, ballot: Ballot::ZERO, value: batch.finish() });
        self.next = self.next.next();
        self.lsn.0 += 1;
        self.waiting.push_back((self.lsn, from, reply));
    }

    /// Does nothing.
    pub fn on_deadline(&mut self, _: Now, _: &mut Effects) {}

    /// Answers what is durable.
    pub fn on_durable(&mut self, _: Now, lsn: Lsn, fx: &mut Effects) {
        while self.waiting.front().is_some_and(|(needs, ..)| *needs <= lsn) {
            fx.replies.extend(self.waiting.pop_front().map(|(_, to, reply)| (to, reply)));
        }
    }

    /// Answers what is promised.
    pub fn on_promise_durable(&mut self, _: Now, promised: Ballot, fx: &mut Effects) {
        for (to, ballot) in self.promising.drain(..).filter(|(_, ballot)| *ballot <= promised) {
            let promise = Message::Promise { ballot, from: Slot(0), votes: Vec::new(), next: None, chosen_below: Slot(0) };
            fx.sends.push((To::One(to), promise));
        }
    }

    /// Never.
    pub fn deadline(&self) -> Option<Mono> {
        None
    }

    /// The probe.
    pub fn probe(&self) -> &P {
        &self.probe
    }

    /// The probe.
    pub fn probe_mut(&mut self) -> &mut P {
        &mut self.probe
    }
}
