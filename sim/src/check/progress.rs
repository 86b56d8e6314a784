//! Progress: what advances, so that a stall can say what did not. Whoever runs the liveness phase
//! takes the [`Vector`] at its start and asks at its end; the checker finds nothing by itself.

use crate::check::checker::Checker;
use crate::check::ghost::Ghost;
use crate::check::signal::{BallotWord, Finding, Hears, Signal};
use crate::ids::Node;
use crate::trace::event::{Fact, Outcome};

/// How far everything has come.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Vector {
    /// Operations that clients started.
    invoked: u64,
    /// Operations that took effect and whose client knows.
    answered: u64,
    /// The highest ballot that anybody campaigned for or promised.
    ballot: BallotWord,
    /// How often somebody came to lead.
    led: u64,
    /// The first slot that nobody takes for chosen.
    chosen: u64,
    /// The first slot that each replica has not applied in its present boot.
    applied: Vec<u64>,
}

/// The checker.
#[derive(Clone, Debug)]
pub struct Progress {
    now: Vector,
    checked: u64,
}

impl Checker for Progress {
    const NAME: &'static str = "progress";
    const HEARS: Hears = Hears::BOOTS
        .and(Hears::BALLOTS)
        .and(Hears::CHOSEN)
        .and(Hears::APPLIED)
        .and(Hears::CLIENTS);
    const CLIENT_VISIBLE: bool = true;

    fn new(replicas: u8) -> Self {
        Self {
            now: Vector {
                applied: vec![0; usize::from(replicas)],
                ..Vector::default()
            },
            checked: 0,
        }
    }

    fn hear(&mut self, _: &Ghost, signal: &Signal<'_>) -> Finding {
        let now = &mut self.now;
        match *signal {
            Signal::Boot(node) => now.reach(node, 0),
            Signal::Fact(_, Fact::Campaigned(ballot) | Fact::Promised(ballot)) => {
                now.ballot = now.ballot.max(BallotWord::of(*ballot))
            }
            Signal::Fact(_, Fact::Led(_)) => now.led += 1,
            Signal::Fact(_, Fact::Chosen { slot, .. }) => {
                now.chosen = now.chosen.max(slot.saturating_add(1))
            }
            Signal::Fact(node, Fact::Applied { slot, .. }) => {
                now.reach(node, slot.saturating_add(1))
            }
            Signal::Invoked(..) => now.invoked += 1,
            Signal::Returned(_, Outcome::Ok { .. }) => {
                self.checked += 1;
                now.answered += 1;
            }
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> u64 {
        self.checked
    }
}

impl Vector {
    fn reach(&mut self, node: Node, below: u64) {
        if let Some(applied) = self.applied.get_mut(usize::from(node.0)) {
            *applied = below;
        }
    }
}

impl Progress {
    /// How far everything has come.
    #[must_use]
    pub const fn vector(&self) -> &Vector {
        &self.now
    }

    /// The first slot that the replica has not applied in its present boot, from facts.
    #[must_use]
    pub fn applied_below(&self, node: Node) -> u64 {
        self.now
            .applied
            .get(usize::from(node.0))
            .copied()
            .unwrap_or(0)
    }

    /// What did not advance since then, and what did; for people. Whether that is a stall is the
    /// asker's to say.
    #[must_use]
    pub fn stall(&self, since: &Vector, core: &[Node]) -> String {
        let now = &self.now;
        let parts = [
            ("answers", now.answered > since.answered),
            ("chosen slots", now.chosen > since.chosen),
            ("ballots", now.ballot > since.ballot),
            ("leaders", now.led > since.led),
        ];
        let mut text = String::new();
        for (label, wanted) in [("did not advance:", false), ("; advanced:", true)] {
            text.push_str(label);
            let named = parts
                .iter()
                .filter(|(_, advanced)| *advanced == wanted)
                .map(|(name, _)| (*name).to_owned());
            let moved = |node: &&Node| {
                let at = usize::from(node.0);
                (now.applied.get(at) > since.applied.get(at)) == wanted
            };
            let applied = core
                .iter()
                .filter(moved)
                .map(|node| format!("applied {node}"));
            let all: Vec<_> = named.chain(applied).collect();
            text.push(' ');
            text.push_str(&if all.is_empty() {
                "nothing".to_owned()
            } else {
                all.join(", ")
            });
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_says_what_did_not_advance() {
        let (ghost, mut progress) = (Ghost::new(2, false), Progress::new(2));
        let since = progress.vector().clone();
        assert_eq!(
            progress.stall(&since, &[Node(0), Node(1)]),
            "did not advance: answers, chosen slots, ballots, leaders, applied r1, applied r2; \
             advanced: nothing"
        );
        progress
            .hear(&ghost, &Signal::Fact(Node(0), &Fact::Campaigned((1, 0))))
            .unwrap();
        progress
            .hear(&ghost, &Signal::Fact(Node(0), &Fact::Led((1, 0))))
            .unwrap();
        progress
            .hear(
                &ghost,
                &Signal::Fact(
                    Node(0),
                    &Fact::Applied {
                        slot: 0,
                        value: 1,
                        state: 1,
                    },
                ),
            )
            .unwrap();
        assert_eq!(
            progress.stall(&since, &[Node(0), Node(1)]),
            "did not advance: answers, chosen slots, applied r2; advanced: ballots, leaders, \
             applied r1"
        );
        assert_eq!(
            (
                progress.applied_below(Node(0)),
                progress.applied_below(Node(1))
            ),
            (1, 0)
        );
    }
}
