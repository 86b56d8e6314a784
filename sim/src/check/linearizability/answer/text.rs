//! Operations and explanations in words.

use std::fmt::Write;

use crate::check::linearizability::answer::Explanation;
use crate::check::linearizability::contradiction::Contradiction;
use crate::check::linearizability::witness::Refuted;
use crate::history::recorded::{Asked, History, Outcome, Recorded};
use crate::history::values::{ABSENT, Form, Val};

/// How many operations of a long order are shown.
const SHOWN: usize = 12;

/// A value in at most `room` characters or so; absent is `nil`.
#[must_use]
pub fn value(history: &History, value: Val, room: usize) -> String {
    let whole = match history.values.get(value) {
        None => return "nil".into(),
        Some((Form::Text, bytes)) => {
            format!("\"{}\"", String::from_utf8_lossy(bytes).escape_debug())
        }
        Some((Form::Other, bytes)) => String::from_utf8_lossy(bytes).into_owned(),
    };
    let count = whole.chars().count();
    if count <= room {
        return whole;
    }
    let (head, tail) = (room / 3, room - room / 3);
    let start: String = whole.chars().take(head).collect();
    let end: String = whole.chars().skip(count - tail).collect();
    format!("{start}…{end}")
}

/// What an operation did and what came back: `cas [1 2] → saw 3`.
#[must_use]
pub fn action(history: &History, operation: &Recorded) -> String {
    let show = |shown| value(history, shown, 48);
    let asked = match operation.asked {
        Asked::Read => "read".into(),
        Asked::Write(value) => format!("write {}", show(value)),
        Asked::Append(value) => format!("append {}", show(value)),
        Asked::Cas { expected, new } => format!("cas [{} {}]", show(expected), show(new)),
        Asked::Delete => "delete".into(),
        Asked::Enqueue(value) => format!("enqueue {}", show(value)),
        Asked::Dequeue => "dequeue".into(),
        Asked::Add(value) => format!("add {}", show(value)),
        Asked::Remove(value) => format!("remove {}", show(value)),
        Asked::Contains(value) => format!("contains {}", show(value)),
        Asked::Txn(value) => format!("txn {}", show(value)),
    };
    match (operation.asked, operation.outcome) {
        (Asked::Txn(_), Outcome::Ok(value)) if value != ABSENT => format!("txn {}", show(value)),
        (Asked::Read | Asked::Dequeue, Outcome::Ok(value)) => {
            format!("{asked} → {}", show(value))
        }
        (Asked::Add(_) | Asked::Remove(_) | Asked::Contains(_), Outcome::Ok(value))
            if value != ABSENT =>
        {
            format!("{asked} → {}", show(value))
        }
        (_, Outcome::Ok(_)) => asked,
        (_, Outcome::Saw(value)) => format!("{asked} → saw {}", show(value)),
        (_, Outcome::Mismatch) => format!("{asked} → mismatch"),
        (_, Outcome::Fail) => format!("{asked} → failed"),
        (_, Outcome::Unknown) => format!("{asked} → unknown"),
    }
}

/// An operation with its process and its times, and its lines where it has some.
#[must_use]
pub fn line(history: &History, number: u32) -> String {
    let operation = &history.operations[number as usize];
    let process = history
        .processes
        .get(operation.process as usize)
        .copied()
        .unwrap_or_default();
    let end = if operation.outcome == Outcome::Unknown {
        "…".to_string()
    } else {
        operation.ret.to_string()
    };
    let mut line = format!(
        "process {process}: {} at {}..{end}",
        action(history, operation),
        operation.call
    );
    match operation.lines {
        [0, _] => {}
        [call, 0] => _ = write!(line, " (line {call})"),
        [call, ret] => _ = write!(line, " (lines {call} and {ret})"),
    }
    line
}

