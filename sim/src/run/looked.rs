//! Each check says how often it looked, and a check that could have and never did is seen.

use synod_reports::line::ResultLine;
use synod_reports::summary::{Cost, FLOOR_RUNS};
use synod_reports::tally::Tally;

use super::*;
use crate::history::operation::{Action, Call};
use crate::ids::Node;
use crate::scenario::fault::{Fault, Who};
use crate::subject::abd::Abd;
use crate::subject::process::{
    Acknowledged, Answer, Claim, Description, Dialect, Input, Now, Output, Process, Reader, Session,
};
use crate::subject::synod::Synod;
use crate::time::Span;
use crate::trace::event::Fact;
use crate::world::testing;
use synod_port::files::{Bytes, FileName};

/// The engine, behind a port that tells no fact, only that far more was chosen, or all, but mumbles, or
/// does not show its media.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Port {
    Mute,
    Boastful,
    Mumbling,
    Closed,
}

static MUTE: Port = Port::Mute;
static BOASTFUL: Port = Port::Boastful;
static MUMBLING: Port = Port::Mumbling;
static CLOSED: Port = Port::Closed;

struct PortProcess(Box<dyn Process>, Port);

impl Process for PortProcess {
    fn step(&mut self, now: Now, input: Input<'_>, out: &mut Vec<Output>) {
        self.0.step(now, input, out);
    }

    fn deadline(&self) -> Option<u64> {
        self.0.deadline()
    }

    fn fork(&self) -> Option<Box<dyn Process>> {
        Some(Box::new(Self(self.0.fork()?, self.1)))
    }

    fn facts(&mut self, into: &mut Vec<Fact>) {
        self.0.facts(into);
        if matches!(self.1, Port::Mute | Port::Boastful) {
            into.clear();
        }
        if self.1 == Port::Boastful {
            into.push(Fact::Chosen {
                slot: 1 << 40,
                value: 0,
            });
        }
    }
}

impl Subject for Port {
    fn name(&self) -> &'static str {
        "port"
    }

    fn format(&self, setup: &Setup, node: Node) -> Vec<(FileName, Vec<u8>)> {
        Synod.format(setup, node)
    }

    fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process> {
        Box::new(PortProcess(Synod.make(setup, node), *self))
    }

    fn dialect(&self) -> &'static dyn Dialect {
        match self {
            Self::Mute | Self::Boastful | Self::Closed => Synod.dialect(),
            Self::Mumbling => &Mumbling,
        }
    }

    fn reader(&self) -> Option<&'static dyn Reader> {
        match self {
            Self::Closed => Some(&NoMedia),
            _ => Synod.reader(),
        }
    }

    fn leads(&self, node: Node, bytes: &[u8]) -> Option<(u64, u8)> {
        Synod.leads(node, bytes)
    }

    fn tells_facts(&self) -> bool {
        true
    }
}

/// The engine's reader, but for the media: names, claims and replies.
struct NoMedia;

impl NoMedia {
    fn whole() -> &'static dyn Reader {
        Synod.reader().expect("it offers one")
    }
}

impl Reader for NoMedia {
    fn describe(&self, bytes: &[u8]) -> Option<Description> {
        Self::whole().describe(bytes)
    }

    fn claim(&self, bytes: &[u8]) -> Claim {
        Self::whole().claim(bytes)
    }

    fn acknowledged(&self, bytes: &[u8]) -> Option<Acknowledged> {
        Self::whole().acknowledged(bytes)
    }
}

/// The engine's dialect, but for a compare-and-set, which nobody understands.
struct Mumbling;

impl Dialect for Mumbling {
    fn register(&self, nonce: u64) -> Option<Bytes> {
        Synod.dialect().register(nonce)
    }

    fn request(&self, session: Session, sequence: u64, answered_below: u64, call: &Call) -> Bytes {
        if matches!(call.action, Action::Cas { .. }) {
            return Bytes::from([0; 8]);
        }
        Synod
            .dialect()
            .request(session, sequence, answered_below, call)
    }

    fn reply(&self, bytes: &[u8]) -> Option<Answer> {
        Synod.dialect().reply(bytes)
    }
}

fn record(subject: &'static dyn Subject) -> RunRecord {
    record_of(subject, testing::storm(3))
}

fn record_of(subject: &'static dyn Subject, plan: Plan) -> RunRecord {
    let court = Court::new(
        plan.cluster.replicas,
        subject.reader(),
        Checks::All,
        Jury::default(),
    );
    let spec = RunSpec {
        subject: subject.name().to_owned(),
        ..RunSpec::new(plan)
    };
    let record = run_judged(&spec, subject, court).record;
    assert_eq!(record.verdict, Verdict::Pass, "{record:?}");
    record
}

/// What is vacuous about many runs like this one.
fn vacuous(record: RunRecord) -> Vec<String> {
    let mut tally = Tally::new();
    let mut line = ResultLine::new(record);
    for seed in 0..FLOOR_RUNS {
        line.record.seed = seed;
        tally.add(&line);
    }
    let vacuous = tally
        .finish(&BTreeMap::new(), Cost::default(), false)
        .vacuous;
    vacuous.into_iter().map(|one| one.name).collect()
}

