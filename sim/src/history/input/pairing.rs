//! Joins calls with their returns, whatever they were written in.

use std::collections::BTreeMap;

use crate::history::input::convention::{Conventions, FailedCas, Nil};
use crate::history::input::error::InputError;
use crate::history::input::function::Function;
use crate::history::input::model::Model;
use crate::history::input::transaction;
use crate::history::recorded::{Asked, History, NEVER, Outcome, Place, Recorded};
use crate::history::values::{ABSENT, Form, Val, Values};

/// A history, and how its words were taken.
#[derive(Clone, Debug)]
pub struct Input {
    /// The history.
    pub history: History,
    /// What its words were taken to mean.
    pub conventions: Conventions,
}

/// What a line is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A call.
    Invoke,
    /// It took effect.
    Ok,
    /// It did not.
    Fail,
    /// Nobody knows.
    Info,
}

/// What a line carries as its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Argument {
    /// Nothing.
    Missing,
    /// A value; null is the absent one.
    One(Val),
    /// An old and a new one.
    Two(Val, Val),
}

/// One line of a history.
#[derive(Clone, Copy)]
pub struct Entry {
    pub line: u32,
    pub process: i64,
    pub kind: Kind,
    pub function: Function,
    pub key: Option<Val>,
    pub argument: Argument,
    pub time: Option<u64>,
    pub place: Option<Place>,
    pub saw: Option<Val>,
    /// Whether a failed compare-and-set is said to have found another value than it expected.
    pub mismatch: Option<bool>,
}

/// A history in the making.
pub struct Pairing {
    pub history: History,
    /// What the operations are on.
    pub model: Model,
    /// Whether each has a key; none: it may.
    keyed: Option<bool>,
    /// What words mean.
    pub conventions: Conventions,
    /// Whether something was passed over that is an operation, but on nothing here.
    passed: bool,
    processes: BTreeMap<i64, Process>,
    keys: BTreeMap<Val, u32>,
    /// The first line, and whether it has a time.
    timed: Option<(u32, bool)>,
    /// The time of the latest line without one.
    counted: u64,
    /// The first line that appends, and the first line of a value that is no string, by key.
    appended: BTreeMap<u32, u32>,
}

struct Process {
    number: u32,
    /// Its open operation.
    open: Option<usize>,
    /// The line after which it must be silent.
    gone: Option<u32>,
    /// When it last returned, and in which line.
    returned: (u64, u32),
}

impl Pairing {
    /// A history without operations.
    pub fn new(model: Model, conventions: Conventions) -> Self {
        Self {
            history: History::default(),
            model,
            keyed: match model {
                Model::KeyValue => Some(true),
                Model::Register | Model::Mutex | Model::MultiRegister => Some(false),
                Model::Set | Model::Queue => None,
            },
            conventions,
            passed: false,
            processes: BTreeMap::new(),
            keys: BTreeMap::new(),
            timed: None,
            counted: 0,
            appended: BTreeMap::new(),
        }
    }

    /// Every operation has a key, whatever the model: there is an object for each.
    pub fn expect_keys(&mut self) {
        self.keyed = Some(true);
    }

    /// A line of a process that does not operate on the object: Jepsen's nemesis.
    pub fn pass(&mut self) {
        self.passed = true;
    }

