//! Reading recorded histories: synod's own lines of JSON, or an array of them, and what Jepsen
//! writes.
//!
//! Whatever the bytes, the result is a history or an error that names its line. Nothing here says
//! whether a history is right; only that it is one: each return has a call before it, and each
//! process has one operation open at a time.

mod convention;
mod edn;
mod error;
mod function;
mod jepsen;
mod json;
mod model;
mod pairing;
mod synod;
mod transaction;

use std::io::BufRead;

use crate::history::recorded::History;

pub use convention::{Conventions, FailedCas, Nil, Wanted};
pub use error::InputError;
pub use model::Model;
pub use pairing::Input;

/// How a history is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// As its first character suggests.
    Auto,
    /// A JSON object a line, or a JSON array of them.
    Synod,
    /// Jepsen's log lines, or operation maps in EDN.
    Jepsen,
}

/// Reads a history to its end, by the conventions of its format.
///
/// # Errors
/// The lines that make no sense by themselves, or the first that does not go with those before it.
pub fn read(input: impl BufRead, format: Format, model: Model) -> Result<History, InputError> {
    read_as(input, format, model, &Wanted::default()).map(|input| input.history)
}

/// Reads a history to its end, by the conventions that are wanted.
///
/// # Errors
/// The lines that make no sense by themselves, the first that does not go with those before it, or a
/// wanted value that is none.
pub fn read_as(
    mut input: impl BufRead,
    format: Format,
    model: Model,
    wanted: &Wanted,
) -> Result<Input, InputError> {
    let format = if format == Format::Auto {
        guess(&mut input)?
    } else {
        format
    };
    match format {
        Format::Synod | Format::Auto => synod::read(input, model, wanted),
        Format::Jepsen => jepsen::read(input, model, wanted),
    }
}

/// A JSON object begins with a brace and a string, in an array or not; nothing that Jepsen writes
/// does.
fn guess(input: &mut impl BufRead) -> Result<Format, InputError> {
    let start = input.fill_buf()?;
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let mut visible = start
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .peekable();
    visible.next_if(|byte| **byte == b'[');
    let json = matches!(
        (visible.next(), visible.next()),
        (None, _) | (Some(b'{'), None | Some(b'"' | b'}'))
    );
    Ok(if json { Format::Synod } else { Format::Jepsen })
}
