//! What is wrong with a run, and which class of failure that is.

pub mod auditor;
pub mod court;
mod deliveries;
pub mod histories;
mod standings;
mod states;
pub mod undecided;

use std::collections::BTreeMap;

use synod_reports::record::{Cells, Deliveries, Verdict};

use crate::check::roster::Violation;
use crate::ids::Node;
use crate::panics::Caught;
use crate::subject::process::MISUSE;
use crate::trace::event::Sent;
use crate::trace::observer::Observer;
use crate::verdict::undecided::Undecided;

/// The check of a run that takes more memory than a run may.
pub const OUT_OF_MEMORY: &str = "out-of-memory";

/// The check of a panic of the subject.
pub const PANIC: &str = "panic";

/// The check of a subject that asks for what no host can do.
pub const PORT: &str = "port";

/// The check that a script's expectations are.
pub const EXPECTATION: &str = "expectation";

/// A run that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// `Safety`, `Liveness`, `Expectation`, `Panic`, `Lost`, or else `Excused` or `Inconclusive`.
    pub class: Verdict,
    /// The check's name.
    pub check: String,
    /// What it says, for people.
    pub message: String,
}

impl Failure {
    /// A failure of this class.
    #[must_use]
    pub fn new(class: Verdict, check: &str, message: impl Into<String>) -> Self {
        Self {
            class,
            check: check.to_owned(),
            message: message.into(),
        }
    }

    /// Nothing is known of the run, and no check is to blame.
    #[must_use]
    pub fn undecided(why: Undecided, message: impl Into<String>) -> Self {
        Self::new(Verdict::Inconclusive, why.name(), message)
    }

    /// What a panic of the subject means: a broken contract is a matter of safety, and so is what
    /// cannot be asked of a host.
    #[must_use]
    pub fn of_panic(panic: &Caught) -> Self {
        if let Some(asked) = panic.message.strip_prefix(MISUSE) {
            return Self::new(Verdict::Panic, PORT, asked);
        }
        let (class, check) = if panic.message.starts_with("contract ") {
            (Verdict::Safety, "contract")
        } else {
            (Verdict::Panic, PANIC)
        };
        Self::new(class, check, panic.to_string())
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        Self::new(Verdict::Safety, violation.check, violation.message)
    }
}

/// The parts of a run that what happens is told apart by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Until the heal.
    Chaos,
    /// Clients write, and whoever is behind catches up.
    Recovery,
    /// Every key is read, and what comes after.
    Closing,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Chaos, Self::Recovery, Self::Closing];

    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chaos => "chaos",
            Self::Recovery => "recovery",
            Self::Closing => "closing",
        }
    }
}

/// What a run came by, for counting over many runs. Empty where nothing is known of kinds of
/// messages, or nothing tells of roles.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reached {
    /// How often each kind of message reached a node in each role.
    pub deliveries: BTreeMap<String, Deliveries>,
    /// Which roles each kind reached in each phase.
    pub cells: Cells,
    /// Coarse states, as hashes.
    pub states: Vec<u32>,
}

/// An observer that judges.
pub trait Judge: Observer {
    /// What a fork for an audit is judged by: the history so far, and nothing from inside the
    /// subject.
    type Auditor: Judge;

    /// The first violation, if there is one.
    fn violation(&self) -> Option<Violation>;

    /// Judges a fork in which these acknowledgements have come, and whatever else is open stays
    /// unknown.
    fn auditor(&self, sent: &[Sent]) -> Self::Auditor;

    /// In a copy of the run: from here on whatever clients see is judged, whoever judged before.
    fn judge_clients(&mut self) {}

    /// The run is over, and every operation has ended. A check that ran out of its budget says so.
    /// `ready_core`: the replicas that were healed, take part, and had the time to catch up.
    fn close(&mut self, ready_core: &[Node]) -> Closing;

