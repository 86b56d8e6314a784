//! A sweep's folder: `run.json`, `results.jsonl` (a line a run, flushed as it goes),
//! `summary.json`, `summary.md`, `junit.xml` and `failures/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use synod_reports::junit::{self, Again};
use synod_reports::known::Known;
use synod_reports::line::ResultLine;
use synod_reports::summary::{Demand, FORMAT, Summary};

use crate::build;
use crate::sweep::file::put;
use crate::sweep::job::Report;
use crate::sweep::seeds::{Seeds, Shard};
use crate::sweep::settings::{Judges, Settings};
use crate::sweep::source::Selection;
use crate::trace::tale::{Depth, text_of};

/// `run.json`: everything that the results are a function of, and nothing else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunInfo {
    /// The version of the folder's formats.
    pub format: u32,
    /// The version of synod.
    pub version: String,
    /// The commit it was built from.
    pub commit: String,
    /// The hash of its sources.
    pub build: String,
    /// The seeds of the whole sweep.
    pub seeds: Seeds,
    /// This part of it; null: all.
    pub shard: Option<Shard>,
    /// It ends after so many failing runs.
    pub max_fail: Option<u64>,
    /// What the runs share.
    pub settings: Settings,
    /// The scenarios, in the order in which each seed runs them (with the mix: those that it draws
    /// from).
    pub scenarios: Vec<String>,
    /// Reproducers, which run once each before all seeds, with their own seeds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub once: Vec<(String, u64)>,
    /// What each scenario asks of all its runs together.
    pub demands: BTreeMap<String, Demand>,
    /// Events for making each of the first failures smaller.
    #[serde(default)]
    pub shrink: u64,
    /// Failures that were known when the sweep began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Known>,
}

impl RunInfo {
    /// The run of this build.
    #[must_use]
    pub fn new(
        settings: Settings,
        seeds: Seeds,
        shard: Option<Shard>,
        max_fail: Option<u64>,
        selection: Selection,
    ) -> Self {
        let settings = Settings {
            hashes: selection.hashes,
            ..settings
        };
        Self {
            format: FORMAT,
            version: build::VERSION.to_owned(),
            commit: build::COMMIT.to_owned(),
            build: build::identity().to_owned(),
            seeds,
            shard,
            max_fail,
            settings,
            scenarios: selection.names,
            once: selection.once,
            demands: selection.demands,
            shrink: 0,
            known: Vec::new(),
        }
    }

    /// A scenario of this sweep as a command takes it: its name, or the file that was given.
    #[must_use]
    pub fn named(&self, scenario: &str) -> String {
        let is_it = |given: &&String| {
            let bare = given.strip_suffix(".toml").map(Path::new);
            bare.is_some_and(|path| path.ends_with(scenario))
        };
        let file = self.settings.scenarios.iter().find(is_it);
        file.map_or(scenario, String::as_str).to_owned()
    }

    /// Whether this failure was known when the sweep began.
    #[must_use]
    pub fn is_known(&self, fingerprint: &str) -> bool {
        self.known
            .iter()
            .any(|known| known.fingerprint == fingerprint)
    }

    /// What was swept, for people: `the mix, seeds 0..2000`.
    #[must_use]
    pub fn title(&self) -> String {
        let scenarios = match self.settings.scenarios.as_slice() {
            [] => "the mix".to_owned(),
            [one] => one.clone(),
            _ => format!("{} scenarios", self.scenarios.len() + self.once.len()),
        };
        let bug = self
            .settings
            .bug
            .as_deref()
            .map(|bug| format!(" with {bug} planted"))
            .unwrap_or_default();
        let only = &self.settings.only;
        let jury = if only.is_everybody() {
            String::new()
        } else {
            format!(", judged by {} alone", only.named().join(", "))
        };
        let clients = match self.settings.judges {
            Some(Judges::Client) => ", judged by what clients see",
            _ => "",
        };
        let shard = self
            .shard
            .map(|shard| format!(", shard {shard}"))
            .unwrap_or_default();
        format!(
            "{scenarios}{bug}{jury}{clients}, seeds {}{shard}",
            self.seeds
        )
    }
}

/// What tells that a folder is a sweep's, and which.
pub const RUN: &str = "run.json";

/// The results of all runs.
const RESULTS: &str = "results.jsonl";

/// A failure's smaller reproducer, beside the one that was found.
pub const SHRUNK: &str = "shrunk.toml";

/// A failure's page.
pub const PAGE: &str = "report.html";

/// The results of a sweep that is resumed, until they hold all that the old ones do.
const BESIDE: &str = "results.jsonl.new";

/// Writes a folder. Once something cannot be written, nothing more is, and the first error is kept.
pub struct Folder {
    path: PathBuf,
    results: BufWriter<File>,
    /// Of a sweep that is resumed: the runs that are in its old results alone. Once there are none
    /// the new ones have taken their place.
    owed: Option<BTreeSet<(String, u64)>>,
    /// What is told of how to run a failure again.
    again: Again,
    /// Held for as long as this lives, against another process that would write here or remove it.
    /// None where the system has no such locks.
    _held: Option<File>,
}

