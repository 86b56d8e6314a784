//! `synod check-history`: linearizability of a recorded history, with an answer for people, for
//! programs, and as a picture.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};
use synod_reports::page::html::html;

use crate::check::linearizability::answer::{Explanation, json, text};
use crate::check::linearizability::budget::{Budget, Exhausted};
use crate::check::linearizability::chain::Method;
use crate::check::linearizability::check::{Report, Verdict};
use crate::check::linearizability::models::check_model;
use crate::cli::terminal::print;
use crate::history::input::{
    Conventions, FailedCas, Format, Input, InputError, Model, Nil, Wanted, read_as,
};
use crate::history::recorded::History;
use crate::page::history::of_history;

/// What each format means, and examples.
const AFTER_HELP: &str = "\
Conventions:

An ok took effect; a fail had no effect; an info, or a call without a return, may take effect at \
any later time, or never, and its process is not used again. Everything begins with nil, or with \
--initial; sets and queues begin empty.

JSON (--input synod), a line for each operation or an array of all: a failed cas says nothing of \
the state unless it carries `saw` or `mismatch`; null is the absent value.

Jepsen's log lines: a failed cas found another value than it expected; nil is the absent value.

EDN: a failed cas says nothing of the state, and a read of nil says nothing (Knossos' register). \
With `:f :get` and `:key`, nothing is absent: nil is the empty string (Porcupine's store).

mutex: acquire and release are a cas from free to taken, and back.

set: an ok of add or remove may carry true or false: whether it changed the set. contains returns \
true or false; read returns all of the set, as a list or a set.

queue: a dequeue of nil found it empty, in every format, unless --nil unknown.

multi-register: `:f :txn, :value [[:read :x nil] [:write :y 2]]`; reads see earlier writes of the \
same transaction, and a read of nil says what --nil says.

Examples:
  synod check-history history.jsonl --model kv
  synod check-history jepsen.log --model register --picture why.html
  synod check-history history.edn --model multi-register --initial 0";

/// What `check-history` takes.
#[derive(Args, Clone, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct CheckHistoryArgs {
    /// The history; `-` for standard input
    pub file: PathBuf,
    /// What the operations are on
    #[arg(long, value_enum)]
    pub model: ModelArg,
    /// How the history is written
    #[arg(long, value_enum, default_value = "auto")]
    pub input: InputArg,
    /// What a failed cas says that carries neither `saw` nor `mismatch`: that another value was
    /// there, or nothing of the state. By default `mismatch` in Jepsen's log lines and `no-effect`
    /// elsewhere
    #[arg(long, value_enum, value_name = "WHAT")]
    pub failed_cas: Option<FailedCasArg>,
    /// What a read of nil says: that nothing was there, or nothing. By default `unknown` in EDN
    /// and `absent` elsewhere, and of a queue
    #[arg(long, value_enum, value_name = "WHAT")]
    pub nil: Option<NilArg>,
    /// The value at the start, of every key, as the history writes values
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub initial: Option<String>,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "human", env = "SYNOD_FORMAT")]
    pub format: FormatArg,
    /// Draw the history into this HTML file, and why it is not linearizable
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
    /// Millions of steps that the searches may take, over all keys
    #[arg(
        long,
        value_name = "N",
        default_value_t = 400,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000),
        env = "SYNOD_BUDGET",
    )]
    pub budget: u64,
    /// Megabytes that the two searches may take together, beside the history; one that is alone may
    /// take all
    #[arg(
        long,
        value_name = "N",
        default_value_t = 768,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000),
        env = "SYNOD_MEMORY",
    )]
    pub memory: u64,
}

/// The `--model` of `check-history`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ModelArg {
    /// One register: read, write, compare-and-set, append, delete
    Register,
    /// A register for every key
    Kv,
    /// A lock: acquire, release
    Mutex,
    /// A set: add, remove, contains, and read, which returns all of it; or a set for every key
    Set,
    /// A queue, first in first out: enqueue, dequeue; or a queue for every key
    Queue,
    /// Registers under transactions: txn, a list of [read key value] and [write key value]
    MultiRegister,
}

