//! Reads a node's files after a boot, several at a time, with a few patient attempts each; then
//! says what they hold.

use std::collections::{BTreeMap, VecDeque};

use synod_port::files::{Bytes, DiskOk, DiskOp, FileName, OpId};

use crate::bugs::Bug;
use crate::config::SECTOR;
use crate::ids::{Ballot, Incarnation};
use crate::io::Halt;
use crate::log::backoff::Backoff;
use crate::log::disk::{Disk, Ended};
use crate::log::promise::{Copy, copy_in};
use crate::log::replay::{Replayed, replay};
use crate::log::segment::{Header, Identity, log_name, number_in};
use crate::probe::Probe;
use crate::time::{Mono, Now};

/// Operations under way at a time.
const PARALLEL: usize = 16;
/// Attempts for each operation, over more than a second.
const ATTEMPTS: u32 = 12;

/// What the files hold.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The highest intact copy, with the highest generation of any name and the highest incarnation
    /// of any copy.
    pub copy: Copy,
    /// All files of promises.
    pub promises: Vec<FileName>,
    pub log: Replayed,
    /// One more than the number of any segment, prepared or not.
    pub number: u64,
}

/// Reads the files.
#[derive(Clone, Debug)]
pub(crate) struct Recovery {
    identity: Identity,
    /// How much is read of a segment at first: all of one of the present configuration, and one
    /// byte more, so that a longer file shows.
    segment_bytes: u32,
    waiting: VecDeque<Job>,
    running: Vec<(OpId, Job)>,
    failed: Vec<Job>,
    backoff: Backoff,
    segments: BTreeMap<u64, Bytes>,
    promises: Vec<FileName>,
    copies: Vec<Copy>,
    /// A copy of the promise could not be read.
    unreadable: bool,
    number: u64,
    generation: u64,
}

#[derive(Clone, Copy, Debug)]
struct Job {
    what: What,
    attempts: u32,
}

#[derive(Clone, Copy, Debug)]
enum What {
    List,
    /// The segment of this number, up to so many bytes.
    Segment(u64, u32),
    Promise(FileName),
}

impl What {
    const fn job(self) -> Job {
        Job {
            what: self,
            attempts: 0,
        }
    }
}

impl Recovery {
    /// Starts reading. Segments mostly have so many sectors.
    pub(crate) fn start(identity: Identity, sectors: u32, disk: &mut Disk<'_>) -> Self {
        let mut recovery = Self {
            identity,
            segment_bytes: bytes_of(sectors) + 1,
            waiting: VecDeque::from([What::List.job()]),
            running: Vec::new(),
            failed: Vec::new(),
            backoff: Backoff::default(),
            segments: BTreeMap::new(),
            promises: Vec::new(),
            copies: Vec::new(),
            unreadable: false,
            number: 1,
            generation: 0,
        };
        recovery.submit(disk);
        recovery
    }

    /// Takes a completion. Tells what was found once everything is read.
    pub(crate) fn on_disk<P: Probe>(
        &mut self,
        now: Now,
        op: OpId,
        ended: Ended,
        disk: &mut Disk<'_>,
        probe: &mut P,
    ) -> Option<Result<Found, Halt>> {
        let at = self
            .running
            .iter()
            .position(|(running, _)| *running == op)?;
        let (_, job) = self.running.swap_remove(at);
        let went = match ended {
            Ok(ok) => {
                if self.failed.is_empty() {
                    self.backoff.reset();
                }
                self.take(job.what, ok, disk)
            }
            Err(_) => self.again(now, job),
        };
        if let Err(halt) = went {
            return Some(Err(halt));
        }
        self.submit(disk);
        let over = self.running.is_empty() && self.failed.is_empty();
        over.then(|| self.conclude(probe))
    }

    /// Repeats what failed when it is time for it.
    pub(crate) fn on_deadline(&mut self, now: Now, disk: &mut Disk<'_>) {
        if self.backoff.over(now.mono) {
            self.waiting.extend(self.failed.drain(..));
            self.submit(disk);
        }
    }

    pub(crate) const fn deadline(&self) -> Option<Mono> {
        self.backoff.until()
    }

    /// Roughly the bytes that were read so far.
    pub(crate) fn accounted_bytes(&self) -> u64 {
        self.segments.values().map(|bytes| bytes.len() as u64).sum()
    }

