//! The end of a run: the closing audit, and the checkers' last word.

use synod_reports::record::Verdict;

use super::course::{Phase, Run, Step};
use crate::check::checker::Checker;
use crate::check::jury::CLOSING_AUDIT;
use crate::check::progress::Progress;
use crate::ids::Node;
use crate::time::{Instant, Span};
use crate::verdict::{self, Closing, Failure, Judge};

/// A candidate that failed before waits up to so many of the longest election timeouts, with some
/// to spare.
const PATIENCE_MAX: u64 = 10;
/// After so many lulls in a row with a campaign each, enough is seen.
const LULLS_MAX: u32 = 5;

impl<J: Judge> Run<J> {
    /// A fresh client reads every key; the reads are part of the history.
    pub(super) fn ask_for_every_key(&mut self) {
        let within = self.plan.heal.progress_within;
        let end = self.world.now() + within;
        self.world.observer_mut().0.enter(verdict::Phase::Closing);
        let asked = self.world.ask_for_every_key(within);
        self.phase = Phase::ReadBack { asked, end };
    }

    pub(super) fn reads(&mut self, asked: usize, end: Instant) -> Step {
        let (answered, given_up) = self.world.answered();
        if answered >= asked {
            return self.end_of_reads();
        }
        if given_up > 0 && self.world.now() < end {
            self.world.ask_again(end - self.world.now());
            return Ok(());
        }
        if self.world.next_at().is_none_or(|at| at > end) {
            let mut lacks = vec![format!(
                "{answered} of {asked} keys could be read within {}",
                self.plan.heal.progress_within
            )];
            lacks.extend(self.world.behind(&self.plan.heal.core));
            self.stall(CLOSING_AUDIT, &lacks)?;
            return self.end_of_reads();
        }
        self.event()
    }

    /// What counts is counted here. Then comes what must be looked at with facts, if there are any:
    /// has the core caught up?
    fn end_of_reads(&mut self) -> Step {
        self.read_back = self.world.answered().0 as u64;
        self.world.close_clients();
        self.check()?;
        self.freeze();
        self.core = self.trusting(&self.plan.heal.core);
        let end = self.world.now() + self.plan.heal.progress_within;
        self.phase = Phase::CatchUp { end };
        Ok(())
    }

    pub(super) fn catch_up(&mut self, end: Instant) -> Step {
        let behind = self.world.behind(&self.core);
        if behind.is_empty() {
            return self.lull(0);
        }
        if self.world.next_at().is_none_or(|at| at > end) {
            self.stall(Progress::NAME, &behind)?;
            return self.lull(0);
        }
        self.event()
    }

    /// Goes on for as long as somebody campaigns, up to a bound: who may judge leadership hears of
    /// a lull each time that the most patient candidate would have tried again. A core at rest
    /// costs nothing, and nothing of this enters the digest.
    fn lull(&mut self, lulls: u32) -> Step {
        if lulls == LULLS_MAX {
            return self.close();
        }
        self.world.lull();
        self.check()?;
        let before = std::mem::replace(&mut self.campaigns, self.world.campaigns());
        if self.campaigns == before {
            return self.close();
        }
        let longest = self.plan.cluster.knobs.election_timeout.1;
        let until = self.world.now() + Span(longest.0.saturating_mul(PATIENCE_MAX));
        self.phase = Phase::Unrest { lulls, until };
        Ok(())
    }

    pub(super) fn unrest(&mut self, lulls: u32, until: Instant) -> Step {
        if self.event_until(until)? {
            self.lull(lulls + 1)?;
        }
        Ok(())
    }

    /// The checkers close.
    fn close(&mut self) -> Step {
        self.phase = Phase::Over;
        let caught_up = |node: &Node| self.world.behind(&[*node]).is_empty();
        let ready: Vec<Node> = self.core.iter().copied().filter(caught_up).collect();
        match self.world.observer_mut().0.close(&ready) {
            Closing::Passed => Ok(()),
            Closing::Failed(violation) => Err(violation.into()),
            Closing::Unknown { check, message } => {
                Err(Failure::new(Verdict::Inconclusive, check, message))
            }
        }
    }
}
