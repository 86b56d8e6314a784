//! Data that cannot be written to standard output is no success, of any command; a reader that went
//! away is none of our business.

#![cfg(target_os = "linux")]

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

/// The status of a command, and what it says on standard error.
fn run(folder: &Path, words: &[&str], stdout: Stdio) -> (Option<i32>, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_synod"))
        .args(words)
        .current_dir(folder)
        .stdout(stdout)
        .output()
        .expect("it runs");
    (
        done.status.code(),
        String::from_utf8_lossy(&done.stderr).into_owned(),
    )
}

#[test]
fn what_cannot_be_printed_is_told_by_the_status() {
    let folder = tempfile::tempdir().expect("a folder");
    let history = r#"{"process":0,"type":"invoke","f":"read","value":null}
{"process":0,"type":"ok","f":"read","value":null}"#;
    std::fs::write(folder.path().join("history.jsonl"), history).expect("writes");
    let seeds = ["smoke/healthy-3", "--seeds", "0..3", "--jobs", "1"];
    let sweep = |format| [&["sweep", "--format", format], &seeds[..]].concat();
    let commands = [
        sweep("human"),
        sweep("json"),
        sweep("jsonl"),
        vec!["replay", "smoke/healthy-3", "--seed", "0"],
        vec![
            "hunt",
            "accept-below-promise",
            "--runs",
            "1",
            "--up-to",
            "0",
        ],
        vec!["check-history", "history.jsonl", "--model", "register"],
        vec!["bugs", "list"],
        vec!["scenario", "list"],
        vec!["completions", "bash"],
        vec!["--help"],
    ];
    for words in commands {
        let full = File::options()
            .write(true)
            .open("/dev/full")
            .expect("it is there");
        let (status, said) = run(folder.path(), &words, full.into());
        assert_eq!(status, Some(70), "{words:?}: {said}");
        assert_eq!(
            said.matches("No space left").count(),
            1,
            "{words:?}: {said}"
        );
        let (reader, gone) = std::io::pipe().expect("a pipe");
        drop(reader);
        let (status, said) = run(folder.path(), &words, gone.into());
        // Whether one run finds the bug is not what this is about.
        let usual = status == Some(0) || words[0] == "hunt" && status == Some(1);
        assert!(usual, "{words:?}: {status:?}, {said}");
        assert!(!said.contains("Broken pipe"), "{words:?}: {said}");
    }
}
