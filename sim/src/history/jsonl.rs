//! Writes histories as lines of JSON, as `check-history --input synod` reads them.

use std::io::{self, Write};

use serde_json::Value;

use crate::history::recorded::{Asked, History, Outcome, Recorded};
use crate::history::values::{ABSENT, Val};

/// Writes a history, a call or a return a line, in the order of their times. Strings that are not
/// UTF-8 are written with U+FFFD in the place of what is not.
///
/// # Errors
/// Those of the output.
pub fn write(history: &History, mut out: impl Write) -> io::Result<()> {
    let mut events: Vec<(u64, bool, usize)> = Vec::with_capacity(history.operations.len() * 2);
    for (number, operation) in history.operations.iter().enumerate() {
        events.push((operation.call, false, number));
        if operation.outcome != Outcome::Unknown {
            events.push((operation.ret, true, number));
        } else if operation.place.is_some() {
            // Its place is known though its outcome is not: that needs a line, at the end.
            events.push((u64::MAX, true, number));
        }
    }
    events.sort_unstable();
    let latest = events
        .iter()
        .map(|(time, _, _)| *time)
        .filter(|time| *time < u64::MAX)
        .max()
        .unwrap_or(0);
    for (time, is_return, number) in events {
        line(
            history,
            &history.operations[number],
            is_return,
            time.min(latest),
            &mut out,
        )?;
    }
    out.flush()
}

fn line(
    history: &History,
    operation: &Recorded,
    is_return: bool,
    time: u64,
    out: &mut impl Write,
) -> io::Result<()> {
    let kind = match operation.outcome {
        _ if !is_return => "invoke",
        Outcome::Ok(_) => "ok",
        Outcome::Fail | Outcome::Saw(_) | Outcome::Mismatch => "fail",
        Outcome::Unknown => "info",
    };
    let function = operation.asked.name();
    let process = history
        .processes
        .get(operation.process as usize)
        .copied()
        .unwrap_or_default();
    write!(
        out,
        r#"{{"process": {process}, "type": "{kind}", "f": "{function}""#
    )?;
    let key = history.keys[operation.key as usize];
    if key != ABSENT {
        value(history, "key", key, out)?;
    }
    match (operation.asked, operation.outcome) {
        (Asked::Read | Asked::Dequeue, Outcome::Ok(read)) if is_return => {
            value(history, "value", read, out)?;
        }
        (
            Asked::Add(_) | Asked::Remove(_) | Asked::Contains(_) | Asked::Txn(_),
            Outcome::Ok(answer),
        ) if is_return && answer != ABSENT => value(history, "value", answer, out)?,
        (
            Asked::Write(new)
            | Asked::Append(new)
            | Asked::Enqueue(new)
            | Asked::Add(new)
            | Asked::Remove(new)
            | Asked::Contains(new)
            | Asked::Txn(new),
            _,
        ) => value(history, "value", new, out)?,
        (Asked::Cas { expected, new }, _) => {
            write!(
                out,
                r#", "value": [{}, {}]"#,
                history.values.json(expected),
                history.values.json(new)
            )?;
        }
        _ => {}
    }
    if is_return {
        match operation.outcome {
            Outcome::Saw(saw) => value(history, "saw", saw, out)?,
            Outcome::Mismatch => write!(out, r#", "mismatch": true"#)?,
            _ => {}
        }
        if let Some(place) = operation.place {
            write!(out, r#", "slot": {}"#, place.slot())?;
            match place.index() {
                Some(index) => write!(out, r#", "index": {index}"#)?,
                // Only of a read is the end of the slot understood.
                None if operation.asked != Asked::Read => write!(out, r#", "index": 65535"#)?,
                None => {}
            }
        }
    }
    writeln!(out, r#", "time": {time}}}"#)
}

fn value(history: &History, name: &str, value: Val, out: &mut impl Write) -> io::Result<()> {
    match history.values.json(value) {
        Value::Null => write!(out, r#", "{name}": null"#),
        json => write!(out, r#", "{name}": {json}"#),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::linearizability::generate::{Shape, generate};
    use crate::history::input::{Format, Model, read};

    #[test]
    fn what_is_written_is_read_back() {
        for (values, appends, unknown) in [(None, 20, 0), (Some(3), 0, 7)] {
            let history = generate(Shape {
                keys: 3,
                values,
                appends,
                unknown,
                swaps: 20,
                writes: 30,
                places: true,
                ..Shape::new(300, 5)
            });
            let mut text = Vec::new();
            write(&history, &mut text).expect("memory takes everything");
            let back = read(&text[..], Format::Auto, Model::KeyValue).expect("a history");
            let shown = |history: &History| -> Vec<String> {
                let json = crate::check::linearizability::answer::json::operation;
                let mut stripped = history.clone();
                stripped
                    .operations
                    .iter_mut()
                    .for_each(|operation| operation.lines = [0; 2]);
                (0..300)
                    .map(|number| {
                        format!(
                            "{} {:?}",
                            json(&stripped, number),
                            stripped.operations[number as usize].place
                        )
                    })
                    .collect()
            };
            assert_eq!(shown(&history), shown(&back));
        }
    }
}
