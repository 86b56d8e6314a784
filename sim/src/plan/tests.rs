//! What holds for every plan that is drawn from the library.

use proptest::prelude::*;
use synod_port::files::FileName;
use toml::Spanned;

use crate::choices::Branch;
use crate::choices::loose::{Loose, Part};
use crate::choices::overrides::{
    MessageName, Operation, OperationName, Override, Passage, Treatment,
};
use crate::choices::strike::{Blow, Strike};
use crate::glossary::names;
use crate::ids::{Client, Endpoint, Node};
use crate::plan::draw::draw;
use crate::plan::pin::{fingerprint, to_toml};
use crate::plan::{Distribution, Plan};
use crate::scenario::embedded::FILES;
use crate::scenario::fault::{DamageBudget, Fault, Who};
use crate::scenario::form::Repro;
use crate::scenario::library::Library;
use crate::scenario::load::parse;
use crate::scenario::mix::Mix;
use crate::scenario::model::Scenario;
use crate::time::{Instant, Span};

fn library() -> Vec<Scenario> {
    FILES
        .iter()
        .map(|(name, text)| {
            parse(name, text, &[], &names()).unwrap_or_else(|error| panic!("{error}"))
        })
        .collect()
}

fn holds(plan: &Plan) {
    let knobs = &plan.cluster.knobs;
    assert!(
        knobs.heartbeat.0 * 2 <= knobs.election_timeout.0.0
            && knobs.election_timeout.0 <= knobs.election_timeout.1
    );
    assert!(knobs.segment.is_multiple_of(512) && knobs.segment >= 4096 && knobs.retransmit.0 > 0);
    assert_eq!(plan.clocks.len(), usize::from(plan.cluster.replicas));
    assert!(plan.heal.core.len() > usize::from(plan.cluster.replicas) / 2);
    assert!(Instant(plan.heal.at.0) + plan.heal.progress_within <= plan.end.time);
    let mut victims: Vec<Node> = Vec::new();
    for timed in &plan.nemesis {
        assert!(
            timed.at < plan.heal.at && timed.at + timed.hold <= plan.heal.at,
            "{timed:?}"
        );
        if let Fault::BitRot {
            who: Who::Nodes(nodes),
            ..
        }
        | Fault::SectorError {
            who: Who::Nodes(nodes),
            ..
        }
        | Fault::MisdirectedWrite(Who::Nodes(nodes))
        | Fault::DiskLoss(Who::Nodes(nodes)) = &timed.fault
        {
            victims.extend(nodes);
        }
    }
    assert!(plan.nemesis.windows(2).all(|pair| pair[0].at <= pair[1].at));
    if plan.budget == DamageBudget::None {
        return;
    }
    victims.sort_unstable();
    victims.dedup();
    assert!(
        victims.len() <= usize::from(plan.cluster.replicas - 1) / 2,
        "{victims:?}"
    );
    assert!(victims.iter().all(|node| !plan.heal.core.contains(node)));
}

/// One with everything, and one with as little as possible.
fn overrides() -> Vec<Override> {
    let message = |kind: Option<&str>, slot, nth| MessageName {
        from: Endpoint::Node(Node(0)),
        to: Endpoint::Client(Client(1)),
        kind: kind.map(str::to_owned),
        slot,
        nth,
    };
    let everything = Passage {
        intact: true,
        lost: Some(false),
        delay: Some(Span(7)),
        copy_after: Some(Span::from_millis(3)),
        damage: Some(u32::MAX),
    };
    let lost = Passage {
        lost: Some(true),
        ..Passage::default()
    };
    let sync = |operation, nth| OperationName {
        node: Node(0),
        operation,
        nth,
    };
    let slow = Treatment {
        takes: Some(Span::from_secs(2)),
        fails: Some(true),
    };
    let works = Treatment {
        takes: None,
        fails: Some(false),
    };
    vec![
        Override::Message(message(Some("accept"), Some(1 << 40), 2), everything),
        Override::Message(message(None, None, 1), lost),
        Override::Disk(sync(Operation::SyncNames, 9), slow),
        Override::Disk(sync(Operation::Read, 1), works),
    ]
}

