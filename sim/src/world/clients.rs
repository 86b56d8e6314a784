//! All clients: what they send, what they make of replies, and the history that they leave.

use synod_reports::record::Operations;

use crate::choices::{Label, Matter, Topic};
use crate::history::operation::{Action, Return};
use crate::ids::Client;
use crate::plan::{Plan, Workload};
use crate::subject::process::Dialect;
use crate::time::{Instant, Span};
use crate::trace::event::{Event, Outcome};
use crate::trace::observer::Observer;

use super::client::{Ask, ClientState, Finished, OPEN_LOOP_MAX, Purpose, Request};
use super::digest::Mark;
use super::due::Due;
use super::network::Network;
use super::service::Service;
use super::stage::Stage;
use super::tally::Milestone;
use super::workload::Keys;

/// About one acknowledgement in so many is audited.
pub(super) const AUDIT_ONE_IN: u64 = 600;
/// One in so many of the first acknowledgements after a change of leader, a death, a boot or an
/// error of a disk is audited.
pub(super) const AUDIT_ONE_IN_EVENTFUL: u64 = 8;

/// All clients of a run.
#[derive(Clone)]
pub(super) struct Clients {
    pub(super) dialect: &'static dyn Dialect,
    pub(super) workload: Workload,
    pub keys: Keys,
    pub(super) each: Vec<ClientState>,
    /// The workload goes on.
    working: bool,
    /// Whoever hears nothing asks the next replica in turn, and not one that is drawn: no client is
    /// without an answer for want of luck.
    pub(super) in_turn: bool,
    /// Requests that the workload has begun.
    begun: u32,
    /// Operations in the history.
    pub invoked: u64,
    /// Operations that were acknowledged.
    pub acknowledged: u64,
    /// How those of the workload went, by their kind.
    pub by_kind: [Operations; Action::KINDS.len()],
    processes: u32,
    values: u32,
    /// An acknowledgement was picked for an audit.
    pub audit_due: bool,
    pub(super) service: Service,
    pub finished: Vec<Finished>,
}

impl Clients {
    pub fn new(plan: &Plan, dialect: &'static dyn Dialect, keys: Keys, clients: u16) -> Self {
        let each = (0..clients)
            .map(|number| ClientState::new(Client(number), keys.names.len()))
            .collect();
        let workload = plan.workload.clone();
        Self {
            dialect,
            workload,
            keys,
            each,
            in_turn: false,
            working: false,
            begun: 0,
            invoked: 0,
            acknowledged: 0,
            by_kind: Default::default(),
            processes: 0,
            values: 0,
            audit_due: false,
            service: Service::default(),
            finished: Vec::new(),
        }
    }

    /// The workload begins: every client gets its lanes.
    pub fn begin<O: Observer>(&mut self, stage: &mut Stage<O>) {
        self.working = self.workload.operations > 0;
        for client in 0..self.workload.clients {
            if self.workload.idle.contains(&Client(client)) {
                continue;
            }
            let lanes = if self.workload.open {
                1
            } else {
                usize::from(self.workload.pipeline.max(1))
            };
            stage.choices.about(Matter::Client(client));
            for _ in 0..lanes {
                let at =
                    stage.now + stage.time(Label::of(Topic::Think, client), self.workload.think);
                self.each[usize::from(client)].lanes.push(at);
            }
            self.rearm(stage, client);
        }
    }

    /// The workload begins nothing more.
    pub const fn stop(&mut self) {
        self.working = false;
    }

    /// No request of the workload that is open now is given up before then, and from now on all
    /// replicas are asked in turn.
    pub fn wait_until(&mut self, then: Instant) {
        self.in_turn = true;
        let requests = self.each.iter_mut().flat_map(|state| &mut state.requests);
        for request in requests.filter(|request| request.purpose == Purpose::Workload) {
            request.give_up_at = request.give_up_at.max(then);
        }
    }

    /// Begins a request on somebody's behalf.
    pub fn ask<O: Observer>(&mut self, stage: &mut Stage<O>, network: &mut Network, ask: Ask) {
        let process = self.process(ask.client.0);
        self.ask_as(stage, network, process, ask);
    }

