//! What a walk over crash points gives: the ledger of windows, the counts, and what failed.

use std::collections::BTreeMap;

use synod_reports::fingerprint::fingerprint;
use synod_reports::record::RunRecord;

use crate::choices::strike::{Blow, Strike};
use crate::world::watch::Window;

/// How often each blow fell, by [`Blow::ALL`].
pub type Blows = [u64; Blow::ALL.len()];

/// A window of the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Crossed {
    /// How often it came in the runs that were walked.
    pub seen: u64,
    /// How often each blow fell into it.
    pub blows: Blows,
    /// What led to it, when it never came without a strike.
    pub after: Vec<Strike>,
}

/// A run that failed after these strikes.
#[derive(Clone, Debug)]
pub struct Found {
    /// What struck it; nothing, when the run fails by itself.
    pub strikes: Vec<Strike>,
    /// Forks until then.
    pub forks: u64,
    /// The same in a straight line.
    pub record: RunRecord,
    /// How many forks failed in this way.
    pub count: u64,
}

impl Found {
    /// What it has in common with failures that look alike.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let of = |text: &Option<String>| text.clone().unwrap_or_default();
        fingerprint(&of(&self.record.check), &of(&self.record.message))
    }
}

/// What a walk gives.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Runs that were walked: the quiet one, and those that go on from a strike.
    pub walked: u64,
    /// Boundaries at which replicas were struck.
    pub points: u64,
    /// Boundaries at which nothing had changed since one that was struck.
    pub same: u64,
    /// Strikes, each of them a run of its own.
    pub forks: u64,
    /// How they were made.
    pub blows: Blows,
    /// Deaths of which what survives is a sample of the subsets.
    pub sampled: u64,
    /// Deaths at which something was unsynced.
    pub loose: u64,
    /// The most that was unsynced at one of them.
    pub loosest: usize,
    /// Strikes that were left out when the budget was used up.
    pub left_out: u64,
    /// Forks that no check could decide.
    pub undecided: u64,
    /// Every window that was seen.
    pub windows: BTreeMap<Window, Crossed>,
    /// One run for each way to fail.
    pub found: Vec<Found>,
    /// A fork that failed and a straight line that did not end in the same way.
    pub nondeterministic: Vec<Strike>,
}

impl Survey {
    /// The windows into which no blow of these fell.
    pub fn dark(&self, blows: &[Blow]) -> impl Iterator<Item = (&Window, &Crossed)> {
        let blows = blows.to_vec();
        let lit = move |crossed: &Crossed| {
            let all = Blow::ALL.iter().zip(crossed.blows);
            all.filter(|(blow, _)| blows.contains(blow))
                .any(|(_, times)| times > 0)
        };
        self.windows
            .iter()
            .filter(move |(_, crossed)| !lit(crossed))
    }

    pub(super) fn found(&mut self, found: Found) {
        let name = found.fingerprint();
        match self
            .found
            .iter_mut()
            .find(|known| known.fingerprint() == name)
        {
            Some(known) => known.count += 1,
            None => self.found.push(found),
        }
    }

    pub(super) fn fell(&mut self, window: Window, blows: &Blows) {
        let crossed = self.windows.entry(window).or_default();
        crossed.seen += 1;
        crossed.after.clear();
        for (sum, more) in crossed.blows.iter_mut().zip(blows) {
            *sum += more;
        }
    }
}
