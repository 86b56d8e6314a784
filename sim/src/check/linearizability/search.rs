//! The breadth-first search: just-in-time linearization over configurations.
//!
//! It walks through the calls and returns and keeps the set of all *configurations* that explain
//! everything up to there: the state, which open operations have taken effect, and which of the
//! unknown ones were used. Only when an operation returns must it have taken effect, and only then
//! are orders of open operations tried that end with it (Lowe, "Testing for linearizability",
//! 2017). Memory is that of the window of open operations, not of the history. What keeps the set
//! small:
//!
//! - operations that change nothing take effect as soon as the state allows;
//! - an open operation that is possible in every state, and that is overwritten by another before
//!   anyone looked, *may* have taken effect: it is left open whether it did, in one configuration
//!   instead of two (the two bits of an operation in [`Configuration`]);
//! - so an order in which such an operation is overwritten unseen is never tried, and an unknown
//!   operation is used only if something needs it;
//! - of open operations that do the same, the one that must return first is taken first;
//! - a configuration is dropped if another has the same state and at least as much freedom;
//! - states that no later operation can tell apart are one (see `register`).

use crate::check::linearizability::budget::{Budget, Exhausted};
use crate::check::linearizability::machine::Machine;
use crate::check::linearizability::mask::Mask;
use crate::check::linearizability::partition::{OPEN, Step};
use crate::check::linearizability::path::Path;
use crate::check::linearizability::room::{Pile, room};
use crate::check::linearizability::used::UsedSets;
use crate::history::spec::Effect;
use crate::history::table::{Table, mix};

/// How a search ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// There is a linearization. The order is there if it was asked for.
    Linearizable {
        /// Operations in the order in which they took effect; unknown ones that did not are
        /// missing.
        order: Vec<u32>,
    },
    /// When this operation returns, no order explains everything that returned up to then.
    Stuck {
        /// The operation.
        operation: u32,
        /// The place of its return: the last one of the shortest prefix that is not linearizable.
        place: u32,
        /// The longest linearization of what came before, if it was asked for.
        order: Vec<u32>,
    },
    /// It took too much.
    Exhausted(Exhausted),
}

/// Whether a search remembers the orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remember {
    /// Only the verdict.
    Verdict,
    /// The order too, which takes memory in proportion to the history.
    Order,
}

/// Whether a part of a search came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    Ended,
    Interrupted,
}

/// One way in which everything so far can be explained. An open operation of known outcome has two
/// bits: that it may be regarded as done, and as not done. Both may be set. An operation that
/// changes nothing is never held back, so its second bit stays set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Configuration<M> {
    pub(super) state: u32,
    /// The unknown operations that took effect: a number of a set.
    pub(super) used: u32,
    pub(super) done: M,
    pub(super) undone: M,
    pub(super) path: u32,
}

impl<M: Mask> Configuration<M> {
    pub(super) fn hash(&self) -> u64 {
        let start = mix(u64::from(self.state), u64::from(self.used));
        self.done
            .words()
            .iter()
            .chain(self.undone.words())
            .fold(start, |hash, word| mix(hash, *word))
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        self.state == other.state
            && self.used == other.used
            && self.done == other.done
            && self.undone == other.undone
    }
}

/// Searches from the start to the end.
pub fn search<K: Machine>(
    machine: &mut K,
    steps: &[Step],
    events: &[u32],
    remember: Remember,
    budget: Budget,
) -> Ending {
    let line = Line { steps, events };
    // Masks that are wide enough.
    match widest(steps, events) {
        0..=64 => Search::<K, [u64; 1]>::new(machine, line, 64, remember, budget).run(),
        65..=256 => Search::<K, [u64; 4]>::new(machine, line, 256, remember, budget).run(),
        places => Search::<K, Vec<u64>>::new(machine, line, places, remember, budget).run(),
    }
}

/// What is searched: operations, and their calls and returns.
#[derive(Clone, Copy)]
pub(super) struct Line<'s> {
    pub(super) steps: &'s [Step],
    pub(super) events: &'s [u32],
}

