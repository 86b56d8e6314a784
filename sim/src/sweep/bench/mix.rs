//! Figures over whole runs of the mix, made by worker processes as a sweep makes them.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use synod_reports::figure::Figure;
use synod_reports::record::RunRecord;

use crate::sweep::cost::cpu_of_all;
use crate::sweep::pool::{Broken, Place, Pool};
use crate::sweep::settings::{Item, Keep, Settings, Target};
use crate::world::tally::{Effect, Milestone};

/// What a run must have seen to count as a seed: so many operations, and a fault that took effect.
const OPERATIONS: u64 = 300;

/// What the mix came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Measured {
    /// The figures.
    pub figures: Vec<Figure>,
    /// Per fault kind, the percentage of the runs in which it took effect. It is the same each
    /// time.
    pub kinds: BTreeMap<String, f64>,
}

/// What one measurement saw.
#[derive(Default)]
struct Sample {
    wall: Duration,
    cpu_seconds: f64,
    records: Vec<RunRecord>,
}

/// Measures so many times over these seeds. `place` opens a place of work.
///
/// # Errors
/// When the harness itself fails.
pub fn measure<'a>(
    times: u64,
    seeds: &Range<u64>,
    place: &mut dyn FnMut() -> Result<Place<'a>, String>,
    progress: &mut dyn FnMut(),
) -> Result<Measured, Broken> {
    let mut alone = Vec::new();
    let mut speedups = Vec::new();
    for time in 0..times {
        // The pair changes places each time, so that a machine which gets slower favours neither.
        let (one, two) = if time % 2 == 0 {
            let one = sample(1, seeds, place, progress)?;
            (one, sample(2, seeds, place, progress)?)
        } else {
            let two = sample(2, seeds, place, progress)?;
            (sample(1, seeds, place, progress)?, two)
        };
        speedups.push(one.wall.as_secs_f64() / two.wall.as_secs_f64().max(1e-9));
        alone.push(one);
    }
    let each = |name: &str, unit: &str, value: &dyn Fn(&Sample) -> f64| {
        Figure::new(name, unit, &alone.iter().map(value).collect::<Vec<_>>())
    };
    let median = |name: &str, unit: &str, value: fn(&RunRecord) -> u64| {
        each(name, unit, &|sample| {
            Figure::new(
                "",
                "",
                &sample
                    .records
                    .iter()
                    .map(|record| float(value(record)))
                    .collect::<Vec<_>>(),
            )
            .median
        })
    };
    let share = |name: &str, holds: fn(&RunRecord) -> bool| {
        each(name, "% of the runs", &|sample| sample.share(holds))
    };
    let sum = |sample: &Sample, value: fn(&RunRecord) -> u64| {
        float(sample.records.iter().map(value).sum())
    };
    let figures = vec![
        each("seeds of the mix", "seeds per CPU minute", &|sample| {
            60.0 * sum(sample, |record| u64::from(counts(record))) / sample.cpu_seconds
        }),
        share("runs with 300 operations and a fault", counts),
        median(
            "operations of a run",
            "client operations, median",
            |record| record.client_operations,
        ),
        median(
            "messages of a run",
            "delivered messages, median",
            |record| record.messages_delivered,
        ),
        median("faults of a run", "effects, median", effects),
        median("leader changes of a run", "changes, median", changes),
        share("runs with a leader change", |record| changes(record) > 0),
        each(
            "messages of the mix",
            "delivered messages per CPU second",
            &|sample| sum(sample, |record| record.messages_delivered) / sample.cpu_seconds,
        ),
        each(
            "simulated time of the mix",
            "simulated seconds per CPU second",
            &|sample| {
                sample
                    .records
                    .iter()
                    .map(|record| record.virtual_seconds)
                    .sum::<f64>()
                    / sample.cpu_seconds
            },
        ),
        median("accounted memory of a run", "bytes, median", |record| {
            record.accounted_bytes
        }),
        Figure::new("two workers against one", "times as fast", &speedups),
    ];
    let kinds = Effect::ALL.iter().map(|effect| effect.name());
    let took_effect = |kind: &str| {
        alone.first().map_or(0.0, |sample| {
            sample.share(|record| record.faults.get(kind).is_some_and(|times| *times > 0))
        })
    };
    Ok(Measured {
        figures,
        kinds: kinds
            .map(|kind| (kind.to_owned(), took_effect(kind)))
            .collect(),
    })
}

