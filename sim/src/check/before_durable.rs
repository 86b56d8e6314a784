//! No message before its durable record: a promise leaves a replica only when it is on its media,
//! and so does word of a vote, which rests on a durable promise at least as high as well.

use crate::check::checker::Checker;
use crate::check::ghost::Ghost;
use crate::check::signal::{BallotWord, Finding, Hears, Signal};
use crate::ids::Node;
use crate::subject::process::Claim;

/// The checker.
#[derive(Clone, Debug)]
pub struct BeforeDurable {
    checked: u64,
}

impl Checker for BeforeDurable {
    const NAME: &'static str = "before-durable";
    const HEARS: Hears = Hears::CLAIMS;
    const ASKS_GHOST: bool = true;

    fn new(_: u8) -> Self {
        Self { checked: 0 }
    }

    fn hear(&mut self, ghost: &Ghost, signal: &Signal<'_>) -> Finding {
        let Signal::Claim(node, claim) = *signal else {
            return Ok(());
        };
        match claim {
            Claim::Nothing | Claim::Proposal { .. } => Ok(()),
            Claim::Promise(promise) => self.promised(ghost, node, BallotWord::of(promise.ballot)),
            Claim::Votes(ballot, slots) => {
                let ballot = BallotWord::of(*ballot);
                self.promised(ghost, node, ballot)?;
                match slots
                    .iter()
                    .find(|slot| !ghost.tallies().voted(node, **slot, ballot))
                {
                    Some(slot) => Err(format!(
                        "{node} says that it voted in slot {slot} at {ballot} before that vote is \
                         durable"
                    )),
                    None => Ok(()),
                }
            }
        }
    }

    fn checked(&self) -> u64 {
        self.checked
    }
}

impl BeforeDurable {
    fn promised(&mut self, ghost: &Ghost, node: Node, ballot: BallotWord) -> Finding {
        self.checked += 1;
        let durable = ghost.promised(node);
        if durable < ballot {
            return Err(format!(
                "{node} speaks for ballot {ballot} with the durable promise {durable}"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::process::{Durable, Promise};

    #[test]
    fn a_promise_and_a_vote_leave_after_their_records() {
        let (mut ghost, mut checker) = (Ghost::new(3, true), BeforeDurable::new(3));
        let mut claim = |ghost: &Ghost, claim| checker.hear(ghost, &Signal::Claim(Node(0), &claim));
        let promise = Claim::Promise(Promise {
            ballot: (2, 0),
            ..Promise::default()
        });
        let votes = |slots: &[u64]| Claim::Votes((2, 0), slots.to_vec());
        claim(&ghost, Claim::Nothing).unwrap();
        claim(&ghost, promise.clone()).unwrap_err();
        ghost
            .hear(&Signal::Durable(
                Node(0),
                &Durable::Vote {
                    slot: 0,
                    ballot: (2, 0),
                    value: 7,
                },
            ))
            .unwrap();
        assert_eq!(
            claim(&ghost, votes(&[0])).unwrap_err(),
            "r1 speaks for ballot 2.r1 with the durable promise 0.r1"
        );
        ghost
            .hear(&Signal::Durable(Node(0), &Durable::Promise((2, 0))))
            .unwrap();
        claim(&ghost, promise).unwrap();
        claim(&ghost, votes(&[0])).unwrap();
        assert_eq!(
            claim(&ghost, votes(&[0, 1])).unwrap_err(),
            "r1 says that it voted in slot 1 at 2.r1 before that vote is durable"
        );
        ghost
            .hear(&Signal::Durable(
                Node(0),
                &Durable::Vote {
                    slot: 1,
                    ballot: (1, 0),
                    value: 7,
                },
            ))
            .unwrap();
        claim(&ghost, votes(&[1])).unwrap_err();
        assert_eq!(checker.checked(), 6);
    }
}
