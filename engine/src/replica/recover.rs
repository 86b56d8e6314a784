//! Coming back: from the records of the log to the roles' state.

use super::Replica;
use crate::bugs::Bug;
use crate::command::Value;
use crate::effects::Effects;
use crate::fact::Fact;
use crate::ids::{Ballot, Lsn, Slot};
use crate::probe::Probe;
use crate::record::Record;
use crate::recovered::Recovered;
use crate::roles::acceptor::{Acceptor, Cast};
use crate::sorted::Sorted;
use crate::state_machine::StateMachine;
use crate::time::Mono;

impl<M: StateMachine, P: Probe> Replica<M, P> {
    /// Takes the records in, and applies what they say is chosen.
    pub(super) fn recover(&mut self, recovered: Recovered, now: Mono, fx: &mut Effects) {
        let Recovered {
            promised,
            records,
            torn,
            ..
        } = recovered;
        let hint = records
            .iter()
            .filter_map(|record| {
                if let Record::ChosenBelow { slot } = record {
                    Some(*slot)
                } else {
                    None
                }
            })
            .max()
            .unwrap_or_default();
        // Below the hint the latest record of each slot has the chosen value; beyond it only what
        // was learned is known to be chosen.
        let mut prefix: Vec<Option<Value>> = Vec::new();
        let mut votes: Sorted<Slot, Cast> = Sorted::new();
        let mut learned: Sorted<Slot, Value> = Sorted::new();
        for record in records {
            match record {
                Record::Vote { slot, value, .. } | Record::Learned { slot, value }
                    if slot < hint =>
                {
                    shelve(&mut prefix, slot, value, &mut self.probe)
                }
                Record::Vote {
                    slot,
                    ballot,
                    value,
                } => {
                    votes.insert(
                        slot,
                        Cast {
                            ballot,
                            value,
                            lsn: Lsn(0),
                        },
                    );
                }
                Record::Learned { slot, value } => {
                    learned.insert(slot, value);
                }
                Record::ChosenBelow { .. } => {}
            }
        }
        let promised = self.acceptor_comes_back(promised, votes);
        self.logged_chosen = hint;
        self.probe.fact(|| Fact::Recovered {
            promised,
            chosen_below: hint,
            torn,
        });
        let mut slot = Slot(0);
        for value in prefix.into_iter().map_while(|value| value) {
            self.probe.fact(|| Fact::Chosen {
                slot,
                value: value.clone(),
            });
            self.apply(now, slot, &value, fx);
            self.librarian.push(slot, value, &mut self.probe);
            slot = slot.next();
        }
        self.learner.resume(slot, &mut self.probe);
        while let Some((slot, value)) = learned.pop_first() {
            self.learner.choose(slot, value, &mut self.probe);
        }
        self.advance(now, fx);
    }

    fn acceptor_comes_back(&mut self, promised: Ballot, votes: Sorted<Slot, Cast>) -> Ballot {
        self.acceptor = Acceptor::recover(promised, votes);
        self.seen = self.acceptor.promised();
        self.seen
    }

    /// Where what phase 1 of the present leadership reported ends.
    pub(super) const fn recovered_end(&self) -> Option<Slot> {
        match self.proposer.phase() {
            crate::roles::proposer::Phase::Leading(lead) => Some(lead.recovered_end),
            _ => None,
        }
    }
}

fn shelve<P: Probe>(prefix: &mut Vec<Option<Value>>, slot: Slot, value: Value, probe: &mut P) {
    let Ok(index) = usize::try_from(slot.0) else {
        return;
    };
    if prefix.len() <= index {
        prefix.resize(index + 1, None);
    }
    let differs = prefix[index].as_ref().is_some_and(|old| *old != value);
    if !probe.flip(Bug::ReplayKeepsFirstRecord, false, differs) {
        prefix[index] = Some(value);
    }
}
