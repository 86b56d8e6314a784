//! Convergence: at the end of a run every replica that was healed and takes part has applied the
//! same slots and has the same state. From facts alone; whoever ends the run gives them the time to
//! catch up.

use crate::check::checker::Checker;
use crate::check::ghost::Ghost;
use crate::check::signal::{Finding, Hears, Signal, of_node};
use crate::ids::Node;
use crate::trace::event::Fact;

/// What a replica has applied in its present boot.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Reached {
    /// The first slot that it has not applied.
    below: u64,
    /// The digest of its state, 0 when none was computed.
    state: u64,
}

/// The checker.
#[derive(Clone, Debug)]
pub struct Convergence {
    nodes: Vec<Reached>,
    checked: u64,
}

impl Checker for Convergence {
    const NAME: &'static str = "convergence";
    const HEARS: Hears = Hears::BOOTS.and(Hears::APPLIED);

    fn new(replicas: u8) -> Self {
        Self {
            nodes: vec![Reached::default(); usize::from(replicas)],
            checked: 0,
        }
    }

    fn hear(&mut self, _: &Ghost, signal: &Signal<'_>) -> Finding {
        match *signal {
            Signal::Boot(node) => *of_node(&mut self.nodes, node)? = Reached::default(),
            Signal::Fact(node, Fact::Applied { slot, state, .. }) => {
                *of_node(&mut self.nodes, node)? = Reached {
                    below: slot.saturating_add(1),
                    state: *state,
                };
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, _: &Ghost, ready_core: &[Node]) -> Finding {
        if self
            .nodes
            .iter()
            .all(|reached| *reached == Reached::default())
        {
            return Ok(());
        }
        let mut first = None;
        for node in ready_core {
            let here = *of_node(&mut self.nodes, *node)?;
            let Some((other, there)) = first else {
                first = Some((*node, here));
                continue;
            };
            self.checked += 1;
            if here.below != there.below {
                return Err(format!(
                    "{node} has applied the slots below {} at the end, and {other} those below {}",
                    here.below, there.below
                ));
            }
            if here.state != there.state {
                return Err(format!(
                    "{node} and {other} have applied the same slots and differ in their state at \
                     the end"
                ));
            }
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

    fn end(applied: &[(u8, u64, u64)], core: &[u8]) -> (Finding, u64) {
        let (ghost, mut convergence) = (Ghost::new(3, false), Convergence::new(3));
        for &(node, slot, state) in applied {
            convergence
                .hear(
                    &ghost,
                    &Signal::Fact(
                        Node(node),
                        &Fact::Applied {
                            slot,
                            value: 1,
                            state,
                        },
                    ),
                )
                .unwrap();
        }
        let core: Vec<_> = core.iter().copied().map(Node).collect();
        (convergence.close(&ghost, &core), convergence.checked())
    }

    #[test]
    fn the_core_ends_equal() {
        assert_eq!(
            end(&[(0, 7, 1), (1, 7, 1), (2, 3, 2)], &[0, 1]),
            (Ok(()), 1)
        );
        assert_eq!(
            end(&[(0, 7, 1), (1, 7, 1), (2, 3, 2)], &[0, 1, 2])
                .0
                .unwrap_err(),
            "r3 has applied the slots below 4 at the end, and r1 those below 8"
        );
        assert_eq!(
            end(&[(0, 7, 1), (1, 7, 2)], &[0, 1]).0.unwrap_err(),
            "r2 and r1 have applied the same slots and differ in their state at the end"
        );
        assert_eq!(
            end(&[], &[0, 1]),
            (Ok(()), 0),
            "without facts nothing is judged"
        );
    }

    #[test]
    fn a_restart_starts_over() {
        let (ghost, mut convergence) = (Ghost::new(2, false), Convergence::new(2));
        for node in [Node(0), Node(1)] {
            convergence
                .hear(
                    &ghost,
                    &Signal::Fact(
                        node,
                        &Fact::Applied {
                            slot: 0,
                            value: 1,
                            state: 1,
                        },
                    ),
                )
                .unwrap();
        }
        convergence.hear(&ghost, &Signal::Boot(Node(1))).unwrap();
        convergence.close(&ghost, &[Node(0), Node(1)]).unwrap_err();
    }
}
