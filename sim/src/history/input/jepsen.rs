//! What Jepsen writes: log lines of its register tests, operation maps a line, and `history.edn`.
//!
//! - A log line is `... <process> :invoke|:ok|:fail|:info :read|:write|:cas <value>`, parted by white space; other lines are passed over, and so are
//!   processes that are no numbers (the nemesis).
//! - An operation map has `:process :type :f :value`, and `:time` or not. Its key is `:key`, or the first of a `[key value]` tuple as
//!   `jepsen.independent` makes them. Maps may stand in one vector, and may be tagged as records.
//! - Maps with a `:key` are of a store whose values are empty strings at the start, as Porcupine's are; everything else begins with nil.
//! - A failed compare-and-set found another value than it expected, unless an `:error` says that it failed for another reason.

use std::io::BufRead;

use crate::history::input::edn::{Edn, Reader};
use crate::history::input::error::InputError;
use crate::history::input::model::Model;
use crate::history::input::pairing::{Argument, Entry, Function, Kind, Pairing};
use crate::history::recorded::{History, Place};
use crate::history::values::{ABSENT, Form, Val, Values};

const EXPECTED: &str = "lines such as `INFO jepsen.util - 0 :invoke :read nil` or `{:process 0, :type :invoke, :f :read, :value nil}`";

/// Reads to the end.
pub fn read(mut input: impl BufRead, model: Model) -> Result<History, InputError> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        InputError::at(u32::try_from(line).unwrap_or(u32::MAX), "it is not UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut pairing = Pairing::new(model);
    if text.trim_start().starts_with(['{', '[', '(', '#', ';']) {
        maps(text, model, &mut pairing)?;
    } else {
        for (line, text) in (1u32..).zip(text.lines()) {
            log_line(line, text, &mut pairing)?;
        }
    }
    pairing.finish(EXPECTED)
}

fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "invoke" => Kind::Invoke,
        "ok" => Kind::Ok,
        "fail" => Kind::Fail,
        "info" => Kind::Info,
        _ => return None,
    })
}

fn log_line(line: u32, text: &str, pairing: &mut Pairing) -> Result<(), InputError> {
    let mut words = text.split_whitespace();
    let mut process = "";
    let kind = loop {
        let Some(word) = words.next() else { return Ok(()) };
        if let Some(kind) = word.strip_prefix(':').and_then(kind) {
            break kind;
        }
        process = word;
    };
    if process.starts_with(':') {
        return Ok(());
    }
    let process = process.parse().map_err(|_| InputError::at(line, format!("`{process}` before the type is no process")))?;
    let name = words.next().unwrap_or("");
    let function = name
        .strip_prefix(':')
        .and_then(Function::named)
        .ok_or_else(|| InputError::at(line, format!("unknown operation `{name}`: expected :read, :write or :cas")))?;
    let rest: Vec<&str> = words.collect();
    let rest = rest.join(" ");
    let value = match Reader::new(&rest, line).next() {
        Ok(value) => value.map_or(Edn::Nil, |(_, value)| value),
        // What stands behind a failure is for people.
        Err(_) if matches!(kind, Kind::Fail | Kind::Info) => Edn::Nil,
        Err(message) => return Err(InputError::at(line, message)),
    };
    let argument = match kind {
        Kind::Invoke | Kind::Ok => argument(line, function, Some(&value), &mut pairing.history.values)?,
        Kind::Fail | Kind::Info => Argument::Missing,
    };
    pairing.add(&Entry { line, process, kind, function, key: None, argument, time: None, place: None, saw: None, mismatch: true })
}

fn maps(text: &str, model: Model, pairing: &mut Pairing) -> Result<(), InputError> {
    let mut reader = Reader::new(text, 1);
    let within = reader.enter();
    let mut forms = Vec::new();
    loop {
        if within && reader.leave() {
            break;
        }
        match reader.next().map_err(|message| InputError::at(reader.line, message))? {
            Some(form) => forms.push(form),
            None if within => return Err(InputError::at(reader.line, "the list of operations does not end")),
            None => break,
        }
    }
    let keyed = model == Model::KeyValue || forms.iter().any(|(_, form)| has_tuple(form));
    if keyed {
        pairing.expect_keys();
    }
    let mut initial = ABSENT;
    for (line, form) in forms {
        if form.get("key").is_some() {
            initial = pairing.history.values.text(b"");
        }
        map(line, &form, keyed, pairing)?;
    }
    pairing.history.initial = initial;
    Ok(())
}

