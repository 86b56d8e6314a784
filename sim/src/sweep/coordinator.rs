//! A sweep from beginning to end: hands runs to a pool, tells them in seed order, and keeps what is
//! needed to repeat the failing ones.
//!
//! What it writes is a function of [`RunInfo`] alone, times apart: any number of jobs, any number
//! of interruptions and resumptions, the same bytes.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use synod_reports::line::ResultLine;
use synod_reports::summary::{Cost, Failure, Summary};
use synod_reports::tally::Tally;

use crate::sweep::cost::{cpu_of_all, peak_rss_of_this};
use crate::sweep::endings::HARNESS;
use crate::sweep::folder::{Folder, RunInfo};
use crate::sweep::job::Report;
use crate::sweep::order::Reorder;
use crate::sweep::pool::{Broken, Place, Pool};
use crate::sweep::repeats::{self, Repeats, Waiting};
use crate::sweep::roster::Roster;
use crate::sweep::settings::{Item, Keep};

/// How a sweep is made; none of this changes its results, [`Self::time`] apart, which ends them
/// sooner.
pub struct Conduct<'a> {
    /// How many workers.
    pub jobs: usize,
    /// Hand out no new runs after this long.
    pub time: Option<Duration>,
    /// A run that takes longer than this does not end.
    pub hang_after: Duration,
    /// Set by Ctrl-C.
    pub interrupted: &'a AtomicBool,
    /// Results of an earlier, interrupted sweep of the same [`RunInfo`].
    pub known: Vec<ResultLine>,
    /// What that one cost.
    pub known_cost: Cost,
}

/// Told of a sweep as it goes.
pub trait Audience {
    /// A run's line, in seed order.
    fn line(&mut self, line: &ResultLine);

    /// So many runs are done, in whatever order; `failed` of them failed.
    fn progress(&mut self, done: u64, failed: u64);
}

/// What a sweep gave.
#[derive(Debug)]
pub struct Outcome {
    /// The totals.
    pub summary: Summary,
    /// Something about the harness that failed, in words.
    pub broken: Vec<String>,
    /// The first thing that could not be written into the folder, in words: it does not hold all
    /// results.
    pub unwritten: Option<String>,
    /// A failing run came out otherwise when it was repeated for its reproducer.
    pub repeated_otherwise: Vec<Failure>,
}

/// Makes the sweep. `folder` is none when it cannot be written: the results then exist in what is
/// returned and in what the audience saw.
pub fn sweep(
    info: &RunInfo,
    conduct: Conduct<'_>,
    place_of_work: &mut Place<'_>,
    folder: Option<&mut Folder>,
    audience: &mut dyn Audience,
) -> Outcome {
    let (began, cpu_before) = (Instant::now(), cpu_of_all());
    let mut broken = Vec::new();
    let mut order = Reorder::default();
    let mut known = BTreeSet::new();
    let roster = Roster::of(info);
    for line in conduct.known {
        if let Some(place) = roster.place(&line) {
            known.insert(place);
            order.push(place, line);
        }
    }
    let mut ledger = Ledger {
        tally: Tally::knowing(&info.known),
        folder,
        audience,
        error: None,
        max_fail: info.max_fail,
    };
    let mut seen = (known.len() as u64, 0);
    let (mut rss, mut cpu_of_runs) = (
        peak_rss_of_this().max(conduct.known_cost.peak_rss_bytes),
        Duration::ZERO,
    );
    let mut by_scenario = conduct.known_cost.by_scenario;
    let waiting = Waiting::default();
    let mut repeats = Repeats::new(roster, &waiting);
    let mut enough = ledger.drain(&mut order, &mut repeats).is_break();
    let mut places = (0..roster.size()).filter(|place| !known.contains(place));
    let mut next = || {
        repeats::next(&waiting).or_else(|| {
            places.next().map(|place| Item {
                number: place,
                target: roster.target(place),
                keep: Keep::Line,
            })
        })
    };
    let pool = Pool {
        settings: &info.settings,
        jobs: conduct.jobs,
        hang_after: conduct.hang_after,
        until: conduct.time.and_then(|time| began.checked_add(time)),
        halt: conduct.interrupted,
    };
    if !enough {
        let worked = pool.work(place_of_work, &mut next, &mut |report| {
            rss = rss.max(report.rss);
            let cpu = Duration::from_nanos(report.cpu_ns);
            cpu_of_runs += cpu;
            *by_scenario
                .entry(report.line.record.scenario.clone())
                .or_default() += cpu.as_secs_f64();
            if Repeats::is_one(&report) {
                ledger.keep(&mut repeats, &report);
                return ControlFlow::Continue(());
            }
            seen.0 += 1;
            seen.1 += u64::from(report.line.record.verdict.is_failure());
            ledger.audience.progress(seen.0, seen.1);
            order.push(report.number, report.line);
            let flow = ledger.drain(&mut order, &mut repeats);
            enough = flow.is_break();
            flow
        });
        broken.extend(worked.err().map(|Broken(reason)| reason));
    }
    let interrupted = conduct.interrupted.load(Ordering::Relaxed);
    if !enough {
        // With the sweep cut short, what lies beyond a gap is kept as well: a resumed sweep fills
        // the gap.
        for line in order.into_rest() {
            ledger.add(&line);
        }
    }
    if ledger.folder.is_some() {
        // Those for which there was no turn.
        repeats.ask_again(&ledger.tally);
        let halt = AtomicBool::new(false);
        let again = Pool {
            until: None,
            halt: &halt,
            ..pool
        };
        let mut next = || repeats::next(&waiting);
        let worked = again.work(place_of_work, &mut next, &mut |report| {
            ledger.keep(&mut repeats, &report);
            ControlFlow::Continue(())
        });
        broken.extend(worked.err().map(|Broken(reason)| reason));
    }
    let Ledger {
        tally,
        folder,
        error,
        ..
    } = ledger;
    let cpu = match (cpu_before, cpu_of_all()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => cpu_of_runs,
    };
    let cost = Cost {
        cpu_seconds: conduct.known_cost.cpu_seconds + cpu.as_secs_f64(),
        wall_seconds: conduct.known_cost.wall_seconds + began.elapsed().as_secs_f64(),
        peak_rss_bytes: rss,
        by_scenario,
    };
    let mut summary = tally.finish(&info.demands, cost, interrupted);
    for failure in &mut summary.failures {
        failure.repro = repeats.repros.get(&failure.fingerprint).cloned();
    }
    if summary
        .failures
        .iter()
        .any(|failure| failure.check == HARNESS)
    {
        broken.push("the simulator panicked; its message is among the failures".to_owned());
    }
    // What cannot be written is told once: the first thing that could not.
    let mut unwritten = error;
    if let Some(folder) = folder
        && let Err(error) = folder.finish(&summary, &info.title())
    {
        unwritten.get_or_insert_with(|| format!("{}: {error}", folder.path().display()));
    }
    Outcome {
        summary,
        broken,
        unwritten,
        repeated_otherwise: repeats.otherwise,
    }
}

