//! The page of a history that somebody recorded: no replicas and no messages, but the same picture of
//! clients, and why no order explains what they saw.

use std::collections::BTreeSet;

use synod_reports::page::model::{At, Lane, Operation, Page, Sort, Window};

use crate::check::linearizability::answer::{self, text};
use crate::history::recorded::{History, NEVER};
use crate::page::explained;

/// A page has so many rows of processes at most.
const LANES_MAX: usize = 400;
/// And so many operations: those round the one that cannot be placed.
const OPERATIONS_MAX: usize = 12_000;

/// The page; `why` is there when the history is not linearizable.
#[must_use]
pub fn of_history(
    title: &str,
    verdict: &str,
    history: &History,
    why: Option<&answer::Explanation>,
) -> Page {
    let chosen = near(history, why);
    let processes = processes(history, &chosen);
    let lane_of = |process: u32| {
        let at = processes.iter().position(|known| *known == process);
        at.and_then(|at| u16::try_from(at).ok())
    };
    let operations: Vec<Operation> = chosen
        .iter()
        .filter_map(|number| {
            let lane = lane_of(history.operations[*number as usize].process)?;
            Some(operation(history, *number, lane))
        })
        .collect();
    let end = operations
        .iter()
        .filter_map(|one| one.ret)
        .chain(operations.iter().map(|one| one.call))
        .max()
        .unwrap_or_default();
    let left_out = history.operations.len() - operations.len();
    Page {
        title: title.to_owned(),
        verdict: verdict.to_owned(),
        failed: why.is_some(),
        check: why.map(|_| "linearizability".to_owned()),
        message: why.map(|why| {
            let line = text::line(history, why.operation);
            format!("no order explains what its clients saw: {line} cannot be placed")
        }),
        figures: [
            ("operations", history.operations.len()),
            ("keys", history.keys.len()),
            ("processes", history.processes.len()),
        ]
        .map(|(name, count)| (name.to_owned(), count.to_string()))
        .to_vec(),
        lanes: processes
            .iter()
            .map(|process| Lane {
                name: format!("process {}", called(history, *process)),
                sort: Sort::Client,
            })
            .collect(),
        end,
        violation: why.map(|why| at(history.operations[why.operation as usize].ret)),
        window: Window {
            to: end,
            ..Window::default()
        },
        operations_left_out: left_out as u64,
        operations,
        explanation: why.map(|why| explained::explanation(history, why)),
        ..Page::default()
    }
}

/// The numbers of the operations that are shown, in the order of their calls: those that the
/// explanation is about, and the nearest to its end of the others.
fn near(history: &History, why: Option<&answer::Explanation>) -> Vec<u32> {
    let all = 0..u32::try_from(history.operations.len()).unwrap_or(u32::MAX);
    let mut chosen: BTreeSet<u32> = BTreeSet::new();
    let Some(why) = why else {
        return all.take(OPERATIONS_MAX).collect();
    };
    chosen.insert(why.operation);
    if let Some(found) = &why.contradiction {
        chosen.extend(found.operations());
    }
    let newest = why.prefix.iter().rev();
    chosen.extend(newest.take(OPERATIONS_MAX / 2));
    let end = history.operations[why.operation as usize].ret;
    let mut others: Vec<u32> = all.collect();
    others.sort_by_key(|number| history.operations[*number as usize].call.abs_diff(end));
    let room = OPERATIONS_MAX.saturating_sub(chosen.len());
    chosen.extend(others.into_iter().take(room));
    let mut chosen: Vec<u32> = chosen.into_iter().collect();
    chosen.sort_by_key(|number| (history.operations[*number as usize].call, *number));
    chosen
}

/// Who takes part, the lowest names first.
fn processes(history: &History, chosen: &[u32]) -> Vec<u32> {
    let of = |number: &u32| history.operations[*number as usize].process;
    let distinct: BTreeSet<u32> = chosen.iter().map(of).collect();
    let mut processes: Vec<u32> = distinct.into_iter().collect();
    processes.sort_by_key(|process| called(history, *process));
    processes.truncate(LANES_MAX);
    processes
}

fn called(history: &History, process: u32) -> i64 {
    let known = history.processes.get(process as usize);
    known.copied().unwrap_or_default()
}

fn operation(history: &History, number: u32, lane: u16) -> Operation {
    let recorded = &history.operations[number as usize];
    Operation {
        id: number,
        lane,
        process: called(history, recorded.process),
        key: explained::key(history, recorded),
        text: text::action(history, recorded),
        call: at(recorded.call),
        ret: (recorded.ret != NEVER).then(|| at(recorded.ret)),
        fate: explained::fate(recorded),
        slot: recorded.place.map(|place| place.slot()),
    }
}

/// A history has one clock, whatever it counts.
const fn at(time: u64) -> At {
    At { number: time, time }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::linearizability::answer::explain;
    use crate::check::linearizability::budget::Budget;
    use crate::history::input::{Format, Model, read};
    use synod_reports::page::model::Fate;

    const STALE: &str = r#"{"process": 1, "type": "invoke", "f": "write", "value": "<b>"}
{"process": 1, "type": "ok", "f": "write"}
{"process": 2, "type": "invoke", "f": "write", "value": "2"}
{"process": 2, "type": "info", "f": "write"}
{"process": 3, "type": "invoke", "f": "read"}
{"process": 3, "type": "ok", "f": "read", "value": null}
{"process": 1, "type": "invoke", "f": "read"}
{"process": 1, "type": "ok", "f": "read", "value": "2"}"#;

    #[test]
    fn a_stale_read_is_where_the_page_opens() {
        let history = read(STALE.as_bytes(), Format::Synod, Model::Register).expect("a history");
        let why = explain(&history, 0, Budget::default()).expect("an explanation");
        let page = of_history("stale", "not-linearizable", &history, Some(&why));
        let read = &page.operations[2];
        assert_eq!((read.text.as_str(), read.process), ("read → nil", 3));
        assert_eq!(page.violation, read.ret);
        let why = page.explanation.expect("there is one");
        assert_eq!((why.operation, &why.order[..]), (2, &[0, 1][..]));
        assert!(
            why.text.contains("cannot be placed: process 3"),
            "{}",
            why.text
        );
        assert_eq!(page.operations[1].fate, Fate::Unknown);
        assert_eq!(page.operations[1].ret, None, "nobody knows");
        assert_eq!(page.lanes.len(), 3);
    }

    #[test]
    fn a_long_history_is_shown_round_its_end() {
        let mut lines = String::new();
        for number in 0..20_000 {
            lines.push_str(&format!(
                "{{\"process\":1,\"type\":\"invoke\",\"f\":\"write\",\"value\":{number}}}\n\
                 {{\"process\":1,\"type\":\"ok\",\"f\":\"write\"}}\n"
            ));
        }
        lines.push_str(
            "{\"process\":2,\"type\":\"invoke\",\"f\":\"read\"}\n\
             {\"process\":2,\"type\":\"ok\",\"f\":\"read\",\"value\":7}\n",
        );
        let history = read(lines.as_bytes(), Format::Synod, Model::Register).expect("a history");
        let why = explain(&history, 0, Budget::default()).expect("an explanation");
        let page = of_history("long", "not-linearizable", &history, Some(&why));
        assert!(page.operations.len() <= OPERATIONS_MAX);
        assert!(page.operations.iter().any(|one| one.id == why.operation));
        assert_eq!(
            page.operations.len() as u64 + page.operations_left_out,
            20_001
        );
    }
}
