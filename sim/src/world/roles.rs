//! Who leads, as far as anybody outside can tell: by what replicas say to each other, or else by
//! who answered a client last.
//!
//! Facts are not used, though they would be exact: a role decides whom a fault hits, and a run must
//! not depend on how closely it is watched.

use crate::ids::Node;
use crate::time::{Instant, Span};

/// What is known about who leads.
#[derive(Clone, Debug)]
pub(super) struct Roles {
    /// By node: the rank at which it last acted as leader, and when.
    acted: Vec<Option<((u64, u8), Instant)>>,
    highest: Option<((u64, u8), Node)>,
    /// By node, the highest rank at which it campaigned.
    campaigned: Vec<Option<(u64, u8)>>,
    /// By node, the rank at which it was last seen to act though a higher one was known.
    deposed: Vec<Option<(u64, u8)>>,
    answered: Option<Node>,
    /// Whom `leader` named last.
    pub named: Option<Node>,
    /// An act older than this says nothing about the present.
    fresh: Span,
}

/// What an act of leading showed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shown {
    Nothing,
    /// Another node leads now.
    Change,
    /// The first act of a node at its rank after this one acted at a higher rank.
    Deposed(Node),
}

impl Roles {
    pub fn new(replicas: usize, fresh: Span) -> Self {
        Self {
            acted: vec![None; replicas],
            highest: None,
            campaigned: vec![None; replicas],
            deposed: vec![None; replicas],
            answered: None,
            named: None,
            fresh,
        }
    }

    /// A node campaigned at this rank. Whether it never did so at a rank as high.
    pub fn campaigned(&mut self, node: Node, rank: (u64, u8)) -> bool {
        let highest = &mut self.campaigned[usize::from(node.0)];
        let is_new = *highest < Some(rank);
        *highest = (*highest).max(Some(rank));
        is_new
    }

    /// Whether the node has not acted as leader at a rank as high as this.
    pub fn is_new(&self, node: Node, rank: (u64, u8)) -> bool {
        self.acted[usize::from(node.0)].is_none_or(|(before, _)| before < rank)
    }

    /// A node acted as leader at this rank.
    pub fn acted(&mut self, node: Node, rank: (u64, u8), now: Instant) -> Shown {
        self.acted[usize::from(node.0)] = Some((rank, now));
        match self.highest {
            Some((highest, other)) if rank < highest => {
                let first = self.deposed[usize::from(node.0)].replace(rank) != Some(rank);
                if other != node && first {
                    Shown::Deposed(other)
                } else {
                    Shown::Nothing
                }
            }
            before => {
                self.highest = Some((rank, node));
                if before.is_some_and(|(_, other)| other != node) {
                    Shown::Change
                } else {
                    Shown::Nothing
                }
            }
        }
    }

    /// A node answered a client.
    pub const fn answered(&mut self, node: Node) {
        self.answered = Some(node);
    }

    /// The latest winner, or else the one that answered last.
    pub fn latest(&self) -> Option<Node> {
        self.highest.map(|(_, node)| node).or(self.answered)
    }

    /// How the node stands to the latest winner.
    pub fn standing(&self, node: Node) -> Standing {
        let at = usize::from(node.0);
        let acted = self.acted[at].map(|(rank, _)| rank);
        let Some((highest, winner)) = self.highest else {
            return self.campaigned[at].map_or(Standing::Follows, |_| Standing::Above);
        };
        match self.campaigned[at] {
            _ if winner == node => Standing::Leads,
            Some(rank) if rank > highest => Standing::Above,
            _ if self.deposed[at].is_some_and(|rank| Some(rank) == acted) => Standing::Deposed,
            campaigned if campaigned > acted => Standing::Below,
            _ => Standing::Follows,
        }
    }

    /// Whether the node acts as leader at present.
    pub fn leads(&self, node: Node, now: Instant) -> bool {
        match self.acted[usize::from(node.0)] {
            Some((_, at)) => now - at <= self.fresh,
            None => self.highest.is_none() && self.answered == Some(node),
        }
    }
}

/// How a replica stands to the latest winner.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Standing {
    /// It is the winner.
    Leads,
    /// It campaigned above it.
    Above,
    /// It campaigned below it after it last led.
    Below,
    /// It acted as leader below it.
    Deposed,
    /// None of these.
    Follows,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_is_new_once() {
        let mut roles = Roles::new(3, Span(10));
        let ranks = [(1, 0), (1, 0), (3, 0), (2, 0), (3, 0), (4, 0)];
        let new = ranks.map(|rank| roles.campaigned(Node(0), rank));
        assert_eq!(new, [true, false, true, false, false, true]);
        assert!(roles.campaigned(Node(1), (1, 1)));
    }

    #[test]
    fn the_highest_rank_leads_and_a_deposed_leader_shows_once() {
        let mut roles = Roles::new(3, Span(10));
        roles.answered(Node(2));
        assert_eq!(roles.latest(), Some(Node(2)));
        assert_eq!(roles.acted(Node(0), (1, 0), Instant(1)), Shown::Nothing);
        assert_eq!(roles.acted(Node(1), (2, 1), Instant(2)), Shown::Change);
        assert_eq!(
            roles.acted(Node(0), (1, 0), Instant(3)),
            Shown::Deposed(Node(1))
        );
        assert_eq!(roles.acted(Node(0), (1, 0), Instant(4)), Shown::Nothing);
        assert_eq!(roles.latest(), Some(Node(1)));
        assert!(roles.leads(Node(1), Instant(12)) && !roles.leads(Node(1), Instant(13)));
    }

    #[test]
    fn everybody_stands_somehow_to_the_latest_winner() {
        let mut roles = Roles::new(5, Span(10));
        roles.campaigned(Node(3), (1, 3));
        let standings = |roles: &Roles| [0, 1, 2, 3, 4].map(|node| roles.standing(Node(node)));
        use Standing::{Above, Below, Deposed, Follows, Leads};
        assert_eq!(standings(&roles)[2..], [Follows, Above, Follows]);
        roles.campaigned(Node(0), (1, 0));
        roles.acted(Node(0), (1, 0), Instant(1));
        roles.campaigned(Node(1), (2, 1));
        roles.acted(Node(1), (2, 1), Instant(2));
        roles.acted(Node(0), (1, 0), Instant(3));
        roles.campaigned(Node(4), (3, 4));
        assert_eq!(standings(&roles), [Deposed, Leads, Follows, Below, Above]);
        // Who acted and was deposed, and campaigns again, is none of the deposed.
        roles.campaigned(Node(0), (4, 0));
        assert_eq!(roles.standing(Node(0)), Above);
    }
}