/// The largest number of operations of known outcome that are open at once.
pub(super) fn widest(steps: &[Step], events: &[u32]) -> usize {
    let (mut open, mut most) = (0usize, 0);
    for event in events {
        if event % 2 == 1 {
            open -= 1;
        } else if steps[(event / 2) as usize].ret != OPEN {
            open += 1;
            most = most.max(open);
        }
    }
    most
}

pub(super) struct Search<'s, K, M> {
    pub(super) machine: &'s mut K,
    pub(super) steps: &'s [Step],
    events: &'s [u32],
    /// The next event.
    at: usize,
    /// While a return is worked on: the next configuration to go on from.
    returning: Option<usize>,
    /// By place in the window: the open operation there.
    pub(super) window: Vec<u32>,
    pub(super) free: Vec<usize>,
    pub(super) readers: M,
    /// Open operations that are possible in every state and change it.
    pub(super) total: M,
    pub(super) blind: M,
    /// Open operations that change some state, blind ones apart.
    pub(super) dependent: M,
    /// By place: places of open operations that do the same and must return earlier.
    pub(super) twins: Vec<M>,
    pub(super) unknown_blind: Vec<u32>,
    pub(super) unknown_dependent: Vec<u32>,
    /// With more unknown operations than this it is worth looking which can be forgotten.
    unknown_limit: usize,
    pub(super) used: UsedSets,
    pub(super) configurations: Vec<Configuration<M>>,
    pub(super) next: Vec<Configuration<M>>,
    pub(super) stack: Vec<(Configuration<M>, bool)>,
    pub(super) seen: Table,
    pub(super) seen_list: Pile<(Configuration<M>, bool)>,
    pub(super) path: Option<Path>,
    pub(super) now: u32,
    pub(super) work: u64,
    pub(super) budget: Budget,
    pub(super) places: usize,
}

impl<'s, K: Machine, M: Mask> Search<'s, K, M> {
    pub(super) fn new(
        machine: &'s mut K,
        line: Line<'s>,
        places: usize,
        remember: Remember,
        budget: Budget,
    ) -> Self {
        let empty = M::empty(places);
        let start = Configuration {
            state: machine.initial(),
            used: 0,
            done: empty.clone(),
            undone: empty.clone(),
            path: 0,
        };
        Self {
            machine,
            steps: line.steps,
            events: line.events,
            at: 0,
            returning: None,
            window: Vec::new(),
            free: Vec::new(),
            readers: empty.clone(),
            total: empty.clone(),
            blind: empty.clone(),
            dependent: empty,
            twins: Vec::new(),
            unknown_blind: Vec::new(),
            unknown_dependent: Vec::new(),
            unknown_limit: 64,
            used: UsedSets::default(),
            configurations: vec![start],
            next: Vec::new(),
            stack: Vec::new(),
            seen: Table::default(),
            seen_list: Pile::default(),
            path: (remember == Remember::Order).then(Path::default),
            now: 0,
            work: 0,
            budget,
            places,
        }
    }

    fn run(mut self) -> Ending {
        self.advance(u64::MAX)
            .expect("no search does so many steps")
    }

    /// How many events are behind it.
    pub(super) fn passed(&self) -> usize {
        self.at
    }

    /// Goes on until it has done so many steps in all; none if it has not ended by then.
    pub(super) fn advance(&mut self, until: u64) -> Option<Ending> {
        while let Some(event) = self.events.get(self.at) {
            let operation = event / 2;
            if self.returning.is_none() {
                self.now = u32::try_from(self.at).expect("places have 32 bits");
                if event % 2 == 0 {
                    self.on_call(operation);
                    self.at += 1;
                    continue;
                }
            }
            let spot = self
                .window
                .iter()
                .position(|open| *open == operation)
                .expect("an operation is called before it returns");
            match self.on_return(operation, spot, until) {
                Ok(Progress::Ended) => {}
                Ok(Progress::Interrupted) => return None,
                Err(reason) => return Some(Ending::Exhausted(reason)),
            }
            if self.next.is_empty() {
                self.configurations.extend(
                    self.seen_list
                        .iter()
                        .take(COMPARED)
                        .map(|(configuration, _)| configuration.clone()),
                );
                let order = self.longest(self.now);
                return Some(Ending::Stuck {
                    operation,
                    place: self.now,
                    order,
                });
            }
            std::mem::swap(&mut self.configurations, &mut self.next);
            self.release(spot);
            self.at += 1;
            if self.work >= until {
                return None;
            }
        }
        let order = self.longest(OPEN);
        Some(Ending::Linearizable { order })
    }