    /// Takes the next line.
    pub fn add(&mut self, entry: &Entry) -> Result<(), InputError> {
        let fail = |message: String| Err(InputError::at(entry.line, message));
        if !entry.function.of(self.model) {
            return fail(format!(
                "the {} model has only {}; choose another with --model",
                self.model.name(),
                self.model.functions()
            ));
        }
        let entry = &self.plain(*entry);
        let Entry {
            line,
            process: name,
            ..
        } = *entry;
        let time = self.time(entry)?;
        let key = self.key(entry)?;
        let next = u32::try_from(self.processes.len())
            .map_err(|_| InputError::at(line, "too many processes"))?;
        let processes = &mut self.history.processes;
        let process = self.processes.entry(name).or_insert_with(|| {
            processes.push(name);
            Process {
                number: next,
                open: None,
                gone: None,
                returned: (0, 0),
            }
        });
        if let Some(gone) = process.gone {
            return fail(format!(
                "process {name} is used again after the unknown outcome of line {gone}"
            ));
        }
        if entry.kind == Kind::Invoke {
            if let Some(open) = process.open {
                let call = self.history.operations[open].lines[0];
                return fail(format!(
                    "process {name} calls while its operation of line {call} is open"
                ));
            }
            if time < process.returned.0 {
                return fail(format!(
                    "process {name} calls at {time}, before its operation returned at {} (line {})",
                    process.returned.0, process.returned.1
                ));
            }
            let asked = asked(entry, &mut self.history.values)?;
            if entry.function == Function::Append {
                self.appended.entry(key).or_insert(line);
            }
            if self.history.operations.len() >= (1 << 31) - 1 {
                return fail("more than 2^31 operations".into());
            }
            process.open = Some(self.history.operations.len());
            let (process, place) = (process.number, entry.place);
            self.history.operations.push(Recorded {
                call: time,
                ret: NEVER,
                place,
                asked,
                outcome: Outcome::Unknown,
                process,
                key,
                lines: [line, 0],
            });
            return Ok(());
        }
        let Some(open) = process.open.take() else {
            return fail(format!("process {name} returns without a call"));
        };
        let operation = &mut self.history.operations[open];
        if time < operation.call {
            return fail(format!(
                "process {name} returns at {time}, before its call at {} (line {})",
                operation.call, operation.lines[0]
            ));
        }
        if function(operation.asked) != entry.function || operation.key != key {
            return fail(format!(
                "process {name} returns from another operation than it called in line {}",
                operation.lines[0]
            ));
        }
        operation.outcome = outcome(entry, operation, self.conventions, &mut self.history.values)?;
        operation.place = entry.place.or(operation.place);
        operation.lines[1] = line;
        if operation.outcome == Outcome::Unknown {
            process.gone = Some(line);
        } else {
            operation.ret = time;
            process.returned = (time, line);
        }
        Ok(())
    }

    /// What is done to a lock, as what is done to a register.
    fn plain(&mut self, entry: Entry) -> Entry {
        let mut taken = || self.history.values.text(b"taken");
        let argument = match entry.function {
            Function::Acquire => Argument::Two(ABSENT, taken()),
            Function::Release => Argument::Two(taken(), ABSENT),
            _ => return entry,
        };
        Entry {
            function: Function::Cas,
            argument,
            ..entry
        }
    }

    fn time(&mut self, entry: &Entry) -> Result<u64, InputError> {
        let (first, timed) = *self.timed.get_or_insert((entry.line, entry.time.is_some()));
        match entry.time {
            Some(NEVER) => Err(InputError::at(entry.line, "the time is too large")),
            Some(time) if timed => Ok(time),
            None if !timed => {
                // Several operations in one line are still one after another.
                self.counted = u64::from(entry.line).max(self.counted + 1);
                Ok(self.counted)
            }
            _ => {
                let (this, other) = if timed {
                    ("no time", "one")
                } else {
                    ("a time", "none")
                };
                Err(InputError::at(
                    entry.line,
                    format!(
                        "it has {this}, and line {first} has {other}: give every line a time, or \
                         no line"
                    ),
                ))
            }
        }
    }

