//! All cells and messages that there are, by number, and all steps that were ever taken.
//!
//! The engine runs once for each cell and input. Everything after that is numbers: a state of a world
//! is the number of each replica's cell, and nothing else.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;

use synod_engine::effects::To;
use synod_engine::ids::{NodeId, Slot};
use synod_engine::message::Message;
use xxhash_rust::xxh3::Xxh3Default;

use super::bounds::Plan;
use super::cell::{Cell, Input, Outward, Used};
use super::index::Index;
use crate::broken::judged;

/// Something that was said; it can come at any time from then on, and any number of times.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Said {
    /// By whom.
    pub from: NodeId,
    /// To whom; none: to everybody.
    pub to: Option<NodeId>,
    /// What.
    pub message: Arc<Message>,
}

/// A cell, and what is looked at often.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) cell: Cell,
    pub(super) used: Used,
    pub(super) leads: bool,
    /// Something is to be durable.
    pub(super) pends: bool,
    /// By addressee: what it said.
    pub(super) to: Vec<Vec<u32>>,
    /// By addressee: what of it may be forgotten.
    spends: Vec<Vec<u32>>,
}

/// What a step did that others can see: what was said for the first time, by number, and the like.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Deeds {
    pub(super) said: Vec<u32>,
    pub(super) taken: Vec<(u64, u64)>,
    pub(super) reads: Vec<(u64, u64)>,
}

/// What a step comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Nothing changes.
    Idle,
    /// Another cell, having done the deeds of that number.
    Next(u32, u32),
    /// Nothing changes here, and these messages, by the number of the list, answer the one that came.
    Answers(u32),
    /// Something broke, which is told under that number.
    Broken(u32),
}

/// Inputs are numbered: those without a message are above all messages.
const MESSAGES_MAX: u32 = 1 << 24;

fn code(input: Input) -> u32 {
    match input {
        Input::Hear(message) => message,
        Input::HearLate(message) => message | MESSAGES_MAX,
        Input::Patience => 2 << 24,
        Input::Campaign => 3 << 24,
        Input::Ask => 4 << 24,
        Input::Read(floor) => 5 << 24 | u32::from(floor),
        Input::Beat => 6 << 24,
        Input::Promised => 7 << 24,
        Input::LoggedOne => 8 << 24,
        Input::Logged => 9 << 24,
        Input::Restart => 10 << 24,
        Input::Forget(message) => message | 16 << 24,
    }
}

/// What a cell takes, in bytes, roughly.
const CELL_BYTES: u64 = 3072;
const SETTLES: u32 = 1 << 31;
const IDLE: u64 = u64::MAX;
const BROKEN: u64 = (u32::MAX - 1) as u64;
const ANSWERS: u64 = (u32::MAX - 2) as u64;

/// What becomes of something that was said.
enum Fate {
    /// Nobody hears it.
    LeftOut,
    /// It is told at once, or not at all.
    Answer,
    /// It may come at any time.
    Kept,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) plan: Plan,
    pub(super) cells: Vec<Kept>,
    by_print: BTreeMap<u128, u32>,
    pub(super) messages: Vec<Said>,
    by_message: BTreeMap<u128, u32>,
    pub(super) deeds: Vec<Deeds>,
    by_deeds: BTreeMap<u128, u32>,
    pub(super) broken: Vec<String>,
    pub(super) answers: Vec<Vec<u32>>,
    steps: Index,
    /// How often the engine ran.
    pub(super) taken: u64,
}

fn print(what: &impl Hash) -> u128 {
    let mut hasher = Xxh3Default::new();
    what.hash(&mut hasher);
    hasher.digest128()
}

impl Tables {
    /// No cells yet.
    pub(super) fn new(plan: Plan) -> Self {
        let mut tables = Self {
            plan,
            cells: Vec::new(),
            by_print: BTreeMap::new(),
            messages: Vec::new(),
            by_message: BTreeMap::new(),
            deeds: Vec::new(),
            by_deeds: BTreeMap::new(),
            broken: Vec::new(),
            answers: Vec::new(),
            steps: Index::new(),
            taken: 0,
        };
        assert_eq!(tables.deeds_number(Deeds::default()), 0);
        tables
    }

    /// The number of the cell of a replica that starts for the first time.
    pub(super) fn first(&mut self, node: NodeId) -> u32 {
        let cell = Cell::new(&self.plan, node);
        self.cell_number(cell)
    }

