//! One replica's machine: its process, disk and clocks, and what faults do to them.

use std::collections::VecDeque;

use synod_port::files::{DiskError, DiskOk, FileName, OpId};

use crate::ids::{FaultNumber, Node};
use crate::plan;
use crate::scenario::fault::{Keep, Moment};
use crate::subject::process::{Now, Process};
use crate::time::{Instant, Span};

use super::clock::Clock;
use super::disk::{Disk, Ticket};
use super::due::{Flight, OpKind};

/// Inputs that a paused or busy process can have waiting; messages beyond it are lost, as in a full
/// socket buffer.
pub(super) const INBOX_MAX: usize = 4096;

/// What the process does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// There is none.
    Down,
    /// It is scheduled.
    Up,
    /// It exists and is not scheduled.
    Paused,
    /// It stopped by its own will.
    Halted { damaged: bool },
}

/// How a process dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Death {
    Kill,
    Power(Keep),
}

/// A death that is to come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Doom {
    /// In the next step with outputs; by this fault.
    InStep(Death, FaultNumber),
    /// Just before it next does this, in this boot or in a later one.
    Before(Death, FaultNumber, Moment),
    /// In the next so many recoveries, each time after so many more disk operations once it is
    /// drawn; the process comes back after the span.
    InRecovery {
        death: Death,
        by: FaultNumber,
        deaths: u8,
        left: Option<u64>,
        back_after: Option<Span>,
    },
}

/// An input that waits for a paused or busy process.
#[derive(Clone, Debug)]
pub(super) enum Waiting {
    Message(Flight),
    /// A session with this peer, of this number, has begun or ended.
    Session(Node, u64, bool),
    Disk(OpId, Result<DiskOk, DiskError>),
    Deadline,
}

/// A step that takes time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Busy {
    /// The clocks as the step began.
    pub since: Now,
    /// How long it takes.
    pub takes: Span,
}

/// What injected faults do to a disk. Rates are in parts per million, each with the fault whose
/// it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct DiskFaults {
    pub sync: Vec<(FaultNumber, u32)>,
    pub write: Vec<(FaultNumber, u32)>,
    pub read: Vec<(FaultNumber, u32)>,
    pub full: bool,
    pub slow: Span,
    pub stalled: bool,
}

/// An operation that a stalled disk holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stalled {
    pub boot: u32,
    pub ticket: Ticket,
    pub op: OpId,
    pub kind: OpKind,
}

/// One machine.
pub(super) struct Machine {
    pub process: Option<Box<dyn Process>>,
    pub state: State,
    /// How many times a process was started.
    pub boot: u32,
    pub ready: bool,
    pub disk: Disk,
    pub clock: Clock,
    /// The pending wake-up: the deadline on the monotonic clock that it is for, and its true time.
    /// Later deadlines are looked at when it comes.
    pub wake: Option<(u64, Instant)>,
    pub doom: Option<Doom>,
    /// Operations under way of which it was told whether they fail.
    pub told: Vec<(Ticket, bool)>,
    pub inbox: VecDeque<Waiting>,
    /// How long each step takes.
    pub step_time: Span,
    /// The step that is being taken, with the first input of the inbox.
    pub busy: Option<Busy>,
    /// The clocks that a step which took time began with.
    pub sampled: Option<Now>,
    /// The time that the process sampled before it was paused.
    pub paused_with: Option<Now>,
    /// The sample that its next step uses instead of the present.
    pub stale: Option<Now>,
    pub faults: DiskFaults,
    pub stalled: Vec<Stalled>,
    /// The wall clock has jumped since the last step.
    pub jumped: bool,
    /// The rate has changed since the last step.
    pub drifted: bool,
    /// The fault that the process died of, and the one that paused it.
    pub downed_by: Option<FaultNumber>,
    pub paused_by: Option<FaultNumber>,
    /// It never comes back.
    pub banished: bool,
}

impl Machine {
    pub fn new(files: &[(FileName, Vec<u8>)], capacity: u64, clock: plan::Clock) -> Self {
        Self::with_disk(Disk::formatted(files, capacity), clock)
    }

    /// A machine whose process has never run, with this disk.
    pub fn with_disk(disk: Disk, clock: plan::Clock) -> Self {
        Self {
            process: None,
            state: State::Down,
            boot: 0,
            ready: false,
            disk,
            clock: Clock::new(clock),
            wake: None,
            doom: None,
            told: Vec::new(),
            inbox: VecDeque::new(),
            step_time: Span(0),
            busy: None,
            sampled: None,
            paused_with: None,
            stale: None,
            faults: DiskFaults::default(),
            stalled: Vec::new(),
            jumped: false,
            drifted: false,
            downed_by: None,
            paused_by: None,
            banished: false,
        }
    }

    /// A copy that goes on independently, unless the process cannot.
    pub fn fork(&self) -> Option<Self> {
        let process = match &self.process {
            Some(process) => Some(process.fork()?),
            None => None,
        };
        Some(Self {
            process,
            disk: self.disk.clone(),
            told: self.told.clone(),
            inbox: self.inbox.clone(),
            faults: self.faults.clone(),
            stalled: self.stalled.clone(),
            doom: self.doom.clone(),
            ..*self
        })
    }

    /// Whether there is a process, scheduled or not.
    pub const fn runs(&self) -> bool {
        matches!(self.state, State::Up | State::Paused)
    }

    /// Whether an input has to wait for others, or takes time itself.
    pub fn queues(&self) -> bool {
        self.step_time > Span(0) || self.busy.is_some() || !self.inbox.is_empty()
    }

    /// Forgets everything that dies with the process.
    pub fn clear(&mut self) {
        self.process = None;
        self.ready = false;
        self.wake = None;
        self.told.clear();
        self.inbox.clear();
        self.busy = None;
        self.sampled = None;
        self.paused_with = None;
        self.stale = None;
        self.stalled.clear();
    }
}
