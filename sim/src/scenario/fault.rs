//! The fault kinds: what a scenario may inject, and on whom. Exhaustive matches lead a new kind
//! from here through `plan` and `world`.

use crate::ids::{Client, Node};
use crate::time::Span;

/// Whom a step is about. Roles (`leader`) are resolved when the step runs, by the world; everything
/// else is names once the plan is drawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Who {
    /// Every replica.
    All,
    /// These replicas.
    Nodes(Vec<Node>),
    /// The replica that leads when the step runs; nobody when none does.
    Leader,
    /// All replicas but the one that `Leader` named last in this run (or leads now).
    Others,
    /// The next after the leader, by number, that runs when the step runs.
    Follower,
    /// Those of these that acknowledged the newest votes of a quorum; their proposer is none.
    Acknowledgers(Vec<Node>),
    /// Those of these that did not; nor is their proposer one.
    Laggards(Vec<Node>),
    /// The only one whose disk still holds the newest chosen value of which that can be said; nobody
    /// where there are others, or none.
    LastHolder,
}

impl Who {
    /// Whether it goes by what replicas voted for.
    #[must_use]
    pub const fn is_by_votes(&self) -> bool {
        matches!(self, Self::Acknowledgers(_) | Self::Laggards(_))
    }

    /// Whether it goes by what is on the media.
    #[must_use]
    pub const fn is_by_media(&self) -> bool {
        matches!(self, Self::LastHolder)
    }
}

/// One side of a partition: replicas and clients.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Side {
    /// Replicas, by role or by name.
    pub replicas: Vec<Who>,
    /// Clients.
    pub clients: Vec<Client>,
}

/// How the network is cut. Clients that are on no side reach everybody, unless said otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Partition {
    /// These sides cannot reach each other.
    Groups(Vec<Side>),
    /// The replicas, in this order, are cut like this.
    Cut {
        /// How.
        cut: Cut,
        /// All replicas.
        order: Vec<Node>,
        /// Clients that are parted from the others together with the leader.
        clients: Vec<Client>,
    },
}

/// A shape of a cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// A random minority (with a random share of the clients) against the rest.
    Halves,
    /// The first half is not heard by the other, but hears it.
    OneWay,
    /// One random replica against the rest.
    IsolateOne,
    /// The leader (the first one, as long as there is none), with a random share of the clients,
    /// against the rest.
    IsolateLeader,
    /// The leader in the largest minority, with a random share of the clients, against the rest.
    LeaderInMinority,
    /// The replicas in a ring, each reaching only its two neighbours.
    Ring,
    /// Two halves that only the first replica, in both, can talk across.
    Bridge,
    /// Everybody reaches one hub (not the leader) and nobody else: quorum loss in Omni-Paxos'
    /// terms.
    Hub,
    /// The replicas in a line, each reaching only its neighbours.
    Chain,
    /// Only the hub, which lags, reaches a majority; the leader is cut off (constrained election in
    /// Omni-Paxos' terms).
    Constrained,
}

impl Cut {
    /// The size of the smallest cluster in which this cuts a link between replicas.
    #[must_use]
    pub const fn least(self) -> u8 {
        match self {
            Self::Halves
            | Self::OneWay
            | Self::IsolateOne
            | Self::IsolateLeader
            | Self::LeaderInMinority => 2,
            Self::Bridge | Self::Hub | Self::Chain | Self::Constrained => 3,
            Self::Ring => 4,
        }
    }

    /// Whether it parts clients as well, those on the leader's side.
    #[must_use]
    pub const fn parts_clients(self) -> bool {
        matches!(self, Self::IsolateLeader | Self::LeaderInMinority)
    }

    /// Whether some clients can be drawn for the smaller or the leader's side.
    #[must_use]
    pub const fn draws_clients(self) -> bool {
        self.parts_clients() || matches!(self, Self::Halves)
    }

    /// Whether it says nothing but who is on which side, so that a plan has the sides instead.
    #[must_use]
    pub const fn is_of_sides(self) -> bool {
        matches!(self, Self::Halves | Self::IsolateOne)
    }
}

/// How whole links misbehave, beyond what the network section says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LinkFault {
    /// Nothing gets through until the hold ends; then everything does.
    Clog,
    /// So much is added to every delay.
    Slow(Span),
}

/// Which sectors of a disk are damaged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spots {
    /// How many.
    pub sectors: u8,
    /// Only files whose name starts with this; all files when empty.
    pub files: String,
    /// Only the last sectors of the last of these files, by name, that hold anything: a log's newest
    /// records.
    pub tail: bool,
}

impl Spots {
    /// So many sectors, anywhere.
    #[must_use]
    pub const fn anywhere(sectors: u8) -> Self {
        Self {
            sectors,
            files: String::new(),
            tail: false,
        }
    }

