//! A plan as a scenario file with nothing left to draw: the format of reproducers. Loading such a
//! file and drawing it gives the same plan again.

use std::fmt::{Display, Write};

use crate::choices::Branch;
use crate::choices::Strategy;
use crate::choices::overrides::{MessageName, OperationName, Override, Passage, Treatment};
use crate::choices::strike::Strike;
use crate::history::operation::{Action, Call, Text};
use crate::ids::Node;
use crate::plan::{Distribution, Expectation, Expected, Healing, Plan, Step, Timed, Verb, When};
use crate::scenario::fault::{
    Aim, Boundary, DamageBudget, Fault, LinkFault, MessageFault, Moment, Outside, Partition, Side,
    Who,
};
use crate::scenario::form::Repro;
use crate::scenario::kinds::ANY;
use crate::scenario::units::{Drift, Offset, Rate, Size, Time, Unit, show};
use crate::scenario::value::{Word, name};
use crate::time::{Instant, Span};

/// Writes the plan down.
#[must_use]
pub fn to_toml(plan: &Plan, repro: &Repro) -> String {
    let title = format!("{} with seed {}", plan.scenario, plan.seed);
    let why = repro.check.as_ref().map_or_else(
        || "The plan that this seed draws, with everything pinned.".to_owned(),
        |check| format!("A run of this plan failed `{check}`."),
    );
    to_toml_titled(plan, repro, &title, &why)
}

/// Writes the plan down, under this title and for this reason.
#[must_use]
pub fn to_toml_titled(plan: &Plan, repro: &Repro, title: &str, why: &str) -> String {
    let mut out = String::with_capacity(4096);
    write(&mut out, plan, repro, [title, why]).expect("a string takes everything");
    out
}

/// What is the same for this plan, bug, subject and judges alone.
#[must_use]
pub fn fingerprint(plan: &Plan, repro: &Repro) -> String {
    let bare = Repro {
        check: None,
        digest: None,
        build: None,
        ..repro.clone()
    };
    let text = to_toml(&plan.clone().without_lines(), &bare);
    let hash = xxhash_rust::xxh3::xxh3_64(text.as_bytes());
    format!("{hash:016x}")
}

fn write(
    out: &mut String,
    plan: &Plan,
    repro: &Repro,
    [title, why]: [&str; 2],
) -> std::fmt::Result {
    writeln!(out, "format = 1")?;
    writeln!(out, "title = {}\nwhy = {}", quoted(title), quoted(why))?;

    if plan.strategy != Strategy::default() {
        writeln!(out, "strategy = {}", word(plan.strategy))?;
    }

    writeln!(
        out,
        "\n[repro]\nscenario = {}\nseed = {}",
        quoted(&plan.scenario),
        plan.seed
    )?;
    for (key, value) in [
        ("subject", &repro.subject),
        ("bug", &repro.bug),
        ("checks", &repro.checks),
        ("check", &repro.check),
        ("digest", &repro.digest),
        ("build", &repro.build),
    ] {
        if let Some(value) = value {
            writeln!(out, "{key} = {}", quoted(value))?;
        }
    }
    if repro.digest.is_some() {
        writeln!(out, "plan = {}", quoted(&fingerprint(plan, repro)))?;
    }
    if let Some(only) = &repro.only {
        writeln!(
            out,
            "only = [{}]",
            join(only.iter().map(|name| quoted(name)))
        )?;
    }
    if !plan.branches.is_empty() {
        let branches = plan.branches.iter();
        let shown =
            branches.map(|Branch { event, salt }| format!("{{ event = {event}, salt = {salt} }}"));
        writeln!(out, "branches = [{}]", join(shown))?;
    }
    if !plan.strikes.is_empty() {
        writeln!(out, "strikes = [{}]", join(plan.strikes.iter().map(struck)))?;
    }
    settings(out, plan)?;
    workload(out, plan)?;

    if plan.budget != DamageBudget::Survivable {
        writeln!(out, "\n[nemesis]\nbudget = {}", word(plan.budget))?;
    }
    writeln!(out, "\n[heal]\nat = {}", time(plan.heal.at))?;
    writeln!(
        out,
        "core = {}\nprogress-within = {}\nfirst-answer-within = {}",
        nodes(&plan.heal.core),
        span(plan.heal.progress_within),
        span(plan.heal.first_answer_within)
    )?;
    if plan.heal.others != Outside::Gone {
        writeln!(out, "others = {}", word(plan.heal.others))?;
    }
    if !plan.checks.milestones.is_empty() || plan.checks.expect_failure.is_some() {
        writeln!(out, "\n[checks]")?;
    }
    if !plan.checks.milestones.is_empty() {
        writeln!(
            out,
            "milestones = [{}]",
            join(plan.checks.milestones.iter().map(|name| quoted(name)))
        )?;
    }
    if let Some(fails) = &plan.checks.expect_failure {
        writeln!(
            out,
            "fails = {}\nat-least = {}",
            quoted(fails),
            unit::<Rate>(plan.checks.at_least_ppm.into())
        )?;
    }
    writeln!(
        out,
        "\n[end]\ntime = {}\nevents = {}",
        time(plan.end.time),
        plan.end.events
    )?;

    for one in &plan.overrides {
        overridden(out, one)?;
    }
    for step in &plan.script {
        script_step(out, step)?;
    }
    for Timed {
        number,
        at,
        hold,
        fault,
    } in &plan.nemesis
    {
        writeln!(
            out,
            "\n[[step]]\nnumber = {}\nat = {}\nhold = {}\n{}",
            number.0,
            time(*at),
            span(*hold),
            verb(fault)
        )?;
    }
    Ok(())
}