    /// Takes a step, or looks it up. When it `settles`, all that is written meanwhile becomes durable
    /// in it.
    pub(super) fn step(&mut self, at: u32, input: Input, settles: bool) -> Step {
        let input_code = code(input) | if settles { SETTLES } else { 0 };
        let key = u64::from(at) << 32 | u64::from(input_code);
        let value = match self.steps.get(key) {
            Some(value) => value,
            None => {
                let value = self.take(at, input, settles);
                self.steps.insert(key, value);
                value
            }
        };
        let (next, deeds) = ((value >> 32) as u32, value as u32);
        match (value, u64::from(next)) {
            (IDLE, _) => Step::Idle,
            (_, BROKEN) => Step::Broken(deeds),
            (_, ANSWERS) => Step::Answers(deeds),
            _ => Step::Next(next, deeds),
        }
    }

    /// Memory in bytes, roughly.
    pub(super) fn bytes(&self) -> u64 {
        self.steps.bytes() + self.cells.len() as u64 * CELL_BYTES
    }

    /// Adds that the answers of a list are heard by those whom they are for.
    pub(super) fn hear_answers(&self, list: u32, into: &mut Vec<(usize, Input)>) {
        for answer in &self.answers[list as usize] {
            if let Some(to) = self.messages[*answer as usize].to {
                into.push((usize::from(to.0), Input::Hear(*answer)));
            }
        }
    }

    /// What is left of who said something when the addressee is in this cell.
    pub(super) fn unspent(&mut self, mut sayer: u32, hearer: u32, settles: bool) -> u32 {
        let to = usize::from(self.cells[hearer as usize].cell.node().0);
        for said in self.cells[sayer as usize].spends[to].clone() {
            if self.step(hearer, Input::Hear(said), settles) == Step::Idle
                && let Step::Next(next, _) = self.step(sayer, Input::Forget(said), false)
            {
                sayer = next;
            }
        }
        sayer
    }

    fn can_be_spent(&self, said: u32) -> bool {
        let hints = |below: Slot| below > Slot(0) && self.plan.bounds.restarts > 0;
        match &*self.messages[said as usize].message {
            Message::Accepted { .. } => true,
            Message::Promise { chosen_below, .. } => !hints(*chosen_below),
            _ => false,
        }
    }

    /// Whether a message was said, or answers one that was, by who is in these cells.
    pub(super) fn was_said(&mut self, cells: &[u32], message: u32, settles: bool) -> bool {
        let said = self.messages[message as usize].clone();
        let by = cells[usize::from(said.from.0)];
        if self.cells[by as usize].cell.said.contains(&message) {
            return true;
        }
        let Some(to) = said.to else {
            return false;
        };
        let asked = cells[usize::from(to.0)];
        let asked = self.cells[asked as usize].to[usize::from(said.from.0)].clone();
        asked.into_iter().any(
            |question| match self.step(by, Input::Hear(question), settles) {
                Step::Answers(list) => self.answers[list as usize].contains(&message),
                _ => false,
            },
        )
    }

    /// Whether a message is a canvass.
    pub(super) fn is_canvass(&self, said: u32) -> bool {
        matches!(
            &*self.messages[said as usize].message,
            Message::Canvass { .. }
        )
    }

