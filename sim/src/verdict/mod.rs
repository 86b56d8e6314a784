//! What is wrong with a run, and which class of failure that is.

pub mod court;

use synod_reports::record::Verdict;

use crate::check::roster::Violation;
use crate::subject::process::Node;
use crate::trace::observer::Observer;

/// A run that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// `Safety`, `Liveness`, `Expectation`, `Panic`, or else `Excused` or `Inconclusive`.
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
        Self { class, check: check.to_owned(), message: message.into() }
    }

    /// What a panic of the subject means: a broken contract is a matter of safety.
    #[must_use]
    pub fn of_panic(message: &str, place: Option<&str>) -> Self {
        let text = place.map_or_else(|| message.to_owned(), |place| format!("{message} ({place})"));
        if message.starts_with("contract ") { Self::new(Verdict::Safety, "contract", text) } else { Self::new(Verdict::Panic, "panic", text) }
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        Self::new(Verdict::Safety, violation.check, violation.message)
    }
}

/// An observer that judges.
pub trait Judge: Observer {
    /// What a fork for an audit is judged by: the history so far, and nothing from inside the subject.
    type Auditor: Judge;

    /// The first violation, if there is one.
    fn violation(&self) -> Option<Violation>;

    /// Judges a fork in which whatever is still open stays unknown.
    fn auditor(&self) -> Self::Auditor;

    /// The run is over, and every operation has ended. A check that ran out of its budget says so.
    /// `ready_core`: the replicas that were healed, take part, and had the time to catch up.
    fn close(&mut self, ready_core: &[Node]) -> Closing;

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

    fn auditor(&self) -> Self::Auditor {}

    fn close(&mut self, _: &[Node]) -> Closing {
        Closing::Passed
    }
}
