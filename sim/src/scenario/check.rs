//! Holds the parts of a scenario against each other: what passes here can be drawn for every seed
//! without a panic, and what is drawn is a cluster that can exist.

use std::collections::BTreeSet;

use toml::Spanned;

use crate::ids::FaultNumber;
use crate::scenario::form::{Core, FileForm, Maybe};
use crate::scenario::model::{Scenario, Verb, When, is_unlimited};
use crate::scenario::overrides;
use crate::scenario::problem::{Problem, Source};
use crate::scenario::select::Select;
use crate::scenario::steps::{Cast, Extent};
use crate::scenario::units::{Count, Size, Time, show};
use crate::scenario::value::{PerReplica, Ranged};
use crate::scenario::workload::{self, OPERATIONS_MAX};

/// The heartbeat when a scenario names none, in nanoseconds; less where the election timeout is
/// short.
pub const HEARTBEAT: i64 = 25_000_000;
/// The election timeout when a scenario names none, in nanoseconds.
pub const ELECTION: (i64, i64) = (150_000_000, 300_000_000);

/// After so many events a run ends when a scenario does not say.
pub const EVENTS: i64 = 5_000_000;
/// A request that comes to a replica, and an answer that comes back.
const EVENTS_OF_OPERATION: i64 = 2;

/// Makes a scenario of a file, whose values are right one by one.
///
/// # Errors
/// Everything that does not fit together.
pub fn check(name: &str, file: FileForm, source: &Source) -> Result<Scenario, Vec<Problem>> {
    let (scenario, problems) = checked(name, file, source, Extent::Whole);
    if problems.is_empty() {
        Ok(scenario)
    } else {
        Err(problems)
    }
}

/// What does not fit together in a file of which something is left out.
#[must_use]
pub fn check_partly(name: &str, file: FileForm, source: &Source) -> Vec<Problem> {
    checked(name, file, source, Extent::Part).1
}

