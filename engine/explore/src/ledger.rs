//! What observers know to be true, and what breaks it.
//!
//! It rests on the votes that replicas say they cast. No replica loses one here: nothing crashes.

use synod_engine::ids::{Ballot, NodeId, Slot};
use synod_engine::message::Message;

/// A vote that was cast.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cast {
    /// The slot.
    pub slot: u64,
    /// Who voted.
    pub voter: NodeId,
    /// At which ballot.
    pub ballot: Ballot,
    /// A digest of the value.
    pub value: u64,
}

/// Votes, proposals and choices so far.
#[derive(Clone, Debug)]
pub struct Ledger {
    nodes: u8,
    casts: Vec<Cast>,
    proposed: Vec<(Ballot, u64, u64)>,
    taken: Vec<Option<u64>>,
}

/// A digest of a value.
#[must_use]
pub fn digest(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

impl Ledger {
    /// Nothing happened yet, among so many nodes.
    #[must_use]
    pub const fn new(nodes: u8) -> Self {
        Self {
            nodes,
            casts: Vec::new(),
            proposed: Vec::new(),
            taken: Vec::new(),
        }
    }

    fn is_quorum(&self, count: usize) -> bool {
        count > usize::from(self.nodes) / 2
    }

    /// A vote is cast.
    pub fn vote(&mut self, cast: Cast) {
        self.casts.push(cast);
    }

    /// What is taken for chosen in a slot.
    #[must_use]
    pub fn taken(&self, slot: u64) -> Option<u64> {
        *self.taken.get(usize::try_from(slot).ok()?)?
    }

    /// How many slots reach up to the last one that anybody takes for chosen.
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.taken.len()
    }

    /// Somebody takes a value for chosen.
    ///
    /// # Errors
    /// When no quorum voted for it at one ballot, or another one was taken before.
    pub fn take(&mut self, node: NodeId, slot: u64, value: u64) -> Result<(), String> {
        if !self.is_chosen(slot, Some(value)) {
            return Err(format!(
                "agreement: {node} takes for chosen in slot {slot} what no quorum voted for"
            ));
        }
        let at = usize::try_from(slot).unwrap_or(usize::MAX);
        if self.taken.len() <= at {
            self.taken.resize(at + 1, None);
        }
        match self.taken[at].replace(value) {
            Some(other) if other != value => Err(format!(
                "agreement: {node} takes another value for chosen in slot {slot}"
            )),
            _ => Ok(()),
        }
    }

    /// Whether what was chosen in this slot was chosen above this ballot only.
    #[must_use]
    pub fn is_above(&self, ballot: Ballot, slot: u64, value: u64) -> bool {
        let same = |cast: &&Cast| cast.slot == slot && cast.value == value;
        self.casts
            .iter()
            .filter(same)
            .all(|cast| cast.ballot > ballot)
    }

    /// Whether enough voted for this value, or for any, in this slot at one ballot.
    #[must_use]
    pub fn is_chosen(&self, slot: u64, value: Option<u64>) -> bool {
        let casts = || {
            let same = move |cast: &&Cast| {
                cast.slot == slot && value.is_none_or(|value| cast.value == value)
            };
            self.casts.iter().filter(same)
        };
        casts().any(|cast| {
            let same =
                casts().filter(|other| (other.ballot, other.value) == (cast.ballot, cast.value));
            self.is_quorum(same.count())
        })
    }

    /// A leader proposes a value. Each node has promised what is said here.
    ///
    /// # Errors
    /// When another value can still be chosen at a lower ballot, or it proposed another one.
    pub fn propose(
        &mut self,
        ballot: Ballot,
        slot: u64,
        value: u64,
        promised: impl Fn(NodeId) -> Ballot,
    ) -> Result<(), String> {
        let before = self
            .proposed
            .iter()
            .find(|(other, at, _)| (*other, *at) == (ballot, slot));
        if let Some((_, _, before)) = before {
            return if *before == value {
                Ok(())
            } else {
                Err(format!(
                    "safety: {ballot} proposes two values in slot {slot}"
                ))
            };
        }
        self.proposed.push((ballot, slot, value));
        let lower = |cast: &&Cast| cast.slot == slot && cast.ballot < ballot && cast.value != value;
        for other in self.casts.iter().filter(lower) {
            let can = |node: &NodeId| {
                let voted = self.casts.iter().any(|cast| {
                    (cast.slot, cast.voter, cast.ballot) == (slot, *node, other.ballot)
                });
                voted || promised(*node) <= other.ballot
            };
            if self.is_quorum((0..self.nodes).map(NodeId).filter(can).count()) {
                return Err(format!(
                    "safety: {ballot} proposes in slot {slot} while another value of {} can be \
                     chosen",
                    other.ballot
                ));
            }
        }
        Ok(())
    }

    /// Whether what a message says is so.
    ///
    /// # Errors
    /// What is not.
    pub fn says(&self, sender: NodeId, message: &Message) -> Result<(), String> {
        match message {
            Message::Promise {
                ballot,
                from,
                votes,
                next,
                chosen_below,
            } => {
                for vote in votes.iter().filter(|vote| vote.chosen) {
                    self.teaches(sender, vote.slot.0, &vote.value.0)?;
                }
                let page = from.0..next.map_or(u64::MAX, |next| next.0);
                let told = |cast: &&Cast| {
                    votes.iter().any(|vote| {
                        vote.slot.0 == cast.slot
                            && (vote.chosen
                                || vote.ballot > cast.ballot
                                || (vote.ballot == cast.ballot
                                    && digest(&vote.value.0) == cast.value))
                    })
                };
                let due = |cast: &&Cast| {
                    cast.voter == sender && cast.ballot < *ballot && page.contains(&cast.slot)
                };
                match self.casts.iter().filter(due).find(|cast| !told(cast)) {
                    Some(cast) => Err(format!(
                        "claim: {sender} promises {ballot} and keeps quiet of slot {} at {}",
                        cast.slot, cast.ballot
                    )),
                    None => self.all_chosen(sender, *chosen_below),
                }
            }
            Message::Accepted { ballot, slots } => {
                let voted = |slot: &Slot| {
                    self.casts.iter().any(|cast| {
                        (cast.slot, cast.voter, cast.ballot) == (slot.0, sender, *ballot)
                    })
                };
                match slots.iter().find(|slot| !voted(slot)) {
                    Some(slot) => Err(format!(
                        "claim: {sender} did not vote at {ballot} in slot {slot}"
                    )),
                    None => Ok(()),
                }
            }
            Message::Accept { chosen_below, .. }
            | Message::Heartbeat { chosen_below, .. }
            | Message::HeartbeatReply { chosen_below, .. } => {
                self.all_chosen(sender, *chosen_below)
            }
            Message::CatchUpReply {
                from,
                values,
                chosen_below,
            } => {
                for (slot, value) in (from.0..).zip(values) {
                    self.teaches(sender, slot, &value.0)?;
                }
                self.all_chosen(sender, *chosen_below)
            }
            _ => Ok(()),
        }
    }

    fn teaches(&self, sender: NodeId, slot: u64, value: &[u8]) -> Result<(), String> {
        if self.is_chosen(slot, Some(digest(value))) {
            return Ok(());
        }
        Err(format!(
            "claim: {sender} says that a value is chosen in slot {slot}, and it is not"
        ))
    }

    fn all_chosen(&self, sender: NodeId, below: Slot) -> Result<(), String> {
        match (0..below.0).find(|slot| !self.is_chosen(*slot, None)) {
            Some(slot) => Err(format!(
                "claim: {sender} says that slot {slot} is chosen, and it is not"
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ballot(round: u64, node: u8) -> Ballot {
        Ballot {
            round,
            node: NodeId(node),
        }
    }

    /// Three of five voted for 7 in slot 0 at ballot 1.
    fn chosen() -> Ledger {
        let mut ledger = Ledger::new(5);
        for voter in 0..3 {
            ledger.vote(Cast {
                slot: 0,
                voter: NodeId(voter),
                ballot: ballot(1, 0),
                value: 7,
            });
        }
        ledger
    }

    #[test]
    fn what_no_quorum_voted_for_is_not_chosen() {
        let mut ledger = chosen();
        assert_eq!(ledger.take(NodeId(4), 0, 7), Ok(()));
        assert!(ledger.take(NodeId(4), 0, 8).is_err());
        assert!(ledger.take(NodeId(4), 1, 7).is_err());
        assert!(ledger.is_above(ballot(0, 4), 0, 7) && !ledger.is_above(ballot(1, 0), 0, 7));
    }

    #[test]
    fn a_proposal_is_safe_when_no_other_value_can_be_chosen_below() {
        let mut ledger = chosen();
        let promised = |_: NodeId| ballot(2, 0);
        assert_eq!(ledger.propose(ballot(2, 0), 0, 7, promised), Ok(()));
        assert!(ledger.propose(ballot(2, 1), 0, 8, promised).is_err());
        let mut few = Ledger::new(5);
        few.casts = chosen().casts[..2].to_vec();
        assert_eq!(few.propose(ballot(2, 0), 0, 8, promised), Ok(()));
        assert!(
            few.propose(ballot(2, 1), 0, 8, |_| ballot(1, 0)).is_err(),
            "the others may vote for 7 yet"
        );
    }

    #[test]
    fn a_promise_that_keeps_a_vote_back_is_a_lie() {
        let ledger = chosen();
        let promise = |votes, next| Message::Promise {
            ballot: ballot(2, 4),
            from: Slot(0),
            votes,
            next,
            chosen_below: Slot(0),
        };
        assert!(ledger.says(NodeId(0), &promise(vec![], None)).is_err());
        assert_eq!(ledger.says(NodeId(3), &promise(vec![], None)), Ok(()));
        assert_eq!(
            ledger.says(NodeId(0), &promise(vec![], Some(Slot(0)))),
            Ok(())
        );
        let beat = |below| Message::Heartbeat {
            ballot: ballot(1, 0),
            round: 1,
            chosen_below: Slot(below),
        };
        assert_eq!(ledger.says(NodeId(0), &beat(1)), Ok(()));
        assert!(ledger.says(NodeId(0), &beat(2)).is_err());
    }
}
