//! What a session promises: the result of a request, once given, never changes; each replica
//! executes in the order of the log; and a client that waits for an answer before it asks again
//! finds its operations ordered as it made them.

use std::collections::BTreeMap;

use crate::check::checker::Checker;
use crate::check::chunked::BySession;
use crate::check::ghost::Ghost;
use crate::check::signal::{Finding, Hears, Signal, of_node};
use crate::subject::process::Acknowledged;
use crate::trace::event::{Fact, Outcome};

/// The checker.
#[derive(Clone, Debug)]
pub struct SessionOrder {
    /// Hashes of results, 0 for none.
    results: BySession<u64>,
    /// The last place that each replica executed in its present boot.
    executed: Vec<Option<(u64, u16)>>,
    /// The place of each process's last operation.
    processes: BTreeMap<u32, (u64, u16)>,
    checked: u64,
}

/// A read carries the last slot that it saw with this index; it may share it with others.
const READ: u16 = u16::MAX;

impl Checker for SessionOrder {
    const NAME: &'static str = "session-order";
    const HEARS: Hears = Hears::BOOTS
        .and(Hears::EXECUTED)
        .and(Hears::REPLIES)
        .and(Hears::CLIENTS);

    fn new(replicas: u8) -> Self {
        Self {
            results: BySession::default(),
            executed: vec![None; usize::from(replicas)],
            processes: BTreeMap::new(),
            checked: 0,
        }
    }

    fn hear(&mut self, _: &Ghost, signal: &Signal<'_>) -> Finding {
        match *signal {
            Signal::Boot(node) => *of_node(&mut self.executed, node)? = None,
            Signal::Fact(node, Fact::Executed { slot, index, .. }) => {
                let here = (*slot, *index);
                let before = of_node(&mut self.executed, node)?.replace(here);
                self.checked += 1;
                if let Some(before) = before.filter(|before| *before >= here) {
                    return Err(format!(
                        "{node} executes place {}.{} after {}.{}",
                        here.0, here.1, before.0, before.1
                    ));
                }
            }
            Signal::Acknowledged(
                node,
                Acknowledged::Done {
                    session,
                    sequence,
                    result,
                    ..
                },
            ) => {
                // Beyond the bound it is the check of exactly-once that complains.
                let Some(known) = self.results.entry(*session, *sequence) else {
                    return Ok(());
                };
                let result = (*result).max(1);
                let before = std::mem::replace(known, result);
                if before != 0 {
                    self.checked += 1;
                    if before != result {
                        return Err(format!(
                            "{node} gives request {sequence} of session {session} another result \
                             than was given before"
                        ));
                    }
                }
            }
            Signal::Returned(
                process,
                Outcome::Ok {
                    place: Some(here), ..
                },
            ) => {
                let before = self.processes.insert(process, *here);
                if let Some(before) = before {
                    self.checked += 1;
                    if before > *here || (before == *here && here.1 != READ) {
                        let ((slot, index), (earlier, at)) = (*here, before);
                        return Err(format!(
                            "a client's operation took effect at {slot}.{index}, after its \
                             earlier one at {earlier}.{at}"
                        ));
                    }
                }
            }
            Signal::Returned(process, Outcome::Unknown) => {
                self.processes.remove(&process);
            }
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> u64 {
        self.checked
    }

    fn bytes(&self) -> u64 {
        self.results.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::operation::Return;
    use crate::ids::Node;

    fn after(signals: &[Signal<'_>]) -> Finding {
        let (ghost, mut order) = (Ghost::new(3, false), SessionOrder::new(3));
        let (last, first) = signals.split_last().unwrap();
        for signal in first {
            order.hear(&ghost, signal).unwrap();
        }
        let finding = order.hear(&ghost, last);
        assert!(order.checked() > 0);
        finding
    }

    fn done(sequence: u64, result: u64) -> Acknowledged {
        Acknowledged::Done {
            session: 1,
            sequence,
            slot: 0,
            index: 0,
            result,
        }
    }

    #[test]
    fn a_result_never_changes() {
        let [one, again, other, next] = [done(0, 5), done(0, 5), done(0, 6), done(1, 6)];
        let tell = |node, what| Signal::Acknowledged(Node(node), what);
        after(&[tell(0, &one), tell(1, &next), tell(1, &again)]).unwrap();
        assert_eq!(
            after(&[tell(0, &one), tell(1, &other)]).unwrap_err(),
            "r2 gives request 0 of session 1 another result than was given before"
        );
    }

    #[test]
    fn a_boot_executes_in_the_order_of_the_log() {
        let at = |slot, index| Fact::Executed {
            slot,
            index,
            session: 1,
            sequence: 0,
        };
        let r1 = Node(0);
        after(&[
            Signal::Fact(r1, &at(0, 1)),
            Signal::Fact(r1, &at(1, 0)),
            Signal::Boot(r1),
            Signal::Fact(r1, &at(0, 1)),
        ])
        .unwrap();
        after(&[Signal::Fact(r1, &at(0, 1)), Signal::Fact(r1, &at(0, 1))]).unwrap_err();
        after(&[Signal::Fact(r1, &at(0, 1)), Signal::Fact(r1, &at(0, 0))]).unwrap_err();
    }

    #[test]
    fn a_client_finds_its_operations_in_its_order() {
        let ok = |slot, index| Outcome::Ok {
            result: Return::Done,
            place: Some((slot, index)),
        };
        let [early, read, late] = [ok(3, 1), ok(3, READ), ok(4, 0)];
        after(&[
            Signal::Returned(7, &early),
            Signal::Returned(7, &read),
            Signal::Returned(7, &read),
            Signal::Returned(7, &late),
        ])
        .unwrap();
        after(&[
            Signal::Returned(7, &late),
            Signal::Returned(8, &early),
            Signal::Returned(8, &read),
        ])
        .unwrap();
        after(&[Signal::Returned(7, &early), Signal::Returned(7, &early)]).unwrap_err();
        after(&[Signal::Returned(7, &late), Signal::Returned(7, &read)]).unwrap_err();
        after(&[Signal::Returned(7, &read), Signal::Returned(7, &early)]).unwrap_err();
    }
}
