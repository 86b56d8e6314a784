//! The last-quorum audit: could one quorum alone, from its media alone, answer for everything that
//! was acknowledged?
//!
//! Power is cut everywhere and nothing unsynced is kept; disk, clock and network faults end; only
//! the quorum boots, on a perfect network, and a fresh client reads every key. Processes need not
//! be forked for that: they would die at once.

use std::sync::Arc;

use crate::choices::FaultAt;
use crate::ids::{FaultNumber, Node};
use crate::plan::{Clock, Disk, Distribution, Network, Plan, Workload};
use crate::scenario::fault::Keep;
use crate::subject::contract::Links;
use crate::subject::process::{ProbeLevel, Setup};
use crate::time::{Instant, Span};
use crate::trace::observer::Observer;

use super::due::{Due, Port};
use super::ledger::Owed;
use super::node::{Machine, State};
use super::world::World;

/// How an audit of one quorum ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answered {
    /// Every key was read.
    All,
    /// Some reads had no answer in time; this is what the quorum's replicas lacked.
    TooFew(Vec<String>),
    /// The observer had seen enough.
    Ended,
    /// The fork took as many events as a whole run may.
    OutOfEvents,
}

/// The plan of an audit: a perfect network, fast disks, true clocks, and nothing to do. Messages and
/// clients are as quick as elections ask for.
pub(super) fn plan(plan: &Plan) -> Plan {
    let (impatient, patient) = plan.cluster.knobs.election_timeout;
    let [instant, short] =
        [Span::from_micros(10), Span::from_micros(100)].map(Distribution::Constant);
    Plan {
        network: Network {
            latency: Distribution::Constant(Span::from_millis(1).min(Span(impatient.0 / 20))),
            loss: 0,
            duplicate: 0,
            duplicate_later: Span(0),
            corrupt: 0,
            beyond_contract: false,
        },
        disk: Disk {
            access: instant,
            sync: short,
            ..plan.disk.clone()
        },
        clocks: vec![Clock::default(); usize::from(plan.cluster.replicas)],
        workload: Workload {
            operations: 0,
            attempt_timeout: Span::from_millis(100).min(patient),
            ..plan.workload.clone()
        },
        script: Vec::new(),
        nemesis: Vec::new(),
        overrides: Vec::new(),
        ..plan.clone()
    }
}

/// Names a fork: an event of the run, and who is left.
fn salt(events: u64, left: &[Node]) -> u64 {
    left.iter()
        .fold(events << 9, |salt, node| salt | 1 << node.0)
}

impl<O: Observer> World<O> {
    /// A world after a loss of all power, in which these replicas, and nobody else, have booted
    /// from what their media hold now.
    #[must_use]
    pub fn after_power_loss<A: Observer>(&self, nodes: &[Node], auditor: A) -> World<A> {
        let mut choices = self.stage.choices.branch(salt(self.events, nodes));
        choices.calm();
        let machines = self
            .machines
            .iter()
            .zip(0..)
            .map(|(machine, node)| {
                let left = nodes.contains(&Node(node));
                let mut disk = if left {
                    machine.disk.clone()
                } else {
                    super::disk::Disk::formatted(&[], 0)
                };
                if left {
                    disk.lose_power(
                        Keep::Nothing,
                        &mut *choices,
                        FaultAt::nobody(u16::from(node)),
                    );
                    disk.set_full(false);
                    disk.set_misdirecting(None);
                }
                Machine {
                    boot: machine.boot,
                    banished: !left,
                    ..Machine::with_disk(disk, Clock::default())
                }
            })
            .collect();
        let plan = self.audit_plan.clone();
        // Nobody looks at facts here, and contracts were evaluated when what the media hold was
        // written.
        let probe = if self.setup.bug.is_some() {
            ProbeLevel::BugsOnly
        } else {
            ProbeLevel::Nothing
        };
        let setup = Arc::new(Setup {
            probe,
            ..(*self.setup).clone()
        });
        let mut world = World::with_machines(
            plan,
            self.subject,
            setup,
            choices,
            auditor,
            machines,
            self.clients.keys.clone(),
            self.readers,
        );
        world.stage.now = self.stage.now;
        world.stage.number = self.stage.number;
        world.healed = true;
        world.ledger = self.ledger.clone();
        world.clients.number_from(&self.clients);
        world.stage.tell_of_fork("all lost their power");
        for node in nodes {
            world.stage.agenda.push(
                self.stage.now,
                Due::Boot {
                    node: node.0,
                    by: FaultNumber::NONE,
                },
            );
        }
        // Until the first of them could lose its patience, a replica that recovers hears and says
        // nothing.
        let quiet = self.stage.now + Span(self.plan.cluster.knobs.election_timeout.0.0 / 2);
        world.run_until_ready(quiet);
        world
    }