#[test]
fn every_check_looks_at_a_stormy_run_of_the_engine() {
    let record = record(&Synod);
    let expected =
        checks().filter(|name| ![CONTRACT, UNEXPLAINED_HALT, FENCING_AUDIT].contains(name));
    for name in expected {
        assert!(record.checks[name] > 0, "{name}: {:?}", record.checks);
    }
    // Few promises are audited.
    let mut storms = (3..40).map(|seed| record_of(&Synod, testing::storm(seed)));
    assert!(storms.any(|record| record.checks.contains_key(FENCING_AUDIT)));
    let delivered: u64 = record
        .deliveries
        .values()
        .map(|by_role| {
            by_role
                .by_role()
                .map(|(_, times)| times)
                .iter()
                .sum::<u64>()
        })
        .sum();
    assert!(
        delivered > 0 && delivered < record.messages_delivered,
        "{:?}",
        record.deliveries
    );
    for phase in ["chaos", "recovery", "closing"] {
        let accepts = record.cells[phase].get("accept").map(String::as_str);
        assert!(accepts.is_some_and(|roles| roles.contains('f')), "{phase}");
    }
    assert!(record.states.len() > 20, "{:?}", record.states);
    assert!(vacuous(record).is_empty());
}

#[test]
fn a_port_that_tells_no_facts_leaves_checks_that_never_looked() {
    let found = vacuous(record(&MUTE));
    for blind in ["agreement", "convergence", "prefix"] {
        assert!(found.iter().any(|name| name == blind), "{found:?}");
    }
}

#[test]
fn a_kind_of_operation_that_is_never_answered_makes_a_sweep_vacuous() {
    let mut plan = testing::storm(3);
    // None is under way any more at the heal, when it would have to be answered.
    plan.workload.operations = 60;
    plan.workload.patience = Span::from_millis(300);
    let record = record_of(&MUMBLING, plan);
    let [put, cas] = ["put", "cas"].map(|kind| record.operations[kind]);
    assert!(put.answered > 0 && cas.sent > 0 && cas.answered == 0);
    assert_eq!(vacuous(record), ["cas"]);
}

#[test]
fn what_is_under_way_at_the_heal_must_come_to_an_end() {
    let mut plan = testing::plan(3);
    plan.workload.operations = 4_000;
    let spec = RunSpec::new(plan);
    let record = run_judged(&spec, &MUMBLING, ()).record;
    assert_eq!(record.check.as_deref(), Some("progress"));
    let message = record.message.expect("it says why");
    assert!(
        message.starts_with("2 of 2 clients had a write"),
        "{message}"
    );
    assert!(message.contains("under way at the heal"), "{message}");
}

#[test]
fn a_jump_of_a_clock_that_nobody_reads_is_no_fault() {
    let jump = Fault::ClockJump {
        who: Who::All,
        by: 7,
    };
    let jumps = |subject: &'static dyn Subject| {
        let record = record_of(subject, testing::with(&[(600, 400, jump.clone())]));
        record.faults.get("clock-jump").copied()
    };
    assert_eq!((jumps(&Synod), jumps(&MUTE)), (None, Some(3)));
}

#[test]
fn what_clients_see_is_judged_without_facts() {
    let verdict = |checks, probe| {
        let spec = RunSpec {
            checks,
            probe,
            ..RunSpec::new(testing::plan(3))
        };
        let record = run_judged(&spec, &BOASTFUL, ()).record;
        (record.verdict.name(), record.digest)
    };
    let [all, told, untold] = [
        verdict(Checks::All, ProbeLevel::Facts),
        verdict(Checks::Client, ProbeLevel::Facts),
        verdict(Checks::Client, ProbeLevel::BugsOnly),
    ];
    assert_eq!((all.0, told.0), ("liveness", "pass"));
    assert_eq!(told, untold);
}

#[test]
fn where_nothing_is_copied_nobody_has_to_hear_two_answers() {
    let quiet = record_of(&Synod, testing::plan(3));
    assert!(!quiet.checks.contains_key("answers"), "{:?}", quiet.checks);
    let mut plan = testing::plan(3);
    plan.network.duplicate = 1;
    assert_eq!(record_of(&Synod, plan).checks["answers"], 0);
}

#[test]
fn a_lone_replica_has_nobody_to_be_compared_with() {
    let alone = record_of(&Synod, testing::plan(1));
    for name in ["before-durable", "convergence", "proposals"] {
        assert!(!alone.checks.contains_key(name), "{:?}", alone.checks);
    }
    assert!(alone.checks["durability"] > 0);
}

#[test]
fn who_shows_nothing_of_its_inside_is_not_vacuous() {
    let record = record(&Abd);
    assert!(record.checks["linearizability"] > 0 && !record.checks.contains_key("agreement"));
    assert!(record.deliveries.is_empty() && record.cells.is_empty() && record.states.is_empty());
    assert!(vacuous(record).is_empty());
}

#[test]
fn who_shows_no_media_is_not_judged_by_what_would_be_on_them() {
    let record = record(&CLOSED);
    for name in ["before-durable", "durability", "promises", "proposals"] {
        assert!(!record.checks.contains_key(name), "{name}");
    }
    // The ghost has the facts.
    for name in [
        "ghost",
        "agreement",
        "prefix",
        "exactly-once",
        "linearizability",
    ] {
        assert!(record.checks[name] > 0, "{name}");
    }
    assert!(vacuous(record).is_empty());
}

#[test]
fn where_no_fact_tells_of_roles_nobody_got_anything_in_one() {
    let told = record(&Synod);
    assert!(!told.deliveries.is_empty() && !told.cells.is_empty() && !told.states.is_empty());
    let mute = record(&MUTE);
    assert!(mute.deliveries.is_empty() && mute.cells.is_empty() && mute.states.is_empty());
}
