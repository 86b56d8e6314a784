//! Commands that are applied once, and replies that are kept.

use super::*;
use crate::key_value::{KeyValue, Operation, Returned};
use crate::probe::Full;

struct Bench {
    executor: Executor<KeyValue>,
    slot: u64,
}

impl Bench {
    fn new(sessions: usize) -> Self {
        Self {
            executor: Executor::new(KeyValue::new(), sessions, 0),
            slot: 0,
        }
    }

    fn run(&mut self, command: Command<'_>) -> Outcome {
        let (slot, mut probe) = (Slot(self.slot), Full::default());
        self.slot += 1;
        self.executor.enter(slot, Mono(0), &mut probe);
        self.executor
            .apply(Place { slot, index: 0 }, command, &mut probe)
            .1
    }

    fn register(&mut self) -> SessionId {
        match self.run(Command::Register { nonce: 1 }) {
            Outcome::Registered(session) => session,
            other => panic!("{other:?}"),
        }
    }

    fn append(
        &mut self,
        session: SessionId,
        sequence: u64,
        answered_below: u64,
        suffix: &[u8],
    ) -> Outcome {
        let (sequence, answered_below) = (Sequence(sequence), Sequence(answered_below));
        let mut operation = Vec::new();
        Operation::Append {
            key: b"line",
            suffix,
        }
        .encode(&mut operation);
        self.run(Command::Apply {
            session,
            sequence,
            answered_below,
            operation: &operation,
        })
    }

    fn line(&self) -> Vec<u8> {
        let (mut operation, mut result) = (Vec::new(), Vec::new());
        Operation::Get { key: b"line" }.encode(&mut operation);
        self.executor.machine.read(&operation, &mut result);
        match Returned::decode(&result) {
            Some(Returned::Value(Some(line))) => line.to_vec(),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_request_is_executed_once_and_answered_as_the_first_time() {
    let mut bench = Bench::new(4);
    let session = bench.register();
    let first = bench.append(session, 0, 0, b"a");
    bench.append(session, 1, 0, b"b");
    assert_eq!(bench.append(session, 0, 0, b"a"), first);
    assert_eq!(bench.line(), b"ab");
    assert_eq!(
        bench.append(session, 3, 2, b"d"),
        bench.append(session, 3, 2, b"d"),
        "out of order is in order"
    );
    assert_eq!(
        bench.append(session, 0, 0, b"a"),
        Outcome::SessionGone,
        "what was acknowledged is forgotten, and never executed again"
    );
}

#[test]
fn the_session_idle_longest_is_evicted() {
    let mut bench = Bench::new(2);
    let (one, two) = (bench.register(), bench.register());
    bench.append(one, 0, 0, b"a");
    let three = bench.register();
    assert_eq!(bench.append(two, 0, 0, b"x"), Outcome::SessionGone);
    assert!(bench.executor.knows(one) && bench.executor.knows(three));
}

#[test]
#[should_panic(expected = "contract AppliedPrefixIsContiguous")]
fn a_hole_breaks_a_contract() {
    Executor::new(KeyValue::new(), 1, 0).enter(Slot(1), Mono(0), &mut Full::default());
}

#[test]
#[should_panic(expected = "contract AppliesTheEnteredSlot")]
fn a_command_of_another_slot_breaks_a_contract() {
    Executor::new(KeyValue::new(), 1, 0).apply(
        Place::default(),
        Command::Register { nonce: 1 },
        &mut Full::default(),
    );
}

#[test]
#[should_panic(expected = "contract ReplyInReplyCacheIsAllowed")]
fn a_reply_of_the_future_breaks_its_contract() {
    let mut bench = Bench::new(4);
    let session = bench.register();
    bench.append(session, 0, 0, b"a");
    bench.executor.applied_below = Slot(1);
    bench
        .executor
        .answered(session, Sequence(0), Slot(0), &mut Full::default());
}

#[test]
#[should_panic(expected = "contract SessionsAreBounded")]
fn one_session_too_many_breaks_a_contract() {
    Bench::new(0).register();
}

#[test]
#[should_panic(expected = "contract SessionIdsAreUnique")]
fn a_session_opened_twice_breaks_a_contract() {
    let mut executor = Executor::new(KeyValue::new(), 4, 0);
    executor.enter(Slot(0), Mono(0), &mut Full::default());
    for _ in 0..2 {
        executor.apply(
            Place::default(),
            Command::Register { nonce: 1 },
            &mut Full::default(),
        );
    }
}

#[test]
#[should_panic(expected = "contract ExecutedOnce")]
fn a_request_executed_twice_breaks_a_contract() {
    let mut bench = Bench::new(4);
    let session = bench.register();
    let mut probe = Full::new(Some(Bug::DedupAtProposeOnly));
    bench.executor.enter(Slot(1), Mono(0), &mut probe);
    for _ in 0..2 {
        let command = Command::Apply {
            session,
            sequence: Sequence(0),
            answered_below: Sequence(0),
            operation: b"a",
        };
        bench.executor.apply(
            Place {
                slot: Slot(1),
                index: 0,
            },
            command,
            &mut probe,
        );
    }
}
#[test]
fn a_session_that_was_evicted_stays_closed_unless_the_bug_opens_it_again() {
    for (bug, closed) in [(None, true), (Some(Bug::EvictedSessionReopened), false)] {
        let (mut bench, mut probe) = (Bench::new(1), Full::new(bug));
        let (session, other) = (bench.register(), bench.register());
        assert!(!bench.executor.knows(session) && bench.executor.knows(other));
        bench.executor.enter(Slot(2), Mono(0), &mut probe);
        let place = Place {
            slot: Slot(2),
            index: 0,
        };
        let again = Command::Apply {
            session,
            sequence: Sequence(0),
            answered_below: Sequence(0),
            operation: b"a",
        };
        let (_, outcome) = bench.executor.apply(place, again, &mut probe);
        assert_eq!(outcome == Outcome::SessionGone, closed);
    }
}

#[test]
fn a_session_that_is_full_goes_on_once_its_client_has_had_its_replies() {
    let mut bench = Bench::new(4);
    let session = bench.register();
    for sequence in 0..PIPELINE_MAX as u64 {
        assert!(matches!(
            bench.append(session, sequence, 0, b"a"),
            Outcome::Done { .. }
        ));
    }
    let next = PIPELINE_MAX as u64;
    assert_eq!(bench.append(session, next, 0, b"b"), Outcome::SessionGone);
    // The same request, from a client that has had all before it.
    assert!(matches!(
        bench.append(session, next, next, b"b"),
        Outcome::Done { .. }
    ));
    assert!(bench.line().ends_with(b"ab"));
}