    fn key(&mut self, entry: &Entry) -> Result<u32, InputError> {
        if entry.key.is_none()
            && entry.kind != Kind::Invoke
            && let Some(open) = self.open(entry.process)
        {
            return Ok(open.key);
        }
        let name = match (self.keyed, entry.key) {
            (Some(false) | None, None | Some(ABSENT)) => ABSENT,
            (Some(true) | None, Some(key)) => key,
            (Some(false), Some(_)) => {
                let message = match self.model {
                    Model::Register => {
                        "it has a key, which the register model has not; use `--model kv`".into()
                    }
                    model => format!("it has a key, which the {} model has not", model.name()),
                };
                return Err(InputError::at(entry.line, message));
            }
            (Some(true), None) => {
                let message = match self.model {
                    Model::KeyValue => {
                        "it has no key, which the kv model needs; or use `--model register`"
                    }
                    _ => "it has no key, and others have one",
                };
                return Err(InputError::at(entry.line, message));
            }
        };
        if let Some(key) = self.keys.get(&name) {
            return Ok(*key);
        }
        let key = u32::try_from(self.keys.len())
            .map_err(|_| InputError::at(entry.line, "too many keys"))?;
        self.keys.insert(name, key);
        self.history.keys.push(name);
        Ok(key)
    }

    fn open(&self, process: i64) -> Option<&Recorded> {
        let open = self.processes.get(&process)?.open?;
        Some(&self.history.operations[open])
    }

    /// The history, once every line was taken. Operations without a return are unknown. One of
    /// nothing but a nemesis is a history.
    pub fn finish(mut self, expected: &'static str) -> Result<Input, InputError> {
        if self.history.operations.is_empty() && !self.passed {
            return Err(InputError::Empty { expected });
        }
        if !self.appended.is_empty() {
            self.only_strings()?;
        }
        self.history.values.seal();
        self.history.operations.shrink_to_fit();
        Ok(Input {
            history: self.history,
            conventions: self.conventions,
        })
    }

    /// Where values are appended to, they are strings: what else would the appended one mean?
    fn only_strings(&self) -> Result<(), InputError> {
        if let Some((Form::Other, bytes)) = self.history.values.get(self.history.initial) {
            return Err(InputError::Initial {
                value: String::from_utf8_lossy(bytes).into_owned(),
                message: "it is no string, and the history appends to it".into(),
            });
        }
        for operation in &self.history.operations {
            let Some(first) = self.appended.get(&operation.key) else {
                continue;
            };
            let asked = match operation.asked {
                Asked::Write(value) | Asked::Append(value) => [value, ABSENT],
                Asked::Cas { expected, new } => [expected, new],
                _ => [ABSENT; 2],
            };
            let seen = match operation.outcome {
                Outcome::Ok(value) | Outcome::Saw(value) => value,
                _ => ABSENT,
            };
            for (value, line) in [
                (asked[0], operation.lines[0]),
                (asked[1], operation.lines[0]),
                (seen, operation.lines[1]),
            ] {
                if matches!(self.history.values.get(value), Some((Form::Other, _))) {
                    let message =
                        format!("the value is no string, but line {first} appends to this key");
                    return Err(InputError::at(line, message));
                }
            }
        }
        Ok(())
    }
}

fn function(asked: Asked) -> Function {
    match asked {
        Asked::Read => Function::Read,
        Asked::Write(_) => Function::Write,
        Asked::Append(_) => Function::Append,
        Asked::Cas { .. } => Function::Cas,
        Asked::Delete => Function::Delete,
        Asked::Enqueue(_) => Function::Enqueue,
        Asked::Dequeue => Function::Dequeue,
        Asked::Add(_) => Function::Add,
        Asked::Remove(_) => Function::Remove,
        Asked::Contains(_) => Function::Contains,
        Asked::Txn(_) => Function::Txn,
    }
}

