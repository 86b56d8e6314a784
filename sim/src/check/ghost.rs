//! The ghost: Multi-Paxos as its definition has it, a couple of hundred lines, that computes what
//! is *chosen* by itself.
//!
//! It is fed with what is on the media (votes and promises that a successful sync covered, read by
//! code that the engine has no part in), with the promises and proposals that replicas send each
//! other, and with what they say that they did. A value is chosen in a slot when a majority has a
//! durable vote for it at one ballot. Every fact must be a legal step: nothing is learned that is
//! not chosen, nobody leads without a quorum of promises, nobody votes below its promise.
//!
//! What a node voted for may become durable after a higher promise did, when the vote was cast
//! before it; so on the media the ghost judges the order of votes and promises only across boots.
//! Within a boot `promises` does, off the media and what was sent. Facts are judged, and prove
//! nothing: none of them makes a value proposed, voted for or chosen, or a check end.
//!
//! It leaves out the membership: the configuration is all replicas.

use crate::check::chunked::Chunked;
use crate::check::grants::Grants;
use crate::check::signal::{BallotWord, Finding, Hears, Signal, of_node};
use crate::check::tallies::{Refused, Tallies, Tally};
use crate::ids::Node;
use crate::subject::process::{Claim, Durable};
use crate::trace::event::Fact;

/// A slot's chosen value; at no ballot: nothing is chosen.
#[derive(Clone, Copy, Default, Debug)]
struct Chosen {
    /// The lowest ballot at which a majority was seen.
    ballot: BallotWord,
    value: u64,
}

/// One replica as an acceptor.
#[derive(Clone, Copy, Default, Debug)]
struct Acceptor {
    /// The highest durable promise.
    promised: BallotWord,
    /// The highest ballot of a durable vote.
    voted: BallotWord,
    /// The promise in memory, in this boot, as far as facts tell.
    memory: BallotWord,
    /// The durable promise at the end of this boot's recovery: no vote of this boot is below. None
    /// until then.
    floor: Option<BallotWord>,
}

/// The definition, run beside the engine.
#[derive(Clone, Debug)]
pub struct Ghost {
    acceptors: Vec<Acceptor>,
    chosen: Chunked<Chosen>,
    tallies: Tallies,
    grants: Grants,
    /// The first slot that is not known to be chosen.
    chosen_below: u64,
    /// Ballots that were led, in order.
    led: Vec<BallotWord>,
    /// Media are read: without them nothing is chosen.
    media: bool,
    checked: u64,
}

/// Its name in verdicts.
pub const NAME: &str = "ghost";

/// The signals that it needs.
pub const HEARS: Hears = Hears::BOOTS
    .and(Hears::MEDIA)
    .and(Hears::CLAIMS)
    .and(Hears::HEARD)
    .and(Hears::BALLOTS)
    .and(Hears::VOTED)
    .and(Hears::CHOSEN)
    .and(Hears::APPLIED);

impl Ghost {
    /// The ghost of a cluster of so many replicas; `media` says whether durable votes and promises
    /// will be told.
    #[must_use]
    pub fn new(replicas: u8, media: bool) -> Self {
        Self {
            acceptors: vec![Acceptor::default(); usize::from(replicas)],
            chosen: Chunked::default(),
            tallies: Tallies::default(),
            grants: Grants::new(replicas),
            chosen_below: 0,
            led: Vec::new(),
            media,
            checked: 0,
        }
    }

    /// Whether media are read, so that what is chosen is known.
    #[must_use]
    pub const fn reads_media(&self) -> bool {
        self.media
    }

    /// The hash of the value that is chosen in the slot.
    #[must_use]
    pub fn chosen(&self, slot: u64) -> Option<u64> {
        self.chosen
            .get(slot)
            .filter(|chosen| chosen.ballot > BallotWord::NONE)
            .map(|chosen| chosen.value)
    }

    /// The first slot that is not chosen.
    #[must_use]
    pub const fn chosen_below(&self) -> u64 {
        self.chosen_below
    }

    /// The highest promise that is durable at the node.
    #[must_use]
    pub fn promised(&self, node: Node) -> BallotWord {
        self.acceptors
            .get(usize::from(node.0))
            .map_or(BallotWord::NONE, |acceptor| acceptor.promised)
    }

    /// What was proposed in each slot, and who voted for it durably.
    #[must_use]
    pub const fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// The promises that were sent.
    #[must_use]
    pub const fn grants(&self) -> &Grants {
        &self.grants
    }

    /// How many steps it judged.
    #[must_use]
    pub const fn checked(&self) -> u64 {
        self.checked
    }

