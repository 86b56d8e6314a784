//! The tale of a run, as a person reads it: a line an event that matters, and one a message for
//! those who want to see the wire.

use std::fmt::{self, Formatter};
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::history::operation::{Action, Call, Return, Text};
use crate::subject::process::{Claim, Reader};
use crate::trace::event::{BallotPair, Event, Fact, Outcome, Stamp};
use crate::trace::observer::Observer;

/// How closely one has to look to see a line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Depth {
    /// What replicas and clients do, and what is done to them.
    Story,
    /// Every message, and what became of it.
    Wire,
}

/// A line of the tale: virtual seconds, the event's number, and what happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// How deep it lies.
    pub depth: Depth,
    /// What it says.
    pub text: String,
}

/// The tale as text, as deep as is asked.
#[must_use]
pub fn text_of(lines: &[Line], depth: Depth) -> String {
    lines
        .iter()
        .filter(|line| line.depth <= depth)
        .map(|line| format!("{}\n", line.text))
        .collect()
}

/// Tells the tale.
#[derive(Clone)]
pub struct Teller {
    reader: Option<&'static dyn Reader>,
    lines: Vec<Line>,
}

impl Teller {
    /// A teller that can name messages if it has a reader.
    #[must_use]
    pub fn new(reader: Option<&'static dyn Reader>) -> Self {
        Self {
            reader,
            lines: Vec::new(),
        }
    }

    /// What was told.
    #[must_use]
    pub fn into_lines(self) -> Vec<Line> {
        self.lines
    }

    fn tell(&mut self, depth: Depth, stamp: Stamp, text: fmt::Arguments<'_>) {
        self.lines.push(Line {
            depth,
            text: format!("{} #{} {text}", stamp.time, stamp.number),
        });
    }

    fn message(&self, bytes: &[u8]) -> String {
        let Some(description) = self.reader.and_then(|reader| reader.describe(bytes)) else {
            return format!("{} bytes", bytes.len());
        };
        let mut text = description.kind.to_owned();
        if let Some(ballot) = description.ballot {
            text.push_str(&format!(" {}", Shown(ballot)));
        }
        match (description.claim, description.slot) {
            (Claim::Votes(_, slots), _) => text.push_str(&format!(" slots {slots:?}")),
            (_, Some(slot)) => text.push_str(&format!(" slot {slot}")),
            (_, None) => {}
        }
        text
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Teller")
            .field("lines", &self.lines.len())
            .finish_non_exhaustive()
    }
}

impl Observer for Teller {
    fn on(&mut self, stamp: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        use Depth::{Story, Wire};
        match event {
            Event::Boot { node, boot: 1 } => self.tell(Story, stamp, format_args!("{node} starts")),
            Event::Boot { node, boot } => self.tell(
                Story,
                stamp,
                format_args!("{node} starts again, boot {boot}"),
            ),
            Event::Ready(node) => self.tell(Story, stamp, format_args!("{node} takes part")),
            Event::Killed(node) => self.tell(Story, stamp, format_args!("{node} is killed")),
            Event::PowerLost(node) => self.tell(Story, stamp, format_args!("{node} loses power")),
            Event::Halted { node, reason, .. } => {
                self.tell(Story, stamp, format_args!("{node} halts: {reason}"))
            }
            Event::Paused(node) => self.tell(Story, stamp, format_args!("{node} is paused")),
            Event::Resumed(node) => self.tell(Story, stamp, format_args!("{node} goes on")),
            Event::DiskFailed { node, what, error } => self.tell(
                Story,
                stamp,
                format_args!("a {what} of {node} fails: {error:?}"),
            ),
            Event::Contacts(contacts) => self.tell(
                Wire,
                stamp,
                format_args!("replicas can talk to so many others: {contacts:?}"),
            ),
            Event::Lull => self.tell(
                Story,
                stamp,
                format_args!("the core has been well for long"),
            ),
            Event::Fault {
                kind: kind @ ("begins" | "ends"),
                detail,
            } => self.tell(Story, stamp, format_args!("{detail} {kind}")),
            Event::Fault { kind, detail } => {
                self.tell(Wire, stamp, format_args!("{kind} {detail}"))
            }
            Event::Fact { node, fact } => {
                self.tell(Story, stamp, format_args!("{node} {}", Shown(*fact)))
            }
            Event::Invoked {
                process,
                call,
                client,
            } => self.tell(
                Story,
                stamp,
                format_args!("{client} asks as {process}: {}", asked(call)),
            ),
            Event::Returned {
                process,
                outcome,
                client,
            } => self.tell(
                Story,
                stamp,
                format_args!("{client} hears as {process}: {}", heard(outcome)),
            ),
            Event::Learned {
                process,
                outcome,
                client,
            } => self.tell(
                Story,
                stamp,
                format_args!("{client} hears late as {process}: {}", heard(outcome)),
            ),
            Event::Answered {
                client,
                session,
                sequence,
                outcome,
            } => self.tell(
                Wire,
                stamp,
                format_args!(
                    "{client} is answered request {sequence} of session {session}: {}",
                    heard(outcome)
                ),
            ),
            Event::Sent { from, to, bytes } => {
                let message = self.message(bytes);
                self.tell(Wire, stamp, format_args!("{from} sends {to} {message}"));
            }
            Event::Delivered { from, to, bytes } => {
                let message = self.message(bytes);
                self.tell(Wire, stamp, format_args!("{to} gets from {from} {message}"));
            }
            Event::Synced {
                node,
                file,
                sectors,
            } => self.tell(
                Wire,
                stamp,
                format_args!("{node} has synced {} sectors of {file}", sectors.len()),
            ),
            Event::NamesSynced { node, names } => self.tell(
                Wire,
                stamp,
                format_args!("{node} has synced {} names", names.len()),
            ),
        }
        ControlFlow::Continue(())
    }
}