/// Whether a value can only be a tuple of a key and a value: a call to read has no value of its own, and a compare-and-set has two.
fn has_tuple(form: &Edn) -> bool {
    let (Some(Edn::Keyword(kind)), Some(Edn::Keyword(name)), Some(Edn::List(tuple))) = (form.get("type"), form.get("f"), form.get("value")) else {
        return false;
    };
    match Function::named(name) {
        Some(Function::Read) => kind == "invoke" && tuple.len() == 2,
        Some(Function::Cas) => matches!(&tuple[..], [_, Edn::List(pair)] if pair.len() == 2),
        _ => false,
    }
}

fn map(line: u32, form: &Edn, keyed: bool, pairing: &mut Pairing) -> Result<(), InputError> {
    let fail = |message: &str| InputError::at(line, message);
    if !matches!(form, Edn::Map(_)) {
        return Err(fail("expected an operation such as {:process 0, :type :invoke, :f :read, :value nil}"));
    }
    let process = match form.get("process").ok_or_else(|| fail("the operation has no :process"))? {
        Edn::Whole(digits) => digits.parse().map_err(|_| fail("the :process is too large"))?,
        Edn::Keyword(_) => return Ok(()),
        _ => return Err(fail("the :process is no number")),
    };
    let word = |name: &str| match form.get(name) {
        Some(Edn::Keyword(word) | Edn::Text(word)) => Some(word.as_str()),
        _ => None,
    };
    let kind = word("type").and_then(kind).ok_or_else(|| fail("the :type is none of :invoke :ok :fail :info"))?;
    let function = word("f").and_then(Function::named).ok_or_else(|| fail("the :f is none of :read :write :cas :append :delete (:get :put)"))?;
    let number = |name: &str| match form.get(name) {
        None | Some(Edn::Nil) => Ok(None),
        Some(Edn::Whole(digits)) => digits.parse::<u64>().map(Some).map_err(|_| fail(&format!("the :{name} is no number from 0 to 2^64"))),
        Some(_) => Err(fail(&format!("the :{name} is no whole number"))),
    };
    let values = &mut pairing.history.values;
    let (key, value) = match (form.get("key"), form.get("value")) {
        (Some(key), value) => (Some(intern(key, values)), value),
        (None, Some(Edn::List(tuple))) if keyed && tuple.len() == 2 => (Some(intern(&tuple[0], values)), Some(&tuple[1])),
        (None, _) if keyed => return Err(fail("it has neither a :key nor a [key value] tuple, which the kv model needs; or use `--model register`")),
        (None, value) => (None, value),
    };
    let argument = match kind {
        Kind::Invoke | Kind::Ok => argument(line, function, value, values)?,
        Kind::Fail | Kind::Info => Argument::Missing,
    };
    let saw = form.get("saw").map(|saw| intern(saw, values));
    let place = match number("slot")? {
        None => None,
        Some(slot) if slot >= Place::SLOT_END => return Err(fail("the :slot is not below 2^48")),
        Some(slot) if function == Function::Read => Some(Place::after(slot)),
        Some(slot) => Some(Place::new(slot, 0)),
    };
    let mismatch = match form.get("mismatch") {
        None => form.get("error").is_none_or(|error| *error == Edn::Nil),
        Some(truth) => *truth == Edn::Other("true".into()),
    };
    pairing.add(&Entry { line, process, kind, function, key, argument, time: number("time")?, place, saw, mismatch })
}

