//! The part of a run in which things break: faults, the workload and the script. At sampled
//! acknowledgements the last-quorum audit forks off.

use synod_reports::record::Verdict;

use super::course::{Run, Step};
use crate::check::jury::LAST_QUORUM_AUDIT;
use crate::check::roster::Violation;
use crate::ids::Node;
use crate::time::Span;
use crate::trace::observer::Observer;
use crate::verdict::undecided::Undecided;
use crate::verdict::{Closing, Failure, Judge};
use crate::world::audit::Answered;
use crate::world::ledger::Owed;

/// A quorum that is left alone answers within so many of the longest election timeouts.
const ELECTIONS: u64 = 20;

impl<J: Judge> Run<J> {
    /// Faults, the workload and the script.
    pub(super) fn chaos(&mut self) -> Step {
        let heal_at = self.plan.heal.at;
        let end = self.plan.end.time.max(heal_at);
        let script_is_done = self.world.script_is_done();
        if script_is_done && self.world.now() >= heal_at {
            if self.audits == 0 && self.world.acknowledged() > 0 {
                self.last_quorum_audit()?;
            }
            self.heal();
            return Ok(());
        }
        match self.world.next_at() {
            Some(at) if at <= heal_at || (at <= end && !script_is_done) => self.event()?,
            _ if script_is_done => self.world.run_until(heal_at),
            _ => {
                return Err(Failure::undecided(
                    Undecided::Time,
                    "the script is not done at the end of the run's time",
                ));
            }
        }
        if self.world.take_audit() {
            self.last_quorum_audit()?;
        }
        match self.world.take_pledge() {
            Some(pledge) if script_is_done => self.fencing_audit(&pledge),
            _ => Ok(()),
        }
    }

    /// Each minimal quorum alone answers for what was acknowledged. One with a copy that can be seen
    /// to be damaged may be silent instead.
    pub(super) fn last_quorum_audit(&mut self) -> Step {
        if !self.jury.has(LAST_QUORUM_AUDIT) {
            return Ok(());
        }
        self.world.settle_ledger();
        let (_, election) = self.plan.cluster.knobs.election_timeout;
        let elections = ELECTIONS.saturating_mul(self.world.patience());
        let within = Span(election.0.saturating_mul(elections));
        let all: Vec<Node> = (0..self.plan.cluster.replicas).map(Node).collect();
        let sent = self.world.sent();
        let recovered = self
            .world
            .after_power_loss(&all, self.world.observer().0.auditor(&sent));
        self.world.count_audit(&recovered, (0, 0));
        for quorum in self.world.quorums() {
            let owed = self.world.owed(&quorum);
            if owed == Owed::Nothing {
                continue;
            }
            self.audits += 1;
            let (mut fork, before) = match recovered.left_alone(&quorum) {
                Some(fork) => (fork, recovered.bug()),
                None => {
                    let auditor = self.world.observer().0.auditor(&sent);
                    (self.world.after_power_loss(&quorum, auditor), (0, 0))
                }
            };
            let answered = fork.read_everything(within);
            fork.close_clients();
            self.world.count_audit(&fork, before);
            let alone = quorum
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ");
            if answered == Answered::OutOfEvents {
                let message = format!("{alone} alone came to no end within a run's events");
                return Err(Failure::new(
                    Verdict::Inconclusive,
                    LAST_QUORUM_AUDIT,
                    message,
                ));
            }
            if let (Answered::TooFew(lacks), Owed::Answers) = (answered, owed) {
                self.tell_of_quorum(&quorum, within);
                let lacks = if lacks.is_empty() {
                    "all of them are up, and none says what it lacks".to_owned()
                } else {
                    lacks.join(", ")
                };
                let message =
                    format!("{alone} alone could not answer every read within {within}: {lacks}");
                return Err(Failure::new(Verdict::Liveness, LAST_QUORUM_AUDIT, message));
            }
            let closing = fork
                .observer()
                .violation()
                .map_or_else(|| fork.observer_mut().close(&[]), Closing::Failed);
            match closing {
                Closing::Passed => {}
                Closing::Failed(Violation { check, message }) => {
                    self.tell_of_quorum(&quorum, within);
                    return Err(Failure::new(
                        Verdict::Safety,
                        LAST_QUORUM_AUDIT,
                        format!("{alone} alone answer wrongly ({check}): {message}"),
                    ));
                }
                Closing::Unknown { check, message } => {
                    let message = format!(
                        "whether {alone} alone answer rightly is not known ({check}): {message}"
                    );
                    self.doubt.get_or_insert_with(|| {
                        Failure::new(Verdict::Inconclusive, LAST_QUORUM_AUDIT, message)
                    });
                }
            }
        }
        Ok(())
    }

    /// What this quorum did when it was left alone, as the story of the run, if there is somebody who
    /// keeps it. Nobody listens to audits that pass, so this one is made once more.
    fn tell_of_quorum(&mut self, quorum: &[Node], within: Span) {
        let Some(mut recorders) = self.world.observer().1.clone() else {
            return;
        };
        let all: Vec<Node> = (0..self.plan.cluster.replicas).map(Node).collect();
        let sent = self.world.sent();
        // What was sent counts as heard, and whoever checks the history must know of it.
        for one in &sent {
            let _ = recorders.on(one.stamp, &one.as_event());
        }
        let listens = || {
            (
                self.world.observer().0.auditor(&sent),
                Some(recorders.clone()),
            )
        };
        let recovered = self.world.after_power_loss(&all, listens());
        let mut fork = recovered
            .left_alone(quorum)
            .unwrap_or_else(|| self.world.after_power_loss(quorum, listens()));
        fork.read_everything(within);
        self.world.observer_mut().1 = fork.observer_mut().1.take();
    }
}
