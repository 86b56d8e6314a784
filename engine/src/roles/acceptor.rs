//! The acceptor: promises and votes.
//!
//! It decides; it does not wait. Whether what it decided may be answered is the outbox's business.
//! Votes below the chosen prefix are forgotten: from there on the librarian answers with what is
//! chosen.

use crate::bugs::Bug;
use crate::command::Value;
use crate::contract;
use crate::fact::Fact;
use crate::ids::{Ballot, Lsn, Slot};
use crate::probe::Probe;
use crate::sorted::Sorted;

/// A vote of this acceptor.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Cast {
    /// At which ballot.
    pub ballot: Ballot,
    /// For what.
    pub value: Value,
    /// Its record, `Lsn(0)` when it was recovered.
    pub lsn: Lsn,
}

/// What the acceptor says of an accept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// A new vote, to be recorded.
    New,
    /// A new vote, once the promise of its ballot, which is raised now, is durable.
    PromiseFirst,
    /// It voted so before, with this record.
    Again(Lsn),
    /// A higher ballot was promised.
    Refused,
    /// The same proposer sent another value at the same ballot: not a message of Paxos, and
    /// ignored.
    Contradiction,
}

/// Promises and votes of one node.
#[derive(Clone, Hash, Debug, Default)]
pub struct Acceptor {
    /// No vote and no promise below this ballot will be given any more.
    promised: Ballot,
    /// The latest vote in each slot that is not known to be chosen here.
    votes: Sorted<Slot, Cast>,
    /// Votes in slots below are forgotten.
    truncated: Slot,
}

impl Acceptor {
    /// The acceptor that comes back from the files: its promise covers its votes.
    #[must_use]
    pub fn recover(promised: Ballot, votes: Sorted<Slot, Cast>) -> Self {
        let promised = votes
            .iter()
            .map(|(_, cast)| cast.ballot)
            .fold(promised, Ballot::max);
        Self {
            promised,
            votes,
            truncated: Slot(0),
        }
    }

    /// The highest ballot that was promised, durable or not.
    #[must_use]
    pub const fn promised(&self) -> Ballot {
        self.promised
    }

    /// A prepare asks for a promise. Says whether it is given; an equal one is given again.
    pub fn on_prepare<P: Probe>(&mut self, ballot: Ballot, probe: &mut P) -> bool {
        let refused = ballot < self.promised;
        if probe.flip(Bug::EqualPrepareRefused, refused, ballot <= self.promised) {
            return false;
        }
        self.raise(ballot, probe);
        true
    }

    /// An accept asks for a vote. `covered` says that a promise of this ballot or a higher one is
    /// durable.
    pub fn on_accept<P: Probe>(
        &mut self,
        ballot: Ballot,
        slot: Slot,
        value: &Value,
        covered: bool,
        probe: &mut P,
    ) -> Verdict {
        let deposed = ballot < self.promised;
        let lower_round = ballot.round < self.promised.round;
        if probe.flip(Bug::AcceptBelowPromise, deposed, false)
            && probe.flip(Bug::AcceptComparesRoundOnly, true, lower_round)
        {
            return Verdict::Refused;
        }
        match self.votes.get(slot) {
            Some(cast) if cast.ballot == ballot && cast.value == *value => {
                return Verdict::Again(cast.lsn);
            }
            Some(cast) if cast.ballot == ballot => return Verdict::Contradiction,
            _ => {}
        }
        if probe.flip(
            Bug::AcceptDoesNotRaisePromise,
            ballot > self.promised || !covered,
            false,
        ) {
            self.raise(ballot, probe);
            return Verdict::PromiseFirst;
        }
        Verdict::New
    }

    /// Casts the vote that [`on_accept`](Self::on_accept) found to be new; its record is `lsn`.
    pub fn cast<P: Probe>(
        &mut self,
        ballot: Ballot,
        slot: Slot,
        value: Value,
        lsn: Lsn,
        probe: &mut P,
    ) {
        contract!(
            probe,
            VotePrecedesMaxBal,
            ballot <= self.promised,
            "a vote at {ballot} in slot {slot} above the promise {}",
            self.promised
        );
        contract!(
            probe,
            VotedBallotsIncrease,
            self.votes.get(slot).is_none_or(|old| old.ballot < ballot),
            "a second vote in slot {slot} at {ballot}, not above the first"
        );
        contract!(
            probe,
            VotesAboveTruncationPoint,
            slot >= self.truncated,
            "a vote in slot {slot}, and all below {} are chosen",
            self.truncated
        );
        probe.fact(|| Fact::Voted {
            slot,
            ballot,
            value: value.clone(),
        });
        self.votes.insert(slot, Cast { ballot, value, lsn });
    }

