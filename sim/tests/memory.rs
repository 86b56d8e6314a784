//! What `check-history --memory` says is what the process takes, and not a part of it nor more.

#![cfg(target_os = "linux")]

use std::fmt::Write;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};

/// What is said, in bytes.
const SAID: u64 = 64_000_000;

/// What the program and the history take.
const BESIDE: u64 = 24_000_000;

/// Values are enqueued at once, each twice, and dequeued one after another; last comes one that was
/// enqueued before all of them.
fn hard(values: u32) -> String {
    let (mut history, mut time) = (String::new(), 0);
    let mut event = |process: u32, kind: &str, f: &str, value: Option<u32>| {
        time += 1;
        let value = value.map_or("null".to_owned(), |value| value.to_string());
        _ = writeln!(
            history,
            r#"{{"process":{process},"type":"{kind}","f":"{f}","value":{value},"time":{time}}}"#
        );
    };
    event(2 * values, "invoke", "enqueue", Some(values));
    event(2 * values, "ok", "enqueue", Some(values));
    for kind in ["invoke", "ok"] {
        for process in 0..2 * values {
            event(process, kind, "enqueue", Some(process / 2));
        }
    }
    for value in (0..2 * values).map(|at| at * 7 % values).chain([values]) {
        event(2 * values, "invoke", "dequeue", None);
        event(2 * values, "ok", "dequeue", Some(value));
    }
    history
}

#[test]
fn what_is_said_is_what_may_be_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("hard.jsonl");
    std::fs::write(&file, hard(11)).expect("writes");
    let status = Command::new(env!("CARGO_BIN_EXE_synod"))
        .args(["check-history", "--model", "queue", "--memory"])
        .arg((SAID / 1_000_000).to_string())
        .arg(&file)
        .stdout(Stdio::null())
        .status()
        .expect("it runs");
    assert_eq!(status.code(), Some(3), "the memory did not suffice");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the system counts");
    let peak = u64::try_from(usage.max_rss()).expect("a size") * 1024;
    assert!(
        (SAID * 2 / 3..SAID + BESIDE).contains(&peak),
        "{SAID} bytes were said, and {peak} were taken"
    );
}
