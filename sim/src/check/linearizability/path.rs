//! How a configuration came about, so that a search can show an order and not only a verdict.

use crate::check::linearizability::machine::Machine;
use crate::check::linearizability::partition::Step;
use crate::check::linearizability::room::room;
use crate::history::spec::Effect;

/// The tree of all orders that a search followed; number zero is its root.
#[derive(Default)]
pub struct Path {
    nodes: Vec<Node>,
}

struct Node {
    parent: u32,
    operation: u32,
    at: u32,
}

impl Path {
    /// The order that goes on with this operation, which took effect at the place `at`.
    pub fn push(&mut self, parent: u32, operation: u32, at: u32) -> u32 {
        self.nodes.push(Node {
            parent,
            operation,
            at,
        });
        self.last()
    }

    /// The number of the last operation that was added.
    pub fn last(&self) -> u32 {
        u32::try_from(self.nodes.len()).expect("the search's budget ends long before 2^32 steps")
    }

    /// Forgets everything behind this number.
    pub fn truncate(&mut self, number: u32) {
        self.nodes.truncate(number as usize);
    }

    /// What it takes, in bytes.
    pub fn bytes(&self) -> usize {
        room(&self.nodes)
    }

    /// The order that leads to a number. Operations that returned before `end` without a place of
    /// their own were overwritten unseen: they stand before the first overwriting that they lived
    /// to see.
    pub fn order<K: Machine>(
        &self,
        number: u32,
        steps: &[Step],
        end: u32,
        machine: &K,
    ) -> Vec<u32> {
        let mut taken: Vec<&Node> = Vec::new();
        let mut at = number;
        while at != 0 {
            let node = &self.nodes[at as usize - 1];
            taken.push(node);
            at = node.parent;
        }
        taken.reverse();
        let mut placed = vec![false; steps.len()];
        for node in &taken {
            placed[node.operation as usize] = true;
        }
        let mut waiting: Vec<u32> = (0..u32::try_from(steps.len())
            .expect("operations have 32-bit numbers"))
            .filter(|operation| {
                !placed[*operation as usize] && steps[*operation as usize].ret < end
            })
            .rev()
            .collect();
        let mut order = Vec::with_capacity(taken.len());
        for node in taken {
            if machine.effect(node.operation) == Effect::Blind {
                while waiting
                    .last()
                    .is_some_and(|operation| steps[*operation as usize].call < node.at)
                {
                    order.extend(waiting.pop());
                }
            }
            order.push(node.operation);
        }
        order
    }
}
