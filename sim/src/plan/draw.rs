//! From a scenario and a seed to a plan: every range and pick is decided here, and every value that
//! a scenario leaves out gets its default here.

use toml::Spanned;

use crate::choices::CERTAIN;
use crate::history::operation::Text;
use crate::ids::Node;
use crate::plan::budget::Budget;
use crate::plan::dice::{Dice, Die, Place};
use crate::plan::faults::Targets;
use crate::plan::{
    Checks, Clock, Cluster, Disk, Distribution, End, Expectation, Expected, Heal, Healing, Knobs,
    Mix, Network, Plan, Step, Timed, Verb, When, Workload, timeline,
};
use crate::scenario::asking::Ending;
use crate::scenario::check::{ELECTION, EVENTS, HEARTBEAT};
use crate::scenario::fault::Outside;
use crate::scenario::form::{Maybe, MixForm, WorkloadForm};
use crate::scenario::model::{Condition, Expect, Scenario, Verb as Asked, When as Moment};
use crate::scenario::units::{Count, Unit};
use crate::scenario::value::{Choice, PerReplica, Ranged, Shape};
use crate::scenario::verbs::HealWhat;
use crate::time::{Instant, Span};

const SECTOR: i64 = 512;

/// The plan that this seed draws from a scenario. The same scenario and seed give the same plan, on
/// every machine.
#[must_use]
pub fn draw(scenario: &Scenario, seed: u64) -> Plan {
    let dice = &mut Dice::new(seed).of_swarm(scenario.swarm);
    let replicas = u8::try_from(dice.at(Place::Replicas, 0).natural(&scenario.replicas()))
        .expect("a checked scenario has at most 9 replicas");
    let allowed = word(&scenario.budget, Place::Budget, dice);
    let budget = Budget::draw(scenario, replicas, allowed, dice);
    let nodes: Vec<Node> = (0..replicas).map(Node).collect();
    let (mut heal, end) = phases(scenario, budget.core.clone(), dice);
    let workload = workload(scenario, heal.at, dice);
    let targets = Targets {
        all: &nodes,
        victims: &budget.victims,
        core: &budget.core,
        clients: workload.clients,
    };
    let mut script = Vec::new();
    let mut nemesis = scenario.nemesis.as_ref().map_or_else(Vec::new, |nemesis| {
        timeline::draw(nemesis, &targets, heal.at, scenario.numbered(), dice)
    });
    steps(scenario, &targets, heal.at, dice, &mut script, &mut nemesis);
    nemesis.sort_by_key(|timed| timed.at);
    let (knobs, network, disk) = (
        knobs(scenario, dice),
        network(scenario, dice),
        disk(scenario, dice),
    );
    heal.first_answer_within = span(
        &scenario.heal.first_answer_within,
        Place::FirstAnswerWithin,
        Heal::usual_first_answer(&knobs, &network, &disk, &workload),
        dice,
    )
    .min(heal.progress_within);
    Plan {
        scenario: scenario
            .repro
            .as_ref()
            .map(|repro| &repro.scenario)
            .filter(|name| !name.is_empty())
            .unwrap_or(&scenario.name)
            .clone(),
        seed,
        strategy: word(&scenario.strategy, Place::Strategy, dice),
        cluster: Cluster { replicas, knobs },
        network,
        disk,
        clocks: clocks(scenario, replicas, dice),
        workload,
        script,
        nemesis,
        budget: allowed,
        heal,
        checks: checks(scenario, dice),
        end,
        overrides: scenario.overrides.clone(),
        branches: scenario
            .repro
            .as_ref()
            .map_or_else(Vec::new, |repro| repro.branches()),
        strikes: scenario
            .repro
            .as_ref()
            .map_or_else(Vec::new, |repro| repro.strikes()),
    }
}

/// The value of a key, or its default.
fn natural<U: Unit>(value: &Maybe<Ranged<U>>, place: Place, default: u64, dice: &mut Dice) -> u64 {
    value
        .as_ref()
        .map_or(default, |value| dice.at(place, 0).natural(value.get_ref()))
}

fn small<U: Unit>(value: &Maybe<Ranged<U>>, place: Place, default: u32, dice: &mut Dice) -> u32 {
    u32::try_from(natural(value, place, u64::from(default), dice)).expect("a checked number fits")
}

fn word<T: Clone + Default>(value: &Maybe<Choice<T>>, place: Place, dice: &mut Dice) -> T {
    value
        .as_ref()
        .map_or_else(T::default, |value| dice.at(place, 0).word(value.get_ref()))
}

fn span<U: Unit>(value: &Maybe<Ranged<U>>, place: Place, default: Span, dice: &mut Dice) -> Span {
    Span(natural(value, place, default.0, dice))
}

