//! Exactly once: a request of a session, by its sequence, is executed at one place of the log only,
//! on all replicas and in all boots, and whatever acknowledges it names that place. From the
//! clients alone: appended tags show once ([`appends`](crate::check::appends)).

use crate::check::appends::Appends;
use crate::check::checker::Checker;
use crate::check::chunked::BySession;
use crate::check::ghost::Ghost;
use crate::check::signal::{Finding, Hears, Signal};
use crate::ids::Node;
use crate::subject::process::Acknowledged;
use crate::trace::event::Fact;

/// A place of the log; the default is none.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Place {
    /// The slot + 1.
    next: u64,
    index: u16,
}

/// The checker.
#[derive(Clone, Debug)]
pub struct ExactlyOnce {
    places: BySession<Place>,
    appends: Appends,
    checked: u64,
}

impl Checker for ExactlyOnce {
    const NAME: &'static str = "exactly-once";
    const HEARS: Hears = Hears::EXECUTED.and(Hears::REPLIES).and(Hears::CLIENTS);
    const CLIENT_VISIBLE: bool = true;

    fn new(_: u8) -> Self {
        Self {
            places: BySession::default(),
            appends: Appends::default(),
            checked: 0,
        }
    }

    fn hear(&mut self, _: &Ghost, signal: &Signal<'_>) -> Finding {
        match *signal {
            Signal::Fact(
                node,
                Fact::Executed {
                    slot,
                    index,
                    session,
                    sequence,
                },
            ) => self.placed(node, "executes", (*session, *sequence), (*slot, *index)),
            Signal::Acknowledged(
                node,
                Acknowledged::Done {
                    session,
                    sequence,
                    slot,
                    index,
                    ..
                },
            ) => self.placed(node, "acknowledges", (*session, *sequence), (*slot, *index)),
            Signal::Invoked(process, call) => {
                self.appends.invoked(process, call);
                Ok(())
            }
            Signal::Returned(process, outcome) => self.appends.returned(process, outcome),
            Signal::Learned(process, outcome) => self.appends.learned(process, outcome),
            _ => Ok(()),
        }
    }

    fn checked(&self) -> u64 {
        self.checked + self.appends.checked()
    }

    fn bytes(&self) -> u64 {
        self.places.bytes()
    }
}

impl ExactlyOnce {
    fn placed(
        &mut self,
        node: Node,
        verb: &str,
        (session, sequence): (u64, u64),
        (slot, index): (u64, u16),
    ) -> Finding {
        let here = Place {
            next: slot.saturating_add(1),
            index,
        };
        let Some(place) = self.places.entry(session, sequence) else {
            return Err(format!(
                "{node} {verb} request {sequence} of session {session}, which nobody can have made"
            ));
        };
        if *place == Place::default() {
            *place = here;
            return Ok(());
        }
        self.checked += 1;
        if *place == here {
            return Ok(());
        }
        let Place {
            next,
            index: before,
        } = *place;
        Err(format!(
            "{node} {verb} request {sequence} of session {session} at place {slot}.{index}, and \
             it took effect at {}.{before}",
            next - 1
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executed(slot: u64, index: u16, sequence: u64) -> Fact {
        Fact::Executed {
            slot,
            index,
            session: 9,
            sequence,
        }
    }

    #[test]
    fn a_request_is_executed_at_one_place_everywhere() {
        let (ghost, mut once) = (Ghost::new(3, false), ExactlyOnce::new(3));
        let mut tell = |node, fact| once.hear(&ghost, &Signal::Fact(Node(node), &fact));
        tell(0, executed(4, 1, 0)).unwrap();
        tell(0, executed(4, 2, 1)).unwrap();
        tell(1, executed(4, 1, 0)).unwrap();
        assert_eq!(
            tell(0, executed(7, 0, 0)).unwrap_err(),
            "r1 executes request 0 of session 9 at place 7.0, and it took effect at 4.1"
        );
        tell(2, executed(4, 3, 1)).unwrap_err();
        tell(2, executed(4, 3, u64::MAX)).unwrap_err();
    }

    #[test]
    fn the_reply_names_the_place() {
        let (ghost, mut once) = (Ghost::new(3, false), ExactlyOnce::new(3));
        let done = |slot| Acknowledged::Done {
            session: 9,
            sequence: 0,
            slot,
            index: 1,
            result: 5,
        };
        once.hear(&ghost, &Signal::Fact(Node(0), &executed(4, 1, 0)))
            .unwrap();
        once.hear(&ghost, &Signal::Acknowledged(Node(1), &done(4)))
            .unwrap();
        once.hear(&ghost, &Signal::Acknowledged(Node(1), &done(5)))
            .unwrap_err();
        assert_eq!(once.checked(), 2);
    }
}
