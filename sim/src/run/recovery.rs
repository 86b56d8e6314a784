//! After the heal: does the cluster come back, and how soon?

use std::sync::Arc;

use synod_reports::record::Verdict;

use super::course::{Phase, Round, Run, Step};
use crate::check::checker::Checker;
use crate::check::jury::{Jury, RECOVERY_TIME};
use crate::check::progress::Progress;
use crate::choices::{Branch, Seeded};
use crate::plan::Plan;
use crate::scenario::fault::DamageBudget;
use crate::time::{Instant, Span};
use crate::verdict::{self, Failure, Judge};
use crate::world::world::World;

/// Each client of the workload writes so many times, one after the other.
const ROUNDS: usize = 5;

/// A slow recovery is made again so many times.
const CONFIRMATIONS: u64 = 3;

fn slowest(waits: &[u64]) -> Span {
    Span(waits.iter().max().map_or(0, |wait| wait * 1000))
}

impl<J: Judge> Run<J> {
    /// The core comes back; each client must get its writes through, what it had under way must come
    /// to an end, and each replica of the core must take part.
    pub(super) fn heal(&mut self) {
        self.in_weather = self.world.delivered();
        self.healed_after = self.world.events();
        self.world.observer_mut().0.enter(verdict::Phase::Recovery);
        self.world.heal_core(&self.plan.heal.core);
        let end = self.world.now() + self.plan.heal.progress_within;
        self.world.wait_until(end + Span(1));
        self.begin_round(0, end);
    }

    fn begin_round(&mut self, number: usize, end: Instant) {
        self.core = self.trusting(&self.plan.heal.core);
        self.waits.round.clear();
        let begin = self.world.now();
        self.phase = Phase::Writes(Round {
            number,
            asked: self.world.ask_progress(end - begin),
            begin,
            end,
        });
    }

    /// Each client writes once, and waits for the answer until the end. How long they waited: those
    /// without an answer to the end, unless nobody owes one.
    pub(super) fn writes(&mut self, round: Round) -> Step {
        let Round {
            asked, begin, end, ..
        } = round;
        let (answered, given_up) = self.world.answered();
        let waited = (self.world.now() - begin).0 / 1000;
        self.waits.round.resize(answered, waited);
        let under_way = self.world.under_way();
        if answered == asked && under_way == 0 && self.world.are_ready(&self.core) {
            return self.end_round(round);
        }
        if given_up > 0 && self.world.now() < end {
            self.world.ask_again(end - self.world.now());
            return Ok(());
        }
        if self.world.next_at().is_none_or(|at| at > end) {
            let mut lacks = vec![format!(
                "{answered} of {asked} clients had a write answered within {}",
                self.plan.heal.progress_within
            )];
            if under_way > 0 {
                lacks.push(format!(
                    "{under_way} requests that were under way at the heal have no answer"
                ));
            }
            lacks.extend(self.world.behind(&self.core));
            self.stall(Progress::NAME, &lacks)?;
            if self.plan.budget != DamageBudget::None {
                self.waits.round.resize(asked, (end - begin).0 / 1000);
            }
            return self.end_round(round);
        }
        self.event()
    }

    fn end_round(&mut self, round: Round) -> Step {
        let mut waits = std::mem::take(&mut self.waits.round);
        if round.number == 0 {
            self.waits.first = waits;
            self.judge_first_answers()?;
        } else {
            self.waits.later.append(&mut waits);
        }
        if round.number + 1 < ROUNDS {
            self.begin_round(round.number + 1, round.end);
            return Ok(());
        }
        self.world.lull();
        self.campaigns = self.world.campaigns();
        let quiet = self.plan.cluster.knobs.election_timeout.1;
        self.phase = Phase::Quiet(self.world.now() + Span(2 * quiet.0));
        Ok(())
    }

    /// A little quiet, so that whoever follows can catch up.
    pub(super) fn quiet(&mut self, until: Instant) -> Step {
        if self.event_until(until)? {
            self.ask_for_every_key();
        }
        Ok(())
    }

    /// One slow recovery may be bad luck: a lost message, two candidates at once. The run is made
    /// again, and branches before the heal; when that is too slow every time, it is the cluster.
    fn judge_first_answers(&self) -> Step {
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
            let waits = self.branching_at_the_heal(salt).until_first_answers()?;
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

    /// The same run from its beginning, with nobody who judges it, on another way from the heal on.
    fn branching_at_the_heal(&self, salt: u64) -> Run<()> {
        let event = self.healed_after;
        let mut plan = Plan::clone(&self.plan);
        plan.branches.retain(|branch| branch.event <= event);
        plan.branches.push(Branch { event, salt });
        let plan = Arc::new(plan);
        let mut world = World::new(
            plan.clone(),
            self.world.subject(),
            self.world.setup().clone(),
            Box::new(Seeded::new(self.plan.seed)),
            ((), None),
        );
        if self.world.judges_without_facts() {
            world.judge_without_facts();
        }
        Run::new(plan, false, world, Jury::nobody())
    }

    fn until_first_answers(mut self) -> Result<Vec<u64>, Failure> {
        let is_before =
            |phase| matches!(phase, Phase::Chaos | Phase::Writes(Round { number: 0, .. }));
        while is_before(self.phase) {
            self.step()?;
        }
        Ok(self.waits.first)
    }
}

#[cfg(test)]
mod tests;
