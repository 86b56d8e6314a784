//! The operations of one key, put on a line: every call and return gets its place in one order, and
//! all algorithms work on those places.
//!
//! At equal times calls stand before returns, so "returned before the call of" is one comparison
//! and closed intervals need no further thought. Operations that say nothing and do nothing are
//! left out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::history::recorded::{NEVER, Place, What};
use crate::history::values::{ABSENT, Val, Values};

/// The place of a return that never comes.
pub const OPEN: u32 = u32::MAX;

/// One operation. Its values are numbers within the partition: indices into [`Partition::vals`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// The place of its call.
    pub call: u32,
    /// The place of its return; [`OPEN`] if it is unknown whether and when it took effect.
    pub ret: u32,
    /// What it says and does.
    pub what: What,
    /// What its owner calls it.
    pub id: u32,
}

/// What a partition is made of: an operation with its times and its values in the numbers of a
/// [`Values`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timed {
    /// When it was called.
    pub call: u64,
    /// When it returned, or [`NEVER`].
    pub ret: u64,
    /// What it says and does.
    pub what: What,
    /// What its owner calls it.
    pub id: u32,
}

/// The operations of one key in the order of their calls.
#[derive(Clone, Debug)]
pub struct Partition<'a> {
    /// The operations.
    pub steps: Vec<Step>,
    /// Calls and returns in their order: the operation's index, doubled, and one more for a return.
    pub events: Vec<u32>,
    /// The values that occur, by their number within the partition; the first is the absent one.
    pub vals: Vec<Val>,
    /// The state at the start, as a number within the partition.
    pub initial: Val,
    /// What the values are.
    pub values: &'a Values,
    /// Whether anything is appended.
    pub appends: bool,
}

/// Renumbers values densely. Kept between partitions so that its room is made once.
#[derive(Clone, Debug, Default)]
pub struct Renumber {
    local: Vec<u32>,
    vals: Vec<Val>,
}

impl Renumber {
    fn local(&mut self, value: Val) -> Val {
        let at = value.0 as usize;
        if value == ABSENT {
            return ABSENT;
        }
        if self.local[at] == 0 {
            self.local[at] =
                u32::try_from(self.vals.len()).expect("no more values than there are numbers for");
            self.vals.push(value);
        }
        Val(self.local[at])
    }

    fn what(&mut self, what: What) -> What {
        match what {
            What::Read(value) => What::Read(self.local(value)),
            What::Differs(value) => What::Differs(self.local(value)),
            What::Write(value) => What::Write(self.local(value)),
            What::Append(value) => What::Append(self.local(value)),
            What::Cas { expected, new } => What::Cas {
                expected: self.local(expected),
                new: self.local(new),
            },
        }
    }

    fn start(&mut self, values: usize) {
        self.local.resize(values.max(self.local.len()), 0);
        self.vals.push(ABSENT);
    }

    fn finish(&mut self) -> Vec<Val> {
        for value in &self.vals {
            self.local[value.0 as usize] = 0;
        }
        std::mem::take(&mut self.vals)
    }
}

impl<'a> Partition<'a> {
    /// Puts these operations on a line. There are fewer than 2^31 of them.
    pub fn new(
        operations: impl Iterator<Item = Timed> + Clone,
        initial: Val,
        values: &'a Values,
        renumber: &mut Renumber,
    ) -> Self {
        renumber.start(values.len());
        let initial = renumber.local(initial);
        let in_order = operations
            .clone()
            .is_sorted_by_key(|operation| operation.call);
        let partition = if in_order {
            Self::in_order(operations, values, renumber)
        } else {
            let mut sorted: Vec<Timed> = operations.collect();
            sorted.sort_by_key(|operation| operation.call);
            Self::in_order(sorted.into_iter(), values, renumber)
        };
        Self {
            initial,
            ..partition
        }
    }

