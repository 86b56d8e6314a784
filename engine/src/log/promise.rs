//! The promise's copies on files: their names and their one sector, and who keeps them.
//!
//! [`Keeper`] raises the promise in place, A before B, and answers only when both are synced. At
//! boot and after every failure it makes a new pair and durably removes what came before, so that
//! no intact copy is ever lower than a promise that was given.

use std::sync::Arc;

use crc_fast::crc32_iscsi;
use synod_port::files::{DiskOp, FileName, OpId};

use crate::bugs::Bug;
use crate::config::SECTOR;
use crate::contract;
use crate::ids::{Ballot, ClusterId, Incarnation, NodeId};
use crate::log::backoff::Backoff;
use crate::log::disk::{Disk, Ended, Progress, Script};
use crate::log::sector::u64_at;
use crate::log::segment::{Foreign, Identity, name, number_in};
use crate::probe::Probe;
use crate::time::{Mono, Now};

const MAGIC: &[u8; 4] = b"SPR1";
const PREFIXES: [&str; 2] = ["promise-a-", "promise-b-"];

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Which {
    A,
    B,
}

/// A copy of the promise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Copy {
    pub identity: Identity,
    pub generation: u64,
    pub incarnation: Incarnation,
    pub promised: Ballot,
    /// Counts the writes of this generation, from 1.
    pub writes: u64,
}

impl Copy {
    /// The sector of this copy.
    pub(crate) fn sector(&self, which: Which) -> Vec<u8> {
        let mut sector = vec![0; SECTOR];
        sector[4..8].copy_from_slice(MAGIC);
        sector[8..16].copy_from_slice(&self.identity.cluster.0.to_le_bytes());
        sector[16..24].copy_from_slice(&self.generation.to_le_bytes());
        sector[24..32].copy_from_slice(&self.incarnation.0.to_le_bytes());
        sector[32..40].copy_from_slice(&self.promised.round.to_le_bytes());
        sector[40..48].copy_from_slice(&self.writes.to_le_bytes());
        sector[48] = self.promised.node.0;
        sector[49] = self.identity.node.0;
        sector[50] = which as u8;
        let sum = crc32_iscsi(&sector[4..]);
        sector[..4].copy_from_slice(&sum.to_le_bytes());
        sector
    }

    /// Reads a whole file; none when it is not intact, or not the copy that its name says.
    pub(crate) fn read(file: FileName, bytes: &[u8]) -> Option<Result<Self, Foreign>> {
        let (which, generation) = copy_in(file)?;
        if bytes.len() != SECTOR || bytes[..4] != crc32_iscsi(&bytes[4..]).to_le_bytes() {
            return None;
        }
        if &bytes[4..8] != MAGIC {
            return Some(Err(Foreign));
        }
        let copy = Self {
            identity: Identity {
                cluster: ClusterId(u64_at(bytes, 8)),
                node: NodeId(bytes[49]),
            },
            generation: u64_at(bytes, 16),
            incarnation: Incarnation(u64_at(bytes, 24)),
            promised: Ballot {
                round: u64_at(bytes, 32),
                node: NodeId(bytes[48]),
            },
            writes: u64_at(bytes, 40),
        };
        (copy.generation == generation && bytes[50] == which as u8).then_some(Ok(copy))
    }
}

/// The name of a copy.
pub(crate) fn copy_name(which: Which, generation: u64) -> FileName {
    name(PREFIXES[which as usize], generation)
}

/// Which copy of which generation a file's name says that it is.
pub(crate) fn copy_in(file: FileName) -> Option<(Which, u64)> {
    let a = number_in(file, PREFIXES[0]).map(|generation| (Which::A, generation));
    a.or_else(|| number_in(file, PREFIXES[1]).map(|generation| (Which::B, generation)))
}

/// Keeps the pair.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    /// What the copies say, or will say when what is under way is done.
    copy: Copy,
    /// The highest promise that may be answered.
    durable: Ballot,
    /// Asked for while something else was being written.
    wanted: Option<Ballot>,
    work: Work,
    /// Pairs that count until the present one is durable.
    old: Vec<FileName>,
    /// Files of attempts that failed: removed before the next attempt, so there are never more than
    /// two.
    litter: Vec<FileName>,
    backoff: Backoff,
}

#[derive(Clone, Debug)]
enum Work {
    Nothing,
    /// Writing in place.
    Raising(Script),
    /// Making a new pair.
    Renewing(Script),
    /// Waiting before another attempt at a new pair.
    AwaitingRenewal,
    /// The new pair is durable; removing what came before.
    Clearing(Script),
    /// Waiting before another attempt at removing.
    AwaitingClearing,
}

/// What the keeper has to tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Kept(pub Ballot);

