//! What a page knows of a run, or of somebody's history: plain data, in the order in which it
//! happened.
//!
//! An event's number orders everything in a run; times are nanoseconds since its beginning. What
//! there is much of is written as rows without names, because a page has few bytes for it.

use serde::{Deserialize, Serialize};

use crate::waits::Waits;

/// When something happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(from = "(u64, u64)", into = "(u64, u64)")]
pub struct At {
    /// The event's number.
    pub number: u64,
    /// Nanoseconds since the beginning of the run.
    pub time: u64,
}

impl From<(u64, u64)> for At {
    fn from((number, time): (u64, u64)) -> Self {
        Self { number, time }
    }
}

impl From<At> for (u64, u64) {
    fn from(at: At) -> Self {
        (at.number, at.time)
    }
}

/// All that a page shows.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Page {
    /// What was run, or read.
    pub title: String,
    /// How it ended, in a word.
    pub verdict: String,
    /// Whether that is a failure.
    pub failed: bool,
    /// The check that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The command that gives this run again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reproduce: Option<String>,
    /// Names and figures of the run, as they are shown.
    pub figures: Vec<(String, String)>,
    /// Who takes part: replicas before clients.
    pub lanes: Vec<Lane>,
    /// Names of the kinds of messages and of happenings.
    pub kinds: Vec<String>,
    /// Names of ballots.
    pub ballots: Vec<String>,
    /// The last event of the run.
    pub end: At,
    /// Where the violation is seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub violation: Option<At>,
    /// What lasts: of the whole run.
    pub spans: Vec<Span>,
    /// Spans that are left out.
    pub spans_left_out: u64,
    /// Which part of the run is here message by message.
    pub window: Window,
    /// What each replica is where the window begins.
    pub states: Vec<Vec<Change>>,
    /// Names of what changes in a replica.
    pub aspects: Vec<String>,
    /// Messages of the window, by the numbers of their sending.
    pub messages: Vec<Message>,
    /// All else that happens in the window.
    pub happenings: Vec<Happening>,
    /// What clients asked for in the window, by the numbers of their calls.
    pub operations: Vec<Operation>,
    /// Operations of the history that are left out.
    pub operations_left_out: u64,
    /// Why the history is not linearizable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// Percentiles of how long somebody waited, by what for.
    pub waits: Vec<(String, Waits)>,
    /// The bake-in curve: by the number of an event, how probable the failure was by then (0 to 1).
    pub bake_in: Vec<(u64, f64)>,
}

/// Somebody who takes part.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Lane {
    /// `r1`, `c2`, `process 3`.
    pub name: String,
    /// Which sort.
    pub sort: Sort,
}

/// A sort of those who take part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// A replica.
    #[default]
    Replica,
    /// A client, or a process of a history.
    Client,
}

/// Something that lasts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Span {
    /// What it is.
    pub sort: SpanSort,
    /// Its name: a ballot, a kind of fault.
    pub name: String,
    /// From here.
    pub from: At,
    /// To here.
    pub to: At,
    /// Whom it concerns, by places among the lanes; nobody: everybody.
    pub lanes: Vec<u16>,
}

/// What lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpanSort {
    /// A replica leads.
    Leads,
    /// A replica asks for votes.
    Campaigns,
    /// A fault holds.
    Fault,
    /// A replica is down.
    Down,
    /// A replica is paused.
    Paused,
}

/// Which part of a run is on the page event by event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Window {
    /// From here.
    pub from: At,
    /// To here.
    pub to: At,
    /// So many messages and happenings before it are left out.
    pub before: u64,
    /// So many behind it.
    pub behind: u64,
}

/// A message.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "MessageRow", into = "MessageRow")]
pub struct Message {
    /// From which lane.
    pub from: u16,
    /// To which.
    pub to: u16,
    /// Which kind.
    pub kind: u16,
    /// When it was sent; none: what arrived is not what anybody sent.
    pub sent: Option<At>,
    /// When it arrived, each time; never: it was lost, or was under way at the end.
    pub delivered: Vec<At>,
    /// The first and the last slot that it is about.
    pub slots: Option<(u64, u64)>,
    /// Its ballot, by its place among the names.
    pub ballot: Option<u32>,
}

