//! How long each planted bug takes to be found: the measure of the harness itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ablation::Ablation;
use crate::interval::{ci95, median_runs};
use crate::table::{self, rounded};

/// What is known of a planted bug.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BugCard {
    /// Its name on the command line.
    pub name: String,
    /// The part of the protocol that it sits in.
    pub component: String,
    /// What it leads to.
    pub class: String,
    /// How hard it is to find.
    pub difficulty: String,
    /// What it does.
    pub behaviour: String,
    /// Where such a bug was seen.
    pub source: String,
}

/// What a hunt counted for one bug.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Count {
    /// Runs made with the bug planted.
    pub runs: u64,
    /// Runs that failed, and in which the bug had changed something; lost ones apart.
    pub detections: u64,
    /// Failures that are not the bug's: it had changed nothing, or the run failed without it as
    /// well, or not again.
    pub unsound: u64,
    /// The runs and detections of each scenario.
    pub scenarios: BTreeMap<String, Share>,
    /// What the detections owe to the parts of the harness, if that was asked.
    pub ablation: Option<Ablation>,
    /// Runs that were lost: they hung, crashed their worker, or passed their memory.
    pub lost: u64,
    /// Runs in which the bug's guard was evaluated.
    pub reached: u64,
    /// Runs in which it changed the outcome.
    pub triggered: u64,
    /// CPU seconds of all runs.
    pub cpu_seconds: f64,
    /// The check of the first failing run.
    pub first_check: Option<String>,
    /// The first failing run.
    pub first_run: Option<(String, u64)>,
    /// Whether what clients see is enough to find it.
    pub client_visible: bool,
}

/// What one scenario has of all runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Share {
    /// Runs.
    pub runs: u64,
    /// Detections.
    pub detections: u64,
}

/// One bug's row.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HuntRow {
    /// The bug.
    pub bug: String,
    /// The part of the protocol that it sits in.
    pub component: String,
    /// What it leads to.
    pub class: String,
    /// Runs made with the bug planted.
    pub runs: u64,
    /// Runs that failed, lost ones apart.
    pub detections: u64,
    /// Runs that were lost: they hung, crashed their worker, or passed their memory. They say that
    /// something is wrong, and no check found it.
    #[serde(default)]
    pub lost: u64,
    /// Runs in which the bug's guard was evaluated.
    pub reached: u64,
    /// Runs in which it changed the outcome.
    pub triggered: u64,
    /// Detections per run.
    pub detection_rate: f64,
    /// The exact 95 % interval of the rate.
    pub ci95: (f64, f64),
    /// The number of seeds that find it with probability one half; null where undetected.
    pub median_seeds: Option<f64>,
    /// The CPU seconds of so many seeds.
    pub median_cpu_seconds: Option<f64>,
    /// The check of the first failing run.
    pub first_check: Option<String>,
    /// Whether what clients see is enough to find it.
    pub client_visible: bool,
    /// The scenario of the first failing run.
    pub first_scenario: Option<String>,
    /// The seed of the first failing run.
    pub first_seed: Option<u64>,
    /// Failures that are not the bug's: it had changed nothing, or the run failed without it as
    /// well, or not again.
    #[serde(default)]
    pub unsound: u64,
    /// The runs and detections of each scenario.
    #[serde(default)]
    pub scenarios: BTreeMap<String, Share>,
    /// What the detections owe to the parts of the harness, if that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ablation: Option<Ablation>,
}

