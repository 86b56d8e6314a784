//! Histories of any object, for a specification of a user's own.
//!
//! If every operation touches one part of the state only, the parts are checked apart, the one with
//! the fewest operations first; otherwise the history is checked whole. The built-in register has
//! faster ways: see `check`.

use std::collections::BTreeMap;

use crate::check::linearizability::budget::{Budget, Exhausted};
use crate::check::linearizability::check::Verdict;
use crate::check::linearizability::machine::Interned;
use crate::check::linearizability::partition::{Partition, Renumber, Timed};
use crate::check::linearizability::search::{Ending, Remember, search};
use crate::history::recorded::{NEVER, What};
use crate::history::spec::Spec;
use crate::history::values::{ABSENT, Values};

/// An operation with its interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval<O> {
    /// When it was called.
    pub call: u64,
    /// When it returned; none if its outcome is unknown.
    pub ret: Option<u64>,
    /// What it was, and what came back.
    pub operation: O,
}

/// What was found out about the history of an object. Operations are indices into it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// It is linearizable, part by part in these orders.
    Linearizable {
        /// The order of each part.
        orders: Vec<Vec<usize>>,
    },
    /// It is not.
    NotLinearizable {
        /// The operation with whose return the shortest prefix of its part ends that is not
        /// linearizable.
        operation: usize,
        /// The longest order found of what came before.
        linearized: Vec<usize>,
    },
    /// The budget did not suffice.
    Unknown(Exhausted),
}

/// Checks the history of an object. The budget is that of each part.
pub fn check_object<S: Spec>(
    spec: &S,
    history: &[Interval<S::Operation>],
    budget: Budget,
) -> Found {
    let mut parts: BTreeMap<Option<&[u8]>, Vec<usize>> = BTreeMap::new();
    let apart = history
        .iter()
        .all(|interval| spec.part(&interval.operation).is_some());
    for (number, interval) in history.iter().enumerate() {
        parts
            .entry(spec.part(&interval.operation).filter(|_| apart))
            .or_default()
            .push(number);
    }
    let mut parts: Vec<Vec<usize>> = parts.into_values().collect();
    parts.sort_by_key(Vec::len);
    let mut orders = Vec::with_capacity(parts.len());
    let mut unknown = None;
    for part in parts {
        match check_part(spec, history, &part, budget) {
            Found::Linearizable { orders: mut order } => orders.append(&mut order),
            Found::Unknown(reason) => unknown = Some(reason),
            found @ Found::NotLinearizable { .. } => return found,
        }
    }
    unknown.map_or(Found::Linearizable { orders }, Found::Unknown)
}

fn check_part<S: Spec>(
    spec: &S,
    history: &[Interval<S::Operation>],
    part: &[usize],
    budget: Budget,
) -> Found {
    let values = Values::default();
    let timed = (0u32..).zip(part).map(|(id, number)| {
        let Interval { call, ret, .. } = history[*number];
        // Only the times are asked for: what the operation does is the machine's affair.
        Timed {
            call,
            ret: ret.unwrap_or(NEVER),
            what: What::Read(ABSENT),
            id,
        }
    });
    let line = Partition::new(timed, ABSENT, &values, &mut Renumber::default());
    let number = |at: u32| part[line.steps[at as usize].id as usize];
    let operations = line
        .steps
        .iter()
        .map(|step| &history[part[step.id as usize]].operation)
        .collect();
    let mut machine = Interned::new(spec, operations);
    let named = |order: Vec<u32>| order.into_iter().map(number).collect();
    match search(
        &mut machine,
        &line.steps,
        &line.events,
        Remember::Order,
        budget,
    ) {
        Ending::Linearizable { order } => Found::Linearizable {
            orders: vec![named(order)],
        },
        Ending::Stuck {
            operation, order, ..
        } => Found::NotLinearizable {
            operation: number(operation),
            linearized: named(order),
        },
        Ending::Exhausted(reason) => Found::Unknown(reason),
    }
}

