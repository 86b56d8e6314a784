//! Keeps workers busy and outlives their deaths.
//!
//! Each worker has a lane: a thread that hands it a few items at a time, hears its reports, and
//! watches its time. When a worker dies, a new one begins with the run that was announced: whoever
//! killed the worker from outside changes nothing. A run that two workers in a row die of, or that
//! does not end, gets a verdict of its own (`crash`, `out-of-memory`, `hang`), and the next worker
//! goes on with the rest. Reports come in any order; which worker makes which run never shows in
//! them.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::sweep::child::{Child, Death, Heard};
use crate::sweep::job::{Report, execute};
use crate::sweep::lost;
use crate::sweep::settings::{Item, Settings, Target};
use crate::sweep::source::Source;
use crate::sweep::worker::Said;

/// Items that a worker is handed at once, and how few it may have left before it gets more.
const CHUNK: usize = 8;
const LOW: usize = 4;

/// Deaths in a row without a run having begun, after which workers are given up.
const STILLBIRTHS: u32 = 3;

/// Where jobs are done.
pub enum Place<'a> {
    /// In child processes started like this: the program and its arguments.
    Children(PathBuf, Vec<String>),
    /// In this thread, for debuggers and tests: no death is survived, and nothing watches the
    /// clock.
    Here(&'a mut dyn Source),
}

/// How to work.
pub struct Pool<'a> {
    /// What the runs share.
    pub settings: &'a Settings,
    /// How many workers.
    pub jobs: usize,
    /// A run that takes longer than this, in CPU time, does not end.
    pub hang_after: Duration,
    /// No new items are handed out after this.
    pub until: Option<Instant>,
    /// Set by whoever wants it to stop at once.
    pub halt: &'a AtomicBool,
}

/// The harness itself failed, and how.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

impl Pool<'_> {
    /// Makes all runs. `next` gives the items, `sink` takes the reports in any order and may end
    /// the work.
    ///
    /// # Errors
    /// When no worker can be started, or an item names no run.
    pub fn work(
        &self,
        place: &mut Place<'_>,
        next: &mut (dyn FnMut() -> Option<Item> + Send),
        sink: &mut dyn FnMut(Report) -> ControlFlow<()>,
    ) -> Result<(), Broken> {
        match place {
            Place::Here(source) => self.here(*source, next, sink),
            Place::Children(program, arguments) => self.children(program, arguments, next, sink),
        }
    }

    fn over(&self) -> bool {
        self.halt.load(Ordering::Relaxed) || self.until.is_some_and(|until| Instant::now() >= until)
    }

    fn here(
        &self,
        source: &mut dyn Source,
        next: &mut dyn FnMut() -> Option<Item>,
        sink: &mut dyn FnMut(Report) -> ControlFlow<()>,
    ) -> Result<(), Broken> {
        while !self.over() {
            let Some(item) = next() else { break };
            let report = execute(source, self.settings, &item, &mut |_| ()).map_err(Broken)?;
            if sink(report).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn children(
        &self,
        program: &PathBuf,
        arguments: &[String],
        next: &mut (dyn FnMut() -> Option<Item> + Send),
        sink: &mut dyn FnMut(Report) -> ControlFlow<()>,
    ) -> Result<(), Broken> {
        let next = Mutex::new(next);
        let next = || (next.lock().unwrap_or_else(PoisonError::into_inner))();
        let enough = AtomicBool::new(false);
        let (sender, reports) = mpsc::channel();
        let mut result = Ok(());
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                let lane = Lane {
                    pool: self,
                    program,
                    arguments,
                    next: &next,
                    enough: &enough,
                    sender: sender.clone(),
                };
                scope.spawn(move || lane.run());
            }
            drop(sender);
            for report in reports {
                let go_on = match report {
                    Ok(report) if result.is_ok() && !enough.load(Ordering::Relaxed) => {
                        sink(report).is_continue()
                    }
                    Ok(_) => false,
                    Err(broken) => {
                        result = Err(broken);
                        false
                    }
                };
                if !go_on {
                    enough.store(true, Ordering::Relaxed);
                }
            }
        });
        result
    }
}

/// One worker's place, and whoever sits there.
struct Lane<'a> {
    pool: &'a Pool<'a>,
    program: &'a PathBuf,
    arguments: &'a [String],
    next: &'a (dyn Fn() -> Option<Item> + Sync),
    enough: &'a AtomicBool,
    sender: Sender<Result<Report, Broken>>,
}

/// How the service of a worker ended.
enum Served {
    /// Everything is done.
    All,
    /// The worker is gone, and had begun a run, or none.
    Gone { began: bool },
}

