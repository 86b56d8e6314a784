//! A history restricted to some of its values: what cannot be ordered there cannot be ordered at
//! all.
//!
//! Values that a swap leads from and to belong together. Take a linearization and leave out every
//! operation on values that are not kept, all that belong together at once: each operation that is
//! left finds what it found before, because its maker is left too and everything that came between
//! them and was left has changed nothing. So where the rest has no order, the whole has none.
//! Operations that only say what was not there are left out as well; a history that appends has no
//! such parts.
//!
//! That serves twice: to check what zones say by a search that knows nothing of them, and to let
//! zones refute a history of which only some values are written once.

use crate::check::linearizability::budget::Budget;
use crate::check::linearizability::contradiction::Contradiction;
use crate::check::linearizability::depth::depth_first;
use crate::check::linearizability::partition::{OPEN, Partition, Step};
use crate::check::linearizability::register::RegisterMachine;
use crate::check::linearizability::search::Ending;
use crate::check::linearizability::zones::{Zones, zones};
use crate::history::recorded::What;
use crate::history::values::{ABSENT, Val};

/// A part of a history, and by operation of it the number in the whole.
pub struct Restricted<'a> {
    /// The part.
    pub partition: Partition<'a>,
    /// The numbers.
    pub numbers: Vec<u32>,
}

/// The operations on values that are written once, as far as everything that belongs together is;
/// none if that is the whole, or nothing.
#[must_use]
pub fn written_once<'a>(partition: &Partition<'a>) -> Option<Restricted<'a>> {
    if partition.appends {
        return None;
    }
    let mut together = Together::new(partition);
    let mut once = vec![true; partition.vals.len()];
    let mut made = vec![false; partition.vals.len()];
    made[partition.initial.0 as usize] = true;
    for step in &partition.steps {
        if let What::Write(value) | What::Cas { new: value, .. } = step.what
            && std::mem::replace(&mut made[value.0 as usize], true)
        {
            once[together.root(value)] = false;
        }
    }
    let part = restricted(partition, |value| once[together.root(value)]);
    (!part.numbers.is_empty() && part.numbers.len() < partition.steps.len()).then_some(part)
}

/// What zones say of the part that is written once, if they refute it.
#[must_use]
pub fn refuted(partition: &Partition<'_>) -> Option<Contradiction> {
    let part = written_once(partition)?;
    match zones(&part.partition) {
        Zones::Contradiction(found) => Some(found.map(|at| part.numbers[at as usize])),
        _ => None,
    }
}

/// Whether a search finds no order for what the operations of a contradiction are on. None where
/// that cannot be told.
#[must_use]
pub fn certified(
    partition: &Partition<'_>,
    contradiction: &Contradiction,
    budget: Budget,
) -> Option<bool> {
    if partition.appends || matches!(contradiction, Contradiction::Differs { .. }) {
        return None;
    }
    let mut together = Together::new(partition);
    let mut kept = vec![false; partition.vals.len()];
    for operation in contradiction.operations() {
        let (What::Read(value)
        | What::Differs(value)
        | What::Write(value)
        | What::Append(value)
        | What::Cas { new: value, .. }) = partition.steps[operation as usize].what;
        kept[together.root(value)] = true;
    }
    let Restricted { partition, .. } = restricted(partition, |value| kept[together.root(value)]);
    let mut machine = RegisterMachine::new(&partition);
    match depth_first(&mut machine, &partition.steps, &partition.events, budget) {
        Ending::Stuck { .. } => Some(true),
        Ending::Linearizable { .. } => Some(false),
        Ending::Exhausted(_) => None,
    }
}

fn restricted<'a>(partition: &Partition<'a>, mut kept: impl FnMut(Val) -> bool) -> Restricted<'a> {
    let mut vals = partition.vals.clone();
    let initial = if kept(partition.initial) {
        partition.initial
    } else {
        // Another value than any that is kept.
        vals.push(ABSENT);
        Val(u32::try_from(partition.vals.len()).expect("values have 32-bit numbers"))
    };
    let mut part = Partition {
        steps: Vec::new(),
        events: Vec::new(),
        vals,
        initial,
        values: partition.values,
        appends: false,
    };
    let mut numbers = Vec::new();
    let mut number_of = vec![OPEN; partition.steps.len()];
    for event in &partition.events {
        let at = event / 2;
        let place = u32::try_from(part.events.len()).expect("no more events than in the whole");
        let known = &mut number_of[at as usize];
        if event % 2 == 1 {
            if *known != OPEN {
                part.steps[*known as usize].ret = place;
                part.events.push(*known * 2 + 1);
            }
            continue;
        }
        let step = partition.steps[at as usize];
        let stays = match step.what {
            What::Read(value) | What::Write(value) | What::Cas { new: value, .. } => kept(value),
            What::Differs(_) | What::Append(_) => false,
        };
        if stays {
            *known = u32::try_from(numbers.len()).expect("no more than in the whole");
            numbers.push(at);
            part.events.push(*known * 2);
            part.steps.push(Step {
                call: place,
                ret: OPEN,
                ..step
            });
        }
    }
    Restricted {
        partition: part,
        numbers,
    }
}

/// Which values belong together.
struct Together {
    parents: Vec<usize>,
}

impl Together {
    fn new(partition: &Partition<'_>) -> Self {
        let mut together = Self {
            parents: (0..partition.vals.len()).collect(),
        };
        for step in &partition.steps {
            if let What::Cas { expected, new } = step.what {
                let (one, other) = (together.root(expected), together.root(new));
                together.parents[one] = other;
            }
        }
        together
    }

    fn root(&mut self, value: Val) -> usize {
        let mut at = value.0 as usize;
        while self.parents[at] != at {
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }
}
