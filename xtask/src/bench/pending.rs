//! The histories that are hard for one search or the other, each decided by the portfolio, by each
//! search alone, and by the plain search that is the yardstick.

use std::fs;
use std::path::Path;

use synod_sim::check::linearizability::budget::Budget;
use synod_sim::check::linearizability::check::{ByKey, Verdict, check};
use synod_sim::check::linearizability::depth::depth_first;
use synod_sim::check::linearizability::partition::{Partition, Renumber};
use synod_sim::check::linearizability::pending::{Known, all};
use synod_sim::check::linearizability::plain::plain;
use synod_sim::check::linearizability::register::RegisterMachine;
use synod_sim::check::linearizability::search::{Ending, Remember, search};
use synod_sim::history::jsonl;
use synod_sim::history::recorded::History;
use synod_sim::sweep::bench::alone::seconds_of;

/// Prints a line for each; or writes them into a folder, the verdict at the end of the name.
///
/// # Errors
/// When a verdict is wrong, or a file cannot be written.
pub fn run(only: &str, folder: Option<&Path>) -> Result<(), String> {
    for known in all() {
        if !known.name.contains(only) {
            continue;
        }
        match folder {
            Some(folder) => write(folder, &known)?,
            None => measure(&known)?,
        }
    }
    Ok(())
}

fn write(folder: &Path, known: &Known) -> Result<(), String> {
    let verdict = if known.linearizable { "good" } else { "bad" };
    let file = folder.join(format!("{verdict}-{}.jsonl", known.name));
    let fail = |error: std::io::Error| format!("{}: {error}", file.display());
    let out = fs::File::create(&file).map_err(fail)?;
    jsonl::write(&known.history, std::io::BufWriter::new(out)).map_err(fail)
}

fn measure(known: &Known) -> Result<(), String> {
    let history = &known.history;
    let (report, seconds) = least(&mut || check(history, Budget::default()));
    let verdict = match report.verdict {
        Verdict::Linearizable => Some(true),
        Verdict::NotLinearizable { .. } => Some(false),
        Verdict::Unknown { .. } => None,
    };
    println!(
        "{:24} {} {seconds:9.3} s {verdict:?} {:?}",
        known.name, known.linearizable, report.methods
    );
    let alone = |name: &str, search: &mut dyn FnMut(&Partition<'_>) -> Option<bool>| {
        let (found, seconds) = least(&mut || each_key(history, search));
        println!("{:>24} {seconds:15.3} s {found:?}", name);
        found.is_none_or(|found| found == known.linearizable)
    };
    let ended = |ending: Ending| match ending {
        Ending::Linearizable { .. } => Some(true),
        Ending::Stuck { .. } => Some(false),
        Ending::Exhausted(_) => None,
    };
    let budget = Budget::default();
    let right = [
        alone("breadth", &mut |partition| {
            let mut machine = RegisterMachine::new(partition);
            let Partition { steps, events, .. } = partition;
            ended(search(
                &mut machine,
                steps,
                events,
                Remember::Verdict,
                budget,
            ))
        }),
        alone("depth", &mut |partition| {
            let mut machine = RegisterMachine::new(partition);
            ended(depth_first(
                &mut machine,
                &partition.steps,
                &partition.events,
                budget,
            ))
        }),
        alone("plain", &mut |partition| {
            let mut machine = RegisterMachine::new(partition);
            plain(&mut machine, &partition.steps, budget).ok()
        }),
    ];
    if right.contains(&false) || verdict.is_some_and(|verdict| verdict != known.linearizable) {
        return Err(format!("{}: a verdict is wrong", known.name));
    }
    Ok(())
}

/// The least of several measurements, of those that are short: the first of them pays for memory
/// that the process gets for the first time.
fn least<T>(work: &mut dyn FnMut() -> T) -> (T, f64) {
    let (mut given, mut seconds) = seconds_of(&mut *work);
    for _ in 0..4 {
        if seconds > 0.5 {
            break;
        }
        let (again, less) = seconds_of(&mut *work);
        (given, seconds) = (again, seconds.min(less));
    }
    (given, seconds)
}

/// Key by key, until one is not linearizable or not known to be.
fn each_key(
    history: &History,
    search: &mut dyn FnMut(&Partition<'_>) -> Option<bool>,
) -> Option<bool> {
    let by_key = ByKey::new(history);
    let mut renumber = Renumber::default();
    let mut all = Some(true);
    for key in (0u32..).take(history.keys.len()) {
        match search(&by_key.partition(history, key, &mut renumber)) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => all = None,
        }
    }
    all
}
