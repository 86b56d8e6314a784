//! A history that is still being made: the simulator tells what its clients do as they do it,
//! copies the whole at any moment, and asks for a verdict when it likes.
//!
//! A copy shares everything but the last few operations. An operation that has not ended when a
//! verdict is asked for is unknown.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check::linearizability::budget::Budget;
use crate::check::linearizability::check::{Report, check};
use crate::history::operation::{Action, Call, Return, Text};
use crate::history::recorded::{Asked, History, NEVER, Outcome, Place, Recorded};
use crate::history::values::{ABSENT, Val, Values};

/// Operations are shared in pieces of this many.
const PIECE: usize = 32;

/// A history in the making. Times are the caller's, and never decrease.
#[derive(Clone, Default)]
pub struct Online {
    ended: Vec<Arc<Vec<Ended>>>,
    open: BTreeMap<u64, Open>,
    /// Places that became known after the outcome of their operation was given up.
    learned: BTreeMap<u64, Place>,
    /// What came back after the outcome of their operation was given up, and when.
    late: BTreeMap<u64, (Return, u64)>,
    operations: usize,
    /// The latest time that was told.
    pub(super) latest: u64,
}

#[derive(Clone)]
struct Open {
    call: Call,
    time: u64,
}

#[derive(Clone)]
struct Ended {
    process: u64,
    call: Call,
    /// Of the call and of the return.
    times: (u64, u64),
    reply: Reply,
    place: Option<Place>,
}

#[derive(Clone)]
enum Reply {
    Returned(Return),
    Failed,
    Unknown,
}

impl Online {
    /// A history without operations.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A process calls an operation. It has no other open, and none whose outcome stayed unknown.
    pub fn invoke(&mut self, process: u64, call: &Call, time: u64) {
        self.operations += 1;
        self.latest = self.latest.max(time);
        let before = self.open.insert(
            process,
            Open {
                call: call.clone(),
                time,
            },
        );
        assert!(
            before.is_none(),
            "process {process} calls while its operation is open"
        );
    }

    /// Its operation took effect and returned. A compare-and-set that returns a mismatch had no
    /// effect and is a read.
    pub fn ok(&mut self, process: u64, returned: Return, place: Option<Place>, time: u64) {
        self.end(process, Reply::Returned(returned), place, time);
    }

    /// Its operation definitely had no effect.
    pub fn fail(&mut self, process: u64, time: u64) {
        self.end(process, Reply::Failed, None, time);
    }

    /// Nobody will learn what became of its operation; the process calls nothing any more.
    pub fn unknown(&mut self, process: u64) {
        self.end(process, Reply::Unknown, None, NEVER);
    }

    /// The log's place of an operation of unknown outcome is found out after all. It helps to
    /// decide fast and is never trusted.
    pub fn learned(&mut self, process: u64, place: Place) {
        self.learned.insert(process, place);
    }

    /// An operation of unknown outcome took effect and returned after all.
    pub fn late(&mut self, process: u64, returned: Return, place: Option<Place>, time: u64) {
        if let Some(place) = place {
            self.learned(process, place);
        }
        self.latest = self.latest.max(time);
        self.late.insert(process, (returned, time));
    }

    /// How many operations were called.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.operations
    }

    /// The open operation of a process.
    #[must_use]
    pub fn open(&self, process: u64) -> Option<&Call> {
        self.open.get(&process).map(|open| &open.call)
    }

    fn end(&mut self, process: u64, reply: Reply, place: Option<Place>, time: u64) {
        let Some(Open { call, time: called }) = self.open.remove(&process) else {
            panic!("process {process} returns without a call")
        };
        debug_assert!(called <= time, "process {process} returns before its call");
        if time != NEVER {
            self.latest = self.latest.max(time);
        }
        self.keep(Ended {
            process,
            call,
            times: (called, time),
            reply,
            place,
        });
    }

    fn keep(&mut self, ended: Ended) {
        match self.ended.last_mut() {
            Some(piece) if piece.len() < PIECE => Arc::make_mut(piece).push(ended),
            _ => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(ended);
                self.ended.push(Arc::new(piece));
            }
        }
    }

    /// The history so far, in the order of the calls.
    #[must_use]
    pub fn history(&self) -> History {
        let mut builder = Builder::default();
        builder.history.operations.reserve(self.operations);
        for ended in self.ended.iter().flat_map(|piece| piece.iter()) {
            let place = ended
                .place
                .or_else(|| self.learned.get(&ended.process).copied());
            let late = match ended.reply {
                Reply::Unknown => self.late.get(&ended.process),
                Reply::Returned(_) | Reply::Failed => None,
            };
            match late {
                None => builder.add(ended.process, &ended.call, ended.times, &ended.reply, place),
                Some((returned, time)) => builder.add(
                    ended.process,
                    &ended.call,
                    (ended.times.0, *time),
                    &Reply::Returned(returned.clone()),
                    place,
                ),
            }
        }
        for (process, open) in &self.open {
            builder.add(
                *process,
                &open.call,
                (open.time, NEVER),
                &Reply::Unknown,
                self.learned.get(process).copied(),
            );
        }
        let mut history = builder.history;
        history.operations.sort_by_key(|operation| operation.call);
        history
    }

    /// Whether the history so far is linearizable. The budget is that of each key.
    #[must_use]
    pub fn verdict(&self, budget: Budget) -> Report {
        check(&self.history(), budget)
    }
}

