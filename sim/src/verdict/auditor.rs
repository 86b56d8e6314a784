//! The judge of an audit's forks: each by what clients saw before the fork, and by its own reads of
//! every key.
//!
//! The forks of one audit share what was found out about a key (see `linearizability::aftermath`).
//! It holds whatever order they are judged in.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::check::linearizability::aftermath::Aftermath;
use crate::check::linearizability::chain::Answer;
use crate::check::roster::Violation;
use crate::check::suite::Suite;
use crate::history::operation::{Action, Return, Text};
use crate::history::recorded::Place;
use crate::ids::Node;
use crate::trace::event::{Event, Outcome, Sent, Stamp};
use crate::trace::observer::Observer;
use crate::verdict::histories::{BUDGET, broken, given_up};
use crate::verdict::{Closing, Judge};

/// Judges one fork. A copy judges another.
#[derive(Clone)]
pub struct Auditor {
    suite: Suite,
    /// The history before the fork.
    before: Rc<RefCell<Aftermath>>,
    /// Reads that have not returned: by process, the key.
    open: Vec<(u32, Text)>,
    reads: Vec<Read>,
}

/// A read that returned.
#[derive(Clone)]
struct Read {
    key: Text,
    value: Option<Text>,
    place: Option<Place>,
}

impl Auditor {
    pub(super) fn new(suite: Suite, before: Aftermath) -> Self {
        Self {
            suite,
            before: Rc::new(RefCell::new(before)),
            open: Vec::new(),
            reads: Vec::new(),
        }
    }

    fn returned(&mut self, process: u32, outcome: &Outcome) {
        let at = self
            .open
            .iter()
            .position(|(open, _)| *open == process)
            .expect("what returns was invoked");
        let (_, key) = self.open.swap_remove(at);
        let Outcome::Ok { result, place } = outcome else {
            return;
        };
        let value = match result {
            Return::Value(value) | Return::Mismatch(value) => value.clone(),
            Return::Done => None,
        };
        assert!(
            self.reads.iter().all(|read| read.key != key),
            "an audit reads each key once"
        );
        self.reads.push(Read {
            key,
            value,
            place: place.map(|(slot, index)| Place::new(slot, index)),
        });
    }

    fn judge_reads(&self) -> Closing {
        let mut closing = Closing::Passed;
        for Read { key, value, place } in &self.reads {
            match self
                .before
                .borrow_mut()
                .judge(key, value.as_ref(), *place, BUDGET)
            {
                Answer::Linearizable => {}
                Answer::NotLinearizable(_) => return broken(key),
                Answer::Unknown(reason) => closing = given_up(key, reason),
            }
        }
        closing
    }
}

impl Observer for Auditor {
    fn on(&mut self, stamp: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Invoked { process, call, .. } => {
                assert!(call.action == Action::Get, "an audit does nothing but read");
                self.open.push((*process, call.key.clone()));
            }
            Event::Returned {
                process, outcome, ..
            } => self.returned(*process, outcome),
            _ => {}
        }
        self.suite.on(stamp, event)
    }
}

impl Judge for Auditor {
    type Auditor = Self;

    fn violation(&self) -> Option<Violation> {
        self.suite.violation().cloned()
    }

    fn auditor(&self, _: &[Sent]) -> Self {
        self.clone()
    }

    fn close(&mut self, ready_core: &[Node]) -> Closing {
        self.suite.close(ready_core);
        match self.suite.violation() {
            Some(violation) => Closing::Failed(violation.clone()),
            None => self.judge_reads(),
        }
    }
}
