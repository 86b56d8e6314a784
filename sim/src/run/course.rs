//! A run under way, as a value: which phase it is in, its world, and one event at a time within its
//! budget.
//!
//! Nothing of a run is on the call stack: between two steps it can be copied, and the copy goes on
//! in the same way, or in another after a [`Branch`](crate::choices::Branch). After every step one
//! more event has been handled, with all that it led to, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use synod_reports::record::{Operations, Service, Verdict};

use crate::check::checker::Checker;
use crate::check::jury::{Jury, UNEXPLAINED_HALT};
use crate::check::progress::Progress;
use crate::choices::strike::{Blow, Strike};
use crate::ids::Node;
use crate::plan::Plan;
use crate::scenario::fault::DamageBudget;
use crate::time::Instant;
use crate::trace::recorder::Recorder;
use crate::trace::spacetime::Spacetime;
use crate::trace::tale::Teller;
use crate::verdict::undecided::Undecided;
use crate::verdict::{Failure, Judge, OUT_OF_MEMORY};
use crate::world::world::{UnexplainedHalt, World};

/// A run whose simulated world accounts for more bytes than this is lost; a hundred times what runs
/// take. Whoever watches is not counted, so that the end does not depend on who does.
pub const ACCOUNTED_BYTES_MAX: u64 = 256 << 20;
/// So many events pass between two looks at them.
const WEIGH_EVERY: u64 = 1024;

/// So many events at one instant are no run any more: somebody wakes up again and again. Whole runs
/// without any delay take a twentieth.
const AT_ONE_INSTANT_MAX: u64 = 500_000;

/// How long clients waited for their writes after the heal, in microseconds of simulated time.
#[derive(Clone, Default)]
pub(super) struct Waits {
    /// Those of the round that is under way.
    pub round: Vec<u64>,
    /// Each client's first, from the heal on.
    pub first: Vec<u64>,
    /// The others.
    pub later: Vec<u64>,
}

/// Where a run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Faults, the workload and the script.
    Chaos,
    /// The core is back, and each client writes once.
    Writes(Round),
    /// Whoever follows has until then to catch up.
    Quiet(Instant),
    /// So many keys are read, until then.
    ReadBack { asked: usize, end: Instant },
    /// What counts is counted. What is known by facts alone has until then to come right.
    CatchUp { end: Instant },
    /// After so many lulls in which somebody campaigned, the next lasts until then.
    Unrest { lulls: u32, until: Instant },
    /// All is done and judged.
    Over,
}

/// A round of writes after the heal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Round {
    /// The first is 0.
    pub number: usize,
    /// Writes that were asked for.
    pub asked: usize,
    pub begin: Instant,
    /// When the last of all rounds must be over.
    pub end: Instant,
}

/// What is counted, taken at one moment.
#[derive(Clone)]
pub(super) struct Frozen {
    pub(super) digest: u64,
    pub(super) events: u64,
    pub(super) delivered: u64,
    pub(super) invoked: u64,
    pub(super) operations: BTreeMap<String, Operations>,
    pub(super) service: Service,
    pub(super) now: Instant,
    pub(super) faults: BTreeMap<String, u64>,
    pub(super) milestones: BTreeMap<String, u64>,
    pub(super) bug: (u64, u64),
}

/// A world that is judged, and recorded if somebody wants to know.
pub(super) type Observed<J> = World<(J, Option<Recorders>)>;

/// Who keeps what happens: the history always, the others as is asked.
pub(super) type Recorders = (Recorder, (Option<Teller>, Option<Spacetime>));

pub(super) struct Run<J: Judge> {
    pub(super) plan: Arc<Plan>,
    /// The subject shows what is inside it: facts, and what its messages and files say.
    pub(super) shows: bool,
    pub(super) world: Observed<J>,
    pub(super) jury: Jury,
    pub(super) phase: Phase,
    /// Events that were handled and the number of the next line, before each step, when there is
    /// somebody who records.
    pub(super) steps: Vec<(u64, u64)>,
    /// Branches of the plan that were taken.
    pub(super) taken: usize,
    /// Strikes of the plan that fell.
    pub(super) struck: usize,
    /// The events of the chaos.
    pub(super) healed_after: u64,
    /// Who of the core trusted its disk when what is under way began.
    pub(super) core: Vec<Node>,
    /// Events since the clock last moved.
    pub(super) at_once: u64,
    pub(super) audits: u64,
    /// Promises that were audited.
    pub(super) fences: u64,
    /// Keys that were read when all was over.
    pub(super) read_back: u64,
    pub(super) in_weather: u64,
    pub(super) waits: Waits,
    /// Campaigns before the last lull.
    pub(super) campaigns: u64,
    pub(super) failure: Option<Failure>,
    /// The first audit that no check could decide: the run goes on and may still fail, but it
    /// cannot pass.
    pub(super) doubt: Option<Failure>,
    pub(super) frozen: Option<Frozen>,
}

