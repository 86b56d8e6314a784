//! One run: the whole way from a plan to a verdict.
//!
//! Chaos (until the heal, and until the script is done), heal, progress, the closing audit, the
//! checkers' last word. At sampled acknowledgements of the chaos the last-quorum audit forks off.
//! A run is a value, `course::Run`: at every event it can be copied, or go another way.
//! The digest, and all counts, are taken before anything that depends on how closely the subject is
//! watched.

use std::collections::BTreeMap;
use std::sync::Arc;

use synod_reports::record::{RunRecord, Verdict};

use crate::check::answers::Answers;
use crate::check::before_durable::BeforeDurable;
use crate::check::checker::Checker;
use crate::check::convergence::Convergence;
use crate::check::jury::{
    CLOSING_AUDIT, CONTRACT, FENCING_AUDIT, Jury, LAST_QUORUM_AUDIT, OF_THE_RUN, RECOVERY_TIME,
    UNEXPLAINED_HALT,
};
use crate::check::proposals::Proposals;
pub use crate::check::suite::Checks;
use crate::check::suite::Suite;
use crate::choices::overrides::Override;
use crate::choices::priorities::Priorities;
use crate::choices::{Branch, Choices, Seeded, Strategy};
use crate::panics::caught;
use crate::plan::Plan;
use crate::scenario::fault::DamageBudget;
use crate::subject::catalog::{self, default_subject};
use crate::subject::process::{CLUSTER, ProbeLevel, Setup, Subject};
use crate::time::Instant;
use crate::trace::recorder::Recorder;
use crate::trace::spacetime::Spacetime;
use crate::trace::tale::{Line, Teller};
use crate::verdict::court::Court;
use crate::verdict::undecided::Undecided;
use crate::verdict::{Failure, Judge};
use crate::world::tally::Milestone;
use crate::world::world::World;

mod branches;
mod chaos;
mod closing;
mod course;
pub mod crash_points;
mod fencing;
mod recovery;

use branches::Searched;
pub use course::ACCOUNTED_BYTES_MAX;
use course::{Frozen, Run};

/// The oracle of a plan's seed.
fn oracle(plan: &Plan) -> Box<dyn Choices> {
    match plan.strategy {
        Strategy::Random | Strategy::Branching => Box::new(Seeded::new(plan.seed)),
        Strategy::Priorities => Box::new(Priorities::new(plan.seed)),
    }
}

/// What is kept of what happens in a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Recording {
    /// Nothing.
    #[default]
    Nothing,
    /// The history and the tale.
    Story,
    /// The history, and what a page is drawn from.
    Page,
    /// All of it.
    Everything,
}

/// What a run is a function of, beside the build.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunSpec {
    /// The explicit plan, with the seed of the choices in it.
    pub plan: Plan,
    /// The subject's name in the catalog.
    pub subject: String,
    /// The planted bug's name.
    pub bug: Option<String>,
    /// How much to look into the subject. Never changes the digest.
    pub probe: ProbeLevel,
    /// Which checkers judge.
    pub checks: Checks,
    /// Who of them judges.
    pub jury: Jury,
    /// What to keep of what happened. Never changes the digest.
    pub record: Recording,
}

impl RunSpec {
    /// A run of the engine under development, as it is, that everybody judges.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self {
            plan,
            subject: default_subject().to_owned(),
            bug: None,
            probe: ProbeLevel::Full,
            checks: Checks::All,
            jury: Jury::default(),
            record: Recording::Nothing,
        }
    }

    /// What its processes are started with.
    fn setup(&self) -> Setup {
        Setup {
            cluster: CLUSTER,
            replicas: self.plan.cluster.replicas,
            knobs: self.plan.cluster.knobs.clone(),
            bug: self.bug.clone(),
            probe: self.probe,
        }
    }
}

/// What a run gave.
#[derive(Clone, Debug)]
pub struct RunOutcome {
    /// The line for `results.jsonl`.
    pub record: RunRecord,
    /// The history as `history.jsonl`, when it was recorded.
    pub history: Option<String>,
    /// Messages that were delivered while the network had its weather.
    pub in_weather: u64,
    /// The branches that a search took to what it found.
    pub branches: Vec<Branch>,
    /// A line about each replica as it was at the end, when it was recorded.
    pub replicas: Vec<String>,
    /// One line an event that a person would want to know, when it was recorded.
    pub tale: Vec<Line>,
    /// What a page is drawn from, when it was recorded.
    pub spacetime: Option<Box<Spacetime>>,
    /// Before each step of the run, when its story was recorded: the events that were handled so far,
    /// which is what a [`Branch`] goes by, and the number of the next line of its story.
    pub steps: Vec<(u64, u64)>,
}

impl RunOutcome {
    /// A run of which nothing is kept but its line.
    #[must_use]
    pub const fn of(record: RunRecord) -> Self {
        Self {
            record,
            history: None,
            in_weather: 0,
            branches: Vec::new(),
            replicas: Vec::new(),
            tale: Vec::new(),
            spacetime: None,
            steps: Vec::new(),
        }
    }
}

