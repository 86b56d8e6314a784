//! What Jepsen writes: log lines of its register tests, operation maps a line, and `history.edn`.
//!
//! - A log line is `... <process> :invoke|:ok|:fail|:info :read|:write|:cas <value>`, parted by
//!   white space; other lines are passed over, and so are processes that are no numbers (the
//!   nemesis).
//! - An operation map has `:process :type :f :value`, and `:time` or not. Its key is `:key`, or the
//!   first of a `[key value]` tuple as `jepsen.independent` makes them. Maps may stand in one
//!   vector, and may be tagged as records.
//! - Maps with a `:key` that `:get` and `:put` are of a store as Porcupine has it, in which nothing
//!   is absent: a key that nobody wrote holds the empty string, and nil is that string. Everything
//!   else begins with nil.
//! - Where no map has a time, the order of the maps is the order in time, even if several stand in
//!   one line.
//! - In a log a failed compare-and-set found another value than it expected. In a map it had no
//!   effect and says nothing else, whatever stands in its `:error`, unless it carries `:mismatch`
//!   or `:saw`; and a read of nil says nothing (Knossos' register).

use std::io::{BufRead, Read};

use crate::history::input::convention::{Conventions, Nil, Wanted};
use crate::history::input::edn::{Edn, Reader};
use crate::history::input::error::InputError;
use crate::history::input::function::Function;
use crate::history::input::model::Model;
use crate::history::input::pairing::{Argument, Entry, Input, Kind, Pairing};
use crate::history::recorded::Place;
use crate::history::values::{ABSENT, Form, Val, Values};

const EXPECTED: &str = "lines such as `INFO jepsen.util - 0 :invoke :read nil` or `{:process 0, \
                        :type :invoke, :f :read, :value nil}`";

/// The whole text is kept, so it is bounded.
const BYTES_MAX: u64 = 1 << 32;

/// Reads to the end.
pub fn read(mut input: impl BufRead, model: Model, wanted: &Wanted) -> Result<Input, InputError> {
    let mut bytes = Vec::new();
    if input.by_ref().take(BYTES_MAX).read_to_end(&mut bytes)? as u64 == BYTES_MAX {
        let message = format!(
            "the history has {BYTES_MAX} bytes or more; write it as lines of JSON, which are read \
             one at a time"
        );
        return Err(InputError::at(1, message));
    }
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        InputError::at(u32::try_from(line).unwrap_or(u32::MAX), "it is not UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut pairing = Pairing::new(model, Conventions::LOG.of(model).with(wanted));
    if text.trim_start().starts_with(['{', '[', '(', '#', ';']) {
        maps(text, model, wanted, &mut pairing)?;
    } else {
        pairing.history.initial = initial(wanted, ABSENT, &mut pairing.history.values)?;
        for (line, text) in (1u32..).zip(text.lines()) {
            log_line(line, text, &mut pairing)?;
        }
    }
    pairing.finish(EXPECTED)
}

/// The value at the start: the one that is wanted, or else this one.
fn initial(wanted: &Wanted, other: Val, values: &mut Values) -> Result<Val, InputError> {
    let Some(text) = &wanted.initial else {
        return Ok(other);
    };
    let fail = |message: String| InputError::Initial {
        value: text.clone(),
        message,
    };
    let mut reader = Reader::new(text, 1);
    let form = reader.next().map_err(fail)?;
    match (form, reader.next().map_err(fail)?) {
        (Some((_, form)), None) => Ok(intern(&form, values)),
        _ => Err(fail("expected one value as the history writes them".into())),
    }
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
        let Some(word) = words.next() else {
            return Ok(());
        };
        if let Some(kind) = word.strip_prefix(':').and_then(kind) {
            break kind;
        }
        process = word;
    };
    if process.starts_with(':') {
        pairing.pass();
        return Ok(());
    }
    let name = words.next().unwrap_or("");
    let function = name.strip_prefix(':').and_then(Function::named);
    let (process, function) = match (process.parse::<i64>(), function) {
        (Ok(process), Some(function)) => (process, function),
        // A sentence in which such a word happens to stand.
        (Err(_), None) => return Ok(()),
        (Ok(_), None) => {
            return Err(InputError::at(
                line,
                format!(
                    "unknown operation `{name}`: expected {}",
                    pairing.model.functions()
                ),
            ));
        }
        (Err(_), Some(_)) => {
            return Err(InputError::at(
                line,
                format!("`{process}` before the type is no process"),
            ));
        }
    };
    let rest: Vec<&str> = words.collect();
    let rest = rest.join(" ");
    let value = match Reader::new(&rest, line).next() {
        Ok(value) => value.map(|(_, value)| value),
        // What stands behind a failure is for people.
        Err(_) if matches!(kind, Kind::Fail | Kind::Info) => None,
        Err(message) => return Err(InputError::at(line, message)),
    };
    let argument = match kind {
        Kind::Invoke | Kind::Ok => argument(
            line,
            kind,
            function,
            value.as_ref(),
            pairing.model,
            &mut pairing.history.values,
        )?,
        Kind::Fail | Kind::Info => Argument::Missing,
    };
    pairing.add(&Entry {
        line,
        process,
        kind,
        function,
        key: None,
        argument,
        time: None,
        place: None,
        saw: None,
        mismatch: None,
    })
}

