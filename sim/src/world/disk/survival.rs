//! Which of the things that no sync covers survive: any subset, with its extremes likely enough to
//! be seen.

use crate::choices::{Choices, Label};
use crate::scenario::fault::Keep;

/// How the things of one group (the sectors of a write, a file's unsynced sectors and length, the
/// name operations) survive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Survival {
    /// None does.
    Nothing,
    /// All do.
    Everything,
    /// Each is a decision of its own.
    Each,
}

impl Survival {
    /// How `things` things survive. Of many, all or none would hardly ever be drawn one by one, so
    /// that is a decision before theirs.
    pub fn of(keep: Keep, things: usize, choices: &mut dyn Choices, label: Label) -> Self {
        match keep {
            Keep::Nothing => Self::Nothing,
            Keep::Everything => Self::Everything,
            Keep::Any if things < 2 => Self::Each,
            Keep::Any => match choices.draw(label, 4) {
                0 => Self::Nothing,
                1 => Self::Everything,
                _ => Self::Each,
            },
        }
    }

    /// Whether the next thing survives.
    pub fn keeps(self, choices: &mut dyn Choices, label: Label) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Each => choices.draw(label, 2) == 1,
        }
    }
}
