//! Feeding a process its inputs, and doing what it asks for.

use synod_port::files::{Bytes, DiskError, DiskOk, DiskOp, FileName, OpId};

use crate::choices::overrides::{Operation, Treatment};
use crate::choices::{FaultAt, Label, Matter, Topic};
use crate::ids::{Client, FaultNumber, Node};
use crate::scenario::fault::{Moment, Until};
use crate::scenario::kinds::include;
use crate::subject::process::{Input, MISUSE, Output};
use crate::time::Span;
use crate::trace::event::{Event, Fact};
use crate::trace::observer::Observer;
use crate::vigil;

use super::digest::{Digest, Mark};
use super::disk::{Fate, Synced, Ticket};
use super::due::{Due, Flight, OpKind, Port};
use super::network::Sent;
use super::node::{Death, Doom, INBOX_MAX, Stalled, State, Waiting};
use super::roles::Shown;
use super::stage::name;
use super::tally::{Effect, Milestone};
use super::world::World;

/// What follows from doing one output.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    Die(Death),
    Stop,
}

impl<O: Observer> World<O> {
    /// A message has come to a node.
    pub(super) fn message_for(&mut self, node: usize, flight: Flight) {
        let machine = &self.machines[node];
        let has_room = machine.inbox.len() < INBOX_MAX;
        match machine.state {
            State::Up if !machine.queues() => self.take_message(node, &flight),
            State::Up if has_room => self.wait_in_line(node, Waiting::Message(flight)),
            State::Paused if has_room => {
                self.machines[node]
                    .inbox
                    .push_back(Waiting::Message(flight));
                self.delayed(node);
            }
            State::Up | State::Paused | State::Down | State::Halted { .. } => {
                self.stage.mark(
                    Mark::Dropped,
                    u64::from(flight.from.0) << 16 | u64::from(flight.to.0),
                    u64::from(flight.number),
                );
                if flight.from.0 < self.stage.replicas {
                    self.end_session(usize::from(flight.from.0), node);
                }
            }
        }
    }

    pub(super) fn delayed(&mut self, node: usize) {
        self.stage.took_effect(
            Effect::Pause,
            name(u8::try_from(node).expect("at most 9 replicas")),
        );
    }

    pub(super) fn take_message(&mut self, node: usize, flight: &Flight) {
        self.delivered += 1;
        self.network.delivered(&mut self.stage, flight);
        self.note_boot(flight);
        let bytes = &flight.bytes;
        if flight.from.0 < self.stage.replicas {
            let from = Node(u8::try_from(flight.from.0).expect("at most 9 replicas"));
            self.feed(node, Input::Message { from, bytes });
        } else {
            self.feed(
                node,
                Input::Request {
                    from: Client(flight.from.0 - self.stage.replicas),
                    bytes,
                },
            );
        }
    }

    /// A node's wake-up has come.
    pub(super) fn wake(&mut self, node: usize, boot: u32) {
        let machine = &mut self.machines[node];
        if machine.boot != boot || machine.wake.is_none_or(|(_, at)| at != self.stage.now) {
            return;
        }
        machine.wake = None;
        match machine.state {
            State::Up => {
                let due = machine
                    .process
                    .as_ref()
                    .and_then(|process| process.deadline())
                    .is_some_and(|at| at <= machine.clock.now(self.stage.now).mono);
                if due && machine.queues() {
                    if !machine
                        .inbox
                        .iter()
                        .any(|waiting| matches!(waiting, Waiting::Deadline))
                    {
                        self.wait_in_line(node, Waiting::Deadline);
                    }
                } else if due {
                    self.stage.mark(Mark::Deadline, node as u64, 0);
                    self.feed(node, Input::Deadline);
                } else {
                    self.rearm(node);
                }
            }
            State::Paused => self.delayed(node),
            State::Down | State::Halted { .. } => {}
        }
    }

    /// Moves a node's wake-up forward if its deadline is earlier now. A later deadline is looked at
    /// when the wake-up comes.
    pub(super) fn rearm(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        let Some(deadline) = machine
            .process
            .as_ref()
            .and_then(|process| process.deadline())
        else {
            return;
        };
        if machine.wake.is_some_and(|(wake, _)| wake <= deadline) {
            return;
        }
        let at = machine.clock.true_time(deadline).max(self.stage.now);
        machine.wake = Some((deadline, at));
        let boot = machine.boot;
        self.stage.agenda.push(
            at,
            Due::Wake {
                node: u8::try_from(node).expect("at most 9 replicas"),
                boot,
            },
        );
    }