    fn take(&mut self, at: u32, input: Input, settles: bool) -> u64 {
        self.taken += 1;
        let plan = self.plan;
        let heard = match input {
            Input::Hear(message) | Input::HearLate(message) => {
                Some(self.messages[message as usize].clone())
            }
            _ => None,
        };
        let mut cell = self.cells[at as usize].cell.clone();
        let mut out = Outward::default();
        let done = judged(|| {
            let heard = heard.as_ref().map(|said| (said.from, &*said.message));
            cell.step(&plan, input, heard, &mut out);
            while settles && (cell.writes_promise() || cell.pending() > 0) {
                let next = if cell.writes_promise() {
                    Input::Promised
                } else {
                    Input::Logged
                };
                cell.step(&plan, next, None, &mut out);
            }
            Ok(())
        });
        if let Err(what) = done {
            self.broken.push(what);
            return BROKEN << 32 | (self.broken.len() as u64 - 1);
        }
        let mut deeds = Deeds {
            said: Vec::new(),
            taken: out.taken,
            reads: out.reads,
        };
        let from = cell.node();
        let mut answers = Vec::new();
        let mut told: Vec<Said> = Vec::new();
        for (to, message) in out.sends {
            let to = match to {
                To::One(to) => Some(to),
                To::Peers => None,
            };
            if self.plan.reductions.answers {
                shorter(&message, |message| {
                    told.push(Said {
                        from,
                        to,
                        message: Arc::new(message),
                    })
                });
            }
            let message = Arc::new(message);
            told.push(Said { from, to, message });
        }
        for said in told {
            match self.fate(&cell, &said) {
                Fate::LeftOut => {}
                Fate::Answer => answers.push(self.message_number(said)),
                Fate::Kept => {
                    let said = self.message_number(said);
                    if let Err(place) = cell.said.binary_search(&said) {
                        cell.said.insert(place, said);
                        deeds.said.push(said);
                    }
                }
            }
        }
        let next = self.cell_number(cell);
        if next != at {
            return u64::from(next) << 32 | u64::from(self.deeds_number(deeds));
        }
        if answers.is_empty() {
            return IDLE;
        }
        self.answers.push(answers);
        ANSWERS << 32 | (self.answers.len() as u64 - 1)
    }

    /// What becomes of something that was said.
    fn fate(&self, cell: &Cell, said: &Said) -> Fate {
        let Plan {
            bounds, reductions, ..
        } = self.plan;
        let left_out = match &*said.message {
            Message::Canvass { .. } | Message::CanvassReply { .. } => reductions.canvass,
            Message::Resign { .. } => reductions.idle,
            Message::HeartbeatReply { .. } => reductions.idle && bounds.reads == 0,
            Message::Promise { ballot, from, .. } if reductions.answers => {
                let again = |other: &u32| {
                    let other = &self.messages[*other as usize];
                    other.to == said.to
                        && matches!(&*other.message, Message::Promise { ballot: told, from: page, .. }
                            if (told, page) == (ballot, from))
                };
                cell.said.iter().any(again)
            }
            Message::Reject { .. } | Message::CatchUpReply { .. } if reductions.answers => {
                return Fate::Answer;
            }
            _ => false,
        };
        if left_out { Fate::LeftOut } else { Fate::Kept }
    }

    fn cell_number(&mut self, cell: Cell) -> u32 {
        let next = number(self.cells.len());
        let found = *self.by_print.entry(cell.print()).or_insert(next);
        if found == next {
            let nodes = self.plan.bounds.nodes;
            let to = |node: u8| {
                let for_it = |said: &u32| {
                    let said = &self.messages[*said as usize];
                    said.to.is_none_or(|to| to.0 == node) && cell.node().0 != node
                };
                cell.said.iter().copied().filter(for_it).collect()
            };
            let to: Vec<Vec<u32>> = (0..nodes).map(to).collect();
            let spends = to.iter().map(|said| {
                let said = said.iter().copied();
                said.filter(|said| self.can_be_spent(*said)).collect()
            });
            let spends = spends.collect();
            self.cells.push(Kept {
                used: cell.used,
                leads: cell.leads(),
                pends: cell.writes_promise() || cell.pending() > 0,
                to,
                spends,
                cell,
            });
        }
        found
    }

    /// The number of something that is said.
    pub(super) fn message_number(&mut self, said: Said) -> u32 {
        let next = number(self.messages.len());
        assert!(next < MESSAGES_MAX, "a small world has fewer messages");
        let found = *self.by_message.entry(print(&said)).or_insert(next);
        if found == next {
            self.messages.push(said);
        }
        found
    }

    fn deeds_number(&mut self, deeds: Deeds) -> u32 {
        let next = number(self.deeds.len());
        let found = *self.by_deeds.entry(print(&deeds)).or_insert(next);
        if found == next {
            self.deeds.push(deeds);
        }
        found
    }
}

/// What could have been answered before, when less was chosen.
fn shorter(message: &Message, mut each: impl FnMut(Message)) {
    if let Message::CatchUpReply { from, values, .. } = message {
        for count in 1..values.len() {
            each(Message::CatchUpReply {
                from: *from,
                values: values[..count].to_vec(),
                chosen_below: Slot(from.0 + count as u64),
            });
        }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("fewer than four billion are kept")
}
