//! What a sweep, or shards that were merged, say when all is done: to a person, and to a CI system
//! that shows it beside a change.

use std::io::Write as _;
use std::iter::repeat;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use synod_reports::record::Verdict;
use synod_reports::summary::{Ending, Failure, Summary};
use synod_reports::table::count;
use synod_reports::tally::EXPECTED_FAILURE;
use synod_reports::{github, markdown, text};

use crate::cli::options::Global;
use crate::cli::terminal::{invocation, print, quoted, say};
use crate::cli::which::options_of;
use crate::sweep::folder::{PAGE, RunInfo, SHRUNK, of_failure};
use crate::sweep::shrinking::Became;

/// With `-v`, so many pairs of faults that never met are named; `summary.md` has all of them.
const PAIRS_SHOWN: usize = 12;

/// Prints the summary: the verdict and the failures, with `-v` all totals.
pub fn print_summary(summary: &Summary, title: &str, global: &Global) {
    let verdict = text::verdict(summary, title);
    let (first, rest) = verdict.split_once('\n').unwrap_or((&verdict, ""));
    let style = style(summary.ending());
    print(&format!("{style}{first}{style:#}\n{rest}"));
    if global.verbose > 0 {
        print(&text::totals(summary));
        for line in text::coverage(&summary.coverage, PAIRS_SHOWN) {
            print(&format!("  {line}\n"));
        }
    }
}

const fn style(ending: Ending) -> Style {
    let colour = match ending {
        Ending::Failed | Ending::Nondeterministic => AnsiColor::Red,
        Ending::Vacuous | Ending::Inconclusive | Ending::Interrupted => AnsiColor::Yellow,
        Ending::Passed => AnsiColor::Green,
    };
    colour.on_default().bold()
}

/// Ends each failure on standard error with lines that can be pasted.
pub fn say_how_to_repeat(
    failures: &[Failure],
    shrunk: &[Option<Became>],
    info: &RunInfo,
    path: &Path,
) {
    let shrunk = shrunk.iter().map(Option::as_ref).chain(repeat(None));
    for (failure, shrunk) in failures.iter().zip(shrunk) {
        if failure.check == EXPECTED_FAILURE || info.is_known(&failure.fingerprint) {
            continue;
        }
        let replay = match &failure.repro {
            Some(repro) => quoted(&path.join(repro).to_string_lossy()),
            None => {
                let named = format!(
                    "{} --seed {}",
                    quoted(&info.named(&failure.scenario)),
                    failure.seed
                );
                named + &options_of(&info.settings)
            }
        };
        say(&format!("{}:", failure.fingerprint));
        say(&format!("Reproduce with: {} replay {replay}", invocation()));
        let kept = of_failure(path, &failure.fingerprint);
        let file = kept.join(SHRUNK);
        match shrunk {
            Some(Ok(smaller)) => {
                say(&format!(
                    "Shrunk to {}: {} replay {}",
                    count(smaller.decisions as u64, "line"),
                    invocation(),
                    quoted(&file.to_string_lossy())
                ));
            }
            Some(Err(reason)) => say(&format!("Not shrunk: {reason}")),
            None if file.is_file() => say(&format!(
                "Shrunk: {} replay {}",
                invocation(),
                quoted(&file.to_string_lossy())
            )),
            None => {}
        }
        let page = kept.join(PAGE);
        if page.is_file() {
            say(&format!("View: {}", page.display()));
        }
        let is_smallest = matches!(shrunk, Some(Ok(smaller)) if smaller.is_done);
        if failure.class != Verdict::Lost.name() && !is_smallest {
            say(&format!("Shrink with: {} shrink {replay}", invocation()));
        }
    }
}

/// In GitHub Actions: the summary on the page of the step, and annotations on the files of scenarios
/// that failed. `variable` looks into the environment.
///
/// # Errors
/// When the page cannot be written, in words.
pub fn tell_github(
    summary: &Summary,
    info: &RunInfo,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), String> {
    if variable("GITHUB_ACTIONS").as_deref() != Some("true") {
        return Ok(());
    }
    let file_of = |scenario: &str| {
        let file = format!("scenarios/{scenario}.toml");
        Path::new(&file).is_file().then_some(file)
    };
    for line in github::annotations(summary, file_of) {
        say(&line);
    }
    let Some(page) = variable("GITHUB_STEP_SUMMARY").filter(|page| !page.is_empty()) else {
        return Ok(());
    };
    let mut open = std::fs::OpenOptions::new();
    open.create(true)
        .append(true)
        .open(&page)
        .and_then(|mut file| file.write_all(markdown::summary(summary, &info.title()).as_bytes()))
        .map_err(|error| format!("{page}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::fake::{Behaviour, info, sweep_into};
    use crate::sweep::seeds::Seeds;

    #[test]
    fn github_gets_a_page_when_it_asks_for_one() {
        let place = tempfile::tempdir().expect("a folder");
        let info = info(
            &["safety/weather-5"],
            Seeds { start: 0, end: 3 },
            None,
            None,
        );
        let made = sweep_into(place.path(), &info, Behaviour::FailEvery(2), Vec::new());
        let page = place.path().join("page.md");
        let named = page.display().to_string();
        let told = |actions: &'static str| {
            tell_github(&made.summary, &info, |name| match name {
                "GITHUB_ACTIONS" => Some(actions.to_owned()),
                "GITHUB_STEP_SUMMARY" => Some(named.clone()),
                _ => None,
            })
        };
        assert_eq!(told(""), Ok(()));
        assert!(!page.exists(), "nobody reads it");
        std::fs::write(&page, "before\n").expect("writes");
        assert_eq!(told("true"), Ok(()));
        let text = std::fs::read_to_string(&page).expect("reads");
        assert!(text.starts_with("before\n# Synod: failed\n"), "{text}");
        std::fs::remove_file(&page).expect("it is there");
        std::fs::create_dir(&page).expect("writes");
        assert!(told("true").is_err_and(|message| message.contains("page.md")));
    }
}
