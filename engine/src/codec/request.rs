//! Bodies of requests and replies. A client needs nothing but the cluster's id to speak them.

use synod_port::files::Bytes;

use crate::codec::Malformed;
use crate::codec::frame::{self, Class, Frame, Header};
use crate::codec::wire::{Reader, put_bytes, put_slot, put_u8, put_u64};
use crate::ids::{ClusterId, Incarnation, NodeId, Place, Sequence, SessionId};
use crate::message::{Outcome, Reply, Request, RequestId};

/// A request in its frame. `buffer` is only for reuse.
pub fn encode_request(buffer: &mut Vec<u8>, cluster: ClusterId, request: &Request) -> Bytes {
    let kind = match request {
        Request::Register { .. } => 1,
        Request::Apply { .. } => 2,
        Request::Read { .. } => 3,
    };
    frame::seal(
        buffer,
        Header {
            class: Class::Request,
            cluster,
            sender: NodeId(0),
            incarnation: Incarnation(0),
        },
        kind,
        |out| match request {
            Request::Register { nonce } => put_u64(out, *nonce),
            Request::Apply {
                session,
                sequence,
                answered_below,
                operation,
            } => {
                put_u64(out, session.0);
                put_u64(out, sequence.0);
                put_u64(out, answered_below.0);
                put_bytes(out, operation);
            }
            Request::Read { nonce, operation } => {
                put_u64(out, *nonce);
                put_bytes(out, operation);
            }
        },
    )
}

/// Opens a frame that should hold a request.
///
/// # Errors
/// When the frame is damaged, of another class, or holds anything else.
pub fn decode_request(bytes: &[u8]) -> Result<(Header, Request), Malformed> {
    let frame = frame::parse(bytes).and_then(Frame::intact)?;
    if frame.header.class != Class::Request {
        return Err(Malformed::Unknown("class"));
    }
    let mut from = Reader::new(frame.body);
    let request = match frame.kind {
        1 => Request::Register { nonce: from.u64()? },
        2 => Request::Apply {
            session: SessionId(from.u64()?),
            sequence: sequence(&mut from)?,
            answered_below: sequence(&mut from)?,
            operation: from.shared()?,
        },
        3 => Request::Read {
            nonce: from.u64()?,
            operation: from.shared()?,
        },
        _ => return Err(Malformed::Unknown("kind of request")),
    };
    from.end()?;
    Ok((frame.header, request))
}

/// A reply in its frame. `buffer` is only for reuse.
pub fn encode_reply(
    buffer: &mut Vec<u8>,
    cluster: ClusterId,
    sender: NodeId,
    incarnation: Incarnation,
    reply: &Reply,
) -> Bytes {
    let kind = match reply.outcome {
        Outcome::Registered(_) => 1,
        Outcome::Done { .. } => 2,
        Outcome::Read { .. } => 3,
        Outcome::NotLeader { .. } => 4,
        Outcome::Busy => 5,
        Outcome::TooLarge => 6,
        Outcome::SessionGone => 7,
    };
    frame::seal(
        buffer,
        Header {
            class: Class::Reply,
            cluster,
            sender,
            incarnation,
        },
        kind,
        |out| {
            match reply.to {
                RequestId::Nonce(nonce) => {
                    put_u8(out, 1);
                    put_u64(out, nonce);
                    put_u64(out, 0);
                }
                RequestId::Numbered(session, sequence) => {
                    put_u8(out, 2);
                    put_u64(out, session.0);
                    put_u64(out, sequence.0);
                }
            }
            match &reply.outcome {
                Outcome::Registered(session) => put_u64(out, session.0),
                Outcome::Done { place, result } => {
                    put_slot(out, place.slot);
                    out.extend_from_slice(&place.index.to_le_bytes());
                    put_bytes(out, result);
                }
                Outcome::Read { below, result } => {
                    put_slot(out, *below);
                    put_bytes(out, result);
                }
                Outcome::NotLeader { hint } => {
                    put_u8(out, u8::from(hint.is_some()));
                    put_u8(out, hint.unwrap_or_default().0);
                }
                Outcome::Busy | Outcome::TooLarge | Outcome::SessionGone => (),
            }
        },
    )
}

/// Opens a frame that should hold a reply.
///
/// # Errors
/// When the frame is damaged, of another class, or holds anything else.
pub fn decode_reply(bytes: &[u8]) -> Result<(Header, Reply), Malformed> {
    let frame = frame::parse(bytes).and_then(Frame::intact)?;
    if frame.header.class != Class::Reply {
        return Err(Malformed::Unknown("class"));
    }
    let mut from = Reader::new(frame.body);
    let to = match (from.u8()?, from.u64()?, from.u64()?) {
        (1, nonce, 0) => RequestId::Nonce(nonce),
        (2, session, sequence) => RequestId::Numbered(SessionId(session), Sequence(sequence)),
        _ => return Err(Malformed::Unknown("request id")),
    };
    let outcome = match frame.kind {
        1 => Outcome::Registered(SessionId(from.u64()?)),
        2 => {
            let slot = from.slot()?;
            let index = u16::from_le_bytes([from.u8()?, from.u8()?]);
            Outcome::Done {
                place: Place { slot, index },
                result: from.shared()?,
            }
        }
        3 => Outcome::Read {
            below: from.slot()?,
            result: from.shared()?,
        },
        4 => match (from.flag()?, from.node()?) {
            (true, node) => Outcome::NotLeader { hint: Some(node) },
            (false, NodeId(0)) => Outcome::NotLeader { hint: None },
            (false, _) => return Err(Malformed::Unknown("hint")),
        },
        5 => Outcome::Busy,
        6 => Outcome::TooLarge,
        7 => Outcome::SessionGone,
        _ => return Err(Malformed::Unknown("kind of reply")),
    };
    from.end()?;
    Ok((frame.header, Reply { to, outcome }))
}

fn sequence(from: &mut Reader<'_>) -> Result<Sequence, Malformed> {
    from.counter("sequence").map(Sequence)
}
