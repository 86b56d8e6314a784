//! Keeps what a person wants to read of a run: the history, a line an operation's end, and a tale, a line an event that matters.
//!
//! Times in the history are event numbers, so that its order is total.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::history::operation::{Action, Call, Return, Text};
use crate::trace::event::{Event, Outcome, Stamp};
use crate::trace::observer::Observer;

/// Records history and tale.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    history: String,
    tale: Vec<String>,
    open: Vec<(u32, Arc<Call>)>,
}

impl Recorder {
    /// The history as JSON lines, and the tale.
    #[must_use]
    pub fn into_parts(self) -> (String, Vec<String>) {
        (self.history, self.tale)
    }

    fn tell(&mut self, stamp: Stamp, text: std::fmt::Arguments<'_>) {
        self.tale.push(format!("{} #{} {text}", stamp.time, stamp.number));
    }

    fn line(&mut self, stamp: Stamp, process: u32, kind: &str, call: &Call, result: Option<&Return>, place: Option<(u64, u16)>) {
        let (name, value) = match &call.action {
            Action::Get => ("read", Value::Null),
            Action::Put(new) => ("write", text(new)),
            Action::Append(tag) => ("append", text(tag)),
            Action::Cas { expected, new } => ("cas", json!([expected.as_ref().map(text), text(new)])),
            Action::Delete => ("delete", Value::Null),
        };
        let value = match result {
            Some(Return::Value(value)) => value.as_ref().map_or(Value::Null, text),
            _ => value,
        };
        let mut line = json!({ "process": process, "type": kind, "f": name, "key": text(&call.key), "value": value, "time": stamp.number });
        if let Some(Return::Mismatch(saw)) = result {
            line["type"] = json!("fail");
            line["saw"] = saw.as_ref().map_or(Value::Null, text);
        }
        if let (Some((slot, index)), Some("ok" | "info")) = (place, line["type"].as_str()) {
            line["slot"] = json!(slot);
            line["index"] = json!(index);
        }
        writeln!(self.history, "{line}").expect("a string takes everything");
    }
}

fn text(bytes: &Text) -> Value {
    json!(String::from_utf8_lossy(bytes))
}

impl Observer for Recorder {
    fn on(&mut self, stamp: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Boot { node, boot } => self.tell(stamp, format_args!("{node} starts, for the {boot}. time")),
            Event::Ready(node) => self.tell(stamp, format_args!("{node} takes part")),
            Event::Killed(node) => self.tell(stamp, format_args!("{node} is killed")),
            Event::PowerLost(node) => self.tell(stamp, format_args!("{node} loses power")),
            Event::Halted { node, reason, .. } => self.tell(stamp, format_args!("{node} halts: {reason}")),
            Event::Paused(node) => self.tell(stamp, format_args!("{node} is paused")),
            Event::Resumed(node) => self.tell(stamp, format_args!("{node} goes on")),
            Event::DiskFailed { node, what, error } => self.tell(stamp, format_args!("a {what} of {node} fails: {error:?}")),
            Event::Fault { kind: kind @ ("begins" | "ends"), detail } => self.tell(stamp, format_args!("{detail} {kind}")),
            Event::Fact { node, fact } => self.tell(stamp, format_args!("{node}: {fact:?}")),
            Event::Invoked { process, call, client } => {
                self.tell(stamp, format_args!("{client} asks as {process}: {}", asked(call)));
                self.line(stamp, *process, "invoke", call, None, None);
                self.open.push((*process, Arc::new((*call).clone())));
            }
            Event::Returned { process, outcome, client } => {
                let Some(at) = self.open.iter().position(|(open, _)| open == process) else { return ControlFlow::Continue(()) };
                let (_, call) = self.open.swap_remove(at);
                self.tell(stamp, format_args!("{client} hears as {process}: {}", heard(outcome)));
                match outcome {
                    Outcome::Ok { result, place } => self.line(stamp, *process, "ok", &call, Some(result), *place),
                    Outcome::Fail => self.line(stamp, *process, "fail", &call, None, None),
                    Outcome::Unknown => self.line(stamp, *process, "info", &call, None, None),
                }
            }
            Event::Sent { .. } | Event::Delivered { .. } | Event::Synced { .. } | Event::NamesSynced { .. } | Event::Fault { .. } => {}
        }
        ControlFlow::Continue(())
    }
}

fn asked(call: &Call) -> String {
    let lossy = |bytes: &Text| String::from_utf8_lossy(bytes).into_owned();
    let key = lossy(&call.key);
    match &call.action {
        Action::Get => format!("get {key}"),
        Action::Put(new) => format!("put {key} {}", lossy(new)),
        Action::Append(tag) => format!("append {key} {}", lossy(tag)),
        Action::Cas { expected, new } => format!("cas {key} {} {}", expected.as_ref().map_or_else(|| "absent".to_owned(), lossy), lossy(new)),
        Action::Delete => format!("delete {key}"),
    }
}

fn heard(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok { result: Return::Done, .. } => "done".to_owned(),
        Outcome::Ok { result: Return::Value(value), .. } => {
            value.as_ref().map_or_else(|| "absent".to_owned(), |value| String::from_utf8_lossy(value).into_owned())
        }
        Outcome::Ok { result: Return::Mismatch(value), .. } => {
            format!("found {}", value.as_ref().map_or_else(|| "nothing".into(), |value| String::from_utf8_lossy(value)))
        }
        Outcome::Fail => "refused".to_owned(),
        Outcome::Unknown => "nothing, for ever".to_owned(),
    }
}
