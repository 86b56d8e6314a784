//! A plan: one scenario with everything that a seed decides written out. It can be printed, edited,
//! replayed and shrunk.
//!
//! What is left to the run's own [`Choices`](crate::choices::Choices): delays and losses of single
//! messages, which unsynced sectors survive, what a client asks next, and who leads when a step
//! names a role. What of that belongs to a fault hangs on the fault's number, which is part of the
//! plan: a fault, a client or the weather can be taken out, and nothing else moves.

pub mod budget;
pub mod dice;
pub mod draw;
pub mod faults;
pub mod pin;
mod pin_steps;
mod pin_text;
#[cfg(test)]
mod tests;
pub mod timeline;

use crate::choices::overrides::Override;
use crate::choices::strike::Strike;
use crate::choices::{Branch, Strategy};
use crate::history::operation::Call;
use crate::ids::{Client, FaultNumber};
use crate::scenario::fault::{DamageBudget, Fault, Outside, Who};
use crate::time::{Instant, Span};

/// An explicit plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The scenario's file name without its extension, with its folder: `safety/stale-read`.
    pub scenario: String,
    /// The seed it was drawn for; it keys the run's choices.
    pub seed: u64,
    /// How the run's choices are made.
    pub strategy: Strategy,
    /// Replicas and the engine's settings.
    pub cluster: Cluster,
    /// The network's weather.
    pub network: Network,
    /// The disks.
    pub disk: Disk,
    /// Each replica's clock.
    pub clocks: Vec<Clock>,
    /// What clients do on their own, if anything.
    pub workload: Workload,
    /// Steps in order: a step without a time runs when the one before is complete.
    pub script: Vec<Step>,
    /// Faults at fixed times, in order of time, drawn from the nemesis.
    pub nemesis: Vec<Timed>,
    /// How much may be damaged.
    pub budget: DamageBudget,
    /// When and what is healed.
    pub heal: Heal,
    /// What must hold beyond the standing checks.
    pub checks: Checks,
    /// When the run ends at the latest.
    pub end: End,
    /// Single decisions that go as they are told.
    pub overrides: Vec<Override>,
    /// Where the run leaves the way of its seed, in the order of the events. Only a reproducer has
    /// some.
    pub branches: Vec<Branch>,
    /// Where replicas are struck, in the order of the events. Only a reproducer has some.
    pub strikes: Vec<Strike>,
}

impl Plan {
    /// All faults that are planned, the nemesis' first.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        let scripted = self.script.iter().filter_map(|step| match &step.verb {
            Verb::Inject { fault, .. } => Some(fault),
            _ => None,
        });
        self.nemesis
            .iter()
            .map(|timed| &timed.fault)
            .chain(scripted)
    }

    /// The plan without the lines of its steps, which say where they stood and nothing of the run.
    #[must_use]
    pub fn without_lines(mut self) -> Self {
        for step in &mut self.script {
            step.line = 0;
        }
        self
    }

    /// Whether a fault or a step means replicas by what they voted for.
    #[must_use]
    pub fn goes_by_votes(&self) -> bool {
        self.means(Who::is_by_votes)
    }

    /// Whether a fault or a step goes by what replicas durably hold.
    #[must_use]
    pub fn goes_by_media(&self) -> bool {
        let lag = |step: &Step| {
            matches!(
                step.verb,
                Verb::Expect {
                    what: Expectation::Lag { .. },
                    ..
                }
            )
        };
        self.means(Who::is_by_media) || self.script.iter().any(lag)
    }

    fn means(&self, way: fn(&Who) -> bool) -> bool {
        let step = |step: &Step| match &step.verb {
            Verb::Restart(who) | Verb::Resume(who) => way(who),
            Verb::Expect { what, .. } => what.whom().is_some_and(way),
            _ => false,
        };
        self.faults().any(|fault| fault.means(way)) || self.script.iter().any(step)
    }
}

/// The cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cluster {
    /// 1 to 9.
    pub replicas: u8,
    /// The engine's settings.
    pub knobs: Knobs,
}

/// Engine settings that scenarios vary; an engine that lacks one ignores it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Knobs {
    /// Undecided slots in flight.
    pub window: u32,
    /// Commands in a batch.
    pub batch: u32,
    /// How long a batch waits for company.
    pub batch_delay: Span,
    /// Commands that wait for a place in the window.
    pub queue: u32,
    /// Bytes of a log segment.
    pub segment: u32,
    /// Bytes of values in one message.
    pub message: u32,
    /// Sessions kept.
    pub sessions: u32,
    /// Shortest and longest election timeout.
    pub election_timeout: (Span, Span),
    /// Between heartbeats.
    pub heartbeat: Span,
    /// Before an unanswered message is sent again.
    pub retransmit: Span,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            window: 16,
            batch: 16,
            batch_delay: Span(0),
            queue: 256,
            segment: 1 << 14,
            message: 1 << 14,
            sessions: 64,
            election_timeout: (Span::from_millis(150), Span::from_millis(300)),
            heartbeat: Span::from_millis(25),
            retransmit: Span::from_millis(60),
        }
    }
}

