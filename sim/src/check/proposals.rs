//! A proposal is safe: among some majority of replicas that promised its ballot, the vote at the
//! highest ballot that they reported for its slot is for its value, or none of them reported any.
//!
//! Promises count when they have come to the candidate, as they were sent. Its promise to itself is
//! never sent; in its place stands the highest vote below the ballot that its media hold,
//! and any higher proposal of the slot, for which it may have voted in memory. A value that is
//! chosen is always safe, whoever told the proposer of it.
//!
//! (Lamport, *Paxos Made Simple*, P2c.)

use smallvec::SmallVec;

use crate::check::checker::Checker;
use crate::check::ghost::Ghost;
use crate::check::signal::{BallotWord, Finding, Hears, Signal};
use crate::ids::Node;
use crate::subject::process::{Claim, Report};

/// How strongly a promise binds a slot to a value: a value that is chosen above all votes, and no
/// vote below them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
struct Rank {
    chosen: bool,
    ballot: BallotWord,
}

/// What one replica has told of a slot.
#[derive(Clone, Copy, Debug)]
struct Told {
    node: Node,
    rank: Rank,
    value: u64,
}

/// The checker.
#[derive(Clone, Debug)]
pub struct Proposals {
    replicas: u8,
    /// The last proposal, which goes to one peer after the other.
    last: Option<(Node, BallotWord, u64, u64)>,
    checked: u64,
}

impl Checker for Proposals {
    const NAME: &'static str = "proposals";
    const HEARS: Hears = Hears::CLAIMS;
    const ASKS_GHOST: bool = true;

    fn new(replicas: u8) -> Self {
        Self {
            replicas,
            last: None,
            checked: 0,
        }
    }

    fn hear(&mut self, ghost: &Ghost, signal: &Signal<'_>) -> Finding {
        let Signal::Claim(
            node,
            Claim::Proposal {
                ballot,
                slot,
                value,
            },
        ) = *signal
        else {
            return Ok(());
        };
        let ballot = BallotWord::of(*ballot);
        if self.last.replace((node, ballot, *slot, *value)) == Some((node, ballot, *slot, *value))
            || !ghost.reads_media()
        {
            return Ok(());
        }
        self.checked += 1;
        if ballot.owner() != node {
            return Err(format!(
                "{node} proposes in slot {slot} at {ballot}, which is not its own"
            ));
        }
        if ghost.chosen(*slot) == Some(*value) {
            return Ok(());
        }
        self.judge(ghost, node, ballot, *slot, *value)
    }

    fn checked(&self) -> u64 {
        self.checked
    }
}

impl Proposals {
    fn judge(
        &self,
        ghost: &Ghost,
        leader: Node,
        ballot: BallotWord,
        slot: u64,
        value: u64,
    ) -> Finding {
        let told = told(ghost, leader, ballot, slot);
        let quorum = usize::from(self.replicas) / 2 + 1;
        // A majority of those that have told nothing above a rank.
        let is_majority = |rank: Rank| {
            let mut nodes = 0u64;
            for told in told.iter().filter(|told| told.rank <= rank) {
                nodes |= 1 << told.node.0;
            }
            nodes.count_ones() as usize >= quorum
        };
        let bound = |told: &&Told| told.rank == Rank::default() || told.value == value;
        if told.iter().filter(bound).any(|told| is_majority(told.rank)) {
            return Ok(());
        }
        let all = Rank {
            chosen: true,
            ballot: BallotWord::MAX,
        };
        if is_majority(all) {
            Err(format!(
                "{leader} proposes a value in slot {slot} at {ballot} that no majority of the \
                 promises allows"
            ))
        } else {
            Err(format!(
                "{leader} proposes in slot {slot} at {ballot}, and no majority has promised that \
                 and told it of the slot"
            ))
        }
    }
}

/// What each replica that promised the ballot has told the leader of the slot.
fn told(ghost: &Ghost, leader: Node, ballot: BallotWord, slot: u64) -> SmallVec<[Told; 8]> {
    let nothing = |node| Told {
        node,
        rank: Rank::default(),
        value: 0,
    };
    let mut told = SmallVec::new();
    for page in ghost.grants().of(ballot) {
        if page.heard && page.by != leader && page.covers(slot) {
            told.push(page.report(slot).map_or(nothing(page.by), |report| Told {
                node: page.by,
                rank: rank(report),
                value: report.value,
            }));
        }
    }
    if ghost.promised(leader) >= ballot {
        let least = ghost.tallies().vote_below(leader, slot, ballot);
        let least = least.map_or(BallotWord::NONE, |vote| vote.ballot);
        if least == BallotWord::NONE {
            told.push(nothing(leader));
        }
        let tallies = ghost.tallies().of(slot).iter();
        let may_be_voted = tallies.filter(|tally| (least..ballot).contains(&tally.ballot));
        told.extend(may_be_voted.map(|tally| Told {
            node: leader,
            rank: Rank {
                chosen: false,
                ballot: tally.ballot,
            },
            value: tally.value,
        }));
    }
    told
}

