//! A scenario: what a file says, read and checked, with ranges still ranges.

use crate::choices::Strategy;
use crate::choices::overrides::Override;
use crate::ids::{Client, FaultNumber, Node};
use crate::scenario::asking::{Ending, Slots};
use crate::scenario::fault::DamageBudget;
use crate::scenario::form::{
    ChecksForm, ClockForm, ClusterForm, DiskForm, EndForm, EngineForm, HealForm, Maybe,
    NetworkForm, Repro, WorkloadForm,
};
use crate::scenario::select::Select;
use crate::scenario::units::{Count, Time};
use crate::scenario::value::{Choice, Ranged};
use crate::scenario::verbs::{FaultForm, HealWhat};

/// A scenario that passed every check of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scenario {
    /// Its file's name without the extension, with its folder: `safety/stale-read`.
    pub name: String,
    /// In a few words.
    pub title: String,
    /// What it is there to show.
    pub why: String,
    /// How often the mix draws it, against the others.
    pub weight: u32,
    /// Each seed leaves out some faults of the nemesis and some kinds of operations, and draws more
    /// often at the ends of ranges (Groce et al., ISSTA 2012).
    pub swarm: bool,
    /// How choices are made.
    pub strategy: Maybe<Choice<Strategy>>,
    /// So many times as long as it says elsewhere are its runs: operations, the time until the heal
    /// and with it the faults of the nemesis, the end, and the events. A script runs once.
    pub longer: u32,
    /// The engine under test, when it is not Synod.
    pub subject: Option<String>,
    /// The cluster.
    pub cluster: ClusterForm,
    /// The engine's settings.
    pub engine: EngineForm,
    /// The network.
    pub network: NetworkForm,
    /// The disks.
    pub disk: DiskForm,
    /// The clocks.
    pub clock: ClockForm,
    /// What clients do on their own.
    pub workload: Option<WorkloadForm>,
    /// The script, and faults at fixed times.
    pub steps: Vec<Step>,
    /// Random faults.
    pub nemesis: Option<Nemesis>,
    /// Single decisions that go as they are told.
    pub overrides: Vec<Override>,
    /// How much may be damaged, by the nemesis and by steps.
    pub budget: Maybe<Choice<DamageBudget>>,
    /// The end of the fault phase.
    pub heal: HealForm,
    /// What must hold beyond the standing checks.
    pub checks: ChecksForm,
    /// When a run ends at the latest.
    pub end: EndForm,
    /// Where it comes from, when it is a reproducer: then its plan is not drawn but read.
    pub repro: Option<Repro>,
}

impl Scenario {
    /// Whether some of its runs may damage more than can be survived.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        is_unlimited(&self.budget)
    }

    /// How many replicas its clusters have.
    #[must_use]
    pub fn replicas(&self) -> Ranged<Count> {
        self.cluster
            .replicas
            .as_ref()
            .map_or(Ranged::fixed(3), |replicas| replicas.get_ref().clone())
    }

    /// Faults of the nemesis have higher numbers than this, and steps have lower ones: a round one,
    /// so that a step more or less renumbers no fault.
    #[must_use]
    pub fn numbered(&self) -> FaultNumber {
        let highest = self.steps.iter().map(|step| step.number.0).max();
        FaultNumber(highest.unwrap_or(0) / 1_000 * 1_000 + 1_000)
    }

    /// `random`, `scripted`, or `repro`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match (&self.repro, &self.nemesis) {
            (Some(_), _) => "repro",
            (None, Some(_)) => "random",
            (None, None) => "scripted",
        }
    }

    /// All faults that it names, of steps and of the nemesis.
    pub fn faults(&self) -> impl Iterator<Item = &FaultForm> {
        let steps = self.steps.iter().filter_map(|step| {
            if let Verb::Fault(fault) = &step.verb {
                Some(fault)
            } else {
                None
            }
        });
        steps.chain(
            self.nemesis
                .iter()
                .flat_map(|nemesis| nemesis.faults.iter().map(|fault| &fault.fault)),
        )
    }
}

/// Whether a budget lets some runs damage more than can be survived.
#[must_use]
pub fn is_unlimited(budget: &Maybe<Choice<DamageBudget>>) -> bool {
    budget
        .as_ref()
        .is_some_and(|budget| budget.get_ref().0.contains(&DamageBudget::None))
}

/// A step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Its own among the steps: what it draws, now and in a run, hangs on it.
    pub number: FaultNumber,
    /// When it may run.
    pub when: When,
    /// How long its fault lasts.
    pub hold: Option<Ranged<Time>>,
    /// What it does.
    pub verb: Verb,
    /// Its line in the file; in a reproducer, in the file that it was drawn from.
    pub line: u32,
}

/// When a step may run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum When {
    /// When the step before is complete.
    Next,
    /// So long after that.
    After(Ranged<Time>),
    /// At this time, or when the step before is complete if that is later.
    At(Ranged<Time>),
    /// At this time, whatever the script does: a fault of the nemesis, in a reproducer.
    Apart(Ranged<Time>),
}

/// What a step does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verb {
    /// Inject a fault.
    Fault(FaultForm),
    /// End faults.
    Heal(HealWhat),
    /// Start processes.
    Restart(Select),
    /// End pauses.
    Resume(Select),
    /// Have a client do something.
    Invoke(Invoke),
    /// Wait for something.
    Expect(Expect),
    /// Do nothing.
    Sleep(Ranged<Time>),
}

/// One operation of a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invoke {
    /// Whose.
    pub client: Client,
    /// What.
    pub call: crate::history::operation::Call,
    /// How it may end; empty: anyhow.
    pub expect: Vec<Ending>,
    /// Go on without waiting.
    pub background: bool,
}

/// Something to wait for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expect {
    /// What.
    pub what: Condition,
    /// Happens by then.
    pub within: Option<Ranged<Time>>,
    /// Holds throughout.
    pub throughout: Option<Ranged<Time>>,
}

/// A condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// A leader among these.
    Leader(Select),
    /// No leader among these.
    NoLeader(Select),
    /// A key has this value; none: absent.
    Value(String, Option<String>),
    /// These have applied everything.
    CaughtUp(Select),
    /// These have halted.
    Halted(Select),
    /// These take part.
    Ready(Select),
    /// So many operations have been answered.
    Operations(Ranged<Count>),
    /// The replica lacks so many slots.
    Lag(Node, Slots),
}

/// Random faults.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nemesis {
    /// Between two faults.
    pub every: Ranged<Time>,
    /// What may happen; at least one, and some weight.
    pub faults: Vec<NemesisFault>,
}

/// A random fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NemesisFault {
    /// How often, against the others.
    pub weight: u32,
    /// How long it lasts.
    pub hold: Ranged<Time>,
    /// What.
    pub fault: FaultForm,
}
