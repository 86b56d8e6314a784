//! The digest of a run: 64 bits over everything that happened, in order.
//!
//! Recording, probes and facts never enter it: only what the world itself did does. Message
//! contents enter as xxh3 once, when they are sent.

use xxhash_rust::xxh3::xxh3_64;

/// What kind of thing is mixed in; keeps unlike things apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Mark {
    Sent = 1,
    Delivered,
    Dropped,
    Boot,
    Ready,
    Killed,
    PowerLost,
    Halted,
    Paused,
    Resumed,
    DiskSubmitted,
    DiskCompleted,
    Deadline,
    Fault,
    Healed,
    Rotten,
    Invoked,
    Returned,
    DiskLost,
    Connected,
    Disconnected,
}

/// The running digest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0x5359_4e4f_445f_3031)
    }
}

impl Digest {
    /// Mixes in one happening.
    #[inline]
    pub fn mix(&mut self, mark: Mark, time: u64, parties: u64, content: u64) {
        let left = self.0 ^ time.rotate_left(17) ^ ((mark as u64) << 56) ^ parties;
        let right = 0x9e37_79b9_7f4a_7c15 ^ content;
        self.0 = fold(left ^ 0xa076_1d64_78bd_642f, right).wrapping_add(self.0.rotate_left(29));
    }

    /// Hashes content that is to be mixed in.
    #[inline]
    pub fn content(bytes: &[u8]) -> u64 {
        xxh3_64(bytes)
    }

    /// The digest so far.
    pub const fn value(self) -> u64 {
        self.0
    }
}

fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves are wanted apart"
    )]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_kind_time_parties_and_content_all_count() {
        let of = |happenings: &[(Mark, u64, u64, u64)]| {
            let mut digest = Digest::default();
            for (mark, time, parties, content) in happenings {
                digest.mix(*mark, *time, *parties, *content);
            }
            digest.value()
        };
        let (one, two) = ((Mark::Sent, 1, 2, 3), (Mark::Delivered, 4, 5, 6));
        let all = [
            of(&[one, two]),
            of(&[two, one]),
            of(&[(Mark::Dropped, 1, 2, 3), two]),
            of(&[(Mark::Sent, 9, 2, 3), two]),
            of(&[(Mark::Sent, 1, 9, 3), two]),
            of(&[(Mark::Sent, 1, 2, 9), two]),
        ];
        for (index, digest) in all.iter().enumerate() {
            assert!(
                !all[..index].contains(digest),
                "{index} repeats an earlier digest"
            );
        }
    }
}
