//! How soon a healed cluster answers, and bad luck.

use synod_reports::record::RunRecord;

use crate::ids::Node;
use crate::plan::{Mix, Plan};
use crate::run::{RunSpec, run_judged};
use crate::subject::abd::Abd;
use crate::subject::process::{Dialect, Input, Now, Output, Process, Setup, Subject};
use crate::subject::synod::Synod;
use crate::time::Span;
use crate::trace::event::Fact;
use crate::world::testing;
use synod_port::files::FileName;

/// The register of `abd`, which from three seconds on, where tests heal, is deaf to clients for a
/// while: always, or when the first of them came at a time that every other one avoids.
#[derive(Clone, Copy, Debug)]
struct Deaf {
    always: bool,
    name: &'static str,
}

static ALWAYS: Deaf = Deaf {
    always: true,
    name: "deaf",
};
static AT_TIMES: Deaf = Deaf {
    always: false,
    name: "deaf at times",
};

const HEAL: u64 = 3_000_000_000;
const DEAF_FOR: u64 = 1_200_000_000;

struct DeafProcess {
    abd: Box<dyn Process>,
    always: bool,
    deaf: Option<bool>,
}

impl Process for DeafProcess {
    fn step(&mut self, now: Now, input: Input<'_>, out: &mut Vec<Output>) {
        if matches!(input, Input::Request { .. }) && now.mono >= HEAL {
            let deaf = *self
                .deaf
                .get_or_insert(self.always || (now.mono / 1000).is_multiple_of(2));
            if deaf && now.mono < HEAL + DEAF_FOR {
                return;
            }
        }
        self.abd.step(now, input, out);
    }

    fn deadline(&self) -> Option<u64> {
        self.abd.deadline()
    }

    fn fork(&self) -> Option<Box<dyn Process>> {
        Some(Box::new(Self {
            abd: self.abd.fork()?,
            ..*self
        }))
    }

    fn facts(&mut self, into: &mut Vec<Fact>) {
        self.abd.facts(into);
    }
}

impl Subject for Deaf {
    fn name(&self) -> &'static str {
        self.name
    }

    fn format(&self, setup: &Setup, node: Node) -> Vec<(FileName, Vec<u8>)> {
        Abd.format(setup, node)
    }

    fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process> {
        Box::new(DeafProcess {
            abd: Abd.make(setup, node),
            always: self.always,
            deaf: None,
        })
    }

    fn dialect(&self) -> &'static dyn Dialect {
        Abd.dialect()
    }

    fn has_leader(&self) -> bool {
        false
    }

    fn tells_facts(&self) -> bool {
        false
    }
}

fn record(subject: &'static Deaf, seed: u64, within: Span) -> RunRecord {
    let mut plan = Plan {
        seed,
        ..testing::plan(3)
    };
    plan.heal.first_answer_within = within;
    let spec = RunSpec {
        subject: subject.name.to_owned(),
        ..RunSpec::new(plan)
    };
    run_judged(&spec, subject, ()).record
}

#[test]
fn a_cluster_that_recovers_late_fails_and_one_within_its_bound_does_not() {
    let second = Span::from_secs(1);
    let late = record(&ALWAYS, 1, second);
    assert_eq!(
        (late.verdict.name(), late.check.as_deref()),
        ("liveness", Some("recovery-time"))
    );
    let message = late.message.expect("it says why");
    assert!(message.ends_with("(at most 1s)"), "{message}");
    assert_eq!(message.matches(", ").count(), 4, "{message}");

    let patient = record(&ALWAYS, 1, Span::from_secs(2));
    assert_eq!(patient.verdict.name(), "pass", "{:?}", patient.message);
    assert!(patient.first_answers.iter().all(|wait| *wait > 1_000_000));
    assert!(patient.later_answers.iter().all(|wait| *wait < 100_000));
    assert_eq!(patient.later_answers.len(), 2 * 4);
}

#[test]
fn bad_luck_is_no_failure() {
    let second = Span::from_secs(1);
    let mut unlucky = 0;
    for seed in 0..24 {
        let record = record(&AT_TIMES, seed, second);
        assert_eq!(
            record.verdict.name(),
            "pass",
            "{seed}: {:?}",
            record.message
        );
        unlucky += u32::from(record.first_answers.iter().any(|wait| *wait > 1_000_000));
    }
    assert!((1..24).contains(&unlucky), "{unlucky}");
}

#[test]
fn what_fits_nowhere_is_refused_once_and_for_all() {
    let mut plan = testing::plan(3);
    plan.cluster.knobs.segment = 4096;
    plan.workload.value_size = 3000;
    plan.workload.mix = Mix {
        put: 1,
        ..Mix::default()
    };
    let record = run_judged(&RunSpec::new(plan), &Synod, ()).record;
    assert_eq!(record.verdict.name(), "pass", "{:?}", record.message);
    assert_eq!(record.operations["put"].answered, 0);
    assert!(record.operations["put"].sent > 50);
    let retried = record.milestones.get("client-retried").copied();
    assert!(
        retried.unwrap_or(0) < record.operations["put"].sent,
        "{retried:?}"
    );
}
