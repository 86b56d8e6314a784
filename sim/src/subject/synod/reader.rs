//! A small reader of the engine's bytes for the checkers. It shares no code with the engine: both
//! follow the written format, so a mistake of the engine's codec or log is not repeated here.
//!
//! A frame, all integers little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | CRC-32C of all that follows |
//! | 4 | version, 1 |
//! | 5 | class: 1 peer, 2 request, 3 reply |
//! | 6..14 | cluster |
//! | 14 | sender |
//! | 15..23 | incarnation of the sender |
//! | 23 | kind of the body, within its class |
//! | 24.. | body |
//!
//! A ballot is a round (u64) and a node (u8). [`media`] reads files.

pub mod media;

use crate::subject::process::{Acknowledged, Claim, Description, MediaReader, Reader};
use crate::subject::synod::reader::media::Media;
use crate::trace::event::value_hash;

/// Where a frame's parts begin.
mod at {
    pub const VERSION: usize = 4;
    pub const CLASS: usize = 5;
    pub const KIND: usize = 23;
    pub const BODY: usize = 24;
}

const VERSION: u8 = 1;
const CLASS_PEER: u8 = 1;
const CLASS_REPLY: u8 = 3;

/// Kinds of messages between replicas that matter beyond their name.
mod kind {
    pub const PREPARE: u8 = 3;
    pub const PROMISE: u8 = 4;
    pub const ACCEPT: u8 = 5;
    pub const ACCEPTED: u8 = 6;
    pub const HEARTBEAT: u8 = 8;
    pub const CATCH_UP: u8 = 10;
    pub const CATCH_UP_REPLY: u8 = 11;
}

/// Kinds of replies that acknowledge.
mod reply {
    pub const REGISTERED: u8 = 1;
    pub const DONE: u8 = 2;
    pub const READ: u8 = 3;
}

/// The names of messages by their kind, from 1.
const NAMES: [&str; 12] = [
    "canvass",
    "canvass-reply",
    "prepare",
    "promise",
    "accept",
    "accepted",
    "reject",
    "heartbeat",
    "heartbeat-reply",
    "catch-up",
    "catch-up-reply",
    "resign",
];

/// The bytes of a ballot.
const BALLOT: usize = 9;
/// A reply's body begins with a tag (u8) and two words that name the request.
const REQUEST_ID: usize = 17;

/// The reader.
#[derive(Clone, Copy, Debug)]
pub struct SynodReader;

impl SynodReader {
    /// The ballot of a heartbeat of that sender. The checksum is not looked at: a replica that
    /// leads says so again and again.
    #[must_use]
    pub fn leads(from: u8, bytes: &[u8]) -> Option<(u64, u8)> {
        if bytes.get(at::KIND) != Some(&kind::HEARTBEAT) {
            return None;
        }
        ballot(bytes, at::BODY).filter(|ballot| ballot.1 == from)
    }
}

impl Reader for SynodReader {
    fn kinds(&self) -> &'static [&'static str] {
        &NAMES
    }

    fn kind(&self, bytes: &[u8]) -> Option<usize> {
        let number = usize::from(*bytes.get(at::KIND)?).checked_sub(1)?;
        (number < NAMES.len()).then_some(number)
    }

    fn describe(&self, bytes: &[u8]) -> Option<Description> {
        let (sum, rest) = bytes.split_at_checked(4)?;
        if sum != crc32c::crc32c(rest).to_le_bytes()
            || bytes.get(at::VERSION) != Some(&VERSION)
            || bytes.get(at::CLASS) != Some(&CLASS_PEER)
        {
            return None;
        }
        let kind = *bytes.get(at::KIND)?;
        let name = NAMES[self.kind(bytes)?];
        let ballot = if matches!(kind, kind::CATCH_UP | kind::CATCH_UP_REPLY) {
            None
        } else {
            Some(ballot(bytes, at::BODY)?)
        };
        let slot = match kind {
            kind::CATCH_UP | kind::CATCH_UP_REPLY => Some(word(bytes, at::BODY)?),
            kind::PREPARE | kind::PROMISE | kind::ACCEPT => Some(word(bytes, at::BODY + BALLOT)?),
            kind::ACCEPTED => word(bytes, at::BODY + BALLOT + 4),
            _ => None,
        };
        Some(Description {
            kind: name,
            ballot,
            slot,
            claim: self.claim(bytes),
        })
    }

    fn claim(&self, bytes: &[u8]) -> Claim {
        match bytes.get(at::KIND) {
            Some(&kind::PROMISE) if bytes[at::CLASS] == CLASS_PEER => {
                ballot(bytes, at::BODY).map_or(Claim::Nothing, Claim::Promise)
            }
            Some(&kind::ACCEPTED) if bytes[at::CLASS] == CLASS_PEER => {
                votes(bytes).unwrap_or_default()
            }
            _ => Claim::Nothing,
        }
    }

    fn acknowledged(&self, bytes: &[u8]) -> Option<Acknowledged> {
        const OUTCOME: usize = at::BODY + REQUEST_ID;
        if *bytes.get(at::CLASS)? != CLASS_REPLY {
            return None;
        }
        match *bytes.get(at::KIND)? {
            // A session is named after the place that opened it: the slot + 1, shifted by 16, and
            // the index.
            reply::REGISTERED => Some(Acknowledged::Registered {
                slot: (word(bytes, OUTCOME)? >> 16).checked_sub(1)?,
            }),
            reply::DONE => Some(Acknowledged::Done {
                session: word(bytes, at::BODY + 1)?,
                sequence: word(bytes, at::BODY + 9)?,
                slot: word(bytes, OUTCOME)?,
                index: u16::from_le_bytes(*bytes.get(OUTCOME + 8..)?.first_chunk()?),
                result: value_hash(bytes.get(OUTCOME + 14..)?),
            }),
            reply::READ => Some(Acknowledged::Read {
                below: word(bytes, OUTCOME)?,
            }),
            _ => None,
        }
    }

    fn media(&self) -> Box<dyn MediaReader> {
        Box::new(Media::default())
    }
}

