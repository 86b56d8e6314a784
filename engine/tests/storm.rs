//! Typed replicas in a storm: messages are lost, doubled and reordered, nodes crash and forget what
//! was not synced. No replica may apply another value in a slot than any other one, execute a
//! request twice, or lose one that was answered. The real storms, with bytes and files, are the
//! simulator's.

use std::collections::BTreeMap;

use synod_engine::bugs::Bug;
use synod_engine::command::Value;
use synod_engine::config::Config;
use synod_engine::effects::{Effects, To};
use synod_engine::fact::Fact;
use synod_engine::ids::{ClientAddr, ClusterId, Lsn, NodeId, Place, Sequence, SessionId, Slot};
use synod_engine::message::{Message, Outcome, Request};
use synod_engine::probe::Full;
use synod_engine::record::Record;
use synod_engine::recovered::Recovered;
use synod_engine::replica::Replica;
use synod_engine::state_machine::StateMachine;
use synod_engine::time::{Mono, Now, Span, Wall};

#[derive(Clone, Default)]
struct Sum(u64);

impl StateMachine for Sum {
    fn apply(&mut self, operation: &[u8], result: &mut Vec<u8>) {
        self.0 = operation.iter().fold(self.0, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
        });
        result.extend_from_slice(&self.0.to_le_bytes());
    }

    fn read(&self, _: &[u8], result: &mut Vec<u8>) {
        result.extend_from_slice(&self.0.to_le_bytes());
    }

    fn digest(&self) -> u64 {
        self.0
    }
}

struct Storm {
    word: u64,
    now: Mono,
    configs: Vec<Config>,
    replicas: Vec<Option<Replica<Sum, Full>>>,
    durable: Vec<Recovered>,
    written: Vec<Vec<Record>>,
    synced: Vec<usize>,
    wire: Vec<(NodeId, NodeId, Message)>,
    applied: BTreeMap<Slot, (Value, u64)>,
    executed: BTreeMap<(SessionId, Sequence), Place>,
    session: Option<SessionId>,
    asked: u64,
    answered: u64,
    leaders: u64,
    calm: bool,
    bug: Option<Bug>,
}

impl Storm {
    fn new(seed: u64, nodes: u8, bug: Option<Bug>) -> Self {
        let configs: Vec<Config> = (0..nodes)
            .map(|node| {
                let mut config = Config::new(ClusterId(1), NodeId(node), nodes);
                (config.window, config.message_bytes) = (1 + seed % 8, 64);
                config
            })
            .collect();
        let count = usize::from(nodes);
        let mut storm = Self {
            word: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            now: Mono(0),
            configs,
            replicas: (0..count).map(|_| None).collect(),
            durable: vec![Recovered::default(); count],
            written: vec![Vec::new(); count],
            synced: vec![0; count],
            wire: Vec::new(),
            applied: BTreeMap::new(),
            executed: BTreeMap::new(),
            session: None,
            asked: 0,
            answered: 0,
            leaders: 0,
            calm: false,
            bug,
        };
        (0..count).for_each(|node| storm.boot(node));
        storm
    }

    fn draw(&mut self, below: usize) -> usize {
        self.word ^= self.word << 13;
        self.word ^= self.word >> 7;
        self.word ^= self.word << 17;
        usize::try_from(self.word >> 20).expect("44 bits") % below
    }

    fn boot(&mut self, node: usize) {
        self.written[node].clear();
        self.synced[node] = 0;
        let mut fx = Effects::default();
        let mut entropy = [0; 32];
        entropy[..8].copy_from_slice(&self.word.to_le_bytes());
        let now = Now {
            mono: self.now,
            wall: Wall(0),
        };
        let probe = Full::new(self.bug);
        self.replicas[node] = Some(Replica::new(
            self.configs[node].clone(),
            entropy,
            self.durable[node].clone(),
            Sum::default(),
            probe,
            now,
            &mut fx,
        ));
        self.effects(node, fx);
    }

    fn step(&mut self, node: usize, act: impl FnOnce(&mut Replica<Sum, Full>, Now, &mut Effects)) {
        let now = Now {
            mono: self.now,
            wall: Wall(0),
        };
        let mut fx = Effects::default();
        let Some(replica) = &mut self.replicas[node] else {
            return;
        };
        act(replica, now, &mut fx);
        self.effects(node, fx);
    }

