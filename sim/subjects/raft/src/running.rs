//! Raft in a replica: `Ready` on one side, the port on the other.
//!
//! Raft's asynchronous interface is used: it goes on while the disk works. Each `Ready` has a
//! number. A save covers all up to the latest when it begins, and what rests on them waits for its
//! end.
//!
//! **Exactly once.** Raft does not tell a command that comes again from another one; something in
//! front of it must. Results by session in the replicated machine would also hide a command that
//! raft gives out twice. Therefore an entry is a bare command, and the machine does each that it is
//! given. A session belongs to the leader that opened it, and ends with that boot: it alone
//! proposes the session's commands, each once. When another entry is committed in the place of a
//! proposal, the proposal can come to nothing, and only then may the command be proposed again. Who
//! asks another leader hears that the session is gone, and never learns what became of its
//! commands.

use std::collections::{BTreeMap, VecDeque};

use protobuf::Message as _;
use raft::eraftpb::{Entry, Message, MessageType};
use raft::{Config, RawNode, ReadOnlyOption, SnapshotStatus, StateRole};
use synod_sim::prelude::*;

use crate::bugs;
use crate::messages::{id_of, node_of};
use crate::store::{Store, packed};

/// Fine enough that timeouts of some ticks more or less are seldom equal.
const TICKS_OF_A_HEARTBEAT: u64 = 6;
const READS_MAX: usize = 256;

/// A client's request: its session, and its number there.
type Name = (Session, u64);

/// A session of this boot.
#[derive(Default)]
struct Known {
    /// All below have been answered.
    floor: u64,
    /// What was proposed, and its answer once it is applied.
    requests: BTreeMap<u64, Option<Answer>>,
}

/// A read, and the index up to which it has to see the log, once raft tells it.
struct Read {
    client: Client,
    name: Name,
    key: Text,
    index: Option<u64>,
}

pub struct Running {
    setup: Setup,
    raft: RawNode<Store>,
    /// Names of this boot begin with this.
    boot: u64,
    /// Ticks of the shortest election timeout and of those above it.
    timeouts: (usize, usize),
    tick: u64,
    pub next_tick: u64,
    /// By number: the latest `Ready`, and the latest that a save covers.
    latest: u64,
    saving: u64,
    is_dirty: bool,
    held: VecDeque<(u64, Vec<Message>)>,
    /// How many names were given to sessions and reads.
    named: u64,
    sessions: BTreeMap<Session, Known>,
    /// By index and term.
    proposed: BTreeMap<(u64, u64), (Client, Name)>,
    reads: BTreeMap<u64, Read>,
    /// To whom a snapshot is under way, and when it counts as lost.
    snapshots: Vec<(u64, u64)>,
    pub triggered: u64,
}

impl Running {
    pub fn new(now: u64, setup: &Setup, node: Node, entropy: [u8; 32], store: Store) -> Self {
        let [a, b, c, d, e, f, ..] = entropy;
        let knobs = &setup.knobs;
        let tick = knobs.heartbeat.0 / TICKS_OF_A_HEARTBEAT;
        let ticks = |time: u64| usize::try_from(time / tick).expect("a timeout is short");
        let (shortest, longest) = knobs.election_timeout;
        let shortest = ticks(shortest.0).max(TICKS_OF_A_HEARTBEAT as usize + 1);
        let above = ticks(longest.0).saturating_sub(shortest).max(1);
        let plants = |bug: &Card| setup.bug.as_deref() == Some(bug.name);
        let config = Config {
            id: id_of(node),
            heartbeat_tick: TICKS_OF_A_HEARTBEAT as usize,
            election_tick: shortest,
            max_election_tick: shortest + above,
            applied: if plants(&bugs::APPLIES_TWICE) {
                0
            } else {
                store.applied
            },
            max_size_per_msg: u64::from(knobs.message),
            max_inflight_msgs: knobs.window as usize,
            check_quorum: true,
            pre_vote: true,
            read_only_option: if plants(&bugs::LEASE_READS) {
                ReadOnlyOption::LeaseBased
            } else {
                ReadOnlyOption::Safe
            },
            ..Config::default()
        };
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let raft = RawNode::new(&config, store, &logger).expect("the settings are right");
        Self {
            setup: setup.clone(),
            raft,
            boot: u64::from_le_bytes([node.0, 0, a, b, c, d, e, f]),
            timeouts: (shortest, above),
            tick,
            // Timers of different machines do not tick together.
            next_tick: now + u64::from_le_bytes([a, b, c, d, e, f, 0, 0]) % tick + 1,
            latest: 0,
            saving: 0,
            is_dirty: false,
            held: VecDeque::new(),
            named: 0,
            sessions: BTreeMap::new(),
            proposed: BTreeMap::new(),
            reads: BTreeMap::new(),
            snapshots: Vec::new(),
            triggered: 0,
        }
    }

