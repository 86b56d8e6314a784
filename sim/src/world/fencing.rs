//! The fencing audit: a promise keeps out every leader that came before, whatever happens then to
//! whoever gave it, and to whoever learned what was chosen meanwhile.
//!
//! The run forks as the promise is on its way. In the fork all faults end, but whoever promised has
//! just lost its power, with all that it had not synced, and what the candidate says is held back.
//! The others go on without it, and clients write. Then they lose their power as well, so that
//! nobody but their media knows what they chose, and what the candidate said arrives. No write that
//! was acknowledged may be gone.
//!
//! Nothing here is beyond an asynchronous network and disks that keep what was synced: every fork is
//! a run that could have been.

use crate::choices::{FaultAt, Label, Matter, Topic};
use crate::ids::{FaultNumber, Node};
use crate::plan::Healing;
use crate::scenario::fault::{Fault, Keep, LinkFault, Who};
use crate::time::{Instant, Span};
use crate::trace::observer::Observer;

use super::life::HELD;
use super::node::Death;
use super::world::World;

/// About one promise in so many is audited.
const ONE_IN: u64 = 48;

impl<O: Observer> World<O> {
    /// Picks some of the promises that are sent.
    #[inline]
    pub(super) fn note_promise(&mut self, from: Node, to: Node, bytes: &[u8]) {
        let reader = self.subject.reader();
        if reader.is_some_and(|reader| reader.is_promise(bytes)) {
            let link = FaultAt::link(FaultNumber::NONE, from.0.into(), to.0.into());
            self.stage.choices.about(Matter::Fault(link));
            let label = Label::link(Topic::Fence, from.0.into(), to.0.into());
            if self.stage.choices.draw(label, ONE_IN) == 0 {
                self.pledge = Some((from, to));
            }
        }
    }

    /// A fork in which nothing goes wrong any more, but that `from` has just lost its power, and that
    /// what `to` says is held back; none when the subject cannot be copied.
    #[must_use]
    pub fn after_promise(&self, from: Node, to: Node) -> Option<Self> {
        let mut world = self.fork()?;
        world.branch(self.events << 9 | 1 << from.0 | 1 << to.0);
        world.healed = true;
        world.clients.stop();
        world.heal(Healing::All);
        world.network.calm(0);
        let held = Fault::Links {
            from: Who::Nodes(vec![to]),
            to: Who::All,
            fault: LinkFault::Clog,
        };
        world.begin_fault(HELD, &held, None);
        world.power_cycle(from);
        Some(world)
    }

    /// All but the candidate lose their power and come back; then what it said arrives.
    pub fn hear_candidate(&mut self, candidate: Node) {
        for node in (0..self.plan.cluster.replicas).map(Node) {
            if node != candidate {
                self.power_cycle(node);
            }
        }
        let election = self.plan.cluster.knobs.election_timeout.0;
        self.run_until_ready(self.stage.now + Span(election.0 / 2));
        self.end_fault(HELD);
    }

    /// A node loses its power, with all that is not synced, and boots at once.
    fn power_cycle(&mut self, node: Node) {
        let node = usize::from(node.0);
        self.die(node, Death::Power(Keep::Nothing), FaultNumber::NONE, None);
        self.boot(node, FaultNumber::NONE);
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
