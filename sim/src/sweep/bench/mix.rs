//! Figures of speed over whole runs of the mix. The seeds are fixed here, so that figures of different builds are of the same work.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use synod_reports::figure::Figure;

use crate::sweep::pool::{Broken, Place, Pool};
use crate::sweep::settings::{Item, Keep, Settings, Target};

/// The first seed that is measured.
pub const FIRST_SEED: u64 = 500_000;

/// Seeds in one measurement.
pub const SEEDS: u64 = 200;

/// What one measurement saw.
#[derive(Default)]
struct Sample {
    wall: Duration,
    cpu_ns: u64,
    runs: u64,
    messages: u64,
    virtual_seconds: f64,
    accounted: Vec<u64>,
    messages_of_runs: Vec<u64>,
}

/// Measures so many times over `seeds` seeds. `place` opens a place of work.
///
/// # Errors
/// When the harness itself fails.
pub fn figures<'a>(
    times: u64,
    seeds: u64,
    place: &mut dyn FnMut() -> Result<Place<'a>, String>,
    progress: &mut dyn FnMut(),
) -> Result<Vec<Figure>, Broken> {
    let mut alone = Vec::new();
    let mut speedups = Vec::new();
    for _ in 0..times {
        let one = sample(1, seeds, place, progress)?;
        let two = sample(2, seeds, place, progress)?;
        speedups.push(one.wall.as_secs_f64() / two.wall.as_secs_f64().max(1e-9));
        alone.push(one);
    }
    let each = |name: &str, unit: &str, value: &dyn Fn(&Sample) -> f64| Figure::new(name, unit, &alone.iter().map(value).collect::<Vec<_>>());
    let cpu = |sample: &Sample| Duration::from_nanos(sample.cpu_ns).as_secs_f64().max(1e-9);
    Ok(vec![
        each("seeds of the mix", "seeds per CPU minute", &|sample| 60.0 * float(sample.runs) / cpu(sample)),
        each("messages of the mix", "delivered messages per CPU second", &|sample| float(sample.messages) / cpu(sample)),
        each("simulated time of the mix", "simulated seconds per CPU second", &|sample| sample.virtual_seconds / cpu(sample)),
        each("messages of a run, median", "delivered messages", &|sample| middle(&sample.messages_of_runs)),
        each("accounted memory of a run, median", "bytes", &|sample| middle(&sample.accounted)),
        Figure::new("two workers against one", "times as fast", &speedups),
    ])
}

fn sample<'a>(jobs: usize, seeds: u64, place: &mut dyn FnMut() -> Result<Place<'a>, String>, progress: &mut dyn FnMut()) -> Result<Sample, Broken> {
    let (settings, halt) = (Settings::default(), AtomicBool::new(false));
    let pool = Pool { settings: &settings, jobs, hang_after: Duration::from_secs(600), until: None, halt: &halt };
    let mut numbers = 0..seeds;
    let mut next = || numbers.next().map(|number| Item { number, target: Target::Mix(FIRST_SEED + number), keep: Keep::Line });
    let mut sample = Sample::default();
    let mut place = place().map_err(Broken)?;
    let began = Instant::now();
    pool.work(&mut place, &mut next, &mut |report| {
        let record = &report.line.record;
        sample.cpu_ns += report.cpu_ns;
        sample.runs += 1;
        sample.messages += record.messages_delivered;
        sample.virtual_seconds += record.virtual_seconds;
        sample.accounted.push(record.accounted_bytes);
        sample.messages_of_runs.push(record.messages_delivered);
        progress();
        ControlFlow::Continue(())
    })?;
    sample.wall = began.elapsed();
    Ok(sample)
}

fn middle(values: &[u64]) -> f64 {
    Figure::new("", "", &values.iter().map(|value| float(*value)).collect::<Vec<_>>()).median
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
        let figures = figures(3, 10, &mut open, &mut || runs += 1).expect("it works");
        assert!(figures.iter().all(|figure| figure.runs == 3 && figure.min <= figure.median && figure.median <= figure.max), "{figures:?}");
        assert_eq!(runs, 60);
        let messages = figures.iter().find(|figure| figure.name.starts_with("messages of a run")).expect("it is there");
        assert_eq!(messages.median, 500_004.5);
    }
}