fn checked(
    name: &str,
    mut file: FileForm,
    source: &Source,
    extent: Extent,
) -> (Scenario, Vec<Problem>) {
    let mut problems = Vec::new();
    let replicas = file
        .cluster
        .replicas
        .as_ref()
        .map_or(Ranged::fixed(3), |replicas| replicas.get_ref().clone());
    head(&file, &mut problems);
    settings(&file, &mut problems);
    length(&file, &mut problems);
    enough_events(&file, &mut problems);
    clocks(&file, &replicas, &mut problems);
    workload::check(&file, &mut problems);
    let clients = file.workload.as_ref().map_or(0, |workload| {
        workload
            .get_ref()
            .clients
            .as_ref()
            .map_or(4, |clients| clients.get_ref().min())
    });
    let budget = file
        .nemesis
        .as_ref()
        .and_then(|nemesis| nemesis.get_ref().budget.clone());
    let mut cast = Cast {
        source,
        replicas: u8::try_from(replicas.min()).expect("the bounds of `replicas` are checked"),
        largest: u8::try_from(replicas.max()).expect("the bounds of `replicas` are checked"),
        clients: u16::try_from(clients).unwrap_or(u16::MAX),
        operations: asked(&file),
        invoked: BTreeSet::new(),
        pinned: file.repro.is_some(),
        highest: match &file.nemesis {
            Some(nemesis) if nemesis.get_ref().every.is_some() => FaultNumber::MAX_OF_STEPS,
            _ => FaultNumber::MAX,
        },
        unlimited: is_unlimited(&budget),
        extent,
        problems: Vec::new(),
    };
    let nemesis = file
        .nemesis
        .as_ref()
        .map(|nemesis| &nemesis.get_ref().fault);
    let pauses = file.step.iter().any(|step| step.get_ref().pause.is_some())
        || nemesis.is_some_and(|faults| faults.iter().any(|fault| fault.get_ref().pause.is_some()));
    cast.resumes(&file.step, pauses);
    let places: Vec<_> = file.step.iter().map(Spanned::span).collect();
    let steps = cast.steps(std::mem::take(&mut file.step));
    let nemesis_place = file.nemesis.as_ref().map(Spanned::span);
    let nemesis = file
        .nemesis
        .take()
        .and_then(|nemesis| cast.nemesis(nemesis));
    problems.append(&mut cast.problems);
    let largest = cast.largest;
    let mut overrides = Vec::new();
    for form in &file.overrides {
        match overrides::checked(form, largest) {
            Ok(one) if overrides.iter().any(|other| one.names_as(other)) => {
                problems.push(Problem::at(
                    form.span(),
                    "two overrides of one thing",
                    "the second",
                    "say in one of them all that is told, or give each its own `nth`",
                ));
            }
            Ok(one) => overrides.push(one),
            Err(problem) => problems.push(problem),
        }
    }
    let scenario = Scenario {
        name: name.to_owned(),
        title: file.title.map(Spanned::into_inner).unwrap_or_default(),
        why: file.why.map(Spanned::into_inner).unwrap_or_default(),
        weight: file.weight.map_or(1, Spanned::into_inner),
        swarm: file.swarm.is_some_and(Spanned::into_inner),
        strategy: file.strategy,
        longer: file.longer.map_or(1, Spanned::into_inner),
        subject: file.subject.map(Spanned::into_inner),
        cluster: file.cluster,
        engine: file.engine,
        network: file.network,
        disk: file.disk,
        clock: file.clock,
        workload: file.workload.map(Spanned::into_inner),
        steps,
        nemesis,
        overrides,
        budget,
        heal: file.heal,
        checks: file.checks,
        end: file.end,
        repro: file.repro,
    };
    let clean = problems.is_empty() && extent == Extent::Whole;
    phases(&scenario, &places, nemesis_place, &mut problems);
    branches(&scenario, &mut problems);
    strikes(&scenario, &mut problems);
    core(&scenario, source, &mut problems);
    if clean {
        damage(&scenario, source, &mut problems);
        purpose(&scenario, &mut problems);
    }
    problems.sort_by_key(|problem| problem.place.as_ref().map_or(0, |place| place.start));
    (scenario, problems)
}

fn head(file: &FileForm, problems: &mut Vec<Problem>) {
    for (text, what) in [(&file.title, "title"), (&file.why, "why")] {
        if let Some(text) = text
            .as_ref()
            .filter(|text| text.get_ref().trim().is_empty())
        {
            problems.push(Problem::at(
                text.span(),
                format!("an empty `{what}`"),
                "says nothing",
                "a reader of a failing run sees this first: say it in a sentence",
            ));
        }
    }
}

/// So many operations clients are asked for at most, by the workload and by steps.
fn asked(file: &FileForm) -> i64 {
    let workload = file.workload.as_ref().map_or(0, |workload| {
        let operations = workload.get_ref().operations.as_ref();
        operations.map_or(400, |operations| operations.get_ref().max())
    });
    let longer = file.longer.as_ref().map_or(1, |longer| *longer.get_ref());
    let invoked = file
        .step
        .iter()
        .filter(|step| step.get_ref().invoke.is_some());
    let invoked = i64::try_from(invoked.count()).unwrap_or(i64::MAX);
    workload
        .saturating_mul(longer.into())
        .saturating_add(invoked)
}

/// What is asked can be done before the events run out.
fn enough_events(file: &FileForm, problems: &mut Vec<Problem>) {
    let Some(operations) = file.workload.as_ref().and_then(|workload| {
        let operations = workload.get_ref().operations.as_ref();
        operations.map(|operations| (operations.span(), operations.get_ref().max()))
    }) else {
        return;
    };
    let (place, most) = operations;
    let events = file.end.events.as_ref().map(|events| *events.get_ref());
    let events = events.unwrap_or(EVENTS);
    let needed = most.saturating_mul(EVENTS_OF_OPERATION);
    if needed > events && file.repro.is_none() {
        problems.push(Problem::at(
            place,
            format!("{most} operations in {events} events"),
            "never done",
            format!(
                "an operation takes {EVENTS_OF_OPERATION} events or more: ask for at most {}, or \
                 write events = {needed} or more in [end]",
                events / EVENTS_OF_OPERATION
            ),
        ));
    }
}

