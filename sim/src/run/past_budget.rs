//! Past the redundancy budget: silence is no failure, and a wrong answer is one.

use std::collections::BTreeSet;

use synod_port::files::{Bytes, DiskOk, FileName};

use super::*;
use crate::ids::Node;
use crate::plan::Mix;
use crate::scenario::fault::{Boundary, Fault, Keep, Spots, Who};
use crate::subject::abd::Abd;
use crate::subject::kit::frame::{sealed, unsealed};
use crate::subject::process::{Dialect, Input, Now, Output, Process};
use crate::trace::event::Fact;
use crate::world::testing;

/// The register of `abd`, but a replica that finds its copy damaged takes a new one, and says
/// nothing.
#[derive(Clone, Copy, Debug)]
struct Forgetful;

struct ForgetfulProcess(Box<dyn Process>);

impl Process for ForgetfulProcess {
    fn step(&mut self, now: Now, input: Input<'_>, out: &mut Vec<Output>) {
        let input = match input {
            Input::Disk {
                op,
                result: Ok(DiskOk::Data(data)),
            } if unsealed(&data).is_none() => Input::Disk {
                op,
                result: Ok(DiskOk::Data(Bytes::from(sealed(Vec::new())))),
            },
            other => other,
        };
        self.0.step(now, input, out);
    }

    fn deadline(&self) -> Option<u64> {
        self.0.deadline()
    }

    fn fork(&self) -> Option<Box<dyn Process>> {
        Some(Box::new(Self(self.0.fork()?)))
    }

    fn facts(&mut self, facts: &mut Vec<Fact>) {
        self.0.facts(facts);
    }
}

impl Subject for Forgetful {
    fn name(&self) -> &'static str {
        "forgetful"
    }

    fn format(&self, setup: &Setup, node: Node) -> Vec<(FileName, Vec<u8>)> {
        Abd.format(setup, node)
    }

    fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process> {
        Box::new(ForgetfulProcess(Abd.make(setup, node)))
    }

    fn dialect(&self) -> &'static dyn Dialect {
        Abd.dialect()
    }

    fn has_leader(&self) -> bool {
        Abd.has_leader()
    }

    fn tells_facts(&self) -> bool {
        Abd.tells_facts()
    }
}

/// Every copy is damaged while the power is off, if it is to be. The verdicts of 20 seeds, and
/// their checks, each named once.
fn verdicts(subject: &'static dyn Subject, sectors: u8) -> BTreeSet<(String, String)> {
    let rot = Fault::BitRot {
        who: Who::All,
        spots: Spots::anywhere(sectors),
    };
    let power = Fault::PowerLoss {
        who: Who::All,
        keep: Keep::Nothing,
        boundary: Boundary::Now,
    };
    let mut plan = testing::with(&[(250, 400, power), (300, 0, rot)]);
    plan.budget = DamageBudget::None;
    plan.workload.mix = Mix {
        get: 4,
        put: 3,
        append: 0,
        cas: 0,
        delete: 0,
    };
    let judged = |seed| {
        let plan = Plan {
            seed,
            ..plan.clone()
        };
        let spec = RunSpec {
            subject: subject.name().to_owned(),
            checks: Checks::Client,
            ..RunSpec::new(plan)
        };
        let court = Court::new(3, subject.reader(), spec.checks, spec.jury.clone());
        let record = run_judged(&spec, subject, court).record;
        let check = record.check.unwrap_or_default();
        (record.verdict.name().to_owned(), check)
    };
    (1..=20).map(judged).collect()
}

#[test]
fn an_engine_that_stops_is_right_and_one_that_lies_is_not() {
    let pass = ("pass".to_owned(), String::new());
    let lie = ("safety".to_owned(), "linearizability".to_owned());
    for undamaged in [&Abd as &'static dyn Subject, &Forgetful] {
        assert_eq!(verdicts(undamaged, 0), BTreeSet::from([pass.clone()]));
    }
    assert_eq!(verdicts(&Abd, 200), BTreeSet::from([pass]));
    assert!(verdicts(&Forgetful, 200).contains(&lie));
}
