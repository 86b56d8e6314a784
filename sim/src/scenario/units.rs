//! Quantities as a scenario writes them: a number with a unit in a string (`"150ms"`, `"5%"`,
//! `"64MiB"`), kept as an integer of the smallest unit. A fraction is allowed where it comes out
//! whole (`"1.5ms"`); floats never appear.

use std::fmt;

/// What is wrong with a value: a sentence, what to write under the place, and what would be right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// The error's first line.
    pub title: String,
    /// Stands under the underlined place.
    pub label: String,
    /// What is allowed.
    pub help: String,
}

impl Wrong {
    /// All three texts.
    pub fn new(
        title: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            title: title.into(),
            label: label.into(),
            help: help.into(),
        }
    }
}

/// The three texts on a line each: serde's errors carry only one text, and `problem` takes it apart
/// again.
impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}", self.title, self.label, self.help)
    }
}

/// A kind of quantity.
pub trait Unit {
    /// `a time`.
    const WHAT: &'static str;
    /// `"150ms", "2s"`.
    const EXAMPLE: &'static str;
    /// The suffixes and how many of the smallest unit each is; the first that divides a value
    /// evenly shows it.
    const SUFFIXES: &'static [(&'static str, i64)];
    /// The smallest value.
    const MIN: i64;
    /// The largest value.
    const MAX: i64;
    /// Whether a bare TOML integer is one.
    const BARE: bool;
}

macro_rules! unit {
    (
        $(#[$doc:meta])* $name:ident,
        $what:literal,
        $example:literal,
        $min:expr,
        $max:expr,
        $bare:literal,
        $suffixes:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name {}

        impl Unit for $name {
            const WHAT: &'static str = $what;
            const EXAMPLE: &'static str = $example;
            const SUFFIXES: &'static [(&'static str, i64)] = $suffixes;
            const MIN: i64 = $min;
            const MAX: i64 = $max;
            const BARE: bool = $bare;
        }
    };
}

const TIMES: &[(&str, i64)] = &[
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
];
const YEAR: i64 = 365 * 24 * 3_600 * 1_000_000_000;

unit!(
    /// A length of time or a moment of the run, in nanoseconds.
    Time, "a time", "\"150ms\", \"2s\" or \"1ms..5ms\"", 0, YEAR, false, TIMES
);
unit!(
    /// A time either way, in nanoseconds.
    Offset, "a time, either way", "\"-200ms..200ms\"", -YEAR, YEAR, false, TIMES
);
unit!(
    /// A probability, in parts per million.
    Rate, "a probability", "\"5%\", \"200ppm\" or \"0%..5%\"", 0, 1_000_000, false, &[
        ("%", 10_000),
        ("ppm", 1),
    ]
);
unit!(
    /// A clock's rate error, in parts per million.
    Drift, "a rate error", "\"-200ppm..200ppm\"", -500_000, 500_000, false, &[
        ("ppm", 1),
        ("%", 10_000),
    ]
);
unit!(
    /// A size in bytes.
    Size, "a size", "\"4KiB\" or \"64MiB\"", 0, 1 << 40, false, &[
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("B", 1),
    ]
);
unit!(
    /// A number of things.
    Count, "a number", "3 or \"1..8\"", 0, 1_000_000_000, true, &[("", 1)]
);
unit!(
    /// So many a second.
    Pace, "a pace", "\"50/s\"", 1, 1_000_000, false, &[("/s", 1)]
);

/// Reads one quantity.
///
/// # Errors
/// Not a number, another unit, a fraction that is not whole, or out of bounds.
pub fn parse<U: Unit>(text: &str) -> Result<i64, Wrong> {
    let trimmed = text.trim();
    let (negative, rest) = match trimmed.as_bytes().first() {
        Some(b'-') => (true, &trimmed[1..]),
        Some(b'+') => (false, &trimmed[1..]),
        _ => (false, trimmed),
    };
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '_' && c != '.')
        .unwrap_or(rest.len());
    let (number, suffix) = (rest[..end].replace('_', ""), rest[end..].trim());
    if number.is_empty() {
        return Err(Wrong::new(
            format!("`{text}` is not {}", U::WHAT),
            "no number here",
            format!("write {}", U::EXAMPLE),
        ));
    }
    let Some((_, scale)) = U::SUFFIXES.iter().find(|(name, _)| *name == suffix) else {
        return Err(wrong_unit::<U>(trimmed, suffix));
    };
    let magnitude = scaled(&number, *scale).ok_or_else(|| {
        Wrong::new(
            format!("`{text}` cannot be counted in whole steps"),
            "not a whole number of the smallest unit, or too large",
            format!("write {}", U::EXAMPLE),
        )
    })?;
    within::<U>(if negative { -magnitude } else { magnitude })
}

