//! A worker as the pool sees it: a process that is handed items, heard, and ended.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::sweep::cost::cpu_of;
use crate::sweep::lost::{CRASH, ENDLESS, HANG, OUT_OF_MEMORY};
use crate::sweep::memory::is_refusal;
use crate::sweep::settings::{Item, Settings};
use crate::sweep::worker::Said;

/// What ended the wait for a worker's next line.
pub enum Heard {
    /// It said this.
    Said(Said),
    /// Its output is closed.
    Gone,
    /// Nothing came for a moment, or noise.
    Nothing,
}

/// A run that waits, and uses no CPU time, has so many times as long on the wall clock.
const WALL_FACTOR: u32 = 10;

/// The last lines of standard error that are kept.
const WORDS_MAX: usize = 20;

/// A worker as its lane sees it.
pub struct Child {
    process: std::process::Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    words: Arc<Mutex<Words>>,
    listener: Option<std::thread::JoinHandle<()>>,
    /// When its current run began, on the wall clock and by the worker's CPU time.
    began: (Instant, Option<Duration>),
}

/// What a worker said on standard error.
#[derive(Default)]
struct Words {
    last: VecDeque<String>,
    /// It was refused memory.
    refused: bool,
}

/// What became of a run that did not come to an end: the check's name, and words for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Death {
    /// `hang`, `crash` or `out-of-memory`.
    pub check: &'static str,
    /// What is known of it.
    pub words: String,
}

impl Child {
    /// Starts a worker and tells it the settings.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(
        program: &PathBuf,
        arguments: &[String],
        settings: &Settings,
    ) -> std::io::Result<Self> {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        #[cfg(unix)]
        {
            // Ctrl-C is for the coordinator, which then decides about its workers.
            use std::os::unix::process::CommandExt as _;
            command.process_group(0);
        }
        let mut process = command.spawn()?;
        let (sender, lines) = mpsc::channel();
        let stdout = process.stdout.take().expect("it was asked for");
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let words = Arc::new(Mutex::new(Words::default()));
        let (heard, pipe) = (
            Arc::clone(&words),
            process.stderr.take().expect("it was asked for"),
        );
        let listener = std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut words = heard.lock().unwrap_or_else(PoisonError::into_inner);
                words.refused |= is_refusal(&line);
                if words.last.len() == WORDS_MAX {
                    words.last.pop_front();
                }
                words.last.push_back(line);
            }
        });
        let mut child = Self {
            stdin: process.stdin.take(),
            began: (Instant::now(), cpu_of(process.id())),
            process,
            lines,
            words,
            listener: Some(listener),
        };
        // A worker that is already dead is noticed at the first hearing.
        let _ = child.write(settings);
        Ok(child)
    }

    fn write<T: serde::Serialize>(&mut self, value: &T) -> std::io::Result<()> {
        let Some(stdin) = &mut self.stdin else {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        };
        let mut line = serde_json::to_string(value).expect("plain data");
        line.push('\n');
        stdin.write_all(line.as_bytes())
    }

    /// Hands items over. That a worker is gone is heard, not felt: its last reports may still be in
    /// the pipe.
    pub fn hand<'i>(&mut self, items: impl Iterator<Item = &'i Item>) {
        for item in items {
            if self.write(item).is_err() {
                self.stdin = None;
            }
        }
    }

    /// The next line, waiting a moment for it.
    pub fn hear(&self) -> Heard {
        match self.lines.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => Said::parse(&line).map_or(Heard::Nothing, Heard::Said),
            Err(RecvTimeoutError::Timeout) => Heard::Nothing,
            Err(RecvTimeoutError::Disconnected) => Heard::Gone,
        }
    }

    /// Ends a worker that has nothing to do.
    pub fn finish(&mut self) {
        self.stdin = None;
        let _ = self.process.wait();
    }

    /// Ends a worker, whatever it is doing.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// A run begins.
    pub fn begins(&mut self) {
        self.began = (Instant::now(), cpu_of(self.process.id()));
    }

    /// Whether the current run has had its time: CPU time, so that a busy machine is no hang. One
    /// that waits for what never comes uses none, and has [`WALL_FACTOR`] times as long.
    #[must_use]
    pub fn overdue(&self, most: Duration) -> Option<Death> {
        let wall = self.began.0.elapsed();
        let cpu = self.began.1.zip(cpu_of(self.process.id()));
        let used = cpu.map_or(wall, |(before, now)| now.saturating_sub(before));
        let words = if used >= most {
            format!("no end after {most:?} of CPU time")
        } else if wall >= most * WALL_FACTOR {
            format!("no end after {:?}, most of it waiting", most * WALL_FACTOR)
        } else {
            return None;
        };
        Some(Death { check: HANG, words })
    }

    /// How a worker died, and the last that it said about it.
    pub fn last_words(&mut self) -> Death {
        self.stdin = None;
        // Its output is closed; if it is still there, it is of no use.
        std::thread::sleep(Duration::from_millis(20));
        let ended = match self.process.try_wait() {
            Ok(Some(status)) => status.to_string(),
            _ => {
                self.kill();
                "its output closed".to_owned()
            }
        };
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        if words.refused {
            // How much was asked for at last says less than it seems.
            return Death {
                check: OUT_OF_MEMORY,
                words: "the worker was refused memory past its address space".to_owned(),
            };
        }
        if let Some(said) = words
            .last
            .iter()
            .find_map(|line| line.strip_prefix(ENDLESS))
        {
            return Death {
                check: HANG,
                words: said.to_owned(),
            };
        }
        let said = words
            .last
            .iter()
            .filter(|line| !line.trim().is_empty() && !line.starts_with("note:"))
            .map(|line| without_thread(line))
            .next_back();
        Death {
            check: CRASH,
            words: said.map_or_else(
                || format!("the worker died: {ended}"),
                |said| format!("the worker died: {ended}: {said}"),
            ),
        }
    }
}

/// A line of Rust's about a thread, without the thread's number, which is never the same.
fn without_thread(line: &str) -> String {
    let mut out = String::new();
    for word in line.split_whitespace() {
        let number = word
            .strip_prefix('(')
            .and_then(|word| word.strip_suffix(')'))
            .is_some_and(|inner| inner.bytes().all(|byte| byte.is_ascii_digit()));
        if !number {
            out.push_str(if out.is_empty() { "" } else { " " });
            out.push_str(word);
        }
    }
    out
}