/// The run goes on, or it is over.
pub(super) type Step = Result<(), Failure>;

impl<J: Judge> Run<J> {
    pub(super) fn new(plan: Arc<Plan>, shows: bool, world: Observed<J>, jury: Jury) -> Self {
        Self {
            plan,
            shows,
            world,
            jury,
            phase: Phase::Chaos,
            steps: Vec::new(),
            taken: 0,
            struck: 0,
            healed_after: 0,
            core: Vec::new(),
            at_once: 0,
            audits: 0,
            fences: 0,
            read_back: 0,
            in_weather: 0,
            waits: Waits::default(),
            campaigns: 0,
            failure: None,
            doubt: None,
            frozen: None,
        }
    }

    /// A copy that goes on in the same way; none when the subject cannot be copied.
    pub(super) fn fork(&self) -> Option<Self> {
        Some(Self {
            plan: self.plan.clone(),
            world: self.world.fork()?,
            steps: self.steps.clone(),
            jury: self.jury.clone(),
            core: self.core.clone(),
            waits: self.waits.clone(),
            failure: self.failure.clone(),
            doubt: self.doubt.clone(),
            frozen: self.frozen.clone(),
            ..*self
        })
    }

    /// The digest as it was when what counts was counted, or is now.
    pub(super) fn digest(&self) -> u64 {
        let frozen = self.frozen.as_ref().map(|frozen| frozen.digest);
        frozen.unwrap_or_else(|| self.world.digest())
    }

    /// To the end, after this blow.
    pub(super) fn goes_on(&mut self, strike: &Strike) {
        match self.strike(strike) {
            Ok(()) => self.whole(),
            Err(failure) => self.failure = Some(failure),
        }
    }

    /// To the end.
    pub(super) fn whole(&mut self) {
        let ended = loop {
            if self.phase == Phase::Over {
                break self.all_is_matched();
            }
            if let Err(failure) = self.step() {
                break Err(failure);
            }
        };
        self.failure = ended.err().or_else(|| self.doubt.take());
    }

    /// The next event, and all that it leads to; or the end.
    pub(super) fn step(&mut self) -> Step {
        let events = self.world.events();
        if self.world.observer().1.is_some() {
            self.steps.push((events, self.world.number()));
        }
        while let Some(branch) = self.plan.branches.get(self.taken)
            && branch.event == events
        {
            self.world.branch(branch.salt);
            self.taken += 1;
        }
        let strike = self.plan.strikes.get(self.struck);
        let strike = strike.filter(|strike| strike.event == events).cloned();
        if let Some(strike) = &strike {
            self.world.cut_short(strike);
        }
        while self.world.events() == events && self.phase != Phase::Over {
            self.turn()?;
        }
        if let Some(strike) = strike
            && self.world.take_cut()
        {
            self.struck += 1;
            self.strike(&strike)?;
        }
        Ok(())
    }

    /// The blow falls at the boundary to which a step was cut short. What was acknowledged so far,
    /// any quorum must still know then, each alone, and what was just promised still holds.
    pub(super) fn strike(&mut self, strike: &Strike) -> Step {
        self.world.blow_falls(strike);
        self.check()?;
        if self.world.acknowledged() > 0 && strike.by != Blow::Failure {
            self.last_quorum_audit()?;
        }
        match self.world.take_last_word() {
            Some(pledge) => self.fencing_audit(&pledge),
            None => Ok(()),
        }
    }

    /// At most one event, or what is done between two.
    fn turn(&mut self) -> Step {
        match self.phase {
            Phase::Chaos => self.chaos(),
            Phase::Writes(round) => self.writes(round),
            Phase::Quiet(until) => self.quiet(until),
            Phase::ReadBack { asked, end } => self.reads(asked, end),
            Phase::CatchUp { end } => self.catch_up(end),
            Phase::Unrest { lulls, until } => self.unrest(lulls, until),
            Phase::Over => Ok(()),
        }
    }

    /// What the plan names, and the run never came by.
    pub(super) fn unmatched(&self) -> Vec<String> {
        let left = self.plan.branches[self.taken..].iter();
        let branches = left.map(|branch| format!("the branch after event {}", branch.event));
        let strikes = self.plan.strikes[self.struck..].iter();
        let strikes = strikes.map(|strike| format!("the strike at {strike}"));
        branches
            .chain(strikes)
            .chain(self.world.unmatched())
            .collect()
    }

