//! A set.

use crate::history::recorded::{Asked, Outcome, Recorded};
use crate::history::spec::{Effect, Spec};
use crate::history::values::{ABSENT, Form, Val, Values};

/// An operation on a set, and what came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SetOperation {
    /// These values were in it and no others; ascending.
    Read(Box<[Val]>),
    /// This value was in it, or was not.
    Has(Val, bool),
    /// A value was put in, whether it was in or not.
    Add(Val),
    /// A value was taken out, whether it was in or not.
    Remove(Val),
    /// A value was put in that was not in it.
    Insert(Val),
    /// A value was taken out that was in it.
    Take(Val),
}

impl SetOperation {
    /// What an operation says and does; none if that is nothing.
    #[must_use]
    pub fn of(operation: &Recorded, values: &Values) -> Option<Self> {
        let answer = match operation.outcome {
            Outcome::Ok(value) => match values.get(value) {
                Some((Form::Other, b"true")) => Some(true),
                Some((Form::Other, b"false")) => Some(false),
                _ => None,
            },
            Outcome::Unknown => None,
            _ => return None,
        };
        Some(match (operation.asked, operation.outcome, answer) {
            (Asked::Read, Outcome::Ok(ABSENT), _) => Self::Read(Box::default()),
            (Asked::Read, Outcome::Ok(list), _) => {
                let mut members = values.members(list)?.to_vec();
                members.sort_unstable();
                members.dedup();
                Self::Read(members.into())
            }
            (Asked::Contains(value), _, Some(answer)) => Self::Has(value, answer),
            (Asked::Add(value), _, None) => Self::Add(value),
            (Asked::Add(value), _, Some(true)) => Self::Insert(value),
            (Asked::Add(value), _, Some(false)) => Self::Has(value, true),
            (Asked::Remove(value), _, None) => Self::Remove(value),
            (Asked::Remove(value), _, Some(true)) => Self::Take(value),
            (Asked::Remove(value), _, Some(false)) => Self::Has(value, false),
            _ => return None,
        })
    }

    /// The only value that it concerns; none of a read of the whole.
    #[must_use]
    pub fn value(&self) -> Option<Val> {
        match *self {
            Self::Read(_) => None,
            Self::Has(value, _)
            | Self::Add(value)
            | Self::Remove(value)
            | Self::Insert(value)
            | Self::Take(value) => Some(value),
        }
    }
}

/// The set, which is empty at the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Set;

impl Spec for Set {
    type Operation = SetOperation;
    /// The values in it, ascending.
    type State = Vec<Val>;

    fn initial(&self) -> Vec<Val> {
        Vec::new()
    }

    fn step(&self, state: &Vec<Val>, operation: &SetOperation) -> Option<Vec<Val>> {
        let Some(value) = operation.value() else {
            return (SetOperation::Read(state.as_slice().into()) == *operation)
                .then(|| state.clone());
        };
        let place = state.binary_search(&value);
        let mut after = state.clone();
        match (operation, place) {
            (SetOperation::Add(_) | SetOperation::Insert(_), Err(at)) => after.insert(at, value),
            (SetOperation::Remove(_) | SetOperation::Take(_), Ok(at)) => _ = after.remove(at),
            (SetOperation::Insert(_), Ok(_)) | (SetOperation::Take(_), Err(_)) => return None,
            (SetOperation::Has(_, expected), place) if *expected != place.is_ok() => return None,
            _ => {}
        }
        Some(after)
    }

    fn effect(&self, operation: &SetOperation) -> Effect {
        match operation {
            SetOperation::Read(_) | SetOperation::Has(..) => Effect::Read,
            SetOperation::Add(_) | SetOperation::Remove(_) => Effect::Total,
            SetOperation::Insert(_) | SetOperation::Take(_) => Effect::Partial,
        }
    }

    fn heap(&self, state: &Vec<Val>) -> usize {
        state.capacity() * size_of::<Val>()
    }
}
