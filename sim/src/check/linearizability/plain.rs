//! A plain search, kept as plain as it can be: the yardstick for the others, and the second opinion
//! on what they say.
//!
//! It tries the operations that may come next in the order of their calls, one order at a time, and
//! remembers every set of operations and state that led nowhere (Wing and Gong, "Testing and
//! verifying concurrent objects", 1993; the memory is Lowe's, 2017; Porcupine does the same). It
//! knows no frontier, no promises and no future, and shares nothing with the other algorithms but
//! the machine.

use std::collections::BTreeSet;

use crate::check::linearizability::budget::{Budget, Exhausted};
use crate::check::linearizability::machine::Machine;
use crate::check::linearizability::partition::{OPEN, Step};

/// Whether there is an order. `steps` are in the order of their calls.
///
/// # Errors
/// What was used up before it was known.
pub fn plain<K: Machine>(
    machine: &mut K,
    steps: &[Step],
    budget: Budget,
) -> Result<bool, Exhausted> {
    let words = steps.len().div_ceil(64);
    let size = words * 8 + 64;
    let mut left = steps.iter().filter(|step| step.ret != OPEN).count();
    let mut taken = vec![0u64; words];
    let mut seen: BTreeSet<(u32, Box<[u64]>)> = BTreeSet::new();
    // What was taken, with the state before it.
    let mut order: Vec<(usize, u32)> = Vec::new();
    let mut state = machine.initial();
    let mut work = 0;
    // Everything before it was taken.
    let mut low = 0;
    let mut from = 0;
    while left > 0 {
        if work > budget.steps {
            return Err(Exhausted::Steps);
        }
        if seen.len() * size > budget.bytes {
            return Err(Exhausted::Bytes);
        }
        let free = |taken: &[u64], at: usize| taken[at / 64] >> (at % 64) & 1 == 0;
        while low < steps.len() && !free(&taken, low) {
            low += 1;
        }
        // What comes next was called before anything that is left returned.
        let mut by = OPEN;
        let mut found = None;
        for (at, step) in steps.iter().enumerate().skip(low) {
            if step.call > by {
                break;
            }
            if !free(&taken, at) {
                continue;
            }
            work += 1;
            by = by.min(step.ret);
            let number = u32::try_from(at).expect("operations have 32-bit numbers");
            if at < from {
                continue;
            }
            let Some(next) = machine.step(state, number, 0) else {
                continue;
            };
            taken[at / 64] |= 1 << (at % 64);
            if seen.insert((next, taken.clone().into())) {
                found = Some((at, next));
                break;
            }
            taken[at / 64] &= !(1 << (at % 64));
        }
        if let Some((at, next)) = found {
            order.push((at, state));
            state = next;
            left -= usize::from(steps[at].ret != OPEN);
            from = 0;
        } else {
            let Some((at, before)) = order.pop() else {
                return Ok(false);
            };
            taken[at / 64] &= !(1 << (at % 64));
            left += usize::from(steps[at].ret != OPEN);
            state = before;
            low = low.min(at);
            from = at + 1;
        }
    }
    Ok(true)
}
