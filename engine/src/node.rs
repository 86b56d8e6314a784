//! A replica that speaks bytes and files: codec, checksums and log layout outside, a [`Replica`]
//! inside.
//!
//! A node lives for one boot: it is made, stepped with [`Input::Boot`], and thrown away when its
//! process ends. It never blocks, and it says nothing to anybody before its files are recovered and
//! its incarnation is durable. What comes from outside and makes no sense is dropped and counted.

use synod_port::files::FileName;

use crate::bugs::Bug;
use crate::codec::frame::{self, Class, Header};
use crate::codec::{message, request};
use crate::command::Value;
use crate::config::Config;
use crate::contract;
use crate::effects::{Effects, To};
use crate::ids::{ClientAddr, Incarnation, NodeId};
use crate::io::{Input, Output, Outputs};
use crate::log::disk::Disk;
use crate::log::segment::value_max;
use crate::log::store::{self, Store, Told};
use crate::message::Message;
use crate::probe::Probe;
use crate::recovered::Recovered;
use crate::replica::Replica;
use crate::state_machine::StateMachine;
use crate::time::{Mono, Now, earlier};

/// Frames that were dropped, by reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Drops {
    /// They came before recovery was over.
    pub early: u64,
    /// They do not decode.
    pub malformed: u64,
    /// They are of another cluster or class, or name a sender that is not at the other end.
    pub misdirected: u64,
    /// Their sender has booted again since.
    pub stale: u64,
}

/// A replica with its files. Cloning it forks it; buffers are shared.
#[derive(Clone, Debug)]
pub struct Node<M: StateMachine, P: Probe> {
    config: Config,
    /// What the replica is made of, until recovery is over.
    parts: Option<(M, P)>,
    replica: Option<Replica<M, P>>,
    /// None before the boot.
    store: Option<Store>,
    halted: bool,
    entropy: [u8; 32],
    incarnation: Incarnation,
    /// The highest incarnation heard of each node in this boot.
    heard: Vec<Incarnation>,
    /// The longest value that the log can hold.
    value_max: usize,
    next_op: u64,
    drops: Drops,
    /// Empty between steps, as is `buffer`.
    effects: Effects,
    buffer: Vec<u8>,
}

impl<M: StateMachine, P: Probe> Node<M, P> {
    /// A node that has not booted yet; `machine` is the empty state. The configuration is
    /// [valid](Config::validate).
    #[must_use]
    pub fn new(config: Config, machine: M, probe: P) -> Self {
        assert_eq!(
            config.validate(),
            Ok(()),
            "the host checks a configuration before it boots a node with it"
        );
        Self {
            parts: Some((machine, probe)),
            replica: None,
            store: None,
            halted: false,
            entropy: [0; 32],
            incarnation: Incarnation(0),
            heard: vec![Incarnation(0); usize::from(config.nodes)],
            value_max: value_max(&config),
            next_op: 0,
            drops: Drops::default(),
            effects: Effects::default(),
            buffer: Vec::new(),
            config,
        }
    }

    /// The files of a node that has never run; durable, names and all, before its first boot.
    #[must_use]
    pub fn format(config: &Config) -> Vec<(FileName, Vec<u8>)> {
        store::format(config)
    }

    /// Takes one input and appends what is to be done. After [`Output::Halt`] nothing happens any
    /// more.
    pub fn step(&mut self, now: Now, input: Input<'_>, out: &mut Outputs) {
        if self.halted {
            return;
        }
        match input {
            Input::Boot { entropy } if self.store.is_none() => {
                self.entropy = entropy;
                self.store = Some(Store::boot(
                    &self.config,
                    &mut Disk::new(&mut self.next_op, out),
                ));
            }
            Input::Boot { .. } => (),
            Input::Message { from, bytes } => self.on_message(now, from, bytes),
            Input::Request { from, bytes } => self.on_request(now, from, bytes),
            Input::Deadline => self.on_deadline(now, out),
            Input::Disk { op, result } => {
                let told = self.files(out, |store, disk, probe| {
                    store.on_disk(now, op, result, disk, probe)
                });
                self.on_told(now, told, out);
            }
        }
        self.flush(now, out);
    }

