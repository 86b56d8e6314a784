//! Histories in which much is pending, with verdicts that are known by construction.
//!
//! They are what is hard for one search or the other: many operations of unknown outcome over few
//! values, many swaps at once, many clients. What a generator made by running operations is
//! linearizable; where a write is lost at the end, it is not.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::check::linearizability::generate::{Shape, generate};
use crate::history::recorded::{Asked, History, NEVER, Outcome, Recorded};
use crate::history::values::{ABSENT, Form, Val};

/// A history and what is known of it.
pub struct Known {
    /// What it is called.
    pub name: &'static str,
    /// The history.
    pub history: History,
    /// Its verdict.
    pub linearizable: bool,
}

/// Registers of five values under writes, swaps and reads.
const FIVE: Shape = Shape {
    values: Some(5),
    writes: 33,
    swaps: 33,
    mute: true,
    ..Shape::new(5_000, 5)
};

/// Twenty keys, and nearly a third of all operations unknown.
const ORDINARY: Shape = Shape {
    keys: 20,
    unknown: 1_800,
    ..Shape {
        operations: 6_000,
        clients: 10,
        ..FIVE
    }
};

/// All of them.
#[must_use]
pub fn all() -> Vec<Known> {
    let made = |name, shape| Known {
        name,
        history: generate(shape),
        linearizable: true,
    };
    let lost = |name, shape| {
        let mut history = generate(shape);
        lose_a_write(&mut history);
        Known {
            name,
            history,
            linearizable: false,
        }
    };
    let unknown = |unknown, seed| Shape {
        unknown,
        seed,
        ..FIVE
    };
    vec![
        made("unknown-48", unknown(48, 1)),
        made("unknown-48-again", unknown(48, 2)),
        made("unknown-100", unknown(100, 3)),
        lost("unknown-12-lost", unknown(12, 4)),
        lost("unknown-48-lost", unknown(48, 5)),
        made("ordinary", ORDINARY),
        made(
            "ordinary-again",
            Shape {
                seed: 2,
                ..ORDINARY
            },
        ),
        lost(
            "ordinary-lost",
            Shape {
                seed: 3,
                ..ORDINARY
            },
        ),
        Known {
            name: "trail-80",
            history: trail(10, 80, 1),
            linearizable: true,
        },
        Known {
            name: "trail-80-of-20",
            history: trail(20, 80, 2),
            linearizable: true,
        },
        made(
            "forty-clients",
            Shape {
                clients: 40,
                seed: 6,
                ..FIVE
            },
        ),
        made(
            "forty-clients-unique",
            Shape {
                swaps: 0,
                values: None,
                ..Shape::new(5_000, 40)
            },
        ),
        lost(
            "fifteen-clients-lost",
            Shape {
                clients: 15,
                seed: 7,
                ..FIVE
            },
        ),
    ]
}

/// Swaps that are all open at once and lead along a trail through a graph of so many values, no
/// edge of it twice; then a read of where it ends.
fn trail(values: u32, swaps: u32, seed: u64) -> History {
    let mut history = History::default();
    history.keys.push(ABSENT);
    let vals: Vec<Val> = (0..values)
        .map(|value| {
            history
                .values
                .intern(Form::Other, value.to_string().as_bytes())
        })
        .collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut edges = Vec::new();
    let mut here = vals[0];
    while edges.len() < swaps as usize {
        let open: Vec<Val> = vals
            .iter()
            .copied()
            .filter(|there| *there != here && !edges.contains(&(here, *there)))
            .collect();
        let Some(bound) = u32::try_from(open.len()).ok().filter(|open| *open > 0) else {
            break;
        };
        let there = open[(rng.next_u32() % bound) as usize];
        edges.push((here, there));
        here = there;
    }
    let mut operations: Vec<(Asked, Outcome)> = edges
        .iter()
        .map(|(expected, new)| {
            let (expected, new) = (*expected, *new);
            (Asked::Cas { expected, new }, Outcome::Ok(ABSENT))
        })
        .collect();
    for at in (1..operations.len()).rev() {
        operations.swap(at, rng.next_u32() as usize % (at + 1));
    }
    let (start, behind) = (Asked::Write(vals[0]), 3 + u64::from(swaps) * 2);
    push(&mut history, start, Outcome::Ok(ABSENT), (0, 1));
    for (at, (asked, outcome)) in (2u64..).zip(operations) {
        push(&mut history, asked, outcome, (at, behind - at));
    }
    let end = Outcome::Ok(here);
    push(&mut history, Asked::Read, end, (behind, behind + 1));
    history.values.seal();
    history
}

/// A value that is written once, overwritten with another that is, and read after that.
fn lose_a_write(history: &mut History) {
    let mut now = 1 + history
        .operations
        .iter()
        .map(|operation| {
            if operation.ret == NEVER {
                operation.call
            } else {
                operation.ret
            }
        })
        .max()
        .unwrap_or(0);
    let [lost, kept] = ["lost", "kept"].map(|name| history.values.text(name.as_bytes()));
    for (asked, outcome) in [
        (Asked::Write(lost), Outcome::Ok(ABSENT)),
        (Asked::Write(kept), Outcome::Ok(ABSENT)),
        (Asked::Read, Outcome::Ok(lost)),
    ] {
        push(history, asked, outcome, (now, now + 1));
        now += 2;
    }
}

/// An operation of a process of its own, on the first key.
fn push(history: &mut History, asked: Asked, outcome: Outcome, times: (u64, u64)) {
    let process = u32::try_from(history.processes.len()).expect("processes have 32-bit numbers");
    history.processes.push(i64::from(process));
    history.operations.push(Recorded {
        call: times.0,
        ret: times.1,
        place: None,
        asked,
        outcome,
        process,
        key: 0,
        lines: [0; 2],
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::linearizability::budget::Budget;
    use crate::check::linearizability::check::{Verdict, check};

    #[test]
    fn known_verdicts_come_out_within_a_part_of_the_budget() {
        let budget = Budget {
            steps: 20_000_000,
            ..Budget::default()
        };
        for known in all() {
            let report = check(&known.history, budget);
            let verdict = match report.verdict {
                Verdict::Linearizable => Some(true),
                Verdict::NotLinearizable { .. } => Some(false),
                Verdict::Unknown { .. } => None,
            };
            assert_eq!(
                verdict,
                Some(known.linearizable),
                "{}: {report:?}",
                known.name
            );
        }
    }
}
