//! Synod's own histories: a JSON object a line, Jepsen's operation map. They may also stand in one
//! array, as JSON exports of Jepsen's histories have them.
//!
//! Fields that are not known are passed over, so that other tools may add theirs.

use std::borrow::Cow;
use std::io::{BufRead, Read};

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::value::RawValue;

use crate::history::input::convention::{Conventions, Wanted};
use crate::history::input::error::InputError;
use crate::history::input::function::Function;
use crate::history::input::json::Json;
use crate::history::input::model::Model;
use crate::history::input::pairing::{Argument, Entry, Input, Kind, Pairing};
use crate::history::recorded::Place;
use crate::history::values::{Val, Values};

/// How long a line may be, in bytes: far longer than any operation, and no more than should be in
/// memory at once.
const LINE_MAX: u64 = 1 << 26;

/// So many lines that make no sense are told of a history; then it is no history.
const WRONG_MAX: usize = 20;

/// An array is read as a whole, so it is bounded, in bytes.
const ARRAY_MAX: u64 = 1 << 32;

const EXPECTED: &str = "lines such as {\"process\": 0, \"type\": \"invoke\", \"f\": \"read\"}";

/// What some editors put before everything else.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Reads lines to the end.
pub fn read(mut input: impl BufRead, model: Model, wanted: &Wanted) -> Result<Input, InputError> {
    let mut pairing = Pairing::new(model, Conventions::SYNOD.of(model).with(wanted));
    if let Some(text) = &wanted.initial {
        pairing.history.initial = initial(text, &mut pairing.history.values)?;
    }
    if is_array(&mut input)? {
        array(input, &mut pairing)?;
        return pairing.finish(EXPECTED);
    }
    let mut buffer = Vec::new();
    let mut line = 0u32;
    let mut wrong = Vec::new();
    loop {
        buffer.clear();
        let length = input
            .by_ref()
            .take(LINE_MAX)
            .read_until(b'\n', &mut buffer)?;
        if length == 0 {
            break;
        }
        line = line
            .checked_add(1)
            .ok_or_else(|| InputError::at(line, "more lines than 2^32"))?;
        if length as u64 == LINE_MAX {
            return Err(InputError::at(
                line,
                format!("the line has {LINE_MAX} bytes or more"),
            ));
        }
        let text = if line == 1 {
            buffer.strip_prefix(BOM).unwrap_or(&buffer)
        } else {
            &buffer
        };
        let text = text.trim_ascii();
        if text.is_empty() {
            continue;
        }
        add_or_keep(line, text, &mut pairing, &mut wrong)?;
    }
    InputError::all(wrong)?;
    pairing.finish(EXPECTED)
}

/// Adds a line's operation. Lines that make no sense by themselves are told together; behind the
/// first of them nothing is said of what goes with what, since that line is missing.
fn add_or_keep(
    line: u32,
    text: &[u8],
    pairing: &mut Pairing,
    wrong: &mut Vec<InputError>,
) -> Result<(), InputError> {
    match parsed(line, text, pairing) {
        Ok(_) if !wrong.is_empty() => Ok(()),
        Ok(Some(entry)) => pairing.add(&entry),
        Ok(None) => {
            pairing.pass();
            Ok(())
        }
        Err(error) => {
            wrong.push(error);
            if wrong.len() < WRONG_MAX {
                Ok(())
            } else {
                InputError::all(std::mem::take(wrong))
            }
        }
    }
}

fn parsed(line: u32, text: &[u8], pairing: &mut Pairing) -> Result<Option<Entry>, InputError> {
    let parsed: Line<'_> =
        serde_json::from_slice(text).map_err(|error| InputError::at(line, describe(&error)))?;
    parsed.entry(line, pairing.model, &mut pairing.history.values)
}

fn is_array(input: &mut impl BufRead) -> Result<bool, InputError> {
    let start = input.fill_buf()?;
    let start = start.strip_prefix(BOM).unwrap_or(start);
    Ok(start.trim_ascii_start().starts_with(b"["))
}

/// Reads an array of operations to the end.
fn array(mut input: impl BufRead, pairing: &mut Pairing) -> Result<(), InputError> {
    let mut bytes = Vec::new();
    if input.by_ref().take(ARRAY_MAX).read_to_end(&mut bytes)? as u64 == ARRAY_MAX {
        let message = format!(
            "the array has {ARRAY_MAX} bytes or more; write a line for each operation, which are \
             read one at a time"
        );
        return Err(InputError::at(1, message));
    }
    let text = bytes.strip_prefix(BOM).unwrap_or(&bytes);
    let placed = |error: serde_json::Error| {
        let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
        InputError::at(line, describe(&error))
    };
    let operations: Vec<&RawValue> = serde_json::from_slice(text).map_err(placed)?;
    let (mut line, mut from) = (1u32, 0);
    let mut wrong = Vec::new();
    for operation in operations {
        let at = operation.get().as_ptr().addr() - text.as_ptr().addr();
        let lines = text[from..at].iter().filter(|byte| **byte == b'\n').count();
        line = line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        from = at;
        add_or_keep(line, operation.get().as_bytes(), pairing, &mut wrong)?;
    }
    InputError::all(wrong)
}

