//! What a line of the tale is about, so that whoever reads it can ask for a slot, a key, a node or a
//! kind of message.

use serde::{Deserialize, Serialize};

use crate::history::operation::Text;
use crate::ids::Endpoint;
use crate::subject::process::{Claim, Reader};
use crate::trace::event::{BallotPair, Event, Fact, Outcome};

/// What a line is about.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct About {
    /// Replicas and clients, by their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
    /// The first and the last slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<(u64, u64)>,
    /// The ballot of a message, or of a replica's deed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ballot: Option<BallotPair>,
    /// The key of an operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The kind of a message, of a fault, or of what a replica says that it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl About {
    /// What an event is about. `key_of` knows the keys of operations under way, by process.
    pub fn of(
        event: &Event<'_>,
        reader: Option<&'static dyn Reader>,
        key_of: impl Fn(u32) -> Option<Text>,
    ) -> Self {
        let named = |name: &dyn ToString| Self {
            nodes: vec![name.to_string()],
            ..Self::default()
        };
        match event {
            Event::Boot { node, .. }
            | Event::Ready(node)
            | Event::Killed(node)
            | Event::PowerLost(node)
            | Event::Halted { node, .. }
            | Event::Paused(node)
            | Event::Resumed(node)
            | Event::Session { node, .. }
            | Event::Synced { node, .. }
            | Event::NamesSynced { node, .. }
            | Event::DiskFailed { node, .. } => named(node),
            Event::Fact { node, fact } => Self {
                slots: slot_of(fact).map(|slot| (slot, slot)),
                ballot: ballot_of(fact),
                kind: Some(kind_of(fact).to_owned()),
                ..named(node)
            },
            Event::Sent { from, to, bytes } | Event::Delivered { from, to, bytes } => {
                Self::of_message([from, to], bytes, reader)
            }
            Event::Invoked { client, call, .. } => Self {
                key: Some(text(&call.key)),
                ..named(client)
            },
            Event::Returned {
                process,
                client,
                outcome,
            }
            | Event::Learned {
                process,
                client,
                outcome,
            } => Self {
                key: key_of(*process).as_ref().map(text),
                slots: place_of(outcome),
                ..named(client)
            },
            Event::Answered {
                client, outcome, ..
            } => Self {
                slots: place_of(outcome),
                ..named(client)
            },
            Event::Fault { kind, .. } => Self {
                kind: Some((*kind).to_owned()),
                ..Self::default()
            },
            Event::Contacts(_) | Event::Lull => Self::default(),
        }
    }

    fn of_message(ends: [&Endpoint; 2], bytes: &[u8], reader: Option<&'static dyn Reader>) -> Self {
        let described = reader.and_then(|reader| reader.describe(bytes));
        let slots = described.as_ref().and_then(|one| match &one.claim {
            Claim::Votes(_, slots) => Some((*slots.iter().min()?, *slots.iter().max()?)),
            _ => one.slot.map(|slot| (slot, slot)),
        });
        Self {
            nodes: ends.map(ToString::to_string).to_vec(),
            slots,
            ballot: described.as_ref().and_then(|one| one.ballot),
            key: None,
            kind: described.map(|one| one.kind.to_owned()),
        }
    }
}

fn text(bytes: &Text) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn slot_of(fact: &Fact) -> Option<u64> {
    match *fact {
        Fact::Voted { slot, .. }
        | Fact::Chosen { slot, .. }
        | Fact::Applied { slot, .. }
        | Fact::Executed { slot, .. } => Some(slot),
        Fact::Recovered { .. }
        | Fact::Promised(_)
        | Fact::Campaigned(_)
        | Fact::Led(_)
        | Fact::SteppedDown(_) => None,
    }
}

/// What a replica says that it did, in a word.
const fn kind_of(fact: &Fact) -> &'static str {
    match fact {
        Fact::Recovered { .. } => "recovers",
        Fact::Promised(_) => "promises",
        Fact::Voted { .. } => "votes",
        Fact::Campaigned(_) => "campaigns",
        Fact::Led(_) => "leads",
        Fact::SteppedDown(_) => "steps-down",
        Fact::Chosen { .. } => "learns",
        Fact::Applied { .. } => "applies",
        Fact::Executed { .. } => "executes",
    }
}

const fn ballot_of(fact: &Fact) -> Option<BallotPair> {
    match *fact {
        Fact::Voted { ballot, .. }
        | Fact::Promised(ballot)
        | Fact::Campaigned(ballot)
        | Fact::Led(ballot)
        | Fact::SteppedDown(ballot) => Some(ballot),
        Fact::Recovered { .. }
        | Fact::Chosen { .. }
        | Fact::Applied { .. }
        | Fact::Executed { .. } => None,
    }
}

fn place_of(outcome: &Outcome) -> Option<(u64, u64)> {
    match outcome {
        Outcome::Ok { place, .. } => place.map(|(slot, _)| (slot, slot)),
        Outcome::Fail | Outcome::Unknown => None,
    }
}
