//! From a fault of a scenario to a fault of a plan: ranges drawn, replicas and clients named, shapes
//! made sides or put in an order. Roles stay roles, for the world to resolve when the fault comes.

use crate::ids::{Client, Node};
use crate::plan::dice::Die;
use crate::scenario::aim_form::AimForm;
use crate::scenario::fault::{
    Aim, Boundary, Cut, Fault, LinkFault, MessageFault, Moment, Partition, Side, Spots, Who,
};
use crate::scenario::fault_form::{BitRotForm, Parted, PartitionForm, Share, WhenForm};
use crate::scenario::kinds::Kinds;
use crate::scenario::select::{Member, REPLICAS_MAX, Select};
use crate::scenario::units::Count;
use crate::scenario::value::{Choice, Ranged};
use crate::scenario::verbs::FaultForm;

/// Among whom faults are drawn.
pub struct Targets<'a> {
    /// All replicas.
    pub all: &'a [Node],
    /// Those whose disks may be damaged or lost.
    pub victims: &'a [Node],
    /// Those that are healed in the end.
    pub core: &'a [Node],
    /// How many clients act on their own.
    pub clients: u16,
}

impl Targets<'_> {
    /// The fault, or none when the budget or the cluster's size leaves nothing of it.
    pub fn draw(&self, form: &FaultForm, die: &mut Die<'_>) -> Option<Fault> {
        Some(match form {
            FaultForm::Partition(form) => Fault::Partition(self.partition(&form.0, die)?),
            FaultForm::Kill(form) => Fault::Kill {
                who: self.who(&form.0.replicas, die),
                boundary: boundary(&form.0.boundary, &form.0.deaths, form.0.when.as_ref(), die),
            },
            FaultForm::PowerLoss(form) => Fault::PowerLoss {
                who: self.who(&form.0.replicas, die),
                keep: die.word(&form.0.keep),
                boundary: boundary(&form.0.boundary, &form.0.deaths, form.0.when.as_ref(), die),
            },
            FaultForm::Pause(form) => Fault::Pause(self.who(&form.0.replicas, die)),
            FaultForm::SlowCpu(form) => Fault::SlowCpu {
                who: self.who(&form.0.replicas, die),
                by: die.span(&form.0.by),
            },
            FaultForm::Clog(form) => self.links(&form.from, &form.to, die, |_| LinkFault::Clog),
            FaultForm::SlowLink(form) => self.links(&form.from, &form.to, die, |die| {
                LinkFault::Slow(die.span(&form.by))
            }),
            FaultForm::Lose(form) => self.messages(form.aim(), die, |die| {
                MessageFault::Lose(ppm(die.value(&form.rate)))
            }),
            FaultForm::Duplicate(form) => {
                self.messages(form.aim(), die, |die| MessageFault::Duplicate {
                    ppm: ppm(die.value(&form.rate)),
                    later: die.span(&form.later),
                })
            }
            FaultForm::Corrupt(form) => self.messages(form.aim(), die, |die| {
                MessageFault::Corrupt(ppm(die.value(&form.rate)))
            }),
            FaultForm::Delay(form) => self.messages(form.aim(), die, |die| {
                MessageFault::Delay(die.span(&form.by))
            }),
            FaultForm::HoldBack(form) => self.messages(form.aim(), die, |die| {
                MessageFault::HoldBack(die.word(&form.until))
            }),
            FaultForm::SyncFailure(form) => Fault::SyncFailure {
                who: self.who(&form.0.replicas, die),
                ppm: ppm(die.value(&form.0.rate)),
            },
            FaultForm::WriteFailure(form) => Fault::WriteFailure {
                who: self.who(&form.0.replicas, die),
                ppm: ppm(die.value(&form.0.rate)),
            },
            FaultForm::ReadFailure(form) => Fault::ReadFailure {
                who: self.who(&form.0.replicas, die),
                ppm: ppm(die.value(&form.0.rate)),
            },
            FaultForm::DiskFull(form) => Fault::DiskFull(self.who(&form.0.replicas, die)),
            FaultForm::SlowDisk(form) => Fault::SlowDisk {
                who: self.who(&form.0.replicas, die),
                by: die.span(&form.0.by),
            },
            FaultForm::DiskStall(form) => Fault::DiskStall(self.who(&form.0.replicas, die)),
            FaultForm::BitRot(form) => {
                let who = self.damaged(&form.0.replicas, die)?;
                let spots = spots(&form.0, die);
                Fault::BitRot { who, spots }
            }
            FaultForm::SectorError(form) => {
                let who = self.damaged(&form.0.replicas, die)?;
                let spots = spots(&form.0, die);
                Fault::SectorError { who, spots }
            }
            FaultForm::MisdirectedWrite(form) => {
                Fault::MisdirectedWrite(self.damaged(&form.0.replicas, die)?)
            }
            FaultForm::DiskLoss(form) => Fault::DiskLoss(self.damaged(&form.0.replicas, die)?),
            FaultForm::ClockJump(form) => Fault::ClockJump {
                who: self.who(&form.replicas, die),
                by: die.value(&form.by),
            },
            FaultForm::ClockDrift(form) => {
                let ppm =
                    i32::try_from(die.value(&form.rate)).expect("a drift is bounded by its unit");
                Fault::ClockDrift {
                    who: self.who(&form.replicas, die),
                    ppm,
                }
            }
        })
    }

    /// The replicas of a selection, or its role.
    fn who(&self, select: &Select, die: &mut Die<'_>) -> Who {
        match select {
            Select::All => Who::Nodes(self.all.to_vec()),
            Select::Any => Who::Nodes(die.some(self.all, 1)),
            Select::Leader => Who::Leader,
            Select::Others => Who::Others,
            Select::Follower => Who::Follower,
            Select::Minority => {
                Who::Nodes(die.some(self.all, self.all.len().saturating_sub(1) / 2))
            }
            Select::Majority => Who::Nodes(die.some(self.all, self.all.len() / 2 + 1)),
            Select::Core => Who::Nodes(self.core.to_vec()),
            Select::Acknowledgers => Who::Acknowledgers(self.all.to_vec()),
            Select::Laggards => Who::Laggards(self.all.to_vec()),
            Select::LastHolder => Who::LastHolder,
            Select::Count(count) => {
                let count = usize::try_from(
                    die.value(count)
                        .min(i64::try_from(self.all.len()).unwrap_or(i64::MAX)),
                )
                .unwrap_or(1);
                Who::Nodes(die.some(self.all, count))
            }
            Select::Nodes(nodes) => Who::Nodes(nodes.clone()),
            Select::Pick(options) => {
                let index = die.index(options.len());
                self.who(&options[index], die)
            }
        }
    }

    /// Those of a selection that are victims, if any; roles where everybody is one. Numbers count
    /// among the victims.
    fn damaged(&self, select: &Select, die: &mut Die<'_>) -> Option<Who> {
        if self.victims.is_empty() {
            return None;
        }
        if self.victims.len() == self.all.len() {
            return Some(self.who(select, die));
        }
        match (Targets {
            all: self.victims,
            victims: self.victims,
            core: self.core,
            clients: self.clients,
        })
        .who(select, die)
        {
            Who::Nodes(mut nodes) => {
                nodes.retain(|node| self.victims.contains(node));
                Some(Who::Nodes(nodes)).filter(|who| *who != Who::Nodes(Vec::new()))
            }
            by_votes @ (Who::Acknowledgers(_) | Who::Laggards(_)) => Some(by_votes),
            // While the budget holds, somebody else has a copy, or the last one is no victim.
            Who::All | Who::Leader | Who::Others | Who::Follower | Who::LastHolder => None,
        }
    }

    /// An end of links.
    fn end(&self, select: &Select, die: &mut Die<'_>) -> Who {
        if *select == Select::All {
            Who::All
        } else {
            self.who(select, die)
        }
    }

    fn links(
        &self,
        from: &Select,
        to: &Select,
        die: &mut Die<'_>,
        fault: impl FnOnce(&mut Die<'_>) -> LinkFault,
    ) -> Fault {
        Fault::Links {
            from: self.end(from, die),
            to: self.end(to, die),
            fault: fault(die),
        }
    }

    fn messages(
        &self,
        aim: AimForm<'_>,
        die: &mut Die<'_>,
        fault: impl FnOnce(&mut Die<'_>) -> MessageFault,
    ) -> Fault {
        let aim = Aim {
            from: self.end(aim.from, die),
            to: self.end(aim.to, die),
            kinds: drawn(aim.kind, die),
            nth: aim
                .nth
                .map(|nth| u32::try_from(die.value(nth)).unwrap_or(u32::MAX)),
        };
        Fault::Messages {
            aim,
            fault: fault(die),
        }
    }

    fn partition(&self, form: &PartitionForm, die: &mut Die<'_>) -> Option<Partition> {
        if let Some(Choice(cuts)) = &form.shape {
            let cuts: Vec<Cut> = cuts
                .iter()
                .copied()
                .filter(|cut| usize::from(cut.least()) <= self.all.len())
                .collect();
            let cut = match cuts.as_slice() {
                [] => return None,
                [only] => *only,
                several => several[die.index(several.len())],
            };
            return Some(match &form.order {
                Some(order) => Partition::Cut {
                    cut,
                    order: order.0.clone(),
                    clients: match &form.clients {
                        Some(Parted::Named(clients)) => clients.0.clone(),
                        Some(Parted::Share(_)) | None => Vec::new(),
                    },
                },
                None => self.cut(cut, form.clients.as_ref(), die),
            });
        }
        let side = |members: &Vec<Member>| {
            let mut side = Side::default();
            for member in members {
                match member {
                    Member::Client(client) => side.clients.push(*client),
                    Member::Replicas(select) => side.replicas.push(self.known(select)),
                }
            }
            side
        };
        let sides = form.groups.iter().flatten().map(side).collect();
        Some(Partition::Groups(sides))
    }

    /// A selection that needs no draw. "Any" means all: whichever of them it is.
    pub fn known(&self, select: &Select) -> Who {
        match select {
            Select::All
            | Select::Any
            | Select::Minority
            | Select::Majority
            | Select::Count(_)
            | Select::Pick(_) => Who::All,
            Select::Leader => Who::Leader,
            Select::Others => Who::Others,
            Select::Follower => Who::Follower,
            Select::Core => Who::Nodes(self.core.to_vec()),
            Select::Acknowledgers => Who::Acknowledgers(everybody()),
            Select::Laggards => Who::Laggards(everybody()),
            Select::LastHolder => Who::LastHolder,
            Select::Nodes(nodes) => Who::Nodes(nodes.clone()),
        }
    }

    /// The cut with everybody in a place.
    fn cut(&self, cut: Cut, parted: Option<&Parted>, die: &mut Die<'_>) -> Partition {
        let order = die.shuffled(self.all);
        let few = match cut {
            Cut::Halves => 1 + die.index(((order.len() - 1) / 2).max(1)),
            _ => 1,
        };
        let all = 0..self.clients;
        let with_few: Vec<bool> = match parted {
            _ if !cut.draws_clients() => Vec::new(),
            Some(Parted::Share(Share::All)) => all.map(|_| true).collect(),
            Some(Parted::Share(Share::None)) => all.map(|_| false).collect(),
            Some(Parted::Share(Share::Half)) => {
                let everybody: Vec<u16> = all.clone().collect();
                let half = die.some(&everybody, everybody.len().div_ceil(2));
                all.map(|client| half.contains(&client)).collect()
            }
            Some(Parted::Named(_)) | None => all.map(|_| die.index(2) == 0).collect(),
        };
        let clients = |side: bool| {
            (0..self.clients)
                .map(Client)
                .zip(&with_few)
                .filter(|(_, with)| **with == side)
                .map(|(client, _)| client)
                .collect::<Vec<_>>()
        };
        if !cut.is_of_sides() {
            return Partition::Cut {
                cut,
                clients: clients(true),
                order,
            };
        }
        let side = |nodes: &[Node], clients: Vec<Client>| {
            let mut nodes = nodes.to_vec();
            nodes.sort_unstable();
            let replicas = nodes.into_iter().map(|node| Who::Nodes(vec![node]));
            Side {
                replicas: replicas.collect(),
                clients,
            }
        };
        Partition::Groups(vec![
            side(&order[..few], clients(true)),
            side(&order[few..], clients(false)),
        ])
    }
}

/// Those of a cluster of whatever size.
fn everybody() -> Vec<Node> {
    (0..REPLICAS_MAX).map(Node).collect()
}

fn ppm(value: i64) -> u32 {
    u32::try_from(value).expect("a rate is bounded by its unit")
}

fn few(value: i64) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

fn spots(form: &BitRotForm, die: &mut Die<'_>) -> Spots {
    Spots {
        sectors: few(die.value(&form.sectors)),
        files: form.files.clone(),
        tail: die.word(&form.tail),
    }
}

/// Some kinds of messages.
fn drawn(kinds: &Kinds, die: &mut Die<'_>) -> Vec<String> {
    die.one(&kinds.0).cloned().unwrap_or_default()
}

/// Where a process dies, and in how many recoveries when it is there.
fn boundary(
    words: &Choice<Boundary>,
    deaths: &Ranged<Count>,
    when: Option<&WhenForm>,
    die: &mut Die<'_>,
) -> Boundary {
    if let Some(when) = when {
        return Boundary::Before(when.sends.as_ref().map_or_else(
            || Moment::Sync(when.file.clone().unwrap_or_default()),
            |kinds| Moment::Send(drawn(kinds, die)),
        ));
    }
    match die.word(words) {
        Boundary::InRecovery { .. } => Boundary::InRecovery {
            deaths: few(die.value(deaths)),
        },
        other => other,
    }
}
