//! Names that scenarios use and others define.

use super::{HEAD, errors, errors_of, good, says};
use crate::glossary::names;
use crate::scenario::embedded;
use crate::scenario::load::parse;
use crate::scenario::names::SubjectNames;

#[test]
fn an_unknown_name_is_underlined_and_the_right_one_suggested() {
    let message = errors("[workload]\n[checks]\nmilestones = [\"halted\", \"leader-chnged\"]\n");
    let picture = "error: `leader-chnged` is not a milestone
 --> scenarios/x.toml:6:25
  |
6 | milestones = [\"halted\", \"leader-chnged\"]
  |                         ^^^^^^^^^^^^^^^ unknown
  |
  = help: did you mean `leader-changed`? known: campaigned, client-duplicated,";
    assert!(message.starts_with(picture), "{message}");
}

#[test]
fn a_failure_is_a_check_or_a_class() {
    let of = |fails: &str| format!("[workload]\n[checks]\nfails = \"{fails}\"\n");
    let refused = ["`everything` is not a check or a class", "x.toml:6:9"];
    says(&errors(&of("everything")), &refused);
    says(
        &errors(&of("unexplaned-halt")),
        &["did you mean `unexplained-halt`?"],
    );
    // A run that passes has not failed.
    says(&errors(&of("pass")), &["`pass` is not"]);
    for known in ["linearizability", "agreement", "recovery-time", "safety"] {
        good(&of(known));
    }
}

#[test]
fn a_subject_is_one_of_the_catalog() {
    says(
        &errors("subject = \"etcd\"\n[workload]\n"),
        &[
            "`etcd` is not an engine under test",
            "x.toml:4:11",
            "known: abd, primary_copy, synod",
        ],
    );
    says(
        &errors("[workload]\n[repro]\nseed = 1\nsubject = \"primary-copy\"\n"),
        &["x.toml:7:11", "did you mean `primary_copy`?"],
    );
    let set = errors_of(&format!("{}[workload]\n", HEAD), &["subject=primary"]);
    says(&set, &["--set:1:9", "`primary` is not an engine"]);
}

#[test]
fn a_kind_of_messages_is_one_of_the_subjects() {
    let of = |before: &str, kind: &str| {
        format!(
            "{before}[workload]\n[[step]]\ndelay = {{ kind = \"{kind}\", by = \"1s\" }}\n\
             [nemesis]\nevery = \"1s\"\n[[nemesis.fault]]\n\
             delay = {{ by = \"1s\", kind = \"{kind}\" }}\n"
        )
    };
    let message = errors(&of("", "acepted"));
    says(
        &message,
        &[
            "`acepted` is not a kind of messages",
            "x.toml:6:18",
            "x.toml:10:29",
            "did you mean `accepted`? known: accept,",
        ],
    );
    good(&of("", "accepted"));
    good(&of("subject = \"synod\"\n", "accepted"));
    // Nobody reads the messages of this one.
    good(&of("subject = \"abd\"\n", "acepted"));
}

#[test]
fn a_reproducer_failed_a_check_and_has_a_digest() {
    let of = |line: &str| format!("[workload]\n[repro]\nseed = 1\n{line}\n");
    says(
        &errors(&of("check = \"agrement\"")),
        &[
            "`agrement` is not a check that a run can fail",
            "x.toml:7:9",
            "did you mean `agreement`?",
        ],
    );
    for known in ["agreement", "panic", "hang", "events", "expectation"] {
        good(&of(&format!("check = \"{known}\"")));
    }
    for digest in ["zzz", "", "123456789ABCDEF0", "0123456789abcdef0"] {
        says(
            &errors(&of(&format!("digest = \"{digest}\""))),
            &["is not a digest", "x.toml:7:10", "16 hexadecimal digits"],
        );
    }
    good(&of("digest = \"0123456789abcdef\""));
}

#[test]
fn kinds_are_one_or_several_or_any_and_picked() {
    let of = |kind: &str| {
        format!(
            "[workload]\n[nemesis]\nevery = \"1s\"\n[[nemesis.fault]]\n\
             hold-back = {{ to = \"r1\", kind = {kind}, until = \"leader-changed\" }}\n"
        )
    };
    for right in [
        "\"promise\"",
        "\"any\"",
        "[\"promise\", \"accepted\"]",
        "{ pick = [\"promise\", \"any\", [\"prepare\", \"accept\"]] }",
    ] {
        good(&of(right));
    }
    for wrong in [
        "\"promis\"",
        "[\"accept\", \"promis\"]",
        "{ pick = [\"accept\", [\"promis\"]] }",
    ] {
        says(
            &errors(&of(wrong)),
            &[
                "`promis` is not a kind of messages",
                "did you mean `promise`?",
            ],
        );
    }
    says(&errors(&of("\"al\"")), &["known: accept, accepted, any,"]);
    says(&errors(&of("[\"any\"]")), &["`any` is not a kind"]);
    says(
        &errors(&of("[]")),
        &["messages of no kind", "kind = \"any\""],
    );
    says(&errors(&of("{ pick = [] }")), &["nothing to pick from"]);
}

#[test]
fn what_is_aimed_counts_from_one_and_waits_for_a_milestone() {
    let of = |verb: &str| format!("[workload]\n[[step]]\n{verb}\n");
    good(&of(
        "lose = { from = \"r2\", to = \"leader\", kind = \"accepted\", nth = 2 }",
    ));
    for verb in ["lose", "corrupt", "duplicate", "hold-back"] {
        good(&of(&format!("{verb} = {{ nth = \"1..3\" }}")));
        says(
            &errors(&of(&format!("{verb} = {{ nth = 0 }}"))),
            &["0 is out of bounds", "`nth` counts from 1"],
        );
    }
    says(
        &errors(&of("hold-back = { until = \"leader-changd\" }")),
        &["did you mean `leader-changed`?", "campaigned"],
    );
}

/// An engine that lives elsewhere has messages of its own: the library is for it too.
#[test]
fn a_scenario_of_no_engine_may_name_the_messages_of_any() {
    let mut names = names();
    let guest = SubjectNames {
        name: "guest",
        messages: &["copied"],
        files: &[],
        bugs: Vec::new(),
    };
    names.subjects.insert(0, guest);
    for (name, text) in embedded::FILES {
        let read = parse(name, text, &[], &names);
        assert!(read.is_ok(), "{read:?}");
    }
    let lose = |kind: &str, more: &str| {
        let body = format!("{more}[[step]]\nhold = \"1s\"\nlose = {{ kind = \"{kind}\" }}\n");
        let body = format!("{HEAD}{body}[workload]\nclients = 2\noperations = 20\n");
        parse("x", &body, &[], &names)
    };
    assert!(lose("copied", "").is_ok() && lose("accept", "").is_ok());
    assert!(lose("nobody's", "").is_err());
    let refused = lose("accept", "subject = \"guest\"\n").expect_err("it has no such message");
    says(
        &refused.to_string(),
        &["`accept` is not a kind of messages"],
    );
}
