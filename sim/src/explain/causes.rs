//! What a failing run needs of its plan: each fault, step and single decision in turn is taken out,
//! first of the run as it was, then of many of its futures.

use serde::Serialize;

use crate::explain::bake_in::{FUTURES, branched, first_moment};
use crate::plan::Plan;
use crate::shrink::case::Case;

/// How many of so many futures fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Share {
    /// Those that fail.
    pub failed: u64,
    /// All.
    pub futures: u64,
}

/// A fault, a step or a single decision of the plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Cause {
    /// As the plan has it, in a line.
    pub what: String,
    /// Without it, the run as it was fails, in whatever way; none: not tried, the budget was spent, or
    /// it cannot be left out.
    pub fails_without: Option<bool>,
    /// Of other futures without it; none for what is not needed, and when the budget was spent.
    pub futures: Option<Share>,
    /// The plan without it.
    #[serde(skip)]
    pub without: Option<Plan>,
}

/// Everything that the plan does to the run, what is needed first.
pub fn causes(case: &mut Case<'_>, plan: &Plan) -> Vec<Cause> {
    let brief = case.scribe.brief(plan);
    let mut causes: Vec<Cause> = brief
        .blocks()
        .into_iter()
        .map(|block| {
            let less = brief.without_block(&block);
            Cause {
                what: in_a_line(&brief.lists[block]),
                fails_without: None,
                futures: None,
                without: case.scribe.read(&less.text()),
            }
        })
        .collect();
    let plans: Vec<Plan> = causes
        .iter()
        .filter_map(|one| one.without.clone())
        .collect();
    let mut records = case.all(&plans).into_iter();
    for cause in causes.iter_mut().filter(|cause| cause.without.is_some()) {
        let record = records.next().flatten();
        cause.fails_without = record.map(|record| record.verdict.is_failure());
    }
    for cause in &mut causes {
        if let (Some(false), Some(without)) = (cause.fails_without, &cause.without) {
            cause.futures = share(case, without);
        }
    }
    causes.sort_by_key(|cause| match cause.fails_without {
        Some(false) => 0,
        None => 1,
        Some(true) => 2,
    });
    causes
}

/// How many of the futures of a plan fail, from its beginning on; none when the budget is spent.
pub fn share(case: &mut Case<'_>, plan: &Plan) -> Option<Share> {
    let first = first_moment(plan);
    let plans: Vec<Plan> = (1..=FUTURES)
        .map(|salt| branched(plan, first, salt))
        .collect();
    let mut failed = 0;
    for record in case.all(&plans) {
        failed += u64::from(record?.verdict.is_failure());
    }
    Some(Share {
        failed,
        futures: FUTURES,
    })
}

/// The lines of a block: `step: at = "1s", kill = { ... }`.
fn in_a_line(lines: &[String]) -> String {
    let (heads, entries): (Vec<&String>, Vec<&String>) = lines
        .iter()
        .filter(|line| !line.is_empty())
        .partition(|line| line.starts_with("[["));
    let head = heads
        .first()
        .map_or("", |head| head.trim_matches(['[', ']']));
    let entries: Vec<&str> = entries.into_iter().map(String::as_str).collect();
    format!("{head}: {}", entries.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_told_in_a_line() {
        let lines = ["[[step]]", "at = \"1s\"", "kill = \"leader\"", ""].map(str::to_owned);
        assert_eq!(in_a_line(&lines), "step: at = \"1s\", kill = \"leader\"");
    }
}
