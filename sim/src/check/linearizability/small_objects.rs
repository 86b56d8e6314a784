//! Small histories of sets, queues and transactions for the tests, and brute force over them, which
//! knows the objects by itself.
//!
//! As in `small`, they are made by running operations one by one and reporting what they returned,
//! some of it wrongly.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::check::linearizability::small::Drawn;
use crate::history::input::Model;
use crate::history::recorded::{Asked, History, NEVER, Outcome, Recorded};
use crate::history::values::{ABSENT, Form, Val};

/// A history and the object that it is of.
pub struct Small {
    pub history: History,
    start: State,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    Queue(VecDeque<Val>),
    Set(BTreeSet<Val>),
    Registers(BTreeMap<Val, Val>),
}

/// What the draws are as operations on an object of this model. Unique: every value is enqueued or
/// added once, and nothing is taken out of a set.
pub fn small_object(drawn: &[Drawn], model: Model, unique: bool) -> Small {
    let mut history = History::default();
    history.keys.push(ABSENT);
    let start = match model {
        Model::Queue => State::Queue(VecDeque::new()),
        Model::Set => State::Set(BTreeSet::new()),
        _ => State::Registers(BTreeMap::new()),
    };
    // A set has reads of the whole in half of the histories.
    let whole = drawn
        .iter()
        .map(|draw| draw.other)
        .fold(0, u8::wrapping_add)
        % 2
        == 0;
    let mut fresh = 0;
    let mut points = Vec::new();
    for (at, draw) in drawn.iter().enumerate() {
        let mut value = |values: &mut crate::history::values::Values, new: bool| {
            let number = if new && unique {
                fresh += 1;
                fresh
            } else {
                1 + draw.value % 3
            };
            values.intern(Form::Other, number.to_string().as_bytes())
        };
        let values = &mut history.values;
        let asked = match (&start, draw.kind) {
            (State::Queue(_), 0..8) => Asked::Enqueue(value(values, true)),
            (State::Queue(_), _) => Asked::Dequeue,
            (State::Set(_), 0..7) => Asked::Add(value(values, true)),
            (State::Set(_), 7..11) if whole => Asked::Read,
            (State::Set(_), _) if unique && whole => Asked::Read,
            (State::Set(_), 11..14) => Asked::Remove(value(values, false)),
            (State::Set(_), _) => Asked::Contains(value(values, false)),
            (State::Registers(_), _) => Asked::Txn(transaction(draw, values)),
        };
        points.push((
            u64::from(draw.call) + u64::from(draw.point) % (u64::from(draw.length) + 1),
            at,
        ));
        history.operations.push(Recorded {
            call: u64::from(draw.call),
            ret: u64::from(draw.call + draw.length),
            place: None,
            asked,
            outcome: Outcome::Unknown,
            process: 0,
            key: 0,
            lines: [0; 2],
        });
    }
    points.sort_unstable();
    let mut state = start.clone();
    for (_, at) in points {
        let draw = drawn[at];
        let Recorded { asked, .. } = history.operations[at];
        let before = state.clone();
        if !draw.unknown || draw.other.is_multiple_of(2) {
            run(&mut state, asked, &history);
        }
        // Somebody else's answer, or that of a moment ago, is wrong at times.
        let seen = match (draw.wrong, draw.point % 3) {
            (false, _) => before,
            (true, 0) => start.clone(),
            (true, 1) => state.clone(),
            (true, _) => shuffled(&before, draw.value, &mut history),
        };
        let outcome = answer(&seen, asked, draw.value.is_multiple_of(2), &mut history);
        let operation = &mut history.operations[at];
        if draw.unknown {
            operation.ret = NEVER;
        } else {
            operation.outcome = outcome;
        }
    }
    Small { history, start }
}

/// One or two reads or writes of three registers.
fn transaction(draw: &Drawn, values: &mut crate::history::values::Values) -> Val {
    let [read, write] = ["read", "write"].map(|name| values.text(name.as_bytes()));
    let mut parts = Vec::new();
    for (writes, key, value) in [
        (
            draw.kind.is_multiple_of(2),
            draw.value % 3,
            draw.value / 3 % 3,
        ),
        (
            draw.kind.is_multiple_of(3),
            draw.other % 3,
            draw.other / 3 % 3,
        ),
    ] {
        let key = values.text(&[b'x' + key]);
        let value = values.intern(Form::Other, value.to_string().as_bytes());
        parts.push(if writes {
            values.list(&[write, key, value])
        } else {
            values.list(&[read, key])
        });
        if draw.point.is_multiple_of(2) {
            break;
        }
    }
    values.list(&parts)
}

fn shuffled(state: &State, by: u8, history: &mut History) -> State {
    let value = history
        .values
        .intern(Form::Other, (1 + by % 4).to_string().as_bytes());
    let mut other = state.clone();
    match &mut other {
        State::Queue(queue) => {
            queue.pop_front();
            queue.push_front(value);
        }
        State::Set(set) => {
            if !set.remove(&value) {
                set.insert(value);
            }
        }
        State::Registers(registers) => {
            let key = history.values.text(&[b'x' + by % 3]);
            registers.insert(key, value);
        }
    }
    other
}

/// The parts of a transaction: whether it writes, the key, and the value if there is one.
fn parts(history: &History, transaction: Val) -> Vec<(bool, Val, Option<Val>)> {
    let part = |part: &Val| {
        let part = history.values.members(*part).expect("it is a list");
        let writes = history.values.bytes(part[0]) == b"write";
        (writes, part[1], part.get(2).copied())
    };
    let parts = history.values.members(transaction).expect("it is a list");
    parts.iter().map(part).collect()
}

