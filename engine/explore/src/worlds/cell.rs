//! A cell: one replica of a small world with its disk, and what it said, took and answered so far.
//!
//! The replica is the shipping code. What it does depends on its cell and on what comes in, and on
//! nothing else; so a step is taken once, and looked up ever after.
//!
//! **Time stands still.** All spans but that between heartbeats are endless, and every step is taken
//! at the first instant, but that in which patience ends, which is taken at the last one. So whatever
//! the replica notes of time has one of two values, nothing has to be left out of its hash, and the
//! dice, whose ranges have one value, decide nothing. What may end, may end at any moment.

use std::collections::BTreeMap;
use std::hash::Hash;

use synod_engine::bugs::Bug;
use synod_engine::config::Config;
use synod_engine::effects::{Effects, To};
use synod_engine::fact::Fact;
use synod_engine::ids::{Ballot, ClientAddr, ClusterId, Lsn, NodeId, SessionId, Slot};
use synod_engine::key_value::KeyValue;
use synod_engine::message::{Message, Outcome, Reply, Request, RequestId};
use synod_engine::probe::{Full, Probe};
use synod_engine::record::Record;
use synod_engine::recovered::Recovered;
use synod_engine::replica::Replica;
use synod_engine::roles::elector::Stand;
use synod_engine::time::{Mono, Now, Span, Wall};
use xxhash_rust::xxh3::Xxh3Default;

use super::bounds::{Bounds, Judges, Plan};
use crate::ledger::{Cast, digest};

/// When everything happens.
const NOW: Now = now(Mono(0));
/// When patience has ended.
const LATE: Now = now(Mono(u64::MAX));

const fn now(mono: Mono) -> Now {
    Now {
        mono,
        wall: Wall(0),
    }
}

/// What comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// A message, by its number.
    Hear(u32),
    /// A message, when patience has ended.
    HearLate(u32),
    /// Patience ends.
    Patience,
    /// Patience ends, and a quorum would have the replica lead: it campaigns.
    Campaign,
    /// A client asks for something new.
    Ask,
    /// A client reads, when all slots below were answered for.
    Read(u8),
    /// It is time for a heartbeat.
    Beat,
    /// The promise is durable.
    Promised,
    /// The next record is durable.
    LoggedOne,
    /// All records are durable.
    Logged,
    /// The process dies, and comes back with what is durable.
    Restart,
    /// Something that it said changes nothing any more for whom it is for.
    Forget(u32),
}

/// How much of what is bounded happened here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Used {
    pub(super) campaigns: u8,
    pub(super) asks: u8,
    pub(super) reads: u8,
    pub(super) beats: u8,
    pub(super) restarts: u8,
}

impl Used {
    /// How much happened here and there.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            campaigns: self.campaigns + other.campaigns,
            asks: self.asks + other.asks,
            reads: self.reads + other.reads,
            beats: self.beats + other.beats,
            restarts: self.restarts + other.restarts,
        }
    }
}

/// What is durable, and what is to be.
#[derive(Clone, Hash, Debug, Default)]
struct Disk {
    promise: Ballot,
    /// The promise that is being written.
    writing: Option<Ballot>,
    /// The one that comes next.
    next: Option<Ballot>,
    /// Durable records, those of a lower slot first: across slots their order means nothing to who
    /// reads them, as long as there is no hint of what is chosen among them.
    records: Vec<Record>,
    /// Records that are not durable, oldest first.
    pending: Vec<Record>,
    /// How many became durable in this boot.
    logged: Lsn,
}

impl Disk {
    fn sync(&mut self, count: usize) -> Lsn {
        for record in self.pending.drain(..count) {
            let at = self
                .records
                .partition_point(|other| slot(other) <= slot(&record));
            self.records.insert(at, record);
        }
        self.logged.0 += count as u64;
        self.logged
    }
}

fn slot(record: &Record) -> Slot {
    match record {
        Record::Vote { slot, .. } | Record::Learned { slot, .. } | Record::ChosenBelow { slot } => {
            *slot
        }
    }
}

fn cast(voter: NodeId, record: &Record) -> Option<Cast> {
    match record {
        Record::Vote {
            slot,
            ballot,
            value,
        } => Some(Cast {
            slot: slot.0,
            voter,
            ballot: *ballot,
            value: digest(&value.0),
        }),
        Record::Learned { .. } | Record::ChosenBelow { .. } => None,
    }
}

/// What a step brought about, for others to see.
#[derive(Debug, Default)]
pub(super) struct Outward {
    /// What was said.
    pub(super) sends: Vec<(To, Message)>,
    /// What was taken for chosen, and was not before: the slot, and a digest of the value.
    pub(super) taken: Vec<(u64, u64)>,
    /// Reads that were answered: what they see ends here, and may not end before there.
    pub(super) reads: Vec<(u64, u64)>,
}

