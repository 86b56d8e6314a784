//! Appends records to the log: group commit, segments prepared ahead, and a new file after every
//! failure.
//!
//! Records that arrive while a group is being written and synced wait and make the next group
//! together. Durability is told in order, by the last record of a group. After a failed write or
//! sync the file is never trusted again: what was under way is carried into a new segment that cuts
//! the old one. Attempts go on for ever; nothing here grows but the queue, which the replica's
//! window bounds.

use std::collections::VecDeque;
use std::sync::Arc;

use synod_port::files::{Bytes, DiskOp, FileName, OpId};

use crate::bugs::Bug;
use crate::codec::record;
use crate::config::SECTOR;
use crate::contract;
use crate::ids::Lsn;
use crate::log::backoff::Backoff;
use crate::log::disk::{Disk, Ended, Progress, Script};
use crate::log::sector;
use crate::log::segment::{Header, Identity, NO_CUT, log_name, preparation, tmp_name};
use crate::probe::Probe;
use crate::record::Record;
use crate::time::{Mono, Now};

/// What the writer starts from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Start {
    pub identity: Identity,
    /// Sectors in the segments to be made.
    pub sectors: u32,
    /// No segment of this number or a higher one was ever there.
    pub number: u64,
    /// The highest group that counts and is known to be synced.
    pub synced: u64,
    /// What the first segment of this boot cuts.
    pub cut: u64,
    /// The payload of the group above it, if that one counts.
    pub above: Bytes,
}

/// Appends to the log.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    identity: Identity,
    sectors: u32,
    /// The number of the next segment that is made.
    number: u64,
    /// The number of the next group.
    group: u64,
    /// The highest group known to be synced.
    synced: u64,
    /// Where the next group goes; none while the log moves to a new file.
    active: Option<Place>,
    /// A segment that is ready for use.
    spare: Option<u64>,
    /// A segment that is being prepared: for the rescue if there is one, else as the spare.
    making: Option<Making>,
    rescue: Option<Rescue>,
    backoff: Backoff,
    queue: VecDeque<Record>,
    /// The last record that left the queue.
    taken: Lsn,
    flight: Option<Flight>,
    /// Kept empty between uses.
    payload: Vec<u8>,
    buffer: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    segment: u64,
    /// The segment's name, made once.
    file: FileName,
    sector: u32,
}

impl Place {
    fn new(segment: u64, sector: u32) -> Self {
        Self {
            segment,
            file: log_name(segment),
            sector,
        }
    }
}

#[derive(Clone, Debug)]
struct Making {
    number: u64,
    script: Script,
}

/// What must be in a new segment before anything else is written.
#[derive(Clone, Debug)]
struct Rescue {
    cut: u64,
    payload: Bytes,
    /// The last record in it, if it is of this boot.
    last: Option<Lsn>,
}

/// The group that is being written.
#[derive(Clone, Debug)]
struct Flight {
    file: FileName,
    group: u64,
    last: Lsn,
    data: Bytes,
    op: OpId,
    syncing: bool,
    /// Sectors that are written after a first sync; only a planted bug leaves any.
    rest: Option<(u64, Bytes)>,
}

/// What the writer has to tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrote {
    /// The first segment of this boot is in use.
    Opened,
    /// All records up to this one are durable.
    Durable(Lsn),
}

impl Writer {
    /// Starts a boot: prepares the segment that cuts what does not count and carries what does.
    pub(crate) fn open<P: Probe>(start: Start, disk: &mut Disk<'_>, probe: &mut P) -> Self {
        let rescue = Rescue {
            cut: start.cut,
            payload: start.above,
            last: None,
        };
        let mut writer = Self {
            identity: start.identity,
            sectors: start.sectors,
            number: start.number,
            group: start.synced + 1,
            synced: start.synced,
            active: None,
            spare: None,
            making: None,
            rescue: Some(rescue),
            backoff: Backoff::default(),
            queue: VecDeque::new(),
            taken: Lsn(0),
            flight: None,
            payload: Vec::new(),
            buffer: Vec::new(),
        };
        writer.make(disk, probe);
        writer
    }