fn shape(
    value: &Maybe<Shape>,
    place: Place,
    default: Distribution,
    dice: &mut Dice,
) -> Distribution {
    value.as_ref().map_or(default, |value| {
        dice.at(place, 0).distribution(value.get_ref())
    })
}

fn knobs(scenario: &Scenario, dice: &mut Dice) -> Knobs {
    let (engine, cluster) = (&scenario.engine, &scenario.cluster);
    let defaults = Knobs::default();
    let standing = (
        Span(ELECTION.0.unsigned_abs()),
        Span(ELECTION.1.unsigned_abs()),
    );
    let election_timeout = cluster
        .election_timeout
        .as_ref()
        .map_or(standing, |bounds| {
            dice.at(Place::ElectionTimeout, 0).bounds(bounds.get_ref())
        });
    let heartbeat = span(
        &cluster.heartbeat,
        Place::Heartbeat,
        Span(HEARTBEAT.unsigned_abs().min(election_timeout.0.0 / 3)),
        dice,
    );
    let segment = engine
        .segment
        .as_ref()
        .map_or(i64::from(defaults.segment), |segment| {
            dice.at(Place::Segment, 0)
                .multiple(segment.get_ref(), SECTOR)
        });
    Knobs {
        window: small(&engine.window, Place::Window, defaults.window, dice),
        batch: small(&engine.batch, Place::Batch, defaults.batch, dice),
        batch_delay: span(
            &engine.batch_delay,
            Place::BatchDelay,
            defaults.batch_delay,
            dice,
        ),
        queue: small(&engine.queue, Place::Queue, defaults.queue, dice),
        segment: u32::try_from(segment).expect("a checked segment fits"),
        message: small(&engine.message, Place::Message, defaults.message, dice),
        sessions: small(&engine.sessions, Place::Sessions, defaults.sessions, dice),
        election_timeout,
        heartbeat,
        retransmit: span(
            &cluster.retransmit,
            Place::Retransmit,
            heartbeat + Span::from_millis(10),
            dice,
        ),
    }
}

/// Quiet unless a scenario says otherwise.
fn network(scenario: &Scenario, dice: &mut Dice) -> Network {
    let form = &scenario.network;
    Network {
        latency: shape(
            &form.latency,
            Place::Latency,
            Distribution::Constant(Span::from_millis(1)),
            dice,
        ),
        loss: small(&form.loss, Place::Loss, 0, dice),
        duplicate: small(&form.duplicate, Place::Duplicate, 0, dice),
        duplicate_later: span(
            &form.duplicate_later,
            Place::DuplicateLater,
            Span::from_millis(10),
            dice,
        ),
        corrupt: small(&form.corrupt, Place::Corrupt, 0, dice),
        beyond_contract: form
            .beyond_contract
            .as_ref()
            .is_some_and(|beyond| *beyond.get_ref()),
    }
}

fn disk(scenario: &Scenario, dice: &mut Dice) -> Disk {
    let form = &scenario.disk;
    Disk {
        access: shape(
            &form.access,
            Place::Access,
            Distribution::Constant(Span::from_micros(50)),
            dice,
        ),
        sync: shape(
            &form.sync,
            Place::Sync,
            Distribution::Constant(Span::from_micros(500)),
            dice,
        ),
        capacity: natural(&form.capacity, Place::Capacity, 64 << 20, dice),
    }
}

fn clocks(scenario: &Scenario, replicas: u8, dice: &mut Dice) -> Vec<Clock> {
    let mut of = |node: usize| Clock {
        drift: i32::try_from(each(&scenario.clock.drift, Place::Drift, node, dice))
            .expect("a drift is bounded by its unit"),
        offset: each(&scenario.clock.offset, Place::Offset, node, dice),
    };
    (0..usize::from(replicas)).map(&mut of).collect()
}

fn each<U: Unit>(value: &Maybe<PerReplica<U>>, place: Place, node: usize, dice: &mut Dice) -> i64 {
    let mut die = dice.at(place, node);
    match value.as_ref().map(Spanned::get_ref) {
        None => 0,
        Some(PerReplica::Each(ranged)) => die.value(ranged),
        Some(PerReplica::List(list)) => list.get(node).map_or(0, |ranged| die.value(ranged)),
    }
}