fn asked(entry: &Entry, values: &mut Values) -> Result<Asked, InputError> {
    let fail = |message: &str| Err(InputError::at(entry.line, message));
    Ok(match (entry.function, entry.argument) {
        (Function::Read, _) => Asked::Read,
        (Function::Delete, _) => Asked::Delete,
        (Function::Dequeue, _) => Asked::Dequeue,
        (Function::Write, Argument::One(value)) => Asked::Write(value),
        (Function::Append, Argument::One(value)) if value != ABSENT => Asked::Append(value),
        (Function::Enqueue, Argument::One(value)) if value != ABSENT => Asked::Enqueue(value),
        (Function::Add, Argument::One(value)) if value != ABSENT => Asked::Add(value),
        (Function::Remove, Argument::One(value)) if value != ABSENT => Asked::Remove(value),
        (Function::Contains, Argument::One(value)) if value != ABSENT => Asked::Contains(value),
        (Function::Cas, Argument::Two(expected, new)) => Asked::Cas { expected, new },
        (Function::Txn, Argument::One(value)) => Asked::Txn(
            transaction::called(value, values)
                .map_err(|message| InputError::at(entry.line, message))?,
        ),
        (Function::Write, _) => return fail("a write needs the value to write"),
        (Function::Append, _) => return fail("an append needs the string to append"),
        (Function::Enqueue, _) => return fail("an enqueue needs the value to put into the queue"),
        (Function::Add | Function::Remove | Function::Contains, _) => {
            return fail("it needs the value that is to be in the set or not");
        }
        (Function::Txn, _) => return fail("a txn needs a list of reads and writes"),
        (Function::Cas | Function::Acquire | Function::Release, _) => {
            return fail("a cas needs a value of [old, new]");
        }
    })
}

fn outcome(
    entry: &Entry,
    operation: &Recorded,
    conventions: Conventions,
    values: &mut Values,
) -> Result<Outcome, InputError> {
    let cas = matches!(operation.asked, Asked::Cas { .. });
    let mismatch = entry
        .mismatch
        .unwrap_or(conventions.failed_cas == FailedCas::Mismatch);
    Ok(match entry.kind {
        Kind::Info | Kind::Invoke => Outcome::Unknown,
        Kind::Fail => match entry.saw {
            // Where failures are mismatches, nothing is refused for being what was expected. Where
            // they have no effect, it failed for another reason.
            Some(saw) if mismatch && expects(operation.asked, saw) => {
                Outcome::Saw(values.impossible())
            }
            Some(saw) if cas => Outcome::Saw(saw),
            _ if cas && mismatch => Outcome::Mismatch,
            _ => Outcome::Fail,
        },
        Kind::Ok => answer(entry, operation, conventions.nil, values)?,
    })
}

fn expects(asked: Asked, saw: Val) -> bool {
    matches!(asked, Asked::Cas { expected, .. } if expected == saw)
}

fn answer(
    entry: &Entry,
    operation: &Recorded,
    nil: Nil,
    values: &mut Values,
) -> Result<Outcome, InputError> {
    let fail = |message: String| Err(InputError::at(entry.line, message));
    let other = || {
        format!(
            "it returns with another value than it was called with in line {}",
            operation.lines[0]
        )
    };
    let truth = |value: Val, values: &Values| {
        matches!(values.get(value), Some((Form::Other, b"true" | b"false")))
    };
    Ok(match (operation.asked, entry.argument) {
        // A read without an answer, which is as good as none.
        (Asked::Read | Asked::Dequeue, Argument::One(ABSENT)) if nil == Nil::Unknown => {
            Outcome::Fail
        }
        (Asked::Read | Asked::Dequeue, Argument::One(value)) => Outcome::Ok(value),
        (Asked::Read | Asked::Dequeue, _) => {
            return fail("its ok needs the value that it returned, null for none".into());
        }
        (Asked::Contains(_), Argument::One(value)) if truth(value, values) => Outcome::Ok(value),
        (Asked::Contains(_), _) => return fail("the ok of contains needs true or false".into()),
        (_, Argument::Missing | Argument::One(ABSENT)) | (Asked::Delete, _) => Outcome::Ok(ABSENT),
        (Asked::Add(asked) | Asked::Remove(asked), Argument::One(value)) if value != asked => {
            if !truth(value, values) {
                return fail(other());
            }
            Outcome::Ok(value)
        }
        (Asked::Txn(asked), Argument::One(value)) => Outcome::Ok(
            transaction::returned(asked, value, nil, values)
                .map_err(|message| InputError::at(entry.line, message))?,
        ),
        (asked, _) if self::asked(entry, values)? == asked => Outcome::Ok(ABSENT),
        _ => return fail(other()),
    })
}
