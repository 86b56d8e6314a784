//! Who is likely to be at fault: the subject, a bound that is too tight, the harness, or an oracle
//! that answers twice in two ways. What is said comes from runs near to the failing one.

use serde::Serialize;
use synod_reports::record::{RunRecord, Verdict};
use synod_reports::table::count;

use crate::check::suite::Checks;
use crate::run::{RunSpec, is_client_visible, run};
use crate::subject::process::ProbeLevel;
use crate::sweep::endings::{DETERMINISM, HARNESS};

/// A bound on time is taken to be too tight when the run passes with so many times as much.
const PATIENCE: u64 = 10;

/// At whose door it lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// The engine under test.
    Subject,
    /// A bound of the scenario, or of the harness's defaults.
    Bound,
    /// The simulator or a checker.
    Harness,
    /// Something that the simulator does not control answers twice in two ways.
    Nondeterminism,
}

impl Who {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Subject => "the subject",
            Self::Bound => "a bound that is too tight",
            Self::Harness => "the harness",
            Self::Nondeterminism => "nondeterminism",
        }
    }
}

/// Who, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Blame {
    /// At whose door it lies.
    pub who: Who,
    /// What speaks for that.
    pub why: Vec<String>,
}

/// Who is at fault in this run, which failed.
#[must_use]
pub fn blame(spec: &RunSpec, record: &RunRecord) -> Blame {
    let check = record.check.as_deref().unwrap_or_default();
    let one = |who, why: &str| Blame {
        who,
        why: vec![why.to_owned()],
    };
    if record.verdict == Verdict::Nondeterministic || check == DETERMINISM {
        return one(
            Who::Nondeterminism,
            "the same run came out in two ways: look for what the simulator does not decide, like \
             hash maps, threads, clocks and addresses",
        );
    }
    if check == HARNESS {
        return one(Who::Harness, "the panic is in the simulator's own sources");
    }
    let again = run(spec);
    if again.record.digest != record.digest || again.record.check != record.check {
        return one(Who::Nondeterminism, "made once more, it came out otherwise");
    }
    if record.verdict == Verdict::Liveness {
        let patient = run(&RunSpec {
            plan: spec.plan.patient(PATIENCE),
            ..spec.clone()
        });
        if !patient.record.verdict.is_failure() {
            return Blame {
                who: Who::Bound,
                why: vec![format!(
                    "with {PATIENCE} times as long after the heal it passes: it is slow, and not \
                     stuck; if that is well, set heal.progress-within"
                )],
            };
        }
    }
    Blame {
        who: Who::Subject,
        why: of_subject(spec, record, check),
    }
}

fn of_subject(spec: &RunSpec, record: &RunRecord, check: &str) -> Vec<String> {
    let mut why = Vec::new();
    if record.verdict == Verdict::Liveness {
        why.push(format!(
            "with {PATIENCE} times as long after the heal it fails as well"
        ));
    }
    if let (Some(bug), Some((_, triggered))) = (&spec.bug, record.bug) {
        let honest = run(&RunSpec {
            bug: None,
            ..spec.clone()
        });
        let without = if honest.record.verdict.is_failure() {
            "fails as well"
        } else {
            "passes"
        };
        why.push(format!(
            "the planted bug {bug} changed the outcome {}, and without it this run {without}",
            count(triggered, "time")
        ));
    }
    if !is_client_visible(check) && spec.checks == Checks::All {
        let seen = run(&RunSpec {
            checks: Checks::Client,
            probe: ProbeLevel::BugsOnly,
            ..spec.clone()
        });
        let seen = seen.record;
        why.push(match seen.check.filter(|_| seen.verdict.is_failure()) {
            Some(check) => format!("clients see it too: `{check}` fails by what they see"),
            None => "within this run no client sees anything of it".to_owned(),
        });
    }
    if why.is_empty() {
        why.push("the same plan gave the same failure twice, and clients see it".to_owned());
    }
    why
}
