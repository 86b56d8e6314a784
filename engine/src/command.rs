//! What a slot carries: a value, which is a batch of commands or a no-op.
//!
//! A value stays encoded while it is proposed, voted for, logged and sent; only the executor opens
//! it. So a vote copies a pointer, and two values are equal when their bytes are.

use std::sync::Arc;

use synod_port::files::Bytes;

use crate::ids::{Sequence, SessionId};

/// The value of one slot: an encoded batch. The empty value is the no-op that phase 1 fills holes
/// with.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Value(pub Bytes);

impl Value {
    /// The no-op.
    #[must_use]
    pub fn noop() -> Self {
        Self(Arc::from([]))
    }

    /// Whether this is the no-op.
    #[must_use]
    pub fn is_noop(&self) -> bool {
        self.0.is_empty()
    }
}

/// One command of a batch, borrowed from the value that holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command<'a> {
    /// Open a session. `nonce` lets the client recognise the reply.
    Register {
        /// Chosen by the client; only echoed.
        nonce: u64,
    },
    /// Apply an operation to the state machine, exactly once in its session.
    Apply {
        /// The session.
        session: SessionId,
        /// The request's number in the session.
        sequence: Sequence,
        /// Every request below this one has been answered; its reply may be forgotten (RIFL's
        /// acknowledgement).
        answered_below: Sequence,
        /// The state machine's own encoding of the operation.
        operation: &'a [u8],
    },
}
