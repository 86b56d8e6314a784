//! A cluster of one on a fake disk, and frames that a node must not listen to.

use std::collections::VecDeque;

use synod_port::files::{DiskOp, OpId};

use crate::bugs::Bug;
use crate::codec::{message, request};
use crate::config::{Config, SECTOR};
use crate::effects::Effects;
use crate::ids::{Ballot, ClientAddr, ClusterId, Incarnation, NodeId, Sequence, SessionId, Slot};
use crate::io::{Input, Output, Outputs};
use crate::key_value::{KeyValue, Operation, Returned};
use crate::log::fake_disk::{Dice, FakeDisk};
use crate::message::{Message, Outcome, Reply, Request, RequestId};
use crate::node::{Drops, Node};
use crate::probe::{BugsOnly, Full, Probe};
use crate::time::{Mono, Now, Wall};

const CLUSTER: ClusterId = ClusterId(9);

fn config(node: u8, nodes: u8) -> Config {
    Config {
        segment_bytes: 8 * SECTOR as u32,
        ..Config::new(CLUSTER, NodeId(node), nodes)
    }
}

/// A node, its disk and its clock.
#[derive(Clone)]
struct Host<P: Probe> {
    node: Node<KeyValue, P>,
    config: Config,
    disk: FakeDisk,
    dice: Dice,
    now: Now,
    under_way: VecDeque<(OpId, DiskOp)>,
    replies: Vec<Reply>,
    sent: Vec<Message>,
    ready: bool,
}

impl<P: Probe + Clone> Host<P> {
    fn new(config: Config, probe: P) -> Self {
        let disk = FakeDisk::with(Node::<KeyValue, P>::format(&config));
        let mut host = Self {
            node: Node::new(config.clone(), KeyValue::new(), probe),
            config,
            disk,
            dice: Dice(1),
            now: Now {
                mono: Mono(0),
                wall: Wall(0),
            },
            under_way: VecDeque::new(),
            replies: Vec::new(),
            sent: Vec::new(),
            ready: false,
        };
        host.step(Input::Boot { entropy: [3; 32] });
        host
    }

    fn step(&mut self, input: Input<'_>) {
        let mut out = Outputs::new();
        self.node.step(self.now, input, &mut out);
        for output in out {
            match output {
                Output::Disk { op, what } => self.under_way.push_back((op, what)),
                Output::Reply { bytes, .. } => self
                    .replies
                    .push(request::decode_reply(&bytes).expect("a node's own reply").1),
                Output::Send { bytes, .. } => self
                    .sent
                    .push(message::decode(&bytes).expect("a node's own message").1),
                Output::Ready => self.ready = true,
                Output::Halt(halt) => panic!("{halt}"),
            }
        }
    }

    /// One disk operation, or else the next deadline.
    fn turn(&mut self) {
        if let Some((op, what)) = self.under_way.pop_front() {
            let result = self.disk.run(&what);
            self.step(Input::Disk { op, result });
        } else if let Some(deadline) = self.node.deadline() {
            self.now.mono = self.now.mono.max(deadline);
            self.step(Input::Deadline);
        }
    }

    fn boot(&mut self) {
        for _ in 0..1000 {
            if self.ready {
                return;
            }
            self.turn();
        }
        panic!("the node does not become ready");
    }

    /// Asks until the answer is not a refusal.
    fn ask(&mut self, request: &Request) -> Outcome {
        for _ in 0..100 {
            let bytes = request::encode_request(&mut Vec::new(), CLUSTER, request);
            self.step(Input::Request {
                from: ClientAddr(1),
                bytes: &bytes,
            });
            for _ in 0..100 {
                match self.replies.pop() {
                    None
                    | Some(Reply {
                        outcome: Outcome::NotLeader { .. } | Outcome::Busy,
                        ..
                    }) => self.turn(),
                    Some(Reply { outcome, .. }) => return outcome,
                }
            }
        }
        panic!("no answer to {request:?}");
    }

    fn register(&mut self) -> SessionId {
        match self.ask(&Request::Register { nonce: 5 }) {
            Outcome::Registered(session) => session,
            other => panic!("{other:?}"),
        }
    }

