//! Every algorithm against brute force.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::check::linearizability::partition::{Partition, Renumber, Timed};
use crate::check::linearizability::register::RegisterMachine;
use crate::check::linearizability::search::{Budget, Ending, Remember, search};
use crate::check::linearizability::witness::replay;
use crate::history::recorded::{NEVER, What};
use crate::history::values::{ABSENT, Val, Values};

/// Small histories: up to eight operations over three values, with ties in time and unknown outcomes.
fn operations(appends: bool) -> impl Strategy<Value = Vec<(u8, u8, u8, u8, bool)>> {
    let kinds = if appends { 8u8 } else { 6 };
    prop::collection::vec((0..12u8, 0..5u8, 0..kinds, 0..16u8, prop::bool::weighted(0.15)), 1..=8)
}

/// The values: absent, `a`, `b`, `ab`, `ba`... so that appends meet values that are read.
fn values() -> Values {
    let mut values = Values::default();
    for text in ["a", "b", "ab", "aa", "ba", "aba", ""] {
        values.text(text.as_bytes());
    }
    values
}

fn timed(drawn: &[(u8, u8, u8, u8, bool)], appends: bool) -> Vec<Timed> {
    let range = if appends { 8 } else { 4 };
    let value = |n: u8| Val(u32::from(n) % range);
    drawn
        .iter()
        .zip(0u32..)
        .filter_map(|(&(call, length, kind, two, unknown), id)| {
            let what = match kind {
                0 | 1 => What::Read(value(two)),
                2 => What::Write(value(two)),
                3 | 5 if two % 4 == two / 4 => return None,
                3 | 5 => What::Cas { expected: value(two % 4), new: value(two / 4) },
                4 => What::Differs(value(two)),
                _ => What::Append(Val(1 + u32::from(two) % 3)),
            };
            let unknown = unknown && !matches!(what, What::Read(_) | What::Differs(_));
            Some(Timed { call: u64::from(call), ret: if unknown { NEVER } else { u64::from(call + length) }, what, id })
        })
        .collect()
}

/// Tries every order.
fn brute_force(operations: &[Timed], values: &mut Values, state: Val, taken: u32) -> bool {
    let open = |at: usize| taken >> at & 1 == 0;
    if (0..operations.len()).all(|at| !open(at) || operations[at].ret == NEVER) {
        return true;
    }
    for at in 0..operations.len() {
        let next = operations[at];
        if !open(at) || (0..operations.len()).any(|other| open(other) && operations[other].ret < next.call) {
            continue;
        }
        let after = match next.what {
            What::Read(value) if value == state => state,
            What::Differs(value) if value != state => state,
            What::Write(value) => value,
            What::Append(tail) => {
                let whole = [values.bytes(state), values.bytes(tail)].concat();
                values.text(&whole)
            }
            What::Cas { expected, new } if expected == state => new,
            _ => continue,
        };
        if brute_force(operations, values, after, taken | 1 << at) {
            return true;
        }
    }
    false
}

fn against_brute_force(appends: bool, cases: u32) {
    let seen = std::cell::RefCell::new([0u32; 2]);
    let values = values();
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(cases) });
    runner
        .run(&operations(appends), |drawn| {
            let operations = timed(&drawn, appends);
            let truth = brute_force(&operations, &mut values.clone(), ABSENT, 0);
            let partition = Partition::new(operations.iter().copied(), ABSENT, &values, &mut Renumber::default());
            let mut machine = RegisterMachine::new(&partition);
            let found = search(&mut machine, &partition.steps, &partition.events, Remember::Order, Budget::default());
            match &found {
                Ending::Linearizable { order } => prop_assert_eq!(replay(&mut machine, &partition.steps, order), Ok(())),
                Ending::Stuck { order, place, .. } => {
                    let before = partition.prefix(*place as usize);
                    let _ = (order, before);
                }
                Ending::Exhausted(_) => {}
            }
            prop_assert_eq!(matches!(found, Ending::Linearizable { .. }), truth, "{:?}", found);
            seen.borrow_mut()[usize::from(truth)] += 1;
            Ok(())
        })
        .expect("every verdict is that of brute force");
    eprintln!("{seen:?}");
}

#[test]
fn registers() {
    against_brute_force(false, 100_000);
}

#[test]
fn appended_registers() {
    against_brute_force(true, 100_000);
}
