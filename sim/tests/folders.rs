//! The folders that sweeps write: which stay, what is in them, and how a sweep goes on from one.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Stdio};

/// What came of a command.
struct Answer {
    status: Option<i32>,
    said: String,
}

/// Runs the command in this folder, with these variables.
fn run_with(folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Answer {
    let done = Command::new(env!("CARGO_BIN_EXE_synod"))
        .args(words)
        .envs(variables.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    Answer {
        status: done.status.code(),
        said: String::from_utf8_lossy(&done.stderr).into_owned(),
    }
}

fn run(folder: &Path, words: &str) -> Answer {
    let words: Vec<&str> = words.split_whitespace().collect();
    run_with(folder, &words, &[])
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Old sweeps go, and those that somebody named do not.
#[test]
fn folders_of_old_sweeps() {
    let place = folder();
    let at = place.path();
    let sweep = |rest: &str| {
        let made = run(
            at,
            &format!("sweep smoke/healthy-3 --seeds 0..1 --jobs 1 {rest}"),
        );
        assert_eq!(made.status, Some(0), "{}", made.said);
        made.said
    };
    let runs = at.join("target/synod");
    let left = || {
        let entries = std::fs::read_dir(&runs).expect("there are some");
        let names = entries.map(|entry| entry.expect("it can be read").file_name());
        let mut names: Vec<String> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort_unstable();
        names
    };
    assert_eq!(sweep("--out target/synod/20200101-000000-1"), "");
    assert_eq!(
        sweep("--out target/synod/20200102-000000-1 --keep-runs 1"),
        ""
    );
    assert_eq!(sweep("--out target/synod/mine"), "");
    assert_eq!(left().len(), 3, "{:?}", left());
    assert_eq!(sweep("--keep-runs 0"), "");
    assert_eq!(left().len(), 5, "and the link: {:?}", left());
    let said = sweep("-v --keep-runs 3");
    assert!(
        said.contains("removed target/synod/20200101-000000-1"),
        "{said}"
    );
    assert_eq!(sweep("--keep-runs 2"), "", "it is told to who asks");
    let left = left();
    assert!(
        !left.iter().any(|name| name.starts_with("2020")),
        "{left:?}"
    );
    assert_eq!(
        left.len(),
        4,
        "two, the one that was named, the link: {left:?}"
    );
    let latest = std::fs::read_link(runs.join("latest")).expect("it is a link");
    assert!(runs.join(latest).join("results.jsonl").is_file());
}

/// Days since 1970 in UTC.
#[expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the command reads the day as well"
)]
fn days() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("it is later").as_secs() / 86_400
}

/// A night's seeds hang on the day alone, and are told and kept.
#[test]
fn seeds_of_a_night() {
    let place = folder();
    let at = place.path();
    let kept = || {
        let text = std::fs::read_to_string(at.join("out/run.json")).expect("it was written");
        let info: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        info["seeds"].clone()
    };
    let nightly = "sweep smoke/healthy-3 --profile nightly --jobs 1 --out out";
    let today = days();
    let night = run(at, &format!("{nightly} --time 1ms"));
    if days() != today {
        return;
    }
    let (start, end) = (today * 100_000_000, (today + 1) * 100_000_000);
    let told = format!("smoke/healthy-3, seeds {start}..{end}; its base is the day in UTC");
    assert_eq!(night.said.lines().next(), Some(told.as_str()));
    assert_eq!(kept(), serde_json::json!({"start": start, "end": end}));
    let given = run(at, &format!("{nightly} --seeds 3..5"));
    assert_eq!((given.status, given.said.as_str()), (Some(0), ""));
    assert_eq!(kept(), serde_json::json!({"start": 3, "end": 5}));
}
