//! From the shape of a partition to the links that it cuts. Nothing is drawn here: the plan has the
//! replicas in an order, and the world knows who leads.

use crate::ids::{Client, Node};
use crate::scenario::fault::Cut;

use super::due::Port;

/// Who is there to be parted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parties<'a> {
    /// The replicas, in the order that the shape goes by.
    pub order: &'a [Node],
    /// Clients of the workload that are parted from the others together with the leader.
    pub with_leader: &'a [Client],
    /// How many clients the workload has.
    pub clients: u16,
    pub leader: Option<Node>,
}

/// The links that a shape cuts.
pub(super) fn links(cut: Cut, parties: Parties<'_>) -> Vec<(Port, Port)> {
    let order = parties.order;
    let Some(first) = order.first().copied() else {
        return Vec::new();
    };
    let count = order.len();
    let replicas = u8::try_from(count).expect("at most 9 replicas");
    let minority = ((count - 1) / 2).max(1);
    match cut {
        Cut::Halves | Cut::IsolateOne => {
            let few = if cut == Cut::Halves { minority } else { 1 };
            between(&[ports(&order[..few]), ports(&order[few..])], replicas)
        }
        Cut::OneWay => {
            let half = (count / 2).max(1);
            let (half, rest) = (ports(&order[..half]), ports(&order[half..]));
            half.iter()
                .flat_map(|from| rest.iter().map(move |to| (*from, *to)))
                .collect()
        }
        Cut::IsolateLeader | Cut::LeaderInMinority => {
            let mut order = last(order, Some(parties.leader.unwrap_or(first)));
            order.rotate_right(1);
            let few = if cut == Cut::LeaderInMinority {
                minority
            } else {
                1
            };
            let (with, without) = order.split_at(few);
            let (mut with, mut without) = (ports(with), ports(without));
            for client in (0..parties.clients).map(Client) {
                let port = Port(u16::from(replicas) + client.0);
                if parties.with_leader.contains(&client) {
                    with.push(port);
                } else {
                    without.push(port);
                }
            }
            between(&[with, without], replicas)
        }
        Cut::Ring => unless(order, |a, b| (a + 1) % count == b || (b + 1) % count == a),
        Cut::Chain => unless(order, |a, b| a.abs_diff(b) == 1),
        Cut::Bridge => {
            let half = 1 + (count - 1) / 2;
            unless(order, |a, b| a == 0 || b == 0 || (a < half) == (b < half))
        }
        Cut::Hub => unless(&last(order, parties.leader), |a, b| a == 0 || b == 0),
        Cut::Constrained => {
            let leader = count - 1;
            unless(&last(order, parties.leader), |a, b| {
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

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Cut; 10] = [
        Cut::Halves,
        Cut::OneWay,
        Cut::IsolateOne,
        Cut::IsolateLeader,
        Cut::LeaderInMinority,
        Cut::Ring,
        Cut::Bridge,
        Cut::Hub,
        Cut::Chain,
        Cut::Constrained,
    ];

    fn cut(cut: Cut, order: &[u8], leader: Option<u8>) -> Vec<(Port, Port)> {
        let order: Vec<Node> = order.iter().copied().map(Node).collect();
        let parties = Parties {
            order: &order,
            with_leader: &[Client(1)],
            clients: 3,
            leader: leader.map(Node),
        };
        links(cut, parties)
    }

    /// How many of the 20 links between 5 replicas are left.
    fn left(shape: Cut) -> usize {
        let gone = cut(shape, &[3, 0, 4, 2, 1], Some(2));
        assert!(gone.iter().all(|(from, to)| from != to));
        20 - gone
            .iter()
            .filter(|(from, to)| from.0 < 5 && to.0 < 5)
            .count()
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
        assert_eq!(ALL.map(left), [8, 14, 12, 12, 8, 10, 12, 8, 8, 6]);
    }

    #[test]
    fn a_shape_cuts_something_from_its_least_size_on_and_nothing_below() {
        for shape in ALL {
            for size in 1..=9 {
                let order: Vec<u8> = (0..size).collect();
                let between_replicas = |links: Vec<(Port, Port)>| {
                    links
                        .iter()
                        .any(|(from, to)| from.0.max(to.0) < u16::from(size))
                };
                let cuts = between_replicas(cut(shape, &order, Some(0)));
                if size >= shape.least() {
                    assert!(cuts, "{shape:?} of {size}");
                } else if shape != Cut::Constrained {
                    assert!(!cuts, "{shape:?} of {size}");
                }
            }
        }
    }

    #[test]
    fn the_leader_is_no_hub_and_is_cut_off_when_constrained() {
        for (shape, cuts) in [(Cut::Hub, 3), (Cut::Constrained, 4)] {
            let links = cut(shape, &[3, 0, 1, 2, 4], Some(3));
            let from_leader = links.iter().filter(|(from, _)| from.0 == 3).count();
            assert_eq!(from_leader, cuts);
        }
    }

    #[test]
    fn the_leader_or_else_the_first_is_isolated_with_its_clients() {
        for (leader, alone) in [(Some(2), 2), (None, 1)] {
            let links = cut(Cut::IsolateLeader, &[1, 2, 0], leader);
            assert_eq!(links, cut(Cut::LeaderInMinority, &[1, 2, 0], leader));
            let client = |number: u16| Port(3 + number);
            assert!(links.contains(&(client(0), Port(alone))));
            assert!(!links.contains(&(client(1), Port(alone))));
            assert!(
                links.contains(&(client(1), Port(0))) && !links.contains(&(client(0), Port(0)))
            );
        }
    }
}
