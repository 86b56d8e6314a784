//! The search: pass after pass over the best plan so far, until none of them helps any more.
//!
//! What comes after the failure goes first, then faults and steps, clients, operations, replicas; then
//! settings go back to what is usual, faults become less and surer, and amounts rounder. Each pass
//! tries its candidates in an order of its own, and takes the first that still fails: the best so far
//! is never given up for one that is larger in what the pass is about.

use synod_reports::record::RunRecord;

use crate::choices::Strategy;
use crate::plan::{Checks, Plan};
use crate::scenario::fault::Fault;
use crate::shrink::amounts::Amount;
use crate::shrink::brief::{Brief, Place};
use crate::shrink::case::{Candidate, Case, Spent};
use crate::shrink::{edits, faults};
use crate::time::Instant;

/// The most of a message that a title has.
const MESSAGE_MAX: usize = 160;
/// Parts of four of the budget that the search has. The rest is for labels.
const OF_THE_SEARCH: u64 = 3;

/// A short reproducer.
#[derive(Clone, PartialEq, Debug)]
pub struct Shrunk {
    /// The file.
    pub file: String,
    /// Its lines of faults and single decisions.
    pub decisions: usize,
    /// Its lines of settings, faults and single decisions.
    pub lines: usize,
    /// Its plan.
    pub plan: Plan,
    /// Its run.
    pub record: RunRecord,
    /// What was spent.
    pub spent: Spent,
    /// Nothing smaller was found that was left to try.
    pub is_done: bool,
}

/// Makes the plan small, and labels what is left. `told` hears of everything better, with its file.
///
/// # Errors
/// The plan cannot be written, or the file that was found does not fail as its plan did.
pub fn shrink(
    mut case: Case<'_>,
    plan: &Plan,
    told: &mut dyn FnMut(&Plan, &Case<'_>),
) -> Result<Shrunk, String> {
    let (best, record) = written(&case, plan)?;
    case.knows(&best);
    case.stands_on(&best, &record);
    let all = case.budget;
    case.budget = all / 4 * OF_THE_SEARCH;
    let mut search = Search {
        case,
        best,
        record,
        silent: false,
        told,
    };
    let is_done = search.whole();
    search.case.budget = all;
    let brief = search.labelled();
    let Search {
        case, best, record, ..
    } = search;
    let scribe = case.scribe.of(&record);
    let file = scribe
        .titled(&brief, &best, &title(&best, &record), &why(plan, &best))
        .text();
    if scribe.read(&file).as_ref() != Some(&best) {
        return Err("the file that was written does not hold its plan".to_owned());
    }
    Ok(Shrunk {
        file,
        decisions: brief.decisions(),
        lines: brief.length(),
        plan: best,
        record,
        spent: case.spent,
        is_done,
    })
}

/// The plan as it is written down and read back, and its run, which fails as it must.
///
/// # Errors
/// The plan cannot be written, or does not fail in the same way then.
pub fn written(case: &Case<'_>, plan: &Plan) -> Result<(Plan, RunRecord), String> {
    let plan = case
        .scribe
        .settled(&without_purpose(plan).without_lines())
        .ok_or("this plan cannot be written down")?;
    let record = case.run(&plan);
    if case.goal.is_met(&record) {
        Ok((plan, record))
    } else {
        Err("the plan that was written down does not fail in the same way".to_owned())
    }
}

/// The plan as one that is there to fail: nothing is asked of many runs.
fn without_purpose(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.checks = Checks::default();
    // What a search found is named by its branches: nothing is searched any more.
    if plan.strategy == Strategy::Branching {
        plan.strategy = Strategy::default();
    }
    plan
}

/// What happens, in a line.
fn title(plan: &Plan, record: &RunRecord) -> String {
    let check = record.check.as_deref().unwrap_or_default();
    let message = record.message.as_deref().unwrap_or_default();
    let first = message.lines().next().unwrap_or_default();
    let first = first.trim_end_matches([':', ' ']);
    let mut short: String = first.chars().take(MESSAGE_MAX).collect();
    if short.len() < first.len() {
        short.push_str("...");
    }
    format!(
        "Shrunk from {}, seed {}: `{check}`: {short}",
        plan.scenario, plan.seed
    )
}

/// What is left, in a sentence.
fn why(from: &Plan, plan: &Plan) -> String {
    let kinds: Vec<&str> = plan.faults().map(Fault::kind).collect();
    let faults = match kinds.as_slice() {
        [] => "No fault is needed".to_owned(),
        [one] => format!("One fault is enough: {one}"),
        several => format!(
            "{} faults are enough: {}",
            several.len(),
            several.join(", ")
        ),
    };
    format!(
        "{faults}. The run that it was shrunk from had {}.",
        from.faults().count()
    )
}

/// What the search has.
pub struct Search<'a> {
    /// The case, with what was spent.
    pub case: Case<'a>,
    /// The smallest plan so far.
    pub best: Plan,
    /// Its run.
    pub record: RunRecord,
    /// What is found now may yet be given up.
    pub silent: bool,
    /// Told of everything better that is found.
    pub told: &'a mut dyn FnMut(&Plan, &Case<'_>),
}

