//! Operations of a key-value store as a client sees them, and what came back.

use std::sync::Arc;

/// A key or a value: bytes, mostly text.
pub type Text = Arc<[u8]>;

/// What a client asks for. Every call concerns one key.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Call {
    /// The key.
    pub key: Text,
    /// What to do with it.
    pub action: Action,
}

/// What is done to a key.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Read the value.
    Get,
    /// Set the value.
    Put(Text),
    /// Append to the value; an absent one counts as empty.
    Append(Text),
    /// Set the value to `new` if it is `expected` (none: absent).
    Cas {
        /// The value that must be there.
        expected: Option<Text>,
        /// The value to set.
        new: Text,
    },
    /// Make the key absent.
    Delete,
}

impl Action {
    /// What each kind is called, in the order of [`Action::kind`].
    pub const KINDS: [&str; 5] = ["get", "put", "append", "cas", "delete"];

    /// Which kind it is: an index into [`Action::KINDS`].
    #[must_use]
    pub const fn kind(&self) -> usize {
        match self {
            Self::Get => 0,
            Self::Put(_) => 1,
            Self::Append(_) => 2,
            Self::Cas { .. } => 3,
            Self::Delete => 4,
        }
    }
}

/// What an operation that took effect returned.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Return {
    /// A get's value; none: absent.
    Value(Option<Text>),
    /// A put, append or delete was done, or a compare-and-set succeeded.
    Done,
    /// A compare-and-set found another value: this one (none: absent).
    Mismatch(Option<Text>),
}
