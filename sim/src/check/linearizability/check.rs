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
    /// How many keys each algorithm decided, by the number of its [`Method`].
    pub methods: [usize; 5],
    /// A key on which the log's order breaks real time or does not explain a reply, with the
    /// operations' indices in the history. This is no statement about linearizability.
    pub log: Option<LogBroken>,
    /// Of a history that is not linearizable: whether a search that knows nothing of zones, over the
    /// values in question, found the same.
    pub certified: bool,
}

impl Report {
    /// One key is not linearizable, and that is all that was looked at.
    pub(super) fn refuted(key: u32, method: Method) -> Self {
        let mut report = Self {
            verdict: Verdict::NotLinearizable { key },
            ..Self::empty()
        };
        report.methods[method as usize] = 1;
        report
    }

    /// Nothing was looked at.
    const fn empty() -> Self {
        Self {
            verdict: Verdict::Linearizable,
            methods: [0; 5],
            log: None,
            certified: false,
        }
    }
}

/// The log's order is no linearization of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogBroken {
    /// An index into [`History::keys`].
    pub key: u32,
    /// Why; operations are indices into [`History::operations`].
    pub refuted: Refuted,
}

/// How many steps each key is given at first.
const FIRST_SLICE: u64 = 4_000_000;

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
        let keys = history.operations.iter().map(|operation| operation.key);
        Self::grouped(keys, history.keys.len())
    }

    /// Groups operations by the numbers of their groups.
    pub(super) fn grouped(groups: impl Iterator<Item = u32> + Clone, count: usize) -> Self {
        let mut starts = vec![0usize; count + 1];
        for group in groups.clone() {
            starts[group as usize + 1] += 1;
        }
        for key in 1..starts.len() {
            starts[key] += starts[key - 1];
        }
        let ends = starts[1..].to_vec();
        let mut operations = vec![0; ends.last().copied().unwrap_or(0)];
        for (number, group) in (0u32..).zip(groups) {
            let at = &mut starts[group as usize];
            operations[*at] = number;
            *at += 1;
        }
        Self { operations, ends }
    }

    /// How many groups there are.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.ends.len()).expect("keys have 32-bit numbers")
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

/// Checks a history. The budget is that of all keys together: each is given a little at first, and
/// those that need more are given more once all had their turn.
#[must_use]
pub fn check(history: &History, budget: Budget) -> Report {
    let by_key = ByKey::new(history);
    let placed = history
        .operations
        .iter()
        .any(|operation| operation.place.is_some());
    let place = |number: u32| history.operations[number as usize].place;
    let mut renumber = Renumber::default();
    over_keys(&by_key, budget, |key, given| {
        let partition = by_key.partition(history, key, &mut renumber);
        let mut judged = judge(&partition, placed.then_some(&place), given);
        judged.log = judged
            .log
            .map(|refuted| refuted.map(|at| partition.steps[at as usize].id));
        judged
    })
}

/// Judges the keys in turns under one budget, those with the fewest operations first.
pub(super) fn over_keys(
    by_key: &ByKey,
    budget: Budget,
    mut judge: impl FnMut(u32, Budget) -> Judged,
) -> Report {
    let mut keys: Vec<u32> = (0..by_key.len()).collect();
    keys.sort_by_key(|key| by_key.of(*key).len());
    let mut report = Report::empty();
    let (mut left, mut slice) = (budget.steps, FIRST_SLICE);
    while !keys.is_empty() {
        if keys.len() == 1 {
            slice = left;
        }
        let mut undecided = Vec::new();
        for key in std::mem::take(&mut keys) {
            let given = Budget {
                steps: slice.min(left),
                ..budget
            };
            let judged = judge(key, given);
            let whole = given.steps == left;
            left = left.saturating_sub(judged.steps);
            if let Some(refuted) = judged.log {
                report.log.get_or_insert(LogBroken { key, refuted });
            }
            if judged.steps > 0 && judged.answer == Answer::Unknown(Exhausted::Steps) && !whole {
                undecided.push(key);
                continue;
            }
            report.methods[judged.method as usize] += 1;
            match judged.answer {
                Answer::Linearizable => {}
                Answer::NotLinearizable(_) => {
                    report.verdict = Verdict::NotLinearizable { key };
                    report.certified = judged.certified;
                    return report;
                }
                Answer::Unknown(reason) => report.verdict = Verdict::Unknown { key, reason },
            }
        }
        keys = undecided;
        slice = slice.saturating_mul(8);
    }
    report
}
