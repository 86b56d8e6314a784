//! Progress: a healed cluster answers. Whether it does is found out by who runs the liveness phase,
//! under this name; what is counted here is the answers that a run had.

use crate::check::checker::Checker;
use crate::check::ghost::Ghost;
use crate::check::signal::{Finding, Hears, Signal};
use crate::trace::event::Outcome;

/// The checker.
#[derive(Clone, Debug)]
pub struct Progress {
    checked: u64,
}

impl Checker for Progress {
    const NAME: &'static str = "progress";
    const HEARS: Hears = Hears::CLIENTS;
    const CLIENT_VISIBLE: bool = true;

    fn new(_: u8) -> Self {
        Self { checked: 0 }
    }

    fn hear(&mut self, _: &Ghost, signal: &Signal<'_>) -> Finding {
        if let Signal::Returned(_, Outcome::Ok { .. }) = signal {
            self.checked += 1;
        }
        Ok(())
    }

    fn checked(&self) -> u64 {
        self.checked
    }
}
