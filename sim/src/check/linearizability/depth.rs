//! The depth-first search: one order at a time, as far as it goes.
//!
//! It walks over the same configurations as `search`, with the same rules about what need not be
//! tried, but follows one until it ends or is stuck, and remembers every configuration that it met
//! at each return, so that none is followed twice (Wing and Gong, 1993; Lowe, 2017). Where a
//! history is linearizable and many operations are pending, most orders lead to the end, and one is
//! enough; where it is not, everything has to be tried, and `search` forgets more. Memory is that
//! of everything that was tried.
//!
//! Of the operations that may come next those are tried first after which the one that must return
//! next is possible, then those that must return soonest, then the unknown ones.

use crate::check::linearizability::budget::{Budget, Exhausted};
use crate::check::linearizability::machine::Machine;
use crate::check::linearizability::mask::{Mask, next_common};
use crate::check::linearizability::partition::{OPEN, Step};
use crate::check::linearizability::path::Path;
use crate::check::linearizability::room::{Pile, room};
use crate::check::linearizability::search::{Configuration, Ending, Line, Remember, widest};
use crate::check::linearizability::used::UsedSets;
use crate::history::spec::Effect;
use crate::history::table::{Table, mix};

/// A configuration that waits for the operation whose return stands at `place`.
#[derive(Clone)]
struct Waiting<M> {
    configuration: Configuration<M>,
    /// Nobody saw its state.
    fresh: bool,
    place: u32,
}

/// What is left to be tried.
#[derive(Clone, Copy)]
struct Pending {
    /// How many configurations are above it: of the last of them an operation is tried.
    depth: usize,
    /// The operation; none: the last that is set aside is gone on with.
    operation: Option<u32>,
}

pub(super) struct Depth<'s, M> {
    steps: &'s [Step],
    events: &'s [u32],
    /// By operation of known outcome: its place in the window.
    spots: Vec<u32>,
    /// By place in the window: the open operation there.
    window: Vec<u32>,
    /// The next event of the window.
    at: usize,
    readers: M,
    total: M,
    blind: M,
    dependent: M,
    /// Unknown operations that do the same, in the order of their calls.
    classes: Vec<Vec<u32>>,
    used: UsedSets,
    above: Vec<Waiting<M>>,
    pending: Vec<Pending>,
    aside: Vec<Waiting<M>>,
    seen: Table,
    seen_list: Pile<Waiting<M>>,
    path: Path,
    /// The latest place at which anything waited.
    furthest: u32,
    /// The path up to there, and its order once that path is left.
    longest: (u32, Option<Vec<u32>>),
    /// Whether the longest order of a history that is not linearizable is wanted.
    remember: Remember,
    work: u64,
    pub(super) budget: Budget,
    places: usize,
}

/// Searches from the start to the end, depth first and alone.
pub fn depth_first<K: Machine>(
    machine: &mut K,
    steps: &[Step],
    events: &[u32],
    budget: Budget,
) -> Ending {
    fn run<K: Machine, M: Mask>(
        machine: &mut K,
        line: Line<'_>,
        places: usize,
        budget: Budget,
    ) -> Ending {
        Depth::<M>::new(machine, line, places, Remember::Order, budget)
            .advance(machine, u64::MAX)
            .expect("no search does so many steps")
    }
    let line = Line { steps, events };
    match widest(steps, events) {
        0..=64 => run::<K, [u64; 1]>(machine, line, 64, budget),
        65..=256 => run::<K, [u64; 4]>(machine, line, 256, budget),
        places => run::<K, Vec<u64>>(machine, line, places, budget),
    }
}

impl<'s, M: Mask> Depth<'s, M> {
    /// Begins at the start of the history.
    pub(super) fn new<K: Machine>(
        machine: &mut K,
        line: Line<'s>,
        places: usize,
        remember: Remember,
        budget: Budget,
    ) -> Self {
        let empty = M::empty(places);
        let start = Waiting {
            configuration: Configuration {
                state: machine.initial(),
                used: 0,
                done: empty.clone(),
                undone: empty.clone(),
                path: 0,
            },
            fresh: false,
            place: 0,
        };
        let (spots, window) = spots(line.steps, line.events);
        Self {
            steps: line.steps,
            events: line.events,
            spots,
            window: vec![OPEN; window],
            at: 0,
            readers: empty.clone(),
            total: empty.clone(),
            blind: empty.clone(),
            dependent: empty,
            classes: classes(machine, line.steps),
            used: UsedSets::default(),
            above: Vec::new(),
            pending: vec![Pending {
                depth: 0,
                operation: None,
            }],
            aside: vec![start],
            seen: Table::default(),
            seen_list: Pile::default(),
            path: Path::default(),
            furthest: 0,
            longest: (0, None),
            remember,
            work: 0,
            budget,
            places,
        }
    }

