//! The register that knows nothing of the future, to hold the other against.

use crate::check::linearizability::machine::Machine;
use crate::check::linearizability::partition::Partition;
use crate::history::recorded::What;
use crate::history::spec::Effect;
use crate::history::values::{ABSENT, Val, Values};

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
        let numbers: Vec<Val> = partition
            .vals
            .iter()
            .map(|value| {
                partition
                    .values
                    .get(*value)
                    .map_or(ABSENT, |(form, bytes)| values.intern(form, bytes))
            })
            .collect();
        let number = |value: Val| numbers[value.0 as usize];
        let what = |what: What| match what {
            What::Read(value) => What::Read(number(value)),
            What::Differs(value) => What::Differs(number(value)),
            What::Write(value) => What::Write(number(value)),
            What::Append(value) => What::Append(number(value)),
            What::Cas { expected, new } => What::Cas {
                expected: number(expected),
                new: number(new),
            },
        };
        let operations = partition.steps.iter().map(|step| what(step.what)).collect();
        Self {
            operations,
            initial: number(partition.initial),
            values,
        }
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
