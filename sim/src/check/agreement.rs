//! Agreement: no two replicas, and no two boots of one, ever take different values for chosen in a
//! slot. From facts alone.

use crate::check::checker::Checker;
use crate::check::chunked::Chunked;
use crate::check::ghost::Ghost;
use crate::check::signal::{Finding, Hears, Signal};
use crate::ids::Node;
use crate::trace::event::Fact;

/// What was first reported of a slot.
#[derive(Clone, Copy, Default, Debug)]
struct First {
    value: u64,
    by: Option<Node>,
}

/// The checker.
#[derive(Clone, Debug)]
pub struct Agreement {
    slots: Chunked<First>,
    checked: u64,
}

impl Checker for Agreement {
    const NAME: &'static str = "agreement";
    const HEARS: Hears = Hears::CHOSEN.and(Hears::APPLIED);

    fn new(_: u8) -> Self {
        Self {
            slots: Chunked::default(),
            checked: 0,
        }
    }

    fn hear(&mut self, _: &Ghost, signal: &Signal<'_>) -> Finding {
        let Signal::Fact(node, Fact::Chosen { slot, value } | Fact::Applied { slot, value, .. }) =
            *signal
        else {
            return Ok(());
        };
        let Some(first) = self.slots.entry(*slot) else {
            return Err(format!(
                "{node} knows a value of slot {slot}, which nobody can have reached"
            ));
        };
        match first.by {
            None => {
                *first = First {
                    value: *value,
                    by: Some(node),
                }
            }
            Some(by) => {
                self.checked += 1;
                if first.value != *value {
                    return Err(format!("{node} has another value in slot {slot} than {by}"));
                }
            }
        }
        Ok(())
    }

    fn checked(&self) -> u64 {
        self.checked
    }

    fn bytes(&self) -> u64 {
        self.slots.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_replicas_with_one_value_pass_and_with_two_fail() {
        let ghost = Ghost::new(3, false);
        let mut agreement = Agreement::new(3);
        let mut tell = |node, fact| agreement.hear(&ghost, &Signal::Fact(Node(node), &fact));
        tell(0, Fact::Chosen { slot: 3, value: 7 }).unwrap();
        tell(
            1,
            Fact::Applied {
                slot: 3,
                value: 7,
                state: 0,
            },
        )
        .unwrap();
        tell(1, Fact::Chosen { slot: 4, value: 8 }).unwrap();
        assert_eq!(
            tell(
                2,
                Fact::Applied {
                    slot: 4,
                    value: 7,
                    state: 0
                }
            )
            .unwrap_err(),
            "r3 has another value in slot 4 than r2"
        );
        tell(
            2,
            Fact::Chosen {
                slot: u64::MAX,
                value: 8,
            },
        )
        .unwrap_err();
        assert_eq!(agreement.checked(), 2);
    }
}