/// Goes through the maps twice: what they are about is known only at the end, and text is smaller
/// than what it is read into.
fn maps(
    text: &str,
    model: Model,
    wanted: &Wanted,
    pairing: &mut Pairing,
) -> Result<(), InputError> {
    let mut dialect = Dialect {
        keyed: model == Model::KeyValue,
        nothing: ABSENT,
    };
    let mut store = false;
    each(text, |_, form| {
        dialect.keyed |= has_tuple(form);
        store |= form.get("key").is_some()
            && matches!(form.get("f"), Some(Edn::Keyword(name)) if name == "get" || name == "put");
        Ok(())
    })?;
    if dialect.keyed {
        pairing.expect_keys();
    }
    let conventions = if store {
        dialect.nothing = pairing.history.values.text(b"");
        Conventions::STORE
    } else {
        Conventions::EDN
    };
    pairing.conventions = conventions.of(model).with(wanted);
    pairing.history.initial = initial(wanted, dialect.nothing, &mut pairing.history.values)?;
    each(text, |line, form| map(line, form, dialect, pairing))
}

/// What is the same in all maps of a history.
#[derive(Clone, Copy)]
struct Dialect {
    /// Whether operations are on keys.
    keyed: bool,
    /// What nil stands for.
    nothing: Val,
}

impl Dialect {
    fn value(self, value: Val) -> Val {
        if value == ABSENT { self.nothing } else { value }
    }
}

/// Calls `take` with every form and its line, whether the forms stand in one vector or by
/// themselves.
fn each(
    text: &str,
    mut take: impl FnMut(u32, &Edn) -> Result<(), InputError>,
) -> Result<(), InputError> {
    let mut reader = Reader::new(text, 1);
    let placed = |reader: &Reader<'_>, message: String| InputError::at(reader.line, message);
    let end = reader.enter().map_err(|message| placed(&reader, message))?;
    loop {
        if let Some(end) = end
            && reader
                .leave(end)
                .map_err(|message| placed(&reader, message))?
        {
            break;
        }
        match reader.next().map_err(|message| placed(&reader, message))? {
            Some((line, form)) => take(line, &form)?,
            None if end.is_some() => {
                return Err(InputError::at(
                    reader.line,
                    "the list of operations does not end",
                ));
            }
            None => return Ok(()),
        }
    }
    match reader.next().map_err(|message| placed(&reader, message))? {
        Some((line, _)) => Err(InputError::at(
            line,
            "something stands behind the list of operations",
        )),
        None => Ok(()),
    }
}