    /// Goes on until it has done so many steps in all; none if it has not ended by then.
    pub(super) fn advance<K: Machine>(&mut self, machine: &mut K, until: u64) -> Option<Ending> {
        while let Some(Pending { depth, operation }) = self.pending.pop() {
            self.above.truncate(depth);
            let passed = match operation {
                None => {
                    let there = self.aside.pop().expect("one is set aside for each");
                    self.go_on(machine, there)
                }
                Some(operation) => self.take(machine, operation),
            };
            if passed {
                let path = self.path.last();
                let order = self.path.order(path, self.steps, OPEN, machine);
                return Some(Ending::Linearizable { order });
            }
            if self.bytes() + machine.bytes() > self.budget.bytes {
                return Some(Ending::Exhausted(Exhausted::Bytes));
            }
            if self.work > self.budget.steps {
                return Some(Ending::Exhausted(Exhausted::Steps));
            }
            if self.work > until {
                return None;
            }
        }
        self.leave(machine, 0);
        Some(Ending::Stuck {
            operation: self.events[self.furthest as usize] / 2,
            place: self.furthest,
            order: self.longest.1.take().unwrap_or_default(),
        })
    }

    /// The steps that it has done.
    pub(super) fn work(&self) -> u64 {
        self.work
    }

    /// Gives its memory back; it does not go on after that.
    pub(super) fn forget_everything(&mut self) {
        self.above = Vec::new();
        self.aside = Vec::new();
        self.pending = Vec::new();
        self.seen = Table::default();
        self.seen_list = Pile::default();
        self.used = UsedSets::default();
        self.path = Path::default();
    }

    /// What everything that it remembers takes, and the room for more.
    pub(super) fn bytes(&self) -> usize {
        let held = self.above.len() + self.aside.len() + self.seen_list.len();
        held * 2 * M::heap(self.places)
            + room(&self.above)
            + room(&self.aside)
            + self.seen_list.bytes()
            + room(&self.pending)
            + self.seen.bytes()
            + self.used.bytes()
            + self.path.bytes()
    }

    /// Goes back to a number of the path. The longest order is put down before it is lost.
    fn leave<K: Machine>(&mut self, machine: &K, path: u32) {
        let (longest, order) = &mut self.longest;
        if self.remember == Remember::Order && order.is_none() && path < *longest {
            *order = Some(
                self.path
                    .order(*longest, self.steps, self.furthest, machine),
            );
        }
        self.path.truncate(path);
    }

    /// Tries an operation as the next of the last configuration above. Whether the end was reached.
    fn take<K: Machine>(&mut self, machine: &mut K, operation: u32) -> bool {
        let here = self.above.last().expect("it is tried of one").clone();
        self.leave(machine, here.configuration.path);
        self.seek(machine, here.place as usize);
        let last = self.events[here.place as usize] / 2;
        let spot = self.spots[last as usize] as usize;
        let Some((mut there, served)) = self.apply(machine, &here, operation) else {
            return false;
        };
        if operation == last || self.readers.has(spot) && there.done.has(spot) {
            there.done.remove(spot);
            there.undone.remove(spot);
            let there = Waiting {
                configuration: there,
                fresh: false,
                place: here.place + 1,
            };
            return self.go_on(machine, there);
        }
        // An operation that is possible in every state, or need not be used, is of no use where it
        // is overwritten unseen.
        let hidden = self.steps[operation as usize].ret == OPEN
            || machine.effect(operation) != Effect::Partial;
        self.wait(
            machine,
            Waiting {
                configuration: there,
                fresh: hidden && !served,
                place: here.place,
            },
        );
        false
    }

    /// The configuration after an operation took effect, and whether a waiting reader saw its
    /// state.
    fn apply<K: Machine>(
        &mut self,
        machine: &mut K,
        here: &Waiting<M>,
        operation: u32,
    ) -> Option<(Configuration<M>, bool)> {
        self.work += 1;
        let state = machine.step(here.configuration.state, operation, here.place)?;
        let mut there = here.configuration.clone();
        there.state = state;
        if self.steps[operation as usize].ret == OPEN {
            there.used = self.used.with(there.used, operation);
        } else {
            let spot = self.spots[operation as usize] as usize;
            there.done.add(spot);
            if !self.readers.has(spot) {
                there.undone.remove(spot);
            }
        }
        there.path = self.path.push(there.path, operation, here.place);
        if machine.effect(operation) == Effect::Blind {
            let undone = there.undone.clone();
            there.done.add_common(&undone, &self.total);
        }
        let mut served = false;
        let mut from = 0;
        while let Some(reader) = self.readers.next(&there.done, from) {
            from = reader + 1;
            self.work += 1;
            let operation = self.window[reader];
            if machine.step(state, operation, here.place).is_some() {
                there.done.add(reader);
                served = true;
                there.path = self.path.push(there.path, operation, here.place);
            }
        }
        Some((there, served))
    }

