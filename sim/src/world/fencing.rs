//! The fencing audit: a promise keeps out every leader that came before, whatever happens then to
//! whoever gave it, and to whoever learned what was chosen meanwhile.
//!
//! The run forks as the promise is on its way. In the fork all faults end but one, the promise's
//! [`Trial`](super::pledge::Trial). Others go on, and clients write. Then those others lose their power, so that nobody
//! but their media knows what they chose, and hear the candidate. No write that was acknowledged may
//! be gone.
//!
//! Nothing here is beyond an asynchronous network, disks that keep what was synced, and the faults
//! of the run: every fork is a run that could have been.

use synod_port::files::Bytes;

use crate::choices::{FaultAt, Label, Matter, Topic};
use crate::ids::{FaultNumber, Node};
use crate::plan::Healing;
use crate::scenario::fault::{Fault, Keep, LinkFault, Partition, Side, Spots, Who};
use crate::time::{Instant, Span};
use crate::trace::observer::Observer;

use super::disk::{Damage, Rot};
use super::due::Port;
use super::life::HELD;
use super::node::Death;
use super::pledge::{Pledge, Trial};
use super::tally::Effect;
use super::world::World;

/// About one promise in so many is audited, of those given while a third replica leads. Where nobody
/// else leads there is hardly anybody to keep out.
const ONE_IN: u64 = 12;

impl<O: Observer> World<O> {
    /// Picks some of the promises that are sent.
    #[inline]
    pub(super) fn note_promise(&mut self, from: Node, to: Node, bytes: &Bytes) {
        if !self.keeps_out(from, to, bytes) {
            return;
        }
        let link = FaultAt::link(FaultNumber::NONE, from.0.into(), to.0.into());
        self.stage.choices.about(Matter::Fault(link));
        let label = Label::link(Topic::Fence, from.0.into(), to.0.into());
        if self.stage.choices.draw(label, ONE_IN) == 0 {
            let trial = Trial::of(self.stage.choices.draw(label, 4), &self.plan);
            self.pledge = Some(Pledge {
                from,
                to,
                trial,
                bytes: bytes.clone(),
            });
        }
    }

    /// Whether this is a promise that keeps out a leader.
    pub(super) fn keeps_out(&self, from: Node, to: Node, bytes: &Bytes) -> bool {
        let reader = self.subject.reader();
        let third = |node: &Node| ![from, to].contains(node);
        let leads = |node: Node| {
            self.machines[usize::from(node.0)].runs() && self.roles.leads(node, self.stage.now)
        };
        reader.is_some_and(|reader| reader.is_promise(bytes))
            && self.replicas().filter(third).any(leads)
    }

    /// A fork in which nothing goes wrong any more but what the promise is put through; none when
    /// the subject cannot be copied.
    #[must_use]
    pub fn after_promise(&self, pledge: &Pledge) -> Option<Self> {
        let Pledge { from, to, .. } = *pledge;
        let mut world = self.fork()?;
        world.branch(self.events << 9 | 1 << from.0 | 1 << to.0);
        let why = format!("{from} has promised {to} and {}", pledge.trial.words());
        world.stage.tell_of_fork(&why);
        world.healed = true;
        world.clients.stop();
        world.heal(Healing::All);
        world.network.calm(0);
        world.stage.choices.calm();
        world.begin_fault(HELD, &self.held(pledge), None);
        match pledge.trial {
            Trial::PowerLoss => world.power_cycle(from, |_| {}),
            Trial::Rot => world.power_cycle(from, |world| world.rot_promise(pledge)),
            Trial::Twice => {
                let [from, to] = [from, to].map(|node| Port(node.0.into()));
                let boot = world.machines[usize::from(pledge.from.0)].boot;
                let bytes = pledge.bytes.clone();
                world.network.send(&mut world.stage, from, boot, to, bytes);
            }
        }
        Some(world)
    }

    /// What keeps those that wait apart from the others.
    fn held(&self, pledge: &Pledge) -> Fault {
        let apart = pledge.apart();
        match pledge.trial {
            Trial::PowerLoss | Trial::Rot => Fault::Links {
                from: Who::Nodes(apart),
                to: Who::All,
                fault: LinkFault::Clog,
            },
            Trial::Twice => {
                let others = self.replicas().filter(|node| !apart.contains(node));
                let sides = [others.collect(), apart.clone()].map(|nodes| Side {
                    replicas: vec![Who::Nodes(nodes)],
                    clients: Vec::new(),
                });
                Fault::Partition(Partition::Groups(sides.into()))
            }
        }
    }

    /// What whoever promised synced last rots, and with it all files whose names begin with the same
    /// word: other copies of it.
    fn rot_promise(&mut self, pledge: &Pledge) {
        let disk = &self.machines[usize::from(pledge.from.0)].disk;
        let Some(name) = disk.last_synced() else {
            return;
        };
        let is_letter = |letter: &char| letter.is_ascii_alphabetic();
        let files: String = name.as_str().chars().take_while(is_letter).collect();
        let rot = Rot {
            spots: &Spots::anywhere(u8::MAX).of(&files),
            kinds: &Damage::REVEALED,
        };
        self.rot(HELD, &[pledge.from], &rot, Effect::BitRot);
    }

    /// Those who went on lose their power and come back; then they hear the candidate.
    pub fn hear_candidate(&mut self, pledge: &Pledge) {
        let apart = pledge.apart();
        for node in self.replicas().filter(|node| !apart.contains(node)) {
            self.power_cycle(node, |_| {});
        }
        let election = self.plan.cluster.knobs.election_timeout.0;
        self.run_until_ready(self.stage.now + Span(election.0 / 2));
        self.end_fault(HELD);
    }

    /// A node loses its power, with all that is not synced, and boots at once.
    fn power_cycle(&mut self, node: Node, meanwhile: impl FnOnce(&mut Self)) {
        let node = usize::from(node.0);
        self.die(node, Death::Power(Keep::Nothing), FaultNumber::NONE, None);
        meanwhile(self);
        self.boot(node, FaultNumber::NONE);
    }

    fn replicas(&self) -> impl Iterator<Item = Node> + use<O> {
        (0..self.plan.cluster.replicas).map(Node)
    }

    /// Runs until so many requests of checks have ended, or nothing is due until then. False when the
    /// run has ended, or its events are used up.
    pub fn run_until_answered(&mut self, asked: usize, end: Instant) -> bool {
        loop {
            let (answered, given_up) = self.answered();
            if answered + given_up >= asked || self.next_at().is_none_or(|at| at > end) {
                return true;
            }
            if !self.has_events_left() || !self.advance() {
                return false;
            }
        }
    }
}
