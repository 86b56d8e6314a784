//! The first run of each failure is made again, keeping everything: its reproducer, history and
//! tale. That is done as soon as the failure is known, in turn with the sweep's own runs, so that a
//! sudden end of the sweep loses none of those that were found before.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use synod_reports::record::Verdict;
use synod_reports::summary::Failure;
use synod_reports::tally::{EXPECTED_FAILURE, Tally};

use crate::sweep::folder::Folder;
use crate::sweep::job::Report;
use crate::sweep::roster::Roster;
use crate::sweep::settings::{Item, Keep};

/// Repeats that are to be made, shared with those who make them.
pub type Waiting = Mutex<VecDeque<Item>>;

/// The number of the first failure's repeat. No sweep has so many runs of its own.
const FIRST: u64 = 1 << 63;

/// The next repeat, if there is one.
pub fn next(waiting: &Waiting) -> Option<Item> {
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    waiting.pop_front()
}

/// Which repeats were asked for, and what came of them.
pub struct Repeats<'a> {
    roster: Roster<'a>,
    waiting: &'a Waiting,
    /// Of the tally's failures, so many were looked at.
    asked: usize,
    /// Those that came, by their place among the tally's failures.
    taken: BTreeSet<usize>,
    /// The reproducers' paths, by fingerprint.
    pub repros: BTreeMap<String, String>,
    /// The failures whose run came out otherwise in anything.
    pub otherwise: Vec<Failure>,
}

impl<'a> Repeats<'a> {
    /// None yet.
    #[must_use]
    pub const fn new(roster: Roster<'a>, waiting: &'a Waiting) -> Self {
        Self {
            roster,
            waiting,
            asked: 0,
            taken: BTreeSet::new(),
            repros: BTreeMap::new(),
            otherwise: Vec::new(),
        }
    }

    /// Asks for the failures that are new.
    pub fn ask(&mut self, tally: &Tally) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, failure) in tally.failures().iter().enumerate().skip(self.asked) {
            waiting.extend(self.item(place, failure));
        }
        self.asked = tally.failures().len();
    }

    /// Asks for those that did not come.
    pub fn ask_again(&mut self, tally: &Tally) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.clear();
        for (place, failure) in tally.failures().iter().enumerate() {
            if !self.taken.contains(&place) {
                waiting.extend(self.item(place, failure));
            }
        }
        self.asked = tally.failures().len();
    }

    /// The repeat of this failure.
    fn item(&self, place: usize, failure: &Failure) -> Option<Item> {
        (failure.check != EXPECTED_FAILURE).then(|| Item {
            number: FIRST + place as u64,
            target: self.roster.repeat(&failure.scenario, failure.seed),
            // What killed a worker would kill the next one, and what does not end would not end
            // again.
            keep: if failure.class == Verdict::Lost.name() {
                Keep::Plan(failure.check.clone())
            } else {
                Keep::Everything
            },
        })
    }

    /// Whether a report is a repeat's.
    #[must_use]
    pub const fn is_one(report: &Report) -> bool {
        report.number >= FIRST
    }

    /// Takes a repeat, and writes down what is kept of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn take(&mut self, tally: &Tally, folder: &Folder, report: &Report) -> std::io::Result<()> {
        let place = usize::try_from(report.number - FIRST).expect("it is one of ours");
        let failure = &tally.failures()[place];
        self.taken.insert(place);
        let first = tally.first_runs().get(&failure.fingerprint);
        // What is recorded takes longer: that it did not end says nothing.
        let comparable = report.line.record.verdict != Verdict::Lost
            && ![Verdict::Nondeterministic, Verdict::Lost]
                .map(Verdict::name)
                .contains(&&*failure.class);
        if comparable && first.is_some_and(|first| *first != report.line.record) {
            self.otherwise.push(failure.clone());
        }
        let path = folder.keep_failure(&failure.fingerprint, report)?;
        self.repros.insert(failure.fingerprint.clone(), path);
        Ok(())
    }
}
