//! How long to leave a failing disk alone: doubling, and capped.

use crate::time::{Mono, Span};

const FIRST: Span = Span::from_millis(1);
const LONGEST: Span = Span::from_millis(250);

/// Paces attempts that are made for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Backoff {
    last: Span,
    until: Option<Mono>,
}

impl Backoff {
    /// An attempt failed: wait, longer than the last time.
    pub(crate) fn wait(&mut self, now: Mono) {
        self.last = Span(self.last.0.saturating_mul(2).clamp(FIRST.0, LONGEST.0));
        self.until = Some(now + self.last);
    }

    /// Whether a wait has just ended; it is asked for once.
    pub(crate) fn over(&mut self, now: Mono) -> bool {
        let over = self.until.is_some_and(|until| until <= now);
        if over {
            self.until = None;
        }
        over
    }

    /// Stops a wait without forgetting how long it was.
    pub(crate) const fn interrupt(&mut self) {
        self.until = None;
    }

    /// An attempt went well.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// When the wait ends, if there is one.
    pub(crate) const fn until(&self) -> Option<Mono> {
        self.until
    }
}
