//! What the harness' parts are worth, by the bugs that only they find: one table of checks, one of
//! faults, one of scenarios, and the matrix of bugs and checks.

use std::collections::{BTreeMap, BTreeSet};

use crate::ablation::{Ablation, Part};
use crate::hunt::HuntRow;
use crate::table;

/// What a part of the harness does for all bugs together.
struct Worth {
    name: String,
    present: usize,
    needed: Vec<String>,
}

/// All tables, for a terminal.
#[must_use]
pub fn text(rows: &[HuntRow]) -> String {
    render(rows, table::plain)
}

/// All tables, as Markdown.
#[must_use]
pub fn markdown(rows: &[HuntRow]) -> String {
    render(rows, table::markdown)
}

fn render(rows: &[HuntRow], table: fn(&[&str], &[Vec<String>]) -> String) -> String {
    let checks = worth(rows, |ablation| &ablation.checks);
    let faults = worth(rows, |ablation| &ablation.faults);
    let scenarios = scenarios(rows);
    let shown = |worths: &[Worth]| -> Vec<Vec<String>> {
        let row = |worth: &Worth| {
            vec![
                worth.name.clone(),
                worth.present.to_string(),
                worth.needed.len().to_string(),
                worth.needed.join(", "),
            ]
        };
        worths.iter().map(row).collect()
    };
    let escape = "bugs that escape without it";
    let found: Vec<Vec<String>> = rows.iter().filter_map(found_by).collect();
    let mut out = [
        table(&["bug", "detections", "made by each check alone"], &found),
        table(
            &["check", "bugs it finds alone", "needed by", escape],
            &shown(&checks),
        ),
        table(
            &["fault", "bugs it was there for", "needed by", escape],
            &shown(&faults),
        ),
        table(
            &[
                "scenario",
                "bugs found in it",
                "needed by",
                "bugs found in no other",
            ],
            &shown(&scenarios),
        ),
    ]
    .join("\n");
    for (what, worths) in [
        ("checks", checks),
        ("faults", faults),
        ("scenarios", scenarios),
    ] {
        let idle: Vec<String> = worths
            .into_iter()
            .filter(|worth| worth.needed.is_empty())
            .map(|worth| worth.name)
            .collect();
        if !idle.is_empty() {
            out += &format!("\n{what} that no bug of these needs: {}\n", idle.join(", "));
        }
    }
    out
}

/// A bug's row in the matrix of bugs and checks.
fn found_by(row: &HuntRow) -> Option<Vec<String>> {
    let ablation = row.ablation.as_ref()?;
    let mut checks: Vec<(&String, u64)> = ablation
        .checks
        .iter()
        .map(|(name, part)| (name, part.present))
        .filter(|(_, present)| *present > 0)
        .collect();
    checks.sort_by_key(|(_, present)| std::cmp::Reverse(*present));
    let checks: Vec<String> = checks
        .into_iter()
        .map(|(name, present)| format!("{name} {present}"))
        .collect();
    Some(vec![
        row.bug.clone(),
        ablation.detections.to_string(),
        checks.join(", "),
    ])
}

fn worth(rows: &[HuntRow], parts: fn(&Ablation) -> &BTreeMap<String, Part>) -> Vec<Worth> {
    let ablations: Vec<(&String, &Ablation)> = rows
        .iter()
        .filter_map(|row| row.ablation.as_ref().map(|ablation| (&row.bug, ablation)))
        .collect();
    let names: BTreeSet<&String> = ablations
        .iter()
        .flat_map(|(_, ablation)| parts(ablation).keys())
        .collect();
    let of = |name: &String| {
        let some: Vec<(&String, u64, Part)> = ablations
            .iter()
            .filter_map(|(bug, ablation)| {
                let part = parts(ablation).get(name)?;
                Some((*bug, ablation.detections, *part))
            })
            .collect();
        let needs = |(bug, detections, part): &(&String, u64, Part)| {
            (part.needed == *detections && *detections > 0).then(|| (*bug).clone())
        };
        Worth {
            name: name.clone(),
            present: some.iter().filter(|(_, _, part)| part.present > 0).count(),
            needed: some.iter().filter_map(needs).collect(),
        }
    };
    let mut worths: Vec<Worth> = names.into_iter().map(of).collect();
    worths.sort_by_key(|worth| std::cmp::Reverse((worth.needed.len(), worth.present)));
    worths
}

fn scenarios(rows: &[HuntRow]) -> Vec<Worth> {
    let names: BTreeSet<&String> = rows.iter().flat_map(|row| row.scenarios.keys()).collect();
    let found =
        |row: &HuntRow, name: &String| row.scenarios.get(name).map_or(0, |share| share.detections);
    let of = |name: &String| Worth {
        name: name.clone(),
        present: rows.iter().filter(|row| found(row, name) > 0).count(),
        needed: rows
            .iter()
            .filter(|row| row.detections > 0 && found(row, name) == row.detections)
            .map(|row| row.bug.clone())
            .collect(),
    };
    let mut worths: Vec<Worth> = names.into_iter().map(of).collect();
    worths.sort_by_key(|worth| std::cmp::Reverse((worth.needed.len(), worth.present)));
    worths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hunt::{BugCard, Count, Share};

    fn row(bug: &str, checks: &[(&str, u64, u64)], faults: &[(&str, u64, u64)]) -> HuntRow {
        let card = BugCard {
            name: bug.to_owned(),
            component: String::new(),
            class: String::new(),
            difficulty: String::new(),
            behaviour: String::new(),
            source: String::new(),
        };
        let parts = |parts: &[(&str, u64, u64)]| {
            let part = |&(name, present, needed): &(&str, u64, u64)| {
                (name.to_owned(), Part { present, needed })
            };
            parts.iter().map(part).collect()
        };
        let share = |runs, detections| Share { runs, detections };
        let count = Count {
            runs: 40,
            detections: 4,
            scenarios: [
                ("weather".to_owned(), share(30, 4)),
                ("smoke".to_owned(), share(10, 0)),
            ]
            .into(),
            ablation: Some(Ablation {
                detections: 4,
                checks: parts(checks),
                faults: parts(faults),
            }),
            ..Count::default()
        };
        HuntRow::new(&card, count)
    }

    #[test]
    fn a_bug_escapes_without_what_all_its_detections_need() {
        let rows = [
            row(
                "lies",
                &[("ghost", 4, 4), ("prefix", 0, 0)],
                &[("kill", 4, 4), ("pause", 2, 2)],
            ),
            row(
                "forgets",
                &[("ghost", 4, 3), ("prefix", 1, 0)],
                &[("kill", 3, 3)],
            ),
        ];
        let told = markdown(&rows);
        for line in [
            "| lies | 4 | ghost 4 |",
            "| forgets | 4 | ghost 4, prefix 1 |",
            "| ghost | 2 | 1 | lies |",
            "| prefix | 1 | 0 |  |",
            "| kill | 2 | 1 | lies |",
            "| pause | 1 | 0 |  |",
            "| weather | 2 | 2 | lies, forgets |",
            "checks that no bug of these needs: prefix",
            "faults that no bug of these needs: pause",
            "scenarios that no bug of these needs: smoke",
        ] {
            assert!(told.lines().any(|told| told == line), "{line}\n{told}");
        }
    }
}