    /// Merges the calls, which are in order, with the returns, of which only those of open
    /// operations need to be known at any moment.
    fn in_order(
        operations: impl Iterator<Item = Timed> + Clone,
        values: &'a Values,
        renumber: &mut Renumber,
    ) -> Self {
        let (count, returning) = operations.clone().fold((0, 0), |(all, known), operation| {
            (all + 1, known + usize::from(operation.ret != NEVER))
        });
        assert!(count < 1 << 31, "operations are numbered with 31 bits");
        let mut partition = Self {
            steps: Vec::with_capacity(count),
            events: Vec::with_capacity(count + returning),
            vals: Vec::new(),
            initial: ABSENT,
            values,
            appends: false,
        };
        let mut open = BinaryHeap::new();
        for operation in operations {
            partition.appends |= matches!(operation.what, What::Append(_));
            while let Some(&Reverse((ret, at))) = open.peek()
                && ret < operation.call
            {
                open.pop();
                partition.end(at);
            }
            let at = u32::try_from(partition.steps.len()).expect("fewer than 2^31 operations");
            let call = partition.place();
            partition.events.push(at * 2);
            partition.steps.push(Step {
                call,
                ret: OPEN,
                what: renumber.what(operation.what),
                id: operation.id,
            });
            if operation.ret != NEVER {
                open.push(Reverse((operation.ret, at)));
            }
        }
        while let Some(Reverse((_, at))) = open.pop() {
            partition.end(at);
        }
        partition.vals = renumber.finish();
        partition
    }

    /// The place of the next event.
    fn place(&self) -> u32 {
        u32::try_from(self.events.len()).expect("two events for each of fewer than 2^31 operations")
    }

    fn end(&mut self, at: u32) {
        self.steps[at as usize].ret = self.place();
        self.events.push(at * 2 + 1);
    }

    /// The bytes of a value.
    #[must_use]
    pub fn bytes(&self, value: Val) -> &'a [u8] {
        self.values.bytes(self.vals[value.0 as usize])
    }

    /// The history up to this place and not beyond: operations that have not returned by then are
    /// open, and open reads are left out.
    #[must_use]
    pub fn prefix(&self, events: usize) -> Self {
        let end = u32::try_from(events).unwrap_or(OPEN);
        let mut kept = vec![OPEN; self.steps.len()];
        let mut prefix = Self {
            steps: Vec::new(),
            events: Vec::new(),
            vals: self.vals.clone(),
            ..*self
        };
        for event in &self.events[..events.min(self.events.len())] {
            let at = (*event / 2) as usize;
            let place =
                u32::try_from(prefix.events.len()).expect("no more events than in the whole");
            if event % 2 == 1 {
                prefix.steps[kept[at] as usize].ret = place;
                prefix.events.push(kept[at] * 2 + 1);
                continue;
            }
            let step = self.steps[at];
            if step.ret >= end && matches!(step.what, What::Read(_) | What::Differs(_)) {
                continue;
            }
            kept[at] =
                u32::try_from(prefix.steps.len()).expect("no more operations than in the whole");
            prefix.events.push(kept[at] * 2);
            prefix.steps.push(Step {
                call: place,
                ret: OPEN,
                ..step
            });
        }
        prefix
    }
}

/// Where the log put each operation, by its owner's name for it.
pub type Places<'p> = &'p dyn Fn(u32) -> Option<Place>;

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(call: u64, ret: u64) -> Timed {
        Timed {
            call,
            ret,
            what: What::Write(ABSENT),
            id: 0,
        }
    }

    #[test]
    fn equal_times_overlap() {
        let values = Values::default();
        let lined = |operations: Vec<Timed>| {
            Partition::new(
                operations.into_iter(),
                ABSENT,
                &values,
                &mut Renumber::default(),
            )
        };
        let touching = lined(vec![timed(1, 5), timed(5, 9)]);
        assert!(touching.steps[0].ret > touching.steps[1].call);
        let apart = lined(vec![timed(1, 4), timed(5, 9)]);
        assert!(apart.steps[0].ret < apart.steps[1].call);
        let point = lined(vec![timed(3, 3), timed(3, 3), timed(1, NEVER)]);
        assert_eq!(point.events, [0, 2, 4, 3, 5]);
        assert_eq!(point.steps[0].ret, OPEN);
    }
}