    /// The same, in files whose name starts with this.
    #[must_use]
    pub fn of(self, files: &str) -> Self {
        Self {
            files: files.to_owned(),
            ..self
        }
    }
}

/// Which messages between replicas a fault is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aim {
    /// Senders.
    pub from: Who,
    /// Receivers.
    pub to: Who,
    /// Their kinds in the subject's description; empty: any.
    pub kinds: Vec<String>,
    /// Which of them, counted from 1 in the order in which they are sent from the beginning of the
    /// fault on; none: every one.
    pub nth: Option<u32>,
}

/// What becomes of messages that a fault is aimed at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MessageFault {
    /// They are lost with this probability, in parts per million.
    Lose(u32),
    /// They come twice or more with this probability, in parts per million; the copies come up to
    /// this much later.
    Duplicate {
        /// Parts per million.
        ppm: u32,
        /// The latest that a copy comes.
        later: Span,
    },
    /// Bits of them flip, or their ends are cut, with this probability in parts per million.
    Corrupt(u32),
    /// They come so much later.
    Delay(Span),
    /// They are kept back until something happens.
    HoldBack(Until),
}

/// Until when messages are kept back: until this happens next, or the fault ends. All but `End` go by
/// the name of a milestone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Until {
    /// The fault ends, by itself or by a heal.
    #[default]
    End,
    /// A replica leads that is not the one that led before.
    LeaderChanged,
    /// The sender takes part again after a restart.
    Rejoined,
    /// The addressee asks the others to let it lead, at a ballot of its own that is new.
    Campaigned,
    /// The addressee leads, at a ballot of its own that is new.
    Elected,
}

/// What survives of unsynced data at a power loss.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Keep {
    /// Any subset of the unsynced sectors and names, drawn.
    #[default]
    Any,
    /// Nothing that was not synced.
    Nothing,
    /// Everything.
    Everything,
}

/// What becomes of the replicas outside the core when the fault phase is over: whatever ails them
/// does so for good.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Outside {
    /// They are down.
    #[default]
    Gone,
    /// They run, and nothing reaches them.
    Deaf,
    /// They run, and nobody hears them.
    Mute,
}

/// How much of what replicas made durable may be damaged or lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DamageBudget {
    /// A minority of victims, outside the core: everything must be survived.
    #[default]
    Survivable,
    /// Anybody's, as long as some redundancy reveals it: whoever is asked may be silent, so
    /// liveness is not judged, and must not lie.
    None,
}

/// Where in a step a process dies.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Boundary {
    /// At once, between steps.
    #[default]
    Now,
    /// In the next step that has outputs, after a drawn number of them.
    InStep,
    /// During the recoveries of the next boots, each time after a drawn number of disk operations.
    InRecovery {
        /// Of how many boots, one after the other.
        deaths: u8,
    },
    /// Just before it next does this. What it asks for before that in the same step is done.
    Before(Moment),
}

/// Something that a process does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moment {
    /// It sends a message of one of these kinds to another replica; empty: of any.
    Send(Vec<String>),
    /// It syncs a file that holds something unsynced, and whose name starts with this.
    Sync(String),
}

impl Boundary {
    /// During the recovery of the next boot.
    pub const IN_RECOVERY: Self = Self::InRecovery { deaths: 1 };
}

/// A fault. With a `hold`, it ends (or the process comes back) when the hold does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Cut the network.
    Partition(Partition),
    /// Make links misbehave. Links from `from` to `to`, replicas only.
    Links {
        /// Senders.
        from: Who,
        /// Receivers.
        to: Who,
        /// How.
        fault: LinkFault,
    },
    /// Do something to some of the messages between replicas.
    Messages {
        /// To which.
        aim: Aim,
        /// What.
        fault: MessageFault,
    },
    /// Kill the process; it restarts when the hold ends.
    Kill {
        /// Whose.
        who: Who,
        /// Where.
        boundary: Boundary,
    },
    /// Cut the power; it comes back when the hold ends.
    PowerLoss {
        /// Whose.
        who: Who,
        /// What survives.
        keep: Keep,
        /// Where.
        boundary: Boundary,
    },
    /// Stop scheduling the process; its deadlines pass meanwhile.
    Pause(Who),
    /// Each step of the process takes so long: its outputs leave late, and what comes meanwhile
    /// waits.
    SlowCpu {
        /// Whose.
        who: Who,
        /// The time of each step.
        by: Span,
    },
    /// Syncs fail until the hold ends; of what they covered any part is lost, though it may read as
    /// new.
    SyncFailure {
        /// Whose.
        who: Who,
        /// Parts per million of syncs that fail.
        ppm: u32,
    },
    /// Writes fail with an I/O error.
    WriteFailure {
        /// Whose.
        who: Who,
        /// Parts per million of writes that fail.
        ppm: u32,
    },
    /// Reads fail with an I/O error.
    ReadFailure {
        /// Whose.
        who: Who,
        /// Parts per million of reads that fail.
        ppm: u32,
    },
    /// The disk is full until the hold ends.
    DiskFull(Who),
    /// Every disk operation takes so much longer.
    SlowDisk {
        /// Whose.
        who: Who,
        /// The extra time of each operation.
        by: Span,
    },
    /// Nothing completes on the disk until the hold ends.
    DiskStall(Who),
    /// Damage synced sectors on the media.
    BitRot {
        /// Whose.
        who: Who,
        /// Which.
        spots: Spots,
    },
    /// Sectors on the media cannot be read any more, until they are written whole: latent errors,
    /// which show when a recovery reads.
    SectorError {
        /// Whose.
        who: Who,
        /// Which.
        spots: Spots,
    },
    /// One of the next writes that are synced goes to another place, and its own place keeps what
    /// it held. It is seen when the file has been synced again.
    MisdirectedWrite(Who),
    /// The disk is gone, and with it the process; an empty disk takes its place. The process comes
    /// back to that when the hold ends.
    DiskLoss(Who),
    /// The wall clock jumps by so many nanoseconds, either way.
    ClockJump {
        /// Whose.
        who: Who,
        /// By how much, in nanoseconds.
        by: i64,
    },
    /// The clocks' rate changes, in parts per million of true time.
    ClockDrift {
        /// Whose.
        who: Who,
        /// The new rate error.
        ppm: i32,
    },
}

