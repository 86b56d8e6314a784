//! One thread at work, in CPU seconds of its process. Each function is one measurement.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use synod_reports::figure::Figure;
use synod_reports::record::Verdict;

use crate::check::jury::Jury;
use crate::check::suite::Checks;
use crate::choices::Seeded;
use crate::plan::draw::draw;
use crate::plan::{Clock, Cluster, Disk, Distribution, Knobs, Network, Plan};
use crate::run::{RunSpec, run};
use crate::scenario::model::Scenario;
use crate::subject::catalog;
use crate::subject::catalog::default_subject;
use crate::subject::process::{CLUSTER, ProbeLevel, Setup, Subject};
use crate::sweep::cost::cpu_of_this;
use crate::time::{self, Span};
use crate::trace::observer::Observer;
use crate::trace::recorder::Recorder;
use crate::trace::tale::Teller;
use crate::verdict::court::Court;
use crate::world::pinging;
use crate::world::world::World;

/// How much is measured at a time.
#[derive(Clone, Debug)]
pub struct Work {
    /// Messages of the hosts that ping each other.
    pub pings: u64,
    /// What the five replicas go through, and the run that is copied.
    pub scenario: Scenario,
    /// Which runs of it are made.
    pub seeds: Range<u64>,
    /// How long the idle clusters idle.
    pub idle: Span,
    /// After how many client operations a run is copied.
    pub operations: u32,
    /// How often it is copied.
    pub copies: u32,
}

/// Measures everything here so many times. `progress` is told what is next.
///
/// # Errors
/// When a run does not pass, or cannot be copied.
pub fn figures(
    times: u64,
    work: &Work,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<Figure>, String> {
    let mut samples: [Vec<f64>; 5] = Default::default();
    for time in 0..times {
        progress(&format!("one thread, {} of {times}", time + 1));
        // Figures take turns, so that a while in which the machine is slow is spread over them.
        samples[0].push(kernel(time, work.pings));
        samples[1].push(runs(&work.scenario, work.seeds.clone())?);
        samples[2].push(idle(time, work.idle, Watched::ByNobody));
        samples[3].push(idle(time, work.idle, Watched::ByAll));
        samples[4].push(
            1e6 * copying(
                &work.scenario,
                work.seeds.start + time,
                work.operations,
                work.copies,
            )?,
        );
    }
    let [kernel, five, bare, watched, copy] = samples;
    Ok(vec![
        Figure::new(
            "kernel alone, five hosts pinging",
            "delivered messages per CPU second",
            &kernel,
        ),
        Figure::new(
            "five replicas, faults, all checkers",
            "delivered messages per CPU second",
            &five,
        ),
        Figure::new(
            "idle, five replicas",
            "simulated seconds per CPU second",
            &bare,
        ),
        Figure::new(
            "idle, five replicas, all checkers",
            "simulated seconds per CPU second",
            &watched,
        ),
        Figure::new(
            &format!("copy of a run at {} operations", work.operations),
            "CPU microseconds",
            &copy,
        ),
    ])
}

/// What some work gives, and the CPU seconds of this process that it takes; seconds on the wall
/// where the system does not tell.
pub fn seconds_of<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let (wall, cpu) = (Instant::now(), cpu_of_this());
    let given = std::hint::black_box(work());
    let spent = cpu.zip(cpu_of_this()).map_or_else(
        || wall.elapsed(),
        |(before, after)| after.saturating_sub(before),
    );
    (given, spent.as_secs_f64().max(1e-9))
}

/// Delivered messages per CPU second of the kernel alone: five hosts that ping each other until so
/// many messages have arrived.
#[must_use]
pub fn kernel(seed: u64, messages: u64) -> f64 {
    let (pinged, seconds) = seconds_of(|| pinging::ping(seed, messages));
    float(pinged.delivered) / seconds
}

/// Delivered messages per CPU second of whole runs of one scenario, from the drawing of the plan to
/// the last word of all checkers.
///
/// # Errors
/// When a run does not pass: the speed of what is broken is no figure.
pub fn runs(scenario: &Scenario, seeds: Range<u64>) -> Result<f64, String> {
    let (delivered, seconds) = seconds_of(|| {
        seeds
            .map(|seed| passed(scenario, seed))
            .sum::<Result<u64, String>>()
    });
    Ok(float(delivered?) / seconds)
}

fn passed(scenario: &Scenario, seed: u64) -> Result<u64, String> {
    let record = run(&RunSpec::new(draw(scenario, seed))).record;
    match record.verdict {
        Verdict::Pass => Ok(record.messages_delivered),
        verdict => Err(format!(
            "seed {seed} of {} ended as {}: {}",
            scenario.name,
            verdict.name(),
            record.message.unwrap_or_default()
        )),
    }
}

/// Who watches an idle cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Watched {
    /// Contracts and all checkers, as in a run.
    ByAll,
    /// The code that ships, and nobody.
    ByNobody,
}

