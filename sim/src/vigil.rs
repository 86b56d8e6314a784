//! Which step is being taken, for whoever waits for its end outside of the run: a step that never
//! ends can be named.
//!
//! There is one run at a time in a worker. Where there are several, as in tests, nobody asks.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::ids::Node;

/// The number of the step that is being taken, and 0 between two; its replica in the lowest byte.
static STEP: AtomicU64 = AtomicU64::new(0);
/// Steps so far.
static STEPS: AtomicU64 = AtomicU64::new(0);
/// The event of the story that the step follows.
static EVENT: AtomicU64 = AtomicU64::new(0);

/// A step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Which, among all of this process.
    pub number: u64,
    /// Whose.
    pub node: Node,
    /// The number of the next event in the story.
    pub event: u64,
}

/// Is there for as long as a step is taken; a panic ends it as well.
#[derive(Debug)]
pub struct Vigil;

impl Drop for Vigil {
    #[inline]
    fn drop(&mut self) {
        STEP.store(0, Ordering::Relaxed);
    }
}

/// A step begins.
#[inline]
#[must_use]
pub fn begins(node: u8, event: u64) -> Vigil {
    let number = STEPS.load(Ordering::Relaxed) + 1;
    STEPS.store(number, Ordering::Relaxed);
    EVENT.store(event, Ordering::Relaxed);
    STEP.store(number << 8 | u64::from(node), Ordering::Relaxed);
    Vigil
}

/// The step that is being taken.
#[must_use]
pub fn now() -> Option<Step> {
    let step = STEP.load(Ordering::Relaxed);
    let [node, ..] = step.to_le_bytes();
    (step > 0).then(|| Step {
        number: step >> 8,
        node: Node(node),
        event: EVENT.load(Ordering::Relaxed),
    })
}
