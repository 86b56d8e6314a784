//! A promise is true, and it is kept.
//!
//! *True*: a page of a promise reports, from its first slot on, every vote below the promised ballot
//! that the sender's media hold, at its ballot and with its value, or the value that is chosen in
//! the slot. A vote that is not durable yet may be reported as well, if that value was proposed.
//!
//! *Kept*: when a vote becomes durable later, below a promise that was sent, then it was cast before
//! that promise, and the promise reported it or a higher one. This needs no word of the engine: a
//! vote that was cast in time and waited for the disk is told from one that was cast against the
//! promise by what the promise said. A vote is a promise as well: the votes of a boot come to the
//! media in the order in which they were cast, and their ballots never fall. Whoever does not trust
//! a sync that failed writes the same votes anew, though they may be there already.
//!
//! Votes at the promised ballot and above are none of its business. A candidate's promise to itself is
//! never sent; `proposals` looks at what follows from it.
//!
//! (Lamport, *Paxos Made Simple*, phase 1b and P1a.)

use crate::check::checker::Checker;
use crate::check::ghost::Ghost;
use crate::check::signal::{BallotWord, Finding, Hears, Signal, of_node};
use crate::ids::Node;
use crate::subject::process::{Claim, Durable, Promise, Report};

/// The checker.
#[derive(Clone, Debug)]
pub struct Promises {
    /// By replica, the votes of its present boot; none when it is down or recovers: it may write old
    /// votes anew, and what it never synced survives in any order.
    cast: Vec<Option<Cast>>,
    checked: u64,
}

/// The votes of a boot that came to the media.
#[derive(Clone, Debug, Default)]
struct Cast {
    highest: Option<BallotWord>,
    /// Slot, ballot and value of each, in order.
    votes: Vec<(u64, BallotWord, u64)>,
}

impl Checker for Promises {
    const NAME: &'static str = "promises";
    const HEARS: Hears = Hears::BOOTS.and(Hears::CLAIMS).and(Hears::MEDIA);
    const ASKS_GHOST: bool = true;

    fn new(replicas: u8) -> Self {
        Self {
            cast: vec![None; usize::from(replicas)],
            checked: 0,
        }
    }

    fn hear(&mut self, ghost: &Ghost, signal: &Signal<'_>) -> Finding {
        if !ghost.reads_media() {
            return Ok(());
        }
        match *signal {
            Signal::Boot(node) | Signal::PowerLost(node) => {
                *of_node(&mut self.cast, node)? = None;
                Ok(())
            }
            Signal::Ready(node) => {
                *of_node(&mut self.cast, node)? = Some(Cast::default());
                Ok(())
            }
            Signal::Claim(node, Claim::Promise(promise)) => {
                self.checked += 1;
                is_possible(ghost, node, promise)?;
                is_complete(ghost, node, promise)
            }
            Signal::Durable(
                node,
                Durable::Vote {
                    slot,
                    ballot,
                    value,
                },
            ) => {
                let ballot = BallotWord::of(*ballot);
                self.rises(node, (*slot, ballot, *value))?;
                self.is_kept(ghost, node, *slot, ballot, *value)
            }
            _ => Ok(()),
        }
    }

    fn checked(&self) -> u64 {
        self.checked
    }
}

/// Whether everything that a promise reports can be so.
fn is_possible(ghost: &Ghost, node: Node, promise: &Promise) -> Finding {
    let promised = BallotWord::of(promise.ballot);
    for report in &promise.reports {
        let Report { slot, value, .. } = *report;
        let ballot = BallotWord::of(report.ballot);
        if report.chosen {
            if ghost.chosen(slot) != Some(value) {
                return Err(format!(
                    "{node} promises {promised} and reports a value as chosen in slot {slot}, \
                     which is not"
                ));
            }
        } else if ballot > promised {
            return Err(format!(
                "{node} promises {promised} and reports a vote in slot {slot} at {ballot}"
            ));
        } else if ghost.tallies().proposed(slot, ballot) != Some(value) {
            return Err(format!(
                "{node} promises {promised} and reports a vote in slot {slot} at {ballot} for a \
                 value that was not proposed there"
            ));
        }
    }
    Ok(())
}