impl Lane<'_> {
    fn run(&self) {
        let mut pending = VecDeque::new();
        let mut suspect = None;
        let mut stillbirths = 0;
        while !self.stop() {
            self.refill(&mut pending);
            if pending.is_empty() {
                return;
            }
            let child = match Child::start(self.program, self.arguments, self.pool.settings) {
                Ok(child) => child,
                Err(error) => {
                    return self.tell(Err(Broken(format!(
                        "a worker ({}) cannot be started: {error}",
                        self.program.display()
                    ))));
                }
            };
            match self.serve(child, &mut pending, &mut suspect) {
                Ok(Served::All) => return,
                Ok(Served::Gone { began: true }) => stillbirths = 0,
                Ok(Served::Gone { began: false }) => stillbirths += 1,
                Err(broken) => return self.tell(Err(broken)),
            }
            if stillbirths == STILLBIRTHS {
                return self.tell(Err(Broken(format!(
                    "workers die before they begin a run ({STILLBIRTHS} in a row); try \
                     --in-process to see why"
                ))));
            }
        }
    }

    fn stop(&self) -> bool {
        self.pool.halt.load(Ordering::Relaxed) || self.enough.load(Ordering::Relaxed)
    }

    fn tell(&self, report: Result<Report, Broken>) {
        // Nobody listens only when the pool is already going down.
        let _ = self.sender.send(report);
    }

    /// Tops the queue up and says how many items are new.
    fn refill(&self, pending: &mut VecDeque<Item>) -> usize {
        let before = pending.len();
        if before < LOW && !self.pool.over() {
            while pending.len() < before + CHUNK {
                let Some(item) = (self.next)() else { break };
                pending.push_back(item);
            }
        }
        pending.len() - before
    }

    /// Serves one worker until everything is done or the worker is gone. `suspect` is the item that
    /// the worker before died of.
    fn serve(
        &self,
        mut child: Child,
        pending: &mut VecDeque<Item>,
        suspect: &mut Option<u64>,
    ) -> Result<Served, Broken> {
        let mut handed = 0;
        let mut began = false;
        let mut started: Option<(u64, String)> = None;
        loop {
            if self.stop() {
                child.kill();
                return Ok(Served::All);
            }
            self.refill(pending);
            let Some(next) = pending.front().map(|item| item.number) else {
                child.finish();
                return Ok(Served::All);
            };
            child.hand(pending.iter().skip(handed));
            handed = pending.len();
            match child.hear() {
                Heard::Said(Said::Start { seed, scenario, .. }) => {
                    (began, started) = (true, Some((seed, scenario)));
                    child.begins();
                }
                Heard::Said(Said::Done(report)) => {
                    if next == report.number {
                        pending.pop_front();
                        handed -= 1;
                        started = None;
                        child.begins();
                        self.tell(Ok(*report));
                    }
                }
                Heard::Said(Said::Fail(reason)) => {
                    child.kill();
                    return Err(Broken(reason));
                }
                Heard::Gone => {
                    let death = child.last_words();
                    let is_certain = death.check == lost::HANG;
                    if started.is_some() && *suspect != Some(next) && !is_certain {
                        *suspect = Some(next);
                    } else {
                        self.bury(started, pending, death);
                    }
                    return Ok(Served::Gone { began });
                }
                Heard::Nothing => {
                    if let Some(death) = child.overdue(self.pool.hang_after) {
                        child.kill();
                        self.bury(started, pending, death);
                        return Ok(Served::Gone { began });
                    }
                }
            }
        }
    }

    /// Gives the run that a worker died of its verdict.
    fn bury(&self, started: Option<(u64, String)>, pending: &mut VecDeque<Item>, death: Death) {
        let Some((announced, scenario)) = started else {
            return;
        };
        let Some(item) = pending.pop_front() else {
            return;
        };
        let seed = match item.target {
            Target::Mix(seed) | Target::Scenario(_, seed) => seed,
            Target::Repro(_) => announced,
        };
        self.tell(Ok(Report::new(
            item.number,
            lost::line(&scenario, seed, death.check, death.words),
        )));
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::sweep::settings::Keep;

    /// A worker in a few lines of shell: it speaks the protocol, and does what `case` says about a
    /// number.
    fn shell(case: &str) -> Place<'static> {
        let record = concat!(
            r#"{"scenario":"s","seed":'$n',"verdict":"pass","digest":"d","events":1,"#,
            r#""messages_delivered":1,"virtual_seconds":1.0,"client_operations":1,"#,
            r#""faults":{},"milestones":{}}"#,
        );
        let done = format!(r#"{{"number":'$n',"cpu_ns":0,"line":{record}}}"#);
        let script = format!(
            "read settings; while read item; do n=${{item#*:}}; n=${{n%%,*}}; \
             echo \"start $n $n s\"; case $n in {case} esac; echo 'done {done}'; done"
        );
        Place::Children("/bin/sh".into(), vec!["-c".to_owned(), script])
    }

    /// An item's number, and the check and message of a run that did not come to an end.
    type Ended = (u64, Option<String>, Option<String>);

    fn work(
        mut place: Place<'_>,
        jobs: usize,
        count: u64,
        hang_after: Duration,
    ) -> Result<Vec<Ended>, Broken> {
        let settings = Settings::default();
        let halt = AtomicBool::new(false);
        let pool = Pool {
            settings: &settings,
            jobs,
            hang_after,
            until: None,
            halt: &halt,
        };
        let mut items = (0..count).map(|number| Item {
            number,
            target: Target::Scenario("s".to_owned(), number),
            keep: Keep::Line,
        });
        let mut reports = Vec::new();
        pool.work(&mut place, &mut || items.next(), &mut |report| {
            reports.push((
                report.number,
                report.line.record.check,
                report.line.record.message,
            ));
            ControlFlow::Continue(())
        })?;
        reports.sort();
        Ok(reports)
    }

    #[test]
    fn every_item_is_done_once_by_any_number_of_workers() {
        for jobs in [1, 3] {
            let reports = work(shell(""), jobs, 50, Duration::from_secs(10)).expect("it works");
            assert_eq!(
                reports,
                (0..50)
                    .map(|number| (number, None, None))
                    .collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn a_worker_that_is_killed_from_outside_loses_nothing() {
        for jobs in [1, 2] {
            let folder = tempfile::tempdir().expect("a folder");
            let dies_once = format!(
                "7|12) if mkdir {}/$n 2>/dev/null; then kill -9 $$; fi;;",
                folder.path().display()
            );
            let reports =
                work(shell(&dies_once), jobs, 20, Duration::from_secs(10)).expect("it works");
            assert_eq!(
                reports,
                (0..20)
                    .map(|number| (number, None, None))
                    .collect::<Vec<_>>()
            );
            assert!(folder.path().join("7").exists() && folder.path().join("12").exists());
        }
    }

    #[test]
    fn a_death_costs_one_run_and_names_it() {
        let reports = work(
            shell("5) echo 'boom (17) here' >&2; kill -9 $$;; 11) exit 3;;"),
            2,
            20,
            Duration::from_secs(10),
        )
        .expect("it works");
        assert_eq!(reports.len(), 20);
        let broken: Vec<_> = reports
            .into_iter()
            .filter(|report| report.1.is_some())
            .collect();
        let check = |number: usize| {
            (
                broken[number].0,
                broken[number].1.as_deref(),
                broken[number].2.clone().unwrap_or_default(),
            )
        };
        let (number, name, message) = check(0);
        assert!(
            (number, name) == (5, Some("crash"))
                && message.contains("signal: 9")
                && message.ends_with(": boom here"),
            "{message}"
        );
        let (number, name, message) = check(1);
        assert!(
            (number, name) == (11, Some("crash")) && message.contains("exit status: 3"),
            "{message}"
        );
        assert_eq!(broken.len(), 2);
    }

    #[test]
    fn a_run_without_an_end_is_ended() {
        for endless in ["while :; do :; done", "exec sleep 60"] {
            let reports = work(
                shell(&format!("3) {endless};;")),
                1,
                6,
                Duration::from_millis(200),
            )
            .expect("it works");
            let broken: Vec<_> = reports.iter().filter(|report| report.1.is_some()).collect();
            assert_eq!((reports.len(), broken.len()), (6, 1));
            assert_eq!((broken[0].0, broken[0].1.as_deref()), (3, Some("hang")));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_busy_machine_is_no_hang() {
        let slow = shell("3) sleep 0.6;;");
        let reports = work(slow, 1, 6, Duration::from_millis(200)).expect("it works");
        assert!(
            reports.iter().all(|report| report.1.is_none()),
            "{reports:?}"
        );
    }

    #[test]
    fn workers_that_cannot_work_are_given_up() {
        let stillborn = work(
            Place::Children("/bin/sh".into(), vec!["-c".to_owned(), "exit 1".to_owned()]),
            2,
            6,
            Duration::from_secs(10),
        );
        assert!(
            stillborn
                .expect_err("nothing works")
                .0
                .contains("3 in a row")
        );
        let absent = work(
            Place::Children("/nowhere/synod".into(), Vec::new()),
            1,
            6,
            Duration::from_secs(10),
        );
        assert!(
            absent
                .expect_err("nothing works")
                .0
                .contains("/nowhere/synod")
        );
    }

    #[test]
    fn a_sink_that_has_enough_ends_the_work() {
        let settings = Settings::default();
        let halt = AtomicBool::new(false);
        let pool = Pool {
            settings: &settings,
            jobs: 2,
            hang_after: Duration::from_secs(10),
            until: None,
            halt: &halt,
        };
        let mut numbers = 0..;
        let mut seen = 0;
        let mut next = || {
            numbers.next().map(|number| Item {
                number,
                target: Target::Mix(number),
                keep: Keep::Line,
            })
        };
        let ended = pool.work(&mut shell(""), &mut next, &mut |_| {
            seen += 1;
            if seen < 30 {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        assert_eq!((ended, seen), (Ok(()), 30));
    }
}