/// Settings that have passes of their own: taking them out would mean more of something.
const OWN_PASS: [(&str, &str); 5] = [
    ("cluster", "replicas"),
    ("workload", "clients"),
    ("workload", "idle"),
    ("workload", "operations"),
    ("heal", "at"),
];

fn has_own_pass((section, key): &Place) -> bool {
    OWN_PASS.contains(&(section, key))
}

impl Search<'_> {
    /// Goes on until nothing helps, or the budget is spent.
    ///
    /// Says whether it was not the budget that ended it.
    pub fn whole(&mut self) -> bool {
        let is_done = loop {
            let before = self.best.clone();
            self.structure();
            self.one_for_all();
            self.tell("one for all");
            self.descend(|plan, _| faults::simpler_faults(plan));
            self.tell("faults");
            self.descend(|plan, _| edits::sooner(plan));
            self.tell("times");
            self.amounts();
            self.tell("amounts");
            if self.best == before {
                self.decisions();
                self.tell("decisions");
            }
            if self.case.is_over() || self.best == before {
                break !self.case.is_over();
            }
        };
        let numbered = edits::numbered_by_place(&self.best);
        self.take(&[numbered.into()]);
        is_done
    }

    /// What there is: faults and steps, clients, operations, replicas, and settings that are not usual.
    fn structure(&mut self) {
        loop {
            let before = self.best.clone();
            self.heal_early();
            self.tell("heal");
            self.pieces();
            self.tell("pieces");
            self.descend(|plan, _| edits::shorter_scripts(plan));
            self.tell("script");
            self.take(&[edits::by_the_seed(&self.best).into()]);
            self.descend(|plan, _| edits::fewer_clients(plan));
            self.tell("clients");
            self.descend(|plan, _| edits::fewer_operations(plan));
            self.tell("operations");
            self.descend(|plan, _| edits::fewer_replicas(plan));
            self.tell("replicas");
            self.settings();
            self.descend(|plan, case| {
                let brief = case.scribe.brief(plan);
                let is_written = |section: &str, key: &str| {
                    let mut places = brief.settings.iter().map(|(place, _)| place);
                    places.any(|place| (place.0.as_str(), place.1.as_str()) == (section, key))
                };
                edits::simpler_settings(plan, is_written)
            });
            self.tell("settings");
            if self.case.is_over() || self.best == before {
                return;
            }
        }
    }

    /// What a pass has come to, for `-vv`.
    fn tell(&self, pass: &str) {
        tracing::debug!(
            "{pass}: {} runs, {} events so far, {} pieces, {} operations",
            self.case.spent.runs,
            self.case.spent.events,
            edits::pieces(&self.best),
            self.best.workload.operations
        );
    }

    /// Takes the first of these that fails as it must, and says which it was.
    pub(super) fn take(&mut self, candidates: &[Candidate]) -> Option<usize> {
        let hit = self.case.first(candidates)?;
        (self.best, self.record) = (hit.plan, hit.record);
        if !self.silent {
            (self.told)(&self.best, &self.case);
        }
        Some(hit.place)
    }

    /// Makes candidates of the best plan, takes one, and goes on from its place, until none of them
    /// fails.
    fn descend<C: Into<Candidate>>(&mut self, make: impl Fn(&Plan, &Case<'_>) -> Vec<C>) {
        let mut from = 0;
        loop {
            let mut all: Vec<Candidate> = make(&self.best, &self.case)
                .into_iter()
                .map(Into::into)
                .collect();
            if all.is_empty() {
                return;
            }
            let turned = from % all.len();
            all.rotate_left(turned);
            match self.take(&all) {
                Some(place) => from = turned + place,
                None => return,
            }
        }
    }

    /// The heal comes right after the failure, or before it, when that is after the heal.
    fn heal_early(&mut self) {
        self.descend(|plan, _| {
            let at = plan.heal.at.0;
            let parts = [(1, 16), (1, 8), (1, 4), (1, 2), (3, 4), (7, 8)];
            let early = parts.map(|(part, of)| Instant(at / of * part));
            early.map(|at| edits::healed_at(plan, at)).into()
        });
        let failed = after(&self.record);
        if failed < self.best.heal.at {
            let healed = edits::healed_at(&self.best, failed);
            self.take(&[healed.into()]);
        }
    }

    /// Pieces go by halves, quarters and so on, down to single ones.
    pub(super) fn pieces(&mut self) {
        let mut size = edits::pieces(&self.best);
        while size > 0 {
            let mut from = 0;
            while from < edits::pieces(&self.best) {
                let starts = (from..edits::pieces(&self.best)).step_by(size);
                let candidates: Vec<Candidate> = starts
                    .map(|start| edits::without(&self.best, &(start..start + size)).into())
                    .collect();
                match self.take(&candidates) {
                    Some(place) => from += place * size,
                    None => break,
                }
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }

    /// Settings go back to what they are where nothing is said: all, a section, or one.
    fn settings(&mut self) {
        self.descend(|plan, case| {
            let brief = case.scribe.brief(plan);
            let all = brief.without(|place| !has_own_pass(place));
            let mut candidates: Vec<Brief> = vec![all];
            let mut sections: Vec<&String> =
                brief.settings.iter().map(|((name, _), _)| name).collect();
            sections.dedup();
            candidates.extend(
                sections.into_iter().map(|section| {
                    brief.without(|place| place.0 == *section && !has_own_pass(place))
                }),
            );
            let places = brief.settings.iter().map(|(place, _)| place);
            candidates.extend(
                places
                    .filter(|place| !has_own_pass(place))
                    .map(|one| brief.without(|place| place == one)),
            );
            candidates.retain(|other| *other != brief);
            candidates
        });
    }

    /// Amounts become rounder, one after the other.
    fn amounts(&mut self) {
        let mut next = 0;
        loop {
            let brief = self.case.scribe.brief(&self.best);
            let amounts = Amount::all(&brief);
            let Some(amount) = amounts.get(next) else {
                return;
            };
            let rounder = amount.rounder().into_iter();
            let candidates: Vec<Candidate> = rounder
                .map(|value| amount.set(&brief, value).into())
                .collect();
            // A round amount may be rounded again: it is another one then.
            if self.take(&candidates).is_none() {
                next += 1;
            }
            if self.case.is_over() {
                return;
            }
        }
    }
}

/// A moment after the last event of a run, in whole milliseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "virtual seconds are small, and not below zero"
)]
fn after(record: &RunRecord) -> Instant {
    Instant((record.virtual_seconds * 1000.0 + 1.0).ceil() as u64 * 1_000_000)
}
