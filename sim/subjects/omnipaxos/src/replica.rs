//! A replica: the engine, its storage, the state that its log makes, and what waits for the disk.
//!
//! It does what a program around the crate does that stores synchronously: all that a step sends,
//! to peers and to clients, leaves when what the engine stored until then is on the disk.

use std::collections::BTreeSet;

use omnipaxos::messages::Message;
use omnipaxos::util::LogEntry;
use omnipaxos::{ClusterConfig, OmniPaxos, OmniPaxosConfig, ServerConfig};
use synod_sim::prelude::*;

use crate::disk::{Disk, Shared};
use crate::machine::{Came, Command, State};
use crate::messages::{node, pid};
use crate::subject::{APPLIES_TWICE, MESSAGES_BEFORE_SYNC};

/// A log that is so long is snapshotted: by the leader for all, or by each for itself.
const LEADER_SNAPSHOTS: usize = 24;
const ALL_SNAPSHOT: usize = 40;

pub struct Replica<const S: bool> {
    node: Node,
    setup: Setup,
    entropy: [u8; 32],
    cell: Cell,
    disk: Shared<S>,
    /// None before the disk was read.
    engine: Option<OmniPaxos<Command<S>, Shared<S>>>,
    ready: bool,
    next_tick: u64,
    proposals: u64,
    /// All of the log below `applied` has been done to the state.
    state: State,
    applied: usize,
    /// Requests that were proposed here, by client and number.
    asked: BTreeSet<(u16, u64)>,
    /// What rests on what is being saved, and what on what is saved next.
    covered: Vec<Output>,
    waiting: Vec<Output>,
    triggered: u64,
}

impl<const S: bool> Replica<S> {
    pub fn new(setup: &Setup, node: Node) -> Self {
        Self {
            node,
            setup: setup.clone(),
            entropy: [0; 32],
            cell: Cell::default(),
            disk: Shared::default(),
            engine: None,
            ready: false,
            next_tick: 0,
            proposals: 0,
            state: State::default(),
            applied: 0,
            asked: BTreeSet::new(),
            covered: Vec::new(),
            waiting: Vec::new(),
            triggered: 0,
        }
    }

    fn has(&self, bug: &Card) -> bool {
        self.setup.bug.as_deref() == Some(bug.name)
    }

    fn tick(&self) -> u64 {
        self.setup.knobs.heartbeat.0.max(1)
    }

    /// The engine, as it comes back from its storage. Its timeouts are in ticks.
    fn start(&mut self, now: u64, disk: Disk<S>) {
        let [a, b, ..] = self.entropy;
        let knobs = &self.setup.knobs;
        let ticks = |nanoseconds: u64| (nanoseconds / self.tick()).max(1);
        let (shortest, longest) = knobs.election_timeout;
        let spread = ticks(longest.0) + 1 - ticks(shortest.0);
        let batched = knobs.batch_delay.0 > 0;
        let config = OmniPaxosConfig {
            cluster_config: ClusterConfig {
                configuration_id: 1,
                nodes: (0..self.setup.replicas)
                    .map(|node| pid(Node(node)))
                    .collect(),
                flexible_quorum: None,
            },
            server_config: ServerConfig {
                pid: pid(self.node),
                election_tick_timeout: ticks(shortest.0) + u64::from(a) % spread,
                // Links lose nothing, and a promise that is doubled costs a prepare phase.
                resend_message_tick_timeout: ticks(longest.0) * 2,
                flush_batch_tick_timeout: ticks(knobs.batch_delay.0),
                batch_size: if batched { knobs.batch as usize } else { 1 },
                ..ServerConfig::default()
            },
        };
        self.next_tick = now + self.tick() * u64::from(b) / 256 + 1;
        self.disk = Shared::new(disk);
        self.engine = Some(config.build(self.disk.clone()).expect("it is valid"));
    }

    fn on_request(&mut self, from: Client, bytes: &[u8]) {
        // Damaged bytes are nobody's request.
        let Some(Request::Call(session, sequence, answered_below, call)) = dialect::request(bytes)
        else {
            return;
        };
        let [.., a, b, c, d, e] = self.entropy;
        let Some(engine) = self.engine.as_mut().filter(|_| self.ready) else {
            let answer = Answer::refused(session, sequence, Refusal::Retry(None));
            return self.waiting.push(dialect::reply(from, &answer));
        };
        let mut command = Vec::new();
        dialect::write_call(&call, &mut command);
        self.proposals += 1;
        let [y, z, ..] = self.proposals.to_le_bytes();
        let entry = Command {
            proposal: u64::from_le_bytes([y, z, a, b, c, d, e, self.node.0]),
            who: from.0.into(),
            sequence,
            answered_below,
            call: command,
        };
        self.asked.insert((from.0, sequence));
        // Where it does not lead, the engine passes the entry on.
        engine
            .append(entry)
            .expect("there is no other configuration");
    }

