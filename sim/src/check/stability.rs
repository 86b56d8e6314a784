//! Stability: leadership comes to rest. Once the core has been healed for long, ballots do not rise
//! for ever.
//!
//! It verifies that of so many lulls in a row there is one in which nobody campaigns at a higher
//! ballot than anybody before; each but the first is long enough for the most patient candidate to
//! try again. Replicas outside the core count too: whoever is deaf or mute must not depose those
//! who are well.
//!
//! It does not verify who leads, that anybody does, or how soon: an election or two after the heal
//! are no unrest, and a core without a leader is a stall, which `progress` finds. It knows
//! campaigns from facts alone, so clients see nothing of it.

use crate::check::checker::Checker;
use crate::check::ghost::Ghost;
use crate::check::signal::{BallotWord, Finding, Hears, Signal};
use crate::trace::event::Fact;

/// So many lulls in a row, each with a higher ballot than the last, are unrest.
const UNREST: u32 = 5;

/// The checker.
#[derive(Clone, Debug)]
pub struct Stability {
    /// The highest ballot that anybody campaigned for.
    highest: BallotWord,
    /// What that was when the present lull began; none before the first.
    at_lull: Option<BallotWord>,
    /// What it was when unrest began.
    rising_from: BallotWord,
    /// Lulls in a row, up to the last, in which it rose.
    restless: u32,
    checked: u64,
}

impl Checker for Stability {
    const NAME: &'static str = "stability";
    const HEARS: Hears = Hears::BALLOTS.and(Hears::LULLS);

    fn new(_: u8) -> Self {
        Self {
            highest: BallotWord::NONE,
            at_lull: None,
            rising_from: BallotWord::NONE,
            restless: 0,
            checked: 0,
        }
    }

    fn hear(&mut self, _: &Ghost, signal: &Signal<'_>) -> Finding {
        match *signal {
            Signal::Fact(_, Fact::Campaigned(ballot)) => {
                self.highest = self.highest.max(BallotWord::of(*ballot))
            }
            Signal::Lull => return self.on_lull(),
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> u64 {
        self.checked
    }
}

impl Stability {
    /// A lull ends, if one had begun, and another begins.
    fn on_lull(&mut self) -> Finding {
        let Some(before) = self.at_lull.replace(self.highest) else {
            return Ok(());
        };
        self.checked += 1;
        if self.highest == before {
            self.restless = 0;
            return Ok(());
        }
        if self.restless == 0 {
            self.rising_from = before;
        }
        self.restless += 1;
        if self.restless < UNREST {
            return Ok(());
        }
        let (from, to) = (self.rising_from, self.highest);
        Err(format!(
            "ballots rose in each of {UNREST} lulls, from {from} to {to}, long after the core was \
             healed"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Node;

    /// A run in which r1 campaigns so often between a lull and the next.
    fn after(campaigns: &[u64]) -> Finding {
        let (ghost, mut stability) = (Ghost::new(3, false), Stability::new(3));
        let mut round = 0;
        let mut campaign = |stability: &mut Stability, times: u64| {
            for _ in 0..times {
                round += 1;
                stability
                    .hear(
                        &ghost,
                        &Signal::Fact(Node(0), &Fact::Campaigned((round, 0))),
                    )
                    .expect("a campaign alone is no unrest");
            }
        };
        campaign(&mut stability, 9);
        stability
            .hear(&ghost, &Signal::Lull)
            .expect("chaos may be restless");
        for (lull, times) in (1..).zip(campaigns) {
            campaign(&mut stability, *times);
            stability.hear(&ghost, &Signal::Lull)?;
            assert_eq!(stability.checked(), lull);
        }
        Ok(())
    }

    #[test]
    fn leadership_that_comes_to_rest_passes() {
        assert_eq!(after(&[0]), Ok(()));
        assert_eq!(after(&[3, 1, 1, 1, 0, 1, 1, 1, 1]), Ok(()));
    }

    #[test]
    fn ballots_that_rise_for_ever_fail() {
        let message =
            "ballots rose in each of 5 lulls, from 9.r1 to 14.r1, long after the core was healed";
        assert_eq!(after(&[1, 1, 1, 1, 1]), Err(message.to_owned()));
        assert!(after(&[0, 1, 2, 1, 3, 1]).is_err());
    }
}
