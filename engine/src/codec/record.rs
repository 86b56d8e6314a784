//! The log's records: length (u32, of what follows), kind (u8), slot (u64), then for kind 1 (vote)
//! a ballot and a value, for kind 2 (learned) a value, for kind 3 (chosen below) nothing.

use std::sync::Arc;

use crate::codec::Malformed;
use crate::codec::wire::{Reader, put_ballot, put_count, put_slot, put_u8};
use crate::command::Value;
use crate::record::Record;

const VOTE: u8 = 1;
const LEARNED: u8 = 2;
const CHOSEN_BELOW: u8 = 3;

/// The most that a record takes beside its value, in bytes.
pub const OVERHEAD: usize = 4 + 1 + 8 + 9;

/// How many bytes the record takes.
#[must_use]
pub fn encoded_len(record: &Record) -> usize {
    match record {
        Record::Vote { value, .. } => OVERHEAD + value.0.len(),
        Record::Learned { value, .. } => 4 + 1 + 8 + value.0.len(),
        Record::ChosenBelow { .. } => 4 + 1 + 8,
    }
}

/// Appends the record.
pub fn put(out: &mut Vec<u8>, record: &Record) {
    put_count(out, encoded_len(record) - 4);
    match record {
        Record::Vote {
            slot,
            ballot,
            value,
        } => {
            put_u8(out, VOTE);
            put_slot(out, *slot);
            put_ballot(out, *ballot);
            out.extend_from_slice(&value.0);
        }
        Record::Learned { slot, value } => {
            put_u8(out, LEARNED);
            put_slot(out, *slot);
            out.extend_from_slice(&value.0);
        }
        Record::ChosenBelow { slot } => {
            put_u8(out, CHOSEN_BELOW);
            put_slot(out, *slot);
        }
    }
}

/// The records of a group's payload, in order; after an error nothing follows.
pub fn records(payload: &[u8]) -> impl Iterator<Item = Result<Record, Malformed>> + '_ {
    let mut from = Reader::new(payload);
    std::iter::from_fn(move || {
        if from.is_empty() {
            return None;
        }
        let record = from.bytes().and_then(record);
        if record.is_err() {
            from = Reader::new(&[]);
        }
        Some(record)
    })
}

fn record(bytes: &[u8]) -> Result<Record, Malformed> {
    let mut from = Reader::new(bytes);
    let (kind, slot) = (from.u8()?, from.slot()?);
    match kind {
        VOTE => {
            let ballot = from.ballot()?;
            Ok(Record::Vote {
                slot,
                ballot,
                value: Value(Arc::from(from.rest())),
            })
        }
        LEARNED => Ok(Record::Learned {
            slot,
            value: Value(Arc::from(from.rest())),
        }),
        CHOSEN_BELOW => from.end().map(|()| Record::ChosenBelow { slot }),
        _ => Err(Malformed::Unknown("kind of record")),
    }
}
