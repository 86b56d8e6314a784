//! A plan as a scenario file with nothing left to draw: the format of reproducers. Loading such a
//! file and drawing it gives the same plan again.

use std::fmt::{Display, Write};

use crate::choices::Branch;
use crate::choices::Strategy;
use crate::choices::overrides::{MessageName, OperationName, Override, Passage, Treatment};
use crate::choices::strike::Strike;
use crate::plan::pin_steps::{script_step, verb};
use crate::plan::pin_text::{distribution, join, nodes, quoted, shown, span, time, unit, word};
use crate::plan::{Plan, Timed};
use crate::scenario::fault::{DamageBudget, Outside};
use crate::scenario::form::Repro;
use crate::scenario::units::{Drift, Offset, Rate, Size};

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
    if network.beyond_contract {
        writeln!(out, "beyond-contract = true")?;
    }

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