fn argument(line: u32, function: Function, value: Option<&Edn>, values: &mut Values) -> Result<Argument, InputError> {
    Ok(match (function, value) {
        (Function::Cas, Some(Edn::List(pair))) if pair.len() == 2 => Argument::Two(intern(&pair[0], values), intern(&pair[1], values)),
        (Function::Cas, Some(_)) => return Err(InputError::at(line, "the value of a :cas is [old new]")),
        (Function::Append, Some(Edn::Text(_))) => Argument::One(value.map_or(ABSENT, |value| intern(value, values))),
        (Function::Append, Some(_)) => return Err(InputError::at(line, "the value of an :append is a string")),
        (_, None) => Argument::Missing,
        (_, Some(value)) => Argument::One(intern(value, values)),
    })
}

fn intern(form: &Edn, values: &mut Values) -> Val {
    match form {
        Edn::Nil => ABSENT,
        Edn::Text(text) => values.text(text.as_bytes()),
        Edn::Whole(text) => values.intern(Form::Other, text.as_bytes()),
        other => {
            let mut text = String::new();
            other.write(&mut text);
            values.intern(Form::Other, text.as_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::recorded::{Asked, Outcome};

    fn parsed(text: &str, model: Model) -> Result<History, String> {
        read(text.as_bytes(), model).map_err(|error| error.to_string())
    }

    #[test]
    fn logs() {
        let text = "INFO  jepsen.core - Starting\n\
                    INFO  jepsen.util - 0\t:invoke\t:read\tnil\n\
                    INFO  jepsen.util - :nemesis :info :start nil\n\
                    INFO  jepsen.util - 2 :invoke :cas [3 0]\n\
                    INFO  jepsen.util - 0\t:ok\t:read\tnil\n\
                    INFO  jepsen.util - 2 :fail :cas [3 0]\n\
                    INFO  jepsen.util - 4 :invoke :write 3\n\
                    INFO  jepsen.util - 4 :info :write :timed-out\n\
                    INFO  jepsen.util - 5 :invoke :read nil\n\
                    INFO  jepsen.util - 5 :fail :read :timed-out\n";
        let history = parsed(text, Model::Register).expect("a history");
        let outcomes: Vec<Outcome> = history.operations.iter().map(|operation| operation.outcome).collect();
        assert_eq!(outcomes, [Outcome::Ok(ABSENT), Outcome::Mismatch, Outcome::Unknown, Outcome::Fail]);
        assert_eq!((history.operations[1].call, history.operations[1].ret), (4, 6));
        let error = parsed("INFO jepsen.util - 2 :ok :read 1", Model::Register).expect_err("no call");
        assert!(error.starts_with("line 1: process 2 returns without a call"), "{error}");
    }

    #[test]
    fn maps_of_both_shapes() {
        let kv = "{:process 0, :type :invoke, :f :append, :key \"0\", :value \"x\"}\n{:process 0, :type :ok, :f :append, :key \"0\", :value \"x\"}\n\
                  {:process 0, :type :invoke, :f :get, :key \"0\", :value nil}";
        let history = parsed(kv, Model::KeyValue).expect("a history");
        assert_eq!(history.values.get(history.initial), Some((Form::Text, &b""[..])));
        assert!(matches!(history.operations[0].asked, Asked::Append(_)));

        let edn = "[#jepsen.history.Op{:index 0, :time 5, :type :invoke, :process 0, :f :cas, :value [:k [1 2]]}\n\
                   {:type :info, :process :nemesis, :f :kill, :time 6}\n\
                   {:time 7, :type :fail, :process 0, :f :cas, :value [:k [1 2]], :error :timeout}]";
        let history = parsed(edn, Model::KeyValue).expect("a history");
        assert_eq!((history.operations.len(), history.operations[0].outcome, history.initial), (1, Outcome::Fail, ABSENT));
        assert_eq!(parsed(edn, Model::Register).expect("tuples are seen").keys, history.keys);
        let pair = "{:process 0, :type :invoke, :f :write, :value [1 2]}";
        assert_eq!(parsed(pair, Model::Register).expect("a register holds anything").keys, [ABSENT]);
        assert!(parsed(kv, Model::Register).expect_err("keys").contains("--model kv"));
        assert!(parsed("[{:process 0, :type :invoke, :f :read}", Model::Register).expect_err("open").contains("does not end"));
    }
}