/// What clients do; nobody and nothing without a `[workload]`, but its patience also holds for the
/// clients of a script.
fn workload(scenario: &Scenario, heal: Instant, dice: &mut Dice) -> Workload {
    let nothing = WorkloadForm::default();
    let form = scenario.workload.as_ref();
    let (form, standing) = form.map_or((&nothing, (0, 0)), |form| (form, (4, 400)));
    let clients = u16::try_from(natural(&form.clients, Place::Clients, standing.0, dice))
        .expect("a checked number of clients fits");
    let operations = small(&form.operations, Place::Operations, standing.1, dice) * scenario.longer;
    let pipeline = u8::try_from(natural(&form.pipeline, Place::Pipeline, 1, dice))
        .expect("a checked pipeline fits");
    let open = form.rate.is_some()
        || form
            .open
            .as_ref()
            .is_some_and(|open| dice.at(Place::Open, 0).word(open.get_ref()));
    let think = match (&form.think, &form.rate) {
        (Some(think), _) => dice.at(Place::Think, 0).distribution(think.get_ref()),
        (None, Some(rate)) => spread(
            1_000_000_000,
            u64::from(clients),
            dice.at(Place::Rate, 0).natural(rate.get_ref()),
        ),
        (None, None) => spread(
            heal.0 / 2,
            u64::from(clients) * if open { 1 } else { u64::from(pipeline) },
            u64::from(operations),
        ),
    };
    Workload {
        idle: form
            .idle
            .as_ref()
            .map_or_else(Vec::new, |idle| idle.get_ref().0.clone()),
        clients,
        operations,
        sticky: u16::try_from(natural(&form.sticky, Place::Sticky, 0, dice)).unwrap_or(u16::MAX),
        keys: u16::try_from(keys(&form.keys, dice)).expect("a checked number of keys fits"),
        hot: small(&form.hot, Place::Hot, 0, dice),
        mix: mix(form.mix.as_ref().map(|mix| *mix.get_ref()), dice),
        pipeline,
        think,
        open,
        attempt_timeout: span(
            &form.attempt_timeout,
            Place::AttemptTimeout,
            Span::from_millis(400),
            dice,
        ),
        patience: span(&form.patience, Place::Patience, Span::from_secs(2), dice),
        duplicate: small(&form.duplicate, Place::DuplicateRequest, 0, dice),
        abandon: small(&form.abandon, Place::Abandon, 0, dice),
        value_size: small(&form.value_size, Place::ValueSize, 0, dice),
    }
}

fn keys(value: &Maybe<Ranged<Count>>, dice: &mut Dice) -> u64 {
    natural(value, Place::Keys, 4, dice)
}

/// The weights of the operations. A swarm leaves each kind out one time in four, unless only reads
/// or only writes are left then.
fn mix(form: Option<MixForm>, dice: &mut Dice) -> Mix {
    let form = form.unwrap_or(MixForm {
        get: 4,
        put: 3,
        append: 2,
        cas: 1,
        delete: 0,
    });
    let all = [form.get, form.put, form.append, form.cas, form.delete].map(u32::from);
    let mut some = all;
    for (kind, weight) in some.iter_mut().enumerate() {
        if dice.leaves_out(Place::SwarmMix, kind, 1) {
            *weight = 0;
        }
    }
    let both = some[0] > 0 && some[1..].iter().any(|weight| *weight > 0);
    let [get, put, append, cas, delete] = if both { some } else { all };
    Mix {
        get,
        put,
        append,
        cas,
        delete,
    }
}

/// Pauses that make so many operations of so many processes fill a time.
fn spread(time: u64, processes: u64, operations: u64) -> Distribution {
    let mean = time.saturating_mul(processes) / operations.max(1);
    Distribution::Exponential {
        mean: Span(mean),
        max: Span(mean.saturating_mul(4)),
    }
}

/// How long the cluster has for its progress does not depend on how long the run is.
fn phases(scenario: &Scenario, core: Vec<Node>, dice: &mut Dice) -> (Heal, End) {
    let longer = u64::from(scenario.longer);
    let time = scenario
        .end
        .time
        .as_ref()
        .map(|time| dice.at(Place::EndTime, 0).span(time.get_ref()));
    let at = span(
        &scenario.heal.at,
        Place::HealAt,
        time.map_or(Span::from_secs(30), |time| Span(time.0 / 3 * 2)),
        dice,
    );
    let left = time.map_or(u64::MAX, |time| time.0.saturating_sub(at.0) / 4 * 3);
    let progress_within = span(
        &scenario.heal.progress_within,
        Place::ProgressWithin,
        Span(Span::from_secs(10).0.min(left)),
        dice,
    );
    let time = time
        .unwrap_or(at + progress_within + Span::from_secs(10))
        .max(at + progress_within);
    let events = scenario
        .end
        .events
        .as_ref()
        .map_or(EVENTS.unsigned_abs(), |events| {
            events.get_ref().unsigned_abs()
        });
    let others = scenario
        .heal
        .others
        .as_ref()
        .map_or(Outside::Gone, |others| {
            dice.at(Place::Others, 0).word(others.get_ref())
        });
    (
        Heal {
            at: Instant(at.0.saturating_mul(longer)),
            core,
            others,
            progress_within,
            first_answer_within: progress_within,
        },
        End {
            time: Instant(time.0.saturating_mul(longer)),
            events: events.saturating_mul(longer),
        },
    )
}