/// As long as it is asked for, a run still has an end.
fn length(file: &FileForm, problems: &mut Vec<Problem>) {
    let Some(longer) = &file.longer else { return };
    let operations = file.workload.as_ref().and_then(|workload| {
        let operations = workload.get_ref().operations.as_ref();
        operations.map(|operations| operations.get_ref().max())
    });
    let times = i64::from(*longer.get_ref());
    let wrong = if file.repro.is_some() {
        Some("a reproducer is as long as the run that it came from: leave this out".to_owned())
    } else if operations.unwrap_or(0) * times > OPERATIONS_MAX {
        Some(format!(
            "a workload has up to {OPERATIONS_MAX} operations in all"
        ))
    } else {
        None
    };
    problems.extend(wrong.map(|help| {
        let title = format!("a run {times} times as long");
        Problem::at(longer.span(), title, "not that long", help)
    }));
}

fn settings(file: &FileForm, problems: &mut Vec<Problem>) {
    let (engine, cluster) = (&file.engine, &file.cluster);
    if let Some(segment) = &engine.segment {
        let whole = |(low, high): &(i64, i64)| low % 512 == 0 && high % 512 == 0;
        if !segment.get_ref().options().iter().all(whole) {
            let near = show::<Size>(segment.get_ref().min() / 512 * 512 + 512);
            problems.push(Problem::at(
                segment.span(),
                "a segment that is no whole number of sectors",
                "not a multiple of 512",
                format!("write a multiple of 512 bytes, such as \"{near}\""),
            ));
        }
    }
    let shortest = cluster
        .election_timeout
        .as_ref()
        .map_or(ELECTION.0, |timeout| {
            timeout
                .get_ref()
                .0
                .iter()
                .map(|(low, _)| *low)
                .min()
                .unwrap_or(ELECTION.0)
        });
    let longest = cluster
        .heartbeat
        .as_ref()
        .map_or(0, |heartbeat| heartbeat.get_ref().max());
    if let Some(heartbeat) = cluster
        .heartbeat
        .as_ref()
        .filter(|_| longest.saturating_mul(2) > shortest)
    {
        let title = format!(
            "a heartbeat of {} against an election timeout of {}",
            show::<Time>(longest),
            show::<Time>(shortest)
        );
        let help = format!(
            "a heartbeat is at most half of the shortest election timeout, or followers never \
             rest: write at most \"{}\"",
            show::<Time>(shortest / 2)
        );
        problems.push(Problem::at(heartbeat.span(), title, "too long", help));
    }
}

fn clocks(file: &FileForm, replicas: &Ranged<Count>, problems: &mut Vec<Problem>) {
    let mut list = |length: usize, place| {
        let fits =
            replicas.min() == replicas.max() && usize::try_from(replicas.min()) == Ok(length);
        if !fits {
            let help =
                "a list has one entry for each replica, and then `cluster.replicas` is one number";
            problems.push(Problem::at(
                place,
                format!("a list of {length} clocks for another number of replicas"),
                "does not fit",
                help,
            ));
        }
    };
    if let Some(drift) = &file.clock.drift
        && let PerReplica::List(entries) = drift.get_ref()
    {
        list(entries.len(), drift.span());
    }
    if let Some(offset) = &file.clock.offset
        && let PerReplica::List(entries) = offset.get_ref()
    {
        list(entries.len(), offset.span());
    }
}

