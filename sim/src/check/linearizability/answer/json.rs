//! Explanations as JSON.

use serde_json::{Map, Value, json};

use crate::check::linearizability::answer::{Explanation, text};
use crate::check::linearizability::contradiction::Contradiction;
use crate::history::recorded::{Asked, History, Outcome};
use crate::history::values::ABSENT;

/// One operation: `process`, `f`, `key` if there are keys, `value`, `type`, `answer` of what a set
/// says of a value, `call`, `return` (null if unknown), `lines`.
#[must_use]
pub fn operation(history: &History, number: u32) -> Value {
    let operation = &history.operations[number as usize];
    let json = |value| history.values.json(value);
    let mut object = Map::new();
    object.insert(
        "process".into(),
        history
            .processes
            .get(operation.process as usize)
            .copied()
            .unwrap_or_default()
            .into(),
    );
    let answered = match operation.outcome {
        Outcome::Ok(value) => json(value),
        _ => Value::Null,
    };
    let (function, value) = match operation.asked {
        Asked::Read => ("read", answered),
        Asked::Dequeue => ("dequeue", answered),
        Asked::Enqueue(value) => ("enqueue", json(value)),
        Asked::Add(value) => ("add", json(value)),
        Asked::Remove(value) => ("remove", json(value)),
        Asked::Contains(value) => ("contains", json(value)),
        Asked::Txn(value) if answered.is_null() => ("txn", json(value)),
        Asked::Txn(_) => ("txn", answered),
        Asked::Write(value) => ("write", json(value)),
        Asked::Append(value) => ("append", json(value)),
        Asked::Cas { expected, new } => ("cas", json!([json(expected), json(new)])),
        Asked::Delete => ("delete", Value::Null),
    };
    object.insert("f".into(), function.into());
    let key = history.keys[operation.key as usize];
    if key != ABSENT {
        object.insert("key".into(), json(key));
    }
    object.insert("value".into(), value);
    let outcome = match operation.outcome {
        Outcome::Ok(_) => "ok",
        Outcome::Fail | Outcome::Saw(_) | Outcome::Mismatch => "fail",
        Outcome::Unknown => "info",
    };
    object.insert("type".into(), outcome.into());
    match operation.outcome {
        Outcome::Ok(answer)
            if answer != ABSENT
                && matches!(
                    operation.asked,
                    Asked::Add(_) | Asked::Remove(_) | Asked::Contains(_)
                ) =>
        {
            object.insert("answer".into(), json(answer));
        }
        Outcome::Saw(value) => _ = object.insert("saw".into(), json(value)),
        Outcome::Mismatch => _ = object.insert("mismatch".into(), true.into()),
        _ => {}
    }
    object.insert("call".into(), operation.call.into());
    object.insert(
        "return".into(),
        if operation.outcome == Outcome::Unknown {
            Value::Null
        } else {
            operation.ret.into()
        },
    );
    let lines: Vec<u32> = operation
        .lines
        .into_iter()
        .filter(|line| *line > 0)
        .collect();
    if !lines.is_empty() {
        object.insert("lines".into(), lines.into());
    }
    Value::Object(object)
}

fn operations(history: &History, numbers: &[u32]) -> Value {
    numbers
        .iter()
        .map(|number| operation(history, *number))
        .collect()
}

/// Adds to an answer: `key`, `operation`, `linearized`, `open`, `prefix` (counts of calls and
/// returns) and `contradiction`.
pub fn explain(answer: &mut Map<String, Value>, history: &History, why: &Explanation) {
    let key = history.keys[why.key as usize];
    if key != ABSENT {
        answer.insert("key".into(), history.values.json(key));
    }
    answer.insert("operation".into(), operation(history, why.operation));
    answer.insert("linearized".into(), operations(history, &why.linearized));
    answer.insert("open".into(), operations(history, &why.open));
    answer.insert(
        "prefix".into(),
        json!({"calls": why.prefix.len(), "returns": why.prefix.len() - why.open.len()}),
    );
    let contradiction = why.contradiction.as_ref().map(|found| {
        let kind = match found {
            Contradiction::Unwritten { .. } | Contradiction::Unmade { .. } => "unwritten",
            Contradiction::Backwards { .. } => "backwards",
            Contradiction::Forked { .. } => "forked",
            Contradiction::Torn { .. } => "torn",
            Contradiction::Differs { .. } => "differs",
        };
        json!({
            "kind": kind,
            "operations": operations(history, &found.operations()),
            "message": text::contradiction(history, found),
        })
    });
    answer.insert("contradiction".into(), contradiction.unwrap_or_default());
}
