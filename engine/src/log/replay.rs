//! Reads the log back: which groups count, which are torn, and what is damage.
//!
//! A pure function of the segments' bytes. It promises that every record of a group up to the
//! watermark is there, in order, or that it says [`Halt::LogDamaged`]. It cannot tell a synced last
//! group that the disk has zeroed from one that was never written; nothing can.

use std::borrow::Cow;
use std::ops::Range;

use synod_port::files::Bytes;

use crate::bugs::Bug;
use crate::codec::record;
use crate::config::SECTOR;
use crate::io::Halt;
use crate::log::sector::{self, Head, Sector, is_zero};
use crate::log::segment::{Header, Identity, NO_CUT};
use crate::probe::Probe;
use crate::record::Record;

/// What the log says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Replayed {
    /// All records that count, oldest first.
    pub records: Vec<Record>,
    /// The highest group known to be synced.
    pub synced: u64,
    /// What the next segment has to cut.
    pub cut: u64,
    /// The payload of the group above the watermark, when it is whole; empty otherwise.
    pub above: Vec<u8>,
    /// A group above the watermark is torn.
    pub torn: bool,
}

/// Reads segments, in order of their numbers.
///
/// # Errors
/// [`Halt::LogDamaged`] or [`Halt::Foreign`].
pub(crate) fn replay<P: Probe>(
    identity: Identity,
    segments: &[(u64, Bytes)],
    probe: &mut P,
) -> Result<Replayed, Halt> {
    let segments = open(identity, segments, probe)?;
    let watermark = segments.iter().map(Segment::watermark).max().unwrap_or(0);
    let mut walk = Walk {
        watermark,
        next: 1,
        records: Vec::new(),
        above: Vec::new(),
        torn: false,
        missing: None,
    };
    for (at, segment) in segments.iter().enumerate() {
        if walk.segment(segment, at + 1 == segments.len(), probe)? == Way::Stop {
            break;
        }
    }
    if let Some((segment, sector)) = walk.missing.filter(|_| walk.next <= walk.watermark) {
        walk.gap(segment, sector, probe)?;
    }
    let synced = walk.watermark;
    let cut = if probe.flip(Bug::TornTailNotTruncated, true, !walk.torn) {
        synced
    } else {
        NO_CUT
    };
    Ok(Replayed {
        records: walk.records,
        synced,
        cut,
        above: walk.above,
        torn: walk.torn,
    })
}

/// A segment whose header is sound.
struct Segment<'a> {
    header: Header,
    /// The highest group in it that counts, as far as later segments say.
    limit: u64,
    /// From its first sector to the last that is not zero.
    sectors: Vec<Sector<'a>>,
}

impl Segment<'_> {
    /// The highest group that is known to be synced, by what counts in this segment.
    fn watermark(&self) -> u64 {
        let heads = self.sectors.iter().filter_map(|sector| match sector {
            Sector::Sound(head, _) if head.group <= self.limit => Some(head.synced),
            _ => None,
        });
        heads
            .max()
            .unwrap_or(0)
            .max(self.header.synced.min(self.limit))
    }

    /// Sector `at`, counted from 1.
    fn sector(&self, at: usize) -> Sector<'_> {
        self.sectors[at - 1]
    }

    /// The payload of a whole group. Most groups have one sector, and nothing is copied then.
    fn payload(&self, sectors: Range<usize>) -> Cow<'_, [u8]> {
        let piece = |at| {
            if let Sector::Sound(_, piece) = self.sector(at) {
                piece
            } else {
                &[]
            }
        };
        if sectors.len() == 1 {
            Cow::Borrowed(piece(sectors.start))
        } else {
            Cow::Owned(sectors.map(piece).collect::<Vec<_>>().concat())
        }
    }

    /// One past the last sector that is not zero.
    fn end(&self) -> usize {
        self.sectors.len() + 1
    }
}

