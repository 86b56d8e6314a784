//! What a checker is. A new one is a file with one type that implements [`Checker`], and a line in
//! `suite`.
//!
//! A checker never influences a run, and it builds no text until something is wrong.

use crate::check::ghost::Ghost;
use crate::check::signal::{Finding, Hears, Signal};
use crate::ids::Node;

/// One property.
pub trait Checker: Clone {
    /// Its name in verdicts and on the command line.
    const NAME: &'static str;

    /// The signals that it needs.
    const HEARS: Hears;

    /// Whether it asks the ghost, which then must be fed.
    const ASKS_GHOST: bool = false;

    /// Whether what it judges from clients alone is worth running by itself; then it hears nothing
    /// but `CLIENTS`.
    const CLIENT_VISIBLE: bool = false;

    /// A checker for so many replicas that has seen nothing.
    fn new(replicas: u8) -> Self;

    /// Judges a signal. The ghost has heard it already.
    ///
    /// # Errors
    /// What is wrong.
    fn hear(&mut self, ghost: &Ghost, signal: &Signal<'_>) -> Finding;

    /// Judges the end of the run: these replicas were healed and take part.
    ///
    /// # Errors
    /// What is wrong.
    fn close(&mut self, _ghost: &Ghost, _ready_core: &[Node]) -> Finding {
        Ok(())
    }

    /// How many times it really compared something.
    fn checked(&self) -> u64;

    /// The bytes that it accounts for beyond its own size, roughly.
    fn bytes(&self) -> u64 {
        0
    }
}
