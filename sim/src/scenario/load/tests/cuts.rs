//! Shapes of partitions, the orders that they go by, where processes die, and the numbers of steps.

use std::collections::BTreeSet;

use super::{errors, good, says};
use crate::plan::Verb;
use crate::plan::draw::draw;
use crate::scenario::fault::{Fault, Partition};

#[test]
fn a_shape_that_cuts_nothing_is_told_what_it_needs() {
    let of = |replicas: &str, partition: &str| {
        format!("[cluster]\nreplicas = {replicas}\n[workload]\n[[step]]\npartition = {partition}\n")
    };
    says(
        &errors(&of("3", "\"ring\"")),
        &[
            "`ring` cuts nothing in a cluster of 3",
            "it needs 4 replicas",
        ],
    );
    let several = "{ shape = { pick = [\"ring\", \"chain\"] } }";
    says(&errors(&of("3", several)), &["`ring` cuts nothing"]);
    good(&of("{ pick = [3, 5] }", several));
    says(
        &errors(&of(
            "{ pick = [3, 5] }",
            "{ shape = { pick = [\"ring\", \"ring\"] } }",
        )),
        &["no shape fits a cluster of 3"],
    );
}

#[test]
fn an_order_names_everybody_and_goes_with_one_shape() {
    let of = |partition: &str| format!("[workload]\n[[step]]\npartition = {{ {partition} }}\n");
    good(&of("shape = \"chain\", order = [\"r3\", \"r1\", \"r2\"]"));
    let leader = "shape = \"isolate-leader\", order = [\"r3\", \"r1\", \"r2\"], clients = ";
    good(&of(&format!("{leader}[\"c2\"]")));
    for (partition, part) in [
        (format!("{leader}[\"c9\"]"), "there is no client `c9`"),
        (
            "shape = \"chain\", order = [\"r3\", \"r1\"]".into(),
            "an order of 2",
        ),
        (
            "shape = \"chain\", order = [\"r3\", \"r3\", \"r1\"]".into(),
            "there twice",
        ),
        (
            "shape = \"chain\", order = [\"r4\", \"r2\", \"r1\"]".into(),
            "no replica `r4`",
        ),
        (
            "shape = \"halves\", order = [\"r3\", \"r1\", \"r2\"]".into(),
            "has no order",
        ),
        (
            "shape = \"chain\", clients = [\"c1\"]".into(),
            "without an `order`",
        ),
        (
            format!("{leader}\"half\""),
            "beside an `order` clients are named",
        ),
    ] {
        says(&errors(&of(&partition)), &[part]);
    }
}

#[test]
fn a_step_has_a_number_of_its_own() {
    let of = |one: &str, two: &str| {
        format!(
            "[workload]\n[[step]]\n{one}kill = 1\n[[step]]\n{two}kill = 1\n[[step]]\nheal = \"all\"\n"
        )
    };
    let numbers =
        |text: &str| -> Vec<u16> { good(text).steps.iter().map(|step| step.number.0).collect() };
    assert_eq!(numbers(&of("", "")), [1, 2, 3]);
    assert_eq!(
        numbers(&of("number = 3\n", "number = 1004\n")),
        [3, 1004, 4]
    );
    for (one, two, part) in [
        ("number = 7\n", "number = 7\n", "two steps have this number"),
        ("number = 0\n", "", "numbered from 1"),
        ("number = 60001\n", "", "up to"),
    ] {
        says(&errors(&of(one, two)), &[part]);
    }
}

#[test]
fn what_is_over_at_once_has_no_hold_at_a_time_either() {
    let of = |head: &str| {
        format!("{head}[workload]\n[[step]]\nat = \"1s\"\nhold = \"1s\"\nbit-rot = 1\n")
    };
    says(&errors(&of("")), &["`bit-rot` does not last", "x.toml:7:1"]);
    // Of the nemesis everything has a length.
    good(&of("[repro]\nseed = 1\n"));
}

#[test]
fn a_single_replica_is_not_cut() {
    let of = |replicas: &str| {
        format!(
            "[cluster]\nreplicas = {replicas}\n[workload]\n[[step]]\nhold = \"1s\"\n\
             partition = {{ shape = {{ pick = [\"halves\", \"hub\"] }} }}\n"
        )
    };
    let alone = errors(&of("1"));
    says(
        &alone,
        &["no shape fits a cluster of 1", "no links to others"],
    );
    assert!(!alone.contains("such as \"halves\""), "{alone}");
    good(&of("3"));
}

#[test]
fn deaths_are_of_recoveries() {
    let of = |kill: &str| {
        format!("[workload]\n[[step]]\nhold = \"1s\"\nkill = {{ replicas = 1, {kill} }}\n")
    };
    good(&of("boundary = \"in-recovery\", deaths = \"1..4\""));
    good(&of(
        "boundary = { pick = [\"now\", \"in-recovery\"] }, deaths = 2",
    ));
    for (kill, part) in [
        ("deaths = 2", "`deaths` are of recoveries"),
        (
            "boundary = \"in-step\", deaths = 2",
            "`deaths` are of recoveries",
        ),
        (
            "boundary = \"in-recovery\", deaths = 0",
            "1 to 100 recoveries",
        ),
        (
            "boundary = \"in-recovery\", deaths = 101",
            "1 to 100 recoveries",
        ),
    ] {
        says(&errors(&of(kill)), &[part]);
    }
}

