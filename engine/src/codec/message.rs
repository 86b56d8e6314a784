//! Bodies of messages between replicas.

use synod_port::files::Bytes;

use crate::codec::Malformed;
use crate::codec::frame::{self, Class, Frame, Header};
use crate::codec::wire::{Reader, put_ballot, put_bytes, put_count, put_slot, put_u8, put_u64};
use crate::ids::{ClusterId, Incarnation, NodeId, Slot};
use crate::message::{Message, Vote};

/// The kind of a catch-up reply, which carries values that nobody votes for any more.
pub const CATCH_UP_REPLY: u8 = 11;

/// The fewest bytes of a vote: slot, ballot, flag, length.
const VOTE_LEAST: usize = 8 + 9 + 1 + 4;

/// The number of the message's kind on the wire.
#[must_use]
pub const fn kind(message: &Message) -> u8 {
    match message {
        Message::Canvass { .. } => 1,
        Message::CanvassReply { .. } => 2,
        Message::Prepare { .. } => 3,
        Message::Promise { .. } => 4,
        Message::Accept { .. } => 5,
        Message::Accepted { .. } => 6,
        Message::Reject { .. } => 7,
        Message::Heartbeat { .. } => 8,
        Message::HeartbeatReply { .. } => 9,
        Message::CatchUp { .. } => 10,
        Message::CatchUpReply { .. } => CATCH_UP_REPLY,
        Message::Resign { .. } => 12,
    }
}

/// A message in its frame. `buffer` is only for reuse.
pub fn encode(
    buffer: &mut Vec<u8>,
    cluster: ClusterId,
    sender: NodeId,
    incarnation: Incarnation,
    message: &Message,
) -> Bytes {
    frame::seal(
        buffer,
        Header {
            class: Class::Peer,
            cluster,
            sender,
            incarnation,
        },
        kind(message),
        |out| put(out, message),
    )
}

/// Opens a frame that should hold a message.
///
/// # Errors
/// When the frame is damaged, of another class, or holds anything else.
pub fn decode(bytes: &[u8]) -> Result<(Header, Message), Malformed> {
    let frame = frame::parse(bytes).and_then(Frame::intact)?;
    Ok((frame.header, get(&frame)?))
}

fn put(out: &mut Vec<u8>, message: &Message) {
    match message {
        Message::Canvass { ballot } | Message::Resign { ballot } => put_ballot(out, *ballot),
        Message::CanvassReply {
            ballot,
            granted,
            promised,
        } => {
            put_ballot(out, *ballot);
            put_u8(out, u8::from(*granted));
            put_ballot(out, *promised);
        }
        Message::Prepare { ballot, from } => {
            put_ballot(out, *ballot);
            put_slot(out, *from);
        }
        Message::Promise {
            ballot,
            from,
            votes,
            next,
            chosen_below,
        } => {
            put_ballot(out, *ballot);
            put_slot(out, *from);
            put_u8(out, u8::from(next.is_some()));
            put_slot(out, next.unwrap_or(Slot(0)));
            put_slot(out, *chosen_below);
            put_count(out, votes.len());
            for vote in votes {
                put_slot(out, vote.slot);
                put_ballot(out, vote.ballot);
                put_u8(out, u8::from(vote.chosen));
                put_bytes(out, &vote.value.0);
            }
        }
        Message::Accept {
            ballot,
            slot,
            value,
            chosen_below,
        } => {
            put_ballot(out, *ballot);
            put_slot(out, *slot);
            put_slot(out, *chosen_below);
            put_bytes(out, &value.0);
        }
        Message::Accepted { ballot, slots } => {
            put_ballot(out, *ballot);
            put_count(out, slots.len());
            for slot in slots {
                put_slot(out, *slot);
            }
        }
        Message::Reject { ballot, promised } => {
            put_ballot(out, *ballot);
            put_ballot(out, *promised);
        }
        Message::Heartbeat {
            ballot,
            round,
            chosen_below,
        }
        | Message::HeartbeatReply {
            ballot,
            round,
            chosen_below,
        } => {
            put_ballot(out, *ballot);
            put_u64(out, *round);
            put_slot(out, *chosen_below);
        }
        Message::CatchUp { from } => put_slot(out, *from),
        Message::CatchUpReply {
            from,
            values,
            chosen_below,
        } => {
            put_slot(out, *from);
            put_slot(out, *chosen_below);
            put_count(out, values.len());
            for value in values {
                put_bytes(out, &value.0);
            }
        }
    }
}

/// The message in a frame whose checksum was looked at already.
pub(crate) fn get(frame: &Frame<'_>) -> Result<Message, Malformed> {
    if frame.header.class != Class::Peer {
        return Err(Malformed::Unknown("class"));
    }
    let mut from = Reader::new(frame.body);
    let message = match frame.kind {
        1 => Message::Canvass {
            ballot: from.ballot()?,
        },
        2 => Message::CanvassReply {
            ballot: from.ballot()?,
            granted: from.flag()?,
            promised: from.ballot()?,
        },
        3 => Message::Prepare {
            ballot: from.ballot()?,
            from: from.slot()?,
        },
        4 => promise(&mut from)?,
        5 => {
            let (ballot, slot, chosen_below) = (from.ballot()?, from.slot()?, from.slot()?);
            Message::Accept {
                ballot,
                slot,
                value: from.value()?,
                chosen_below,
            }
        }
        6 => {
            let ballot = from.ballot()?;
            let count = from.count(8)?;
            Message::Accepted {
                ballot,
                slots: (0..count).map(|_| from.slot()).collect::<Result<_, _>>()?,
            }
        }
        7 => Message::Reject {
            ballot: from.ballot()?,
            promised: from.ballot()?,
        },
        8 => Message::Heartbeat {
            ballot: from.ballot()?,
            round: from.counter("round")?,
            chosen_below: from.slot()?,
        },
        9 => Message::HeartbeatReply {
            ballot: from.ballot()?,
            round: from.counter("round")?,
            chosen_below: from.slot()?,
        },
        10 => Message::CatchUp { from: from.slot()? },
        CATCH_UP_REPLY => {
            let (first, chosen_below) = (from.slot()?, from.slot()?);
            let count = from.count(4)?;
            let mut values = Vec::with_capacity(count);
            for _ in 0..count {
                values.push(from.value()?);
            }
            Message::CatchUpReply {
                from: first,
                values,
                chosen_below,
            }
        }
        12 => Message::Resign {
            ballot: from.ballot()?,
        },
        _ => return Err(Malformed::Unknown("kind of message")),
    };
    from.end()?;
    Ok(message)
}

fn promise(from: &mut Reader<'_>) -> Result<Message, Malformed> {
    let (ballot, first) = (from.ballot()?, from.slot()?);
    let (more, next) = (from.flag()?, from.slot()?);
    if !more && next != Slot(0) {
        return Err(Malformed::Unknown("next page"));
    }
    let chosen_below = from.slot()?;
    let count = from.count(VOTE_LEAST)?;
    let mut votes = Vec::with_capacity(count);
    for _ in 0..count {
        let (slot, ballot, chosen) = (from.slot()?, from.ballot()?, from.flag()?);
        votes.push(Vote {
            slot,
            ballot,
            value: from.value()?,
            chosen,
        });
    }
    Ok(Message::Promise {
        ballot,
        from: first,
        votes,
        next: more.then_some(next),
        chosen_below,
    })
}