impl Keeper {
    /// Starts a boot: a new pair with the highest promise, above `generation`, in place of `old`.
    /// It is told when that is durable.
    pub(crate) fn open<P: Probe>(
        copy: Copy,
        old: Vec<FileName>,
        disk: &mut Disk<'_>,
        probe: &mut P,
    ) -> Self {
        let (litter, backoff) = (Vec::new(), Backoff::default());
        let mut keeper = Self {
            copy,
            durable: Ballot::ZERO,
            wanted: None,
            work: Work::Nothing,
            old,
            litter,
            backoff,
        };
        keeper.renew(disk, probe);
        keeper
    }

    /// Makes a promise durable; told at once when it is already.
    pub(crate) fn promise<P: Probe>(
        &mut self,
        ballot: Ballot,
        disk: &mut Disk<'_>,
        probe: &mut P,
    ) -> Option<Kept> {
        contract!(
            probe,
            PromiseMonotonic,
            ballot >= self.durable,
            "asked to promise {} after {}",
            ballot,
            self.durable
        );
        if ballot <= self.durable {
            return Some(Kept(self.durable));
        }
        self.wanted = self.wanted.max(Some(ballot));
        if matches!(self.work, Work::Nothing) {
            self.raise(disk, probe);
        }
        None
    }

    /// Takes a completion, if it is one of its own.
    pub(crate) fn on_disk<P: Probe>(
        &mut self,
        now: Now,
        op: OpId,
        ended: &Ended,
        disk: &mut Disk<'_>,
        probe: &mut P,
    ) -> Option<Kept> {
        match &mut self.work {
            Work::Raising(script) => match script.on_disk(op, ended, disk)? {
                Progress::Step(0) => {
                    return probe
                        .flip(Bug::PromiseBeforeFsync, false, true)
                        .then_some(Kept(self.copy.promised));
                }
                Progress::Step(_) => (),
                Progress::Done => return self.settle(disk, probe),
                Progress::Failed(_) => self.renew(disk, probe),
            },
            Work::Renewing(script) => match script.on_disk(op, ended, disk)? {
                Progress::Step(_) => (),
                Progress::Done => {
                    self.litter.clear();
                    self.clear(disk);
                }
                Progress::Failed(at) => {
                    self.on_renewal_failed(at);
                    self.backoff.wait(now.mono);
                }
            },
            Work::Clearing(script) => match script.on_disk(op, ended, disk)? {
                Progress::Step(_) => (),
                Progress::Done => {
                    self.old = self.files();
                    self.backoff.reset();
                    return self.settle(disk, probe);
                }
                Progress::Failed(_) => {
                    self.work = Work::AwaitingClearing;
                    self.backoff.wait(now.mono);
                }
            },
            Work::Nothing | Work::AwaitingRenewal | Work::AwaitingClearing => (),
        }
        None
    }

    /// Goes on when it is time for another attempt.
    pub(crate) fn on_deadline<P: Probe>(&mut self, now: Now, disk: &mut Disk<'_>, probe: &mut P) {
        if self.backoff.over(now.mono) {
            match self.work {
                Work::AwaitingClearing => self.clear(disk),
                _ => self.renew(disk, probe),
            }
        }
    }

    pub(crate) const fn deadline(&self) -> Option<Mono> {
        self.backoff.until()
    }

    /// Whether nothing is written, nor waits to be.
    pub(crate) const fn is_idle(&self) -> bool {
        matches!(self.work, Work::Nothing)
    }

    /// What was under way is durable.
    fn settle<P: Probe>(&mut self, disk: &mut Disk<'_>, probe: &mut P) -> Option<Kept> {
        let settled = self.copy.promised;
        contract!(
            probe,
            DurablePromiseMonotonic,
            settled >= self.durable,
            "{settled} became durable after {}",
            self.durable
        );
        self.durable = self.copy.promised;
        self.work = Work::Nothing;
        if self.wanted.is_some_and(|ballot| ballot > self.durable) {
            self.raise(disk, probe);
        } else {
            self.wanted = None;
        }
        Some(Kept(self.durable))
    }

    /// Takes what is wanted into the copies' content.
    fn load(&mut self) {
        self.copy.promised = self
            .wanted
            .take()
            .unwrap_or(Ballot::ZERO)
            .max(self.copy.promised);
        self.copy.writes += 1;
    }

    fn raise<P: Probe>(&mut self, disk: &mut Disk<'_>, probe: &mut P) {
        contract!(
            probe,
            OneWriteAtATime,
            matches!(self.work, Work::Nothing),
            "raises the promise while {:?}",
            self.work
        );
        self.load();
        let mut ops = Vec::with_capacity(4);
        for which in copies(probe) {
            if !probe.flip(Bug::PromiseRaisesOneCopy, true, *which == Which::A) {
                continue;
            }
            ops.push(self.write(*which));
            if probe.flip(Bug::HardstateFileUnsynced, true, false) {
                ops.push(DiskOp::Sync(copy_name(*which, self.copy.generation)));
            }
        }
        self.work = Work::Raising(Script::start(ops, disk));
    }