/// A distribution of times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Distribution {
    /// Always the same.
    Constant(Span),
    /// Uniform, both ends included.
    Uniform(Span, Span),
    /// Exponential with this mean, cut at the maximum; computed with integers.
    Exponential {
        /// The mean.
        mean: Span,
        /// Nothing is longer.
        max: Span,
    },
}

impl Distribution {
    /// What it is on average, but for the cut.
    #[must_use]
    pub const fn mean(&self) -> Span {
        match *self {
            Self::Constant(mean) | Self::Exponential { mean, .. } => mean,
            Self::Uniform(low, high) => Span(low.0.midpoint(high.0)),
        }
    }

    /// Nothing is longer.
    #[must_use]
    pub const fn longest(&self) -> Span {
        match *self {
            Self::Constant(span) | Self::Uniform(_, span) | Self::Exponential { max: span, .. } => {
                span
            }
        }
    }
}

/// The network's weather. Probabilities in parts per million, for each message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Network {
    /// One-way delay.
    pub latency: Distribution,
    /// Lost.
    pub loss: u32,
    /// Comes twice.
    pub duplicate: u32,
    /// How much later a copy may come.
    pub duplicate_later: Span,
    /// A bit flips, or the end is cut.
    pub corrupt: u32,
    /// Links between replicas are datagrams, whatever the subject relies on.
    pub beyond_contract: bool,
}

/// The disks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disk {
    /// Time of a read, write or name operation.
    pub access: Distribution,
    /// Time of a sync.
    pub sync: Distribution,
    /// Bytes that a disk holds.
    pub capacity: u64,
}

/// One replica's clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Clock {
    /// Rate error in parts per million of true time.
    pub drift: i32,
    /// The wall clock's offset from true time in nanoseconds.
    pub offset: i64,
}

/// What clients do on their own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Workload {
    /// How many clients; those that a script names exist besides.
    pub clients: u16,
    /// Clients among them that ask nothing: they were taken out, and the others keep their numbers.
    pub idle: Vec<Client>,
    /// Operations of all clients together, until the heal.
    pub operations: u32,
    /// The first so many clients stay with one replica each, in turn: c1 with r1, and so on.
    pub sticky: u16,
    /// Keys.
    pub keys: u16,
    /// Parts per million of operations that go to the first key that takes them, before the others
    /// get their even share.
    pub hot: u32,
    /// Relative weights.
    pub mix: Mix,
    /// Requests that a client has under way at once (each an own process of the history).
    pub pipeline: u8,
    /// Closed loop: the pause between an answer and the next request. Open loop: the time between
    /// requests.
    pub think: Distribution,
    /// Open loop: requests start by the clock, answered or not.
    pub open: bool,
    /// An attempt without an answer is given up after this, and tried elsewhere.
    pub attempt_timeout: Span,
    /// A request without an answer is given up for good after this; its outcome is unknown.
    pub patience: Span,
    /// Parts per million of requests that are also sent to a second replica at once.
    pub duplicate: u32,
    /// Parts per million of requests that are abandoned right after the first attempt is sent.
    pub abandon: u32,
    /// Values that are put or swapped in are padded to so many bytes; at most 1,024.
    pub value_size: u32,
}

/// Relative weights of the operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mix {
    /// Reads.
    pub get: u32,
    /// Writes.
    pub put: u32,
    /// Appends, on keys that see nothing but appends, gets and deletes never.
    pub append: u32,
    /// Compare-and-sets.
    pub cas: u32,
    /// Deletes.
    pub delete: u32,
}

/// A fault at a fixed time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timed {
    /// Its own, among all faults of the plan.
    pub number: FaultNumber,
    /// When it starts.
    pub at: Instant,
    /// How long it holds; a fault that is an instant ignores it.
    pub hold: Span,
    /// What.
    pub fault: Fault,
}

/// One step of a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// When it may run.
    pub when: When,
    /// What it does.
    pub verb: Verb,
    /// The line of the scenario file, for messages; 0 when drawn.
    pub line: u32,
}

/// When a step runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// When the step before is complete.
    Next,
    /// So long after the step before is complete.
    After(Span),
    /// At this time, or when the step before is complete if that is later.
    At(Instant),
}

