//! The register as a machine that knows the future.
//!
//! All outcomes are known before the search starts, so it is known until when each value is still
//! asked for. A value that nobody will ask for any more is *dead*, and all dead values are one
//! state. Where values are appended to, a state matters only as the beginning of a value that will
//! be asked for: it is kept as a range of the sorted list of those values and a length, so no
//! concatenation is ever made, and a state that begins none of them is dead.

use crate::check::linearizability::machine::Machine;
use crate::check::linearizability::partition::{OPEN, Partition, Step};
use crate::check::linearizability::room::room;
use crate::history::recorded::What;
use crate::history::spec::Effect;
use crate::history::table::{Table, mix};
use crate::history::values::{ABSENT, Val};

/// All values that nobody asks for any more.
const DEAD: u32 = u32::MAX;

/// A partition's register.
pub struct RegisterMachine<'a> {
    operations: Operations<'a>,
    initial: u32,
    /// By state: behind the place of the last return that asks for it, or for a value that begins
    /// with it.
    death: Vec<u32>,
    /// Whether some operation only says what the state was not.
    differs: bool,
    endings: Option<Endings<'a>>,
}

/// What each operation says and does; the values are states, but for what is appended.
enum Operations<'a> {
    /// Values are states as they are.
    Same(&'a [Step]),
    /// States are beginnings of values.
    Translated(Vec<What>),
}

impl Operations<'_> {
    fn what(&self, operation: u32) -> What {
        match self {
            Self::Same(steps) => steps[operation as usize].what,
            Self::Translated(operations) => operations[operation as usize],
        }
    }
}

impl<'a> RegisterMachine<'a> {
    /// The register of this partition.
    #[must_use]
    pub fn new(partition: &'a Partition<'a>) -> Self {
        let mut asked = vec![0; partition.vals.len()];
        let mut differs = false;
        for step in &partition.steps {
            let value = match step.what {
                What::Read(value)
                | What::Cas {
                    expected: value, ..
                } => value,
                What::Differs(value) => {
                    differs = true;
                    value
                }
                What::Write(_) | What::Append(_) => continue,
            };
            let until = &mut asked[value.0 as usize];
            *until = step.ret.saturating_add(1).max(*until);
        }
        if !partition.appends {
            let operations = Operations::Same(&partition.steps);
            return Self {
                operations,
                initial: partition.initial.0,
                death: asked,
                differs,
                endings: None,
            };
        }
        let mut endings = Endings::new(partition, &asked);
        let mut death = vec![endings.longest(0, endings.sorted.len()).max(asked[0])];
        let mut state = |value: Val| {
            Val(if value == ABSENT {
                0
            } else {
                endings.whole(partition.bytes(value), &mut death)
            })
        };
        let operations = partition
            .steps
            .iter()
            .map(|step| match step.what {
                What::Read(value) => What::Read(state(value)),
                What::Differs(value) => What::Differs(state(value)),
                What::Write(value) => What::Write(state(value)),
                What::Append(value) => What::Append(value),
                What::Cas { expected, new } => What::Cas {
                    expected: state(expected),
                    new: state(new),
                },
            })
            .collect();
        let initial = state(partition.initial).0;
        Self {
            operations: Operations::Translated(operations),
            initial,
            death,
            differs,
            endings: Some(endings),
        }
    }

    fn alive(&self, state: u32, now: u32) -> u32 {
        if state != DEAD && self.death[state as usize] > now {
            state
        } else {
            DEAD
        }
    }
}

impl Machine for RegisterMachine<'_> {
    fn initial(&self) -> u32 {
        self.initial
    }

    fn step(&mut self, state: u32, operation: u32, now: u32) -> Option<u32> {
        match self.operations.what(operation) {
            What::Read(value) => (value.0 == state).then_some(state),
            What::Differs(value) => (value.0 != state).then_some(state),
            What::Write(value) => Some(self.alive(value.0, now)),
            What::Cas { expected, new } => (expected.0 == state).then(|| self.alive(new.0, now)),
            What::Append(tail) => {
                let longer = match &mut self.endings {
                    Some(endings) if state != DEAD => endings.append(state, tail, &mut self.death),
                    _ => DEAD,
                };
                Some(self.alive(longer, now))
            }
        }
    }

    fn effect(&self, operation: u32) -> Effect {
        match self.operations.what(operation) {
            What::Read(_) | What::Differs(_) => Effect::Read,
            What::Write(_) => Effect::Blind,
            What::Append(_) => Effect::Total,
            What::Cas { .. } => Effect::Partial,
        }
    }

    fn alike(&self, one: u32, other: u32) -> bool {
        self.operations.what(one) == self.operations.what(other)
    }

    fn settle(&mut self, state: u32, now: u32) -> u32 {
        self.alive(state, now)
    }

    fn idle(&self, operation: u32, now: u32) -> bool {
        let leaves = match self.operations.what(operation) {
            What::Write(value) | What::Cas { new: value, .. } => value.0,
            What::Append(_) => return false,
            What::Read(_) | What::Differs(_) => return true,
        };
        // To leave a dead value helps only those that ask for a difference.
        !self.differs && self.alive(leaves, now) == DEAD
    }

    fn worst(&self) -> Option<u32> {
        (!self.differs).then_some(DEAD)
    }

    fn bytes(&self) -> usize {
        self.endings.as_ref().map_or(0, Endings::bytes)
    }
}