/// The checks that can be named: those of the court, and those of the run.
pub fn checks() -> impl Iterator<Item = &'static str> {
    Court::names().chain(OF_THE_RUN)
}

/// Whether this check judges when only what a client can see does.
#[must_use]
pub fn is_client_visible(check: &str) -> bool {
    check != CONTRACT && (!Suite::NAMES.contains(&check) || Suite::sees_as_clients(check))
}

/// Runs a plan to its end and judges it. A subject that is not in the catalog is inconclusive.
#[must_use]
pub fn run(spec: &RunSpec) -> RunOutcome {
    let Some(subject) = catalog::find(&spec.subject) else {
        let message = format!("there is no subject {:?}", spec.subject);
        let failure = Failure::undecided(Undecided::Subject, message);
        return RunOutcome::of(blank(&spec.plan, Some(failure)));
    };
    let court = || {
        let RunSpec {
            plan, checks, jury, ..
        } = spec;
        let replicas = plan.cluster.replicas;
        Court::new(replicas, subject.reader(), *checks, jury.clone())
    };
    // A plan with branches has found its way.
    if spec.plan.strategy == Strategy::Branching && spec.plan.branches.is_empty() {
        run_branching(spec, subject, &court)
    } else {
        run_judged(spec, subject, court())
    }
}

/// Runs a plan and what branches off it. The outcome is the straight run's if nothing failed, with a
/// digest over all; otherwise that of the branch that failed, in a straight line.
fn run_branching(
    spec: &RunSpec,
    subject: &'static dyn Subject,
    court: &dyn Fn() -> Court,
) -> RunOutcome {
    let mut straight = Run::begin(spec, subject, court());
    let Searched { digest, failed } = branches::search(&mut straight);
    if let Some(branches) = failed {
        let mut named = spec.clone();
        named.plan.branches.clone_from(&branches);
        return RunOutcome {
            branches,
            ..run_judged(&named, subject, court())
        };
    }
    let passed = straight.failure.is_none();
    let mut outcome = straight.outcome(spec);
    if passed {
        outcome.record.digest = format!("{digest:016x}");
    }
    outcome
}

/// What the weather decides in a run, of every message and every operation of a disk, as overrides
/// would tell it.
#[must_use]
pub fn decisions(spec: &RunSpec) -> Vec<Override> {
    let Some(subject) = catalog::find(&spec.subject) else {
        return Vec::new();
    };
    let court = Court::new(
        spec.plan.cluster.replicas,
        subject.reader(),
        spec.checks,
        spec.jury.clone(),
    );
    let mut run = Run::begin(spec, subject, court);
    run.world.keep_decisions();
    // A panic ends the run as any failure does.
    let _ = caught(|| run.whole());
    run.world.take_decisions()
}

/// Runs a plan of this subject under this judge.
#[must_use]
pub fn run_judged<J: Judge>(spec: &RunSpec, subject: &'static dyn Subject, judge: J) -> RunOutcome {
    let mut run = Run::begin(spec, subject, judge);
    let outcome = caught(|| run.whole());
    if let Err(panic) = outcome {
        run.failure = Some(Failure::of_panic(&panic));
    }
    run.outcome(spec)
}

/// Checks of what replicas tell each other: there is nothing to compare where there is one.
const AMONG_REPLICAS: [&str; 3] = [BeforeDurable::NAME, Convergence::NAME, Proposals::NAME];

/// How the message of a failure begins that came about under faults which the subject does not
/// claim to stand: its fingerprint is another.
const BEYOND_CONTRACT: &str = "beyond the contract of its links: ";

impl<J: Judge> Run<J> {
    fn begin(spec: &RunSpec, subject: &'static dyn Subject, judge: J) -> Self {
        let plan = Arc::new(match subject.patience() {
            0 | 1 => spec.plan.clone(),
            times => spec.plan.patient(times.into()),
        });
        let (story, page) = match spec.record {
            Recording::Nothing => (false, false),
            Recording::Story => (true, false),
            Recording::Page => (false, true),
            Recording::Everything => (true, true),
        };
        let teller = story.then(|| Teller::new(subject.reader()));
        let spacetime = page.then(|| Spacetime::new(subject, plan.cluster.replicas));
        let recorder = (story || page).then(|| (Recorder::default(), (teller, spacetime)));
        let mut world = World::new(
            plan.clone(),
            subject,
            spec.setup(),
            oracle(&plan),
            (judge, recorder),
        );
        if spec.checks == Checks::Client {
            world.judge_without_facts();
        }
        let shows = subject.tells_facts() && subject.shows_media();
        Self::new(plan, shows, world, spec.jury.clone())
    }