    /// Has a client write something, to see whether anything moves.
    pub fn ask_write<O: Observer>(
        &mut self,
        stage: &mut Stage<O>,
        network: &mut Network,
        client: Client,
        patience: Span,
    ) {
        let process = self.process(client.0);
        self.values += 1;
        let call = self.keys.write(process, self.values);
        self.ask_as(
            stage,
            network,
            process,
            Ask {
                client,
                call,
                purpose: Purpose::Progress,
                patience,
                takes_no: false,
            },
        );
    }

    fn ask_as<O: Observer>(
        &mut self,
        stage: &mut Stage<O>,
        network: &mut Network,
        process: u32,
        ask: Ask,
    ) {
        let client = ask.client.0;
        let state = &mut self.each[usize::from(client)];
        let mut request = Request::new(ask, state.next_asked(), process, stage.now);
        stage.choices.about(Matter::Request(client, request.number));
        request.audit = stage
            .choices
            .draw(Label::link(Topic::Audit, client, 1), 1 << 32);
        state.requests.push(request);
        self.work(stage, network, client);
    }

    /// A process of the history for the client's next request.
    fn process(&mut self, client: u16) -> u32 {
        self.each[usize::from(client)]
            .processes
            .pop()
            .unwrap_or_else(|| {
                self.processes += 1;
                self.processes - 1
            })
    }

    /// A client's wake-up has come.
    pub fn on_wake<O: Observer>(
        &mut self,
        stage: &mut Stage<O>,
        network: &mut Network,
        client: u16,
    ) {
        let state = &mut self.each[usize::from(client)];
        if state.wake != Some(stage.now) {
            return;
        }
        state.wake = None;
        self.work(stage, network, client);
    }

    /// Does all that is due for a client.
    pub(super) fn work<O: Observer>(
        &mut self,
        stage: &mut Stage<O>,
        network: &mut Network,
        client: u16,
    ) {
        self.give_up(stage, client);
        self.begin_requests(stage, client);
        self.open_session(stage, network, client);
        let state = &mut self.each[usize::from(client)];
        if state.open().is_some() {
            let mut at = 0;
            while let Some(request) = self.each[usize::from(client)].requests.get(at) {
                let gone =
                    request.next_try <= stage.now && self.attempt(stage, network, client, at);
                at += usize::from(!gone);
            }
        }
        self.rearm(stage, client);
    }

    fn rearm<O: Observer>(&mut self, stage: &mut Stage<O>, client: u16) {
        let lanes = self.working && self.begun < self.workload.operations;
        let state = &mut self.each[usize::from(client)];
        let Some(due) = state.due(lanes) else { return };
        let due = due.max(stage.now);
        if state.wake.is_none_or(|wake| due < wake) {
            state.wake = Some(due);
            stage.agenda.push(due, Due::Client(client));
        }
    }

    fn give_up<O: Observer>(&mut self, stage: &mut Stage<O>, client: u16) {
        let late = |state: &ClientState| {
            state
                .requests
                .iter()
                .position(|request| request.give_up_at <= stage.now)
        };
        let mut overdue = Vec::new();
        while let Some(at) = late(&self.each[usize::from(client)]) {
            overdue.push(self.each[usize::from(client)].requests.remove(at));
        }
        for request in overdue {
            self.end(stage, client, request, Outcome::Unknown);
        }
    }

    /// Begins the workload's requests whose time has come.
    fn begin_requests<O: Observer>(&mut self, stage: &mut Stage<O>, client: u16) {
        while self.working && self.begun < self.workload.operations {
            let state = &self.each[usize::from(client)];
            let Some(lane) = state.lanes.iter().position(|at| *at <= stage.now) else {
                return;
            };
            if self.workload.open {
                stage.choices.about(Matter::Client(client));
                let next = stage.now
                    + stage
                        .time(Label::of(Topic::Think, client), self.workload.think)
                        .max(Span(1));
                self.each[usize::from(client)].lanes[lane] = next;
                if self.each[usize::from(client)].requests.len() >= OPEN_LOOP_MAX {
                    continue;
                }
            } else {
                self.each[usize::from(client)].lanes.swap_remove(lane);
            }
            let number = self.each[usize::from(client)].next_of_workload();
            stage.choices.about(Matter::Request(client, number));
            let Some(drawn) = self.keys.draw(&self.workload, client, &mut *stage.choices) else {
                self.working = false;
                return;
            };
            let takes_no = stage
                .choices
                .chance(Label::of(Topic::Refusal, client), 250_000);
            let [second, audit] = [Topic::Second, Topic::Audit]
                .map(|topic| stage.choices.draw(Label::of(topic, client), 1 << 32));
            let process = self.process(client);
            self.values += 1;
            let call = self.keys.call(
                drawn,
                process,
                self.values,
                self.each[usize::from(client)].seen[drawn.key].as_ref(),
            );
            self.begun += 1;
            let ask = Ask {
                client: Client(client),
                call,
                purpose: Purpose::Workload,
                patience: self.workload.patience,
                takes_no,
            };
            let request = Request {
                duplicate: drawn.duplicate,
                second,
                abandon: drawn.abandon,
                audit,
                ..Request::new(ask, number, process, stage.now)
            };
            self.each[usize::from(client)].requests.push(request);
        }
    }

