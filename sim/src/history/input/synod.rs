//! Synod's own histories: a JSON object a line, Jepsen's operation map.
//!
//! Fields that are not known are passed over, so that other tools may add theirs.

use std::borrow::Cow;
use std::fmt;
use std::io::BufRead;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::history::input::error::InputError;
use crate::history::input::model::Model;
use crate::history::input::pairing::{Argument, Entry, Function, Kind, Pairing};
use crate::history::recorded::{History, Place};
use crate::history::values::{ABSENT, Form, Val, Values};

/// Reads lines to the end.
pub fn read(mut input: impl BufRead, model: Model) -> Result<History, InputError> {
    let mut pairing = Pairing::new(model);
    let mut buffer = Vec::new();
    let mut line = 0u32;
    loop {
        buffer.clear();
        if input.read_until(b'\n', &mut buffer)? == 0 {
            break;
        }
        line = line.checked_add(1).ok_or_else(|| InputError::at(line, "more lines than 2^32"))?;
        let text = if line == 1 { buffer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&buffer) } else { &buffer };
        let text = text.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let parsed: Line<'_> = serde_json::from_slice(text).map_err(|error| InputError::at(line, describe(&error)))?;
        let entry = parsed.entry(line, &mut pairing.history.values)?;
        pairing.add(&entry)?;
    }
    pairing.finish("lines such as {\"process\": 0, \"type\": \"invoke\", \"f\": \"read\"}")
}

/// The message without its place: a line is parsed by itself, so its number would be wrong.
fn describe(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    format!("{} (column {})", &message[..end], error.column())
}

#[derive(Deserialize)]
struct Line<'a> {
    process: i64,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    f: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    key: Option<Json<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    value: Option<Json<'a>>,
    time: Option<u64>,
    slot: Option<u64>,
    index: Option<u64>,
    #[serde(borrow, default, deserialize_with = "present")]
    saw: Option<Json<'a>>,
    #[serde(default)]
    mismatch: bool,
}

/// A field that is null is there; only a missing one is none.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json<'de>>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

impl Line<'_> {
    fn entry(&self, line: u32, values: &mut Values) -> Result<Entry, InputError> {
        let fail = |message: String| InputError::at(line, message);
        let kind = match &*self.kind {
            "invoke" => Kind::Invoke,
            "ok" => Kind::Ok,
            "fail" => Kind::Fail,
            "info" => Kind::Info,
            other => return Err(fail(format!("unknown type {other:?}: expected invoke, ok, fail or info"))),
        };
        let function =
            Function::named(&self.f).ok_or_else(|| fail(format!("unknown f {:?}: expected read, write, cas, append or delete", self.f)))?;
        let argument = match (&self.value, function) {
            (None, _) => Argument::Missing,
            (Some(Json::List(pair)), Function::Cas) if pair.len() == 2 => Argument::Two(pair[0].intern(values), pair[1].intern(values)),
            (Some(_), Function::Cas) if matches!(kind, Kind::Invoke | Kind::Ok) => return Err(fail("the value of a cas is [old, new]".into())),
            (Some(value), _) => Argument::One(value.intern(values)),
        };
        if function == Function::Append && kind == Kind::Invoke && !matches!(self.value, Some(Json::Text(_))) {
            return Err(fail("the value of an append is a string".into()));
        }
        Ok(Entry {
            line,
            process: self.process,
            kind,
            function,
            key: self.key.as_ref().map(|key| key.intern(values)),
            argument,
            time: self.time,
            place: self.place(function).map_err(|message| fail(message.into()))?,
            saw: self.saw.as_ref().map(|saw| saw.intern(values)),
            mismatch: self.mismatch,
        })
    }

    /// An index alone says nothing: Jepsen numbers its lines under that name.
    fn place(&self, function: Function) -> Result<Option<Place>, &'static str> {
        let Some(slot) = self.slot else { return Ok(None) };
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

