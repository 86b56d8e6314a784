//! The simulated world: replicas, their disks and clocks, clients, the network between them, and
//! one agenda that time jumps along.
//!
//! Single-threaded and deterministic: what happens is a function of the plan, the subject and the
//! oracle. The observer is told of everything and changes nothing, except that it can end the run.

use std::sync::Arc;

use crate::choices::{Choices, FaultAt, Label, Matter, Topic};
use crate::history::operation::{Action, Call};
use crate::ids::{Client, FaultNumber, Node};
use crate::plan::Plan;
use crate::subject::contract::Links;
use crate::subject::process::{Output, Setup, Subject};
use crate::time::{Instant, Span};
use crate::trace::event::{Event, Fact, Outcome};
use crate::trace::observer::Observer;
use crate::verdict::Failure;

use super::active::Active;
use super::bookmark::Script;
use super::client::{Ask, Finished, Purpose};
use super::clients::Clients;
use super::cut::Cut;
use super::due::{Due, Flight};
use super::holders::Holders;
use super::ledger::Ledger;
use super::network::Network;
use super::node::Machine;
use super::pledge::Pledge;
use super::roles::Roles;
use super::sessions::Sessions;
use super::stage::Stage;
use super::tally::Milestone;
use super::votes::Votes;
use super::watch::Watch;
use super::workload::Keys;

/// A replica that stopped by its own will, without a reason that the ledger knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnexplainedHalt {
    /// Who.
    pub node: Node,
    /// What it said.
    pub reason: String,
    /// Whether it blamed damage of its disk.
    pub damaged: bool,
}

/// A world, watched by an observer.
pub struct World<O: Observer> {
    pub(super) plan: Arc<Plan>,
    pub(super) audit_plan: Arc<Plan>,
    pub(super) subject: &'static dyn Subject,
    pub(super) setup: Arc<Setup>,
    pub(super) stage: Stage<O>,
    pub(super) network: Network,
    /// If the subject's links are sessions.
    pub(super) sessions: Option<Box<Sessions>>,
    pub(super) machines: Vec<Machine>,
    pub(super) clients: Clients,
    pub(super) roles: Roles,
    /// If a fault goes by them.
    pub(super) votes: Option<Votes>,
    /// If a fault or a step goes by them, and the subject offers a reader.
    pub(super) holders: Option<Box<Holders>>,
    pub(super) active: Vec<Active>,
    pub(super) script: Script,
    pub(super) ledger: Ledger,
    /// Clients from this one on belong to checks.
    pub(super) readers: u16,
    /// The fault phase is over.
    pub(super) healed: bool,
    pub(super) failure: Option<Failure>,
    /// The first halt that the ledger did not excuse when it happened.
    pub(super) unexplained: Option<UnexplainedHalt>,
    /// Requests of checks that have ended.
    pub(super) answers: Vec<Finished>,
    pub(super) events: u64,
    pub(super) delivered: u64,
    /// What the planted bug did in boots that are over: (reached, triggered).
    pub(super) bug: (u64, u64),
    /// By node, the slots that it says it applied.
    pub(super) applied: Vec<u64>,
    /// Slots that some node says are chosen.
    pub(super) chosen: u64,
    /// A promise that was picked for an audit.
    pub(super) pledge: Option<Pledge>,
    /// Campaigns that some node says it began.
    pub(super) campaigns: u64,
    /// Facts are wanted.
    pub(super) watching: bool,
    /// Nothing that facts tell of decides anything; they are for observers.
    pub(super) blind: bool,
    /// A step that is to be cut short.
    pub(super) cut: Option<Cut>,
    /// What was said last before the blow, if that is a promise that keeps out a leader.
    pub(super) last_word: Option<Pledge>,
    /// What disks go through, if somebody wants to know.
    pub(super) watch: Option<Box<Watch>>,
    pub(super) outputs: Vec<Output>,
    pub(super) facts: Vec<Fact>,
}

