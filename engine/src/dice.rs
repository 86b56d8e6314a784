//! Randomness for timeouts: a small generator that is seeded with the entropy of the boot, and from
//! nothing else.

use std::hash::{Hash, Hasher};

use crate::time::Span;

/// `SplitMix64` (Steele, Lea and Flood, OOPSLA '14). For jitter only; nothing depends on its
/// strength.
#[derive(Clone, Debug)]
pub struct Dice(u64);

/// What will be drawn is no part of what a replica knows. Whoever compares replicas by their hashes
/// gives them ranges of one value, so that nothing rests on it.
impl Hash for Dice {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Dice {
    /// A generator for this boot.
    #[must_use]
    pub fn new(entropy: [u8; 32]) -> Self {
        let words = entropy.as_chunks::<8>().0;
        Self(words.iter().fold(0, |seed: u64, word| {
            seed.rotate_left(17) ^ u64::from_le_bytes(*word)
        }))
    }

    /// A span between the two, both included.
    pub fn between(&mut self, low: Span, high: Span) -> Span {
        let range = u128::from(high.0.saturating_sub(low.0)) + 1;
        let offset = (u128::from(self.word()) * range) >> 64;
        Span(low.0 + u64::try_from(offset).expect("an offset below a u64's range"))
    }

    const fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}
