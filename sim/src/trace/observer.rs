//! Who watches a run: checkers and recorders, told of every event as it happens.

use std::ops::ControlFlow;

use crate::trace::event::{Event, Stamp};

/// Watches a run. It never influences it, except by ending it.
pub trait Observer: Clone {
    /// Something happened. `Break` ends the run: a violation was found.
    fn on(&mut self, stamp: Stamp, event: &Event<'_>) -> ControlFlow<()>;
}

/// Watches nothing.
impl Observer for () {
    fn on(&mut self, _: Stamp, _: &Event<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