fn open<'a, P: Probe>(
    identity: Identity,
    segments: &'a [(u64, Bytes)],
    probe: &mut P,
) -> Result<Vec<Segment<'a>>, Halt> {
    let mut opened = Vec::with_capacity(segments.len());
    let mut limit = NO_CUT;
    for (number, bytes) in segments.iter().rev() {
        let damaged = |sector| Halt::LogDamaged {
            segment: *number,
            sector,
        };
        let header = Header::read(bytes)
            .ok_or(damaged(0))?
            .map_err(|_| Halt::Foreign)?;
        if header.identity != identity {
            return Err(Halt::Foreign);
        }
        if header.number != *number || header.sectors == 0 {
            return Err(damaged(0));
        }
        if bytes.len() != header.sectors as usize * SECTOR {
            return Err(damaged(
                u32::try_from(bytes.len() / SECTOR)
                    .unwrap_or(u32::MAX)
                    .min(header.sectors),
            ));
        }
        let unused = bytes.rchunks(SECTOR).take_while(|sector| is_zero(sector));
        let used = bytes.len() - unused.count() * SECTOR;
        let sectors = (1..)
            .zip(bytes[..used].chunks_exact(SECTOR).skip(1))
            .map(|(index, bytes)| match Sector::read(*number, index, bytes) {
                Sector::Bad if probe.flip(Bug::CorruptEntryForwarded, false, true) => {
                    Sector::unverified(bytes)
                }
                sector => sector,
            })
            .collect();
        opened.push(Segment {
            header,
            limit,
            sectors,
        });
        limit = limit.min(header.cut);
    }
    opened.reverse();
    Ok(opened)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    On,
    Stop,
}

struct Walk {
    watermark: u64,
    /// The group that is looked for.
    next: u64,
    records: Vec<Record>,
    above: Vec<u8>,
    torn: bool,
    /// The first unused sector of the last segment: where a missing group is missing.
    missing: Option<(u64, u32)>,
}

impl Walk {
    fn segment<P: Probe>(
        &mut self,
        segment: &Segment<'_>,
        last: bool,
        probe: &mut P,
    ) -> Result<Way, Halt> {
        let mut at = 1;
        while at < segment.end() && self.next <= segment.limit {
            let Some(end) = whole(segment, at, self.next) else {
                if let Some(behind) = zero_filled(segment, at, self.next)
                    && probe.flip(Bug::ZeroedRecordValid, false, true)
                {
                    self.take_zero_filled(segment, at..behind);
                    at = behind.min(segment.end());
                    continue;
                }
                if let Some(behind) = behind_damage(segment, at, self.next)
                    && probe.flip(Bug::FaultyEntrySaysAbsent, false, true)
                {
                    at = behind;
                    self.next += 1;
                    continue;
                }
                return self.tail(segment, at, probe);
            };
            if self.torn {
                return self.gap(segment.header.number, index(at), probe);
            }
            self.take(segment, at..end)?;
            at = end;
        }
        self.missing = Some((segment.header.number, index(at)));
        let torn_and_void = (at..segment.end()).any(|at| segment.sector(at) != Sector::Zero)
            && whole(segment, at, self.next).is_none();
        let go_on = probe.flip(
            Bug::ReplayStopsBeforeLastSegment,
            true,
            last || !torn_and_void,
        );
        if go_on { Ok(Way::On) } else { Ok(self.stop()) }
    }

    /// Takes the records of a whole group.
    fn take(&mut self, segment: &Segment<'_>, sectors: Range<usize>) -> Result<(), Halt> {
        let damaged = Halt::LogDamaged {
            segment: segment.header.number,
            sector: index(sectors.start),
        };
        let payload = segment.payload(sectors);
        for record in record::records(&payload) {
            self.records.push(record.map_err(|_| damaged)?);
        }
        if self.next > self.watermark {
            if !self.above.is_empty() || self.next > self.watermark + 1 {
                return Err(damaged);
            }
            self.above = payload.into_owned();
        }
        self.next += 1;
        Ok(())
    }

    /// Takes what decodes of a group whose missing sectors are read as zeros, which only a mutant
    /// does.
    fn take_zero_filled(&mut self, segment: &Segment<'_>, sectors: Range<usize>) {
        let mut payload = vec![0; sectors.len() * sector::PAYLOAD];
        for (at, room) in sectors.zip(payload.chunks_mut(sector::PAYLOAD)) {
            if let Some(Sector::Sound(_, piece)) = segment.sectors.get(at - 1) {
                room[..piece.len()].copy_from_slice(piece);
            }
        }
        let records = record::records(&payload).map_while(Result::ok);
        for record in records {
            if self.next > self.watermark {
                record::put(&mut self.above, &record);
            }
            self.records.push(record);
        }
        self.next += 1;
    }

