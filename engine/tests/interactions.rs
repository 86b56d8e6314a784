//! Behaviour of replicas, pinned as transcripts that a person can read (the form is
//! etcd-io/raft's).
//!
//! Each file of `interactions/` is a list of commands, each followed by what happened.
//! `UPDATE_TRANSCRIPTS=1 cargo test -p synod-engine --test interactions` writes them anew; read the
//! difference before you commit it. The disk is a switch: `sync N` makes everything that node N has
//! written durable.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::path::Path;

use synod_engine::config::Config;
use synod_engine::effects::{Effects, To};
use synod_engine::ids::{Ballot, ClientAddr, ClusterId, Lsn, NodeId, Sequence, SessionId};
use synod_engine::message::{Message, Outcome, Reply, Request, RequestId};
use synod_engine::probe::Full;
use synod_engine::record::Record;
use synod_engine::recovered::Recovered;
use synod_engine::replica::Replica;
use synod_engine::state_machine::StateMachine;
use synod_engine::time::{Mono, Now, Span, Wall};
use synod_port::files::Bytes;

/// Remembers everything that was applied, as one line.
#[derive(Clone, Default)]
struct Line(Vec<u8>);

impl StateMachine for Line {
    fn apply(&mut self, operation: &[u8], result: &mut Vec<u8>) {
        self.0.extend_from_slice(operation);
        result.extend_from_slice(&self.0);
    }

    fn read(&self, _: &[u8], result: &mut Vec<u8>) {
        result.extend_from_slice(&self.0);
    }

    fn digest(&self) -> u64 {
        self.0.iter().fold(0, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
        })
    }
}

struct Host {
    config: Config,
    replica: Option<Replica<Line, Full>>,
    fx: Effects,
    written: Vec<Record>,
    promised: Option<Ballot>,
    durable: Recovered,
    /// Records of this boot that are durable.
    synced: usize,
}

struct Stage {
    now: Mono,
    hosts: Vec<Host>,
    wire: VecDeque<(NodeId, NodeId, Message)>,
    out: String,
}

impl Stage {
    fn new() -> Self {
        Self {
            now: Mono(0),
            hosts: Vec::new(),
            wire: VecDeque::new(),
            out: String::new(),
        }
    }

    fn now(&self) -> Now {
        Now {
            mono: self.now,
            wall: Wall(0),
        }
    }