fn checks(scenario: &Scenario, dice: &mut Dice) -> Checks {
    let form = &scenario.checks;
    let expect_failure = form.fails.as_ref().map(|fails| fails.get_ref().clone());
    let standing = if expect_failure.is_some() { CERTAIN } else { 0 };
    Checks {
        milestones: form
            .milestones
            .as_ref()
            .map_or_else(Vec::new, |milestones| milestones.get_ref().clone()),
        expect_failure,
        at_least_ppm: small(&form.at_least, Place::AtLeast, standing, dice),
    }
}

/// The script's steps, and of a reproducer the faults of the nemesis, which do not wait for them.
fn steps(
    scenario: &Scenario,
    targets: &Targets<'_>,
    heal: Instant,
    dice: &mut Dice,
    script: &mut Vec<Step>,
    timed: &mut Vec<Timed>,
) {
    for step in &scenario.steps {
        let (number, place) = (step.number, usize::from(step.number.0));
        let mut die = dice.at(Place::StepTime, place);
        let when = match &step.when {
            Moment::Next => When::Next,
            Moment::After(span) => When::After(die.span(span)),
            Moment::At(at) | Moment::Apart(at) => When::At(Instant(die.natural(at))),
        };
        let hold = step.hold.as_ref().map(|hold| die.span(hold));
        let mut die = dice.at(Place::StepFault, place);
        let verb = match &step.verb {
            Asked::Fault(fault) => {
                let Some(fault) = targets.draw(fault, &mut die) else {
                    continue;
                };
                if let (Moment::Apart(_), When::At(at), Some(hold)) = (&step.when, when, hold) {
                    timed.push(Timed {
                        number,
                        at,
                        hold: if heal > at { hold.min(heal - at) } else { hold },
                        fault,
                    });
                    continue;
                }
                Verb::Inject {
                    number,
                    fault,
                    hold,
                }
            }
            Asked::Heal(what) => Verb::Heal(match what {
                HealWhat::All => Healing::All,
                HealWhat::Network => Healing::Network,
                HealWhat::Disk => Healing::Disk,
            }),
            Asked::Restart(select) => Verb::Restart(targets.known(select)),
            Asked::Resume(select) => Verb::Resume(targets.known(select)),
            Asked::Invoke(invoke) => {
                let expect = invoke.expect.iter().map(expected).collect();
                Verb::Invoke {
                    client: invoke.client,
                    call: invoke.call.clone(),
                    expect,
                    background: invoke.background,
                }
            }
            Asked::Expect(Expect {
                what,
                within,
                throughout,
            }) => {
                let throughout = throughout.as_ref().map(|span| die.span(span));
                let within = within
                    .as_ref()
                    .map(|span| die.span(span))
                    .or_else(|| throughout.is_none().then_some(Span::from_secs(5)));
                Verb::Expect {
                    what: expectation(what, targets, &mut die),
                    within,
                    throughout,
                }
            }
            Asked::Sleep(span) => Verb::Sleep(die.span(span)),
        };
        script.push(Step {
            when,
            verb,
            line: step.line,
        });
    }
}

fn text(text: &str) -> Text {
    Text::from(text.as_bytes())
}

fn expected(ending: &Ending) -> Expected {
    match ending {
        Ending::Ok => Expected::Ok,
        Ending::Absent => Expected::Value(None),
        Ending::Value(value) => Expected::Value(Some(text(value))),
        Ending::Timeout => Expected::Timeout,
        Ending::Refused => Expected::Refused,
        Ending::Mismatch => Expected::Mismatch,
    }
}

fn expectation(what: &Condition, targets: &Targets<'_>, die: &mut Die<'_>) -> Expectation {
    let known = |who| targets.known(who);
    match what {
        Condition::Operations(count) => Expectation::Operations(die.natural(count)),
        Condition::Lag(node, slots) => Expectation::Lag {
            node: *node,
            slots: slots.0,
        },
        Condition::Leader(who) => Expectation::Leader(known(who)),
        Condition::NoLeader(who) => Expectation::NoLeader(known(who)),
        Condition::Value(key, is) => Expectation::Value {
            key: text(key),
            is: is.as_deref().map(text),
        },
        Condition::CaughtUp(who) => Expectation::CaughtUp(known(who)),
        Condition::Halted(who) => Expectation::Halted(known(who)),
        Condition::Ready(who) => Expectation::Ready(known(who)),
    }
}
