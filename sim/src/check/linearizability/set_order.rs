//! Sets that are added to and read as a whole, decided in n log n.
//!
//! What is never removed makes the reads a chain: of two, one saw all that the other saw, and stands
//! behind it. Between them, and nowhere else, stand the adds of what only the later one saw. So the
//! operations fall into blocks whose order is given, and within a block everything is free: there
//! is an order exactly if nothing returned before something of an earlier block was called. Where a
//! value is added several times, one add is enough, and best the one that was called first; the
//! others may stand anywhere behind that block's beginning.
//!
//! Sets of which single values are added, removed and asked for need no such thing: each value is
//! an object of its own, as in Abdulla and others (arXiv 2509.17795) and in Lee and Mathur (arXiv
//! 2410.04581); see `models`.

use std::collections::BTreeMap;

use crate::check::linearizability::partition::{OPEN, Step};
use crate::history::set::SetOperation;
use crate::history::values::Val;

/// The adds of a value.
#[derive(Default)]
struct Adds<'a> {
    steps: Vec<&'a Step>,
    /// Whether one of them found that the value was not there.
    first: bool,
    /// The number of the block of reads that first sees it.
    seen: Option<usize>,
}

/// Whether there is an order; none if anything is done but adding and reading all.
pub fn decide(steps: &[Step], operations: &[&SetOperation]) -> Option<bool> {
    let mut adds: BTreeMap<Val, Adds<'_>> = BTreeMap::new();
    let mut reads: Vec<(&[Val], &Step)> = Vec::new();
    for (step, operation) in steps.iter().zip(operations) {
        match operation {
            SetOperation::Read(members) => reads.push((members, step)),
            SetOperation::Add(value) | SetOperation::Insert(value) => {
                let adds = adds.entry(*value).or_default();
                adds.steps.push(step);
                adds.first |= matches!(operation, SetOperation::Insert(_));
            }
            _ => return None,
        }
    }
    if adds.values().any(|adds| adds.first && adds.steps.len() > 1) {
        return None;
    }
    reads.sort_by_key(|(members, _)| members.len());
    let mut blocks: Vec<Vec<&Step>> = Vec::new();
    let mut before: &[Val] = &[];
    for (members, step) in reads {
        if blocks.is_empty() || members.len() > before.len() {
            blocks.push(Vec::new());
            let mut old = before.iter().peekable();
            for member in members {
                if old.next_if_eq(&member).is_some() {
                    continue;
                }
                let Some(adds) = adds.get_mut(member) else {
                    return Some(false);
                };
                adds.seen = Some(blocks.len() - 1);
            }
            if old.peek().is_some() {
                return Some(false);
            }
            before = members;
        } else if members != before {
            return Some(false);
        }
        blocks.last_mut().expect("one was pushed").push(step);
    }
    Some(in_order(&blocks, &adds))
}

/// Whether the blocks of reads, with the adds between them, can stand in this order.
fn in_order(blocks: &[Vec<&Step>], adds: &BTreeMap<Val, Adds<'_>>) -> bool {
    let mut between: Vec<Vec<&Adds<'_>>> = Vec::new();
    between.resize_with(blocks.len() + 1, Vec::new);
    for adds in adds.values() {
        between[adds.seen.unwrap_or(blocks.len())].push(adds);
    }
    // The latest call of everything before.
    let mut latest = 0;
    for (at, adds) in between.iter().enumerate() {
        let all = adds.iter().flat_map(|adds| &adds.steps);
        if all.clone().any(|add| add.ret < latest) {
            return false;
        }
        let needed = adds
            .iter()
            .filter(|adds| adds.seen.is_some())
            .filter_map(|adds| adds.steps.iter().map(|add| add.call).min());
        latest = needed.fold(latest, u32::max);
        let reads = blocks.get(at).map_or(&[][..], Vec::as_slice);
        if reads.iter().any(|read| read.ret < latest) {
            return false;
        }
        latest = reads.iter().map(|read| read.call).fold(latest, u32::max);
    }
    true
}

const _: () = assert!(
    OPEN == u32::MAX,
    "what never returns is not before anything"
);