    /// Steps a process, and does what it asks for.
    pub(super) fn feed(&mut self, node: usize, input: Input<'_>) {
        let machine = &mut self.machines[node];
        let Some(process) = machine.process.as_mut() else {
            return;
        };
        let at = name(u8::try_from(node).expect("at most 9 replicas"));
        let now = match machine.stale.take() {
            None => machine
                .sampled
                .take()
                .unwrap_or_else(|| machine.clock.now(self.stage.now)),
            Some(stale) => {
                self.stage.took_effect(Effect::StaleSample, at);
                stale
            }
        };
        if std::mem::take(&mut machine.jumped) && self.subject.reads_wall_clock() {
            self.stage.took_effect(Effect::ClockJump, at);
        }
        if std::mem::take(&mut machine.drifted) {
            self.stage.took_effect(Effect::ClockDrift, at);
        }
        let mut outputs = std::mem::take(&mut self.outputs);
        let vigil = vigil::begins(
            u8::try_from(node).expect("at most 9 replicas"),
            self.stage.number,
        );
        process.step(now, input, &mut outputs);
        drop(vigil);
        if self.watching {
            process.facts(&mut self.facts);
            if !self.facts.is_empty() {
                self.tell_facts(node);
            }
        }
        if let Some(watch) = &mut self.watch {
            let who = Node(u8::try_from(node).expect("at most 9 replicas"));
            watch.stepped(who, &outputs, self.subject.reader());
        }
        if self.cut.is_some() {
            self.cut(node, &mut outputs);
        }
        let dies = self.doomed(node, &mut outputs);
        let then = self.do_all(node, &mut outputs);
        self.outputs = outputs;
        match (dies, then) {
            (_, Then::Stop) => {}
            (_, Then::Die(death)) => self.die_in_recovery(node, death),
            (Some((death, fault, effect)), Then::GoOn) => {
                self.stage.took_effect(effect, at);
                self.die(node, death, fault, Some(fault));
            }
            (None, Then::GoOn) => self.rearm(node),
        }
    }

    /// The death that comes in a step with these outputs, if one does; those that are left come before
    /// it.
    fn doomed(
        &mut self,
        node: usize,
        outputs: &mut Vec<Output>,
    ) -> Option<(Death, FaultNumber, Effect)> {
        let (death, fault, effect, left) = match self.machines[node].doom.clone()? {
            Doom::InStep(death, fault) if !outputs.is_empty() => {
                let by = FaultAt::node(fault, node as u16);
                self.stage.choices.about(Matter::Fault(by));
                let label = Label::fault(Topic::DeathInStep, by);
                let left = self.stage.choices.draw(label, outputs.len() as u64 + 1);
                let left = usize::try_from(left).expect("not more than there are outputs");
                (death, fault, Effect::DiedInStep, left)
            }
            Doom::Before(death, fault, moment) => {
                let is_it = |output: &Output| self.is_moment(node, output, &moment);
                (
                    death,
                    fault,
                    Effect::DiedAtMoment,
                    outputs.iter().position(is_it)?,
                )
            }
            Doom::InStep(..) | Doom::InRecovery { .. } => return None,
        };
        self.machines[node].doom = None;
        outputs.truncate(left);
        Some((death, fault, effect))
    }

    /// Whether this is what a process is to die before.
    fn is_moment(&self, node: usize, output: &Output, moment: &Moment) -> bool {
        match (moment, output) {
            (Moment::Send(kinds), Output::Send { bytes, .. }) => {
                let reader = self.subject.reader();
                include(kinds, || reader.and_then(|reader| reader.kind_of(bytes)))
            }
            (
                Moment::Sync(name),
                Output::Disk {
                    what: DiskOp::Sync(file),
                    ..
                },
            ) => {
                file.as_str().starts_with(&name[..]) && self.machines[node].disk.is_unsynced(*file)
            }
            (Moment::Send(_) | Moment::Sync(_), _) => false,
        }
    }

    /// Does what a process asks for, up to what ends the process; nothing of it is left.
    fn do_all(&mut self, node: usize, outputs: &mut Vec<Output>) -> Then {
        if outputs.is_empty() {
            return Then::GoOn;
        }
        for output in outputs.drain(..) {
            let then = match output {
                Output::Send { to, bytes } => self.send(node, to, bytes),
                other => self.act(node, other),
            };
            if then != Then::GoOn {
                return then;
            }
        }
        Then::GoOn
    }