fn phases(
    scenario: &Scenario,
    places: &[std::ops::Range<usize>],
    nemesis: Option<std::ops::Range<usize>>,
    problems: &mut Vec<Problem>,
) {
    let heal = &scenario.heal;
    let progress = heal
        .progress_within
        .as_ref()
        .map_or(0, |progress| progress.get_ref().max());
    if let (Some(at), Some(end)) = (&heal.at, &scenario.end.time) {
        let needed = at.get_ref().max().saturating_add(progress);
        if needed > end.get_ref().min() {
            let help = format!(
                "the heal and its `progress-within` need {}: end later, or heal earlier",
                show::<Time>(needed)
            );
            problems.push(Problem::at(
                end.span(),
                "the end comes before the cluster can have healed",
                "too early",
                help,
            ));
        }
    }
    let Some(at) = &heal.at else { return };
    // With a step that is none, places and steps do not go together.
    let whole = scenario.steps.len() == places.len();
    for (step, place) in scenario.steps.iter().zip(places).filter(|_| whole) {
        if let (When::At(time), true) = (&step.when, scenario.repro.is_none())
            && time.max() >= at.get_ref().min()
        {
            let help = format!(
                "faults end at {}: let the step come earlier, or heal later",
                show::<Time>(at.get_ref().min())
            );
            problems.push(Problem::at(
                place.clone(),
                "a step after the heal",
                "never runs",
                help,
            ));
        }
    }
    let chaos = at.get_ref().max().saturating_mul(scenario.longer.into());
    if let (Some(random), Some(place)) = (&scenario.nemesis, nemesis)
        && chaos / random.every.mean().max(1) > FaultNumber::NEMESIS_MAX.into()
    {
        problems.push(Problem::at(
            place,
            "a nemesis of too many faults",
            "too often for so long",
            format!(
                "at most {} faults fit between the start and the heal",
                FaultNumber::NEMESIS_MAX
            ),
        ));
    }
}

/// The core exists, and is a majority.
fn core(scenario: &Scenario, source: &Source, problems: &mut Vec<Problem>) {
    let replicas = scenario.replicas();
    let (smallest, largest) = (replicas.min(), replicas.max());
    if let Some(spanned) = &scenario.heal.core {
        let size = match spanned.get_ref() {
            Core::Majority | Core::All => None,
            Core::Count(count) => Some(i64::from(*count)),
            Core::Nodes(nodes) => {
                for node in nodes.iter().filter(|node| i64::from(node.0) >= smallest) {
                    let at = source.find(spanned.span(), &node.to_string());
                    problems.push(Problem::at(
                        at,
                        format!("there is no replica `{node}`"),
                        "unknown replica",
                        format!("the smallest cluster of this scenario has r1 to r{smallest}"),
                    ));
                }
                Some(i64::try_from(nodes.len()).unwrap_or(i64::MAX))
            }
        };
        if let Some(size) = size.filter(|size| *size > smallest) {
            let help = format!("write \"majority\", \"all\", or at most {smallest}");
            problems.push(Problem::at(
                spanned.span(),
                format!("a core of {size} in a cluster of {smallest}"),
                "larger than the cluster",
                help,
            ));
        }
        if let Some(size) = size.filter(|size| *size < largest / 2 + 1) {
            let help = format!(
                "a cluster of {largest} makes progress with {} or more: write \"majority\"",
                largest / 2 + 1
            );
            problems.push(Problem::at(
                spanned.span(),
                format!("a core of {size} in a cluster of {largest}"),
                "not a majority",
                help,
            ));
        }
    }
}

