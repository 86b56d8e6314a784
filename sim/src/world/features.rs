//! Features of the moment, for a search: what is coarse and local about one replica, and about two of
//! them. What is rare among them is where a search goes on from.
//!
//! They are taken from what can be seen from outside, by the subject's reader, and from no fact, so
//! that a search does not depend on how closely it is watched.

use crate::ids::Node;
use crate::time::Span;
use crate::trace::observer::Observer;

use super::due::{Due, Flight};
use super::node::State;
use super::roles::Standing;
use super::votes::Votes;
use super::world::World;

/// Whoever lags by more slots than this lags a lot.
const LAGS: u64 = 3;

/// What is seen of a replica at a moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Local {
    /// Down, up, paused, or halted.
    state: u8,
    standing: Standing,
    /// How far its newest vote is behind the newest of all: not, a little, a lot.
    lag: u8,
    /// Kinds of messages that come to it later than usual; a bit each.
    late: u64,
}

impl<O: Observer> World<O> {
    /// From here on votes are counted, so that features know who lags.
    pub fn heeds_votes(&mut self) {
        if self.votes.is_none() {
            self.votes = Some(Votes::new(
                self.plan.cluster.replicas,
                self.subject.reader(),
            ));
        }
    }

    /// Numbers that stand for the features of this moment, in order, each once. A message is late
    /// that arrives in more than so long.
    pub fn features(&self, usual: Span, features: &mut Vec<u64>) {
        features.clear();
        let locals = self.locals(usual);
        for (at, one) in locals.iter().enumerate() {
            features.push(number(&[one]));
            for other in &locals[at + 1..] {
                features.push(number(&[one.min(other), one.max(other)]));
            }
        }
        features.sort_unstable();
        features.dedup();
    }

    fn locals(&self, usual: Span) -> Vec<Local> {
        let nodes = (0..self.plan.cluster.replicas).map(Node);
        let voted: Vec<u64> = match &self.votes {
            Some(votes) => nodes.clone().map(|node| votes.newest_of(node)).collect(),
            None => vec![0; self.machines.len()],
        };
        let newest = voted.iter().copied().max().unwrap_or_default();
        let mut locals: Vec<Local> = nodes
            .zip(&self.machines)
            .zip(&voted)
            .map(|((node, machine), voted)| Local {
                state: match machine.state {
                    State::Down => 0,
                    State::Up => 1,
                    State::Paused => 2,
                    State::Halted { .. } => 3,
                },
                standing: self.roles.standing(node),
                lag: match newest - voted {
                    0 => 0,
                    1..=LAGS => 1,
                    _ => 2,
                },
                late: 0,
            })
            .collect();
        let late = self.stage.now + usual;
        for (at, due) in self.stage.agenda.entries() {
            if let Due::Deliver(flight) = due
                && at > late
            {
                self.is_late(flight, &mut locals);
            }
        }
        for flight in self.network.kept_back() {
            self.is_late(flight, &mut locals);
        }
        locals
    }

    fn is_late(&self, flight: &Flight, locals: &mut [Local]) {
        let kind = || self.subject.reader()?.kind(&flight.bytes);
        if let Some(to) = locals.get_mut(usize::from(flight.to.0))
            && flight.from.0 < self.stage.replicas
        {
            to.late |= 1 << (kind().unwrap_or_default() % 64);
        }
    }
}

/// A number that stands for these.
fn number(locals: &[&Local]) -> u64 {
    let mut bytes = [0; 22];
    for (bytes, local) in bytes.chunks_mut(11).zip(locals) {
        bytes[0] = local.state;
        bytes[1] = local.standing as u8 + 1;
        bytes[2] = local.lag;
        bytes[3..].copy_from_slice(&local.late.to_le_bytes());
    }
    xxhash_rust::xxh3::xxh3_64(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fault::{Aim, Fault, MessageFault, Until, Who};
    use crate::world::testing;

    /// The features after a second in which this fault held.
    fn features(fault: Fault) -> Vec<u64> {
        let mut world = testing::world(testing::with(&[(0, 2_000, fault)]), ());
        world.heeds_votes();
        world.run_until(crate::time::Instant(1_000_000_000));
        let mut features = Vec::new();
        world.features(Span::from_millis(10), &mut features);
        features
    }

    fn pause(nodes: &[u8]) -> Fault {
        Fault::Pause(Who::Nodes(nodes.iter().copied().map(Node).collect()))
    }

    fn late(fault: MessageFault) -> Fault {
        let aim = Aim {
            from: Who::Nodes(vec![Node(0)]),
            to: Who::Nodes(vec![Node(1)]),
            kinds: Vec::new(),
            nth: None,
        };
        Fault::Messages { aim, fault }
    }

    #[test]
    fn names_do_not_matter_and_states_do() {
        let one = features(pause(&[1]));
        assert_eq!(one, features(pause(&[2])));
        assert_ne!(one, features(pause(&[1, 2])));
    }

    #[test]
    fn what_is_late_matters() {
        let quiet = features(late(MessageFault::Lose(0)));
        for fault in [
            MessageFault::Delay(Span::from_millis(500)),
            MessageFault::HoldBack(Until::End),
        ] {
            assert_ne!(features(late(fault.clone())), quiet, "{fault:?}");
        }
    }
}