/// A replica, its disk, and its past as far as others know it.
#[derive(Clone, Hash, Debug)]
pub(super) struct Cell {
    node: NodeId,
    replica: Replica<KeyValue, Full>,
    disk: Disk,
    /// The numbers of all that it ever said, in order.
    pub(super) said: Vec<u32>,
    /// What it ever took for chosen: the slot, and a digest of the value.
    pub(super) taken: Vec<(u64, u64)>,
    pub(super) used: Used,
    /// The highest promise in this boot, durable or not.
    pub(super) promised: Ballot,
    /// A client was answered for a slot, and all are below.
    pub(super) answered: u64,
    /// By nonce: what a read must see.
    floors: BTreeMap<u64, u64>,
}

impl Cell {
    /// A replica that starts for the first time.
    pub(super) fn new(plan: &Plan, node: NodeId) -> Self {
        Self {
            node,
            replica: boot(plan, node, Recovered::default()),
            disk: Disk::default(),
            said: Vec::new(),
            taken: Vec::new(),
            used: Used::default(),
            promised: Ballot::ZERO,
            answered: 0,
            floors: BTreeMap::new(),
        }
    }

    /// 128 bits of everything.
    pub(super) fn print(&self) -> u128 {
        let mut hasher = Xxh3Default::new();
        self.hash(&mut hasher);
        hasher.digest128()
    }

    pub(super) const fn node(&self) -> NodeId {
        self.node
    }

    pub(super) fn leads(&self) -> bool {
        matches!(self.replica.stand(), Stand::Leading(_))
    }

    /// The round that it canvasses for, if it does; else 0.
    pub(super) fn canvass_round(&self) -> u64 {
        match self.replica.stand() {
            Stand::Canvassing { ballot, .. } => ballot.round,
            _ => 0,
        }
    }

    /// Whether a promise is to be durable.
    pub(super) const fn writes_promise(&self) -> bool {
        self.disk.writing.is_some()
    }

    /// How many records are to be durable.
    pub(super) const fn pending(&self) -> usize {
        self.disk.pending.len()
    }

    /// The promise that is durable.
    pub(super) const fn durable_promise(&self) -> Ballot {
        self.disk.promise
    }

