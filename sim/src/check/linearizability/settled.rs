//! The settled part of a key's history, boiled down to the ways in which it can have ended, and the
//! verdict on what follows.

use std::sync::Arc;

use crate::check::linearizability::budget::Budget;
use crate::check::linearizability::chain::Answer;
use crate::check::linearizability::check::ByKey;
use crate::check::linearizability::frontier::{Frontier, Point};
use crate::check::linearizability::partition::{Partition, Renumber};
use crate::check::linearizability::register::RegisterMachine;
use crate::check::linearizability::search::{Ending, Remember, search_on};
use crate::history::operation::Text;
use crate::history::recorded::History;
use crate::history::values::{ABSENT, Val};

/// The ways in which a key's forgotten part can have ended.
#[derive(Clone)]
pub(super) struct Settled {
    /// Everything before this time is settled.
    pub(super) cut: u64,
    pub(super) ways: Arc<[Way]>,
}

/// One of them. Operations are named by their processes: each has at most one that reaches beyond
/// the cut.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) value: Option<Text>,
    pub(super) used: Vec<u64>,
    pub(super) done: Vec<u64>,
    pub(super) undone: Vec<u64>,
}

impl Settled {
    /// Judges what follows.
    pub(super) fn judge(
        &self,
        history: &History,
        by_key: &ByKey,
        key: u32,
        renumber: &mut Renumber,
        budget: Budget,
    ) -> Answer {
        let mut states = self.values(history);
        let partition = Partition::resumed(
            by_key.timed(history, key),
            &mut states,
            &history.values,
            renumber,
        );
        let mut machine = RegisterMachine::new(&partition);
        let states: Vec<u32> = states
            .into_iter()
            .map(|value| machine.state(&partition, value))
            .collect();
        let from = self.frontier(history, &partition, &states);
        match search_on(
            &mut machine,
            &partition.steps,
            &partition.events,
            &from,
            Remember::Verdict,
            budget,
        )
        .0
        {
            Ending::Linearizable { .. } => Answer::Linearizable,
            Ending::Stuck { .. } => Answer::NotLinearizable(None),
            Ending::Exhausted(reason) => Answer::Unknown(reason),
        }
    }

    /// The numbers of the values in the history.
    pub(super) fn values(&self, history: &History) -> Vec<Val> {
        let find = |bytes: &Text| {
            history
                .values
                .find_text(bytes)
                .expect("the values of settled keys have been numbered")
        };
        let number = |value: &Option<Text>| value.as_ref().map_or(ABSENT, find);
        self.ways.iter().map(|way| number(&way.value)).collect()
    }

    pub(super) fn frontier(
        &self,
        history: &History,
        partition: &Partition<'_>,
        states: &[u32],
    ) -> Frontier {
        let open = partition
            .steps
            .iter()
            .take_while(|step| history.operations[step.id as usize].call < self.cut)
            .count();
        let mut names: Vec<(u64, u32)> = Vec::with_capacity(open);
        for (number, step) in (0u32..).zip(&partition.steps[..open]) {
            names.push((process(history, step.id), number));
        }
        names.sort_unstable();
        let number = |process: &u64| {
            names
                .binary_search_by_key(process, |name| name.0)
                .ok()
                .map(|at| names[at].1)
        };
        let numbers = |processes: &[u64]| processes.iter().filter_map(number).collect();
        let point = |(way, state): (&Way, &u32)| Point {
            state: *state,
            used: numbers(&way.used),
            done: numbers(&way.done),
            undone: numbers(&way.undone),
        };
        Frontier {
            open,
            points: self.ways.iter().zip(states).map(point).collect(),
            unknown: Vec::new(),
        }
    }
}

pub(super) fn process(history: &History, operation: u32) -> u64 {
    let name = history.processes[history.operations[operation as usize].process as usize];
    u64::try_from(name).expect("processes of the simulator are counted from zero")
}
