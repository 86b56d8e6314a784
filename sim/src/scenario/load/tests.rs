//! Whole files: what is read from them, and what is said about what is wrong in them.

mod cuts;
mod extending;
mod length;
mod names;
mod overrides;
mod selectors;
mod values;

use proptest::prelude::*;

use super::*;
use crate::glossary::names;
use crate::plan::draw::draw;

const HEAD: &str = "format = 1\ntitle = \"t\"\nwhy = \"w\"\n";

fn errors(body: &str) -> String {
    errors_of(&format!("{HEAD}{body}"), &[])
}

fn errors_of(text: &str, sets: &[&str]) -> String {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    parse("x", text, &sets, &names())
        .expect_err("this scenario is wrong")
        .to_string()
}

fn good(body: &str) -> Scenario {
    parse("x", &format!("{HEAD}{body}"), &[], &names()).unwrap_or_else(|error| panic!("{error}"))
}

/// Every part of the message is there.
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing in:\n{message}");
    }
}

#[test]
fn an_unknown_verb_is_underlined_and_the_right_one_suggested() {
    let message = errors("\n[[step]]\n# away with it\ncrsh = { replicas = \"r1\" }\n");
    let picture = "error: unknown key `crsh`
 --> scenarios/x.toml:7:1
  |
7 | crsh = { replicas = \"r1\" }
  | ^^^^ not a verb of a step
  |
  = help: did you mean `kill`? verbs: bit-rot, clock-drift, clock-jump, clog, corrupt, delay, \
                   disk-full, disk-loss, disk-stall, duplicate, expect, heal, hold-back, invoke, kill,";
    assert!(message.starts_with(picture), "{message}");
}

#[test]
fn unknown_keys_at_any_depth() {
    says(
        &errors("[cluster]\nreplica = 3\n"),
        &[
            "unknown key `replica`",
            "x.toml:5:1",
            "not a key of `[cluster]`",
            "did you mean `replicas`?",
            "heartbeat",
        ],
    );
    says(
        &errors("[clustr]\nreplicas = 3\n"),
        &[
            "unknown key `clustr`",
            "x.toml:4:2",
            "did you mean `cluster`?",
        ],
    );
    says(
        &errors("[network]\nlatency = { shape = \"exponential\", men = \"1ms\", max = \"2ms\" }\n"),
        &["unknown key `men`", "did you mean `mean`?"],
    );
    says(
        &errors("[[step]]\npower-loss = { replicas = 1, kep = \"any\" }\n"),
        &["unknown key `kep`", "x.toml:5:30", "did you mean `keep`?"],
    );
    says(
        &errors("[nemesis]\nevery = \"1s\"\n[[nemesis.fault]]\nwieght = 1\nkill = 1\n"),
        &[
            "unknown key `wieght`",
            "did you mean `weight`?",
            "not a fault",
        ],
    );
    says(
        &errors("[[step]]\npower_loss = \"all\"\n"),
        &["did you mean `power-loss`?"],
    );
    says(
        &errors("[engine]\nwindow = { pck = [1] }\n"),
        &["unknown key `pck`", "did you mean `pick`?"],
    );
}

#[test]
fn several_wrong_keys_are_told_at_once() {
    let message = errors("[cluster]\nreplica = 3\n[disk]\nsnc = \"1ms\"\n");
    says(&message, &["`replica`", "`snc`", "did you mean `sync`?"]);
}

#[test]
fn a_title_a_why_and_a_format_are_needed() {
    says(
        &errors_of("format = 1\nwhy = \"w\"\n", &[]),
        &[
            "the key `title` is missing",
            "scenarios/x.toml",
            "what happens, in a few words",
        ],
    );
    says(
        &errors_of("format = 1\ntitle = \"t\"\n", &[]),
        &["the key `why` is missing"],
    );
    says(
        &errors_of("title = \"t\"\nwhy = \"w\"\n", &[]),
        &["the key `format` is missing"],
    );
    says(
        &errors_of("format = 2\ntitle = \"t\"\nwhy = \"w\"\n", &[]),
        &["2 is out of bounds", "1:10", "this build reads format = 1"],
    );
    says(
        &errors_of("format = 1\ntitle = \"\"\nwhy = \" \"\n", &[]),
        &["an empty `title`", "an empty `why`"],
    );
    says(&errors_of("", &[]), &["the key `title` is missing"]);
}

#[test]
fn broken_toml_has_a_place() {
    says(&errors("[cluster\nreplicas = 3\n"), &["x.toml:4:"]);
    says(
        &errors("[cluster]\nreplicas = 3\nreplicas = 5\n"),
        &["a key that is there twice", "x.toml:6:1", "take one"],
    );
}

#[test]
fn wrong_units_and_types_are_underlined() {
    says(
        &errors("[network]\nloss = \"5ms\"\n"),
        &[
            "wrong unit in `5ms`",
            "x.toml:5:8",
            "`ms` is not a unit of a probability",
            "units: %, ppm",
        ],
    );
    says(
        &errors("[network]\nlatency = \"5\"\n"),
        &["a time needs a unit", "\"150ms\""],
    );
    says(
        &errors("[network]\nlatency = 5\n"),
        &["a time needs a unit"],
    );
    says(
        &errors("[network]\nloss = 0.05\n"),
        &[
            "the fraction `0.05` does not belong here",
            "x.toml:5:8",
            "a probability such as \"5%\"",
        ],
    );
    says(
        &errors("[cluster]\nreplicas = \"3ms\"\n"),
        &["`ms` does not belong here"],
    );
    says(
        &errors("[engine]\nsegment = \"4KB\"\n"),
        &["`KB` is not a unit of a size", "KiB"],
    );
    says(
        &errors("cluster = 3\n"),
        &["`cluster` is a section", "x.toml:4:11", "write [cluster]"],
    );
    says(
        &errors("step = \"kill\"\n"),
        &["`step` is a list of tables", "write [[step]]"],
    );
    says(
        &errors("[workload]\nthink = { shape = \"normal\", mean = \"1ms\" }\n"),
        &[
            "`normal` is no value of `shape`",
            "\"constant\", \"uniform\", \"exponential\"",
        ],
    );
    says(
        &errors("[workload]\nthink = { shape = \"exponential\", mean = \"1ms\" }\n"),
        &["a `mean` and a `max`"],
    );
}

#[test]
fn empty_ranges_and_picks() {
    says(
        &errors("[engine]\nwindow = \"8..4\"\n"),
        &["the range `8..4` is empty", "\"4..8\"", "x.toml:5:10"],
    );
    says(
        &errors("[engine]\nwindow = { pick = [] }\n"),
        &["nothing to pick from"],
    );
    says(
        &errors("[[step]]\npartition = { shape = { pick = [] } }\n"),
        &["nothing to pick from"],
    );
    says(
        &errors("[cluster]\nelection-timeout = \"300ms..150ms\"\n"),
        &["is empty"],
    );
}

#[test]
fn impossible_clusters() {
    says(
        &errors("[workload]\n[cluster]\nreplicas = 0\n"),
        &["0 is out of bounds", "1 to 9 replicas"],
    );
    says(
        &errors("[workload]\n[cluster]\nreplicas = \"3..11\"\n"),
        &["3 to 11 is out of bounds", "x.toml:6:12"],
    );
    says(
        &errors("[workload]\n[heal]\ncore = 4\n"),
        &["a core of 4 in a cluster of 3", "larger than the cluster"],
    );
    says(
        &errors("[workload]\n[heal]\ncore = [\"r1\", \"r2\", \"r4\"]\n"),
        &["there is no replica `r4`", "x.toml:6:21"],
    );
    says(
        &errors("[workload]\n[cluster]\nreplicas = 5\n[heal]\ncore = 2\n"),
        &["a core of 2 in a cluster of 5", "not a majority"],
    );
    says(
        &errors("[workload]\n[heal]\ncore = \"most\"\n"),
        &["`most` is not a core", "majority"],
    );
}

#[test]
fn heartbeats_fit_the_election_timeout() {
    let message = errors(
        "[workload]\n[cluster]\nelection-timeout = \"100ms..200ms\"\nheartbeat = \"60ms\"\n",
    );
    says(
        &message,
        &[
            "a heartbeat of 60ms against an election timeout of 100ms",
            "x.toml:7:13",
            "at most \"50ms\"",
        ],
    );
    says(
        &errors("[workload]\n[cluster]\nheartbeat = \"20ms..80ms\"\n"),
        &["a heartbeat of 80ms against an election timeout of 150ms"],
    );
    says(
        &errors("[workload]\n[cluster]\nelection-timeout = \"1ms..2ms\"\n"),
        &["1ms to 2ms is out of bounds", "at least 4ms"],
    );
}

#[test]
fn segments_are_whole_sectors() {
    says(
        &errors("[workload]\n[engine]\nsegment = \"5000B\"\n"),
        &["not a multiple of 512", "\"5KiB\""],
    );
    says(
        &errors("[workload]\n[engine]\nsegment = \"1KiB\"\n"),
        &["1KiB is out of bounds"],
    );
}

#[test]
fn unknown_replicas_and_clients() {
    says(
        &errors("[workload]\n[[step]]\nkill = \"r4\"\n"),
        &["there is no replica `r4`", "x.toml:6:8", "r1 to r3"],
    );
    says(
        &errors("[workload]\n[[step]]\nkill = { replicas = [\"r1\", \"r5\"] }\n"),
        &["there is no replica `r5`", "x.toml:6:28"],
    );
    says(
        &errors("[workload]\n[[step]]\nkill = \"leadr\"\n"),
        &["`leadr` selects no replicas", "did you mean `leader`?"],
    );
    says(
        &errors("[workload]\n[[step]]\nkill = 4\n"),
        &["a number of replicas that the cluster does not have"],
    );
    says(
        &errors("[workload]\n[[step]]\nrestart = 1\n"),
        &["`restart` needs to know whom"],
    );
    let message = errors(
        "[workload]\nclients = 2\n[[step]]\npartition = { groups = [[\"leader\", \"c1\"], \
         [\"others\", \"c7\"]] }\n",
    );
    says(
        &message,
        &["there is no client `c7`", "x.toml:7:54", "c1 to c2"],
    );
    says(
        &errors("[[step]]\ninvoke = { client = \"joe\", op = \"get\", key = \"x\" }\n"),
        &[
            "`joe` is not the name of a client",
            "x.toml:5:21",
            "c1 to c64",
        ],
    );
    says(
        &errors("[[step]]\npartition = { groups = [[\"leader\"], [\"leader\"]] }\n"),
        &["on two sides"],
    );
    says(
        &errors("[[step]]\npartition = { groups = [[\"leader\"]] }\n"),
        &["two sides or more"],
    );
}

#[test]
fn a_step_has_exactly_one_verb() {
    let message = errors("[workload]\n[[step]]\nkill = \"r1\"\npause = \"r2\"\n");
    says(
        &message,
        &[
            "several verbs in a step: `kill`, `pause`",
            "x.toml:7:1",
            "a second verb",
        ],
    );
    says(
        &errors("[workload]\n[[step]]\nafter = \"1s\"\n"),
        &["a step without a verb", "x.toml:5:", "verbs: bit-rot"],
    );
    says(
        &errors("[workload]\n[nemesis]\nevery = \"1s\"\n[[nemesis.fault]]\nkill = 1\npause = 1\n"),
        &["several verbs in a fault"],
    );
    says(
        &errors("[workload]\n[[step]]\nat = \"1s\"\nafter = \"1s\"\nkill = \"r1\"\n"),
        &["both `at` and `after`"],
    );
    says(
        &errors("[workload]\n[[step]]\nhold = \"1s\"\nsleep = \"1s\"\n"),
        &["a `hold` without a fault"],
    );
    says(
        &errors("[workload]\n[[step]]\nexpect = { within = \"1s\" }\n"),
        &["exactly one thing"],
    );
    says(
        &errors(
            "[workload]\n[[step]]\nexpect = { leader = \"any\", within = \"1s\", for = \"1s\" }\n",
        ),
        &["both `within` and `for`"],
    );
}

#[test]
fn operations_have_their_values() {
    says(
        &errors("[[step]]\ninvoke = { client = \"c1\", op = \"put\", key = \"x\" }\n"),
        &["`put` with the wrong values"],
    );
    says(
        &errors("[[step]]\ninvoke = { client = \"c1\", op = \"gt\", key = \"x\" }\n"),
        &[
            "`gt` is no value of `op`",
            "did you mean `get`?",
            "x.toml:5:32",
        ],
    );
    says(
        &errors("[[step]]\ninvoke = { client = \"c1\", op = \"get\" }\n"),
        &["the key `key` is missing"],
    );
    says(
        &errors(
            "[[step]]\ninvoke = { client = \"c1\", op = \"get\", key = \"x\", expect = \"fine\" \
             }\n",
        ),
        &["\"timeout\""],
    );
}

#[test]
fn phases_follow_each_other() {
    says(
        &errors("[workload]\n[heal]\nat = \"10s\"\n[end]\ntime = \"5s\"\n"),
        &["the end comes before", "x.toml:8:8"],
    );
    says(
        &errors("[workload]\n[heal]\nat = \"10s\"\n[[step]]\nat = \"11s\"\nkill = \"r1\"\n"),
        &["a step after the heal"],
    );
    says(
        &errors(
            "[workload]\n[heal]\nat = \"100000s\"\n[nemesis]\nevery = \
             \"1ms\"\n[[nemesis.fault]]\nkill = 1\n",
        ),
        &["too many faults"],
    );
    says(
        &errors("[workload]\n[nemesis]\nevery = \"1us\"\n[[nemesis.fault]]\nkill = 1\n"),
        &["1us is out of bounds", "at least 1ms apart"],
    );
    says(
        &errors("[workload]\n[nemesis]\nevery = \"1s\"\nfault = []\n"),
        &["a nemesis without faults"],
    );
    says(
        &errors("[workload]\n[nemesis]\n[[nemesis.fault]]\nkill = 1\n"),
        &["a nemesis without a pace"],
    );
}

#[test]
fn past_the_budget_damage_may_strike_anybody_and_must_be_seen() {
    let file = |steps: &str| format!("[workload]\n[nemesis]\nbudget = \"none\"\n{steps}");
    let leader = "[[step]]\nbit-rot = \"leader\"\n";
    assert!(good(&file(leader)).nemesis.is_none());
    says(
        &errors(&file("[[step]]\nmisdirected-write = 1\n")),
        &["nothing reveals a misdirected write on every copy"],
    );
}

#[test]
fn bit_rot_stays_within_the_budget() {
    says(
        &errors("[workload]\n[[step]]\nbit-rot = \"leader\"\n"),
        &["must be known beforehand"],
    );
    says(
        &errors("[workload]\n[heal]\ncore = \"all\"\n[[step]]\nbit-rot = 1\n"),
        &["beyond the redundancy budget"],
    );
    says(
        &errors("[workload]\n[[step]]\nbit-rot = [\"r1\", \"r2\"]\n"),
        &["beyond the redundancy budget", "can lose 1"],
    );
    says(
        &errors("[workload]\n[heal]\ncore = [\"r1\", \"r2\"]\n[[step]]\nbit-rot = \"r1\"\n"),
        &["which is in the core"],
    );
}

#[test]
fn a_run_has_a_purpose() {
    says(
        &errors("[[step]]\nkill = \"r1\"\n"),
        &["nobody asks anything"],
    );
    says(
        &errors("[workload]\nmix = { get = 0 }\n"),
        &["a mix of nothing"],
    );
    says(
        &errors("[workload]\n[checks]\nat-least = \"50%\"\n"),
        &["`at-least` without `fails`"],
    );
    says(
        &errors(
            "[workload]\n[repro]\nseed = 1\n\
             branches = [{ event = 9, salt = 1 }, { event = 8, salt = 1 }]\n",
        ),
        &["branches out of order", "x.toml:7:12", "of their events"],
    );
    says(
        &errors("[workload]\n[repro]\nseed = 1\nbranches = [{ event = 9 }]\n"),
        &["x.toml:7:13", "salt"],
    );
    for (replica, parts) in [
        (0, ["0 is out of bounds", "x.toml:7:35", "1 for r1"]),
        (4, ["there is no replica `r4`", "x.toml:7:11", "r1 to r3"]),
    ] {
        let strike = format!("{{ event = 9, replica = {replica}, after = 0, by = \"kill\" }}");
        says(
            &errors(&format!(
                "[workload]\n[repro]\nseed = 1\nstrikes = [{strike}]\n"
            )),
            &parts,
        );
    }
    says(
        &errors("[workload]\n[clock]\ndrift = [\"1ppm\"]\n"),
        &["a list of 1 clocks"],
    );
    says(
        &errors("[workload]\nrate = \"5/s\"\nthink = \"1s\"\n"),
        &["both `rate` and `think`"],
    );
}

#[test]
fn values_are_as_large_as_is_said_or_refused() {
    let of =
        |size: &str| format!("[engine]\nsegment = \"4KiB\"\n[workload]\nvalue-size = \"{size}\"\n");
    for (size, bytes) in [("0B", 0), ("1024B", 1024), ("1500B", 1500), ("1792B", 1792)] {
        assert_eq!(draw(&good(&of(size)), 1).workload.value_size, bytes);
    }
    says(
        &errors(&of("1000B..2KiB")),
        &[
            "values of 2KiB in segments of 4KiB",
            "x.toml:7:14",
            "write at most \"1792B\"",
        ],
    );
    good("[workload]\nvalue-size = \"4KiB\"\n");
    says(
        &errors("[workload]\nvalue-size = \"5KiB\"\n"),
        &["5KiB is out of bounds", "x.toml:5:14", "up to 4KiB"],
    );
}

#[test]
fn overrides_change_the_document() {
    let sets = [
        "cluster.replicas=5",
        "network.loss=1%",
        "workload.keys = 2..3",
        "engine.window={ pick = [7] }",
        "checks.milestones=[\"leader-changed\"]",
    ]
    .map(str::to_owned);
    let plan = draw(
        &parse(
            "x",
            &format!("{HEAD}[workload]\n[cluster]\nreplicas = 3\n"),
            &sets,
            &names(),
        )
        .unwrap(),
        1,
    );
    assert_eq!(
        (
            plan.cluster.replicas,
            plan.network.loss,
            plan.cluster.knobs.window
        ),
        (5, 10_000, 7)
    );
    assert!((2..=3).contains(&plan.workload.keys));
    assert_eq!(plan.checks.milestones, ["leader-changed"]);
    let sets = ["nemesis.fault.0.weight=9".to_owned()];
    let scenario = parse(
        "x",
        &format!("{HEAD}[workload]\n[nemesis]\nevery = \"1s\"\n[[nemesis.fault]]\nkill = 1\n"),
        &sets,
        &names(),
    )
    .unwrap();
    assert_eq!(scenario.nemesis.unwrap().faults[0].weight, 9);
}

#[test]
fn wrong_overrides_point_at_themselves() {
    let text = format!("{HEAD}[workload]\n");
    says(
        &errors_of(&text, &["cluster.replica=5"]),
        &[
            "unknown key `replica`",
            "--> --set:1:1",
            "cluster.replica=5",
            "did you mean `replicas`?",
        ],
    );
    says(
        &errors_of(&text, &["network.loss=1ms"]),
        &["wrong unit in `1ms`", "--> --set:1:14"],
    );
    says(
        &errors_of(&text, &["engine.window=1", "network.loss=1ms"]),
        &["--> --set:1:14"],
    );
    says(
        &errors_of(&text, &["network.loss"]),
        &["an override without a value", "--set KEY=VALUE"],
    );
    says(&errors_of(&text, &["=1"]), &["could be a key"]);
    says(
        &errors_of(&text, &["title.x=1"]),
        &["the override finds no `x`", "not a table"],
    );
    says(&errors_of(&text, &["step.3.kill=r1"]), &["--set"]);
    says(
        &errors_of(&text, &["cluster.replicas=12"]),
        &["12 is out of bounds", "--set:1:18"],
    );
}

#[test]
fn files_that_cannot_be_read() {
    says(
        &load_file(Path::new("/no/such.toml"), &[], &names())
            .unwrap_err()
            .to_string(),
        &["cannot read the scenario", "/no/such.toml"],
    );
    says(
        &load_file(Path::new("/"), &[], &names())
            .unwrap_err()
            .to_string(),
        &["this is a folder"],
    );
}

#[test]
fn names_come_from_paths() {
    for (path, name) in [
        ("scenarios/safety/x.toml", "safety/x"),
        ("scenarios/x.toml", "x"),
        ("x.toml", "x"),
        ("/a/b/c.toml", "b/c"),
    ] {
        assert_eq!(name_of(Path::new(path)), name);
    }
}

#[test]
fn the_documented_examples_load() {
    let scripted = good(
        "[cluster]\nreplicas = 3\nelection-timeout = \"150ms..300ms\"\n[network]\nlatency = \
         \"1ms\"\n[[step]]\nexpect = { leader = \"any\", within = \"2s\" }\n[[step]]\ninvoke = { \
         client = \"c1\", op = \"put\", key = \"x\", value = \"1\", expect = \"ok\" \
         }\n[[step]]\npartition = { groups = [[\"leader\", \"c1\"], [\"others\", \"c2\"]] \
         }\n[[step]]\ninvoke = { client = \"c2\", op = \"get\", key = \"x\", expect = \
         [\"timeout\", \"refused\"] }\n[[step]]\nafter = \"10ms\"\npower-loss = { replicas = \
         \"others\", keep = \"any\" }\n[[step]]\nafter = \"50ms\"\nrestart = \
         \"others\"\n[[step]]\nheal = \"all\"\n[[step]]\nexpect = { value = { key = \"x\", is = \
         \"2\" }, within = \"5s\" }\n[checks]\nmilestones = [\"leader-changed\"]\n[end]\ntime = \
         \"15s\"\n",
    );
    let plan = draw(&scripted, 0);
    assert_eq!(
        (plan.script.len(), plan.nemesis.len(), plan.workload.clients),
        (8, 0, 0)
    );
    assert_eq!(plan.script[2].line, 14);
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,80}(\n\\PC{0,40}){0,4}") {
        let _ = parse("x", &text, &[], &names()).map_err(|error| error.to_string());
    }

    /// Damaged files of the library are an error or a scenario that can be drawn.
    #[test]
    fn no_damaged_file_panics(
        file in 0..crate::scenario::embedded::FILES.len(),
        at in 0..4_000usize,
        length in 0..12usize,
        with in "[-a-z0-9\"{}\\[\\]=.,%\n ]{0,6}",
    ) {
        let (name, text) = crate::scenario::embedded::FILES[file];
        let at = at % text.len();
        let end = (at + length).min(text.len());
        if let (Some(before), Some(after)) = (text.get(..at), text.get(end..)) {
            match parse(name, &format!("{before}{with}{after}"), &[], &names()) {
                Ok(scenario) => drop(draw(&scenario, 7)),
                Err(error) => prop_assert!(error.to_string().starts_with("error: ")),
            }
        }
    }

    #[test]
    fn no_override_panics(set in "[a-z.0-9-]{0,20}=?[-a-z0-9\"{}\\[\\]=.,%\n é]{0,12}") {
        let _ = parse(
            "x",
            &format!("{HEAD}[workload]\n"),
            &[set],
            &names(),
        ).map_err(|error| error.to_string());
    }
}