fn rank(report: &Report) -> Rank {
    Rank {
        chosen: report.chosen,
        ballot: if report.chosen {
            BallotWord::NONE
        } else {
            BallotWord::of(report.ballot)
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::process::{Durable, Promise};

    const BALLOT: (u64, u8) = (3, 0);

    /// A ghost and the checker that asks it.
    #[derive(Clone)]
    struct Court(Ghost, Proposals);

    impl Court {
        /// Five replicas; r1 has promised itself 3.r1.
        fn new() -> Self {
            let mut court = Self(Ghost::new(5, true), Proposals::new(5));
            court.tell(&Signal::Durable(Node(0), &Durable::Promise(BALLOT)));
            court
        }

        fn tell(&mut self, signal: &Signal<'_>) {
            self.0.hear(signal).unwrap();
            self.1.hear(&self.0, signal).unwrap();
        }

        /// The node promises 3.r1 from slot 4 on with these reports, and r1 hears it.
        fn promise(&mut self, node: u8, next: Option<u64>, reports: &[Report]) {
            let promise = page(next, reports);
            self.tell(&Signal::Claim(Node(node), &Claim::Promise(promise.clone())));
            self.tell(&Signal::Heard(Node(0), Node(node), &promise));
        }

        fn vote(&mut self, node: u8, slot: u64, ballot: (u64, u8), value: u64) {
            let vote = Durable::Vote {
                slot,
                ballot,
                value,
            };
            self.tell(&Signal::Durable(Node(node), &vote));
        }

        /// What is found when r1 proposes now.
        fn proposes(&self, slot: u64, value: u64) -> Finding {
            let mut court = self.clone();
            let claim = Claim::Proposal {
                ballot: BALLOT,
                slot,
                value,
            };
            court.1.hear(&court.0, &Signal::Claim(Node(0), &claim))
        }
    }

    fn page(next: Option<u64>, reports: &[Report]) -> Promise {
        Promise {
            ballot: BALLOT,
            from: 4,
            next,
            reports: reports.to_vec(),
        }
    }

    fn report(slot: u64, ballot: (u64, u8), value: u64) -> Report {
        Report {
            slot,
            ballot,
            value,
            chosen: false,
        }
    }

    #[test]
    fn a_proposal_needs_a_majority_of_promises_for_its_slot() {
        let mut court = Court::new();
        court.promise(1, None, &[]);
        court.promise(1, None, &[report(9, (1, 1), 7)]);
        assert_eq!(
            court.proposes(4, 7).unwrap_err(),
            "r1 proposes in slot 4 at 3.r1, and no majority has promised that and told it of the slot"
        );
        court.promise(2, Some(8), &[]);
        court.proposes(4, 7).unwrap();
        court.proposes(3, 7).unwrap_err();
        court.proposes(8, 7).unwrap_err();
        court.promise(2, None, &[]);
        court.proposes(8, 7).unwrap();
        let claim = Claim::Proposal {
            ballot: (3, 1),
            slot: 4,
            value: 7,
        };
        let error = court.1.hear(&court.0, &Signal::Claim(Node(0), &claim));
        assert_eq!(
            error.unwrap_err(),
            "r1 proposes in slot 4 at 3.r2, which is not its own"
        );
        assert_eq!(court.1.checked(), 1);
    }

    #[test]
    fn a_promise_counts_once_it_has_come_and_until_the_next_boot() {
        let mut court = Court::new();
        let promise = page(None, &[]);
        for node in 1..3 {
            let claim = Claim::Promise(promise.clone());
            court.tell(&Signal::Claim(Node(node), &claim));
            court.tell(&Signal::Heard(Node(0), Node(1), &promise));
        }
        court.proposes(4, 7).unwrap_err();
        court.tell(&Signal::Heard(Node(0), Node(2), &page(Some(9), &[])));
        court.tell(&Signal::Heard(Node(3), Node(2), &promise));
        court.proposes(4, 7).unwrap_err();
        court.tell(&Signal::Heard(Node(0), Node(2), &promise));
        court.proposes(4, 7).unwrap();
        court.tell(&Signal::Boot(Node(1)));
        court.proposes(4, 7).unwrap();
        court.tell(&Signal::Boot(Node(0)));
        court.proposes(4, 7).unwrap_err();
    }

    #[test]
    fn the_highest_vote_of_some_majority_binds() {
        let mut court = Court::new();
        court.promise(1, None, &[report(5, (2, 1), 7)]);
        court.promise(2, None, &[report(5, (1, 1), 8)]);
        court.proposes(5, 7).unwrap();
        assert_eq!(
            court.proposes(5, 8).unwrap_err(),
            "r1 proposes a value in slot 5 at 3.r1 that no majority of the promises allows"
        );
        court.proposes(5, 9).unwrap_err();
        court.proposes(6, 9).unwrap();
        court.promise(3, None, &[]);
        court.proposes(5, 8).unwrap();
        court.proposes(5, 9).unwrap_err();
        court.promise(4, None, &[]);
        court.proposes(5, 9).unwrap();
    }

    #[test]
    fn the_leaders_own_votes_are_read_off_its_media() {
        let mut court = Court::new();
        court.promise(1, None, &[]);
        court.promise(2, None, &[]);
        court.vote(0, 5, (2, 1), 7);
        court.proposes(5, 7).unwrap();
        court.proposes(5, 8).unwrap_err();
        court.vote(1, 6, (2, 1), 7);
        court.proposes(6, 7).unwrap();
        court.proposes(6, 8).unwrap();
        court.vote(1, 5, (1, 1), 8);
        court.proposes(5, 8).unwrap_err();
    }

    #[test]
    fn what_is_chosen_is_safe_and_binds_above_all_votes() {
        let mut court = Court::new();
        court.promise(1, None, &[report(5, (2, 1), 7)]);
        let chosen = Report {
            chosen: true,
            ..report(5, (0, 0), 8)
        };
        court.promise(2, None, &[chosen]);
        court.proposes(5, 8).unwrap();
        court.proposes(5, 7).unwrap_err();
        let mut court = Court::new();
        for node in 1..4 {
            court.vote(node, 5, (1, 1), 7);
        }
        court.proposes(5, 7).unwrap();
        court.proposes(5, 8).unwrap_err();
    }
}