#[test]
fn a_script_has_an_end() {
    let of = |steps: usize| {
        format!(
            "[workload]\n{}",
            "[[step]]\nsleep = \"1ms\"\n".repeat(steps)
        )
    };
    says(
        &errors(&of(60_001)),
        &["a script of 60001 steps", "at most 60000"],
    );
}

#[test]
fn a_moment_is_of_a_message_or_of_a_file() {
    let of = |rest: &str| {
        format!("[workload]\n[[step]]\npower-loss = {{ replicas = \"r1\", {rest} }}\n")
    };
    for right in [
        "when = { sends = \"accepted\" }",
        "when = { sends = { pick = [\"any\", [\"prepare\", \"promise\"]] } }, keep = \"nothing\"",
        "when = { between = [\"write\", \"sync\"], file = \"log\" }",
    ] {
        good(&of(right));
    }
    for (wrong, said) in [
        ("when = { sends = \"acept\" }", "did you mean `accept`?"),
        ("when = { sent = \"accept\" }", "did you mean `sends`?"),
        ("when = {}", "neither, or both"),
        (
            "when = { sends = \"any\", between = [\"write\", \"sync\"] }",
            "neither, or both",
        ),
        ("when = { sends = \"any\", file = \"log\" }", "no effect"),
        (
            "when = { between = [\"sync\", \"write\"] }",
            "write [\"write\", \"sync\"]",
        ),
        (
            "when = { sends = \"any\" }, boundary = \"in-step\"",
            "a `when` and a `boundary`",
        ),
    ] {
        says(&errors(&of(wrong)), &[said]);
    }
}

#[test]
fn a_share_of_the_clients_is_drawn_with_the_leader() {
    let of = |partition: &str| {
        format!("[workload]\nclients = 5\n[[step]]\nhold = \"1s\"\npartition = {{ {partition} }}\n")
    };
    let with_leader = |share: &str, seed: u64| {
        let text = of(&format!(
            "shape = \"leader-in-minority\", clients = {share}"
        ));
        let plan = draw(&good(&text), seed);
        let Verb::Inject {
            fault: Fault::Partition(Partition::Cut { clients, .. }),
            ..
        } = &plan.script[0].verb
        else {
            panic!("{:?}", plan.script);
        };
        clients.clone()
    };
    let mut halves = BTreeSet::new();
    for seed in 0..20 {
        assert_eq!(with_leader("\"all\"", seed).len(), 5);
        assert_eq!(with_leader("\"none\"", seed), []);
        let half = with_leader("\"half\"", seed);
        assert_eq!(half.len(), 3);
        halves.insert(half);
    }
    assert!(halves.len() > 3, "each seed draws its own: {halves:?}");
    let text = of("shape = \"halves\", clients = \"all\"");
    let plan = draw(&good(&text), 1);
    let Verb::Inject {
        fault: Fault::Partition(Partition::Groups(sides)),
        ..
    } = &plan.script[0].verb
    else {
        panic!("{:?}", plan.script);
    };
    let counted = [&sides[0], &sides[1]].map(|side| (side.replicas.len(), side.clients.len()));
    assert_eq!(counted, [(1, 5), (2, 0)]);
}

#[test]
fn a_share_of_the_clients_is_of_shapes_that_part_some() {
    let of = |clients: u8, partition: &str| {
        format!("[workload]\nclients = {clients}\n[[step]]\npartition = {{ {partition} }}\n")
    };
    good(&of(
        2,
        "shape = { pick = [\"chain\", \"isolate-leader\"] }, clients = \"half\"",
    ));
    for (clients, partition, parts) in [
        (
            2,
            "shape = \"chain\", clients = \"half\"",
            ["`chain` parts no clients", "`isolate-leader`"],
        ),
        (
            2,
            "shape = { pick = [\"chain\", \"hub\"] }, clients = \"half\"",
            ["of no shape that parts them", "`halves`"],
        ),
        (
            2,
            "groups = [[\"r1\"], [\"r2\"]], clients = \"half\"",
            ["of no shape that parts them", "in `groups` they are named"],
        ),
        (
            2,
            "shape = \"isolate-leader\", clients = \"hlaf\"",
            ["`hlaf` is not a share of the clients", "half"],
        ),
        (
            2,
            "shape = \"isolate-leader\", clients = 1",
            ["the number", "\"half\""],
        ),
        (
            0,
            "shape = \"isolate-leader\", clients = \"half\"",
            ["where it may have none", "`groups`"],
        ),
    ] {
        says(&errors(&of(clients, partition)), &parts);
    }
}