impl Folder {
    /// Makes the folder and begins its results anew; what an earlier sweep left in it goes.
    ///
    /// # Errors
    /// When the folder or its files cannot be written, or another process writes in it.
    pub fn create(path: &Path, info: &RunInfo) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        if path.join(RUN).exists() {
            drop(hold(path)?);
            remove_summaries(path)?;
            remove(fs::remove_file(path.join(BESIDE)))?;
            remove(fs::remove_dir_all(path.join("failures")))?;
        }
        let mut text = serde_json::to_string_pretty(info).expect("plain data");
        text.push('\n');
        put(&path.join(RUN), text)?;
        Ok(Self {
            path: path.to_owned(),
            again: again(path),
            _held: hold(path)?,
            results: BufWriter::new(File::create(path.join(RESULTS))?),
            owed: None,
        })
    }

    /// Goes on with a folder that holds these results. They stay where they are until new ones hold
    /// all of them, in their order, so that a sudden end at any moment loses none.
    ///
    /// # Errors
    /// When the folder's files cannot be written, or another process writes in it.
    pub fn resume(path: &Path, known: &[ResultLine]) -> io::Result<Self> {
        let held = hold(path)?;
        if path.join(BESIDE).exists() {
            let both = path.join("results.jsonl.both");
            let lines: String = known.iter().map(|line| line.to_json() + "\n").collect();
            fs::write(&both, lines)?;
            fs::rename(both, path.join(RESULTS))?;
        }
        remove_summaries(path)?;
        let run = |line: &ResultLine| (line.record.scenario.clone(), line.record.seed);
        Ok(Self {
            path: path.to_owned(),
            results: BufWriter::new(File::create(path.join(BESIDE))?),
            owed: Some(known.iter().map(run).collect()),
            again: again(path),
            _held: held,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where what is kept of this failure goes.
    #[must_use]
    pub fn of_failure(&self, fingerprint: &str) -> PathBuf {
        of_failure(&self.path, fingerprint)
    }

    /// Adds a line to `results.jsonl`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, line: &ResultLine) -> io::Result<()> {
        if let Some(owed) = &mut self.owed {
            owed.remove(&(line.record.scenario.clone(), line.record.seed));
        }
        writeln!(self.results, "{}", line.to_json())
    }

    /// Hands the lines so far to the system.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.results.flush()?;
        if self.owed.as_ref().is_some_and(BTreeSet::is_empty) {
            self.replace()?;
        }
        Ok(())
    }

    /// Puts the new results in the place of the old ones.
    fn replace(&mut self) -> io::Result<()> {
        fs::rename(self.path.join(BESIDE), self.path.join(RESULTS))?;
        self.owed = None;
        Ok(())
    }

    /// Writes what is kept of a failing run. Returns its reproducer's path from the folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_failure(&self, fingerprint: &str, report: &Report) -> io::Result<String> {
        let place = self.of_failure(fingerprint);
        fs::create_dir_all(&place)?;
        if let Some(repro) = &report.repro {
            put(&place.join("repro.toml"), repro)?;
        }
        if let Some(history) = &report.history {
            put(&place.join("history.jsonl"), history)?;
        }
        // From the folder of the sweep, wherever that is.
        let again = format!("synod replay failures/{fingerprint}/repro.toml");
        if let Some(page) = report.html(&again) {
            put(&place.join(PAGE), page)?;
        }
        if !report.tale.is_empty() {
            put(&place.join("tale.txt"), text_of(&report.tale, Depth::Story))?;
        }
        Ok(format!("failures/{fingerprint}/repro.toml"))
    }

    /// Writes the summary in all its forms.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&mut self, summary: &Summary, title: &str) -> io::Result<()> {
        self.flush()?;
        if self.owed.is_some() {
            // What was not taken over does not count.
            self.replace()?;
        }
        put(&self.path.join("summary.json"), summary.to_json())?;
        put(
            &self.path.join("summary.md"),
            synod_reports::markdown::summary(summary, title),
        )?;
        put(&self.path.join("junit.xml"), self.junit(summary))
    }

    /// The summary as JUnit XML.
    #[must_use]
    pub fn junit(&self, summary: &Summary) -> String {
        junit::summary(summary, &self.again)
    }

    /// Says how a failure is run again, which else is by a `synod` that a shell finds.
    pub fn run_again_by(&mut self, again: Again) {
        self.again = again;
    }
}

fn again(path: &Path) -> Again {
    Again {
        program: "synod".to_owned(),
        folder: path.display().to_string(),
    }
}

/// Takes a folder for this process alone; the system gives it back when the process ends, however
/// that comes about. None where the system has no such locks.
///
/// # Errors
/// When another process has it.
pub fn hold(path: &Path) -> io::Result<Option<File>> {
    let Ok(file) = File::open(path.join(RUN)) else {
        return Ok(None);
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::WouldBlock,
            "another sweep writes there; wait for its end, or name another folder with --out",
        )),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Where what is kept of a failure is, in a sweep's folder.
#[must_use]
pub fn of_failure(path: &Path, fingerprint: &str) -> PathBuf {
    path.join("failures").join(fingerprint)
}

