//! `synod trace`: one run again, as something to look at or to load: text, lines of JSON, a page, or
//! a trace for Perfetto.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use synod_reports::page::perfetto::perfetto;

use crate::cli::exit;
use crate::cli::options::{Global, RunOptions, WorkOptions};
use crate::cli::replay::{Replayed, judged, replayed};
use crate::cli::terminal::{fail, print, say};
use crate::cli::which::Which;
use crate::page::run::ROWS;
use crate::sweep::file::put;
use crate::sweep::job::Report;
use crate::sweep::settings::Keep;
use crate::trace::tale::{Depth, text_of};

/// So many messages and happenings go into a trace for Perfetto.
const PERFETTO_ROWS: usize = 200_000;

/// Arguments of `trace`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  synod trace safety/weather-3 --seed 0 --bug accept-below-promise --as html --out report.html
  synod trace safety/stale-read --seed 7 --as text
  synod trace safety/stale-read --seed 7 --as jsonl --out tale.jsonl
  synod trace safety/stale-read --seed 7 --as perfetto --out trace.json   for ui.perfetto.dev
  synod trace target/synod/latest/failures/agreement-1a2b3c4d/repro.toml --as html --out report.html

A page is one file below 3 MB that needs no network. A long run is in it from beginning to end, and \
                        message by message round its violation, or its end. The exit status is that \
                        of the run, as in `replay`.")]
pub struct TraceArgs {
    #[command(flatten)]
    which: Which,
    /// What to make of it
    #[arg(long = "as", env = "SYNOD_AS", value_enum, value_name = "FORM")]
    form: Form,
    /// Write it into this file instead of standard output
    #[arg(long, short, env = "SYNOD_OUT", value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    run: RunOptions,
    #[command(flatten)]
    work: WorkOptions,
}

/// The form of a trace.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// A line an event, every message too
    Text,
    /// The same as lines of JSON
    Jsonl,
    /// A page: a picture to zoom, filter and walk through
    Html,
    /// Chrome's JSON trace format
    Perfetto,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &TraceArgs, global: &Global) -> u8 {
    let keep = match arguments.form {
        Form::Text | Form::Jsonl => Keep::Story,
        Form::Html => Keep::Page(ROWS),
        Form::Perfetto => Keep::Page(PERFETTO_ROWS),
    };
    let replayed = match replayed(&arguments.which, &arguments.run, &arguments.work, keep) {
        Ok(replayed) => replayed,
        Err(message) => return fail(exit::USAGE, &message),
    };
    let Replayed { report, again, .. } = &replayed;
    let Some(written) = written(arguments.form, report, again) else {
        let record = &report.line.record;
        let message = record.message.as_deref().unwrap_or("nothing was recorded");
        let ended = format!("{}: {message}", record.verdict.name());
        return fail(judged(&replayed, &arguments.run), &ended);
    };
    match &arguments.out {
        None => print(&written),
        Some(file) => {
            if let Err(error) = put(file, &written) {
                return fail(exit::HARNESS, &format!("{}: {error}", file.display()));
            }
            if !global.quiet {
                say(&format!("{} of {} bytes", file.display(), written.len()));
            }
        }
    }
    judged(&replayed, &arguments.run)
}

/// The trace; none when the run left nothing that one could be made of.
fn written(form: Form, report: &Report, again: &str) -> Option<String> {
    match form {
        Form::Html => report.html(again),
        Form::Perfetto => {
            let mut page = report.page.clone()?;
            page.reproduce = Some(again.to_owned());
            Some(perfetto(&page))
        }
        _ if report.tale.is_empty() => None,
        Form::Text => Some(text_of(&report.tale, Depth::Wire)),
        Form::Jsonl => {
            let lines = report.tale.iter();
            let json = |line| serde_json::to_string(line).expect("plain data") + "\n";
            Some(lines.map(json).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::ffi::OsString;

    /// What the command writes of a short run, and how it ends.
    fn traced(form: &str, options: &[&str]) -> (u8, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("out");
        let fixed = [
            "synod",
            "trace",
            "smoke/healthy-3",
            "--seed",
            "1",
            "--in-process",
            "--as",
        ];
        let arguments = fixed
            .into_iter()
            .chain([form])
            .chain(options.iter().copied());
        let out_option = [OsString::from("--out"), out.clone().into_os_string()];
        let status = crate::cli::main(arguments.map(OsString::from).chain(out_option));
        (status, std::fs::read_to_string(out).unwrap_or_default())
    }

    #[test]
    fn a_run_is_written_in_each_form() {
        let (status, text) = traced("text", &[]);
        assert_eq!(status, exit::PASSED);
        let (_, lines) = traced("jsonl", &[]);
        assert_eq!(text.lines().count(), lines.lines().count());
        let parsed = |line: &str| serde_json::from_str::<Value>(line).is_ok();
        assert!(lines.lines().count() > 1_000 && lines.lines().all(parsed));
        let (_, page) = traced("html", &[]);
        assert!(page.contains("replay smoke/healthy-3 --seed 1") && page.ends_with("</html>\n"));
        let (_, trace) = traced("perfetto", &[]);
        let trace: Value = serde_json::from_str(&trace).expect("JSON");
        let events = trace["traceEvents"].as_array().expect("a list");
        let arrows = |phase: &str| events.iter().filter(|one| one["ph"] == phase).count();
        assert!(arrows("s") > 300 && arrows("s") == arrows("f"));
    }

    #[test]
    fn the_status_is_that_of_the_run_and_its_options_are_in_the_line_to_paste() {
        let options = [
            "--set",
            "heal.at=100ms",
            "--set",
            "heal.progress-within=1ms",
        ];
        let (status, page) = traced("html", &options);
        assert_eq!(status, exit::FAILED);
        assert!(
            page.contains("--set heal.at=100ms"),
            "the options are missing"
        );
    }
}
