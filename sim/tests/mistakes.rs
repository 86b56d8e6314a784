//! What a new user types wrong: each is answered by the status that the contract says, and by a
//! message that says what, where, and what to write instead.

#![cfg(target_os = "linux")]

mod command;

use std::process::Command;

use command::{folder, refused, run, run_with};

const HEAD: &str = "format = 1\ntitle = \"x\"\nwhy = \"y\"\n";

fn write(folder: &tempfile::TempDir, name: &str, text: &str) {
    std::fs::write(folder.path().join(name), text).expect("it can be written");
}

#[test]
fn names_that_are_none() {
    let place = folder();
    let at = place.path();
    refused(
        &run(at, "sweep safety/ liveness/stall.toml --seeds 0..1"),
        2,
        &["there is no scenario `liveness/stall`, and no such file"],
    );
    refused(
        &run(at, "sweep liveness/deaf-sorce.toml --seeds 0..1"),
        2,
        &["did you mean `liveness/deaf-source`?"],
    );
    refused(
        &run(at, "scenario new"),
        2,
        &["needs a NAME", "synod scenario new safety/my-idea"],
    );
    for name in ["../x", ".x", "a b"] {
        refused(
            &run_with(at, &["scenario", "new", name], &[]),
            2,
            &["is no name of a scenario", "safety/my-idea", "-o FILE"],
        );
    }
    let beside = std::fs::read_dir(at).expect("it is there").count();
    assert_eq!(beside, 0, "nothing was written");
    for words in ["sweep --seeds 0..1", "replay smoke/healthy-3 --seed 0"] {
        refused(
            &run(at, &format!("{words} --beyond-contract")),
            2,
            &["goes beyond the contract of links, and `synod` relies on nothing"],
        );
    }
    refused(
        &run(at, "replay smoke/healthy-3 --seed 0 -vvv"),
        2,
        &["-vv, or SYNOD_VERBOSE=2, shows all that there is"],
    );
    refused(
        &run(at, "bugs list --subject foo"),
        2,
        &["there is no subject `foo`; there is"],
    );
    let none = run(at, "bugs list --subject abd");
    assert_eq!((none.status, none.data.lines().count()), (Some(0), 1));
    assert!(none.said.contains("no bugs can be planted in `abd`"));
}

/// Every scenario and bug that the help shows is there.
#[test]
fn examples_of_the_help_run() {
    let place = folder();
    let at = place.path();
    for command in [
        "",
        "sweep ",
        "replay ",
        "shrink ",
        "hunt ",
        "crash-points ",
        "scenario ",
    ] {
        let help = run(at, &format!("{command}--help"));
        let words = help
            .data
            .lines()
            .filter(|line| line.trim_start().starts_with("synod "))
            .flat_map(str::split_whitespace);
        let words: Vec<&str> = words.collect();
        for pair in words.windows(2) {
            let folders = ["safety/", "liveness/", "storage/", "smoke/", "negative/"];
            if folders.iter().any(|folder| pair[1].starts_with(folder))
                && !["new", "-o"].contains(&pair[0])
            {
                let found = run(at, &format!("scenario check {}", pair[1]));
                assert_eq!(found.status, Some(0), "{command}: {pair:?} {}", found.said);
            }
            if pair[0] == "--bug" {
                let found = run(at, &format!("bugs show {}", pair[1]));
                assert_eq!(found.status, Some(0), "{command}: {pair:?} {}", found.said);
            }
        }
    }
}

#[test]
fn numbers_that_are_none() {
    let place = folder();
    let at = place.path();
    let sweep = |rest: &str| run(at, &format!("sweep smoke/healthy-3 {rest}"));
    refused(&sweep("--seeds 7"), 2, &["say 7..8 for it alone"]);
    refused(&sweep("--seeds random:0"), 2, &["from 1 on", "random:2000"]);
    refused(&sweep("--seeds -3..5"), 2, &["`-3` is no seed", "0..2000"]);
    refused(&sweep("--jobs 100000"), 2, &["say up to"]);
    assert!(!at.join("target").exists(), "nothing ran");
}