type MessageRow = (
    u16,
    u16,
    u16,
    Option<At>,
    Vec<At>,
    Option<(u64, u64)>,
    Option<u32>,
);

impl From<MessageRow> for Message {
    fn from((from, to, kind, sent, delivered, slots, ballot): MessageRow) -> Self {
        Self {
            from,
            to,
            kind,
            sent,
            delivered,
            slots,
            ballot,
        }
    }
}

impl From<Message> for MessageRow {
    fn from(it: Message) -> Self {
        (
            it.from,
            it.to,
            it.kind,
            it.sent,
            it.delivered,
            it.slots,
            it.ballot,
        )
    }
}

/// What changes in a replica: the aspect, by its place among their names, and what it is now.
pub type Change = (u16, String);

/// Something that happens at one place.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "HappeningRow", into = "HappeningRow")]
pub struct Happening {
    /// When.
    pub at: At,
    /// In which lane; none: it concerns the whole.
    pub lane: Option<u16>,
    /// Which kind.
    pub kind: u16,
    /// The slot that it is about.
    pub slot: Option<u64>,
    /// What happens, in words.
    pub text: String,
    /// What is another thing in the replica from then on.
    pub changes: Vec<Change>,
}

type HappeningRow = (At, Option<u16>, u16, Option<u64>, String, Vec<Change>);

impl From<HappeningRow> for Happening {
    fn from((at, lane, kind, slot, text, changes): HappeningRow) -> Self {
        Self {
            at,
            lane,
            kind,
            slot,
            text,
            changes,
        }
    }
}

impl From<Happening> for HappeningRow {
    fn from(it: Happening) -> Self {
        (it.at, it.lane, it.kind, it.slot, it.text, it.changes)
    }
}

/// What became of an operation, as far as its client knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It took effect.
    #[default]
    Ok,
    /// It had no effect.
    Fail,
    /// Nobody knows.
    Unknown,
}

/// An operation of a client.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Operation {
    /// Its number in the history, by which an explanation names it.
    pub id: u32,
    /// In which lane.
    pub lane: u16,
    /// The process of the history.
    pub process: i64,
    /// Its key, where there are keys.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<String>,
    /// What it did and what came back, in words.
    pub text: String,
    /// When it was called.
    pub call: At,
    /// When its end was known; none: never.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ret: Option<At>,
    /// How it ended.
    pub fate: Fate,
    /// The slot that ordered it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub slot: Option<u64>,
}

/// Why a history is not linearizable.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Explanation {
    /// The operation that cannot be placed.
    pub operation: u32,
    /// The longest order that was found of what came before.
    pub order: Vec<u32>,
    /// So many of its first operations are left out.
    pub order_left_out: u64,
    /// Operations that contradict each other.
    pub guilty: Vec<u32>,
    /// All of it in words.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_what_they_were() {
        let at = |number| At {
            number,
            time: number * 10,
        };
        let page = Page {
            messages: vec![Message {
                from: 1,
                to: 2,
                kind: 3,
                sent: Some(at(4)),
                delivered: vec![at(5), at(9)],
                slots: Some((6, 7)),
                ballot: Some(0),
            }],
            happenings: vec![Happening {
                at: at(8),
                lane: Some(1),
                kind: 2,
                slot: None,
                text: "votes".to_owned(),
                changes: vec![(0, "up".to_owned())],
            }],
            ..Page::default()
        };
        let json = serde_json::to_string(&page).expect("plain data");
        assert!(
            json.contains("[1,2,3,[4,40],[[5,50],[9,90]],[6,7],0]"),
            "{json}"
        );
        let back: Page = serde_json::from_str(&json).expect("it was written just now");
        assert_eq!(back, page);
    }
}