/// Whether a value can only be a tuple of a key and a value: a call to read has no value of its
/// own, and a compare-and-set has two.
fn has_tuple(form: &Edn) -> bool {
    let (Some(Edn::Keyword(kind)), Some(Edn::Keyword(name)), Some(Edn::List(tuple))) =
        (form.get("type"), form.get("f"), form.get("value"))
    else {
        return false;
    };
    match Function::named(name) {
        Some(Function::Read | Function::Dequeue) => kind == "invoke" && tuple.len() == 2,
        Some(Function::Cas) => matches!(&tuple[..], [_, Edn::List(pair)] if pair.len() == 2),
        _ => false,
    }
}

fn map(line: u32, form: &Edn, dialect: Dialect, pairing: &mut Pairing) -> Result<(), InputError> {
    let fail = |message: &str| InputError::at(line, message);
    if !matches!(form, Edn::Map(_)) {
        return Err(fail(
            "expected an operation such as {:process 0, :type :invoke, :f :read, :value nil}",
        ));
    }
    let process = match form
        .get("process")
        .ok_or_else(|| fail("the operation has no :process"))?
    {
        Edn::Whole(digits) => digits
            .parse()
            .map_err(|_| fail("the :process is too large"))?,
        Edn::Keyword(_) => {
            pairing.pass();
            return Ok(());
        }
        Edn::Text(name) if name == "nemesis" => {
            pairing.pass();
            return Ok(());
        }
        _ => return Err(fail("the :process is no number")),
    };
    let word = |name: &str| match form.get(name) {
        Some(Edn::Keyword(word) | Edn::Text(word)) => Some(word.as_str()),
        _ => None,
    };
    let kind = word("type")
        .and_then(kind)
        .ok_or_else(|| fail("the :type is none of :invoke :ok :fail :info"))?;
    let function = word("f").and_then(Function::named).ok_or_else(|| {
        fail(&format!(
            "the :f is unknown: expected {}",
            pairing.model.functions()
        ))
    })?;
    let number = |name: &str| match form.get(name) {
        None | Some(Edn::Nil) => Ok(None),
        Some(Edn::Whole(digits)) => digits
            .parse::<u64>()
            .map(Some)
            .map_err(|_| fail(&format!("the :{name} is no number from 0 to 2^64"))),
        Some(_) => Err(fail(&format!("the :{name} is no whole number"))),
    };
    let model = pairing.model;
    let values = &mut pairing.history.values;
    let (key, value) = match (form.get("key"), form.get("value")) {
        (Some(key), value) => (Some(intern(key, values)), value),
        (None, Some(Edn::List(tuple))) if dialect.keyed && tuple.len() == 2 => {
            (Some(intern(&tuple[0], values)), Some(&tuple[1]))
        }
        // What is told of a failure may replace the value; the key is that of the call.
        (None, value) if matches!(kind, Kind::Fail | Kind::Info) => (None, value),
        (None, _) if dialect.keyed => {
            return Err(fail(
                "it has neither a :key nor a [key value] tuple, which the kv model needs; or use \
                 `--model register`",
            ));
        }
        (None, value) => (None, value),
    };
    let deletes = function == Function::Delete && dialect.nothing != ABSENT;
    let argument = match kind {
        // In a store in which nothing is absent, to delete is to write what is there at the start.
        _ if deletes => Argument::One(dialect.nothing),
        Kind::Invoke | Kind::Ok => match argument(line, kind, function, value, model, values)? {
            Argument::One(ABSENT)
                if function.answers() && pairing.conventions.nil == Nil::Unknown =>
            {
                Argument::One(ABSENT)
            }
            Argument::One(value) => Argument::One(dialect.value(value)),
            Argument::Two(expected, new) => {
                Argument::Two(dialect.value(expected), dialect.value(new))
            }
            Argument::Missing => Argument::Missing,
        },
        Kind::Fail | Kind::Info => Argument::Missing,
    };
    let function = if deletes { Function::Write } else { function };
    let saw = form
        .get("saw")
        .map(|saw| dialect.value(intern(saw, values)));
    let place = match number("slot")? {
        None => None,
        Some(slot) if slot >= Place::SLOT_END => return Err(fail("the :slot is not below 2^48")),
        Some(slot) if function == Function::Read => Some(Place::after(slot)),
        Some(slot) => Some(Place::new(slot, 0)),
    };
    let mismatch = form
        .get("mismatch")
        .map(|truth| *truth == Edn::Other("true".into()));
    pairing.add(&Entry {
        line,
        process,
        kind,
        function,
        key,
        argument,
        time: number("time")?,
        place,
        saw,
        mismatch,
    })
}