#[derive(Default)]
struct Builder<'o> {
    history: History,
    keys: BTreeMap<&'o [u8], u32>,
    processes: BTreeMap<u64, u32>,
}

impl<'o> Builder<'o> {
    fn add(
        &mut self,
        process: u64,
        call: &'o Call,
        times: (u64, u64),
        reply: &Reply,
        place: Option<Place>,
    ) {
        let History {
            operations,
            values,
            keys,
            processes,
            ..
        } = &mut self.history;
        let key = *self.keys.entry(&call.key).or_insert_with(|| {
            keys.push(values.text(&call.key));
            u32::try_from(keys.len() - 1).expect("keys have 32-bit numbers")
        });
        let process = *self.processes.entry(process).or_insert_with(|| {
            processes.push(i64::try_from(process).unwrap_or(i64::MAX));
            u32::try_from(processes.len() - 1).expect("processes have 32-bit numbers")
        });
        let asked = match &call.action {
            Action::Get => Asked::Read,
            Action::Put(value) => Asked::Write(values.text(value)),
            Action::Append(value) => Asked::Append(values.text(value)),
            Action::Cas { expected, new } => Asked::Cas {
                expected: optional(values, expected.as_ref()),
                new: values.text(new),
            },
            Action::Delete => Asked::Delete,
        };
        let outcome = match reply {
            Reply::Returned(returned) => answered(asked, returned, values),
            Reply::Failed => Outcome::Fail,
            Reply::Unknown => Outcome::Unknown,
        };
        operations.push(Recorded {
            call: times.0,
            ret: times.1,
            place,
            asked,
            outcome,
            process,
            key,
            lines: [0; 2],
        });
    }
}

/// What an answer says. Reads answer with a value, and nothing else does; only a cas is refused for
/// what is there, and only if it expected something else.
fn answered(asked: Asked, returned: &Return, values: &mut Values) -> Outcome {
    match (asked, returned) {
        (Asked::Read, Return::Value(value)) => Outcome::Ok(optional(values, value.as_ref())),
        (Asked::Read, _) => Outcome::Saw(values.impossible()),
        (_, Return::Done) => Outcome::Ok(ABSENT),
        (Asked::Cas { expected, .. }, Return::Mismatch(saw))
            if optional(values, saw.as_ref()) != expected =>
        {
            Outcome::Saw(optional(values, saw.as_ref()))
        }
        (_, Return::Mismatch(_) | Return::Value(_)) => Outcome::Saw(values.impossible()),
    }
}

