//! Every algorithm, alone and in the chain, against brute force over small histories.
//!
//! Half of the histories are made by running operations one by one and reporting what they returned, some of it wrongly; so about half of all are
//! linearizable, and many of the others are not by a hair.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::check::linearizability::chain::{Answer, Method, judge};
use crate::check::linearizability::machine::Interned;
use crate::check::linearizability::partition::{OPEN, Partition, Renumber, Timed};
use crate::check::linearizability::register::RegisterMachine;
use crate::check::linearizability::search::{Budget, Ending, Remember, search};
use crate::check::linearizability::witness::{Refuted, log_order, replay};
use crate::check::linearizability::zones::{Zones, zones};
use crate::history::recorded::{NEVER, Place, What};
use crate::history::spec::{Effect, Spec};
use crate::history::values::{ABSENT, Val, Values};

/// What proptest draws for an operation.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    call: u8,
    length: u8,
    kind: u8,
    value: u8,
    other: u8,
    point: u8,
    unknown: bool,
    wrong: bool,
}

fn drawn(most: usize) -> impl Strategy<Value = Vec<Drawn>> {
    let one = (0..14u8, 0..6u8, 0..16u8, any::<u8>(), any::<u8>(), any::<u8>(), prop::bool::weighted(0.2), prop::bool::weighted(0.12));
    let one =
        one.prop_map(|(call, length, kind, value, other, point, unknown, wrong)| Drawn { call, length, kind, value, other, point, unknown, wrong });
    prop::collection::vec(one, 3..=most)
}

/// What kind of histories are made of the draws.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
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
struct Small {
    operations: Vec<Timed>,
    values: Values,
}

fn small(drawn: &[Drawn], shape: Shape, honest: bool) -> Small {
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
                let expected = if unique { written[usize::from(draw.other) % written.len()] } else { Val(u32::from(draw.other) % 4) };
                if expected == new {
                    continue;
                }
                What::Cas { expected, new }
            }
            12 if shape != Shape::UniqueAppends => What::Differs(if unique { ABSENT } else { Val(u32::from(draw.value) % 4) }),
            13..16 if appends => What::Append(if unique { new(&mut values, 1) } else { Val(1 + u32::from(draw.value) % 3) }),
            _ => What::Read(ABSENT),
        };
        let ret = u64::from(draw.call + draw.length);
        points.push((u64::from(draw.call) + u64::from(draw.point) % (u64::from(draw.length) + 1), operations.len()));
        operations.push((Timed { call: u64::from(draw.call), ret, what, id }, *draw));
    }
    points.sort_unstable();
    let mut state = ABSENT;
    let mut gone = vec![false; operations.len()];
    for (_, at) in points {
        let (operation, draw) = &mut operations[at];
        let choices = if unique { written.len() } else { few as usize };
        let any = if unique { written[usize::from(draw.value) % choices] } else { Val(u32::from(draw.value) % few) };
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
    let operations = operations.into_iter().zip(gone).filter(|(_, gone)| !gone).map(|((operation, _), _)| operation).collect();
    Small { operations, values }
}

fn joined(values: &mut Values, head: Val, tail: Val) -> Val {
    let whole = [values.bytes(head), values.bytes(tail)].concat();
    values.text(&whole)
}