    /// How often each check that judges compared something so far.
    fn checked(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// The run comes to this phase; it begins with chaos.
    fn enter(&mut self, _: Phase) {}

    /// What the run came by.
    fn reached(&self) -> Reached {
        Reached::default()
    }

    /// The bytes that it accounts for, roughly.
    fn accounted_bytes(&self) -> u64 {
        0
    }
}

/// A judge's last word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Closing {
    /// Nothing is wrong.
    Passed,
    /// Something is wrong.
    Failed(Violation),
    /// A check cannot say: its budget ran out.
    Unknown {
        /// The check's name.
        check: &'static str,
        /// Why.
        message: String,
    },
}

/// Judges nothing.
impl Judge for () {
    type Auditor = ();

    fn violation(&self) -> Option<Violation> {
        None
    }

    fn auditor(&self, _: &[Sent]) -> Self::Auditor {}

    fn close(&mut self, _: &[Node]) -> Closing {
        Closing::Passed
    }
}

/// Both judge; the first has the first word.
impl<One: Judge, Two: Judge> Judge for (One, Two) {
    type Auditor = (One::Auditor, Two::Auditor);

    fn violation(&self) -> Option<Violation> {
        self.0.violation().or_else(|| self.1.violation())
    }

    fn auditor(&self, sent: &[Sent]) -> Self::Auditor {
        (self.0.auditor(sent), self.1.auditor(sent))
    }

    fn checked(&self) -> Vec<(&'static str, u64)> {
        let mut checked = self.0.checked();
        checked.extend(self.1.checked());
        checked
    }

    fn enter(&mut self, phase: Phase) {
        self.0.enter(phase);
        self.1.enter(phase);
    }

    /// The first one's.
    fn reached(&self) -> Reached {
        self.0.reached()
    }

    fn close(&mut self, ready_core: &[Node]) -> Closing {
        match (self.0.close(ready_core), self.1.close(ready_core)) {
            (Closing::Passed, other) | (Closing::Unknown { .. }, other @ Closing::Failed(_)) => {
                other
            }
            (one, _) => one,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_contract_is_a_matter_of_safety() {
        let of = |message: &str, place: Option<&str>| {
            Failure::of_panic(&Caught {
                message: message.to_owned(),
                place: place.map(str::to_owned),
            })
        };
        assert_eq!(
            of("contract X: y", Some("a.rs:1")),
            Failure::new(Verdict::Safety, "contract", "contract X: y (a.rs:1)")
        );
        assert_eq!(
            of("no contract", None),
            Failure::new(Verdict::Panic, "panic", "no contract")
        );
        assert_eq!(
            of("port: r1 sends to r9", Some("a.rs:1")),
            Failure::new(Verdict::Panic, "port", "r1 sends to r9")
        );
    }

    #[test]
    fn of_two_last_words_a_failure_counts_most() {
        #[derive(Clone)]
        struct Says(Closing);
        impl Observer for Says {
            fn on(
                &mut self,
                _: crate::trace::event::Stamp,
                _: &crate::trace::event::Event<'_>,
            ) -> std::ops::ControlFlow<()> {
                std::ops::ControlFlow::Continue(())
            }
        }
        impl Judge for Says {
            type Auditor = ();
            fn violation(&self) -> Option<Violation> {
                None
            }
            fn auditor(&self, _: &[Sent]) {}
            fn close(&mut self, _: &[Node]) -> Closing {
                self.0.clone()
            }
        }
        let failed = Closing::Failed(Violation {
            check: "c",
            message: String::new(),
        });
        let unknown = Closing::Unknown {
            check: "u",
            message: String::new(),
        };
        let both = |one: &Closing, two: &Closing| (Says(one.clone()), Says(two.clone())).close(&[]);
        assert_eq!(both(&unknown, &failed), failed);
        assert_eq!(both(&failed, &unknown), failed);
        assert_eq!(both(&Closing::Passed, &unknown), unknown);
        assert_eq!(both(&unknown, &Closing::Passed), unknown);
        assert_eq!(both(&Closing::Passed, &Closing::Passed), Closing::Passed);
    }
}
