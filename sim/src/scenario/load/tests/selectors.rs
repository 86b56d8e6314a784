//! Whom a verb is about, and what comes of that in a plan.

use super::{errors, good, says};
use crate::glossary::names;
use crate::ids::Node;
use crate::plan::draw::draw;
use crate::plan::pin::to_toml;
use crate::plan::{Expectation, Verb};
use crate::scenario::fault::{Fault, Who};
use crate::scenario::form::Repro;
use crate::scenario::load::parse;

fn of(steps: &str) -> String {
    format!("[cluster]\nreplicas = 5\n[workload]\n{steps}")
}

/// Whom the pauses of this plan are about.
fn paused(text: &str, seed: u64) -> Vec<Who> {
    let plan = draw(&good(text), seed);
    let whom = |verb: &Verb| match verb {
        Verb::Inject {
            fault: Fault::Pause(who),
            ..
        } => Some(who.clone()),
        _ => None,
    };
    plan.script
        .iter()
        .filter_map(|step| whom(&step.verb))
        .collect()
}

#[test]
fn parts_of_a_cluster_are_drawn_and_roles_stay() {
    let text = of(
        "[[step]]\npause = \"minority\"\n[[step]]\npause = \"majority\"\n\
                   [[step]]\npause = \"core\"\n[[step]]\npause = \"follower\"\n",
    );
    let mut minorities = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let who = paused(&text, seed);
        let [
            Who::Nodes(few),
            Who::Nodes(most),
            Who::Nodes(core),
            Who::Follower,
        ] = who.as_slice()
        else {
            panic!("{who:?}");
        };
        assert_eq!((few.len(), most.len()), (2, 3));
        assert_eq!(*core, draw(&good(&text), seed).heal.core);
        minorities.insert(few.clone());
    }
    assert!(
        minorities.len() > 3,
        "each seed draws its own: {minorities:?}"
    );
}

#[test]
fn a_plan_with_these_words_comes_back_from_its_file() {
    let text = of(
        "[[step]]\nexpect = { operations = \"5..9\", within = \"2s\" }\n\
                   [[step]]\npause = \"follower\"\n[[step]]\n\
                   partition = { groups = [[\"follower\", \"c1\"], [\"leader\"]] }\n\
                   [[step]]\nexpect = { ready = \"core\" }\n\
                   [[step]]\nexpect = { lag = { replica = \"r3\", slots = \"20..all\" } }\n\
                   [[step]]\nexpect = { lag = { replica = \"r3\", slots = \"0..3\" }, for = \"1s\" }\n",
    );
    let plan = draw(&good(&text), 3);
    let Verb::Expect {
        what: Expectation::Operations(count),
        ..
    } = plan.script[0].verb
    else {
        panic!("{:?}", plan.script[0]);
    };
    assert!((5..=9).contains(&count));
    let repro = Repro {
        seed: 3,
        ..Repro::default()
    };
    let pinned = to_toml(&plan, &repro);
    let again = parse("x", &pinned, &[], &names()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(draw(&again, 3).script, plan.script);
    assert!(matches!(
        &plan.script[3].verb,
        Verb::Expect { what: Expectation::Ready(Who::Nodes(nodes)), .. } if nodes.len() == 3
    ));
    assert_eq!(Node(0).to_string(), "r1");
    assert!(plan.goes_by_media());
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (step, parts) in [
        ("restart = \"minority\"", ["needs to know whom", "\"core\""]),
        (
            "bit-rot = \"minority\"",
            ["must be known beforehand", "or names"],
        ),
        (
            "disk-loss = \"core\"",
            ["must be known beforehand", "or names"],
        ),
        (
            "bit-rot = \"last-holder\"",
            ["the budget spares the last holder", "budget = \"none\""],
        ),
        (
            "pause = \"last-holdr\"",
            ["did you mean `last-holder`?", "selects no replicas"],
        ),
        (
            "pause = \"folower\"",
            ["did you mean `follower`?", "\"minority\""],
        ),
        (
            "partition = { groups = [[\"minority\"], [\"r1\"]] }",
            ["`minority` is on no side", "follower"],
        ),
        (
            "expect = { operations = 401 }",
            ["401 operations are waited for", "ask for 400 at most"],
        ),
        (
            "expect = { operations = 0 }",
            ["0 is out of bounds", "can be waited for"],
        ),
        (
            "expect = { lag = { replica = \"r6\", slots = \"20..all\" } }",
            ["there is no replica `r6`", "has r1 to r5"],
        ),
        (
            "expect = { lag = { replica = \"follower\", slots = \"20..all\" } }",
            ["`follower` is not the name of a replica", "r1 to r9"],
        ),
        (
            "expect = { lag = { replica = \"r3\", slots = 20 } }",
            [
                "`20` is no range of slots",
                "write \"20..all\" for 20 or more",
            ],
        ),
        (
            "expect = { lag = { replica = \"r3\", slots = \"3..1\" } }",
            ["`3..1` is no range of slots", "\"0..3\""],
        ),
        (
            "expect = { lag = { replica = \"r3\", slots = \"0..all\" } }",
            ["every replica lacks 0 slots or more", "write \"20..all\""],
        ),
        (
            "expect = { lag = \"r3\" }",
            ["`lag` is a table", "write lag = {"],
        ),
        (
            "expect = { lag = { replica = \"r3\" } }",
            ["the key `slots` is missing", "add `slots = ..`"],
        ),
        (
            "expect = { lagg = { replica = \"r3\", slots = \"0..3\" } }",
            ["unknown key `lagg`", "did you mean `lag`?"],
        ),
    ] {
        says(&errors(&of(&format!("[[step]]\n{step}\n"))), &parts);
    }
    says(
        &errors("[cluster]\nreplicas = 2\n[workload]\n[[step]]\npause = \"minority\"\n"),
        &["a minority of 2", "nobody"],
    );
}
