//! Frames for engines that have no codec of their own: words and strings of bytes, packed one after
//! the other, and a checksum behind them.

use xxhash_rust::xxh3::xxh3_64;

/// What was packed, and the bytes after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packed<'a, const WORDS: usize, const TEXTS: usize> {
    /// The words.
    pub words: [u64; WORDS],
    /// The strings of bytes.
    pub texts: [&'a [u8]; TEXTS],
    /// What follows.
    pub rest: &'a [u8],
}

/// Appends the words, then each string with its length before it.
///
/// # Panics
/// On a string of 4 GiB or more.
pub fn pack(words: &[u64], texts: &[&[u8]], into: &mut Vec<u8>) {
    words
        .iter()
        .for_each(|word| into.extend_from_slice(&word.to_le_bytes()));
    for text in texts {
        into.extend_from_slice(
            &u32::try_from(text.len())
                .expect("a string is less than 4 GiB")
                .to_le_bytes(),
        );
        into.extend_from_slice(text);
    }
}

/// Reads so many words and strings; none when there are fewer.
#[must_use]
pub fn unpack<const WORDS: usize, const TEXTS: usize>(
    mut rest: &[u8],
) -> Option<Packed<'_, WORDS, TEXTS>> {
    let (mut words, mut texts) = ([0; WORDS], [&[][..]; TEXTS]);
    for word in &mut words {
        let (bytes, after) = rest.split_first_chunk()?;
        (*word, rest) = (u64::from_le_bytes(*bytes), after);
    }
    for text in &mut texts {
        let (length, after) = rest.split_first_chunk()?;
        (*text, rest) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    }
    Some(Packed { words, texts, rest })
}

/// The bytes with their checksum.
#[must_use]
pub fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend_from_slice(&xxh3_64(&bytes).to_le_bytes());
    bytes
}

/// The bytes without their checksum; none when it does not fit them.
#[must_use]
pub fn unsealed(bytes: &[u8]) -> Option<&[u8]> {
    let (bytes, seal) = bytes.split_last_chunk()?;
    (xxh3_64(bytes) == u64::from_le_bytes(*seal)).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_and_nothing_less() {
        let mut bytes = Vec::new();
        pack(&[1, u64::MAX], &[b"key", b""], &mut bytes);
        let whole = Packed {
            words: [1, u64::MAX],
            texts: [b"key", &[]],
            rest: &[],
        };
        assert_eq!(unpack::<2, 2>(&bytes), Some(whole));
        for end in 0..bytes.len() {
            assert_eq!(unpack::<2, 2>(&bytes[..end]), None, "{end}");
        }
    }

    #[test]
    fn a_seal_tells_every_flipped_byte_and_every_length() {
        let bytes = sealed(b"something".to_vec());
        assert_eq!(unsealed(&bytes), Some(&b"something"[..]));
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert_eq!(
                (unsealed(&flipped), unsealed(&bytes[..at])),
                (None, None),
                "{at}"
            );
        }
    }
}
