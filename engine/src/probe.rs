//! Where tests and simulators hook in: facts, contracts and planted bugs.
//!
//! The engine is generic over a [`Probe`]. `()` ships: every hook folds to nothing. A hook never
//! changes what the engine does, with one exception: [`Probe::flip`], where a planted bug may turn
//! a decision round.

use std::hash::{Hash, Hasher};

use crate::bugs::Bug;
use crate::fact::Fact;

/// The hooks. One instance lives beside each node.
pub trait Probe {
    /// Whether contracts are worth evaluating: they cost time.
    fn contracts(&self) -> bool;

    /// Something happened that an observer may hold against the protocol's definition.
    fn fact(&mut self, fact: impl FnOnce() -> Fact);

    /// The outcome of a guard: `honest`, unless `bug` is planted, which makes it `mutant`. The bug
    /// counts as reached when it is planted and asked, and as triggered when the two differ.
    fn flip(&mut self, bug: Bug, honest: bool, mutant: bool) -> bool;
}

impl Probe for () {
    #[inline(always)]
    fn contracts(&self) -> bool {
        false
    }

    #[inline(always)]
    fn fact(&mut self, _: impl FnOnce() -> Fact) {}

    #[inline(always)]
    fn flip(&mut self, _: Bug, honest: bool, _: bool) -> bool {
        honest
    }
}

/// How often a planted bug's guard was asked, and how often it changed the outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BugCount {
    /// The guard was evaluated.
    pub reached: u64,
    /// It changed the outcome.
    pub triggered: u64,
}

/// Plants at most one bug, and nothing else.
#[derive(Clone, Debug, Default)]
pub struct BugsOnly {
    bug: Option<Bug>,
    count: BugCount,
}

impl BugsOnly {
    /// Plants `bug`, or none.
    #[must_use]
    pub const fn new(bug: Option<Bug>) -> Self {
        Self {
            bug,
            count: BugCount {
                reached: 0,
                triggered: 0,
            },
        }
    }

    /// What the planted bug did so far.
    #[must_use]
    pub const fn count(&self) -> BugCount {
        self.count
    }
}

impl Probe for BugsOnly {
    #[inline(always)]
    fn contracts(&self) -> bool {
        false
    }

    #[inline(always)]
    fn fact(&mut self, _: impl FnOnce() -> Fact) {}

    #[inline]
    fn flip(&mut self, bug: Bug, honest: bool, mutant: bool) -> bool {
        if self.bug != Some(bug) {
            return honest;
        }
        self.count.reached += 1;
        self.count.triggered += u64::from(honest != mutant);
        mutant
    }
}

/// Plants at most one bug, evaluates contracts and collects facts until they are drained.
#[derive(Clone, Debug, Default)]
pub struct Full {
    bugs: BugsOnly,
    facts: Vec<Fact>,
    /// Contracts are left out, so that a run goes on where one is broken.
    lenient: bool,
}

impl Full {
    /// Plants `bug`, or none.
    #[must_use]
    pub const fn new(bug: Option<Bug>) -> Self {
        Self {
            bugs: BugsOnly::new(bug),
            facts: Vec::new(),
            lenient: false,
        }
    }

    /// Plants `bug`, or none, and evaluates no contracts.
    #[must_use]
    pub const fn without_contracts(bug: Option<Bug>) -> Self {
        Self {
            bugs: BugsOnly::new(bug),
            facts: Vec::new(),
            lenient: true,
        }
    }

    /// What the planted bug did so far.
    #[must_use]
    pub const fn count(&self) -> BugCount {
        self.bugs.count()
    }

    /// Takes the facts since the last call, in order.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Fact> {
        self.facts.drain(..)
    }
}

/// What was counted and collected is no part of what a replica knows.
impl Hash for Full {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Probe for Full {
    #[inline]
    fn contracts(&self) -> bool {
        !self.lenient
    }

    #[inline]
    fn fact(&mut self, fact: impl FnOnce() -> Fact) {
        self.facts.push(fact());
    }

    #[inline]
    fn flip(&mut self, bug: Bug, honest: bool, mutant: bool) -> bool {
        self.bugs.flip(bug, honest, mutant)
    }
}