fn struck(strike: &Strike) -> String {
    let Strike {
        event,
        replica,
        after,
        by,
        keep,
    } = strike;
    let by = quoted(by.name());
    let keep = join(keep.iter().map(|loose| quoted(&loose.to_string())));
    format!(
        "{{ event = {event}, replica = {replica}, after = {after}, by = {by}, keep = [{keep}] }}"
    )
}

fn settings(out: &mut String, plan: &Plan) -> std::fmt::Result {
    let knobs = &plan.cluster.knobs;
    let (low, high) = knobs.election_timeout;
    writeln!(out, "\n[cluster]\nreplicas = {}", plan.cluster.replicas)?;
    writeln!(
        out,
        "election-timeout = \"{}..{}\"",
        shown(low),
        shown(high)
    )?;
    writeln!(
        out,
        "heartbeat = {}\nretransmit = {}",
        span(knobs.heartbeat),
        span(knobs.retransmit)
    )?;

    writeln!(
        out,
        "\n[engine]\nwindow = {}\nbatch = {}\nbatch-delay = {}",
        knobs.window,
        knobs.batch,
        span(knobs.batch_delay)
    )?;
    writeln!(
        out,
        "queue = {}\nsegment = {}",
        knobs.queue,
        unit::<Size>(knobs.segment.into())
    )?;
    writeln!(
        out,
        "message = {}\nsessions = {}",
        unit::<Size>(knobs.message.into()),
        knobs.sessions
    )?;

    let network = &plan.network;
    writeln!(
        out,
        "\n[network]\nlatency = {}",
        distribution(network.latency)
    )?;
    writeln!(
        out,
        "loss = {}\nduplicate = {}",
        unit::<Rate>(network.loss.into()),
        unit::<Rate>(network.duplicate.into())
    )?;
    writeln!(
        out,
        "duplicate-later = {}\ncorrupt = {}",
        span(network.duplicate_later),
        unit::<Rate>(network.corrupt.into())
    )?;

    writeln!(
        out,
        "\n[disk]\naccess = {}\nsync = {}",
        distribution(plan.disk.access),
        distribution(plan.disk.sync)
    )?;
    writeln!(
        out,
        "capacity = {}",
        unit::<Size>(i64::try_from(plan.disk.capacity).unwrap_or(i64::MAX))
    )?;

    writeln!(
        out,
        "\n[clock]\ndrift = [{}]",
        join(
            plan.clocks
                .iter()
                .map(|clock| unit::<Drift>(clock.drift.into()))
        )
    )?;
    writeln!(
        out,
        "offset = [{}]",
        join(plan.clocks.iter().map(|clock| unit::<Offset>(clock.offset)))
    )
}

