//! The register of Attiya, Bar-Noy and Dolev (JACM 1995), with many writers (Lynch and Shvartsman
//! 1997): get and put without a log and without a leader. It is the example of a foreign engine:
//! right, and knowing nothing of how Synod does it.
//!
//! An operation asks a majority for what it has, then has a majority store the highest of that: a
//! put its value under a higher tag, a get what it found, so that no later get finds less. A
//! replica says that something is stored when its disk has it: one file, written anew and renamed
//! into place, so that it is always whole.
//!
//! A put that two replicas did would have two tags, and could come back after others. So only the
//! replica that opened a session does its puts, each once, and the session ends with that boot.
//! Nothing mends damage: a replica whose file is damaged halts.

use std::collections::{BTreeMap, BTreeSet};

use synod_port::files::{Bytes, DiskError, DiskOk, FileName};

use crate::history::operation::{Action, Return, Text};
use crate::ids::{Client, Node};
use crate::subject::kit::cell::{Cell, Told};
use crate::subject::kit::dialect::{Plain, Request, reply, request};
use crate::subject::kit::frame::{Packed, pack, sealed, unpack, unsealed};
use crate::subject::process::{
    Answer, Dialect, Input, Now, Output, Process, Refusal, Session, Setup, Subject,
};

/// The subject.
#[derive(Clone, Copy, Debug)]
pub struct Abd;

impl Subject for Abd {
    fn name(&self) -> &'static str {
        "abd"
    }

    fn files(&self) -> &'static [&'static str] {
        &["cell", "next"]
    }

    fn format(&self, _: &Setup, _: Node) -> Vec<(FileName, Vec<u8>)> {
        vec![Cell::format(b"")]
    }

    fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process> {
        Box::new(Replica {
            node,
            replicas: setup.replicas,
            patience: setup.knobs.retransmit.0,
            ..Replica::default()
        })
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Plain {
            sessions: true,
            offers: |action| matches!(action, Action::Get | Action::Put(_)),
        }
    }

    fn reads_wall_clock(&self) -> bool {
        false
    }

    fn has_leader(&self) -> bool {
        false
    }
}

/// A value and its tag: a number, and the put that chose it. No two puts have the same tag; the
/// default is the absent value's.
type Tagged = ((u64, u64), Text);

/// An operation under way.
#[derive(Clone)]
struct Operation {
    client: Client,
    request: [u64; 2],
    key: Text,
    /// The value of a put.
    put: Option<Text>,
    /// The highest that was found; in the second phase, what is to be stored.
    best: Tagged,
    storing: bool,
    /// Who answered in this phase.
    answered: BTreeSet<Node>,
}

/// The puts of a session that may come again, each done or not. Those below the floor have ended.
#[derive(Clone, Default)]
struct Puts {
    floor: u64,
    done: BTreeMap<u64, bool>,
}

#[derive(Clone, Default)]
struct Replica {
    node: Node,
    replicas: u8,
    patience: u64,
    retry_at: u64,
    /// The names of operations and sessions of this boot lie between these. The first one is drawn,
    /// and the low byte is the node, so that no name comes twice.
    first: u64,
    name: u64,
    operations: BTreeMap<u64, Operation>,
    puts: BTreeMap<u64, Puts>,
    /// By session that is none of this boot's, the puts that came and have not ended.
    strays: BTreeMap<u64, BTreeSet<u64>>,
    values: BTreeMap<Text, Tagged>,
    cell: Cell,
    ready: bool,
    /// Whom to tell that an operation's value is stored: when what is being saved is durable, and
    /// when what is saved next is.
    covered: Vec<(Node, u64)>,
    waiting: Vec<(Node, u64)>,
    out: Vec<Output>,
}

// The kinds of messages.
const ASK: u64 = 1;
const HAVE: u64 = 2;
const STORE: u64 = 3;
const STORED: u64 = 4;

const OPERATIONS_MAX: usize = 256;

impl Replica {
    fn fresh(&mut self) -> u64 {
        self.name += 1 << 8;
        self.name
    }

    fn reply(&mut self, to: Client, answer: &Answer) {
        self.out.push(reply(to, answer));
    }

    fn done(&mut self, to: Client, [session, sequence]: [u64; 2], result: Return) {
        let answer = Answer::done(Session(session), sequence, result);
        self.reply(to, &answer);
    }

