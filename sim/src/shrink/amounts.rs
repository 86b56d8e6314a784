//! The amounts in a file: times, rates, sizes and counts, each in its place, and rounder ones to try
//! instead.

use std::ops::Range;

use crate::scenario::units::{Count, Offset, Rate, Size, Time, Unit, parse, show};
use crate::shrink::brief::Brief;

/// What an amount counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Nanoseconds.
    Time,
    /// Nanoseconds either way.
    Offset,
    /// Parts per million.
    Rate,
    /// Bytes.
    Size,
    /// Things.
    Count,
}

/// An amount in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Amount {
    /// The key in front of it.
    pub key: String,
    /// Whether it stands among the lists, and not among the settings.
    pub listed: bool,
    /// Its line there.
    pub line: usize,
    /// Its place in the line, quotes included.
    place: Range<usize>,
    /// What it counts.
    pub kind: Kind,
    /// How much, in the smallest unit.
    pub value: i64,
}

/// What is shorter, in nanoseconds, is no simpler.
const MOMENT: i64 = 1_000_000;

/// Keys whose numbers are names, shapes, or what is asked of the engine, and no amounts.
const NAMES: [&str; 10] = [
    "format", "seed", "number", "line", "nth", "slot", "replicas", "damage", "within", "for",
];

impl Amount {
    /// All amounts of a file: first those of its settings, then those of its lists.
    #[must_use]
    pub fn all(brief: &Brief) -> Vec<Self> {
        let mut all = Vec::new();
        for (line, (_, text)) in brief.settings.iter().enumerate() {
            all.extend(Self::of_line(text, false, line));
        }
        for (line, text) in brief.lists.iter().enumerate() {
            all.extend(Self::of_line(text, true, line));
        }
        all
    }

    fn of_line(text: &str, listed: bool, line: usize) -> Vec<Self> {
        let mut all = Vec::new();
        let (mut at, mut key) = (0, String::new());
        let bytes = text.as_bytes();
        while at < bytes.len() {
            let rest = &text[at..];
            let length = match bytes[at] {
                b'"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
                byte if byte.is_ascii_alphanumeric() => rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
                    .unwrap_or(rest.len()),
                _ => {
                    at += 1;
                    continue;
                }
            };
            let word = &rest[..length];
            if rest[length..].starts_with(" =") {
                word.clone_into(&mut key);
            } else if let Some((kind, value)) = amount(word)
                && !NAMES.contains(&key.as_str())
            {
                all.push(Self {
                    key: key.clone(),
                    listed,
                    line,
                    place: at..at + length,
                    kind,
                    value,
                });
            }
            at += length;
        }
        all
    }

    /// The file with another amount here.
    #[must_use]
    pub fn set(&self, brief: &Brief, value: i64) -> Brief {
        let mut other = brief.clone();
        let line = if self.listed {
            &mut other.lists[self.line]
        } else {
            &mut other.settings[self.line].1
        };
        line.replace_range(self.place.clone(), &self.written(value));
        other
    }

    /// This much of what it counts, as a file has it.
    fn written(&self, value: i64) -> String {
        match self.kind {
            Kind::Count => value.to_string(),
            _ => format!("\"{}\"", self.shown(value)),
        }
    }

    /// This much of what it counts, for people.
    #[must_use]
    pub fn shown(&self, value: i64) -> String {
        match self.kind {
            Kind::Time => show::<Time>(value),
            Kind::Offset => show::<Offset>(value),
            Kind::Rate => show::<Rate>(value),
            Kind::Size => show::<Size>(value),
            Kind::Count => show::<Count>(value),
        }
    }

    /// Rounder amounts, the roundest first. How long a fault holds, or how much it is, may be less as
    /// well.
    #[must_use]
    pub fn rounder(&self) -> Vec<i64> {
        let value = self.value;
        let mut all = Vec::new();
        if ["hold", "by", "later", "sectors", "deaths"].contains(&self.key.as_str()) {
            let least = if self.kind == Kind::Time { MOMENT } else { 1 };
            let less = [value / 16, value / 4, value / 2].map(|less| rounded(less, 1).0);
            all.extend(less.into_iter().filter(|less| *less >= least));
        }
        for digits in 1..=4 {
            let (down, up) = rounded(value, digits);
            all.extend([down, up]);
        }
        let mut seen = Vec::new();
        all.retain(|other| {
            let is_new = *other != value && *other != 0 && !seen.contains(other);
            seen.push(*other);
            is_new
        });
        all
    }
}

impl Amount {
    /// Less and less of it.
    #[must_use]
    pub fn less(&self) -> Vec<i64> {
        let value = self.value;
        self.apart([
            value - near(value),
            value / 2,
            value / 4,
            value / 10,
            value / 100,
        ])
    }

    /// More and more of it.
    #[must_use]
    pub fn more(&self) -> Vec<i64> {
        let value = self.value;
        let times = |factor| value.saturating_mul(factor);
        self.apart([
            value + near(value),
            value + value / 2,
            times(3),
            times(10),
            times(100),
        ])
    }

    /// A round amount in the middle of these ends, or of the part near the lower one; none when it is
    /// there, or there is no room.
    #[must_use]
    pub fn middle(&self, [low, high]: [i64; 2]) -> Option<i64> {
        let has_room = self.value / 2 >= low && high / 2 >= self.value;
        if low <= 0 || low == high || has_room {
            return None;
        }
        let high = high.min(low.saturating_mul(4));
        let middle = low.midpoint(high);
        let round = (1..=3).flat_map(|digits| <[i64; 2]>::from(rounded(middle, digits)));
        let is_inside =
            |value: &i64| (low + (high - low) / 4..=high - (high - low) / 4).contains(value);
        round
            .into_iter()
            .find(is_inside)
            .filter(|value| *value != self.value)
    }