    /// Whether this bug is planted; if so, it is counted: it changes something now.
    fn plants(&mut self, bug: &Card) -> bool {
        let planted = self.setup.bug.as_deref() == Some(bug.name);
        self.triggered += u64::from(planted);
        planted
    }

    pub fn on_message(&mut self, bytes: &[u8]) {
        // Raft refuses what it does not expect, and says nothing: that is no fault.
        if let Some(message) =
            frame::unsealed(bytes).and_then(|it| Message::parse_from_bytes(it).ok())
        {
            let _ = self.raft.step(message);
        }
    }

    pub fn on_deadline(&mut self, now: u64) {
        if now < self.next_tick {
            return;
        }
        self.next_tick = now + self.tick;
        // As in a loop that blocks while it saves, no time passes for who waits for its own disk. A
        // candidate would begin again before its question could leave, and raft 0.7.0 panics when
        // it campaigns while a snapshot is saved
        // (reports/findings/raft-campaign-during-snapshot.md).
        let waits = !self.held.is_empty() && self.raft.raft.state != StateRole::Leader;
        if !waits || self.plants(&bugs::TICKS_WHILE_SAVING) {
            self.raft.tick();
        }
        // No datagram says whether it came: a snapshot that nobody has acknowledged is sent again.
        for (to, _) in self
            .snapshots
            .extract_if(.., |(_, lost_at)| *lost_at <= now)
        {
            self.raft.report_snapshot(to, SnapshotStatus::Failure);
        }
    }

    pub fn on_request(&mut self, from: Client, request: Request) -> Option<Answer> {
        let is_leader = self.raft.raft.state == StateRole::Leader;
        let leader = node_of(self.raft.raft.leader_id);
        let retry = Refusal::Retry(leader.filter(|_| !is_leader));
        match request {
            Request::Open(nonce) if is_leader => {
                self.named += 1;
                let session = Session(self.boot.wrapping_add(self.named << 8));
                self.sessions.insert(session, Known::default());
                Some(Answer::Registered { nonce, session })
            }
            Request::Open(nonce) => Some(Answer::refused(Session(0), nonce, retry)),
            Request::Call(session, sequence, _, call) if call.action == Action::Get => {
                self.read(from, (session, sequence), call.key, retry)
            }
            Request::Call(session, sequence, below, call) => {
                let Some(known) = self.sessions.get_mut(&session) else {
                    let is_home = session.0.to_le_bytes()[0] == self.boot.to_le_bytes()[0];
                    let is_gone = is_leader || is_home;
                    let refusal = if is_gone { Refusal::SessionGone } else { retry };
                    return Some(Answer::refused(session, sequence, refusal));
                };
                known.floor = known.floor.max(below);
                known.requests = known.requests.split_off(&known.floor);
                match known.requests.get(&sequence) {
                    Some(answer) => return answer.clone(),
                    None if sequence < known.floor => return None,
                    None => {}
                }
                let mut command = Vec::new();
                dialect::write_call(&call, &mut command);
                let is_full = self.proposed.len() >= self.setup.knobs.queue as usize;
                if is_full || !is_leader || self.raft.propose(Vec::new(), command).is_err() {
                    return Some(Answer::refused(session, sequence, retry));
                }
                known.requests.insert(sequence, None);
                let place = (self.raft.raft.raft_log.last_index(), self.raft.raft.term);
                self.proposed.insert(place, (from, (session, sequence)));
                None
            }
        }
    }

    /// Reads at any replica: raft asks the leader for the index.
    fn read(&mut self, client: Client, name: Name, key: Text, retry: Refusal) -> Option<Answer> {
        if self.plants(&bugs::READ_WITHOUT_INDEX) {
            return Some(self.seen(name, &key));
        }
        self.plants(&bugs::LEASE_READS);
        let raft = &self.raft.raft;
        // A new leader gives no index until an entry of its term is committed.
        let is_deaf = raft.state == StateRole::Leader && !raft.commit_to_current_term();
        if raft.leader_id == 0 || is_deaf {
            return Some(Answer::refused(name.0, name.1, retry));
        }
        self.named += 1;
        let index = None;
        self.reads.insert(
            self.named,
            Read {
                client,
                name,
                key,
                index,
            },
        );
        if self.reads.len() > READS_MAX {
            self.reads.pop_first();
        }
        self.raft
            .read_index([self.boot, self.named].map(u64::to_le_bytes).concat());
        None
    }

    fn seen(&self, (session, sequence): Name, key: &[u8]) -> Answer {
        let store = self.raft.store();
        Answer::Done {
            session,
            sequence,
            place: (store.applied > 0).then_some((store.applied, u16::MAX)),
            result: Return::Value(store.machine.get(key).cloned()),
        }
    }