impl Fault {
    /// The kinds of messages that it is about; none: any, or no message at all.
    #[must_use]
    pub fn kinds(&self) -> &[String] {
        match self {
            Self::Messages { aim, .. } => &aim.kinds,
            Self::Kill {
                boundary: Boundary::Before(Moment::Send(kinds)),
                ..
            }
            | Self::PowerLoss {
                boundary: Boundary::Before(Moment::Send(kinds)),
                ..
            } => kinds,
            _ => &[],
        }
    }

    /// Whose process, disk or clock it is about; none for what links and messages suffer.
    #[must_use]
    pub const fn whose(&self) -> Option<&Who> {
        match self {
            Self::Partition(_) | Self::Links { .. } | Self::Messages { .. } => None,
            Self::Kill { who, .. }
            | Self::PowerLoss { who, .. }
            | Self::Pause(who)
            | Self::SlowCpu { who, .. }
            | Self::SyncFailure { who, .. }
            | Self::WriteFailure { who, .. }
            | Self::ReadFailure { who, .. }
            | Self::DiskFull(who)
            | Self::SlowDisk { who, .. }
            | Self::DiskStall(who)
            | Self::BitRot { who, .. }
            | Self::SectorError { who, .. }
            | Self::MisdirectedWrite(who)
            | Self::DiskLoss(who)
            | Self::ClockJump { who, .. }
            | Self::ClockDrift { who, .. } => Some(who),
        }
    }

    /// Whether it means replicas in one of these ways.
    #[must_use]
    pub fn means(&self, way: fn(&Who) -> bool) -> bool {
        match self {
            Self::Partition(Partition::Groups(sides)) => {
                sides.iter().any(|side| side.replicas.iter().any(way))
            }
            Self::Links { from, to, .. } => way(from) || way(to),
            Self::Messages { aim, .. } => way(&aim.from) || way(&aim.to),
            _ => self.whose().is_some_and(way),
        }
    }

    /// The name under which effects are counted, and the verb in a scenario.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Partition(_) => "partition",
            Self::Links {
                fault: LinkFault::Clog,
                ..
            } => "clog",
            Self::Links {
                fault: LinkFault::Slow(_),
                ..
            } => "slow-link",
            Self::Messages { fault, .. } => match fault {
                MessageFault::Lose(_) => "lose",
                MessageFault::Duplicate { .. } => "duplicate",
                MessageFault::Corrupt(_) => "corrupt",
                MessageFault::Delay(_) => "delay",
                MessageFault::HoldBack(_) => "hold-back",
            },
            Self::Kill { .. } => "kill",
            Self::PowerLoss { .. } => "power-loss",
            Self::Pause(_) => "pause",
            Self::SlowCpu { .. } => "slow-cpu",
            Self::SyncFailure { .. } => "sync-failure",
            Self::WriteFailure { .. } => "write-failure",
            Self::ReadFailure { .. } => "read-failure",
            Self::DiskFull(_) => "disk-full",
            Self::SlowDisk { .. } => "slow-disk",
            Self::DiskStall(_) => "disk-stall",
            Self::BitRot { .. } => "bit-rot",
            Self::SectorError { .. } => "sector-error",
            Self::MisdirectedWrite(_) => "misdirected-write",
            Self::DiskLoss(_) => "disk-loss",
            Self::ClockJump { .. } => "clock-jump",
            Self::ClockDrift { .. } => "clock-drift",
        }
    }
}
