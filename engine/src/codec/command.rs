//! The batch in a slot's value: commands one after another, and nothing else. The empty value is
//! the no-op.

use std::sync::Arc;

use crate::codec::Malformed;
use crate::codec::wire::{Reader, put_bytes, put_u8, put_u64};
use crate::command::{Command, Value};
use crate::ids::{Sequence, SessionId};

const REGISTER: u8 = 1;
const APPLY: u8 = 2;

/// What a registration takes in a batch, in bytes.
pub const REGISTER_BYTES: usize = 1 + 8;

/// What an operation of so many bytes takes in a batch, in bytes.
#[must_use]
pub const fn apply_bytes(operation: usize) -> usize {
    1 + 8 + 8 + 8 + 4 + operation
}

/// Collects commands for one slot. The bounds on count and bytes are the caller's.
#[derive(Clone, Hash, Debug, Default)]
pub struct BatchBuilder {
    bytes: Vec<u8>,
    count: u32,
}

impl BatchBuilder {
    /// An empty batch.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            count: 0,
        }
    }

    /// Adds a registration.
    pub fn push_register(&mut self, nonce: u64) {
        put_u8(&mut self.bytes, REGISTER);
        put_u64(&mut self.bytes, nonce);
        self.count += 1;
    }

    /// Adds an operation.
    pub fn push_apply(
        &mut self,
        session: SessionId,
        sequence: Sequence,
        answered_below: Sequence,
        operation: &[u8],
    ) {
        put_u8(&mut self.bytes, APPLY);
        put_u64(&mut self.bytes, session.0);
        put_u64(&mut self.bytes, sequence.0);
        put_u64(&mut self.bytes, answered_below.0);
        put_bytes(&mut self.bytes, operation);
        self.count += 1;
    }

    /// How long the value is so far.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        self.bytes.len()
    }

    /// How many commands the batch holds.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.count
    }

    /// Whether nothing was added yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The value; the builder is empty again and keeps its memory.
    pub fn finish(&mut self) -> Value {
        let value = Value(Arc::from(self.bytes.as_slice()));
        self.bytes.clear();
        self.count = 0;
        value
    }
}

/// The commands of a value, in order; after an error nothing follows.
pub fn commands(value: &Value) -> impl Iterator<Item = Result<Command<'_>, Malformed>> {
    let mut from = Reader::new(&value.0);
    std::iter::from_fn(move || {
        if from.is_empty() {
            return None;
        }
        let command = command(&mut from);
        if command.is_err() {
            from = Reader::new(&[]);
        }
        Some(command)
    })
}

fn command<'a>(from: &mut Reader<'a>) -> Result<Command<'a>, Malformed> {
    match from.u8()? {
        REGISTER => Ok(Command::Register { nonce: from.u64()? }),
        APPLY => Ok(Command::Apply {
            session: SessionId(from.u64()?),
            sequence: Sequence(from.counter("sequence")?),
            answered_below: Sequence(from.counter("sequence")?),
            operation: from.bytes()?,
        }),
        _ => Err(Malformed::Unknown("kind of command")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_what_was_pushed() {
        let mut batch = BatchBuilder::new();
        batch.push_register(5);
        batch.push_apply(SessionId(1), Sequence(2), Sequence(1), b"op");
        assert_eq!(
            (batch.len(), batch.encoded_len()),
            (2, REGISTER_BYTES + apply_bytes(2))
        );
        let value = batch.finish();
        assert!(batch.is_empty());
        let found: Vec<_> = commands(&value).collect();
        let apply = Command::Apply {
            session: SessionId(1),
            sequence: Sequence(2),
            answered_below: Sequence(1),
            operation: b"op",
        };
        assert_eq!(found, [Ok(Command::Register { nonce: 5 }), Ok(apply)]);
    }

    #[test]
    fn the_noop_has_no_commands() {
        assert_eq!(commands(&Value::noop()).count(), 0);
        assert!(BatchBuilder::new().finish().is_noop());
    }

    #[test]
    fn a_cut_batch_ends_with_one_error() {
        let mut batch = BatchBuilder::new();
        batch.push_register(5);
        batch.push_register(6);
        let bytes = batch.finish().0;
        let cut = Value(Arc::from(&bytes[..bytes.len() - 1]));
        assert_eq!(
            commands(&cut).collect::<Vec<_>>(),
            [Ok(Command::Register { nonce: 5 }), Err(Malformed::Short)]
        );
    }
}
