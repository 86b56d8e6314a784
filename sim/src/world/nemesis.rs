//! Beginning and ending faults.
//!
//! A fault that is an instant (a clock jump, bit rot) leaves nothing behind to end. What the others
//! do to links and disks is computed anew from all faults that hold whenever one begins or ends, so
//! that faults may overlap. A process comes back at the end of the fault that it died of.

use crate::choices::FaultAt;
use crate::ids::{FaultNumber, Node};
use crate::plan::Healing;
use crate::scenario::fault::{Boundary, DamageBudget, Fault, Outside, Partition, Who};
use crate::time::Span;
use crate::trace::event::Event;
use crate::trace::observer::Observer;

use super::active::Active;
use super::digest::{Digest, Mark};
use super::disk::{Damage, Hit, Rot};
use super::due::{Due, Port};
use super::life::{HEALED, RESTARTED};
use super::node::{Death, DiskFaults, Doom, State};
use super::partition::{self, Parties};
use super::stage::name;
use super::tally::Effect;
use super::world::World;

/// After the heal the network loses, copies and damages at most so many in a million messages, each.
const LIGHT_WEATHER: u32 = 1000;

impl<O: Observer> World<O> {
    /// Begins a fault now; with a hold, it ends after that. Gives the nodes that it is about.
    pub(super) fn begin_fault(
        &mut self,
        number: FaultNumber,
        fault: &Fault,
        hold: Option<Span>,
    ) -> Vec<Node> {
        self.stage.mark(
            Mark::Fault,
            u64::from(number.0),
            Digest::content(fault.kind().as_bytes()),
        );
        let nodes = self.whom(fault);
        let mut active = Active {
            number,
            fault: fault.clone(),
            nodes: nodes.clone(),
            from: Vec::new(),
            to: Vec::new(),
            cuts: Vec::new(),
        };
        match fault {
            Fault::Partition(shape) => {
                active.cuts = self.cuts(shape);
                self.network.cut(&active.cuts);
                self.links_changed();
            }
            Fault::Links { from, to, .. } => {
                active.from = ports(&self.resolve(from));
                active.to = ports(&self.resolve(to));
            }
            Fault::Messages { aim, fault } => {
                let ends = (
                    ports(&self.resolve(&aim.from)),
                    ports(&self.resolve(&aim.to)),
                );
                self.network.aimed().begin(number, ends, aim, fault);
            }
            Fault::Kill { boundary, .. } => {
                self.strike(&nodes, Death::Kill, boundary, number, hold)
            }
            Fault::PowerLoss { keep, boundary, .. } => {
                self.strike(&nodes, Death::Power(*keep), boundary, number, hold)
            }
            Fault::Pause(_) => nodes
                .iter()
                .for_each(|node| self.pause(usize::from(node.0), Some(number))),
            Fault::SyncFailure { .. }
            | Fault::WriteFailure { .. }
            | Fault::ReadFailure { .. }
            | Fault::DiskFull(_)
            | Fault::SlowDisk { .. }
            | Fault::DiskStall(_)
            | Fault::SlowCpu { .. } => {}
            Fault::BitRot { spots, .. } => {
                let kinds: &[Damage] = match self.plan.budget {
                    DamageBudget::Survivable => &Damage::ROT,
                    DamageBudget::None => &Damage::REVEALED,
                };
                let rot = Rot { spots, kinds };
                self.rot(number, &nodes, &rot, Effect::BitRot);
            }
            Fault::SectorError { spots, .. } => {
                let rot = Rot {
                    spots,
                    kinds: &[Damage::Unreadable],
                };
                self.rot(number, &nodes, &rot, Effect::SectorError);
            }
            Fault::MisdirectedWrite(_) => nodes.iter().for_each(|node| {
                self.machines[usize::from(node.0)]
                    .disk
                    .set_misdirecting(Some(number))
            }),
            Fault::DiskLoss(_) => nodes.iter().for_each(|node| self.lose_disk(*node, number)),
            Fault::ClockJump { by, .. } => {
                for node in &nodes {
                    self.machines[usize::from(node.0)].clock.jump(*by);
                    self.machines[usize::from(node.0)].jumped = true;
                }
            }
            Fault::ClockDrift { ppm, .. } => nodes
                .iter()
                .for_each(|node| self.drift(usize::from(node.0), *ppm)),
        }
        let detail = detail(&active);
        self.active.push(active);
        self.apply_faults(fault);
        if is_instant(fault) {
            self.active.pop();
        } else if let Some(hold) = hold {
            self.stage.after(hold, Due::FaultEnds(number));
        }
        self.stage.emit(&Event::Fault {
            kind: if is_instant(fault) {
                "happens"
            } else {
                "begins"
            },
            detail: &detail,
        });
        nodes
    }