/// A JSON value that borrows what it can.
enum Json<'a> {
    Null,
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Whole(i128),
    /// Canonical text.
    Other(String),
}

impl Json<'_> {
    fn intern(&self, values: &mut Values) -> Val {
        match self {
            Json::Null => ABSENT,
            Json::Text(text) => values.text(text.as_bytes()),
            Json::Whole(number) => {
                let mut buffer = [0; 40];
                values.intern(Form::Other, digits(*number, &mut buffer))
            }
            Json::Other(text) => values.intern(Form::Other, text.as_bytes()),
            Json::List(_) => {
                let mut text = String::new();
                self.write(&mut text);
                values.intern(Form::Other, text.as_bytes())
            }
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Text(text) => out.push_str(&serde_json::Value::String(text.to_string()).to_string()),
            Json::Whole(number) => out.push_str(&number.to_string()),
            Json::Other(text) => out.push_str(text),
            Json::List(list) => {
                out.push('[');
                for (at, item) in list.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
        }
    }
}

fn digits(number: i128, buffer: &mut [u8; 40]) -> &[u8] {
    let mut rest = number.unsigned_abs();
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(rest % 10).expect("a digit");
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    &buffer[at..]
}

/// Below this, numbers with a point are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Json<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Json<'de>, E> {
                Ok(Json::Null)
            }
            fn visit_bool<E>(self, truth: bool) -> Result<Json<'de>, E> {
                Ok(Json::Other(truth.to_string()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
                Ok(Json::Whole(number.into()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
                Ok(Json::Whole(number.into()))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Json<'de>, E> {
                if number.abs() >= EXACT {
                    return Err(E::custom("a number too large to be compared exactly; write it as a string"));
                }
                let text = number.to_string();
                Ok(match text.parse() {
                    Ok(whole) => Json::Whole(whole),
                    Err(_) => Json::Other(text),
                })
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
                Ok(Json::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
                Ok(Json::Text(Cow::Owned(text.into())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Json::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Err(A::Error::custom("an object is no value: expected null, a string, a number, a truth value or a list of them"))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::recorded::{Asked, NEVER, Outcome};

    fn parsed(text: &str, model: Model) -> Result<History, String> {
        read(text.as_bytes(), model).map_err(|error| error.to_string())
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
        let [cas, read, delete] = history.operations[..] else { panic!("{history:?}") };
        let Asked::Cas { expected: ABSENT, new } = cas.asked else { panic!("{cas:?}") };
        assert_eq!((cas.outcome, cas.call, cas.ret, cas.lines), (Outcome::Saw(new), 10, 12, [1, 4]));
        let Outcome::Ok(seven) = read.outcome else { panic!("{read:?}") };
        assert_eq!((history.values.json(seven), history.values.json(new)), ("7".into(), 7.into()));
        assert_eq!(read.place, Some(Place::after(3)));
        assert_eq!((delete.outcome, delete.ret, delete.key), (Outcome::Unknown, NEVER, 1));
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
            (vec![call, r#"{"process": 1, "type": "ok", "f": "read"}"#], 2, "null for none"),
            (vec![call, r#"{"process": 1, "type": "ok", "f": "write", "value": 1}"#], 2, "another operation"),
            (vec![r#"{"process": 1, "type": "invoke", "f": "write"}"#], 1, "needs the value"),
            (vec![r#"{"process": 1, "type": "invoke", "f": "write", "value": 123456789012345678901}"#], 1, "too large"),
            (vec![r#"{"process": 1, "type": "invoke", "f": "append", "value": 1}"#], 1, "string"),
            (vec![call, "{nonsense"], 2, "column"),
        ] {
            let error = parsed(&lines.join("\n"), Model::Register).expect_err(what);
            assert!(error.starts_with(&format!("line {line}: ")) && error.contains(what), "{error} is not about {what} in line {line}");
        }
        assert!(parsed("\n\n", Model::Register).expect_err("empty").contains("no operation"));
    }
}
