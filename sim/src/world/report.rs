//! What can be asked of a world from outside.

use std::collections::BTreeMap;

use synod_reports::record::{Operations, Service};

use crate::choices::overrides::Override;
use crate::history::operation::Action;
use crate::ids::Node;
use crate::subject::process::{Setup, Subject};
use crate::time::Instant;
use crate::trace::event::{Outcome, Sent, Stamp};
use crate::trace::observer::Observer;
use crate::verdict::Failure;

use super::ledger::Ledger;
use super::node::{Machine, State};
use super::tally::{Effect, Milestone};
use super::world::{UnexplainedHalt, World};

impl<O: Observer> World<O> {
    /// How many of those requests have an answer, and how many have ended without one.
    #[must_use]
    pub fn answered(&self) -> (usize, usize) {
        let good = self
            .answers
            .iter()
            .filter(|finished| matches!(finished.outcome, Outcome::Ok { .. }))
            .count();
        (good, self.answers.len() - good)
    }

    /// Whether the observer has ended the run, or an expectation failed.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.stage.ended || self.failure.is_some()
    }

    /// The expectation that failed.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Whether every step of the script is complete.
    #[must_use]
    pub fn script_is_done(&self) -> bool {
        self.script.is_done(&self.plan)
    }

    /// True time.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.stage.now
    }

    /// When the next entry of the agenda is due.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.stage.agenda.next_at()
    }

    /// The digest of everything so far.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.stage.digest.value()
    }

    /// Entries of the agenda that were handled.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Messages that reached a replica or a client.
    #[must_use]
    pub const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Operations in the history.
    #[must_use]
    pub const fn operations(&self) -> u64 {
        self.clients.invoked
    }

    /// How those of the workload went, by their kind; kinds of which none was sent are left out.
    #[must_use]
    pub fn operations_by_kind(&self) -> BTreeMap<String, Operations> {
        let kinds = Action::KINDS.into_iter().map(str::to_owned);
        let went = kinds.zip(self.clients.by_kind);
        went.filter(|(_, some)| some.sent > 0).collect()
    }

    /// Operations that were acknowledged.
    #[must_use]
    pub const fn acknowledged(&self) -> u64 {
        self.clients.acknowledged
    }

    /// How often faults took effect, and milestones were reached; those that did at all.
    pub fn counters(
        &self,
    ) -> (
        impl Iterator<Item = (Effect, u64)> + '_,
        impl Iterator<Item = (Milestone, u64)> + '_,
    ) {
        let tally = &self.stage.tally;
        (
            Effect::ALL
                .iter()
                .map(|effect| (*effect, tally.effects[*effect as usize]))
                .filter(|(_, count)| *count > 0),
            Milestone::ALL
                .iter()
                .map(|milestone| (*milestone, tally.milestones[*milestone as usize]))
                .filter(|(_, count)| *count > 0),
        )
    }

    /// What clients saw so far, and what it cost.
    #[must_use]
    pub fn service(&self) -> Service {
        let costs = &self.stage.tally.costs;
        self.clients.service.record(self.stage.now, costs)
    }

    /// How often a fault took effect.
    #[must_use]
    pub const fn effects(&self, effect: Effect) -> u64 {
        self.stage.tally.effects[effect as usize]
    }

    /// How often a milestone was reached.
    #[must_use]
    pub const fn milestones(&self, milestone: Milestone) -> u64 {
        self.stage.tally.milestones[milestone as usize]
    }

    /// Who watches.
    #[must_use]
    pub const fn observer(&self) -> &O {
        &self.stage.observer
    }

    /// Who watches, to be asked for a last word.
    pub const fn observer_mut(&mut self) -> &mut O {
        &mut self.stage.observer
    }

    /// What was damaged.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What the planted bug did: (reached, triggered).
    #[must_use]
    pub fn bug(&self) -> (u64, u64) {
        let alive = self
            .machines
            .iter()
            .filter_map(|machine| machine.process.as_ref())
            .map(|process| process.bug());
        alive.fold(self.bug, |sum, bug| (sum.0 + bug.0, sum.1 + bug.1))
    }

    /// From now on what the weather decides is kept, of messages and of disks.
    pub fn keep_decisions(&mut self) {
        self.stage.overrides.keep();
    }

    /// What was kept, as overrides would tell it.
    pub fn take_decisions(&mut self) -> Vec<Override> {
        self.stage.overrides.take_kept()
    }

    /// What was told to go some way, and never came.
    #[must_use]
    pub fn unmatched(&self) -> Vec<String> {
        let unmatched = self.stage.overrides.unmatched();
        unmatched.map(ToString::to_string).collect()
    }

    /// Memory that the run accounts for, observers apart.
    #[must_use]
    pub fn accounted_bytes(&self) -> u64 {
        let machine = |machine: &Machine| {
            machine.disk.accounted_bytes()
                + machine
                    .process
                    .as_ref()
                    .map_or(0, |process| process.accounted_bytes())
        };
        self.machines.iter().map(machine).sum::<u64>()
            + self.network.accounted_bytes()
            + self.stage.agenda.len() as u64 * 64
    }

    /// What each of these nodes lacks to take part fully, for people; empty when nothing is. Slots
    /// are looked at when there are facts.
    #[must_use]
    pub fn behind(&self, nodes: &[Node]) -> Vec<String> {
        self.behind_of(nodes, self.chosen)
    }

    /// What these nodes lack to have applied so many slots.
    #[must_use]
    pub fn behind_of(&self, nodes: &[Node], chosen: u64) -> Vec<String> {
        let mut lacks = Vec::new();
        for node in nodes {
            let machine = &self.machines[usize::from(node.0)];
            let applied = self.applied[usize::from(node.0)];
            match machine.state {
                State::Down => lacks.push(format!("{node} is down")),
                State::Paused => lacks.push(format!("{node} is paused")),
                State::Halted { .. } => lacks.push(format!("{node} has halted")),
                State::Up if !machine.ready => lacks.push(format!("{node} has not recovered")),
                State::Up if applied < chosen => {
                    lacks.push(format!("{node} has applied {applied} of {chosen} slots"))
                }
                State::Up => {}
            }
        }
        lacks
    }

    /// A replica that asks to be woken now or before.
    #[must_use]
    pub fn restless(&self) -> Option<Node> {
        let due = |machine: &Machine| {
            let process = machine.process.as_ref();
            let deadline = process.and_then(|process| process.deadline());
            deadline.is_some_and(|at| at <= machine.clock.now(self.stage.now).mono)
        };
        let at = self.machines.iter().position(due)?;
        Some(Node(u8::try_from(at).expect("at most 9 replicas")))
    }

    /// From here on nothing that facts tell of decides anything, however closely the run is watched.
    pub const fn judge_without_facts(&mut self) {
        self.blind = true;
    }

    /// Whether nothing that facts tell of decides anything.
    #[must_use]
    pub const fn judges_without_facts(&self) -> bool {
        self.blind
    }

    /// How many campaigns there were, when there are facts.
    #[must_use]
    pub const fn campaigns(&self) -> u64 {
        self.campaigns
    }

    /// The engine under test.
    #[must_use]
    pub const fn subject(&self) -> &'static dyn Subject {
        self.subject
    }

    /// What its processes are made of.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The number of the next thing that the observer will be told.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.stage.number
    }

    /// How often a process stopped by its own will.
    #[must_use]
    pub const fn halts(&self) -> u64 {
        self.stage.tally.milestones[Milestone::Halted as usize]
    }

    /// Whether these nodes take part.
    #[must_use]
    pub fn are_ready(&self, nodes: &[Node]) -> bool {
        nodes.iter().all(|node| {
            self.machines[usize::from(node.0)].state == State::Up
                && self.machines[usize::from(node.0)].ready
        })
    }

    /// The acknowledgements that were sent and have not come, as the ends of their operations.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        let stamp = Stamp {
            time: self.stage.now,
            number: self.stage.number,
        };
        let sent = self.clients.sent().into_iter();
        sent.map(|(process, client, outcome)| Sent {
            stamp,
            process,
            client,
            outcome,
        })
        .collect()
    }

    /// The first halt of its own will that nothing excused when it happened: damage excuses a halt
    /// for good because of the disk, and a disk that failed in that boot excuses any other.
    #[must_use]
    pub const fn unexplained_halt(&self) -> Option<&UnexplainedHalt> {
        self.unexplained.as_ref()
    }

    /// The nodes that have halted because they do not trust their disk.
    pub fn distrustful(&self) -> impl Iterator<Item = Node> + '_ {
        let halted = |machine: &Machine| machine.state == State::Halted { damaged: true };
        self.machines
            .iter()
            .zip(0..)
            .filter(move |(machine, _)| halted(machine))
            .map(|(_, node)| Node(node))
    }
}
