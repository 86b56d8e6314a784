//! Synod.

use std::process::ExitCode;

use clap::Parser;
use synod_sim::cli::check_history::{CheckHistoryArgs, run};

#[derive(Parser)]
enum Command {
    CheckHistory(CheckHistoryArgs),
}

fn main() -> ExitCode {
    let Command::CheckHistory(args) = Command::parse();
    ExitCode::from(run(&args))
}
