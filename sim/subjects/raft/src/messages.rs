//! Names of raft's messages, read from their bytes with no code of raft's or of protobuf's.
//!
//! The numbers of a message stand before all else, each as a tag and a varint, and those that are 0
//! are left out: 1 the type, 2 to, 3 from, 4 the term, 5 the term at the index, 6 the index.

use synod_sim::prelude::*;

/// By raft's number of the type. Where the library of scenarios has a name for what a message does,
/// it is called so, and faults that are aimed at that name hit it: an append is an `accept`, a
/// request for a vote a `prepare`, one before the vote a `canvass`, a snapshot a `catch-up-reply`.
/// The types that are said only within a replica lend their places to names of the library that
/// raft has no message for. A plan that names a kind that is unknown here could not be written
/// down.
#[rustfmt::skip]
const KINDS: [&str; 19] = [
    "reject", "resign", "propose", "accept", "accepted", "prepare", "promise", "catch-up-reply",
    "heartbeat", "heartbeat-reply", "catch-up", "unused-11", "unused-12", "transfer-leader",
    "timeout-now", "read-index", "read-index-reply", "canvass", "canvass-reply",
];

pub struct Messages;

impl Reader for Messages {
    fn describe(&self, bytes: &[u8]) -> Option<Description> {
        let [_, kind, _, from, term, _, index] = head(frame::unsealed(bytes)?)?;
        Some(Description {
            kind: KINDS.get(usize::try_from(kind).ok()?)?,
            ballot: (term > 0).then_some((term, node_of(from)?.0)),
            slot: (index > 0).then_some(index),
            claim: Claim::Nothing,
        })
    }

    fn kinds(&self) -> &'static [&'static str] {
        &KINDS
    }

    fn kind(&self, bytes: &[u8]) -> Option<usize> {
        match *bytes {
            [0x08, kind, ..] => Some(usize::from(kind)).filter(|kind| *kind < KINDS.len()),
            _ => None,
        }
    }
}

/// The term of a message that is of one of these kinds.
pub fn term_of(bytes: &[u8], kinds: &[&str]) -> Option<u64> {
    let [_, kind, _, _, term, ..] = head(bytes)?;
    let name = KINDS.get(usize::try_from(kind).ok()?)?;
    kinds.contains(name).then_some(term)
}

/// The first six fields, by their numbers.
fn head(mut bytes: &[u8]) -> Option<[u64; 7]> {
    let mut fields = [0; 7];
    while let Some((tag, rest)) = bytes.split_first()
        && let Some(field) = fields.get_mut(usize::from(tag / 8))
        && tag % 8 == 0
    {
        let end = rest.iter().take(10).position(|byte| *byte < 0x80)? + 1;
        let digits = rest[..end].iter().rev();
        *field = digits.fold(0, |value, digit| value << 7 | u64::from(digit & 0x7f));
        bytes = &rest[end..];
    }
    Some(fields)
}

/// Raft's name of a replica: not its number, and none of those begins at 1.
pub fn id_of(node: Node) -> u64 {
    10 * (u64::from(node.0) + 1)
}

pub fn node_of(id: u64) -> Option<Node> {
    u8::try_from((id / 10).checked_sub(1)?).ok().map(Node)
}
