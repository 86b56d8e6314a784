//! Single decisions that go as they are told, by what a person would call them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Mutex;

use super::*;
use crate::check::linearizability::budget::Budget;
use crate::check::linearizability::check as linearizability;
use crate::choices::Seeded;
use crate::choices::overrides::{
    MessageName, Operation, OperationName, Override, Passage, Treatment,
};
use crate::choices::recorded::{Log, Recorded};
use crate::choices::{CERTAIN, Choices, Matter, Topic};
use crate::history::input::{Format, Model, read};
use crate::ids::{Client, Endpoint, Node};
use crate::plan::{Distribution, Network};
use crate::scenario::fault::{Fault, LinkFault, Who};
use crate::subject::primary_copy::PrimaryCopy;
use crate::subject::synod::Synod;
use crate::time::{Instant, Span};
use crate::trace::event::{Event, Stamp};
use crate::trace::observer::Observer;
use crate::world::tally::Effect;
use crate::world::testing;

/// The names of all messages: by link, in the order in which they were sent.
#[derive(Clone, Default)]
struct Names {
    sent: BTreeMap<(Endpoint, Endpoint), Vec<MessageName>>,
    counted: BTreeMap<(Endpoint, Endpoint, &'static str, Option<u64>), u32>,
}

impl Observer for Names {
    fn on(&mut self, _: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        let Event::Sent { from, to, bytes } = event else {
            return ControlFlow::Continue(());
        };
        let reader = Synod.reader().expect("it has one");
        let sent = self.sent.entry((*from, *to)).or_default();
        let by_number = message(*from, *to, u32::try_from(sent.len() + 1).expect("few"));
        let described = reader.describe(bytes);
        sent.push(described.map_or(by_number.clone(), |described| {
            let key = (*from, *to, described.kind, described.slot);
            let nth = self.counted.entry(key).or_default();
            *nth += 1;
            MessageName {
                // Without a slot in the name any would fit.
                kind: described.slot.map(|_| described.kind.to_owned()),
                slot: described.slot,
                nth: described.slot.map_or(by_number.nth, |_| *nth),
                ..by_number
            }
        }));
        ControlFlow::Continue(())
    }
}

/// This plan's world at the end of its fault phase.
fn chaos<O: Observer>(plan: &Plan, choices: Box<dyn Choices>, observer: O) -> World<O> {
    let spec = RunSpec {
        probe: ProbeLevel::Nothing,
        ..RunSpec::new(plan.clone())
    };
    let plan = Arc::new(plan.clone());
    let mut world = World::new(plan.clone(), &Synod, spec.setup(), choices, observer);
    world.run_until(plan.heal.at);
    world
}

fn digest(plan: &Plan) -> (u64, Vec<String>) {
    let world = chaos(plan, Box::new(Seeded::new(plan.seed)), ());
    (world.digest(), world.unmatched())
}

/// What was decided in the fault phase of this plan, and what was sent.
fn decided(plan: &Plan) -> (Log, Names) {
    let log = Arc::new(Mutex::new(Log::new()));
    let choices = Recorded::new(plan.seed, |label| label, log.clone());
    let world = chaos(plan, Box::new(choices), Names::default());
    let log = std::mem::take(&mut *log.lock().expect("nobody panics with the log"));
    (log, world.observer().clone())
}

/// A word of an oracle as a number below a range.
fn below(word: u64, range: u64) -> u64 {
    u64::try_from((u128::from(word) * u128::from(range)) >> 64).expect("below a u64")
}

/// What the weather did to every message, by name.
fn weather(network: &Network, log: &Log, names: &Names) -> Vec<Override> {
    let Distribution::Uniform(low, high) = network.latency else {
        panic!("latency is drawn from a range");
    };
    let end = |party| match party {
        0..16 => Endpoint::Node(Node(u8::try_from(party).expect("few"))),
        _ => Endpoint::Client(Client(party - 16)),
    };
    let happens = |word, ppm: u32| {
        let word = below(word, u64::from(CERTAIN) << 32);
        (word >> 32 < u64::from(ppm)).then_some(word & 0xffff_ffff)
    };
    let mut passages: BTreeMap<(u16, u16, u32), Passage> = BTreeMap::new();
    for ((matter, topic), words) in log {
        let Matter::Message(from, to, number) = *matter else {
            continue;
        };
        let [word] = words[..] else {
            panic!("{topic:?} was drawn twice for one message");
        };
        let passage = passages.entry((from, to, number)).or_default();
        match topic {
            Topic::Latency => passage.delay = Some(low + Span(below(word, high.0 - low.0 + 1))),
            Topic::Loss => {
                let lost = below(word, CERTAIN.into()) < network.loss.into();
                passage.lost = lost.then_some(true);
            }
            Topic::Duplicate => {
                let later = happens(word, network.duplicate);
                passage.copy_after =
                    later.map(|word| Span((word * network.duplicate_later.0) >> 32));
            }
            Topic::Corrupt => {
                let how = happens(word, network.corrupt);
                passage.damage = how.map(|word| u32::try_from(word).expect("half a word"));
            }
            _ => panic!("{topic:?} is not drawn in this plan"),
        }
    }
    let named = |((from, to, number), passage): ((u16, u16, u32), Passage)| {
        let name = &names.sent[&(end(from), end(to))][number as usize];
        Override::Message(name.clone(), passage)
    };
    passages.into_iter().map(named).collect()
}

#[test]
fn a_run_whose_weather_is_told_by_name_is_the_same_run() {
    for seed in 0..3 {
        let stormy = testing::storm(seed);
        let (log, names) = decided(&stormy);
        let overrides = weather(&stormy.network, &log, &names);
        let by_slot =
            |one: &&Override| matches!(one, Override::Message(name, _) if name.slot.is_some());
        assert!(overrides.len() > 1000 && overrides.iter().filter(by_slot).count() > 100);
        let mut told = stormy.clone();
        told.network = Network {
            latency: Distribution::Constant(Span::from_secs(1)),
            loss: 0,
            duplicate: 0,
            corrupt: 0,
            beyond_contract: false,
            ..stormy.network
        };
        told.overrides = overrides;
        assert_eq!(digest(&told), digest(&stormy), "seed {seed}");
        // Each one counts.
        for lost in [Some(true), Some(false)] {
            let mut other = told.clone();
            // Some are sent into a cut at first.
            let half = other.overrides.len() / 2;
            let flipped = other.overrides[half..]
                .iter_mut()
                .find_map(|one| match one {
                    Override::Message(_, passage)
                        if passage.lost != lost && passage.damage.is_none() =>
                    {
                        Some(passage)
                    }
                    _ => None,
                });
            flipped.expect("one that goes otherwise").lost = lost;
            let differs = lost == Some(true);
            assert_eq!(
                digest(&other).0 != digest(&stormy).0,
                differs,
                "seed {seed}"
            );
        }
    }
}

/// The message of this number on a link.
const fn message(from: Endpoint, to: Endpoint, nth: u32) -> MessageName {
    MessageName {
        from,
        to,
        kind: None,
        slot: None,
        nth,
    }
}

fn of_accept(from: u8, to: u8, slot: u64, passage: Passage) -> Override {
    let (from, to) = (Endpoint::Node(Node(from)), Endpoint::Node(Node(to)));
    let name = MessageName {
        kind: Some("accept".to_owned()),
        slot: Some(slot),
        ..message(from, to, 1)
    };
    Override::Message(name, passage)
}

fn of_disk(node: u8, operation: Operation, nth: u32, treatment: Treatment) -> Override {
    let name = OperationName {
        node: Node(node),
        operation,
        nth,
    };
    Override::Disk(name, treatment)
}

fn of_sync(node: u8, nth: u32, treatment: Treatment) -> Override {
    of_disk(node, Operation::Sync, nth, treatment)
}

fn told(overrides: Vec<Override>) -> RunRecord {
    let mut plan = testing::plan(3);
    plan.overrides = overrides;
    run(&RunSpec::new(plan)).record
}

#[test]
fn a_failed_and_a_slow_sync_come_where_they_were_told() {
    let plain = told(Vec::new());
    let fails = Treatment {
        fails: Some(true),
        takes: None,
    };
    let failed = told(vec![of_sync(1, 9, fails)]);
    assert_eq!(failed.verdict, Verdict::Pass, "{failed:?}");
    assert_eq!(
        (failed.faults["override"], failed.faults["sync-failure"]),
        (1, 1)
    );
    let slow = Treatment {
        fails: None,
        takes: Some(Span::from_millis(40)),
    };
    let slow = told(vec![of_sync(1, 9, slow)]);
    assert_eq!(slow.verdict, Verdict::Pass, "{slow:?}");
    assert!(!slow.faults.contains_key("sync-failure") && slow.faults["override"] == 1);
    let digests = [&plain, &failed, &slow].map(|record| record.digest.clone());
    assert_eq!(BTreeSet::from(digests).len(), 3);
}

#[test]
fn what_names_nothing_is_reported_and_the_run_does_not_pass() {
    let lost = Passage {
        lost: Some(true),
        ..Passage::default()
    };
    // Nobody sends itself anything.
    let record = told(vec![
        of_accept(0, 0, 5, lost),
        of_sync(0, 1, Treatment::default()),
    ]);
    assert_eq!(
        (record.verdict, record.check.as_deref()),
        (Verdict::Inconclusive, Some("unmatched"))
    );
    assert_eq!(record.unmatched, ["the 1st accept of slot 5 from r1 to r1"]);
    assert_eq!(record.faults["override"], 1);
}

#[test]
fn a_sync_that_is_told_to_work_works_under_a_fault() {
    let mut plan = testing::with(&[(
        200,
        2000,
        Fault::SyncFailure {
            who: Who::Nodes(vec![Node(1)]),
            ppm: CERTAIN,
        },
    )]);
    let failed = run(&RunSpec::new(plan.clone())).record;
    let works = Treatment {
        fails: Some(false),
        takes: None,
    };
    let all = [Operation::Sync, Operation::SyncNames];
    plan.overrides = all
        .into_iter()
        .flat_map(|operation| (1..500).map(move |nth| (operation, nth)))
        .map(|(operation, nth)| of_disk(1, operation, nth, works))
        .collect();
    let record = run(&RunSpec::new(plan)).record;
    assert!(failed.faults["sync-failure"] > 0);
    assert!(
        !record.faults.contains_key("sync-failure"),
        "{:?}",
        record.faults
    );
}

#[test]
fn an_audit_owes_an_answer_that_was_sent_and_lost() {
    let lost = Passage {
        lost: Some(true),
        ..Passage::default()
    };
    let reply = |(from, to, nth)| {
        let (from, to) = (Endpoint::Node(Node(from)), Endpoint::Client(Client(to)));
        Override::Message(message(from, to, nth), lost)
    };
    // The primary answers before its backups know.
    let of = |seed| {
        let mut plan = testing::plan(3);
        plan.seed = seed;
        plan.workload.patience = Span::from_millis(50);
        let replies = (0..3).flat_map(|from| (0..2).map(move |to| (from, to)));
        plan.overrides = replies
            .flat_map(|(from, to)| (1..1000).map(move |nth| reply((from, to, nth))))
            .collect();
        let spec = RunSpec {
            subject: PrimaryCopy.name().to_owned(),
            checks: Checks::Client,
            record: Recording::Story,
            ..RunSpec::new(plan)
        };
        run(&spec)
    };
    let outcome = (0..20)
        .map(of)
        .find(|outcome| outcome.record.verdict == Verdict::Safety)
        .expect("one of twenty runs has an audit at such a moment");
    let check = outcome.record.check.as_deref();
    assert_eq!(check, Some(LAST_QUORUM_AUDIT), "{:?}", outcome.record);
    let fork = outcome
        .tale
        .iter()
        .find(|line| line.text.starts_with("fork of the run"))
        .expect("the story goes on in the fork");
    let history = outcome.history.expect("it was recorded");
    let lines = history.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        (
            line["type"] == "ok",
            line["time"].as_u64().expect("a number"),
        )
    });
    let (heard, asked): (Vec<_>, Vec<_>) = lines.partition(|(heard, _)| *heard);
    assert!(asked.iter().any(|(_, at)| *at < fork.number));
    assert!(heard.iter().all(|(_, at)| *at >= fork.number), "{history}");
    // Whoever checks the history by itself sees what the audit saw.
    let history = read(history.as_bytes(), Format::Synod, Model::KeyValue).expect("a history");
    let seen = linearizability::check(&history, Budget::default()).verdict;
    let is_refuted = matches!(seen, linearizability::Verdict::NotLinearizable { .. });
    assert!(is_refuted, "{seen:?}");
}