    fn renew<P: Probe>(&mut self, disk: &mut Disk<'_>, probe: &mut P) {
        self.copy.generation += 1;
        self.copy.writes = 0;
        self.load();
        let mut ops: Vec<_> = self.litter.iter().copied().map(DiskOp::Remove).collect();
        for which in copies(probe) {
            let file = copy_name(*which, self.copy.generation);
            ops.extend([DiskOp::Create(file), self.write(*which), DiskOp::Sync(file)]);
        }
        if probe.flip(Bug::PromisePairUnnamed, true, false) {
            ops.push(DiskOp::SyncDir);
        }
        self.work = Work::Renewing(Script::start(ops, disk));
    }

    /// What came before the new pair still counts, and must until the new one is durable: only
    /// files of failed attempts go now.
    fn on_renewal_failed(&mut self, at: usize) {
        let littered = self.litter.len();
        self.litter.drain(..at.min(littered));
        if at >= littered {
            self.litter.extend(self.files());
        }
        self.work = Work::AwaitingRenewal;
    }

    fn clear(&mut self, disk: &mut Disk<'_>) {
        let mut ops: Vec<_> = self.old.iter().copied().map(DiskOp::Remove).collect();
        ops.push(DiskOp::SyncDir);
        self.work = Work::Clearing(Script::start(ops, disk));
    }

    /// The present pair.
    fn files(&self) -> Vec<FileName> {
        vec![
            copy_name(Which::A, self.copy.generation),
            copy_name(Which::B, self.copy.generation),
        ]
    }

    fn write(&self, which: Which) -> DiskOp {
        DiskOp::Write {
            file: copy_name(which, self.copy.generation),
            offset: 0,
            data: Arc::from(self.copy.sector(which)),
        }
    }
}

/// The copies, in the order in which they are written.
fn copies<P: Probe>(probe: &mut P) -> &'static [Which] {
    if probe.flip(Bug::RedundantCopiesOneWrite, true, false) {
        &[Which::A, Which::B]
    } else {
        &[Which::A]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Full;

    const COPY: Copy = Copy {
        identity: Identity {
            cluster: ClusterId(1),
            node: NodeId(2),
        },
        generation: 3,
        incarnation: Incarnation(4),
        promised: Ballot {
            round: 5,
            node: NodeId(1),
        },
        writes: 6,
    };

    #[test]
    fn a_copy_reads_back_only_under_its_own_name() {
        let bytes = COPY.sector(Which::B);
        assert_eq!(Copy::read(copy_name(Which::B, 3), &bytes), Some(Ok(COPY)));
        assert_eq!(Copy::read(copy_name(Which::A, 3), &bytes), None);
        assert_eq!(Copy::read(copy_name(Which::B, 4), &bytes), None);
    }

    #[test]
    fn a_flipped_bit_or_another_length_is_damage() {
        let mut bytes = COPY.sector(Which::A);
        let file = copy_name(Which::A, 3);
        for at in 0..SECTOR * 8 {
            bytes[at / 8] ^= 1 << (at % 8);
            assert_eq!(Copy::read(file, &bytes), None, "bit {at}");
            bytes[at / 8] ^= 1 << (at % 8);
        }
        assert_eq!(Copy::read(file, &bytes[..SECTOR - 1]), None);
        bytes.push(0);
        assert_eq!(Copy::read(file, &bytes), None);
    }

    /// Opens a keeper and lets it do this to itself.
    fn keeper(act: impl FnOnce(&mut Keeper, &mut Disk<'_>, &mut Full)) {
        let (mut next, mut out, mut probe) = (0, Vec::new(), Full::default());
        let mut disk = Disk::new(&mut next, &mut out);
        let mut keeper = Keeper::open(COPY, Vec::new(), &mut disk, &mut probe);
        act(&mut keeper, &mut disk, &mut probe);
    }

    #[test]
    #[should_panic(expected = "contract OneWriteAtATime")]
    fn a_second_write_under_way_breaks_a_contract() {
        keeper(Keeper::raise);
    }

    #[test]
    #[should_panic(expected = "contract DurablePromiseMonotonic")]
    fn a_durable_promise_that_falls_breaks_its_contract() {
        keeper(|keeper, disk, probe| {
            keeper.durable = Ballot {
                round: 6,
                node: NodeId(0),
            };
            keeper.settle(disk, probe);
        });
    }
}
