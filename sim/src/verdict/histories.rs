//! What the judgement of a key's history means for a run: shared by the court and by the judge of
//! audits.

use crate::check::linearizability::budget::{Budget, Exhausted};
use crate::check::roster::Violation;
use crate::verdict::Closing;

/// The name under which linearizability is reported.
pub const LINEARIZABILITY: &str = "linearizability";

/// What a run's history may cost before its verdict is "unknown".
pub(super) const BUDGET: Budget = Budget {
    steps: 20_000_000,
    bytes: 192 << 20,
};

/// A key that is not linearizable.
pub(super) fn broken(key: &[u8]) -> Closing {
    let message = format!(
        "no order of the operations on key {} explains what its clients saw",
        String::from_utf8_lossy(key)
    );
    Closing::Failed(Violation {
        check: LINEARIZABILITY,
        message,
    })
}

/// A key of which nobody can say.
pub(super) fn given_up(key: &[u8], reason: Exhausted) -> Closing {
    let message = format!(
        "the search for an order on key {} gave up: {reason:?}",
        String::from_utf8_lossy(key)
    );
    Closing::Unknown {
        check: LINEARIZABILITY,
        message,
    }
}
