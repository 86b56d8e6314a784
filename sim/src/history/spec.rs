//! What is correct, apart from how histories are searched: sequential specifications.
//!
//! A specification says what one operation does when it has the state for itself. The searches of
//! `check::linearizability` take any [`Spec`]; the objects that have one are in files of their own.

use std::hash::Hash;

/// What a specification promises about an operation, so that a search can leave work out.
/// [`Effect::Partial`] promises nothing and is always right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Never changes the state.
    Read,
    /// Possible in every state, and the state that it leaves does not depend on the one that it
    /// found.
    Blind,
    /// Possible in every state.
    Total,
    /// Possible in some states.
    Partial,
}

/// A sequential specification.
pub trait Spec {
    /// A call together with what is known of its outcome.
    type Operation: PartialEq;
    /// A state of the object.
    type State: Clone + Eq + Hash;

    /// The state at the start.
    fn initial(&self) -> Self::State;

    /// The state after this operation, or none if it cannot have this outcome in this state. Of an
    /// operation whose outcome is unknown: the state after it took effect.
    fn step(&self, state: &Self::State, operation: &Self::Operation) -> Option<Self::State>;

    /// What can be promised about an operation.
    fn effect(&self, _operation: &Self::Operation) -> Effect {
        Effect::Partial
    }

    /// What a state takes beside itself, in bytes.
    fn heap(&self, _state: &Self::State) -> usize {
        0
    }
}