    fn run(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["cluster", nodes] => {
                for node in 0..number(nodes) {
                    let mut config = Config::new(ClusterId(1), NodeId(node), number(nodes));
                    // Node 1 is the most impatient, and so on: transcripts need no luck.
                    config.election_min = Span::from_millis(100 + 50 * u64::from(node));
                    config.election_max = config.election_min;
                    config.heartbeat = Span::from_millis(50);
                    let durable = Recovered::default();
                    let mut host = Host {
                        config,
                        replica: None,
                        fx: Effects::default(),
                        written: Vec::new(),
                        promised: None,
                        durable,
                        synced: 0,
                    };
                    host.boot(self.now());
                    self.hosts.push(host);
                }
            }
            ["set", node, "window", window] => {
                self.hosts[index(node)].config.window = window.parse().expect("a window")
            }
            ["wait", ms] => {
                self.now = self.now + Span::from_millis(ms.parse().expect("milliseconds"));
                for node in 0..self.hosts.len() {
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
            ["sync", ref nodes @ ..] => nodes.iter().for_each(|node| self.sync(index(node))),
            ["deliver"] => {
                for _ in 0..self.wire.len() {
                    let (from, to, message) = self.wire.pop_front().expect("there are so many");
                    self.deliver(from, to, message);
                }
            }
            ["settle"] => {
                for _ in 0..100 {
                    (0..self.hosts.len()).for_each(|node| self.sync(node));
                    let Some((from, to, message)) = self.wire.pop_front() else {
                        break;
                    };
                    self.deliver(from, to, message);
                }
            }
            ["drop", "to", node] => self
                .wire
                .retain(|(_, to, _)| usize::from(to.0) != index(node)),
            ["drop", "from", node] => self
                .wire
                .retain(|(from, _, _)| usize::from(from.0) != index(node)),
            ["drop"] => self.wire.clear(),
            ["crash", node] => self.hosts[index(node)].replica = None,
            ["boot", node] => {
                let now = self.now();
                self.hosts[index(node)].boot(now);
                self.step(index(node), |_, _, _| {});
            }
            ["register", node, nonce] => {
                let nonce = nonce.parse().expect("a nonce");
                self.step(index(node), |replica, now, fx| {
                    replica.on_request(now, ClientAddr(nonce), Request::Register { nonce }, fx)
                });
            }
            ["apply", node, session, sequence, operation] => {
                let (session, sequence) = (
                    SessionId(session.parse().expect("a session")),
                    Sequence(sequence.parse().expect("a sequence")),
                );
                let operation: Bytes = operation.as_bytes().into();
                let request = Request::Apply {
                    session,
                    sequence,
                    answered_below: Sequence(0),
                    operation,
                };
                self.step(index(node), |replica, now, fx| {
                    replica.on_request(now, ClientAddr(0), request, fx)
                });
            }
            ["read", node, nonce] => {
                let request = Request::Read {
                    nonce: nonce.parse().expect("a nonce"),
                    operation: [].into(),
                };
                self.step(index(node), |replica, now, fx| {
                    replica.on_request(now, ClientAddr(0), request, fx)
                });
            }
            _ => panic!("no such command: {line}"),
        }
    }

    fn deliver(&mut self, from: NodeId, to: NodeId, message: Message) {
        if self.hosts[usize::from(to.0)].replica.is_some() {
            writeln!(self.out, "  {from} -> {to} {}", show(&message))
                .expect("a string takes anything");
            self.step(usize::from(to.0), |replica, now, fx| {
                replica.on_message(now, from, message, fx)
            });
        }
    }

    fn sync(&mut self, node: usize) {
        loop {
            let host = &mut self.hosts[node];
            let (promised, pending) = (host.promised.take(), host.written.len());
            if promised.is_none() && pending == host.synced {
                return;
            }
            host.durable.promised = promised.unwrap_or(host.durable.promised);
            let fresh = host.written[host.synced..].to_vec();
            host.durable.records.extend(fresh);
            host.synced = pending;
            self.step(node, |replica, now, fx| {
                if let Some(ballot) = promised {
                    replica.on_promise_durable(now, ballot, fx);
                }
                replica.on_durable(now, Lsn(pending as u64), fx);
            });
        }
    }

    fn step(&mut self, node: usize, act: impl FnOnce(&mut Replica<Line, Full>, Now, &mut Effects)) {
        let now = self.now();
        let host = &mut self.hosts[node];
        let me = host.config.node;
        let Some(replica) = &mut host.replica else {
            return;
        };
        act(replica, now, &mut host.fx);
        for fact in replica.probe_mut().drain() {
            if let synod_engine::fact::Fact::Led(ballot) = fact {
                writeln!(self.out, "  {me} leads at {ballot}").expect("a string takes anything");
            }
            if let synod_engine::fact::Fact::SteppedDown(ballot) = fact {
                writeln!(self.out, "  {me} steps down from {ballot}")
                    .expect("a string takes anything");
            }
            if let synod_engine::fact::Fact::Applied { slot, .. } = fact {
                writeln!(self.out, "  {me} applies {slot}").expect("a string takes anything");
            }
        }
        for record in host.fx.records.drain(..) {
            host.written.push(record);
        }
        host.promised = host.fx.promise.take().or(host.promised);
        for (to, message) in host.fx.sends.drain(..) {
            match to {
                To::One(to) => self.wire.push_back((me, to, message)),
                To::Peers => self
                    .wire
                    .extend(host.config.peers().map(|to| (me, to, message.clone()))),
            }
        }
        for (_, reply) in host.fx.replies.drain(..) {
            writeln!(self.out, "  {me} answers {}", show_reply(&reply))
                .expect("a string takes anything");
        }
    }
}

impl Host {
    fn boot(&mut self, now: Now) {
        self.written.clear();
        self.synced = 0;
        self.promised = None;
        let probe = Full::new(None);
        let replica = Replica::new(
            self.config.clone(),
            [7; 32],
            self.durable.clone(),
            Line::default(),
            probe,
            now,
            &mut self.fx,
        );
        self.replica = Some(replica);
    }
}

fn number(word: &str) -> u8 {
    word.parse().expect("a small number")
}

fn index(word: &str) -> usize {
    let number: usize = word
        .strip_prefix('r')
        .and_then(|word| word.parse().ok())
        .expect("a node such as r1");
    number - 1
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn show(message: &Message) -> String {
    match message {
        Message::Canvass { ballot } => format!("canvass {ballot}"),
        Message::CanvassReply {
            ballot,
            granted,
            promised,
        } => {
            format!(
                "canvass-reply {ballot} {} promised {promised}",
                if *granted { "yes" } else { "no" }
            )
        }
        Message::Prepare { ballot, from } => format!("prepare {ballot} from {from}"),
        Message::Promise {
            ballot,
            votes,
            next,
            chosen_below,
            ..
        } => {
            let votes: Vec<String> = votes
                .iter()
                .map(|vote| {
                    if vote.chosen {
                        format!("{} chosen", vote.slot)
                    } else {
                        format!("{}@{}", vote.slot, vote.ballot)
                    }
                })
                .collect();
            let more = next.map_or(String::new(), |next| format!(" more from {next}"));
            format!(
                "promise {ballot} [{}]{more} chosen below {chosen_below}",
                votes.join(", ")
            )
        }
        Message::Accept {
            ballot,
            slot,
            value,
            chosen_below,
        } => {
            format!(
                "accept {ballot} {slot}{} chosen below {chosen_below}",
                if value.is_noop() { " no-op" } else { "" }
            )
        }
        Message::Accepted { ballot, slots } => format!(
            "accepted {ballot} {:?}",
            slots.iter().map(|slot| slot.0).collect::<Vec<_>>()
        ),
        Message::Reject { ballot, promised } => format!("reject {ballot} promised {promised}"),
        Message::Heartbeat {
            ballot,
            round,
            chosen_below,
        } => format!("heartbeat {ballot} round {round} chosen below {chosen_below}"),
        Message::HeartbeatReply {
            ballot,
            round,
            chosen_below,
        } => {
            format!("heartbeat-reply {ballot} round {round} chosen below {chosen_below}")
        }
        Message::Resign { ballot } => format!("resign {ballot}"),
        Message::CatchUp { from } => format!("catch-up from {from}"),
        Message::CatchUpReply {
            from,
            values,
            chosen_below,
        } => {
            format!(
                "catch-up-reply from {from}: {} chosen below {chosen_below}",
                values.len()
            )
        }
    }
}

fn show_reply(reply: &Reply) -> String {
    let to = match reply.to {
        RequestId::Nonce(nonce) => format!("nonce {nonce}"),
        RequestId::Numbered(session, sequence) => {
            format!("session {} request {}", session.0, sequence.0)
        }
    };
    let outcome = match &reply.outcome {
        Outcome::Registered(session) => format!("session {}", session.0),
        Outcome::Done { place, result } => {
            format!("{:?} at {}.{}", text(result), place.slot, place.index)
        }
        Outcome::Read { below, result } => format!("{:?} below {below}", text(result)),
        Outcome::NotLeader { hint } => hint.map_or("not the leader".into(), |hint| {
            format!("not the leader, perhaps {hint}")
        }),
        other => format!("{other:?}"),
    };
    format!("{to}: {outcome}")
}

#[test]
fn transcripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interactions");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no transcripts in {}", folder.display());
    for file in files {
        let old = std::fs::read_to_string(&file).expect("a readable transcript");
        let mut stage = Stage::new();
        for line in old.lines().filter(|line| !line.starts_with("  ")) {
            writeln!(stage.out, "{line}").expect("a string takes anything");
            if !line.is_empty() && !line.starts_with('#') {
                stage.run(line);
            }
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a test's tool, outside the engine"
        )]
        let update = std::env::var_os("UPDATE_TRANSCRIPTS").is_some();
        if update {
            std::fs::write(&file, &stage.out).expect("a writable transcript");
            continue;
        }
        assert_eq!(old, stage.out, "{} tells another story now", file.display());
    }
}