fn workload(out: &mut String, plan: &Plan) -> std::fmt::Result {
    let workload = &plan.workload;
    let mix = workload.mix;
    writeln!(
        out,
        "\n[workload]\nclients = {}\nsticky = {}\noperations = {}\nkeys = {}\nhot = {}",
        workload.clients,
        workload.sticky,
        workload.operations,
        workload.keys,
        unit::<Rate>(workload.hot.into())
    )?;
    if !workload.idle.is_empty() {
        let names = workload.idle.iter().map(|client| format!("\"{client}\""));
        writeln!(out, "idle = [{}]", join(names))?;
    }
    let weights = [
        ("get", mix.get),
        ("put", mix.put),
        ("append", mix.append),
        ("cas", mix.cas),
        ("delete", mix.delete),
    ];
    let weights = weights.into_iter().filter(|(_, weight)| *weight > 0);
    let weights = weights.map(|(kind, weight)| format!("{kind} = {weight}"));
    writeln!(out, "mix = {{ {} }}", join(weights))?;
    writeln!(
        out,
        "pipeline = {}\nthink = {}\nopen = {}",
        workload.pipeline,
        distribution(workload.think),
        workload.open
    )?;
    writeln!(
        out,
        "attempt-timeout = {}\npatience = {}",
        span(workload.attempt_timeout),
        span(workload.patience)
    )?;
    writeln!(
        out,
        "duplicate = {}\nabandon = {}",
        unit::<Rate>(workload.duplicate.into()),
        unit::<Rate>(workload.abandon.into())
    )?;
    writeln!(
        out,
        "value-size = {}",
        unit::<Size>(workload.value_size.into())
    )
}

fn overridden(out: &mut String, one: &Override) -> std::fmt::Result {
    writeln!(out, "\n[[override]]")?;
    match one {
        Override::Message(name, passage) => {
            let MessageName {
                from,
                to,
                kind,
                slot,
                nth,
            } = name;
            write!(out, "message = {{ from = \"{from}\", to = \"{to}\"")?;
            if let Some(kind) = kind {
                write!(out, ", kind = {}", quoted(kind))?;
            }
            if let Some(slot) = slot {
                write!(out, ", slot = {slot}")?;
            }
            writeln!(out, ", nth = {nth} }}")?;
            let Passage {
                intact,
                lost,
                delay,
                copy_after,
                damage,
            } = *passage;
            key(out, "intact", intact.then_some(true))?;
            key(out, "lost", lost)?;
            key(out, "delay", delay.map(span))?;
            key(out, "copy-after", copy_after.map(span))?;
            key(out, "damage", damage)
        }
        Override::Disk(name, treatment) => {
            let OperationName {
                node,
                operation,
                nth,
            } = name;
            writeln!(
                out,
                "disk = {{ replica = \"{node}\", op = {}, nth = {nth} }}",
                word(*operation)
            )?;
            let Treatment { takes, fails } = *treatment;
            key(out, "takes", takes.map(span))?;
            key(out, "fails", fails)
        }
    }
}

/// A key and its value, if there is one.
fn key(out: &mut String, name: &str, value: Option<impl Display>) -> std::fmt::Result {
    value.map_or(Ok(()), |value| writeln!(out, "{name} = {value}"))
}

fn script_step(out: &mut String, step: &Step) -> std::fmt::Result {
    writeln!(out, "\n[[step]]")?;
    // Without a line, what has a time and a length does not wait for the step before.
    let waits = matches!(
        (&step.when, &step.verb),
        (When::At(_), Verb::Inject { hold: Some(_), .. })
    );
    if step.line > 0 || waits {
        writeln!(out, "line = {}", step.line)?;
    }
    match step.when {
        When::Next => {}
        When::After(after) => writeln!(out, "after = {}", span(after))?,
        When::At(at) => writeln!(out, "at = {}", time(at))?,
    }
    match &step.verb {
        Verb::Inject {
            number,
            fault,
            hold,
        } => {
            writeln!(out, "number = {}", number.0)?;
            if let Some(hold) = hold {
                writeln!(out, "hold = {}", span(*hold))?;
            }
            writeln!(out, "{}", verb(fault))
        }
        Verb::Heal(Healing::All) => writeln!(out, "heal = \"all\""),
        Verb::Heal(Healing::Network) => writeln!(out, "heal = \"network\""),
        Verb::Heal(Healing::Disk) => writeln!(out, "heal = \"disk\""),
        Verb::Restart(who) => writeln!(out, "restart = {}", whom(who)),
        Verb::Resume(who) => writeln!(out, "resume = {}", whom(who)),
        Verb::Invoke {
            client,
            call: Call { key, action },
            expect,
            background,
        } => {
            write!(
                out,
                "invoke = {{ client = \"{client}\", key = {}",
                text(key)
            )?;
            match action {
                Action::Get => write!(out, ", op = \"get\"")?,
                Action::Delete => write!(out, ", op = \"delete\"")?,
                Action::Put(value) => write!(out, ", op = \"put\", value = {}", text(value))?,
                Action::Append(value) => write!(out, ", op = \"append\", value = {}", text(value))?,
                Action::Cas { expected, new } => {
                    write!(out, ", op = \"cas\", new = {}", text(new))?;
                    if let Some(old) = expected {
                        write!(out, ", old = {}", text(old))?;
                    }
                }
            }
            writeln!(
                out,
                ", expect = [{}], background = {background} }}",
                join(expect.iter().map(ending))
            )
        }
        Verb::Expect {
            what,
            within,
            throughout,
        } => {
            write!(out, "expect = {{ {}", expectation(what))?;
            if let Some(within) = within {
                write!(out, ", within = {}", span(*within))?;
            }
            if let Some(throughout) = throughout {
                write!(out, ", for = {}", span(*throughout))?;
            }
            writeln!(out, " }}")
        }
        Verb::Sleep(length) => writeln!(out, "sleep = {}", span(*length)),
    }
}

