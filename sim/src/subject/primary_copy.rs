//! A naive primary-backup store, here to be broken: the lowest-numbered replica that seems alive is
//! the primary, writes to its own disk, answers, and copies to the others in its own time. It is
//! synchronous in style: [`Sync`] holds what it sends until the disk operations that it asked for
//! before are done.
//!
//! What it lacks, on purpose: a quorum, and anything that would keep two replicas from both being
//! the primary.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use synod_port::files::{Bytes, DiskOk, DiskOp, FileName, OpId};

use crate::history::operation::{Action, Call, Return, Text};
use crate::ids::{Client, Node};
use crate::subject::frame::{sealed, unsealed};
use crate::subject::process::{
    Answer, Dialect, Input, Now, Output, Process, Refusal, Session, Setup, Subject,
};
use crate::trace::event::Fact;

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
        &Plain
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
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Everything that was done, in the order in which it was done here, and by (client, number)
    /// what came of it.
    log: Vec<Bytes>,
    done: BTreeMap<(u16, u64), Return>,
    length: u64,
    disk: Sync,
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
            self.disk.queue.push_back(Output::Send {
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
        let value = self
            .values
            .get(&*call.key)
            .map(|value| Arc::from(&value[..]));
        let new = match (&call.action, &value) {
            (Action::Get, _) => return Some(Return::Value(value)),
            (Action::Put(new), _) => Some(new.to_vec()),
            (Action::Append(tag), old) => Some([old.as_deref().unwrap_or_default(), tag].concat()),
            (Action::Cas { expected, new }, old) if expected == old => Some(new.to_vec()),
            (Action::Cas { .. }, _) => return Some(Return::Mismatch(value)),
            (Action::Delete, _) => None,
        };
        match new {
            Some(new) => self.values.insert(call.key.to_vec(), new),
            None => self.values.remove(&*call.key),
        };
        if write {
            let framed: Bytes = [&u32::try_from(record.len()).ok()?.to_le_bytes()[..], record]
                .concat()
                .into();
            let offset = self.length;
            self.length += framed.len() as u64;
            self.disk.ask(DiskOp::Write {
                file: data(),
                offset,
                data: framed,
            });
            self.disk.ask(DiskOp::Sync(data()));
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
        let reply = if !self.ready || primary != self.node {
            [&b"R"[..], &number.to_le_bytes(), &[primary.0]].concat()
        } else {
            let Some(result) = self.apply(&record, true) else {
                return;
            };
            [&b"D"[..], &number.to_le_bytes(), &result_bytes(&result)].concat()
        };
        self.disk.queue.push_back(Output::Reply {
            to: from,
            bytes: reply.into(),
        });
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
                    self.disk.queue.push_back(Output::Send {
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
            DiskOk::Length(length) => self.disk.ask(DiskOp::Read {
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
                self.disk.queue.push_back(Output::Ready);
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
                self.disk.ask(DiskOp::Length(data()));
                self.beat(now.mono);
            }
            Input::Message { from, bytes } => self.on_message(now.mono, from, bytes),
            Input::Request { from, bytes } => self.on_request(now.mono, from, bytes),
            Input::Deadline if now.mono >= self.next_beat => self.beat(now.mono),
            Input::Deadline => {}
            Input::Disk { result, .. } => {
                self.disk.busy = false;
                match result {
                    Ok(result) => self.on_disk(result),
                    Err(error) => self.disk.queue.push_back(Output::Halt {
                        reason: format!("the disk failed: {error:?}"),
                        damaged: false,
                    }),
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

    fn facts(&mut self, _: &mut Vec<Fact>) {}
}

/// Makes a synchronous engine fit the port: outputs leave in order, and each disk operation is over
/// before the next output leaves.
#[derive(Clone, Default)]
struct Sync {
    queue: VecDeque<Output>,
    next: u64,
    busy: bool,
}

impl Sync {
    fn ask(&mut self, what: DiskOp) {
        self.next += 1;
        self.queue.push_back(Output::Disk {
            op: OpId(self.next),
            what,
        });
    }

    fn pump(&mut self, out: &mut Vec<Output>) {
        while !self.busy {
            let Some(output) = self.queue.pop_front() else {
                return;
            };
            self.busy = matches!(output, Output::Disk { .. });
            out.push(output);
        }
    }
}

fn data() -> FileName {
    FileName::new("data").expect("a short name")
}

/// A dialect without sessions; requests carry a checksum, as nothing else would notice a flipped
/// bit.
struct Plain;

impl Dialect for Plain {
    fn register(&self, _: u64) -> Option<Bytes> {
        None
    }

    fn request(&self, _: Session, sequence: u64, _: u64, call: &Call) -> Bytes {
        let (kind, one, two): (u8, &[u8], &[u8]) = match &call.action {
            Action::Get => (b'g', b"", b""),
            Action::Put(new) => (b'p', new, b""),
            Action::Append(tag) => (b'a', tag, b""),
            Action::Cas {
                expected: None,
                new,
            } => (b'n', new, b""),
            Action::Cas {
                expected: Some(old),
                new,
            } => (b'c', new, old),
            Action::Delete => (b'd', b"", b""),
        };
        let mut bytes = [&sequence.to_le_bytes()[..], &[kind]].concat();
        for part in [&call.key, one, two] {
            bytes.extend_from_slice(&u16::try_from(part.len()).unwrap_or(u16::MAX).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        sealed(bytes).into()
    }

    fn reply(&self, bytes: &[u8]) -> Option<Answer> {
        let (kind, rest) = bytes.split_first()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let (session, sequence) = (Session(0), u64::from_le_bytes(*sequence));
        match (kind, rest) {
            (b'R', [hint]) => Some(Answer::Refused {
                session,
                sequence,
                refusal: Refusal::Retry(Some(Node(*hint))),
            }),
            (b'D', _) => Some(Answer::Done {
                session,
                sequence,
                place: None,
                result: result_of(unsealed(rest)?)?,
            }),
            _ => None,
        }
    }
}

/// (client, number, call) of a record: a client's number and what it sent.
fn parse(record: &[u8]) -> Option<(u16, u64, Call)> {
    let (client, rest) = record.split_first_chunk()?;
    let (number, rest) = unsealed(rest)?.split_first_chunk()?;
    let (kind, mut rest) = rest.split_first()?;
    let mut part = || -> Option<Text> {
        let (length, after) = rest.split_first_chunk()?;
        let (part, after) = after.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        rest = after;
        Some(part.into())
    };
    let (key, one, two) = (part()?, part()?, part()?);
    let action = match kind {
        b'g' => Action::Get,
        b'p' => Action::Put(one),
        b'a' => Action::Append(one),
        b'n' => Action::Cas {
            expected: None,
            new: one,
        },
        b'c' => Action::Cas {
            expected: Some(two),
            new: one,
        },
        b'd' => Action::Delete,
        _ => return None,
    };
    Some((
        u16::from_le_bytes(*client),
        u64::from_le_bytes(*number),
        Call { key, action },
    ))
}

fn result_bytes(result: &Return) -> Bytes {
    let (kind, value) = match result {
        Return::Done => (b'd', None),
        Return::Value(value) => (b'v', value.as_deref()),
        Return::Mismatch(value) => (b'm', value.as_deref()),
    };
    sealed(
        [
            &[kind, u8::from(value.is_some())],
            value.unwrap_or_default(),
        ]
        .concat(),
    )
    .into()
}

fn result_of(bytes: &[u8]) -> Option<Return> {
    let ([kind, some], value) = bytes.split_first_chunk()?;
    let value = (*some == 1).then(|| value.into());
    match kind {
        b'd' => Some(Return::Done),
        b'v' => Some(Return::Value(value)),
        b'm' => Some(Return::Mismatch(value)),
        _ => None,
    }
}
