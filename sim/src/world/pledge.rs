//! A promise that was picked for the fencing audit, and what it is put through.

use synod_port::files::Bytes;

use crate::ids::Node;
use crate::plan::Plan;
use crate::scenario::fault::{Fault, MessageFault};

/// What a promise is put through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trial {
    /// Whoever gave it loses its power, with all that it had not synced, and goes on with the
    /// others. What the candidate says is held back meanwhile.
    PowerLoss,
    /// As before, and what it synced last rots while it has no power, with all copies of it.
    Rot,
    /// It comes twice, to a candidate that with whoever gave it is cut off from the others.
    Twice,
}

impl Trial {
    /// What becomes of whoever gave the promise, or of the promise.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::PowerLoss => "lost its power",
            Self::Rot => "lost its power and found files rotten",
            Self::Twice => "was heard twice",
        }
    }

    /// One of those that are within the faults of the run, by a word below 4.
    pub(super) fn of(word: u64, plan: &Plan) -> Self {
        let rots = plan
            .faults()
            .any(|fault| matches!(fault, Fault::BitRot { .. } | Fault::SectorError { .. }));
        let is_copy = |fault: &Fault| {
            let fault = match fault {
                Fault::Messages { fault, .. } => Some(fault),
                _ => None,
            };
            matches!(fault, Some(MessageFault::Duplicate { .. }))
        };
        // Of three replicas two are a quorum, and nothing is wrong with leading them.
        let copies =
            plan.cluster.replicas > 3 && (plan.network.duplicate > 0 || plan.faults().any(is_copy));
        match word {
            0 => Self::PowerLoss,
            1 if copies => Self::Twice,
            _ if rots => Self::Rot,
            _ if copies => Self::Twice,
            _ => Self::PowerLoss,
        }
    }
}

/// A promise that was picked for an audit.
#[derive(Clone, Debug)]
pub struct Pledge {
    /// Who gave it.
    pub from: Node,
    /// The candidate.
    pub to: Node,
    /// What it is put through.
    pub trial: Trial,
    /// As it was sent.
    pub(super) bytes: Bytes,
}

impl Pledge {
    /// Who waits while the others go on.
    pub(super) fn apart(&self) -> Vec<Node> {
        match self.trial {
            Trial::PowerLoss | Trial::Rot => vec![self.to],
            Trial::Twice => vec![self.from, self.to],
        }
    }
}
