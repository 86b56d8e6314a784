//! All files of a node behind one door: recovery first, then the log's writer and the promise's
//! keeper.

use std::sync::Arc;

use synod_port::files::{FileName, OpId};

use crate::bugs::Bug;
use crate::config::Config;
use crate::ids::{Ballot, Incarnation, Lsn};
use crate::io::Halt;
use crate::log::disk::{Disk, Ended};
use crate::log::promise::{Copy, Keeper, Kept, Which, copy_name};
use crate::log::recovery::{Found, Recovery};
use crate::log::segment::{Identity, sectors_of};
use crate::log::writer::{Start, Writer, Wrote};
use crate::probe::Probe;
use crate::record::Record;
use crate::recovered::Recovered;
use crate::time::{Mono, Now, earlier};

/// The files of a node.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    identity: Identity,
    sectors: u32,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    Reading(Recovery),
    /// What was found is being written anew; nothing is answered yet.
    Opening {
        open: Open,
        recovered: Recovered,
        log: bool,
        promise: bool,
    },
    Ready(Open),
    Stopped,
}

#[derive(Clone, Debug)]
struct Open {
    writer: Writer,
    keeper: Keeper,
}

/// What the files have to tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// Recovery is over.
    Ready(Recovered),
    /// All records of this boot up to this one are durable.
    Durable(Lsn),
    /// A promise of this ballot is durable.
    Promised(Ballot),
    /// The node has to stop.
    Halt(Halt),
}

/// The files of a node that has never run.
pub(crate) fn format(config: &Config) -> Vec<(FileName, Vec<u8>)> {
    let identity = Identity {
        cluster: config.cluster,
        node: config.node,
    };
    let copy = Copy {
        identity,
        generation: 0,
        incarnation: Incarnation(0),
        promised: Ballot::ZERO,
        writes: 1,
    };
    [Which::A, Which::B]
        .map(|which| (copy_name(which, 0), copy.sector(which)))
        .to_vec()
}

impl Store {
    /// Starts a boot.
    pub(crate) fn boot(config: &Config, disk: &mut Disk<'_>) -> Self {
        let identity = Identity {
            cluster: config.cluster,
            node: config.node,
        };
        let sectors = sectors_of(config);
        Self {
            identity,
            sectors,
            phase: Phase::Reading(Recovery::start(identity, sectors, disk)),
        }
    }

    /// Takes a completion.
    pub(crate) fn on_disk<P: Probe>(
        &mut self,
        now: Now,
        op: OpId,
        ended: Ended,
        disk: &mut Disk<'_>,
        probe: &mut P,
    ) -> Option<Told> {
        match &mut self.phase {
            Phase::Reading(recovery) => match recovery.on_disk(now, op, ended, disk, probe)? {
                Ok(found) => {
                    self.open(found, disk, probe);
                    None
                }
                Err(halt) => {
                    self.phase = Phase::Stopped;
                    Some(Told::Halt(halt))
                }
            },
            Phase::Opening {
                open, log, promise, ..
            } => {
                match open.on_disk(now, op, &ended, disk, probe)? {
                    Told::Promised(_) => *promise = true,
                    _ => *log = true,
                }
                if *log && *promise { self.ready() } else { None }
            }
            Phase::Ready(open) => open.on_disk(now, op, &ended, disk, probe),
            Phase::Stopped => None,
        }
    }

    /// Does what was put off until now.
    pub(crate) fn on_deadline<P: Probe>(&mut self, now: Now, disk: &mut Disk<'_>, probe: &mut P) {
        match &mut self.phase {
            Phase::Reading(recovery) => recovery.on_deadline(now, disk),
            Phase::Opening { open, .. } | Phase::Ready(open) => {
                open.writer.on_deadline(now, disk, probe);
                open.keeper.on_deadline(now, disk, probe);
            }
            Phase::Stopped => (),
        }
    }

    /// When the files want to be woken.
    pub(crate) fn deadline(&self) -> Option<Mono> {
        match &self.phase {
            Phase::Reading(recovery) => recovery.deadline(),
            Phase::Opening { open, .. } | Phase::Ready(open) => {
                earlier(open.writer.deadline(), open.keeper.deadline())
            }
            Phase::Stopped => None,
        }
    }

    /// Appends records, oldest first; only once recovery is over.
    pub(crate) fn append<P: Probe>(
        &mut self,
        records: impl Iterator<Item = Record>,
        disk: &mut Disk<'_>,
        probe: &mut P,
    ) {
        if let Phase::Ready(open) = &mut self.phase {
            records.for_each(|record| open.writer.append(record));
            open.writer.pump(disk, probe);
        }
    }

    /// Makes a promise durable; told at once when it is already. Only once recovery is over.
    pub(crate) fn promise<P: Probe>(
        &mut self,
        ballot: Ballot,
        disk: &mut Disk<'_>,
        probe: &mut P,
    ) -> Option<Told> {
        let Phase::Ready(open) = &mut self.phase else {
            return None;
        };
        open.keeper
            .promise(ballot, disk, probe)
            .map(|Kept(ballot)| Told::Promised(ballot))
    }

    /// Whether everything that was asked for is durable.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(&self.phase, Phase::Ready(open) if open.writer.is_idle() && open.keeper.is_idle())
    }

    /// Roughly the bytes that are held for the files.
    pub(crate) fn accounted_bytes(&self) -> u64 {
        match &self.phase {
            Phase::Reading(recovery) => recovery.accounted_bytes(),
            Phase::Opening { open, .. } | Phase::Ready(open) => open.writer.accounted_bytes(),
            Phase::Stopped => 0,
        }
    }

    fn open<P: Probe>(&mut self, found: Found, disk: &mut Disk<'_>, probe: &mut P) {
        let Found {
            copy,
            promises,
            log,
            number,
        } = found;
        let incarnation = Incarnation(copy.incarnation.0 + 1);
        let recovered = Recovered {
            incarnation,
            promised: copy.promised,
            records: log.records,
            torn: log.torn,
        };
        let carried = !log.above.is_empty();
        let above = if probe.flip(Bug::RecoveredTailNotRewritten, false, carried) {
            [].into()
        } else {
            Arc::from(log.above)
        };
        let start = Start {
            identity: self.identity,
            sectors: self.sectors,
            number,
            synced: log.synced,
            cut: log.cut,
            above,
        };
        let writer = Writer::open(start, disk, probe);
        let keeper = Keeper::open(
            Copy {
                incarnation,
                ..copy
            },
            promises,
            disk,
            probe,
        );
        self.phase = Phase::Opening {
            open: Open { writer, keeper },
            recovered,
            log: false,
            promise: false,
        };
    }

    fn ready(&mut self) -> Option<Told> {
        let Phase::Opening {
            open, recovered, ..
        } = std::mem::replace(&mut self.phase, Phase::Stopped)
        else {
            return None;
        };
        self.phase = Phase::Ready(open);
        Some(Told::Ready(recovered))
    }
}

impl Open {
    fn on_disk<P: Probe>(
        &mut self,
        now: Now,
        op: OpId,
        ended: &Ended,
        disk: &mut Disk<'_>,
        probe: &mut P,
    ) -> Option<Told> {
        if let Some(wrote) = self.writer.on_disk(now, op, ended, disk, probe) {
            return Some(match wrote {
                Wrote::Opened => Told::Durable(Lsn(0)),
                Wrote::Durable(lsn) => Told::Durable(lsn),
            });
        }
        self.keeper
            .on_disk(now, op, ended, disk, probe)
            .map(|Kept(ballot)| Told::Promised(ballot))
    }
}
