//! Values that came back though nobody can have put them there, in sets, queues and registers of
//! transactions: looked for before any search, in n log n.
//!
//! What is found must have been made by an operation that was called before it was found. What is
//! taken away must have been made as often as it was taken up to then. A transaction sees its own
//! writes, and one value of what it does not write. None of that depends on any order, so what
//! breaks it refutes the history by itself.

use std::collections::BTreeMap;

use crate::check::linearizability::contradiction::Contradiction;
use crate::history::recorded::{History, Outcome, Recorded};
use crate::history::values::Val;

/// What an operation has to do with a value in a place: a register, or the whole of a set or queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// It puts the value there.
    Makes(Val, Val),
    /// The value was there when it began.
    Finds(Val, Val),
    /// The value was there, and is there once less.
    Takes(Val, Val),
    /// It saw the value there, and cannot have by what it did or saw itself.
    Denies(Val, Val),
}

/// A value that is made.
#[derive(Default)]
struct Made {
    /// When those were called that make it, in order.
    calls: Vec<u64>,
    /// How often it was taken.
    taken: usize,
}

/// The first operation to return that found a value which nobody can have made, as a contradiction
/// of operations of the history. `uses` tells of an operation of known outcome what it has to do
/// with which values, and of one of unknown outcome what it makes.
pub fn unmade(history: &History, uses: impl Fn(&Recorded, &mut Vec<Use>)) -> Option<Contradiction> {
    let mut made: BTreeMap<(u32, Val, Val), Made> = BTreeMap::new();
    let mut returned = Vec::new();
    let mut used = Vec::new();
    for (number, operation) in (0u32..).zip(&history.operations) {
        used.clear();
        uses(operation, &mut used);
        let mut asks = false;
        for one in &used {
            match *one {
                Use::Makes(place, value) => {
                    let made = made.entry((operation.key, place, value)).or_default();
                    made.calls.push(operation.call);
                }
                Use::Finds(..) | Use::Takes(..) | Use::Denies(..) => asks = true,
            }
        }
        if asks && operation.outcome != Outcome::Unknown {
            returned.push((operation.ret, operation.call, number));
        }
    }
    for made in made.values_mut() {
        made.calls.sort_unstable();
    }
    // As on the line that a search goes along: of equal returns, the earlier call's comes first.
    returned.sort_unstable();
    for (ret, _, number) in returned {
        let operation = &history.operations[number as usize];
        used.clear();
        uses(operation, &mut used);
        let makes = used.iter().any(|one| matches!(one, Use::Makes(..)));
        for one in &used {
            let (place, value) = match *one {
                Use::Makes(..) => continue,
                Use::Finds(place, value) | Use::Takes(place, value) | Use::Denies(place, value) => {
                    (place, value)
                }
            };
            let enough = made
                .get_mut(&(operation.key, place, value))
                .is_some_and(|made| {
                    let needed = match one {
                        Use::Takes(..) => {
                            made.taken += 1;
                            made.taken
                        }
                        // What it makes itself comes after what it found.
                        _ if makes => {
                            let own = Use::Makes(place, value);
                            1 + used.iter().filter(|other| **other == own).count()
                        }
                        _ => 1,
                    };
                    made.calls.get(needed - 1).is_some_and(|call| *call <= ret)
                });
            if !enough || matches!(one, Use::Denies(..)) {
                return Some(Contradiction::Unmade {
                    operation: number,
                    place,
                    value,
                });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::check::linearizability::answer::text;
    use crate::check::linearizability::budget::Budget;
    use crate::check::linearizability::check::Verdict;
    use crate::check::linearizability::models::check_model;
    use crate::history::input::{Format, Model, read};

    /// No search gets anywhere.
    const BUDGET: Budget = Budget {
        steps: 40,
        bytes: 1 << 20,
    };

    /// What is said of the last of these operations, which come one after another once as many
    /// others as can be are pending: those that are called first, and never return.
    fn said(model: Model, pending: &[&str], others: &[[&str; 2]]) -> Option<String> {
        let mut lines = String::new();
        let mut event = |process: usize, kind: &str, what: &str| {
            lines += &format!("{{:process {process}, :type :{kind}, {what}}}\n");
        };
        for (process, what) in pending.iter().enumerate() {
            event(process, "invoke", what);
        }
        for [call, ret] in others {
            event(pending.len(), "invoke", call);
            event(pending.len(), "ok", ret);
        }
        let history = read(lines.as_bytes(), Format::Jepsen, model).expect("a history");
        let (report, why) = check_model(&history, model, BUDGET);
        let Verdict::NotLinearizable { .. } = report.verdict else {
            assert_eq!(why, None);
            return None;
        };
        let found = why.and_then(|why| why.contradiction)?;
        let last = u32::try_from(history.operations.len()).expect("a few") - 1;
        assert_eq!(found.operations(), [last], "{found:?}");
        Some(text::contradiction(&history, &found))
    }

    /// Enough for a search to get lost in.
    fn many<'a>(kinds: &[&'a str]) -> Vec<&'a str> {
        kinds.repeat(12)
    }

    #[test]
    fn a_value_that_nobody_enqueued_is_not_dequeued() {
        let enqueues = [":f :enqueue, :value 1", ":f :enqueue, :value 2"];
        let pending = many(&enqueues);
        let dequeue = |value| [":f :dequeue, :value nil", value];
        let said = |others: &[[&str; 2]]| said(Model::Queue, &pending, others);
        let nobody = said(&[dequeue(":f :dequeue, :value 9")]).expect("a contradiction");
        assert!(
            nobody.starts_with("nobody can have enqueued 9 for this to take it:")
                && nobody.contains("dequeue → 9"),
            "{nobody}"
        );
        let once = [":f :enqueue, :value 3", ":f :enqueue, :value 3"];
        let three = || dequeue(":f :dequeue, :value 3");
        let twice = said(&[once, three(), three()]).expect("a contradiction");
        assert!(twice.contains("enqueued 3"), "{twice}");
        assert_eq!(said(&[dequeue(":f :dequeue, :value 1")]), None);
    }

    #[test]
    fn a_value_that_nobody_wrote_is_not_read() {
        let pending = many(&[
            ":f :txn, :value [[:write :x 1] [:write :y 2]]",
            ":f :txn, :value [[:write :y 1] [:write :x 2]]",
        ]);
        let said = |call, ret| said(Model::MultiRegister, &pending, &[[call, ret]]);
        let read = ":f :txn, :value [[:read :x nil] [:read :y nil]]";
        let nobody = said(read, ":f :txn, :value [[:read :x 1] [:read :y 9]]");
        let nobody = nobody.expect("a contradiction");
        assert!(
            nobody.starts_with("nobody can have written 9 to :y for this to read it:"),
            "{nobody}"
        );
        // It writes it itself, but later.
        let swap = ":f :txn, :value [[:read :x nil] [:write :x 7]]";
        let own = said(swap, ":f :txn, :value [[:read :x 7] [:write :x 7]]");
        assert!(own.is_some_and(|own| own.contains("written 7 to :x")));
        let write = ":f :txn, :value [[:write :x 7] [:read :x nil]]";
        let own = said(write, ":f :txn, :value [[:write :x 7] [:read :x 1]]");
        assert!(own.is_some_and(|own| own.contains("written 1 to :x")));
        let twice = ":f :txn, :value [[:read :x nil] [:read :x nil]]";
        let torn = said(twice, ":f :txn, :value [[:read :x 1] [:read :x 2]]");
        assert!(torn.is_some_and(|torn| torn.contains("written 2 to :x")));
        for possible in [
            [read, ":f :txn, :value [[:read :x 1] [:read :y 2]]"],
            [write, ":f :txn, :value [[:write :x 7] [:read :x 7]]"],
            [swap, ":f :txn, :value [[:read :x nil] [:write :x 7]]"],
        ] {
            assert_eq!(said(possible[0], possible[1]), None);
        }
    }

    #[test]
    fn a_value_that_nobody_added_is_not_found() {
        let pending = many(&[
            ":f :add, :value 1",
            ":f :remove, :value 1",
            ":f :add, :value 2",
        ]);
        let said = |call, ret| said(Model::Set, &pending, &[[call, ret]]);
        let read = ":f :read, :value nil";
        let nobody = said(read, ":f :read, :value [1 9]").expect("a contradiction");
        assert!(
            nobody.starts_with("nobody can have added 9 for this to find it:"),
            "{nobody}"
        );
        let contains = ":f :contains, :value 9";
        let answered = said(contains, ":f :contains, :value true");
        assert!(answered.is_some_and(|answered| answered.contains("added 9")));
    }
}
