//! Steps and faults that go by what replicas durably hold.

use super::*;
use crate::glossary::names;
use crate::plan::draw::draw;
use crate::scenario::load::parse;
use crate::subject::abd::Abd;
use crate::trace::tale::{Depth, text_of};

const HEAD: &str = r#"
format = 1
title = "t"
why = "w"
[workload]
clients = 2
operations = 300
keys = 2
mix = { get = 1, put = 1 }
think = "1ms..5ms"
[heal]
at = "8s"
[end]
time = "30s"
[[step]]
expect = { leader = "any", within = "2s" }
"#;

const CUT: &str =
    "[[step]]\npartition = { groups = [[\"r3\"], [\"r1\", \"r2\", \"c1\", \"c2\"]] }\n";
const HEALED: &str = "[[step]]\nheal = \"all\"\n";

fn lacks(slots: &str) -> String {
    format!(
        "[[step]]\nexpect = {{ lag = {{ replica = \"r3\", slots = \"{slots}\" }}, within = \"2s\" }}\n"
    )
}

fn outcome(steps: &[&str], seed: u64, probe: ProbeLevel) -> RunOutcome {
    let text = HEAD.to_owned() + &steps.concat();
    let scenario = parse("x", &text, &[], &names()).unwrap_or_else(|error| panic!("{error}"));
    run(&RunSpec {
        probe,
        ..RunSpec::new(draw(&scenario, seed))
    })
}

/// The message of a run that fails the expectation.
fn unmet(steps: &[&str]) -> String {
    let record = outcome(steps, 1, ProbeLevel::Nothing).record;
    assert_eq!(record.verdict, Verdict::Expectation, "{record:?}");
    record.message.expect("it says why")
}

#[test]
fn a_step_waits_until_a_replica_lags_and_until_it_does_no_more() {
    let (far, near) = (lacks("20..all"), lacks("0..2"));
    for seed in 0..4 {
        let steps = [CUT, &far, HEALED, &near];
        let outcomes = [ProbeLevel::Nothing, ProbeLevel::Full].map(|probe| {
            let outcome = outcome(&steps, seed, probe);
            assert_eq!(
                outcome.record.verdict,
                Verdict::Pass,
                "{:?}",
                outcome.record
            );
            outcome.record.digest
        });
        assert_eq!(outcomes[0], outcomes[1], "it does not depend on facts");
    }
}

#[test]
fn who_does_not_lag_is_waited_for_in_vain_and_so_is_who_does() {
    let message = unmet(&[&lacks("20..all")]);
    assert!(
        message.contains("expected r3 to lack 20..all chosen slots within 2s"),
        "{message}"
    );
    assert!(message.contains("; it lacks "), "{message}");
    let message = unmet(&[CUT, "[[step]]\nsleep = \"500ms\"\n", &lacks("0..2")]);
    assert!(message.contains("; it lacks "), "{message}");
}

#[test]
fn where_nobody_reads_the_media_the_step_takes_its_time() {
    let text = HEAD.to_owned() + &lacks("20..all");
    let scenario = parse("x", &text, &[], &names()).unwrap_or_else(|error| panic!("{error}"));
    let outcome = run_judged(&RunSpec::new(draw(&scenario, 1)), &Abd, ());
    assert_eq!(
        outcome.record.verdict,
        Verdict::Pass,
        "{:?}",
        outcome.record
    );
}

/// What happens with these steps, after this, as a story.
fn story(head: &str, steps: &[&str], seed: u64) -> String {
    let text = HEAD.to_owned() + head + &steps.concat();
    let scenario = parse("x", &text, &[], &names()).unwrap_or_else(|error| panic!("{error}"));
    let outcome = run(&RunSpec {
        record: Recording::Story,
        ..RunSpec::new(draw(&scenario, seed))
    });
    assert_eq!(
        outcome.record.verdict,
        Verdict::Pass,
        "{:?}",
        outcome.record
    );
    text_of(&outcome.tale, Depth::Story)
}

#[test]
fn the_last_holder_is_hit_when_the_other_copy_is_lost_and_nobody_before() {
    const SPARED: &str = "[[step]]\nhold = \"1s\"\nkill = \"last-holder\"\n";
    const HIT: &str = "[[step]]\nhold = \"1s\"\npower-loss = \"last-holder\"\n";
    let far = lacks("20..all");
    for (lost, left) in [("r1", "r2"), ("r2", "r1")] {
        let loss = format!("[[step]]\ndisk-loss = \"{lost}\"\n");
        for seed in 0..3 {
            let tale = story("", &[CUT, &far, SPARED, &loss, HIT, HEALED], seed);
            let down: Vec<&str> = ["r1", "r2", "r3"]
                .into_iter()
                .filter(|node| tale.contains(&format!("{node} loses power")))
                .collect();
            assert!(!tale.contains(" is killed"), "{tale}");
            // A lost disk takes the power of its replica as well.
            let mut both = [lost, left];
            both.sort_unstable();
            assert_eq!(down, both, "{tale}");
        }
    }
}

#[test]
fn past_the_budget_the_last_copy_can_be_damaged() {
    const ROT: &str = "[[step]]\nbit-rot = { replicas = \"last-holder\", sectors = 3 }\n";
    let far = lacks("20..all");
    let loss = "[[step]]\ndisk-loss = \"r1\"\n";
    let head = "[nemesis]\nbudget = \"none\"\n";
    let steps = [CUT, &far, ROT, loss, ROT];
    let (before, after) = (story(head, &steps[..3], 1), story(head, &steps, 1));
    let struck = |tale: &str| tale.matches("bit-rot r2").count();
    assert_eq!((struck(&before), struck(&after) > 0), (0, true), "{after}");
}
