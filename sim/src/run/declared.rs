//! What a subject declares of its quorums and its patience is what it is judged by.

use super::*;
use crate::ids::Node;
use crate::subject::process::{Dialect, Process};
use crate::subject::synod::Synod;
use crate::time::Span;
use crate::world::testing;
use synod_port::files::FileName;

/// The engine, so many times as slow to elect as the scenario says.
struct Declared {
    slower: u64,
    patience: u32,
    quorums: fn(u8) -> Vec<Vec<Node>>,
}

impl Subject for Declared {
    fn name(&self) -> &'static str {
        "declared"
    }

    fn format(&self, setup: &Setup, node: Node) -> Vec<(FileName, Vec<u8>)> {
        Synod.format(setup, node)
    }

    fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process> {
        let mut setup = setup.clone();
        let (least, most) = setup.knobs.election_timeout;
        setup.knobs.election_timeout = (Span(least.0 * self.slower), Span(most.0 * self.slower));
        Synod.make(&setup, node)
    }

    fn dialect(&self) -> &'static dyn Dialect {
        Synod.dialect()
    }

    fn quorums(&self, replicas: u8) -> Vec<Vec<Node>> {
        (self.quorums)(replicas)
    }

    fn patience(&self) -> u32 {
        self.patience
    }
}

fn everybody(replicas: u8) -> Vec<Vec<Node>> {
    vec![(0..replicas).map(Node).collect()]
}

fn record(subject: &'static Declared) -> RunRecord {
    run_judged(&RunSpec::new(testing::plan(3)), subject, ()).record
}

#[test]
fn the_quorums_that_are_declared_are_left_alone() {
    static USUAL: Declared = Declared {
        slower: 1,
        patience: 1,
        quorums: crate::subject::contract::majorities,
    };
    static ALL: Declared = Declared {
        quorums: everybody,
        ..USUAL
    };
    static NONE: Declared = Declared {
        quorums: |_| Vec::new(),
        ..USUAL
    };
    let audits = [&USUAL, &ALL, &NONE].map(|subject| {
        let record = record(subject);
        assert_eq!(record.verdict, Verdict::Pass, "{:?}", record.message);
        record.audits
    });
    assert!(audits[0] > 0);
    assert_eq!(audits, [audits[0], audits[0] / 3, 0]);
}

#[test]
fn whoever_asks_for_patience_is_slow_and_does_not_stall() {
    static SLOW: Declared = Declared {
        slower: 100,
        patience: 1,
        quorums: crate::subject::contract::majorities,
    };
    static PATIENT: Declared = Declared {
        patience: 10,
        ..SLOW
    };
    let [slow, patient] = [&SLOW, &PATIENT].map(record);
    assert_eq!(slow.verdict, Verdict::Liveness, "{:?}", slow.message);
    assert_eq!(patient.verdict, Verdict::Pass, "{:?}", patient.message);
}
