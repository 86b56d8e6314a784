//! Operations and explanations as a page shows them.

use synod_reports::page::model::{Explanation, Fate};

use crate::check::linearizability::answer::{self, text};
use crate::history::recorded::{History, Outcome, Recorded};
use crate::history::values::ABSENT;

/// Of a longest order, the last so many are shown.
const ORDER_MAX: usize = 2_000;

/// The explanation.
#[must_use]
pub fn explanation(history: &History, why: &answer::Explanation) -> Explanation {
    let left_out = why.linearized.len().saturating_sub(ORDER_MAX);
    let found = why.contradiction.as_ref();
    Explanation {
        operation: why.operation,
        order: why.linearized[left_out..].to_vec(),
        order_left_out: left_out as u64,
        guilty: found.map(|found| found.operations()).unwrap_or_default(),
        text: text::explanation(history, why),
    }
}

/// The name of an operation's key; none where there is one register.
#[must_use]
pub fn key(history: &History, operation: &Recorded) -> Option<String> {
    let key = history.keys[operation.key as usize];
    let bytes = history.values.get(key).map(|(_, bytes)| bytes)?;
    (key != ABSENT).then(|| String::from_utf8_lossy(bytes).into_owned())
}

/// How an operation ended. A swap that found another value was answered.
#[must_use]
pub const fn fate(operation: &Recorded) -> Fate {
    match operation.outcome {
        Outcome::Ok(_) | Outcome::Saw(_) | Outcome::Mismatch => Fate::Ok,
        Outcome::Fail => Fate::Fail,
        Outcome::Unknown => Fate::Unknown,
    }
}
