//! Synod's own engine behind the port. Nothing else in the simulator names the engine.

pub mod bug_cards;
pub mod dialect;
pub mod reader;

use synod_engine::bugs::Bug;
use synod_engine::config::Config;
use synod_engine::fact::Fact as EngineFact;
use synod_engine::ids::{Ballot, ClientAddr, ClusterId, NodeId};
use synod_engine::io;
use synod_engine::key_value::KeyValue;
use synod_engine::node::Node as EngineNode;
use synod_engine::probe::{BugsOnly, Full, Probe};
use synod_engine::time::{Mono, Now as EngineNow, Span, Wall};
use synod_port::files::FileName;

use crate::ids::{Client, Node};
use crate::subject::process::{
    Card, Dialect, Input, Now, Output, ProbeLevel, Process, Reader, Setup, Subject,
};
use crate::trace::event::{Fact, value_hash};

/// The multi-Paxos engine.
pub struct Synod;

impl Subject for Synod {
    fn name(&self) -> &'static str {
        "synod"
    }

    fn files(&self) -> &'static [&'static str] {
        &["log-", "promise-", "tmp-"]
    }

    fn format(&self, setup: &Setup, node: Node) -> Vec<(FileName, Vec<u8>)> {
        EngineNode::<KeyValue, ()>::format(&config(setup, node))
    }

    fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process> {
        let config = config(setup, node);
        let bug = setup.bug.as_deref().and_then(Bug::named);
        match setup.probe {
            ProbeLevel::Nothing => {
                Box::new(Host::new(EngineNode::new(config, KeyValue::default(), ())))
            }
            ProbeLevel::BugsOnly => Box::new(Host::new(EngineNode::new(
                config,
                KeyValue::default(),
                BugsOnly::new(bug),
            ))),
            ProbeLevel::Facts => Box::new(Host::new(EngineNode::new(
                config,
                KeyValue::default(),
                Full::without_contracts(bug),
            ))),
            ProbeLevel::Full => Box::new(Host::new(EngineNode::new(
                config,
                KeyValue::default(),
                Full::new(bug),
            ))),
        }
    }

    fn bugs(&self) -> Vec<Card> {
        bug_cards::all()
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &dialect::KeyValueDialect
    }

    fn tells_facts(&self) -> bool {
        true
    }

    fn reads_wall_clock(&self) -> bool {
        false
    }

    fn reader(&self) -> Option<&'static dyn Reader> {
        Some(&reader::SynodReader)
    }

    fn leads(&self, from: Node, bytes: &[u8]) -> Option<(u64, u8)> {
        reader::SynodReader::leads(from.0, bytes)
    }

    fn campaigns(&self, from: Node, bytes: &[u8]) -> Option<(u64, u8)> {
        reader::SynodReader::campaigns(from.0, bytes)
    }
}

fn config(setup: &Setup, node: Node) -> Config {
    let knobs = &setup.knobs;
    Config {
        cluster: ClusterId(setup.cluster),
        node: NodeId(node.0),
        nodes: setup.replicas,
        window: u64::from(knobs.window),
        batch_count: knobs.batch,
        batch_bytes: (knobs.segment / 2).min(1 << 14),
        batch_delay: Span(knobs.batch_delay.0),
        queue: knobs.queue as usize,
        election_min: Span(knobs.election_timeout.0.0),
        election_max: Span(knobs.election_timeout.1.0),
        heartbeat: Span(knobs.heartbeat.0),
        retransmit: Span(knobs.retransmit.0),
        message_bytes: knobs.message,
        sessions: knobs.sessions as usize,
        segment_bytes: knobs.segment,
    }
}

/// What a probe level offers to an observer.
trait Watch: Probe + Clone + 'static {
    fn facts(&mut self, _: &mut Vec<Fact>) {}

    fn bug(&self) -> (u64, u64) {
        (0, 0)
    }
}

impl Watch for () {}

impl Watch for BugsOnly {
    fn bug(&self) -> (u64, u64) {
        (self.count().reached, self.count().triggered)
    }
}

impl Watch for Full {
    fn facts(&mut self, into: &mut Vec<Fact>) {
        into.extend(self.drain().map(from_engine_fact));
    }

