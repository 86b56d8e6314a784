//! What an excursion likes to happen: who hears whom, which sorts of message come, how lazy the
//! disks are.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use synod_engine::ids::NodeId;

use crate::cluster::{Action, Cluster};
use crate::sort::{SORTS, sort};

/// Draws below a bound.
#[derive(Clone, Debug)]
pub struct Dice(pub ChaCha8Rng);

impl Dice {
    /// A number below a bound that is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let drawn = ((self.0.next_u64() >> 32) * bound as u64) >> 32;
        usize::try_from(drawn).unwrap_or(0)
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// A set of nodes, each in it with so many chances of eight.
    fn some(&mut self, nodes: usize, chances: usize) -> u32 {
        (0..nodes).fold(0, |set, node| {
            set | u32::from(self.below(8) < chances) << node
        })
    }
}

/// What an excursion likes.
#[derive(Clone, Debug)]
pub struct Mood {
    /// By sort of message: how often it is heard.
    likes: Vec<u64>,
    /// By sender and addressee: how often one hears the other.
    links: Vec<u64>,
    /// Whose patience can end, and who is asked.
    awake: u32,
    /// The newest message first, mostly.
    newest: bool,
    /// How much more often something useful is heard.
    ratio: u64,
    /// Of 60 and some.
    asks: usize,
    deadlines: usize,
    drops: usize,
    /// Of 60 messages that are heard.
    copies: usize,
    /// Of 16 times that something is durable, it is not yet.
    lazy: usize,
}

impl Mood {
    /// A mood for so many nodes.
    pub fn draw(nodes: u8, dice: &mut Dice) -> Self {
        let nodes = usize::from(nodes);
        let all = (1 << nodes) - 1;
        let (links, awake, apart) = match dice.below(8) {
            // One talks to some.
            0..3 => {
                let hub = dice.below(nodes);
                let island = dice.some(nodes, 5) | 1 << hub;
                (within(nodes, island, Some(hub)), 1 << hub, true)
            }
            // Some talk to each other.
            3..6 => {
                let island = dice.some(nodes, 5).max(1);
                (within(nodes, island, None), island, true)
            }
            6 => {
                let mut links = Vec::new();
                links.resize_with(nodes * nodes, || dice.pick(&[0, 1, 1, 2]));
                (links, all, false)
            }
            _ => (vec![1; nodes * nodes], all, false),
        };
        let plain = apart && dice.below(2) == 0;
        let mut like = || if plain { 1 } else { dice.pick(&[0, 1, 4, 16]) };
        Self {
            likes: (0..SORTS).map(|_| like()).collect(),
            links,
            awake,
            newest: apart && dice.below(3) > 0,
            ratio: dice.pick(&[1, 4, 16, 64]),
            asks: dice.pick(&[1, 4, 10]),
            deadlines: dice.pick(&[1, 3, 8]),
            drops: dice.pick(&[0, 2, 10]),
            copies: dice.pick(&[0, 4, 16]),
            lazy: dice.pick(&[0, 0, 12, 15]),
        }
    }

    /// What happens next.
    pub fn choose(&self, cluster: &Cluster, dice: &mut Dice) -> Action {
        if let Some(action) = self.sync(cluster, dice) {
            return action;
        }
        let awake = cluster.nodes().filter(|node| self.awake >> node.0 & 1 == 1);
        let awake: Vec<NodeId> = awake.collect();
        let first = cluster.next_deadline(self.awake).unwrap_or(awake[0]);
        let leads = |node: &NodeId| cluster.seen[usize::from(node.0)].leads.is_some();
        let leaders: Vec<NodeId> = awake.iter().copied().filter(leads).collect();
        let asks = if leaders.is_empty() { 0 } else { self.asks };
        let mut drawn = dice.below(60 + asks + self.deadlines + self.drops);
        if drawn < asks {
            let leader = dice.pick(&leaders);
            return match dice.below(8) {
                0 => Action::Read(leader),
                _ => Action::Ask(leader),
            };
        }
        drawn -= asks;
        if drawn < self.deadlines || cluster.flights.is_empty() {
            return Action::Deadline(match dice.below(3) {
                0 => dice.pick(&awake),
                _ => first,
            });
        }
        drawn -= self.deadlines;
        if drawn < self.drops {
            return Action::Drop(dice.below(cluster.flights.len()));
        }
        match self.message(cluster, dice) {
            None => Action::Deadline(first),
            Some(at) if dice.below(60) < self.copies => Action::DeliverCopy(at),
            Some(at) => Action::Deliver(at),
        }
    }

    /// Something that becomes durable, if it does now.
    fn sync(&self, cluster: &Cluster, dice: &mut Dice) -> Option<Action> {
        for (node, unsynced) in cluster.nodes().zip(&cluster.unsynced) {
            if unsynced.promise.is_some() && dice.below(16) >= self.lazy {
                return Some(Action::Promised(node));
            }
            if unsynced.has_records() && dice.below(16) >= self.lazy {
                return Some(if self.lazy > 0 && dice.below(2) == 0 {
                    Action::LoggedOne(node)
                } else {
                    Action::Logged(node)
                });
            }
        }
        None
    }

    /// The place of the message that comes, if any can.
    fn message(&self, cluster: &Cluster, dice: &mut Dice) -> Option<usize> {
        let nodes = usize::from(cluster.setup.nodes);
        let weight = |at: usize| {
            let flight = &cluster.flights[at];
            let link = usize::from(flight.from.0) * nodes + usize::from(flight.to.0);
            let weight = self.likes[sort(&flight.message)] * self.links[link];
            if weight > 0 && cluster.is_useful(flight) {
                weight * self.ratio
            } else {
                weight
            }
        };
        let weights: Vec<u64> = (0..cluster.flights.len()).map(weight).collect();
        let total: u64 = weights.iter().sum();
        if total == 0 {
            return None;
        }
        if self.newest && dice.below(8) > 0 {
            return weights.iter().rposition(|weight| *weight > 0);
        }
        let mut drawn = dice.0.next_u64() % total;
        weights.iter().position(|weight| {
            let here = drawn < *weight;
            drawn = drawn.saturating_sub(*weight);
            here
        })
    }
}

/// Links between those of an island, or between its hub and the others only.
fn within(nodes: usize, island: u32, hub: Option<usize>) -> Vec<u64> {
    (0..nodes * nodes)
        .map(|link| {
            let ends = [link / nodes, link % nodes];
            let inside = ends.iter().all(|end| island >> end & 1 == 1);
            u64::from(inside && hub.is_none_or(|hub| ends.contains(&hub)))
        })
        .collect()
}