impl ModelArg {
    /// What a history of it is about.
    #[must_use]
    pub fn model(self) -> Model {
        match self {
            Self::Register => Model::Register,
            Self::Kv => Model::KeyValue,
            Self::Mutex => Model::Mutex,
            Self::Set => Model::Set,
            Self::Queue => Model::Queue,
            Self::MultiRegister => Model::MultiRegister,
        }
    }
}

/// The `--input` of `check-history`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum InputArg {
    /// As its first character suggests
    Auto,
    /// A JSON object a line, as synod writes them, or a JSON array of such objects
    Synod,
    /// Jepsen's log lines or EDN operations
    #[value(alias = "edn")]
    Jepsen,
}

/// The `--failed-cas` of `check-history`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailedCasArg {
    /// Another value was there than it expected
    Mismatch,
    /// It had no effect, and says nothing of the state
    NoEffect,
}

/// The `--nil` of `check-history`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum NilArg {
    /// Nothing was there
    Absent,
    /// It says nothing
    Unknown,
}

/// The `--format` of `check-history`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum FormatArg {
    /// For people
    Human,
    /// One JSON object
    Json,
}

/// Checks and prints. The status is 0 for a linearizable history, 1 for one that is not, 2 for
/// input that is no history, 3 if the budget did not suffice, 70 if the picture cannot be written.
#[must_use]
pub fn run(args: &CheckHistoryArgs) -> u8 {
    let model = args.model.model();
    let format = match args.input {
        InputArg::Auto => Format::Auto,
        InputArg::Synod => Format::Synod,
        InputArg::Jepsen => Format::Jepsen,
    };
    let wanted = wanted(args);
    let input = open(&args.file).map_err(InputError::from);
    let read = input.and_then(|input| {
        read_as(
            BufReader::with_capacity(1 << 16, input),
            format,
            model,
            &wanted,
        )
    });
    let Input {
        history,
        conventions,
    } = match read {
        Ok(input) => input,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {}: {error}", args.file.display());
            return 2;
        }
    };
    let budget = Budget {
        steps: args.budget * 1_000_000,
        bytes: usize::try_from(args.memory * 1_000_000).unwrap_or(usize::MAX),
    };
    let start = Instant::now();
    let (mut report, why) = check_model(&history, model, budget);
    report.certified |= why.as_ref().is_some_and(|why| why.searched);
    let seconds = start.elapsed().as_secs_f64();
    let answer = match args.format {
        FormatArg::Human => {
            human(&history, &report, why.as_ref(), seconds) + &taken(&history, conventions)
        }
        FormatArg::Json => {
            let mut answer = machine(&history, &report, why.as_ref(), seconds);
            convention(&mut answer, &history, conventions);
            format!("{:#}\n", Value::Object(answer))
        }
    };
    print(&answer);
    if !draw(args, &history, &report, why.as_ref()) {
        return 70;
    }
    match report.verdict {
        Verdict::Linearizable => 0,
        Verdict::NotLinearizable { .. } => 1,
        Verdict::Unknown { .. } => 3,
    }
}

fn wanted(args: &CheckHistoryArgs) -> Wanted {
    Wanted {
        failed_cas: args.failed_cas.map(|failed_cas| match failed_cas {
            FailedCasArg::Mismatch => FailedCas::Mismatch,
            FailedCasArg::NoEffect => FailedCas::NoEffect,
        }),
        nil: args.nil.map(|nil| match nil {
            NilArg::Absent => Nil::Absent,
            NilArg::Unknown => Nil::Unknown,
        }),
        initial: args.initial.clone(),
    }
}

/// Opens a file. A device has no end and a pipe that nobody writes to has no beginning, so they are
/// read only where a shell has opened them already.
fn open(file: &Path) -> io::Result<Box<dyn Read>> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(io::stdin()));
    }
    let what = std::fs::metadata(file)?;
    let message = if what.is_dir() {
        Some("this is a folder: name one of the files in it")
    } else if what.is_file() || file.starts_with("/dev/fd") || file.starts_with("/proc/self/fd") {
        None
    } else {
        Some("this is a device or a pipe: to read it, hand it in as standard input, and name `-`")
    };
    match message {
        Some(message) => Err(io::Error::new(io::ErrorKind::InvalidInput, message)),
        None => Ok(Box::new(File::open(file)?)),
    }
}

