//! Who holds the newest votes, by what replicas told each other: whom a fault hits that knows what
//! is precious.
//!
//! The proposer of a slot counts as a voter, though it tells nobody. Nothing is believed of what a
//! replica says of itself otherwise: the messages are read as they are sent, by the subject's
//! reader.

use crate::ids::Node;
use crate::subject::process::{Claim, Reader};

/// So many slots are remembered, the newest.
const SLOTS: usize = 64;

/// Votes for one slot at one ballot.
#[derive(Clone, Copy, Debug)]
struct Cast {
    slot: u64,
    ballot: (u64, u8),
    /// By node, a bit each.
    voters: u16,
}

/// The newest votes.
#[derive(Clone)]
pub(super) struct Votes {
    reader: Option<&'static dyn Reader>,
    replicas: u8,
    /// In order of slot and ballot.
    casts: Vec<Cast>,
}

impl Votes {
    /// Among so many replicas; without a reader nothing is known.
    pub const fn new(replicas: u8, reader: Option<&'static dyn Reader>) -> Self {
        Self {
            reader,
            replicas,
            casts: Vec::new(),
        }
    }

    /// A node sends a message to another.
    pub fn sent(&mut self, node: Node, bytes: &[u8]) {
        let Some(reader) = self.reader else { return };
        if let Claim::Votes(ballot, slots) = reader.claim(bytes) {
            for slot in slots {
                self.cast(node, slot, ballot);
            }
        }
    }

    fn cast(&mut self, node: Node, slot: u64, ballot: (u64, u8)) {
        let voters = 1 << node.0 | 1 << ballot.1;
        match self
            .casts
            .binary_search_by_key(&(slot, ballot), |cast| (cast.slot, cast.ballot))
        {
            Ok(at) => self.casts[at].voters |= voters,
            Err(at) => {
                let cast = Cast {
                    slot,
                    ballot,
                    voters,
                };
                self.casts.insert(at, cast);
                if self.casts.len() > SLOTS {
                    self.casts.remove(0);
                }
            }
        }
    }

    /// The newest slot that the node voted for, of those that are remembered; 0 when there is none.
    pub fn newest_of(&self, node: Node) -> u64 {
        let voted = |cast: &&Cast| cast.voters >> node.0 & 1 == 1;
        self.casts.iter().rfind(voted).map_or(0, |cast| cast.slot)
    }

    /// Those of these nodes that acknowledged the newest votes of a quorum, the proposer not among
    /// them; or those that did not. Nobody, as long as no quorum voted.
    pub fn of_newest(&self, among: &[Node], acknowledged: bool) -> Vec<Node> {
        let chosen = |cast: &&Cast| cast.voters.count_ones() > u32::from(self.replicas) / 2;
        let Some(newest) = self.casts.iter().rfind(chosen) else {
            return Vec::new();
        };
        let meant = |node: &Node| {
            let voted = newest.voters >> node.0 & 1 == 1;
            node.0 < self.replicas && node.0 != newest.ballot.1 && voted == acknowledged
        };
        among.iter().copied().filter(meant).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_votes_of_a_quorum_count_and_their_proposer_does_not() {
        let all: Vec<Node> = (0..5).map(Node).collect();
        let mut votes = Votes::new(5, None);
        let nodes = |of: &[u8]| of.iter().copied().map(Node).collect::<Vec<_>>();
        votes.cast(Node(1), 7, (1, 0));
        assert_eq!(votes.of_newest(&all, true), []);
        assert_eq!(votes.of_newest(&all, false), []);
        votes.cast(Node(3), 7, (1, 0));
        assert_eq!(votes.of_newest(&all, true), nodes(&[1, 3]));
        assert_eq!(votes.of_newest(&all, false), nodes(&[2, 4]));
        // A newer slot counts when a quorum voted there, at one ballot.
        votes.cast(Node(2), 9, (1, 0));
        votes.cast(Node(4), 9, (2, 3));
        assert_eq!(votes.of_newest(&all, true), nodes(&[1, 3]));
        votes.cast(Node(2), 9, (2, 3));
        assert_eq!(votes.of_newest(&all, true), nodes(&[2, 4]));
        assert_eq!(votes.of_newest(&nodes(&[1, 2]), true), nodes(&[2]));
        assert_eq!(votes.of_newest(&nodes(&[1, 2, 8]), false), nodes(&[1]));
    }

    #[test]
    fn old_slots_are_forgotten() {
        let mut votes = Votes::new(3, None);
        for slot in 0..1_000 {
            votes.cast(Node(1), slot, (1, 0));
        }
        assert_eq!(votes.casts.len(), SLOTS);
        assert_eq!(votes.casts.last().map(|cast| cast.slot), Some(999));
    }
}