    /// A plan that names what never comes is not the one that somebody meant.
    fn all_is_matched(&self) -> Step {
        let unmatched = self.unmatched();
        if unmatched.is_empty() {
            return Ok(());
        }
        let message = format!("the plan names what never came: {}", unmatched.join("; "));
        Err(Failure::undecided(Undecided::Unmatched, message))
    }

    /// One event, within the budget.
    pub(super) fn event(&mut self) -> Step {
        if self.world.events() >= self.plan.end.events {
            return Err(Failure::undecided(
                Undecided::Events,
                "the budget of events ran out: a run that is merely long needs more `[end] events`",
            ));
        }
        let before = self.world.now();
        self.world.advance();
        self.time_goes_on(before)?;
        if self.world.events().is_multiple_of(WEIGH_EVERY) {
            self.weigh()?;
        }
        self.check()
    }

    /// A process that asks to be woken at once, again and again, stops the clock for everybody: a stall
    /// whatever was damaged, and the end of the run also where nobody judges progress.
    fn time_goes_on(&mut self, before: Instant) -> Step {
        self.at_once += 1;
        if self.world.now() != before {
            self.at_once = 0;
        }
        if self.at_once != AT_ONE_INSTANT_MAX {
            return Ok(());
        }
        let mut why = format!("the clock has stood still for {AT_ONE_INSTANT_MAX} events");
        if let Some(node) = self.world.restless() {
            let now = self.world.now();
            why += &format!(": {node} asks to be woken at {now} or before, again and again");
        }
        Err(if self.jury.has(Progress::NAME) {
            Failure::new(Verdict::Liveness, Progress::NAME, why)
        } else {
            Failure::undecided(Undecided::Events, why)
        })
    }

    pub(super) fn weigh(&self) -> Step {
        if self.world.accounted_bytes() <= ACCOUNTED_BYTES_MAX {
            return Ok(());
        }
        Err(Failure::new(
            Verdict::Lost,
            OUT_OF_MEMORY,
            format!(
                "the run accounts for more than {} MiB",
                ACCOUNTED_BYTES_MAX >> 20
            ),
        ))
    }

    pub(super) fn check(&self) -> Step {
        self.unexplained_halts()?;
        if !self.world.has_ended() {
            return Ok(());
        }
        if let Some(failure) = self.world.failure() {
            return Err(failure.clone());
        }
        match self.world.observer().0.violation() {
            Some(violation) => Err(violation.into()),
            None => Err(Failure::undecided(
                Undecided::Observer,
                "the observer ended the run and did not say why",
            )),
        }
    }

    /// One event, if one is due until then; otherwise it is that late now. Says whether it is.
    pub(super) fn event_until(&mut self, end: Instant) -> Result<bool, Failure> {
        if self.world.next_at().is_some_and(|at| at <= end) {
            self.event()?;
            return Ok(false);
        }
        self.world.run_until(end);
        Ok(true)
    }

    /// Those that have not halted for good because of their disk.
    pub(super) fn trusting(&self, nodes: &[Node]) -> Vec<Node> {
        nodes
            .iter()
            .copied()
            .filter(|node| !self.world.distrustful().any(|halted| halted == *node))
            .collect()
    }

    /// A replica that halted, and nothing that was done to it explains that.
    pub(super) fn unexplained_halts(&self) -> Step {
        let Some(halt) = self.world.unexplained_halt() else {
            return Ok(());
        };
        if !self.jury.has(UNEXPLAINED_HALT) {
            return Ok(());
        }
        let UnexplainedHalt { node, reason, .. } = halt;
        let message = if halt.damaged {
            format!("{node} halted because of its disk, which nobody damaged: {reason}")
        } else {
            format!("{node} halted, and nothing was done to it that explains that: {reason}")
        };
        Err(Failure::new(Verdict::Safety, UNEXPLAINED_HALT, message))
    }

    /// A stall, which damage excuses when it leaves no quorum of the core. If this check does not
    /// judge, or past the budget, the run goes on.
    pub(super) fn stall(&self, check: &str, lacks: &[String]) -> Step {
        if self.plan.budget == DamageBudget::None || !self.jury.has(check) {
            return Ok(());
        }
        let left = self.trusting(&self.plan.heal.core).len();
        let excused = left <= usize::from(self.plan.cluster.replicas / 2)
            && self.world.unexplained_halt().is_none();
        Err(Failure::new(
            if excused {
                Verdict::Excused
            } else {
                Verdict::Liveness
            },
            check,
            lacks.join("; "),
        ))
    }
}