    /// From sector `at` on there is no whole group that is looked for: all is unused, or torn, or
    /// damaged.
    fn tail<P: Probe>(
        &mut self,
        segment: &Segment<'_>,
        start: usize,
        probe: &mut P,
    ) -> Result<Way, Halt> {
        let number = segment.header.number;
        let (mut part, mut stray) = (false, false);
        for at in start..segment.end() {
            match segment.sector(at) {
                Sector::Zero => (),
                Sector::Bad => return self.rotten(number, index(at), probe),
                Sector::Sound(head, _)
                    if head.group == self.next && at == start + usize::from(head.index) =>
                {
                    part = true
                }
                Sector::Sound(..) => stray = true,
            }
        }
        if stray
            || (part && (self.next <= self.watermark || self.torn))
            || (part && !self.above.is_empty())
        {
            return self.gap(number, index(start), probe);
        }
        self.torn |= part;
        self.missing = Some((number, index(start)));
        Ok(Way::On)
    }

    /// A sector that is neither zero nor sound.
    fn rotten<P: Probe>(&mut self, segment: u64, sector: u32, probe: &mut P) -> Result<Way, Halt> {
        let tail = self.next > self.watermark;
        let bug = if tail {
            Bug::BitrotTailTakenAsTorn
        } else {
            Bug::MidlogCorruptionIsTail
        };
        if probe.flip(bug, false, true) {
            Ok(self.stop())
        } else {
            Err(Halt::LogDamaged { segment, sector })
        }
    }

    /// A group that must be there is not.
    fn gap<P: Probe>(&mut self, segment: u64, sector: u32, probe: &mut P) -> Result<Way, Halt> {
        let ends = probe.flip(Bug::TornTailNotTruncated, false, true)
            || probe.flip(Bug::WriteAfterFailedFsyncAcked, false, true);
        if ends {
            Ok(self.stop())
        } else {
            Err(Halt::LogDamaged { segment, sector })
        }
    }

    /// Takes this for the log's end, whatever is known of more. Only planted bugs come here.
    fn stop(&mut self) -> Way {
        self.watermark = self.watermark.min(self.next - 1);
        self.torn = true;
        Way::Stop
    }
}

/// The end of the group, if it starts at sector `start` and is whole.
fn whole(segment: &Segment<'_>, start: usize, group: u64) -> Option<usize> {
    if start >= segment.end() {
        return None;
    }
    let Sector::Sound(Head { count, .. }, _) = segment.sector(start) else {
        return None;
    };
    let end = start + usize::from(count);
    let belongs = |at: usize| {
        let Sector::Sound(head, _) = segment.sector(at) else {
            return false;
        };
        head.group == group && head.count == count && usize::from(head.index) == at - start
    };
    (end <= segment.end() && group >= segment.header.first && (start..end).all(belongs))
        .then_some(end)
}

/// The end of the group that starts at sector `start`, if its first sector is there and others were
/// never written.
fn zero_filled(segment: &Segment<'_>, start: usize, group: u64) -> Option<usize> {
    let Some(Sector::Sound(first, _)) = segment.sectors.get(start - 1) else {
        return None;
    };
    let end = start + usize::from(first.count);
    let fits = |at: usize| match segment.sectors.get(at - 1) {
        Some(Sector::Sound(head, _)) => {
            head.group == group && usize::from(head.index) == at - start
        }
        Some(Sector::Bad) => false,
        Some(Sector::Zero) | None => true,
    };
    (end <= segment.header.sectors as usize && (start..end).all(fits)).then_some(end)
}

/// Where the group after this one starts, if this one, at sector `start`, is damaged.
fn behind_damage(segment: &Segment<'_>, start: usize, group: u64) -> Option<usize> {
    let next = (start..segment.end()).find(|at| {
        matches!(segment.sector(*at), Sector::Sound(head, _)
            if head.group == group + 1 && head.index == 0)
    })?;
    let damaged = (start..next).any(|at| segment.sector(at) == Sector::Bad);
    damaged.then_some(next)
}

fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