fn pinned_and_back(plan: &Plan) {
    let branch = |event, salt| Branch { event, salt };
    let strike = |event, by| Strike {
        event,
        replica: plan.cluster.replicas,
        after: 3,
        by,
        keep: vec![Loose {
            file: FileName::new("log-00000002").expect("a name"),
            part: Part::Landing(7),
        }],
    };
    let plan = &Plan {
        strategy: crate::choices::Strategy::Priorities,
        overrides: overrides(),
        branches: vec![
            branch(0, plan.seed),
            branch(5000, 1),
            branch(5000, u64::MAX),
        ],
        strikes: vec![
            strike(17, Blow::Kill),
            strike(18, Blow::OutageKeptElsewhere),
        ],
        ..plan.clone()
    };
    let repro = Repro {
        scenario: plan.scenario.clone(),
        seed: plan.seed,
        subject: Some("synod".into()),
        bug: Some("accept-below-promise".into()),
        only: Some(vec!["agreement".into(), "contract".into()]),
        checks: Some("client".into()),
        check: Some("agreement".into()),
        plan: None,
        digest: Some("00000000000000ff".into()),
        build: Some("a\"b".into()),
        branches: Some(Spanned::new(0..0, plan.branches.clone())),
        strikes: Some(Spanned::new(0..0, plan.strikes.clone())),
    };
    let repro = Repro {
        plan: Some(fingerprint(plan, &repro)),
        ..repro
    };
    let text = to_toml(plan, &repro);
    let scenario = parse("regressions/x", &text, &[], &names())
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(scenario.repro.as_ref(), Some(&repro));
    assert_eq!(&draw(&scenario, plan.seed), plan, "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_plan_holds_and_comes_back_from_its_reproducer(seed: u64) {
        for scenario in library() {
            let plan = draw(&scenario, seed);
            holds(&plan);
            pinned_and_back(&plan);
        }
    }
}

#[test]
fn the_largest_seed_comes_back() {
    pinned_and_back(&draw(&library()[0], u64::MAX));
}

#[test]
fn an_edit_moves_nothing_else() {
    let (name, text) = FILES
        .iter()
        .find(|(name, _)| *name == "safety/weather-5")
        .unwrap();
    let plan = draw(&parse(name, text, &[], &names()).unwrap(), 42);
    let with = |set: &str| draw(&parse(name, text, &[set.to_owned()], &names()).unwrap(), 42);
    let other = with("network.loss=30%");
    assert_eq!(
        Plan {
            network: plan.network.clone(),
            ..other
        },
        plan
    );
    let other = with("nemesis.every=100ms..5s");
    assert_ne!(other.nemesis, plan.nemesis);
    assert_eq!(
        Plan {
            nemesis: plan.nemesis.clone(),
            ..other
        },
        plan
    );
    let kinds = |plan: &Plan| {
        plan.nemesis
            .iter()
            .map(|timed| timed.fault.clone())
            .take(5)
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(&with("nemesis.every=100ms..5s")), kinds(&plan));
    let other = with("workload.keys=99");
    assert_eq!(other.workload.keys, 99);
    assert_eq!(
        (&other.nemesis, other.workload.clients, other.workload.think),
        (&plan.nemesis, plan.workload.clients, plan.workload.think)
    );
}

#[test]
fn the_mix_asks_enough_for_long_enough() {
    let mix = Mix::of(&Library::open(None, &names()).unwrap(), &[]).unwrap();
    let (mut replicas, mut faults, mut random, runs) = (0, 0, 0, 2_000);
    for seed in 0..runs {
        let scenario = mix.scenario(seed).unwrap();
        let plan = draw(scenario, seed);
        holds(&plan);
        let workload = &plan.workload;
        assert!(workload.operations >= 320, "{}", scenario.name);
        assert!(
            (Instant(15_000_000_000)..=Instant(40_000_000_000)).contains(&plan.heal.at),
            "{}",
            scenario.name
        );
        // Without a stall the operations are used up before the heal, and not long before.
        let Distribution::Exponential { mean, .. } = workload.think else {
            panic!("{}: the pauses vary", scenario.name)
        };
        let processes = if workload.open {
            1
        } else {
            u64::from(workload.pipeline)
        } * u64::from(workload.clients);
        let needed = Span(u64::from(workload.operations) * mean.0 / processes);
        assert!(
            Instant(0) + needed < plan.heal.at,
            "{}: {needed}",
            scenario.name
        );
        assert!(needed.0 > plan.heal.at.0 / 8, "{}: {needed}", scenario.name);
        replicas += u64::from(plan.cluster.replicas);
        faults += plan.nemesis.len();
        random += u64::from(scenario.nemesis.is_some());
    }
    assert!(
        replicas * 10 > runs * 42,
        "mostly five replicas: {replicas}"
    );
    assert!(faults as u64 > 15 * runs, "{faults} faults");
    assert!(random * 10 > runs * 9, "{random} of {runs} are random");
}

