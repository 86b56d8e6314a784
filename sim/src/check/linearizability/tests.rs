//! Every algorithm, alone and in the chain, against brute force over small histories.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::check::linearizability::budget::Budget;
use crate::check::linearizability::chain::{Answer, Method, judge};
use crate::check::linearizability::check::Verdict;
use crate::check::linearizability::depth::depth_first;
use crate::check::linearizability::exact::ExactMachine;
use crate::check::linearizability::machine::Interned;
use crate::check::linearizability::online::{Online, tests::replayed};
use crate::check::linearizability::partition::{OPEN, Partition, Renumber, Timed};
use crate::check::linearizability::plain::plain;
use crate::check::linearizability::portfolio::both;
use crate::check::linearizability::register::RegisterMachine;
use crate::check::linearizability::restriction::{certified, refuted};
use crate::check::linearizability::search::{Ending, Remember, search};
use crate::check::linearizability::small::{Drawn, Shape, Small, brute_force, drawn, small};
use crate::check::linearizability::witness::{Refuted, log_order, replay};
use crate::check::linearizability::zones::{Zones, zones};
use crate::history::recorded::{Asked, History, NEVER, Outcome, Place, Recorded, What};
use crate::history::spec::{Effect, Spec};
use crate::history::values::{ABSENT, Val, Values};

/// A partition's operations as if they were an input.
fn retimed(partition: &Partition<'_>) -> Vec<Timed> {
    let global = |value: Val| partition.vals[value.0 as usize];
    let retimed = |step: &crate::check::linearizability::partition::Step| {
        let what = match step.what {
            What::Read(value) => What::Read(global(value)),
            What::Differs(value) => What::Differs(global(value)),
            What::Write(value) => What::Write(global(value)),
            What::Append(value) => What::Append(global(value)),
            What::Cas { expected, new } => What::Cas {
                expected: global(expected),
                new: global(new),
            },
        };
        let ret = if step.ret == OPEN {
            NEVER
        } else {
            step.ret.into()
        };
        Timed {
            call: step.call.into(),
            ret,
            what,
            id: step.id,
        }
    };
    partition.steps.iter().map(retimed).collect()
}