    fn tell_facts(&mut self, node: usize) {
        let who = Node(u8::try_from(node).expect("at most 9 replicas"));
        for fact in self.facts.drain(..) {
            match &fact {
                Fact::Recovered {
                    chosen_below, torn, ..
                } => {
                    if *torn {
                        self.stage.reached(Milestone::TornTailCut);
                    }
                    if *chosen_below > 0 {
                        self.stage.reached(Milestone::RecoveredWithLog);
                    }
                    self.applied[node] = *chosen_below;
                }
                _ if self.blind => {}
                Fact::Campaigned(_) => self.campaigns += 1,
                Fact::Chosen { slot, .. } => self.chosen = self.chosen.max(slot + 1),
                Fact::Applied { slot, .. } => self.applied[node] = self.applied[node].max(slot + 1),
                _ => {}
            }
            self.stage.emit(&Event::Fact {
                node: who,
                fact: &fact,
            });
        }
    }

    fn send(&mut self, node: usize, to: Node, bytes: Bytes) -> Then {
        let who = Node(u8::try_from(node).expect("at most 9 replicas"));
        let replicas = self.stage.replicas;
        assert!(
            u16::from(to.0) < replicas,
            "{MISUSE}{who} sends to {to}, and there are {replicas} replicas"
        );
        if let Some(rank) = self.subject.leads(who, &bytes) {
            self.acted(who, rank);
        }
        if let Some(rank) = self.subject.campaigns(who, &bytes)
            && self.roles.campaigned(who, rank)
        {
            self.reached(Milestone::Campaigned, Until::Campaigned, who);
        }
        if let Some(votes) = &mut self.votes {
            votes.sent(who, &bytes);
        }
        self.note_promise(who, to, &bytes);
        let boot = self.machines[node].boot;
        if !self.can_send(node, usize::from(to.0)) {
            self.stage.emit(&Event::Fault {
                kind: "sent in no session by",
                detail: name(who.0),
            });
            return Then::GoOn;
        }
        let costs = &mut self.stage.tally.costs;
        costs.messages += 1;
        costs.bytes += bytes.len() as u64;
        let sent = self.network.send(
            &mut self.stage,
            Port(u16::from(who.0)),
            boot,
            Port(u16::from(to.0)),
            bytes,
        );
        if sent == Sent::Breaks {
            self.end_session(node, usize::from(to.0));
        }
        Then::GoOn
    }

    fn act(&mut self, node: usize, output: Output) -> Then {
        let who = Node(u8::try_from(node).expect("at most 9 replicas"));
        let port = Port(u16::from(who.0));
        match output {
            Output::Send { to, bytes } => self.send(node, to, bytes),
            Output::Reply { to, bytes } => {
                if usize::from(to.0) < self.clients.count() {
                    self.clients.on_sent(&mut self.stage, to.0, &bytes);
                    let (boot, to) = (self.machines[node].boot, self.stage.client_port(to.0));
                    self.network.send(&mut self.stage, port, boot, to, bytes);
                }
                Then::GoOn
            }
            Output::Disk { op, what } => {
                if let Some(Doom::InRecovery {
                    death,
                    left: Some(left),
                    ..
                }) = &mut self.machines[node].doom
                {
                    match left.checked_sub(1) {
                        None => return Then::Die(*death),
                        Some(less) => *left = less,
                    }
                }
                self.submit(node, op, what);
                Then::GoOn
            }
            Output::Ready => {
                self.machines[node].ready = true;
                if self.machines[node].boot > 1 {
                    self.reached(Milestone::Rejoined, Until::Rejoined, who);
                }
                self.stage.mark(
                    Mark::Ready,
                    node as u64,
                    u64::from(self.machines[node].boot),
                );
                self.stage.emit(&Event::Ready(who));
                self.may_connect(node);
                match self.machines[node].doom {
                    Some(Doom::InRecovery {
                        death,
                        left: Some(_),
                        ..
                    }) => Then::Die(death),
                    _ => Then::GoOn,
                }
            }
            Output::Halt { reason, damaged } => {
                self.halt(node, &reason, damaged);
                Then::Stop
            }
        }
    }

    /// A node has come by something that messages may wait for.
    fn reached(&mut self, milestone: Milestone, what: Until, who: Node) {
        self.stage.reached(milestone);
        self.network.aimed().happened(&mut self.stage, what, who);
    }

    /// What a message shows about who leads.
    fn acted(&mut self, node: Node, rank: (u64, u8)) {
        if self.roles.is_new(node, rank) {
            self.reached(Milestone::Elected, Until::Elected, node);
        }
        match self.roles.acted(node, rank, self.stage.now) {
            Shown::Nothing => {}
            Shown::Change => {
                self.stage.eventful = true;
                self.reached(Milestone::LeaderChanged, Until::LeaderChanged, node);
            }
            Shown::Deposed(by) => {
                if self.machines[usize::from(by.0)].runs() {
                    self.stage.reached(Milestone::TwoLeadersAlive);
                }
            }
        }
    }

