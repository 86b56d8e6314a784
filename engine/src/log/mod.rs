//! The log on files. This page is the format; version 1.
//!
//! All integers are little-endian. Checksums are CRC-32C (Castagnoli). A sector is 512 bytes;
//! sectors are atomic, writes are not.
//!
//! # Names
//! `log-NNNNNNNN` (decimal, from 1) is a segment. `tmp-NNNNNNNN` is a segment that is being
//! prepared; recovery removes it. `promise-a-NNNNNNNN` and `promise-b-NNNNNNNN` are the two copies
//! of the promise; the number is the incarnation's generation of the pair.
//!
//! # A segment
//! Fixed length, zeroed, synced and named before use. Sector 0 is the header:
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | checksum of 4..512 |
//! | 4..8 | magic `SLG1` |
//! | 8..16 | cluster |
//! | 16..24 | segment number |
//! | 24..32 | first: no group below this one is in this segment |
//! | 32..40 | synced: the highest group known to be synced when this was written (0: none) |
//! | 40..48 | cut: every group above it in *lower-numbered* segments is void (u64::MAX: none) |
//! | 48..50 | node |
//! | 50..52 | sectors in the segment / 8; the file has exactly that length |
//! | 52..512 | zero |
//!
//! A segment is prepared ahead; when it cuts, its first group is `first`, and the content of the
//! groups that it makes void is here, as far as it counts.
//!
//! The other sectors each belong to a group. A *group* is what one sync covers; it starts on a
//! fresh sector, its sectors are consecutive, and group numbers increase by one across segments,
//! from 1. A group lies in one segment.
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | checksum of 4..512, continued from the position, so a misdirected sector is bad |
//! | 4..12 | group |
//! | 12..20 | synced: the highest group known to be synced when this was written |
//! | 20..22 | index of this sector in its group, from 0 |
//! | 22..24 | sectors in the group |
//! | 24..26 | payload bytes used in this sector, at most 484 |
//! | 26..28 | zero |
//! | 28..512 | payload |
//!
//! The position is the segment number (8 bytes) and the sector's index in it (4 bytes).
//!
//! The payloads of a group's sectors, joined, are a sequence of records: length (u32, of what
//! follows), kind (u8), slot (u64), then for kind 1 (vote) ballot round (u64), ballot node (u8),
//! value bytes; kind 2 (learned) value bytes; kind 3 (chosen below) nothing.
//!
//! Only one group is written at a time: its write is complete before its sync is submitted, and its
//! sync before the next group is written. So at most one group is above the watermark (the maximum
//! of `synced` over all valid headers of segments and sectors that are not cut).
//!
//! # Recovery
//! Up to the watermark every group must be there and whole: anything else is damage, and the
//! replica halts. Above the watermark, a group with an all-zero sector is torn, and cut; one that
//! is whole counts; any other bad sector is damage. Then a new segment is prepared under a `tmp-`
//! name: its header cuts at the watermark, and what counted above the watermark is written into it
//! again. It is synced, renamed to `log-`, and the directory synced, before the replica answers
//! anything. After a failed write or sync at run time the same is done with the groups whose sync
//! is not known to have succeeded.
//!
//! # A promise copy
//! One sector, written in place: checksum of 4..512 (0..4), magic `SPR1` (4..8), cluster (8..16),
//! generation (16..24), incarnation (24..32), ballot round (32..40), write counter (40..48), ballot
//! node (48), node (49), copy (50: 0 for a, 1 for b), zeros. A promise is durable when A was
//! written and synced, and then B. Every boot, and every failure to write or sync a copy, makes a
//! new pair with the next generation: write and sync both, sync the directory, remove all older
//! pairs, sync the directory, and only then answer anything. So any intact copy is at least as high
//! as every promise that was ever given; the highest intact one counts, and none intact is a halt.
//!
//! # Files of this module
//! `sector`, `segment` and `promise` are the format; `replay` reads the log back and judges it;
//! `recovery` reads the files, `writer` appends, `promise` also keeps the pair; `store` joins
//! these; `disk` and `backoff` are how they ask for operations, and how they pace attempts.

mod backoff;
pub(crate) mod disk;
pub(crate) mod promise;
mod recovery;
mod replay;
pub(crate) mod sector;
pub(crate) mod segment;
pub(crate) mod store;
mod writer;

#[cfg(test)]
pub(crate) mod fake_disk;
#[cfg(test)]
mod tests;