#[test]
fn what_was_told_is_not_told_to_an_audit() {
    let mut plan = testing::plan(3);
    plan.overrides = vec![of_sync(0, 1_000_000, Treatment::default())];
    let world = chaos(&plan, Box::new(Seeded::new(plan.seed)), ());
    assert_eq!(world.unmatched(), ["the 1000000th sync of r1"]);
    let all: Vec<Node> = (0..3).map(Node).collect();
    assert_eq!(world.after_power_loss(&all, ()).unmatched(), [""; 0]);
}

#[test]
fn what_is_told_comes_in_place_of_faults_that_make_slow() {
    let all = [
        Fault::SlowDisk {
            who: Who::All,
            by: Span::from_millis(2),
        },
        Fault::Links {
            from: Who::All,
            to: Who::All,
            fault: LinkFault::Slow(Span::from_millis(2)),
        },
    ];
    let mut plan = testing::with(&all.map(|fault| (0, 1000, fault)));
    plan.heal.at = Instant(1_000_000_000);
    plan.workload.operations = 0;
    let effects = |plan: &Plan| {
        let world = chaos(plan, Box::new(Seeded::new(plan.seed)), ());
        let of = |one| {
            let (effects, _) = world.counters();
            effects
                .filter(|(effect, _)| *effect == one)
                .map(|(_, count)| count)
                .sum::<u64>()
        };
        [Effect::SlowDisk, Effect::SlowLink, Effect::Override].map(of)
    };
    let [disk, link, none] = effects(&plan);
    assert!(disk > 0 && link > 0 && none == 0);
    let takes = Treatment {
        takes: Some(Span::from_micros(50)),
        fails: None,
    };
    let passage = Passage {
        delay: Some(Span::from_millis(1)),
        ..Passage::default()
    };
    let kinds = [
        Operation::Read,
        Operation::Write,
        Operation::Sync,
        Operation::SyncNames,
    ];
    for node in 0..3 {
        for nth in 1..200 {
            let operations = kinds.map(|operation| of_disk(node, operation, nth, takes));
            plan.overrides.extend(operations);
            let peers =
                (0..3).map(|to| message(Endpoint::Node(Node(node)), Endpoint::Node(Node(to)), nth));
            plan.overrides
                .extend(peers.map(|name| Override::Message(name, passage)));
        }
    }
    let [fewer, link, told] = effects(&plan);
    assert!(
        fewer < disk && link == 0 && told > 0,
        "{fewer} {link} {told}"
    );
}
