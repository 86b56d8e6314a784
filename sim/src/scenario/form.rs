//! The sections of a scenario, as they stand in a file. Everything but `title` and `why` may be
//! missing; what a missing value means is decided in `plan::draw`.

use serde::Deserialize;
use toml::Spanned;

use crate::choices::Branch;
use crate::choices::Strategy;
use crate::choices::strike::Strike;
use crate::scenario::fault::{DamageBudget, Outside};
use crate::scenario::fault_form::form;
use crate::scenario::overrides::OverrideForm;
use crate::scenario::select::Clients;
use crate::scenario::units::{Count, Drift, Offset, Pace, Rate, Size, Time};
use crate::scenario::value::{Bounds, Choice, PerReplica, Ranged, Shape};
use crate::scenario::verbs::{NemesisFaultForm, StepForm};

/// A value that may be missing, with its place.
pub type Maybe<T> = Option<Spanned<T>>;

form!(
    /// The whole file.
    FileForm {
        /// 1.
        format: Maybe<i64>,
        /// The file that this one is laid over.
        extends: Maybe<String>,
        /// In a few words.
        title: Maybe<String>,
        /// What it is there to show.
        why: Maybe<String>,
        /// How often the mix draws it, against the others.
        weight: Maybe<u32>,
        /// Each seed leaves something out.
        swarm: Maybe<bool>,
        /// How choices are made.
        strategy: Maybe<Choice<Strategy>>,
        /// So many times as long.
        longer: Maybe<u32>,
        /// The engine under test, when it is not Synod.
        subject: Maybe<String>,
        /// The cluster.
        #[serde(default)]
        cluster: ClusterForm,
        /// The engine's settings.
        #[serde(default)]
        engine: EngineForm,
        /// The network's weather.
        #[serde(default)]
        network: NetworkForm,
        /// The disks.
        #[serde(default)]
        disk: DiskForm,
        /// The clocks.
        #[serde(default)]
        clock: ClockForm,
        /// What clients do on their own.
        workload: Maybe<WorkloadForm>,
        /// The script.
        #[serde(default)]
        step: Vec<Spanned<StepForm>>,
        /// Single decisions that go as they are told.
        #[serde(default, rename = "override")]
        overrides: Vec<Spanned<OverrideForm>>,
        /// Random faults.
        nemesis: Maybe<NemesisForm>,
        /// The end of the fault phase.
        #[serde(default)]
        heal: HealForm,
        /// What must hold beyond the standing checks.
        #[serde(default)]
        checks: ChecksForm,
        /// When the run ends at the latest.
        #[serde(default)]
        end: EndForm,
        /// Where a reproducer comes from.
        repro: Option<Repro>,
    }
);

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
        pub struct $name { $($(#[$field_doc])* pub $field: Maybe<$type>,)* }
    };
}

section!(
    /// `[cluster]`.
    ClusterForm {
        /// How many replicas.
        replicas: Ranged<Count>,
        /// Shortest and longest election timeout.
        election_timeout: Bounds,
        /// Between heartbeats.
        heartbeat: Ranged<Time>,
        /// Before an unanswered message is sent again.
        retransmit: Ranged<Time>,
    }
);
section!(
    /// `[engine]`.
    EngineForm {
        /// Undecided slots in flight.
        window: Ranged<Count>,
        /// Commands in a batch.
        batch: Ranged<Count>,
        /// How long a batch waits for company.
        batch_delay: Ranged<Time>,
        /// Commands that wait for a place in the window.
        queue: Ranged<Count>,
        /// Bytes of a log segment.
        segment: Ranged<Size>,
        /// Bytes of values in a message.
        message: Ranged<Size>,
        /// Sessions kept.
        sessions: Ranged<Count>,
    }
);
section!(
    /// `[network]`.
    NetworkForm {
        /// One-way delay.
        latency: Shape,
        /// Lost.
        loss: Ranged<Rate>,
        /// Comes twice.
        duplicate: Ranged<Rate>,
        /// How much later a copy may come.
        duplicate_later: Ranged<Time>,
        /// Damaged.
        corrupt: Ranged<Rate>,
        /// Whether links are datagrams, whatever the subject relies on.
        beyond_contract: bool,
    }
);
section!(
    /// `[disk]`.
    DiskForm {
        /// Time of a read, write or name operation.
        access: Shape,
        /// Time of a sync.
        sync: Shape,
        /// Bytes that a disk holds.
        capacity: Ranged<Size>,
    }
);
section!(
    /// `[clock]`, drawn for each replica.
    ClockForm {
        /// Rate error.
        drift: PerReplica<Drift>,
        /// The wall clock's offset.
        offset: PerReplica<Offset>,
    }
);
section!(
    /// `[workload]`.
    WorkloadForm {
        /// How many clients.
        clients: Ranged<Count>,
        /// How many of them stay with one replica.
        sticky: Ranged<Count>,
        /// Operations of all together.
        operations: Ranged<Count>,
        /// Keys.
        keys: Ranged<Count>,
        /// Operations that go to the first key.
        hot: Ranged<Rate>,
        /// Clients among them that ask nothing.
        idle: Clients,
        /// Relative weights of the operations.
        mix: MixForm,
        /// Requests that a client has under way at once.
        pipeline: Ranged<Count>,
        /// Between an answer and the next request; in an open loop between requests.
        think: Shape,
        /// Requests a second of all clients together, in an open loop.
        rate: Ranged<Pace>,
        /// Open loop.
        open: Choice<bool>,
        /// An attempt is given up after this.
        attempt_timeout: Ranged<Time>,
        /// A request is given up after this.
        patience: Ranged<Time>,
        /// Requests that are sent to two replicas at once.
        duplicate: Ranged<Rate>,
        /// Requests that are abandoned.
        abandon: Ranged<Rate>,
        /// Values are padded to this.
        value_size: Ranged<Size>,
    }
);

/// `mix`: what is not named has weight 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MixForm {
    /// Reads.
    pub get: u16,
    /// Writes.
    pub put: u16,
    /// Appends.
    pub append: u16,
    /// Compare-and-sets.
    pub cas: u16,
    /// Deletes.
    pub delete: u16,
}

