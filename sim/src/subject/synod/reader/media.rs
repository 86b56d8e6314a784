//! Reads the engine's files as they become durable, sync by sync. The format is the one that the
//! engine's `log` documents.
//!
//! A vote counts when its whole group was synced in a segment whose name, `log-N`, is durable; so
//! what is written into `tmp-N` counts from the sync of the directory that follows its renaming. A
//! promise counts when every copy of a promise with a durable name is at least as high: then any
//! copy that is left intact tells it. Sectors whose checksum does not fit count for nothing.
//!
//! It leaves out the cut and the watermark: a vote that a successful sync covered was cast,
//! whatever recovery makes of it later.

use std::sync::Arc;

use crc_fast::{CrcAlgorithm, Digest, crc32_iscsi};
use synod_port::files::FileName;

use crate::subject::process::{Durable, MediaReader};
use crate::trace::event::value_hash;

const SECTOR: usize = 512;
const PROMISE_MAGIC: &[u8] = b"SPR1";

/// Where a sector of a group has its parts.
mod at {
    pub const GROUP: usize = 4;
    pub const INDEX: usize = 20;
    pub const COUNT: usize = 22;
    pub const USED: usize = 24;
    pub const PAYLOAD: usize = 28;
}

/// Kind, slot, ballot round, ballot node: what a vote's record has before its value.
const VOTE: u8 = 1;
const VOTE_HEAD: usize = 18;
/// Kind, slot: what a value's record has before it that was learned.
const LEARNED: u8 = 2;
const LEARNED_HEAD: usize = 9;

/// What a file is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    /// `log-N`.
    Segment(u64),
    /// `tmp-N`.
    Prepared(u64),
    /// `promise-a-N` or `promise-b-N`.
    Promise,
}

impl Role {
    fn of(file: FileName) -> Option<Self> {
        let name = file.as_bytes();
        if let Some(digits) = name.strip_prefix(b"log-") {
            return number(digits).map(Self::Segment);
        }
        if let Some(digits) = name.strip_prefix(b"tmp-") {
            return number(digits).map(Self::Prepared);
        }
        (name.starts_with(b"promise-a-") || name.starts_with(b"promise-b-"))
            .then_some(Self::Promise)
    }
}

/// What decimal digits say.
fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// A group whose sectors did not all come yet.
#[derive(Clone, Default, Debug)]
struct Partial {
    segment: u64,
    group: u64,
    count: u16,
    next: u16,
    payload: Vec<u8>,
}

/// A copy of the promise that was synced.
#[derive(Clone, Copy, Debug)]
struct Promise {
    file: FileName,
    named: bool,
    /// None: its sector is damaged.
    ballot: Option<(u64, u8)>,
}

/// The reading of one node's files.
#[derive(Clone, Default, Debug)]
pub struct Media {
    /// Names are told; until then every name counts as durable.
    told: bool,
    /// Segments with a durable name.
    segments: Arc<Vec<u64>>,
    /// Copies of the promise with a durable name.
    copies: Arc<Vec<FileName>>,
    /// Votes that wait for their segment's name.
    waiting: Arc<Vec<(u64, Durable)>>,
    partial: Partial,
    promises: Vec<Promise>,
    /// The promise that was last reported.
    promised: Option<(u64, u8)>,
}

impl MediaReader for Media {
    fn synced(&mut self, file: FileName, sectors: &[(u32, &[u8])], found: &mut Vec<Durable>) {
        let role = Role::of(file);
        match role {
            Some(Role::Segment(segment) | Role::Prepared(segment)) => {
                let named = !self.told
                    || (matches!(role, Some(Role::Segment(_)))
                        && self.segments.binary_search(&segment).is_ok());
                if !named && sectors.first().is_some_and(|(index, _)| *index == 0) {
                    // The header is written anew: an earlier file that was being prepared under
                    // this number is gone.
                    Arc::make_mut(&mut self.waiting).retain(|(other, _)| *other != segment);
                }
                let first = found.len();
                for (index, sector) in sectors.iter().filter(|(index, _)| *index > 0) {
                    self.sector(segment, *index, sector, found);
                }
                if !named && found.len() > first {
                    Arc::make_mut(&mut self.waiting)
                        .extend(found.drain(first..).map(|vote| (segment, vote)));
                }
            }
            Some(Role::Promise) => {
                for (_, sector) in sectors.iter().filter(|(index, _)| *index == 0) {
                    let promise = Promise {
                        file,
                        named: self.copies.contains(&file),
                        ballot: promise(sector),
                    };
                    match self
                        .promises
                        .iter_mut()
                        .find(|promise| promise.file == file)
                    {
                        Some(known) => known.ballot = promise.ballot,
                        None => self.promises.push(promise),
                    }
                }
                self.weigh(found);
            }
            None => {}
        }
    }

