//! Which checks judge a run: all of them, or those that were named.
//!
//! When some were named, nothing else ends a run or fails it: it goes on past a broken contract, a
//! stall or an audit that the others would have failed. A panic still ends it, because there is
//! nothing left to go on with.

use serde::{Deserialize, Serialize};

/// Checks that the run itself makes, beside the checkers of the court; `progress` is both.
pub const OF_THE_RUN: [&str; 6] = [
    CLOSING_AUDIT,
    CONTRACT,
    FENCING_AUDIT,
    LAST_QUORUM_AUDIT,
    RECOVERY_TIME,
    UNEXPLAINED_HALT,
];

/// A healed cluster answers for every key.
pub const CLOSING_AUDIT: &str = "closing-audit";
/// Lemmas inside the engine.
pub const CONTRACT: &str = "contract";
/// Whoever promised keeps out those that came before, whatever happens to it.
pub const FENCING_AUDIT: &str = "fencing-audit";
/// Each quorum alone answers for what was acknowledged.
pub const LAST_QUORUM_AUDIT: &str = "last-quorum-audit";
/// A healed cluster answers soon.
pub const RECOVERY_TIME: &str = "recovery-time";
/// Nobody distrusts a disk that nobody damaged.
pub const UNEXPLAINED_HALT: &str = "unexplained-halt";

/// Who judges.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Jury {
    /// Empty: everybody.
    only: Vec<String>,
}

impl Jury {
    /// These checks, and no other; all checks, when there are none.
    #[must_use]
    pub fn only(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut only: Vec<String> = names.into_iter().map(Into::into).collect();
        only.sort_unstable();
        only.dedup();
        Self { only }
    }

    /// No check judges.
    #[must_use]
    pub fn nobody() -> Self {
        // No check has this name.
        Self::only([""])
    }

    /// Whether all checks judge.
    #[must_use]
    pub const fn is_everybody(&self) -> bool {
        self.only.is_empty()
    }

    /// Whether the check of this name judges.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|judging| judging == name)
    }

    /// Those that were named, in order of their names.
    #[must_use]
    pub fn named(&self) -> &[String] {
        &self.only
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_named_is_everybody() {
        let (all, two) = (
            Jury::default(),
            Jury::only(["prefix", "contract", "prefix"]),
        );
        assert!(all.is_everybody() && all.has("agreement"));
        assert!(two.has("prefix") && two.has("contract") && !two.has("agreement"));
        assert_eq!(two.named(), ["contract", "prefix"]);
        assert!(!OF_THE_RUN.iter().any(|check| Jury::nobody().has(check)));
    }
}
