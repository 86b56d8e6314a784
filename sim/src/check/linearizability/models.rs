//! Histories of sets, queues and registers of transactions, taken apart as far as each allows.
//!
//! What is apart can be judged apart (Herlihy and Wing's locality): a set that is never read as a
//! whole is an object for each value, and registers fall into groups that no transaction connects.
//! Each part is decided by its unique values where they decide, and by both searches where not. Before
//! all that, what came back is held against what anybody can have made.

use std::collections::BTreeMap;

use crate::check::linearizability::answer::{Explanation, Stuck, explain, shortest, stuck};
use crate::check::linearizability::budget::Budget;
use crate::check::linearizability::chain::{Answer, Judged, Method, searched};
use crate::check::linearizability::check::{ByKey, Report, Verdict, check, over_keys};
use crate::check::linearizability::contradiction::Contradiction;
use crate::check::linearizability::machine::Interned;
use crate::check::linearizability::partition::{Partition, Renumber, Timed};
use crate::check::linearizability::search::{Ending, Remember, search};
use crate::check::linearizability::unmade::{Use, unmade};
use crate::check::linearizability::{queue_order, set_order};
use crate::history::input::Model;
use crate::history::multi_register::{Access, MultiRegister, accesses};
use crate::history::queue::{Queue, QueueOperation};
use crate::history::recorded::{Asked, History, NEVER, Outcome, Recorded, What};
use crate::history::set::{Set, SetOperation};
use crate::history::spec::{Effect, Spec};
use crate::history::values::{ABSENT, Val};

/// Checks a history of a model, and explains why if it is not linearizable.
#[must_use]
pub fn check_model(
    history: &History,
    model: Model,
    budget: Budget,
) -> (Report, Option<Explanation>) {
    match model {
        Model::Register | Model::KeyValue | Model::Mutex => {
            let report = check(history, budget);
            let why = match report.verdict {
                Verdict::NotLinearizable { key } => explain(history, key, budget),
                _ => None,
            };
            (report, why)
        }
        Model::Set => check_object(&Set, history, budget),
        Model::Queue => check_object(&Queue, history, budget),
        Model::MultiRegister => {
            let initial = history.initial;
            check_object(&MultiRegister { initial }, history, budget)
        }
    }
}

/// An object whose histories can be checked.
trait Object: Spec {
    /// What an operation says and does; none if that is nothing.
    fn observed(&self, history: &History, operation: &Recorded) -> Option<Self::Operation>;

    /// What an operation has to do with which values.
    fn uses(&self, operation: &Self::Operation, uses: &mut Vec<Use>);

    /// By operation: the number of the part that it belongs to, without gaps.
    fn parts(&self, history: &History) -> Vec<u32> {
        history
            .operations
            .iter()
            .map(|operation| operation.key)
            .collect()
    }

    /// Whether a part has an order, where its unique values tell.
    fn decide(&self, part: &Partition<'_>, operations: &[&Self::Operation]) -> Option<bool>;
}

impl Object for Queue {
    fn observed(&self, _history: &History, operation: &Recorded) -> Option<QueueOperation> {
        QueueOperation::of(operation)
    }

    fn uses(&self, operation: &QueueOperation, uses: &mut Vec<Use>) {
        match *operation {
            QueueOperation::Enqueue(value) => uses.push(Use::Makes(ABSENT, value)),
            QueueOperation::Dequeue(value) => uses.push(Use::Takes(ABSENT, value)),
            QueueOperation::Empty | QueueOperation::Take => {}
        }
    }

    fn decide(&self, part: &Partition<'_>, operations: &[&QueueOperation]) -> Option<bool> {
        queue_order::decide(&part.steps, operations, part.events.len())
    }
}

impl Object for Set {
    fn observed(&self, history: &History, operation: &Recorded) -> Option<SetOperation> {
        SetOperation::of(operation, &history.values)
    }