    /// A request has left the list.
    pub(super) fn end<O: Observer>(
        &mut self,
        stage: &mut Stage<O>,
        client: u16,
        request: Request,
        outcome: Outcome,
    ) {
        let state = &mut self.each[usize::from(client)];
        let unknown = outcome == Outcome::Unknown;
        if request.attempts > 0 {
            let asked = (request.asked_at, &request.call);
            self.service.ended(stage.now, client, asked, &outcome);
            stage.mark(
                Mark::Returned,
                u64::from(client) << 8 | u64::from(unknown),
                u64::from(request.process),
            );
            stage.emit(&Event::Returned {
                process: request.process,
                client: state.number,
                outcome: &outcome,
            });
        }
        if unknown && request.attempts > 0 {
            stage.reached(Milestone::UnknownOutcome);
            state
                .unknown
                .push((request.session, request.sequence, request.process));
        } else {
            state.processes.push(request.process);
        }
        if let Outcome::Ok { result, .. } = &outcome {
            if let Some(key) = self.keys.index(&request.call.key) {
                saw(&mut state.seen[key], &request.call.action, result);
            }
            self.acknowledged += 1;
            if request.purpose == Purpose::Workload {
                self.by_kind[request.call.action.kind()].answered += 1;
            }
        }
        if request.purpose == Purpose::Workload && !self.workload.open {
            stage.choices.about(Matter::Client(client));
            let next = stage.now + stage.time(Label::of(Topic::Think, client), self.workload.think);
            state.lanes.push(next);
        }
        if request.purpose != Purpose::Workload {
            self.finished.push(Finished {
                client: state.number,
                purpose: request.purpose,
                call: request.call,
                outcome,
            });
        }
    }

    /// Everything that is open ends as unknown.
    pub fn close<O: Observer>(&mut self, stage: &mut Stage<O>) {
        self.working = false;
        for client in 0..self.each.len() {
            for request in std::mem::take(&mut self.each[client].requests) {
                self.end(
                    stage,
                    u16::try_from(client).expect("clients are numbered by 16 bits"),
                    request,
                    Outcome::Unknown,
                );
            }
        }
    }

    /// Starts process numbers where another world's left off.
    pub const fn number_from(&mut self, other: &Self) {
        self.processes = other.processes;
    }

    /// Requests that are open for this purpose.
    pub fn open_for(&self, purpose: Purpose) -> usize {
        self.each
            .iter()
            .flat_map(|state| &state.requests)
            .filter(|request| request.purpose == purpose)
            .count()
    }

    /// How many clients there are, the readers included.
    pub const fn count(&self) -> usize {
        self.each.len()
    }

    /// Clients of the workload that are not idle, or the first of all when there are none.
    pub fn workers(&self) -> Vec<Client> {
        let works = |client: &Client| !self.workload.idle.contains(client);
        let workers = (0..self.workload.clients).map(Client).filter(works);
        let mut workers: Vec<Client> = workers.collect();
        if workers.is_empty() {
            workers.push(Client(0));
        }
        workers
    }
}

fn saw(seen: &mut Option<crate::history::operation::Text>, action: &Action, result: &Return) {
    match (action, result) {
        (_, Return::Value(value) | Return::Mismatch(value)) => seen.clone_from(value),
        (Action::Put(new) | Action::Cas { new, .. }, Return::Done) => *seen = Some(new.clone()),
        (Action::Delete, Return::Done) => *seen = None,
        (Action::Get | Action::Append(_), Return::Done) => {}
    }
}
