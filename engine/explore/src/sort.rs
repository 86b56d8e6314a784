//! Sorts of message: what there is of one that matters to who hears it.

use synod_engine::message::Message;

/// How many sorts there are.
pub const SORTS: usize = 17;

/// The sort of a message, below [`SORTS`].
#[must_use]
pub fn sort(message: &Message) -> usize {
    match message {
        Message::Canvass { .. } => 0,
        Message::CanvassReply { granted: false, .. } => 1,
        Message::CanvassReply { granted: true, .. } => 2,
        Message::Prepare { .. } => 3,
        Message::Promise { votes, next, .. } => {
            let chosen = votes.iter().any(|vote| vote.chosen);
            let open = votes.iter().any(|vote| !vote.chosen);
            match (next.is_some(), chosen, open) {
                (true, ..) => 4,
                (false, false, false) => 5,
                (false, true, false) => 6,
                (false, false, true) => 7,
                (false, true, true) => 8,
            }
        }
        Message::Accept { .. } => 9,
        Message::Accepted { .. } => 10,
        Message::Reject { .. } => 11,
        Message::Heartbeat { .. } => 12,
        Message::HeartbeatReply { .. } => 13,
        Message::Resign { .. } => 14,
        Message::CatchUp { .. } => CATCH_UP,
        Message::CatchUpReply { .. } => CATCH_UP_REPLY,
    }
}

/// A question for what is chosen.
pub const CATCH_UP: usize = 15;
/// Its answer.
pub const CATCH_UP_REPLY: usize = 16;

/// What a message may lead to, coarsely; none where that hardly matters.
#[must_use]
pub fn matter(message: &Message) -> Option<Matter> {
    match message {
        Message::Prepare { .. } => Some(Matter::Prepare),
        Message::Promise { .. } => Some(Matter::Promise),
        Message::Accept { .. } | Message::Heartbeat { .. } => Some(Matter::Lead),
        Message::Accepted { .. } => Some(Matter::Vote),
        Message::CatchUpReply { .. } => Some(Matter::Teach),
        _ => None,
    }
}

/// What a message may lead to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Matter {
    /// A promise is asked for.
    Prepare,
    /// A promise is given.
    Promise,
    /// A leader speaks.
    Lead,
    /// A vote is told.
    Vote,
    /// What is chosen is told.
    Teach,
}

/// Lost first when there is no more room: these change least.
#[must_use]
pub fn is_idle(message: &Message) -> bool {
    matches!(sort(message), 0..=2 | 11 | 13 | 14 | CATCH_UP)
}

/// Whether there is no more to hear in the old message than in the new one.
#[must_use]
pub fn supersedes(new: &Message, old: &Message) -> bool {
    match (new, old) {
        (
            Message::Heartbeat {
                ballot: new,
                chosen_below: new_below,
                ..
            },
            Message::Heartbeat {
                ballot: old,
                chosen_below: old_below,
                ..
            },
        )
        | (
            Message::HeartbeatReply {
                ballot: new,
                chosen_below: new_below,
                ..
            },
            Message::HeartbeatReply {
                ballot: old,
                chosen_below: old_below,
                ..
            },
        ) => (new, new_below) == (old, old_below),
        _ => new == old,
    }
}
