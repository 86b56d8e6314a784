//! A naive primary-backup store, here to be broken: the lowest-numbered replica that seems alive is
//! the primary, writes to its own disk, answers, and copies to the others in its own time. It is
//! synchronous in style: [`InOrder`] holds what it sends until the disk operations that it asked for
//! before are done.
//!
//! What it lacks, on purpose: a quorum, and anything that would keep two replicas from both being
//! the primary.

use std::collections::BTreeMap;
use std::sync::Arc;

use synod_port::files::{Bytes, DiskOk, DiskOp, FileName};

use crate::history::operation::{Call, Return};
use crate::ids::{Client, Node};
use crate::subject::kit::dialect::{Plain, Request, reply, request};
use crate::subject::kit::in_order::InOrder;
use crate::subject::kit::key_value::KeyValue;
use crate::subject::process::{
    Answer, Dialect, Input, Now, Output, Process, Refusal, Session, Setup, Subject,
};

/// The subject.
#[derive(Clone, Copy, Debug)]
pub struct PrimaryCopy;

impl Subject for PrimaryCopy {
    fn name(&self) -> &'static str {
        "primary_copy"
    }

    fn files(&self) -> &'static [&'static str] {
        &["data"]
    }

    fn format(&self, _: &Setup, _: Node) -> Vec<(FileName, Vec<u8>)> {
        vec![(data(), Vec::new())]
    }

    fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process> {
        let knobs = &setup.knobs;
        Box::new(Replica {
            node,
            heard: vec![None; usize::from(setup.replicas)],
            heartbeat: knobs.heartbeat.0,
            silence: knobs.election_timeout.0.0,
            ..Replica::default()
        })
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Plain::WITHOUT_SESSIONS
    }

    fn reads_wall_clock(&self) -> bool {
        false
    }

    fn leads(&self, from: Node, bytes: &[u8]) -> Option<(u64, u8)> {
        let (kind, view) = bytes.split_first()?;
        let view = u64::from_le_bytes(view.try_into().ok()?);
        (*kind == b'H' && view > 0).then_some((view, from.0))
    }
}

#[derive(Clone, Default)]
struct Replica {
    node: Node,
    /// When each replica was heard last.
    heard: Vec<Option<u64>>,
    /// Counts how often somebody became the primary; 0 while this one is a backup.
    view: u64,
    highest: u64,
    heartbeat: u64,
    silence: u64,
    next_beat: u64,
    ready: bool,
    values: KeyValue,
    /// Everything that was done, in the order in which it was done here, and by (client, number)
    /// what came of it.
    log: Vec<Bytes>,
    done: BTreeMap<(u16, u64), Return>,
    length: u64,
    disk: InOrder,
}

impl Replica {
    fn primary(&self, now: u64) -> Node {
        let alive = |node: &usize| {
            *node == usize::from(self.node.0)
                || self.heard[*node].is_some_and(|at| now - at < self.silence)
        };
        Node(
            (0..self.heard.len())
                .find(alive)
                .and_then(|node| u8::try_from(node).ok())
                .unwrap_or(self.node.0),
        )
    }

    fn tell(&mut self, bytes: &Bytes) {
        for node in (0..self.heard.len())
            .filter_map(|node| u8::try_from(node).ok())
            .filter(|node| *node != self.node.0)
        {
            self.disk.push(Output::Send {
                to: Node(node),
                bytes: bytes.clone(),
            });
        }
    }

    fn beat(&mut self, now: u64) {
        if self.primary(now) != self.node || !self.ready {
            self.view = 0;
        } else if self.view == 0 {
            self.highest += 1;
            self.view = self.highest;
        }
        self.next_beat = now + self.heartbeat;
        let beat = [&b"H"[..], &self.view.to_le_bytes()].concat();
        self.tell(&beat.into());
    }

    /// Does a record, unless it was done before, and writes it down.
    fn apply(&mut self, record: &Bytes, write: bool) -> Option<Return> {
        let (client, number, call) = parse(record)?;
        if let Some(result) = self.done.get(&(client, number)) {
            return Some(result.clone());
        }
        let result = self.values.apply(&call);
        if result != Return::Done {
            return Some(result);
        }
        if write {
            let framed: Bytes = [&u32::try_from(record.len()).ok()?.to_le_bytes()[..], record]
                .concat()
                .into();
            let offset = self.length;
            self.length += framed.len() as u64;
            self.disk.disk(DiskOp::Write {
                file: data(),
                offset,
                data: framed,
            });
            self.disk.disk(DiskOp::Sync(data()));
        }
        self.log.push(record.clone());
        self.done.insert((client, number), Return::Done);
        Some(Return::Done)
    }

