//! A subject that takes memory without bound, and a source of its runs. What must hold: such a run
//! is lost, alone, at the same place for any number of workers; nobody else's run is.

use synod_port::files::FileName;

use crate::check::jury::Jury;
use crate::ids::Node;
use crate::plan::Plan;
use crate::run::{RunOutcome, RunSpec, run_judged};
use crate::subject::primary_copy::PrimaryCopy;
use crate::subject::process::{Dialect, Input, Now, Output, Process, Setup, Subject};
use crate::sweep::settings::Target;
use crate::sweep::source::{Origin, Planned, Source};
use crate::trace::event::Fact;
use crate::world::testing;

/// How it hoards, by the name of the scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Greed {
    /// Not at all.
    Modest,
    /// Everything in the first step that a client asks for.
    AtOnce,
    /// Something with each step, and accounts for it.
    Honest,
    /// Something with each step, and accounts for nothing.
    Secret,
}

/// The subject: [`PrimaryCopy`], with greed.
struct Hoarder(Greed);

static HOARDERS: [(&str, Hoarder); 4] = [
    ("modest", Hoarder(Greed::Modest)),
    ("at-once", Hoarder(Greed::AtOnce)),
    ("honest", Hoarder(Greed::Honest)),
    ("secret", Hoarder(Greed::Secret)),
];

impl Subject for Hoarder {
    fn name(&self) -> &'static str {
        "hoarder"
    }

    fn format(&self, setup: &Setup, node: Node) -> Vec<(FileName, Vec<u8>)> {
        PrimaryCopy.format(setup, node)
    }

    fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process> {
        Box::new(Replica {
            inner: PrimaryCopy.make(setup, node),
            greed: self.0,
            hoard: Vec::new(),
        })
    }

    fn dialect(&self) -> &'static dyn Dialect {
        PrimaryCopy.dialect()
    }
}

struct Replica {
    inner: Box<dyn Process>,
    greed: Greed,
    hoard: Vec<Vec<u8>>,
}

impl Replica {
    fn take(&mut self, bytes: usize) {
        self.hoard.push(Vec::with_capacity(bytes));
    }
}

impl Process for Replica {
    fn step(&mut self, now: Now, input: Input<'_>, out: &mut Vec<Output>) {
        match self.greed {
            Greed::Modest => {}
            Greed::AtOnce if matches!(input, Input::Request { .. }) => loop {
                self.take(16 << 20);
            },
            Greed::AtOnce => {}
            Greed::Honest => self.take(256 << 10),
            Greed::Secret => self.take(8 << 20),
        }
        self.inner.step(now, input, out);
    }

    fn deadline(&self) -> Option<u64> {
        self.inner.deadline()
    }

    fn fork(&self) -> Option<Box<dyn Process>> {
        None
    }

    fn facts(&mut self, _: &mut Vec<Fact>) {}

    fn accounted_bytes(&self) -> u64 {
        let held = self.hoard.iter().map(|hoard| hoard.capacity() as u64);
        if self.greed == Greed::Honest {
            held.sum()
        } else {
            0
        }
    }
}

/// Runs of the hoarders.
struct Hoards;

impl Source for Hoards {
    fn scenario(&mut self, target: &Target) -> Result<String, String> {
        match target {
            Target::Scenario(name, _) => Ok(name.clone()),
            other => Err(format!("{other:?}")),
        }
    }

    fn plan(&mut self, target: &Target) -> Result<Planned, String> {
        Ok(Planned {
            plan: Plan {
                scenario: self.scenario(target)?,
                ..testing::plan(3)
            },
            subject: None,
            bug: None,
            only: Jury::default(),
            judges: None,
            origin: None,
        })
    }

    fn pin(&self, plan: &Plan, _: &Origin) -> String {
        plan.scenario.clone()
    }

    fn run(&mut self, spec: &RunSpec) -> RunOutcome {
        let (_, hoarder) = HOARDERS
            .iter()
            .find(|(name, _)| *name == spec.plan.scenario)
            .expect("it is one of these");
        run_judged(spec, hoarder, ())
    }
}

mod tests {
    use std::ops::ControlFlow;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use super::*;
    use crate::sweep::pool::{Place, Pool};
    use crate::sweep::settings::{Item, Keep, Settings};
    use crate::sweep::worker::work_from;

    /// What tells this program that it is to be a worker.
    const AS_A_WORKER: &str = "as-a-worker";

    #[test]
    #[ignore = "no test, but the worker of the next one"]
    fn worker() {
        if std::env::args().any(|word| word == AS_A_WORKER) {
            let status = work_from(1 << 30, |_| Ok(Box::new(Hoards)));
            std::process::exit(status.into());
        }
    }

    /// The verdict, check and message of each run.
    fn work(jobs: usize, runs: &[&str]) -> Vec<(u64, String)> {
        let program = std::env::current_exe().expect("this program is a file");
        let arguments = [
            "--ignored",
            "--exact",
            "--nocapture",
            "sweep::hoarder::tests::worker",
            AS_A_WORKER,
        ];
        let mut place = Place::Children(program, arguments.map(str::to_owned).to_vec());
        let (settings, halt) = (Settings::default(), AtomicBool::new(false));
        let pool = Pool {
            settings: &settings,
            jobs,
            hang_after: Duration::from_secs(60),
            until: None,
            halt: &halt,
        };
        let mut items = (0..).zip(runs).map(|(number, &name)| Item {
            number,
            target: Target::Scenario(name.to_owned(), 1),
            keep: Keep::Line,
        });
        let mut reports = Vec::new();
        pool.work(&mut place, &mut || items.next(), &mut |report| {
            let record = report.line.record;
            reports.push((
                report.number,
                format!(
                    "{} {} {}: {}",
                    record.scenario,
                    record.verdict.name(),
                    record.check.unwrap_or_default(),
                    record.message.unwrap_or_default()
                ),
            ));
            ControlFlow::Continue(())
        })
        .expect("it works");
        reports.sort();
        reports
    }

    #[test]
    fn a_run_that_takes_memory_without_bound_is_lost_alone() {
        let runs = ["modest", "at-once", "honest", "secret", "modest"];
        let alone = work(1, &runs);
        let ends: Vec<&str> = alone.iter().map(|(_, end)| end.as_str()).collect();
        let refused = "the worker was refused memory past its address space";
        assert_eq!(
            ends,
            [
                "modest pass : ",
                &format!("at-once lost out-of-memory: {refused}"),
                "honest lost out-of-memory: the run accounts for more than 256 MiB",
                &format!("secret lost out-of-memory: {refused}"),
                "modest pass : ",
            ]
        );
        assert_eq!(work(2, &runs), alone);
    }
}