    fn submit(&mut self, node: usize, op: OpId, what: DiskOp) {
        let (kind, content) = sort(&what);
        self.stage.mark(
            Mark::DiskSubmitted,
            (node as u64) << 8 | kind as u64,
            content ^ op.0,
        );
        let (topic, times) = if matches!(kind, OpKind::Sync | OpKind::SyncNames) {
            self.stage.tally.costs.syncs += 1;
            (Topic::DiskSync, self.plan.disk.sync)
        } else {
            (Topic::DiskAccess, self.plan.disk.access)
        };
        self.stage.choices.about(Matter::Disk(node as u16));
        let mut span = self.stage.time(Label::of(topic, node as u16), times);
        let machine = &mut self.machines[node];
        if let Some(watch) = &mut self.watch {
            let who = Node(u8::try_from(node).expect("at most 9 replicas"));
            watch.submitted(who, op, &what);
        }
        let ticket = machine.disk.submit(what);
        if self.cut.is_some_and(|cut| cut.op == Some(op)) {
            machine.told.push((ticket, true));
        }
        let at = u8::try_from(node).expect("at most 9 replicas");
        let told = kind
            .operation()
            .and_then(|operation| self.stage.overrides.of_operation(Node(at), operation));
        if let Some(told) = told {
            self.stage.took_effect(Effect::Override, name(at));
            machine.told.extend(told.fails.map(|fails| (ticket, fails)));
        }
        if let Some(operation) = kind.operation() {
            let takes = Some(span + machine.faults.slow);
            let treatment = Treatment { takes, fails: None };
            self.stage
                .overrides
                .keep_treatment(Node(at), operation, treatment);
        }
        if let Some(takes) = told.and_then(|told| told.takes) {
            span = takes;
        } else if machine.faults.slow > Span(0) {
            span = span + machine.faults.slow;
            self.stage.took_effect(Effect::SlowDisk, name(at));
        }
        let boot = machine.boot;
        self.stage.after(
            span,
            Due::Disk {
                node: at,
                boot,
                ticket,
                op,
                kind,
            },
        );
    }

    /// A disk operation is due to end.
    pub(super) fn disk_ends(
        &mut self,
        node: usize,
        boot: u32,
        ticket: Ticket,
        op: OpId,
        kind: OpKind,
    ) {
        let machine = &mut self.machines[node];
        if machine.boot != boot || !machine.runs() {
            return;
        }
        let at = name(u8::try_from(node).expect("at most 9 replicas"));
        if machine.faults.stalled {
            machine.stalled.push(Stalled {
                boot,
                ticket,
                op,
                kind,
            });
            self.stage.took_effect(Effect::DiskStall, at);
            return;
        }
        if let Some(watch) = &mut self.watch {
            watch.completed(Node(u8::try_from(node).expect("at most 9 replicas")), op);
        }
        let (fate, by) = self.fate(node, kind, ticket);
        let completion =
            self.machines[node]
                .disk
                .complete(ticket, fate, &mut *self.stage.choices, by);
        let who = Node(u8::try_from(node).expect("at most 9 replicas"));
        let content = match &completion.result {
            // What is read follows from what was written and from what was rotten, which the digest
            // has.
            Ok(DiskOk::Data(data)) => data.len() as u64,
            Ok(_) => 1,
            Err(error) => 2 + *error as u64,
        };
        self.stage.mark(
            Mark::DiskCompleted,
            (node as u64) << 8 | kind as u64,
            content ^ op.0,
        );
        if let Some(synced) = &completion.synced {
            self.tell_synced(who, synced);
        }
        self.misdirected(who, completion.misdirected);
        if kind == OpKind::SyncNames && completion.result.is_ok() {
            self.tell_names(node);
        }
        if let Err(error @ (DiskError::Io | DiskError::NoSpace)) = completion.result {
            let effect = match (error, kind) {
                (DiskError::NoSpace, _) => Effect::DiskFull,
                (_, OpKind::Sync | OpKind::SyncNames) => Effect::SyncFailure,
                (_, OpKind::Write) => Effect::WriteFailure,
                (_, OpKind::Read | OpKind::Other) => Effect::ReadFailure,
            };
            self.ledger.failed(who);
            self.stage.eventful = true;
            self.stage.emit(&Event::DiskFailed {
                node: who,
                what: kind.name(),
                error,
            });
            self.stage.took_effect(effect, at);
        }
        if self.machines[node].state == State::Paused {
            self.machines[node]
                .inbox
                .push_back(Waiting::Disk(op, completion.result));
            self.delayed(node);
        } else if self.machines[node].queues() {
            self.wait_in_line(node, Waiting::Disk(op, completion.result));
        } else {
            self.feed(
                node,
                Input::Disk {
                    op,
                    result: completion.result,
                },
            );
        }
    }