    /// Votes that are durable.
    pub(super) fn casts(&self) -> impl Iterator<Item = Cast> + '_ {
        let voter = self.node;
        self.disk
            .records
            .iter()
            .filter_map(move |record| cast(voter, record))
    }

    /// Votes that are not durable.
    pub(super) fn pending_casts(&self) -> impl Iterator<Item = Cast> + '_ {
        let voter = self.node;
        self.disk
            .pending
            .iter()
            .filter_map(move |record| cast(voter, record))
    }

    /// Does what an input leads to. `heard` is the message that comes, and its sender.
    pub(super) fn step(
        &mut self,
        plan: &Plan,
        input: Input,
        heard: Option<(NodeId, &Message)>,
        out: &mut Outward,
    ) {
        let mut fx = Effects::default();
        match input {
            Input::Hear(_) | Input::HearLate(_) => {
                if let Some((from, message)) = heard {
                    let late = matches!(input, Input::HearLate(_));
                    let now = if late { LATE } else { NOW };
                    self.replica.on_message(now, from, message.clone(), &mut fx);
                }
            }
            Input::Patience => self.replica.on_deadline(LATE, &mut fx),
            Input::Campaign => self.campaign(plan, &mut fx),
            Input::Ask => {
                self.used.asks += 1;
                self.ask(false, &mut fx);
            }
            Input::Read(floor) => {
                self.used.reads += 1;
                let nonce = self.ask(true, &mut fx);
                self.floors.insert(nonce, u64::from(floor));
            }
            Input::Beat => {
                self.used.beats += 1;
                self.replica.on_deadline(NOW, &mut fx);
            }
            Input::Promised => self.promise_is_durable(&mut fx),
            Input::LoggedOne => self.records_are_durable(1, &mut fx),
            Input::Logged => self.records_are_durable(self.disk.pending.len(), &mut fx),
            Input::Restart => self.restart(plan),
            Input::Forget(said) => self.said.retain(|other| *other != said),
        }
        self.settle(fx, out);
    }

    /// A client asks for something new, or reads. The nonce, which nobody else uses.
    fn ask(&mut self, reads: bool, fx: &mut Effects) -> u64 {
        let count = self.used.asks + self.used.reads;
        let nonce = u64::from(self.node.0 + 1) << 8 | u64::from(count);
        let request = if reads {
            Request::Read {
                nonce,
                operation: [].into(),
            }
        } else {
            Request::Register { nonce }
        };
        self.replica.on_request(NOW, ClientAddr(1), request, fx);
        nonce
    }

    /// Whoever leads gives up first; then a quorum grants the canvass at once.
    fn campaign(&mut self, plan: &Plan, fx: &mut Effects) {
        let canvassed = |fx: &Effects| {
            fx.sends.iter().find_map(|(_, message)| match message {
                Message::Canvass { ballot } => Some(*ballot),
                _ => None,
            })
        };
        self.replica.on_deadline(LATE, fx);
        if canvassed(fx).is_none() {
            self.replica.on_deadline(LATE, fx);
        }
        let Some(ballot) = canvassed(fx) else {
            return;
        };
        let me = self.node;
        for peer in (0..plan.bounds.nodes)
            .map(NodeId)
            .filter(|peer| *peer != me)
        {
            let grant = Message::CanvassReply {
                ballot,
                granted: true,
                promised: Ballot::ZERO,
            };
            self.replica.on_message(NOW, peer, grant, fx);
        }
    }

    fn promise_is_durable(&mut self, fx: &mut Effects) {
        let next = self.disk.next.take();
        let Some(ballot) = std::mem::replace(&mut self.disk.writing, next) else {
            return;
        };
        let probe = self.replica.probe_mut();
        if probe.flip(Bug::HardstateFileUnsynced, true, false) {
            self.disk.promise = ballot;
        }
        self.replica.on_promise_durable(NOW, ballot, fx);
    }

    fn records_are_durable(&mut self, count: usize, fx: &mut Effects) {
        let lsn = self.disk.sync(count);
        if self
            .replica
            .probe_mut()
            .flip(Bug::AcceptedBeforeFsync, true, false)
        {
            self.replica.on_durable(NOW, lsn, fx);
        }
    }

    fn restart(&mut self, plan: &Plan) {
        self.used.restarts += 1;
        self.floors.clear();
        let Disk {
            promise, records, ..
        } = std::mem::take(&mut self.disk);
        self.promised = Ballot::ZERO;
        self.replica = boot(
            plan,
            self.node,
            Recovered {
                promised: promise,
                records: records.clone(),
                ..Recovered::default()
            },
        );
        self.disk = Disk {
            promise,
            records,
            ..Disk::default()
        };
    }

    /// Takes in what a step did, and lets the disk begin what it asks for.
    fn settle(&mut self, mut fx: Effects, out: &mut Outward) {
        loop {
            self.observe(out);
            out.sends.append(&mut fx.sends);
            for (_, reply) in fx.replies.drain(..) {
                self.answer(&reply, out);
            }
            let recorded = !fx.records.is_empty();
            self.disk.pending.append(&mut fx.records);
            let mut begun = None;
            if let Some(ballot) = fx.promise.take() {
                match self.disk.writing {
                    None => {
                        self.disk.writing = Some(ballot);
                        begun = Some(ballot);
                    }
                    Some(_) => self.disk.next = Some(ballot),
                }
            }
            // What a log with one of these bugs says at once, though nothing is durable.
            let probe = self.replica.probe_mut();
            if recorded && probe.flip(Bug::AcceptedBeforeFsync, false, true) {
                let lsn = Lsn(self.disk.logged.0 + self.disk.pending.len() as u64);
                self.replica.on_durable(NOW, lsn, &mut fx);
            } else if let Some(ballot) = begun
                && probe.flip(Bug::PromiseBeforeFsync, false, true)
            {
                self.replica.on_promise_durable(NOW, ballot, &mut fx);
            } else {
                return;
            }
        }
    }

    fn observe(&mut self, out: &mut Outward) {
        for fact in self.replica.probe_mut().drain() {
            match fact {
                Fact::Promised(ballot)
                | Fact::Recovered {
                    promised: ballot, ..
                } => self.promised = self.promised.max(ballot),
                Fact::Campaigned(_) => self.used.campaigns += 1,
                Fact::Chosen { slot, value } | Fact::Applied { slot, value, .. } => {
                    let taken = (slot.0, digest(&value.0));
                    if let Err(at) = self.taken.binary_search(&taken) {
                        self.taken.insert(at, taken);
                        out.taken.push(taken);
                    }
                }
                _ => {}
            }
        }
    }

    fn answer(&mut self, reply: &Reply, out: &mut Outward) {
        match &reply.outcome {
            Outcome::Registered(SessionId(id)) => self.answered = self.answered.max(id >> 16),
            Outcome::Read { below, .. } => {
                self.answered = self.answered.max(below.0);
                if let RequestId::Nonce(nonce) = reply.to
                    && let Some(floor) = self.floors.remove(&nonce)
                {
                    out.reads.push((below.0, floor));
                }
            }
            _ => {}
        }
    }
}

fn boot(plan: &Plan, node: NodeId, recovered: Recovered) -> Replica<KeyValue, Full> {
    let Bounds {
        nodes,
        window,
        message_bytes,
        ..
    } = plan.bounds;
    let endless = Span(u64::MAX);
    let config = Config {
        window,
        message_bytes,
        batch_count: 1,
        election_min: endless,
        election_max: endless,
        heartbeat: Span(0),
        retransmit: endless,
        ..Config::new(ClusterId(1), node, nodes)
    };
    let probe = if plan.judges == Judges::Contracts {
        Full::new(plan.bug)
    } else {
        Full::without_contracts(plan.bug)
    };
    let mut fx = Effects::default();
    let replica = Replica::new(
        config,
        [0; 32],
        recovered,
        KeyValue::default(),
        probe,
        NOW,
        &mut fx,
    );
    assert!(
        fx.sends.is_empty() && fx.records.is_empty() && fx.promise.is_none(),
        "who comes back says and writes nothing"
    );
    replica
}