    /// Puts a record at the end of the queue. [`pump`](Self::pump) starts writing.
    pub(crate) fn append(&mut self, record: Record) {
        self.queue.push_back(record);
    }

    /// Starts a group if there is something to write and nothing under way.
    pub(crate) fn pump<P: Probe>(&mut self, disk: &mut Disk<'_>, probe: &mut P) {
        if self.flight.is_some() || self.rescue.is_some() {
            return;
        }
        if self.queue.is_empty() {
            return;
        }
        let Some(place) = self.room(disk, probe) else {
            return;
        };
        contract!(
            probe,
            OneGroupAboveWatermark,
            self.group == self.synced + 1,
            "group {} is begun when {} is synced",
            self.group,
            self.synced
        );
        let count = self.fill(place);
        self.taken.0 += count;
        let data = self.frame(place);
        let (whole, rest) = self.split(data, place, probe);
        let offset = u64::from(place.sector) * SECTOR as u64;
        let op = disk.submit(DiskOp::Write {
            file: place.file,
            offset,
            data: whole.clone(),
        });
        self.flight = Some(Flight {
            file: place.file,
            group: self.group,
            last: self.taken,
            data: whole,
            op,
            syncing: false,
            rest,
        });
        self.group += 1;
        if self
            .active
            .is_some_and(|active| active.sector > self.sectors / 2)
        {
            self.prepare_spare(disk, probe);
        }
    }

    /// Takes a completion, if it is one of its own.
    pub(crate) fn on_disk<P: Probe>(
        &mut self,
        now: Now,
        op: OpId,
        ended: &Ended,
        disk: &mut Disk<'_>,
        probe: &mut P,
    ) -> Option<Wrote> {
        if let Some(flight) = self.flight.as_ref().filter(|flight| flight.op == op) {
            return if flight.syncing {
                self.on_synced(ended.is_ok(), disk, probe)
            } else {
                self.on_written(ended.is_ok(), disk, probe)
            };
        }
        match self.making.as_mut()?.script.on_disk(op, ended, disk)? {
            Progress::Step(_) => None,
            Progress::Done => self.on_made(disk, probe),
            Progress::Failed(_) => {
                self.abandon(disk);
                self.backoff.wait(now.mono);
                if let Some(rescue) = &mut self.rescue
                    && probe.flip(
                        Bug::SecondRescueForgetsGroup,
                        false,
                        !rescue.payload.is_empty(),
                    )
                {
                    rescue.payload = [].into();
                }
                None
            }
        }
    }

    /// Makes another attempt when it is time for it.
    pub(crate) fn on_deadline<P: Probe>(&mut self, now: Now, disk: &mut Disk<'_>, probe: &mut P) {
        if self.backoff.over(now.mono) {
            self.make(disk, probe);
        }
    }

    pub(crate) const fn deadline(&self) -> Option<Mono> {
        self.backoff.until()
    }

    /// Whether nothing is written, nor waits to be.
    pub(crate) fn is_idle(&self) -> bool {
        self.flight.is_none() && self.rescue.is_none() && self.queue.is_empty()
    }

    /// Roughly the bytes that wait here.
    pub(crate) fn accounted_bytes(&self) -> u64 {
        let queued: usize = self
            .queue
            .iter()
            .map(|record| record::encoded_len(record) + size_of::<Record>())
            .sum();
        let flying = self.flight.as_ref().map_or(0, |flight| flight.data.len());
        (queued
            + flying
            + self
                .rescue
                .as_ref()
                .map_or(0, |rescue| rescue.payload.len())) as u64
    }

    /// Where the first record of the queue fits; sees to a new segment if there is no such place.
    fn room<P: Probe>(&mut self, disk: &mut Disk<'_>, probe: &mut P) -> Option<Place> {
        let next = record::encoded_len(self.queue.front()?);
        if let Some(place) = self.active.filter(|place| self.capacity(*place) >= next) {
            return Some(place);
        }
        let Some(segment) = self.spare.take() else {
            self.prepare_spare(disk, probe);
            return None;
        };
        let place = Place::new(segment, 1);
        assert!(
            self.capacity(place) >= next,
            "a record of {next} bytes was let in, which no segment can hold"
        );
        self.active = Some(place);
        Some(place)
    }

