//! Why something is not a history.

use thiserror::Error;

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
    /// Several lines make no sense by themselves.
    #[error("{}", lines(.0))]
    Lines(Vec<Self>),
    /// There is no operation in it.
    #[error("there is no operation in it; expected {expected}")]
    Empty {
        /// What was looked for.
        expected: &'static str,
    },
    /// The value at the start is not written as the history writes values.
    #[error("the initial value {value:?} is none: {message}")]
    Initial {
        /// As it was given.
        value: String,
        /// What is wrong with it.
        message: String,
    },
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

fn lines(errors: &[InputError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n  ")
}

impl InputError {
    /// These errors together, if there are any.
    pub(super) fn all(mut errors: Vec<Self>) -> Result<(), Self> {
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(Self::Lines(errors)),
        }
    }

    pub(super) fn at(line: u32, message: impl Into<String>) -> Self {
        Self::Line {
            line,
            message: message.into(),
        }
    }
}
