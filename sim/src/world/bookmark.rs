//! Where the script is: the step that is next or under way, and what has been heard for it.

use crate::history::operation::Text;
use crate::ids::Node;
use crate::plan::Plan;
use crate::time::Instant;

use super::client::Finished;

/// Where the script is.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    /// The step that is next, or under way.
    pub at: usize,
    pub phase: Phase,
    /// The step's time may have come.
    pub tick: bool,
    /// Requests of steps that have ended.
    pub answers: Vec<Finished>,
    /// Requests of steps that the script did not wait for.
    pub background: usize,
}

#[derive(Clone, Debug, Default)]
pub(super) enum Phase {
    /// The step before is complete; the next one begins at this time, once that is known.
    #[default]
    Fresh,
    Waiting(Instant),
    Running(Running),
}

#[derive(Clone, Debug)]
pub(super) struct Running {
    pub by: Option<Instant>,
    /// When a value may be read, unless a read is under way.
    pub read_at: Option<Instant>,
    /// What the last read gave.
    pub read: Option<Option<Text>>,
    pub nodes: Vec<Node>,
    /// Slots that were known to be chosen when the step began.
    pub chosen: u64,
}

impl Script {
    /// Whether something can have changed.
    pub const fn is_hot(&self) -> bool {
        self.tick || matches!(self.phase, Phase::Running(_))
    }

    pub fn is_done(&self, plan: &Plan) -> bool {
        self.at >= plan.script.len() && self.background == 0
    }
}