/// Ballot, count (u32), slots.
fn votes(bytes: &[u8]) -> Option<Claim> {
    let ballot = ballot(bytes, at::BODY)?;
    let slots = bytes.get(at::BODY + BALLOT + 4..)?;
    Some(Claim::Votes(
        ballot,
        slots
            .chunks_exact(8)
            .filter_map(|slot| word(slot, 0))
            .collect(),
    ))
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn ballot(bytes: &[u8], at: usize) -> Option<(u64, u8)> {
    Some((word(bytes, at)?, *bytes.get(at + 8)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(class: u8, kind: u8, body: &[&[u8]]) -> Vec<u8> {
        let mut rest = vec![VERSION, class];
        rest.extend_from_slice(&77u64.to_le_bytes());
        rest.push(2);
        rest.extend_from_slice(&9u64.to_le_bytes());
        rest.push(kind);
        rest.extend(body.concat());
        [&crc32c::crc32c(&rest).to_le_bytes()[..], &rest].concat()
    }

    const ROUND: [u8; 8] = 6u64.to_le_bytes();

    fn n(word: u64) -> [u8; 8] {
        word.to_le_bytes()
    }

    #[test]
    fn promises_and_votes_are_claims_and_nothing_else_is() {
        let promise = frame(CLASS_PEER, kind::PROMISE, &[&ROUND, &[1], &n(40), &[0; 21]]);
        assert_eq!(SynodReader.claim(&promise), Claim::Promise((6, 1)));
        let expected = Description {
            kind: "promise",
            ballot: Some((6, 1)),
            slot: Some(40),
            claim: Claim::Promise((6, 1)),
        };
        assert_eq!(SynodReader.describe(&promise), Some(expected));
        let accepted = frame(
            CLASS_PEER,
            kind::ACCEPTED,
            &[&ROUND, &[1], &2u32.to_le_bytes(), &n(3), &n(5)],
        );
        assert_eq!(
            SynodReader.claim(&accepted),
            Claim::Votes((6, 1), vec![3, 5])
        );
        assert_eq!(SynodReader.describe(&accepted).unwrap().slot, Some(3));
        for kind in (1..=12).filter(|kind| ![kind::PROMISE, kind::ACCEPTED].contains(kind)) {
            let message = frame(CLASS_PEER, kind, &[&ROUND, &[1], &[0; 40]]);
            assert_eq!(SynodReader.claim(&message), Claim::Nothing);
            assert_eq!(
                SynodReader.describe(&message).unwrap().kind,
                NAMES[usize::from(kind) - 1]
            );
        }
        assert_eq!(
            SynodReader.claim(&frame(CLASS_REPLY, kind::PROMISE, &[&ROUND, &[1]])),
            Claim::Nothing
        );
    }

    #[test]
    fn damage_is_not_described_and_a_cut_frame_claims_nothing() {
        let promise = frame(CLASS_PEER, kind::PROMISE, &[&ROUND, &[1], &n(40), &[0; 21]]);
        for at in 0..promise.len() {
            let mut bytes = promise.clone();
            bytes[at] ^= 1;
            assert_eq!(SynodReader.describe(&bytes), None);
            assert_eq!(SynodReader.describe(&promise[..at]), None);
            let claim = SynodReader.claim(&promise[..at]);
            assert_eq!(claim == Claim::Nothing, at < 33);
        }
        assert_eq!(
            SynodReader.describe(&frame(CLASS_PEER, 13, &[&ROUND, &[1]])),
            None
        );
        assert_eq!(
            SynodReader.describe(&frame(CLASS_PEER, 0, &[&ROUND, &[1]])),
            None
        );
    }

    #[test]
    fn replies_tell_what_they_acknowledge() {
        let id = |tag: u8, a: u64, b: u64| [&[tag][..], &n(a), &n(b)].concat();
        let registered = frame(
            CLASS_REPLY,
            reply::REGISTERED,
            &[&id(1, 5, 0), &n(4 << 16 | 2)],
        );
        assert_eq!(
            SynodReader.acknowledged(&registered),
            Some(Acknowledged::Registered { slot: 3 })
        );
        let done = frame(
            CLASS_REPLY,
            reply::DONE,
            &[
                &id(2, 70, 8),
                &n(12),
                &1u16.to_le_bytes(),
                &2u32.to_le_bytes(),
                b"ok",
            ],
        );
        let expected = Acknowledged::Done {
            session: 70,
            sequence: 8,
            slot: 12,
            index: 1,
            result: value_hash(b"ok"),
        };
        assert_eq!(SynodReader.acknowledged(&done), Some(expected));
        let read = frame(
            CLASS_REPLY,
            reply::READ,
            &[&id(1, 5, 0), &n(9), &0u32.to_le_bytes()],
        );
        assert_eq!(
            SynodReader.acknowledged(&read),
            Some(Acknowledged::Read { below: 9 })
        );
        for refusal in 4..=7 {
            assert_eq!(
                SynodReader.acknowledged(&frame(CLASS_REPLY, refusal, &[&id(2, 70, 8), &[0; 2]])),
                None
            );
        }
        for at in 0..registered.len() {
            assert_eq!(SynodReader.acknowledged(&registered[..at]), None);
        }
        assert_eq!(
            SynodReader.acknowledged(&frame(CLASS_PEER, reply::DONE, &[&[0; 60]])),
            None
        );
    }
}