form!(
    /// `[nemesis]`.
    NemesisForm {
        /// Between two faults.
        every: Maybe<Ranged<Time>>,
        /// How much may be damaged.
        budget: Maybe<Choice<DamageBudget>>,
        /// What may happen.
        #[serde(default)]
        fault: Vec<Spanned<NemesisFaultForm>>,
    }
);
section!(
    /// `[heal]`.
    HealForm {
        /// When faults end.
        at: Ranged<Time>,
        /// Who is healed.
        core: Core,
        /// What becomes of the others.
        others: Choice<Outside>,
        /// The core must answer within this.
        progress_within: Ranged<Time>,
        /// And each client's first request within this, but for bad luck.
        first_answer_within: Ranged<Time>,
    }
);
section!(
    /// `[checks]`.
    ChecksForm {
        /// Each must be reached.
        milestones: Vec<String>,
        /// The check that must fail.
        fails: String,
        /// In at least so many runs.
        at_least: Ranged<Rate>,
    }
);
section!(
    /// `[end]`.
    EndForm {
        /// Virtual time.
        time: Ranged<Time>,
        /// Events.
        events: i64,
    }
);

/// The replicas that are healed: `"majority"`, `"all"`, a number, or names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Core {
    /// The smallest majority.
    Majority,
    /// Everybody.
    All,
    /// So many.
    Count(u8),
    /// These.
    Nodes(Vec<crate::ids::Node>),
}

impl<'de> Deserialize<'de> for Core {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use crate::scenario::select::Select;
        use crate::scenario::units::Wrong;
        use serde::de::{Error, SeqAccess, Visitor};

        struct Reader;

        fn unknown(text: &str) -> Wrong {
            Wrong::new(
                format!("`{text}` is not a core"),
                "unknown",
                "write \"majority\", \"all\", a number of replicas, or a list of names",
            )
        }

        impl<'de> Visitor<'de> for Reader {
            type Value = Core;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"majority\", \"all\", a number of replicas, or a list of names")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Core, E> {
                match text {
                    "majority" => Ok(Core::Majority),
                    "all" => Ok(Core::All),
                    _ => Err(E::custom(unknown(text))),
                }
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Core, E> {
                u8::try_from(value)
                    .map(Core::Count)
                    .map_err(|_| E::custom(unknown(&value.to_string())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Core, A::Error> {
                let mut names: Vec<String> = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                match Select::names(&names).map_err(A::Error::custom)? {
                    Select::Nodes(nodes) => Ok(Core::Nodes(nodes)),
                    _ => Err(A::Error::custom(unknown("this list"))),
                }
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// Where a reproducer comes from and what it showed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Repro {
    /// The scenario that the plan was drawn from.
    #[serde(default)]
    pub scenario: String,
    /// The seed; it keys the run's choices.
    pub seed: u64,
    /// The engine under test.
    pub subject: Option<String>,
    /// The planted bug.
    pub bug: Option<String>,
    /// The checks that judged; none: all of them.
    pub only: Option<Vec<String>>,
    /// Who of them judged, `all` or `client`; none: all.
    pub checks: Option<String>,
    /// The check that failed.
    pub check: Option<String>,
    /// The trace digest, 16 hexadecimal digits.
    pub digest: Option<String>,
    /// The hash of the sources that it was found with.
    pub build: Option<String>,
    /// What the plan was that had the digest: 16 hexadecimal digits, which another plan does not have.
    pub plan: Option<String>,
    /// Where the run leaves the way of its seed.
    pub branches: Option<Spanned<Vec<Branch>>>,
    /// Where replicas are struck.
    pub strikes: Option<Spanned<Vec<Strike>>>,
}

impl Repro {
    /// Where the run leaves the way of its seed.
    #[must_use]
    pub fn branches(&self) -> Vec<Branch> {
        let branches = self.branches.as_ref().map(Spanned::get_ref);
        branches.cloned().unwrap_or_default()
    }

    /// Where replicas are struck.
    #[must_use]
    pub fn strikes(&self) -> Vec<Strike> {
        let strikes = self.strikes.as_ref().map(Spanned::get_ref);
        strikes.cloned().unwrap_or_default()
    }
}
