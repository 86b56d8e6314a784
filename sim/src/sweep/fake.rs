//! A source for tests: plans that hold nothing and runs that do as they are told; and sweeps of
//! them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use synod_reports::line::ResultLine;
use synod_reports::record::{RunRecord, Verdict};
use synod_reports::summary::Cost;
use xxhash_rust::xxh3::xxh3_64;

use crate::check::jury::Jury;
use crate::choices::Strategy;
use crate::ids::FaultNumber;
use crate::plan::{
    Cluster, Disk, Distribution, End, Heal, Knobs, Mix, Network, Plan, Timed, Workload,
};
use crate::run::{Recording, RunOutcome, RunSpec};
use crate::scenario::fault::{DamageBudget, Fault, Outside, Who};
use crate::subject::process::ProbeLevel;
use crate::sweep::coordinator::{Audience, Conduct, Outcome, sweep};
use crate::sweep::folder::{Folder, RunInfo};
use crate::sweep::pool::Place;
use crate::sweep::seeds::{Seeds, Shard};
use crate::sweep::settings::{Settings, Target};
use crate::sweep::source::{Origin, Planned, Selection, Source};
use crate::time::{Instant, Span};
use crate::trace::about::About;
use crate::trace::tale::{Depth, Line};
use crate::world::tally::Milestone;

/// What the runs do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Behaviour {
    /// Pass.
    Pass,
    /// Fail in every seed that this divides.
    FailEvery(u64),
    /// Fail in every seed that this divides, if a bug is planted, replicas pause and `agreement`
    /// judges. The bug does nothing in seed 0.
    BugFailsEvery(u64),
    /// The same, if `ghost` judges as well.
    BugFailsTogether(u64),
    /// Panic.
    Panic,
    /// Give a digest that depends on recording.
    DigestFollowsRecording,
    /// Give a digest that depends on the probe.
    DigestFollowsProbe,
    /// Fail when recorded, under the same digest.
    VerdictFollowsRecording,
    /// Count a fault more when recorded.
    FaultsFollowRecording,
    /// Make an audit more when recorded.
    AuditsFollowRecording,
    /// Show more to whoever hears of facts.
    FactsFollowProbe,
}

/// The source.
pub struct Fake(Behaviour);

impl Fake {
    /// Runs behave like this.
    pub const fn new(behaviour: Behaviour) -> Self {
        Self(behaviour)
    }
}

/// Hears a sweep and says nothing.
pub struct Silence;

impl Audience for Silence {
    fn line(&mut self, _: &ResultLine) {}
    fn progress(&mut self, _: u64, _: u64) {}
}

/// All runs of these scenarios, or of the mix when there are none.
pub fn info(
    scenarios: &[&str],
    seeds: Seeds,
    shard: Option<Shard>,
    max_fail: Option<u64>,
) -> RunInfo {
    let names: Vec<String> = scenarios.iter().map(|&name| name.to_owned()).collect();
    let settings = Settings {
        scenarios: names.clone(),
        ..Settings::default()
    };
    RunInfo::new(
        settings,
        seeds,
        shard,
        max_fail,
        Selection {
            names,
            ..Selection::default()
        },
    )
}

/// A sweep by one worker in this process.
pub const fn conduct(interrupted: &AtomicBool, known: Vec<ResultLine>) -> Conduct<'_> {
    let known_cost = Cost {
        cpu_seconds: 0.0,
        wall_seconds: 0.0,
        peak_rss_bytes: None,
        by_scenario: BTreeMap::new(),
    };
    Conduct {
        jobs: 1,
        time: None,
        hang_after: Duration::from_secs(9),
        interrupted,
        known,
        known_cost,
    }
}

/// Makes the sweep into this folder.
pub fn sweep_into(
    path: &Path,
    info: &RunInfo,
    behaviour: Behaviour,
    known: Vec<ResultLine>,
) -> Outcome {
    let mut folder = Folder::create(path, info).expect("writes");
    let interrupted = AtomicBool::new(false);
    sweep(
        info,
        conduct(&interrupted, known),
        &mut Place::Here(&mut Fake::new(behaviour)),
        Some(&mut folder),
        &mut Silence,
    )
}

/// A plan that holds nothing.
pub fn plan(scenario: &str, seed: u64) -> Plan {
    let still = Distribution::Constant(Span(0));
    Plan {
        scenario: scenario.to_owned(),
        seed,
        cluster: Cluster {
            replicas: 3,
            knobs: Knobs::default(),
        },
        network: Network {
            latency: still,
            loss: 0,
            duplicate: 0,
            duplicate_later: Span(0),
            corrupt: 0,
            beyond_contract: false,
        },
        disk: Disk {
            access: still,
            sync: still,
            capacity: 1 << 20,
        },
        clocks: Vec::new(),
        workload: Workload {
            clients: 0,
            idle: Vec::new(),
            operations: 0,
            sticky: 0,
            keys: 1,
            hot: 0,
            mix: Mix::default(),
            pipeline: 1,
            think: still,
            open: false,
            attempt_timeout: Span(1),
            patience: Span(1),
            duplicate: 0,
            abandon: 0,
            value_size: 0,
        },
        script: Vec::new(),
        nemesis: Vec::new(),
        budget: DamageBudget::Survivable,
        heal: Heal {
            at: Instant(1),
            core: Vec::new(),
            others: Outside::Gone,
            progress_within: Span(1),
            first_answer_within: Span(1),
        },
        checks: crate::plan::Checks::default(),
        end: End {
            time: Instant(1),
            events: 1,
        },
        strategy: Strategy::default(),
        overrides: Vec::new(),
        branches: Vec::new(),
        strikes: Vec::new(),
    }
}

