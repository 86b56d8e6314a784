//! What must fail, and the trying of plans: in order, on all threads, and the first that fails wins.

#![expect(
    clippy::disallowed_methods,
    reason = "whole runs are tried beside each other; which thread makes one never shows in it"
)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use synod_reports::fingerprint::split_site;
use synod_reports::record::{RunRecord, Verdict};
use xxhash_rust::xxh3::xxh3_64;

use crate::panics::caught;
use crate::plan::Plan;
use crate::run::{RunSpec, run};
use crate::shrink::brief::{Brief, Scribe};

/// So many candidates are tried before the budget is looked at.
const CHUNK: usize = 32;
/// The stack of a thread that makes runs: that of a main thread.
const STACK: usize = 8 << 20;

/// A failure that must stay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Goal {
    /// Its class.
    pub class: Verdict,
    /// The check.
    pub check: String,
    /// Of a contract or a panic, its place in the sources: one of them is not another.
    pub site: Option<String>,
}

impl Goal {
    /// The failure of this run; none when it does not fail.
    #[must_use]
    pub fn of(record: &RunRecord) -> Option<Self> {
        let check = record
            .check
            .clone()
            .filter(|_| record.verdict.is_failure())?;
        let (_, site) = split_site(record.message.as_deref().unwrap_or_default());
        Some(Self {
            class: record.verdict,
            check,
            site: site.map(str::to_owned),
        })
    }

    /// Whether this run fails so.
    #[must_use]
    pub fn is_met(&self, record: &RunRecord) -> bool {
        Self::of(record).as_ref() == Some(self)
    }
}

/// A plan that may do, or a file that holds one.
#[derive(Clone, Debug)]
pub enum Candidate {
    /// A plan.
    Plan(Box<Plan>),
    /// A file.
    File(Box<Brief>),
}

impl From<Plan> for Candidate {
    fn from(plan: Plan) -> Self {
        Self::Plan(Box::new(plan))
    }
}

impl From<Brief> for Candidate {
    fn from(brief: Brief) -> Self {
        Self::File(Box::new(brief))
    }
}

/// A candidate that fails as it must.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Its place among the candidates.
    pub place: usize,
    /// The plan.
    pub plan: Plan,
    /// The run.
    pub record: RunRecord,
}

/// What was spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spent {
    /// Runs that counted. What other threads tried beyond the first hit does not.
    pub runs: u64,
    /// Their events.
    pub events: u64,
}

/// A run, what must fail in it, and what may be spent to make it small.
pub struct Case<'a> {
    /// How plans are run.
    pub spec: RunSpec,
    /// What must fail.
    pub goal: Goal,
    /// How they are written.
    pub scribe: Scribe,
    /// Threads.
    pub jobs: usize,
    /// Events that may be spent.
    pub budget: u64,
    /// Says that somebody wants an end now.
    pub halt: &'a (dyn Fn() -> bool + Sync),
    /// What was spent.
    pub spent: Spent,
    /// Plans that need not be tried again: they do not fail so, or were the best at some time.
    pub tried: BTreeSet<u64>,
}

/// What became of a candidate.
enum Tried {
    /// It is no plan, or one that was tried before.
    Idle,
    /// It was run.
    Ran {
        name: u64,
        plan: Box<Plan>,
        record: Box<RunRecord>,
    },
}

