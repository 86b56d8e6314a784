//! The page of a run.

use std::collections::{BTreeMap, BTreeSet};

use synod_reports::page::model::{At, Fate, Lane, Operation, Page, Sort, Window};
use synod_reports::record::RunRecord;
use synod_reports::table::{duration, grouped};
use synod_reports::waits::{Collected, Waits};

use crate::build;
use crate::check::linearizability::answer::{Explanation, text};
use crate::check::linearizability::budget::Budget;
use crate::check::linearizability::models::check_model;
use crate::history::input::{Format, Model, read};
use crate::history::recorded::History;
use crate::ids::{Client, Endpoint, Node};
use crate::page::explained;
use crate::page::rows::{Rows, at, state};
use crate::page::spans::spans;
use crate::trace::portrait::ASPECTS;
use crate::trace::spacetime::{Row, Spacetime, What};

/// So many messages and happenings fit on a page.
pub const ROWS: usize = 24_000;
/// So many operations.
const OPERATIONS_MAX: usize = 4_000;
/// A search for an explanation takes so much at most: it is for the page alone.
const BUDGET: Budget = Budget {
    steps: 20_000_000,
    bytes: 128 << 20,
};

/// The page of a run of which these rows were seen, with so many of them at most.
#[must_use]
pub fn of_run(
    record: &RunRecord,
    history: Option<&str>,
    seen: &Spacetime,
    rows_max: usize,
) -> Page {
    let failed = record.verdict.is_failure();
    let history =
        history.and_then(|lines| read(lines.as_bytes(), Format::Synod, Model::KeyValue).ok());
    let why = history.as_ref().filter(|_| failed).and_then(|history| {
        let (_, why) = check_model(history, Model::KeyValue, BUDGET);
        why
    });
    let end = at(seen.last());
    let operations = operations(seen, history.as_ref());
    let stuck = why.as_ref().and_then(|why| {
        let found = operations.iter().find(|one| one.id == why.operation);
        found.and_then(|one| one.ret)
    });
    let mut page = Page {
        title: format!("{} seed {}", record.scenario, record.seed),
        verdict: record.verdict.name().to_owned(),
        failed,
        check: record.check.clone(),
        message: record.message.clone(),
        figures: figures(record),
        end,
        violation: failed.then(|| stuck.unwrap_or(end)),
        spans: spans(seen.lasting().iter().chain(seen.rows()), end),
        aspects: ASPECTS.map(str::to_owned).to_vec(),
        waits: waits(record, history.as_ref(), &operations),
        ..Page::default()
    };
    let clients: BTreeSet<Client> = seen.rows().filter_map(client_of).collect();
    let clients: Vec<Client> = clients.into_iter().collect();
    page.lanes = lanes(seen.replicas(), &clients);
    draw(&mut page, seen, &clients, rows_max);
    choose(&mut page, operations, seen, &clients);
    if let (Some(history), Some(why)) = (&history, &why) {
        page.explanation = Some(explained::explanation(history, why));
        own(&mut page, history, why);
    }
    page
}

fn lanes(replicas: u8, clients: &[Client]) -> Vec<Lane> {
    let replicas = (0..replicas).map(|node| Lane {
        name: Node(node).to_string(),
        sort: Sort::Replica,
    });
    let clients = clients.iter().map(|client| Lane {
        name: client.to_string(),
        sort: Sort::Client,
    });
    replicas.chain(clients).collect()
}

fn client_of(row: &Row) -> Option<Client> {
    match row.what {
        What::Invoked(_, client)
        | What::Sent {
            from: Endpoint::Client(client),
            ..
        }
        | What::Sent {
            to: Endpoint::Client(client),
            ..
        } => Some(client),
        _ => None,
    }
}

fn lane_of(replicas: u8, clients: &[Client], end: Endpoint) -> u16 {
    let place = match end {
        Endpoint::Node(node) => usize::from(node.0),
        Endpoint::Client(client) => {
            usize::from(replicas) + clients.binary_search(&client).unwrap_or_else(|place| place)
        }
    };
    u16::try_from(place).unwrap_or(u16::MAX)
}

