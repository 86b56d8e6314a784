//! Single decisions instead of weather: what the weather did in the run that fails is told decision by
//! decision, in a quiet network and on quiet disks, and those that do not matter go again.
//!
//! It is a gain only where few are left. Weather hangs on the number of messages that were sent before,
//! and a decision on what a person would name: it means the same after a change of the engine.

use crate::choices::overrides::{Operation, Override, Passage};
use crate::plan::{Distribution, Plan};
use crate::run::decisions;
use crate::shrink::edits;
use crate::shrink::search::Search;

/// More decisions than this are not told one by one.
const MOST: usize = 1_200;
/// The part of the budget that is spent on it.
const PART: u64 = 12;
/// More lines of faults and decisions than this say less than a line of weather.
const LINES_MAX: usize = 24;

impl Search<'_> {
    /// Swaps the weather of network and disks for single decisions, if few of them are enough.
    pub(super) fn decisions(&mut self) {
        let quiet = self
            .case
            .scribe
            .brief(&self.best)
            .without(|(section, key)| {
                section == "network" || (section == "disk" && key != "capacity")
            });
        let Some(quiet) = self.case.scribe.read(&quiet.text()) else {
            return;
        };
        if quiet == self.best || !self.best.overrides.is_empty() {
            return;
        }
        let mut spec = self.case.spec.clone();
        spec.plan = self.best.clone();
        let overrides = deviations(decisions(&spec), &quiet);
        if overrides.len() > MOST {
            return;
        }
        let before = (self.best.clone(), self.record.clone());
        let budget = self.case.budget;
        self.case.budget = budget.min(self.case.spent.events + budget / PART);
        self.silent = true;
        if self.take(&[Plan { overrides, ..quiet }.into()]).is_some() {
            let mut pieces = usize::MAX;
            while edits::pieces(&self.best) < pieces && !self.case.is_over() {
                pieces = edits::pieces(&self.best);
                self.pieces();
            }
        }
        self.silent = false;
        self.case.budget = budget;
        if self.case.scribe.brief(&self.best).decisions() > LINES_MAX {
            (self.best, self.record) = before;
        }
    }
}

/// What deviates from a quiet plan.
pub(super) fn deviations(all: Vec<Override>, quiet: &Plan) -> Vec<Override> {
    let is_usual = |span, of| Distribution::Constant(span) == of;
    let deviates = |one: Override| match one {
        Override::Message(name, passage) => {
            let usual = quiet.network.latency;
            let delay = passage.delay.filter(|span| !is_usual(*span, usual));
            let passage = Passage { delay, ..passage };
            (passage != Passage::default()).then_some(Override::Message(name, passage))
        }
        Override::Disk(name, treatment) => {
            let usual = match name.operation {
                Operation::Read | Operation::Write => quiet.disk.access,
                Operation::Sync | Operation::SyncNames => quiet.disk.sync,
            };
            let is_usual = treatment.takes.is_some_and(|span| is_usual(span, usual));
            (!is_usual).then_some(Override::Disk(name, treatment))
        }
    };
    all.into_iter().filter_map(deviates).collect()
}
