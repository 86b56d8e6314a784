//! Messages and happenings of a page, out of the rows of a recorder.

use std::collections::BTreeMap;

use synod_reports::page::model::{At, Change, Happening, Message};

use crate::ids::{Endpoint, Node};
use crate::trace::event::{Fact, Stamp};
use crate::trace::portrait::Portraits;
use crate::trace::shown::Shown;
use crate::trace::spacetime::{Row, What};

/// A stamp as a page has it.
#[must_use]
pub const fn at(stamp: Stamp) -> At {
    At {
        number: stamp.number,
        time: stamp.time.0,
    }
}

/// Numbers names in the order in which they come.
#[derive(Default)]
pub struct Names {
    /// The names.
    pub all: Vec<String>,
    numbers: BTreeMap<String, u16>,
}

impl Names {
    /// The number of a name; the last one for all that are too many.
    pub fn number(&mut self, name: &str) -> u16 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u16::try_from(self.all.len()).unwrap_or(u16::MAX);
        if usize::from(number) == self.all.len() {
            self.all.push(name.to_owned());
        }
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// Collects what a page has of each event.
pub struct Rows<'a> {
    /// In which lane somebody stands.
    pub lane_of: &'a dyn Fn(Endpoint) -> u16,
    /// Names of kinds.
    pub kinds: Names,
    /// Names of ballots.
    pub ballots: Names,
    /// Messages, in the order of their first sight.
    pub messages: Vec<Message>,
    /// All else.
    pub happenings: Vec<Happening>,
    /// What the replicas are.
    pub portraits: Portraits,
    /// By the number of its sending, where a message is.
    sent: BTreeMap<u64, usize>,
}

impl<'a> Rows<'a> {
    /// Nothing yet; the replicas are these.
    #[must_use]
    pub fn new(lane_of: &'a dyn Fn(Endpoint) -> u16, portraits: Portraits) -> Self {
        Self {
            lane_of,
            kinds: Names::default(),
            ballots: Names::default(),
            messages: Vec::new(),
            happenings: Vec::new(),
            portraits,
            sent: BTreeMap::new(),
        }
    }

    /// A row that the page shows.
    pub fn on(&mut self, row: &Row) {
        match &row.what {
            What::Sent {
                from,
                to,
                kind,
                slots,
                ballot,
            } => {
                self.sent.insert(row.stamp.number, self.messages.len());
                let ballot =
                    ballot.map(|it| u32::from(self.ballots.number(&Shown(it).to_string())));
                self.messages.push(Message {
                    from: (self.lane_of)(*from),
                    to: (self.lane_of)(*to),
                    kind: self.kinds.number(kind),
                    sent: Some(at(row.stamp)),
                    delivered: Vec::new(),
                    slots: *slots,
                    ballot,
                });
            }
            What::Delivered { from, to, sent } => {
                let known = sent.and_then(|number| self.sent.get(&number));
                if let Some(message) = known.and_then(|place| self.messages.get_mut(*place)) {
                    message.delivered.push(at(row.stamp));
                    return;
                }
                let kind = if sent.is_some() {
                    "sent before the window"
                } else {
                    "damaged"
                };
                self.messages.push(Message {
                    from: (self.lane_of)(*from),
                    to: (self.lane_of)(*to),
                    kind: self.kinds.number(kind),
                    delivered: vec![at(row.stamp)],
                    ..Message::default()
                });
            }
            what => self.happens(row.stamp, what),
        }
    }

    fn happens(&mut self, stamp: Stamp, what: &What) {
        let Some((node, kind, slot, text)) = told(what) else {
            return;
        };
        let before = node.map(|node| self.portraits.aspects(node));
        if let Some(event) = what.as_event() {
            self.portraits.on(&event);
        }
        let after = node.map(|node| self.portraits.aspects(node));
        let changes = match (before, after) {
            (Some(before), Some(after)) => changes(&before, after),
            _ => Vec::new(),
        };
        self.happenings.push(Happening {
            at: at(stamp),
            lane: node.map(|node| (self.lane_of)(Endpoint::Node(node))),
            kind: self.kinds.number(kind),
            slot,
            text,
            changes,
        });
    }
}

/// All aspects as changes from nothing.
#[must_use]
pub fn state(aspects: [String; 7]) -> Vec<Change> {
    (0..).zip(aspects).collect()
}

fn changes(before: &[String; 7], after: [String; 7]) -> Vec<Change> {
    let pairs = (0..).zip(before).zip(after);
    pairs
        .filter(|((_, before), after)| *before != after)
        .map(|((aspect, _), after)| (aspect, after))
        .collect()
}

type Told = (Option<Node>, &'static str, Option<u64>, String);

/// Whom it concerns, its kind, its slot and what it is in words; none for what is no happening.
fn told(what: &What) -> Option<Told> {
    let plain = |node: &Node, kind: &'static str| Some((Some(*node), kind, None, kind.to_owned()));
    match what {
        What::Boot(node, boot) => {
            Some((Some(*node), "starts", None, format!("starts, boot {boot}")))
        }
        What::Ready(node) => plain(node, "takes part"),
        What::Killed(node) => plain(node, "is killed"),
        What::PowerLost(node) => plain(node, "loses power"),
        What::Halted(node, reason) => {
            Some((Some(*node), "halts", None, format!("halts: {reason}")))
        }
        What::Paused(node) => plain(node, "is paused"),
        What::Resumed(node) => plain(node, "goes on"),
        What::DiskFailed(node, what, error) => {
            let text = format!("a {what} fails: {error:?}");
            Some((Some(*node), "disk fails", None, text))
        }
        What::Fact(node, fact) => {
            let (kind, slot) = kind_of(fact);
            Some((Some(*node), kind, slot, Shown(fact).to_string()))
        }
        What::Effect(kind, node) => Some((Some(*node), kind, None, (*kind).to_owned())),
        What::FaultBegins(detail) => Some((None, "fault", None, format!("{detail} begins"))),
        What::FaultHappens(detail) => Some((None, "fault", None, format!("{detail} happens"))),
        What::FaultEnds(detail) => Some((None, "fault", None, format!("{detail} ends"))),
        What::Leads(..)
        | What::Campaigns(..)
        | What::Sent { .. }
        | What::Delivered { .. }
        | What::Invoked(..)
        | What::Returned(_) => None,
    }
}

const fn kind_of(fact: &Fact) -> (&'static str, Option<u64>) {
    match *fact {
        Fact::Recovered { .. } => ("comes back", None),
        Fact::Promised(_) => ("promises", None),
        Fact::Voted { slot, .. } => ("votes", Some(slot)),
        Fact::Campaigned(_) => ("campaigns", None),
        Fact::Led(_) => ("leads", None),
        Fact::SteppedDown(_) => ("leads no more", None),
        Fact::Chosen { slot, .. } => ("knows chosen", Some(slot)),
        Fact::Applied { slot, .. } => ("applies", Some(slot)),
        Fact::Executed { slot, .. } => ("executes", Some(slot)),
    }
}
