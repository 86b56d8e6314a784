//! A summary for a pull request or a CI page.

use crate::summary::Summary;
use crate::table::{self, bytes, count, duration, grouped, rounded};
use crate::text::{coverage, vacuity, verdicts};

/// The summary as Markdown. `title` says what was run.
#[must_use]
pub fn summary(summary: &Summary, title: &str) -> String {
    let mut out = format!(
        "# Synod: {}\n\n{} of {title}: {}.\n",
        summary.ending().word(),
        count(summary.runs, "run"),
        verdicts(summary)
    );
    for (title, failures) in [
        ("Failures", &summary.failures),
        ("Inconclusive", &summary.undecided),
    ] {
        if failures.is_empty() {
            continue;
        }
        out.push_str(&format!("\n## {title}\n\n"));
        let rows: Vec<_> = failures
            .iter()
            .map(|failure| {
                let repro = failure
                    .repro
                    .as_deref()
                    .map(|path| format!("`{path}`"))
                    .unwrap_or_default();
                vec![
                    failure.class.clone(),
                    failure.check.clone(),
                    grouped(failure.count),
                    format!("{} seed {}", failure.scenario, failure.seed),
                    failure.message.clone(),
                    repro,
                ]
            })
            .collect();
        out.push_str(&table::markdown(
            &["class", "check", "runs", "first", "message", "reproducer"],
            &rows,
        ));
    }
    if !summary.known.is_empty() {
        out.push_str("\n## Known\n\n");
        for known in &summary.known {
            out.push_str(&format!("- {}\n", known.sentence()));
        }
    }
    if !summary.vacuous.is_empty() {
        out.push_str("\n## Never happened\n\n");
        for found in &summary.vacuous {
            out.push_str(&format!("- {}\n", vacuity(found)));
        }
    }
    out.push_str("\n## Scenarios\n\n");
    let rows: Vec<_> = summary
        .scenarios
        .iter()
        .map(|(name, totals)| {
            vec![
                name.clone(),
                grouped(totals.runs),
                grouped(totals.failed),
                grouped(totals.faults.values().sum()),
            ]
        })
        .collect();
    out.push_str(&table::markdown(
        &["scenario", "runs", "failed", "effective faults"],
        &rows,
    ));
    let coverage = coverage(&summary.coverage, usize::MAX);
    if !coverage.is_empty() {
        out.push_str("\n## Coverage\n\n");
        for line in coverage {
            out.push_str(&format!("- {line}\n"));
        }
    }
    out.push_str("\n## Totals\n\n");
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let rate = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), rounded);
    let rows = [
        row("messages delivered", grouped(summary.messages_delivered)),
        row(
            "messages per CPU second",
            rate(summary.messages_per_cpu_second()),
        ),
        row("seeds per CPU minute", rate(summary.seeds_per_cpu_minute())),
        row("client operations", grouped(summary.client_operations)),
        row("simulated", duration(summary.virtual_seconds)),
        row("CPU", duration(summary.cpu_seconds)),
        row("wall", duration(summary.wall_seconds)),
        row(
            "largest accounted memory of a run",
            bytes(summary.accounted_bytes_max),
        ),
        row(
            "made twice, mismatched",
            format!(
                "{}, {}",
                grouped(summary.determinism.checked),
                grouped(summary.determinism.mismatched)
            ),
        ),
        row(
            "failure rate of a seed, upper 95 % bound",
            format!("{} %", rounded(summary.residual_risk * 100.0)),
        ),
        row("digest", format!("`{}`", summary.digest)),
    ];
    out.push_str(&table::markdown(&["", ""], &rows));
    out
}

#[cfg(test)]
mod tests {

    #[test]
    fn a_summary_reads_well() {
        let summary = crate::text::tests::example();
        let text = super::summary(&summary, "the mix, seeds 0..3");
        assert!(
            text.starts_with(
                "# Synod: failed\n\n3 runs of the mix, seeds 0..3: 2 pass, 1 safety.\n\n## \
                 Failures\n"
            ),
            "{text}"
        );
        assert!(
            text.contains(
                "| safety | linearizability | 1 | safety/stale-read seed 1 | key \"x\": read <2> \
                 & found 1 | `failures/x/repro.toml` |"
            ),
            "{text}"
        );
        assert!(
            text.contains("| safety/stale-read | 2 | 1 | 4 |\n| smoke/one | 1 | 0 | 2 |\n"),
            "{text}"
        );
        assert!(
            text.contains("## Coverage\n\n- never delivered in the chaos"),
            "{text}"
        );
    }
}
