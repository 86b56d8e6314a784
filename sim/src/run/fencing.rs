//! The fencing audit: at sampled promises the run forks, and no write that was acknowledged may be
//! gone. See [`world::fencing`](crate::world) for what happens in the fork.

use synod_reports::record::Verdict;

use super::course::{Run, Step};
use crate::check::jury::FENCING_AUDIT;
use crate::check::roster::Violation;
use crate::panics::caught;
use crate::time::Span;
use crate::trace::observer::Observer;
use crate::verdict::{Closing, Failure, Judge};
use crate::world::pledge::Pledge;
use crate::world::world::World;

/// Each round of requests in the fork is waited for as long as so many elections take at most.
const ELECTIONS: u64 = 4;

impl<J: Judge> Run<J> {
    /// What was just promised keeps out whoever led before. That nobody answers in the fork is no
    /// failure.
    pub(super) fn fencing_audit(&mut self, pledge: &Pledge) -> Step {
        if !self.jury.has(FENCING_AUDIT) {
            return Ok(());
        }
        let Some(mut fork) = self.world.after_promise(pledge) else {
            return Ok(());
        };
        self.fences += 1;
        fork.observer_mut().0.judge_clients();
        let (_, election) = self.plan.cluster.knobs.election_timeout;
        let within = Span(election.0.saturating_mul(ELECTIONS));
        // What it goes through first counts as well.
        let before = self.world.bug();
        let came = caught(|| hear_out(&mut fork, pledge, within));
        self.world.count_audit(&fork, before);
        let Pledge { from, to, .. } = pledge;
        let trial = pledge.trial.words();
        let ended = match came {
            Ok(()) => {
                let judge = &mut fork.observer_mut().0;
                let violation = judge.violation();
                Ok(violation.map_or_else(|| judge.close(&[]), Closing::Failed))
            }
            Err(panic) => {
                let failure = Failure::of_panic(&panic);
                let broke = &failure.message;
                Err(Failure {
                    message: format!("in a fork where {from} promised {to} and {trial}: {broke}"),
                    ..failure
                })
            }
        };
        if matches!(ended, Err(_) | Ok(Closing::Failed(_))) {
            // The story of the failure is the fork's.
            self.world.observer_mut().1 = fork.observer_mut().1.take();
        }
        match ended? {
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
                    "{from} promised {to}, {trial}, and the promise kept nobody out ({check}): \
                     {message}"
                );
                Err(Failure::new(Verdict::Safety, FENCING_AUDIT, message))
            }
        }
    }
}

/// The others go on without the candidate, then hear it, and are asked for all that they know.
fn hear_out<O: Observer>(fork: &mut World<O>, pledge: &Pledge, within: Span) {
    let asked = fork.ask_progress(within);
    let mut goes_on = fork.run_until_answered(asked, fork.now() + within);
    // What has failed ends there.
    if fork.has_ended() {
        return;
    }
    fork.hear_candidate(pledge);
    if goes_on {
        let asked = fork.ask_progress(within);
        goes_on = fork.run_until_answered(asked, fork.now() + within);
    }
    if goes_on {
        let asked = fork.ask_for_every_key(within);
        fork.run_until_answered(asked, fork.now() + within);
    }
    if !fork.has_ended() {
        fork.close_clients();
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RunSpec, run};
    use super::*;
    use crate::check::jury::Jury;
    use crate::check::suite::Checks;
    use crate::ids::Node;
    use crate::plan::Plan;
    use crate::scenario::fault::{Cut, Fault, Partition, Spots, Who};
    use crate::subject::process::ProbeLevel;
    use crate::world::testing;

    /// Leaders are cut off again and again.
    fn without_leader(replicas: u8, seed: u64) -> Plan {
        let leader = Partition::Cut {
            cut: Cut::IsolateLeader,
            order: (0..replicas).map(Node).collect(),
            clients: Vec::new(),
        };
        let cut = |number: u64| (number * 500, 400, Fault::Partition(leader.clone()));
        let faults: Vec<_> = (1..6).map(cut).collect();
        Plan {
            seed,
            nemesis: testing::with(&faults).nemesis,
            ..testing::plan(replicas)
        }
    }

    /// How many audits there were in runs of such plans, and in how many of them one failed.
    fn audits(seeds: u64, plan: impl Fn(u64) -> Plan, bug: Option<&str>) -> (u64, u64) {
        let (mut fences, mut failed) = (0, 0);
        for seed in 0..seeds {
            let spec = RunSpec {
                bug: bug.map(str::to_owned),
                checks: Checks::Client,
                probe: ProbeLevel::BugsOnly,
                jury: Jury::only([FENCING_AUDIT]),
                ..RunSpec::new(plan(seed))
            };
            let record = run(&spec).record;
            fences += record.checks.get(FENCING_AUDIT).copied().unwrap_or(0);
            assert!(bug.is_some() || record.verdict == Verdict::Pass);
            failed += u64::from(record.check.as_deref() == Some(FENCING_AUDIT));
            if failed > 0 {
                let (_, triggered) = record.bug.expect("one is planted");
                assert!(triggered > 0, "what it does in a fork counts");
                break;
            }
        }
        (fences, failed)
    }

    /// Audits of such plans pass, and each of these bugs fails one.
    #[track_caller]
    fn finds(seeds: u64, plan: impl Fn(u64) -> Plan, bugs: &[&str]) {
        let (fences, failed) = audits(seeds, &plan, None);
        assert!(fences > 30 && failed == 0, "{fences}");
        for bug in bugs {
            let (fences, failed) = audits(seeds, &plan, Some(bug));
            assert!(failed > 0, "{bug}: none of {fences}");
        }
    }

    #[test]
    fn a_promise_that_is_lost_with_the_power_keeps_nobody_out() {
        finds(
            400,
            |seed| without_leader(3, seed),
            &["promise-before-fsync", "hardstate-file-unsynced"],
        );
    }

    #[test]
    fn a_promise_that_is_forgotten_because_it_rots_keeps_nobody_out() {
        let bug = "corrupt-promise-is-fresh-start";
        let (_, failed) = audits(400, |seed| without_leader(3, seed), Some(bug));
        assert_eq!(failed, 0, "nothing rots where no fault rots anything");
        let rotting = |seed| {
            let mut plan = without_leader(3, seed);
            let mut rot = plan.nemesis[0].clone();
            rot.fault = Fault::BitRot {
                who: Who::All,
                spots: Spots::anywhere(1).of("no such file"),
            };
            plan.nemesis.push(rot);
            plan
        };
        finds(400, rotting, &[bug]);
    }

    #[test]
    fn a_promise_that_counts_twice_keeps_nobody_out() {
        let bug = "promise-counted-twice";
        // Copies are possible, and none is made but by an audit.
        let copied = |duplicate| {
            move |seed| {
                let mut plan = without_leader(5, seed);
                plan.network.duplicate = duplicate;
                plan
            }
        };
        let (_, failed) = audits(400, copied(0), Some(bug));
        assert_eq!(failed, 0, "nothing comes twice where nothing is copied");
        finds(400, copied(1), &[bug]);
    }
}
