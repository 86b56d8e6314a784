//! A worker: a child process that does jobs until its coordinator has no more.
//!
//! Its standard input holds the settings as a line of JSON, then a line for each [`Item`]. On
//! standard output it says `start NUMBER SEED SCENARIO` before a run can go wrong, then `done` with
//! the [`Report`](crate::sweep::job::Report) as JSON, or `fail` with the reason as a JSON string
//! when there is no such run. When its input ends, it ends, whatever it is doing.

use std::io::{BufRead, BufReader, Write};
use std::sync::mpsc;
use std::time::Duration;

use crate::sweep::cost::{cpu_of_this, peak_rss_of_this};
use crate::sweep::job::execute;
use crate::sweep::lost::ENDLESS;
use crate::sweep::memory;
use crate::sweep::settings::{Item, Settings, Target};
use crate::sweep::shelf;
use crate::sweep::source::Source;
use crate::vigil;

/// A line that a worker says.
#[derive(Clone, PartialEq, Debug)]
pub enum Said {
    /// The run of this scenario and seed begins.
    Start {
        /// The item.
        number: u64,
        /// The seed, as text; a reproducer has none here.
        seed: u64,
        /// The scenario.
        scenario: String,
    },
    /// A job is done.
    Done(Box<crate::sweep::job::Report>),
    /// There is no such run.
    Fail(String),
}

impl Said {
    /// Reads a line; none when it is not one of the worker's, but something that a subject printed.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ')?;
        match word {
            "start" => {
                let mut parts = rest.splitn(3, ' ');
                let number = parts.next()?.parse().ok()?;
                let seed = parts.next()?.parse().ok()?;
                Some(Self::Start {
                    number,
                    seed,
                    scenario: parts.next()?.to_owned(),
                })
            }
            "done" => serde_json::from_str(rest)
                .ok()
                .map(|report| Self::Done(Box::new(report))),
            "fail" => serde_json::from_str(rest).ok().map(Self::Fail),
            _ => None,
        }
    }
}

/// Does jobs until standard input ends. Returns the exit status.
#[must_use]
pub fn work() -> u8 {
    work_from(memory::ADDRESS_SPACE, shelf::open)
}

/// Does jobs of the source that this opens, in so many bytes of address space.
#[must_use]
pub fn work_from(
    address_space: u64,
    open: impl FnOnce(&Settings) -> Result<Box<dyn Source>, String>,
) -> u8 {
    memory::limit(address_space);
    let (sender, lines) = mpsc::sync_channel(64);
    std::thread::spawn(move || {
        for line in BufReader::new(std::io::stdin())
            .lines()
            .map_while(Result::ok)
        {
            if sender.send(line).is_err() {
                return;
            }
        }
        // The coordinator closes the pipe when it needs nothing more, or by dying.
        std::process::exit(0);
    });
    std::thread::spawn(keep_vigil);
    let Ok(first) = lines.recv() else { return 0 };
    let opened = serde_json::from_str::<Settings>(&first)
        .map_err(|error| error.to_string())
        .and_then(|settings| Ok((open(&settings)?, settings)));
    let (mut source, settings) = match opened {
        Ok(opened) => opened,
        Err(reason) => {
            say("fail", &json(&reason));
            return 70;
        }
    };
    let mut jobs = 0_u32;
    while let Ok(line) = lines.recv() {
        let item: Item = match serde_json::from_str(&line) {
            Ok(item) => item,
            Err(error) => {
                say(
                    "fail",
                    &json(&format!("a worker was told `{line}`: {error}")),
                );
                return 70;
            }
        };
        let seed = match item.target {
            Target::Mix(seed) | Target::Scenario(_, seed) => seed,
            Target::Repro(_) => 0,
        };
        let done = execute(source.as_mut(), &settings, &item, &mut |scenario| {
            say("start", &format!("{} {seed} {scenario}", item.number))
        });
        match done {
            Ok(mut report) => {
                if jobs.is_multiple_of(16) {
                    report.rss = peak_rss_of_this();
                }
                jobs = jobs.wrapping_add(1);
                say("done", &json(&report));
            }
            Err(reason) => say("fail", &json(&reason)),
        }
    }
    0
}

/// A step that has taken so much CPU time has no end: an honest one takes microseconds.
const STEP_MAX: Duration = Duration::from_secs(10);

/// Ends this process, with a word on standard error, when a step of a replica has no end.
fn keep_vigil() {
    let mut watched: Option<(vigil::Step, Duration)> = None;
    while let Some(used) = cpu_of_this() {
        watched = match (vigil::now(), watched) {
            (Some(step), Some((before, since))) if step.number == before.number => {
                if used.saturating_sub(since) >= STEP_MAX {
                    let vigil::Step { node, event, .. } = step;
                    eprintln!("{ENDLESS}{node} takes a step that has no end: it came to #{event}");
                    std::process::exit(70);
                }
                Some((before, since))
            }
            (step, _) => step.map(|step| (step, used)),
        };
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data")
}

/// Says one line. When nobody listens any more there is nothing left to do.
fn say(word: &str, rest: &str) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{word} {rest}")
        .and_then(|()| out.flush())
        .is_err()
    {
        std::process::exit(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::job::Report;
    use crate::sweep::lost;

    #[test]
    fn lines_are_read_and_noise_is_not() {
        let start = Said::Start {
            number: 3,
            seed: 9,
            scenario: "safety/a b".to_owned(),
        };
        assert_eq!(Said::parse("start 3 9 safety/a b"), Some(start));
        let report = Report::new(3, lost::line("a", 9, lost::CRASH, "gone".to_owned()));
        assert_eq!(
            Said::parse(&format!("done {}", json(&report))),
            Some(Said::Done(Box::new(report)))
        );
        assert_eq!(
            Said::parse(r#"fail "no \"x\"""#),
            Some(Said::Fail("no \"x\"".to_owned()))
        );
        for noise in [
            "",
            "hello",
            "start",
            "start x y z",
            "done {",
            "starting 1 2 3",
        ] {
            assert_eq!(Said::parse(noise), None, "{noise}");
        }
    }
}
