//! What finding a verdict may cost: steps and bytes, counted and never timed, so that a verdict
//! depends on no machine.

/// How much may be spent before nothing is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Steps of the specification that may be tried.
    pub steps: u64,
    /// Bytes that both searches together may take at one moment, with the room that they make for
    /// more; the history is not counted. They share it: a search that is alone may take all.
    pub bytes: usize,
}

impl Default for Budget {
    /// Half a minute and three quarters of a gigabyte.
    fn default() -> Self {
        Self {
            steps: 400_000_000,
            bytes: 768 << 20,
        }
    }
}

/// What was used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exhausted {
    /// More steps were needed.
    Steps,
    /// More bytes were needed.
    Bytes,
}
