//! Where a search stands between two parts of a history: all that the part before says about the part behind.
//!
//! With it the settled part can be forgotten. What follows is not known then, so the part before is searched with [`ExactMachine`], which keeps
//! every value that may still be asked for.

use crate::check::linearizability::machine::Machine;
use crate::check::linearizability::mask::Mask;
use crate::check::linearizability::partition::{OPEN, Partition};
use crate::check::linearizability::search::{Configuration, Search};
use crate::history::recorded::What;
use crate::history::spec::Effect;
use crate::history::values::{ABSENT, Val, Values};

/// Every way in which the part before can have ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frontier {
    /// How many operations were open: the first events of the part behind are their calls.
    pub open: usize,
    /// The ways.
    pub points: Vec<Point>,
    /// The unknown operations that still matter.
    pub unknown: Vec<u32>,
}

/// One way in which the part before can have ended. Operations have the numbers of the part that is searched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Point {
    /// The machine's state.
    pub state: u32,
    /// Unknown operations that took effect.
    pub used: Vec<u32>,
    /// Open operations that may be regarded as done.
    pub done: Vec<u32>,
    /// Open operations that may be regarded as not done. Some may be regarded as either.
    pub undone: Vec<u32>,
}

impl Frontier {
    /// Before everything.
    pub fn start<K: Machine>(machine: &K) -> Self {
        let point = Point { state: machine.initial(), used: Vec::new(), done: Vec::new(), undone: Vec::new() };
        Self { open: 0, points: vec![point], unknown: Vec::new() }
    }
}

impl<K: Machine, M: Mask> Search<'_, K, M> {
    /// Begins with these configurations. The open operations have been called.
    pub(super) fn start(&mut self, from: &Frontier) {
        for point in &from.points {
            let places = |operations: &[u32]| {
                let mut mask = M::empty(self.places);
                for operation in operations {
                    let spot = self.window.iter().position(|open| open == operation).expect("open operations are called first");
                    mask.add(spot);
                }
                mask
            };
            let (done, undone) = (places(&point.done), places(&point.undone));
            let used = point.used.iter().fold(0, |set, operation| self.used.with(set, *operation));
            self.configurations.push(Configuration { state: point.state, used, done, undone, path: 0 });
        }
    }

    /// The configurations at the end.
    pub(super) fn frontier(mut self) -> Frontier {
        self.forget();
        let operations = |mask: &M| -> Vec<u32> {
            let open = self.window.iter().enumerate().filter(|(spot, open)| **open != OPEN && mask.has(*spot));
            open.map(|(_, operation)| *operation).collect()
        };
        let point = |configuration: &Configuration<M>| Point {
            state: configuration.state,
            used: self.used.get(configuration.used).to_vec(),
            done: operations(&configuration.done),
            undone: operations(&configuration.undone),
        };
        let open = self.window.iter().filter(|open| **open != OPEN).count() + self.unknown_blind.len() + self.unknown_dependent.len();
        let points = self.configurations.iter().map(point).collect();
        Frontier { open, points, unknown: [self.unknown_blind, self.unknown_dependent].concat() }
    }
}

/// A register of which nothing is known in advance: every state is kept as its value.
pub struct ExactMachine {
    operations: Vec<What>,
    initial: Val,
    values: Values,
}

impl ExactMachine {
    /// The register of this partition.
    #[must_use]
    pub fn new(partition: &Partition<'_>) -> Self {
        let mut values = Values::default();
        let numbers: Vec<Val> =
            partition.vals.iter().map(|value| partition.values.get(*value).map_or(ABSENT, |(form, bytes)| values.intern(form, bytes))).collect();
        let number = |value: Val| numbers[value.0 as usize];
        let what = |what: What| match what {
            What::Read(value) => What::Read(number(value)),
            What::Differs(value) => What::Differs(number(value)),
            What::Write(value) => What::Write(number(value)),
            What::Append(value) => What::Append(number(value)),
            What::Cas { expected, new } => What::Cas { expected: number(expected), new: number(new) },
        };
        let operations = partition.steps.iter().map(|step| what(step.what)).collect();
        Self { operations, initial: number(partition.initial), values }
    }

    /// The state of this string.
    pub fn state(&mut self, value: Option<&[u8]>) -> u32 {
        value.map_or(ABSENT, |bytes| self.values.text(bytes)).0
    }

    /// The value of a state.
    #[must_use]
    pub fn value(&self, state: u32) -> Option<&[u8]> {
        self.values.get(Val(state)).map(|(_, bytes)| bytes)
    }
}

impl Machine for ExactMachine {
    fn initial(&self) -> u32 {
        self.initial.0
    }

    fn step(&mut self, state: u32, operation: u32, _now: u32) -> Option<u32> {
        match self.operations[operation as usize] {
            What::Read(value) => (value.0 == state).then_some(state),
            What::Differs(value) => (value.0 != state).then_some(state),
            What::Write(value) => Some(value.0),
            What::Cas { expected, new } => (expected.0 == state).then_some(new.0),
            What::Append(tail) => {
                let whole = [self.values.bytes(Val(state)), self.values.bytes(tail)].concat();
                Some(self.values.text(&whole).0)
            }
        }
    }

    fn effect(&self, operation: u32) -> Effect {
        match self.operations[operation as usize] {
            What::Read(_) | What::Differs(_) => Effect::Read,
            What::Write(_) => Effect::Blind,
            What::Append(_) => Effect::Total,
            What::Cas { .. } => Effect::Partial,
        }
    }

    fn alike(&self, one: u32, other: u32) -> bool {
        self.operations[one as usize] == self.operations[other as usize]
    }
}
