//! Every state of a small world, breadth first, so that what breaks is told by a shortest way.

use std::collections::BTreeSet;

use synod_engine::ids::NodeId;

use super::bounds::Plan;
use super::cell::{Input, Used};
use super::judge::judge;
use super::tables::{Step, Tables};
use super::visited::Visited;
use super::way::Move;

/// What each replica took for chosen: by node, the slots and digests of the values.
pub type Taken = Vec<Vec<(u64, u64)>>;

/// Something that broke, and a shortest way to it.
#[derive(Clone, Debug)]
pub struct Broken {
    /// What.
    pub what: String,
    /// From the beginning.
    pub way: Vec<Move>,
}

/// Why a search ended.
#[derive(Clone, Debug)]
pub enum End {
    /// Every state was visited.
    Complete,
    /// Something broke.
    Broken(Broken),
    /// There is no more memory.
    Memory,
    /// It was told to.
    Told,
}

/// How far a search is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// States that were visited.
    pub states: u64,
    /// Of them, those whose every step was taken.
    pub expanded: u64,
    /// Steps from a state to another one.
    pub transitions: u64,
    /// Every state that is so many steps away from the beginning, on its shortest way, was visited;
    /// when the search is complete, the farthest one is so far away.
    pub depth: u32,
    /// Replicas' states, with their disks and pasts, that the states are made of.
    pub cells: u64,
    /// Different messages.
    pub messages: u64,
    /// How often the engine ran; every other step was looked up.
    pub engine_steps: u64,
    /// Memory, in bytes, as accounted for.
    pub bytes: u64,
}

/// How many states are expanded between two questions whether to go on.
const BETWEEN: u64 = 1 << 14;

/// A search of the states of `N` replicas.
#[derive(Debug)]
pub(super) struct Breadth<const N: usize> {
    tables: Tables,
    visited: Visited<N>,
    counts: Counts,
    inputs: Vec<(usize, Input)>,
}

impl<const N: usize> Breadth<N> {
    pub(super) fn new(plan: Plan) -> Self {
        let mut search = Self {
            tables: Tables::new(plan),
            visited: Visited::new(),
            counts: Counts::default(),
            inputs: Vec::new(),
        };
        let nodes = (0..).map(NodeId).take(N);
        let cells: Vec<u32> = nodes.map(|node| search.tables.first(node)).collect();
        let first = cells.try_into().expect("as many cells as nodes");
        search.visited.insert(first, 0);
        search
    }

    /// Visits states until there are no more. `goes_on` is asked now and then.
    pub(super) fn run(&mut self, goes_on: &mut dyn FnMut(&Counts) -> bool) -> (End, Counts) {
        let end = self.visit_all(goes_on);
        self.count();
        (end, self.counts)
    }

    /// What replicas take for chosen, in each state.
    pub(super) fn taken(&self) -> BTreeSet<Taken> {
        let cell = |cell: &u32| &self.tables.cells[*cell as usize].cell;
        let taken = |state: &[u32; N]| state.iter().map(|at| cell(at).taken.clone()).collect();
        (0..self.visited.len())
            .map(|at| taken(&self.visited.state(at)))
            .collect()
    }

    fn visit_all(&mut self, goes_on: &mut dyn FnMut(&Counts) -> bool) -> End {
        let mut at = 0;
        let mut layer_end = 1;
        while at < self.visited.len() {
            if at == layer_end {
                self.counts.depth += 1;
                layer_end = self.visited.len();
            }
            if let Err(what) = self.expand(at) {
                return End::Broken(what);
            }
            at += 1;
            self.counts.expanded += 1;
            if self.counts.expanded.is_multiple_of(BETWEEN) {
                self.count();
                if self.counts.bytes > self.tables.plan.bytes_max {
                    return End::Memory;
                }
                if !goes_on(&self.counts) {
                    return End::Told;
                }
            }
        }
        End::Complete
    }

    fn count(&mut self) {
        self.counts.states = self.visited.len() as u64;
        self.counts.cells = self.tables.cells.len() as u64;
        self.counts.messages = self.tables.messages.len() as u64;
        self.counts.engine_steps = self.tables.taken;
        self.counts.bytes = self.visited.bytes() + self.tables.bytes();
    }

    fn used(&self, state: &[u32; N]) -> Used {
        let all = state
            .iter()
            .map(|cell| self.tables.cells[*cell as usize].used);
        all.fold(Used::default(), Used::plus)
    }

    /// Visits all states that are one step away from this one.
    fn expand(&mut self, at: usize) -> Result<(), Broken> {
        let state = self.visited.state(at);
        let used = self.used(&state);
        let settles = self.tables.plan.settles(used.restarts);
        let mut inputs = std::mem::take(&mut self.inputs);
        self.inputs(&state, used, settles, &mut inputs);
        let mut at_input = 0;
        while let Some((node, input)) = inputs.get(at_input).copied() {
            at_input += 1;
            let (next, deeds) = match self.tables.step(state[node], input, settles) {
                Step::Idle => continue,
                Step::Answers(list) => {
                    self.tables.hear_answers(list, &mut inputs);
                    continue;
                }
                Step::Broken(told) => {
                    let what = self.tables.broken[told as usize].clone();
                    return Err(self.broken(what, at, node, input));
                }
                Step::Next(next, deeds) => (next, deeds),
            };
            if !self.is_within(&state, used, node, next, input) {
                continue;
            }
            let other = self.after(state, node, next, settles);
            if other == state {
                continue;
            }
            self.counts.transitions += 1;
            if self.visited.insert(other, at)
                && let Err(what) = judge(&self.tables, &other, node, deeds)
            {
                return Err(self.broken(what, at, node, input));
            }
        }
        self.inputs = inputs;
        Ok(())
    }

