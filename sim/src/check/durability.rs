//! Durability of what is acknowledged: when a reply leaves a replica, the slot that it rests on,
//! and every slot below, is chosen on the media of a majority, as the ghost sees them at that
//! instant. Reads rest on what they saw.

use crate::check::checker::Checker;
use crate::check::ghost::Ghost;
use crate::check::signal::{Finding, Hears, Signal};
use crate::subject::process::Acknowledged;

/// The checker.
#[derive(Clone, Debug)]
pub struct Durability {
    checked: u64,
}

impl Checker for Durability {
    const NAME: &'static str = "durability";
    const HEARS: Hears = Hears::REPLIES;
    const ASKS_GHOST: bool = true;

    fn new(_: u8) -> Self {
        Self { checked: 0 }
    }

    fn hear(&mut self, ghost: &Ghost, signal: &Signal<'_>) -> Finding {
        let Signal::Acknowledged(node, acknowledged) = *signal else {
            return Ok(());
        };
        if !ghost.reads_media() {
            return Ok(());
        }
        let (what, below) = match *acknowledged {
            Acknowledged::Registered { slot } => ("a session", slot.saturating_add(1)),
            Acknowledged::Done { slot, .. } => ("an operation", slot.saturating_add(1)),
            Acknowledged::Read { below } => ("a read", below),
        };
        self.checked += 1;
        if below <= ghost.chosen_below() {
            return Ok(());
        }
        Err(format!(
            "{node} acknowledges {what} of slot {}, and slot {} is not durably chosen",
            below - 1,
            ghost.chosen_below()
        ))
    }

    fn checked(&self) -> u64 {
        self.checked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Node;
    use crate::subject::process::Durable;

    #[test]
    fn a_reply_rests_on_a_majority_of_media() {
        let (mut ghost, mut durability) = (Ghost::new(3, true), Durability::new(3));
        let mut tell =
            |ghost: &Ghost, what| durability.hear(ghost, &Signal::Acknowledged(Node(0), &what));
        let done = |slot| Acknowledged::Done {
            session: 1,
            sequence: 0,
            slot,
            index: 0,
            result: 0,
        };
        for (node, slot) in [(0, 0), (1, 0), (0, 2), (1, 2)] {
            ghost
                .hear(&Signal::Durable(
                    Node(node),
                    &Durable::Vote {
                        slot,
                        ballot: (1, 0),
                        value: 7,
                    },
                ))
                .unwrap();
        }
        tell(&ghost, done(0)).unwrap();
        tell(&ghost, Acknowledged::Read { below: 0 }).unwrap();
        tell(&ghost, Acknowledged::Read { below: 1 }).unwrap();
        tell(&ghost, Acknowledged::Registered { slot: 0 }).unwrap();
        assert_eq!(
            tell(&ghost, done(2)).unwrap_err(),
            "r1 acknowledges an operation of slot 2, and slot 1 is not durably chosen"
        );
        tell(&ghost, Acknowledged::Read { below: 2 }).unwrap_err();
        tell(&ghost, Acknowledged::Registered { slot: 1 }).unwrap_err();
        ghost
            .hear(&Signal::Durable(
                Node(2),
                &Durable::Vote {
                    slot: 1,
                    ballot: (1, 0),
                    value: 7,
                },
            ))
            .unwrap();
        tell(&ghost, done(1)).unwrap_err();
        assert_eq!(durability.checked(), 8);
    }
}