/// Messages, happenings and states, round the violation.
fn draw(page: &mut Page, seen: &Spacetime, clients: &[Client], rows_max: usize) {
    let replicas = seen.replicas();
    let place = |end| lane_of(replicas, clients, end);
    let shown = seen.rows().filter(|row| row.what.is_shown());
    let total = shown.clone().count();
    let centre = page.centre().number;
    let behind = shown
        .clone()
        .filter(|row| row.stamp.number > centre)
        .count();
    // Twice as many rows as fit, since a message has two; what is too much goes in the end.
    let most = rows_max.saturating_mul(2);
    let last = (total - behind + most / 4).min(total).max(most.min(total));
    let first = last.saturating_sub(most);
    let mut rows = Rows::new(&place, seen.before().clone());
    let mut before = rows.portraits.clone();
    for (number, row) in shown.enumerate() {
        if number < first
            && let Some(event) = row.what.as_event()
        {
            rows.portraits.on(&event);
        }
        if number == first {
            before = rows.portraits.clone();
            page.window.from = at(row.stamp);
        }
        if (first..last).contains(&number) {
            rows.on(row);
            page.window.to = at(row.stamp);
        }
    }
    page.window.before = seen.forgotten() + first as u64;
    page.window.behind = (total - last) as u64;
    if page.window.before == 0 {
        page.window.from = At::default();
    }
    if page.window.behind == 0 {
        page.window.to = page.end;
    }
    page.states = (0..replicas)
        .map(|node| state(before.aspects(Node(node))))
        .collect();
    page.kinds = rows.kinds.all;
    page.ballots = rows.ballots.all;
    page.messages = rows.messages;
    page.happenings = rows.happenings;
    page.narrow(rows_max);
}

/// All operations of which the call was kept.
fn operations(seen: &Spacetime, history: Option<&History>) -> Vec<Operation> {
    let mut all: Vec<Operation> = Vec::new();
    let mut open: BTreeMap<u32, usize> = BTreeMap::new();
    let mut id = seen.forgotten_calls();
    for row in seen.rows() {
        match row.what {
            What::Invoked(process, client) => {
                open.insert(process, all.len());
                let recorded = history
                    .and_then(|history| Some((history, history.operations.get(id as usize)?)));
                all.push(Operation {
                    id,
                    lane: client.0,
                    process: i64::from(process),
                    key: recorded.and_then(|(history, it)| explained::key(history, it)),
                    text: recorded
                        .map(|(history, it)| text::action(history, it))
                        .unwrap_or_default(),
                    call: at(row.stamp),
                    ret: None,
                    fate: recorded.map_or(Fate::Unknown, |(_, it)| explained::fate(it)),
                    slot: recorded.and_then(|(_, it)| Some(it.place?.slot())),
                });
                id += 1;
            }
            What::Returned(process) => {
                if let Some(one) = open.remove(&process).and_then(|place| all.get_mut(place)) {
                    one.ret = Some(at(row.stamp));
                }
            }
            _ => {}
        }
    }
    all
}

/// The operations that overlap the window, the nearest to the violation if there are too many.
fn choose(page: &mut Page, all: Vec<Operation>, seen: &Spacetime, clients: &[Client]) {
    let Window { from, to, .. } = page.window;
    let total = all.len() + seen.forgotten_calls() as usize;
    let overlaps = |one: &Operation| one.call <= to && one.ret.is_none_or(|ret| ret >= from);
    let centre = page.centre().number;
    let mut chosen: Vec<Operation> = all.into_iter().filter(overlaps).collect();
    let far = |one: &Operation| one.call.number.abs_diff(centre);
    chosen.sort_by_key(far);
    chosen.truncate(OPERATIONS_MAX);
    chosen.sort_by_key(|one| one.call);
    for one in &mut chosen {
        one.lane = lane_of(seen.replicas(), clients, Endpoint::Client(Client(one.lane)));
    }
    page.operations_left_out = (total - chosen.len()) as u64;
    page.operations = chosen;
}

/// Says in the page that a history is not linearizable though another check found it first.
fn own(page: &mut Page, history: &History, why: &Explanation) {
    let found = page.check.as_deref().unwrap_or_default();
    if found != "linearizability" {
        let line = text::line(history, why.operation);
        let also = format!("clients saw it too: {line} cannot be placed");
        page.figures.push(("linearizability".to_owned(), also));
    }
}

