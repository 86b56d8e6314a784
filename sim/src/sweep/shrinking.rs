//! The failures of a sweep made small, once it is over: the first of them, each within the same
//! budget of events, so that shards that are merged have the same files as the sweep that was not
//! sharded.

use std::ops::ControlFlow;
use std::{fs, io};

use synod_reports::record::Verdict;
use synod_reports::summary::Failure;

use crate::sweep::file::put;
use crate::sweep::folder::{Folder, RunInfo, SHRUNK, remove};
use crate::sweep::job::Report;
use crate::sweep::pool::{Broken, Place, Pool};
use crate::sweep::roster::Roster;
use crate::sweep::settings::{Item, Keep};
use crate::sweep::smaller::Smaller;

/// So many failures at most are made small.
pub const MOST: usize = 5;

/// What became of a failure.
pub type Became = Result<Smaller, String>;

/// Whether this failure is one that can be tried again and again.
fn can_be_tried(failure: &Failure) -> bool {
    let endless = [Verdict::Lost, Verdict::Nondeterministic].map(Verdict::name);
    failure.repro.is_some() && !endless.contains(&&*failure.class)
}

/// Makes the first failures small, and writes each beside its reproducer. What became of them, in
/// the order of the failures; none of those that were not tried.
///
/// # Errors
/// When no worker can be started, or a file cannot be written.
pub fn shrink_failures(
    info: &RunInfo,
    failures: &[Failure],
    pool: &Pool<'_>,
    place: &mut Place<'_>,
    folder: &Folder,
) -> Result<Vec<Option<Became>>, String> {
    let failed = |error| format!("{}: {error}", folder.path().display());
    keep_first(failures, folder).map_err(failed)?;
    let roster = Roster::of(info);
    let mut items = failures
        .iter()
        .enumerate()
        .take(MOST)
        .filter(|(_, failure)| can_be_tried(failure) && !info.is_known(&failure.fingerprint))
        .map(|(number, failure)| Item {
            number: number as u64,
            target: roster.repeat(&failure.scenario, failure.seed),
            keep: Keep::Shrunk(info.shrink),
        });
    let mut became: Vec<Option<Became>> = failures.iter().map(|_| None).collect();
    let mut unwritten = None;
    let worked = pool.work(place, &mut || items.next(), &mut |report| {
        let number = usize::try_from(report.number).expect("it is one of ours");
        let smaller = of(report);
        if let Ok(smaller) = &smaller {
            let file = folder
                .of_failure(&failures[number].fingerprint)
                .join(SHRUNK);
            if let Err(error) = put(&file, &smaller.file) {
                unwritten.get_or_insert(failed(error));
            }
        }
        became[number] = Some(smaller);
        ControlFlow::Continue(())
    });
    match (worked, unwritten) {
        (Err(Broken(reason)), _) | (Ok(()), Some(reason)) => Err(reason),
        (Ok(()), None) => Ok(became),
    }
}

/// Takes away what is left of failures that are not among the first: of a sweep that went on, or of a
/// shard that had fewer of them.
///
/// # Errors
/// When a file cannot be taken away.
pub fn keep_first(failures: &[Failure], folder: &Folder) -> io::Result<()> {
    for failure in failures.iter().skip(MOST) {
        remove(fs::remove_file(
            folder.of_failure(&failure.fingerprint).join(SHRUNK),
        ))?;
    }
    Ok(())
}

/// A job that came to no end has a line that says so.
fn of(report: Report) -> Became {
    report.shrunk.unwrap_or_else(|| {
        let record = report.line.record;
        Err(record
            .message
            .unwrap_or_else(|| record.verdict.name().to_owned()))
    })
}