    fn refuse(&mut self, to: Client, [session, sequence]: [u64; 2], refusal: Refusal) {
        let answer = Answer::refused(Session(session), sequence, refusal);
        self.reply(to, &answer);
    }

    fn on_request(&mut self, now: u64, from: Client, bytes: &[u8]) {
        let busy = !self.ready || self.operations.len() >= OPERATIONS_MAX;
        let (session, sequence, floor, call) = match request(bytes) {
            None => return,
            Some(Request::Open(nonce)) if busy => {
                return self.refuse(from, [0, nonce], Refusal::Retry(None));
            }
            Some(Request::Open(nonce)) => {
                let session = Session(self.fresh());
                return self.reply(from, &Answer::Registered { nonce, session });
            }
            Some(Request::Call(session, sequence, floor, call)) => {
                (session.0, sequence, floor, call)
            }
        };
        let request = [session, sequence];
        match call.action {
            _ if busy => self.refuse(from, request, Refusal::Retry(None)),
            Action::Put(_) if !(self.first..=self.name).contains(&session) => {
                self.turn_away(from, request, floor);
            }
            Action::Put(value) => {
                let puts = self.puts.entry(session).or_default();
                puts.floor = puts.floor.max(floor);
                puts.done = puts.done.split_off(&puts.floor);
                match puts.done.get(&sequence) {
                    Some(true) => self.done(from, request, Return::Done),
                    None if sequence >= puts.floor => {
                        puts.done.insert(sequence, false);
                        self.begin(now, from, request, call.key, Some(value));
                    }
                    Some(false) | None => {}
                }
            }
            _ => self.begin(now, from, request, call.key, None),
        }
    }

    fn begin(&mut self, now: u64, client: Client, request: [u64; 2], key: Text, put: Option<Text>) {
        if self.operations.is_empty() {
            self.retry_at = now + self.patience;
        }
        let (name, best) = (self.fresh(), Tagged::default());
        self.operations.insert(
            name,
            Operation {
                client,
                request,
                key,
                put,
                best,
                storing: false,
                answered: BTreeSet::new(),
            },
        );
        self.ask(name);
    }

    /// A put of a session that was not opened in this boot. Who comes again did not find the
    /// replica that it was sent to.
    fn turn_away(&mut self, from: Client, [session, sequence]: [u64; 2], floor: u64) {
        let [home, ..] = session.to_le_bytes();
        let came = self.strays.entry(session).or_default();
        *came = came.split_off(&floor);
        let again = !came.insert(sequence);
        let refusal = if again || home == self.node.0 {
            Refusal::SessionGone
        } else {
            Refusal::Retry(Some(Node(home)))
        };
        self.refuse(from, [session, sequence], refusal);
    }

    /// Asks all who have not answered, this replica among them.
    fn ask(&mut self, name: u64) {
        let Some(Operation {
            key,
            best: ((number, put), value),
            storing,
            answered,
            ..
        }) = self.operations.get(&name)
        else {
            return;
        };
        let bytes = frame(
            &[if *storing { STORE } else { ASK }, name, *number, *put],
            &[key, value],
        );
        let silent: Vec<Node> = (0..self.replicas)
            .map(Node)
            .filter(|node| !answered.contains(node))
            .collect();
        silent.into_iter().for_each(|to| self.send(to, &bytes));
    }

    fn send(&mut self, to: Node, bytes: &Bytes) {
        if to == self.node {
            self.on_message(to, bytes);
        } else {
            self.out.push(Output::Send {
                to,
                bytes: bytes.clone(),
            });
        }
    }

    fn on_message(&mut self, from: Node, bytes: &[u8]) {
        let Some(Packed {
            words: [kind, name, number, put],
            texts: [key, value],
            ..
        }) = unsealed(bytes).and_then(unpack)
        else {
            return;
        };
        let found: Tagged = ((number, put), value.into());
        match kind {
            ASK if self.ready => {
                let ((number, put), value) = self.values.get(key).cloned().unwrap_or_default();
                self.send(from, &frame(&[HAVE, name, number, put], &[key, &value]));
            }
            STORE if self.ready => {
                let newer = self
                    .values
                    .get(key)
                    .map_or(Tagged::default().0, |known| known.0)
                    < found.0;
                if newer {
                    self.values.insert(key.into(), found);
                } else if self.waiting.is_empty() && self.cell.is_idle() {
                    return self.send(from, &stored(name));
                }
                // Even what is here already may not be durable yet.
                self.waiting.push((from, name));
            }
            HAVE | STORED => self.on_answer(from, name, kind == STORED, found),
            _ => {}
        }
    }

