//! Puts what comes in any order back into the order of its numbers.

use std::collections::BTreeMap;

/// Holds what came too early.
pub struct Reorder<T> {
    next: u64,
    early: BTreeMap<u64, T>,
}

impl<T> Default for Reorder<T> {
    fn default() -> Self {
        Self {
            next: 0,
            early: BTreeMap::new(),
        }
    }
}

impl<T> Reorder<T> {
    /// Takes a thing. Each number comes once.
    pub fn push(&mut self, number: u64, thing: T) {
        self.early.insert(number, thing);
    }

    /// The next thing in order, when it is there.
    pub fn pop(&mut self) -> Option<T> {
        let thing = self.early.remove(&self.next)?;
        self.next += 1;
        Some(thing)
    }

    /// What never got its turn because something before it is missing, in order.
    pub fn into_rest(self) -> impl Iterator<Item = T> {
        self.early.into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_come_out_in_order_and_the_rest_at_the_end() {
        let mut order = Reorder::default();
        for number in [2, 0, 5] {
            order.push(number, number);
        }
        assert_eq!((order.pop(), order.pop()), (Some(0), None));
        order.push(1, 1);
        assert_eq!(
            (order.pop(), order.pop(), order.pop()),
            (Some(1), Some(2), None)
        );
        assert_eq!(order.into_rest().collect::<Vec<_>>(), [5]);
    }
}
