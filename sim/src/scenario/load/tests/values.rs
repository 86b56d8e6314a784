//! Values that are none: all of a file's are told at once, each in its place, and in our own words.

use toml::Value;

use super::*;
use crate::scenario::embedded::FILES;

/// What serde and the TOML crate call things.
const THEIRS: [&str; 12] = [
    "invalid type",
    "invalid value",
    "invalid length",
    "missing field",
    "unknown field",
    "unknown variant",
    ", expected",
    "struct ",
    "non-zero",
    "u8",
    "u32",
    "i64",
];

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let body = "longer = 2.5
weight = -1
cluster = 5
[network]
loss = \"3ms\"
latency = \"2%\"
[clock]
offset = [\"1ms\", \"2\", \"3ms\"]
[workload]
operations = \"many\"
rate = \"5/s\"
think = \"1s\"
[nemesis]
every = \"1us\"
[[nemesis.fault]]
kill = { replicas = 1, boundary = \"sometime\" }
[[step]]
partition = { groups = [[\"r1\", \"x\"], [\"leader\", \"?\"]] }
[[step]]
kill = { pick = [\"r1\"] }
[[step]]
lose = { kind = [\"acept\", \"promise\"], nth = 0 }
[[step]]
restart = 1
[heal]
core = \"most\"
[checks]
milestones = [\"leader-chnged\", 5]
[end]
time = \"10ms\"
";
    let message = errors(body);
    let places = [
        ("x.toml:4:10", "without a fraction"),
        ("x.toml:5:10", "0 to 1,000"),
        ("x.toml:6:11", "write [cluster]"),
        ("x.toml:8:8", "units: %, ppm"),
        ("x.toml:9:11", "units: s, ms"),
        ("x.toml:11:18", "needs a unit"),
        ("x.toml:13:14", "`many` is not a number"),
        ("x.toml:14:8", "both `rate` and `think`"),
        ("x.toml:17:9", "at least 1ms apart"),
        ("x.toml:19:35", "is no value of `boundary`"),
        ("x.toml:21:32", "`x` is on no side"),
        ("x.toml:21:49", "`?` is on no side"),
        ("x.toml:23:10", "unknown key `pick`"),
        ("x.toml:25:18", "did you mean `accept`?"),
        ("x.toml:25:45", "`nth` counts from 1"),
        ("x.toml:27:11", "`restart` needs to know whom"),
        ("x.toml:29:8", "`most` is not a core"),
        ("x.toml:31:15", "did you mean `leader-changed`?"),
        ("x.toml:31:32", "the number `5` does not belong here"),
    ];
    for (place, part) in places {
        says(&message, &[place, part]);
    }
    // No more than that: nothing is said of what a wrong value would have made of the rest.
    let count = message.matches("error: ").count();
    assert_eq!(count, places.len() + 1, "{message}");
    says(&message, &["the key `replicas` is missing"]);
}

/// Each place of a document, with what is wrong put in its stead.
fn with_each_value(of: &Value, wrong: &Value, whole: &mut dyn FnMut(Value)) {
    match of {
        Value::Table(table) => {
            for (key, inner) in table {
                with_each_value(inner, wrong, &mut |changed| {
                    let mut table = table.clone();
                    table.insert(key.clone(), changed);
                    whole(Value::Table(table));
                });
            }
        }
        Value::Array(list) => {
            for (at, inner) in list.iter().enumerate() {
                with_each_value(inner, wrong, &mut |changed| {
                    let mut list = list.clone();
                    list[at] = changed;
                    whole(Value::Array(list));
                });
            }
        }
        _ => {}
    }
    whole(wrong.clone());
}

/// Every value of the library, replaced by everything that it is not.
#[test]
fn no_value_is_refused_in_the_words_of_others() {
    let wrongs = [
        "\"\"",
        "\"5\"",
        "\"5ms\"",
        "\"no\"",
        "5",
        "-1",
        "0",
        "0.5",
        "true",
        "[]",
        "[5]",
        "{}",
        "99999999999",
        "2024-01-01",
        "{ pick = 1 }",
        "{ pick = [[]] }",
        "\"9..1\"",
    ];
    let names = names();
    let mut refused = 0;
    for (name, text) in FILES.iter().step_by(3) {
        let whole: Value = Value::Table(text.parse().expect("the library is TOML"));
        for wrong in wrongs {
            let wrong = format!("v = {wrong}").parse::<toml::Table>();
            let wrong = wrong.expect("it is TOML").remove("v").expect("it is there");
            with_each_value(&whole, &wrong, &mut |changed| {
                let Value::Table(changed) = changed else {
                    return;
                };
                let text = toml::to_string(&changed).expect("a document");
                let Err(error) = parse(name, &text, &[], &names) else {
                    return;
                };
                refused += 1;
                for problem in error.problems() {
                    let wrong = &problem.wrong;
                    // Names of checks are ours, whatever they are.
                    let help = wrong.help.split("known: ").next().unwrap_or_default();
                    let said = format!("{} {} {help}", wrong.title, wrong.label);
                    for theirs in THEIRS {
                        assert!(!said.contains(theirs), "{name}: {said}\n{text}");
                    }
                    assert!(!wrong.help.is_empty(), "{said}\n{text}");
                }
            });
        }
    }
    assert!(refused > 1_000, "{refused}");
}

#[test]
fn what_can_never_do_anything_is_refused() {
    let step = |fault: &str| format!("[workload]\n[[step]]\n{fault}\n");
    for (fault, part) in [
        (
            "lose = { from = \"r1\", to = \"r1\" }",
            "a link from a replica to itself",
        ),
        (
            "delay = { from = \"leader\", to = \"leader\", by = \"1s\" }",
            "to itself",
        ),
        ("clog = { from = [\"r2\"], to = \"r2\" }", "to itself"),
        ("duplicate = { rate = \"0%\" }", "whose `rate` is nothing"),
        (
            "sync-failure = { replicas = 1, rate = \"0%\" }",
            "whose `rate` is nothing",
        ),
        ("slow-link = { by = \"0s\" }", "whose `by` is nothing"),
        (
            "slow-disk = { replicas = 1, by = \"0ms\" }",
            "whose `by` is nothing",
        ),
        (
            "bit-rot = { replicas = 1, files = \"lgo\" }",
            "its files begin with log-",
        ),
        (
            "kill = { replicas = 1, when = { between = [\"write\", \"sync\"], file = \"data\" } }",
            "no file of this engine begins with `data`",
        ),
        ("hold = \"0s\"\npause = 1", "over when it begins"),
        (
            "partition = { groups = [[\"c1\"], [\"c2\"]] }",
            "a partition among clients",
        ),
        ("resume = \"all\"", "a `resume` where nothing pauses"),
    ] {
        says(&errors(&step(fault)), &[part, "x.toml:6:"]);
    }
    for fault in [
        "lose = { from = \"r1\", to = [\"r1\", \"r2\"] }",
        "bit-rot = { replicas = 1, files = \"log\" }",
        "bit-rot = { replicas = 1, files = \"log-00000001\" }",
        "hold = \"0s\"\nkill = 1",
        "pause = \"r1\"\n[[step]]\nresume = \"r1\"",
    ] {
        good(&step(fault));
    }
    let strikes = "[workload]\n[repro]\nseed = 1\nstrikes = [{ event = 9, replica = 1, after = 0, \
                   by = \"kill\", keep = [";
    good(&format!("{strikes}\"log-00000002#7+\"] }}]\n"));
    says(
        &errors(&format!("{strikes}\"nonsense#1\"] }}]\n")),
        &[
            "no file of this engine begins with `nonsense`",
            "log-, promise-",
        ],
    );
    says(
        &errors(&format!("{strikes}\"log-00000002\"] }}]\n")),
        &["names nothing unsynced", "FILE#7"],
    );
}

#[test]
fn what_is_asked_can_be_done_in_time() {
    let of = |operations: &str, end: &str| {
        format!("[workload]\noperations = {operations}\nrate = \"1000000/s\"\n{end}")
    };
    says(
        &errors(&of("10_000_000", "")),
        &[
            "10000000 operations in 5000000 events",
            "x.toml:5:14",
            "at most 2500000",
        ],
    );
    good(&of("10_000_000", "[end]\nevents = 20_000_000\n"));
    good(&of("2_500_000", ""));
}

#[test]
fn what_takes_no_time_is_refused() {
    for (line, help) in [
        ("[end]\ntime = \"0s\"", "a run lasts 1ms or more"),
        (
            "[heal]\nprogress-within = \"0s..10s\"",
            "1ms or more to make progress",
        ),
        (
            "[heal]\nfirst-answer-within = \"0s\"",
            "1ms or more for its first answer",
        ),
    ] {
        let message = errors(&format!("[workload]\n{line}\n"));
        says(&message, &["out of bounds", "x.toml:6:", help]);
    }
}
