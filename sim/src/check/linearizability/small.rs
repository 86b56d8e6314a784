//! Small histories for the tests, and brute force over them.
//!
//! They are made by running operations one by one and reporting what they returned, some of it
//! wrongly; so about half of them are linearizable, and many of the others are not by a hair.

use proptest::prelude::*;

use crate::check::linearizability::partition::Timed;
use crate::history::recorded::{NEVER, What};
use crate::history::values::{ABSENT, Val, Values};

/// What proptest draws for an operation.
#[derive(Clone, Copy, Debug)]
pub struct Drawn {
    pub call: u8,
    pub length: u8,
    pub kind: u8,
    pub value: u8,
    pub other: u8,
    pub point: u8,
    pub unknown: bool,
    pub wrong: bool,
}

pub fn drawn(most: usize) -> impl Strategy<Value = Vec<Drawn>> {
    let one = (
        0..14u8,
        0..6u8,
        0..16u8,
        any::<u8>(),
        any::<u8>(),
        any::<u8>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.12),
    );
    let one = one.prop_map(
        |(call, length, kind, value, other, point, unknown, wrong)| Drawn {
            call,
            length,
            kind,
            value,
            other,
            point,
            unknown,
            wrong,
        },
    );
    prop::collection::vec(one, 3..=most)
}

/// What kind of histories are made of the draws.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Few values, written often.
    Register,
    /// Few values, and appends of pieces of each other.
    Appends,
    /// Every value is written once.
    Unique,
    /// Every value and every appended piece is written once.
    UniqueAppends,
}

/// A history and its values.
pub struct Small {
    pub operations: Vec<Timed>,
    pub values: Values,
}

pub fn small(drawn: &[Drawn], shape: Shape, honest: bool) -> Small {
    let mut values = Values::default();
    for text in ["a", "b", "ab", "aa", "ba", "aba", ""] {
        values.text(text.as_bytes());
    }
    let unique = matches!(shape, Shape::Unique | Shape::UniqueAppends);
    let appends = matches!(shape, Shape::Appends | Shape::UniqueAppends);
    let few = if appends { 8 } else { 4 };
    let mut fresh = 0;
    let mut written = vec![ABSENT];
    let mut operations = Vec::new();
    // The last part of each: when it takes effect, if it does.
    let mut points: Vec<(u64, usize)> = Vec::new();
    for (id, draw) in (0u32..).zip(drawn) {
        let mut new = |values: &mut Values, few: u32| {
            if unique {
                fresh += 1;
                let value = values.text(format!("{}.", char::from(b'c' + fresh)).as_bytes());
                written.push(value);
                value
            } else {
                Val(u32::from(draw.value) % few)
            }
        };
        let what = match draw.kind {
            0..6 => What::Read(ABSENT),
            6..9 => What::Write(new(&mut values, few)),
            9..12 => {
                let new = new(&mut values, 4);
                let expected = if unique {
                    written[usize::from(draw.other) % written.len()]
                } else {
                    Val(u32::from(draw.other) % 4)
                };
                if expected == new {
                    continue;
                }
                What::Cas { expected, new }
            }
            12 if shape != Shape::UniqueAppends => What::Differs(if unique {
                ABSENT
            } else {
                Val(u32::from(draw.value) % 4)
            }),
            13..16 if appends => What::Append(if unique {
                new(&mut values, 1)
            } else {
                Val(1 + u32::from(draw.value) % 3)
            }),
            _ => What::Read(ABSENT),
        };
        let ret = u64::from(draw.call + draw.length);
        points.push((
            u64::from(draw.call) + u64::from(draw.point) % (u64::from(draw.length) + 1),
            operations.len(),
        ));
        operations.push((
            Timed {
                call: u64::from(draw.call),
                ret,
                what,
                id,
            },
            *draw,
        ));
    }
    points.sort_unstable();
    let mut state = ABSENT;
    let mut gone = vec![false; operations.len()];
    for (_, at) in points {
        let (operation, draw) = &mut operations[at];
        let choices = if unique { written.len() } else { few as usize };
        let any = if unique {
            written[usize::from(draw.value) % choices]
        } else {
            Val(u32::from(draw.value) % few)
        };
        let wrong = draw.wrong || !honest;
        let unknown = draw.unknown && !matches!(operation.what, What::Read(_) | What::Differs(_));
        if unknown {
            operation.ret = NEVER;
            if draw.other % 2 == 0 {
                continue;
            }
        }
        match &mut operation.what {
            What::Read(value) => *value = if wrong { any } else { state },
            What::Differs(value) => gone[at] = *value == state && !wrong,
            What::Write(value) => state = *value,
            What::Append(tail) => state = joined(&mut values, state, *tail),
            What::Cas { expected, new } if *expected == state => state = *new,
            What::Cas { .. } if unknown || wrong => {}
            // A compare-and-set that fails has seen what was there.
            What::Cas { .. } => operation.what = What::Read(state),
        }
    }
    let operations = operations
        .into_iter()
        .zip(gone)
        .filter(|(_, gone)| !gone)
        .map(|((operation, _), _)| operation)
        .collect();
    Small { operations, values }
}

pub fn joined(values: &mut Values, head: Val, tail: Val) -> Val {
    let whole = [values.bytes(head), values.bytes(tail)].concat();
    values.text(&whole)
}

/// Tries every order; times are compared as they are.
pub fn brute_force(
    operations: &[Timed],
    values: &mut Values,
    state: Val,
    order: &mut Vec<usize>,
) -> bool {
    let open = |order: &[usize], at: usize| !order.contains(&at);
    if (0..operations.len()).all(|at| !open(order, at) || operations[at].ret == NEVER) {
        return true;
    }
    for at in 0..operations.len() {
        let next = operations[at];
        if !open(order, at)
            || (0..operations.len())
                .any(|other| open(order, other) && operations[other].ret < next.call)
        {
            continue;
        }
        let after = match next.what {
            What::Read(value) if value == state => state,
            What::Differs(value) if value != state => state,
            What::Write(value) => value,
            What::Append(tail) => joined(values, state, tail),
            What::Cas { expected, new } if expected == state => new,
            _ => continue,
        };
        order.push(at);
        if brute_force(operations, values, after, order) {
            return true;
        }
        order.pop();
    }
    false
}