    /// Tells which sectors are durable from now on.
    pub(super) fn tell_synced(&mut self, node: Node, synced: &Synced) {
        if let Some(holders) = &mut self.holders {
            holders.synced(node, synced.file, &synced.sectors());
        }
        self.stage.emit(&Event::Synced {
            node,
            file: synced.file,
            sectors: &synced.sectors(),
        });
    }

    /// Tells which names are durable.
    pub(super) fn tell_names(&mut self, node: usize) {
        let names: Vec<FileName> = self.machines[node].disk.durable_names().collect();
        let node = Node(u8::try_from(node).expect("at most 9 replicas"));
        if let Some(holders) = &mut self.holders {
            holders.named(node, &names);
        }
        self.stage.emit(&Event::NamesSynced {
            node,
            names: &names,
        });
    }

    /// How an operation ends, and by which fault. Every fault that may fail it is asked, whatever
    /// the others said.
    fn fate(&mut self, node: usize, kind: OpKind, ticket: Ticket) -> (Fate, FaultAt) {
        let drawn = self.drawn_fate(node, kind);
        let told = &mut self.machines[node].told;
        let Some(index) = told.iter().position(|(told, _)| *told == ticket) else {
            return drawn;
        };
        let (_, fails) = told.swap_remove(index);
        let nobody = FaultAt::nobody(node as u16);
        match (fails, drawn.0) {
            (true, Fate::Ok) => (Fate::Fail(DiskError::Io), nobody),
            (false, _) => (Fate::Ok, nobody),
            _ => drawn,
        }
    }

    fn drawn_fate(&mut self, node: usize, kind: OpKind) -> (Fate, FaultAt) {
        let at = node as u16;
        let machine = &mut self.machines[node];
        let (topic, rates) = match kind {
            OpKind::Sync | OpKind::SyncNames => (Topic::SyncFailure, &machine.faults.sync),
            OpKind::Write => (Topic::WriteFailure, &machine.faults.write),
            OpKind::Read => (Topic::ReadFailure, &machine.faults.read),
            OpKind::Other => return (Fate::Ok, FaultAt::nobody(at)),
        };
        let mut failed = None;
        for (fault, ppm) in rates {
            let by = FaultAt::node(*fault, at);
            self.stage.choices.about(Matter::Fault(by));
            if self.stage.choices.chance(Label::fault(topic, by), *ppm) {
                failed = failed.or(Some(by));
            }
        }
        match failed {
            Some(by) => (Fate::Fail(DiskError::Io), by),
            None => (Fate::Ok, FaultAt::nobody(at)),
        }
    }
}

impl OpKind {
    /// As scenarios name it; none when they do not.
    const fn operation(self) -> Option<Operation> {
        match self {
            Self::Sync => Some(Operation::Sync),
            Self::SyncNames => Some(Operation::SyncNames),
            Self::Write => Some(Operation::Write),
            Self::Read => Some(Operation::Read),
            Self::Other => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::SyncNames => "sync of the directory",
            Self::Write => "write",
            Self::Read => "read",
            Self::Other => "name",
        }
    }
}

/// The kind of an operation, and a hash of what it asks for.
fn sort(what: &DiskOp) -> (OpKind, u64) {
    let hash = |file: &FileName, number: u64| {
        Digest::content(file.as_bytes()).wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    };
    match what {
        DiskOp::List => (OpKind::Other, 1),
        DiskOp::Length(file) => (OpKind::Read, hash(file, 2)),
        DiskOp::Read {
            file,
            offset,
            length,
        } => (OpKind::Read, hash(file, offset ^ u64::from(*length) << 40)),
        DiskOp::Create(file) => (OpKind::Other, hash(file, 3)),
        DiskOp::Write { file, offset, data } => {
            (OpKind::Write, hash(file, *offset) ^ Digest::content(data))
        }
        DiskOp::Truncate { file, length } => (OpKind::Write, hash(file, *length)),
        DiskOp::Rename { from, to } => (OpKind::Other, hash(from, 4) ^ hash(to, 5)),
        DiskOp::Remove(file) => (OpKind::Other, hash(file, 6)),
        DiskOp::Sync(file) => (OpKind::Sync, hash(file, 7)),
        DiskOp::SyncDir => (OpKind::SyncNames, 8),
    }
}
