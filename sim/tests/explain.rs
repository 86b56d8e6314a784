//! What `explain` says of moments can be looked up, and tried again.

use std::process::Command;

use serde_json::Value;

/// The JSON that a command prints, and its exit status.
fn json(words: &[&str]) -> (Value, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_synod"))
        .args(words)
        .args(["--format", "json", "--no-progress"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("it can be started");
    let text = String::from_utf8(output.stdout).expect("it is text");
    let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    (value, output.status.code())
}

#[test]
fn every_moment_is_one_at_which_the_run_can_go_another_way() {
    for name in [
        "accept-below-promise",
        "commit-over-hole",
        "half-is-a-quorum",
    ] {
        let file = format!("tests/reproducers/{name}.toml");
        let (run, status) = json(&["replay", &file]);
        assert_eq!(status, Some(1));
        let events = run["events"].as_u64().expect("a count");
        let (why, status) = json(&["explain", &file, "--budget", "2"]);
        assert_eq!(status, Some(0));
        let moments = why["bake_in"].as_array().expect("moments");
        assert!(!moments.is_empty(), "{name}");
        let of = |moment: &Value, key: &str| moment[key].as_u64().expect("a number");
        for moment in moments {
            // Beyond the last event nothing is left that could be otherwise.
            assert!(of(moment, "event") < events, "{name}: {moment}");
        }
        assert!(
            moments.is_sorted_by_key(|moment| of(moment, "number")),
            "{name}"
        );
    }
}