    fn on_answer(&mut self, from: Node, name: u64, stored: bool, found: Tagged) {
        let Some(operation) = self
            .operations
            .get_mut(&name)
            .filter(|operation| operation.storing == stored)
        else {
            return;
        };
        operation.answered.insert(from);
        if !stored && found.0 > operation.best.0 {
            operation.best = found;
        }
        if operation.answered.len() <= usize::from(self.replicas / 2) {
            return;
        }
        if !stored {
            operation.storing = true;
            operation.answered.clear();
            if let Some(value) = &operation.put {
                operation.best = ((operation.best.0.0 + 1, name), value.clone());
            }
            return self.ask(name);
        }
        let Operation {
            client,
            request: [session, sequence],
            put,
            best: (tag, value),
            ..
        } = self.operations.remove(&name).expect("it was found above");
        if let Some(done) = self
            .puts
            .get_mut(&session)
            .and_then(|puts| puts.done.get_mut(&sequence))
        {
            *done = true;
        }
        let result = if put.is_some() {
            Return::Done
        } else {
            Return::Value((tag != Tagged::default().0).then_some(value))
        };
        self.done(client, [session, sequence], result);
    }

    /// What waited for the disk is told, and what has changed meanwhile is saved.
    fn on_disk(&mut self, result: Result<DiskOk, DiskError>) {
        match self.cell.on_disk(result) {
            Told::Nothing => {}
            Told::Read(bytes) => {
                self.values = values_in(&bytes).expect("it was written here, and is intact")
            }
            Told::Saved => {
                for (to, name) in std::mem::take(&mut self.covered) {
                    self.send(to, &stored(name));
                }
                if !std::mem::replace(&mut self.ready, true) {
                    self.out.push(Output::Ready);
                }
            }
            Told::Halt(halt) => self.out.push(halt),
        }
    }

    fn save(&mut self) {
        if self.ready && self.cell.is_idle() && !self.waiting.is_empty() {
            self.covered = std::mem::take(&mut self.waiting);
            self.cell.save(bytes_of(&self.values));
        }
    }
}

impl Process for Replica {
    fn step(&mut self, now: Now, input: Input<'_>, out: &mut Vec<Output>) {
        match input {
            Input::Boot {
                entropy: [a, b, c, d, e, f, g, ..],
            } => {
                self.first = u64::from_le_bytes([self.node.0, a, b, c, d, e, f, g >> 1]);
                self.name = self.first;
                self.cell.boot();
            }
            Input::Message { from, bytes } => self.on_message(from, bytes),
            Input::Request { from, bytes } => self.on_request(now.mono, from, bytes),
            Input::Disk { result, .. } => self.on_disk(result),
            Input::Deadline if now.mono >= self.retry_at => {
                self.retry_at = now.mono + self.patience;
                let names: Vec<u64> = self.operations.keys().copied().collect();
                names.into_iter().for_each(|name| self.ask(name));
            }
            Input::Deadline | Input::Connected { .. } | Input::Disconnected { .. } => {}
        }
        self.save();
        out.append(&mut self.out);
        self.cell.pump(out);
    }

    fn deadline(&self) -> Option<u64> {
        (!self.operations.is_empty()).then_some(self.retry_at)
    }

    fn fork(&self) -> Option<Box<dyn Process>> {
        Some(Box::new(self.clone()))
    }
}

fn stored(name: u64) -> Bytes {
    frame(&[STORED, name, 0, 0], &[b"", b""])
}

fn frame(words: &[u64], texts: &[&[u8]]) -> Bytes {
    let mut bytes = Vec::new();
    pack(words, texts, &mut bytes);
    sealed(bytes).into()
}

fn bytes_of(values: &BTreeMap<Text, Tagged>) -> Vec<u8> {
    let mut bytes = Vec::new();
    values.iter().for_each(|(key, ((number, put), value))| {
        pack(&[*number, *put], &[key, value], &mut bytes)
    });
    bytes
}

fn values_in(mut rest: &[u8]) -> Option<BTreeMap<Text, Tagged>> {
    let mut values = BTreeMap::new();
    while !rest.is_empty() {
        let Packed {
            words: [number, put],
            texts: [key, value],
            rest: after,
        } = unpack(rest)?;
        values.insert(key.into(), ((number, put), value.into()));
        rest = after;
    }
    Some(values)
}