    fn on_call(&mut self, operation: u32) {
        let effect = self.machine.effect(operation);
        if self.steps[operation as usize].ret == OPEN {
            match effect {
                _ if self.machine.idle(operation, self.now) => {}
                Effect::Read => {}
                Effect::Blind => self.unknown_blind.push(operation),
                Effect::Total | Effect::Partial => self.unknown_dependent.push(operation),
            }
            return;
        }
        let spot = self.free.pop().unwrap_or_else(|| {
            self.window.push(OPEN);
            self.twins.push(M::empty(self.places));
            self.window.len() - 1
        });
        self.window[spot] = operation;
        if effect == Effect::Read {
            self.readers.add(spot);
        } else {
            self.meet_twins(operation, spot);
            if effect == Effect::Blind {
                self.blind.add(spot);
            } else {
                self.dependent.add(spot);
            }
            if effect != Effect::Partial {
                self.total.add(spot);
            }
        }
        for at in 0..self.configurations.len() {
            self.configurations[at].undone.add(spot);
            if effect == Effect::Read
                && self
                    .machine
                    .step(self.configurations[at].state, operation, self.now)
                    .is_some()
            {
                let configuration = &mut self.configurations[at];
                configuration.done.add(spot);
                if let Some(path) = &mut self.path {
                    configuration.path = path.push(configuration.path, operation, self.now);
                }
            }
        }
    }

    fn meet_twins(&mut self, operation: u32, spot: usize) {
        let mut twins = M::empty(self.places);
        for other in 0..self.window.len() {
            let open = self.window[other];
            if open == OPEN || other == spot || !self.machine.alike(open, operation) {
                continue;
            }
            if self.steps[open as usize].ret < self.steps[operation as usize].ret {
                twins.add(other);
            } else {
                self.twins[other].add(spot);
            }
        }
        self.twins[spot] = twins;
    }

    /// Gives its memory back; it does not go on after that.
    pub(super) fn forget_everything(&mut self) {
        self.configurations = Vec::new();
        self.next = Vec::new();
        self.stack = Vec::new();
        self.seen = Table::default();
        self.seen_list = Pile::default();
        self.used = UsedSets::default();
        self.path = None;
    }

    /// Finds every configuration in which the operation has taken effect, in `next`.
    fn on_return(
        &mut self,
        operation: u32,
        spot: usize,
        until: u64,
    ) -> Result<Progress, Exhausted> {
        let mut at = self.returning.unwrap_or_else(|| {
            self.next.clear();
            self.seen.clear();
            self.seen_list.clear();
            0
        });
        let reads = self.readers.has(spot);
        loop {
            if self.expand(operation, spot, until)? == Progress::Interrupted {
                self.returning = Some(at);
                return Ok(Progress::Interrupted);
            }
            let Some(configuration) = self.configurations.get(at) else {
                break;
            };
            at += 1;
            let mut start = configuration.clone();
            start.state = self.machine.settle(start.state, self.now);
            if start.done.has(spot) {
                let mut kept = start.clone();
                kept.done.remove(spot);
                kept.undone.remove(spot);
                self.next.push(kept);
            }
            if start.undone.has(spot)
                && !(reads && start.done.has(spot))
                && self.unseen(&start, false)
            {
                self.stack.push((start, false));
            }
        }
        self.returning = None;
        self.drop_dominated();
        if self.bytes() > self.budget.bytes {
            return Err(Exhausted::Bytes);
        }
        if self.work > self.budget.steps {
            return Err(Exhausted::Steps);
        }
        Ok(Progress::Ended)
    }