    fn named(&mut self, names: &[FileName], found: &mut Vec<Durable>) {
        self.told = true;
        let mut segments = Vec::with_capacity(names.len());
        let mut copies = Vec::new();
        for name in names {
            match Role::of(*name) {
                Some(Role::Segment(segment)) => segments.push(segment),
                Some(Role::Promise) => copies.push(*name),
                Some(Role::Prepared(_)) | None => {}
            }
        }
        segments.sort_unstable();
        if !self.waiting.is_empty() {
            // Segments are prepared one after another: what waits below the newest that has its
            // name was given up.
            let newest = segments.last().copied().unwrap_or(0);
            Arc::make_mut(&mut self.waiting).retain(|(segment, vote)| {
                if segments.binary_search(segment).is_ok() {
                    found.push(vote.clone());
                }
                *segment > newest
            });
        }
        if *self.segments != segments {
            self.segments = Arc::new(segments);
        }
        if *self.copies != copies {
            self.copies = Arc::new(copies);
        }
        let copies = &self.copies;
        self.promises.retain_mut(|promise| {
            let named = copies.contains(&promise.file);
            let removed = promise.named && !named;
            promise.named = named;
            !removed
        });
        self.weigh(found);
    }

    fn booted(&mut self) {
        if self.told {
            self.promises.retain(|promise| promise.named);
        }
    }

    fn fork(&self) -> Box<dyn MediaReader> {
        Box::new(self.clone())
    }
}

impl Media {
    /// One sector of a segment; a group that it completes gives its votes.
    fn sector(&mut self, segment: u64, index: u32, sector: &[u8], found: &mut Vec<Durable>) {
        let Ok(sector): Result<&[u8; SECTOR], _> = sector.try_into() else {
            return;
        };
        let (part, count, used) = (
            short(sector, at::INDEX),
            short(sector, at::COUNT),
            usize::from(short(sector, at::USED)),
        );
        if part >= count || used > SECTOR - at::PAYLOAD || !is_sound(segment, index, sector) {
            return;
        }
        let (group, payload) = (
            word(sector, at::GROUP),
            &sector[at::PAYLOAD..at::PAYLOAD + used],
        );
        if count == 1 {
            return records(payload, found);
        }
        let partial = &mut self.partial;
        if part == 0 {
            partial.payload.clear();
            (partial.segment, partial.group, partial.count, partial.next) =
                (segment, group, count, 0);
        }
        if (partial.segment, partial.group, partial.count, partial.next)
            == (segment, group, count, part)
        {
            partial.payload.extend_from_slice(payload);
            partial.next += 1;
            if partial.next == count {
                records(&partial.payload, found);
                *partial = Partial::default();
            }
        }
    }

    /// Reports the promise that every copy with a durable name tells, when it has changed.
    fn weigh(&mut self, found: &mut Vec<Durable>) {
        let told = self.told;
        let counts = |promise: &&Promise| promise.named || !told;
        let pairs = |letter: &str| {
            self.promises
                .iter()
                .filter(counts)
                .any(|promise| promise.file.as_str().starts_with(letter))
        };
        if !pairs("promise-a-") || !pairs("promise-b-") {
            return;
        }
        let lowest = self
            .promises
            .iter()
            .filter(counts)
            .filter_map(|promise| promise.ballot)
            .min();
        // Before names are told nobody says what was removed: the older pairs may be gone.
        let lowest = if told { lowest } else { self.best_pair() };
        if lowest != self.promised {
            self.promised = lowest;
            found.extend(lowest.map(Durable::Promise));
        }
    }

    /// The highest promise that both copies of a pair tell, whatever became of the others.
    fn best_pair(&self) -> Option<(u64, u8)> {
        let generation = |promise: &Promise| {
            promise
                .file
                .as_str()
                .get("promise-a-".len()..)
                .and_then(|number| number.parse::<u64>().ok())
        };
        let other = |one: &Promise| {
            self.promises
                .iter()
                .find(|other| other.file != one.file && generation(other) == generation(one))
        };
        self.promises
            .iter()
            .filter_map(|one| other(one)?.ballot.min(one.ballot))
            .max()
    }
}

