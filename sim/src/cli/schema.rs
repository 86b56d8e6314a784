//! `synod schema`: the JSON Schemas of what Synod writes, and of the scenarios that it reads.

use clap::{Args, ValueEnum};
use synod_reports::schema::{EVENTS, RESULTS, SUMMARY};

use crate::cli::exit;
use crate::cli::terminal::print;
use crate::glossary::names;
use crate::scenario::schema;

/// Arguments of `schema`.
#[derive(Args, Clone, Copy, Debug)]
#[command(after_help = "\
Examples:
  synod schema summary > summary-v1.json
  synod schema results                 of each line of results.jsonl

A later version of the same format may have fields that its schema does not name yet.")]
pub struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    document: Document,
}

/// What there is a schema of.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Document {
    /// summary.json, which `sweep --format json` prints as well
    Summary,
    /// A line of results.jsonl
    Results,
    /// A line of `trace --as jsonl`
    Events,
    /// A scenario file, as `scenario schema` prints it
    Scenario,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &SchemaArgs) -> u8 {
    match arguments.document {
        Document::Summary => print(SUMMARY),
        Document::Results => print(RESULTS),
        Document::Events => print(EVENTS),
        Document::Scenario => print(&schema::text(&names())),
    }
    exit::PASSED
}
