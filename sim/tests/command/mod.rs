//! The command as a user runs it, in a folder of its own.

use std::path::Path;
use std::process::{Command, Stdio};

/// What came of a command.
pub struct Answer {
    /// Its exit status.
    pub status: Option<i32>,
    /// Standard error.
    pub said: String,
    /// Standard output.
    pub data: String,
}

/// Runs the command in this folder, with these variables. It has to end by itself, soon.
pub fn run_with(folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Answer {
    let done = Command::new("timeout")
        .arg("60")
        .arg(env!("CARGO_BIN_EXE_synod"))
        .args(words)
        .envs(variables.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    Answer {
        status: done.status.code(),
        said: String::from_utf8_lossy(&done.stderr).into_owned(),
        data: String::from_utf8_lossy(&done.stdout).into_owned(),
    }
}

/// Runs the command with these words, which spaces part.
pub fn run(folder: &Path, words: &str) -> Answer {
    let words: Vec<&str> = words.split_whitespace().collect();
    run_with(folder, &words, &[])
}

/// An empty folder.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// It is refused with these words, and nothing is printed as data.
pub fn refused(answer: &Answer, status: i32, parts: &[&str]) {
    assert_eq!(answer.status, Some(status), "{}", answer.said);
    for part in parts {
        assert!(answer.said.contains(part), "`{part}` in:\n{}", answer.said);
    }
    assert_eq!(answer.data, "", "{}", answer.said);
}
