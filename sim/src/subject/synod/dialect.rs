//! The client's side of the engine's protocol, for its key-value store.
//!
//! Most reads ask the leader for a confirmed read; every fourth goes through the log like a write,
//! so that both ways are exercised. A read's nonce carries its session and number, so that the
//! answer finds its request.

use synod_engine::codec::request::{decode_reply, encode_request};
use synod_engine::ids::{ClusterId, Sequence, SessionId};
use synod_engine::key_value::{Operation, Returned};
use synod_engine::message::{Outcome, Request, RequestId};
use synod_port::files::Bytes;

use crate::history::operation::{Action, Call, Return, Text};
use crate::ids::Node;
use crate::subject::process::{Answer, CLUSTER, Dialect, Refusal, Session};

/// Marks the nonce of a read; the rest is the session and, below it, the request's number.
const READ: u64 = 1 << 63;
const SEQUENCE_BITS: u32 = 20;

/// One read in so many goes through the log.
const LOGGED_READ_EVERY: u64 = 4;

/// The dialect of the engine with its key-value store.
pub struct KeyValueDialect;

impl Dialect for KeyValueDialect {
    fn register(&self, nonce: u64) -> Option<Bytes> {
        Some(encode_request(
            &mut Vec::new(),
            ClusterId(CLUSTER),
            &Request::Register {
                nonce: nonce & !READ,
            },
        ))
    }

    fn request(&self, session: Session, sequence: u64, answered_below: u64, call: &Call) -> Bytes {
        let mut operation = Vec::with_capacity(64);
        encode(call).encode(&mut operation);
        let operation: Bytes = operation.into();
        let confirmed =
            matches!(call.action, Action::Get) && !sequence.is_multiple_of(LOGGED_READ_EVERY);
        let request = if confirmed {
            Request::Read {
                nonce: READ | session.0 << SEQUENCE_BITS | sequence,
                operation,
            }
        } else {
            let (session, sequence, answered_below) = (
                SessionId(session.0),
                Sequence(sequence),
                Sequence(answered_below),
            );
            Request::Apply {
                session,
                sequence,
                answered_below,
                operation,
            }
        };
        encode_request(&mut Vec::with_capacity(256), ClusterId(CLUSTER), &request)
    }

    fn reply(&self, bytes: &[u8]) -> Option<Answer> {
        let (_, reply) = decode_reply(bytes).ok()?;
        let (session, sequence) = match reply.to {
            RequestId::Nonce(nonce) if nonce & READ == 0 => (Session(0), nonce),
            RequestId::Nonce(nonce) => (
                Session((nonce & !READ) >> SEQUENCE_BITS),
                nonce & ((1 << SEQUENCE_BITS) - 1),
            ),
            RequestId::Numbered(session, sequence) => (Session(session.0), sequence.0),
        };
        Some(match reply.outcome {
            Outcome::Registered(opened) => Answer::Registered {
                nonce: sequence,
                session: Session(opened.0),
            },
            Outcome::Done { place, result } => Answer::Done {
                session,
                sequence,
                place: Some((place.slot.0, place.index)),
                result: decode(&result)?,
            },
            Outcome::Read { below, result } => {
                let place = below.0.checked_sub(1).map(|slot| (slot, u16::MAX));
                Answer::Done {
                    session,
                    sequence,
                    place,
                    result: decode(&result)?,
                }
            }
            Outcome::NotLeader { hint } => Answer::Refused {
                session,
                sequence,
                refusal: Refusal::Retry(hint.map(|node| Node(node.0))),
            },
            Outcome::Busy => Answer::Refused {
                session,
                sequence,
                refusal: Refusal::Retry(None),
            },
            Outcome::TooLarge => Answer::Refused {
                session,
                sequence,
                refusal: Refusal::Never,
            },
            Outcome::SessionGone => Answer::Refused {
                session,
                sequence,
                refusal: Refusal::SessionGone,
            },
        })
    }
}

fn encode(call: &Call) -> Operation<'_> {
    let key = &*call.key;
    match &call.action {
        Action::Get => Operation::Get { key },
        Action::Put(value) => Operation::Put { key, value },
        Action::Append(suffix) => Operation::Append { key, suffix },
        Action::Cas { expected, new } => Operation::CompareAndSet {
            key,
            expected: expected.as_deref(),
            new,
        },
        Action::Delete => Operation::Delete { key },
    }
}

fn decode(result: &[u8]) -> Option<Return> {
    Some(match Returned::decode(result)? {
        Returned::Done => Return::Done,
        Returned::Value(value) => Return::Value(value.map(Text::from)),
        Returned::Mismatch(value) => Return::Mismatch(value.map(Text::from)),
        Returned::Malformed => return None,
    })
}
