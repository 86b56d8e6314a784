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

use crc_fast::crc32_iscsi;

use crate::subject::process::{
    Acknowledged, Claim, Description, MediaReader, Promise, Reader, Report,
};
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
        Self::own_ballot(kind::HEARTBEAT, from, bytes)
    }

    /// The ballot of a prepare of that sender, as cheaply.
    #[must_use]
    pub fn campaigns(from: u8, bytes: &[u8]) -> Option<(u64, u8)> {
        Self::own_ballot(kind::PREPARE, from, bytes)
    }

    fn own_ballot(of: u8, from: u8, bytes: &[u8]) -> Option<(u64, u8)> {
        if bytes.get(at::KIND) != Some(&of) {
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
        if sum != crc32_iscsi(rest).to_le_bytes()
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
                promise(bytes).map_or(Claim::Nothing, Claim::Promise)
            }
            Some(&kind::ACCEPTED) if bytes[at::CLASS] == CLASS_PEER => {
                votes(bytes).unwrap_or_default()
            }
            Some(&kind::ACCEPT) if bytes[at::CLASS] == CLASS_PEER => {
                proposal(bytes).unwrap_or_default()
            }
            _ => Claim::Nothing,
        }
    }

    fn is_promise(&self, bytes: &[u8]) -> bool {
        bytes.get(at::KIND) == Some(&kind::PROMISE) && bytes[at::CLASS] == CLASS_PEER
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

    fn media(&self) -> Option<Box<dyn MediaReader>> {
        Some(Box::new(Media::default()))
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

/// Ballot, slot, the first slot not known to be chosen, length (u32), value.
fn proposal(bytes: &[u8]) -> Option<Claim> {
    const SLOT: usize = at::BODY + BALLOT;
    const LENGTH: usize = SLOT + 8 + 8;
    let value = bytes.get(LENGTH + 4..)?;
    (usize::try_from(length(bytes, LENGTH)?) == Ok(value.len())).then_some(Claim::Proposal {
        ballot: ballot(bytes, at::BODY)?,
        slot: word(bytes, SLOT)?,
        value: value_hash(value),
    })
}

/// Ballot, first slot, whether a page follows (u8), where it begins, the first slot not known to be
/// chosen, count (u32), reports: slot, ballot, whether it is chosen (u8), length (u32), value.
fn promise(bytes: &[u8]) -> Option<Promise> {
    const FROM: usize = at::BODY + BALLOT;
    const MORE: usize = FROM + 8;
    const NEXT: usize = MORE + 1;
    const COUNT: usize = NEXT + 8 + 8;
    const REPORT: usize = 8 + BALLOT + 1 + 4;
    let count = usize::try_from(length(bytes, COUNT)?).ok()?;
    let mut rest = bytes.get(COUNT + 4..)?;
    let mut reports = Vec::with_capacity(count.min(rest.len() / REPORT));
    for _ in 0..count {
        let (head, tail) = rest.split_at_checked(REPORT)?;
        let value = usize::try_from(length(head, REPORT - 4)?).ok()?;
        let (value, tail) = tail.split_at_checked(value)?;
        reports.push(Report {
            slot: word(head, 0)?,
            ballot: ballot(head, 8)?,
            value: value_hash(value),
            chosen: head[8 + BALLOT] == 1,
        });
        rest = tail;
    }
    Some(Promise {
        ballot: ballot(bytes, at::BODY)?,
        from: word(bytes, FROM)?,
        next: if bytes[MORE] == 1 {
            Some(word(bytes, NEXT)?)
        } else {
            None
        },
        reports,
    })
}

fn length(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
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
        [&crc32_iscsi(&rest).to_le_bytes()[..], &rest].concat()
    }

    const ROUND: [u8; 8] = 6u64.to_le_bytes();

    fn n(word: u64) -> [u8; 8] {
        word.to_le_bytes()
    }

    /// The page from slot 40 on of a promise of 6.r2, with two votes, and another page from slot 50
    /// on.
    fn page() -> Vec<u8> {
        let report = |slot: u64, node: u8, chosen: u8, value: &[u8]| {
            let length = u32::try_from(value.len()).unwrap().to_le_bytes();
            [&n(slot)[..], &n(5), &[node, chosen], &length, value].concat()
        };
        frame(
            CLASS_PEER,
            kind::PROMISE,
            &[
                &ROUND,
                &[1],
                &n(40),
                &[1],
                &n(50),
                &n(41),
                &2u32.to_le_bytes(),
                &report(41, 0, 1, b""),
                &report(43, 2, 0, b"abc"),
            ],
        )
    }

    #[test]
    fn promises_and_votes_are_claims_and_nothing_else_is() {
        let promise = Claim::Promise(Promise {
            ballot: (6, 1),
            from: 40,
            next: Some(50),
            reports: vec![
                Report {
                    slot: 41,
                    ballot: (5, 0),
                    value: value_hash(b""),
                    chosen: true,
                },
                Report {
                    slot: 43,
                    ballot: (5, 2),
                    value: value_hash(b"abc"),
                    chosen: false,
                },
            ],
        });
        let expected = Description {
            kind: "promise",
            ballot: Some((6, 1)),
            slot: Some(40),
            claim: promise.clone(),
        };
        assert_eq!(SynodReader.claim(&page()), promise);
        assert_eq!(SynodReader.describe(&page()), Some(expected));
        let last = frame(CLASS_PEER, kind::PROMISE, &[&ROUND, &[1], &n(40), &[0; 21]]);
        let nothing = Promise {
            ballot: (6, 1),
            from: 40,
            ..Promise::default()
        };
        assert_eq!(SynodReader.claim(&last), Claim::Promise(nothing));
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
        let accept = frame(
            CLASS_PEER,
            kind::ACCEPT,
            &[&ROUND, &[1], &n(7), &n(5), &3u32.to_le_bytes(), b"abc"],
        );
        let proposal = Claim::Proposal {
            ballot: (6, 1),
            slot: 7,
            value: value_hash(b"abc"),
        };
        assert_eq!(SynodReader.claim(&accept), proposal);
        assert_eq!(
            SynodReader.claim(&accept[..accept.len() - 1]),
            Claim::Nothing
        );
        let claims = [kind::PROMISE, kind::ACCEPT, kind::ACCEPTED];
        for kind in (1..=12).filter(|kind| !claims.contains(kind)) {
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
        let promise = page();
        for at in 0..promise.len() {
            let mut bytes = promise.clone();
            bytes[at] ^= 1;
            assert_eq!(SynodReader.describe(&bytes), None);
            assert_eq!(SynodReader.describe(&promise[..at]), None);
            assert_eq!(SynodReader.claim(&promise[..at]), Claim::Nothing);
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
