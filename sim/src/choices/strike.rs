//! Where a run is struck at one boundary: between two things that a replica asks for. A strike is
//! named by the event, the replica and what it got to do in that event's step, so a run that was
//! struck comes out again in a straight line.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::choices::loose::Loose;

/// A replica's step is cut short, and what follows is told in full.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Strike {
    /// Events that are handled before.
    pub event: u64,
    /// The replica that is stepped in the next event, from 1.
    pub replica: u8,
    /// What it asks for in that step and gets: so many, in order.
    pub after: u32,
    /// What strikes it then.
    pub by: Blow,
    /// What of its disk survives, of all that no sync covers; of what fails, what lands.
    #[serde(default)]
    pub keep: Vec<Loose>,
}

/// What strikes a replica.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blow {
    /// Its process is killed.
    Kill,
    /// It loses its power.
    PowerLoss,
    /// All lose their power, and what the others had not synced is gone.
    Outage,
    /// All lose their power, and what the others had not synced is all on their media.
    OutageKeptElsewhere,
    /// Nobody dies: the next thing that it asks for is an operation of its disk, and fails.
    Failure,
}

impl Blow {
    /// All of them, the deaths first.
    pub const ALL: [Self; 5] = [
        Self::Kill,
        Self::PowerLoss,
        Self::Outage,
        Self::OutageKeptElsewhere,
        Self::Failure,
    ];

    /// Its name in reproducers and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::PowerLoss => "power-loss",
            Self::Outage => "outage",
            Self::OutageKeptElsewhere => "outage-kept-elsewhere",
            Self::Failure => "failure",
        }
    }
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            event,
            replica,
            after,
            by,
            keep,
        } = self;
        let by = by.name();
        write!(f, "event {event}, r{replica} after {after} outputs: {by}")?;
        if keep.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = keep.iter().map(ToString::to_string).collect();
        write!(f, ", of the unsynced survives {}", names.join(", "))
    }
}
