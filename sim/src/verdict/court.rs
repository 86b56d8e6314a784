//! The court: the suite of checkers, and linearizability of what clients saw.

use std::ops::ControlFlow;

use crate::check::jury::Jury;
use crate::check::linearizability::aftermath::Aftermath;
use crate::check::linearizability::check::{Report, Verdict};
use crate::check::linearizability::online::Online;
use crate::check::roster::Violation;
use crate::check::suite::{Checks, Suite, SuiteConfig};
use crate::history::recorded::Place;
use crate::ids::Node;
use crate::subject::process::Reader;
use crate::trace::event::{Event, Outcome, Sent, Stamp};
use crate::trace::observer::Observer;
use crate::verdict::auditor::Auditor;
use crate::verdict::deliveries::Counter;
use crate::verdict::histories::{BUDGET, LINEARIZABILITY, broken, given_up};
use crate::verdict::standings::Standings;
use crate::verdict::states::States;
use crate::verdict::{Closing, Judge, Phase, Reached};

/// Judges a run.
#[derive(Clone)]
pub struct Court {
    suite: Suite,
    history: Online,
    /// Whether histories are judged at all.
    judges_histories: bool,
    /// Operations of the history that was judged.
    judged: u64,
    standings: Standings,
    deliveries: Counter,
    states: States,
}

impl Court {
    /// The checkers' names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Suite::NAMES.iter().copied().chain([LINEARIZABILITY])
    }

    /// A court that has seen nothing.
    #[must_use]
    pub fn new(
        replicas: u8,
        reader: Option<&'static dyn Reader>,
        checks: Checks,
        jury: Jury,
    ) -> Self {
        let judges_histories = jury.has(LINEARIZABILITY);
        Self {
            suite: Suite::new(SuiteConfig {
                replicas,
                reader,
                checks,
                jury,
            }),
            history: Online::new(),
            judges_histories,
            judged: 0,
            standings: Standings::new(replicas),
            deliveries: Counter::new(reader),
            states: States::default(),
        }
    }

    fn judge_history(&mut self) -> Closing {
        if !self.judges_histories {
            return Closing::Passed;
        }
        self.judged = self.history.operations() as u64;
        let Report { verdict, .. } = self.history.verdict(BUDGET);
        let key = |key: u32| {
            let history = self.history.history();
            history.values.bytes(history.keys[key as usize]).to_vec()
        };
        match verdict {
            Verdict::Linearizable => Closing::Passed,
            Verdict::NotLinearizable { key: number } => broken(&key(number)),
            Verdict::Unknown {
                key: number,
                reason,
            } => given_up(&key(number), reason),
        }
    }
}

fn returned(history: &mut Online, stamp: Stamp, process: u32, outcome: &Outcome) {
    let process = u64::from(process);
    match outcome {
        Outcome::Ok { result, place } => {
            let place = place.map(|(slot, index)| Place::new(slot, index));
            history.ok(process, result.clone(), place, stamp.number);
        }
        Outcome::Fail => history.fail(process, stamp.number),
        Outcome::Unknown => history.unknown(process),
    }
}

impl Observer for Court {
    #[inline]
    fn on(&mut self, stamp: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Invoked { process, call, .. } => {
                self.history.invoke(u64::from(*process), call, stamp.number)
            }
            Event::Returned {
                process, outcome, ..
            } => returned(&mut self.history, stamp, *process, outcome),
            Event::Learned {
                process,
                outcome: Outcome::Ok { result, place },
                ..
            } => {
                let place = place.map(|(slot, index)| Place::new(slot, index));
                self.history
                    .late(u64::from(*process), result.clone(), place, stamp.number);
            }
            _ => {}
        }
        self.deliveries.on(event, &self.standings);
        if self.standings.on(event) {
            self.states.see(&self.standings);
        }
        self.suite.on(stamp, event)
    }
}

impl Judge for Court {
    type Auditor = Auditor;

    fn violation(&self) -> Option<Violation> {
        self.suite.violation().cloned()
    }

    fn auditor(&self, sent: &[Sent]) -> Auditor {
        let (mut suite, mut history) = (self.suite.auditor(), self.history.clone());
        for sent in sent {
            returned(&mut history, sent.stamp, sent.process, &sent.outcome);
            // What it finds, it keeps.
            let _ = suite.on(sent.stamp, &sent.as_event());
        }
        Auditor::new(suite, Aftermath::of(&history))
    }

    fn judge_clients(&mut self) {
        self.suite.judge_clients();
        self.judges_histories = true;
    }

    fn close(&mut self, ready_core: &[Node]) -> Closing {
        self.suite.close(ready_core);
        match self.suite.violation() {
            Some(violation) => Closing::Failed(violation.clone()),
            None => self.judge_history(),
        }
    }

    fn checked(&self) -> Vec<(&'static str, u64)> {
        let history = self
            .judges_histories
            .then_some((LINEARIZABILITY, self.judged));
        self.suite.counts().chain(history).collect()
    }

    fn enter(&mut self, phase: Phase) {
        self.deliveries.enter(phase);
    }

    fn reached(&self) -> Reached {
        if !self.standings.told {
            return Reached::default();
        }
        Reached {
            deliveries: self.deliveries.by_kind(),
            cells: self.deliveries.cells(),
            states: self.states.hashes().to_vec(),
        }
    }

    fn accounted_bytes(&self) -> u64 {
        self.suite.accounted_bytes() + self.history.operations() as u64 * 160
    }
}