    const fn capacity(&self, place: Place) -> usize {
        (self.sectors - place.sector) as usize * sector::PAYLOAD
    }

    /// Encodes as many records as fit; says how many.
    fn fill(&mut self, place: Place) -> u64 {
        let capacity = self.capacity(place);
        let mut count = 0;
        self.payload.clear();
        while let Some(next) = self.queue.front() {
            if self.payload.len() + record::encoded_len(next) > capacity {
                break;
            }
            record::put(&mut self.payload, next);
            self.queue.pop_front();
            count += 1;
        }
        count
    }

    /// Frames the payload for a place, and moves on behind it.
    fn frame(&mut self, place: Place) -> Bytes {
        self.buffer.clear();
        sector::put_group(
            &mut self.buffer,
            place.segment,
            place.sector,
            self.group,
            self.synced,
            &self.payload,
        );
        let data: Bytes = Arc::from(self.buffer.as_slice());
        self.active = Some(Place {
            sector: place.sector + sector::sectors(self.payload.len()),
            ..place
        });
        self.buffer.clear();
        self.payload.clear();
        data
    }

    /// What is written at first, and what is left for later: nothing, unless a bug is planted.
    fn split<P: Probe>(
        &self,
        data: Bytes,
        place: Place,
        probe: &mut P,
    ) -> (Bytes, Option<(u64, Bytes)>) {
        if probe.flip(Bug::BatchAckedAfterFirstRecord, false, data.len() > SECTOR) {
            let rest = (
                u64::from(place.sector + 1) * SECTOR as u64,
                Arc::from(&data[SECTOR..]),
            );
            return (Arc::from(&data[..SECTOR]), Some(rest));
        }
        (data, None)
    }

    fn on_written<P: Probe>(
        &mut self,
        well: bool,
        disk: &mut Disk<'_>,
        probe: &mut P,
    ) -> Option<Wrote> {
        if !well {
            self.fail(disk, probe);
            return None;
        }
        let flight = self.flight.as_mut()?;
        flight.op = disk.submit(DiskOp::Sync(flight.file));
        flight.syncing = true;
        probe
            .flip(Bug::AcceptedBeforeFsync, false, true)
            .then_some(Wrote::Durable(flight.last))
    }

    fn on_synced<P: Probe>(
        &mut self,
        well: bool,
        disk: &mut Disk<'_>,
        probe: &mut P,
    ) -> Option<Wrote> {
        let flight = self.flight.as_mut()?;
        if !probe.flip(Bug::FsyncErrorIgnored, well, true) {
            if probe.flip(Bug::FsyncRetryTrusted, false, true) {
                flight.op = disk.submit(DiskOp::Sync(flight.file));
            } else if probe.flip(Bug::WriteAfterFailedFsyncAcked, false, true) {
                self.flight = None;
                self.pump(disk, probe);
            } else {
                self.fail(disk, probe);
            }
            return None;
        }
        let last = flight.last;
        if let Some((offset, rest)) = flight.rest.take() {
            flight.op = disk.submit(DiskOp::Write {
                file: flight.file,
                offset,
                data: rest.clone(),
            });
            flight.syncing = false;
            flight.data = [&*flight.data, &*rest].concat().into();
            return Some(Wrote::Durable(last));
        }
        self.synced = flight.group;
        self.flight = None;
        let waiting = self.queue.len() as u64;
        let all = probe.flip(Bug::SyncCoversWhatCameLater, false, waiting > 0);
        self.pump(disk, probe);
        Some(Wrote::Durable(Lsn(last.0 + if all { waiting } else { 0 })))
    }