/// The checksum of a sector continues from where it belongs.
fn is_sound(segment: u64, index: u32, sector: &[u8; SECTOR]) -> bool {
    let mut place = [0; 12];
    place[..8].copy_from_slice(&segment.to_le_bytes());
    place[8..].copy_from_slice(&index.to_le_bytes());
    let mut sum = Digest::new(CrcAlgorithm::Crc32Iscsi);
    sum.update(&place);
    sum.update(&sector[4..]);
    (sum.finalize() as u32).to_le_bytes() == sector[..4]
}

/// The votes, and what was learned, among the records: length (u32), then so many bytes.
fn records(mut payload: &[u8], found: &mut Vec<Durable>) {
    while let Some((length, rest)) = payload.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((record, rest)) = rest.split_at_checked(length) else {
            return;
        };
        payload = rest;
        if let Some((head, value)) = record.split_first_chunk::<VOTE_HEAD>()
            && head[0] == VOTE
        {
            found.push(Durable::Vote {
                slot: word(head, 1),
                ballot: (word(head, 9), head[17]),
                value: value_hash(value),
            });
        } else if let Some((head, value)) = record.split_first_chunk::<LEARNED_HEAD>()
            && head[0] == LEARNED
        {
            found.push(Durable::Learned {
                slot: word(head, 1),
                value: value_hash(value),
            });
        }
    }
}

/// The ballot of a promise's sector.
fn promise(sector: &[u8]) -> Option<(u64, u8)> {
    let sector: &[u8; SECTOR] = sector.try_into().ok()?;
    let sound = crc32_iscsi(&sector[4..]).to_le_bytes() == sector[..4];
    (sound && &sector[4..8] == PROMISE_MAGIC).then(|| (word(sector, 32), sector[48]))
}

fn word(bytes: &[u8], at: usize) -> u64 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn short(bytes: &[u8], at: usize) -> u16 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

/// Writes files by hand, for tests here and of the suite.
#[cfg(test)]
pub(crate) mod by_hand {
    use super::*;

    /// The name.
    pub(crate) fn name(name: &str) -> FileName {
        FileName::new(name).unwrap()
    }

    /// A vote's record.
    pub(crate) fn vote(slot: u64, ballot: (u64, u8), value: &[u8]) -> Vec<u8> {
        let length = u32::try_from(VOTE_HEAD + value.len())
            .unwrap()
            .to_le_bytes();
        [
            &length[..],
            &[VOTE],
            &slot.to_le_bytes(),
            &ballot.0.to_le_bytes(),
            &[ballot.1],
            value,
        ]
        .concat()
    }

    /// The sectors of a group from `first` on.
    pub(crate) fn group(
        segment: u64,
        first: u32,
        group: u64,
        records: &[Vec<u8>],
    ) -> Vec<(u32, Vec<u8>)> {
        let payload = records.concat();
        let count = payload.len().div_ceil(SECTOR - at::PAYLOAD);
        let chunks = payload.chunks(SECTOR - at::PAYLOAD).enumerate();
        chunks
            .map(|(part, chunk)| {
                let index = first + u32::try_from(part).unwrap();
                let mut sector = vec![0; SECTOR];
                sector[4..12].copy_from_slice(&group.to_le_bytes());
                sector[20..22].copy_from_slice(&u16::try_from(part).unwrap().to_le_bytes());
                sector[22..24].copy_from_slice(&u16::try_from(count).unwrap().to_le_bytes());
                sector[24..26].copy_from_slice(&u16::try_from(chunk.len()).unwrap().to_le_bytes());
                sector[28..28 + chunk.len()].copy_from_slice(chunk);
                let sum = crc32_iscsi(
                    &[
                        &segment.to_le_bytes()[..],
                        &index.to_le_bytes(),
                        &sector[4..],
                    ]
                    .concat(),
                );
                sector[..4].copy_from_slice(&sum.to_le_bytes());
                (index, sector)
            })
            .collect()
    }

    /// The sector of a promise.
    pub(crate) fn promise(ballot: (u64, u8)) -> Vec<(u32, Vec<u8>)> {
        let mut sector = vec![0; SECTOR];
        sector[4..8].copy_from_slice(PROMISE_MAGIC);
        sector[32..40].copy_from_slice(&ballot.0.to_le_bytes());
        sector[48] = ballot.1;
        let sum = crc32_iscsi(&sector[4..]);
        sector[..4].copy_from_slice(&sum.to_le_bytes());
        vec![(0, sector)]
    }