    fn on_request(&mut self, now: u64, from: Client, bytes: &[u8]) {
        let record: Bytes = [&from.0.to_le_bytes()[..], bytes].concat().into();
        let Some((_, number, _)) = parse(&record) else {
            return;
        };
        let primary = self.primary(now);
        let known = self.log.len();
        let (session, sequence) = (Session(0), number);
        let answer = if !self.ready || primary != self.node {
            Answer::refused(session, sequence, Refusal::Retry(Some(primary)))
        } else {
            let Some(result) = self.apply(&record, true) else {
                return;
            };
            Answer::done(session, sequence, result)
        };
        self.disk.push(reply(from, &answer));
        if self.log.len() > known {
            let copy = [&b"C"[..], &record].concat();
            self.tell(&copy.into());
        }
    }

    fn on_message(&mut self, now: u64, from: Node, bytes: &[u8]) {
        self.heard[usize::from(from.0)] = Some(now);
        match bytes.split_first() {
            Some((b'H', view)) => {
                self.highest = self
                    .highest
                    .max(view.try_into().map_or(0, u64::from_le_bytes).min(1 << 40))
            }
            Some((b'C', record)) if self.ready => {
                self.apply(&record.into(), true);
            }
            Some((b'Q', _)) => {
                for record in &self.log {
                    self.disk.push(Output::Send {
                        to: from,
                        bytes: [&b"C"[..], record].concat().into(),
                    });
                }
            }
            _ => {}
        }
    }

    /// Recovery: the length, then the bytes; then everybody is asked for what they have.
    fn on_disk(&mut self, result: DiskOk) {
        match result {
            DiskOk::Length(length) => self.disk.disk(DiskOp::Read {
                file: data(),
                offset: 0,
                length: u32::try_from(length).unwrap_or(u32::MAX),
            }),
            DiskOk::Data(bytes) if !self.ready => {
                let mut rest = &bytes[..];
                while let Some((record, after)) =
                    rest.split_first_chunk().and_then(|(length, after)| {
                        after.split_at_checked(u32::from_le_bytes(*length) as usize)
                    })
                {
                    self.apply(&record.into(), false);
                    self.length += 4 + record.len() as u64;
                    rest = after;
                }
                self.ready = true;
                self.disk.push(Output::Ready);
                self.tell(&Arc::from(&b"Q"[..]));
            }
            DiskOk::Done | DiskOk::Names(_) | DiskOk::Data(_) => {}
        }
    }
}

impl Process for Replica {
    fn step(&mut self, now: Now, input: Input<'_>, out: &mut Vec<Output>) {
        match input {
            Input::Boot { .. } => {
                self.disk.disk(DiskOp::Length(data()));
                self.beat(now.mono);
            }
            Input::Message { from, bytes } => self.on_message(now.mono, from, bytes),
            Input::Request { from, bytes } => self.on_request(now.mono, from, bytes),
            Input::Deadline if now.mono >= self.next_beat => self.beat(now.mono),
            Input::Deadline | Input::Connected { .. } | Input::Disconnected { .. } => {}
            Input::Disk { result, .. } => {
                if let Some(result) = self.disk.ended(result) {
                    self.on_disk(result);
                }
            }
        }
        self.disk.pump(out);
    }

    fn deadline(&self) -> Option<u64> {
        Some(self.next_beat)
    }

    fn fork(&self) -> Option<Box<dyn Process>> {
        Some(Box::new(self.clone()))
    }
}

fn data() -> FileName {
    FileName::new("data").expect("a short name")
}

/// (client, number, call) of a record: a client's number and what it sent.
fn parse(record: &[u8]) -> Option<(u16, u64, Call)> {
    let (client, rest) = record.split_first_chunk()?;
    match request(rest)? {
        Request::Call(_, sequence, _, call) => Some((u16::from_le_bytes(*client), sequence, call)),
        Request::Open(_) => None,
    }
}