/// States of a register that is appended to.
struct Endings<'a> {
    /// Every value that is asked for, in order.
    sorted: Vec<&'a [u8]>,
    /// A tree of maxima over how long each is asked for.
    until: Vec<u32>,
    /// By state: the range of `sorted` that begins with it, and how much of them it is. The first
    /// is the absent state, which is appended to as if it were empty.
    rows: Vec<Row>,
    by_row: Table,
    /// What each appended value is.
    tails: Vec<&'a [u8]>,
    /// State, tail and the state that they make.
    made: Vec<(u32, u32, u32)>,
    by_append: Table,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Row {
    low: usize,
    high: usize,
    len: usize,
}

impl<'a> Endings<'a> {
    fn new(partition: &Partition<'a>, asked: &[u32]) -> Self {
        let mut order: Vec<usize> = (1..asked.len()).filter(|at| asked[*at] > 0).collect();
        let all: Vec<&[u8]> = partition
            .vals
            .iter()
            .map(|value| partition.values.bytes(*value))
            .collect();
        order.sort_unstable_by_key(|at| all[*at]);
        let mut until = vec![0; order.len() * 2];
        for (at, value) in order.iter().enumerate() {
            until[order.len() + at] = asked[*value];
        }
        for at in (1..order.len()).rev() {
            until[at] = until[at * 2].max(until[at * 2 + 1]);
        }
        let sorted: Vec<&[u8]> = order.iter().map(|at| all[*at]).collect();
        let absent = Row {
            low: 0,
            high: sorted.len(),
            len: 0,
        };
        Self {
            sorted,
            until,
            rows: vec![absent],
            by_row: Table::default(),
            tails: all,
            made: Vec::new(),
            by_append: Table::default(),
        }
    }

    /// Until when any value of a range is asked for.
    fn longest(&self, low: usize, high: usize) -> u32 {
        let size = self.sorted.len();
        let (mut low, mut high, mut longest) = (low + size, high + size, 0);
        while low < high {
            if low % 2 == 1 {
                longest = longest.max(self.until[low]);
                low += 1;
            }
            if high % 2 == 1 {
                high -= 1;
                longest = longest.max(self.until[high]);
            }
            low /= 2;
            high /= 2;
        }
        longest
    }

    /// The part of a range that goes on with these bytes.
    fn narrow(&self, row: Row, bytes: &[u8]) -> Row {
        let rest = |value: &&'a [u8]| -> &'a [u8] { &value[row.len..] };
        let range = &self.sorted[row.low..row.high];
        let low = range.partition_point(|value| rest(value) < bytes);
        let count = range[low..].partition_point(|value| rest(value).starts_with(bytes));
        Row {
            low: row.low + low,
            high: row.low + low + count,
            len: row.len + bytes.len(),
        }
    }

    /// What the states take.
    fn bytes(&self) -> usize {
        room(&self.rows) + room(&self.made) + self.by_row.bytes() + self.by_append.bytes()
    }

    fn number(&mut self, row: Row, death: &mut Vec<u32>) -> u32 {
        if row.low == row.high {
            return DEAD;
        }
        let hash = mix(mix(1, row.low as u64), row.len as u64);
        if let Some(found) = self.by_row.find(hash, |at| self.rows[at as usize] == row) {
            return found;
        }
        let number = u32::try_from(self.rows.len())
            .expect("the search's budget ends long before 2^32 states");
        self.rows.push(row);
        death.push(self.longest(row.low, row.high));
        self.by_row.insert(hash, number);
        number
    }

    fn whole(&mut self, bytes: &[u8], death: &mut Vec<u32>) -> u32 {
        let row = self.narrow(self.rows[0], bytes);
        self.number(row, death)
    }

    fn append(&mut self, state: u32, tail: Val, death: &mut Vec<u32>) -> u32 {
        let hash = mix(u64::from(state), u64::from(tail.0));
        if let Some(found) = self.by_append.find(hash, |at| {
            self.made[at as usize].0 == state && self.made[at as usize].1 == tail.0
        }) {
            return self.made[found as usize].2;
        }
        let row = self.narrow(self.rows[state as usize], self.tails[tail.0 as usize]);
        let longer = self.number(row, death);
        self.by_append.insert(
            hash,
            u32::try_from(self.made.len())
                .expect("the search's budget ends long before 2^32 states"),
        );
        self.made.push((state, tail.0, longer));
        longer
    }
}

const _: () = assert!(DEAD == OPEN, "both stand for what never comes");
