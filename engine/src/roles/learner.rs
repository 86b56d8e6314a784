//! The learner: who voted for what at the leader's ballot, and which slots are chosen.
//!
//! Slots are chosen in any order; they are released in slot order, because what is applied is a
//! prefix.

use crate::bugs::Bug;
use crate::command::Value;
use crate::contract;
use crate::fact::Fact;
use crate::ids::{Ballot, NodeId, NodeSet, Slot};
use crate::probe::Probe;
use crate::sorted::Sorted;

/// Who voted in one slot at the leader's ballot.
#[derive(Clone, Copy, Hash, Debug, Default)]
struct Tally {
    voters: NodeSet,
    /// How many count: voters, but for the mutant that counts messages.
    count: usize,
}

/// Tallies of undecided slots, and the chosen ones that wait for those before them.
#[derive(Clone, Hash, Debug)]
pub struct Learner {
    quorum: usize,
    /// The ballot that is tallied.
    ballot: Ballot,
    tallies: Sorted<Slot, Tally>,
    /// Chosen, but a slot before is not.
    ahead: Sorted<Slot, Value>,
    /// Every slot below is chosen and released.
    chosen_below: Slot,
}

impl Learner {
    /// A learner that knows all slots below to be chosen.
    #[must_use]
    pub const fn new(quorum: usize, chosen_below: Slot) -> Self {
        Self {
            quorum,
            ballot: Ballot::ZERO,
            tallies: Sorted::new(),
            ahead: Sorted::new(),
            chosen_below,
        }
    }

    /// The first slot that is not known to be chosen together with all before it.
    #[must_use]
    pub const fn chosen_below(&self) -> Slot {
        self.chosen_below
    }

    /// Every slot below is chosen and released, as the files say.
    pub fn resume<P: Probe>(&mut self, chosen_below: Slot, probe: &mut P) {
        contract!(
            probe,
            ChosenPrefixMonotonic,
            chosen_below >= self.chosen_below,
            "{} slots are chosen, and now {chosen_below}",
            self.chosen_below
        );
        self.chosen_below = chosen_below;
    }

    /// Whether a slot is known to be chosen.
    #[must_use]
    pub fn is_chosen(&self, slot: Slot) -> bool {
        slot < self.chosen_below || self.ahead.get(slot).is_some()
    }

    /// Behind the last slot that is known to be chosen.
    #[must_use]
    pub fn chosen_end(&self) -> Slot {
        self.ahead
            .last()
            .map_or(self.chosen_below, |(slot, _)| slot.next())
    }

    /// The value of a chosen slot that is not released yet.
    #[must_use]
    pub fn ahead(&self, slot: Slot) -> Option<&Value> {
        self.ahead.get(slot)
    }

    /// Starts to tally another ballot; what was counted before counts no more.
    pub fn lead<P: Probe>(&mut self, ballot: Ballot, probe: &mut P) {
        contract!(
            probe,
            TalliedBallotsIncrease,
            ballot > self.ballot,
            "votes at {ballot} are counted after those at {}",
            self.ballot
        );
        self.ballot = ballot;
        if probe.flip(Bug::TalliesSurviveElection, true, self.tallies.is_empty()) {
            self.tallies.clear();
        }
    }

    /// A durable vote of `voter`. Says whether the slot is chosen by it.
    pub fn on_vote<P: Probe>(
        &mut self,
        voter: NodeId,
        ballot: Ballot,
        slot: Slot,
        probe: &mut P,
    ) -> bool {
        if probe.flip(Bug::AckBallotUnchecked, ballot != self.ballot, false) || self.is_chosen(slot)
        {
            return false;
        }
        let tally = self.tallies.get_or_default(slot);
        let new = tally.voters.insert(voter);
        if probe.flip(Bug::AcceptAckCountedTwice, new, true) {
            tally.count += 1;
        }
        let chosen = tally.count >= self.quorum;
        let chosen = probe.flip(
            Bug::ReplyBeforeQuorum,
            chosen,
            tally.voters.len() >= 2.min(self.quorum),
        );
        if chosen {
            let voters = tally.voters.len();
            contract!(
                probe,
                ChosenMeansQuorum,
                voters >= self.quorum,
                "slot {slot} is chosen by {voters} voters of {}",
                self.quorum
            );
        }
        chosen
    }

    /// Who has voted in a slot at the tallied ballot.
    #[must_use]
    pub fn voters(&self, slot: Slot) -> NodeSet {
        self.tallies
            .get(slot)
            .map_or(NodeSet::default(), |tally| tally.voters)
    }

