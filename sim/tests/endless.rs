//! A replica whose step has no end costs seconds, and is named. This program is the command for such
//! an engine when it has words, and the test when it has none.

use std::process::{Command, ExitCode, Stdio};

use synod_sim::prelude::*;
use synod_sim::subject::abd::Abd;

/// As the engine that is built in, and r2 is caught in its twentieth step.
struct Endless;

struct Caught {
    inner: Box<dyn Process>,
    steps_left: Option<u32>,
}

impl Process for Caught {
    fn step(&mut self, now: Now, input: Input<'_>, out: &mut Vec<Output>) {
        if let Some(left) = &mut self.steps_left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                loop {
                    std::hint::spin_loop();
                }
            }
        }
        self.inner.step(now, input, out);
    }

    fn deadline(&self) -> Option<u64> {
        self.inner.deadline()
    }

    fn fork(&self) -> Option<Box<dyn Process>> {
        Some(Box::new(Self {
            inner: self.inner.fork()?,
            steps_left: self.steps_left,
        }))
    }
}

impl Subject for Endless {
    fn name(&self) -> &'static str {
        "endless"
    }

    fn format(&self, setup: &Setup, node: Node) -> Vec<(FileName, Vec<u8>)> {
        Abd.format(setup, node)
    }

    fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process> {
        Box::new(Caught {
            inner: Abd.make(setup, node),
            steps_left: (node == Node(1)).then_some(20),
        })
    }

    fn dialect(&self) -> &'static dyn Dialect {
        Abd.dialect()
    }

    fn has_leader(&self) -> bool {
        false
    }
}

fn main() -> ExitCode {
    // Test runners have words of their own.
    let words: Vec<String> = std::env::args().skip(1).collect();
    let is_command = words
        .first()
        .is_some_and(|word| ["sweep", "worker"].contains(&&word[..]));
    if is_command {
        return synod_sim::cli::main_with(&[&Endless]);
    }
    if words.iter().any(|word| word == "--list") {
        println!("an_endless_step_is_named: test");
        return ExitCode::SUCCESS;
    }
    an_endless_step_is_named();
    println!("test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
    ExitCode::SUCCESS
}

fn an_endless_step_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let swept = Command::new(std::env::current_exe().expect("this program"))
        .args([
            "sweep",
            "safety/weather-3",
            "--seeds",
            "7..8",
            "--jobs",
            "1",
        ])
        .args([
            "--verify-determinism",
            "0%",
            "--no-progress",
            "--format",
            "jsonl",
            "-o",
            "out",
        ])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&swept.stdout);
    assert_eq!(swept.status.code(), Some(1), "{said}");
    for part in [
        r#""verdict":"lost""#,
        r#""check":"hang""#,
        "r2 takes a step that has no end: it came to #",
    ] {
        assert!(said.contains(part), "`{part}` in: {said}");
    }
}
