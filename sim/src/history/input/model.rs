//! What a history is about.

/// What the operations are on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Model {
    /// One register; operations have no key.
    Register,
    /// A register for every key.
    KeyValue,
}
