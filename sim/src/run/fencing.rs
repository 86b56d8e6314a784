//! The fencing audit: at sampled promises the run forks, and no write that was acknowledged may be
//! gone. See [`world::fencing`](crate::world) for what happens in the fork.

use synod_reports::record::Verdict;

use super::course::{Run, Step};
use crate::check::jury::FENCING_AUDIT;
use crate::check::roster::Violation;
use crate::ids::Node;
use crate::time::Span;
use crate::verdict::{Closing, Failure, Judge};

/// Each round of requests in the fork is waited for as long as so many elections take at most.
const ELECTIONS: u64 = 4;

impl<J: Judge> Run<J> {
    /// What `from` has just promised `to` keeps out whoever led before. That nobody answers in the
    /// fork is no failure.
    pub(super) fn fencing_audit(&mut self, from: Node, to: Node) -> Step {
        if !self.jury.has(FENCING_AUDIT) {
            return Ok(());
        }
        let Some(mut fork) = self.world.after_promise(from, to) else {
            return Ok(());
        };
        self.fences += 1;
        fork.observer_mut().0.judge_clients();
        let (_, election) = self.plan.cluster.knobs.election_timeout;
        let within = Span(election.0.saturating_mul(ELECTIONS));
        let asked = fork.ask_progress(within);
        let mut goes_on = fork.run_until_answered(asked, fork.now() + within);
        fork.hear_candidate(to);
        if goes_on {
            let asked = fork.ask_progress(within);
            goes_on = fork.run_until_answered(asked, fork.now() + within);
        }
        if goes_on {
            let asked = fork.ask_for_every_key(within);
            fork.run_until_answered(asked, fork.now() + within);
        }
        fork.close_clients();
        let judge = &mut fork.observer_mut().0;
        let closing = judge
            .violation()
            .map_or_else(|| judge.close(&[]), Closing::Failed);
        match closing {
            Closing::Passed => Ok(()),
            Closing::Unknown { check, message } => {
                let message = format!(
                    "whether the promise of {from} to {to} kept others out is not known \
                     ({check}): {message}"
                );
                self.doubt.get_or_insert_with(|| {
                    Failure::new(Verdict::Inconclusive, FENCING_AUDIT, message)
                });
                Ok(())
            }
            Closing::Failed(Violation { check, message }) => {
                let message = format!(
                    "{from} promised {to}, lost its power, and the promise kept nobody out \
                     ({check}): {message}"
                );
                Err(Failure::new(Verdict::Safety, FENCING_AUDIT, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RunSpec, run};
    use super::*;
    use crate::check::jury::Jury;
    use crate::check::suite::Checks;
    use crate::scenario::fault::{Cut, Fault, Partition};
    use crate::world::testing;

    /// How many audits there were in these runs, and in how many runs one failed. Leaders are cut off
    /// again and again.
    fn audits(bug: Option<&str>) -> (u64, u64) {
        let cut = |at| {
            let order = (0..3).map(Node).collect();
            let (cut, clients) = (Cut::IsolateLeader, Vec::new());
            let partition = Partition::Cut {
                cut,
                order,
                clients,
            };
            (at, 400, Fault::Partition(partition))
        };
        let faults: Vec<_> = (1..6).map(|number| cut(number * 500)).collect();
        let (mut fences, mut failed) = (0, 0);
        for seed in 0..600 {
            let mut plan = testing::with(&faults);
            plan.seed = seed;
            let spec = RunSpec {
                bug: bug.map(str::to_owned),
                checks: Checks::Client,
                jury: Jury::only([FENCING_AUDIT]),
                ..RunSpec::new(plan)
            };
            let record = run(&spec).record;
            fences += record.checks.get(FENCING_AUDIT).copied().unwrap_or(0);
            assert!(bug.is_some() || record.verdict == Verdict::Pass);
            failed += u64::from(record.check.as_deref() == Some(FENCING_AUDIT));
        }
        (fences, failed)
    }

    #[test]
    fn a_promise_that_is_lost_with_the_power_keeps_nobody_out() {
        let (fences, failed) = audits(None);
        assert!(fences > 30 && failed == 0, "{fences}");
        for bug in ["promise-before-fsync", "hardstate-file-unsynced"] {
            let (fences, failed) = audits(Some(bug));
            assert!(failed > 0, "{bug}: none of {fences}");
        }
    }
}
