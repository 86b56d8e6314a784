//! Less in a fault: fewer replicas or clients that it strikes, and less that is left to chance. Faults
//! themselves come and go in `edits`.

use crate::plan::{Plan, Verb};
use crate::scenario::fault::{
    Aim, Boundary, Fault, Keep, LinkFault, MessageFault, Partition, Side, Who,
};

/// Whose process, disk or clock a fault is about, for a change of it.
#[must_use]
pub const fn whose(fault: &mut Fault) -> Option<&mut Who> {
    match fault {
        Fault::Partition(_) | Fault::Links { .. } | Fault::Messages { .. } => None,
        Fault::Kill { who, .. }
        | Fault::PowerLoss { who, .. }
        | Fault::Pause(who)
        | Fault::SlowCpu { who, .. }
        | Fault::SyncFailure { who, .. }
        | Fault::WriteFailure { who, .. }
        | Fault::ReadFailure { who, .. }
        | Fault::DiskFull(who)
        | Fault::SlowDisk { who, .. }
        | Fault::DiskStall(who)
        | Fault::BitRot { who, .. }
        | Fault::SectorError { who, .. }
        | Fault::MisdirectedWrite(who)
        | Fault::DiskLoss(who)
        | Fault::ClockJump { who, .. }
        | Fault::ClockDrift { who, .. } => Some(who),
    }
}

/// The faults of a plan, the nemesis' first, for a change of one.
#[must_use]
pub fn fault_mut(plan: &mut Plan, place: usize) -> Option<&mut Fault> {
    let scripted = plan
        .script
        .iter_mut()
        .filter_map(|step| match &mut step.verb {
            Verb::Inject { fault, .. } => Some(fault),
            _ => None,
        });
    plan.nemesis
        .iter_mut()
        .map(|timed| &mut timed.fault)
        .chain(scripted)
        .nth(place)
}

/// Plans in which a fault is less than it was, or leaves less to chance.
#[must_use]
pub fn simpler_faults(plan: &Plan) -> Vec<Plan> {
    let mut all = Vec::new();
    for (place, fault) in plan.faults().enumerate() {
        for simpler in simpler(fault) {
            let mut left = plan.clone();
            *fault_mut(&mut left, place).expect("it is there") = simpler;
            all.push(left);
        }
    }
    all
}

fn simpler(fault: &Fault) -> Vec<Fault> {
    let mut all = Vec::new();
    match fault {
        Fault::Partition(Partition::Groups(sides)) => {
            all.extend(
                smaller_sides(sides)
                    .into_iter()
                    .map(|sides| Fault::Partition(Partition::Groups(sides))),
            );
        }
        Fault::Partition(Partition::Cut {
            cut,
            order,
            clients,
        }) if !clients.is_empty() => {
            all.extend(fewer(clients).into_iter().map(|clients| {
                Fault::Partition(Partition::Cut {
                    cut: *cut,
                    order: order.clone(),
                    clients,
                })
            }));
        }
        Fault::Partition(_) => {}
        Fault::Links {
            from,
            to,
            fault: LinkFault::Clog | LinkFault::Slow(_),
        }
        | Fault::Messages {
            aim: Aim { from, to, .. },
            ..
        } => {
            for (ends, smaller) in [(true, fewer_of(from)), (false, fewer_of(to))] {
                for who in smaller {
                    let mut left = fault.clone();
                    match &mut left {
                        Fault::Links { from, to, .. } => *(if ends { from } else { to }) = who,
                        Fault::Messages { aim, .. } => {
                            *(if ends { &mut aim.from } else { &mut aim.to }) = who;
                        }
                        _ => continue,
                    }
                    all.push(left);
                }
            }
        }
        other => {
            for who in other.whose().map(fewer_of).unwrap_or_default() {
                let mut left = other.clone();
                if let Some(all) = whose(&mut left) {
                    *all = who;
                }
                all.push(left);
            }
        }
    }
    all.extend(surer(fault));
    all
}

/// The same with less left to chance.
fn surer(fault: &Fault) -> Vec<Fault> {
    match fault {
        Fault::PowerLoss {
            who,
            keep: Keep::Any,
            boundary,
        } => [Keep::Nothing, Keep::Everything]
            .map(|keep| Fault::PowerLoss {
                who: who.clone(),
                keep,
                boundary: boundary.clone(),
            })
            .into(),
        Fault::PowerLoss {
            who,
            keep,
            boundary,
        } if *boundary != Boundary::Now => {
            vec![Fault::PowerLoss {
                who: who.clone(),
                keep: *keep,
                boundary: Boundary::Now,
            }]
        }
        Fault::Kill { who, boundary } if *boundary != Boundary::Now => {
            vec![Fault::Kill {
                who: who.clone(),
                boundary: Boundary::Now,
            }]
        }
        Fault::Messages {
            aim,
            fault: MessageFault::Lose(1..1_000_000),
        } => {
            vec![Fault::Messages {
                aim: aim.clone(),
                fault: MessageFault::Lose(1_000_000),
            }]
        }
        Fault::SyncFailure {
            who,
            ppm: 1..1_000_000,
        } => {
            vec![Fault::SyncFailure {
                who: who.clone(),
                ppm: 1_000_000,
            }]
        }
        Fault::WriteFailure {
            who,
            ppm: 1..1_000_000,
        } => {
            vec![Fault::WriteFailure {
                who: who.clone(),
                ppm: 1_000_000,
            }]
        }
        Fault::ReadFailure {
            who,
            ppm: 1..1_000_000,
        } => {
            vec![Fault::ReadFailure {
                who: who.clone(),
                ppm: 1_000_000,
            }]
        }
        _ => Vec::new(),
    }
}

/// Each list that lacks one of these.
fn fewer<T: Clone>(list: &[T]) -> Vec<Vec<T>> {
    (0..list.len())
        .map(|gone| {
            let mut left = list.to_vec();
            left.remove(gone);
            left
        })
        .collect()
}

fn fewer_of(who: &Who) -> Vec<Who> {
    match who {
        Who::Nodes(nodes) if nodes.len() > 1 => fewer(nodes).into_iter().map(Who::Nodes).collect(),
        _ => Vec::new(),
    }
}

/// Sides without one of their clients, or one of their replicas.
fn smaller_sides(sides: &[Side]) -> Vec<Vec<Side>> {
    let mut all = Vec::new();
    for (place, side) in sides.iter().enumerate() {
        let mut with = |side: Side| {
            let mut left = sides.to_vec();
            left[place] = side;
            all.push(left);
        };
        for clients in fewer(&side.clients) {
            with(Side {
                clients,
                ..side.clone()
            });
        }
        for (at, who) in side.replicas.iter().enumerate() {
            for who in fewer_of(who) {
                let mut replicas = side.replicas.clone();
                replicas[at] = who;
                with(Side {
                    replicas,
                    ..side.clone()
                });
            }
        }
    }
    all
}
