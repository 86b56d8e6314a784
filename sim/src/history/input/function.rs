//! What operations are called, and which of them each model has.

use crate::history::input::model::Model;

/// What an operation does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Function {
    /// `read`, `get`; of a set: the whole of it.
    Read,
    /// `write`, `put`.
    Write,
    /// `cas`.
    Cas,
    /// `append`.
    Append,
    /// `delete`.
    Delete,
    /// `acquire`, of a lock: a swap from free, which is absent, to taken.
    Acquire,
    /// `release`, of a lock: the other way round.
    Release,
    /// `enqueue`, at the end of a queue.
    Enqueue,
    /// `dequeue`, from the front of a queue.
    Dequeue,
    /// `add`, to a set.
    Add,
    /// `remove`, from a set.
    Remove,
    /// `contains`: whether a value is in a set.
    Contains,
    /// `txn`: reads and writes of several registers at once.
    Txn,
}

impl Function {
    /// The function of this name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "read" | "get" => Self::Read,
            "write" | "put" => Self::Write,
            "cas" => Self::Cas,
            "append" => Self::Append,
            "delete" => Self::Delete,
            "acquire" => Self::Acquire,
            "release" => Self::Release,
            "enqueue" => Self::Enqueue,
            "dequeue" => Self::Dequeue,
            "add" => Self::Add,
            "remove" => Self::Remove,
            "contains" => Self::Contains,
            "txn" => Self::Txn,
            _ => return None,
        })
    }

    /// Whether the objects of a model have it.
    pub fn of(self, model: Model) -> bool {
        match self {
            Self::Read => matches!(model, Model::Register | Model::KeyValue | Model::Set),
            Self::Write | Self::Cas | Self::Append | Self::Delete => {
                matches!(model, Model::Register | Model::KeyValue)
            }
            Self::Acquire | Self::Release => model == Model::Mutex,
            Self::Enqueue | Self::Dequeue => model == Model::Queue,
            Self::Add | Self::Remove | Self::Contains => model == Model::Set,
            Self::Txn => model == Model::MultiRegister,
        }
    }

    /// Whether what it returns is an answer, and not what it was called with.
    pub fn answers(self) -> bool {
        matches!(self, Self::Read | Self::Dequeue | Self::Contains)
    }
}