    /// A slot is chosen.
    pub fn choose<P: Probe>(&mut self, slot: Slot, value: Value, probe: &mut P) {
        if self.is_chosen(slot) {
            let same = self.ahead.get(slot).is_none_or(|known| *known == value);
            contract!(
                probe,
                ChosenQuorumsMatchValue,
                same,
                "two values are chosen in slot {slot}"
            );
            return;
        }
        probe.fact(|| Fact::Chosen {
            slot,
            value: value.clone(),
        });
        self.tallies.remove(slot);
        self.ahead.insert(slot, value);
    }

    /// The next slot of the prefix, if it is chosen.
    pub fn release<P: Probe>(&mut self, probe: &mut P) -> Option<(Slot, Value)> {
        let (slot, _) = self.ahead.first()?;
        contract!(
            probe,
            ChosenAreReleasedOnce,
            slot >= self.chosen_below,
            "slot {slot} waits to be released, and {} are",
            self.chosen_below
        );
        if probe.flip(
            Bug::CommitOverHole,
            slot != self.chosen_below,
            slot < self.chosen_below,
        ) {
            return None;
        }
        let value = self
            .ahead
            .pop_first()
            .expect("the first entry was just looked at")
            .1;
        self.chosen_below = slot.next();
        Some((slot, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Full;

    const BALLOT: Ballot = Ballot {
        round: 1,
        node: NodeId(0),
    };

    fn value(text: &str) -> Value {
        Value(text.as_bytes().into())
    }

    #[test]
    fn nodes_are_counted_and_not_messages() {
        let (mut learner, mut probe) = (Learner::new(2, Slot(0)), Full::default());
        learner.lead(BALLOT, &mut probe);
        assert!(!learner.on_vote(NodeId(1), BALLOT, Slot(0), &mut probe));
        assert!(!learner.on_vote(NodeId(1), BALLOT, Slot(0), &mut probe));
        assert!(
            !learner.on_vote(NodeId(2), Ballot::ZERO, Slot(0), &mut probe),
            "an old ballot does not count"
        );
        assert!(learner.on_vote(NodeId(2), BALLOT, Slot(0), &mut probe));
    }

    #[test]
    fn slots_are_released_in_order() {
        let (mut learner, mut probe) = (Learner::new(2, Slot(0)), Full::default());
        learner.choose(Slot(1), value("b"), &mut probe);
        assert_eq!(learner.release(&mut probe), None);
        assert_eq!(
            (learner.chosen_below(), learner.chosen_end()),
            (Slot(0), Slot(2))
        );
        learner.choose(Slot(0), value("a"), &mut probe);
        assert_eq!(learner.release(&mut probe), Some((Slot(0), value("a"))));
        assert_eq!(learner.release(&mut probe), Some((Slot(1), value("b"))));
        assert_eq!(
            (learner.chosen_below(), learner.chosen_end()),
            (Slot(2), Slot(2))
        );
    }

    #[test]
    #[should_panic(expected = "contract ChosenPrefixMonotonic")]
    fn a_prefix_that_shrinks_breaks_its_contract() {
        Learner::new(2, Slot(4)).resume(Slot(3), &mut Full::default());
    }

    #[test]
    #[should_panic(expected = "contract TalliedBallotsIncrease")]
    fn a_ballot_counted_twice_breaks_its_contract() {
        let mut learner = Learner::new(2, Slot(0));
        for _ in 0..2 {
            learner.lead(BALLOT, &mut Full::default());
        }
    }

    #[test]
    #[should_panic(expected = "contract ChosenMeansQuorum")]
    fn one_voter_counted_twice_breaks_a_contract() {
        let (mut learner, mut probe) = (
            Learner::new(2, Slot(0)),
            Full::new(Some(Bug::AcceptAckCountedTwice)),
        );
        learner.lead(BALLOT, &mut probe);
        for _ in 0..2 {
            learner.on_vote(NodeId(1), BALLOT, Slot(0), &mut probe);
        }
    }

    #[test]
    #[should_panic(expected = "contract ChosenAreReleasedOnce")]
    fn a_slot_released_again_breaks_its_contract() {
        let mut learner = Learner::new(2, Slot(4));
        learner.ahead.insert(Slot(3), value("a"));
        learner.release(&mut Full::default());
    }

    #[test]
    #[should_panic(expected = "contract ChosenQuorumsMatchValue")]
    fn two_values_in_a_slot_break_a_contract() {
        let mut learner = Learner::new(2, Slot(0));
        learner.choose(Slot(3), value("a"), &mut Full::default());
        learner.choose(Slot(3), value("b"), &mut Full::default());
    }
}