impl HuntRow {
    /// The row of a bug and its counts.
    #[must_use]
    pub fn new(card: &BugCard, count: Count) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let [runs, detections] = [count.runs as f64, count.detections as f64];
        let median_seeds = median_runs(count.detections, count.runs);
        Self {
            bug: card.name.clone(),
            component: card.component.clone(),
            class: card.class.clone(),
            runs: count.runs,
            detections: count.detections,
            lost: count.lost,
            reached: count.reached,
            triggered: count.triggered,
            detection_rate: if count.runs == 0 {
                0.0
            } else {
                detections / runs
            },
            ci95: ci95(count.detections, count.runs),
            median_seeds,
            median_cpu_seconds: median_seeds
                .filter(|_| count.runs > 0)
                .map(|seeds| seeds * count.cpu_seconds / runs),
            first_check: count.first_check,
            client_visible: count.client_visible,
            first_scenario: count.first_run.as_ref().map(|run| run.0.clone()),
            first_seed: count.first_run.map(|run| run.1),
            unsound: count.unsound,
            scenarios: count.scenarios,
            ablation: count.ablation,
        }
    }

    fn cells(&self) -> Vec<String> {
        let option = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        vec![
            self.bug.clone(),
            self.component.clone(),
            self.class.clone(),
            table::grouped(self.runs),
            table::grouped(self.detections),
            table::grouped(self.lost),
            format!("{} %", rounded(self.detection_rate * 100.0)),
            format!(
                "{}..{} %",
                rounded(self.ci95.0 * 100.0),
                rounded(self.ci95.1 * 100.0)
            ),
            option(self.median_seeds.map(rounded)),
            option(self.median_cpu_seconds.map(rounded)),
            option(self.first_check.clone()),
            (if self.client_visible { "yes" } else { "no" }).to_owned(),
        ]
    }
}

const HEADING: [&str; 12] = [
    "bug",
    "component",
    "class",
    "runs",
    "found",
    "lost",
    "rate",
    "95 % interval",
    "median seeds",
    "median CPU s",
    "first check",
    "client sees",
];

/// The rows as a table for a terminal.
#[must_use]
pub fn text(rows: &[HuntRow]) -> String {
    table::plain(
        &HEADING,
        &rows.iter().map(HuntRow::cells).collect::<Vec<_>>(),
    )
}

/// The rows as a table for `sim/docs/bugs.md`.
#[must_use]
pub fn markdown(rows: &[HuntRow]) -> String {
    table::markdown(
        &HEADING,
        &rows.iter().map(HuntRow::cells).collect::<Vec<_>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> BugCard {
        let text = |text: &str| text.to_owned();
        BugCard {
            name: text("a-bug"),
            component: text("acceptor"),
            class: text("safety"),
            difficulty: text("easy"),
            behaviour: text("It lies."),
            source: text("here"),
        }
    }

    #[test]
    fn an_undetected_bug_has_no_median() {
        let row = HuntRow::new(
            &card(),
            Count {
                runs: 100,
                reached: 90,
                cpu_seconds: 2.0,
                ..Count::default()
            },
        );
        assert_eq!(
            (row.median_seeds, row.median_cpu_seconds, row.detection_rate),
            (None, None, 0.0)
        );
        let json = serde_json::to_value(&row).expect("plain data");
        assert!(json["median_seeds"].is_null() && json["first_check"].is_null());
        assert!((json["ci95"][1].as_f64().expect("a number") - 0.036_216_7).abs() < 1e-6);
    }

    #[test]
    fn a_row_reads_as_a_table() {
        let count = Count {
            runs: 100,
            detections: 10,
            lost: 3,
            reached: 90,
            triggered: 20,
            cpu_seconds: 2.0,
            first_check: Some("agreement".to_owned()),
            first_run: Some(("a".to_owned(), 5)),
            client_visible: true,
            ..Count::default()
        };
        let rows = [HuntRow::new(&card(), count)];
        assert_eq!(
            markdown(&rows).lines().last().expect("a row"),
            "| a-bug | acceptor | safety | 100 | 10 | 3 | 10.0 % | 4.90..17.6 % | 6.58 | 0.132 | \
             agreement | yes |"
        );
        assert!(
            text(&rows).contains("a-bug  acceptor   safety"),
            "{}",
            text(&rows)
        );
    }
}
