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
use crate::plan::{Plan, Verb};
use crate::run::{RunSpec, run};
use crate::shrink::brief::{Brief, Scribe};
use crate::verdict::EXPECTATION;

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
    /// Of a contract or a panic, its place in the sources: one of them is not another. Of a script,
    /// what it expected.
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
        let message = record.message.as_deref().unwrap_or_default();
        let site = if check == EXPECTATION {
            Some(expected(message))
        } else {
            split_site(message).1
        };
        Some(Self {
            class: record.verdict,
            site: site.map(str::to_owned),
            check,
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

/// What a script expected, without the place where, and without what was found.
fn expected(message: &str) -> &str {
    let what = message.split_once(": ").map_or(message, |(_, what)| what);
    what.split_once(';').map_or(what, |(what, _)| what)
}

/// What a script asks and expects, and when: what it expects means nothing without it.
#[derive(Clone, PartialEq, Debug)]
pub struct Ground {
    /// Its steps that are no faults, in their order.
    verbs: Vec<Verb>,
    /// It failed before the heal.
    before_heal: bool,
}

impl Ground {
    /// That of a run that failed an expectation; none of others.
    fn of(plan: &Plan, record: &RunRecord) -> Option<Self> {
        (record.check.as_deref() == Some(EXPECTATION)).then(|| Self {
            verbs: verbs(plan).cloned().collect(),
            before_heal: is_before_heal(plan, record),
        })
    }

    /// Whether this run stands on it as well, up to where it failed.
    fn bears(&self, plan: &Plan, record: &RunRecord) -> bool {
        let mut had = self.verbs.iter();
        verbs(plan).all(|verb| had.next() == Some(verb))
            && (!self.before_heal || is_before_heal(plan, record))
    }
}

fn verbs(plan: &Plan) -> impl Iterator<Item = &Verb> {
    let all = plan.script.iter().map(|step| &step.verb);
    all.filter(|verb| !matches!(verb, Verb::Inject { .. }))
}

fn is_before_heal(plan: &Plan, record: &RunRecord) -> bool {
    record.virtual_seconds * 1e9 < plan.heal.at.0 as f64
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
    /// What an expectation rests on, once the run that failed it is known.
    pub ground: Option<Ground>,
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

    /// Whether this run fails as it must.
    #[must_use]
    pub fn meets(&self, plan: &Plan, record: &RunRecord) -> bool {
        let ground = self.ground.as_ref();
        self.goal.is_met(record) && ground.is_none_or(|ground| ground.bears(plan, record))
    }

    /// This plan fails so: what it expects stays as it is.
    pub fn stands_on(&mut self, plan: &Plan, record: &RunRecord) {
        self.ground = Ground::of(plan, record);
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
            if let Tried::Ran { plan, record, .. } = &one
                && self.meets(plan, record)
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
                    if self.meets(&plan, &record) {
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