    /// Ends a fault, unless it has ended.
    pub(super) fn end_fault(&mut self, number: FaultNumber) {
        let position = |active: &Active| active.number == number;
        let Some(at) = self.active.iter().position(position) else {
            return;
        };
        let active = self.active.remove(at);
        self.stage.mark(Mark::Healed, u64::from(number.0), 0);
        self.stage.emit(&Event::Fault {
            kind: "ends",
            detail: &detail(&active),
        });
        if !active.cuts.is_empty() {
            self.network.mend(&mut self.stage, &active.cuts);
            self.links_changed();
        }
        self.network.aimed().end(&mut self.stage, number);
        self.apply_faults(&active.fault);
        for node in &active.nodes {
            let node = usize::from(node.0);
            let machine = &mut self.machines[node];
            match &active.fault {
                Fault::Kill { .. } | Fault::PowerLoss { .. } => {
                    if matches!(
                        machine.doom,
                        Some(Doom::InStep(_, by) | Doom::Before(_, by, _)) if by == number
                    ) {
                        machine.doom = None;
                    }
                }
                Fault::Pause(_) if machine.paused_by == Some(number) => self.resume(node),
                Fault::ClockDrift { .. } => {
                    let ppm = self
                        .plan
                        .clocks
                        .get(node)
                        .copied()
                        .unwrap_or_default()
                        .drift;
                    self.drift(node, ppm);
                }
                _ => {}
            }
            let machine = &self.machines[node];
            let came_down = machine.state == State::Down && machine.downed_by == Some(number);
            if came_down || machine.state == (State::Halted { damaged: false }) {
                self.boot(node, number);
            }
        }
    }

    /// Computes anew what all faults that hold do to links or disks, if this one is of that sort.
    fn apply_faults(&mut self, changed: &Fault) {
        match changed {
            Fault::Links { .. } => {
                let faults = self.active.iter().filter_map(|active| match &active.fault {
                    Fault::Links { fault, .. } => Some((&active.from[..], &active.to[..], fault)),
                    _ => None,
                });
                self.network.set_faults(&mut self.stage, faults);
            }
            Fault::SyncFailure { .. }
            | Fault::WriteFailure { .. }
            | Fault::ReadFailure { .. }
            | Fault::DiskFull(_)
            | Fault::SlowDisk { .. }
            | Fault::DiskStall(_) => {
                (0..self.machines.len()).for_each(|node| self.apply_disk_faults(node))
            }
            Fault::SlowCpu { .. } => {
                (0..self.machines.len()).for_each(|node| self.apply_slow_cpu(node))
            }
            _ => {}
        }
    }

    fn apply_slow_cpu(&mut self, node: usize) {
        let here = self
            .active
            .iter()
            .filter(|active| active.nodes.iter().any(|one| usize::from(one.0) == node));
        let times = here.filter_map(|active| {
            if let Fault::SlowCpu { by, .. } = &active.fault {
                Some(*by)
            } else {
                None
            }
        });
        self.machines[node].step_time = times.fold(Span(0), |sum, by| sum + by);
    }

    fn apply_disk_faults(&mut self, node: usize) {
        let mut sum = DiskFaults::default();
        for active in self
            .active
            .iter()
            .filter(|active| active.nodes.iter().any(|one| usize::from(one.0) == node))
        {
            match &active.fault {
                Fault::SyncFailure { ppm, .. } => sum.sync.push((active.number, *ppm)),
                Fault::WriteFailure { ppm, .. } => sum.write.push((active.number, *ppm)),
                Fault::ReadFailure { ppm, .. } => sum.read.push((active.number, *ppm)),
                Fault::DiskFull(_) => sum.full = true,
                Fault::SlowDisk { by, .. } => sum.slow = sum.slow + *by,
                Fault::DiskStall(_) => sum.stalled = true,
                _ => {}
            }
        }
        let machine = &mut self.machines[node];
        if machine.faults.full != sum.full {
            machine.disk.set_full(sum.full);
        }
        machine.faults = sum;
        if !machine.faults.stalled {
            for held in std::mem::take(&mut machine.stalled) {
                let node = u8::try_from(node).expect("at most 9 replicas");
                self.stage.after(
                    Span(0),
                    Due::Disk {
                        node,
                        boot: held.boot,
                        ticket: held.ticket,
                        op: held.op,
                        kind: held.kind,
                    },
                );
            }
        }
    }