    /// The bytes that it holds, roughly.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.chosen.bytes()
            + self.tallies.bytes()
            + self.grants.bytes()
            + (self.led.len() * size_of::<BallotWord>()) as u64
    }

    /// Takes a step.
    ///
    /// # Errors
    /// Why the step is not legal.
    pub fn hear(&mut self, signal: &Signal<'_>) -> Finding {
        match *signal {
            Signal::Boot(node) => {
                let acceptor = of_node(&mut self.acceptors, node)?;
                (acceptor.memory, acceptor.floor) = (BallotWord::NONE, None);
                self.grants.booted(node);
                Ok(())
            }
            Signal::Ready(node) => {
                let acceptor = of_node(&mut self.acceptors, node)?;
                acceptor.floor = Some(acceptor.promised);
                Ok(())
            }
            Signal::Durable(node, Durable::Promise(ballot)) => {
                let acceptor = of_node(&mut self.acceptors, node)?;
                acceptor.promised = acceptor.promised.max(BallotWord::of(*ballot));
                Ok(())
            }
            Signal::Durable(
                node,
                Durable::Vote {
                    slot,
                    ballot,
                    value,
                },
            ) => self.vote(node, *slot, BallotWord::of(*ballot), *value),
            Signal::Claim(node, Claim::Promise(promise)) => {
                self.grants.sent(node, promise);
                Ok(())
            }
            Signal::Heard(node, from, promise) => {
                self.grants.heard(node, from, promise);
                Ok(())
            }
            Signal::Claim(
                node,
                Claim::Proposal {
                    ballot,
                    slot,
                    value,
                },
            ) => self
                .propose(node, "proposes", *slot, BallotWord::of(*ballot), *value)
                .map(|_| ()),
            Signal::Fact(node, fact) => self.fact(node, fact),
            _ => Ok(()),
        }
    }

    /// A vote is durable.
    fn vote(&mut self, node: Node, slot: u64, ballot: BallotWord, value: u64) -> Finding {
        let acceptor = of_node(&mut self.acceptors, node)?;
        acceptor.voted = acceptor.voted.max(ballot);
        let floor = acceptor.floor;
        let quorum = self.acceptors.len() as u32 / 2 + 1;
        let tally = self.propose(node, "votes for", slot, ballot, value)?;
        let bit = 1 << node.0;
        if tally.voters & bit != 0 {
            return Ok(());
        }
        tally.voters |= bit;
        if tally.voters.count_ones() >= quorum {
            self.choose(slot, ballot, value)?;
        }
        match floor {
            Some(floor) if ballot < floor => Err(format!(
                "{node} voted in slot {slot} at {ballot}, below {floor}, which it had promised \
                 before it booted"
            )),
            _ => Ok(()),
        }
    }

    /// A value is proposed, or somebody votes for it durably: the tally of its ballot.
    fn propose(
        &mut self,
        node: Node,
        verb: &str,
        slot: u64,
        ballot: BallotWord,
        value: u64,
    ) -> Result<&mut Tally, String> {
        self.checked += 1;
        self.goes_with_what_is_chosen(node, verb, slot, ballot, value)?;
        self.tallies
            .entry(slot, ballot, value)
            .map_err(|refused| match refused {
                Refused::OutOfReach => {
                    format!("{node} {verb} a value in slot {slot}, which nobody can have reached")
                }
                Refused::AnotherValue => second_value(node, slot, ballot),
            })
    }

    /// Above the ballot at which a value was chosen there is no other one.
    fn goes_with_what_is_chosen(
        &self,
        node: Node,
        verb: &str,
        slot: u64,
        ballot: BallotWord,
        value: u64,
    ) -> Finding {
        match self.chosen.get(slot) {
            Some(chosen)
                if chosen.ballot > BallotWord::NONE
                    && ballot > chosen.ballot
                    && value != chosen.value =>
            {
                Err(format!(
                    "{node} {verb} another value in slot {slot} at {ballot} than the one chosen \
                     at {}",
                    chosen.ballot
                ))
            }
            _ => Ok(()),
        }
    }

    /// A majority voted for the value at the ballot.
    fn choose(&mut self, slot: u64, ballot: BallotWord, value: u64) -> Finding {
        let Some(chosen) = self.chosen.entry(slot) else {
            return Ok(());
        };
        let first = chosen.ballot == BallotWord::NONE;
        if !first && chosen.value != value {
            return Err(format!(
                "two values are chosen in slot {slot}, at {} and at {ballot}",
                chosen.ballot
            ));
        }
        if !first && chosen.ballot <= ballot {
            return Ok(());
        }
        *chosen = Chosen { ballot, value };
        if let Some(other) = self
            .tallies
            .of(slot)
            .iter()
            .find(|tally| tally.ballot > ballot && tally.value != value)
        {
            return Err(format!(
                "slot {slot} is chosen at {ballot}, and another value is proposed at {}",
                other.ballot
            ));
        }
        while self.chosen(self.chosen_below).is_some() {
            self.chosen_below += 1;
        }
        Ok(())
    }

    /// A replica says that it did something.
    fn fact(&mut self, node: Node, fact: &Fact) -> Finding {
        match *fact {
            Fact::Recovered {
                promised,
                chosen_below,
                ..
            } => self.recovered(node, BallotWord::of(promised), chosen_below),
            Fact::Promised(ballot) => {
                let acceptor = of_node(&mut self.acceptors, node)?;
                acceptor.memory = acceptor.memory.max(BallotWord::of(ballot));
                Ok(())
            }
            Fact::Voted {
                slot,
                ballot,
                value,
            } => self.cast(node, slot, BallotWord::of(ballot), value),
            Fact::Led(ballot) => self.lead(node, BallotWord::of(ballot)),
            Fact::Chosen { slot, value } => self.learned(node, slot, value, "takes for chosen"),
            Fact::Applied { slot, value, .. } => self.learned(node, slot, value, "applies"),
            Fact::Campaigned(_) | Fact::SteppedDown(_) | Fact::Executed { .. } => Ok(()),
        }
    }

    fn recovered(&mut self, node: Node, promised: BallotWord, chosen_below: u64) -> Finding {
        let acceptor = of_node(&mut self.acceptors, node)?;
        acceptor.memory = promised;
        if !self.media {
            return Ok(());
        }
        self.checked += 1;
        if promised < acceptor.voted {
            return Err(format!(
                "{node} comes back with the promise {promised}, and has voted at {}",
                acceptor.voted
            ));
        }
        if chosen_below > self.chosen_below {
            return Err(format!(
                "{node} comes back taking slot {} for chosen, and it is not",
                self.chosen_below
            ));
        }
        Ok(())
    }

    /// A vote was cast in memory.
    fn cast(&mut self, node: Node, slot: u64, ballot: BallotWord, value: u64) -> Finding {
        let acceptor = of_node(&mut self.acceptors, node)?;
        let memory = acceptor.memory;
        acceptor.memory = memory.max(ballot);
        if ballot < memory {
            return Err(format!(
                "{node} votes in slot {slot} at {ballot}, below its promise {memory}"
            ));
        }
        if self.led.binary_search(&ballot).is_err() {
            return Err(format!(
                "{node} votes in slot {slot} at {ballot}, which nobody leads"
            ));
        }
        self.checked += 1;
        self.goes_with_what_is_chosen(node, "votes for", slot, ballot, value)?;
        match self.tallies.proposed(slot, ballot) {
            Some(proposed) if proposed != value => Err(second_value(node, slot, ballot)),
            _ => Ok(()),
        }
    }

    /// Phase 1 of the ballot is complete.
    fn lead(&mut self, node: Node, ballot: BallotWord) -> Finding {
        self.checked += 1;
        if let Err(at) = self.led.binary_search(&ballot) {
            self.led.insert(at, ballot);
        }
        let promised = self
            .acceptors
            .iter()
            .filter(|acceptor| acceptor.promised >= ballot)
            .count();
        if self.media && promised <= self.acceptors.len() / 2 {
            return Err(format!(
                "{node} leads {ballot} with durable promises of {promised} of {} replicas",
                self.acceptors.len()
            ));
        }
        Ok(())
    }

    fn learned(&mut self, node: Node, slot: u64, value: u64, verb: &str) -> Finding {
        if !self.media {
            return Ok(());
        }
        self.checked += 1;
        match self.chosen(slot) {
            Some(chosen) if chosen == value => Ok(()),
            Some(_) => Err(format!(
                "{node} {verb} another value in slot {slot} than the one that is chosen"
            )),
            None => Err(format!(
                "{node} {verb} a value in slot {slot}, where nothing is chosen"
            )),
        }
    }
}