    /// Does all that raft wants done, and saves what has to be saved.
    pub fn drive(&mut self, now: u64, cell: &mut Cell, out: &mut Vec<Output>) {
        loop {
            while self.raft.has_ready() {
                self.on_ready(now, out);
            }
            if !cell.is_idle() || self.saving == self.latest {
                break;
            }
            self.saving = self.latest;
            if std::mem::take(&mut self.is_dirty) {
                cell.save(self.raft.store().bytes());
                break;
            }
            self.on_saved(now, out);
        }
        let applied = self.raft.store().applied;
        let log = &self.raft.raft.raft_log;
        let told = applied.min(log.persisted);
        if log.applied < told {
            self.raft.advance_apply_to(told);
        }
        let is_seen = |_: &u64, read: &mut Read| read.index.is_some_and(|index| index <= applied);
        let seen: Vec<(u64, Read)> = self.reads.extract_if(.., is_seen).collect();
        for (
            _,
            Read {
                client, name, key, ..
            },
        ) in seen
        {
            out.push(dialect::reply(client, &self.seen(name, &key)));
        }
        self.draw_timeout();
    }

    fn on_ready(&mut self, now: u64, out: &mut Vec<Output>) {
        let mut ready = self.raft.ready();
        self.latest = ready.number();
        self.send(now, ready.take_messages(), out);
        let store = self.raft.mut_store();
        if !ready.snapshot().is_empty() {
            store.restore(ready.snapshot());
            // What was proposed below it may have been done or not.
            self.proposed.clear();
            self.sessions.clear();
        }
        store.append(ready.entries());
        if let Some(hard) = ready.hs() {
            store.hard = hard.clone();
        }
        self.is_dirty |= ready.must_sync();
        let messages = ready.take_persisted_messages();
        if self.is_dirty && !messages.is_empty() && self.plants(&bugs::MESSAGES_BEFORE_SYNC) {
            self.send(now, messages, out);
        } else {
            self.held.push_back((self.latest, messages));
        }
        for state in ready.take_read_states() {
            let name = state.request_ctx.strip_prefix(&self.boot.to_le_bytes());
            let number = name
                .and_then(|name| name.try_into().ok())
                .map(u64::from_le_bytes);
            if let Some(read) = number.and_then(|number| self.reads.get_mut(&number)) {
                read.index = Some(state.index);
            }
        }
        for entry in ready.take_committed_entries() {
            self.apply(&entry, out);
        }
        self.raft.mut_store().compact();
        self.raft.advance_append_async(ready);
    }

    fn apply(&mut self, entry: &Entry, out: &mut Vec<Output>) {
        let is_next = entry.index == self.raft.store().applied + 1;
        assert!(
            is_next || self.plants(&bugs::APPLIES_TWICE),
            "not the next entry"
        );
        let store = self.raft.mut_store();
        store.applied = entry.index;
        // The first entry of a leader is empty.
        let call = dialect::read_call(&entry.data);
        let result = call.map(|call| store.machine.apply(&call));
        // What was proposed for this index was either this entry, or comes to nothing.
        while let Some(first) = self.proposed.first_entry()
            && first.key().0 <= entry.index
        {
            let (place, (client, (session, sequence))) = first.remove_entry();
            let known = self.sessions.get_mut(&session).expect("they go together");
            let done = result
                .clone()
                .filter(|_| place == (entry.index, entry.term));
            let Some(result) = done else {
                known.requests.remove(&sequence);
                continue;
            };
            let answer = Answer::Done {
                session,
                sequence,
                place: Some((entry.index, 0)),
                result,
            };
            out.push(dialect::reply(client, &answer));
            known.requests.insert(sequence, Some(answer));
        }
    }

    /// All up to the `Ready` that was being saved is on the disk.
    pub fn on_saved(&mut self, now: u64, out: &mut Vec<Output>) {
        self.raft.on_persist_ready(self.saving);
        while let Some((_, messages)) = self.held.pop_front_if(|(number, _)| *number <= self.saving)
        {
            self.send(now, messages, out);
        }
    }

    fn send(&mut self, now: u64, messages: Vec<Message>, out: &mut Vec<Output>) {
        for message in messages {
            if message.get_msg_type() == MessageType::MsgSnapshot {
                let lost_at = now + self.setup.knobs.election_timeout.1.0;
                self.snapshots.push((message.to, lost_at));
            }
            out.push(Output::Send {
                to: node_of(message.to).expect("raft answers those who asked"),
                bytes: frame::sealed(packed(&message)).into(),
            });
        }
    }

    /// Raft draws its election timeout from the thread's own generator. Before the next tick looks
    /// at it, it is replaced by one that depends on the boot's entropy and the term alone.
    fn draw_timeout(&mut self) {
        let (shortest, above) = self.timeouts;
        let seed = [self.boot, self.raft.raft.term].map(u64::to_le_bytes);
        // A checksum is as good as dice: of two replicas that tied once, the next draws are unlike.
        let sealed = frame::sealed(seed.concat());
        let dice = sealed.iter().rev().take(4);
        let drawn = dice.fold(0, |drawn, byte| drawn << 8 | usize::from(*byte)) % above;
        self.raft
            .raft
            .set_randomized_election_timeout(shortest + drawn);
    }
}
