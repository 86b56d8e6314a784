//! What was proposed in each slot, at which ballot, and whose media hold a vote for it.
//!
//! Nothing is forgotten: what replicas say that they applied is no proof that they will know it
//! after the next power loss.

use smallvec::SmallVec;

use crate::check::chunked::Chunked;
use crate::check::signal::BallotWord;
use crate::ids::Node;

/// What was proposed at one ballot in a slot, and who voted for it durably.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    /// The ballot.
    pub ballot: BallotWord,
    /// A hash of the value.
    pub value: u64,
    /// A bit for each node.
    pub voters: u64,
}

impl Tally {
    /// Whether the node has a durable vote.
    #[must_use]
    pub const fn has_vote_of(&self, node: Node) -> bool {
        self.voters >> node.0 & 1 == 1
    }
}

/// Why there is no tally for a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The slot is beyond everything that a run can reach.
    OutOfReach,
    /// Another value was proposed in the slot at the same ballot.
    AnotherValue,
}

/// The tallies of all slots.
#[derive(Clone, Default, Debug)]
pub struct Tallies {
    slots: Chunked<SmallVec<[Tally; 2]>>,
}

impl Tallies {
    /// The tallies of a slot, in the order in which its values were proposed.
    #[must_use]
    pub fn of(&self, slot: u64) -> &[Tally] {
        self.slots.get(slot).map_or(&[], |tallies| tallies)
    }

    /// Whether the node has a durable vote in the slot at exactly this ballot.
    #[must_use]
    pub fn voted(&self, node: Node, slot: u64, ballot: BallotWord) -> bool {
        let has = |tally: &Tally| tally.ballot == ballot && tally.has_vote_of(node);
        self.of(slot).iter().any(has)
    }

    /// What was proposed in the slot at this ballot.
    #[must_use]
    pub fn proposed(&self, slot: u64, ballot: BallotWord) -> Option<u64> {
        let mut tallies = self.of(slot).iter();
        tallies
            .find(|tally| tally.ballot == ballot)
            .map(|tally| tally.value)
    }

    /// The highest of the node's durable votes in the slot below this ballot.
    #[must_use]
    pub fn vote_below(&self, node: Node, slot: u64, ballot: BallotWord) -> Option<&Tally> {
        highest_below(self.of(slot), node, ballot)
    }

    /// The highest of the node's durable votes below this ballot in each of these slots that has
    /// one.
    pub fn votes_below(
        &self,
        node: Node,
        (from, end): (u64, u64),
        ballot: BallotWord,
    ) -> impl Iterator<Item = (u64, &Tally)> {
        self.slots
            .range(from, end)
            .filter_map(move |(slot, tallies)| Some((slot, highest_below(tallies, node, ballot)?)))
    }

    /// The tally of a value that is proposed, or voted for.
    ///
    /// # Errors
    /// When there is none.
    pub fn entry(
        &mut self,
        slot: u64,
        ballot: BallotWord,
        value: u64,
    ) -> Result<&mut Tally, Refused> {
        let tallies = self.slots.entry(slot).ok_or(Refused::OutOfReach)?;
        let at = match tallies.iter().position(|tally| tally.ballot == ballot) {
            Some(at) => at,
            None => {
                tallies.push(Tally {
                    ballot,
                    value,
                    voters: 0,
                });
                tallies.len() - 1
            }
        };
        let tally = &mut tallies[at];
        if tally.value == value {
            Ok(tally)
        } else {
            Err(Refused::AnotherValue)
        }
    }

    /// The bytes that are held, shared or not.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.slots.bytes()
    }
}

fn highest_below(tallies: &[Tally], node: Node, ballot: BallotWord) -> Option<&Tally> {
    tallies
        .iter()
        .filter(|tally| tally.ballot < ballot && tally.has_vote_of(node))
        .max_by_key(|tally| tally.ballot)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: BallotWord = BallotWord::of((1, 0));
    const HIGH: BallotWord = BallotWord::of((2, 1));

    #[test]
    fn the_highest_vote_below_a_ballot_is_found() {
        let mut tallies = Tallies::default();
        for (slot, ballot, voters) in [(3, HIGH, 0b10), (3, LOW, 0b11), (70, LOW, 0b01)] {
            tallies.entry(slot, ballot, 7).unwrap().voters = voters;
        }
        let below = |node, slot, ballot| {
            tallies
                .vote_below(Node(node), slot, ballot)
                .map(|tally| tally.ballot)
        };
        let top = BallotWord::of((9, 0));
        assert_eq!(
            [0, 1, 2].map(|node| below(node, 3, top)),
            [Some(LOW), Some(HIGH), None]
        );
        assert_eq!((below(1, 3, HIGH), below(1, 3, LOW)), (Some(LOW), None));
        let slots = |node, from, end| {
            tallies
                .votes_below(Node(node), (from, end), top)
                .map(|(slot, _)| slot)
                .collect::<Vec<_>>()
        };
        assert_eq!(slots(0, 0, u64::MAX), [3, 70]);
        assert_eq!((slots(0, 4, 70), slots(1, 0, 80)), (vec![], vec![3]));
        assert_eq!(
            (tallies.proposed(3, HIGH), tallies.proposed(70, HIGH)),
            (Some(7), None)
        );
    }

    #[test]
    fn a_ballot_has_one_value() {
        let mut tallies = Tallies::default();
        tallies.entry(3, LOW, 7).unwrap().voters = 1;
        assert_eq!(tallies.entry(3, LOW, 8).unwrap_err(), Refused::AnotherValue);
        tallies.entry(3, HIGH, 8).unwrap();
        assert_eq!(
            tallies.entry(1 << 60, LOW, 7).unwrap_err(),
            Refused::OutOfReach
        );
        assert!(tallies.voted(Node(0), 3, LOW));
        assert!(!tallies.voted(Node(1), 3, LOW));
        assert!(!tallies.voted(Node(0), 3, HIGH));
    }
}
