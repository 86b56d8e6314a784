//! Segments: their names, their header, and the script that prepares one.

use std::sync::Arc;

use crc_fast::crc32_iscsi;
use synod_port::files::{Bytes, DiskOp, FileName};

use crate::bugs::Bug;
use crate::config::{Config, SECTOR};
use crate::ids::{ClusterId, NodeId};
use crate::log::sector::{self, u16_at, u64_at};
use crate::probe::Probe;

const MAGIC: &[u8; 4] = b"SLG1";

/// Nothing is cut.
pub(crate) const NO_CUT: u64 = u64::MAX;

/// Whose files these are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Identity {
    pub cluster: ClusterId,
    pub node: NodeId,
}

/// The first sector of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    /// Whose.
    pub identity: Identity,
    /// The segment's number.
    pub number: u64,
    /// No group below this one is in the segment.
    pub first: u64,
    /// The highest group known to be synced when this was written.
    pub synced: u64,
    /// Every group above this one in lower-numbered segments is void.
    pub cut: u64,
    /// Sectors in the segment, the header's among them; a multiple of 8.
    pub sectors: u32,
}

impl Header {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + SECTOR, 0);
        let sector = &mut out[start..];
        sector[4..8].copy_from_slice(MAGIC);
        sector[8..16].copy_from_slice(&self.identity.cluster.0.to_le_bytes());
        sector[16..24].copy_from_slice(&self.number.to_le_bytes());
        sector[24..32].copy_from_slice(&self.first.to_le_bytes());
        sector[32..40].copy_from_slice(&self.synced.to_le_bytes());
        sector[40..48].copy_from_slice(&self.cut.to_le_bytes());
        sector[48..50].copy_from_slice(&u16::from(self.identity.node.0).to_le_bytes());
        let eighths = u16::try_from(self.sectors / 8)
            .expect("a segment is at most 2^28 bytes, as its configuration was checked for");
        sector[50..52].copy_from_slice(&eighths.to_le_bytes());
        let sum = crc32_iscsi(&sector[4..]);
        sector[..4].copy_from_slice(&sum.to_le_bytes());
    }

    /// Reads the first sector of a file; none when it is damaged. Of another version: an error.
    pub(crate) fn read(bytes: &[u8]) -> Option<Result<Self, Foreign>> {
        let sector = bytes.get(..SECTOR)?;
        if sector[..4] != crc32_iscsi(&sector[4..]).to_le_bytes() {
            return None;
        }
        if &sector[4..8] != MAGIC {
            return Some(Err(Foreign));
        }
        let Ok(node) = u8::try_from(u16_at(sector, 48)) else {
            return Some(Err(Foreign));
        };
        Some(Ok(Self {
            identity: Identity {
                cluster: ClusterId(u64_at(sector, 8)),
                node: NodeId(node),
            },
            number: u64_at(sector, 16),
            first: u64_at(sector, 24),
            synced: u64_at(sector, 32),
            cut: u64_at(sector, 40),
            sectors: u32::from(u16_at(sector, 50)) * 8,
        }))
    }
}

/// A sound sector of another format, or of somebody else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Foreign;

/// Sectors in the segments that this configuration makes.
pub(crate) const fn sectors_of(config: &Config) -> u32 {
    config.segment_bytes / SECTOR as u32
}

/// The longest value that a record can carry under this configuration, in bytes.
pub(crate) const fn value_max(config: &Config) -> usize {
    ((sectors_of(config) - 1) as usize * sector::PAYLOAD)
        .saturating_sub(crate::codec::record::OVERHEAD)
}

/// The name of a segment in use.
pub(crate) fn log_name(number: u64) -> FileName {
    name("log-", number)
}

/// The name of a segment that is being prepared.
pub(crate) fn tmp_name(number: u64) -> FileName {
    name("tmp-", number)
}

pub(crate) fn name(prefix: &str, number: u64) -> FileName {
    // By hand: each write and each sync names its file, and formatting costs more than either.
    let mut digits = [b'0'; 20];
    let (mut left, mut first) = (number, digits.len());
    while left > 0 || first > digits.len() - 8 {
        first -= 1;
        digits[first] = b'0' + u8::try_from(left % 10).expect("a digit");
        left /= 10;
    }
    let digits = std::str::from_utf8(&digits[first..]).expect("digits are ASCII");
    FileName::joined(prefix, digits).expect(
        "a prefix of at most 10 bytes and a number that is counted up by ones fit in 23 bytes",
    )
}

/// Numbers from here on are in no name of ours: counted up by ones, none is ever reached, and the next
/// one still fits in a name behind the longest prefix.
const NUMBER_END: u64 = 1_000_000_000_000;

/// The number in a name of this prefix.
pub(crate) fn number_in(file: FileName, prefix: &str) -> Option<u64> {
    let digits = file.as_bytes().strip_prefix(prefix.as_bytes())?;
    if digits.len() < 8 || (digits.len() > 8 && digits[0] == b'0') {
        return None;
    }
    let number = digits.iter().try_fold(0u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })?;
    (number < NUMBER_END).then_some(number)
}

/// What to do, in order, to have a segment that may be used when the last of it is done. `payload`,
/// unless empty, becomes its first group.
pub(crate) fn preparation<P: Probe>(header: &Header, payload: &[u8], probe: &mut P) -> Vec<DiskOp> {
    let mut data = Vec::with_capacity(SECTOR * (1 + payload.len().div_ceil(sector::PAYLOAD)));
    header.put(&mut data);
    sector::put_group(
        &mut data,
        header.number,
        1,
        header.first,
        header.synced,
        payload,
    );
    let (tmp, log) = (tmp_name(header.number), log_name(header.number));
    let data: Bytes = Arc::from(data);
    let mut ops = vec![
        DiskOp::Create(tmp),
        DiskOp::Truncate {
            file: tmp,
            length: u64::from(header.sectors) * SECTOR as u64,
        },
        DiskOp::Write {
            file: tmp,
            offset: 0,
            data,
        },
        DiskOp::Sync(tmp),
        DiskOp::Rename { from: tmp, to: log },
    ];
    if probe.flip(Bug::NoDirectoryFsync, true, false) {
        ops.push(DiskOp::SyncDir);
    }
    ops
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header {
        identity: Identity {
            cluster: ClusterId(1),
            node: NodeId(2),
        },
        number: 3,
        first: 4,
        synced: 5,
        cut: NO_CUT,
        sectors: 128,
    };

    #[test]
    fn a_header_reads_back_and_a_flipped_bit_is_damage() {
        let mut bytes = Vec::new();
        HEADER.put(&mut bytes);
        assert_eq!(Header::read(&bytes), Some(Ok(HEADER)));
        for at in 0..SECTOR * 8 {
            bytes[at / 8] ^= 1 << (at % 8);
            assert_eq!(Header::read(&bytes), None, "bit {at}");
            bytes[at / 8] ^= 1 << (at % 8);
        }
        assert_eq!(Header::read(&bytes[..SECTOR - 1]), None);
    }

    #[test]
    fn names_carry_numbers() {
        assert_eq!(log_name(7).as_str(), "log-00000007");
        assert_eq!(number_in(log_name(123_456_789), "log-"), Some(123_456_789));
        for wrong in [
            "log-7",
            "log-+0000007",
            "log-000000007",
            "tmp-00000007",
            "log-0000000x",
        ] {
            assert_eq!(
                number_in(FileName::new(wrong).expect("short"), "log-"),
                None,
                "{wrong}"
            );
        }
    }
}
