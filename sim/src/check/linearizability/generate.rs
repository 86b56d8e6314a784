//! Large histories for measurements, the same on every machine.
//!
//! Clients take turns at random: each calls, its operation takes effect at some moment, it returns.
//! So the history is linearizable, and nearly all clients have an operation open at any time.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::history::recorded::{Asked, History, NEVER, Outcome, Place, Recorded};
use crate::history::values::{ABSENT, Form, Val, Values};

/// What a generated history looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// How many operations.
    pub operations: usize,
    /// How many clients have an operation open at a time.
    pub clients: u32,
    /// How many keys.
    pub keys: u32,
    /// How many different values are written; none: every value is written once.
    pub values: Option<u32>,
    /// How many of a hundred operations write, compare and set, and append; the others read.
    pub writes: u32,
    /// See `writes`.
    pub swaps: u32,
    /// See `writes`.
    pub appends: u32,
    /// How many writes and swaps, spread evenly over the history, have an unknown outcome. Half of
    /// them take effect, some of those much later.
    pub unknown: usize,
    /// Whether a swap that failed keeps to itself what it saw.
    pub mute: bool,
    /// Whether operations carry the place that ordered them.
    pub places: bool,
    /// Another seed, another history.
    pub seed: u64,
}

impl Shape {
    /// Half reads, half writes of unique values on one key.
    #[must_use]
    pub const fn new(operations: usize, clients: u32) -> Self {
        Self {
            operations,
            clients,
            keys: 1,
            values: None,
            writes: 50,
            swaps: 0,
            appends: 0,
            unknown: 0,
            mute: false,
            places: false,
            seed: 1,
        }
    }
}

/// Where a client is.
#[derive(Clone, Copy)]
enum Phase {
    Idle,
    Called(usize),
    Done(usize),
}

struct Generator {
    shape: Shape,
    rng: ChaCha8Rng,
    history: History,
    /// By key.
    states: Vec<Val>,
    time: u64,
    slot: u64,
    written: u32,
    /// Unknown operations that may still take effect.
    floating: Vec<usize>,
}

/// Makes a history.
#[must_use]
pub fn generate(shape: Shape) -> History {
    let mut history = History::default();
    history.operations.reserve_exact(shape.operations);
    for key in 0..shape.keys {
        let name = if shape.keys == 1 {
            ABSENT
        } else {
            history.values.text(format!("k{key}").as_bytes())
        };
        history.keys.push(name);
    }
    let rng = ChaCha8Rng::seed_from_u64(shape.seed);
    let states = vec![ABSENT; shape.keys as usize];
    Generator {
        shape,
        rng,
        history,
        states,
        time: 0,
        slot: 0,
        written: 0,
        floating: Vec::new(),
    }
    .run()
}

impl Generator {
    fn below(&mut self, range: u32) -> u32 {
        u32::try_from((u64::from(self.rng.next_u32()) * u64::from(range)) >> 32)
            .expect("a number below 2^32")
    }

    fn run(mut self) -> History {
        let mut phases = vec![Phase::Idle; self.shape.clients as usize];
        let mut processes: Vec<u32> = (0..self.shape.clients).collect();
        self.history.processes = (0..i64::from(self.shape.clients)).collect();
        let every = self
            .shape
            .operations
            .checked_div(self.shape.unknown)
            .unwrap_or(usize::MAX);
        let mut due = every / 2;
        loop {
            let client = self.below(self.shape.clients) as usize;
            self.time += 1;
            phases[client] = match phases[client] {
                Phase::Idle if self.history.operations.len() == self.shape.operations => {
                    if phases.iter().all(|phase| matches!(phase, Phase::Idle)) {
                        break;
                    }
                    Phase::Idle
                }
                Phase::Idle => Phase::Called(self.call(processes[client])),
                Phase::Called(at)
                    if at >= due
                        && matches!(
                            self.history.operations[at].asked,
                            Asked::Write(_) | Asked::Cas { .. }
                        ) =>
                {
                    due = due.saturating_add(every);
                    self.floating.push(at);
                    processes[client] = u32::try_from(self.history.processes.len())
                        .expect("processes have 32-bit numbers");
                    self.history.processes.push(i64::from(processes[client]));
                    Phase::Idle
                }
                Phase::Called(at) => {
                    self.take_effect(at);
                    Phase::Done(at)
                }
                Phase::Done(at) => {
                    self.history.operations[at].ret = self.time;
                    Phase::Idle
                }
            };
            if !self.floating.is_empty() && self.below(64) == 0 {
                self.settle_floating();
            }
        }
        self.history.values.seal();
        self.history
    }

