//! The librarian: keeps the chosen prefix, lends it to those who lag, and fetches what this node
//! lacks.
//!
//! One request is under way at a time. It goes to another peer each time that it is not answered in
//! time, so a dead or deaf source holds nobody up.

use crate::bugs::Bug;
use crate::command::Value;
use crate::contract;
use crate::ids::{NodeId, Slot};
use crate::probe::Probe;
use crate::slots::Slots;
use crate::time::{Mono, Span};

/// A request for chosen values that is under way.
#[derive(Clone, Copy, Hash, Debug)]
struct Fetch {
    source: NodeId,
    again_at: Mono,
}

/// The chosen prefix, and what is known to be missing from it.
#[derive(Clone, Hash, Debug)]
pub struct Librarian {
    /// Every chosen value from the start of the log.
    chosen: Slots<Value>,
    /// Somebody knows all slots below to be chosen.
    target: Slot,
    /// Who said so last.
    teller: Option<NodeId>,
    fetch: Option<Fetch>,
    patience: Span,
}

impl Librarian {
    /// An empty library.
    #[must_use]
    pub const fn new(patience: Span) -> Self {
        Self {
            chosen: Slots::starting_at(Slot(0)),
            target: Slot(0),
            teller: None,
            fetch: None,
            patience,
        }
    }

    /// The first slot that is not held.
    #[must_use]
    pub const fn end(&self) -> Slot {
        self.chosen.end()
    }

    /// The chosen value of a slot below the end.
    #[must_use]
    pub fn get(&self, slot: Slot) -> Option<&Value> {
        self.chosen.get(slot)
    }

    /// Takes the next chosen value in.
    pub fn push<P: Probe>(&mut self, slot: Slot, value: Value, probe: &mut P) {
        contract!(
            probe,
            ChosenPrefixIsContiguous,
            slot == self.chosen.end(),
            "slot {slot} is shelved after {}",
            self.chosen.end()
        );
        self.chosen.push(value);
    }

    /// The highest slot that anybody is known to hold, exclusive.
    #[must_use]
    pub const fn target(&self) -> Slot {
        self.target
    }

    /// Chosen values from a slot on: as many as fit in so many bytes, and at least one if there is
    /// any.
    #[must_use]
    pub fn page(&self, from: Slot, bytes: u32) -> Vec<Value> {
        let mut left = u64::from(bytes);
        let mut page = Vec::new();
        for (_, value) in self.chosen.from(from) {
            let size = value.0.len() as u64 + 16;
            if !page.is_empty() && size > left {
                break;
            }
            left = left.saturating_sub(size);
            page.push(value.clone());
        }
        page
    }

    /// A peer knows all slots below to be chosen.
    pub fn hear_of(&mut self, below: Slot, teller: NodeId) {
        if below > self.target {
            self.target = below;
            self.teller = Some(teller);
        }
    }

    /// Whom to ask for values now, if anything is missing and no request is under way.
    pub fn ask(
        &mut self,
        have_below: Slot,
        now: Mono,
        peers: impl Iterator<Item = NodeId> + Clone,
        probe: &mut impl Probe,
    ) -> Option<NodeId> {
        if have_below >= self.target {
            self.fetch = None;
            return None;
        }
        let source = match self.fetch {
            Some(fetch) if now < fetch.again_at => return None,
            Some(fetch) if !probe.flip(Bug::CatchupSourceNeverRotates, true, false) => fetch.source,
            Some(fetch) => peers
                .clone()
                .find(|peer| *peer > fetch.source)
                .or_else(|| peers.clone().next())?,
            None => self.teller.or_else(|| peers.clone().next())?,
        };
        self.fetch = Some(Fetch {
            source,
            again_at: now + self.patience,
        });
        Some(source)
    }

    /// An answer came: the next request may go at once.
    pub const fn answered(&mut self) {
        self.fetch = None;
    }

    /// When to ask again.
    #[must_use]
    pub fn deadline(&self, have_below: Slot) -> Option<Mono> {
        let missing = have_below < self.target;
        self.fetch.filter(|_| missing).map(|fetch| fetch.again_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Full;

    fn value(length: usize) -> Value {
        Value(vec![7; length].into())
    }

    #[test]
    fn a_page_is_bounded_and_never_empty_for_nothing() {
        let (mut librarian, mut probe) = (Librarian::new(Span(5)), Full::default());
        for slot in 0..4 {
            librarian.push(Slot(slot), value(100), &mut probe);
        }
        assert_eq!(
            [
                librarian.page(Slot(0), 250).len(),
                librarian.page(Slot(3), 1).len(),
                librarian.page(Slot(4), 250).len()
            ],
            [2, 1, 0]
        );
    }

    #[test]
    fn a_source_that_does_not_answer_is_left_for_the_next() {
        let (mut librarian, mut probe) = (Librarian::new(Span(5)), Full::default());
        let peers = [NodeId(1), NodeId(2)];
        librarian.hear_of(Slot(3), NodeId(2));
        let mut ask = |now| librarian.ask(Slot(0), Mono(now), peers.into_iter(), &mut probe);
        assert_eq!(
            [ask(0), ask(4), ask(5), ask(10)],
            [Some(NodeId(2)), None, Some(NodeId(1)), Some(NodeId(2))]
        );
        assert_eq!(
            librarian.ask(Slot(3), Mono(20), peers.into_iter(), &mut probe),
            None
        );
    }

    #[test]
    #[should_panic(expected = "contract ChosenPrefixIsContiguous")]
    fn a_hole_breaks_a_contract() {
        Librarian::new(Span(5)).push(Slot(1), Value::noop(), &mut Full::default());
    }
}