impl Sample {
    fn share(&self, holds: impl Fn(&RunRecord) -> bool) -> f64 {
        100.0 * float(self.records.iter().filter(|record| holds(record)).count() as u64)
            / float(self.records.len().max(1) as u64)
    }
}

fn counts(record: &RunRecord) -> bool {
    record.client_operations >= OPERATIONS && effects(record) > 0
}

/// Faults that took effect. Messages that overtake each other do so in good weather too.
fn effects(record: &RunRecord) -> u64 {
    record
        .faults
        .iter()
        .filter(|(kind, _)| kind.as_str() != Effect::Reorder.name())
        .map(|(_, times)| times)
        .sum()
}

fn changes(record: &RunRecord) -> u64 {
    record
        .milestones
        .get(Milestone::LeaderChanged.name())
        .copied()
        .unwrap_or(0)
}

fn sample<'a>(
    jobs: usize,
    seeds: &Range<u64>,
    place: &mut dyn FnMut() -> Result<Place<'a>, String>,
    progress: &mut dyn FnMut(),
) -> Result<Sample, Broken> {
    let (settings, halt) = (Settings::default(), AtomicBool::new(false));
    let pool = Pool {
        settings: &settings,
        jobs,
        hang_after: Duration::from_secs(600),
        until: None,
        halt: &halt,
    };
    let mut numbered = (0..).zip(seeds.clone());
    let mut next = || {
        numbered.next().map(|(number, seed)| Item {
            number,
            target: Target::Mix(seed),
            keep: Keep::Line,
        })
    };
    let mut sample = Sample::default();
    let mut jobs_ns = 0;
    let mut place = place().map_err(Broken)?;
    let (began, cpu) = (Instant::now(), cpu_of_all());
    pool.work(&mut place, &mut next, &mut |report| {
        jobs_ns += report.cpu_ns;
        sample.records.push(report.line.record);
        progress();
        ControlFlow::Continue(())
    })?;
    sample.wall = began.elapsed();
    // All of it, the coordinator and the start of the worker too, or else what the workers say that
    // the runs took.
    let spent = cpu
        .zip(cpu_of_all())
        .map_or(Duration::from_nanos(jobs_ns), |(before, after)| {
            after.saturating_sub(before)
        });
    sample.cpu_seconds = spent.as_secs_f64().max(1e-9);
    Ok(sample)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::fake::{Behaviour, Fake};

    #[test]
    fn every_figure_has_its_measurements() {
        let mut runs = 0;
        let mut open = || Ok(Place::Here(Box::leak(Box::new(Fake::new(Behaviour::Pass)))));
        let measured =
            measure(3, &(500_000..500_010), &mut open, &mut || runs += 1).expect("it works");
        let figures = measured.figures;
        assert!(
            figures.iter().all(|figure| figure.runs == 3
                && figure.min <= figure.median
                && figure.median <= figure.max),
            "{figures:?}"
        );
        assert_eq!(runs, 60);
        let messages = figures
            .iter()
            .find(|figure| figure.name == "messages of a run")
            .expect("it is there");
        assert_eq!(messages.median, 500_004.5);
        assert_eq!(measured.kinds.len(), Effect::ALL.len());
    }

    #[test]
    fn a_seed_counts_with_operations_and_a_fault() {
        let record = |operations, faults: &[(&str, u64)]| RunRecord {
            client_operations: operations,
            faults: faults
                .iter()
                .map(|(kind, times)| ((*kind).to_owned(), *times))
                .collect(),
            ..RunRecord::blank("a", 1, synod_reports::record::Verdict::Pass)
        };
        assert!(counts(&record(300, &[("kill", 1), ("reorder", 5)])));
        assert!(!counts(&record(299, &[("kill", 1)])));
        assert!(
            !counts(&record(300, &[("reorder", 5)])),
            "no fault brings messages out of order"
        );
    }
}