    /// Passes calls, and returns of what has taken effect. Whether the end was reached.
    fn go_on<K: Machine>(&mut self, machine: &mut K, mut there: Waiting<M>) -> bool {
        self.leave(machine, there.configuration.path);
        self.seek(machine, there.place as usize);
        while let Some(event) = self.events.get(self.at) {
            self.work += 1;
            let operation = event / 2;
            let known = self.steps[operation as usize].ret != OPEN;
            let spot = self.spots[operation as usize] as usize;
            if event % 2 == 0 {
                let now = place(self.at);
                self.forward(machine);
                let configuration = &mut there.configuration;
                if known {
                    configuration.undone.add(spot);
                }
                if known
                    && self.readers.has(spot)
                    && machine.step(configuration.state, operation, now).is_some()
                {
                    configuration.done.add(spot);
                    configuration.path = self.path.push(configuration.path, operation, now);
                }
                continue;
            }
            there.place = place(self.at);
            self.forget(machine, &mut there);
            let configuration = &mut there.configuration;
            configuration.state = machine.settle(configuration.state, there.place);
            if !configuration.done.has(spot) {
                self.wait(machine, there);
                return false;
            }
            if configuration.undone.has(spot) && !self.readers.has(spot) {
                // It may be regarded as not done as well.
                self.aside_until_it_returns(&there);
            }
            there.configuration.done.remove(spot);
            there.configuration.undone.remove(spot);
            self.forward(machine);
        }
        true
    }

    /// Sets a configuration aside in which the operation that returns has not taken effect yet.
    fn aside_until_it_returns(&mut self, there: &Waiting<M>) {
        let mut other = there.clone();
        let operation = self.events[there.place as usize] / 2;
        other
            .configuration
            .done
            .remove(self.spots[operation as usize] as usize);
        self.pending.push(Pending {
            depth: self.above.len(),
            operation: None,
        });
        self.aside.push(other);
    }

    /// Unknown operations that no longer matter are as good as unused.
    fn forget<K: Machine>(&mut self, machine: &K, there: &mut Waiting<M>) {
        let idle = |operation: u32| machine.idle(operation, there.place);
        let used = self.used.get(there.configuration.used);
        if used.iter().any(|operation| idle(*operation)) {
            let used: Vec<u32> = used.into();
            there.configuration.used = self.used.without(&used, idle);
        }
    }

    /// Puts a configuration above, with everything that may come next, if it is new.
    fn wait<K: Machine>(&mut self, machine: &mut K, there: Waiting<M>) {
        let now = there.place;
        if self.furthest < now {
            self.furthest = now;
            self.longest = (there.configuration.path, None);
        }
        if !self.unseen(&there) {
            return;
        }
        let last = self.events[now as usize] / 2;
        let spot = self.spots[last as usize] as usize;
        let last_is_blind = self.blind.has(spot);
        let state = there.configuration.state;
        // The best last, for it is tried first.
        let mut next: Vec<(bool, u32, u32)> = Vec::new();
        for class in 0..self.classes.len() {
            let Some(operation) = self.unused(machine, &there, class) else {
                continue;
            };
            self.work += 1;
            let blind = machine.effect(operation) == Effect::Blind;
            if blind && there.fresh {
                continue;
            }
            let Some(leads) = machine.step(state, operation, now) else {
                continue;
            };
            if !blind && leads == state {
                continue;
            }
            let serves = machine.step(leads, last, now).is_some();
            next.push((serves, OPEN, operation));
        }
        let blind = if there.fresh { None } else { Some(&self.blind) };
        for set in blind.into_iter().chain([&self.dependent]) {
            let mut from = 0;
            while let Some(other) = next_common(&there.configuration.undone, set, from) {
                from = other + 1;
                if other == spot || self.has_earlier_twin(machine, &there, other) {
                    continue;
                }
                let operation = self.window[other];
                self.work += 1;
                if let Some(leads) = machine.step(state, operation, now) {
                    let serves = machine.step(leads, last, now).is_some();
                    next.push((serves, self.steps[operation as usize].ret, operation));
                }
            }
        }
        next.sort_by_key(|(serves, ret, operation)| {
            (*serves, u32::MAX - ret, u32::MAX - operation)
        });
        self.above.push(there);
        let depth = self.above.len();
        let fresh = self.above[depth - 1].fresh;
        self.pending.extend(next.iter().map(|next| Pending {
            depth,
            operation: Some(next.2),
        }));
        if !(fresh && last_is_blind) {
            self.pending.push(Pending {
                depth,
                operation: Some(last),
            });
        }
    }

