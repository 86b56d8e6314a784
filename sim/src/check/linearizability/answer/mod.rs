//! Why a history is not linearizable, so that a person can see it: the shortest prefix that is not,
//! the operation in it that has no place, how far an order goes, and the operations that contradict
//! each other.

pub mod json;
pub mod text;

use crate::check::linearizability::budget::{Budget, Exhausted};
use crate::check::linearizability::check::ByKey;
use crate::check::linearizability::contradiction::Contradiction;
use crate::check::linearizability::depth::depth_first;
use crate::check::linearizability::machine::Machine;
use crate::check::linearizability::partition::{OPEN, Partition, Renumber};
use crate::check::linearizability::register::RegisterMachine;
use crate::check::linearizability::restriction::{refuted, written_once};
use crate::check::linearizability::search::{Ending, Remember, search};
use crate::check::linearizability::zones::{Zones, zones};
use crate::history::recorded::History;

/// Why a key of a history is not linearizable. Operations are indices into [`History::operations`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// The key.
    pub key: u32,
    /// The operation that cannot be placed: a prefix that is not linearizable ends with its return.
    pub operation: u32,
    /// Whether it is the shortest such prefix; it is, unless the budget did not suffice to look.
    pub shortest: bool,
    /// The operations of the key that were called in that prefix, in the order of their calls.
    pub prefix: Vec<u32>,
    /// Those of them that were open when the operation returned.
    pub open: Vec<u32>,
    /// The longest order found for what came before that return.
    pub linearized: Vec<u32>,
    /// Operations that cannot all have happened, where zones tell; or the first that found what
    /// nobody made.
    pub contradiction: Option<Contradiction>,
    /// Whether a search found no order, which knows nothing of zones and of unique values.
    pub searched: bool,
}

/// Explains why a history is not linearizable on this key, or on another where it shows earlier.
/// None if the budget does not suffice to say more than that, or if the key is linearizable.
#[must_use]
pub fn explain(history: &History, key: u32, budget: Budget) -> Option<Explanation> {
    let by_key = ByKey::new(history);
    let mut renumber = Renumber::default();
    let mut found = explain_key(&by_key.partition(history, key, &mut renumber), key, budget)?;
    // Where it shows first is worth knowing, but not worth as much again for each of the other
    // keys.
    let budget = Budget {
        steps: budget.steps / history.keys.len() as u64,
        ..budget
    };
    for other in (0..u32::try_from(history.keys.len()).ok()?).filter(|other| *other != key) {
        let end = history.operations[found.operation as usize].ret;
        if by_key
            .of(other)
            .iter()
            .all(|operation| history.operations[*operation as usize].call > end)
        {
            continue;
        }
        let earlier = explain_key(
            &by_key.partition(history, other, &mut renumber),
            other,
            budget,
        );
        if let Some(earlier) = earlier
            && history.operations[earlier.operation as usize].ret < end
        {
            found = earlier;
        }
    }
    Some(found)
}

fn explain_key(partition: &Partition<'_>, key: u32, budget: Budget) -> Option<Explanation> {
    if refuted(partition).is_some()
        && let Some(part) = written_once(partition)
    {
        // Fewer operations say it as well.
        return explain_part(&part.partition, key, budget);
    }
    explain_part(partition, key, budget)
}

fn explain_part(partition: &Partition<'_>, key: u32, budget: Budget) -> Option<Explanation> {
    let mut machine = RegisterMachine::new(partition);
    let stuck = match stuck(&mut machine, partition, budget) {
        Ok(stuck) => stuck?,
        Err(_) => by_zones(partition)?,
    };
    let before = partition.prefix(stuck.place as usize + 1);
    let contradiction = match zones(&before) {
        Zones::Contradiction(contradiction) => {
            Some(contradiction.map(|at| before.steps[at as usize].id))
        }
        _ => None,
    };
    Some(stuck.explanation(partition, key, contradiction))
}

/// Where a history is stuck, in the numbers of its partition.
pub(super) struct Stuck {
    /// The operation that cannot be placed.
    pub operation: u32,
    /// The place of its return.
    pub place: u32,
    /// The longest order found of what came before.
    pub order: Vec<u32>,
    /// Whether no shorter prefix is without an order.
    pub shortest: bool,
    /// Whether a search found it.
    pub searched: bool,
}

impl Stuck {
    pub(super) fn explanation(
        self,
        partition: &Partition<'_>,
        key: u32,
        contradiction: Option<Contradiction>,
    ) -> Explanation {
        let place = self.place;
        let id = |at: u32| partition.steps[at as usize].id;
        let called = partition.steps.iter().take_while(|step| step.call < place);
        let open = called
            .clone()
            .filter(|step| step.ret == OPEN || step.ret > place);
        Explanation {
            key,
            operation: id(self.operation),
            shortest: self.shortest,
            open: open.map(|step| step.id).collect(),
            prefix: called.map(|step| step.id).collect(),
            linearized: self.order.into_iter().map(id).collect(),
            contradiction,
            searched: self.searched,
        }
    }
}