fn is_linearizable(partition: &Partition<'_>) -> bool {
    brute_force(
        &retimed(partition),
        &mut partition.values.clone(),
        ABSENT,
        &mut Vec::new(),
    )
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
            What::Append(_) => Some(Some(
                [
                    state.as_deref().unwrap_or(b""),
                    one.as_deref().unwrap_or(b""),
                ]
                .concat(),
            )),
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

fn in_bytes(partition: &Partition<'_>) -> Vec<Bytes> {
    let bytes = |value: Val| (value != ABSENT).then(|| partition.bytes(value).to_vec());
    let plain = |what: What| match what {
        What::Read(value) | What::Differs(value) | What::Write(value) | What::Append(value) => {
            [bytes(value), None]
        }
        What::Cas { expected, new } => [bytes(expected), bytes(new)],
    };
    partition
        .steps
        .iter()
        .map(|step| Bytes {
            what: step.what,
            values: plain(step.what),
        })
        .collect()
}

/// The same as a recorded history, if it can be told to a simulator's.
fn recorded(operations: &[Timed], values: &Values) -> Option<History> {
    let mut history = History {
        values: values.clone(),
        ..History::default()
    };
    history.keys.push(history.values.text(b"key"));
    for (process, operation) in (0u32..).zip(operations) {
        let asked = match operation.what {
            What::Read(_) => Asked::Read,
            What::Differs(_) => return None,
            What::Write(ABSENT) => Asked::Delete,
            What::Write(value) => Asked::Write(value),
            What::Append(value) => Asked::Append(value),
            What::Cas { new: ABSENT, .. } => return None,
            What::Cas { expected, new } => Asked::Cas { expected, new },
        };
        let outcome = match operation.what {
            _ if operation.ret == NEVER => Outcome::Unknown,
            What::Read(value) => Outcome::Ok(value),
            _ => Outcome::Ok(ABSENT),
        };
        history.processes.push(process.into());
        let Timed { call, ret, .. } = *operation;
        history.operations.push(Recorded {
            call,
            ret,
            place: None,
            asked,
            outcome,
            process,
            key: 0,
            lines: [0; 2],
        });
    }
    Some(history)
}

#[derive(Default, Debug)]
struct Seen {
    linearizable: u32,
    not: u32,
    zones: [u32; 3],
    witness: u32,
    certified: u32,
    refuted: u32,
}

fn one(drawn: &[Drawn], shape: Shape, honest: bool, seen: &mut Seen) -> Result<(), TestCaseError> {
    let Small { operations, values } = small(drawn, shape, honest);
    let mut found = Vec::new();
    let truth = brute_force(&operations, &mut values.clone(), ABSENT, &mut found);
    *(if truth {
        &mut seen.linearizable
    } else {
        &mut seen.not
    }) += 1;
    let partition = Partition::new(
        operations.iter().copied(),
        ABSENT,
        &values,
        &mut Renumber::default(),
    );
    let Partition { steps, events, .. } = &partition;
    let mut machine = RegisterMachine::new(&partition);

    // Each search with the register that knows the future, and what it says beside its verdict.
    let budget = Budget::default();
    let endings = [
        search(&mut machine, steps, events, Remember::Order, budget),
        depth_first(&mut machine, steps, events, budget),
    ];
    for ending in endings {
        match ending {
            Ending::Linearizable { order } => {
                prop_assert!(truth, "a search finds an order where there is none");
                prop_assert_eq!(replay(&mut machine, steps, &order), Ok(()));
            }
            Ending::Stuck {
                operation,
                place,
                order,
            } => {
                prop_assert!(!truth, "a search finds no order");
                prop_assert_eq!(steps[operation as usize].ret, place);
                prop_assert!(
                    is_linearizable(&partition.prefix(place as usize)),
                    "there is a shorter prefix that is not linearizable"
                );
                prop_assert!(
                    !is_linearizable(&partition.prefix(place as usize + 1)),
                    "the prefix is linearizable"
                );
                let partial = replay(&mut machine, steps, &order);
                prop_assert!(
                    matches!(partial, Err(Refuted::Missing { .. })),
                    "{:?} is no linearization of a part: {:?}",
                    order,
                    partial
                );
            }
            Ending::Exhausted(reason) => prop_assert!(false, "exhausted {:?}", reason),
        }
    }
    prop_assert_eq!(
        plain(&mut ExactMachine::new(&partition), steps, budget),
        Ok(truth)
    );

    // The search with a specification that promises nothing, and with one that does.
    for promises in [false, true] {
        let (spec, operations) = (Plain { promises }, in_bytes(&partition));
        let mut machine = Interned::new(&spec, operations.iter().collect());
        for found in [
            search(&mut machine, steps, events, Remember::Verdict, budget),
            depth_first(&mut machine, steps, events, budget),
        ] {
            prop_assert_eq!(
                matches!(found, Ending::Linearizable { .. }),
                truth,
                "{:?} with promises {}",
                found,
                promises
            );
        }
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
            let certified = certified(&partition, contradiction, budget);
            prop_assert_ne!(certified, Some(false), "{:?} is none", contradiction);
            seen.certified += u32::from(certified == Some(true));
            seen.zones[1] += 1;
        }
        Zones::Inapplicable => seen.zones[2] += 1,
    }

    // Zones over the values that are written once, whatever the others are.
    if let Some(contradiction) = refuted(&partition) {
        prop_assert!(
            !truth,
            "a part sees {:?} where there is none",
            contradiction
        );
        prop_assert_ne!(certified(&partition, &contradiction, budget), Some(false));
        seen.refuted += 1;
    }

    // The witness takes the order of brute force, and no other.
    let place_of = |id: u32| {
        found
            .iter()
            .position(|at| operations[*at].id == id)
            .map(|at| Place::new(at as u64 / 2, (at % 2) as u16))
    };
    if truth {
        prop_assert_eq!(
            log_order(steps, &place_of).and_then(|order| replay(&mut machine, steps, &order)),
            Ok(())
        );
    }
    let drawn_place = |id: u32| Some(Place::new(drawn[id as usize].point.into(), 0));
    if let Ok(order) = log_order(steps, &drawn_place)
        && replay(&mut machine, steps, &order).is_ok()
    {
        prop_assert!(truth, "a witness where there is none");
        seen.witness += 1;
    }

    // As it happens.
    if let Some(history) = recorded(&operations, &values) {
        let report = replayed(&history, Online::new()).verdict(Budget::default());
        prop_assert_eq!(
            report.verdict == Verdict::Linearizable,
            truth,
            "{:?} as it happens",
            report
        );
    }

    // The chain, with the right places, wrong ones, and none.
    let judged = judge(&partition, Some(&place_of), Budget::default());
    prop_assert_eq!(
        (
            judged.answer == Answer::Linearizable,
            judged.method == Method::Witness
        ),
        (truth, truth)
    );
    for places in [None, Some(&drawn_place as &dyn Fn(u32) -> Option<Place>)] {
        prop_assert_eq!(
            judge(&partition, places, Budget::default()).answer == Answer::Linearizable,
            truth
        );
    }
    from_elsewhere(
        &operations,
        &values,
        if drawn.len().is_multiple_of(2) {
            "a"
        } else {
            ""
        },
    )
}

