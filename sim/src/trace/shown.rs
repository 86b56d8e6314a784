//! How ballots, hashes and facts are written for people.

use std::fmt::{self, Formatter};

use crate::trace::event::{BallotPair, Fact};

/// How a thing of the trace is written for people. A ballot is `round.replica`, a hash its first
/// half.
pub struct Shown<T>(pub T);

impl fmt::Display for Shown<BallotPair> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0.0, crate::ids::Node(self.0.1))
    }
}

impl fmt::Display for Shown<u64> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0 >> 32)
    }
}

impl fmt::Display for Shown<&Fact> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self.0 {
            Fact::Recovered {
                promised,
                chosen_below,
                torn,
            } => {
                let tail = if torn { ", its torn tail cut" } else { "" };
                write!(
                    f,
                    "comes back with promise {}, chosen below slot {chosen_below}{tail}",
                    Shown(promised)
                )
            }
            Fact::Promised(ballot) => write!(f, "promises {}", Shown(ballot)),
            Fact::Voted {
                slot,
                ballot,
                value,
            } => write!(
                f,
                "votes in slot {slot} at {} for {}",
                Shown(ballot),
                Shown(value)
            ),
            Fact::Campaigned(ballot) => write!(f, "campaigns at {}", Shown(ballot)),
            Fact::Led(ballot) => write!(f, "leads at {}", Shown(ballot)),
            Fact::SteppedDown(ballot) => write!(f, "leads no more at {}", Shown(ballot)),
            Fact::Chosen { slot, value } => write!(f, "knows that slot {slot} is {}", Shown(value)),
            Fact::Applied { slot, value, state } => write!(
                f,
                "applies slot {slot}, {}, and is in state {}",
                Shown(value),
                Shown(state)
            ),
            Fact::Executed {
                slot,
                index,
                session,
                sequence,
            } => {
                write!(
                    f,
                    "executes request {sequence} of session {session} at {slot}.{index}"
                )
            }
        }
    }
}