    /// What the configurations take, and the room for more.
    pub(super) fn bytes(&self) -> usize {
        let held =
            self.configurations.len() + self.next.len() + self.stack.len() + self.seen_list.len();
        held * 2 * M::heap(self.places)
            + room(&self.configurations)
            + room(&self.next)
            + self.next.len() * SORTING
            + room(&self.stack)
            + self.seen_list.bytes()
            + self.seen.bytes()
            + self.used.bytes()
            + self.path.as_ref().map_or(0, Path::bytes)
            + self.machine.bytes()
    }

    fn release(&mut self, spot: usize) {
        self.window[spot] = OPEN;
        self.free.push(spot);
        for set in [
            &mut self.readers,
            &mut self.total,
            &mut self.blind,
            &mut self.dependent,
        ] {
            set.remove(spot);
        }
        for twins in &mut self.twins {
            twins.remove(spot);
        }
        if self.used.crowded()
            || self.unknown_blind.len() + self.unknown_dependent.len() > self.unknown_limit
        {
            self.forget();
            self.unknown_limit = 64 + 2 * (self.unknown_blind.len() + self.unknown_dependent.len());
        }
    }

    /// Forgets unknown operations that are used everywhere, or can no longer matter.
    pub(super) fn forget(&mut self) {
        let (machine, now) = (&*self.machine, self.now);
        let everywhere = self.used.common(
            self.configurations
                .iter()
                .map(|configuration| configuration.used),
        );
        let gone = |operation: u32| {
            machine.idle(operation, now) || everywhere.binary_search(&operation).is_ok()
        };
        let sets = &mut self.used;
        let mut kept = sets.rebuilt();
        for configuration in &mut self.configurations {
            configuration.used = kept.without(sets.get(configuration.used), gone);
        }
        *sets = kept;
        self.unknown_blind.retain(|operation| !gone(*operation));
        self.unknown_dependent.retain(|operation| !gone(*operation));
    }

    /// Drops configurations for which another does as well.
    fn drop_dominated(&mut self) {
        if self.next.len() < 2 {
            return;
        }
        // Those with more freedom first, so that what is kept is never dropped later.
        let used = &self.used;
        self.next.sort_by_cached_key(|c| {
            (
                c.state,
                u32::MAX - c.done.count() - c.undone.count(),
                used.get(c.used).len(),
            )
        });
        let worst = self.machine.worst();
        // Those that are kept move to the front.
        let (mut group, mut kept) = (0, 0);
        'each: for at in 0..self.next.len() {
            let candidate = &self.next[at];
            if group < kept && self.next[group].state != candidate.state {
                group = kept;
            }
            let from = if worst == Some(candidate.state) {
                0
            } else {
                group
            };
            // Very large groups are compared with their freest members only.
            for other in self.next[from..kept].iter().take(COMPARED) {
                if other.done.covers(&candidate.done)
                    && other.undone.covers(&candidate.undone)
                    && used.within(other.used, candidate.used)
                {
                    continue 'each;
                }
            }
            self.next.swap(kept, at);
            kept += 1;
        }
        self.next.truncate(kept);
    }

    /// The longest of the orders that lead to a configuration, with everything that returned before
    /// `end`.
    fn longest(&self, end: u32) -> Vec<u32> {
        let Some(path) = &self.path else {
            return Vec::new();
        };
        let paths = self
            .configurations
            .iter()
            .map(|configuration| path.order(configuration.path, self.steps, end, &*self.machine));
        paths.max_by_key(Vec::len).unwrap_or_default()
    }

    /// Whether a configuration of the exploration is new.
    pub(super) fn unseen(&mut self, configuration: &Configuration<M>, fresh: bool) -> bool {
        let hash = mix(configuration.hash(), u64::from(fresh));
        let list = &self.seen_list;
        if self
            .seen
            .find(hash, |at| {
                list[at as usize].1 == fresh && list[at as usize].0.same(configuration)
            })
            .is_some()
        {
            return false;
        }
        self.seen.insert(
            hash,
            u32::try_from(self.seen_list.len())
                .expect("the budget of configurations is far below 2^32"),
        );
        self.seen_list.push((configuration.clone(), fresh));
        true
    }
}

/// What sorting takes for each configuration: its key, and its place.
const SORTING: usize = 24;

/// How many configurations of one state each new one is compared with.
const COMPARED: usize = 128;