    fn call(&mut self, process: u32) -> usize {
        let kind = self.below(100);
        let Shape {
            writes,
            swaps,
            appends,
            keys,
            ..
        } = self.shape;
        let key = self.below(keys);
        let asked = if kind < writes {
            Asked::Write(self.value())
        } else if kind < writes + swaps {
            let new = self.value();
            let expected = match self.shape.values {
                Some(values) => {
                    let any = self.below(values);
                    number(&mut self.history.values, any)
                }
                None => self.states[key as usize],
            };
            Asked::Cas { expected, new }
        } else if kind < writes + swaps + appends {
            Asked::Append(self.value())
        } else {
            Asked::Read
        };
        let unknown = Recorded {
            call: self.time,
            ret: NEVER,
            place: None,
            asked,
            outcome: Outcome::Unknown,
            process,
            key,
            lines: [0; 2],
        };
        self.history.operations.push(unknown);
        self.history.operations.len() - 1
    }

    fn value(&mut self) -> Val {
        let value = match self.shape.values {
            Some(values) => self.below(values),
            None => {
                self.written += 1;
                self.written
            }
        };
        if self.shape.appends > 0 {
            self.history.values.text(format!("{value}.").as_bytes())
        } else {
            number(&mut self.history.values, value)
        }
    }

    fn take_effect(&mut self, at: usize) {
        let operation = &mut self.history.operations[at];
        let state = &mut self.states[operation.key as usize];
        let before = *state;
        operation.outcome = match operation.asked {
            Asked::Cas { expected, .. } if expected != before && self.shape.mute => Outcome::Fail,
            Asked::Read => Outcome::Ok(before),
            Asked::Cas { expected, .. } if expected != before => Outcome::Saw(before),
            _ => Outcome::Ok(ABSENT),
        };
        match (operation.asked, operation.outcome) {
            (Asked::Read, _) | (_, Outcome::Saw(_) | Outcome::Fail) => {
                operation.place = Some(Place::after(self.slot));
            }
            (Asked::Write(value) | Asked::Cas { new: value, .. }, _) => *state = value,
            (Asked::Delete, _) => *state = ABSENT,
            (Asked::Append(tail), _) => {
                let whole = [
                    self.history.values.bytes(before),
                    self.history.values.bytes(tail),
                ]
                .concat();
                *state = self.history.values.text(&whole);
            }
            (other, _) => unreachable!("{other:?} is not generated"),
        }
        if operation.place.is_none() {
            self.slot += 1;
            operation.place = Some(Place::new(self.slot, 0));
        }
        if !self.shape.places {
            operation.place = None;
        }
    }

    fn settle_floating(&mut self) {
        let range = u32::try_from(self.floating.len()).expect("few are open");
        let at = self.below(range) as usize;
        let operation = self.floating.swap_remove(at);
        if self.below(2) == 0 {
            self.take_effect(operation);
            self.history.operations[operation].outcome = Outcome::Unknown;
        }
    }
}

fn number(values: &mut Values, number: u32) -> Val {
    values.intern(Form::Other, number.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::linearizability::budget::Budget;
    use crate::check::linearizability::check::{Verdict, check};

    #[test]
    fn what_is_generated_is_linearizable_and_the_same_each_time() {
        for (values, appends, unknown) in [(None, 0, 5), (Some(3), 0, 0), (None, 20, 0)] {
            let shape = Shape {
                values,
                appends,
                unknown,
                swaps: 10,
                writes: 30,
                keys: 2,
                places: true,
                ..Shape::new(500, 6)
            };
            let (history, again) = (generate(shape), generate(shape));
            assert_eq!(history.operations, again.operations);
            assert_eq!(history.operations.len(), 500);
            assert_eq!(
                history
                    .operations
                    .iter()
                    .filter(|operation| operation.outcome == Outcome::Unknown)
                    .count(),
                unknown
            );
            let report = check(&history, Budget::default());
            assert_eq!(
                (report.verdict, report.methods[0], report.log),
                (Verdict::Linearizable, 2, None)
            );
        }
    }
}
