//! What is kept of one run: a line of `results.jsonl`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every check passed (or the failure that the scenario expects came).
    Pass,
    /// A safety property failed, or a contract broke.
    Safety,
    /// The cluster made no progress though it should have.
    Liveness,
    /// A scripted expectation did not hold.
    Expectation,
    /// The subject panicked.
    Panic,
    /// The run hung, crashed its worker twice, or passed its memory: the check says which.
    Lost,
    /// The subject halted or stalled, and the ledger of damage explains it.
    Excused,
    /// A budget ran out before the checks could say.
    Inconclusive,
    /// Something that had to happen never did.
    Vacuous,
    /// The same run gave two digests.
    Nondeterministic,
}

impl Verdict {
    /// All verdicts, in the order in which summaries list them.
    pub const ALL: [Self; 10] = [
        Self::Pass,
        Self::Safety,
        Self::Liveness,
        Self::Expectation,
        Self::Panic,
        Self::Lost,
        Self::Excused,
        Self::Inconclusive,
        Self::Vacuous,
        Self::Nondeterministic,
    ];

    /// Its name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Safety => "safety",
            Self::Liveness => "liveness",
            Self::Expectation => "expectation",
            Self::Panic => "panic",
            Self::Lost => "lost",
            Self::Excused => "excused",
            Self::Inconclusive => "inconclusive",
            Self::Vacuous => "vacuous",
            Self::Nondeterministic => "nondeterministic",
        }
    }

    /// Whether it makes a sweep exit 1.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(
            self,
            Self::Safety | Self::Liveness | Self::Expectation | Self::Panic | Self::Lost
        )
    }
}

/// The digest of a run that has none, because it did not come to an end.
pub const NO_DIGEST: &str = "0000000000000000";

/// How often nodes in each role got a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Deliveries {
    /// Nodes that led.
    pub leader: u64,
    /// Nodes that campaigned, and did not lead yet.
    pub candidate: u64,
    /// All others.
    pub follower: u64,
}

impl Deliveries {
    /// Adds others.
    pub const fn add(&mut self, other: &Self) {
        self.leader += other.leader;
        self.candidate += other.candidate;
        self.follower += other.follower;
    }

    /// One for each role of which the initial is here.
    #[must_use]
    pub fn of_initials(roles: &str) -> Self {
        let one = |initial| u64::from(roles.contains(initial));
        Self {
            leader: one('l'),
            candidate: one('c'),
            follower: one('f'),
        }
    }

    /// The initials of the roles that got some: `lcf` for all of them.
    #[must_use]
    pub fn initials(&self) -> String {
        let some = self.by_role().into_iter().filter(|(_, times)| *times > 0);
        some.filter_map(|(role, _)| role.chars().next()).collect()
    }

    /// Each role with its count.
    #[must_use]
    pub const fn by_role(&self) -> [(&'static str, u64); 3] {
        [
            ("leader", self.leader),
            ("candidate", self.candidate),
            ("follower", self.follower),
        ]
    }
}

/// By phase of a run and kind of message, the initials of the roles in which nodes got one.
pub type Cells = BTreeMap<String, BTreeMap<String, String>>;

/// How clients' operations of one kind went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Operations {
    /// How many were sent.
    pub sent: u64,
    /// How many of them were executed and answered, a compare-and-set that found another value too.
    pub answered: u64,
}

impl Operations {
    /// Adds others.
    pub const fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.answered += other.answered;
    }
}

/// What replicas did for operations, in a run or in many.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Costs {
    /// Operations that took effect and were answered, those of checks as well.
    pub answered: u64,
    /// Messages that replicas sent to each other.
    pub messages: u64,
    /// The bytes of these.
    pub bytes: u64,
    /// Syncs of files and of names.
    pub syncs: u64,
}

impl Costs {
    /// Adds others.
    pub const fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.syncs += other.syncs;
    }

    /// What an operation cost: messages, bytes and syncs.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "ratios are shown with three digits"
    )]
    pub fn of_an_operation(&self) -> [f64; 3] {
        let answered = self.answered.max(1) as f64;
        [self.messages, self.bytes, self.syncs].map(|sum| sum as f64 / answered)
    }
}

