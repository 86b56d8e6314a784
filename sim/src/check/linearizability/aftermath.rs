//! The reads of audits: many forks of one history, in each of which every key is read once more,
//! after everything else.
//!
//! All that such a read adds to its key is the value that it saw. So a key is judged once for each
//! value, however many forks saw it; each time it is its whole history that is judged, with the
//! read at its end.

use std::collections::BTreeMap;

use crate::check::linearizability::budget::Budget;
use crate::check::linearizability::chain::{Answer, judge};
use crate::check::linearizability::check::ByKey;
use crate::check::linearizability::online::Online;
use crate::check::linearizability::partition::{Partition, Renumber, Timed};
use crate::history::operation::Text;
use crate::history::recorded::{History, Place, What};
use crate::history::values::{ABSENT, Val};

/// A history that has ended but for one read of each key.
pub struct Aftermath {
    history: History,
    by_key: ByKey,
    /// Later than everything in the history.
    after: u64,
    /// What is settled, by the names of the key and of the value that was read.
    answers: BTreeMap<(Val, Val), Answer>,
    renumber: Renumber,
}

impl Aftermath {
    /// Before any read. Operations of this history that are open stay unknown.
    #[must_use]
    pub fn of(online: &Online) -> Self {
        let history = online.history();
        let by_key = ByKey::new(&history);
        Self {
            history,
            by_key,
            after: online.latest + 1,
            answers: BTreeMap::new(),
            renumber: Renumber::default(),
        }
    }

    /// Whether the key is linearizable when this value is read last. The place is the read's own in
    /// the log, if it has one; it helps to decide fast and is never trusted.
    pub fn judge(
        &mut self,
        key: &Text,
        value: Option<&Text>,
        place: Option<Place>,
        budget: Budget,
    ) -> Answer {
        let values = &mut self.history.values;
        let name = values.text(key);
        let value = value.map_or(ABSENT, |value| values.text(value));
        if let Some(answer) = self.answers.get(&(name, value)) {
            return answer.clone();
        }
        let answer = self.judge_anew(name, value, place, budget);
        // Another fork's place may decide what this one's did not.
        if !matches!(answer, Answer::Unknown(_)) {
            self.answers.insert((name, value), answer.clone());
        }
        answer
    }

    fn judge_anew(
        &mut self,
        name: Val,
        value: Val,
        place: Option<Place>,
        budget: Budget,
    ) -> Answer {
        let Self {
            history,
            by_key,
            after,
            renumber,
            ..
        } = self;
        let number =
            u32::try_from(history.operations.len()).expect("operations have 32-bit numbers");
        let read = Timed {
            call: *after,
            ret: *after,
            what: What::Read(value),
            id: number,
        };
        let key = (0u32..)
            .zip(&history.keys)
            .find(|(_, known)| **known == name)
            .map(|(key, _)| key);
        let before = key
            .map(|key| by_key.timed(history, key))
            .into_iter()
            .flatten();
        let partition = Partition::new(
            before.chain(std::iter::once(read)),
            history.initial,
            &history.values,
            renumber,
        );
        let places = |id: u32| {
            if id == number {
                place
            } else {
                history.operations[id as usize].place
            }
        };
        judge(&partition, place.is_some().then_some(&places), budget).answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::linearizability::check::Verdict;
    use crate::check::linearizability::generate::{Shape, generate};
    use crate::check::linearizability::online::tests::replayed;
    use crate::history::operation::{Action, Call, Return};

    /// The whole history with that read at its end, judged in one go.
    fn in_one_go(online: &Online, key: &Text, value: Option<&Text>, place: Option<Place>) -> bool {
        let (mut fork, process) = (online.clone(), u64::MAX);
        fork.invoke(
            process,
            &Call {
                key: key.clone(),
                action: Action::Get,
            },
            online.latest + 1,
        );
        fork.ok(
            process,
            Return::Value(value.cloned()),
            place,
            online.latest + 2,
        );
        fork.verdict(Budget::default()).verdict == Verdict::Linearizable
    }

    #[test]
    fn a_read_after_everything_is_judged_as_if_it_were_part_of_the_history() {
        let mut answers = [0; 2];
        for seed in 0..12 {
            let unknown = if seed % 2 == 0 { 9 } else { 0 };
            let history = generate(Shape {
                keys: 3,
                appends: 20,
                swaps: 10,
                writes: 40,
                unknown,
                seed,
                ..Shape::new(120, 5)
            });
            let online = replayed(&history, Online::new());
            let mut aftermath = Aftermath::of(&online);
            let text = |value: Val| Text::from(history.values.bytes(value));
            let written =
                history
                    .operations
                    .iter()
                    .rev()
                    .filter_map(|operation| match operation.what()? {
                        What::Write(value) | What::Cas { new: value, .. } | What::Read(value) => {
                            Some((value != ABSENT).then(|| text(value)))
                        }
                        _ => None,
                    });
            let candidates: Vec<Option<Text>> = written
                .take(12)
                .chain([None, Some(Text::from(&b"never"[..]))])
                .collect();
            for key in &history.keys {
                let key = text(*key);
                for value in candidates.iter().chain(&candidates) {
                    for place in [None, Some(Place::after(1 << 20)), Some(Place::new(3, 0))] {
                        let expected = in_one_go(&online, &key, value.as_ref(), place);
                        let answer =
                            aftermath.judge(&key, value.as_ref(), place, Budget::default());
                        assert_eq!(
                            answer == Answer::Linearizable,
                            expected,
                            "seed {seed}, {key:?} reads {value:?} at {place:?}: {answer:?}"
                        );
                        answers[usize::from(expected)] += 1;
                    }
                }
            }
        }
        assert!(answers[0] > 300 && answers[1] > 150, "{answers:?}");
    }

    #[test]
    fn a_key_that_nobody_touched_is_absent() {
        let mut aftermath = Aftermath::of(&Online::new());
        let (key, value) = (Text::from(&b"k"[..]), Text::from(&b"v"[..]));
        assert_eq!(
            aftermath.judge(&key, None, None, Budget::default()),
            Answer::Linearizable
        );
        assert!(matches!(
            aftermath.judge(&key, Some(&value), None, Budget::default()),
            Answer::NotLinearizable(_)
        ));
    }
}