impl<O: Observer> World<O> {
    /// A world at time 0: formatted disks, nobody booted yet.
    #[must_use]
    pub fn new(
        plan: Arc<Plan>,
        subject: &'static dyn Subject,
        setup: Setup,
        choices: Box<dyn Choices>,
        observer: O,
    ) -> Self {
        let machines = (0..plan.cluster.replicas)
            .map(|node| {
                let clock = plan
                    .clocks
                    .get(usize::from(node))
                    .copied()
                    .unwrap_or_default();
                Machine::new(
                    &subject.format(&setup, Node(node)),
                    plan.disk.capacity,
                    clock,
                )
            })
            .collect();
        let keys = Keys::of(&plan);
        let audit_plan = Self::audit_plan_of(&plan);
        let clients = clients(&plan);
        let mut world = Self::with_machines(
            plan,
            subject,
            Arc::new(setup),
            choices,
            observer,
            machines,
            keys,
            clients,
        );
        world.audit_plan = audit_plan;
        for node in 0..world.plan.cluster.replicas {
            world.tell_names(usize::from(node));
            let by = FaultNumber::NONE;
            world.stage.agenda.push(Instant(0), Due::Boot { node, by });
        }
        for (index, timed) in world.plan.nemesis.iter().enumerate() {
            world.stage.agenda.push(
                timed.at,
                Due::Nemesis(u32::try_from(index).expect("a plan has fewer faults")),
            );
        }
        world.stage.agenda.push(Instant(0), Due::Script);
        world.clients.begin(&mut world.stage);
        world
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a world is made of that many things, in two places"
    )]
    pub(super) fn with_machines(
        plan: Arc<Plan>,
        subject: &'static dyn Subject,
        setup: Arc<Setup>,
        choices: Box<dyn Choices>,
        observer: O,
        machines: Vec<Machine>,
        keys: Keys,
        readers: u16,
    ) -> Self {
        let clients = readers + 2;
        let replicas = machines.len();
        let network = Network::new(
            replicas,
            usize::from(clients),
            plan.network.clone(),
            (subject.links(), subject.reader()),
        );
        Self {
            stage: Stage::new(&plan, choices, observer),
            network,
            sessions: (subject.links() == Links::Sessions)
                .then(|| Box::new(Sessions::new(replicas))),
            clients: Clients::new(&plan, subject.dialect(), keys, clients),
            roles: Roles::new(replicas, plan.cluster.knobs.election_timeout.1),
            votes: plan
                .goes_by_votes()
                .then(|| Votes::new(plan.cluster.replicas, subject.reader())),
            holders: subject
                .reader()
                .filter(|_| plan.goes_by_media())
                .and_then(|reader| Holders::new(plan.cluster.replicas, reader))
                .map(Box::new),
            active: Vec::new(),
            script: Script::default(),
            ledger: Ledger::new(plan.cluster.replicas),
            readers,
            healed: false,
            failure: None,
            unexplained: None,
            answers: Vec::new(),
            events: 0,
            delivered: 0,
            bug: (0, 0),
            applied: vec![0; replicas],
            chosen: 0,
            pledge: None,
            campaigns: 0,
            watching: setup.probe.tells_facts(),
            blind: !setup.probe.tells_facts(),
            cut: None,
            last_word: None,
            watch: None,
            outputs: Vec::new(),
            facts: Vec::new(),
            audit_plan: plan.clone(),
            plan,
            subject,
            setup,
            machines,
        }
    }

    /// Handles the next entry of the agenda. False when there is none, or the run has ended.
    pub fn advance(&mut self) -> bool {
        if self.has_ended() {
            return false;
        }
        let Some((at, due)) = self.stage.agenda.pop() else {
            return false;
        };
        self.stage.now = at;
        self.events += 1;
        match due {
            Due::Deliver(flight) => self.deliver(flight),
            Due::Disk {
                node,
                boot,
                ticket,
                op,
                kind,
            } => self.disk_ends(node.into(), boot, ticket, op, kind),
            Due::Wake { node, boot } => self.wake(node.into(), boot),
            Due::Step { node, boot } => self.step_ends(node.into(), boot),
            Due::Boot { node, by } => self.boot(node.into(), by),
            Due::Session(due) => self.session_is_due(due),
            Due::Client(client) => self
                .clients
                .on_wake(&mut self.stage, &mut self.network, client),
            Due::Nemesis(index) if !self.healed => {
                let plan = self.plan.clone();
                let timed = &plan.nemesis[index as usize];
                self.begin_fault(timed.number, &timed.fault, Some(timed.hold));
            }
            Due::Nemesis(_) => {}
            Due::FaultEnds(number) => self.end_fault(number),
            Due::Script => self.script.tick = true,
        }
        if !self.clients.finished.is_empty() {
            self.sort_answers();
        }
        if self.script.is_hot() {
            self.follow_script();
        }
        true
    }

    /// Runs until the agenda is empty, the run has ended, or nothing is due at or before this time;
    /// the clock then shows this time.
    pub fn run_until(&mut self, end: Instant) {
        while self.next_at().is_some_and(|at| at <= end) {
            if !self.advance() {
                return;
            }
        }
        self.stage.now = self.stage.now.max(end);
    }

    /// A copy that goes on independently and, left alone, in the same way; none when the subject
    /// cannot be copied.
    #[must_use]
    pub fn fork(&self) -> Option<Self> {
        Some(Self {
            plan: self.plan.clone(),
            audit_plan: self.audit_plan.clone(),
            subject: self.subject,
            setup: self.setup.clone(),
            stage: self.stage.fork(),
            network: self.network.clone(),
            sessions: self.sessions.clone(),
            machines: self
                .machines
                .iter()
                .map(Machine::fork)
                .collect::<Option<_>>()?,
            clients: self.clients.clone(),
            roles: self.roles.clone(),
            votes: self.votes.clone(),
            holders: self.holders.clone(),
            active: self.active.clone(),
            script: self.script.clone(),
            ledger: self.ledger.clone(),
            failure: self.failure.clone(),
            unexplained: self.unexplained.clone(),
            answers: self.answers.clone(),
            applied: self.applied.clone(),
            last_word: self.last_word.clone(),
            watch: self.watch.clone(),
            outputs: Vec::new(),
            facts: Vec::new(),
            pledge: None,
            ..*self
        })
    }

    /// From here on the oracle answers otherwise. A branch is named by (events, salt).
    pub fn branch(&mut self, salt: u64) {
        self.stage.choices = self.stage.choices.branch(salt);
    }

    /// Plants a network that ignores its weather.
    #[cfg(test)]
    pub(crate) fn ignore_weather(&mut self) {
        self.network.calm(0);
    }

    #[inline]
    fn deliver(&mut self, flight: Flight) {
        if !self.network.gets_out(&mut self.stage, &flight) {
            return;
        }
        if flight.to.0 < self.stage.replicas {
            let node = usize::from(flight.to.0);
            if !self.network.keeps_order(&flight) {
                self.message_for(node, flight);
                return;
            }
            let link = flight.link;
            self.network.has_come(&mut self.stage, flight);
            while let Some(flight) = self.network.next_in_order(link) {
                self.message_for(node, flight);
            }
            return;
        }
        self.delivered += 1;
        self.network.delivered(&mut self.stage, &flight);
        self.note_boot(&flight);
        let from = Node(u8::try_from(flight.from.0).expect("clients hear replicas only"));
        let client = flight.to.0 - self.stage.replicas;
        if let Some(node) = self.clients.on_reply(
            &mut self.stage,
            &mut self.network,
            client,
            from,
            &flight.bytes,
        ) {
            self.roles.answered(node);
        }
    }

    /// Counts a message that an earlier boot of its sender sent.
    pub(super) fn note_boot(&mut self, flight: &Flight) {
        if flight.from.0 < self.stage.replicas
            && self.machines[usize::from(flight.from.0)].boot != flight.boot
        {
            self.stage.reached(Milestone::StaleMessageDelivered);
        }
    }

    fn sort_answers(&mut self) {
        for finished in std::mem::take(&mut self.clients.finished) {
            match finished.purpose {
                Purpose::Script(_) | Purpose::Value => self.script.answers.push(finished),
                Purpose::Progress | Purpose::Audit => self.answers.push(finished),
                Purpose::Workload => {}
            }
        }
        self.script.tick |= !self.script.answers.is_empty();
    }

    /// No client gives up what it has under way before then.
    pub fn wait_until(&mut self, then: Instant) {
        self.clients.wait_until(then);
    }

    /// Requests of the workload that are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.clients.open_for(Purpose::Workload)
    }

    /// Each client of the workload writes once, within so long.
    pub fn ask_progress(&mut self, patience: Span) -> usize {
        self.answers.clear();
        for client in &self.clients.workers() {
            self.clients
                .ask_write(&mut self.stage, &mut self.network, *client, patience);
        }
        self.clients.open_for(Purpose::Progress)
    }

    /// A client that has asked nothing before reads every key, within so long.
    pub fn ask_for_every_key(&mut self, patience: Span) -> usize {
        self.answers.clear();
        let reader = self.reader(1);
        for key in self.clients.keys.names.clone().iter() {
            let call = Call {
                key: key.clone(),
                action: Action::Get,
            };
            let ask = Ask {
                client: reader,
                call,
                purpose: Purpose::Audit,
                patience,
                takes_no: false,
            };
            self.clients.ask(&mut self.stage, &mut self.network, ask);
        }
        self.clients.keys.names.len()
    }

    /// What a check asked and nobody answered, because a session was gone, is asked anew, within so
    /// long.
    pub fn ask_again(&mut self, patience: Span) {
        let lost: Vec<Finished> = self
            .answers
            .extract_if(.., |finished| {
                !matches!(finished.outcome, Outcome::Ok { .. })
            })
            .collect();
        for Finished {
            client,
            purpose,
            call,
            ..
        } in lost
        {
            match purpose {
                Purpose::Progress => {
                    self.clients
                        .ask_write(&mut self.stage, &mut self.network, client, patience)
                }
                Purpose::Audit => {
                    self.clients.ask(
                        &mut self.stage,
                        &mut self.network,
                        Ask {
                            client,
                            call,
                            purpose,
                            patience,
                            takes_no: false,
                        },
                    );
                }
                Purpose::Workload | Purpose::Script(_) | Purpose::Value => {}
            }
        }
    }

    /// One of the two clients beyond those of the plan.
    pub(super) fn reader(&self, which: u16) -> Client {
        Client(self.readers + which)
    }

    /// Tells whoever watches that all has been well for long.
    pub fn lull(&mut self) {
        self.stage.emit(&Event::Lull);
    }

    /// Whatever clients still wait for stays unknown.
    pub fn close_clients(&mut self) {
        self.clients.close(&mut self.stage);
    }

    /// The promise that was picked for an audit since this was last asked: who gave it, to whom.
    pub const fn take_pledge(&mut self) -> Option<Pledge> {
        self.pledge.take()
    }

    /// Whether an acknowledgement was picked for an audit since this was last asked.
    pub const fn take_audit(&mut self) -> bool {
        std::mem::replace(&mut self.clients.audit_due, false)
    }
}

/// Clients of the workload and those that a script names.
fn clients(plan: &Plan) -> u16 {
    let scripted = plan.script.iter().filter_map(|step| match &step.verb {
        crate::plan::Verb::Invoke { client, .. } => Some(client.0 + 1),
        crate::plan::Verb::Inject {
            fault:
                crate::scenario::fault::Fault::Partition(crate::scenario::fault::Partition::Groups(
                    sides,
                )),
            ..
        } => sides
            .iter()
            .flat_map(|side| &side.clients)
            .map(|client| client.0 + 1)
            .max(),
        _ => None,
    });
    scripted
        .max()
        .unwrap_or(0)
        .max(plan.workload.clients)
        .max(1)
}

/// Four words of entropy for a boot by the end of a fault.
pub(super) fn entropy(choices: &mut dyn Choices, by: FaultAt) -> [u8; 32] {
    choices.about(Matter::Fault(by));
    let mut bytes = [0; 32];
    for chunk in bytes.chunks_exact_mut(8) {
        chunk.copy_from_slice(
            &choices
                .draw(Label::fault(Topic::Boot, by), u64::MAX)
                .to_le_bytes(),
        );
    }
    bytes
}