    /// Runs until all that are in it take part, or nothing is due until then.
    pub(super) fn run_until_ready(&mut self, end: Instant) {
        while !self
            .machines
            .iter()
            .all(|machine| machine.banished || machine.ready)
            && self.next_at().is_some_and(|at| at <= end)
            && self.has_events_left()
            && self.advance()
        {}
    }

    /// The quorums that are left alone, by the subject's word.
    #[must_use]
    pub fn quorums(&self) -> Vec<Vec<Node>> {
        self.subject.quorums(self.plan.cluster.replicas)
    }

    /// How many times as long as usual things may take, by the subject's word.
    #[must_use]
    pub fn patience(&self) -> u64 {
        self.subject.patience().max(1).into()
    }

    /// Whether links do what the subject relies on them not to do.
    #[must_use]
    pub fn goes_beyond_contract(&self) -> bool {
        self.plan.network.beyond_contract && self.subject.links() != Links::Datagrams
    }

    /// A fork in which nobody but this quorum is left; none when the subject cannot be copied.
    #[must_use]
    pub fn left_alone(&self, quorum: &[Node]) -> Option<Self> {
        let mut world = self.fork()?;
        world.branch(salt(self.events, quorum));
        let alone: Vec<String> = quorum.iter().map(ToString::to_string).collect();
        let why = format!("{} are left alone", alone.join(", "));
        world.stage.tell_of_fork(&why);
        for node in (0..self.plan.cluster.replicas).filter(|node| !quorum.contains(&Node(*node))) {
            world.bury(node.into());
            let machine = &mut world.machines[usize::from(node)];
            machine.state = State::Down;
            machine.banished = true;
            // What they said before is not heard either.
            let links = world.network.links_from(Port(node.into()));
            world.network.cut(&links);
        }
        Some(world)
    }

    pub(super) fn has_events_left(&self) -> bool {
        self.events < self.plan.end.events
    }

    /// Has a fresh client read every key, within so long.
    pub fn read_everything(&mut self, within: Span) -> Answered {
        let end = self.stage.now + within;
        let keys = self.ask_for_every_key(within);
        loop {
            if self.answered().0 == keys {
                return Answered::All;
            }
            if self.answered().1 > 0 && self.stage.now < end {
                self.ask_again(end - self.stage.now);
                continue;
            }
            if self.next_at().is_none_or(|at| at > end) {
                let nodes: Vec<Node> = (0..self.plan.cluster.replicas)
                    .map(Node)
                    .filter(|node| !self.machines[usize::from(node.0)].banished)
                    .collect();
                return Answered::TooFew(self.behind(&nodes));
            }
            if !self.has_events_left() {
                return Answered::OutOfEvents;
            }
            if !self.advance() {
                return Answered::Ended;
            }
        }
    }

    /// Takes over what a fork for an audit counted for the planted bug since it had counted this.
    pub fn count_audit<A: Observer>(&mut self, fork: &World<A>, before: (u64, u64)) {
        let bug = fork.bug();
        self.bug.0 += bug.0 - before.0;
        self.bug.1 += bug.1 - before.1;
    }

    /// What this quorum owes when it is left alone.
    #[must_use]
    pub fn owed(&self, quorum: &[Node]) -> Owed {
        self.ledger.owed(quorum)
    }

    /// Looks which damage is still on the media.
    pub fn settle_ledger(&mut self) {
        (0..self.plan.cluster.replicas).for_each(|node| self.reconcile(Node(node)));
    }

    /// The plan that audits of this world run under.
    pub(super) fn audit_plan_of(plan: &Plan) -> Arc<Plan> {
        Arc::new(self::plan(plan))
    }
}