/// Takes lines in order, and spreads them.
struct Ledger<'a> {
    tally: Tally,
    folder: Option<&'a mut Folder>,
    audience: &'a mut dyn Audience,
    error: Option<String>,
    max_fail: Option<u64>,
}

impl Ledger<'_> {
    /// Takes the lines whose turn it is, and asks for repeats of what fails. Breaks at the failing
    /// run that is one too many; what comes after it does not count.
    fn drain(
        &mut self,
        order: &mut Reorder<ResultLine>,
        repeats: &mut Repeats<'_>,
    ) -> ControlFlow<()> {
        let mut flow = ControlFlow::Continue(());
        while flow.is_continue()
            && let Some(line) = order.pop()
        {
            self.add(&line);
            if self
                .max_fail
                .is_some_and(|most| self.tally.failed() >= most)
            {
                flow = ControlFlow::Break(());
            }
        }
        self.write(Folder::flush);
        if self.folder.is_some() {
            repeats.ask(&self.tally);
        }
        flow
    }

    /// Keeps a repeat.
    fn keep(&mut self, repeats: &mut Repeats<'_>, report: &Report) {
        if let Some(folder) = self.folder.as_deref_mut()
            && let Err(error) = repeats.take(&self.tally, folder, report)
        {
            self.error
                .get_or_insert_with(|| format!("{}: {error}", folder.path().display()));
        }
    }

    fn add(&mut self, line: &ResultLine) {
        self.tally.add(line);
        self.audience.line(line);
        self.write(|folder| folder.add(line));
    }

    fn write(&mut self, action: impl FnOnce(&mut Folder) -> std::io::Result<()>) {
        if let Some(folder) = self.folder.as_deref_mut()
            && self.error.is_none()
            && let Err(error) = action(folder)
        {
            self.error = Some(format!("{}: {error}", folder.path().display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::fake::{Behaviour, Fake, Silence, conduct, info, sweep_into};
    use crate::sweep::lost;
    use crate::sweep::seeds::Seeds;

    fn run(
        info: &RunInfo,
        behaviour: Behaviour,
        known: Vec<ResultLine>,
    ) -> (Outcome, tempfile::TempDir) {
        let path = tempfile::tempdir().expect("a folder");
        (sweep_into(path.path(), info, behaviour, known), path)
    }

    fn results(folder: &tempfile::TempDir) -> String {
        std::fs::read_to_string(folder.path().join("results.jsonl")).expect("reads")
    }

    #[test]
    fn a_resumed_sweep_writes_the_same_bytes() {
        let info = info(&["a", "b"], Seeds { start: 0, end: 20 }, None, None);
        let (whole, whole_folder) = run(&info, Behaviour::FailEvery(7), Vec::new());
        let known: Vec<ResultLine> = results(&whole_folder)
            .lines()
            .enumerate()
            .filter(|(number, _)| number % 3 != 1)
            .map(|(_, line)| ResultLine::from_json(line).expect("reads"))
            .collect();
        let (resumed, resumed_folder) = run(&info, Behaviour::FailEvery(7), known);
        assert_eq!(results(&whole_folder), results(&resumed_folder));
        assert_eq!(
            (whole.summary.runs, &whole.summary.digest),
            (40, &resumed.summary.digest)
        );
    }

    #[test]
    fn it_ends_at_the_failing_run_that_is_one_too_many() {
        let (outcome, folder) = run(
            &info(
                &[],
                Seeds {
                    start: 1,
                    end: 1000,
                },
                None,
                Some(2),
            ),
            Behaviour::FailEvery(10),
            Vec::new(),
        );
        assert_eq!(
            (outcome.summary.runs, outcome.summary.verdicts.safety),
            (20, 2)
        );
        assert_eq!(results(&folder).lines().count(), 20);
    }

    #[test]
    fn each_failure_is_kept_once() {
        let (outcome, folder) = run(
            &info(&[], Seeds { start: 0, end: 30 }, None, None),
            Behaviour::FailEvery(10),
            Vec::new(),
        );
        let [failure] = outcome.summary.failures.as_slice() else {
            panic!("{:?}", outcome.summary.failures)
        };
        assert_eq!((failure.count, failure.seed), (3, 0));
        let repro = folder
            .path()
            .join(failure.repro.as_deref().expect("was written"));
        assert!(
            std::fs::read_to_string(&repro)
                .expect("reads")
                .starts_with("# smoke/mix-0 0 ")
        );
        assert_eq!(
            std::fs::read_to_string(repro.with_file_name("tale.txt")).expect("reads"),
            "0.000000 #0 it began\n"
        );
        assert!(repro.with_file_name("history.jsonl").exists());
        assert!(outcome.repeated_otherwise.is_empty() && outcome.broken.is_empty());
    }

    #[test]
    fn a_failing_run_that_comes_out_otherwise_is_told_of_though_its_digest_is_the_same() {
        let info = info(&[], Seeds { start: 0, end: 5 }, None, None);
        let (honest, folder) = run(&info, Behaviour::FailEvery(10), Vec::new());
        assert!(honest.repeated_otherwise.is_empty());
        let text = results(&folder);
        let mut first =
            ResultLine::from_json(text.lines().next().expect("has one")).expect("reads");
        first.record.audits += 1;
        let (outcome, _folder) = run(&info, Behaviour::FailEvery(10), vec![first]);
        assert_eq!(outcome.repeated_otherwise.len(), 1);
        assert_eq!(outcome.summary.digest, honest.summary.digest);
    }

    #[test]
    fn a_failure_is_written_down_while_the_sweep_goes_on() {
        /// Looks into the folder at each line.
        struct Looks<'a>(&'a std::path::Path, Vec<(u64, usize)>);
        impl Audience for Looks<'_> {
            fn line(&mut self, line: &ResultLine) {
                let kept = std::fs::read_dir(self.0.join("failures")).map_or(0, |folders| {
                    let repro = |folder: std::io::Result<std::fs::DirEntry>| {
                        folder.expect("reads").path().join("repro.toml").exists()
                    };
                    folders.map(repro).filter(|there| *there).count()
                });
                self.1.push((line.record.seed, kept));
            }
            fn progress(&mut self, _: u64, _: u64) {}
        }
        let path = tempfile::tempdir().expect("a folder");
        let info = info(&[], Seeds { start: 1, end: 6 }, None, None);
        let mut looks = Looks(path.path(), Vec::new());
        sweep(
            &info,
            conduct(&AtomicBool::new(false), Vec::new()),
            &mut Place::Here(&mut Fake::new(Behaviour::FailEvery(3))),
            Some(&mut Folder::create(path.path(), &info).expect("writes")),
            &mut looks,
        );
        assert_eq!(looks.1, [(1, 0), (2, 0), (3, 0), (4, 1), (5, 1)]);
    }

    #[test]
    fn an_interrupted_sweep_keeps_what_it_has() {
        let info = info(&[], Seeds { start: 0, end: 30 }, None, None);
        let interrupted = AtomicBool::new(true);
        let known = vec![lost::line("x", 7, lost::CRASH, String::new())];
        let outcome = sweep(
            &info,
            conduct(&interrupted, known),
            &mut Place::Here(&mut Fake::new(Behaviour::Pass)),
            None,
            &mut Silence,
        );
        assert!(outcome.summary.interrupted);
        assert_eq!(outcome.summary.runs, 1);
    }
}