fn argument(
    line: u32,
    kind: Kind,
    function: Function,
    value: Option<&Edn>,
    model: Model,
    values: &mut Values,
) -> Result<Argument, InputError> {
    Ok(match (function, value) {
        // A return need not repeat what the call said.
        (_, Some(Edn::Nil)) if kind == Kind::Ok && !function.answers() => Argument::Missing,
        (Function::Cas, Some(Edn::List(pair))) if pair.len() == 2 => {
            Argument::Two(intern(&pair[0], values), intern(&pair[1], values))
        }
        (Function::Cas, Some(_)) => {
            return Err(InputError::at(line, "the value of a :cas is [old new]"));
        }
        (Function::Append, Some(Edn::Text(_))) => {
            Argument::One(value.map_or(ABSENT, |value| intern(value, values)))
        }
        (Function::Append, Some(_)) => {
            return Err(InputError::at(line, "the value of an :append is a string"));
        }
        (_, None) => Argument::Missing,
        (_, Some(value)) if matches!(model, Model::Set | Model::MultiRegister) => {
            Argument::One(intern_list(value, values))
        }
        (_, Some(value)) => Argument::One(intern(value, values)),
    })
}

/// The number of a value; one can look into it if it is a list or a set.
fn intern_list(form: &Edn, values: &mut Values) -> Val {
    let (Edn::List(members) | Edn::Set(members)) = form else {
        return intern(form, values);
    };
    let members: Vec<Val> = members
        .iter()
        .map(|member| intern_list(member, values))
        .collect();
    values.list(&members)
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
    use crate::history::input::convention::FailedCas;
    use crate::history::recorded::{Asked, History, Outcome};

    fn parsed(text: &str, model: Model) -> Result<History, String> {
        parsed_as(text, model, &Wanted::default())
    }

    fn parsed_as(text: &str, model: Model, wanted: &Wanted) -> Result<History, String> {
        read(text.as_bytes(), model, wanted)
            .map(|input| input.history)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn logs() {
        let text = "INFO  jepsen.core - Starting\nINFO  jepsen.util - \
                    0\t:invoke\t:read\tnil\nINFO  jepsen.util - :nemesis :info :start nil\nINFO  \
                    jepsen.util - 2 :invoke :cas [3 0]\nINFO  jepsen.util - \
                    0\t:ok\t:read\tnil\nINFO  jepsen.util - 2 :fail :cas [3 0]\nINFO  jepsen.util \
                    - 4 :invoke :write 3\nINFO  jepsen.util - 4 :info :write :timed-out\nINFO  \
                    jepsen.util - 5 :invoke :read nil\nINFO  jepsen.util - 5 :fail :read \
                    :timed-out\n";
        let history = parsed(text, Model::Register).expect("a history");
        let outcomes: Vec<Outcome> = history
            .operations
            .iter()
            .map(|operation| operation.outcome)
            .collect();
        assert_eq!(
            outcomes,
            [
                Outcome::Ok(ABSENT),
                Outcome::Mismatch,
                Outcome::Unknown,
                Outcome::Fail
            ]
        );
        assert_eq!(
            (history.operations[1].call, history.operations[1].ret),
            (4, 6)
        );
        let error =
            parsed("INFO jepsen.util - 2 :ok :read 1", Model::Register).expect_err("no call");
        assert!(
            error.starts_with("line 1: process 2 returns without a call"),
            "{error}"
        );
    }

    #[test]
    fn maps_of_both_shapes() {
        let kv = "{:process 0, :type :invoke, :f :append, :key \"0\", :value \"x\"}\n{:process 0, \
                  :type :ok, :f :append, :key \"0\", :value \"x\"}\n{:process 0, :type :invoke, \
                  :f :get, :key \"0\", :value nil}";
        let history = parsed(kv, Model::KeyValue).expect("a history");
        assert_eq!(
            history.values.get(history.initial),
            Some((Form::Text, &b""[..]))
        );
        assert!(matches!(history.operations[0].asked, Asked::Append(_)));

        let edn = "[#jepsen.history.Op{:index 0, :time 5, :type :invoke, :process 0, :f :cas, \
                   :value [:k [1 2]]}\n{:type :info, :process :nemesis, :f :kill, :time \
                   6}\n{:time 7, :type :fail, :process 0, :f :cas, :value [:k [1 2]], :error \
                   :timeout}]";
        let history = parsed(edn, Model::KeyValue).expect("a history");
        assert_eq!(
            (
                history.operations.len(),
                history.operations[0].outcome,
                history.initial
            ),
            (1, Outcome::Fail, ABSENT)
        );
        assert_eq!(
            parsed(edn, Model::Register).expect("tuples are seen").keys,
            history.keys
        );
        let pair = "{:process 0, :type :invoke, :f :write, :value [1 2]}";
        assert_eq!(
            parsed(pair, Model::Register)
                .expect("a register holds anything")
                .keys,
            [ABSENT]
        );
        assert!(
            parsed(kv, Model::Register)
                .expect_err("keys")
                .contains("--model kv")
        );
        assert!(
            parsed("[{:process 0, :type :invoke, :f :read}", Model::Register)
                .expect_err("open")
                .contains("does not end")
        );
        let twice = "[{:process 0, :type :invoke, :f :read}]\n[{:process 0, :type :ok, :f :read, \
                     :value 1}]";
        assert!(
            parsed(twice, Model::Register)
                .expect_err("two lists")
                .starts_with("line 2: something stands behind")
        );
    }

    #[test]
    fn maps_in_one_line_are_in_order() {
        let text = "[{:process 0 :type :invoke :f :write :value 1} {:process 0 :type :ok :f \
                    :write :value nil} {:process 1 :type :invoke :f :read}]";
        let history = parsed(text, Model::Register).expect("a history");
        assert!(history.operations[0].ret == 2, "{history:?}");
        let text = "[{:process 0 :type :invoke :f :write :value 1} {:process 0 :type :ok :f \
                    :write :value nil}\n{:process 1 :type :invoke :f :write :value 2}]";
        let history = parsed(text, Model::Register).expect("a history");
        assert_eq!(
            (history.operations[0].ret, history.operations[1].call),
            (2, 3)
        );
    }

    #[test]
    fn nothing_is_absent_in_a_store_and_nil_elsewhere() {
        let text = |read: &str| {
            format!(
                "{{:process 0, :type :invoke, :f :{read}, :key \"k\"}} {{:process 0, :type :ok, \
                 :f :{read}, :key \"k\", :value nil}}"
            )
        };
        let store = parsed(&text("get"), Model::KeyValue).expect("a history");
        assert_eq!(store.operations[0].outcome, Outcome::Ok(store.initial));
        assert_ne!(store.initial, ABSENT);
        let read = |text: &str, nil| {
            let wanted = Wanted {
                nil,
                ..Wanted::default()
            };
            parsed_as(text, Model::KeyValue, &wanted).expect("a history")
        };
        for (nil, outcome) in [
            (None, Outcome::Fail),
            (Some(Nil::Unknown), Outcome::Fail),
            (Some(Nil::Absent), Outcome::Ok(ABSENT)),
        ] {
            let keyed = read(&text("read"), nil);
            assert_eq!(
                (keyed.operations[0].outcome, keyed.initial),
                (outcome, ABSENT)
            );
        }
        let silent = read(&text("get"), Some(Nil::Unknown));
        assert_eq!(silent.operations[0].outcome, Outcome::Fail);
    }

    #[test]
    fn no_word_of_an_error_says_anything_of_the_state() {
        let outcome = |rest: &str, failed_cas| {
            let text = format!(
                "{{:process 0, :type :invoke, :f :cas, :value [1 2]}} {{:process 0, :type :fail, \
                 :f :cas, :value nil {rest}}}"
            );
            let wanted = Wanted {
                failed_cas,
                ..Wanted::default()
            };
            parsed_as(&text, Model::Register, &wanted)
                .expect("a history")
                .operations[0]
                .outcome
        };
        for error in [
            "",
            ":error :did-not-succeed",
            ":error [:value-mismatch 3]",
            ":error :cassandra-unavailable",
            ":error \"broadcast-failed\"",
        ] {
            assert_eq!(outcome(error, None), Outcome::Fail, "{error}");
            assert_eq!(
                outcome(error, Some(FailedCas::Mismatch)),
                Outcome::Mismatch,
                "{error}"
            );
        }
        assert_eq!(outcome(":mismatch true", None), Outcome::Mismatch);
        assert_eq!(
            outcome(":mismatch false", Some(FailedCas::Mismatch)),
            Outcome::Fail
        );
    }

    #[test]
    fn the_value_at_the_start_is_edn() {
        let read = |initial: &str| {
            let wanted = Wanted {
                initial: Some(initial.into()),
                ..Wanted::default()
            };
            let text = "{:process 0, :type :invoke, :f :write, :value :a}";
            parsed_as(text, Model::Register, &wanted)
        };
        let history = read(":a").expect("a history");
        assert_eq!(
            history.operations[0].asked,
            Asked::Write(history.initial),
            "{history:?}"
        );
        assert_eq!(read("nil").expect("a history").initial, ABSENT);
        assert!(read("1 2").expect_err("two").contains("\"1 2\" is none"));
        assert!(read("[1").expect_err("a half").contains("\"[1\" is none"));
    }

    #[test]
    fn a_history_of_a_nemesis_has_no_operations() {
        for text in [
            "{:process :nemesis, :type :info, :f :kill, :value nil}",
            "INFO jepsen.util - :nemesis :info :start nil",
        ] {
            let history = parsed(text, Model::Register).expect("a history");
            assert!(history.operations.is_empty());
        }
        assert!(parsed("", Model::Register).is_err());
    }

    #[test]
    fn a_line_that_was_cut_off_is_an_error() {
        let call = "INFO jepsen.util - 0 :invoke :read nil\n";
        assert!(
            parsed(
                &format!("{call}INFO jepsen.util - 0 :ok :read"),
                Model::Register
            )
            .expect_err("no value")
            .starts_with("line 2: ")
        );
        assert!(
            parsed("INFO jepsen.util - 0 :invoke :write", Model::Register)
                .expect_err("no value")
                .starts_with("line 1: ")
        );
        assert!(
            parsed(
                &format!("{call}WARN jepsen.core - all :ok so far"),
                Model::Register
            )
            .is_ok()
        );
    }

    #[test]
    fn the_key_of_a_failure_is_that_of_the_call() {
        let text = "{:process 0, :type :invoke, :f :write, :value [:k 1]} {:process 0, :type \
                    :info, :f :write, :value nil}";
        assert_eq!(
            parsed(text, Model::KeyValue).expect("a history").keys.len(),
            1
        );
    }
}