    /// Sectors as a sync tells them.
    pub(crate) fn borrowed(sectors: &[(u32, Vec<u8>)]) -> Vec<(u32, &[u8])> {
        sectors
            .iter()
            .map(|(index, sector)| (*index, sector.as_slice()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::by_hand::{borrowed, group, name, promise, vote};
    use super::*;

    fn synced(media: &mut Media, file: &str, sectors: &[(u32, Vec<u8>)]) -> Vec<Durable> {
        let mut found = Vec::new();
        media.synced(name(file), &borrowed(sectors), &mut found);
        found
    }

    fn named(media: &mut Media, names: &[&str]) -> Vec<Durable> {
        let mut found = Vec::new();
        media.named(
            &names.iter().map(|file| name(file)).collect::<Vec<_>>(),
            &mut found,
        );
        found
    }

    fn found(slot: u64, value: &[u8]) -> Durable {
        Durable::Vote {
            slot,
            ballot: (3, 1),
            value: value_hash(value),
        }
    }

    #[test]
    fn a_group_gives_its_votes_and_what_was_learned() {
        let mut media = Media::default();
        named(&mut media, &["log-00000007"]);
        let learned = [&11u32.to_le_bytes()[..], &[2], &4u64.to_le_bytes(), b"xy"].concat();
        let records = [vote(4, (3, 1), b"abc"), learned, vote(5, (3, 1), b"")];
        assert_eq!(
            synced(&mut media, "log-00000007", &group(7, 1, 1, &records)),
            [
                found(4, b"abc"),
                Durable::Learned {
                    slot: 4,
                    value: value_hash(b"xy"),
                },
                found(5, b""),
            ]
        );
        assert_eq!(synced(&mut media, "other", &group(7, 1, 1, &records)), []);
    }

    #[test]
    fn a_group_of_many_sectors_counts_when_it_is_whole() {
        let mut media = Media::default();
        named(&mut media, &["log-00000001"]);
        let long = vec![9; 1200];
        let sectors = group(1, 5, 2, &[vote(4, (3, 1), &long)]);
        assert_eq!(sectors.len(), 3);
        assert_eq!(
            synced(&mut media.clone(), "log-00000001", &sectors),
            [found(4, &long)]
        );
        assert_eq!(
            synced(&mut media.clone(), "log-00000001", &sectors[1..]),
            []
        );
        assert_eq!(synced(&mut media, "log-00000001", &sectors[..2]), []);
        assert_eq!(
            synced(&mut media, "log-00000001", &sectors[2..]),
            [found(4, &long)]
        );
    }

    #[test]
    fn no_flipped_bit_and_no_misdirected_sector_gives_a_vote() {
        let mut media = Media::default();
        named(&mut media, &["log-00000001", "log-00000002"]);
        let sectors = group(1, 5, 2, &[vote(4, (3, 1), b"abc")]);
        for at in 0..SECTOR {
            let mut damaged = sectors.clone();
            damaged[0].1[at] ^= 0x10;
            assert_eq!(
                synced(&mut media, "log-00000001", &damaged),
                [],
                "byte {at}"
            );
        }
        let moved = vec![(6, sectors[0].1.clone())];
        assert_eq!(synced(&mut media, "log-00000001", &moved), []);
        assert_eq!(synced(&mut media, "log-00000002", &sectors), []);
        assert_eq!(
            synced(
                &mut media,
                "log-00000001",
                &[(3, vec![0; SECTOR]), (4, vec![0; 100])]
            ),
            []
        );
        assert_eq!(
            synced(&mut media, "log-00000001", &sectors),
            [found(4, b"abc")]
        );
    }

    #[test]
    fn a_prepared_segment_counts_once_its_name_is_durable() {
        let mut media = Media::default();
        named(&mut media, &["log-00000001"]);
        let sectors = group(2, 1, 3, &[vote(4, (3, 1), b"abc")]);
        assert_eq!(synced(&mut media, "tmp-00000002", &sectors), []);
        assert_eq!(named(&mut media, &["log-00000001", "tmp-00000002"]), []);
        let mut fork = media.fork();
        assert_eq!(
            named(&mut media, &["log-00000001", "log-00000002"]),
            [found(4, b"abc")]
        );
        assert_eq!(named(&mut media, &["log-00000001", "log-00000002"]), []);
        let mut again = Vec::new();
        fork.named(&[name("log-00000002")], &mut again);
        assert_eq!(again, [found(4, b"abc")]);
        synced(&mut media, "tmp-00000003", &sectors);
        assert_eq!(
            named(&mut media, &["log-00000004"]),
            [],
            "a segment that was given up"
        );
        assert!(media.waiting.is_empty());
        let late = group(3, 1, 4, &[vote(5, (3, 1), b"abc")]);
        assert_eq!(
            synced(&mut media, "log-00000003", &late),
            [],
            "the rename was never made durable"
        );
        assert_eq!(
            synced(&mut Media::default(), "log-00000003", &late),
            [found(5, b"abc")],
            "names are not told"
        );
    }

    #[test]
    fn a_prepared_segment_that_was_begun_anew_forgets_what_was_in_it() {
        let mut media = Media::default();
        named(&mut media, &[]);
        let header = (0, vec![0; SECTOR]);
        let mut sectors = group(2, 1, 3, &[vote(4, (3, 1), b"abc")]);
        sectors.insert(0, header.clone());
        assert_eq!(synced(&mut media, "tmp-00000002", &sectors), []);
        assert_eq!(synced(&mut media, "tmp-00000002", &[header]), []);
        assert_eq!(named(&mut media, &["log-00000002"]), []);
    }

    #[test]
    fn a_promise_counts_in_both_copies() {
        let mut media = Media::default();
        let [a, b] = ["promise-a-00000001", "promise-b-00000001"];
        assert_eq!(synced(&mut media, a, &promise((1, 0))), []);
        assert_eq!(
            synced(&mut media, b, &promise((1, 0))),
            [Durable::Promise((1, 0))]
        );
        assert_eq!(named(&mut media, &[a, b]), []);
        assert_eq!(synced(&mut media, a, &promise((5, 2))), []);
        assert_eq!(
            synced(&mut media, b, &promise((5, 2))),
            [Durable::Promise((5, 2))]
        );
        let mut damaged = promise((6, 2));
        damaged[0].1[33] ^= 1;
        assert_eq!(
            synced(&mut media, a, &damaged),
            [],
            "the other copy still tells it"
        );
        assert_eq!(
            synced(&mut media, b, &promise((6, 2))),
            [Durable::Promise((6, 2))]
        );
    }

    #[test]
    fn a_new_pair_counts_when_the_old_one_is_durably_removed() {
        let mut media = Media::default();
        let [a, b, a2, b2] = [
            "promise-a-00000001",
            "promise-b-00000001",
            "promise-a-00000002",
            "promise-b-00000002",
        ];
        named(&mut media, &[a, b]);
        synced(&mut media, a, &promise((1, 0)));
        assert_eq!(
            synced(&mut media, b, &promise((1, 0))),
            [Durable::Promise((1, 0))]
        );
        assert_eq!(synced(&mut media, a2, &promise((7, 1))), []);
        assert_eq!(synced(&mut media, b2, &promise((7, 1))), []);
        assert_eq!(named(&mut media, &[a, b, a2, b2]), []);
        assert_eq!(named(&mut media, &[a2, b2]), [Durable::Promise((7, 1))]);
    }

    #[test]
    fn a_copy_whose_name_was_lost_says_nothing_of_a_later_file_of_that_name() {
        let mut media = Media::default();
        let [a, b, a2, b2] = [
            "promise-a-00000001",
            "promise-b-00000001",
            "promise-a-00000002",
            "promise-b-00000002",
        ];
        named(&mut media, &[a, b]);
        synced(&mut media, a, &promise((7, 1)));
        assert_eq!(synced(&mut media, a2, &promise((6, 1))), []);
        assert_eq!(
            synced(&mut media, b, &promise((7, 1))),
            [Durable::Promise((7, 1))]
        );
        assert_eq!(
            named(&mut media, &[a, b]),
            [],
            "a power loss took the second pair's names"
        );
        media.booted();
        assert_eq!(
            named(&mut media, &[a, b, a2, b2]),
            [],
            "the new files are named before anything in them is synced"
        );
    }

    #[test]
    fn without_names_the_best_pair_counts() {
        let mut media = Media::default();
        for (file, ballot) in [
            ("promise-a-00000001", (1, 0)),
            ("promise-b-00000001", (1, 0)),
            ("promise-a-00000002", (7, 1)),
        ] {
            synced(&mut media, file, &promise(ballot));
        }
        assert_eq!(
            synced(&mut media, "promise-b-00000002", &promise((7, 1))),
            [Durable::Promise((7, 1))]
        );
        assert_eq!(
            synced(&mut media, "promise-a-00000003", &promise((7, 1))),
            [],
            "half a pair takes nothing back"
        );
    }
}