    /// Those of these that are others, in two digits.
    fn apart(&self, values: [i64; 5]) -> Vec<i64> {
        let mut values: Vec<i64> = values.map(|value| rounded(value, 2).0).into();
        let signed = self.kind == Kind::Offset;
        values.retain(|value| *value != self.value && (signed || *value >= 0));
        values.dedup();
        values
    }
}

/// A tenth of it, or one.
const fn near(value: i64) -> i64 {
    let tenth = value.abs() / 10;
    if tenth == 0 { 1 } else { tenth }
}

/// The nearest amounts below and above with so many digits that are not zero.
fn rounded(value: i64, digits: u32) -> (i64, i64) {
    let magnitude = value.unsigned_abs();
    let length = magnitude.checked_ilog10().unwrap_or(0) + 1;
    let step = 10_u64.pow(length.saturating_sub(digits));
    let low = magnitude / step * step;
    let high = if low == magnitude { low } else { low + step };
    let signed = |amount: u64| {
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        if value < 0 { -amount } else { amount }
    };
    (signed(low), signed(high))
}

/// What a word of a file counts, if it is an amount.
fn amount(word: &str) -> Option<(Kind, i64)> {
    let Some(inner) = word.strip_prefix('"') else {
        return word.parse().ok().map(|value| (Kind::Count, value));
    };
    let inner = inner.strip_suffix('"')?;
    fn as_of<U: Unit>(kind: Kind, text: &str) -> Option<(Kind, i64)> {
        parse::<U>(text).ok().map(|value| (kind, value))
    }
    as_of::<Time>(Kind::Time, inner)
        .or_else(|| as_of::<Offset>(Kind::Offset, inner))
        .or_else(|| as_of::<Rate>(Kind::Rate, inner))
        .or_else(|| as_of::<Size>(Kind::Size, inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brief(lists: &[&str]) -> Brief {
        Brief {
            head: vec!["seed = 7".to_owned()],
            settings: Vec::new(),
            lists: lists.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    #[test]
    fn amounts_are_found_and_names_are_not() {
        let brief = brief(&[
            "[[step]]",
            "number = 1012",
            "at = \"1380ms\"",
            "lose = { from = \"r1\", to = [\"r2\"], kind = \"accept\", nth = 2, rate = \"7.5%\" }",
            "bit-rot = { replicas = [\"r1\"], sectors = 3, files = \"log-00000001\", tail = true }",
        ]);
        let all = Amount::all(&brief);
        let found: Vec<_> = all
            .iter()
            .map(|one| (one.key.as_str(), one.kind, one.value))
            .collect();
        assert_eq!(
            found,
            [
                ("at", Kind::Time, 1_380_000_000),
                ("rate", Kind::Rate, 75_000),
                ("sectors", Kind::Count, 3)
            ]
        );
        let lists = |place: usize, value| all[place].set(&brief, value).lists.concat();
        assert!(lists(0, 2_000_000_000).contains("at = \"2s\"lose"));
        assert!(lists(1, 10_000).contains("nth = 2, rate = \"1%\" }"));
        assert!(lists(2, 1).contains("sectors = 1, files"));
    }

    #[test]
    fn rounder_amounts_are_the_roundest_first_and_never_the_same() {
        let of = |line: &str| Amount::all(&brief(&[line]))[0].rounder();
        let ms = |all: Vec<i64>| all.into_iter().map(|ns| ns / 1_000_000).collect::<Vec<_>>();
        assert_eq!(
            ms(of("at = \"1384ms\"")),
            [1000, 2000, 1300, 1400, 1380, 1390]
        );
        assert_eq!(ms(of("hold = \"400ms\"")), [20, 100, 200]);
        assert!(of("hold = \"1ms\"").is_empty(), "nothing is shorter");
        assert_eq!(of("by = \"-2500ms\"").last(), Some(&-3_000_000_000));
        assert!(of("operations = 9").is_empty());
    }

    #[test]
    fn the_middle_is_round_and_not_far_up() {
        let brief = brief(&["hold = \"180ms\""]);
        let hold = &Amount::all(&brief)[0];
        let ms = |low: i64, high: i64| {
            let middle = hold.middle([low * 1_000_000, high * 1_000_000]);
            middle.map(|ns| ns / 1_000_000)
        };
        assert_eq!(ms(160, 18_000), Some(400));
        assert_eq!(ms(170, 250), Some(200));
        assert_eq!((ms(180, 180), ms(0, 500), ms(170, 190)), (None, None, None));
        assert_eq!(ms(90, 360), None, "there is room on both sides");
    }

    #[test]
    fn an_amount_is_tried_nearby_before_far_away() {
        let brief = brief(&["hold = \"200ms\""]);
        let all = Amount::all(&brief);
        let ms = |all: Vec<i64>| all.into_iter().map(|ns| ns / 1_000_000).collect::<Vec<_>>();
        assert_eq!(ms(all[0].less()), [180, 100, 50, 20, 2]);
        assert_eq!(ms(all[0].more()), [220, 300, 600, 2000, 20_000]);
    }
}
