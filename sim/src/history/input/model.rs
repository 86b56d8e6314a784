//! What a history is about.

/// What the operations are on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Model {
    /// One register; operations have no key.
    Register,
    /// A register for every key.
    KeyValue,
    /// A lock.
    Mutex,
    /// A set, or one for every key.
    Set,
    /// A queue, first in first out, or one for every key.
    Queue,
    /// Registers that transactions read and write, several at once.
    MultiRegister,
}

impl Model {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Register,
        Self::KeyValue,
        Self::Mutex,
        Self::Set,
        Self::Queue,
        Self::MultiRegister,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::KeyValue => "kv",
            Self::Mutex => "mutex",
            Self::Set => "set",
            Self::Queue => "queue",
            Self::MultiRegister => "multi-register",
        }
    }

    /// What its operations are called, for messages.
    #[must_use]
    pub const fn functions(self) -> &'static str {
        match self {
            Self::Register | Self::KeyValue => "read, write, cas, append or delete",
            Self::Mutex => "acquire or release",
            Self::Set => "add, remove, contains or read",
            Self::Queue => "enqueue or dequeue",
            Self::MultiRegister => "txn",
        }
    }
}