    fn uses(&self, operation: &SetOperation, uses: &mut Vec<Use>) {
        match operation {
            SetOperation::Read(members) => {
                uses.extend(members.iter().map(|value| Use::Finds(ABSENT, *value)));
            }
            SetOperation::Has(value, true) | SetOperation::Take(value) => {
                uses.push(Use::Finds(ABSENT, *value));
            }
            SetOperation::Add(value) | SetOperation::Insert(value) => {
                uses.push(Use::Makes(ABSENT, *value));
            }
            SetOperation::Has(_, false) | SetOperation::Remove(_) => {}
        }
    }

    fn parts(&self, history: &History) -> Vec<u32> {
        let mut whole = vec![false; history.keys.len()];
        for operation in &history.operations {
            let says = !matches!(operation.outcome, Outcome::Fail | Outcome::Unknown);
            whole[operation.key as usize] |= operation.asked == Asked::Read && says;
        }
        let mut numbers = Numbers::default();
        let part = |operation: &Recorded| {
            let value = match operation.asked {
                Asked::Add(value) | Asked::Remove(value) | Asked::Contains(value) => value,
                _ => ABSENT,
            };
            let apart = !whole[operation.key as usize];
            numbers.of((operation.key, if apart { value } else { ABSENT }))
        };
        history.operations.iter().map(part).collect()
    }

    fn decide(&self, part: &Partition<'_>, operations: &[&SetOperation]) -> Option<bool> {
        set_order::decide(&part.steps, operations)
    }
}

impl Object for MultiRegister {
    fn observed(&self, history: &History, operation: &Recorded) -> Option<Vec<Access>> {
        accesses(operation, &history.values)
    }

    fn uses(&self, operation: &Vec<Access>, uses: &mut Vec<Use>) {
        // What it knows of the registers by itself, the latest last.
        let mut known: Vec<(Val, Val)> = Vec::new();
        for access in operation {
            let key = access.key();
            let own = known.iter().rfind(|(other, _)| *other == key);
            match (*access, own) {
                (Access::Write(_, value), _) => {
                    uses.push(Use::Makes(key, value));
                    known.push((key, value));
                }
                (Access::Read(_, value), Some((_, own))) if *own != value => {
                    uses.push(Use::Denies(key, value));
                }
                (Access::Read(..), Some(_)) => {}
                (Access::Read(_, value), None) => {
                    if value != self.initial {
                        uses.push(Use::Finds(key, value));
                    }
                    known.push((key, value));
                }
            }
        }
    }

    fn parts(&self, history: &History) -> Vec<u32> {
        // Which registers are connected: each knows another of its group, or itself.
        let mut others: Vec<usize> = (0..history.values.len()).collect();
        let root = |others: &mut Vec<usize>, mut at: usize| {
            while others[at] != at {
                others[at] = others[others[at]];
                at = others[at];
            }
            at
        };
        let mut firsts = Vec::with_capacity(history.operations.len());
        for operation in &history.operations {
            let keys = accesses(operation, &history.values).unwrap_or_default();
            let first = keys.first().map_or(0, |access| access.key().0 as usize);
            for access in keys {
                let (one, other) = (
                    root(&mut others, first),
                    root(&mut others, access.key().0 as usize),
                );
                others[one] = other;
            }
            firsts.push(first);
        }
        let mut numbers = Numbers::default();
        firsts
            .into_iter()
            .map(|first| numbers.of(root(&mut others, first)))
            .collect()
    }

    fn decide(&self, _part: &Partition<'_>, _operations: &[&Vec<Access>]) -> Option<bool> {
        None
    }
}

/// Numbers without gaps, in the order in which they are asked for.
struct Numbers<T>(BTreeMap<T, u32>);

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Ord> Numbers<T> {
    fn of(&mut self, name: T) -> u32 {
        let next = u32::try_from(self.0.len()).expect("no more parts than operations");
        *self.0.entry(name).or_insert(next)
    }
}

/// A part of a history: its operations on a line, and what they are.
struct Part<'a, S: Spec> {
    line: Partition<'a>,
    operations: Vec<S::Operation>,
}

