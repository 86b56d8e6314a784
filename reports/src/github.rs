//! What GitHub shows of a sweep beside a change: annotations on the files of the scenarios that
//! failed. They are workflow commands, which a step prints ("Workflow commands for GitHub Actions").

use crate::summary::{Failure, Summary};
use crate::text::vacuity;

/// GitHub shows so many annotations of a kind that a step makes, and drops the others.
const MOST: usize = 10;

/// The annotations, a line each. `file_of` gives the file of a scenario from the repository's root,
/// if it has one there.
#[must_use]
pub fn annotations(summary: &Summary, file_of: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let is_new = |failure: &&Failure| {
        let mut known = summary.known.iter();
        !known.any(|known| known.fingerprint == failure.fingerprint)
    };
    let failures = summary.failures.iter().filter(is_new).map(|failure| {
        let file = file_of(&failure.scenario).map_or_else(String::new, |file| {
            format!("file={},line=1,", property(&file))
        });
        format!(
            "::error {file}title={}::{}",
            property(&format!("{} seed {}", failure.scenario, failure.seed)),
            data(&format!("{}: {}", failure.check, failure.message))
        )
    });
    let undecided = summary.undecided.iter().map(|failure| {
        format!(
            "::warning title={}::{}",
            property(&format!("{} seed {}", failure.scenario, failure.seed)),
            data(&format!("{}: {}", failure.check, failure.message))
        )
    });
    let vacuous = summary
        .vacuous
        .iter()
        .map(|found| format!("::error title=vacuous::{}", data(&vacuity(found))));
    failures
        .chain(vacuous)
        .chain(undecided)
        .take(MOST)
        .collect()
}

/// The text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a command, in which more has a meaning.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_shown_on_its_scenario() {
        let mut summary = crate::text::tests::example();
        summary.failures[0].message = "a: 50%\nof it".to_owned();
        summary.failures[0].scenario = "safety/a,b".to_owned();
        let file = |name: &str| Some(format!("scenarios/{name}.toml"));
        assert_eq!(
            annotations(&summary, file),
            [
                "::error file=scenarios/safety/a%2Cb.toml,line=1,title=safety/a%2Cb seed 1::\
                 linearizability: a: 50%25%0Aof it"
            ]
        );
        let one = summary.failures[0].clone();
        summary.failures = vec![one; 30];
        let many = annotations(&summary, |_| None);
        assert_eq!(many.len(), MOST);
        assert!(
            many[0].starts_with("::error title=safety/a%2Cb"),
            "{}",
            many[0]
        );
    }
}
