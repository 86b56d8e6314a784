//! What the README and the documents tell people to paste is what the command takes, and the way from
//! red to a regression is walked.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser as _;
use synod_reports::record::Verdict;
use synod_sim::cli::Cli;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All documents for people.
fn documents() -> Vec<PathBuf> {
    let mut found = vec![
        root().join("README.md"),
        root().join("engine/explore/README.md"),
    ];
    for folder in ["sim/docs", "xtask/docs"] {
        let entries = std::fs::read_dir(root().join(folder)).expect("it is there");
        found.extend(entries.map(|entry| entry.expect("it can be read").path()));
    }
    found.sort();
    found
}

/// The words of a shell's line, with simple quotes and without a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in line.chars() {
        let is_fresh = words.last().is_some_and(String::is_empty);
        match c {
            '\'' => is_quoted = !is_quoted,
            '#' if is_fresh && !is_quoted => break,
            ' ' if !is_quoted && is_fresh => {}
            ' ' if !is_quoted => words.push(String::new()),
            c => words.last_mut().expect("there is one").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The commands of a document, without what calls the program.
fn commands(file: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(file).expect("it can be read");
    let lines = text.lines();
    lines
        .filter_map(|line| line.trim().strip_prefix("cargo run --release -- "))
        // What a shell fills in is not known here, nor what comes behind a pipe asked of us.
        .filter(|line| !line.contains('$'))
        .map(|line| words(line.split(" | ").next().unwrap_or_default()))
        .collect()
}

#[test]
fn every_command_of_a_document_is_one() {
    let mut count = 0;
    for file in documents() {
        for command in commands(&file) {
            let all = std::iter::once("synod").chain(command.iter().map(String::as_str));
            if let Err(error) = Cli::try_parse_from(all) {
                panic!("{}: {command:?}: {error}", file.display());
            }
            count += 1;
        }
    }
    assert!(count > 30, "{count} commands");
}

#[test]
fn every_link_of_a_document_leads_somewhere() {
    for file in documents() {
        let text = std::fs::read_to_string(&file).expect("it can be read");
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap_or_default();
            if !link.contains("://") {
                let target = file.parent().expect("a folder").join(link);
                assert!(target.exists(), "{}: {link}", file.display());
            }
        }
    }
}

/// The chapter of others' bugs names scenarios, checks and planted bugs that there are.
#[test]
fn what_stops_the_bugs_of_others_is_there() {
    let file = root().join("sim/docs/bugs-of-others.md");
    let text = std::fs::read_to_string(file).expect("it can be read");
    let endings = Verdict::ALL.map(Verdict::name);
    let checks: Vec<&str> = synod_sim::run::checks().chain(endings).collect();
    let cards = synod_sim::subject::bug_card::bugs("synod");
    let (mut scenarios, mut planted) = (0, 0);
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        // What was between quotes of code.
        for word in line.split('`').skip(1).step_by(2) {
            if word.contains('/') {
                let scenario = root().join(format!("scenarios/{word}.toml"));
                assert!(scenario.is_file(), "there is no scenario {word}");
                scenarios += 1;
            } else if cards.iter().any(|card| card.name == word) {
                planted += 1;
            } else {
                let is_known = checks.contains(&word) || word == "fsync";
                assert!(is_known, "{word} is neither a check nor a planted bug");
            }
        }
    }
    assert!(scenarios > 20 && planted > 20, "{scenarios}, {planted}");
}

/// The README's way from a planted bug to a reproducer, a card, a page and an issue.
#[test]
fn the_way_from_red_to_a_regression_can_be_pasted() {
    let place = tempfile::tempdir().expect("a folder");
    let red = place.path().display().to_string();
    let readme = std::fs::read_to_string(root().join("README.md")).expect("it can be read");
    let way = readme
        .split("## From red to a regression")
        .nth(1)
        .and_then(|rest| rest.split("```").nth(1))
        .expect("the README has it");
    let mut seen = Vec::new();
    for line in way.lines() {
        let Some(line) = line.strip_prefix("cargo run --release -- ") else {
            continue;
        };
        let words = words(&line.replace("/tmp/red", &red));
        let output = Command::new(env!("CARGO_BIN_EXE_synod"))
            .args(&words)
            .arg("--no-progress")
            .current_dir(root())
            .output()
            .expect("it can be started");
        let expected = match words[0].as_str() {
            "sweep" | "replay" | "trace" => 1,
            _ => 0,
        };
        assert_eq!(output.status.code(), Some(expected), "{line}");
        seen.push(words[0].clone());
    }
    assert_eq!(
        seen,
        ["bugs", "sweep", "replay", "explain", "trace", "triage"]
    );
    let page = std::fs::read_to_string(place.path().join("page.html")).expect("it was written");
    assert!(page.contains("contract"));
}