/// A contradiction in a sentence or two.
#[must_use]
pub fn contradiction(history: &History, contradiction: &Contradiction) -> String {
    let line = |number: u32| line(history, number);
    match *contradiction {
        Contradiction::Unwritten { operation } => format!(
            "nothing can have made what it found:\n    {}",
            line(operation)
        ),
        Contradiction::Unmade {
            operation,
            place,
            value: unmade,
        } => {
            let (made, found) = match history.operations[operation as usize].asked {
                Asked::Dequeue => ("enqueued", "take"),
                Asked::Txn(_) => ("written", "read"),
                _ => ("added", "find"),
            };
            let to = if place == ABSENT {
                String::new()
            } else {
                format!(" to {}", value(history, place, 48))
            };
            format!(
                "nobody can have {made} {}{to} for this to {found} it:\n    {}",
                value(history, unmade, 48),
                line(operation)
            )
        }
        Contradiction::Backwards { first, second } => {
            format!(
                "the second was over before the first began, and yet must follow it:\n    {}\n    \
                 {}",
                line(first),
                line(second)
            )
        }
        Contradiction::Forked { one, other } => format!(
            "both cannot have followed the same value:\n    {}\n    {}",
            line(one),
            line(other)
        ),
        Contradiction::Torn {
            from,
            to,
            other_from,
            other_to,
        } => {
            let start = |from: Option<u32>| from.map_or_else(|| "the start".into(), line);
            format!(
                "all that concerns one value stands together, yet each of these two must stand \
                 before the other:\n    from {}\n      to {}\n    from {}\n      to {}",
                start(from),
                line(to),
                start(other_from),
                line(other_to)
            )
        }
        Contradiction::Differs { operation, witness } => {
            format!(
                "the value that the first did not find was there all the time, as the second \
                 saw:\n    {}\n    {}",
                line(operation),
                line(witness)
            )
        }
    }
}

/// Why the log's order is no linearization.
#[must_use]
pub fn refuted(history: &History, refuted: Refuted) -> String {
    let line = |number: u32| line(history, number);
    match refuted {
        Refuted::Missing { operation } => format!("the log has no place for {}", line(operation)),
        Refuted::RealTime { earlier, later } => {
            format!(
                "the log's order breaks real time: it puts the first of these before the second, \
                 which was over before the first began\n    {}\n    {}",
                line(earlier),
                line(later)
            )
        }
        Refuted::Reply { operation } => {
            format!("the log's order does not explain {}", line(operation))
        }
    }
}

/// The whole explanation.
#[must_use]
pub fn explanation(history: &History, why: &Explanation) -> String {
    let mut out = String::new();
    let key = history.keys[why.key as usize];
    if key != ABSENT {
        _ = writeln!(out, "  on key {}", value(history, key, 80));
    }
    _ = writeln!(out, "  cannot be placed: {}", line(history, why.operation));
    let (calls, returned) = (why.prefix.len(), why.prefix.len() - why.open.len());
    let prefix = if why.shortest {
        "the shortest prefix"
    } else {
        "a prefix"
    };
    _ = writeln!(
        out,
        "  {prefix} that is not linearizable ends with its return: {calls} calls, {returned} returns"
    );
    if let Some(found) = &why.contradiction {
        _ = writeln!(out, "  contradiction: {}", contradiction(history, found));
    }
    let skipped = why.linearized.len().saturating_sub(SHOWN);
    let shown = if skipped > 0 {
        format!(", the last {SHOWN} of them")
    } else {
        String::new()
    };
    if why.shortest || !why.linearized.is_empty() {
        _ = writeln!(
            out,
            "  the longest order found without it has {} operations{shown}:",
            why.linearized.len()
        );
    }
    for (at, number) in why.linearized.iter().enumerate().skip(skipped) {
        _ = writeln!(out, "    {:>4}. {}", at + 1, line(history, *number));
    }
    if !why.open.is_empty() {
        _ = writeln!(out, "  open when it returned:");
        for number in why.open.iter().take(SHOWN) {
            _ = writeln!(out, "    {}", line(history, *number));
        }
        if why.open.len() > SHOWN {
            _ = writeln!(out, "    and {} more", why.open.len() - SHOWN);
        }
    }
    out
}