impl Source for Fake {
    fn scenario(&mut self, target: &Target) -> Result<String, String> {
        match target {
            Target::Mix(seed) => Ok(format!("smoke/mix-{}", seed % 3)),
            Target::Scenario(name, _) => Ok(name.clone()),
            Target::Repro(path) => Err(format!("{path}: no such file")),
        }
    }

    fn plan(&mut self, target: &Target) -> Result<Planned, String> {
        let scenario = self.scenario(target)?;
        let (Target::Mix(seed) | Target::Scenario(_, seed)) = target else {
            return Err("no seed".to_owned());
        };
        let mut plan = plan(&scenario, *seed);
        if matches!(
            self.0,
            Behaviour::BugFailsEvery(_) | Behaviour::BugFailsTogether(_)
        ) {
            let fault = Fault::Pause(Who::All);
            plan.nemesis.push(Timed {
                number: FaultNumber(1),
                at: Instant(0),
                hold: Span(1),
                fault,
            });
        }
        Ok(Planned {
            plan,
            subject: None,
            bug: None,
            only: Jury::default(),
            judges: None,
            origin: None,
        })
    }

    fn pin(&self, plan: &Plan, origin: &Origin) -> String {
        format!("# {} {} {}\n", plan.scenario, plan.seed, origin.digest)
    }

    fn run(&mut self, spec: &RunSpec) -> RunOutcome {
        let seed = spec.plan.seed;
        let noise = match self.0 {
            Behaviour::Panic => panic!("seed {seed} is unlucky"),
            Behaviour::DigestFollowsRecording => u64::from(spec.record != Recording::Nothing),
            Behaviour::DigestFollowsProbe => u64::from(spec.probe == ProbeLevel::Full),
            _ => 0,
        };
        let recorded = spec.record != Recording::Nothing;
        let follows = |behaviour| recorded && self.0 == behaviour;
        let fails = match self.0 {
            Behaviour::FailEvery(every) => seed.is_multiple_of(every),
            Behaviour::BugFailsEvery(every) | Behaviour::BugFailsTogether(every) => {
                let paused = spec.plan.faults().next().is_some();
                let alone = self.0 == Behaviour::BugFailsEvery(every);
                spec.bug.is_some()
                    && paused
                    && spec.jury.has("agreement")
                    && (alone || spec.jury.has("ghost"))
                    && seed.is_multiple_of(every)
            }
            _ => follows(Behaviour::VerdictFollowsRecording),
        };
        let facts = u64::from(self.0 == Behaviour::FactsFollowProbe && spec.probe.tells_facts());
        let once = |name: &str, times: u64| {
            (0..times.min(1))
                .map(|_| (name.to_owned(), times))
                .collect()
        };
        let record = RunRecord {
            scenario: spec.plan.scenario.clone(),
            seed,
            verdict: if fails {
                Verdict::Safety
            } else {
                Verdict::Pass
            },
            check: fails.then(|| "agreement".to_owned()),
            message: fails.then(|| format!("slot {seed}: two values")),
            digest: format!(
                "{:016x}",
                xxh3_64(&[seed, noise].map(u64::to_le_bytes).concat())
            ),
            events: seed,
            messages_delivered: seed,
            virtual_seconds: 0.25,
            client_operations: 1,
            operations: BTreeMap::new(),
            audits: u64::from(follows(Behaviour::AuditsFollowRecording)),
            accounted_bytes: 1 + facts,
            faults: once("kill", follows(Behaviour::FaultsFollowRecording).into()),
            milestones: once(Milestone::TornTailCut.name(), facts),
            checks: once("agreement", 1 + facts),
            deliveries: BTreeMap::new(),
            cells: BTreeMap::from([(
                "chaos".to_owned(),
                BTreeMap::from([(
                    "accept".to_owned(),
                    ["", "l"][usize::from(seed > 5)].to_owned(),
                )]),
            )]),
            states: vec![7, u32::try_from(seed % 5 + 9 * facts).expect("a small one")],
            first_answers: Vec::new(),
            unmatched: Vec::new(),
            later_answers: Vec::new(),
            service: None,
            bug: spec.bug.is_some().then_some((1, u64::from(seed > 0))),
        };
        let history = recorded.then(|| "{}\n".to_owned());
        RunOutcome {
            record,
            history,
            in_weather: 0,
            branches: Vec::new(),
            replicas: Vec::new(),
            tale: if recorded {
                vec![Line {
                    depth: Depth::Story,
                    time: Instant(0),
                    number: 0,
                    about: About::default(),
                    state: None,
                    text: "it began".to_owned(),
                }]
            } else {
                Vec::new()
            },
            spacetime: None,
            steps: Vec::new(),
        }
    }
}
