//! The log's order agrees with real time: an operation that was acknowledged before another one was
//! invoked stands before it in the log, whatever their keys are, and a read sees at least the log up
//! to there.
//!
//! Places are what replies say. A subject that names none is not judged. An operation that is given
//! up is judged when its answer comes late.

use std::collections::BTreeMap;

use crate::check::checker::Checker;
use crate::check::ghost::Ghost;
use crate::check::signal::{Finding, Hears, Signal};
use crate::trace::event::Outcome;

/// A slot and an index in it.
type Place = (u64, u16);

/// A read carries the last slot that it saw with this index; it may share it with others.
const READ: u16 = u16::MAX;

/// The checker.
#[derive(Clone, Debug)]
pub struct LogOrder {
    /// The highest place that was acknowledged.
    highest: Option<Place>,
    /// By process, the highest place that was acknowledged when its operation began.
    open: BTreeMap<u32, Place>,
    checked: u64,
}

impl Checker for LogOrder {
    const NAME: &'static str = "log-order";
    const HEARS: Hears = Hears::CLIENTS;
    const CLIENT_VISIBLE: bool = true;

    fn new(_: u8) -> Self {
        Self {
            highest: None,
            open: BTreeMap::new(),
            checked: 0,
        }
    }

    fn hear(&mut self, _: &Ghost, signal: &Signal<'_>) -> Finding {
        match *signal {
            Signal::Invoked(process, _) => {
                if let Some(highest) = self.highest {
                    self.open.insert(process, highest);
                }
                Ok(())
            }
            Signal::Returned(process, Outcome::Ok { place, .. })
            | Signal::Learned(process, Outcome::Ok { place, .. }) => {
                let before = self.open.remove(&process);
                place.map_or(Ok(()), |here| self.acknowledged(before, here))
            }
            Signal::Returned(process, Outcome::Fail) => {
                self.open.remove(&process);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn checked(&self) -> u64 {
        self.checked
    }
}

impl LogOrder {
    /// An operation took effect here; before it began, that place had been acknowledged.
    fn acknowledged(&mut self, before: Option<Place>, here: Place) -> Finding {
        self.highest = self.highest.max(Some(here));
        let Some(before) = before else { return Ok(()) };
        self.checked += 1;
        let ((slot, index), (earlier, at)) = (here, before);
        if here > before || (here == before && index == READ) {
            Ok(())
        } else if index == READ {
            Err(format!(
                "a read saw the log up to slot {slot}, and began after {} was acknowledged",
                name(before)
            ))
        } else {
            Err(format!(
                "an operation took effect at {slot}.{index}, and began after {} was acknowledged",
                name((earlier, at))
            ))
        }
    }
}

fn name((slot, index): Place) -> String {
    if index == READ {
        format!("a read of slot {slot}")
    } else {
        format!("{slot}.{index}")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::history::operation::{Action, Call, Return};

    /// A process begins, or ends at a place, or is given up, or hears late.
    #[derive(Clone, Copy)]
    enum Step {
        Begins(u32),
        Ends(u32, Place),
        GivenUp(u32),
        Late(u32, Place),
    }
    use Step::{Begins, Ends, GivenUp, Late};

    /// What is found at the last step, and how often it was compared.
    fn after(steps: &[Step]) -> (Finding, u64) {
        let (ghost, mut order) = (Ghost::new(3, false), LogOrder::new(3));
        let call = Call {
            key: Arc::from(*b"k"),
            action: Action::Get,
        };
        let ok = |place| Outcome::Ok {
            result: Return::Done,
            place: Some(place),
        };
        let mut finding = Ok(());
        for step in steps {
            finding.unwrap();
            finding = match *step {
                Begins(process) => order.hear(&ghost, &Signal::Invoked(process, &call)),
                Ends(process, place) => order.hear(&ghost, &Signal::Returned(process, &ok(place))),
                GivenUp(process) => {
                    order.hear(&ghost, &Signal::Returned(process, &Outcome::Unknown))
                }
                Late(process, place) => order.hear(&ghost, &Signal::Learned(process, &ok(place))),
            };
        }
        (finding, order.checked())
    }

    #[test]
    fn the_order_of_time_is_the_order_of_the_log() {
        let steps = [Begins(1), Ends(1, (4, 1)), Begins(2), Ends(2, (4, 2))];
        assert_eq!(after(&steps), (Ok(()), 1));
        let steps = [Begins(1), Ends(1, (4, 1)), Begins(2), Ends(2, (4, READ))];
        assert_eq!(after(&steps), (Ok(()), 1));
        let read = [Begins(1), Ends(1, (4, READ)), Begins(2), Ends(2, (4, READ))];
        assert_eq!(after(&read), (Ok(()), 1));
    }

    #[test]
    fn operations_that_overlap_have_any_order() {
        let steps = [Begins(1), Begins(2), Ends(1, (4, 1)), Ends(2, (3, 0))];
        assert_eq!(after(&steps), (Ok(()), 0));
    }

    #[test]
    fn an_earlier_place_is_found() {
        let error = |steps: &[Step]| after(steps).0.unwrap_err();
        assert_eq!(
            error(&[Begins(1), Ends(1, (4, 1)), Begins(2), Ends(2, (4, 1))]),
            "an operation took effect at 4.1, and began after 4.1 was acknowledged"
        );
        assert_eq!(
            error(&[Begins(1), Ends(1, (4, READ)), Begins(2), Ends(2, (4, 1))]),
            "an operation took effect at 4.1, and began after a read of slot 4 was acknowledged"
        );
        assert_eq!(
            error(&[Begins(1), Ends(1, (4, 1)), Begins(2), Ends(2, (3, READ))]),
            "a read saw the log up to slot 3, and began after 4.1 was acknowledged"
        );
    }

    #[test]
    fn a_late_answer_counts_from_its_beginning_and_when_it_comes() {
        let given_up = [Begins(1), Ends(1, (4, 1)), Begins(2), GivenUp(2)];
        let then = |steps: &[Step]| after(&[&given_up[..], steps].concat()).0;
        then(&[Late(2, (5, 0))]).unwrap();
        then(&[Late(2, (4, 0))]).unwrap_err();
        then(&[Begins(3), Late(2, (9, 0)), Ends(3, (5, 0))]).unwrap();
        then(&[Late(2, (9, 0)), Begins(3), Ends(3, (5, 0))]).unwrap_err();
    }
}