/// The effect of an operation that has it.
fn run(state: &mut State, asked: Asked, history: &History) {
    match (state, asked) {
        (State::Queue(queue), Asked::Enqueue(value)) => queue.push_back(value),
        (State::Queue(queue), Asked::Dequeue) => _ = queue.pop_front(),
        (State::Set(set), Asked::Add(value)) => _ = set.insert(value),
        (State::Set(set), Asked::Remove(value)) => _ = set.remove(&value),
        (State::Registers(registers), Asked::Txn(transaction)) => {
            for (writes, key, value) in parts(history, transaction) {
                if let (true, Some(value)) = (writes, value) {
                    registers.insert(key, value);
                }
            }
        }
        _ => {}
    }
}

/// What an operation answers in a state. Of adds and removes only some say whether they changed it.
fn answer(state: &State, asked: Asked, tells: bool, history: &mut History) -> Outcome {
    let [no, yes] =
        ["false", "true"].map(|truth| history.values.intern(Form::Other, truth.as_bytes()));
    let truth = |truth: bool| Outcome::Ok(if truth { yes } else { no });
    match (state, asked) {
        (State::Queue(queue), Asked::Dequeue) => {
            Outcome::Ok(queue.front().copied().unwrap_or(ABSENT))
        }
        (State::Set(set), Asked::Read) => {
            let members: Vec<Val> = set.iter().rev().copied().collect();
            Outcome::Ok(history.values.list(&members))
        }
        (State::Set(set), Asked::Contains(value)) => truth(set.contains(&value)),
        (State::Set(set), Asked::Add(value)) if tells => truth(!set.contains(&value)),
        (State::Set(set), Asked::Remove(value)) if tells => truth(set.contains(&value)),
        (State::Registers(registers), Asked::Txn(transaction)) => {
            let [read, write] = ["read", "write"].map(|name| history.values.text(name.as_bytes()));
            let mut registers = registers.clone();
            let mut seen = Vec::new();
            for (writes, key, value) in parts(history, transaction) {
                if let (true, Some(value)) = (writes, value) {
                    registers.insert(key, value);
                    seen.push(history.values.list(&[write, key, value]));
                } else {
                    let value = registers.get(&key).copied().unwrap_or(ABSENT);
                    seen.push(history.values.list(&[read, key, value]));
                }
            }
            Outcome::Ok(history.values.list(&seen))
        }
        _ => Outcome::Ok(ABSENT),
    }
}

impl Small {
    /// Tries every order of these operations, of which the required ones must be in it.
    pub fn has_order(&self, operations: &[usize], required: &dyn Fn(usize) -> bool) -> bool {
        let mut left = operations.to_vec();
        self.orders(&mut left, required, &self.start)
    }

    /// The same history, when nothing had come back yet of the operations that are not required.
    pub fn before(&self, returned: &dyn Fn(usize) -> bool) -> Self {
        let mut history = self.history.clone();
        for (at, operation) in history.operations.iter_mut().enumerate() {
            if !returned(at) {
                operation.outcome = Outcome::Unknown;
            }
        }
        Self {
            history,
            start: self.start.clone(),
        }
    }

    fn orders(
        &self,
        left: &mut Vec<usize>,
        required: &dyn Fn(usize) -> bool,
        state: &State,
    ) -> bool {
        if !left.iter().any(|at| required(*at)) {
            return true;
        }
        let at = |number: usize| &self.history.operations[number];
        for place in 0..left.len() {
            let next = left[place];
            let waits = |other: &usize| required(*other) && at(*other).ret < at(next).call;
            if left.iter().any(waits) {
                continue;
            }
            let Some(after) = self.after(state, at(next)) else {
                continue;
            };
            left.remove(place);
            let found = self.orders(left, required, &after);
            left.insert(place, next);
            if found {
                return true;
            }
        }
        false
    }

    /// The state after an operation that answered as it did; none if it cannot have.
    fn after(&self, state: &State, operation: &Recorded) -> Option<State> {
        let history = &self.history;
        let mut after = state.clone();
        if let Outcome::Ok(answer) = operation.outcome {
            let truth = (answer != ABSENT).then(|| history.values.bytes(answer) == b"true");
            let possible = match (state, operation.asked) {
                (State::Queue(queue), Asked::Dequeue) => {
                    queue.front().copied().unwrap_or(ABSENT) == answer
                }
                (State::Set(set), Asked::Read) => {
                    let members = history.values.members(answer).unwrap_or_default();
                    *set == members.iter().copied().collect()
                }
                (State::Set(set), Asked::Contains(value) | Asked::Remove(value)) => {
                    truth.is_none_or(|truth| truth == set.contains(&value))
                }
                (State::Set(set), Asked::Add(value)) => {
                    truth.is_none_or(|truth| truth != set.contains(&value))
                }
                (State::Registers(registers), Asked::Txn(_)) => {
                    let mut registers = registers.clone();
                    parts(history, answer)
                        .into_iter()
                        .all(|(writes, key, value)| {
                            let value = value.expect("an answer has all values");
                            if writes {
                                registers.insert(key, value);
                            }
                            registers.get(&key).copied().unwrap_or(ABSENT) == value
                        })
                }
                _ => true,
            };
            if !possible {
                return None;
            }
        }
        run(&mut after, operation.asked, history);
        Some(after)
    }
}
