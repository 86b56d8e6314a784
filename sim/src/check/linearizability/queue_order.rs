//! Queues whose values are enqueued once, decided in n log n.
//!
//! A history of such a queue is linearizable exactly if
//!
//! 1. what was dequeued was enqueued, not later, and is dequeued once;
//! 2. no value overtakes another: where one was enqueued before the other was, it is not still in
//!    the queue after the other was taken out;
//! 3. each dequeue that found the queue empty has a moment at which no value must be in it, between
//!    the return of its enqueue and the call of its dequeue.
//!
//! These are the four patterns of Henzinger, Sezgin and Vafeiadis ("Aspect-oriented linearizability
//! proofs", 2013); that they can be looked for in n log n is shown by Lee and Mathur (arXiv
//! 2410.04581) and by Abdulla and others (arXiv 2509.17795). Operations of unknown outcome are ours:
//! an enqueue of a value that nobody dequeued is left out. A dequeue may have taken any value, and
//! whatever it took is no worse off than if it had stayed; so the values that stayed are given to
//! these dequeues, those that were enqueued first to those that were called first: each of the
//! three rules binds the earlier value at least as tightly as the later one.

use std::collections::BTreeMap;

use crate::check::linearizability::partition::{OPEN, Step};
use crate::history::queue::QueueOperation;
use crate::history::values::Val;

/// A value in the queue.
struct Value {
    /// The places of the call and of the return of its enqueue.
    enqueue: (u32, u32),
    /// Those of its dequeue, if there is one.
    dequeue: Option<(u32, u32)>,
}

/// Whether there is an order; none if a value is enqueued twice.
pub fn decide(steps: &[Step], operations: &[&QueueOperation], events: usize) -> Option<bool> {
    let mut values: BTreeMap<Val, Value> = BTreeMap::new();
    let mut takes = Vec::new();
    let mut empties = Vec::new();
    for (step, operation) in steps.iter().zip(operations) {
        match **operation {
            QueueOperation::Enqueue(value) => {
                let enqueue = (step.call, step.ret);
                let value = values.insert(
                    value,
                    Value {
                        enqueue,
                        dequeue: None,
                    },
                );
                if value.is_some() {
                    return None;
                }
            }
            // Calls are in their order.
            QueueOperation::Take => takes.push(step.call),
            QueueOperation::Empty => empties.push((step.call, step.ret)),
            // In the beginning of a history: nothing has come back yet.
            QueueOperation::Dequeue(_) if step.ret == OPEN => takes.push(step.call),
            QueueOperation::Dequeue(_) => {}
        }
    }
    for (step, operation) in steps.iter().zip(operations) {
        let QueueOperation::Dequeue(value) = operation else {
            continue;
        };
        if step.ret == OPEN {
            continue;
        }
        let Some(value) = values.get_mut(value) else {
            return Some(false);
        };
        if value.dequeue.is_some() || step.ret < value.enqueue.0 {
            return Some(false);
        }
        value.dequeue = Some((step.call, step.ret));
    }
    let mut values: Vec<Value> = values
        .into_values()
        .filter(|value| value.enqueue.1 != OPEN || value.dequeue.is_some())
        .collect();
    values.sort_by_key(|value| value.enqueue.1);
    let stayed = values.iter_mut().filter(|value| value.dequeue.is_none());
    for (value, call) in stayed.zip(takes) {
        value.dequeue = Some((call, OPEN));
    }
    Some(!overtakes(&values) && found_empty(&values, &empties, events))
}

/// Whether a value is in the queue after one that was enqueued later was taken out. The values are
/// in the order of the returns of their enqueues.
fn overtakes(values: &[Value]) -> bool {
    let mut later: Vec<&Value> = values
        .iter()
        .filter(|value| value.dequeue.is_some())
        .collect();
    later.sort_by_key(|value| value.enqueue.0);
    let mut earlier = values.iter().peekable();
    // Until when one of those that were enqueued before is in the queue.
    let mut until = 0;
    later.iter().any(|value| {
        while let Some(before) = earlier.next_if(|before| before.enqueue.1 < value.enqueue.0) {
            until = until.max(before.dequeue.map_or(OPEN, |(call, _)| call));
        }
        value.dequeue.is_some_and(|(_, ret)| ret < until)
    })
}

/// Whether each of these dequeues has a moment at which the queue may be empty.
fn found_empty(values: &[Value], empties: &[(u32, u32)], events: usize) -> bool {
    if empties.is_empty() {
        return true;
    }
    // By place: how many more values must be in the queue behind it than before it.
    let mut change = vec![0i64; events + 1];
    for value in values {
        let from = value.enqueue.1;
        let until = value.dequeue.map_or(OPEN, |(call, _)| call);
        if from < until {
            change[from as usize] += 1;
            if until != OPEN {
                change[until as usize] -= 1;
            }
        }
    }
    // By place: the latest one up to it behind which the queue may be empty.
    let mut latest = Vec::with_capacity(events);
    let (mut within, mut last) = (0, None);
    for place in 0u32.. {
        let Some(change) = change.get(place as usize) else {
            break;
        };
        within += change;
        if within == 0 {
            last = Some(place);
        }
        latest.push(last);
    }
    empties
        .iter()
        .all(|(call, ret)| latest[*ret as usize - 1].is_some_and(|last| last >= *call))
}
