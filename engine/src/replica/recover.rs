//! Coming back: from the records of the log to the roles' state.

use std::collections::BTreeMap;

use super::Replica;
use crate::command::Value;
use crate::effects::Effects;
use crate::fact::Fact;
use crate::ids::{Lsn, Slot};
use crate::probe::Probe;
use crate::record::Record;
use crate::recovered::Recovered;
use crate::roles::acceptor::{Acceptor, Cast};
use crate::state_machine::StateMachine;
use crate::time::Mono;

impl<M: StateMachine, P: Probe> Replica<M, P> {
    /// Takes the records in, and applies what they say is chosen.
    pub(super) fn recover(&mut self, recovered: Recovered, now: Mono, fx: &mut Effects) {
        let Recovered { promised, records, torn, .. } = recovered;
        let mut votes: BTreeMap<Slot, Cast> = BTreeMap::new();
        let mut latest: BTreeMap<Slot, Value> = BTreeMap::new();
        let mut learned: BTreeMap<Slot, Value> = BTreeMap::new();
        let mut hint = Slot(0);
        for record in records {
            match record {
                Record::Vote { slot, ballot, value } => {
                    latest.insert(slot, value.clone());
                    votes.insert(slot, Cast { ballot, value, lsn: Lsn(0) });
                }
                Record::Learned { slot, value } => {
                    latest.insert(slot, value.clone());
                    learned.insert(slot, value);
                }
                Record::ChosenBelow { slot } => hint = hint.max(slot),
            }
        }
        self.acceptor = Acceptor::recover(promised, votes);
        self.seen = self.acceptor.promised();
        self.logged_chosen = hint;
        let (promised, chosen_below) = (self.acceptor.promised(), hint);
        self.probe.fact(|| Fact::Recovered { promised, chosen_below, torn });
        for (slot, value) in latest {
            if slot < hint || learned.contains_key(&slot) {
                self.learner.choose(slot, value, &mut self.probe);
            }
        }
        self.advance(now, fx);
    }

    /// Where what phase 1 of the present leadership reported ends.
    pub(super) const fn recovered_end(&self) -> Option<Slot> {
        match self.proposer.phase() {
            crate::roles::proposer::Phase::Leading(lead) => Some(lead.recovered_end),
            _ => None,
        }
    }
}
