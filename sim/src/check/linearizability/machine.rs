//! What a search needs to know of an object: numbered states, numbered operations, and how one
//! leads to the other.
//!
//! The searches see no values. [`Interned`] makes a machine of any specification;
//! `register::RegisterMachine` is the fast one of the built-in register, which also knows the
//! future: which values an operation that has not returned yet will still ask for.

use std::hash::{Hash, Hasher};

use crate::check::linearizability::room::Pile;
use crate::history::spec::{Effect, Spec};
use crate::history::table::{Fixed, Table};

/// A specification with numbered states and operations.
pub trait Machine {
    /// The state at the start.
    fn initial(&self) -> u32;

    /// The state after this operation, or none if it cannot have its outcome in this state.
    /// Everything that returned before the place `now` is done with.
    fn step(&mut self, state: u32, operation: u32, now: u32) -> Option<u32>;

    /// What can be promised about an operation.
    fn effect(&self, operation: u32) -> Effect;

    /// Whether two operations do and say the same.
    fn alike(&self, one: u32, other: u32) -> bool;

    /// A state that nothing which returns at `now` or later can tell from this one.
    fn settle(&mut self, state: u32, _now: u32) -> u32 {
        state
    }

    /// Whether an operation whose outcome is unknown can be left out from here on: whatever can
    /// come with it, can come without.
    fn idle(&self, _operation: u32, _now: u32) -> bool {
        false
    }

    /// A state that every other state can stand in for, if there is one.
    fn worst(&self) -> Option<u32> {
        None
    }

    /// What the states that it has numbered take.
    fn bytes(&self) -> usize {
        0
    }
}

/// A machine of any specification: its states are numbered as they are met.
pub struct Interned<'a, S: Spec> {
    spec: &'a S,
    operations: Vec<&'a S::Operation>,
    states: Pile<S::State>,
    table: Table,
    /// What the states take beside themselves.
    heap: usize,
}

impl<'a, S: Spec> Interned<'a, S> {
    /// The machine of these operations.
    pub fn new(spec: &'a S, operations: Vec<&'a S::Operation>) -> Self {
        let mut machine = Self {
            spec,
            operations,
            states: Pile::default(),
            table: Table::default(),
            heap: 0,
        };
        machine.number(spec.initial());
        machine
    }

    fn number(&mut self, state: S::State) -> u32 {
        let mut hasher = Fixed::default();
        state.hash(&mut hasher);
        let hash = hasher.finish();
        if let Some(found) = self
            .table
            .find(hash, |at| self.states[at as usize] == state)
        {
            return found;
        }
        let number = u32::try_from(self.states.len())
            .expect("the search's budget ends long before 2^32 states");
        self.heap += self.spec.heap(&state);
        self.states.push(state);
        self.table.insert(hash, number);
        number
    }
}

impl<S: Spec> Machine for Interned<'_, S> {
    fn initial(&self) -> u32 {
        0
    }

    fn step(&mut self, state: u32, operation: u32, _now: u32) -> Option<u32> {
        let next = self.spec.step(
            &self.states[state as usize],
            self.operations[operation as usize],
        )?;
        Some(if next == self.states[state as usize] {
            state
        } else {
            self.number(next)
        })
    }

    fn effect(&self, operation: u32) -> Effect {
        self.spec.effect(self.operations[operation as usize])
    }

    fn bytes(&self) -> usize {
        self.states.bytes() + self.heap + self.table.bytes()
    }

    fn alike(&self, one: u32, other: u32) -> bool {
        self.operations[one as usize] == self.operations[other as usize]
    }
}
