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

/// Both watch; either ends the run.
impl<One: Observer, Two: Observer> Observer for (One, Two) {
    #[inline]
    fn on(&mut self, stamp: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        let one = self.0.on(stamp, event);
        if self.1.on(stamp, event).is_break() {
            ControlFlow::Break(())
        } else {
            one
        }
    }
}

/// Watches, if there is somebody.
impl<Some: Observer> Observer for Option<Some> {
    #[inline]
    fn on(&mut self, stamp: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        self.as_mut().map_or(ControlFlow::Continue(()), |observer| {
            observer.on(stamp, event)
        })
    }
}
