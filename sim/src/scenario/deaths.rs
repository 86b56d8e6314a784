//! What a scenario says of where a process dies: in how many recoveries, or at which moment of what
//! it does.

use std::ops::Range;

use crate::scenario::fault::Boundary;
use crate::scenario::fault_form::WhenForm;
use crate::scenario::steps::Cast;
use crate::scenario::units::Count;
use crate::scenario::value::{Choice, Ranged};

const WHEN: &str = "write when = { sends = \"accepted\" }, or when = { between = [\"write\", \
                    \"sync\"], file = \"log\" }";

impl Cast<'_> {
    /// Whether what is said of a death fits together.
    pub(super) fn death(
        &mut self,
        at: &Choice<Boundary>,
        deaths: &Ranged<Count>,
        when: Option<&WhenForm>,
        place: &Range<usize>,
    ) {
        let recovers = |moment: &Boundary| matches!(moment, Boundary::InRecovery { .. });
        if deaths.max() > 1 && !at.0.iter().any(recovers) {
            self.wrong(
                self.source.find(place.clone(), "deaths"),
                "`deaths` are of recoveries",
                "no effect",
                "write boundary = \"in-recovery\" beside it, or leave it out",
            );
        }
        let Some(when) = when else { return };
        let place = self.source.find(place.clone(), "when");
        if *at != Choice::default() {
            self.wrong(
                place.clone(),
                "a `when` and a `boundary`",
                "which of them?",
                "a process dies at one of them: leave the other out",
            );
        }
        if when.sends.is_some() == when.between.is_some() {
            self.wrong(
                place.clone(),
                "a moment is of a message or of a file",
                "neither, or both",
                WHEN,
            );
        } else if when.file.is_some() && when.between.is_none() {
            self.wrong(place.clone(), "a `file` of no operation", "no effect", WHEN);
        }
    }
}