    fn strike(
        &mut self,
        nodes: &[Node],
        death: Death,
        boundary: &Boundary,
        by: FaultNumber,
        hold: Option<Span>,
    ) {
        for node in nodes.iter().map(|node| usize::from(node.0)) {
            match boundary {
                Boundary::Now => self.die(node, death, by, Some(by)),
                Boundary::InStep if self.machines[node].state == State::Up => {
                    self.machines[node].doom = Some(Doom::InStep(death, by))
                }
                Boundary::InStep => self.die(node, death, by, Some(by)),
                Boundary::Before(moment) => {
                    self.machines[node].doom = Some(Doom::Before(death, by, moment.clone()));
                }
                Boundary::InRecovery { deaths } => {
                    self.machines[node].doom = Some(Doom::InRecovery {
                        death,
                        by,
                        deaths: *deaths,
                        left: None,
                        back_after: hold,
                    });
                    if self.machines[node].runs() {
                        self.die(node, death, by, Some(by));
                    }
                }
            }
        }
    }

    fn drift(&mut self, node: usize, ppm: i32) {
        let machine = &mut self.machines[node];
        machine.clock.drift(self.stage.now, ppm);
        machine.drifted = true;
        machine.wake = None;
        self.rearm(node);
    }

    pub(super) fn rot(
        &mut self,
        number: FaultNumber,
        nodes: &[Node],
        rot: &Rot<'_>,
        effect: Effect,
    ) {
        for node in nodes {
            let by = FaultAt::node(number, u16::from(node.0));
            let disk = &mut self.machines[usize::from(node.0)].disk;
            for hit in disk.rot(rot, &mut *self.stage.choices, by) {
                self.damaged(*node, hit);
                self.stage.took_effect(effect, name(node.0));
            }
        }
    }

    /// A misdirected write has come to light.
    pub(super) fn misdirected(&mut self, node: Node, hits: Vec<Hit>) {
        if !hits.is_empty() {
            hits.into_iter().for_each(|hit| self.damaged(node, hit));
            self.stage
                .took_effect(Effect::MisdirectedWrite, name(node.0));
        }
    }

    fn damaged(&mut self, node: Node, hit: Hit) {
        self.stage.mark(
            Mark::Rotten,
            u64::from(node.0),
            Digest::content(hit.file.as_bytes()) ^ u64::from(hit.sector),
        );
        self.ledger.damaged(node, hit, self.stage.now);
    }

    /// Ends faults by category; `All` brings back whoever is down or paused as well.
    pub(super) fn heal(&mut self, what: Healing) {
        let ends = |fault: &Fault| match (what, fault) {
            (Healing::All, _)
            | (
                Healing::Network,
                Fault::Partition(_) | Fault::Links { .. } | Fault::Messages { .. },
            ) => true,
            (Healing::Disk, fault) => is_of_the_disk(fault),
            (Healing::Network, _) => false,
        };
        if what == Healing::All {
            self.machines
                .iter_mut()
                .for_each(|machine| machine.doom = None);
        }
        if what != Healing::Network {
            self.machines
                .iter_mut()
                .for_each(|machine| machine.disk.set_misdirecting(None));
        }
        let ending: Vec<FaultNumber> = self
            .active
            .iter()
            .filter(|active| ends(&active.fault))
            .map(|active| active.number)
            .collect();
        ending.into_iter().for_each(|number| self.end_fault(number));
        if what == Healing::All {
            for node in 0..self.machines.len() {
                self.bring_back(node);
            }
        }
    }

    fn bring_back(&mut self, node: usize) {
        self.resume(node);
        self.boot(node, HEALED);
    }

    /// An operator starts those of these that are down, whatever they said of their disks.
    pub(super) fn restart(&mut self, nodes: &[Node]) {
        for node in nodes.iter().map(|node| usize::from(node.0)) {
            if matches!(self.machines[node].state, State::Halted { .. }) {
                self.machines[node].state = State::Down;
            }
            self.boot(node, RESTARTED);
        }
    }

    /// The fault phase is over: faults end, the weather is light at most, the core comes back, and what ails
    /// everybody else ails them for good.
    pub fn heal_core(&mut self, core: &[Node]) {
        self.healed = true;
        self.clients.stop();
        let outside: Vec<Node> = (0..self.plan.cluster.replicas)
            .map(Node)
            .filter(|node| !core.contains(node))
            .collect();
        if self.plan.heal.others == Outside::Gone {
            for node in outside.iter().map(|node| usize::from(node.0)) {
                self.machines[node].doom = None;
                self.machines[node].banished = true;
                self.die(node, Death::Kill, FaultNumber::NONE, None);
            }
        }
        self.heal(Healing::All);
        self.network.calm(LIGHT_WEATHER);
        self.stage.choices.calm();
        self.cut_off(&outside);
        self.links_changed();
    }