    fn apply(&mut self, session: SessionId, sequence: u64, operation: Operation<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        operation.encode(&mut bytes);
        let (sequence, answered_below) = (Sequence(sequence), Sequence(sequence));
        match self.ask(&Request::Apply {
            session,
            sequence,
            answered_below,
            operation: bytes.into(),
        }) {
            Outcome::Done { result, .. } => result.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    fn cut_power(&mut self, probe: P) {
        for (_, op) in std::mem::take(&mut self.under_way) {
            self.disk.tear(&op, &mut self.dice);
        }
        self.disk.cut_power(&mut self.dice);
        self.node = Node::new(self.config.clone(), KeyValue::new(), probe);
        self.ready = false;
        self.replies.clear();
        self.step(Input::Boot { entropy: [4; 32] });
    }

    fn hear(&mut self, cluster: u64, sender: u8, from: u8, incarnation: u64) -> Drops {
        let message = Message::CatchUp { from: Slot(0) };
        let bytes = message::encode(
            &mut Vec::new(),
            ClusterId(cluster),
            NodeId(sender),
            Incarnation(incarnation),
            &message,
        );
        self.step(Input::Message {
            from: NodeId(from),
            bytes: &bytes,
        });
        self.node.drops()
    }
}

#[test]
fn a_cluster_of_one_keeps_what_it_answered_through_power_cuts() {
    let mut host = Host::new(config(0, 1), Full::new(None));
    let mut expected = Vec::new();
    for round in 0..6u8 {
        let session = host.register();
        for at in 0..20 {
            let suffix = [round * 20 + at as u8];
            expected.extend(suffix);
            let result = host.apply(
                session,
                at,
                Operation::Append {
                    key: b"x",
                    suffix: &suffix,
                },
            );
            assert_eq!(Returned::decode(&result), Some(Returned::Done));
        }
        let result = host.apply(session, 20, Operation::Get { key: b"x" });
        assert_eq!(
            Returned::decode(&result),
            Some(Returned::Value(Some(&expected)))
        );
        host.cut_power(Full::new(None));
    }
}

#[test]
fn a_fork_goes_the_same_way() {
    let mut host = Host::new(config(0, 1), BugsOnly::new(None));
    let session = host.register();
    host.apply(
        session,
        0,
        Operation::Append {
            key: b"x",
            suffix: b"1",
        },
    );
    let mut fork = host.clone();
    for at in 1..30 {
        let (one, other) = (host.clone(), fork.clone());
        assert_eq!(one.under_way, other.under_way);
        let one = host.apply(
            session,
            at,
            Operation::Append {
                key: b"x",
                suffix: b"2",
            },
        );
        assert_eq!(
            one,
            fork.apply(
                session,
                at,
                Operation::Append {
                    key: b"x",
                    suffix: b"2"
                }
            )
        );
    }
    assert_eq!(host.disk.image(), fork.disk.image());
}

#[test]
fn a_promise_is_answered_once_it_is_durable() {
    let mut host = Host::new(config(1, 3), Full::new(None));
    host.boot();
    let ballot = Ballot {
        round: 7,
        node: NodeId(0),
    };
    let prepare = Message::Prepare {
        ballot,
        from: Slot(0),
    };
    let bytes = message::encode(
        &mut Vec::new(),
        CLUSTER,
        NodeId(0),
        Incarnation(1),
        &prepare,
    );
    host.step(Input::Message {
        from: NodeId(0),
        bytes: &bytes,
    });
    assert!(
        !host
            .sent
            .iter()
            .any(|sent| matches!(sent, Message::Promise { .. }))
    );
    for _ in 0..10 {
        host.turn();
    }
    assert!(host.sent.iter().any(
        |sent| matches!(sent, Message::Promise { ballot: promised, .. } if *promised == ballot)
    ));
}

#[test]
#[should_panic(expected = "contract WhatWaitsIsUnderWay")]
fn a_promise_that_the_disk_is_not_asked_for_breaks_a_contract() {
    let mut host = Host::new(config(1, 3), Full::new(None));
    host.boot();
    while !host.under_way.is_empty() {
        host.turn();
    }
    let prepare = Message::Prepare {
        ballot: Ballot {
            round: 7,
            node: NodeId(0),
        },
        from: Slot(0),
    };
    let replica = host.node.replica.as_mut().expect("it has booted");
    replica.on_message(host.now, NodeId(0), prepare, &mut Effects::default());
    host.step(Input::Deadline);
}

#[test]
fn frames_of_others_are_dropped_and_counted() {
    let mut host = Host::new(config(1, 3), Full::new(None));
    assert_eq!(
        host.hear(9, 0, 0, 1),
        Drops {
            early: 1,
            ..Drops::default()
        }
    );
    host.boot();
    assert_eq!(host.hear(9, 0, 0, 4).stale, 0);
    assert_eq!(host.hear(9, 0, 0, 3).stale, 1, "of an earlier boot");
    assert_eq!(
        host.hear(9, 2, 2, 3).stale,
        1,
        "the other peer's boots are its own"
    );
    assert_eq!(host.hear(8, 0, 0, 4).misdirected, 1, "of another cluster");
    assert_eq!(
        host.hear(9, 2, 0, 4).misdirected,
        2,
        "not of whom is at the other end"
    );
    assert_eq!(host.hear(9, 1, 1, 4).misdirected, 3, "of itself");
    assert_eq!(host.hear(9, 3, 3, 4).misdirected, 4, "of nobody");
    let request =
        request::encode_request(&mut Vec::new(), CLUSTER, &Request::Register { nonce: 1 });
    host.step(Input::Message {
        from: NodeId(0),
        bytes: &request,
    });
    assert_eq!(host.node.drops().misdirected, 5, "of another class");
    host.step(Input::Request {
        from: ClientAddr(1),
        bytes: &request[1..],
    });
    assert_eq!(host.node.drops().malformed, 1);
}

#[test]
fn a_value_that_the_log_cannot_hold_is_dropped() {
    let mut host = Host::new(config(1, 3), Full::new(None));
    host.boot();
    let value = crate::command::Value(vec![1; 8 * SECTOR].into());
    let accept = Message::Accept {
        ballot: Ballot {
            round: 1,
            node: NodeId(0),
        },
        slot: Slot(0),
        value,
        chosen_below: Slot(0),
    };
    let bytes = message::encode(&mut Vec::new(), CLUSTER, NodeId(0), Incarnation(1), &accept);
    host.step(Input::Message {
        from: NodeId(0),
        bytes: &bytes,
    });
    assert_eq!(host.node.drops().malformed, 1);
}

#[test]
fn a_damaged_catch_up_reply_is_dropped_or_with_the_bug_believed() {
    let reply = Message::CatchUpReply {
        from: Slot(0),
        values: vec![crate::command::Value(vec![1; 40].into())],
        chosen_below: Slot(1),
    };
    let mut bytes =
        message::encode(&mut Vec::new(), CLUSTER, NodeId(0), Incarnation(1), &reply).to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let malformed = |bug| {
        let mut host = Host::new(config(1, 3), BugsOnly::new(bug));
        host.boot();
        host.step(Input::Message {
            from: NodeId(0),
            bytes: &bytes,
        });
        (
            host.node.drops().malformed,
            host.node.probe().count().triggered,
        )
    };
    assert_eq!(malformed(None), (1, 0));
    assert_eq!(malformed(Some(Bug::FrameChecksumUnverified)), (0, 1));
}

#[test]
fn replies_name_their_request() {
    let mut host = Host::new(config(0, 1), ());
    host.boot();
    let session = host.register();
    let bytes = request::encode_request(&mut Vec::new(), CLUSTER, &Request::Register { nonce: 77 });
    host.step(Input::Request {
        from: ClientAddr(1),
        bytes: &bytes,
    });
    for _ in 0..20 {
        host.turn();
    }
    let reply = host
        .replies
        .iter()
        .find(|reply| reply.to == RequestId::Nonce(77))
        .expect("it is answered");
    assert!(matches!(reply.outcome, Outcome::Registered(other) if other != session));
}