impl Case<'_> {
    /// Whether nothing more is to be tried.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.spent.events >= self.budget || (self.halt)()
    }

    /// This plan need not be tried.
    pub fn knows(&mut self, plan: &Plan) {
        self.tried.insert(name_of(plan));
    }

    /// Runs a plan. A panic that leaves the run is no failure of it that could be kept.
    #[must_use]
    pub fn run(&self, plan: &Plan) -> RunRecord {
        let spec = RunSpec {
            plan: plan.clone(),
            ..self.spec.clone()
        };
        let blank = || RunRecord::blank(&plan.scenario, plan.seed, Verdict::Pass);
        caught(|| run(&spec).record).unwrap_or_else(|_| blank())
    }

    /// The first of these, in their order, that fails as it must.
    pub fn first(&mut self, candidates: &[Candidate]) -> Option<Hit> {
        let mut before = 0;
        for chunk in candidates.chunks(CHUNK) {
            if self.is_over() {
                return None;
            }
            if let Some(hit) = self.first_of(chunk, before) {
                return Some(hit);
            }
            before += chunk.len();
        }
        None
    }

    fn first_of(&mut self, chunk: &[Candidate], before: usize) -> Option<Hit> {
        let won = AtomicUsize::new(usize::MAX);
        let tried = self.in_parallel(chunk.len(), &|place| {
            // What comes after a hit does not matter any more.
            if place >= won.load(Ordering::SeqCst) {
                return None;
            }
            let one = self.attempt(&chunk[place]);
            if let Tried::Ran { record, .. } = &one
                && self.goal.is_met(record)
            {
                won.fetch_min(place, Ordering::SeqCst);
            }
            Some(one)
        });
        for (place, one) in tried.into_iter().enumerate() {
            match one {
                // Somebody wanted an end.
                None => return None,
                Some(Tried::Idle) => {}
                Some(Tried::Ran { name, plan, record }) => {
                    self.spent.runs += 1;
                    self.spent.events += record.events;
                    self.tried.insert(name);
                    if self.goal.is_met(&record) {
                        return Some(Hit {
                            place: before + place,
                            plan: *plan,
                            record: *record,
                        });
                    }
                }
            }
        }
        None
    }

    /// Does so many things on all threads. None of what is not to be done, or not any more.
    fn in_parallel<T: Send>(
        &self,
        count: usize,
        of: &(dyn Fn(usize) -> Option<T> + Sync),
    ) -> Vec<Option<T>> {
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<Option<T>>> = Mutex::new((0..count).map(|_| None).collect());
        let work = || {
            loop {
                let place = next.fetch_add(1, Ordering::SeqCst);
                if place >= count || (self.halt)() {
                    return;
                }
                let one = of(place);
                done.lock().unwrap_or_else(PoisonError::into_inner)[place] = one;
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.clamp(1, count.max(1)) {
                let thread = std::thread::Builder::new().stack_size(STACK);
                thread
                    .spawn_scoped(scope, work)
                    .expect("a thread can be started");
            }
        });
        done.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs all of these plans. None of those for which there was no budget any more.
    pub fn all(&mut self, plans: &[Plan]) -> Vec<Option<RunRecord>> {
        let mut records = Vec::new();
        for chunk in plans.chunks(CHUNK) {
            if self.is_over() {
                break;
            }
            records.extend(self.in_parallel(chunk.len(), &|place| Some(self.run(&chunk[place]))));
            let new = &records[records.len() - chunk.len()..];
            for record in new.iter().flatten() {
                self.spent.runs += 1;
                self.spent.events += record.events;
            }
        }
        records.resize_with(plans.len(), || None);
        records
    }

    fn attempt(&self, candidate: &Candidate) -> Tried {
        let Some(plan) = self.plan_of(candidate) else {
            return Tried::Idle;
        };
        let name = name_of(&plan);
        if self.tried.contains(&name) {
            return Tried::Idle;
        }
        let record = Box::new(self.run(&plan));
        Tried::Ran {
            name,
            plan: Box::new(plan),
            record,
        }
    }

    /// Tries this candidate, whether it was tried before or not; none when it cannot be read.
    pub fn anew(&mut self, candidate: &Candidate) -> Option<(Plan, RunRecord)> {
        let plan = self.plan_of(candidate)?;
        let record = self.run(&plan);
        self.spent.runs += 1;
        self.spent.events += record.events;
        Some((plan, record))
    }

    fn plan_of(&self, candidate: &Candidate) -> Option<Plan> {
        match candidate {
            Candidate::Plan(plan) => self.scribe.settled(plan),
            Candidate::File(brief) => self.scribe.read(&brief.text()),
        }
    }
}

fn name_of(plan: &Plan) -> u64 {
    xxh3_64(format!("{plan:?}").as_bytes())
}