/// The value when it is within the unit's bounds.
///
/// # Errors
/// It is not.
pub fn within<U: Unit>(value: i64) -> Result<i64, Wrong> {
    if (U::MIN..=U::MAX).contains(&value) {
        return Ok(value);
    }
    let bounds = format!(
        "{} goes from {} to {}",
        U::WHAT,
        show::<U>(U::MIN),
        show::<U>(U::MAX)
    );
    Err(Wrong::new(
        format!("{} is out of bounds", show::<U>(value)),
        "out of bounds",
        bounds,
    ))
}

fn wrong_unit<U: Unit>(text: &str, suffix: &str) -> Wrong {
    let units: Vec<&str> = U::SUFFIXES
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !name.is_empty())
        .collect();
    let label = match (units.is_empty(), suffix.is_empty()) {
        (true, _) => format!("`{suffix}` does not belong here: {} has no unit", U::WHAT),
        (false, true) => format!("{} needs a unit", U::WHAT),
        (false, false) => format!("`{suffix}` is not a unit of {}", U::WHAT),
    };
    let units = if units.is_empty() {
        String::new()
    } else {
        format!("units: {}; ", units.join(", "))
    };
    Wrong::new(
        format!("wrong unit in `{text}`"),
        label,
        format!("{units}write {}", U::EXAMPLE),
    )
}

/// A decimal number times a scale, when it comes out whole.
fn scaled(number: &str, scale: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty()
        || (number.contains('.') && fraction.is_empty())
        || fraction.contains('.')
        || fraction.len() > 12
    {
        return None;
    }
    let whole = whole.parse::<i64>().ok()?.checked_mul(scale)?;
    if fraction.is_empty() {
        return Some(whole);
    }
    let tens = 10i128.pow(u32::try_from(fraction.len()).ok()?);
    let part = fraction
        .parse::<i128>()
        .ok()?
        .checked_mul(i128::from(scale))?;
    if part % tens == 0 {
        whole.checked_add(i64::try_from(part / tens).ok()?)
    } else {
        None
    }
}

/// Writes a quantity in the shortest exact form with one unit; [`parse`] reads it back.
#[must_use]
pub fn show<U: Unit>(value: i64) -> String {
    let (suffix, scale) = U::SUFFIXES
        .iter()
        .find(|(_, scale)| value % scale == 0)
        .unwrap_or(&("", 1));
    format!("{}{suffix}", value / scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantities_are_whole_numbers_of_the_smallest_unit() {
        assert_eq!(parse::<Time>("1.5ms"), Ok(1_500_000));
        assert_eq!(parse::<Time>("2min"), Ok(120_000_000_000));
        assert_eq!(parse::<Time>("1.5h"), Ok(5_400_000_000_000));
        assert_eq!(parse::<Rate>("0.05%"), Ok(500));
        assert_eq!(parse::<Offset>("-200ms"), Ok(-200_000_000));
        assert_eq!(parse::<Size>("64MiB"), Ok(64 << 20));
        assert_eq!(parse::<Count>("1_000"), Ok(1_000));
    }

    #[test]
    fn wrong_units_are_named() {
        assert_eq!(
            parse::<Time>("5%").unwrap_err().label,
            "`%` is not a unit of a time"
        );
        assert_eq!(
            parse::<Rate>("5").unwrap_err().label,
            "a probability needs a unit"
        );
        assert_eq!(
            parse::<Count>("5ms").unwrap_err().label,
            "`ms` does not belong here: a number has no unit"
        );
        assert_eq!(
            parse::<Time>("soon").unwrap_err().title,
            "`soon` is not a time"
        );
        assert_eq!(
            parse::<Rate>("101%").unwrap_err().title,
            "101% is out of bounds"
        );
        assert_eq!(
            parse::<Time>("0.1ns").unwrap_err().title,
            "`0.1ns` cannot be counted in whole steps"
        );
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(
            value in -YEAR..=YEAR,
            rate in 0..=1_000_000i64,
            size in 0..=1i64 << 40,
        ) {
            prop_assert_eq!(parse::<Offset>(&show::<Offset>(value)), Ok(value));
            prop_assert_eq!(parse::<Rate>(&show::<Rate>(rate)), Ok(rate));
            prop_assert_eq!(parse::<Size>(&show::<Size>(size)), Ok(size));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,24}") {
            let _ = parse::<Time>(&text);
            let _ = parse::<Size>(&text);
        }

        #[test]
        fn no_number_panics(text in "[-+]?[0-9_.]{0,40}(s|ms|min|GiB|)") {
            let _ = parse::<Time>(&text);
            let _ = parse::<Size>(&text);
        }
    }
}