    fn bug(&self) -> (u64, u64) {
        (self.count().reached, self.count().triggered)
    }
}

/// An engine node behind the port.
#[derive(Clone)]
struct Host<P: Watch> {
    node: EngineNode<KeyValue, P>,
    outputs: io::Outputs,
}

impl<P: Watch> Host<P> {
    fn new(node: EngineNode<KeyValue, P>) -> Self {
        Self {
            node,
            outputs: Vec::new(),
        }
    }
}

impl<P: Watch> Process for Host<P> {
    fn step(&mut self, now: Now, input: Input<'_>, out: &mut Vec<Output>) {
        let now = EngineNow {
            mono: Mono(now.mono),
            wall: Wall(now.wall),
        };
        let input = match input {
            Input::Boot { entropy } => io::Input::Boot { entropy },
            Input::Message { from, bytes } => io::Input::Message {
                from: NodeId(from.0),
                bytes,
            },
            Input::Request { from, bytes } => io::Input::Request {
                from: ClientAddr(u64::from(from.0)),
                bytes,
            },
            Input::Deadline => io::Input::Deadline,
            Input::Disk { op, result } => io::Input::Disk { op, result },
            // Its links are datagrams.
            Input::Connected { .. } | Input::Disconnected { .. } => return,
        };
        self.node.step(now, input, &mut self.outputs);
        // Many steps want nothing, and say nothing.
        if !self.outputs.is_empty() {
            out.extend(self.outputs.drain(..).map(from_engine_output));
        }
    }

    fn deadline(&self) -> Option<u64> {
        self.node.deadline().map(|mono| mono.0)
    }

    fn fork(&self) -> Option<Box<dyn Process>> {
        Some(Box::new(self.clone()))
    }

    fn facts(&mut self, into: &mut Vec<Fact>) {
        self.node.probe_mut().facts(into);
    }

    fn bug(&self) -> (u64, u64) {
        self.node.probe().bug()
    }

    fn accounted_bytes(&self) -> u64 {
        self.node.accounted_bytes()
    }
}

fn from_engine_output(output: io::Output) -> Output {
    match output {
        io::Output::Send { to, bytes } => Output::Send {
            to: Node(to.0),
            bytes,
        },
        io::Output::Reply { to, bytes } => Output::Reply {
            to: Client(u16::try_from(to.0).unwrap_or(u16::MAX)),
            bytes,
        },
        io::Output::Disk { op, what } => Output::Disk { op, what },
        io::Output::Ready => Output::Ready,
        io::Output::Halt(halt) => {
            let damaged = matches!(halt, io::Halt::PromiseLost | io::Halt::LogDamaged { .. });
            Output::Halt {
                reason: halt.to_string(),
                damaged,
            }
        }
    }
}

const fn pair(ballot: Ballot) -> (u64, u8) {
    (ballot.round, ballot.node.0)
}

fn from_engine_fact(fact: EngineFact) -> Fact {
    match fact {
        EngineFact::Recovered {
            promised,
            chosen_below,
            torn,
        } => Fact::Recovered {
            promised: pair(promised),
            chosen_below: chosen_below.0,
            torn,
        },
        EngineFact::Promised(ballot) => Fact::Promised(pair(ballot)),
        EngineFact::Voted {
            slot,
            ballot,
            value,
        } => Fact::Voted {
            slot: slot.0,
            ballot: pair(ballot),
            value: value_hash(&value.0),
        },
        EngineFact::Campaigned(ballot) => Fact::Campaigned(pair(ballot)),
        EngineFact::Led(ballot) => Fact::Led(pair(ballot)),
        EngineFact::SteppedDown(ballot) => Fact::SteppedDown(pair(ballot)),
        EngineFact::Chosen { slot, value } => Fact::Chosen {
            slot: slot.0,
            value: value_hash(&value.0),
        },
        EngineFact::Applied { slot, value, state } => Fact::Applied {
            slot: slot.0,
            value: value_hash(&value.0),
            state,
        },
        EngineFact::Executed {
            place,
            session,
            sequence,
        } => Fact::Executed {
            slot: place.slot.0,
            index: place.index,
            session: session.0,
            sequence: sequence.0,
        },
    }
}
