//! Which of the things that no sync covers survive: any subset, with its extremes likely enough to
//! be seen.

use synod_port::files::FileName;

use crate::choices::loose::{Loose, Part};
use crate::choices::{Choices, Label};
use crate::scenario::fault::Keep;

/// What of all that no sync covers survives a death.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept<'a> {
    /// What is drawn.
    Drawn(Keep),
    /// What is named, and nothing else.
    Those(&'a [Loose]),
}

impl From<Keep> for Kept<'_> {
    fn from(keep: Keep) -> Self {
        Self::Drawn(keep)
    }
}

/// How the things of one group (the sectors of a write, a file's unsynced sectors and length, the
/// name operations) survive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Survival<'a> {
    /// None does.
    Nothing,
    /// All do.
    Everything,
    /// Each is a decision of its own.
    Each,
    /// Those do that are named.
    Those(&'a [Loose]),
}

impl<'a> Survival<'a> {
    /// How `things` things survive. Of many, all or none would hardly ever be drawn one by one, so
    /// that is a decision before theirs.
    pub fn of(
        kept: impl Into<Kept<'a>>,
        things: usize,
        choices: &mut dyn Choices,
        label: Label,
    ) -> Self {
        let keep = match kept.into() {
            Kept::Drawn(keep) => keep,
            Kept::Those(named) => return Self::Those(named),
        };
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

    /// Whether the next thing survives, where nothing is named.
    pub fn draws(self, choices: &mut dyn Choices, label: Label) -> bool {
        self.keeps((None, Part::Length), choices, label)
    }

    /// Whether the next thing survives, which is a part of this file.
    pub fn keeps(
        self,
        (file, part): (Option<FileName>, Part),
        choices: &mut dyn Choices,
        label: Label,
    ) -> bool {
        let fits = |named: &Loose| Some(named.file) == file && part.survives_with(named.part);
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Each => choices.draw(label, 2) == 1,
            Self::Those(named) => named.iter().any(fits),
        }
    }
}