/// The same operations on a register that is not absent at the start.
fn from_elsewhere(
    operations: &[Timed],
    values: &Values,
    initial: &str,
) -> Result<(), TestCaseError> {
    // All small histories have it.
    let initial = values.clone().text(initial.as_bytes());
    let truth = brute_force(operations, &mut values.clone(), initial, &mut Vec::new());
    let partition = Partition::new(
        operations.iter().copied(),
        initial,
        values,
        &mut Renumber::default(),
    );
    let Partition { steps, events, .. } = &partition;
    let found = search(
        &mut RegisterMachine::new(&partition),
        steps,
        events,
        Remember::Verdict,
        Budget::default(),
    );
    prop_assert_eq!(
        matches!(found, Ending::Linearizable { .. }),
        truth,
        "{:?} from elsewhere",
        found
    );
    match zones(&partition) {
        Zones::Order(order) => {
            prop_assert!(truth, "zones find an order where there is none");
            prop_assert_eq!(
                replay(&mut RegisterMachine::new(&partition), steps, &order),
                Ok(())
            );
        }
        Zones::Contradiction(contradiction) => {
            prop_assert!(!truth, "zones see {:?} where there is none", contradiction);
            let certified = certified(&partition, &contradiction, Budget::default());
            prop_assert_ne!(certified, Some(false), "{:?} is none", contradiction);
        }
        Zones::Inapplicable => {}
    }
    prop_assert!(!truth || refuted(&partition).is_none(), "from elsewhere");
    Ok(())
}

#[test]
fn a_read_follows_the_command_at_its_place() {
    use crate::check::linearizability::check::check;
    use crate::history::input::{Format, Model, read};
    let text = include_str!(
        "../../../tests/histories/linearizable/reads-follow-their-place.register.jsonl"
    );
    let history = read(text.as_bytes(), Format::Synod, Model::Register).expect("a history");
    let report = check(&history, Budget::default());
    assert_eq!(
        (report.verdict, report.methods[0], report.log),
        (Verdict::Linearizable, 1, None)
    );
}

fn against_brute_force(shape: Shape, cases: u32, most: usize) -> Seen {
    let seen = RefCell::new(Seen::default());
    for honest in [true, false] {
        let mut runner = TestRunner::new(Config {
            failure_persistence: None,
            ..Config::with_cases(cases / 2)
        });
        let tried = runner.run(&drawn(most), |drawn| {
            one(&drawn, shape, honest, &mut seen.borrow_mut())
        });
        if let Err(error) = tried {
            panic!("{shape:?}: {error}");
        }
    }
    let seen = seen.into_inner();
    assert!(
        seen.linearizable > cases / 8 && seen.not > cases / 8,
        "the histories are one-sided: {seen:?}"
    );
    eprintln!("{shape:?} {seen:?}");
    seen
}

