//! `synod check-history`: linearizability of a recorded history.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::check::linearizability::check::{Verdict, check};
use crate::check::linearizability::search::Budget;
use crate::history::input::{Format, InputError, Model, read};

/// What `check-history` takes.
#[derive(Args, Clone, Debug)]
pub struct CheckHistoryArgs {
    /// The history; `-` for standard input
    pub file: PathBuf,
    /// What the operations are on
    #[arg(long, value_enum)]
    pub model: ModelArg,
    /// How the history is written
    #[arg(long, value_enum, default_value = "auto")]
    pub input: InputArg,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "human", env = "SYNOD_FORMAT")]
    pub format: FormatArg,
}

/// The `--model` of `check-history`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ModelArg {
    /// One register: read, write, compare-and-set, append, delete
    Register,
    /// A register for every key
    Kv,
}

/// The `--input` of `check-history`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum InputArg {
    /// As its first character suggests
    Auto,
    /// A JSON object a line, as synod writes them
    Synod,
    /// Jepsen's log lines or EDN operations
    Jepsen,
}

/// The `--format` of `check-history`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum FormatArg {
    /// For people
    Human,
    /// One JSON object
    Json,
}

/// Checks and prints. The status is 0 for a linearizable history, 1 for one that is not, 2 for input that is no history, 3 if the budget did not
/// suffice.
#[must_use]
pub fn run(args: &CheckHistoryArgs) -> u8 {
    let model = if args.model == ModelArg::Register { Model::Register } else { Model::KeyValue };
    let format = match args.input {
        InputArg::Auto => Format::Auto,
        InputArg::Synod => Format::Synod,
        InputArg::Jepsen => Format::Jepsen,
    };
    let history = open(&args.file).map_err(InputError::from).and_then(|input| read(BufReader::with_capacity(1 << 16, input), format, model));
    let history = match history {
        Ok(history) => history,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {}: {error}", args.file.display());
            return 2;
        }
    };
    let report = check(&history, Budget::default());
    println!("{report:?}");
    match report.verdict {
        Verdict::Linearizable => 0,
        Verdict::NotLinearizable { .. } => 1,
        Verdict::Unknown { .. } => 3,
    }
}

fn open(file: &Path) -> io::Result<Box<dyn Read>> {
    if file.as_os_str() == "-" { Ok(Box::new(io::stdin())) } else { Ok(Box::new(File::open(file)?)) }
}
