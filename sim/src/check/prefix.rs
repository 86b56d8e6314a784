//! The applied prefix: in each boot a replica applies slots one after the other without a gap, from
//! 0 or from a slot that it recovered, and whoever has applied the same slots has the same state.

use crate::check::checker::Checker;
use crate::check::chunked::Chunked;
use crate::check::ghost::Ghost;
use crate::check::signal::{Finding, Hears, Signal, of_node};
use crate::ids::Node;
use crate::trace::event::Fact;

/// One replica in its present boot.
#[derive(Clone, Copy, Default, Debug)]
struct Applier {
    /// The slot that must come next; none before the first.
    next: Option<u64>,
    /// The first slot that recovery did not take for chosen.
    recovered: u64,
}

/// The first digest that was reported after a slot.
#[derive(Clone, Copy, Default, Debug)]
struct State {
    digest: u64,
    by: Option<Node>,
}

/// The checker.
#[derive(Clone, Debug)]
pub struct Prefix {
    nodes: Vec<Applier>,
    states: Chunked<State>,
    checked: u64,
}

impl Checker for Prefix {
    const NAME: &'static str = "prefix";
    const HEARS: Hears = Hears::BOOTS.and(Hears::BALLOTS).and(Hears::APPLIED);

    fn new(replicas: u8) -> Self {
        Self {
            nodes: vec![Applier::default(); usize::from(replicas)],
            states: Chunked::default(),
            checked: 0,
        }
    }

    fn hear(&mut self, _: &Ghost, signal: &Signal<'_>) -> Finding {
        match *signal {
            Signal::Boot(node) => *of_node(&mut self.nodes, node)? = Applier::default(),
            Signal::Fact(node, Fact::Recovered { chosen_below, .. }) => {
                of_node(&mut self.nodes, node)?.recovered = *chosen_below
            }
            Signal::Fact(node, Fact::Applied { slot, state, .. }) => {
                return self.applied(node, *slot, *state);
            }
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> u64 {
        self.checked
    }

    fn bytes(&self) -> u64 {
        self.states.bytes()
    }
}

impl Prefix {
    /// A digest of 0 says that none was computed.
    fn applied(&mut self, node: Node, slot: u64, digest: u64) -> Finding {
        let applier = of_node(&mut self.nodes, node)?;
        self.checked += 1;
        match applier.next {
            Some(next) if slot != next => {
                return Err(format!(
                    "{node} applies slot {slot} where slot {next} is next"
                ));
            }
            None if slot > applier.recovered => {
                return Err(format!(
                    "{node} begins to apply at slot {slot}, having recovered {}",
                    applier.recovered
                ));
            }
            _ => applier.next = Some(slot.saturating_add(1)),
        }
        if digest == 0 {
            return Ok(());
        }
        let Some(state) = self.states.entry(slot) else {
            return Err(format!(
                "{node} applies slot {slot}, which nobody can have reached"
            ));
        };
        match state.by {
            None => {
                *state = State {
                    digest,
                    by: Some(node),
                }
            }
            Some(by) if state.digest != digest => {
                return Err(format!(
                    "{node} has another state after slot {slot} than {by}"
                ));
            }
            Some(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(steps: &[(u8, Option<(u64, u64)>)]) -> Finding {
        let (ghost, mut prefix) = (Ghost::new(3, false), Prefix::new(3));
        for (node, step) in steps {
            match *step {
                None => prefix.hear(&ghost, &Signal::Boot(Node(*node)))?,
                Some((slot, state)) => prefix.hear(
                    &ghost,
                    &Signal::Fact(
                        Node(*node),
                        &Fact::Applied {
                            slot,
                            value: 1,
                            state,
                        },
                    ),
                )?,
            }
        }
        assert!(prefix.checked() > 0);
        Ok(())
    }

    #[test]
    fn each_boot_applies_in_order_without_a_gap() {
        run(&[
            (0, Some((0, 5))),
            (0, Some((1, 6))),
            (0, None),
            (0, Some((0, 5))),
            (1, Some((0, 5))),
        ])
        .unwrap();
        assert_eq!(
            run(&[(0, Some((0, 5))), (0, Some((2, 6)))]).unwrap_err(),
            "r1 applies slot 2 where slot 1 is next"
        );
        run(&[(0, Some((0, 5))), (0, Some((0, 5)))]).unwrap_err();
        run(&[(0, Some((1, 5)))]).unwrap_err();
    }

    #[test]
    fn a_boot_may_begin_at_what_it_recovered() {
        let (ghost, mut prefix) = (Ghost::new(3, false), Prefix::new(3));
        let recovered = Fact::Recovered {
            promised: (0, 0),
            chosen_below: 4,
            torn: false,
        };
        prefix
            .hear(&ghost, &Signal::Fact(Node(0), &recovered))
            .unwrap();
        prefix
            .clone()
            .hear(
                &ghost,
                &Signal::Fact(
                    Node(0),
                    &Fact::Applied {
                        slot: 4,
                        value: 1,
                        state: 1,
                    },
                ),
            )
            .unwrap();
        prefix
            .hear(
                &ghost,
                &Signal::Fact(
                    Node(0),
                    &Fact::Applied {
                        slot: 5,
                        value: 1,
                        state: 1,
                    },
                ),
            )
            .unwrap_err();
    }

    #[test]
    fn equal_slots_give_equal_states() {
        run(&[(0, Some((0, 5))), (1, Some((0, 0)))]).unwrap();
        assert_eq!(
            run(&[(0, Some((0, 5))), (1, Some((0, 6)))]).unwrap_err(),
            "r2 has another state after slot 0 than r1"
        );
    }
}