/// What is damaged can be survived.
fn damage(scenario: &Scenario, source: &Source, problems: &mut Vec<Problem>) {
    if scenario.is_unlimited() {
        return;
    }
    let smallest = scenario.replicas().min();
    let mut named = BTreeSet::new();
    let mut damaged = false;
    for fault in scenario.faults().filter(|fault| fault.damages()) {
        damaged = true;
        fault.each_select(&mut |select| {
            if let Select::Nodes(nodes) = select {
                named.extend(nodes.iter().copied());
            }
        });
    }
    let core = scenario.heal.core.as_ref();
    let healed = match core.map(Spanned::get_ref) {
        None | Some(Core::Majority) => smallest / 2 + 1,
        Some(Core::All) => smallest,
        Some(Core::Count(count)) => i64::from(*count),
        Some(Core::Nodes(nodes)) => {
            if let Some(node) = nodes.iter().find(|node| named.contains(node)) {
                let core = core.map_or(0..0, Spanned::span);
                problems.push(Problem::at(
                    source.find(core, &node.to_string()),
                    format!("the disk of `{node}` is damaged or lost, which is in the core"),
                    "in the core",
                    "a replica that finds its log damaged halts for good: leave it out of \
                     `heal.core`",
                ));
            }
            i64::try_from(nodes.len()).unwrap_or(i64::MAX)
        }
    };
    let spare = (smallest - healed).min((smallest - 1) / 2);
    let victims = i64::try_from(named.len()).unwrap_or(i64::MAX);
    if damaged && smallest > 1 && (spare < 1 || victims > spare) {
        let title = format!(
            "damage beyond the redundancy budget: a cluster of {smallest} with a core of {healed} \
             can lose {}",
            spare.max(0)
        );
        let help = "a replica that finds its log damaged or gone halts for good: use more \
                    replicas, a smaller core, or fewer victims";
        let replicas = scenario.cluster.replicas.as_ref().map(Spanned::span);
        problems.push(match core.map(Spanned::span).or(replicas) {
            Some(place) => Problem::at(place, title, "so many", help),
            None => Problem::of_file(title, help),
        });
    }
}

/// A run comes by its branches in the order in which they are listed.
fn branches(scenario: &Scenario, problems: &mut Vec<Problem>) {
    let listed = scenario.repro.as_ref();
    let Some(listed) = listed.and_then(|repro| repro.branches.as_ref()) else {
        return;
    };
    if !listed.get_ref().is_sorted_by_key(|branch| branch.event) {
        problems.push(Problem::at(
            listed.span(),
            "branches out of order",
            "a run cannot go back",
            "list them in the order of their events",
        ));
    }
}

/// A run comes by its strikes in the order in which they are listed, each at an event of its own.
fn strikes(scenario: &Scenario, problems: &mut Vec<Problem>) {
    let listed = scenario.repro.as_ref();
    let Some(listed) = listed.and_then(|repro| repro.strikes.as_ref()) else {
        return;
    };
    let mut pairs = listed.get_ref().windows(2);
    if !pairs.all(|pair| pair[0].event < pair[1].event) {
        problems.push(Problem::at(
            listed.span(),
            "strikes out of order",
            "a run cannot go back",
            "list them in the order of their events, at most one at each",
        ));
    }
    let replicas = scenario.replicas().min();
    let strangers = listed.get_ref().iter().map(|strike| strike.replica);
    for number in strangers.filter(|number| !(1..=replicas).contains(&i64::from(*number))) {
        problems.push(Problem::at(
            listed.span(),
            format!("there is no replica `r{number}`"),
            "unknown replica",
            format!("the cluster has r1 to r{replicas}, which are 1 to {replicas} here"),
        ));
    }
}

/// Something is asked of the cluster, and what is expected can be judged.
fn purpose(scenario: &Scenario, problems: &mut Vec<Problem>) {
    let works = scenario.workload.as_ref().is_some_and(|workload| {
        let some = |value: &Maybe<Ranged<Count>>| {
            value.as_ref().is_none_or(|value| value.get_ref().max() > 0)
        };
        some(&workload.clients) && some(&workload.operations)
    });
    let asks = scenario
        .steps
        .iter()
        .any(|step| matches!(step.verb, Verb::Invoke(_)));
    if !works && !asks && scenario.repro.is_none() {
        problems.push(Problem::of_file(
            "nobody asks anything of the cluster",
            "add a [workload], or a [[step]] with `invoke`: a run without operations shows nothing",
        ));
    }
    if let (Some(least), None) = (&scenario.checks.at_least, &scenario.checks.fails) {
        problems.push(Problem::at(
            least.span(),
            "`at-least` without `fails`",
            "of what?",
            "name the check that is expected to fail: fails = \"linearizability\"",
        ));
    }
}