/// The value at the start.
fn initial(text: &str, values: &mut Values) -> Result<Val, InputError> {
    let fail = |message: String| InputError::Initial {
        value: text.into(),
        message,
    };
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| fail(describe(&error)))?;
    let value = Json::read(raw.get()).map_err(fail)?;
    Ok(value.intern(values))
}

/// The message without its place: a line is parsed by itself, so its number would be wrong.
fn describe(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    format!("{} (column {})", &message[..end], error.column())
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(deserialize_with = "process")]
    process: Option<i64>,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    f: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    key: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    value: Option<&'a RawValue>,
    time: Option<u64>,
    slot: Option<u64>,
    index: Option<u64>,
    #[serde(borrow, default, deserialize_with = "present")]
    saw: Option<&'a RawValue>,
    mismatch: Option<bool>,
}

/// A field that is null is there; only a missing one is none.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The number of a process; none is Jepsen's nemesis, which does not operate on the object.
fn process<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Process<'a> {
        Number(i64),
        Name(#[serde(borrow)] Cow<'a, str>),
    }
    match Process::deserialize(deserializer) {
        Ok(Process::Number(number)) => Ok(Some(number)),
        Ok(Process::Name(name)) if matches!(&*name, "nemesis" | ":nemesis") => Ok(None),
        _ => Err(D::Error::custom("the process is no whole number")),
    }
}

