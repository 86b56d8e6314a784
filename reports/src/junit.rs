//! A summary as JUnit XML, the format that CI systems show: a case a scenario, under a name that stays
//! the same from sweep to sweep, and a case for each thing that had to happen and never did.
//!
//! A case has one `failure` at most, since some readers show only the first: its text has all of them,
//! each with the command that makes it again. A scenario whose runs say nothing is an `error`, and one
//! whose failures are all known is `skipped`.

use std::fmt::Write as _;

use crate::escape::escape;
use crate::summary::{Failure, ScenarioTotals, Summary};
use crate::table::count;
use crate::text::vacuity;

/// How a failure is run again, typed where the sweep ran.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Again {
    /// What calls Synod there.
    pub program: String,
    /// The folder of the results, as a word of a shell.
    pub folder: String,
}

impl Again {
    fn of(&self, failure: &Failure) -> String {
        let Self { program, folder } = self;
        failure.repro.as_ref().map_or_else(
            || {
                format!(
                    "{program} replay {} --seed {}",
                    failure.scenario, failure.seed
                )
            },
            |repro| format!("{program} replay {folder}/{repro}"),
        )
    }
}

/// The summary as a `junit.xml`.
#[must_use]
pub fn summary(summary: &Summary, again: &Again) -> String {
    let mut cases = String::new();
    let (mut failed, mut errors) = (summary.vacuous.len(), 0);
    for (name, totals) in &summary.scenarios {
        let seconds = summary.cpu_seconds_by_scenario.get(name);
        let _ = write!(
            cases,
            r#"    <testcase classname="synod" name="{}" time="{:.3}""#,
            escape(name),
            seconds.copied().unwrap_or_default(),
        );
        let outcome = outcome(summary, totals, again);
        failed += usize::from(matches!(outcome, Some(("failure", _, _))));
        errors += usize::from(matches!(outcome, Some(("error", _, _))));
        match outcome {
            None => cases.push_str("/>\n"),
            Some((element, first, text)) => {
                let _ = writeln!(
                    cases,
                    ">\n      <{element} type=\"{}\" message=\"{}\">{}</{element}>\n    </testcase>",
                    escape(&first.check),
                    escape(&first.message),
                    // In an element, lines may stay lines.
                    escape(&text).replace("&#10;", "\n")
                );
            }
        }
    }
    for found in &summary.vacuous {
        let _ = writeln!(
            cases,
            r#"    <testcase classname="synod.vacuity" name="{} {}{}" time="0.000"><failure type="vacuous" message="{}"/></testcase>"#,
            escape(&found.what),
            escape(&found.name),
            escape(
                &found
                    .scenario
                    .as_deref()
                    .map_or_else(String::new, |scenario| format!(" of {scenario}"))
            ),
            escape(&vacuity(found))
        );
    }
    let tests = summary.scenarios.len() + summary.vacuous.len();
    let totals = format!(
        r#"tests="{tests}" failures="{failed}" errors="{errors}" time="{:.3}""#,
        summary.cpu_seconds_by_scenario.values().sum::<f64>()
    );
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"synod\" {totals}>\n  \
         <testsuite name=\"synod\" {totals}>\n{cases}  </testsuite>\n</testsuites>\n"
    )
}

