//! What finding a verdict may cost: steps and bytes, counted and never timed, so that a verdict
//! depends on no machine.

/// How much may be spent before nothing is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Steps of the specification that may be tried.
    pub steps: u64,
    /// Bytes that configurations may take at one moment. Three times as much is allocated at worst,
    /// when what is full makes room for more; the history is not counted.
    pub bytes: usize,
}

impl Default for Budget {
    /// Half a minute and, with the room that vectors make, some hundred megabytes.
    fn default() -> Self {
        Self {
            steps: 400_000_000,
            bytes: 256 << 20,
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
