//! Reading recorded histories: synod's own lines of JSON, and what Jepsen writes.
//!
//! Whatever the bytes, the result is a history or an error that names its line. Nothing here says whether a history is right; only that it is one: each
//! return has a call before it, and each process has one operation open at a time.

mod edn;
mod jepsen;
mod pairing;
mod synod;

use std::io::BufRead;

use thiserror::Error;

use crate::history::recorded::History;

/// What the operations are on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Model {
    /// One register; operations have no key.
    Register,
    /// A register for every key.
    KeyValue,
}

/// How a history is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// As its first character suggests.
    Auto,
    /// A JSON object a line.
    Synod,
    /// Jepsen's log lines, or operation maps in EDN.
    Jepsen,
}

/// Why something is not a history.
#[derive(Debug, Error)]
pub enum InputError {
    /// A line makes no sense, by itself or after those before it.
    #[error("line {line}: {message}")]
    Line {
        /// Counted from 1.
        line: u32,
        /// What is wrong, and what should be there.
        message: String,
    },
    /// There is no operation in it.
    #[error("there is no operation in it; expected {expected}")]
    Empty {
        /// What was looked for.
        expected: &'static str,
    },
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl InputError {
    fn at(line: u32, message: impl Into<String>) -> Self {
        Self::Line { line, message: message.into() }
    }
}

/// Reads a history to its end.
///
/// # Errors
/// The first line that makes no sense.
pub fn read(mut input: impl BufRead, format: Format, model: Model) -> Result<History, InputError> {
    let format = if format == Format::Auto { guess(&mut input)? } else { format };
    match format {
        Format::Synod | Format::Auto => synod::read(input, model),
        Format::Jepsen => jepsen::read(input, model),
    }
}

/// A JSON object begins with a brace and a string; nothing that Jepsen writes does.
fn guess(input: &mut impl BufRead) -> Result<Format, InputError> {
    let start = input.fill_buf()?;
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let mut visible = start.iter().filter(|byte| !byte.is_ascii_whitespace());
    let json = matches!((visible.next(), visible.next()), (None, _) | (Some(b'{'), None | Some(b'"' | b'}')));
    Ok(if json { Format::Synod } else { Format::Jepsen })
}
