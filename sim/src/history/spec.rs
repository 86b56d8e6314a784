//! What is correct, apart from how histories are searched: sequential specifications.
//!
//! A specification says what one operation does when it has the state for itself. The searches of
//! `check::linearizability` take any [`Spec`]; the [`Register`] and the [`KeyValue`] store are
//! given here, and a user's own is an `impl` away.

use std::collections::BTreeMap;
use std::hash::Hash;

use crate::history::operation::{Action, Call, Return, Text};

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

    /// The only part of the state that the operation touches. Parts are checked apart when every
    /// operation of a history has one; operations that touch several are checked whole.
    fn part<'a>(&self, _operation: &'a Self::Operation) -> Option<&'a [u8]> {
        None
    }
}

/// An operation on one key: what was done, and what came back if anything did.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Observed {
    /// What was asked.
    pub call: Call,
    /// What came back; none: unknown.
    pub reply: Option<Return>,
}

/// One register, which reads and writes, compares, appends and deletes. The key of an operation is
/// not looked at.
#[derive(Clone, Debug, Default)]
pub struct Register {
    /// The value at the start.
    pub initial: Option<Text>,
}

impl Spec for Register {
    type Operation = Observed;
    type State = Option<Text>;

    fn initial(&self) -> Option<Text> {
        self.initial.clone()
    }

    fn step(&self, state: &Option<Text>, operation: &Observed) -> Option<Option<Text>> {
        let (next, reply) = perform(state.as_ref(), &operation.call.action);
        match &operation.reply {
            Some(observed) if *observed != reply => None,
            _ => Some(next),
        }
    }

    fn effect(&self, operation: &Observed) -> Effect {
        match (&operation.call.action, &operation.reply) {
            (Action::Get, _) | (Action::Cas { .. }, Some(Return::Mismatch(_))) => Effect::Read,
            (Action::Put(_) | Action::Delete, None | Some(Return::Done)) => Effect::Blind,
            (Action::Append(_), None | Some(Return::Done)) => Effect::Total,
            _ => Effect::Partial,
        }
    }
}

/// A store of registers by key.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyValue;

impl Spec for KeyValue {
    type Operation = Observed;
    type State = BTreeMap<Text, Text>;

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(&self, state: &Self::State, operation: &Observed) -> Option<Self::State> {
        let key = &operation.call.key;
        let (next, reply) = perform(state.get(key), &operation.call.action);
        if operation
            .reply
            .as_ref()
            .is_some_and(|observed| *observed != reply)
        {
            return None;
        }
        let mut state = state.clone();
        match next {
            Some(value) => state.insert(key.clone(), value),
            None => state.remove(key),
        };
        Some(state)
    }

    fn effect(&self, operation: &Observed) -> Effect {
        match Register::default().effect(operation) {
            // One key is overwritten; the others stay.
            Effect::Blind => Effect::Total,
            effect => effect,
        }
    }

    fn part<'a>(&self, operation: &'a Observed) -> Option<&'a [u8]> {
        Some(&operation.call.key)
    }
}

/// What an action makes of a value, and what it returns.
#[must_use]
pub fn perform(value: Option<&Text>, action: &Action) -> (Option<Text>, Return) {
    match action {
        Action::Get => (value.cloned(), Return::Value(value.cloned())),
        Action::Put(new) => (Some(new.clone()), Return::Done),
        Action::Append(tail) => {
            let head = value.map_or(&[][..], |head| head);
            (Some([head, tail].concat().into()), Return::Done)
        }
        Action::Cas { expected, new } if value == expected.as_ref() => {
            (Some(new.clone()), Return::Done)
        }
        Action::Cas { .. } => (value.cloned(), Return::Mismatch(value.cloned())),
        Action::Delete => (None, Return::Done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(s: &str) -> Text {
        s.as_bytes().into()
    }

    #[test]
    fn a_store_is_registers_side_by_side() {
        let on = |key: &str, action| Observed {
            call: Call {
                key: text(key),
                action,
            },
            reply: None,
        };
        let mut state = KeyValue.initial();
        for operation in [
            on("a", Action::Append(text("x"))),
            on("b", Action::Put(text("1"))),
            on("a", Action::Append(text("y"))),
            on("b", Action::Delete),
        ] {
            state = KeyValue
                .step(&state, &operation)
                .expect("an unknown outcome is always possible");
        }
        assert_eq!(
            state.into_iter().collect::<Vec<_>>(),
            [(text("a"), text("xy"))]
        );
    }

    #[test]
    fn a_swap_returns_what_it_found() {
        let cas = Action::Cas {
            expected: None,
            new: text("1"),
        };
        assert_eq!(perform(None, &cas), (Some(text("1")), Return::Done));
        assert_eq!(
            perform(Some(&text("2")), &cas),
            (Some(text("2")), Return::Mismatch(Some(text("2"))))
        );
        let wrong = Observed {
            call: Call {
                key: text("k"),
                action: cas,
            },
            reply: Some(Return::Done),
        };
        assert_eq!(
            Register {
                initial: Some(text("2"))
            }
            .step(&Some(text("2")), &wrong),
            None
        );
    }
}
