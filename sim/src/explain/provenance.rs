//! How a slot of the log came to hold what it holds: the votes in it, what was promised and who led
//! at the ballots of those votes, what was learned, applied and answered, and the syncs that put votes
//! on media.

use std::collections::BTreeSet;

use crate::trace::event::BallotPair;
use crate::trace::tale::{Depth, Line};

/// The last slots of the log that operations on this key had their places in, in order; so many at
/// most.
#[must_use]
pub fn slots_of_key(tale: &[Line], key: &str, most: usize) -> Vec<u64> {
    let of_key = tale
        .iter()
        .filter(|line| line.about.key.as_deref() == Some(key));
    let slots: BTreeSet<u64> = of_key
        .filter_map(|line| line.about.slots)
        .map(|(first, _)| first)
        .collect();
    let skipped = slots.len().saturating_sub(most);
    slots.into_iter().skip(skipped).collect()
}

/// What led to this slot, in the order in which it happened.
#[must_use]
pub fn of_slot(tale: &[Line], slot: u64) -> Vec<&Line> {
    let is_deed =
        |line: &Line| line.depth == Depth::Story && line.about.slots == Some((slot, slot));
    let ballots: BTreeSet<BallotPair> = tale
        .iter()
        .filter(|line| is_deed(line))
        .filter_map(|line| line.about.ballot)
        .collect();
    let is_of_ballot = |line: &Line| {
        let ballot = line.about.ballot;
        line.depth == Depth::Story
            && line.about.slots.is_none()
            && ballot.is_some_and(|ballot| ballots.contains(&ballot))
    };
    tale.iter()
        .filter(|line| is_deed(line) || is_of_ballot(line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;
    use crate::trace::about::About;

    fn line(number: u64, depth: Depth, slot: Option<u64>, ballot: Option<BallotPair>) -> Line {
        Line {
            depth,
            time: Instant(number),
            number,
            about: About {
                slots: slot.map(|slot| (slot, slot)),
                ballot,
                key: slot.map(|slot| format!("k{}", slot % 2)),
                ..About::default()
            },
            state: None,
            text: String::new(),
        }
    }

    #[test]
    fn a_slot_brings_the_promises_of_its_ballots() {
        use Depth::{Story, Wire};
        let tale = [
            line(0, Story, None, Some((1, 0))),
            line(1, Story, None, Some((2, 1))),
            line(2, Wire, Some(7), Some((1, 0))),
            line(3, Story, Some(7), Some((2, 1))),
            line(4, Story, Some(8), Some((1, 0))),
            line(5, Story, Some(7), None),
        ];
        let numbers: Vec<u64> = of_slot(&tale, 7).iter().map(|line| line.number).collect();
        assert_eq!(numbers, [1, 3, 5], "of ballot 1 nobody voted in slot 7");
        assert!(of_slot(&tale, 9).is_empty());
        assert_eq!(slots_of_key(&tale, "k1", 3), [7]);
        assert_eq!(slots_of_key(&tale, "k0", 3), [8]);
        assert!(slots_of_key(&tale, "k0", 0).is_empty());
    }
}