fn draw(
    args: &CheckHistoryArgs,
    history: &History,
    report: &Report,
    why: Option<&Explanation>,
) -> bool {
    let Some(file) = &args.picture else {
        return true;
    };
    let title = args.file.display().to_string();
    let page = of_history(&title, name(report.verdict), history, why);
    let written = std::fs::write(file, html(&page));
    if let Err(error) = &written {
        let _ = writeln!(io::stderr(), "error: {}: {error}", file.display());
    }
    written.is_ok()
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Linearizable => "linearizable",
        Verdict::NotLinearizable { .. } => "not-linearizable",
        Verdict::Unknown { .. } => "unknown",
    }
}

fn reason(exhausted: Exhausted) -> &'static str {
    match exhausted {
        Exhausted::Steps => {
            "the search took more steps than its budget allows; raise it with --budget"
        }
        Exhausted::Bytes => {
            "the search took more memory than its budget allows; raise it with --memory"
        }
    }
}

fn human(history: &History, report: &Report, why: Option<&Explanation>, seconds: f64) -> String {
    let [witness, zones, search, depth, unique] = report.methods;
    let (keys, operations) = (history.keys.len(), history.operations.len());
    let mut answer = format!(
        "{}: {operations} {} on {keys} {} in {:.3} ms (by the log's order {witness}, by zones \
         {zones}, by unique values {unique}, by breadth-first search {search}, by depth-first \
         search {depth})\n",
        name(report.verdict),
        if operations == 1 {
            "operation"
        } else {
            "operations"
        },
        if keys == 1 { "key" } else { "keys" },
        seconds * 1e3
    );
    if let Verdict::Unknown { key, reason: why } = report.verdict {
        answer += &format!(
            "  on key {}: {}\n",
            text::value(history, history.keys[key as usize], 80),
            reason(why)
        );
    }
    if let Some(why) = why {
        answer += &text::explanation(history, why);
    }
    if report.certified {
        answer +=
            "  certified: a search that knows nothing of unique values finds no order either\n";
    }
    if let Some(log) = report.log {
        answer += &format!(
            "  a finding of its own, which says nothing about linearizability: {}\n",
            text::refuted(history, log.refuted)
        );
    }
    answer
}

/// What the words of the history were taken to mean.
fn taken(history: &History, conventions: Conventions) -> String {
    format!(
        "  taken: a failed cas as {} (--failed-cas), a read of nil as {} (--nil), and {} at the \
         start (--initial)\n",
        conventions.failed_cas.name(),
        conventions.nil.name(),
        text::value(history, history.initial, 80)
    )
}

fn convention(answer: &mut Map<String, Value>, history: &History, conventions: Conventions) {
    answer.insert("failed_cas".into(), conventions.failed_cas.name().into());
    answer.insert("nil".into(), conventions.nil.name().into());
    answer.insert("initial".into(), history.values.json(history.initial));
}

fn machine(
    history: &History,
    report: &Report,
    why: Option<&Explanation>,
    seconds: f64,
) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("verdict".into(), name(report.verdict).into());
    answer.insert("operations".into(), history.operations.len().into());
    answer.insert("keys".into(), history.keys.len().into());
    answer.insert("seconds".into(), seconds.into());
    let decided: Map<String, Value> = Method::NAMES
        .iter()
        .zip(report.methods)
        .map(|(name, keys)| ((*name).to_string(), keys.into()))
        .collect();
    answer.insert("decided_by".into(), decided.into());
    if let Verdict::Unknown { reason: why, .. } = report.verdict {
        answer.insert("reason".into(), reason(why).into());
    }
    if let Some(why) = why {
        json::explain(&mut answer, history, why);
    }
    if matches!(report.verdict, Verdict::NotLinearizable { .. }) {
        answer.insert("certified".into(), report.certified.into());
    }
    if let Some(log) = report.log {
        answer.insert(
            "log_order".into(),
            text::refuted(history, log.refuted).into(),
        );
    }
    answer
}