    /// When the node wants to be woken, on its own monotonic clock.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        if self.halted {
            return None;
        }
        earlier(
            self.store.as_ref().and_then(Store::deadline),
            self.replica.as_ref().and_then(Replica::deadline),
        )
    }

    /// The probe, wherever it is at present.
    #[must_use]
    pub fn probe(&self) -> &P {
        match (&self.replica, &self.parts) {
            (Some(replica), _) => replica.probe(),
            (None, Some((_, probe))) => probe,
            (None, None) => {
                unreachable!("the replica takes the parts in the step in which it is made")
            }
        }
    }

    /// The probe, wherever it is at present.
    pub fn probe_mut(&mut self) -> &mut P {
        probe_mut(&mut self.replica, &mut self.parts)
    }

    /// The replica, once recovery is over.
    #[must_use]
    pub const fn replica(&self) -> Option<&Replica<M, P>> {
        self.replica.as_ref()
    }

    /// What was dropped in this boot.
    #[must_use]
    pub const fn drops(&self) -> Drops {
        self.drops
    }

    /// Roughly the bytes of memory that the node keeps from one step to the next, beside its replica.
    /// The same for a copy.
    #[must_use]
    pub fn accounted_bytes(&self) -> u64 {
        size_of::<Self>() as u64 + self.store.as_ref().map_or(0, Store::accounted_bytes)
    }

    fn on_message(&mut self, now: Now, from: NodeId, bytes: &[u8]) {
        let Some(replica) = &mut self.replica else {
            self.drops.early += 1;
            return;
        };
        let Ok(frame) = frame::parse(bytes) else {
            self.drops.malformed += 1;
            return;
        };
        let unverified = frame.sound || frame.kind == message::CATCH_UP_REPLY;
        if !replica
            .probe_mut()
            .flip(Bug::FrameChecksumUnverified, frame.sound, unverified)
        {
            self.drops.malformed += 1;
            return;
        }
        let Header {
            class,
            cluster,
            sender,
            incarnation,
        } = frame.header;
        if class != Class::Peer
            || cluster != self.config.cluster
            || sender != from
            || from == self.config.node
            || from.0 >= self.config.nodes
        {
            self.drops.misdirected += 1;
            return;
        }
        let heard = &mut self.heard[usize::from(from.0)];
        if incarnation < *heard {
            self.drops.stale += 1;
            return;
        }
        match message::get(&frame) {
            Ok(message) if bytes.len() <= self.value_max || fits(&message, self.value_max) => {
                *heard = incarnation;
                replica.on_message(now, from, message, &mut self.effects);
            }
            _ => self.drops.malformed += 1,
        }
    }

    fn on_request(&mut self, now: Now, from: ClientAddr, bytes: &[u8]) {
        let Some(replica) = &mut self.replica else {
            self.drops.early += 1;
            return;
        };
        match request::decode_request(bytes) {
            Ok((header, request)) if header.cluster == self.config.cluster => {
                replica.on_request(now, from, request, &mut self.effects)
            }
            Ok(_) => self.drops.misdirected += 1,
            Err(_) => self.drops.malformed += 1,
        }
    }

    fn on_deadline(&mut self, now: Now, out: &mut Outputs) {
        let due = |deadline: Option<Mono>| deadline.is_some_and(|deadline| deadline <= now.mono);
        if due(self.store.as_ref().and_then(Store::deadline)) {
            self.files(out, |store, disk, probe| {
                store.on_deadline(now, disk, probe);
                None
            });
        }
        if let Some(replica) = self
            .replica
            .as_mut()
            .filter(|replica| due(replica.deadline()))
        {
            replica.on_deadline(now, &mut self.effects);
        }
    }

    /// Turns what the files tell into calls of the replica.
    fn on_told(&mut self, now: Now, told: Option<Told>, out: &mut Outputs) {
        let fx = &mut self.effects;
        match (told, &mut self.replica) {
            (None, _) => (),
            (Some(Told::Halt(halt)), _) => {
                self.halted = true;
                out.push(Output::Halt(halt));
            }
            (Some(Told::Ready(recovered)), _) => self.on_ready(now, recovered, out),
            (Some(Told::Durable(lsn)), Some(replica)) => replica.on_durable(now, lsn, fx),
            (Some(Told::Promised(ballot)), Some(replica)) => {
                replica.on_promise_durable(now, ballot, fx)
            }
            (Some(Told::Durable(_) | Told::Promised(_)), None) => {
                unreachable!(
                    "the files tell of durability only after they told that they are ready"
                )
            }
        }
    }

    fn on_ready(&mut self, now: Now, recovered: Recovered, out: &mut Outputs) {
        let (machine, probe) = self
            .parts
            .take()
            .expect("the files become ready once in a boot");
        self.incarnation = recovered.incarnation;
        out.push(Output::Ready);
        self.replica = Some(Replica::new(
            self.config.clone(),
            self.entropy,
            recovered,
            machine,
            probe,
            now,
            &mut self.effects,
        ));
    }

    /// Does what the replica wants done, until it wants no more.
    fn flush(&mut self, now: Now, out: &mut Outputs) {
        // A promise that is durable already is told at once and may want more; it wants no promise
        // then.
        loop {
            if !self.effects.sends.is_empty() || !self.effects.replies.is_empty() {
                self.speak(out);
            }
            if !self.effects.records.is_empty() {
                let mut records = std::mem::take(&mut self.effects.records);
                self.files(out, |store, disk, probe| {
                    store.append(records.drain(..), disk, probe);
                    None
                });
                self.effects.records = records;
            }
            let Some(ballot) = self.effects.promise.take() else {
                return self.leaves_nothing_behind();
            };
            let told = self.files(out, |store, disk, probe| store.promise(ballot, disk, probe));
            self.on_told(now, told, out);
        }
    }

    /// Holds the lemma that whatever waits for the disk waits for something that is under way there:
    /// nothing that was asked for is forgotten.
    fn leaves_nothing_behind(&self) {
        let (Some(replica), Some(store)) = (&self.replica, &self.store) else {
            return;
        };
        contract!(
            replica.probe(),
            WhatWaitsIsUnderWay,
            !(replica.waits_for_disk() && store.is_idle()),
            "an answer waits for the disk, which has nothing to do"
        );
    }

    fn speak(&mut self, out: &mut Outputs) {
        let Config {
            cluster,
            node,
            nodes,
            ..
        } = self.config;
        let (buffer, incarnation) = (&mut self.buffer, self.incarnation);
        for (to, message) in self.effects.sends.drain(..) {
            let bytes = message::encode(buffer, cluster, node, incarnation, &message);
            match to {
                To::One(to) => out.push(Output::Send { to, bytes }),
                To::Peers => {
                    let peers = (0..nodes).map(NodeId).filter(|to| *to != node);
                    out.extend(peers.map(|to| Output::Send {
                        to,
                        bytes: bytes.clone(),
                    }));
                }
            }
        }
        for (to, reply) in self.effects.replies.drain(..) {
            out.push(Output::Reply {
                to,
                bytes: request::encode_reply(buffer, cluster, node, incarnation, &reply),
            });
        }
    }

    /// Lets the files do something, with a disk and the probe.
    fn files(
        &mut self,
        out: &mut Outputs,
        act: impl FnOnce(&mut Store, &mut Disk<'_>, &mut P) -> Option<Told>,
    ) -> Option<Told> {
        let probe = probe_mut(&mut self.replica, &mut self.parts);
        act(
            self.store.as_mut()?,
            &mut Disk::new(&mut self.next_op, out),
            probe,
        )
    }
}

fn probe_mut<'a, M: StateMachine, P: Probe>(
    replica: &'a mut Option<Replica<M, P>>,
    parts: &'a mut Option<(M, P)>,
) -> &'a mut P {
    match (replica, parts) {
        (Some(replica), _) => replica.probe_mut(),
        (None, Some((_, probe))) => probe,
        (None, None) => unreachable!("the replica takes the parts in the step in which it is made"),
    }
}

/// Whether the log could hold every value of the message: a peer may be configured otherwise.
fn fits(message: &Message, max: usize) -> bool {
    let fits = |value: &Value| value.0.len() <= max;
    match message {
        Message::Accept { value, .. } => fits(value),
        Message::Promise { votes, .. } => votes.iter().all(|vote| fits(&vote.value)),
        Message::CatchUpReply { values, .. } => values.iter().all(fits),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
