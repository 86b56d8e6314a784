//! Exit statuses: their meanings and which of several wins.

use synod_reports::record::Verdict;
use synod_reports::summary::{Ending, Failure, Summary};

use crate::sweep::endings::HARNESS as HARNESS_CHECK;

/// Every run passed.
pub const PASSED: u8 = 0;
/// A property failed.
pub const FAILED: u8 = 1;
/// Usage, or something that cannot be read.
pub const USAGE: u8 = 2;
/// A budget ran out.
pub const INCONCLUSIVE: u8 = 3;
/// Nothing ran, or something that had to happen never did.
pub const VACUOUS: u8 = 4;
/// Unequal digests.
pub const NONDETERMINISTIC: u8 = 5;
/// The harness itself failed.
pub const HARNESS: u8 = 70;
/// Interrupted, results kept.
pub const INTERRUPTED: u8 = 130;

/// The status of a summary, by precedence: 70, 5, 1, 130, 4, 3.
#[must_use]
pub fn of_summary(summary: &Summary) -> u8 {
    let is_ours = |failure: &Failure| failure.check == HARNESS_CHECK;
    if summary.failures.iter().any(is_ours) {
        return HARNESS;
    }
    match summary.ending() {
        Ending::Nondeterministic => NONDETERMINISTIC,
        Ending::Failed => FAILED,
        Ending::Interrupted => INTERRUPTED,
        Ending::Vacuous => VACUOUS,
        Ending::Inconclusive => INCONCLUSIVE,
        Ending::Passed => PASSED,
    }
}

/// The status of one run.
#[must_use]
pub fn of_run(verdict: Verdict, check: Option<&str>) -> u8 {
    match verdict {
        _ if check == Some(HARNESS_CHECK) => HARNESS,
        Verdict::Pass | Verdict::Excused => PASSED,
        Verdict::Safety
        | Verdict::Liveness
        | Verdict::Expectation
        | Verdict::Panic
        | Verdict::Lost => FAILED,
        Verdict::Inconclusive => INCONCLUSIVE,
        Verdict::Vacuous => VACUOUS,
        Verdict::Nondeterministic => NONDETERMINISTIC,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use synod_reports::summary::{Cost, Vacuity};
    use synod_reports::tally::Tally;

    use super::*;

    #[test]
    fn the_worst_wins() {
        let mut summary = Tally::new().finish(&BTreeMap::new(), Cost::default(), false);
        assert_eq!(of_summary(&summary), VACUOUS, "nothing ran");
        summary.runs = 100;
        summary.verdicts.pass = 90;
        summary.verdicts.excused = 10;
        assert_eq!(of_summary(&summary), PASSED);
        summary.verdicts.inconclusive = 1;
        assert_eq!(of_summary(&summary), INCONCLUSIVE);
        summary.vacuous.push(Vacuity {
            what: "fault".to_owned(),
            name: "kill".to_owned(),
            scenario: None,
            runs: 200,
        });
        assert_eq!(of_summary(&summary), VACUOUS);
        summary.interrupted = true;
        assert_eq!(of_summary(&summary), INTERRUPTED);
        summary.verdicts.liveness = 1;
        assert_eq!(of_summary(&summary), FAILED);
        summary.verdicts.nondeterministic = 1;
        assert_eq!(of_summary(&summary), NONDETERMINISTIC);
        let text = String::new;
        summary.failures.push(Failure {
            fingerprint: text(),
            class: text(),
            check: HARNESS_CHECK.to_owned(),
            message: text(),
            scenario: text(),
            seed: 0,
            count: 1,
            repro: None,
        });
        assert_eq!(of_summary(&summary), HARNESS);
    }
}