    /// The state that a step leads to.
    fn after(&mut self, mut state: [u32; N], node: usize, next: u32, settles: bool) -> [u32; N] {
        state[node] = next;
        if self.tables.plan.reductions.spent {
            for other in (0..N).filter(|other| *other != node) {
                state[other] = self.tables.unspent(state[other], next, settles);
                state[node] = self.tables.unspent(state[node], state[other], settles);
            }
        }
        state
    }

    /// What can come in, and to whom.
    fn inputs(&self, state: &[u32; N], used: Used, settles: bool, into: &mut Vec<(usize, Input)>) {
        into.clear();
        let plan = &self.tables.plan;
        let kept = |node: usize| &self.tables.cells[state[node] as usize];
        if settles && let Some(node) = (0..N).find(|node| kept(*node).pends) {
            // Only after the last restart: what the others had not written yet.
            let input = if kept(node).cell.writes_promise() {
                Input::Promised
            } else {
                Input::Logged
            };
            into.push((node, input));
            return;
        }
        let floor = (0..N).map(|node| kept(node).cell.answered).max();
        for node in 0..N {
            let here = kept(node);
            let left = used.campaigns < plan.bounds.campaigns;
            let first = !plan.reductions.candidates || node < usize::from(plan.bounds.campaigns);
            if !plan.reductions.canvass && (here.leads || left && first) {
                into.push((node, Input::Patience));
            } else if plan.reductions.canvass && left {
                into.push((node, Input::Campaign));
            }
            if here.leads {
                if used.asks < plan.bounds.asks && here.used.asks < plan.bounds.asks_each {
                    into.push((node, Input::Ask));
                }
                if used.reads < plan.bounds.reads {
                    let floor = u8::try_from(floor.unwrap_or(0)).unwrap_or(u8::MAX);
                    into.push((node, Input::Read(floor)));
                }
                if used.beats < plan.bounds.beats {
                    into.push((node, Input::Beat));
                }
            }
            if here.cell.writes_promise() {
                into.push((node, Input::Promised));
            }
            if here.cell.pending() > 1 {
                into.push((node, Input::LoggedOne));
            }
            if here.cell.pending() > 0 {
                into.push((node, Input::Logged));
            }
            if used.restarts < plan.bounds.restarts {
                into.push((node, Input::Restart));
            }
            for other in 0..N {
                for said in &kept(other).to[node] {
                    into.push((node, Input::Hear(*said)));
                    if !plan.reductions.canvass && self.tables.is_canvass(*said) {
                        into.push((node, Input::HearLate(*said)));
                    }
                }
            }
        }
    }

    /// Whether a step leads to a state within the bounds.
    fn is_within(
        &self,
        state: &[u32; N],
        used: Used,
        node: usize,
        next: u32,
        input: Input,
    ) -> bool {
        let plan = &self.tables.plan;
        let before = &self.tables.cells[state[node] as usize];
        let after = &self.tables.cells[next as usize];
        let campaigns = used.campaigns - before.used.campaigns + after.used.campaigns;
        if campaigns > plan.bounds.campaigns {
            return false;
        }
        if plan.reductions.candidates && after.used.campaigns > before.used.campaigns {
            let count = |at: usize| {
                let cell = if at == node { next } else { state[at] };
                self.tables.cells[cell as usize].used.campaigns
            };
            let last = (0..N).rfind(|at| count(*at) > 0).unwrap_or(0);
            let least: u8 = (0..=last).map(|at| count(at).max(1)).sum();
            if least > plan.bounds.campaigns {
                return false;
            }
        }
        if input == Input::Campaign {
            // Somebody has to grant the canvass.
            let ballot = after.cell.promised;
            let grants = |other: &u32| self.tables.cells[*other as usize].cell.promised < ballot;
            return state.iter().filter(|other| grants(other)).count() > N / 2;
        }
        input != Input::Patience || after.cell.canvass_round() <= u64::from(plan.bounds.campaigns)
    }

    fn broken(&mut self, what: String, at: usize, node: usize, input: Input) -> Broken {
        let mut way = vec![self.named(node, input)];
        let mut at = at;
        while at > 0 {
            let parent = self.visited.parent(at);
            way.push(self.between(parent, at));
            at = parent;
        }
        way.reverse();
        Broken { what, way }
    }

    /// The step from a state to another one.
    fn between(&mut self, from: usize, to: usize) -> Move {
        let (state, next) = (self.visited.state(from), self.visited.state(to));
        let used = self.used(&state);
        let settles = self.tables.plan.settles(used.restarts);
        let mut inputs = Vec::new();
        self.inputs(&state, used, settles, &mut inputs);
        let mut at = 0;
        while let Some((node, input)) = inputs.get(at).copied() {
            at += 1;
            match self.tables.step(state[node], input, settles) {
                Step::Next(cell, _) if self.after(state, node, cell, settles) == next => {
                    return self.named(node, input);
                }
                Step::Answers(list) => self.tables.hear_answers(list, &mut inputs),
                _ => {}
            }
        }
        unreachable!("a state is a step away from its parent")
    }

    fn named(&self, node: usize, input: Input) -> Move {
        let heard = match input {
            Input::Hear(said) | Input::HearLate(said) => {
                Some(self.tables.messages[said as usize].clone())
            }
            _ => None,
        };
        Move {
            node: NodeId(u8::try_from(node).expect("few nodes")),
            input,
            heard,
        }
    }
}
