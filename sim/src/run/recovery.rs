//! After the heal: does the cluster come back, and how soon?

use synod_reports::record::Verdict;

use super::course::{Run, Step};
use crate::check::checker::Checker;
use crate::check::jury::{Jury, RECOVERY_TIME};
use crate::check::progress::Progress;
use crate::choices::Seeded;
use crate::scenario::fault::DamageBudget;
use crate::time::{Instant, Span};
use crate::verdict::{Failure, Judge};
use crate::world::world::World;

/// Each client of the workload writes so many times, one after the other.
const ROUNDS: usize = 5;

/// A slow recovery is made again so many times.
const CONFIRMATIONS: u64 = 3;

fn slowest(waits: &[u64]) -> Span {
    Span(waits.iter().max().map_or(0, |wait| wait * 1000))
}

impl<J: Judge> Run<J> {
    /// The core comes back; each client must get its writes through, and each replica of the core
    /// must take part.
    pub(super) fn heal_and_progress(&mut self) -> Step {
        self.in_weather = self.world.delivered();
        self.heal();
        let end = self.world.now() + self.plan.heal.progress_within;
        for round in 0..ROUNDS {
            let waits = self.everybody_writes(end)?;
            if round == 0 {
                self.waits.first = waits;
                self.judge_first_answers()?;
            } else {
                self.waits.later.extend(waits);
            }
        }
        self.world.lull();
        self.campaigns = self.world.campaigns();
        // A little quiet, so that whoever follows can catch up.
        let quiet = self.plan.cluster.knobs.election_timeout.1;
        self.events_until(self.world.now() + Span(2 * quiet.0))
    }

    /// One slow recovery may be bad luck: a lost message, two candidates at once. The run is made
    /// again up to the heal, and goes on from there with other choices; when that is too slow every
    /// time, it is the cluster.
    fn judge_first_answers(&mut self) -> Step {
        let within = self.plan.heal.first_answer_within;
        let slow = |waits: &[u64]| waits.iter().any(|wait| wait * 1000 > within.0);
        if !self.jury.has(RECOVERY_TIME)
            || self.plan.budget == DamageBudget::None
            || !slow(&self.waits.first)
        {
            return Ok(());
        }
        let mut longest = vec![slowest(&self.waits.first)];
        for salt in 1..=CONFIRMATIONS {
            let mut again = self.again();
            again.chaos()?;
            again.world.branch(salt);
            again.heal();
            let waits =
                again.everybody_writes(again.world.now() + self.plan.heal.progress_within)?;
            if !slow(&waits) {
                return Ok(());
            }
            longest.push(slowest(&waits));
        }
        let longest: Vec<String> = longest.iter().map(ToString::to_string).collect();
        Err(Failure::new(
            Verdict::Liveness,
            RECOVERY_TIME,
            format!(
                "after the heal a client waits too long for its first answer, whatever else \
                 happens: {} (at most {within})",
                longest.join(", ")
            ),
        ))
    }

    /// The same run from its beginning, with nobody who judges.
    fn again(&self) -> Run<()> {
        let world = World::new(
            self.plan.clone(),
            self.world.subject(),
            self.world.setup().clone(),
            Box::new(Seeded::new(self.plan.seed)),
            ((), None),
        );
        Run::new(self.plan.clone(), false, world, Jury::only([RECOVERY_TIME]))
    }

    fn heal(&mut self) {
        let core = self.plan.heal.core.clone();
        self.world.heal_core(&core);
    }

    /// Each client writes once, and waits for the answer until then. How long they waited: those
    /// without an answer to the end, unless nobody owes one.
    fn everybody_writes(&mut self, end: Instant) -> Result<Vec<u64>, Failure> {
        let core = self.trusting(&self.plan.heal.core);
        let begin = self.world.now();
        let asked = self.world.ask_progress(end - begin);
        let mut waits = Vec::new();
        loop {
            let (answered, given_up) = self.world.answered();
            waits.resize(answered, (self.world.now() - begin).0 / 1000);
            if answered == asked && self.world.are_ready(&core) {
                break;
            }
            if given_up > 0 && self.world.now() < end {
                self.world.ask_again(end - self.world.now());
                continue;
            }
            if self.world.next_at().is_none_or(|at| at > end) {
                let mut lacks = vec![format!(
                    "{answered} of {asked} clients had a write answered within {}",
                    self.plan.heal.progress_within
                )];
                lacks.extend(self.world.behind(&core));
                self.stall(Progress::NAME, &lacks)?;
                if self.plan.budget != DamageBudget::None {
                    waits.resize(asked, (end - begin).0 / 1000);
                }
                break;
            }
            self.event()?;
        }
        Ok(waits)
    }
}

#[cfg(test)]
mod tests;
