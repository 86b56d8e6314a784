//! The tale of a run, as a person reads it: a line an event that matters, and one a message for
//! those who want to see the wire.

use std::collections::BTreeMap;
use std::fmt::{self, Formatter};
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::history::operation::{Action, Call, Return, Text};
use crate::ids::Node;
use crate::subject::process::{Claim, Reader};
use crate::time::Instant;
use crate::trace::about::About;
use crate::trace::event::{Event, Outcome, Stamp};
use crate::trace::observer::Observer;
use crate::trace::portrait::Portraits;
use crate::trace::shown::Shown;

/// How closely one has to look to see a line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Depth {
    /// What replicas and clients do, and what is done to them.
    Story,
    /// Every message, and what became of it.
    Wire,
}

/// A line of the tale. It is shown with its virtual seconds and its event's number.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// How deep it lies.
    pub depth: Depth,
    /// When it was.
    pub time: Instant,
    /// The event's number: a time of the history.
    pub number: u64,
    /// What it is about.
    pub about: About,
    /// What a replica is from now on, if that has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// What happened.
    pub text: String,
}

/// What a replica is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    /// Its name.
    pub node: String,
    /// In the order of [`ASPECTS`](crate::trace::portrait::ASPECTS).
    pub aspects: [String; 7],
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{} {}", self.time, self.number, self.text)
    }
}

/// The tale as text, as deep as is asked.
#[must_use]
pub fn text_of(lines: &[Line], depth: Depth) -> String {
    lines
        .iter()
        .filter(|line| line.depth <= depth)
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Tells the tale.
#[derive(Clone)]
pub struct Teller {
    reader: Option<&'static dyn Reader>,
    lines: Vec<Line>,
    /// What the event that is told of is about.
    about: About,
    /// The key of each operation, by process.
    keys: BTreeMap<u32, Text>,
    portraits: Portraits,
    /// As each replica was when something was last told of it.
    seen: BTreeMap<Node, [String; 7]>,
    /// What the event that is told of has changed.
    state: Option<State>,
}

impl Teller {
    /// A teller that can name messages if it has a reader.
    #[must_use]
    pub fn new(reader: Option<&'static dyn Reader>) -> Self {
        Self {
            reader,
            lines: Vec::new(),
            about: About::default(),
            keys: BTreeMap::new(),
            portraits: Portraits::default(),
            seen: BTreeMap::new(),
            state: None,
        }
    }

    /// What was told, and a line about each replica as it is now.
    #[must_use]
    pub fn into_lines(self) -> (Vec<Line>, Vec<String>) {
        (self.lines, self.portraits.lines())
    }

    fn tell(&mut self, depth: Depth, stamp: Stamp, text: fmt::Arguments<'_>) {
        self.lines.push(Line {
            depth,
            time: stamp.time,
            number: stamp.number,
            about: std::mem::take(&mut self.about),
            state: self.state.take(),
            text: text.to_string(),
        });
    }

    /// What a replica is now, if that is not what it was.
    fn changed(&mut self, node: Node) -> Option<State> {
        let aspects = self.portraits.aspects(node);
        let before = self.seen.insert(node, aspects.clone());
        (before.as_ref() != Some(&aspects)).then(|| State {
            node: node.to_string(),
            aspects,
        })
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
        if let Event::Invoked { process, call, .. } = event {
            self.keys.insert(*process, call.key.clone());
        }
        self.about = About::of(event, self.reader, |process| {
            self.keys.get(&process).cloned()
        });
        self.state = self.portraits.on(event).and_then(|node| self.changed(node));
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
            Event::Session {
                node,
                peer,
                session,
                begins,
            } => {
                let what = if *begins { "begins" } else { "is over" };
                self.tell(
                    Story,
                    stamp,
                    format_args!("{node} hears: session {session} with {peer} {what}"),
                );
            }
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
                kind: kind @ ("begins" | "ends" | "happens"),
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

/// A value longer than this is shown by its beginning.
const SHOWN_MAX: usize = 40;

fn lossy(bytes: &Text) -> String {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_MAX)]);
    if bytes.len() <= SHOWN_MAX {
        return shown.into_owned();
    }
    format!("{shown}.. ({} bytes)", bytes.len())
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
    use crate::trace::event::Fact;

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
            .0
            .into_iter()
            .map(|line| (line.depth, line.to_string()))
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