/// Simulated seconds per CPU second of five replicas that nobody asks anything, with heartbeats
/// every 50 ms.
#[must_use]
pub fn idle(seed: u64, span: Span, watched: Watched) -> f64 {
    let plan = idle_plan(seed);
    let end = time::Instant(0) + span;
    let ((), seconds) = match watched {
        Watched::ByAll => {
            let mut world = judged(plan);
            seconds_of(|| world.run_until(end))
        }
        Watched::ByNobody => {
            let mut world = world(plan, ProbeLevel::Nothing, ());
            seconds_of(|| world.run_until(end))
        }
    };
    float(span.0) / 1e9 / seconds
}

/// The hosts that ping each other lend their clocks and delays; nothing is lost, copied or damaged.
fn idle_plan(seed: u64) -> Plan {
    let pinging = pinging::plan(seed);
    let knobs = Knobs {
        heartbeat: Span::from_millis(50),
        ..Knobs::default()
    };
    let access = Distribution::Constant(Span::from_micros(50));
    let sync = Distribution::Constant(Span::from_millis(1));
    Plan {
        scenario: "idle".to_owned(),
        cluster: Cluster {
            knobs,
            ..pinging.cluster
        },
        network: Network {
            loss: 0,
            duplicate: 0,
            corrupt: 0,
            beyond_contract: false,
            ..pinging.network
        },
        disk: Disk {
            access,
            sync,
            ..pinging.disk
        },
        clocks: vec![Clock::default(); 5],
        ..pinging
    }
}

/// CPU seconds that a copy of a run takes after so many client operations: the world with its
/// replicas and disks, every checker and the history. The copy is dropped within that time. The run
/// is one of the scenario, without an end to its workload.
///
/// # Errors
/// When the run ends before that, or cannot be copied.
pub fn copying(
    scenario: &Scenario,
    seed: u64,
    operations: u32,
    copies: u32,
) -> Result<f64, String> {
    let mut plan = draw(scenario, seed);
    plan.workload.operations = plan.workload.operations.max(2 * operations);
    let mut world = judged(plan);
    while world.operations() < u64::from(operations) {
        if !world.advance() {
            return Err(format!(
                "seed {seed} of {} ends at {} operations",
                scenario.name,
                world.operations()
            ));
        }
    }
    let (copied, seconds) =
        seconds_of(|| (0..copies).all(|_| std::hint::black_box(world.fork()).is_some()));
    if copied {
        Ok(seconds / f64::from(copies.max(1)))
    } else {
        Err(format!("seed {seed} of {} cannot be copied", scenario.name))
    }
}

/// A world as a run has it.
fn judged(plan: Plan) -> World<(Court, Option<(Recorder, Teller)>)> {
    let court = Court::new(
        plan.cluster.replicas,
        subject().reader(),
        Checks::All,
        Jury::default(),
    );
    world(plan, ProbeLevel::Full, (court, None))
}

fn world<O: Observer>(plan: Plan, probe: ProbeLevel, observer: O) -> World<O> {
    let plan = Arc::new(plan);
    let setup = Setup {
        cluster: CLUSTER,
        replicas: plan.cluster.replicas,
        knobs: plan.cluster.knobs.clone(),
        bug: None,
        probe,
    };
    World::new(
        plan.clone(),
        subject(),
        setup,
        Box::new(Seeded::new(plan.seed)),
        observer,
    )
}

fn subject() -> &'static dyn Subject {
    catalog::find(default_subject()).expect("the catalog has the default subject")
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::library::Library;

    fn weather() -> Scenario {
        Library::open(None, &crate::glossary::names())
            .expect("it is built in")
            .get("safety/weather-5")
            .expect("it is there")
    }

    #[test]
    fn an_idle_cluster_beats_and_nothing_else() {
        let mut world = judged(idle_plan(1));
        world.run_until(time::Instant(0) + Span::from_secs(2));
        let elected = (world.delivered(), world.accounted_bytes());
        world.run_until(time::Instant(0) + Span::from_secs(12));
        // Four heartbeats and their answers, 20 times a second.
        let beats = (world.delivered() - elected.0) / 10;
        assert!((120..=200).contains(&beats), "{beats} messages a second");
        assert!(
            world.accounted_bytes() < 2 * elected.1,
            "an idle cluster grows"
        );
        assert!(
            idle(1, Span::from_secs(1), Watched::ByAll) > 0.0
                && idle(1, Span::from_secs(1), Watched::ByNobody) > 0.0
        );
    }

    #[test]
    fn runs_and_copies_are_measured() {
        assert!(kernel(1, 1_000) > 0.0);
        assert!(runs(&weather(), 500_000..500_001).expect("it passes") > 0.0);
        assert!(copying(&weather(), 500_000, 100, 2).expect("it is copied") > 0.0);
    }
}