#[test]
fn registers() {
    let seen = against_brute_force(Shape::Register, 80_000, 8);
    assert!(seen.refuted > 1_000, "{seen:?}");
}

#[test]
fn appended_registers() {
    against_brute_force(Shape::Appends, 60_000, 8);
}

#[test]
fn unique_values() {
    let seen = against_brute_force(Shape::Unique, 60_000, 8);
    assert!(seen.certified > 5_000, "{seen:?}");
    assert!(
        seen.zones[0] > 5_000 && seen.zones[1] > 5_000 && seen.zones[2] < 6_000,
        "{seen:?}"
    );
}

#[test]
fn unique_appends() {
    let seen = against_brute_force(Shape::UniqueAppends, 60_000, 8);
    assert!(
        seen.zones[0] > 5_000 && seen.zones[1] > 5_000 && seen.zones[2] < 6_000,
        "{seen:?}"
    );
}

/// Too large for brute force, but two machines and zones must agree; and a wrong read among many is
/// found or harmless for all of them alike.
#[test]
fn machines_and_zones_agree_on_larger_histories() {
    use crate::check::linearizability::check::ByKey;
    use crate::check::linearizability::generate::{Shape, generate};
    let mut seen = [0; 2];
    for seed in 0..600u64 {
        let (values, appends) =
            [(None, 0), (None, 15), (Some(3), 0), (Some(4), 15)][(seed % 4) as usize];
        let unknown = if seed % 3 == 0 { 6 } else { 0 };
        let clients = 3 + u32::try_from(seed % 7).expect("small");
        let mut history = generate(Shape {
            values,
            appends,
            unknown,
            swaps: 20,
            writes: 30,
            seed,
            ..Shape::new(150, clients)
        });
        if seed % 5 > 1 {
            let reads: Vec<usize> = (0..150)
                .filter(|at| {
                    matches!(
                        history.operations[*at].outcome,
                        Outcome::Ok(value) if value != ABSENT,
                    )
                })
                .collect();
            let (one, other) = (reads[reads.len() * 2 / 3], reads[reads.len() * 3 / 4]);
            history.operations[other].outcome = history.operations[one].outcome;
        }
        let partition = ByKey::new(&history).partition(&history, 0, &mut Renumber::default());
        let Partition { steps, events, .. } = &partition;
        let knowing = search(
            &mut RegisterMachine::new(&partition),
            steps,
            events,
            Remember::Verdict,
            Budget::default(),
        );
        let exact = search(
            &mut ExactMachine::new(&partition),
            steps,
            events,
            Remember::Verdict,
            Budget::default(),
        );
        assert_eq!(knowing, exact, "seed {seed}");
        let deep = depth_first(
            &mut RegisterMachine::new(&partition),
            steps,
            events,
            Budget::default(),
        );
        let shared = both(
            &mut RegisterMachine::new(&partition),
            steps,
            events,
            Budget::default(),
        );
        for ending in [&deep, &shared.ending] {
            match (ending, &knowing) {
                (
                    Ending::Stuck {
                        operation, place, ..
                    },
                    Ending::Stuck {
                        operation: same,
                        place: there,
                        ..
                    },
                ) => assert_eq!((operation, place), (same, there), "seed {seed}"),
                (Ending::Linearizable { .. }, Ending::Linearizable { .. }) => {}
                _ => panic!("seed {seed}: {ending:?} and {knowing:?}"),
            }
        }
        if let Ending::Linearizable { order } = &deep {
            let replayed = replay(&mut RegisterMachine::new(&partition), steps, order);
            assert_eq!(replayed, Ok(()), "seed {seed}");
        }
        let linearizable = matches!(knowing, Ending::Linearizable { .. });
        match zones(&partition) {
            Zones::Order(_) => assert!(linearizable, "seed {seed}"),
            Zones::Contradiction(contradiction) => {
                assert!(!linearizable, "seed {seed}: {contradiction:?}")
            }
            Zones::Inapplicable => assert!(values.is_some(), "seed {seed}"),
        }
        seen[usize::from(linearizable)] += 1;
    }
    assert!(seen[0] > 100 && seen[1] > 100, "{seen:?}");
}