/// A fault as a key and its value.
fn verb(fault: &Fault) -> String {
    let value = match fault {
        Fault::Partition(partition) => cut(partition),
        Fault::Links { from, to, fault } => {
            let more = match fault {
                LinkFault::Clog => String::new(),
                LinkFault::Slow(by) => format!(", by = {}", span(*by)),
            };
            format!("{{ from = {}, to = {}{more} }}", whom(from), whom(to))
        }
        Fault::Messages { aim, fault } => {
            let more = match fault {
                MessageFault::Lose(ppm) | MessageFault::Corrupt(ppm) => {
                    format!("rate = {}", unit::<Rate>((*ppm).into()))
                }
                MessageFault::Duplicate { ppm, later } => format!(
                    "rate = {}, later = {}",
                    unit::<Rate>((*ppm).into()),
                    span(*later)
                ),
                MessageFault::Delay(by) => format!("by = {}", span(*by)),
                MessageFault::HoldBack(until) => format!("until = {}", word(*until)),
            };
            format!("{{ {}, {more} }}", aimed_at(aim))
        }
        Fault::Kill { who, boundary } => on(who, &moment(boundary)),
        Fault::PowerLoss {
            who,
            keep,
            boundary,
        } => on(
            who,
            &format!("keep = {}, {}", word(*keep), moment(boundary)),
        ),
        Fault::Pause(who)
        | Fault::DiskFull(who)
        | Fault::DiskStall(who)
        | Fault::MisdirectedWrite(who)
        | Fault::DiskLoss(who) => {
            format!("{{ replicas = {} }}", whom(who))
        }
        Fault::SyncFailure { who, ppm }
        | Fault::WriteFailure { who, ppm }
        | Fault::ReadFailure { who, ppm } => {
            on(who, &format!("rate = {}", unit::<Rate>((*ppm).into())))
        }
        Fault::SlowDisk { who, by } | Fault::SlowCpu { who, by } => {
            on(who, &format!("by = {}", span(*by)))
        }
        Fault::BitRot { who, spots } | Fault::SectorError { who, spots } => {
            let (sectors, files, tail) = (spots.sectors, quoted(&spots.files), spots.tail);
            on(
                who,
                &format!("sectors = {sectors}, files = {files}, tail = {tail}"),
            )
        }
        Fault::ClockJump { who, by } => on(who, &format!("by = {}", unit::<Offset>(*by))),
        Fault::ClockDrift { who, ppm } => {
            on(who, &format!("rate = {}", unit::<Drift>((*ppm).into())))
        }
    };
    format!("{} = {value}", fault.kind())
}

fn aimed_at(aim: &Aim) -> String {
    let nth = aim
        .nth
        .map_or_else(String::new, |nth| format!(", nth = {nth}"));
    format!(
        "from = {}, to = {}, kind = {}{nth}",
        whom(&aim.from),
        whom(&aim.to),
        kinds_of(&aim.kinds)
    )
}

fn kinds_of(kinds: &[String]) -> String {
    match kinds {
        [] => quoted(ANY),
        [only] => quoted(only),
        several => format!("[{}]", join(several.iter().map(|kind| quoted(kind)))),
    }
}

fn on(who: &Who, more: &str) -> String {
    format!("{{ replicas = {}, {more} }}", whom(who))
}

fn cut(partition: &Partition) -> String {
    match partition {
        Partition::Groups(sides) => format!("{{ groups = [{}] }}", join(sides.iter().map(side))),
        Partition::Cut {
            cut,
            order,
            clients,
        } => {
            let with = if clients.is_empty() {
                String::new()
            } else {
                let names = clients.iter().map(|client| format!("\"{client}\""));
                format!(", clients = [{}]", join(names))
            };
            format!(
                "{{ shape = {}, order = {}{with} }}",
                word(*cut),
                nodes(order)
            )
        }
    }
}

