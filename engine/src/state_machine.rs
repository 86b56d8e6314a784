//! The user's side: a deterministic state machine.

/// What the log replicates. Every replica applies the same operations in the same order and must
/// reach the same state: no clock, no randomness, no hash order.
pub trait StateMachine: Clone {
    /// Applies an operation and appends its result to `result`. An operation that makes no sense
    /// must still be answered, the same way everywhere.
    fn apply(&mut self, operation: &[u8], result: &mut Vec<u8>);

    /// Answers a read-only operation from the present state.
    fn read(&self, operation: &[u8], result: &mut Vec<u8>);

    /// A digest of the state; equal states have equal digests, on every machine.
    fn digest(&self) -> u64;
}
