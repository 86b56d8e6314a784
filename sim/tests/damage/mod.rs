//! Ways to damage a text, for tests of what reads one.

use proptest::prelude::*;
use proptest::sample::Index;

/// One way to damage a text: at a place, with some bytes.
#[derive(Clone, Debug)]
pub enum Damage {
    Put(Index, Vec<u8>),
    Over(Index, u8),
    Cut(Index),
    /// A word becomes another thing.
    Word(Index, Vec<u8>),
    SwapLines(Index, Index),
    RepeatLine(Index),
    DropLine(Index),
}

/// Ways to damage a text with such pieces.
pub fn damage(pieces: &'static [&'static str]) -> impl Strategy<Value = Damage> {
    let place = any::<Index>;
    let piece = move || {
        prop_oneof![
            1 => any::<[u8; 1]>().prop_map(Vec::from),
            4 => prop::sample::select(pieces).prop_map(|piece| piece.as_bytes().to_vec()),
        ]
    };
    prop_oneof![
        (place(), piece()).prop_map(|(at, piece)| Damage::Put(at, piece)),
        (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Over(at, byte)),
        place().prop_map(Damage::Cut),
        (place(), piece()).prop_map(|(at, piece)| Damage::Word(at, piece)),
        (place(), place()).prop_map(|(one, other)| Damage::SwapLines(one, other)),
        place().prop_map(Damage::RepeatLine),
        place().prop_map(Damage::DropLine),
    ]
}

/// The text with this damage done to it.
pub fn damaged(mut bytes: Vec<u8>, damage: &Damage) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    let mut lines: Vec<Vec<u8>> = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    match damage {
        Damage::Put(at, piece) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, piece.iter().copied());
            return bytes;
        }
        Damage::Over(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
            return bytes;
        }
        Damage::Cut(at) => {
            bytes.truncate(at.index(bytes.len()));
            return bytes;
        }
        Damage::Word(at, piece) => {
            let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.%".contains(byte);
            let at = at.index(bytes.len());
            let start = bytes[..at].iter().rposition(|byte| !is_part(byte));
            let start = start.map_or(0, |before| before + 1);
            let length = bytes[start..]
                .iter()
                .take_while(|byte| is_part(byte))
                .count();
            bytes.splice(start..start + length, piece.iter().copied());
            return bytes;
        }
        Damage::SwapLines(one, other) => {
            let count = lines.len();
            lines.swap(one.index(count), other.index(count));
        }
        Damage::RepeatLine(at) => {
            let at = at.index(lines.len());
            lines.insert(at, lines[at].clone());
        }
        Damage::DropLine(at) => _ = lines.remove(at.index(lines.len())),
    }
    lines.concat()
}
