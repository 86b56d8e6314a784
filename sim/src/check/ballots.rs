//! Ballot order: a replica's promise never goes down, in memory, on the media, or over a restart; a
//! ballot is led once, by its owner, and an owner leads ever higher ones.
//!
//! A promise that was in memory only may be forgotten by a restart; one that is durable may not.

use crate::check::checker::Checker;
use crate::check::ghost::Ghost;
use crate::check::signal::{BallotWord, Finding, Hears, Signal, of_node};
use crate::subject::process::Durable;
use crate::trace::event::Fact;

/// One replica.
#[derive(Clone, Copy, Default, Debug)]
struct Seen {
    /// The promise in this boot, as far as facts tell.
    memory: BallotWord,
    /// What the media held last.
    durable: BallotWord,
    /// The last ballot that it led, in any boot.
    led: BallotWord,
}

/// The checker.
#[derive(Clone, Debug)]
pub struct Ballots {
    nodes: Vec<Seen>,
    checked: u64,
}

impl Checker for Ballots {
    const NAME: &'static str = "ballots";
    const HEARS: Hears = Hears::BOOTS.and(Hears::BALLOTS).and(Hears::MEDIA);

    fn new(replicas: u8) -> Self {
        Self {
            nodes: vec![Seen::default(); usize::from(replicas)],
            checked: 0,
        }
    }

    fn hear(&mut self, _: &Ghost, signal: &Signal<'_>) -> Finding {
        match *signal {
            Signal::Boot(node) => of_node(&mut self.nodes, node)?.memory = BallotWord::NONE,
            Signal::Durable(node, Durable::Promise(ballot)) => {
                let (seen, ballot) = (of_node(&mut self.nodes, node)?, BallotWord::of(*ballot));
                self.checked += 1;
                let before = std::mem::replace(&mut seen.durable, ballot);
                if ballot < before {
                    return Err(format!(
                        "{node} replaces its durable promise {before} by {ballot}"
                    ));
                }
            }
            Signal::Fact(node, Fact::Recovered { promised, .. }) => {
                let (seen, promised) = (of_node(&mut self.nodes, node)?, BallotWord::of(*promised));
                self.checked += 1;
                seen.memory = promised;
                if promised < seen.durable {
                    return Err(format!(
                        "{node} comes back with the promise {promised}, and {} is durable",
                        seen.durable
                    ));
                }
                if promised < seen.led {
                    return Err(format!(
                        "{node} comes back with the promise {promised}, and has led {}",
                        seen.led
                    ));
                }
            }
            Signal::Fact(node, Fact::Promised(ballot)) => {
                let (seen, ballot) = (of_node(&mut self.nodes, node)?, BallotWord::of(*ballot));
                self.checked += 1;
                let before = std::mem::replace(&mut seen.memory, ballot);
                if ballot < before {
                    return Err(format!(
                        "{node} lowers its promise from {before} to {ballot}"
                    ));
                }
            }
            Signal::Fact(node, Fact::Led(ballot)) => {
                let (seen, ballot) = (of_node(&mut self.nodes, node)?, BallotWord::of(*ballot));
                self.checked += 1;
                if ballot.owner() != node {
                    return Err(format!("{node} leads {ballot}, which is not its own"));
                }
                let before = std::mem::replace(&mut seen.led, ballot);
                if ballot <= before {
                    return Err(format!("{node} leads {ballot} after {before}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> u64 {
        self.checked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Node;

    fn after(signals: &[Signal<'_>]) -> Finding {
        let (ghost, mut ballots) = (Ghost::new(3, true), Ballots::new(3));
        let (last, first) = signals.split_last().unwrap();
        for signal in first {
            ballots.hear(&ghost, signal).unwrap();
        }
        ballots.hear(&ghost, last)
    }

    const R1: Node = Node(0);

    fn back(promised: (u64, u8)) -> Fact {
        Fact::Recovered {
            promised,
            chosen_below: 0,
            torn: false,
        }
    }

    #[test]
    fn a_promise_in_memory_may_be_forgotten_by_a_restart_only() {
        let [high, low] = [Fact::Promised((5, 1)), Fact::Promised((5, 0))];
        after(&[Signal::Fact(R1, &low), Signal::Fact(R1, &high)]).unwrap();
        after(&[
            Signal::Fact(R1, &high),
            Signal::Boot(R1),
            Signal::Fact(R1, &back((5, 0))),
            Signal::Fact(R1, &high),
        ])
        .unwrap();
        assert_eq!(
            after(&[Signal::Fact(R1, &high), Signal::Fact(R1, &low)]).unwrap_err(),
            "r1 lowers its promise from 5.r2 to 5.r1"
        );
    }

    #[test]
    fn a_durable_promise_is_never_forgotten() {
        let [high, low] = [Durable::Promise((5, 1)), Durable::Promise((4, 1))];
        after(&[
            Signal::Durable(R1, &low),
            Signal::Durable(R1, &high),
            Signal::Boot(R1),
            Signal::Fact(R1, &back((5, 1))),
        ])
        .unwrap();
        after(&[Signal::Durable(R1, &high), Signal::Durable(R1, &low)]).unwrap_err();
        after(&[
            Signal::Durable(R1, &high),
            Signal::Boot(R1),
            Signal::Fact(R1, &back((5, 0))),
        ])
        .unwrap_err();
    }

    #[test]
    fn a_ballot_is_led_once_by_its_owner() {
        after(&[
            Signal::Fact(R1, &Fact::Led((1, 0))),
            Signal::Boot(R1),
            Signal::Fact(R1, &Fact::Led((2, 0))),
        ])
        .unwrap();
        after(&[
            Signal::Fact(R1, &Fact::Led((1, 0))),
            Signal::Boot(R1),
            Signal::Fact(R1, &Fact::Led((1, 0))),
        ])
        .unwrap_err();
        after(&[Signal::Fact(R1, &Fact::Led((1, 1)))]).unwrap_err();
        after(&[
            Signal::Fact(R1, &Fact::Led((2, 0))),
            Signal::Fact(R1, &back((1, 0))),
        ])
        .unwrap_err();
    }
}
