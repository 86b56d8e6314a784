//! An issue's text for each distinct failure of a sweep: the same text for the same sweep, with a
//! marker by which a tracker can be asked whether it was filed already.

use serde::Serialize;

use crate::fingerprint::normalise;
use crate::precedes::Preceded;
use crate::summary::Failure;
use crate::table::count;

/// A title says so many characters of the message.
const TITLE_MAX: usize = 90;

/// What the sweep was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sweep<'a> {
    /// What was run: `the mix, seeds 0..2000`.
    pub title: &'a str,
    /// Runs.
    pub runs: u64,
    /// The version, the commit and the hash of the sources.
    pub build: &'a str,
    /// Options of the runs, to be pasted after a replay's name.
    pub options: &'a str,
}

/// An issue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Issue {
    /// The failure.
    pub fingerprint: String,
    /// A line that stays the same from seed to seed.
    pub title: String,
    /// What the body holds, and no other issue.
    pub marker: String,
    /// Markdown.
    pub body: String,
    /// Runs that failed so.
    pub runs: u64,
}

/// The marker of a failure.
#[must_use]
pub fn marker(fingerprint: &str) -> String {
    format!("synod-fingerprint: {fingerprint}")
}

/// The issue of a failure. `shrunk` is its smallest reproducer.
#[must_use]
pub fn issue(
    failure: &Failure,
    preceded: Option<&Preceded>,
    shrunk: Option<&str>,
    sweep: &Sweep<'_>,
) -> Issue {
    let Failure {
        fingerprint,
        class,
        check,
        message,
        scenario,
        seed,
        ..
    } = failure;
    let first = message.lines().next().unwrap_or_default();
    // Some messages begin with the check's name.
    let first = first.strip_prefix(check.as_str()).unwrap_or(first).trim();
    let short: String = normalise(first).chars().take(TITLE_MAX).collect();
    let marker = marker(fingerprint);
    let mut body = format!(
        "<!-- {marker} -->\n`{check}` fails ({class}) in {} of {} of {}, first {scenario} seed \
         {seed}:\n\n{}",
        count(failure.count, "run"),
        sweep.runs,
        sweep.title,
        quoted(message),
    );
    if let Some(preceded) = preceded {
        body.push_str(&format!(
            "\n{} of {} stand behind it.\n",
            count(preceded.seeds, "independent seed"),
            count(preceded.scenarios, "scenario")
        ));
        for sentence in preceded.sentences() {
            body.push_str(&format!("{sentence}\n"));
        }
    }
    body.push_str(&format!(
        "\nWith {}:\n\n```sh\nsynod replay {scenario} --seed {seed}{}\n```\n",
        sweep.build, sweep.options
    ));
    if let Some(shrunk) = shrunk {
        body.push_str(&format!(
            "\nThe smallest run that was found; save it as `shrunk.toml`, then `synod replay \
             shrunk.toml` and `synod explain shrunk.toml`:\n\n```toml\n{}\n```\n",
            shrunk.trim_end()
        ));
    }
    Issue {
        fingerprint: fingerprint.clone(),
        title: format!("{check}: {short}"),
        marker,
        body,
        runs: failure.count,
    }
}

/// A message as a block of code, whatever is in it.
fn quoted(message: &str) -> String {
    message
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_has_its_marker_and_what_to_paste() {
        let summary = crate::text::tests::example();
        let mut failure = summary.failures[0].clone();
        let sweep = Sweep {
            title: "the mix, seeds 0..3",
            runs: 3,
            build: "synod 1, commit abc",
            options: " --checks client",
        };
        let one = issue(&failure, None, Some("format = 1\n"), &sweep);
        assert!(one.body.starts_with(&format!("<!-- {} -->\n", one.marker)));
        let has = |part: &str| assert!(one.body.contains(part), "{part}: {}", one.body);
        has("in 1 run of 3 of the mix, seeds 0..3, first safety/stale-read seed 1:\n\n    key");
        has("synod replay safety/stale-read --seed 1 --checks client\n```\n");
        has("```toml\nformat = 1\n```\n");
        // Another seed's particulars change the text, and neither the title nor the marker.
        failure.message = "key \"other\": read <77> & found 8".to_owned();
        let other = issue(&failure, None, None, &sweep);
        assert_eq!((&one.title, &one.marker), (&other.title, &other.marker));
    }
}