impl<'a, S: Object> Part<'a, S> {
    fn new(object: &S, history: &'a History, numbers: &[u32]) -> Self {
        let observed = |number: u32| object.observed(history, &history.operations[number as usize]);
        // Only the times are asked for, and whether anything is changed.
        let timed = numbers.iter().filter_map(|number| {
            let operation = &history.operations[*number as usize];
            observed(*number).map(|observed| Timed {
                call: operation.call,
                ret: if operation.outcome == Outcome::Unknown {
                    NEVER
                } else {
                    operation.ret
                },
                what: match object.effect(&observed) {
                    Effect::Read => What::Read(ABSENT),
                    _ => What::Write(ABSENT),
                },
                id: *number,
            })
        });
        let line = Partition::new(timed, ABSENT, &history.values, &mut Renumber::default());
        let operations = line
            .steps
            .iter()
            .map(|step| observed(step.id).expect("what says nothing is not on the line"))
            .collect();
        Self { line, operations }
    }

    fn judge(&self, object: &S, budget: Budget) -> Judged {
        match object.decide(&self.line, &self.operations.iter().collect::<Vec<_>>()) {
            Some(linearizable) => Judged {
                answer: if linearizable {
                    Answer::Linearizable
                } else {
                    Answer::NotLinearizable(None)
                },
                method: Method::Unique,
                log: None,
                steps: 0,
                certified: false,
            },
            None => searched(&mut self.machine(object), &self.line, budget),
        }
    }

    /// Why there is no order; `found` is a value of it that nobody made.
    fn explain(
        &self,
        object: &S,
        key: u32,
        found: Option<Contradiction>,
        budget: Budget,
    ) -> Option<Explanation> {
        let stuck = match (self.by_values(object, budget), found) {
            (Some(stuck), _) => stuck,
            (None, Some(found)) => self.up_to(found.operations()[0], object, budget)?,
            (None, None) => stuck(&mut self.machine(object), &self.line, budget).ok()??,
        };
        Some(stuck.explanation(&self.line, key, found))
    }

    /// Where an operation of the history returns that found what nobody made, or before, where the
    /// search shows it at little cost.
    fn up_to(&self, id: u32, object: &S, budget: Budget) -> Option<Stuck> {
        let Partition { steps, events, .. } = &self.line;
        let (operation, step) = (0u32..).zip(steps).find(|(_, step)| step.id == id)?;
        let events = &events[..=step.ret as usize];
        let cheap = cheap(budget);
        let found = search(
            &mut self.machine(object),
            steps,
            events,
            Remember::Order,
            cheap,
        );
        Some(match found {
            Ending::Linearizable { .. } => {
                panic!("nobody made what operation {id} found, and the search has an order")
            }
            Ending::Stuck {
                operation,
                place,
                order,
            } => Stuck {
                operation,
                place,
                order,
                shortest: true,
                searched: true,
            },
            Ending::Exhausted(_) => Stuck {
                operation,
                place: step.ret,
                order: Vec::new(),
                shortest: false,
                searched: false,
            },
        })
    }

    fn machine<'m>(&'m self, object: &'m S) -> Interned<'m, S> {
        Interned::new(object, self.operations.iter().collect())
    }

    /// The shortest prefix without an order, where unique values tell. What they do not give is the
    /// order up to there, which is searched for as long as that is cheap.
    fn by_values(&self, object: &S, budget: Budget) -> Option<Stuck> {
        let contradicts = |events: usize| {
            let prefix = self.line.prefix(events);
            // Both are in the order of their calls.
            let mut whole = self.line.steps.iter().zip(&self.operations);
            let operations: Vec<&S::Operation> = prefix
                .steps
                .iter()
                .filter_map(|step| whole.find(|(other, _)| other.id == step.id))
                .map(|(_, operation)| operation)
                .collect();
            object.decide(&prefix, &operations)
        };
        let Partition { steps, events, .. } = &self.line;
        contradicts(events.len())?;
        let good = shortest(events.len(), |events| contradicts(events) == Some(false));
        let order = search(
            &mut self.machine(object),
            steps,
            &events[..=good],
            Remember::Order,
            cheap(budget),
        );
        assert!(
            !matches!(order, Ending::Linearizable { .. }),
            "the unique values have no order up to {good}, and the search has"
        );
        let (order, searched) = match order {
            Ending::Stuck { order, .. } => (order, true),
            _ => (Vec::new(), false),
        };
        Some(Stuck {
            operation: events[good] / 2,
            place: u32::try_from(good).ok()?,
            order,
            shortest: true,
            searched,
        })
    }
}

