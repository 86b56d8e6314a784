//! Sectors of a group: the frame around a piece of payload, bound to its place by the checksum.

use crc_fast::{CrcAlgorithm, Digest};

use crate::config::SECTOR;

/// Payload bytes in a sector.
pub(crate) const PAYLOAD: usize = SECTOR - HEAD;
const HEAD: usize = 28;

/// What a sector of a group says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    /// The group that it belongs to.
    pub group: u64,
    /// The highest group known to be synced when it was written.
    pub synced: u64,
    /// Its index in the group, from 0.
    pub index: u16,
    /// Sectors in the group.
    pub count: u16,
}

/// A sector, as it was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sector<'a> {
    /// Never written, or lost.
    Zero,
    /// Neither zero nor sound.
    Bad,
    /// Sound, with its payload.
    Sound(Head, &'a [u8]),
}

/// A sector that was never written.
const ZEROS: [u8; SECTOR] = [0; SECTOR];

impl<'a> Sector<'a> {
    /// Reads the sector of this index (from 0, the header's) in the segment of this number.
    pub(crate) fn read(segment: u64, index: u32, bytes: &'a [u8]) -> Self {
        if bytes.len() != SECTOR {
            return Self::Bad;
        }
        if is_zero(bytes) {
            return Self::Zero;
        }
        if bytes[..4] != checksum(segment, index, &bytes[4..]).to_le_bytes() {
            return Self::Bad;
        }
        Self::unverified(bytes)
    }

    /// Reads what a sector says of itself, whatever its checksum.
    pub(crate) fn unverified(bytes: &'a [u8]) -> Self {
        let head = Head {
            group: u64_at(bytes, 4),
            synced: u64_at(bytes, 12),
            index: u16_at(bytes, 20),
            count: u16_at(bytes, 22),
        };
        let used = usize::from(u16_at(bytes, 24));
        if used > PAYLOAD
            || head.index >= head.count
            || head.group == 0
            || head.synced >= head.group
            || u16_at(bytes, 26) != 0
        {
            return Self::Bad;
        }
        Self::Sound(head, &bytes[HEAD..HEAD + used])
    }
}

/// Whether a sector was never written, or lost.
pub(crate) fn is_zero(sector: &[u8]) -> bool {
    sector == ZEROS
}

/// How many sectors a payload takes.
pub(crate) fn sectors(payload: usize) -> u32 {
    u32::try_from(payload.div_ceil(PAYLOAD))
        .expect("a group fits in a segment, which is at most 2^28 bytes")
}

/// Appends the sectors of a group that starts at sector `first` of `segment`. The payload is not
/// empty.
pub(crate) fn put_group(
    out: &mut Vec<u8>,
    segment: u64,
    first: u32,
    group: u64,
    synced: u64,
    payload: &[u8],
) {
    let count = u16::try_from(sectors(payload.len()))
        .expect("a group fits in a segment, whose sectors are counted in 16 bits");
    for (index, piece) in (0u16..).zip(payload.chunks(PAYLOAD)) {
        let start = out.len();
        out.resize(start + SECTOR, 0);
        let sector = &mut out[start..];
        sector[4..12].copy_from_slice(&group.to_le_bytes());
        sector[12..20].copy_from_slice(&synced.to_le_bytes());
        sector[20..22].copy_from_slice(&index.to_le_bytes());
        sector[22..24].copy_from_slice(&count.to_le_bytes());
        let used = u16::try_from(piece.len()).expect("a piece is at most 484 bytes");
        sector[24..26].copy_from_slice(&used.to_le_bytes());
        sector[HEAD..HEAD + piece.len()].copy_from_slice(piece);
        let sum = checksum(segment, first + u32::from(index), &sector[4..]);
        sector[..4].copy_from_slice(&sum.to_le_bytes());
    }
}

/// The payload of a group, out of its sectors as [`put_group`] made them.
pub(crate) fn payload_of(sectors: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(sectors.len());
    for sector in sectors.chunks_exact(SECTOR) {
        let used = usize::from(u16_at(sector, 24)).min(PAYLOAD);
        payload.extend_from_slice(&sector[HEAD..HEAD + used]);
    }
    payload
}

fn checksum(segment: u64, index: u32, rest: &[u8]) -> u32 {
    let mut place = [0; 12];
    place[..8].copy_from_slice(&segment.to_le_bytes());
    place[8..].copy_from_slice(&index.to_le_bytes());
    let mut sum = Digest::new(CrcAlgorithm::Crc32Iscsi);
    sum.update(&place);
    sum.update(rest);
    sum.finalize() as u32
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |chunk| u16::from_le_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_group(&mut out, 3, 5, 9, 8, payload);
        out
    }

    #[test]
    fn a_group_of_two_sectors_reads_back() {
        let payload: Vec<u8> = (0..=255).cycle().take(PAYLOAD + 1).collect();
        let bytes = group(&payload);
        assert_eq!(bytes.len(), 2 * SECTOR);
        let head = Head {
            group: 9,
            synced: 8,
            index: 0,
            count: 2,
        };
        assert_eq!(
            Sector::read(3, 5, &bytes[..SECTOR]),
            Sector::Sound(head, &payload[..PAYLOAD])
        );
        assert_eq!(
            Sector::read(3, 6, &bytes[SECTOR..]),
            Sector::Sound(Head { index: 1, ..head }, &payload[PAYLOAD..])
        );
        assert_eq!(payload_of(&bytes), payload);
    }

    #[test]
    fn a_sector_at_another_place_is_bad() {
        let bytes = group(b"x");
        assert_eq!(Sector::read(3, 6, &bytes), Sector::Bad);
        assert_eq!(Sector::read(4, 5, &bytes), Sector::Bad);
    }

    #[test]
    fn zeros_are_zero_and_a_flipped_bit_is_bad() {
        assert_eq!(Sector::read(3, 5, &[0; SECTOR]), Sector::Zero);
        let bytes = group(b"x");
        for at in 0..SECTOR * 8 {
            let mut bad = bytes.clone();
            bad[at / 8] ^= 1 << (at % 8);
            assert_eq!(Sector::read(3, 5, &bad), Sector::Bad, "bit {at}");
        }
    }
}