fn remove_summaries(path: &Path) -> io::Result<()> {
    ["summary.json", "summary.md", "junit.xml"]
        .into_iter()
        .try_for_each(|stale| remove(fs::remove_file(path.join(stale))))
}

/// What is not there need not be removed.
///
/// # Errors
/// All others of a removal.
pub fn remove(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads a folder's `run.json`.
///
/// # Errors
/// When there is none, or it is of another version, in words for people.
pub fn read_info(path: &Path) -> Result<RunInfo, String> {
    let file = path.join(RUN);
    let text = fs::read_to_string(&file)
        .map_err(|error| format!("{}: {error}; give the folder of a sweep", file.display()))?;
    versioned(&text).map_err(|error| format!("{}: {error}", file.display()))
}

/// Reads a document of this version. That of another has other fields, so its version is looked at
/// first.
fn versioned<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let Version { format } = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if format == FORMAT {
        serde_json::from_str(text).map_err(|error| error.to_string())
    } else {
        Err(format!(
            "format {format} is not {FORMAT}, the one that this synod reads; sweep anew"
        ))
    }
}

/// Reads a folder's results, those that a resumed sweep left beside the old ones too: then some may
/// be there twice. A last line that was cut short by a sudden end is left out.
///
/// # Errors
/// When it cannot be read, or a line but the last is none.
pub fn read_results(path: &Path) -> Result<Vec<ResultLine>, String> {
    let mut lines = read_lines(&path.join(RESULTS))?;
    let beside = path.join(BESIDE);
    if beside.exists() {
        lines.extend(read_lines(&beside)?);
    }
    Ok(lines)
}

fn read_lines(file: &Path) -> Result<Vec<ResultLine>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut lines = Vec::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        match ResultLine::from_json(line) {
            Ok(read) => lines.push(read),
            Err(_) if !line.ends_with('\n') => break,
            Err(error) => return Err(format!("{}:{}: {error}", file.display(), number + 1)),
        }
    }
    Ok(lines)
}

/// Reads a folder's `summary.json`, if the sweep came that far.
///
/// # Errors
/// When it is there and cannot be read, or is of another version.
pub fn read_summary(path: &Path) -> Result<Option<Summary>, String> {
    let file = path.join("summary.json");
    match fs::read_to_string(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", file.display())),
        Ok(text) => versioned(&text)
            .map(Some)
            .map_err(|error| format!("{}: {error}", file.display())),
    }
}

/// Points `latest` beside the folder to it, where the system has links. Failing to is not worth a
/// word.
pub fn link_latest(path: &Path) {
    #[cfg(unix)]
    if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
        let link = parent.join("latest");
        let _ = fs::remove_file(&link);
        let _ = std::os::unix::fs::symlink(name, link);
    }
    #[cfg(not(unix))]
    let _ = path;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::lost;

    #[test]
    fn a_resumed_sweep_may_end_suddenly_at_any_moment() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path();
        let all: Vec<ResultLine> = (0..6)
            .map(|seed| lost::line("a", seed, lost::CRASH, String::new()))
            .collect();
        let text = |lines: &[ResultLine]| -> String {
            lines.iter().map(|line| line.to_json() + "\n").collect()
        };
        // An end left a gap: 0, 1 and 4 are known.
        let known = [all[0].clone(), all[1].clone(), all[4].clone()];
        fs::write(path.join(RESULTS), text(&known)).expect("writes");
        let seeds = |path: &Path| {
            let lines = read_results(path).expect("reads");
            let seeds = lines.iter().map(|line| line.record.seed);
            seeds.collect::<BTreeSet<u64>>()
        };
        let mut folder = Folder::resume(path, &known).expect("writes");
        assert_eq!(seeds(path), BTreeSet::from([0, 1, 4]));
        for line in &all[..3] {
            folder.add(line).expect("writes");
        }
        folder.flush().expect("writes");
        drop(folder);
        assert_eq!(seeds(path), BTreeSet::from([0, 1, 2, 4]));
        let known = read_results(path).expect("reads");
        let mut folder = Folder::resume(path, &known).expect("writes");
        assert_eq!(seeds(path), BTreeSet::from([0, 1, 2, 4]));
        for line in &all {
            folder.add(line).expect("writes");
            folder.flush().expect("writes");
        }
        drop(folder);
        assert!(!path.join(BESIDE).exists());
        assert_eq!(
            fs::read_to_string(path.join(RESULTS)).expect("reads"),
            text(&all)
        );
    }

    #[test]
    fn a_cut_last_line_is_left_out_and_a_bad_one_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let line = lost::line("a", 1, lost::CRASH, "x".to_owned());
        let good = line.to_json();
        fs::write(
            folder.path().join("results.jsonl"),
            format!("{good}\n{}", &good[..20]),
        )
        .expect("writes");
        assert_eq!(read_results(folder.path()), Ok(vec![line]));
        fs::write(
            folder.path().join("results.jsonl"),
            format!("{good}\nnonsense\n{good}\n"),
        )
        .expect("writes");
        assert!(
            read_results(folder.path())
                .expect_err("a bad line")
                .contains("results.jsonl:2:")
        );
    }
}