fn figures(record: &RunRecord) -> Vec<(String, String)> {
    let faults: u64 = record.faults.values().sum();
    [
        ("digest", record.digest.clone()),
        ("build", build::identity().to_owned()),
        ("simulated", duration(record.virtual_seconds)),
        ("events", grouped(record.events)),
        ("messages delivered", grouped(record.messages_delivered)),
        ("client operations", grouped(record.client_operations)),
        ("faults that took effect", grouped(faults)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// How long clients waited, by kind of operation, and how long the cluster took to come back.
fn waits(
    record: &RunRecord,
    history: Option<&History>,
    operations: &[Operation],
) -> Vec<(String, Waits)> {
    let mut kinds: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for one in operations.iter().filter(|one| one.fate == Fate::Ok) {
        let recorded = history.and_then(|history| history.operations.get(one.id as usize));
        if let (Some(recorded), Some(At { time, .. })) = (recorded, one.ret) {
            let micros = time.saturating_sub(one.call.time) / 1_000;
            kinds.entry(recorded.asked.name()).or_default().push(micros);
        }
    }
    let recovery = [
        ("first answer after the heal", &record.first_answers),
        ("later answers after the heal", &record.later_answers),
    ];
    let kinds = kinds.iter().map(|(name, micros)| (*name, micros));
    kinds
        .chain(recovery)
        .filter(|(_, micros)| !micros.is_empty())
        .map(|(name, micros)| {
            let mut collected = Collected::default();
            collected.add(micros);
            (name.to_owned(), collected.waits())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Recording, RunOutcome, RunSpec, run};
    use crate::world::testing;

    fn storm(seed: u64, bug: Option<&str>) -> RunOutcome {
        run(&RunSpec {
            bug: bug.map(str::to_owned),
            record: Recording::Page,
            ..RunSpec::new(testing::storm(seed))
        })
    }

    fn page(outcome: &RunOutcome, rows: usize) -> Page {
        let seen = outcome.spacetime.as_deref().expect("it was recorded");
        of_run(&outcome.record, outcome.history.as_deref(), seen, rows)
    }

    #[test]
    fn a_page_has_the_run_as_it_was() {
        let outcome = storm(0, None);
        let page = page(&outcome, usize::MAX);
        assert!(!page.failed && page.violation.is_none() && outcome.tale.is_empty());
        assert_eq!((page.window.before, page.window.behind), (0, 0));
        let calls = page.operations.len() as u64;
        assert!(calls >= outcome.record.client_operations, "{calls}");
        assert!(page.operations.iter().all(|one| !one.text.is_empty()));
        // What is delivered after the count was taken is here as well.
        let arrivals: u64 = page
            .messages
            .iter()
            .map(|it| it.delivered.len() as u64)
            .sum();
        assert!(arrivals >= outcome.record.messages_delivered, "{arrivals}");
        let backwards = page.messages.iter().find(|message| {
            let sent = message.sent.unwrap_or_default();
            message.delivered.iter().any(|arrived| *arrived < sent)
        });
        assert_eq!(backwards, None);
        let leads = |span: &&synod_reports::page::model::Span| {
            span.sort == synod_reports::page::model::SpanSort::Leads
        };
        assert!(page.spans.iter().filter(leads).count() > 0);
        assert!(
            page.waits
                .iter()
                .any(|(name, waits)| name == "read" && waits.p50 > 0)
        );
    }

    #[test]
    fn a_window_begins_with_what_the_replicas_had_become() {
        let outcome = storm(0, None);
        let (whole, part) = (page(&outcome, usize::MAX), page(&outcome, 500));
        assert!(part.messages.len() + part.happenings.len() <= 500);
        assert!(part.window.before > 0 && part.window.from > whole.window.from);
        let mut states = whole.states.clone();
        for one in whole
            .happenings
            .iter()
            .filter(|one| one.at < part.window.from)
        {
            let lane = one
                .lane
                .map(usize::from)
                .and_then(|lane| states.get_mut(lane));
            if let Some(state) = lane {
                synod_reports::page::narrow::apply(state, &one.changes);
            }
        }
        assert_eq!(part.states, states);
    }

    #[test]
    fn a_failing_run_says_where() {
        let outcome = (0..20)
            .map(|seed| storm(seed, Some("candidate-skips-own-votes")))
            .find(|outcome| outcome.record.verdict.is_failure())
            .expect("half of the runs fail");
        let page = page(&outcome, ROWS);
        assert!(page.failed);
        let at = page.violation.expect("it failed somewhere");
        assert!(at <= page.end && page.window.from <= at && at <= page.window.to);
    }
}