    /// The present file cannot be trusted: carries the group under way into a new one.
    fn fail<P: Probe>(&mut self, disk: &mut Disk<'_>, probe: &mut P) {
        let flight = self.flight.take().expect("only a group under way can fail");
        let mut payload = sector::payload_of(&flight.data);
        if let Some((_, rest)) = &flight.rest {
            payload.extend(sector::payload_of(rest));
        }
        self.rescue = Some(Rescue {
            cut: self.synced,
            payload: payload.into(),
            last: Some(flight.last),
        });
        self.group = flight.group;
        self.active = None;
        if let Some(spare) = self.spare.take() {
            disk.submit(DiskOp::Remove(log_name(spare)));
        }
        self.abandon(disk);
        self.make(disk, probe);
    }

    /// Gives up the segment that is being prepared. Nothing rests on it, so nobody waits for its
    /// removal.
    fn abandon(&mut self, disk: &mut Disk<'_>) {
        self.backoff.interrupt();
        if let Some(making) = self.making.take() {
            disk.submit(DiskOp::Remove(tmp_name(making.number)));
            disk.submit(DiskOp::Remove(log_name(making.number)));
        }
    }

    fn prepare_spare<P: Probe>(&mut self, disk: &mut Disk<'_>, probe: &mut P) {
        if self.spare.is_none() && self.making.is_none() && self.backoff.until().is_none() {
            self.make(disk, probe);
        }
    }

    fn make<P: Probe>(&mut self, disk: &mut Disk<'_>, probe: &mut P) {
        contract!(
            probe,
            OneSegmentIsMadeAtATime,
            self.making.is_none(),
            "segment {} is made while another is",
            self.number
        );
        let number = self.number;
        self.number += 1;
        let (cut, payload) = self
            .rescue
            .as_ref()
            .map_or((NO_CUT, [].as_slice()), |rescue| {
                (rescue.cut, &rescue.payload)
            });
        let header = Header {
            identity: self.identity,
            number,
            first: self.group,
            synced: self.synced,
            cut,
            sectors: self.sectors,
        };
        self.making = Some(Making {
            number,
            script: Script::start(preparation(&header, payload, probe), disk),
        });
    }

    fn on_made<P: Probe>(&mut self, disk: &mut Disk<'_>, probe: &mut P) -> Option<Wrote> {
        let number = self.making.take()?.number;
        self.backoff.reset();
        let Some(rescue) = self.rescue.take() else {
            self.spare = Some(number);
            self.pump(disk, probe);
            return None;
        };
        contract!(
            probe,
            EachFileCutsAtTheWatermark,
            rescue.cut == self.synced,
            "cuts at group {}, and {} is synced",
            rescue.cut,
            self.synced
        );
        self.active = Some(Place::new(
            number,
            1 + sector::sectors(rescue.payload.len()),
        ));
        if !rescue.payload.is_empty() {
            self.synced = self.group;
            self.group += 1;
        }
        self.pump(disk, probe);
        Some(rescue.last.map_or(Wrote::Opened, Wrote::Durable))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ClusterId, NodeId};
    use crate::probe::Full;

    /// What a writer starts from whose first file cuts where it must not.
    fn start() -> Start {
        Start {
            identity: Identity {
                cluster: ClusterId(1),
                node: NodeId(0),
            },
            sectors: 8,
            number: 1,
            synced: 3,
            cut: NO_CUT,
            above: [].into(),
        }
    }

    #[test]
    #[should_panic(expected = "contract EachFileCutsAtTheWatermark")]
    fn a_file_that_cuts_elsewhere_breaks_a_contract() {
        let (mut next, mut out, mut probe) = (0, Vec::new(), Full::default());
        let mut disk = Disk::new(&mut next, &mut out);
        Writer::open(start(), &mut disk, &mut probe).on_made(&mut disk, &mut probe);
    }

    #[test]
    #[should_panic(expected = "contract OneSegmentIsMadeAtATime")]
    fn a_segment_that_is_made_beside_another_breaks_a_contract() {
        let (mut next, mut out, mut probe) = (0, Vec::new(), Full::default());
        let mut disk = Disk::new(&mut next, &mut out);
        Writer::open(start(), &mut disk, &mut probe).make(&mut disk, &mut probe);
    }
}
