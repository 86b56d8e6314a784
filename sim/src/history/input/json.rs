//! JSON values as they are compared: by what they are, however they are written.
//!
//! `7`, `7.0` and `70e-1` are one number, however long, and the order of the fields of an object
//! says nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::history::values::{ABSENT, Form, Val, Values};

/// How deep values may be nested.
const DEEPEST: usize = 64;

/// How far an exponent may move the point. Only so that a few characters cannot stand for a
/// gigabyte.
const EXPONENT_MAX: usize = 1000;

/// A value.
pub enum Json<'a> {
    /// `null`.
    Null,
    /// A string.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Json<'a>>),
    /// The canonical text of anything else.
    Other(Cow<'a, str>),
}

impl<'a> Json<'a> {
    /// Reads a value that is known to be well-formed.
    ///
    /// # Errors
    /// What cannot be compared.
    pub fn read(text: &'a str) -> Result<Self, String> {
        Self::nested(text, 0)
    }

    fn nested(text: &'a str, depth: usize) -> Result<Self, String> {
        if depth > DEEPEST {
            return Err(format!("values are nested deeper than {DEEPEST}"));
        }
        let wrong = |error: serde_json::Error| error.to_string();
        Ok(match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't' | b'f') => Self::Other(text.into()),
            Some(b'"') => {
                let inside = text
                    .get(1..text.len() - 1)
                    .filter(|inside| !inside.contains('\\'));
                Self::Text(match inside {
                    Some(inside) => inside.into(),
                    None => serde_json::from_str::<String>(text).map_err(wrong)?.into(),
                })
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(wrong)?;
                Self::List(
                    items
                        .into_iter()
                        .map(|item| Self::nested(item.get(), depth + 1))
                        .collect::<Result<_, _>>()?,
                )
            }
            Some(b'{') => {
                let fields: BTreeMap<String, &RawValue> =
                    serde_json::from_str(text).map_err(wrong)?;
                let mut out = String::from("{");
                for (at, (name, value)) in fields.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    out.push_str(&serde_json::Value::from(name.as_str()).to_string());
                    out.push(':');
                    Self::nested(value.get(), depth + 1)?.write(&mut out);
                }
                out.push('}');
                Self::Other(out.into())
            }
            _ => Self::Other(number(text)?),
        })
    }

    /// The number of the value.
    pub fn intern(&self, values: &mut Values) -> Val {
        match self {
            Self::Null => ABSENT,
            Self::Text(text) => values.text(text.as_bytes()),
            Self::Other(text) => values.intern(Form::Other, text.as_bytes()),
            Self::List(_) => {
                let mut text = String::new();
                self.write(&mut text);
                values.intern(Form::Other, text.as_bytes())
            }
        }
    }

    /// The number of the value; one can look into it if it is a list.
    pub fn intern_list(&self, values: &mut Values) -> Val {
        let Self::List(members) = self else {
            return self.intern(values);
        };
        let members: Vec<Val> = members
            .iter()
            .map(|member| member.intern_list(values))
            .collect();
        values.list(&members)
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Text(text) => out.push_str(&serde_json::Value::from(&**text).to_string()),
            Self::Other(text) => out.push_str(text),
            Self::List(list) => {
                out.push('[');
                for (at, item) in list.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
        }
    }
}

/// A number in decimal digits without an exponent and without zeros that say nothing: exact, as
/// JSON's numbers are.
fn number(text: &str) -> Result<Cow<'_, str>, String> {
    let (minus, unsigned) = text
        .strip_prefix('-')
        .map_or(("", text), |unsigned| ("-", unsigned));
    if unsigned != "0" && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.into());
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.bytes().all(|byte| byte == b'0') {
        return Ok("0".into());
    }
    let far = || format!("the exponent of {text:.40} is beyond {EXPONENT_MAX}");
    let (back, places) = match exponent.strip_prefix('-') {
        Some(places) => (true, places),
        None => (false, exponent.strip_prefix('+').unwrap_or(exponent)),
    };
    let places: usize = places
        .parse()
        .ok()
        .filter(|places| *places <= EXPONENT_MAX)
        .ok_or_else(far)?;
    // The point stands behind this many digits, of which there are as many as are needed.
    let (digits, point) = if back {
        (format!("{}{digits}", "0".repeat(places)), whole.len())
    } else {
        (
            format!("{digits}{}", "0".repeat(places)),
            whole.len() + places,
        )
    };
    let (whole, fraction) = digits.split_at(point);
    let (whole, fraction) = (
        whole.trim_start_matches('0'),
        fraction.trim_end_matches('0'),
    );
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    Ok(format!("{minus}{whole}{point}{fraction}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        let mut out = String::new();
        Json::read(text).expect("a value").write(&mut out);
        out
    }

    #[test]
    fn numbers_are_equal_if_they_are() {
        for (written, number) in [
            ("7", "7"),
            ("7.0", "7"),
            ("70e-1", "7"),
            ("0.07e+2", "7"),
            ("-0", "0"),
            ("-0.0e5", "0"),
            ("0.50", "0.5"),
            ("-12.5e-3", "-0.0125"),
            ("1e20", "100000000000000000000"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            ("-9007199254740993", "-9007199254740993"),
        ] {
            assert_eq!(canonical(written), number, "{written}");
        }
        assert!(Json::read("1e999999999999").is_err() && Json::read("1e-1001").is_err());
    }

    #[test]
    fn values_are_compared_by_what_they_are() {
        assert_eq!(
            canonical(r#"{"b": [1.0, null], "a": "\u0041"}"#),
            canonical(r#"{"a":"A","b":[1,null]}"#)
        );
        assert_ne!(canonical("\"7\""), canonical("7"));
        assert!(Json::read(&("[".repeat(100_000) + &"]".repeat(100_000))).is_err());
    }
}