#[test]
fn variables_that_hold_nothing_of_use() {
    let place = folder();
    let sweep = |variables: &[(&str, &str)]| {
        run_with(place.path(), &["sweep", "smoke/healthy-3"], variables)
    };
    refused(
        &sweep(&[("SYNOD_JOBS", "x")]),
        2,
        &["SYNOD_JOBS=x in the environment", "1 or more"],
    );
    refused(
        &sweep(&[("SYNOD_SEEDS", "")]),
        2,
        &[
            "SYNOD_SEEDS is set in the environment, and empty",
            "--seeds",
        ],
    );
    refused(
        &sweep(&[
            ("SYNOD_SEEDS", "7"),
            ("SYNOD_JOBS", "0"),
            ("SYNOD_COLOR", "red"),
        ]),
        2,
        &["SYNOD_SEEDS=7", "SYNOD_JOBS=0", "SYNOD_COLOR=red"],
    );
}

#[test]
fn scenarios_that_are_wrong() {
    let place = folder();
    let check = |body: &str| {
        write(&place, "x.toml", &format!("{HEAD}{body}"));
        run(place.path(), "scenario check x.toml")
    };
    let units = "[cluster]\nreplicas = \"3ms\"\nheartbeat = \"5%\"\n[network]\nloss = \"3ms\"\n\
                 latency = \"2%\"\n[workload]\n";
    refused(
        &check(units),
        2,
        &["x.toml:5:12", "x.toml:6:13", "x.toml:8:8", "x.toml:9:11"],
    );
    refused(
        &check("cluster = 5\n[workload]\n"),
        2,
        &["`cluster` is a section", "x.toml:4:11", "write [cluster]"],
    );
    refused(
        &check("[workload]\n[[step]]\npartition = { groups = [[\"r1\"], [\"r7\", \"r8\"]] }\n"),
        2,
        &[
            "no replica `r7`",
            "x.toml:6:34",
            "no replica `r8`",
            "x.toml:6:40",
        ],
    );
    refused(
        &check("[workload]\noperations = 2\noperations = 3\nclients = \"5ms\"\n"),
        2,
        &[
            "there twice",
            "x.toml:6:1",
            "take one of the two out",
            "x.toml:7:11",
        ],
    );
    refused(
        &check("[workload]\noperations = 10_000_000\nrate = \"1000000/s\"\n"),
        2,
        &[
            "10000000 operations in 5000000 events",
            "x.toml:5:14",
            "at most 2500000",
        ],
    );
}

#[test]
fn reproducers_that_were_edited() {
    let place = folder();
    let sweep = "sweep safety/weather-3 --bug accept-below-promise --seeds 0..10 --max-fail 1 \
                 --jobs 1 --out swept";
    assert_eq!(run(place.path(), sweep).status, Some(1));
    let failures = place.path().join("swept/failures");
    let failure = std::fs::read_dir(failures).expect("there is one").next();
    let failure = failure
        .expect("there is one")
        .expect("it can be read")
        .path();
    let repro = std::fs::read_to_string(failure.join("repro.toml")).expect("it is text");
    let replay = |key: &str, line: &str| {
        let changed: Vec<&str> = repro
            .lines()
            .filter_map(|old| match old.starts_with(&format!("{key} = ")) {
                true => (!line.is_empty()).then_some(line),
                false => Some(old),
            })
            .collect();
        write(&place, "r.toml", &(changed.join("\n") + "\n"));
        run(place.path(), "replay r.toml")
    };
    refused(
        &replay("bug", "bug = \"accept-bellow-promise\""),
        2,
        &[
            "is not a bug that can be planted",
            "r.toml:9:7",
            "did you mean `accept-below-promise`?",
        ],
    );
    refused(
        &replay("bug", "bug = \"nope\""),
        2,
        &["`nope` is not a bug", "synod bugs list"],
    );
    for digest in ["xyz", "00AAFF0000000000"] {
        refused(
            &replay("digest", &format!("digest = \"{digest}\"")),
            2,
            &["is not a digest", "r.toml:11:10", "in lower case"],
        );
    }
    refused(
        &replay("check", "check = \"ghst\""),
        2,
        &[
            "is not a check that a run can fail",
            "did you mean `ghost`?",
        ],
    );
    refused(
        &replay("check", "check = \"contract\"\nonly = [\"agrement\"]"),
        2,
        &["`agrement` is not a check", "did you mean `agreement`?"],
    );
    // Without a check the digest alone is compared.
    let unnamed = replay("check", "");
    assert_eq!(unnamed.status, Some(1), "{}", unnamed.said);
    assert!(
        unnamed.data.contains("(the reproducer's)"),
        "{}",
        unnamed.data
    );
    // Another seed is another run: nothing is compared with what the first one was.
    let edited = replay("seed", "seed = 999");
    assert!(matches!(edited.status, Some(0 | 1)), "{}", edited.said);
    assert!(edited.data.contains("not compared"), "{}", edited.data);
}