    /// The unknown operation of a class to be used next: the earliest, unless one that does the
    /// same must take effect anyway.
    fn unused<K: Machine>(&self, machine: &K, there: &Waiting<M>, class: usize) -> Option<u32> {
        let class = &self.classes[class];
        let used = there.configuration.used;
        let first = if used == 0 {
            0
        } else {
            class.partition_point(|operation| self.used.has(used, *operation))
        };
        let operation = *class.get(first)?;
        if self.steps[operation as usize].call > there.place || machine.idle(operation, there.place)
        {
            return None;
        }
        for set in [&self.blind, &self.dependent] {
            let mut from = 0;
            while let Some(spot) = next_common(&there.configuration.undone, set, from) {
                from = spot + 1;
                if machine.alike(self.window[spot], operation) {
                    return None;
                }
            }
        }
        Some(operation)
    }

    /// Whether an operation that does the same, is just as undone, and must return earlier is open.
    fn has_earlier_twin<K: Machine>(&self, machine: &K, there: &Waiting<M>, spot: usize) -> bool {
        let Configuration { done, undone, .. } = &there.configuration;
        let operation = self.window[spot];
        for set in [&self.blind, &self.dependent] {
            let mut from = 0;
            while let Some(other) = next_common(undone, set, from) {
                from = other + 1;
                let twin = self.window[other];
                if self.steps[twin as usize].ret < self.steps[operation as usize].ret
                    && done.has(other) == done.has(spot)
                    && machine.alike(twin, operation)
                {
                    return true;
                }
            }
        }
        false
    }

    fn unseen(&mut self, there: &Waiting<M>) -> bool {
        let hash = mix(
            there.configuration.hash(),
            u64::from(there.place) * 2 + u64::from(there.fresh),
        );
        let list = &self.seen_list;
        let same = |at: u32| {
            let seen = &list[at as usize];
            seen.place == there.place
                && seen.fresh == there.fresh
                && seen.configuration.same(&there.configuration)
        };
        if self.seen.find(hash, same).is_some() {
            return false;
        }
        let number = u32::try_from(list.len()).expect("the budget ends long before 2^32");
        self.seen.insert(hash, number);
        self.seen_list.push(there.clone());
        true
    }

    /// Moves the window to the moment before an event.
    fn seek<K: Machine>(&mut self, machine: &K, at: usize) {
        while self.at < at {
            self.forward(machine);
        }
        while self.at > at {
            self.at -= 1;
            self.pass(machine, self.at, false);
        }
    }

    fn forward<K: Machine>(&mut self, machine: &K) {
        self.pass(machine, self.at, true);
        self.at += 1;
    }

    /// An event, forwards or backwards.
    fn pass<K: Machine>(&mut self, machine: &K, at: usize, forwards: bool) {
        let event = self.events[at];
        let operation = event / 2;
        if self.steps[operation as usize].ret == OPEN {
            return;
        }
        let spot = self.spots[operation as usize] as usize;
        if event.is_multiple_of(2) != forwards {
            self.window[spot] = OPEN;
            for set in [
                &mut self.readers,
                &mut self.total,
                &mut self.blind,
                &mut self.dependent,
            ] {
                set.remove(spot);
            }
            return;
        }
        self.window[spot] = operation;
        let effect = machine.effect(operation);
        match effect {
            Effect::Read => self.readers.add(spot),
            Effect::Blind => self.blind.add(spot),
            Effect::Total | Effect::Partial => self.dependent.add(spot),
        }
        if matches!(effect, Effect::Blind | Effect::Total) {
            self.total.add(spot);
        }
    }
}

fn place(at: usize) -> u32 {
    u32::try_from(at).expect("places have 32 bits")
}

/// By operation of known outcome: its place in the window; and how many places there are.
fn spots(steps: &[Step], events: &[u32]) -> (Vec<u32>, usize) {
    let mut spots = vec![0; steps.len()];
    let mut free = Vec::new();
    let mut places = 0;
    for event in events {
        let operation = (event / 2) as usize;
        if event % 2 == 1 {
            free.push(spots[operation]);
        } else if steps[operation].ret != OPEN {
            spots[operation] = free.pop().unwrap_or_else(|| {
                places += 1;
                places - 1
            });
        }
    }
    (spots, places as usize)
}

/// The unknown operations that change something, by what they do.
fn classes<K: Machine>(machine: &K, steps: &[Step]) -> Vec<Vec<u32>> {
    let mut classes: Vec<Vec<u32>> = Vec::new();
    for (operation, step) in (0u32..).zip(steps) {
        if step.ret != OPEN
            || machine.effect(operation) == Effect::Read
            || machine.idle(operation, 0)
        {
            continue;
        }
        match classes
            .iter_mut()
            .find(|class| machine.alike(class[0], operation))
        {
            Some(class) => class.push(operation),
            None => classes.push(vec![operation]),
        }
    }
    classes
}
