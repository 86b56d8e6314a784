//! What a subject assumes of its surroundings, beyond the port: faults stay inside of it, unless a
//! run is asked to go beyond.

use crate::ids::Node;

/// What a link from one replica to another keeps. Links of clients are datagrams for everybody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Links {
    /// Nothing: a message may be lost, come late, twice, damaged, and after later ones.
    #[default]
    Datagrams,
    /// What comes is whole, comes once, and after what was sent before it. It may not come at all.
    Fifo,
    /// As a connection of TCP: while a session is open all that is sent comes, whole, once and in
    /// order. A session ends by a death of either end, by a partition that outlasts it, by a
    /// message that a fault loses or damages, or because the receiver's buffers are full; what was
    /// under way is lost then, the end of it without a gap. Each end is told of beginnings and
    /// ends, of an end perhaps late: until then what it sends goes nowhere.
    Sessions,
}

/// All majorities of the least size among so many replicas.
#[must_use]
pub fn majorities(replicas: u8) -> Vec<Vec<Node>> {
    let least = u32::from(replicas) / 2 + 1;
    let members = |set: u16| {
        (0..replicas)
            .filter(move |node| set & 1 << node != 0)
            .map(Node)
            .collect()
    };
    (0..1u16 << replicas)
        .filter(|set| set.count_ones() == least)
        .map(members)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minimal_majorities() {
        assert_eq!(majorities(1), [[Node(0)]]);
        assert_eq!(
            majorities(3),
            [[Node(0), Node(1)], [Node(0), Node(2)], [Node(1), Node(2)]]
        );
        assert_eq!(majorities(4).len(), 4);
        assert_eq!(majorities(5).len(), 10);
    }
}
