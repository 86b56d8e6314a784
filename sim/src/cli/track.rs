//! What an operation costs, commit by commit.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use synod_reports::summary::Summary;
use synod_reports::track::Mark;

use crate::build;
use crate::cli::units;
use crate::cli::which::options_of;
use crate::sweep::file::put;
use crate::sweep::folder::RunInfo;

/// Where it is kept.
#[derive(Args, Clone, Debug)]
pub struct TrackOptions {
    /// Add a line about this commit to a file: runs, failures, and what an operation cost. Messages,
    /// bytes or syncs an operation that differ from the line of the last other commit by more than
    /// --track-bound fail by name
    #[arg(long, env = "SYNOD_TRACK", value_name = "FILE")]
    track: Option<PathBuf>,
    /// How much the cost of an operation may change from one commit to the next
    #[arg(
        long,
        env = "SYNOD_TRACK_BOUND",
        value_name = "P%",
        value_parser = units::percent,
        default_value = "5%",
    )]
    track_bound: u32,
}

impl TrackOptions {
    /// Keeps the line of this sweep, if it came to its end, and says what an operation costs more or
    /// less than before.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn drift(&self, summary: &Summary, info: &RunInfo) -> Result<Vec<String>, String> {
        match &self.track {
            Some(file) if !summary.interrupted => {
                let what = info.title() + &options_of(&info.settings);
                let mark = Mark::of(summary, build::COMMIT, &what);
                keep(file, mark, self.track_bound)
            }
            _ => Ok(Vec::new()),
        }
    }
}

fn keep(file: &Path, mark: Mark, bound_ppm: u32) -> Result<Vec<String>, String> {
    let failed = |reason: String| format!("--track {}: {reason}", file.display());
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error.to_string())),
    };
    let mut lines = Mark::read(&text).map_err(failed)?;
    let drift = mark
        .before(&lines)
        .map_or_else(Vec::new, |before| mark.drift(before, bound_ppm));
    lines.retain(|line| (&line.commit, &line.what) != (&mark.commit, &mark.what));
    lines.push(mark);
    let text: String = lines.iter().map(Mark::to_json).collect();
    put(file, text).map_err(|error| failed(error.to_string()))?;
    Ok(drift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use synod_reports::record::Costs;

    #[test]
    fn a_commit_has_one_line_and_is_compared_with_the_one_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("costs.jsonl");
        let mark = |commit: &str, messages| Mark {
            commit: commit.to_owned(),
            what: "the mix".to_owned(),
            runs: 2,
            failures: BTreeMap::new(),
            costs: Costs {
                answered: 10,
                messages,
                bytes: 1,
                syncs: 1,
            },
        };
        let kept = |commit: &str, messages| keep(&file, mark(commit, messages), 50_000);
        assert_eq!(kept("a", 100), Ok(Vec::new()));
        assert_eq!(kept("a", 200), Ok(Vec::new()), "the same commit");
        assert_eq!(kept("b", 205), Ok(Vec::new()));
        let drift = kept("c", 100).expect("it is written");
        assert!(
            drift[0].contains("51.2 % less than the 20.5 of b"),
            "{drift:?}"
        );
        let text = std::fs::read_to_string(&file).expect("it is there");
        assert_eq!(text.lines().count(), 3, "{text}");
        std::fs::write(&file, "{}\n").expect("it can be written");
        let refused = kept("d", 1).expect_err("no lines");
        assert!(refused.contains("costs.jsonl: line 1: "), "{refused}");
    }
}
