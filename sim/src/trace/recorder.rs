//! Keeps the history of a run as JSON lines: one for each call, and one for each end of an
//! operation.
//!
//! Times are event numbers, so that the order is total.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::history::operation::{Action, Call, Return, Text};
use crate::trace::event::{Event, Outcome, Stamp};
use crate::trace::observer::Observer;

/// Records the history.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    history: String,
    open: Vec<(u32, Arc<Call>)>,
}

impl Recorder {
    /// The history as JSON lines.
    #[must_use]
    pub fn into_history(self) -> String {
        self.history
    }

    fn line(
        &mut self,
        stamp: Stamp,
        process: u32,
        kind: &str,
        call: &Call,
        result: Option<&Return>,
        place: Option<(u64, u16)>,
    ) {
        let (name, value) = match &call.action {
            Action::Get => ("read", Value::Null),
            Action::Put(new) => ("write", text(new)),
            Action::Append(tag) => ("append", text(tag)),
            Action::Cas { expected, new } => {
                ("cas", json!([expected.as_ref().map(text), text(new)]))
            }
            Action::Delete => ("delete", Value::Null),
        };
        let value = match result {
            Some(Return::Value(value)) => value.as_ref().map_or(Value::Null, text),
            _ => value,
        };
        let mut line = json!({
            "process": process,
            "type": kind,
            "f": name,
            "key": text(&call.key),
            "value": value,
            "time": stamp.number,
        });
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
            Event::Invoked { process, call, .. } => {
                self.line(stamp, *process, "invoke", call, None, None);
                self.open.push((*process, Arc::new((*call).clone())));
            }
            Event::Returned {
                process, outcome, ..
            } => {
                let Some(at) = self.open.iter().position(|(open, _)| open == process) else {
                    return ControlFlow::Continue(());
                };
                let (_, call) = self.open.swap_remove(at);
                match outcome {
                    Outcome::Ok { result, place } => {
                        self.line(stamp, *process, "ok", &call, Some(result), *place)
                    }
                    Outcome::Fail => self.line(stamp, *process, "fail", &call, None, None),
                    Outcome::Unknown => self.line(stamp, *process, "info", &call, None, None),
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
