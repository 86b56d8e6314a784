//! What steps ask of clients and wait for, `invoke` and `expect`: from the file to the scenario.

use std::ops::Range;

use crate::history::operation::{Action, Call, Text};
use crate::scenario::asking::{ExpectForm, InvokeForm, LagForm};
use crate::scenario::model::{Condition, Expect, Invoke};
use crate::scenario::select::{CLIENTS_MAX, Select, client};
use crate::scenario::steps::Cast;

type ConditionOf = fn(Select) -> Condition;

impl Cast<'_> {
    pub(super) fn expect(&mut self, form: ExpectForm, place: &Range<usize>) -> Option<Expect> {
        let mut found: Vec<(&'static str, Condition)> = Vec::new();
        let selections: [(&'static str, Option<Select>, ConditionOf); 5] = [
            ("leader", form.leader, Condition::Leader),
            ("no-leader", form.no_leader, Condition::NoLeader),
            ("caught-up", form.caught_up, Condition::CaughtUp),
            ("halted", form.halted, Condition::Halted),
            ("ready", form.ready, Condition::Ready),
        ];
        for (name, select, condition) in selections {
            if let Some(select) = select {
                self.known(&select, place, name);
                found.push((name, condition(select)));
            }
        }
        if let Some(count) = form.operations {
            self.can_be_asked(&count, place);
            found.push(("operations", Condition::Operations(count)));
        }
        if let Some(LagForm { replica, slots }) = form.lag {
            self.exists(&Select::Nodes(vec![replica.0]), place);
            found.push(("lag", Condition::Lag(replica.0, slots)));
        }
        if let Some(value) = form.value {
            found.push(("value", Condition::Value(value.key, value.is)));
        }
        if form.within.is_some() && form.r#for.is_some() {
            self.wrong(
                place.clone(),
                "both `within` and `for`",
                "one of them",
                "`within`: happens by then; `for`: holds throughout",
            );
        }
        if found.len() != 1 {
            let help =
                "write one of leader, no-leader, value, caught-up, halted, ready, operations, lag";
            self.wrong(
                place.clone(),
                "an `expect` is about exactly one thing",
                if found.is_empty() {
                    "about nothing"
                } else {
                    "about several"
                },
                help,
            );
        }
        let (_, what) = found.pop()?;
        Some(Expect {
            what,
            within: form.within,
            throughout: form.r#for,
        })
    }

    pub(super) fn invoke(&mut self, form: InvokeForm, place: &Range<usize>) -> Option<Invoke> {
        let Some(client) = client(&form.client) else {
            let at = self.source.find(place.clone(), &form.client);
            self.wrong(
                at,
                format!("`{}` is not the name of a client", form.client),
                "unknown client",
                format!("clients are named c1 to c{CLIENTS_MAX}"),
            );
            return None;
        };
        let text = |text: &String| Text::from(text.as_bytes());
        let InvokeForm {
            op,
            key,
            value,
            old,
            new,
            expect,
            background,
            ..
        } = form;
        let action = match (op.as_str(), value, new) {
            ("get", None, None) if old.is_none() => Action::Get,
            ("delete", None, None) if old.is_none() => Action::Delete,
            ("put", Some(value), None) if old.is_none() => Action::Put(text(&value)),
            ("append", Some(value), None) if old.is_none() => Action::Append(text(&value)),
            ("cas", None, Some(new)) => Action::Cas {
                expected: old.as_ref().map(text),
                new: text(&new),
            },
            ("get" | "delete" | "put" | "append" | "cas", ..) => {
                let help = "put and append need a `value`, cas needs `new` (and `old`, unless the \
                            key must be absent), get and delete need nothing more";
                self.wrong(
                    place.clone(),
                    format!("`{op}` with the wrong values"),
                    "too many, or one is missing",
                    help,
                );
                return None;
            }
            _ => {
                let meant = crate::scenario::value::nearest(&op, Action::KINDS.into_iter())
                    .map_or(String::new(), |op| format!("did you mean `{op}`? "));
                self.wrong(
                    self.source.find(place.clone(), &op),
                    format!("`{op}` is not an operation"),
                    "unknown",
                    format!("{meant}allowed: append, cas, delete, get, put"),
                );
                return None;
            }
        };
        Some(Invoke {
            client,
            call: Call {
                key: text(&key),
                action,
            },
            expect: expect.0,
            background,
        })
    }
}