#[test]
fn a_longer_run_has_more_of_everything_at_the_same_pace() {
    let sets = ["longer=10".to_owned()];
    let mut faults = [0; 2];
    for (name, text) in FILES {
        let read = |sets: &[String]| parse(name, text, sets, &names());
        let Ok(longer) = read(&sets) else {
            assert!(read(&[]).expect("it can be read").repro.is_some(), "{name}");
            continue;
        };
        let plan = draw(&read(&[]).expect("as before"), 7);
        let long = draw(&longer, 7);
        holds(&long);
        pinned_and_back(&long);
        let size = |plan: &Plan| {
            let operations = u64::from(plan.workload.operations);
            [operations, plan.heal.at.0, plan.end.time.0, plan.end.events]
        };
        assert_eq!(size(&long), size(&plan).map(|size| 10 * size), "{name}");
        assert_eq!(
            (&long.workload.think, &long.script, &long.network),
            (&plan.workload.think, &plan.script, &plan.network),
            "{name}"
        );
        assert_eq!(long.heal.progress_within, plan.heal.progress_within);
        if longer.nemesis.is_some() {
            faults[0] += plan.nemesis.len();
            faults[1] += long.nemesis.len();
        }
    }
    let times = faults[1] * 10 / faults[0];
    assert!((90..110).contains(&times), "{faults:?}");
}

/// How many of 400 seeds have each kind of fault, draw a window at an end of its range, and have
/// each kind of operation.
fn of_swarm(swarm: bool) -> ([usize; 3], usize, [usize; 5]) {
    let text = format!(
        "format = 1\ntitle = \"t\"\nwhy = \"w\"\nswarm = {swarm}\n[engine]\nwindow = \
         \"11..30\"\n[workload]\nmix = {{ get = 1, put = 1, append = 1, cas = 1, delete = 1 \
         }}\n[heal]\nat = \"30s\"\n[nemesis]\nevery = \"1s\"\n[[nemesis.fault]]\nkill = \
         1\n[[nemesis.fault]]\npause = 1\n[[nemesis.fault]]\ndisk-stall = 1\n"
    );
    let scenario = parse("t", &text, &[], &names()).unwrap_or_else(|error| panic!("{error}"));
    let (mut faults, mut ends, mut operations) = ([0; 3], 0, [0; 5]);
    for seed in 0..400 {
        let plan = draw(&scenario, seed);
        let has = |test: fn(&Fault) -> bool| usize::from(plan.faults().any(test));
        faults[0] += has(|fault| matches!(fault, Fault::Kill { .. }));
        faults[1] += has(|fault| matches!(fault, Fault::Pause(_)));
        faults[2] += has(|fault| matches!(fault, Fault::DiskStall(_)));
        assert!(!plan.nemesis.is_empty());
        ends += usize::from([11, 30].contains(&plan.cluster.knobs.window));
        let mix = plan.workload.mix;
        let weights = [mix.get, mix.put, mix.append, mix.cas, mix.delete];
        for (count, weight) in operations.iter_mut().zip(weights) {
            *count += usize::from(weight > 0);
        }
        assert!(mix.get > 0 && weights[1..].iter().any(|weight| *weight > 0));
    }
    (faults, ends, operations)
}

#[test]
fn a_swarm_leaves_out_faults_and_operations_and_likes_the_ends_of_ranges() {
    let (faults, ends, operations) = of_swarm(false);
    assert!(faults.iter().all(|runs| *runs > 390), "{faults:?}");
    assert!(ends < 70, "one in ten: {ends}");
    assert_eq!(operations, [400; 5]);

    let (faults, ends, operations) = of_swarm(true);
    // Each with even odds; all are back where none would be left, one time in eight.
    let expected = 400 * 9 / 16;
    assert!(
        faults.iter().all(|runs| runs.abs_diff(expected) < 45),
        "{faults:?}"
    );
    assert!(
        ends.abs_diff(220) < 45,
        "half, and a tenth of the rest: {ends}"
    );
    assert!(
        operations[1..].iter().all(|runs| (280..360).contains(runs)),
        "{operations:?}"
    );
}