/// What a step does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verb {
    /// Inject a fault; with a hold it ends by itself, without one at a `heal` or `restart`.
    Inject {
        /// The fault's number, its own among all faults of the plan.
        number: FaultNumber,
        /// The fault.
        fault: Fault,
        /// How long.
        hold: Option<Span>,
    },
    /// End faults: all of them, or those of these kinds (partitions and link faults, disk faults).
    /// Does not restart anybody.
    Heal(Healing),
    /// Start processes that are down.
    Restart(Who),
    /// Resume paused processes.
    Resume(Who),
    /// Have a client do one operation.
    Invoke {
        /// The client.
        client: Client,
        /// The operation.
        call: Call,
        /// What it may end as; empty: anything. The step is complete when the operation is, unless
        /// `background`.
        expect: Vec<Expected>,
        /// Go on without waiting.
        background: bool,
    },
    /// Wait until something holds.
    Expect {
        /// What.
        what: Expectation,
        /// By when, from the start of the step.
        within: Option<Span>,
        /// It must hold throughout this long instead.
        throughout: Option<Span>,
    },
    /// Do nothing for so long.
    Sleep(Span),
}

/// What a heal ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Healing {
    /// Every fault; processes that are down come back.
    All,
    /// Partitions and link faults.
    Network,
    /// Disk faults.
    Disk,
}

/// How an invoked operation may end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expected {
    /// It took effect.
    Ok,
    /// It took effect and a get returned this.
    Value(Option<crate::history::operation::Text>),
    /// No answer within the client's patience.
    Timeout,
    /// A definite refusal.
    Refused,
    /// A compare-and-set found another value.
    Mismatch,
}

/// Something that a script waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expectation {
    /// A leader among these exists (and is up, and the latest to win).
    Leader(Who),
    /// No leader among these.
    NoLeader(Who),
    /// A fresh read of the key gives this value.
    Value {
        /// The key.
        key: crate::history::operation::Text,
        /// The value; none: absent.
        is: Option<crate::history::operation::Text>,
    },
    /// These replicas have applied the same log, up to the highest chosen slot.
    CaughtUp(Who),
    /// These replicas are down by their own halt.
    Halted(Who),
    /// These replicas take part.
    Ready(Who),
    /// So many operations of clients have been answered since the start.
    Operations(u64),
    /// The replica durably holds what is chosen in all slots but so many.
    Lag {
        /// Who.
        node: crate::ids::Node,
        /// At least and at most; none: or more.
        slots: (u64, Option<u64>),
    },
}

impl Expectation {
    /// Of whom something is expected.
    #[must_use]
    pub const fn whom(&self) -> Option<&Who> {
        match self {
            Self::Leader(who)
            | Self::NoLeader(who)
            | Self::CaughtUp(who)
            | Self::Halted(who)
            | Self::Ready(who) => Some(who),
            Self::Value { .. } | Self::Operations(_) | Self::Lag { .. } => None,
        }
    }
}

/// The end of the fault phase.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heal {
    /// When faults end.
    pub at: Instant,
    /// The replicas that are healed.
    pub core: Vec<crate::ids::Node>,
    /// What becomes of the others, for good.
    pub others: Outside,
    /// The core must answer all that is asked of it within this long.
    pub progress_within: Span,
    /// Each client's first request after the heal has its answer within this long, but for bad luck.
    pub first_answer_within: Span,
}

impl Heal {
    /// What is usual: four times as long as a candidate's longest wait, a client's for an attempt,
    /// a batch's for company, and four messages and syncs at their slowest take together.
    ///
    /// Calibrated with the engine: in 3,000 runs of the mix the slowest took seven tenths of it. A
    /// heartbeat more or less does not matter then, and twice the time does.
    #[must_use]
    pub fn usual_first_answer(
        knobs: &Knobs,
        network: &Network,
        disk: &Disk,
        workload: &Workload,
    ) -> Span {
        let steps = network.latency.longest().0 + disk.sync.longest().0;
        let waits = knobs.election_timeout.1.0 + workload.attempt_timeout.0 + knobs.batch_delay.0;
        Span(4 * (waits + 4 * steps))
    }
}

impl Plan {
    /// The same with so many times as long for all that has to come about after the heal.
    #[must_use]
    pub fn patient(&self, times: u64) -> Self {
        let mut plan = self.clone();
        let more = |span: Span| Span(span.0.saturating_mul(times));
        let before = plan.heal.progress_within;
        plan.heal.progress_within = more(before);
        plan.heal.first_answer_within = more(plan.heal.first_answer_within);
        let longer = plan.heal.progress_within.0 - before.0;
        plan.end.time = Instant(plan.end.time.0.saturating_add(longer));
        plan.end.events = plan.end.events.saturating_mul(times);
        plan
    }
}

/// What must hold beyond the standing checks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checks {
    /// Each must be reached; judged over all runs of a sweep (scripts without randomness: in every
    /// run).
    pub milestones: Vec<String>,
    /// The failure that this scenario is there to show (`negative/`): the check's name.
    pub expect_failure: Option<String>,
    /// In at least so many runs of a sweep in a million; a million: in every run.
    pub at_least_ppm: u32,
}

/// When a run ends at the latest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    /// Virtual time.
    pub time: Instant,
    /// Events.
    pub events: u64,
}