/// How a thing of the trace is written for people. A ballot is `round.replica`, a hash its first
/// half.
struct Shown<T>(T);

impl fmt::Display for Shown<BallotPair> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0.0, crate::ids::Node(self.0.1))
    }
}

impl fmt::Display for Shown<u64> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0 >> 32)
    }
}

impl fmt::Display for Shown<&Fact> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self.0 {
            Fact::Recovered {
                promised,
                chosen_below,
                torn,
            } => {
                let tail = if torn { ", its torn tail cut" } else { "" };
                write!(
                    f,
                    "comes back with promise {}, chosen below slot {chosen_below}{tail}",
                    Shown(promised)
                )
            }
            Fact::Promised(ballot) => write!(f, "promises {}", Shown(ballot)),
            Fact::Voted {
                slot,
                ballot,
                value,
            } => write!(
                f,
                "votes in slot {slot} at {} for {}",
                Shown(ballot),
                Shown(value)
            ),
            Fact::Campaigned(ballot) => write!(f, "campaigns at {}", Shown(ballot)),
            Fact::Led(ballot) => write!(f, "leads at {}", Shown(ballot)),
            Fact::SteppedDown(ballot) => write!(f, "leads no more at {}", Shown(ballot)),
            Fact::Chosen { slot, value } => write!(f, "knows that slot {slot} is {}", Shown(value)),
            Fact::Applied { slot, value, state } => write!(
                f,
                "applies slot {slot}, {}, and is in state {}",
                Shown(value),
                Shown(state)
            ),
            Fact::Executed {
                slot,
                index,
                session,
                sequence,
            } => {
                write!(
                    f,
                    "executes request {sequence} of session {session} at {slot}.{index}"
                )
            }
        }
    }
}

fn lossy(bytes: &Text) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn asked(call: &Call) -> String {
    let key = lossy(&call.key);
    match &call.action {
        Action::Get => format!("get {key}"),
        Action::Put(new) => format!("put {key} {}", lossy(new)),
        Action::Append(tag) => format!("append {key} {}", lossy(tag)),
        Action::Cas { expected, new } => format!(
            "cas {key} {} {}",
            expected.as_ref().map_or_else(|| "absent".to_owned(), lossy),
            lossy(new)
        ),
        Action::Delete => format!("delete {key}"),
    }
}

fn heard(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok {
            result: Return::Done,
            ..
        } => "done".to_owned(),
        Outcome::Ok {
            result: Return::Value(value),
            ..
        } => value.as_ref().map_or_else(|| "absent".to_owned(), lossy),
        Outcome::Ok {
            result: Return::Mismatch(value),
            ..
        } => format!(
            "found {}",
            value.as_ref().map_or_else(|| "nothing".to_owned(), lossy)
        ),
        Outcome::Fail => "refused".to_owned(),
        Outcome::Unknown => "nothing, for ever".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Client, Endpoint, Node};
    use crate::time::Instant;

    #[test]
    fn facts_are_told_in_words_and_messages_lie_deeper() {
        let mut teller = Teller::new(None);
        let stamp = Stamp {
            time: Instant(1_500_000),
            number: 7,
        };
        let fact = Fact::Voted {
            slot: 3,
            ballot: (2, 0),
            value: 0xabcd_ef01_0000_0000,
        };
        let (from, to) = (Endpoint::Node(Node(0)), Endpoint::Client(Client(1)));
        for event in [
            Event::Fact {
                node: Node(1),
                fact: &fact,
            },
            Event::Sent {
                from,
                to,
                bytes: b"xyz",
            },
        ] {
            assert_eq!(teller.on(stamp, &event), ControlFlow::Continue(()));
        }
        let told: Vec<(Depth, String)> = teller
            .into_lines()
            .into_iter()
            .map(|line| (line.depth, line.text))
            .collect();
        let lines = [
            (
                Depth::Story,
                "0.001500 #7 r2 votes in slot 3 at 2.r1 for abcdef01",
            ),
            (Depth::Wire, "0.001500 #7 r1 sends c2 3 bytes"),
        ];
        assert_eq!(told, lines.map(|(depth, text)| (depth, text.to_owned())));
    }
}