    fn freeze(&mut self) {
        let world = &self.world;
        let (effects, milestones) = world.counters();
        self.frozen = Some(Frozen {
            digest: world.digest(),
            events: world.events(),
            delivered: world.delivered(),
            invoked: world.operations(),
            operations: world.operations_by_kind(),
            service: world.service(),
            now: world.now(),
            faults: effects
                .map(|(effect, count)| (effect.name().to_owned(), count))
                .collect(),
            milestones: milestones
                .map(|(milestone, count)| (milestone.name().to_owned(), count))
                .collect(),
            bug: world.bug(),
        });
    }

    /// How often each check that judges, and has something to judge, compared something. Contracts
    /// count nothing: they are where the engine is.
    fn checked(&self) -> BTreeMap<String, u64> {
        let owed = self.plan.budget != DamageBudget::None;
        let of_the_run = [
            (CLOSING_AUDIT, self.read_back, owed),
            (FENCING_AUDIT, self.fences, self.fences > 0),
            (LAST_QUORUM_AUDIT, self.audits, true),
            (RECOVERY_TIME, self.waits.first.len() as u64, owed),
            (UNEXPLAINED_HALT, self.world.halts(), self.world.halts() > 0),
        ];
        let judging = of_the_run
            .into_iter()
            .filter(|(name, _, had_to)| *had_to && self.jury.has(name))
            .map(|(name, times, _)| (name, times));
        // Who shows nothing of its inside leaves nothing to compare for those who look there.
        // Where nothing is copied, hardly anybody hears two answers.
        let copies = self.plan.network.duplicate > 0
            || self.world.milestones(Milestone::ClientDuplicated) > 0;
        let alone = self.plan.cluster.replicas == 1;
        let can_look = |(name, times): &(&str, u64)| {
            *times > 0
                || (self.shows || !Suite::NAMES.contains(name))
                    && (copies || *name != Answers::NAME)
                    && !(alone && AMONG_REPLICAS.contains(name))
        };
        let court = self.world.observer().0.checked().into_iter();
        court
            .filter(can_look)
            .chain(judging)
            .map(|(name, times)| (name.to_owned(), times))
            .collect()
    }

    fn outcome(mut self, spec: &RunSpec) -> RunOutcome {
        if self.frozen.is_none() {
            self.freeze();
        }
        let frozen = self.frozen.take().expect("it was taken just now");
        let mut record = blank(&spec.plan, self.failure.take());
        if self.world.goes_beyond_contract() {
            record.message = record
                .message
                .map(|message| format!("{BEYOND_CONTRACT}{message}"));
        }
        record.digest = format!("{:016x}", frozen.digest);
        record.events = frozen.events;
        record.messages_delivered = frozen.delivered;
        record.virtual_seconds = seconds(frozen.now);
        record.client_operations = frozen.invoked;
        record.operations = frozen.operations;
        record.service = Some(frozen.service);
        record.audits = self.audits;
        record.accounted_bytes =
            self.world.accounted_bytes() + self.world.observer().0.accounted_bytes();
        record.checks = self.checked();
        let reached = self.world.observer().0.reached();
        record.deliveries = reached.deliveries;
        record.cells = reached.cells;
        record.states = reached.states;
        record.first_answers = std::mem::take(&mut self.waits.first);
        record.later_answers = std::mem::take(&mut self.waits.later);
        record.unmatched = self.unmatched();
        record.faults = frozen.faults;
        record.milestones = frozen.milestones;
        record.bug = spec.bug.as_ref().map(|_| frozen.bug);
        let recorded = self.world.observer_mut().1.take();
        let (recorder, (teller, spacetime)) =
            recorded.map_or((None, (None, None)), |(one, two)| (Some(one), two));
        let history = recorder.map(Recorder::into_history);
        let (tale, replicas) = teller.map(Teller::into_lines).unwrap_or_default();
        RunOutcome {
            record,
            history,
            in_weather: self.in_weather,
            branches: Vec::new(),
            replicas,
            tale,
            spacetime: spacetime.map(Box::new),
            steps: self.steps,
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds are for people and for rates"
)]
const fn seconds(at: Instant) -> f64 {
    at.0 as f64 / 1e9
}

fn blank(plan: &Plan, failure: Option<Failure>) -> RunRecord {
    let passed = RunRecord::blank(&plan.scenario, plan.seed, Verdict::Pass);
    match failure {
        Some(Failure {
            class,
            check,
            message,
        }) => RunRecord {
            verdict: class,
            check: Some(check),
            message: Some(message),
            ..passed
        },
        None => passed,
    }
}

#[cfg(test)]
mod aimed;
#[cfg(test)]
mod branching;
#[cfg(test)]
mod declared;
#[cfg(test)]
mod holding;
#[cfg(test)]
mod independence;
#[cfg(test)]
mod leaderless;
#[cfg(test)]
mod looked;
#[cfg(test)]
mod overridden;
#[cfg(test)]
mod past_budget;
#[cfg(test)]
mod script_order;
#[cfg(test)]
mod tests;
