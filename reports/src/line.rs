//! A line of `results.jsonl`: a run's record, and what the totals over many runs need to know
//! besides.

use serde::{Deserialize, Serialize};

use crate::record::RunRecord;

/// One line. It holds nothing that depends on time, machine or order, so that the file is the same
/// for any number of jobs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ResultLine {
    /// The run.
    #[serde(flatten)]
    pub record: RunRecord,
    /// The fault kinds that the run's plan contains, whether or not they took effect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planned: Vec<String>,
    /// The run was made twice and the digests compared.
    #[serde(default, skip_serializing_if = "is_false")]
    pub twice: bool,
    /// For a scenario that expects a failure: whether it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<bool>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl ResultLine {
    /// The line of a record alone.
    #[must_use]
    pub const fn new(record: RunRecord) -> Self {
        Self {
            record,
            planned: Vec::new(),
            twice: false,
            expected: None,
        }
    }

    /// The line as JSON, without its newline.
    ///
    /// # Panics
    /// Never: a record holds strings, integers and finite numbers.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a record is plain data")
    }

    /// Reads a line.
    ///
    /// # Errors
    /// When it is not a line of `results.jsonl`.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::record::{Deliveries, Operations, Verdict};

    /// A passing run, for tests here and in the renderers.
    pub fn line(scenario: &str, seed: u64) -> ResultLine {
        ResultLine::new(RunRecord {
            scenario: scenario.to_owned(),
            seed,
            verdict: Verdict::Pass,
            check: None,
            message: None,
            digest: format!("{:016x}", seed + 1),
            events: 100,
            messages_delivered: 50,
            virtual_seconds: 1.5,
            client_operations: 10,
            operations: BTreeMap::from([(
                "put".to_owned(),
                Operations {
                    sent: 10,
                    answered: 9,
                },
            )]),
            audits: 2,
            accounted_bytes: 1000 + seed,
            faults: BTreeMap::from([("kill".to_owned(), 2)]),
            milestones: BTreeMap::from([("leader-changed".to_owned(), 3)]),
            checks: BTreeMap::from([("agreement".to_owned(), 5)]),
            deliveries: BTreeMap::from([(
                "prepare".to_owned(),
                Deliveries {
                    leader: 0,
                    candidate: 1,
                    follower: 2,
                },
            )]),
            cells: BTreeMap::from([(
                "chaos".to_owned(),
                BTreeMap::from([("prepare".to_owned(), "cf".to_owned())]),
            )]),
            states: vec![7, 70_000 + u32::try_from(seed).expect("a small one")],
            unmatched: Vec::new(),
            first_answers: vec![1500, 2000],
            later_answers: vec![400],
            service: None,
            bug: None,
        })
    }

    #[test]
    fn a_line_comes_back() {
        let mut full = line("smoke/one", 7);
        full.planned = vec!["kill".to_owned()];
        full.twice = true;
        full.expected = Some(false);
        assert_eq!(ResultLine::from_json(&full.to_json()).expect("reads"), full);
        let text = line("smoke/one", 7).to_json();
        assert!(
            text.starts_with(
                r#"{"scenario":"smoke/one","seed":7,"verdict":"pass","digest":"0000000000000008""#
            ),
            "{text}"
        );
        assert!(
            !text.contains("twice") && !text.contains("expected"),
            "{text}"
        );
    }

    #[test]
    fn a_line_of_before_coverage_is_read() {
        let mut old = line("smoke/one", 7);
        (old.record.cells, old.record.states) = Default::default();
        let text = old.to_json();
        assert!(
            !text.contains("cells") && !text.contains("states"),
            "{text}"
        );
        assert_eq!(ResultLine::from_json(&text).expect("reads"), old);
    }
}
