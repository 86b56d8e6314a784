//! The log's order with operations of unknown outcome put where they show.
//!
//! Nobody told their places, but most of them took effect just before the first operation that says
//! something which the order cannot explain without them. So the order is replayed, and where an
//! outcome does not fit, the shortest chain of unplaced unknown operations that makes it fit is put
//! in. What comes out is only a proposal: [`replay`](super::witness::replay) judges it like any
//! other order, real time included, so a wrong guess costs time and nothing else.

use crate::check::linearizability::machine::Machine;
use crate::check::linearizability::partition::{OPEN, Step};

/// Longer chains are left to the search.
const CHAIN_MAX: usize = 4;

/// A chain of unknown operations that leads to a state.
struct Reached {
    state: u32,
    /// Its last operation, and the chain before it.
    last: Option<(u32, usize)>,
    length: usize,
}

/// An order that may be a witness, made of the log's order; none when an outcome has no short
/// explanation.
pub fn repair<K: Machine>(machine: &mut K, steps: &[Step], order: &[u32]) -> Option<Vec<u32>> {
    let mut placed = vec![false; steps.len()];
    for &operation in order {
        placed[operation as usize] = true;
    }
    let mut free: Vec<u32> = (0u32..)
        .zip(steps)
        .filter(|(at, step)| step.ret == OPEN && !placed[*at as usize])
        .map(|(at, _)| at)
        .collect();
    let mut repaired = Vec::with_capacity(order.len() + free.len());
    let mut state = machine.initial();
    for &operation in order {
        state = match machine.step(state, operation, 0) {
            Some(next) => next,
            None => {
                let (chain, next) = explain(machine, steps, &free, state, operation)?;
                free.retain(|unknown| !chain.contains(unknown));
                repaired.extend(chain);
                next
            }
        };
        repaired.push(operation);
    }
    Some(repaired)
}

/// The shortest chain of free operations, called before this one returned, after which it fits; and
/// the state behind it.
fn explain<K: Machine>(
    machine: &mut K,
    steps: &[Step],
    free: &[u32],
    state: u32,
    operation: u32,
) -> Option<(Vec<u32>, u32)> {
    let by = steps[operation as usize].ret;
    let mut reached = vec![Reached {
        state,
        last: None,
        length: 0,
    }];
    let mut at = 0;
    while let Some(&Reached { state, length, .. }) = reached.get(at) {
        for &unknown in free
            .iter()
            .filter(|unknown| steps[**unknown as usize].call <= by)
        {
            let Some(next) = machine.step(state, unknown, 0) else {
                continue;
            };
            if length == CHAIN_MAX || reached.iter().any(|known| known.state == next) {
                continue;
            }
            reached.push(Reached {
                state: next,
                last: Some((unknown, at)),
                length: length + 1,
            });
            if let Some(behind) = machine.step(next, operation, 0) {
                let mut chain = Vec::new();
                let mut link = reached.len() - 1;
                while let Some((unknown, before)) = reached[link].last {
                    chain.push(unknown);
                    link = before;
                }
                chain.reverse();
                return Some((chain, behind));
            }
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::check::linearizability::budget::Budget;
    use crate::check::linearizability::check::Verdict;
    use crate::check::linearizability::online::Online;
    use crate::history::operation::{Action, Call, Return, Text};
    use crate::history::recorded::Place;

    fn text(s: &str) -> Text {
        s.as_bytes().into()
    }

    fn call(action: Action) -> Call {
        Call {
            key: text("x"),
            action,
        }
    }

    /// A put, an unknown delete and an unknown put, and a read that sees what the latter wrote or
    /// something else.
    fn seen(value: &str) -> (Verdict, [usize; 5]) {
        let mut online = Online::new();
        for (process, action) in [
            (1, Action::Put(text("a"))),
            (2, Action::Delete),
            (3, Action::Put(text("b"))),
        ] {
            online.invoke(process, &call(action), process);
        }
        online.ok(1, Return::Done, Some(Place::new(1, 0)), 5);
        online.unknown(2);
        online.unknown(3);
        let expected = Action::Cas {
            expected: Some(text(value)),
            new: text("c"),
        };
        online.invoke(4, &call(expected), 6);
        online.ok(4, Return::Done, Some(Place::new(7, 0)), 8);
        online.invoke(5, &call(Action::Get), 9);
        online.ok(5, Return::Value(None), Some(Place::after(7)), 10);
        let report = online.verdict(Budget::default());
        (report.verdict, report.methods)
    }

    #[test]
    fn unknown_operations_are_found_where_they_show() {
        assert_eq!(seen("b"), (Verdict::Linearizable, [1, 0, 0, 0, 0]));
    }

    #[test]
    fn what_nobody_wrote_is_not_explained() {
        assert!(matches!(
            seen("nothing like it").0,
            Verdict::NotLinearizable { .. }
        ));
    }
}
