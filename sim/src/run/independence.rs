//! Independence of choices: any one fault, client or part of the weather is taken out of a run, and
//! every decision that is still made is the one that it was.
//!
//! Decisions are told apart by what they are about (a message of a link, a fault at a node, a
//! client's request), which the world says beside the label: two things that share a stream are
//! seen as soon as one of them draws less. What a decision then means may differ, where it is one
//! among things that are not the same any more.

use std::sync::{Arc, Mutex};

use crate::choices::recorded::{Log, Recorded};
use crate::choices::{Label, Matter, Topic};
use crate::glossary::names;
use crate::ids::{Client, FaultNumber};
use crate::plan::draw::draw;
use crate::plan::pin::to_toml;
use crate::plan::{Clock, Distribution, Plan, Verb};
use crate::run::RunSpec;
use crate::scenario::embedded::FILES;
use crate::scenario::form::Repro;
use crate::scenario::library::Library;
use crate::scenario::load::parse;
use crate::scenario::mix::Mix;
use crate::scenario::model::Scenario;
use crate::subject::catalog;
use crate::subject::process::ProbeLevel;
use crate::time::{Instant, Span};
use crate::world::world::World;

/// What a label is taken for.
type Plant = fn(Label) -> Label;

/// What is taken out of a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Out {
    Fault(FaultNumber),
    Client(Client),
    Loss,
    Copies,
    Damage,
    Latency,
    DiskTimes,
    Clocks,
}

/// Everything that can be taken out.
fn parts(plan: &Plan) -> Vec<Out> {
    let scripted = plan.script.iter().filter_map(|step| match step.verb {
        Verb::Inject { number, .. } => Some(number),
        _ => None,
    });
    let faults = plan.nemesis.iter().map(|timed| timed.number);
    let clients = (0..plan.workload.clients).map(Client);
    let weather = [
        Out::Loss,
        Out::Copies,
        Out::Damage,
        Out::Latency,
        Out::DiskTimes,
        Out::Clocks,
    ];
    scripted
        .chain(faults)
        .map(Out::Fault)
        .chain(clients.map(Out::Client))
        .chain(weather)
        .collect()
}

fn without(plan: &Plan, out: Out) -> Plan {
    let mut plan = plan.clone();
    let constant = Distribution::Constant(Span::from_millis(1));
    match out {
        Out::Fault(number) => {
            plan.nemesis.retain(|timed| timed.number != number);
            let is =
                |verb: &Verb| matches!(verb, Verb::Inject { number: one, .. } if *one == number);
            plan.script.retain(|step| !is(&step.verb));
        }
        Out::Client(client) => plan.workload.idle.push(client),
        Out::Loss => plan.network.loss = 0,
        Out::Copies => plan.network.duplicate = 0,
        Out::Damage => plan.network.corrupt = 0,
        Out::Latency => plan.network.latency = constant,
        Out::DiskTimes => (plan.disk.access, plan.disk.sync) = (constant, constant),
        Out::Clocks => plan.clocks.fill(Clock::default()),
    }
    plan
}

/// A plan of the mix, with its faults of the first so many seconds.
fn plan(mix: &Mix, seed: u64, seconds: u64) -> Plan {
    let scenario = mix.scenario(seed).expect("the mix has a scenario");
    cut_short(draw(scenario, seed), seconds)
}

/// A plan with its faults of the first so many seconds.
fn cut_short(mut plan: Plan, seconds: u64) -> Plan {
    let end = Instant(seconds * 1_000_000_000);
    plan.heal.at = plan.heal.at.min(end);
    plan.nemesis.retain(|timed| timed.at < end);
    plan
}

/// What is decided in a run of this plan, until a little after the heal.
fn decisions(plan: &Plan, planted: Plant) -> Log {
    let setup = RunSpec {
        probe: ProbeLevel::Nothing,
        ..RunSpec::new(plan.clone())
    }
    .setup();
    let plan = Arc::new(plan.clone());
    let log = Arc::new(Mutex::new(Log::new()));
    let choices = Box::new(Recorded::new(plan.seed, planted, log.clone()));
    let subject = catalog::find("synod").expect("it is in the catalog");
    let mut world = World::new(plan.clone(), subject, setup, choices, ());
    world.run_until(plan.heal.at);
    world.heal_core(&plan.heal.core);
    world.ask_progress(Span::from_secs(1));
    world.run_until(plan.heal.at + Span::from_millis(500));
    std::mem::take(&mut *log.lock().expect("nobody panics with the log"))
}

/// The first decision of each thing that came out differently in two runs that both made it.
fn moved(one: &Log, other: &Log) -> Vec<(Matter, Topic, usize)> {
    let differs = |((matter, topic), words): (&(Matter, Topic), &Vec<u64>)| {
        let others = other.get(&(*matter, *topic))?;
        let at = words
            .iter()
            .zip(others)
            .position(|(one, other)| one != other)?;
        Some((*matter, *topic, at))
    };
    one.iter().filter_map(differs).collect()
}

const fn as_it_is(label: Label) -> Label {
    label
}

/// Takes every `stride`-th part out of so many plans. Says how many that were.
fn nothing_else_moves(plans: u64, stride: usize, seconds: u64) -> usize {
    let library = Library::open(None, &names()).expect("the library opens");
    let mix = Mix::of(&library, &[]).expect("the mix is made");
    let mut taken = 0;
    for seed in 0..plans {
        taken += take_out(&plan(&mix, seed, seconds), seed as usize % stride, stride);
    }
    taken
}

