//! Settling what a history that is still being made has behind it.
//!
//! What lies before the earliest call of an open operation cannot change any more. When enough of
//! it has gathered, it is searched from the frontier of the last time, and only the new frontier is
//! kept, with the operations that reach beyond it. Where that takes too much, it is kept as it is
//! and tried again at twice the length.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::check::linearizability::budget::Budget;
use crate::check::linearizability::check::ByKey;
use crate::check::linearizability::exact::ExactMachine;
use crate::check::linearizability::frontier::{Frontier, Point};
use crate::check::linearizability::online::{Ended, Online};
use crate::check::linearizability::partition::{Partition, Renumber};
use crate::check::linearizability::search::{Ending, Remember, search_on};
use crate::check::linearizability::settled::{Settled, Way, process};
use crate::history::operation::Text;
use crate::history::recorded::{History, NEVER, Outcome};
use crate::history::values::Val;

/// What settling may take at a time: less than a hundredth of a second.
const BUDGET: Budget = Budget {
    steps: 500_000,
    bytes: 1 << 19,
};

impl Online {
    /// What is kept, with numbers for the values that only the forgotten part has.
    pub(super) fn numbered(&self) -> History {
        let mut history = self.history();
        for value in self
            .settled
            .values()
            .flat_map(|settled| settled.ways.iter())
            .filter_map(|way| way.value.as_ref())
        {
            history.values.text(value);
        }
        history
    }

    /// Settles every key as far as its open operations allow, and forgets what is settled.
    pub(super) fn settle(&mut self) {
        let history = self.numbered();
        let by_key = ByKey::new(&history);
        let mut renumber = Renumber::default();
        // By key of the history: its cut, and the processes whose operations reach beyond it.
        let mut beyond: Vec<Option<(u64, Vec<u64>)>> = Vec::with_capacity(history.keys.len());
        for key in (0u32..).take(history.keys.len()) {
            let name: Text = history.values.bytes(history.keys[key as usize]).into();
            let open = self
                .open
                .values()
                .filter(|open| open.call.key == name)
                .map(|open| open.time)
                .min();
            let cut = open.unwrap_or(NEVER).min(self.latest);
            match self.settle_key(&history, &by_key, key, &name, cut, &mut renumber) {
                Ok(processes) => beyond.push(Some((cut, processes))),
                Err(Ending::Stuck { .. }) => {
                    self.failed = Some(name);
                    self.limit = None;
                    return;
                }
                Err(_) => beyond.push(None),
            }
        }
        self.forget(&history, &beyond);
        // Settling is worth its cost once there is as much to settle again.
        self.limit = Some(self.kept + self.kept.max(self.bound));
    }

    fn settle_key(
        &mut self,
        history: &History,
        by_key: &ByKey,
        key: u32,
        name: &Text,
        cut: u64,
        renumber: &mut Renumber,
    ) -> Result<Vec<u64>, Ending> {
        let before = self.settled.get(name);
        let mut states =
            before.map_or_else(|| vec![history.initial], |settled| settled.values(history));
        let partition = Partition::resumed(
            by_key.timed(history, key),
            &mut states,
            &history.values,
            renumber,
        );
        let mut machine = ExactMachine::new(&partition);
        let local = |value: &Val| {
            history
                .values
                .get(partition.vals[value.0 as usize])
                .map(|(_, bytes)| bytes)
        };
        let states: Vec<u32> = states
            .iter()
            .map(|value| machine.state(local(value)))
            .collect();
        let from = match before {
            Some(settled) => settled.frontier(history, &partition, &states),
            None => Frontier::start(&machine),
        };
        let settled_events = by_key
            .timed(history, key)
            .map(|operation| usize::from(operation.call < cut) + usize::from(operation.ret < cut))
            .sum::<usize>();
        let events = &partition.events[..settled_events];
        let (ending, frontier) = search_on(
            &mut machine,
            &partition.steps,
            events,
            &from,
            Remember::Verdict,
            BUDGET,
        );
        let Some(frontier) = frontier else {
            return Err(ending);
        };
        let name_of = |operation: &u32| process(history, partition.steps[*operation as usize].id);
        let names = |operations: &[u32]| operations.iter().map(name_of).collect();
        let way = |point: &Point| Way {
            value: machine.value(point.state).map(Text::from),
            used: names(&point.used),
            done: names(&point.done),
            undone: names(&point.undone),
        };
        let ways: Arc<[Way]> = frontier.points.iter().map(way).collect();
        let mut beyond: Vec<u64> = names(&frontier.unknown);
        let reaching = |operation: &&u32| {
            let operation = &history.operations[**operation as usize];
            operation.outcome != Outcome::Unknown && operation.call < cut && operation.ret >= cut
        };
        beyond.extend(
            by_key
                .of(key)
                .iter()
                .filter(reaching)
                .map(|operation| process(history, *operation)),
        );
        beyond.sort_unstable();
        self.settled.insert(name.clone(), Settled { cut, ways });
        Ok(beyond)
    }

    fn forget(&mut self, history: &History, beyond: &[Option<(u64, Vec<u64>)>]) {
        let key_of = |ended: &Ended| {
            history
                .keys
                .iter()
                .position(|key| *history.values.bytes(*key) == *ended.call.key)
        };
        let stays = |ended: &Ended| match key_of(ended).and_then(|key| beyond[key].as_ref()) {
            None => true,
            Some((cut, processes)) => {
                ended.times.0 >= *cut
                    || ended.times.1 >= *cut && processes.binary_search(&ended.process).is_ok()
            }
        };
        self.kept = 0;
        for piece in std::mem::take(&mut self.ended) {
            for ended in piece.iter().filter(|ended| stays(ended)) {
                self.keep(ended.clone());
            }
        }
        let left: BTreeSet<u64> = self
            .ended
            .iter()
            .flat_map(|piece| piece.iter().map(|ended| ended.process))
            .collect();
        let open = &self.open;
        self.learned
            .retain(|process, _| left.contains(process) || open.contains_key(process));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::linearizability::check::{Verdict, check};
    use crate::check::linearizability::generate::{Shape, generate};
    use crate::check::linearizability::online::tests::replayed;
    use crate::history::recorded::Asked;

    #[test]
    fn forgetting_changes_no_verdict() {
        let mut verdicts = [0; 2];
        for seed in 0..60 {
            let unknown = if seed % 3 == 0 { 4 } else { 0 };
            let mut history = generate(Shape {
                keys: 3,
                appends: 20,
                swaps: 10,
                writes: 30,
                unknown,
                seed,
                ..Shape::new(600, 5)
            });
            if seed % 2 == 0 {
                let reads: Vec<usize> = (300..600)
                    .filter(|at| history.operations[*at].asked == Asked::Read)
                    .collect();
                let (one, other) = (reads[reads.len() / 3], reads[reads.len() / 2]);
                history.operations[other].outcome = history.operations[one].outcome;
            }
            let whole = check(&history, Budget::default()).verdict;
            let online = replayed(&history, Online::bounded(40));
            let found = online.verdict(Budget::default()).verdict;
            assert_eq!(
                found == Verdict::Linearizable,
                whole == Verdict::Linearizable,
                "seed {seed}: {found:?}, not {whole:?}"
            );
            verdicts[usize::from(whole == Verdict::Linearizable)] += 1;
            assert!(
                online.kept < 200 || found != Verdict::Linearizable,
                "{} operations are kept",
                online.kept
            );
        }
        assert!(verdicts[0] > 10 && verdicts[1] > 10, "{verdicts:?}");
    }
}
