//! Registers that transactions read and write, several at once.

use std::collections::BTreeMap;

use crate::history::recorded::{Asked, Outcome, Recorded};
use crate::history::spec::{Effect, Spec};
use crate::history::values::{ABSENT, Val, Values};

/// A part of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// The register of this key had this value.
    Read(Val, Val),
    /// The register of this key was set to this value.
    Write(Val, Val),
}

impl Access {
    /// The register.
    #[must_use]
    pub fn key(self) -> Val {
        match self {
            Self::Read(key, _) | Self::Write(key, _) => key,
        }
    }
}

/// What a transaction says and does, one part after another.
#[must_use]
pub fn accesses(operation: &Recorded, values: &Values) -> Option<Vec<Access>> {
    let transaction = match (operation.asked, operation.outcome) {
        (Asked::Txn(_), Outcome::Ok(answered)) if answered != ABSENT => answered,
        (Asked::Txn(asked), Outcome::Ok(_) | Outcome::Unknown) => asked,
        _ => return None,
    };
    let access = |part: &Val| match *values.members(*part)? {
        [name, key, value] if values.bytes(name) == b"read" => Some(Access::Read(key, value)),
        [_, key, value] => Some(Access::Write(key, value)),
        // A read that says nothing.
        _ => None,
    };
    let accesses: Vec<Access> = values
        .members(transaction)?
        .iter()
        .filter_map(access)
        .collect();
    let writes = |access: &Access| matches!(access, Access::Write(..));
    let known = operation.outcome != Outcome::Unknown;
    (accesses.iter().any(writes) || known && !accesses.is_empty()).then_some(accesses)
}

/// What a node of a tree of registers takes, in bytes, with its part of the nodes above.
const NODE: usize = 144;

/// The registers.
#[derive(Clone, Copy, Debug, Default)]
pub struct MultiRegister {
    /// The value of each at the start.
    pub initial: Val,
}

impl Spec for MultiRegister {
    type Operation = Vec<Access>;
    /// The registers that have been written, by key.
    type State = BTreeMap<Val, Val>;

    fn initial(&self) -> BTreeMap<Val, Val> {
        BTreeMap::new()
    }

    fn step(
        &self,
        state: &BTreeMap<Val, Val>,
        operation: &Vec<Access>,
    ) -> Option<BTreeMap<Val, Val>> {
        let mut after = state.clone();
        for access in operation {
            match *access {
                Access::Write(key, value) if value == self.initial => _ = after.remove(&key),
                Access::Write(key, value) => _ = after.insert(key, value),
                Access::Read(key, value) => {
                    if after.get(&key).copied().unwrap_or(self.initial) != value {
                        return None;
                    }
                }
            }
        }
        Some(after)
    }

    fn effect(&self, operation: &Vec<Access>) -> Effect {
        let writes = |access: &Access| matches!(access, Access::Write(..));
        if operation.iter().all(writes) {
            Effect::Total
        } else if operation.iter().any(writes) {
            Effect::Partial
        } else {
            Effect::Read
        }
    }

    fn heap(&self, state: &BTreeMap<Val, Val>) -> usize {
        // A node of a tree has room for 11 registers, and all but the root are at least half full.
        state.len().div_ceil(5) * NODE
    }
}
