//! Runs that are made to be counted, and not to be kept: many under the same settings, in order.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use synod_reports::line::ResultLine;
use synod_reports::record::Verdict;

use crate::sweep::order::Reorder;
use crate::sweep::pool::{Broken, Place, Pool};
use crate::sweep::settings::{Item, Keep, Settings, Target};

/// How and where they are made.
pub struct Trials<'t, 'a> {
    /// Workers.
    pub jobs: usize,
    /// A run that takes longer does not end.
    pub hang_after: Duration,
    /// Set by whoever wants to stop at once.
    pub halt: &'t AtomicBool,
    /// Opens a place of work with these settings.
    pub place: &'t mut dyn FnMut(&Settings) -> Result<Place<'a>, String>,
}

impl Trials<'_, '_> {
    /// Makes these runs. `sink` hears of them in their order, with their CPU time in nanoseconds,
    /// and may end the work.
    ///
    /// # Errors
    /// When the harness itself fails.
    pub fn make(
        &mut self,
        settings: &Settings,
        targets: impl Iterator<Item = Target> + Clone + Send,
        sink: &mut dyn FnMut(Target, ResultLine, u64) -> ControlFlow<()>,
    ) -> Result<(), Broken> {
        let mut done = targets.clone();
        let mut items = (0..).zip(targets).map(|(number, target)| Item {
            number,
            target,
            keep: Keep::Line,
        });
        let mut order: Reorder<(ResultLine, u64)> = Reorder::default();
        let mut place = (self.place)(settings).map_err(Broken)?;
        let pool = Pool {
            settings,
            jobs: self.jobs,
            hang_after: self.hang_after,
            until: None,
            halt: self.halt,
        };
        pool.work(&mut place, &mut || items.next(), &mut |report| {
            order.push(report.number, (report.line, report.cpu_ns));
            while let Some((line, cpu_ns)) = order.pop() {
                let target = done.next().expect("it was handed out");
                if sink(target, line, cpu_ns).is_break() {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })
    }

    /// Makes these runs, and gives what came of them; fewer when it was halted.
    ///
    /// # Errors
    /// When the harness itself fails.
    pub fn lines(
        &mut self,
        settings: &Settings,
        targets: &[Target],
    ) -> Result<Vec<ResultLine>, Broken> {
        let mut lines = Vec::with_capacity(targets.len());
        if targets.is_empty() {
            return Ok(lines);
        }
        self.make(settings, targets.iter().cloned(), &mut |_, line, _| {
            lines.push(line);
            ControlFlow::Continue(())
        })?;
        Ok(lines)
    }
}

/// A run in which a planted bug was found.
pub struct Detection {
    /// Which run.
    pub target: Target,
    /// What came of it.
    pub line: ResultLine,
}

/// Whether a check failed this run. A lost run shows that something is wrong, and is counted apart:
/// that nobody came back is no work of a check's.
pub fn fails(line: &ResultLine) -> bool {
    let verdict = line.record.verdict;
    verdict.is_failure() && verdict != Verdict::Lost
}
