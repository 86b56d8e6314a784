//! The bytes' alphabet: little-endian numbers and counted byte strings, written to the end of a
//! vector and read off the front of a slice.

use std::sync::Arc;

use synod_port::files::Bytes;

use crate::codec::Malformed;
use crate::command::Value;
use crate::ids::{Ballot, NodeId, Slot};

/// Slots are below this one, so that a session's id (a place in 64 bits) cannot overflow.
const SLOT_END: u64 = 1 << 47;
/// Rounds, sequences and other counters are below this one.
const COUNT_END: u64 = 1 << 62;
/// Nodes are below this one, so that a set of them fits in a word.
const NODE_END: u8 = 64;

#[inline]
pub(crate) fn put_u8(out: &mut Vec<u8>, n: u8) {
    out.push(n);
}

#[inline]
pub(crate) fn put_u32(out: &mut Vec<u8>, n: u32) {
    out.extend_from_slice(&n.to_le_bytes());
}

#[inline]
pub(crate) fn put_u64(out: &mut Vec<u8>, n: u64) {
    out.extend_from_slice(&n.to_le_bytes());
}

#[inline]
pub(crate) fn put_slot(out: &mut Vec<u8>, slot: Slot) {
    put_u64(out, slot.0);
}

#[inline]
pub(crate) fn put_ballot(out: &mut Vec<u8>, ballot: Ballot) {
    let mut bytes = [0; 9];
    bytes[..8].copy_from_slice(&ballot.round.to_le_bytes());
    bytes[8] = ballot.node.0;
    out.extend_from_slice(&bytes);
}

/// A length, then the bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u32(
        out,
        u32::try_from(bytes.len()).expect(
            "nothing of 4 GiB is encoded: batches and operations are bounded by the configuration",
        ),
    );
    out.extend_from_slice(bytes);
}

/// How many of something follow.
pub(crate) fn put_count(out: &mut Vec<u8>, count: usize) {
    put_u32(
        out,
        u32::try_from(count)
            .expect("nothing is counted in billions: a message holds at most a window of slots"),
    );
}

/// Reads off the front of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Malformed::Short)?;
        self.rest = rest;
        Ok(*taken)
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    #[inline]
    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A number that is counted up by ones.
    #[inline]
    pub(crate) fn counter(&mut self, what: &'static str) -> Result<u64, Malformed> {
        self.u64().and_then(|n| {
            if n < COUNT_END {
                Ok(n)
            } else {
                Err(Malformed::Range(what))
            }
        })
    }

    #[inline]
    pub(crate) fn flag(&mut self) -> Result<bool, Malformed> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed::Unknown("flag")),
        }
    }

    #[inline]
    pub(crate) fn node(&mut self) -> Result<NodeId, Malformed> {
        self.u8().and_then(|n| {
            if n < NODE_END {
                Ok(NodeId(n))
            } else {
                Err(Malformed::Range("node"))
            }
        })
    }

    #[inline]
    pub(crate) fn slot(&mut self) -> Result<Slot, Malformed> {
        self.u64().and_then(|n| {
            if n < SLOT_END {
                Ok(Slot(n))
            } else {
                Err(Malformed::Range("slot"))
            }
        })
    }

    #[inline]
    pub(crate) fn ballot(&mut self) -> Result<Ballot, Malformed> {
        Ok(Ballot {
            round: self.counter("round")?,
            node: self.node()?,
        })
    }

    /// A counted byte string, borrowed.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u32()?;
        self.take(usize::try_from(length).map_err(|_| Malformed::Short)?)
    }

    /// A counted byte string, copied.
    pub(crate) fn shared(&mut self) -> Result<Bytes, Malformed> {
        self.bytes().map(Arc::from)
    }

    pub(crate) fn value(&mut self) -> Result<Value, Malformed> {
        self.shared().map(Value)
    }

    /// A count of things that take at least `least` bytes each: never more than can be there.
    pub(crate) fn count(&mut self, least: usize) -> Result<usize, Malformed> {
        let count = usize::try_from(self.u32()?).map_err(|_| Malformed::Short)?;
        if count > self.rest.len() / least {
            Err(Malformed::Short)
        } else {
            Ok(count)
        }
    }

    /// Nothing may follow.
    pub(crate) const fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed::Long)
        }
    }
}