/// The element that a scenario's case holds, the failure that it is named after, and what it says.
fn outcome<'a>(
    summary: &'a Summary,
    totals: &ScenarioTotals,
    again: &Again,
) -> Option<(&'static str, &'a Failure, String)> {
    let of = |failures: &'a [Failure]| -> Vec<(&'a Failure, u64)> {
        let its =
            |failure: &'a Failure| Some((failure, *totals.failures.get(&failure.fingerprint)?));
        failures.iter().filter_map(its).collect()
    };
    let is_known = |(failure, _): &(&Failure, u64)| {
        let mut known = summary.known.iter();
        known.any(|known| known.fingerprint == failure.fingerprint)
    };
    let (known, failures): (Vec<_>, Vec<_>) = of(&summary.failures).into_iter().partition(is_known);
    let undecided = of(&summary.undecided);
    let element = match (failures.is_empty(), undecided.is_empty()) {
        (false, _) => "failure",
        (true, false) => "error",
        (true, true) => "skipped",
    };
    let its = [failures, undecided, known].concat();
    let (first, _) = its.first()?;
    let text: String = its
        .iter()
        .map(|(failure, runs)| {
            format!(
                "\n{} in {} of {}: {}\n{}\n",
                failure.check,
                runs,
                count(totals.runs, "run"),
                failure.message,
                again.of(failure)
            )
        })
        .collect();
    Some((element, first, text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::known::Known;
    use crate::line::tests::line;
    use crate::record::Verdict;
    use crate::summary::{Cost, Vacuity};
    use crate::tally::Tally;

    #[test]
    fn a_scenario_is_a_case_with_all_its_failures() {
        let mut tally = Tally::new();
        let bad = |scenario: &str, seed: u64, message: &str| {
            let mut bad = line(scenario, seed);
            bad.record.verdict = Verdict::Safety;
            bad.record.check = Some("linearizability".to_owned());
            bad.record.message = Some(message.to_owned());
            bad
        };
        tally.add(&line("safety/stale-read", 0));
        tally.add(&bad("safety/stale-read", 1, "a stale <read>"));
        tally.add(&bad("safety/stale-read", 2, "a \"lost\" write"));
        tally.add(&bad("smoke/other", 3, "a stale <read>"));
        let mut unsure = line("smoke/unsure", 4);
        unsure.record.verdict = Verdict::Inconclusive;
        unsure.record.check = Some("events".to_owned());
        unsure.record.message = Some("the budget ran out".to_owned());
        tally.add(&unsure);
        tally.add(&line("smoke/well", 5));
        let cost = Cost {
            by_scenario: BTreeMap::from([("smoke/well".to_owned(), 0.25)]),
            ..Cost::default()
        };
        let mut summary = tally.finish(&BTreeMap::new(), cost, false);
        summary.failures[0].repro = Some("failures/x/repro.toml".to_owned());
        let mut known = summary.clone();
        known.known = vec![Known {
            fingerprint: known.failures[0].fingerprint.clone(),
            reason: "#7".to_owned(),
            until: "2030-01-01".to_owned(),
            runs: 2,
        }];
        let again = super::Again {
            program: "synod".to_owned(),
            folder: "'my results'".to_owned(),
        };
        let known = super::summary(&known, &again);
        assert!(
            known.contains("<skipped type=\"linearizability\""),
            "{known}"
        );
        assert!(known.contains("failures=\"1\" errors=\"1\""), "{known}");
        summary.vacuous = vec![Vacuity {
            what: "fault".to_owned(),
            name: "kill".to_owned(),
            scenario: None,
            runs: 300,
        }];
        let text = super::summary(&summary, &again);
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="synod" tests="5" failures="3" errors="1" time="0.250">
  <testsuite name="synod" tests="5" failures="3" errors="1" time="0.250">
    <testcase classname="synod" name="safety/stale-read" time="0.000">
      <failure type="linearizability" message="a stale &lt;read&gt;">
linearizability in 1 of 3 runs: a stale &lt;read&gt;
synod replay 'my results'/failures/x/repro.toml

linearizability in 1 of 3 runs: a &quot;lost&quot; write
synod replay safety/stale-read --seed 2
</failure>
    </testcase>
    <testcase classname="synod" name="smoke/other" time="0.000">
      <failure type="linearizability" message="a stale &lt;read&gt;">
linearizability in 1 of 1 run: a stale &lt;read&gt;
synod replay 'my results'/failures/x/repro.toml
</failure>
    </testcase>
    <testcase classname="synod" name="smoke/unsure" time="0.000">
      <error type="events" message="the budget ran out">
events in 1 of 1 run: the budget ran out
synod replay smoke/unsure --seed 4
</error>
    </testcase>
    <testcase classname="synod" name="smoke/well" time="0.250"/>
    <testcase classname="synod.vacuity" name="fault kill" time="0.000"><failure type="vacuous" message="fault `kill` was planned in 300 runs of all scenarios together and never took effect (below 0.994 %)"/></testcase>
  </testsuite>
</testsuites>
"#;
        assert_eq!(text, expected);
    }
}