#[test]
fn what_is_no_file() {
    let place = folder();
    let at = place.path();
    let made = Command::new("mkfifo").arg(at.join("fifo.toml")).status();
    assert!(made.expect("mkfifo is there").success());
    for file in ["/dev/zero", "fifo.toml"] {
        for words in [
            "scenario check",
            "sweep --seeds 0..1",
            "replay",
            "replay --seed 0",
            "shrink",
        ] {
            refused(
                &run(at, &format!("{words} {file}")),
                2,
                &["a device or a pipe", file],
            );
        }
        refused(
            &run(at, &format!("check-history --model register {file}")),
            2,
            &["a device or a pipe", "standard input", file],
        );
    }
}

#[test]
fn histories_of_another_shape() {
    let place = folder();
    let call = r#"{"process":0,"type":"invoke","f":"write","value":1}"#;
    let done = r#"{"process":0,"type":"ok","f":"write","value":1}"#;
    write(&place, "array.json", &format!("[{call},\n{done}]"));
    let array = run(place.path(), "check-history array.json --model register");
    assert_eq!(array.status, Some(0), "{}", array.said);
    assert!(
        array.data.starts_with("linearizable: 1 operation on 1 key"),
        "{}",
        array.data
    );
    write(
        &place,
        "keys.jsonl",
        &call.replace("\"value\"", "\"key\":\"x\",\"value\""),
    );
    refused(
        &run(place.path(), "check-history keys.jsonl --model register"),
        2,
        &["keys.jsonl: line 1: it has a key", "--model kv"],
    );
}

/// Every line that makes no sense is told, and none of what would follow from it.
#[test]
fn histories_with_several_wrong_lines() {
    let place = folder();
    let text = r#"{"process":0,"type":"invoke","f":"write","value":1}
{"process":0,"type":"okay","f":"write","value":1}
{"process":0,"type":"invoke","f":"read","value":null}
{"process":1,"type":"invoke","f":"wrte","value":1}
not json
"#;
    write(&place, "h.jsonl", text);
    let answer = run(place.path(), "check-history h.jsonl --model register");
    refused(
        &answer,
        2,
        &[
            "line 2: unknown type \"okay\"",
            "line 4: unknown f \"wrte\"",
            "line 5: ",
        ],
    );
    assert!(!answer.said.contains("line 3"), "{}", answer.said);
    let array = format!(
        "[{}]",
        text.replace("not json\n", "{}")
            .trim()
            .replace("}\n", "},\n")
    );
    write(&place, "h.json", &array);
    refused(
        &run(place.path(), "check-history h.json --model register"),
        2,
        &["line 2: unknown type", "line 4: unknown f", "line 5: "],
    );
}

#[test]
fn json_is_one_document_or_lines() {
    let place = folder();
    let replay = run(
        place.path(),
        "replay smoke/healthy-3 --seed 0 --format jsonl",
    );
    assert_eq!((replay.status, replay.data.lines().count()), (Some(0), 1));
    let bugs = run(place.path(), "bugs list --format jsonl");
    assert!(bugs.data.lines().count() > 50);
    for line in replay.data.lines().chain(bugs.data.lines()) {
        serde_json::from_str::<serde_json::Value>(line).expect("a line is a document");
    }
}

#[test]
fn results_that_cannot_be_written() {
    let place = folder();
    let at = place.path();
    let sweep = "sweep smoke/healthy-3 --seeds 0..3 --jobs 1";
    refused(
        &run(at, &format!("{sweep} --junit no/such/folder.xml")),
        2,
        &["--junit no/such/folder.xml", "in a folder that is there"],
    );
    assert!(!at.join("target").exists(), "nothing ran");
    // A full disk: what is written there goes nowhere.
    std::fs::create_dir(at.join("full")).expect("it can be made");
    std::os::unix::fs::symlink("/dev/full", at.join("full/results.jsonl")).expect("a link");
    let full = run(at, &format!("{sweep} --out full"));
    assert_eq!(full.status, Some(70), "{}", full.said);
    assert_eq!(
        full.said.matches("No space left").count(),
        1,
        "{}",
        full.said
    );
    assert!(
        full.said.contains("the results there are not complete"),
        "{}",
        full.said
    );
    assert!(!full.data.contains("results in"), "{}", full.data);
    assert!(
        full.data.contains("3 runs of smoke/healthy-3"),
        "{}",
        full.data
    );
}