    fn links_changed(&mut self) {
        self.stage.emit(&Event::Contacts(&self.network.contacts()));
        self.weigh_sessions();
    }

    /// Cuts links of these nodes with everybody, clients too, as the plan says of those outside the
    /// core.
    fn cut_off(&mut self, outside: &[Node]) {
        for node in ports(outside) {
            match self.plan.heal.others {
                Outside::Gone => {}
                Outside::Deaf => self.network.cut(&self.network.links_to(node)),
                Outside::Mute => self.network.cut(&self.network.links_from(node)),
            }
        }
    }

    fn whom(&mut self, fault: &Fault) -> Vec<Node> {
        fault.whose().map_or_else(Vec::new, |who| self.resolve(who))
    }

    /// The nodes that are meant, in order.
    pub(super) fn resolve(&mut self, who: &Who) -> Vec<Node> {
        let all = 0..self.plan.cluster.replicas;
        match who {
            Who::All => all.map(Node).collect(),
            Who::Nodes(nodes) => nodes
                .iter()
                .copied()
                .filter(|node| all.contains(&node.0))
                .collect(),
            Who::Leader => {
                let leader = self.roles.latest();
                self.roles.named = leader.or(self.roles.named);
                leader.into_iter().collect()
            }
            Who::Others => {
                let leader = self.roles.named.or(self.roles.latest());
                all.map(Node).filter(|node| Some(*node) != leader).collect()
            }
            Who::Follower => self.follower().into_iter().collect(),
            Who::Acknowledgers(among) => self.of_newest_votes(among, true),
            Who::Laggards(among) => self.of_newest_votes(among, false),
            Who::LastHolder => self.last_holder().into_iter().collect(),
        }
    }

    /// The only replica that still holds what is chosen, as far as that can be said.
    pub(super) fn last_holder(&self) -> Option<Node> {
        let holders = self.holders.as_ref()?;
        holders.last(|node| self.ledger.copy_lost(node))
    }

    /// The next after the leader, by number, that runs.
    pub(super) fn follower(&self) -> Option<Node> {
        let size = self.plan.cluster.replicas;
        let leader = self.roles.latest();
        let after = leader.map_or(0, |leader| leader.0 + 1);
        let others = (0..size).map(|step| Node((after + step) % size));
        let mut running = others.filter(|node| self.machines[usize::from(node.0)].runs());
        running.find(|node| Some(*node) != leader)
    }

    pub(super) fn of_newest_votes(&self, among: &[Node], acknowledged: bool) -> Vec<Node> {
        let votes = self.votes.as_ref();
        votes.map_or_else(Vec::new, |votes| votes.of_newest(among, acknowledged))
    }

    fn cuts(&mut self, partition: &Partition) -> Vec<(Port, Port)> {
        let sides = match partition {
            Partition::Groups(sides) => sides,
            Partition::Cut {
                cut,
                order,
                clients,
            } => {
                let parties = Parties {
                    order,
                    with_leader: clients,
                    clients: self.plan.workload.clients,
                    leader: self.roles.latest(),
                };
                return partition::links(*cut, parties);
            }
        };
        let mut groups: Vec<Vec<Port>> = Vec::new();
        for side in sides {
            let mut group: Vec<Port> = side
                .clients
                .iter()
                .map(|client| self.stage.client_port(client.0))
                .collect();
            for who in &side.replicas {
                group.extend(ports(&self.resolve(who)));
            }
            // Whom an earlier side has is not on this one as well.
            group.retain(|port| !groups.iter().any(|other| other.contains(port)));
            group.sort_unstable();
            group.dedup();
            groups.push(group);
        }
        partition::between(&groups, self.plan.cluster.replicas)
    }
}

fn ports(nodes: &[Node]) -> Vec<Port> {
    nodes.iter().map(|node| Port(u16::from(node.0))).collect()
}

/// Whether nothing is left of it that could end.
/// A fault's kind, and whom it concerns, for people.
fn detail(active: &Active) -> String {
    let nodes = active.nodes.iter().map(|node| format!(" {node}"));
    active.fault.kind().to_owned() + &nodes.collect::<String>()
}

const fn is_instant(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::BitRot { .. }
            | Fault::SectorError { .. }
            | Fault::MisdirectedWrite(_)
            | Fault::ClockJump { .. }
    )
}

const fn is_of_the_disk(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::SyncFailure { .. }
            | Fault::WriteFailure { .. }
            | Fault::ReadFailure { .. }
            | Fault::DiskFull(_)
            | Fault::SlowDisk { .. }
            | Fault::DiskStall(_)
    )
}
