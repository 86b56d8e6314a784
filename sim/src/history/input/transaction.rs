//! Transactions as histories write them, `[[:read x nil] [:write y 2]]`, in the one form in which
//! they are kept: `[["read", x], ["write", y, 2]]`, and `["read", x, 7]` once it is known what was
//! read.

use crate::history::input::convention::Nil;
use crate::history::values::{ABSENT, Val, Values};

const EXPECTED: &str = "the value of a txn is a list of [read key value] and [write key value]";

/// A part of a transaction, as it is written.
struct Written {
    writes: bool,
    key: Val,
    value: Val,
}

fn parts(transaction: Val, values: &Values) -> Option<Vec<Written>> {
    let part = |part: &Val| {
        let (name, key, value) = match *values.members(*part)? {
            [name, key] => (name, key, ABSENT),
            [name, key, value] => (name, key, value),
            _ => return None,
        };
        let writes = match values.bytes(name) {
            b"read" | b":read" | b"r" | b":r" => false,
            b"write" | b":write" | b"w" | b":w" => true,
            _ => return None,
        };
        Some(Written { writes, key, value })
    };
    values.members(transaction)?.iter().map(part).collect()
}

fn kept(parts: &[Written], reads: impl Fn(&Written) -> bool, values: &mut Values) -> Val {
    let [read, write] = ["read", "write"].map(|name| values.text(name.as_bytes()));
    let parts: Vec<Val> = parts
        .iter()
        .map(|part| {
            if part.writes {
                values.list(&[write, part.key, part.value])
            } else if reads(part) {
                values.list(&[read, part.key, part.value])
            } else {
                values.list(&[read, part.key])
            }
        })
        .collect();
    values.list(&parts)
}

/// What was asked.
///
/// # Errors
/// It is no transaction.
pub fn called(transaction: Val, values: &mut Values) -> Result<Val, &'static str> {
    let parts = parts(transaction, values).ok_or(EXPECTED)?;
    Ok(kept(&parts, |_| false, values))
}

/// What came back.
///
/// # Errors
/// It is no transaction, or another one than was asked.
pub fn returned(
    asked: Val,
    transaction: Val,
    nil: Nil,
    values: &mut Values,
) -> Result<Val, &'static str> {
    let parts = parts(transaction, values).ok_or(EXPECTED)?;
    if kept(&parts, |_| false, values) != asked {
        return Err("it returns from another transaction than it called");
    }
    let reads = |part: &Written| part.value != ABSENT || nil == Nil::Absent;
    Ok(kept(&parts, reads, values))
}
