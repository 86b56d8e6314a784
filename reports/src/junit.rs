//! A summary as JUnit XML, the format that CI systems show: a suite a scenario, a case a distinct
//! failure, and one case for the runs that passed.

use std::fmt::Write as _;

use crate::escape::escape;
use crate::summary::{Failure, ScenarioTotals, Summary};
use crate::text::vacuity;

/// The summary as a `junit.xml`.
#[must_use]
pub fn summary(summary: &Summary) -> String {
    let mut suites = String::new();
    let (mut tests, mut failed) = (0, 0);
    for (scenario, totals) in &summary.scenarios {
        let failures: Vec<&Failure> = summary
            .failures
            .iter()
            .filter(|failure| &failure.scenario == scenario)
            .collect();
        tests += failures.len() + 1;
        failed += failures.len();
        suite(&mut suites, scenario, totals, &failures);
    }
    if !summary.vacuous.is_empty() {
        tests += summary.vacuous.len();
        failed += summary.vacuous.len();
        let _ = writeln!(
            suites,
            r#"  <testsuite name="vacuity" tests="{0}" failures="{0}" errors="0">"#,
            summary.vacuous.len()
        );
        for found in &summary.vacuous {
            let _ = writeln!(
                suites,
                r#"    <testcase classname="vacuity" name="{} {}"><failure type="vacuous" message="{}"/></testcase>"#,
                escape(&found.what),
                escape(&found.name),
                escape(&vacuity(found))
            );
        }
        suites.push_str("  </testsuite>\n");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"synod\" tests=\"{tests}\" \
         failures=\"{failed}\" errors=\"0\" time=\"{:.3}\">\n{suites}</testsuites>\n",
        summary.wall_seconds
    )
}

fn suite(out: &mut String, scenario: &str, totals: &ScenarioTotals, failures: &[&Failure]) {
    let name = escape(scenario);
    let _ = writeln!(
        out,
        r#"  <testsuite name="{name}" tests="{}" failures="{}" errors="0">"#,
        failures.len() + 1,
        failures.len()
    );
    let _ = writeln!(
        out,
        r#"    <testcase classname="{name}" name="{} of {} runs"/>"#,
        totals.runs - totals.failed,
        totals.runs
    );
    for failure in failures {
        let _ = writeln!(
            out,
            r#"    <testcase classname="{name}" name="{}">"#,
            escape(&failure.fingerprint)
        );
        let _ = writeln!(
            out,
            r#"      <failure type="{}" message="{}">"#,
            escape(&failure.check),
            escape(&failure.message)
        );
        let _ = write!(out, "{} runs; first seed {}", failure.count, failure.seed);
        if let Some(repro) = &failure.repro {
            let _ = write!(out, "; reproducer {}", escape(repro));
        }
        out.push_str("</failure>\n    </testcase>\n");
    }
    out.push_str("  </testsuite>\n");
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_failure_is_a_case() {
        let summary = crate::text::tests::example();
        let expected = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="synod" tests="3" failures="1" errors="0" time="0.250">
  <testsuite name="safety/stale-read" tests="2" failures="1" errors="0">
    <testcase classname="safety/stale-read" name="1 of 2 runs"/>
    <testcase classname="safety/stale-read" name="{}">
      <failure type="linearizability" message="key &quot;x&quot;: read &lt;2&gt; &amp; found 1">
1 runs; first seed 1; reproducer failures/x/repro.toml</failure>
    </testcase>
  </testsuite>
  <testsuite name="smoke/one" tests="1" failures="0" errors="0">
    <testcase classname="smoke/one" name="1 of 1 runs"/>
  </testsuite>
</testsuites>
"#,
            summary.failures[0].fingerprint
        );
        assert_eq!(super::summary(&summary), expected);
    }
}
