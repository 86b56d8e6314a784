//! From the shape of a partition to the links that it cuts.

use crate::choices::{Choices, Label, Topic};
use crate::ids::Node;
use crate::scenario::fault::Partition;

use super::due::Port;

/// Who is there to be parted: replicas, and the clients of the workload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parties {
    pub replicas: u8,
    pub clients: u16,
    pub leader: Option<Node>,
}

impl Parties {
    fn client(self, client: u16) -> Port {
        Port(u16::from(self.replicas) + client)
    }
}

/// The links that a drawn shape cuts; `Groups` is resolved by the caller, who knows the roles.
pub(super) fn links(
    shape: &Partition,
    parties: Parties,
    choices: &mut dyn Choices,
) -> Vec<(Port, Port)> {
    let order = shuffled(parties.replicas, choices);
    let count = order.len();
    match shape {
        Partition::Groups(_) => Vec::new(),
        Partition::Halves => {
            let minority = if count < 2 {
                0
            } else {
                1 + draw(choices, (count - 1) / 2)
            };
            let (mut one, mut other) = (ports(&order[..minority]), ports(&order[minority..]));
            share_clients(parties, choices, &mut one, &mut other);
            between(&[one, other], parties.replicas)
        }
        Partition::OneWay => {
            let half = ports(&order[..(count / 2).max(1)]);
            let rest = ports(&order[(count / 2).max(1)..]);
            half.iter()
                .flat_map(|from| rest.iter().map(move |to| (*from, *to)))
                .collect()
        }
        Partition::IsolateOne => {
            between(&[ports(&order[..1]), ports(&order[1..])], parties.replicas)
        }
        Partition::IsolateLeader => {
            let leader = parties.leader.unwrap_or(order[0]);
            let rest: Vec<Node> = order
                .iter()
                .copied()
                .filter(|node| *node != leader)
                .collect();
            let (mut one, mut other) = (ports(&[leader]), ports(&rest));
            share_clients(parties, choices, &mut one, &mut other);
            between(&[one, other], parties.replicas)
        }
        Partition::Ring => unless(&order, |a, b| (a + 1) % count == b || (b + 1) % count == a),
        Partition::Chain => unless(&order, |a, b| a.abs_diff(b) == 1),
        Partition::Bridge => {
            let half = 1 + (count - 1) / 2;
            unless(&order, |a, b| a == 0 || b == 0 || (a < half) == (b < half))
        }
        Partition::Hub => {
            let order = last(&order, parties.leader);
            unless(&order, |a, b| a == 0 || b == 0)
        }
        Partition::Constrained => {
            let order = last(&order, parties.leader);
            let leader = count - 1;
            unless(&order, |a, b| {
                (a == 0 || b == 0) && a != leader && b != leader
            })
        }
    }
}

/// All links between ports of different sides; clients do not talk to each other.
pub(super) fn between(sides: &[Vec<Port>], replicas: u8) -> Vec<(Port, Port)> {
    let is_client = |port: Port| port.0 >= u16::from(replicas);
    let mut links = Vec::new();
    for (index, one) in sides.iter().enumerate() {
        for other in sides
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
            .map(|(_, other)| other)
        {
            let pairs = one
                .iter()
                .flat_map(|from| other.iter().map(move |to| (*from, *to)));
            links.extend(pairs.filter(|(from, to)| !(is_client(*from) && is_client(*to))));
        }
    }
    links
}

/// All links between these replicas but those whose places the test allows.
fn unless(order: &[Node], allowed: impl Fn(usize, usize) -> bool) -> Vec<(Port, Port)> {
    let mut links = Vec::new();
    for (a, from) in order.iter().enumerate() {
        for (b, to) in order.iter().enumerate() {
            if a != b && !allowed(a, b) {
                links.push((Port(u16::from(from.0)), Port(u16::from(to.0))));
            }
        }
    }
    links
}

fn ports(nodes: &[Node]) -> Vec<Port> {
    nodes.iter().map(|node| Port(u16::from(node.0))).collect()
}

/// The order with this node at its end.
fn last(order: &[Node], node: Option<Node>) -> Vec<Node> {
    let mut order = order.to_vec();
    if let Some(at) = node.and_then(|node| order.iter().position(|one| *one == node)) {
        let node = order.remove(at);
        order.push(node);
    }
    order
}

fn share_clients(
    parties: Parties,
    choices: &mut dyn Choices,
    one: &mut Vec<Port>,
    other: &mut Vec<Port>,
) {
    for client in 0..parties.clients {
        let side = if draw(choices, 2) == 0 {
            &mut *one
        } else {
            &mut *other
        };
        side.push(parties.client(client));
    }
}

/// The replicas in a random order.
pub(super) fn shuffled(replicas: u8, choices: &mut dyn Choices) -> Vec<Node> {
    let mut order: Vec<Node> = (0..replicas).map(Node).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, draw(choices, at + 1));
    }
    order
}

fn draw(choices: &mut dyn Choices, range: usize) -> usize {
    choices.pick(Label::of(Topic::Partition, 0), range.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choices::Seeded;

    /// How many of the 20 links between 5 replicas are left, over 50 draws.
    fn left(shape: &Partition, leader: Option<Node>) -> Vec<usize> {
        let mut choices = Seeded::new(4);
        let parties = Parties {
            replicas: 5,
            clients: 4,
            leader,
        };
        let mut counts: Vec<usize> = (0..50)
            .map(|_| {
                let cut = links(shape, parties, &mut choices);
                assert!(cut.iter().all(|(from, to)| from != to));
                20 - cut
                    .iter()
                    .filter(|(from, to)| from.0 < 5 && to.0 < 5)
                    .count()
            })
            .collect();
        counts.sort_unstable();
        counts.dedup();
        counts
    }

    #[test]
    fn clients_are_parted_from_replicas_and_not_from_each_other() {
        let sides = [vec![Port(0), Port(3)], vec![Port(1), Port(2), Port(4)]];
        let cut = between(&sides, 3);
        assert!(cut.contains(&(Port(3), Port(1))) && cut.contains(&(Port(0), Port(4))));
        assert!(!cut.contains(&(Port(3), Port(4))) && !cut.contains(&(Port(4), Port(3))));
    }

    #[test]
    fn shapes_leave_the_links_that_they_should() {
        assert_eq!(left(&Partition::Halves, None), [8, 12]);
        assert_eq!(left(&Partition::OneWay, None), [14]);
        assert_eq!(left(&Partition::IsolateOne, None), [12]);
        assert_eq!(left(&Partition::IsolateLeader, Some(Node(2))), [12]);
        assert_eq!(left(&Partition::Ring, None), [10]);
        assert_eq!(left(&Partition::Chain, None), [8]);
        assert_eq!(left(&Partition::Bridge, None), [12]);
        assert_eq!(left(&Partition::Hub, Some(Node(1))), [8]);
        assert_eq!(left(&Partition::Constrained, Some(Node(1))), [6]);
    }

    #[test]
    fn the_leader_is_no_hub_and_is_cut_off_when_constrained() {
        let mut choices = Seeded::new(4);
        for shape in [Partition::Hub, Partition::Constrained] {
            for _ in 0..50 {
                let cut = links(
                    &shape,
                    Parties {
                        replicas: 5,
                        clients: 0,
                        leader: Some(Node(3)),
                    },
                    &mut choices,
                );
                let from_leader = cut.iter().filter(|(from, _)| from.0 == 3).count();
                assert_eq!(from_leader, if shape == Partition::Hub { 3 } else { 4 });
            }
        }
    }
}