/// Searches for where a history is stuck; none if it is linearizable.
///
/// # Errors
/// What was used up.
pub(super) fn stuck<K: Machine>(
    machine: &mut K,
    partition: &Partition<'_>,
    budget: Budget,
) -> Result<Option<Stuck>, Exhausted> {
    let Partition { steps, events, .. } = partition;
    let found = match search(machine, steps, events, Remember::Verdict, budget) {
        Ending::Stuck {
            operation, place, ..
        } => {
            // Once more up to there, to remember the orders: what is known of the future is the
            // same.
            let events = &events[..=place as usize];
            let order = match search(machine, steps, events, Remember::Order, budget) {
                Ending::Stuck { order, .. } => order,
                _ => Vec::new(),
            };
            Ending::Stuck {
                operation,
                place,
                order,
            }
        }
        Ending::Exhausted(_) => depth_first(machine, steps, events, budget),
        found @ Ending::Linearizable { .. } => found,
    };
    match found {
        Ending::Linearizable { .. } => Ok(None),
        Ending::Stuck {
            operation,
            place,
            order,
        } => Ok(Some(Stuck {
            operation,
            place,
            order,
            shortest: true,
            searched: true,
        })),
        Ending::Exhausted(reason) => Err(reason),
    }
}

/// How many events the shortest prefix has that something contradicts, but for the last; the whole
/// is contradicted.
pub(super) fn shortest(events: usize, contradicts: impl Fn(usize) -> bool) -> usize {
    let (mut good, mut bad) = (0, events);
    while bad - good > 1 {
        let middle = usize::midpoint(good, bad);
        if contradicts(middle) {
            bad = middle;
        } else {
            good = middle;
        }
    }
    good
}

/// The shortest prefix in which zones see a contradiction, by halving, where the search was too
/// expensive.
fn by_zones(partition: &Partition<'_>) -> Option<Stuck> {
    let contradicts =
        |events: usize| matches!(zones(&partition.prefix(events)), Zones::Contradiction(_));
    if !contradicts(partition.events.len()) {
        return None;
    }
    let good = shortest(partition.events.len(), contradicts);
    let prefix = partition.prefix(good);
    let order = match zones(&prefix) {
        Zones::Order(order) => {
            let numbers = numbers(partition, &prefix);
            order.into_iter().map(|at| numbers[at as usize]).collect()
        }
        _ => Vec::new(),
    };
    let place = u32::try_from(good).ok()?;
    Some(Stuck {
        operation: partition.events[good] / 2,
        place,
        order,
        shortest: true,
        searched: false,
    })
}

/// By operation of a prefix: its number in the whole. Both are in the order of their calls.
fn numbers(partition: &Partition<'_>, prefix: &Partition<'_>) -> Vec<u32> {
    let mut whole = (0u32..).zip(&partition.steps);
    prefix
        .steps
        .iter()
        .filter_map(|step| {
            whole
                .find(|(_, other)| other.id == step.id)
                .map(|(number, _)| number)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::linearizability::generate::{Shape, generate};
    use crate::history::input::{Format, Model, read};
    use crate::history::recorded::{Asked, Outcome};

    #[test]
    fn zones_find_the_shortest_prefix_where_the_search_may_not_look() {
        let mut history = generate(Shape::new(300, 4));
        let read = history
            .operations
            .iter()
            .rposition(|operation| operation.asked == Asked::Read)
            .expect("there are reads");
        history.operations[read].outcome = Outcome::Ok(history.initial);
        let searched = explain(&history, 0, Budget::default()).expect("an explanation");
        let halved = explain(
            &history,
            0,
            Budget {
                steps: 10,
                ..Budget::default()
            },
        )
        .expect("an explanation");
        assert_eq!(
            (searched.operation, &searched.prefix, &searched.open),
            (halved.operation, &halved.prefix, &halved.open)
        );
        assert!(searched.searched && !halved.searched);
        assert!(
            halved.contradiction.is_some()
                && halved.linearized.len() + 4 >= searched.linearized.len()
        );
    }

    #[test]
    fn the_key_where_it_shows_first_is_explained() {
        let mut history = generate(Shape {
            keys: 3,
            ..Shape::new(300, 4)
        });
        for key in [2, 0] {
            let on_key = |operation: &&mut crate::history::recorded::Recorded| {
                operation.key == key && operation.asked == Asked::Read
            };
            let late = history
                .operations
                .iter_mut()
                .filter(on_key)
                .nth(if key == 0 { 5 } else { 20 })
                .expect("there are reads");
            late.outcome = Outcome::Ok(history.initial);
        }
        assert_eq!(
            explain(&history, 2, Budget::default())
                .expect("an explanation")
                .key,
            0
        );
    }
    const STALE: &str = r#"{"process": 1, "type": "invoke", "f": "write", "value": "<b>"}
{"process": 1, "type": "ok", "f": "write"}
{"process": 2, "type": "invoke", "f": "write", "value": "2"}
{"process": 2, "type": "info", "f": "write"}
{"process": 3, "type": "invoke", "f": "read"}
{"process": 3, "type": "ok", "f": "read", "value": null}
{"process": 1, "type": "invoke", "f": "read"}
{"process": 1, "type": "ok", "f": "read", "value": "2"}"#;

    #[test]
    fn a_stale_read_is_explained() {
        let history = read(STALE.as_bytes(), Format::Synod, Model::Register).expect("a history");
        let why = explain(&history, 0, Budget::default()).expect("an explanation");
        assert_eq!(
            (
                why.operation,
                &why.linearized[..],
                &why.prefix[..],
                &why.open[..]
            ),
            (2, &[0, 1][..], &[0, 1, 2][..], &[1][..])
        );
        let text = text::explanation(&history, &why);
        assert!(
            text.contains("cannot be placed: process 3: read → nil at 5..6 (lines 5 and 6)"),
            "{text}"
        );
        assert!(text.contains("contradiction: "), "{text}");
        let mut answer = serde_json::Map::new();
        json::explain(&mut answer, &history, &why);
        assert_eq!(answer["operation"]["process"], 3);
        assert_eq!(answer["linearized"][0]["value"], "<b>");
        assert!(answer["contradiction"]["operations"].is_array());
    }
}
