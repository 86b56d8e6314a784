//! `synod merge`: the folders of shards become the folder of the whole sweep.

use std::path::PathBuf;

use clap::Args;

use crate::cli::exit;
use crate::cli::options::{Format, Global};
use crate::cli::summary::{print_summary, say_how_to_repeat};
use crate::cli::terminal::{fail, print};
use crate::sweep::merge::{Error, merge};

/// Arguments of `merge`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Example:
  synod sweep --shard 1/2 --out one; synod sweep --shard 2/2 --out two
  synod merge one two -o both

The result is byte for byte that of the unsharded sweep, times and memory aside.")]
pub struct MergeArgs {
    /// The folders of all shards of one sweep
    #[arg(required = true, value_name = "DIR")]
    shards: Vec<PathBuf>,
    /// The folder to write
    #[arg(long, short, env = "SYNOD_OUT", value_name = "DIR", required = true)]
    out: PathBuf,
    /// The form of what goes to standard output
    #[arg(long, env = "SYNOD_FORMAT", value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &MergeArgs, global: &Global) -> u8 {
    match merge(&arguments.shards, &arguments.out) {
        Ok((info, summary)) => {
            match arguments.format {
                Format::Human => print_summary(&summary, &info.title(), global),
                Format::Json | Format::Jsonl => print(&summary.to_json()),
            }
            say_how_to_repeat(&summary.failures, &[], &info, &arguments.out);
            exit::of_summary(&summary)
        }
        Err(Error::Input(message)) => fail(exit::USAGE, &message),
        Err(Error::Output(message)) => fail(exit::HARNESS, &message),
    }
}
