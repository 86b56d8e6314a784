//! A page as a trace in Chrome's JSON format, which `ui.perfetto.dev` opens: a track for each replica
//! and client, arrows from sendings to arrivals, and tracks of what lasts.
//!
//! Timestamps are in microseconds, with the nanoseconds behind the point.

use serde_json::{Value, json};

use crate::page::model::{At, Message, Page, Span, SpanSort};

/// The process of those who take part.
const TAKES_PART: u32 = 1;
/// The process of what lasts.
const LASTS: u32 = 2;
/// A sending or an arrival is shown as long as this, in microseconds, so that an arrow has ends.
const SHOWN: f64 = 1.0;

/// The trace.
#[must_use]
pub fn perfetto(page: &Page) -> String {
    let mut events = names(page);
    let kind = |kind: u16| page.kinds.get(usize::from(kind)).map_or("", String::as_str);
    let lane = |lane: u16| page.lanes.get(usize::from(lane)).map_or("", |it| &it.name);
    for (id, message) in (0_u64..).zip(&page.messages) {
        arrow(&mut events, page, id, message, kind(message.kind), &lane);
    }
    for happening in &page.happenings {
        events.push(json!({
            "name": happening.text, "cat": kind(happening.kind), "ph": "i",
            "s": if happening.lane.is_some() { "t" } else { "g" },
            "ts": micros(happening.at), "pid": TAKES_PART,
            "tid": track(happening.lane.unwrap_or_default()),
            "args": {"event": happening.at.number, "slot": happening.slot},
        }));
    }
    for operation in &page.operations {
        let id = format!("operation-{}", operation.id);
        let tid = track(operation.lane);
        let end = operation.ret.unwrap_or(page.end);
        events.push(json!({
            "name": operation.text, "cat": "operation", "ph": "b", "id": id,
            "ts": micros(operation.call), "pid": TAKES_PART, "tid": tid,
            "args": {"key": operation.key, "process": operation.process, "slot": operation.slot},
        }));
        events.push(json!({
            "name": operation.text, "cat": "operation", "ph": "e", "id": id,
            "ts": micros(end), "pid": TAKES_PART, "tid": tid,
        }));
    }
    for (id, span) in (0_u64..).zip(&page.spans) {
        lasts(&mut events, id, span, &lane);
    }
    if let Some(at) = page.violation {
        events.push(json!({
            "name": page.message.as_deref().unwrap_or("violation"), "cat": "violation",
            "ph": "i", "s": "g", "ts": micros(at), "pid": TAKES_PART, "tid": track(0),
            "args": {"event": at.number, "check": page.check},
        }));
    }
    let trace = json!({
        "traceEvents": events,
        "displayTimeUnit": "ns",
        "otherData": {"run": page.title, "verdict": page.verdict, "reproduce": page.reproduce},
    });
    trace.to_string() + "\n"
}

fn names(page: &Page) -> Vec<Value> {
    let process = |pid: u32, name: &str| json!({"name": "process_name", "ph": "M", "pid": pid, "args": {"name": name}});
    let lanes = (0..).zip(&page.lanes).flat_map(|(lane, it)| {
        let tid = track(lane);
        [
            json!({
                "name": "thread_name", "ph": "M", "pid": TAKES_PART, "tid": tid,
                "args": {"name": it.name},
            }),
            json!({
                "name": "thread_sort_index", "ph": "M", "pid": TAKES_PART, "tid": tid,
                "args": {"sort_index": tid},
            }),
        ]
    });
    [
        process(TAKES_PART, &page.title),
        process(LASTS, "leaders, faults, those who are down"),
    ]
    .into_iter()
    .chain(lanes)
    .collect()
}