fn optional(values: &mut Values, value: Option<&Text>) -> Val {
    value.map_or(ABSENT, |value| values.text(value))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::check::linearizability::check::Verdict;

    /// Tells a recorded history of strings as if it happened now.
    pub fn replayed(history: &History, mut online: Online) -> Online {
        let text = |value: Val| Text::from(history.values.bytes(value));
        let optional = |value: Val| (value != ABSENT).then(|| text(value));
        let mut events: Vec<(u64, bool, usize)> = Vec::new();
        for (at, operation) in history.operations.iter().enumerate() {
            events.push((operation.call, false, at));
            events.push((
                if operation.outcome == Outcome::Unknown {
                    operation.call
                } else {
                    operation.ret
                },
                true,
                at,
            ));
        }
        events.sort_unstable();
        for (time, is_return, at) in events {
            let operation = &history.operations[at];
            let process = at as u64;
            let action = match operation.asked {
                Asked::Read => Action::Get,
                Asked::Write(value) => Action::Put(text(value)),
                Asked::Append(value) => Action::Append(text(value)),
                Asked::Cas { expected, new } => Action::Cas {
                    expected: optional(expected),
                    new: text(new),
                },
                Asked::Delete => Action::Delete,
                other => unreachable!("{other:?} is not generated"),
            };
            match operation.outcome {
                _ if !is_return => online.invoke(
                    process,
                    &Call {
                        key: text(history.keys[operation.key as usize]),
                        action,
                    },
                    time,
                ),
                Outcome::Ok(value) if operation.asked == Asked::Read => online.ok(
                    process,
                    Return::Value(optional(value)),
                    operation.place,
                    time,
                ),
                Outcome::Ok(_) => online.ok(process, Return::Done, operation.place, time),
                Outcome::Saw(value) => online.ok(
                    process,
                    Return::Mismatch(optional(value)),
                    operation.place,
                    time,
                ),
                Outcome::Fail | Outcome::Mismatch => online.fail(process, time),
                Outcome::Unknown => online.unknown(process),
            }
        }
        online
    }

    fn text(s: &str) -> Text {
        s.as_bytes().into()
    }

    fn call(key: &str, action: Action) -> Call {
        Call {
            key: text(key),
            action,
        }
    }

    #[test]
    fn a_stale_read_is_caught_and_its_copy_is_not() {
        let mut online = Online::new();
        online.invoke(1, &call("x", Action::Put(text("1"))), 1);
        online.invoke(2, &call("y", Action::Append(text("a"))), 2);
        online.ok(1, Return::Done, None, 3);
        online.unknown(2);
        let fork = online.clone();
        online.invoke(3, &call("x", Action::Get), 4);
        online.ok(3, Return::Value(None), None, 5);
        let report = online.verdict(Budget::default());
        let Verdict::NotLinearizable { key } = report.verdict else {
            panic!("{report:?}")
        };
        let history = online.history();
        assert_eq!(history.values.bytes(history.keys[key as usize]), b"x");
        assert_eq!(
            fork.verdict(Budget::default()).verdict,
            Verdict::Linearizable
        );
    }

    #[test]
    fn an_answer_that_an_operation_cannot_have_is_wrong() {
        let (one, two) = (text("1"), text("2"));
        let cas = Action::Cas {
            expected: Some(one.clone()),
            new: two.clone(),
        };
        let saw = |value: &Text| Return::Mismatch(Some(value.clone()));
        for (action, returned, linearizable) in [
            (cas.clone(), Return::Done, true),
            (cas.clone(), saw(&one), false),
            (cas.clone(), Return::Value(Some(one.clone())), false),
            (Action::Put(two.clone()), saw(&one), false),
            (Action::Put(two.clone()), Return::Done, true),
            (Action::Append(two.clone()), saw(&one), false),
            (Action::Delete, Return::Value(None), false),
            (Action::Get, Return::Value(Some(one.clone())), true),
            (Action::Get, saw(&one), false),
            (Action::Get, Return::Done, false),
        ] {
            let mut online = Online::new();
            online.invoke(1, &call("x", Action::Put(one.clone())), 1);
            online.ok(1, Return::Done, None, 2);
            online.invoke(2, &call("x", action.clone()), 3);
            online.ok(2, returned.clone(), None, 4);
            let verdict = online.verdict(Budget::default()).verdict;
            let found = verdict == Verdict::Linearizable;
            assert_eq!(found, linearizable, "{action:?} {returned:?}");
        }
    }

    #[test]
    fn an_answer_that_comes_late_binds() {
        let mut online = Online::new();
        online.invoke(1, &call("x", Action::Put(text("1"))), 1);
        online.unknown(1);
        online.invoke(2, &call("x", Action::Get), 2);
        online.unknown(2);
        let mut other = online.clone();
        online.late(1, Return::Done, None, 3);
        for (online, linearizable) in [(&mut online, false), (&mut other, true)] {
            online.invoke(3, &call("x", Action::Get), 4);
            online.ok(3, Return::Value(None), None, 5);
            let verdict = online.verdict(Budget::default()).verdict;
            assert_eq!(verdict == Verdict::Linearizable, linearizable);
        }
        for (value, linearizable) in [("1", true), ("2", false)] {
            let mut online = other.clone();
            online.late(2, Return::Value(Some(text(value))), None, 6);
            let verdict = online.verdict(Budget::default()).verdict;
            assert_eq!(verdict == Verdict::Linearizable, linearizable);
        }
    }

    #[test]
    fn the_log_settles_unknown_operations() {
        let mut online = Online::new();
        online.invoke(1, &call("x", Action::Put(text("1"))), 1);
        online.unknown(1);
        online.invoke(2, &call("x", Action::Get), 2);
        online.ok(2, Return::Value(Some(text("1"))), Some(Place::after(7)), 3);
        online.learned(1, Place::new(7, 0));
        let report = online.verdict(Budget::default());
        assert_eq!(
            (report.verdict, report.methods[0], report.log),
            (Verdict::Linearizable, 1, None)
        );
    }

    #[test]
    fn an_order_of_the_log_that_breaks_real_time_is_a_finding_of_its_own() {
        let mut online = Online::new();
        for (process, value, slot) in [(1, "1", 9), (2, "2", 4)] {
            online.invoke(process, &call("x", Action::Put(text(value))), process * 10);
            online.ok(
                process,
                Return::Done,
                Some(Place::new(slot, 0)),
                process * 10 + 1,
            );
        }
        let report = online.verdict(Budget::default());
        assert_eq!(report.verdict, Verdict::Linearizable);
        assert!(report.log.is_some());
    }
}
