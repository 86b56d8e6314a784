//! `synod triage`: an issue's text for each distinct failure of a sweep.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use synod_reports::precedes::preceded;
use synod_reports::summary::{Cost, Failure};
use synod_reports::tally::{EXPECTED_FAILURE, Tally};
use synod_reports::triage::{Issue, Sweep, issue};

use crate::cli::exit;
use crate::cli::options::{Format, document};
use crate::cli::terminal::{fail, print, quoted};
use crate::cli::which::options_of;
use crate::sweep::folder::{SHRUNK, of_failure, read_info, read_results};

/// Arguments of `triage`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  synod triage target/synod/latest
  synod triage target/synod/latest --out issues      a file for each: FINGERPRINT.md
  synod triage target/synod/latest --format json     title, marker and body of each

The same sweep gives the same text. Each body holds a marker, `synod-fingerprint: NAME`: ask the \
                        tracker for it before an issue is filed, and none is filed twice.

Exit status: 0, also where nothing failed.")]
pub struct TriageArgs {
    /// The folder of a sweep, or of a merge
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Write each issue into this folder, its title in the first line
    #[arg(long, short, env = "SYNOD_OUT", value_name = "DIR")]
    out: Option<PathBuf>,
    /// The form of what goes to standard output
    #[arg(long, env = "SYNOD_FORMAT", value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
#[must_use]
pub fn run(arguments: &TriageArgs) -> u8 {
    let issues = match issues(&arguments.folder) {
        Ok(issues) => issues,
        Err(message) => return fail(exit::USAGE, &message),
    };
    if let Some(out) = &arguments.out
        && let Err(error) = write(out, &issues)
    {
        return fail(exit::HARNESS, &format!("{}: {error}", out.display()));
    }
    match arguments.format {
        Format::Human if issues.is_empty() => print("nothing failed\n"),
        Format::Human => {
            for one in &issues {
                print(&text(one));
            }
        }
        Format::Json => print(&document(&issues, Format::Json)),
        Format::Jsonl => issues
            .iter()
            .for_each(|one| print(&document(one, Format::Jsonl))),
    }
    exit::PASSED
}

fn text(issue: &Issue) -> String {
    format!("# {}\n\n{}\n", issue.title, issue.body)
}

fn write(out: &Path, issues: &[Issue]) -> std::io::Result<()> {
    fs::create_dir_all(out)?;
    for one in issues {
        fs::write(out.join(format!("{}.md", one.fingerprint)), text(one))?;
    }
    Ok(())
}

fn issues(folder: &Path) -> Result<Vec<Issue>, String> {
    let info = read_info(folder)?;
    let lines = read_results(folder)?;
    let preceded = preceded(&lines);
    let mut tally = Tally::new();
    for line in &lines {
        tally.add(line);
    }
    let summary = tally.finish(&info.demands, Cost::default(), false);
    let build = format!(
        "synod {}, commit {}, sources {}",
        info.version, info.commit, info.build
    );
    let sweep = Sweep {
        title: &info.title(),
        runs: summary.runs,
        build: &build,
        options: &options_of(&info.settings),
    };
    let failures = summary.failures.iter();
    let found = failures.filter(|failure| {
        failure.check != EXPECTED_FAILURE && !info.is_known(&failure.fingerprint)
    });
    Ok(found
        .map(|failure| {
            let name = &failure.fingerprint;
            let shrunk = of_failure(folder, name).join(SHRUNK);
            let shrunk = fs::read_to_string(shrunk).ok();
            let preceded = preceded.iter().find(|one| one.fingerprint == *name);
            let failure = Failure {
                scenario: quoted(&info.named(&failure.scenario)),
                ..failure.clone()
            };
            issue(&failure, preceded, shrunk.as_deref(), &sweep)
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::fake::{Behaviour, info, sweep_into};
    use crate::sweep::seeds::Seeds;

    #[test]
    fn each_failure_of_a_sweep_is_an_issue() {
        let place = tempfile::tempdir().expect("a folder");
        let info = info(&["a"], Seeds { start: 0, end: 30 }, None, None);
        let made = sweep_into(place.path(), &info, Behaviour::FailEvery(9), Vec::new());
        let [failure] = &made.summary.failures[..] else {
            panic!("{:?}", made.summary.failures);
        };
        let kept = place.path().join("failures").join(&failure.fingerprint);
        fs::write(kept.join(SHRUNK), "# small").expect("writes");
        let found = issues(place.path()).expect("it is a sweep");
        assert_eq!(found.len(), 1);
        assert!(found[0].body.contains("# small"), "{}", found[0].body);
        assert!(found[0].body.contains("4 independent seeds of 1 scenario"));
        let out = place.path().join("issues");
        write(&out, &found).expect("writes");
        let file = out.join(format!("{}.md", failure.fingerprint));
        let text = fs::read_to_string(file).expect("reads");
        assert!(
            text.starts_with("# agreement: slot #: two values\n"),
            "{text}"
        );
        assert!(issues(&out).is_err_and(|message| message.contains("run.json")));
    }
}