    fn effects(&mut self, node: usize, fx: Effects) {
        let me = NodeId(u8::try_from(node).expect("few nodes"));
        if let Some(replica) = &mut self.replicas[node] {
            for fact in replica.probe_mut().drain() {
                match fact {
                    Fact::Applied { slot, value, state } => {
                        let known = self
                            .applied
                            .entry(slot)
                            .or_insert_with(|| (value.clone(), state));
                        assert_eq!(*known, (value, state), "slot {slot} at {me}");
                    }
                    Fact::Executed {
                        place,
                        session,
                        sequence,
                    } => {
                        assert_eq!(
                            *self.executed.entry((session, sequence)).or_insert(place),
                            place
                        );
                    }
                    Fact::Led(_) => self.leaders += 1,
                    _ => {}
                }
            }
        }
        self.written[node].extend(fx.records);
        // The promise is written at once here: two copies, in the real thing.
        if let Some(ballot) = fx.promise {
            self.durable[node].promised = ballot;
            self.step(node, |replica, now, fx| {
                replica.on_promise_durable(now, ballot, fx)
            });
        }
        for (to, message) in fx.sends {
            match to {
                To::One(to) => self.wire.push((me, to, message)),
                To::Peers => self.wire.extend(
                    self.configs[node]
                        .peers()
                        .map(|to| (me, to, message.clone())),
                ),
            }
        }
        for (_, reply) in fx.replies {
            match reply.outcome {
                Outcome::Registered(session) => self.session = self.session.or(Some(session)),
                Outcome::Done { .. } => self.answered += 1,
                _ => {}
            }
        }
    }

    fn sync(&mut self, node: usize) {
        let to = self.written[node].len();
        if self.replicas[node].is_some() && to > self.synced[node] {
            let fresh = self.written[node][self.synced[node]..].to_vec();
            self.durable[node].records.extend(fresh);
            self.synced[node] = to;
            self.step(node, |replica, now, fx| {
                replica.on_durable(now, Lsn(to as u64), fx)
            });
        }
    }

    fn tick(&mut self) {
        let nodes = self.configs.len();
        match self.draw(if self.calm { 60 } else { 64 }) {
            0..35 if !self.wire.is_empty() => {
                let index = self.draw(self.wire.len());
                let (from, to, message) = self.wire.swap_remove(index);
                let fate = if self.calm { 10 } else { self.draw(12) };
                if fate == 1 {
                    self.wire.push((from, to, message.clone()));
                }
                if fate != 0 {
                    self.step(usize::from(to.0), |replica, now, fx| {
                        replica.on_message(now, from, message, fx)
                    });
                }
            }
            0..44 => {
                let node = self.draw(nodes);
                self.sync(node);
            }
            44..52 => {
                self.now = self.now + Span::from_millis(1 + self.draw(12) as u64);
                for node in 0..nodes {
                    self.step(node, |replica, now, fx| {
                        if replica
                            .deadline()
                            .is_some_and(|deadline| deadline <= now.mono)
                        {
                            replica.on_deadline(now, fx);
                        }
                    });
                }
            }
            52..58 => {
                let node = self.draw(nodes);
                let sequence =
                    Sequence(self.draw(usize::try_from(self.asked).expect("few") + 1) as u64);
                self.asked = self.asked.max(sequence.0 + 1);
                let request = match self.session {
                    None => Request::Register { nonce: 1 },
                    Some(session) => Request::Apply {
                        session,
                        sequence,
                        answered_below: Sequence(0),
                        operation: sequence.0.to_le_bytes().into(),
                    },
                };
                self.step(node, |replica, now, fx| {
                    replica.on_request(now, ClientAddr(0), request, fx)
                });
            }
            58..60 => {
                let node = self.draw(nodes);
                if self.replicas[node].is_none() {
                    self.boot(node);
                }
            }
            _ if self.draw(4) == 0 => {
                let node = self.draw(nodes);
                self.replicas[node] = None;
            }
            _ => {}
        }
        if self.wire.len() > 300 {
            self.wire.truncate(200);
        }
    }
}

/// Storms of so many seeds: how many answers and leaders there were.
fn storms(seeds: u64, bug: Option<Bug>) -> (u64, u64) {
    let (mut answered, mut leaders) = (0, 0);
    for seed in 0..seeds {
        let mut storm = Storm::new(
            seed,
            [3, 5, 1, 4][usize::try_from(seed % 4).expect("small")],
            bug,
        );
        (0..6_000).for_each(|_| storm.tick());
        storm.calm = true;
        (0..6_000).for_each(|_| storm.tick());
        let before = storm.answered;
        (0..12_000).for_each(|_| storm.tick());
        assert!(
            storm.answered > before,
            "seed {seed}: nothing was answered in calm weather"
        );
        (answered, leaders) = (answered + storm.answered, leaders + storm.leaders);
    }
    (answered, leaders)
}

#[test]
fn replicas_agree_in_a_storm_and_make_progress_after_it() {
    let (answered, leaders) = storms(150, None);
    assert!(
        leaders > 300 && answered > 3_000,
        "{leaders} leaders, {answered} answers: hardly a storm"
    );
}

#[test]
fn a_storm_finds_planted_bugs() {
    for bug in [
        Bug::Phase1PicksArbitraryValue,
        Bug::PromiseCountedTwice,
        Bug::CommitOverHole,
        Bug::ReplyBeforeQuorum,
        Bug::DedupAtProposeOnly,
    ] {
        assert!(
            std::panic::catch_unwind(|| storms(150, Some(bug))).is_err(),
            "{} passes",
            bug.card().name
        );
    }
}