impl<'a> Line<'a> {
    fn json(line: u32, raw: Option<&'a RawValue>) -> Result<Option<Json<'a>>, InputError> {
        raw.map(|raw| Json::read(raw.get()))
            .transpose()
            .map_err(|message| InputError::at(line, message))
    }

    fn entry(
        &self,
        line: u32,
        model: Model,
        values: &mut Values,
    ) -> Result<Option<Entry>, InputError> {
        let fail = |message: String| InputError::at(line, message);
        let Some(process) = self.process else {
            return Ok(None);
        };
        let kind = match &*self.kind {
            "invoke" => Kind::Invoke,
            "ok" => Kind::Ok,
            "fail" => Kind::Fail,
            "info" => Kind::Info,
            other => {
                return Err(fail(format!(
                    "unknown type {other:?}: expected invoke, ok, fail or info"
                )));
            }
        };
        let function = Function::named(&self.f).ok_or_else(|| {
            fail(format!(
                "unknown f {:?}: expected {}",
                self.f,
                model.functions()
            ))
        })?;
        let value = Self::json(line, self.value)?;
        let argument = match (&value, function) {
            (None, _) => Argument::Missing,
            // A return need not repeat what the call said.
            (Some(Json::Null), _) if kind == Kind::Ok && !function.answers() => Argument::Missing,
            (Some(Json::List(pair)), Function::Cas) if pair.len() == 2 => {
                Argument::Two(pair[0].intern(values), pair[1].intern(values))
            }
            (Some(_), Function::Cas) if matches!(kind, Kind::Invoke | Kind::Ok) => {
                return Err(fail("the value of a cas is [old, new]".into()));
            }
            (Some(value), _) if matches!(model, Model::Set | Model::MultiRegister) => {
                Argument::One(value.intern_list(values))
            }
            (Some(value), _) => Argument::One(value.intern(values)),
        };
        if function == Function::Append
            && kind == Kind::Invoke
            && !matches!(value, Some(Json::Text(_)))
        {
            return Err(fail("the value of an append is a string".into()));
        }
        Ok(Some(Entry {
            line,
            process,
            kind,
            function,
            key: Self::json(line, self.key)?.map(|key| key.intern(values)),
            argument,
            time: self.time,
            place: self
                .place(function)
                .map_err(|message| fail(message.into()))?,
            saw: Self::json(line, self.saw)?.map(|saw| saw.intern(values)),
            mismatch: self.mismatch,
        }))
    }

    /// An index alone says nothing: Jepsen numbers its lines under that name.
    fn place(&self, function: Function) -> Result<Option<Place>, &'static str> {
        let Some(slot) = self.slot else {
            return Ok(None);
        };
        if slot >= Place::SLOT_END {
            return Err("the slot is not below 2^48");
        }
        match self.index.map(u16::try_from) {
            None if function == Function::Read => Ok(Some(Place::after(slot))),
            None => Ok(Some(Place::new(slot, 0))),
            Some(Ok(index)) => Ok(Some(Place::new(slot, index))),
            Some(Err(_)) => Err("the index is not below 2^16"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::input::convention::FailedCas;
    use crate::history::recorded::{Asked, History, NEVER, Outcome, Recorded};
    use crate::history::values::ABSENT;

    fn parsed(text: &str, model: Model) -> Result<History, String> {
        read(text.as_bytes(), model, &Wanted::default())
            .map(|input| input.history)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_array_is_as_good_as_lines() {
        let lines = [
            r#"{"process": 1, "type": "invoke", "f": "write", "value": 7, "index": 0}"#,
            r#"{"process": "nemesis", "type": "info", "f": "start", "value": null, "index": 1}"#,
            r#"{"process": 2, "type": "invoke", "f": "read", "value": null, "index": 2}"#,
            r#"{"process": 1, "type": "ok", "f": "write", "value": 7, "index": 3}"#,
            r#"{"process": 2, "type": "ok", "f": "read", "value": 7, "index": 4}"#,
        ];
        let apart = parsed(&lines.join("\n"), Model::Register).expect("lines");
        for (array, first) in [
            (format!("[{}]", lines.join(",\n")), 1),
            (format!("\u{feff} [\n{}\n]\n", lines.join(",\n")), 2),
        ] {
            let history = super::super::read(
                array.as_bytes(),
                super::super::Format::Auto,
                Model::Register,
            );
            let history = history.expect("an array");
            let shifted = |history: &History, by: u32| {
                let lines = |operation: &Recorded| operation.lines.map(|line| line + by);
                history.operations.iter().map(lines).collect::<Vec<_>>()
            };
            assert_eq!(shifted(&history, 0), shifted(&apart, first - 1));
            for (one, other) in history.operations.iter().zip(&apart.operations) {
                assert_eq!((one.asked, one.outcome), (other.asked, other.outcome));
                assert_eq!(one.ret - one.call, other.ret - other.call);
            }
        }
        // In one line they come in their order.
        let narrow = parsed(&format!("[{}]", lines.join(",")), Model::Register).expect("an array");
        assert!(narrow.operations[0].call < narrow.operations[1].call);
        let errors = [
            ("[{\"process\": 1}]", "line 1: missing field"),
            ("[\n{\"process\": 1", "line 2: EOF"),
            ("[\n1,\n2]", "line 2: invalid type"),
            ("[]", "no operation"),
        ];
        for (array, message) in errors {
            let error = parsed(array, Model::Register).expect_err("it is wrong");
            assert!(error.contains(message), "{array}: {error}");
        }
    }

    #[test]
    fn lines_become_operations() {
        let history = parsed(
            r#"{"process": 1, "type": "invoke", "f": "cas", "key": "x", "value": [null, 7], "time": 10}
               {"process": 2, "type": "invoke", "f": "read", "key": "x", "time": 11}

               {"process": 1, "type": "fail", "f": "cas", "key": "x", "saw": 7.0, "time": 12}
               {"process": 2, "type": "ok", "f": "read", "key": "x", "value": "7", "time": 13, "slot": 3, "more": {"a": []}}
               {"process": 3, "type": "invoke", "f": "delete", "key": "y", "time": 13}"#,
            Model::KeyValue,
        )
        .expect("a history");
        let [cas, read, delete] = history.operations[..] else {
            panic!("{history:?}")
        };
        let Asked::Cas {
            expected: ABSENT,
            new,
        } = cas.asked
        else {
            panic!("{cas:?}")
        };
        assert_eq!(
            (cas.outcome, cas.call, cas.ret, cas.lines),
            (Outcome::Saw(new), 10, 12, [1, 4])
        );
        let Outcome::Ok(seven) = read.outcome else {
            panic!("{read:?}")
        };
        assert_eq!(
            (history.values.json(seven), history.values.json(new)),
            ("7".into(), 7.into())
        );
        assert_eq!(read.place, Some(Place::after(3)));
        assert_eq!(
            (delete.outcome, delete.ret, delete.key),
            (Outcome::Unknown, NEVER, 1)
        );
    }

    #[test]
    fn a_failure_that_speaks_is_taken_at_its_word() {
        let outcomes = |failed_cas: Option<FailedCas>| {
            let text = [
                "",
                r#", "mismatch": true"#,
                r#", "mismatch": false"#,
                r#", "saw": 3"#,
                // What it expected.
                r#", "saw": 1"#,
            ]
            .iter()
            .map(|said| {
                format!(
                    r#"{{"process": 1, "type": "invoke", "f": "cas", "value": [1, 2]}}
                           {{"process": 1, "type": "fail", "f": "cas"{said}}}
                        "#
                )
            })
            .collect::<String>();
            let wanted = Wanted {
                failed_cas,
                ..Wanted::default()
            };
            let input = read(text.as_bytes(), Model::Register, &wanted).expect("a history");
            let outcome = |at: usize| match input.history.operations[at].outcome {
                Outcome::Fail => "nothing",
                Outcome::Mismatch => "mismatch",
                Outcome::Saw(saw) if input.history.values.json(saw).is_object() => "impossible",
                Outcome::Saw(_) => "saw",
                other => panic!("{other:?}"),
            };
            [0, 1, 2, 3, 4].map(outcome)
        };
        assert_eq!(
            outcomes(None),
            ["nothing", "mismatch", "nothing", "saw", "saw"]
        );
        assert_eq!(outcomes(Some(FailedCas::NoEffect)), outcomes(None));
        assert_eq!(
            outcomes(Some(FailedCas::Mismatch)),
            ["mismatch", "mismatch", "nothing", "saw", "impossible"]
        );
    }

    #[test]
    fn the_value_at_the_start_is_json() {
        let read = |initial: &str| {
            let wanted = Wanted {
                initial: Some(initial.into()),
                ..Wanted::default()
            };
            let append = r#"{"process": 1, "type": "invoke", "f": "append", "value": "x"}"#;
            read(append.as_bytes(), Model::Register, &wanted)
                .map(|input| input.history.values.json(input.history.initial))
                .map_err(|error| error.to_string())
        };
        assert_eq!(read("\"a\"").expect("a string"), "a");
        assert_eq!(read("null").expect("absent"), serde_json::Value::Null);
        assert!(read("a").expect_err("a word").contains("\"a\" is none"));
        assert!(read("7").expect_err("a number").contains("no string"));
    }

    #[test]
    fn errors_name_their_line() {
        let call = r#"{"process": 1, "type": "invoke", "f": "read"}"#;
        let back = r#"{"process": 1, "type": "ok", "f": "read", "value": 1}"#;
        let info = r#"{"process": 1, "type": "info", "f": "read"}"#;
        let timed = r#"{"process": 2, "type": "invoke", "f": "read", "time": 4}"#;
        let early = r#"{"process": 2, "type": "ok", "f": "read", "value": 1, "time": 3}"#;
        let keyed = r#"{"process": 1, "type": "invoke", "f": "read", "key": "k"}"#;
        for (lines, line, what) in [
            (vec![back], 1, "without a call"),
            (vec![call, call], 2, "line 1 is open"),
            (vec![call, back, back], 3, "without a call"),
            (vec![call, info, call], 3, "unknown outcome of line 2"),
            (vec![call, timed], 2, "has a time"),
            (vec![timed, call], 2, "has no time"),
            (vec![timed, early], 2, "before its call"),
            (vec![keyed], 1, "--model kv"),
            (
                vec![call, r#"{"process": 1, "type": "ok", "f": "read"}"#],
                2,
                "null for none",
            ),
            (
                vec![
                    call,
                    r#"{"process": 1, "type": "ok", "f": "write", "value": 1}"#,
                ],
                2,
                "another operation",
            ),
            (
                vec![r#"{"process": 1, "type": "invoke", "f": "write"}"#],
                1,
                "needs the value",
            ),
            (
                vec![r#"{"process": "a", "type": "invoke", "f": "read"}"#],
                1,
                "no whole number",
            ),
            (
                vec![r#"{"process": 1.5, "type": "invoke", "f": "read"}"#],
                1,
                "no whole number",
            ),
            (
                vec![r#"{"process": 1, "process": 2, "type": "invoke", "f": "read"}"#],
                1,
                "duplicate field",
            ),
            (
                vec![r#"{"process": 1, "type": "invoke", "f": "append", "value": 1}"#],
                1,
                "string",
            ),
            (vec![call, "{nonsense"], 2, "column"),
        ] {
            let error = parsed(&lines.join("\n"), Model::Register).expect_err(what);
            assert!(
                error.starts_with(&format!("line {line}: ")) && error.contains(what),
                "{error} is not about {what} in line {line}"
            );
        }
        let endless = "{".repeat(usize::try_from(LINE_MAX).expect("it fits") + 1);
        assert!(
            parsed(&endless, Model::Register)
                .expect_err("endless")
                .contains("bytes or more")
        );
        assert!(
            parsed("\n\n", Model::Register)
                .expect_err("empty")
                .contains("no operation")
        );
    }
}