/// Tries every order; times are compared as they are.
fn brute_force(operations: &[Timed], values: &mut Values, state: Val, order: &mut Vec<usize>) -> bool {
    let open = |order: &[usize], at: usize| !order.contains(&at);
    if (0..operations.len()).all(|at| !open(order, at) || operations[at].ret == NEVER) {
        return true;
    }
    for at in 0..operations.len() {
        let next = operations[at];
        if !open(order, at) || (0..operations.len()).any(|other| open(order, other) && operations[other].ret < next.call) {
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

/// A partition's operations as if they were an input.
fn retimed(partition: &Partition<'_>) -> Vec<Timed> {
    let global = |value: Val| partition.vals[value.0 as usize];
    let retimed = |step: &crate::check::linearizability::partition::Step| {
        let what = match step.what {
            What::Read(value) => What::Read(global(value)),
            What::Differs(value) => What::Differs(global(value)),
            What::Write(value) => What::Write(global(value)),
            What::Append(value) => What::Append(global(value)),
            What::Cas { expected, new } => What::Cas { expected: global(expected), new: global(new) },
        };
        let ret = if step.ret == OPEN { NEVER } else { step.ret.into() };
        Timed { call: step.call.into(), ret, what, id: step.id }
    };
    partition.steps.iter().map(retimed).collect()
}

fn is_linearizable(partition: &Partition<'_>) -> bool {
    brute_force(&retimed(partition), &mut partition.values.clone(), ABSENT, &mut Vec::new())
}

/// The register as a specification of a user's own, which promises nothing or what it can.
struct Plain {
    promises: bool,
}

#[derive(PartialEq, Debug)]
struct Bytes {
    what: What,
    /// The one or two values of `what`.
    values: [Option<Vec<u8>>; 2],
}

impl Spec for Plain {
    type Operation = Bytes;
    type State = Option<Vec<u8>>;

    fn initial(&self) -> Self::State {
        None
    }

    fn step(&self, state: &Self::State, operation: &Bytes) -> Option<Self::State> {
        let [one, two] = &operation.values;
        match operation.what {
            What::Read(_) => (one == state).then(|| state.clone()),
            What::Differs(_) => (one != state).then(|| state.clone()),
            What::Write(_) => Some(one.clone()),
            What::Append(_) => Some(Some([state.as_deref().unwrap_or(b""), one.as_deref().unwrap_or(b"")].concat())),
            What::Cas { .. } => (one == state).then(|| two.clone()),
        }
    }

    fn effect(&self, operation: &Bytes) -> Effect {
        match operation.what {
            _ if !self.promises => Effect::Partial,
            What::Read(_) | What::Differs(_) => Effect::Read,
            What::Write(_) => Effect::Blind,
            What::Append(_) => Effect::Total,
            What::Cas { .. } => Effect::Partial,
        }
    }
}

fn plain(partition: &Partition<'_>) -> Vec<Bytes> {
    let bytes = |value: Val| (value != ABSENT).then(|| partition.bytes(value).to_vec());
    let plain = |what: What| match what {
        What::Read(value) | What::Differs(value) | What::Write(value) | What::Append(value) => [bytes(value), None],
        What::Cas { expected, new } => [bytes(expected), bytes(new)],
    };
    partition.steps.iter().map(|step| Bytes { what: step.what, values: plain(step.what) }).collect()
}

#[derive(Default, Debug)]
struct Seen {
    linearizable: u32,
    not: u32,
    zones: [u32; 3],
    witness: u32,
}

fn one(drawn: &[Drawn], shape: Shape, honest: bool, seen: &mut Seen) -> Result<(), TestCaseError> {
    let Small { operations, values } = small(drawn, shape, honest);
    let mut found = Vec::new();
    let truth = brute_force(&operations, &mut values.clone(), ABSENT, &mut found);
    *(if truth { &mut seen.linearizable } else { &mut seen.not }) += 1;
    let partition = Partition::new(operations.iter().copied(), ABSENT, &values, &mut Renumber::default());
    let Partition { steps, events, .. } = &partition;
    let mut machine = RegisterMachine::new(&partition);

    // The search with the register that knows the future, and what it says beside its verdict.
    match search(&mut machine, steps, events, Remember::Order, Budget::default()) {
        Ending::Linearizable { order } => {
            prop_assert!(truth, "the search finds an order where there is none");
            prop_assert_eq!(replay(&mut machine, steps, &order), Ok(()));
        }
        Ending::Stuck { operation, place, order } => {
            prop_assert!(!truth, "the search finds no order");
            prop_assert_eq!(steps[operation as usize].ret, place);
            prop_assert!(is_linearizable(&partition.prefix(place as usize)), "there is a shorter prefix that is not linearizable");
            prop_assert!(!is_linearizable(&partition.prefix(place as usize + 1)), "the prefix is linearizable");
            let partial = replay(&mut machine, steps, &order);
            prop_assert!(matches!(partial, Err(Refuted::Missing { .. })), "{:?} is no linearization of a part: {:?}", order, partial);
        }
        Ending::Exhausted(reason) => prop_assert!(false, "exhausted {:?}", reason),
    }

    // The search with a specification that promises nothing, and with one that does.
    for promises in [false, true] {
        let (spec, plain) = (Plain { promises }, plain(&partition));
        let mut machine = Interned::new(&spec, plain.iter().collect());
        let found = search(&mut machine, steps, events, Remember::Verdict, Budget::default());
        prop_assert_eq!(matches!(found, Ending::Linearizable { .. }), truth, "{:?} with promises {}", found, promises);
    }

    // Zones, which may say nothing.
    let by_zones = zones(&partition);
    match &by_zones {
        Zones::Order(order) => {
            prop_assert!(truth, "zones find an order where there is none");
            prop_assert_eq!(replay(&mut machine, steps, order), Ok(()));
            seen.zones[0] += 1;
        }
        Zones::Contradiction(contradiction) => {
            prop_assert!(!truth, "zones see {:?} where there is none", contradiction);
            seen.zones[1] += 1;
        }
        Zones::Inapplicable => seen.zones[2] += 1,
    }

    // The witness takes the order of brute force, and no other.
    let place_of = |id: u32| found.iter().position(|at| operations[*at].id == id).map(|at| Place::new(at as u64 / 2, (at % 2) as u16));
    if truth {
        prop_assert_eq!(log_order(steps, &place_of).and_then(|order| replay(&mut machine, steps, &order)), Ok(()));
    }
    let drawn_place = |id: u32| Some(Place::new(drawn[id as usize].point.into(), 0));
    if let Ok(order) = log_order(steps, &drawn_place)
        && replay(&mut machine, steps, &order).is_ok()
    {
        prop_assert!(truth, "a witness where there is none");
        seen.witness += 1;
    }

    // The chain, with the right places, wrong ones, and none.
    let judged = judge(&partition, Some(&place_of), Budget::default());
    prop_assert_eq!((judged.answer == Answer::Linearizable, judged.method == Method::Witness), (truth, truth));
    for places in [None, Some(&drawn_place as &dyn Fn(u32) -> Option<Place>)] {
        prop_assert_eq!(judge(&partition, places, Budget::default()).answer == Answer::Linearizable, truth);
    }
    Ok(())
}

fn against_brute_force(shape: Shape, cases: u32, most: usize) -> Seen {
    let seen = RefCell::new(Seen::default());
    for honest in [true, false] {
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(cases / 2) });
        let tried = runner.run(&drawn(most), |drawn| one(&drawn, shape, honest, &mut seen.borrow_mut()));
        if let Err(error) = tried {
            panic!("{shape:?}: {error}");
        }
    }
    let seen = seen.into_inner();
    assert!(seen.linearizable > cases / 8 && seen.not > cases / 8, "the histories are one-sided: {seen:?}");
    eprintln!("{shape:?} {seen:?}");
    seen
}

#[test]
fn registers() {
    against_brute_force(Shape::Register, 80_000, 8);
}

#[test]
fn appended_registers() {
    against_brute_force(Shape::Appends, 60_000, 8);
}

#[test]
fn unique_values() {
    let seen = against_brute_force(Shape::Unique, 60_000, 8);
    assert!(seen.zones[0] > 5_000 && seen.zones[1] > 5_000 && seen.zones[2] < 6_000, "{seen:?}");
}

#[test]
fn unique_appends() {
    let seen = against_brute_force(Shape::UniqueAppends, 60_000, 8);
    assert!(seen.zones[0] > 5_000 && seen.zones[1] > 5_000 && seen.zones[2] < 6_000, "{seen:?}");
}