impl Found {
    /// The same without the orders; the key is that of the only part.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Linearizable { .. } => Verdict::Linearizable,
            Self::NotLinearizable { .. } => Verdict::NotLinearizable { key: 0 },
            Self::Unknown(reason) => Verdict::Unknown {
                key: 0,
                reason: *reason,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::operation::{Action, Call, Return, Text};
    use crate::history::spec::{Effect, KeyValue, Observed};

    /// Accounts by number; a transfer touches two of them, and a glance all.
    struct Bank;

    #[derive(PartialEq, Clone)]
    enum Banking {
        /// From, to, how much, and whether there was enough; unknown if nobody said.
        Transfer(usize, usize, u32, Option<bool>),
        Glance([u32; 3]),
    }

    impl Spec for Bank {
        type Operation = Banking;
        type State = [u32; 3];

        fn initial(&self) -> [u32; 3] {
            [10, 0, 0]
        }

        fn step(&self, state: &[u32; 3], operation: &Banking) -> Option<[u32; 3]> {
            match *operation {
                Banking::Glance(seen) => (seen == *state).then_some(seen),
                Banking::Transfer(from, to, amount, done) => {
                    let enough = state[from] >= amount;
                    if done.is_some_and(|done| done != enough) {
                        return None;
                    }
                    let mut after = *state;
                    if enough {
                        after[from] -= amount;
                        after[to] += amount;
                    }
                    Some(after)
                }
            }
        }

        fn effect(&self, operation: &Banking) -> Effect {
            if matches!(operation, Banking::Glance(_)) {
                Effect::Read
            } else {
                Effect::Partial
            }
        }
    }

    fn at<O>(call: u64, ret: u64, operation: O) -> Interval<O> {
        Interval {
            call,
            ret: (ret > 0).then_some(ret),
            operation,
        }
    }

    #[test]
    fn operations_on_several_parts_are_checked_whole() {
        use Banking::{Glance, Transfer};
        let mut history = vec![
            at(1, 4, Transfer(0, 1, 6, Some(true))),
            at(2, 5, Transfer(0, 2, 6, Some(false))),
            at(3, 0, Transfer(1, 2, 1, None)),
            at(6, 7, Glance([4, 6, 0])),
            at(8, 9, Glance([4, 5, 1])),
        ];
        let Found::Linearizable { orders } = check_object(&Bank, &history, Budget::default())
        else {
            panic!("it is linearizable")
        };
        assert_eq!(orders, [[0, 1, 3, 2, 4]]);
        history.push(at(10, 11, Glance([4, 6, 0])));
        let found = check_object(&Bank, &history, Budget::default());
        assert_eq!(
            found,
            Found::NotLinearizable {
                operation: 5,
                linearized: vec![0, 1, 3, 2, 4]
            }
        );
        assert_eq!(
            check_object(
                &Bank,
                &history,
                Budget {
                    steps: 3,
                    ..Budget::default()
                }
            ),
            Found::Unknown(Exhausted::Steps)
        );
    }

    #[test]
    fn keys_are_checked_apart() {
        let text = |s: &str| Text::from(s.as_bytes());
        let on = |key: &str, action, reply| Observed {
            call: Call {
                key: text(key),
                action,
            },
            reply,
        };
        let mut history = vec![
            at(1, 2, on("a", Action::Put(text("1")), Some(Return::Done))),
            at(3, 4, on("b", Action::Put(text("2")), Some(Return::Done))),
            at(
                5,
                6,
                on("b", Action::Get, Some(Return::Value(Some(text("2"))))),
            ),
        ];
        let Found::Linearizable { orders } = check_object(&KeyValue, &history, Budget::default())
        else {
            panic!("it is linearizable")
        };
        assert_eq!(orders, [vec![0], vec![1, 2]]);
        history.push(at(
            7,
            8,
            on("a", Action::Get, Some(Return::Value(Some(text("2"))))),
        ));
        assert_eq!(
            check_object(&KeyValue, &history, Budget::default()).verdict(),
            Verdict::NotLinearizable { key: 0 }
        );
    }
}