    fn submit(&mut self, disk: &mut Disk<'_>) {
        while self.running.len() < PARALLEL {
            let Some(job) = self.waiting.pop_front() else {
                return;
            };
            let op = disk.submit(match job.what {
                What::List => DiskOp::List,
                What::Segment(number, length) => DiskOp::Read {
                    file: log_name(number),
                    offset: 0,
                    length,
                },
                // One byte more than there should be: a longer file shows.
                What::Promise(file) => DiskOp::Read {
                    file,
                    offset: 0,
                    length: SECTOR as u32 + 1,
                },
            });
            self.running.push((op, job));
        }
    }

    fn again(&mut self, now: Now, job: Job) -> Result<(), Halt> {
        let attempts = job.attempts + 1;
        match job.what {
            _ if attempts < ATTEMPTS => {
                self.failed.push(Job { attempts, ..job });
                if self.backoff.until().is_none() {
                    self.backoff.wait(now.mono);
                }
                Ok(())
            }
            // The other copy may do.
            What::Promise(_) => {
                self.unreadable = true;
                Ok(())
            }
            _ => Err(Halt::Unreadable),
        }
    }

    fn take(&mut self, what: What, ok: DiskOk, disk: &mut Disk<'_>) -> Result<(), Halt> {
        match (what, ok) {
            (What::List, DiskOk::Names(names)) => {
                for name in names {
                    self.name(name, disk);
                }
                Ok(())
            }
            (What::Segment(number, asked), DiskOk::Data(bytes)) => {
                if let Some(length) = longer(&bytes, asked) {
                    self.waiting.push_back(What::Segment(number, length).job());
                } else {
                    self.segments.insert(number, bytes);
                }
                Ok(())
            }
            (What::Promise(file), DiskOk::Data(bytes)) => match Copy::read(file, &bytes) {
                Some(Ok(copy)) if copy.identity == self.identity => {
                    self.copies.push(copy);
                    Ok(())
                }
                Some(_) => Err(Halt::Foreign),
                None => Ok(()),
            },
            _ => Err(Halt::Unreadable),
        }
    }

    fn name(&mut self, file: FileName, disk: &mut Disk<'_>) {
        if let Some(number) = number_in(file, "tmp-") {
            self.number = self.number.max(number + 1);
            disk.submit(DiskOp::Remove(file));
        } else if let Some(number) = number_in(file, "log-") {
            self.number = self.number.max(number + 1);
            self.waiting
                .push_back(What::Segment(number, self.segment_bytes).job());
        } else if let Some((_, generation)) = copy_in(file) {
            self.generation = self.generation.max(generation);
            self.promises.push(file);
            self.waiting.push_back(What::Promise(file).job());
        }
    }

    fn conclude<P: Probe>(&mut self, probe: &mut P) -> Result<Found, Halt> {
        let copy = self.promise(probe)?;
        let segments: Vec<_> = std::mem::take(&mut self.segments).into_iter().collect();
        let log = replay(self.identity, &segments, probe)?;
        Ok(Found {
            copy,
            promises: std::mem::take(&mut self.promises),
            log,
            number: self.number,
        })
    }

    fn promise<P: Probe>(&self, probe: &mut P) -> Result<Copy, Halt> {
        let (identity, generation) = (self.identity, self.generation);
        if self.copies.is_empty() {
            let blank = self.promises.is_empty() && self.segments.is_empty();
            if !probe.flip(Bug::CorruptPromiseIsFreshStart, false, true)
                && !probe.flip(Bug::AmnesiacRejoinsAsVoter, false, blank)
            {
                return Err(if self.unreadable {
                    Halt::Unreadable
                } else {
                    Halt::PromiseLost
                });
            }
            return Ok(Copy {
                identity,
                generation,
                incarnation: Incarnation(generation),
                promised: Ballot::ZERO,
                writes: 0,
            });
        }
        let promised = self
            .copies
            .iter()
            .map(|copy| copy.promised)
            .max()
            .unwrap_or_default();
        let incarnation = self
            .copies
            .iter()
            .map(|copy| copy.incarnation)
            .max()
            .unwrap_or_default();
        Ok(Copy {
            identity,
            generation,
            incarnation,
            promised,
            writes: 0,
        })
    }
}

/// How much to read of a segment that an earlier configuration made longer than what was asked for.
fn longer(bytes: &[u8], asked: u32) -> Option<u32> {
    if bytes.len() < asked as usize {
        return None;
    }
    let header = Header::read(bytes)?.ok()?;
    Some(bytes_of(header.sectors) + 1).filter(|length| *length > asked)
}

/// The length of a segment, which is below 2^28 bytes since its header counts sectors by eights in
/// 16 bits.
const fn bytes_of(sectors: u32) -> u32 {
    sectors * SECTOR as u32
}