/// Whether a promise reports every vote that is durable at its sender.
fn is_complete(ghost: &Ghost, node: Node, promise: &Promise) -> Finding {
    let promised = BallotWord::of(promise.ballot);
    let slots = (promise.from, promise.next.unwrap_or(u64::MAX));
    let mut reports = promise.reports.iter().peekable();
    for (slot, vote) in ghost.tallies().votes_below(node, slots, promised) {
        while reports.next_if(|report| report.slot < slot).is_some() {}
        match reports.peek().filter(|report| report.slot == slot) {
            None => {
                return Err(format!(
                    "{node} promises {promised} and leaves out its vote in slot {slot} at {}",
                    vote.ballot
                ));
            }
            Some(report) if !tells_of(report, vote.ballot) => {
                return Err(format!(
                    "{node} promises {promised} and reports a vote in slot {slot} at {}, and has \
                     voted at {}",
                    BallotWord::of(report.ballot),
                    vote.ballot
                ));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Whether a report covers a vote at that ballot.
fn tells_of(report: &Report, ballot: BallotWord) -> bool {
    report.chosen || BallotWord::of(report.ballot) >= ballot
}

impl Promises {
    /// A vote is durable: no vote of the same boot that came before it is higher, unless it came
    /// before as well.
    fn rises(&mut self, node: Node, vote: (u64, BallotWord, u64)) -> Finding {
        let Some(Cast { highest, votes }) = of_node(&mut self.cast, node)? else {
            return Ok(());
        };
        self.checked += 1;
        let (slot, ballot, _) = vote;
        match highest {
            Some(highest) if ballot < *highest => {
                if !votes.contains(&vote) {
                    return Err(format!(
                        "{node} votes in slot {slot} at {ballot}, after it voted at {highest}"
                    ));
                }
            }
            _ => {
                *highest = Some(ballot);
                votes.push(vote);
            }
        }
        Ok(())
    }

    /// A vote is durable: every promise above it that was sent for its slot has told of it.
    fn is_kept(
        &mut self,
        ghost: &Ghost,
        node: Node,
        slot: u64,
        ballot: BallotWord,
        value: u64,
    ) -> Finding {
        for (promised, page) in ghost.grants().above(ballot, node) {
            if !page.covers(slot) {
                continue;
            }
            self.checked += 1;
            let report = page.report(slot);
            let same = |report: &Report| {
                report.chosen || BallotWord::of(report.ballot) > ballot || report.value == value
            };
            if !report.is_some_and(|report| tells_of(report, ballot) && same(report)) {
                return Err(format!(
                    "{node} has a vote in slot {slot} at {ballot}, of which its promise of \
                     {promised} says nothing"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const R1: Node = Node(0);

    /// A ghost and the checker that asks it.
    struct Court(Ghost, Promises);

    impl Court {
        /// In slot 4 r1 has durably voted for 7 at 1.r1 and 2.r2, in slot 6 for 9 at 1.r1; in slot 5
        /// 8 was proposed at 1.r1, and in slot 2 it is chosen.
        fn new() -> Self {
            let mut court = Self(Ghost::new(3, true), Promises::new(3));
            for (node, slot, ballot, value) in [
                (0, 4, (1, 0), 7),
                (0, 4, (2, 1), 7),
                (0, 6, (1, 0), 9),
                (1, 5, (1, 0), 8),
                (1, 2, (1, 0), 8),
                (2, 2, (1, 0), 8),
            ] {
                court.vote(node, slot, ballot, value).unwrap();
            }
            court
        }

        fn hear(&mut self, signal: &Signal<'_>) -> Finding {
            self.0.hear(signal).unwrap();
            self.1.hear(&self.0, signal)
        }

        fn vote(&mut self, node: u8, slot: u64, ballot: (u64, u8), value: u64) -> Finding {
            let vote = Durable::Vote {
                slot,
                ballot,
                value,
            };
            self.hear(&Signal::Durable(Node(node), &vote))
        }

        /// r1 promises 3.r3 from slot 4 on.
        fn promise(&mut self, next: Option<u64>, reports: &[Report]) -> Finding {
            let promise = Promise {
                ballot: (3, 2),
                from: reports.first().map_or(4, |report| report.slot.min(4)),
                next,
                reports: reports.to_vec(),
            };
            self.hear(&Signal::Claim(R1, &Claim::Promise(promise)))
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

    fn chosen(slot: u64, value: u64) -> Report {
        Report {
            chosen: true,
            ..report(slot, (0, 0), value)
        }
    }

    #[test]
    fn a_true_promise_passes() {
        let (four, six) = (report(4, (2, 1), 7), report(6, (1, 0), 9));
        let mut court = Court::new();
        court.promise(None, &[four, six]).unwrap();
        court.promise(Some(6), &[four]).unwrap();
        let unsynced = report(5, (1, 0), 8);
        court.promise(None, &[four, unsynced, six]).unwrap();
        court.promise(None, &[chosen(2, 8), four, six]).unwrap();
        let late = report(4, (3, 2), 7);
        court.vote(0, 4, (3, 2), 7).unwrap();
        court.promise(None, &[late, six]).unwrap();
        assert_eq!(court.1.checked(), 5);
    }

    #[test]
    fn a_vote_that_is_left_out_or_lowered_is_found() {
        let (four, six) = (report(4, (2, 1), 7), report(6, (1, 0), 9));
        let error = |reports: &[Report]| Court::new().promise(None, reports).unwrap_err();
        assert_eq!(
            error(&[four]),
            "r1 promises 3.r3 and leaves out its vote in slot 6 at 1.r1"
        );
        assert_eq!(
            error(&[report(4, (1, 0), 7), six]),
            "r1 promises 3.r3 and reports a vote in slot 4 at 1.r1, and has voted at 2.r2"
        );
        Court::new().promise(Some(7), &[four]).unwrap_err();
    }

    #[test]
    fn a_report_that_cannot_be_is_found() {
        let six = report(6, (1, 0), 9);
        let error = |first: Report| Court::new().promise(None, &[first, six]).unwrap_err();
        assert_eq!(
            error(report(4, (3, 2), 7)),
            "r1 promises 3.r3 and reports a vote in slot 4 at 3.r3 for a value that was not \
             proposed there"
        );
        error(report(4, (2, 1), 8));
        assert_eq!(
            error(report(4, (4, 0), 7)),
            "r1 promises 3.r3 and reports a vote in slot 4 at 4.r1"
        );
        assert_eq!(
            error(chosen(4, 7)),
            "r1 promises 3.r3 and reports a value as chosen in slot 4, which is not"
        );
        error(chosen(2, 9));
    }

    #[test]
    fn a_vote_below_a_promise_was_told_of_by_it() {
        let mut court = Court::new();
        let (four, unsynced) = (report(4, (2, 1), 7), report(5, (1, 0), 8));
        let six = report(6, (1, 0), 9);
        court.promise(Some(9), &[four, unsynced, six]).unwrap();
        court.vote(0, 5, (1, 0), 8).unwrap();
        court.vote(0, 4, (1, 0), 7).unwrap();
        court.vote(0, 7, (3, 2), 9).unwrap();
        court.vote(1, 7, (2, 1), 9).unwrap();
        court.vote(0, 9, (2, 1), 9).unwrap();
        court.vote(0, 3, (2, 1), 9).unwrap();
        for (slot, ballot, value) in [(5, (2, 1), 8), (6, (2, 1), 9), (7, (2, 1), 9)] {
            let mut court = Court(court.0.clone(), court.1.clone());
            assert_eq!(
                court.vote(0, slot, ballot, value).unwrap_err(),
                format!(
                    "r1 has a vote in slot {slot} at 2.r2, of which its promise of 3.r3 says \
                     nothing"
                )
            );
        }
        assert_eq!(court.1.checked(), 3);
    }

    #[test]
    fn the_votes_of_a_boot_rise() {
        let mut court = Court::new();
        court.hear(&Signal::Ready(R1)).unwrap();
        court.vote(0, 7, (1, 1), 9).unwrap();
        court.vote(0, 8, (2, 2), 9).unwrap();
        court.vote(0, 9, (2, 2), 9).unwrap();
        court.vote(1, 9, (1, 2), 9).unwrap();
        assert_eq!(court.1.checked(), 3);
        assert_eq!(
            court.vote(0, 9, (1, 1), 9).unwrap_err(),
            "r1 votes in slot 9 at 1.r2, after it voted at 2.r3"
        );
        for again in [(7, (1, 1), 9), (8, (2, 2), 9)] {
            court.vote(0, again.0, again.1, again.2).unwrap();
        }
        for ends in [Signal::Boot(R1), Signal::PowerLost(R1)] {
            let mut court = Court(court.0.clone(), court.1.clone());
            court.hear(&ends).unwrap();
            court.vote(0, 7, (1, 1), 9).unwrap();
            court.hear(&Signal::Ready(R1)).unwrap();
            court.vote(0, 8, (2, 2), 9).unwrap();
            court.vote(0, 7, (1, 1), 9).unwrap_err();
        }
    }
}
