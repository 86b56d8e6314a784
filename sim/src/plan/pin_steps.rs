//! The steps and faults of a plan, each with nothing left to draw, as a reproducer has them.

use std::fmt::Write;

use crate::history::operation::{Action, Call};
use crate::plan::pin_text::{join, nodes, quoted, span, text, time, unit, word};
use crate::plan::{Expectation, Expected, Healing, Step, Verb, When};
use crate::scenario::asking::Slots;
use crate::scenario::fault::{
    Aim, Boundary, Fault, LinkFault, MessageFault, Moment, Partition, Side, Who,
};
use crate::scenario::kinds::ANY;
use crate::scenario::units::{Drift, Offset, Rate};

pub(super) fn script_step(out: &mut String, step: &Step) -> std::fmt::Result {
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
pub(super) fn verb(fault: &Fault) -> String {
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
            Who::LastHolder => members.push("\"last-holder\"".into()),
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
        Who::LastHolder => "\"last-holder\"".into(),
        Who::Nodes(list) => nodes(list),
    }
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
        Expectation::Lag { node, slots } => {
            let slots = quoted(&Slots::shown(*slots));
            format!("lag = {{ replica = \"{node}\", slots = {slots} }}")
        }
        Expectation::Value { key, is } => {
            let is = is
                .as_ref()
                .map_or_else(String::new, |is| format!(", is = {}", text(is)));
            format!("value = {{ key = {}{is} }}", text(key))
        }
    }
}