    /// What the engine wants after a step.
    fn settle(&mut self) {
        let forgetful = self.has(&APPLIES_TWICE);
        let Some(engine) = &mut self.engine else {
            return;
        };
        for entry in engine.read_decided_suffix(self.applied).unwrap_or_default() {
            match entry {
                LogEntry::Decided(command) => {
                    let place = (self.applied as u64, 0);
                    self.applied += 1;
                    let (place, result) = match self.state.apply(&command, forgetful) {
                        Came::Done(result) => (Some(place), result),
                        Came::Again(result) => {
                            self.triggered += 1;
                            (Some(place), result)
                        }
                        Came::Before(result) => (None, result),
                        Came::Past => continue,
                    };
                    let who = u16::try_from(command.who).expect("a client's number");
                    if self.asked.remove(&(who, command.sequence)) {
                        let answer = Answer::Done {
                            session: Session(0),
                            sequence: command.sequence,
                            place,
                            result,
                        };
                        self.waiting.push(dialect::reply(Client(who), &answer));
                    }
                }
                LogEntry::Snapshotted(snapshotted) => {
                    self.state = snapshotted.snapshot.state();
                    self.applied = snapshotted.trimmed_idx;
                }
                other => panic!("the engine says of what is decided: {other:?}"),
            }
        }
        let length = engine.get_decided_idx() - engine.get_compacted_idx();
        let leads = engine.get_current_leader() == Some((pid(self.node), true));
        if S && (length >= ALL_SNAPSHOT || leads && length >= LEADER_SNAPSHOTS) {
            let compacted = engine.snapshot(None, !leads);
            compacted.expect("what is decided can be snapshotted");
        }
        let mut messages = Vec::new();
        engine.take_outgoing_messages(&mut messages);
        for message in messages {
            let bytes = bincode::serialize(&message).expect("all of it can be written");
            self.waiting.push(Output::Send {
                to: node(message.get_receiver()).expect("a replica's id"),
                bytes: frame::sealed(bytes).into(),
            });
        }
    }

    /// Saves what changed, and lets out what rests on nothing that is not saved.
    fn save(&mut self, out: &mut Vec<Output>) {
        if self.has(&MESSAGES_BEFORE_SYNC) {
            self.triggered += u64::from(!self.cell.is_idle() && !self.waiting.is_empty());
            out.append(&mut self.waiting);
        }
        if self.cell.is_idle() {
            if let Some(bytes) = self.disk.take_changed() {
                self.covered = std::mem::take(&mut self.waiting);
                self.cell.save(bytes);
            } else {
                out.append(&mut self.waiting);
            }
        }
        self.cell.pump(out);
    }
}

impl<const S: bool> Process for Replica<S> {
    fn step(&mut self, now: Now, input: Input<'_>, out: &mut Vec<Output>) {
        match (input, &mut self.engine) {
            (Input::Boot { entropy }, _) => {
                self.entropy = entropy;
                self.cell.boot();
            }
            (Input::Message { bytes, .. }, Some(engine)) => {
                let message = frame::unsealed(bytes)
                    .and_then(|bytes| bincode::deserialize::<Message<Command<S>>>(bytes).ok());
                // Damaged bytes are nobody's message.
                if let Some(message) = message {
                    engine.handle_incoming(message);
                }
            }
            (Input::Request { from, bytes }, _) => self.on_request(from, bytes),
            (Input::Connected { peer, .. }, Some(engine)) => engine.reconnected(pid(peer)),
            (Input::Deadline, Some(engine)) if now.mono >= self.next_tick => {
                engine.tick();
                self.next_tick = now.mono + self.tick();
            }
            (Input::Disk { result, .. }, _) => match self.cell.on_disk(result) {
                Told::Nothing => {}
                Told::Read(bytes) => self.start(now.mono, Disk::read(&bytes)),
                Told::Saved => {
                    out.append(&mut self.covered);
                    if !std::mem::replace(&mut self.ready, true) {
                        out.push(Output::Ready);
                    }
                }
                Told::Halt(halt) => out.push(halt),
            },
            _ => {}
        }
        self.settle();
        self.save(out);
    }

    fn deadline(&self) -> Option<u64> {
        self.engine.as_ref().map(|_| self.next_tick)
    }

    /// The engine cannot be copied.
    fn fork(&self) -> Option<Box<dyn Process>> {
        None
    }

    fn bug(&self) -> (u64, u64) {
        (self.triggered, self.triggered)
    }
}