fn side(side: &Side) -> String {
    let mut members: Vec<String> = Vec::new();
    for who in &side.replicas {
        match who {
            Who::All => members.push("\"all\"".into()),
            Who::Leader => members.push("\"leader\"".into()),
            Who::Others => members.push("\"others\"".into()),
            Who::Follower => members.push("\"follower\"".into()),
            Who::Acknowledgers(_) => members.push("\"acknowledgers\"".into()),
            Who::Laggards(_) => members.push("\"laggards\"".into()),
            Who::Nodes(nodes) => members.extend(nodes.iter().map(|node| format!("\"{node}\""))),
        }
    }
    members.extend(side.clients.iter().map(|client| format!("\"{client}\"")));
    format!("[{}]", members.join(", "))
}

fn whom(who: &Who) -> String {
    match who {
        Who::All => "\"all\"".into(),
        Who::Leader => "\"leader\"".into(),
        Who::Others => "\"others\"".into(),
        Who::Follower => "\"follower\"".into(),
        Who::Acknowledgers(_) => "\"acknowledgers\"".into(),
        Who::Laggards(_) => "\"laggards\"".into(),
        Who::Nodes(list) => nodes(list),
    }
}

fn nodes(list: &[Node]) -> String {
    format!("[{}]", join(list.iter().map(|node| format!("\"{node}\""))))
}

/// Where a process dies.
fn moment(boundary: &Boundary) -> String {
    match boundary {
        Boundary::InRecovery { deaths } => {
            let boundary = word(Boundary::IN_RECOVERY);
            format!("boundary = {boundary}, deaths = {deaths}")
        }
        Boundary::Before(Moment::Send(kinds)) => {
            format!("when = {{ sends = {} }}", kinds_of(kinds))
        }
        Boundary::Before(Moment::Sync(file)) => {
            let file = quoted(file);
            format!("when = {{ between = [\"write\", \"sync\"], file = {file} }}")
        }
        other => format!("boundary = {}", word(other.clone())),
    }
}

fn word<T: Word + PartialEq>(word: T) -> String {
    format!("\"{}\"", name(word))
}

fn ending(expected: &Expected) -> String {
    match expected {
        Expected::Ok => "\"ok\"".into(),
        Expected::Value(None) => "\"absent\"".into(),
        Expected::Value(Some(value)) => format!("{{ value = {} }}", text(value)),
        Expected::Timeout => "\"timeout\"".into(),
        Expected::Refused => "\"refused\"".into(),
        Expected::Mismatch => "\"mismatch\"".into(),
    }
}

fn expectation(what: &Expectation) -> String {
    match what {
        Expectation::Leader(who) => format!("leader = {}", whom(who)),
        Expectation::NoLeader(who) => format!("no-leader = {}", whom(who)),
        Expectation::CaughtUp(who) => format!("caught-up = {}", whom(who)),
        Expectation::Halted(who) => format!("halted = {}", whom(who)),
        Expectation::Ready(who) => format!("ready = {}", whom(who)),
        Expectation::Operations(count) => format!("operations = {count}"),
        Expectation::Value { key, is } => {
            let is = is
                .as_ref()
                .map_or_else(String::new, |is| format!(", is = {}", text(is)));
            format!("value = {{ key = {}{is} }}", text(key))
        }
    }
}

fn distribution(of: Distribution) -> String {
    match of {
        Distribution::Constant(value) => span(value),
        Distribution::Uniform(min, max) => format!(
            "{{ shape = \"uniform\", min = {}, max = {} }}",
            span(min),
            span(max)
        ),
        Distribution::Exponential { mean, max } => format!(
            "{{ shape = \"exponential\", mean = {}, max = {} }}",
            span(mean),
            span(max)
        ),
    }
}

fn shown(span: Span) -> String {
    show::<Time>(i64::try_from(span.0).unwrap_or(i64::MAX))
}

fn span(span: Span) -> String {
    format!("\"{}\"", shown(span))
}

fn time(at: Instant) -> String {
    span(Span(at.0))
}

fn unit<U: Unit>(value: i64) -> String {
    format!("\"{}\"", show::<U>(value))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn text(text: &Text) -> String {
    quoted(&String::from_utf8_lossy(text))
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
