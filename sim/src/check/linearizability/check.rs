//! A whole history: key by key, the cheapest first, until one is not linearizable.

use crate::check::linearizability::budget::{Budget, Exhausted};
use crate::check::linearizability::chain::{Answer, Judged, Method, judge};
use crate::check::linearizability::partition::{Partition, Renumber, Timed};
use crate::check::linearizability::witness::Refuted;
use crate::history::recorded::{History, NEVER, Outcome};

/// The answer for a history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Every key is linearizable.
    Linearizable,
    /// This key is not.
    NotLinearizable {
        /// An index into [`History::keys`].
        key: u32,
    },
    /// No key is known not to be, but this one took more than the budget.
    Unknown {
        /// An index into [`History::keys`].
        key: u32,
        /// What was used up.
        reason: Exhausted,
    },
}

/// What was found out about a history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The answer.
    pub verdict: Verdict,
    /// How many keys each algorithm decided: witness, zones, breadth-first and
    /// depth-first search.
    pub methods: [usize; 4],
    /// A key on which the log's order breaks real time or does not explain a reply, with the
    /// operations' indices in the history. This is no statement about linearizability.
    pub log: Option<LogBroken>,
}

/// The log's order is no linearization of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogBroken {
    /// An index into [`History::keys`].
    pub key: u32,
    /// Why; operations are indices into [`History::operations`].
    pub refuted: Refuted,
}

/// The operations of a history by key.
pub struct ByKey {
    /// Indices of operations, key after key.
    operations: Vec<u32>,
    /// Where each key's operations end.
    ends: Vec<usize>,
}

impl ByKey {
    /// Groups the operations of a history.
    #[must_use]
    pub fn new(history: &History) -> Self {
        let mut starts = vec![0usize; history.keys.len() + 1];
        for operation in &history.operations {
            starts[operation.key as usize + 1] += 1;
        }
        for key in 1..starts.len() {
            starts[key] += starts[key - 1];
        }
        let ends = starts[1..].to_vec();
        let mut operations = vec![0; history.operations.len()];
        for (number, operation) in (0u32..).zip(&history.operations) {
            let at = &mut starts[operation.key as usize];
            operations[*at] = number;
            *at += 1;
        }
        Self { operations, ends }
    }

    /// The indices of the operations on a key.
    #[must_use]
    pub fn of(&self, key: u32) -> &[u32] {
        let key = key as usize;
        let start = if key == 0 { 0 } else { self.ends[key - 1] };
        &self.operations[start..self.ends[key]]
    }

    /// A key's operations on a line.
    pub fn partition<'h>(
        &self,
        history: &'h History,
        key: u32,
        renumber: &mut Renumber,
    ) -> Partition<'h> {
        Partition::new(
            self.timed(history, key),
            history.initial,
            &history.values,
            renumber,
        )
    }

    /// A key's operations, as far as they say or do something.
    pub fn timed(&self, history: &History, key: u32) -> impl Iterator<Item = Timed> + Clone {
        self.of(key).iter().filter_map(|number| {
            let operation = &history.operations[*number as usize];
            let ret = if operation.outcome == Outcome::Unknown {
                NEVER
            } else {
                operation.ret
            };
            operation.what().map(|what| Timed {
                call: operation.call,
                ret,
                what,
                id: *number,
            })
        })
    }
}

/// Checks a history. The budget is that of each key.
#[must_use]
pub fn check(history: &History, budget: Budget) -> Report {
    check_with(history, budget, |_, _, _| None)
}

/// Checks a history of which some keys are judged in another way.
pub(super) fn check_with(
    history: &History,
    budget: Budget,
    mut other: impl FnMut(u32, &ByKey, &mut Renumber) -> Option<Answer>,
) -> Report {
    let by_key = ByKey::new(history);
    let mut keys: Vec<u32> =
        (0..u32::try_from(history.keys.len()).expect("keys have 32-bit numbers")).collect();
    keys.sort_by_key(|key| by_key.of(*key).len());
    let placed = history
        .operations
        .iter()
        .any(|operation| operation.place.is_some());
    let place = |number: u32| history.operations[number as usize].place;
    let mut renumber = Renumber::default();
    let mut report = Report {
        verdict: Verdict::Linearizable,
        methods: [0; 4],
        log: None,
    };
    for key in keys {
        let otherwise = other(key, &by_key, &mut renumber);
        let partition = by_key.partition(history, key, &mut renumber);
        let Judged {
            answer,
            method,
            log,
            ..
        } = match otherwise {
            Some(answer) => Judged {
                answer,
                method: Method::Search,
                log: None,
                steps: 0,
            },
            None => judge(&partition, placed.then_some(&place), budget),
        };
        report.methods[match method {
            Method::Witness => 0,
            Method::Zones => 1,
            Method::Search => 2,
            Method::Depth => 3,
        }] += 1;
        if let Some(refuted) = log {
            let id = |at: u32| partition.steps[at as usize].id;
            let refuted = match refuted {
                Refuted::Missing { operation } => Refuted::Missing {
                    operation: id(operation),
                },
                Refuted::Reply { operation } => Refuted::Reply {
                    operation: id(operation),
                },
                Refuted::RealTime { earlier, later } => Refuted::RealTime {
                    earlier: id(earlier),
                    later: id(later),
                },
            };
            report.log.get_or_insert(LogBroken { key, refuted });
        }
        match answer {
            Answer::Linearizable => {}
            Answer::NotLinearizable(_) => {
                report.verdict = Verdict::NotLinearizable { key };
                break;
            }
            Answer::Unknown(reason) => report.verdict = Verdict::Unknown { key, reason },
        }
    }
    report
}