/// Takes every `stride`-th part out of a plan, from the one at `first` on. Says how many that were.
fn take_out(plan: &Plan, first: usize, stride: usize) -> usize {
    let whole = decisions(plan, as_it_is);
    let parts = parts(plan).into_iter().skip(first).step_by(stride);
    let mut taken = 0;
    for out in parts {
        let less = decisions(&without(plan, out), as_it_is);
        let moved = moved(&whole, &less);
        assert!(
            moved.is_empty(),
            "{} seed {} without {out:?} moves {} decisions: {:?}",
            plan.scenario,
            plan.seed,
            moved.len(),
            &moved[..moved.len().min(5)]
        );
        if let Out::Fault(number) = out {
            let its = |matter: &Matter| matches!(matter, Matter::Fault(at) if at.fault == number);
            assert!(
                !less.keys().any(|(matter, _)| its(matter)),
                "{out:?} goes on"
            );
        }
        taken += 1;
    }
    taken
}

/// A scenario of the library.
fn scenario(name: &str) -> Scenario {
    let (name, text) = (FILES.iter().find(|(one, _)| *one == name)).expect("it is in the library");
    parse(name, text, &[], &names()).expect("it is right")
}

/// Faults that count messages or keep them back, too.
#[test]
fn an_aimed_fault_that_is_taken_out_moves_no_other_decision() {
    let mut taken = 0;
    for name in [
        "safety/promises-held-back",
        "safety/votes-lost-by-kind",
        "safety/words-of-before-a-restart",
    ] {
        for seed in 0..4 {
            let plan = cut_short(draw(&scenario(name), seed), 5);
            taken += take_out(&plan, seed as usize % 2, 2);
        }
    }
    assert!(taken > 60, "{taken}");
}

#[test]
fn whatever_is_taken_out_moves_no_other_decision() {
    assert!(nothing_else_moves(24, 5, 4) > 60);
}

#[test]
#[ignore = "minutes: every part of 200 plans, each taken out alone"]
fn every_single_part_of_200_plans_moves_no_other_decision() {
    println!("{} parts", nothing_else_moves(200, 1, 8));
}

/// Streams that are shared as they once were are noticed.
#[test]
fn a_shared_stream_is_noticed() {
    const fn one_stream(label: Label, topic: Topic) -> Label {
        if label.topic as u8 == topic as u8 {
            Label::of(topic, 0)
        } else {
            label
        }
    }
    const fn of_the_node(label: Label, topic: Topic) -> Label {
        if label.topic as u8 == topic as u8 {
            Label::link(topic, 0, label.b)
        } else {
            label
        }
    }
    let planted: [(&str, Plant); 8] = [
        ("loss", |label| one_stream(label, Topic::Loss)),
        ("boots", |label| of_the_node(label, Topic::Boot)),
        ("kills", |label| of_the_node(label, Topic::KillKeep)),
        ("power", |label| of_the_node(label, Topic::PowerKeep)),
        ("deaths", |label| of_the_node(label, Topic::DeathInStep)),
        ("link faults", |label| of_the_node(label, Topic::FaultLoss)),
        ("retries", |label| one_stream(label, Topic::Retry)),
        ("audits", |label| one_stream(label, Topic::Audit)),
    ];
    let library = Library::open(None, &names()).expect("the library opens");
    let mix = Mix::of(&library, &[]).expect("the mix is made");
    let loops = scenario("storage/crash-loop");
    for (name, planted) in planted {
        let noticed = (0..40).any(|seed| {
            let plan = if matches!(name, "kills" | "power" | "deaths") {
                draw(&loops, seed)
            } else {
                plan(&mix, seed, 8)
            };
            let whole = decisions(&plan, planted);
            let parts = parts(&plan);
            parts.iter().take(12).any(|out| {
                let less = decisions(&without(&plan, *out), planted);
                !moved(&whole, &less).is_empty()
            })
        });
        assert!(noticed, "one stream for all {name}");
    }
}

/// A fault that is deleted from a pinned plan's file leaves all others as they were.
#[test]
fn a_step_deleted_from_a_pinned_plan_changes_no_other() {
    let library = Library::open(None, &names()).expect("the library opens");
    let mix = Mix::of(&library, &[]).expect("the mix is made");
    for seed in 0..60 {
        let plan = draw(mix.scenario(seed).expect("the mix has a scenario"), seed);
        let repro = Repro {
            scenario: plan.scenario.clone(),
            seed,
            ..Repro::default()
        };
        let text = to_toml(&plan, &repro);
        let (head, steps) = text.split_once("\n[[step]]\n").unwrap_or((&text, ""));
        let steps: Vec<&str> = steps.split("\n[[step]]\n").collect();
        for timed in &plan.nemesis {
            let its = format!("number = {}\n", timed.number.0);
            let rest = steps.iter().filter(|step| !step.starts_with(&its));
            let edited = rest.fold(head.to_owned(), |text, step| text + "\n[[step]]\n" + step);
            let scenario = parse("regressions/x", &edited, &[], &names())
                .unwrap_or_else(|error| panic!("{error}\n{edited}"));
            assert_eq!(
                draw(&scenario, seed),
                without(&plan, Out::Fault(timed.number))
            );
        }
    }
}
