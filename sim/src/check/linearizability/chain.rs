//! The algorithms one after another: the cheapest that can decide does.

use crate::check::linearizability::budget::{Budget, Exhausted};
use crate::check::linearizability::contradiction::Contradiction;
use crate::check::linearizability::machine::Machine;
use crate::check::linearizability::partition::{Partition, Places};
use crate::check::linearizability::portfolio::{Part, both};
use crate::check::linearizability::register::RegisterMachine;
use crate::check::linearizability::repair::repair;
use crate::check::linearizability::restriction::{certified, refuted};
use crate::check::linearizability::search::Ending;
use crate::check::linearizability::witness::{Refuted, log_order, replay};
use crate::check::linearizability::zones::{Zones, zones};

/// Which algorithm decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// The log's own order.
    Witness = 0,
    /// Zones of unique values.
    Zones = 1,
    /// The breadth-first search.
    Search = 2,
    /// The depth-first search.
    Depth = 3,
    /// The unique values of a set or a queue, or a value that nobody made.
    Unique = 4,
}

impl Method {
    /// Their names, by number.
    pub const NAMES: [&str; 5] = ["witness", "zones", "search", "depth", "unique"];
}

/// What became of a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judged {
    /// The answer.
    pub answer: Answer,
    /// Who gave it.
    pub method: Method,
    /// Why the log's order is no linearization, where there is such an order. That is a finding of
    /// its own.
    pub log: Option<Refuted>,
    /// How many steps the searches took.
    pub steps: u64,
    /// Whether what zones found was found by a search over those values as well.
    pub certified: bool,
}

/// An answer for one partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// There is a linearization.
    Linearizable,
    /// There is none, because of these operations if they are known.
    NotLinearizable(Option<Contradiction>),
    /// The budget did not suffice.
    Unknown(Exhausted),
}

/// Tries the log's order if there is one, then zones, then the search.
pub fn judge(partition: &Partition<'_>, places: Option<Places<'_>>, budget: Budget) -> Judged {
    let mut log = None;
    if let Some(places) = places {
        // Machines are cheap to make and large to keep.
        let mut machine = RegisterMachine::new(partition);
        if let Ok(order) = log_order(&partition.steps, places) {
            let mut replayed = replay(&mut machine, &partition.steps, &order);
            if let Err(Refuted::Reply { .. }) = replayed
                && let Some(repaired) = repair(&mut machine, &partition.steps, &order)
                && replay(&mut machine, &partition.steps, &repaired).is_ok()
            {
                replayed = Ok(());
            }
            match replayed {
                Ok(()) => {
                    return Judged {
                        answer: Answer::Linearizable,
                        method: Method::Witness,
                        log,
                        steps: 0,
                        certified: false,
                    };
                }
                Err(refuted) => log = Some(refuted),
            }
        }
    }
    let by_zones = zones(partition);
    let mut machine = RegisterMachine::new(partition);
    match by_zones {
        Zones::Order(order) => {
            let replayed = replay(&mut machine, &partition.steps, &order);
            debug_assert_eq!(replayed, Ok(()), "zones give an order that is one");
            if replayed.is_ok() {
                return Judged {
                    answer: Answer::Linearizable,
                    method: Method::Zones,
                    log,
                    steps: 0,
                    certified: false,
                };
            }
        }
        Zones::Contradiction(contradiction) => {
            let certified = certified(partition, &contradiction, budget);
            assert_ne!(certified, Some(false), "{contradiction:?} is none");
            return Judged {
                answer: Answer::NotLinearizable(Some(contradiction)),
                method: Method::Zones,
                log,
                steps: 0,
                certified: certified == Some(true),
            };
        }
        Zones::Inapplicable => {
            if let Some(contradiction) = refuted(partition) {
                let certified = certified(partition, &contradiction, budget);
                assert_ne!(certified, Some(false), "{contradiction:?} is none");
                return Judged {
                    answer: Answer::NotLinearizable(Some(contradiction)),
                    method: Method::Zones,
                    log,
                    steps: 0,
                    certified: certified == Some(true),
                };
            }
        }
    }
    Judged {
        log,
        ..searched(&mut machine, partition, budget)
    }
}

/// Lets both searches decide.
pub(super) fn searched<K: Machine>(
    machine: &mut K,
    partition: &Partition<'_>,
    budget: Budget,
) -> Judged {
    let found = both(machine, &partition.steps, &partition.events, budget);
    let answer = match found.ending {
        Ending::Linearizable { order } => {
            if found.part == Part::Depth {
                let replayed = replay(machine, &partition.steps, &order);
                assert_eq!(replayed, Ok(()), "the search gives an order that is one");
            }
            Answer::Linearizable
        }
        Ending::Stuck { .. } => Answer::NotLinearizable(None),
        Ending::Exhausted(reason) => Answer::Unknown(reason),
    };
    Judged {
        answer,
        method: match found.part {
            Part::Breadth => Method::Search,
            Part::Depth => Method::Depth,
        },
        log: None,
        steps: found.steps,
        certified: false,
    }
}