/// A new scenario passes, each of its faults does something, and it catches bugs.
#[test]
fn a_new_scenario_can_be_tried() {
    let place = folder();
    let at = place.path();
    let made = run(at, "scenario new safety/my-idea");
    assert_eq!(made.status, Some(0), "{}", made.said);
    assert_eq!(made.data, "safety/my-idea.toml\n");
    assert!(at.join("safety/schema/scenario-v1.json").is_file());
    let bugs = "accept-below-promise,read-ignores-apply-lag";
    let words = format!(
        "scenario try {} --seeds 0..6 --bugs {bugs} --bug-seeds 6 --format json --jobs 1",
        made.data.trim_end()
    );
    let tried = run(at, &words);
    assert_eq!(tried.status, Some(0), "{} {}", tried.said, tried.data);
    let all: serde_json::Value = serde_json::from_str(&tried.data).expect("a document");
    assert_eq!((&all["runs"], &all["distinct"]), (&6.into(), &6.into()));
    assert_eq!(all["failed"], serde_json::json!([]));
    for kind in ["kill", "partition", "pause"] {
        let felt = &all["faults"][kind];
        let changed = felt["changed"].as_u64().expect("a number");
        assert!(
            changed > 0 && Some(changed) <= felt["compared"].as_u64(),
            "{felt}"
        );
    }
    let known = ["caught", "missed"].map(|key| all[key].as_array().expect("a list").len());
    assert_eq!(known.iter().sum::<usize>(), 2, "{}", tried.data);
    refused(
        &run(at, "scenario try smoke/healthy-3 --bugs nope"),
        2,
        &["no bug is called `nope`"],
    );
    // What is tried and does nothing is told.
    let idle = "[workload]\noperations = 40\n[heal]\nat = \"5s\"\n[[step]]\nat = \"4s\"\n\
                hold = \"1ms\"\ndisk-full = \"r1\"\n[checks]\nmilestones = [\"rejoined\"]\n";
    write(&place, "idle.toml", &format!("{HEAD}{idle}"));
    let idle = run(
        at,
        "scenario try idle.toml --seeds 0..3 --bugs none --jobs 1",
    );
    assert_eq!(idle.status, Some(4), "{} {}", idle.said, idle.data);
    assert!(
        idle.said.contains("changed nothing in any run: disk-full"),
        "{}",
        idle.said
    );
}

/// The next after the leader that runs is another each time that one is struck, and the leader goes
/// on.
#[test]
fn a_follower_is_none_of_those_that_are_down() {
    let place = folder();
    let steps = "[cluster]\nreplicas = 5\n[workload]\noperations = 300\n[heal]\nat = \"20s\"\n\
                 [[step]]\nexpect = { operations = 50, within = \"10s\" }\n\
                 [[step]]\nkill = \"follower\"\n[[step]]\nkill = \"follower\"\n\
                 [[step]]\nexpect = { leader = \"any\", for = \"500ms\" }\n\
                 [[step]]\nrestart = \"all\"\n\
                 [[step]]\nexpect = { operations = 250, within = \"10s\" }\n";
    write(&place, "x.toml", &format!("{HEAD}{steps}"));
    for seed in 0..3 {
        let run = run(
            place.path(),
            &format!("replay x.toml --seed {seed} --format json"),
        );
        assert_eq!(run.status, Some(0), "{} {}", run.said, run.data);
        let record: serde_json::Value = serde_json::from_str(&run.data).expect("a document");
        assert_eq!(record["faults"]["kill"], 2, "{}", run.data);
    }
    let late = steps.replace("250, within = \"10s\"", "290, within = \"1ms\"");
    write(&place, "x.toml", &format!("{HEAD}{late}"));
    let late = run(place.path(), "replay x.toml --seed 0");
    assert_eq!(late.status, Some(1), "{}", late.data);
    assert!(
        late.data.contains("expected 290 operations to be answered"),
        "{}",
        late.data
    );
}

#[test]
fn a_story_that_is_narrowed_to_nothing() {
    let place = folder();
    for narrow in ["--kind zzz", "--node r99", "--from #99 --until #20"] {
        let none = run(
            place.path(),
            &format!("replay smoke/healthy-3 --seed 0 {narrow}"),
        );
        assert_eq!(none.status, Some(0), "{}", none.said);
        assert!(none.said.contains("nothing of the story fits"), "{narrow}");
    }
    let some = run(place.path(), "replay smoke/healthy-3 --seed 0 --kind leads");
    assert!(
        some.data.contains(" leads at ") && some.said.is_empty(),
        "{}",
        some.said
    );
}