/// A message as a slice at each end, and an arrow between them.
fn arrow<'a>(
    events: &mut Vec<Value>,
    page: &Page,
    id: u64,
    message: &Message,
    kind: &str,
    lane: &impl Fn(u16) -> &'a str,
) {
    let ballot = message.ballot.and_then(|it| page.ballots.get(it as usize));
    let mut end = |at: At, place: u16, name: String| {
        events.push(json!({
            "name": name, "cat": kind, "ph": "X", "ts": micros(at), "dur": SHOWN,
            "pid": TAKES_PART, "tid": track(place),
            "args": {"event": at.number, "slots": message.slots, "ballot": ballot},
        }));
    };
    if let Some(at) = message.sent {
        let lost = if message.delivered.is_empty() {
            ", which never comes"
        } else {
            ""
        };
        end(
            at,
            message.from,
            format!("{kind} to {}{lost}", lane(message.to)),
        );
    }
    for at in &message.delivered {
        end(
            *at,
            message.to,
            format!("{kind} from {}", lane(message.from)),
        );
    }
    let Some(sent) = message.sent else {
        return;
    };
    for (copy, at) in (0_u64..).zip(&message.delivered) {
        let id = format!("{id}.{copy}");
        for (phase, at, place) in [("s", sent, message.from), ("f", *at, message.to)] {
            events.push(json!({
                "name": kind, "cat": "message", "ph": phase, "bp": "e", "id": id,
                "ts": micros(at), "pid": TAKES_PART, "tid": track(place),
            }));
        }
    }
}

fn lasts<'a>(events: &mut Vec<Value>, id: u64, span: &Span, lane: &impl Fn(u16) -> &'a str) {
    let who: Vec<&str> = span.lanes.iter().map(|it| lane(*it)).collect();
    let who = who.join(" ");
    let (tid, category, name) = match span.sort {
        SpanSort::Leads => (1, "leads", format!("{who} leads at {}", span.name)),
        SpanSort::Campaigns => (1, "campaigns", format!("{who} campaigns at {}", span.name)),
        SpanSort::Fault => (2, "fault", format!("{} {who}", span.name)),
        SpanSort::Down => (3, "down", format!("{who}: {}", span.name)),
        SpanSort::Paused => (3, "paused", format!("{who} is paused")),
    };
    for (phase, at) in [("b", span.from), ("e", span.to)] {
        events.push(json!({
            "name": name, "cat": category, "ph": phase, "id": format!("span-{id}"),
            "ts": micros(at), "pid": LASTS, "tid": tid, "args": {"event": at.number},
        }));
    }
}

/// Threads are numbered from 1.
fn track(lane: u16) -> u32 {
    u32::from(lane) + 1
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the format wants microseconds; a run of days keeps its nanoseconds"
)]
fn micros(at: At) -> f64 {
    at.time as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::model::{Happening, Lane};

    #[test]
    fn a_message_is_two_slices_and_an_arrow_and_a_lost_one_is_one() {
        let at = |number: u64| At {
            number,
            time: number * 1_500,
        };
        let message = |sent, delivered: &[At]| Message {
            to: 1,
            sent: Some(at(sent)),
            delivered: delivered.to_vec(),
            ..Message::default()
        };
        let lane = |name: &str| Lane {
            name: name.to_owned(),
            ..Lane::default()
        };
        let page = Page {
            lanes: vec![lane("r1"), lane("r2")],
            kinds: vec!["accept".to_owned()],
            messages: vec![message(2, &[at(4)]), message(6, &[])],
            happenings: vec![Happening {
                at: at(5),
                ..Happening::default()
            }],
            ..Page::default()
        };
        let trace: Value = serde_json::from_str(&perfetto(&page)).expect("JSON");
        let events = trace["traceEvents"].as_array().expect("a list");
        let count = |phase: &str| events.iter().filter(|one| one["ph"] == phase).count();
        assert_eq!(
            ["X", "s", "f", "i", "M"].map(count),
            [3, 1, 1, 1, 6],
            "{trace:#}"
        );
        let arrival = events.iter().find(|one| one["name"] == "accept from r1");
        let arrival = arrival.expect("it arrives");
        assert_eq!((&arrival["ts"], &arrival["tid"]), (&json!(6.0), &json!(2)));
    }
}