/// How many steps the order of an explanation is worth.
const ORDER_STEPS_MAX: u64 = 1_000_000;

fn cheap(budget: Budget) -> Budget {
    Budget {
        steps: budget.steps.min(ORDER_STEPS_MAX),
        ..budget
    }
}

/// Checks a history part by part, and explains the part that is not linearizable.
fn check_object<S: Object>(
    object: &S,
    history: &History,
    budget: Budget,
) -> (Report, Option<Explanation>) {
    let parts = object.parts(history);
    let count = parts.iter().max().map_or(0, |last| *last as usize + 1);
    let by_part = ByKey::grouped(parts.iter().copied(), count);
    let part = |number: u32| Part::new(object, history, by_part.of(number));
    let key = |number: u32| history.operations[by_part.of(number)[0] as usize].key;
    let found = unmade(history, |operation, uses| {
        if let Some(observed) = object.observed(history, operation) {
            object.uses(&observed, uses);
        }
    });
    let mut report = match found {
        Some(found) => Report::refuted(parts[found.operations()[0] as usize], Method::Unique),
        None => over_keys(&by_part, budget, |number, given| {
            part(number).judge(object, given)
        }),
    };
    let mut why = None;
    match &mut report.verdict {
        Verdict::Linearizable => {}
        Verdict::Unknown { key: at, .. } => *at = key(*at),
        Verdict::NotLinearizable { key: at } => {
            why = part(*at).explain(object, key(*at), found, budget);
            *at = key(*at);
        }
    }
    (report, why)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check::linearizability::small::drawn;
    use crate::check::linearizability::small_objects::{Small, small_object};

    /// The verdict is that of brute force, over the whole and over the shortest prefix.
    fn agrees(small: &Small, model: Model) -> Result<Report, TestCaseError> {
        let history = &small.history;
        let all: Vec<usize> = (0..history.operations.len()).collect();
        let required = |at: usize| history.operations[at].ret != NEVER;
        let expected = small.has_order(&all, &required);
        let (report, why) = check_model(history, model, Budget::default());
        let verdict = matches!(report.verdict, Verdict::Linearizable);
        prop_assert_eq!(verdict, expected, "{:?}", report);
        prop_assert_eq!(why.is_some(), !expected);
        let Some(why) = why else { return Ok(report) };
        prop_assert!(why.searched);
        let prefix: Vec<usize> = why.prefix.iter().map(|at| *at as usize).collect();
        let returned = |at: usize| !why.open.iter().any(|open| *open as usize == at);
        prop_assert!(!small.has_order(&prefix, &returned), "{:?}", why);
        let before = |at: usize| returned(at) && at != why.operation as usize;
        let earlier = small.before(&before);
        prop_assert!(earlier.has_order(&prefix, &before), "{:?}", why);
        Ok(report)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn queues_of_unique_values(drawn in drawn(9)) {
            let report = agrees(&small_object(&drawn, Model::Queue, true), Model::Queue)?;
            prop_assert_eq!(report.methods, [0, 0, 0, 0, 1]);
        }

        #[test]
        fn queues(drawn in drawn(8)) {
            agrees(&small_object(&drawn, Model::Queue, false), Model::Queue)?;
        }

        #[test]
        fn sets_of_unique_values(drawn in drawn(9)) {
            agrees(&small_object(&drawn, Model::Set, true), Model::Set)?;
        }

        #[test]
        fn sets(drawn in drawn(8)) {
            agrees(&small_object(&drawn, Model::Set, false), Model::Set)?;
        }

        #[test]
        fn registers_of_transactions(drawn in drawn(8)) {
            agrees(&small_object(&drawn, Model::MultiRegister, false), Model::MultiRegister)?;
        }
    }
}