fn second_value(node: Node, slot: u64, ballot: BallotWord) -> String {
    format!("slot {slot} has two values at ballot {ballot}, the second one by {node}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(ghost: &mut Ghost, node: u8, slot: u64, ballot: (u64, u8), value: u64) -> Finding {
        ghost.hear(&Signal::Durable(
            Node(node),
            &Durable::Vote {
                slot,
                ballot,
                value,
            },
        ))
    }

    fn fact(ghost: &mut Ghost, node: u8, fact: Fact) -> Finding {
        ghost.hear(&Signal::Fact(Node(node), &fact))
    }

    fn promise(ghost: &mut Ghost, node: u8, ballot: (u64, u8)) {
        ghost
            .hear(&Signal::Durable(Node(node), &Durable::Promise(ballot)))
            .unwrap();
    }

    #[test]
    fn a_majority_at_one_ballot_chooses() {
        let mut ghost = Ghost::new(3, true);
        vote(&mut ghost, 0, 0, (1, 0), 7).unwrap();
        vote(&mut ghost, 0, 0, (1, 0), 7).unwrap();
        assert_eq!(ghost.chosen(0), None, "one node twice is no majority");
        vote(&mut ghost, 1, 0, (2, 1), 7).unwrap();
        assert_eq!(ghost.chosen(0), None, "two ballots do not add up");
        vote(&mut ghost, 0, 0, (2, 1), 7).unwrap();
        assert_eq!((ghost.chosen(0), ghost.chosen_below()), (Some(7), 1));
        vote(&mut ghost, 2, 0, (1, 0), 8).unwrap_err();
    }

    #[test]
    fn votes_that_break_paxos_are_found() {
        let mut ghost = Ghost::new(3, true);
        vote(&mut ghost, 0, 0, (1, 0), 7).unwrap();
        let error = vote(&mut ghost.clone(), 1, 0, (1, 0), 8).unwrap_err();
        assert!(error.contains("two values at ballot 1.r1"), "{error}");
        vote(&mut ghost, 1, 0, (1, 0), 7).unwrap();
        let error = vote(&mut ghost.clone(), 2, 0, (2, 2), 8).unwrap_err();
        assert!(
            error.contains("another value in slot 0 at 2.r3 than the one chosen at 1.r1"),
            "{error}"
        );
        vote(&mut ghost.clone(), 2, 0, (2, 2), 7).unwrap();
        vote(&mut ghost, 2, 0, (0, 2), 8).unwrap();

        let mut late = Ghost::new(3, true);
        vote(&mut late, 2, 0, (2, 2), 8).unwrap();
        vote(&mut late, 0, 0, (1, 0), 7).unwrap();
        let error = vote(&mut late, 1, 0, (1, 0), 7).unwrap_err();
        assert!(
            error.contains("another value is proposed at 2.r3"),
            "{error}"
        );
    }

    #[test]
    fn a_proposal_counts_as_it_is_sent() {
        let mut ghost = Ghost::new(3, true);
        let mut proposes = |node, slot, ballot, value| {
            let claim = Claim::Proposal {
                ballot,
                slot,
                value,
            };
            ghost.hear(&Signal::Claim(Node(node), &claim))
        };
        proposes(0, 0, (1, 0), 7).unwrap();
        proposes(0, 0, (1, 0), 7).unwrap();
        assert_eq!(
            proposes(0, 0, (1, 0), 8).unwrap_err(),
            "slot 0 has two values at ballot 1.r1, the second one by r1"
        );
        proposes(1, 0, (2, 1), 8).unwrap();
        vote(&mut ghost, 0, 0, (1, 0), 7).unwrap();
        let error = vote(&mut ghost, 1, 0, (1, 0), 7).unwrap_err();
        assert!(
            error.contains("another value is proposed at 2.r2"),
            "{error}"
        );
        assert_eq!(ghost.chosen(0), Some(7));
    }

    #[test]
    fn two_chosen_values_are_found_whatever_the_ballots_order() {
        let mut ghost = Ghost::new(5, true);
        for node in 0..3 {
            vote(&mut ghost, node, 4, (3, 0), 7).unwrap();
        }
        let errors: Vec<_> = (2..5)
            .filter_map(|node| vote(&mut ghost, node, 4, (2, 1), 8).err())
            .collect();
        assert_eq!(
            errors,
            ["two values are chosen in slot 4, at 3.r1 and at 2.r2"]
        );
    }

    #[test]
    fn facts_must_be_legal_steps() {
        let mut ghost = Ghost::new(3, true);
        let error = fact(&mut ghost.clone(), 0, Fact::Led((1, 0))).unwrap_err();
        assert!(error.contains("promises of 0 of 3"), "{error}");
        promise(&mut ghost, 0, (1, 0));
        promise(&mut ghost, 1, (1, 0));
        fact(&mut ghost, 0, Fact::Led((1, 0))).unwrap();
        fact(
            &mut ghost,
            0,
            Fact::Voted {
                slot: 0,
                ballot: (1, 0),
                value: 7,
            },
        )
        .unwrap();
        let error = fact(
            &mut ghost.clone(),
            1,
            Fact::Voted {
                slot: 0,
                ballot: (2, 1),
                value: 7,
            },
        )
        .unwrap_err();
        assert!(error.contains("which nobody leads"), "{error}");
        let error = fact(&mut ghost.clone(), 0, Fact::Chosen { slot: 0, value: 7 }).unwrap_err();
        assert!(error.contains("nothing is chosen"), "{error}");
        vote(&mut ghost, 0, 0, (1, 0), 7).unwrap();
        vote(&mut ghost, 1, 0, (1, 0), 7).unwrap();
        fact(&mut ghost, 0, Fact::Chosen { slot: 0, value: 7 }).unwrap();
        fact(
            &mut ghost,
            2,
            Fact::Applied {
                slot: 0,
                value: 7,
                state: 1,
            },
        )
        .unwrap();
        let error = fact(
            &mut ghost,
            2,
            Fact::Applied {
                slot: 0,
                value: 8,
                state: 1,
            },
        )
        .unwrap_err();
        assert!(error.contains("another value in slot 0"), "{error}");
        fact(&mut ghost, 1, Fact::Promised((3, 2))).unwrap();
        let error = fact(
            &mut ghost,
            1,
            Fact::Voted {
                slot: 1,
                ballot: (1, 0),
                value: 9,
            },
        )
        .unwrap_err();
        assert!(error.contains("below its promise 3.r3"), "{error}");
        assert!(ghost.checked() > 5);
    }

    #[test]
    fn recovery_must_know_what_was_promised_and_voted() {
        let mut ghost = Ghost::new(3, true);
        vote(&mut ghost, 0, 0, (2, 0), 7).unwrap();
        let back = |promised, chosen_below| Fact::Recovered {
            promised,
            chosen_below,
            torn: false,
        };
        fact(&mut ghost, 0, back((2, 0), 0)).unwrap();
        fact(&mut ghost, 0, back((1, 0), 0)).unwrap_err();
        fact(&mut ghost, 0, back((2, 0), 1)).unwrap_err();
    }

    #[test]
    fn on_the_media_a_vote_below_a_promise_is_judged_across_boots_only() {
        let mut ghost = Ghost::new(3, true);
        promise(&mut ghost, 0, (5, 0));
        vote(&mut ghost, 0, 0, (4, 1), 7).unwrap();
        ghost.hear(&Signal::Boot(Node(0))).unwrap();
        vote(&mut ghost, 0, 1, (4, 1), 7).unwrap();
        ghost.hear(&Signal::Ready(Node(0))).unwrap();
        vote(&mut ghost, 0, 0, (4, 1), 7).unwrap();
        vote(&mut ghost, 0, 2, (5, 0), 7).unwrap();
        let error = vote(&mut ghost, 0, 2, (4, 1), 7).unwrap_err();
        assert!(error.contains("before it booted"), "{error}");
    }

    #[test]
    fn what_everybody_says_that_it_applied_is_not_forgotten() {
        let mut ghost = Ghost::new(3, true);
        for slot in 0..130 {
            for node in 0..3 {
                vote(&mut ghost, node, slot, (1, 0), slot).unwrap();
            }
            for node in 0..3 {
                fact(
                    &mut ghost,
                    node,
                    Fact::Applied {
                        slot,
                        value: slot,
                        state: 0,
                    },
                )
                .unwrap();
            }
        }
        for slot in [0, 129] {
            let voted = |ballot| {
                let ballot = BallotWord::of(ballot);
                ghost.tallies().voted(Node(0), slot, ballot)
            };
            assert_eq!((voted((1, 0)), voted((2, 0))), (true, false));
        }
        vote(&mut ghost, 0, 3, (2, 1), 3).unwrap();
        vote(&mut ghost, 0, 3, (2, 1), 4).unwrap_err();
        vote(&mut ghost, 9, 3, (2, 1), 3).unwrap_err();
        vote(&mut ghost, 0, 1 << 60, (2, 1), 3).unwrap_err();
    }

    #[test]
    fn a_fact_is_judged_and_proves_nothing() {
        let mut ghost = Ghost::new(3, false);
        let ballot = (1, 0);
        fact(&mut ghost, 0, Fact::Led(ballot)).unwrap();
        let voted = |value| Fact::Voted {
            slot: 0,
            ballot,
            value,
        };
        fact(&mut ghost, 1, voted(7)).unwrap();
        assert_eq!(ghost.tallies().proposed(0, BallotWord::of(ballot)), None);
        vote(&mut ghost, 0, 0, ballot, 8).unwrap();
        assert_eq!(
            fact(&mut ghost, 1, voted(7)).unwrap_err(),
            "slot 0 has two values at ballot 1.r1, the second one by r2"
        );
    }
}