    /// The vote in a slot.
    #[must_use]
    pub fn vote(&self, slot: Slot) -> Option<&Cast> {
        self.votes.get(slot)
    }

    /// The votes from a slot on, in slot order.
    pub fn votes_from(&self, slot: Slot) -> impl Iterator<Item = (Slot, &Cast)> {
        self.votes.from(slot)
    }

    /// Everything below is chosen and kept by the librarian.
    pub fn forget_below<P: Probe>(&mut self, slot: Slot, probe: &mut P) {
        contract!(
            probe,
            LogTruncationPointMonotonic,
            slot >= self.truncated,
            "the truncation point falls from {} to {slot}",
            self.truncated
        );
        self.truncated = slot;
        self.votes.remove_below(slot);
    }

    fn raise<P: Probe>(&mut self, ballot: Ballot, probe: &mut P) {
        if ballot > self.promised {
            self.promised = ballot;
            probe.fact(|| Fact::Promised(ballot));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::NodeId;
    use crate::probe::Full;

    fn ballot(round: u64) -> Ballot {
        Ballot {
            round,
            node: NodeId(0),
        }
    }

    fn value(text: &str) -> Value {
        Value(text.as_bytes().into())
    }

    #[test]
    fn a_promise_is_kept() {
        let (mut acceptor, mut probe) = (Acceptor::default(), Full::default());
        assert!(acceptor.on_prepare(ballot(2), &mut probe));
        assert!(
            acceptor.on_prepare(ballot(2), &mut probe),
            "an equal prepare is answered again"
        );
        assert!(!acceptor.on_prepare(ballot(1), &mut probe));
        assert_eq!(
            acceptor.on_accept(ballot(1), Slot(0), &value("a"), true, &mut probe),
            Verdict::Refused
        );
        assert_eq!(
            acceptor.on_accept(ballot(2), Slot(0), &value("a"), true, &mut probe),
            Verdict::New
        );
        acceptor.cast(ballot(2), Slot(0), value("a"), Lsn(1), &mut probe);
        assert_eq!(
            acceptor.on_accept(ballot(2), Slot(0), &value("a"), true, &mut probe),
            Verdict::Again(Lsn(1))
        );
        assert_eq!(
            acceptor.on_accept(ballot(2), Slot(0), &value("b"), true, &mut probe),
            Verdict::Contradiction
        );
    }

    #[test]
    fn the_first_vote_at_a_ballot_waits_for_its_promise() {
        let (mut acceptor, mut probe) = (Acceptor::default(), Full::default());
        assert_eq!(
            acceptor.on_accept(ballot(3), Slot(0), &value("a"), false, &mut probe),
            Verdict::PromiseFirst
        );
        assert_eq!(acceptor.promised(), ballot(3));
        assert_eq!(
            acceptor.on_accept(ballot(3), Slot(0), &value("a"), true, &mut probe),
            Verdict::New
        );
    }

    #[test]
    #[should_panic(expected = "contract VotePrecedesMaxBal")]
    fn a_vote_above_the_promise_breaks_its_contract() {
        Acceptor::default().cast(ballot(1), Slot(0), value("a"), Lsn(1), &mut Full::default());
    }

    #[test]
    #[should_panic(expected = "contract VotesAboveTruncationPoint")]
    fn a_vote_in_a_forgotten_slot_breaks_its_contract() {
        let mut acceptor = Acceptor::recover(ballot(5), Sorted::new());
        acceptor.forget_below(Slot(3), &mut Full::default());
        acceptor.cast(ballot(5), Slot(2), value("a"), Lsn(1), &mut Full::default());
    }

    #[test]
    #[should_panic(expected = "contract LogTruncationPointMonotonic")]
    fn a_truncation_point_that_falls_breaks_its_contract() {
        let mut acceptor = Acceptor::default();
        for slot in [3, 2] {
            acceptor.forget_below(Slot(slot), &mut Full::default());
        }
    }

    #[test]
    #[should_panic(expected = "contract VotedBallotsIncrease")]
    fn a_second_vote_at_a_ballot_breaks_its_contract() {
        let mut acceptor = Acceptor::recover(ballot(5), Sorted::new());
        acceptor.cast(ballot(2), Slot(0), value("a"), Lsn(1), &mut Full::default());
        acceptor.cast(ballot(2), Slot(0), value("b"), Lsn(2), &mut Full::default());
    }
}