/// What clients saw of a run, and what the replicas did for it. Times are microseconds of simulated
/// time.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Service {
    /// A hash of what each client asked and heard, in its order, whatever the time: 16 hexadecimal
    /// digits.
    pub answers: String,
    /// How long the median answer took.
    pub wait_p50: u64,
    /// How long the slowest took, but for one in a hundred.
    pub wait_p99: u64,
    /// How long the slowest took.
    pub wait_max: u64,
    /// For how long, at the most, somebody waited and nobody was answered.
    pub longest_silence: u64,
    /// What the replicas did for it.
    #[serde(flatten)]
    pub costs: Costs,
}

/// One run: a (scenario, seed), its verdict and its counters.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunRecord {
    /// `safety/stale-read`.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// How it ended.
    pub verdict: Verdict,
    /// The check that failed: `linearizability`, `agreement`, `progress`, `panic`, ...
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub check: Option<String>,
    /// What it says, for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// The trace digest, 16 hexadecimal digits.
    pub digest: String,
    /// Events of the main run.
    pub events: u64,
    /// Messages that reached a replica or a client in the main run; forks for audits are not
    /// counted.
    pub messages_delivered: u64,
    /// Simulated seconds of the main run.
    pub virtual_seconds: f64,
    /// Client operations invoked.
    pub client_operations: u64,
    /// Kind of operation: how those of the workload went.
    #[serde(default)]
    pub operations: BTreeMap<String, Operations>,
    /// Forks of the last-quorum audit that were judged.
    #[serde(default)]
    pub audits: u64,
    /// Accounted bytes at the end.
    #[serde(default)]
    pub accounted_bytes: u64,
    /// How often each fault kind took effect.
    pub faults: BTreeMap<String, u64>,
    /// How often each milestone was reached.
    pub milestones: BTreeMap<String, u64>,
    /// How often each check that judged compared something. One that never did is there with 0.
    #[serde(default)]
    pub checks: BTreeMap<String, u64>,
    /// Kind of message between replicas: how often a leader, a candidate and a follower got one.
    /// Empty when nobody can read the subject's messages, or nothing tells of roles.
    #[serde(default)]
    pub deliveries: BTreeMap<String, Deliveries>,
    /// Phase (`chaos`, `recovery`, `closing`) and kind of message: the roles that it reached then,
    /// as `l`, `c` and `f`. What reached nobody is left out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub cells: Cells,
    /// Hashes of coarse states that the run came by, in that order, the first 256 distinct ones: for
    /// each replica, whoever it is, whether it is up, its role, how its ballot stands to the others',
    /// whether it lags and whom it can talk to. Empty where nothing tells of roles.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub states: Vec<u32>,
    /// How long each client waited, from the heal on, for the answer to its first write, in
    /// microseconds of simulated time.
    #[serde(default)]
    pub first_answers: Vec<u64>,
    /// How long clients waited for answers to the writes that came after.
    #[serde(default)]
    pub later_answers: Vec<u64>,
    /// What clients saw, and what it cost; none of a run that has no end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service: Option<Service>,
    /// Branches and overrides of the plan that named what never came.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unmatched: Vec<String>,
    /// The planted bug's guard: times (reached, triggered).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bug: Option<(u64, u64)>,
}

impl RunRecord {
    /// A run of which nothing is known but how it ended.
    #[must_use]
    pub fn blank(scenario: &str, seed: u64, verdict: Verdict) -> Self {
        Self {
            scenario: scenario.to_owned(),
            seed,
            verdict,
            check: None,
            message: None,
            digest: NO_DIGEST.to_owned(),
            events: 0,
            messages_delivered: 0,
            virtual_seconds: 0.0,
            client_operations: 0,
            operations: BTreeMap::new(),
            audits: 0,
            accounted_bytes: 0,
            faults: BTreeMap::new(),
            milestones: BTreeMap::new(),
            checks: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            cells: Cells::new(),
            states: Vec::new(),
            first_answers: Vec::new(),
            later_answers: Vec::new(),
            service: None,
            unmatched: Vec::new(),
            bug: None,
        }
    }
}
