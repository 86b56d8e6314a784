//! Values of a plan as a scenario file writes them.

use crate::history::operation::Text;
use crate::ids::Node;
use crate::plan::Distribution;
use crate::scenario::units::{Time, Unit, show};
use crate::scenario::value::{Word, name};
use crate::time::{Instant, Span};

pub(super) fn nodes(list: &[Node]) -> String {
    format!("[{}]", join(list.iter().map(|node| format!("\"{node}\""))))
}

pub(super) fn word<T: Word + PartialEq>(word: T) -> String {
    format!("\"{}\"", name(word))
}

pub(super) fn distribution(of: Distribution) -> String {
    match of {
        Distribution::Constant(value) => span(value),
        Distribution::Uniform(min, max) => format!(
            "{{ shape = \"uniform\", min = {}, max = {} }}",
            span(min),
            span(max)
        ),
        Distribution::Exponential { mean, max } => format!(
            "{{ shape = \"exponential\", mean = {}, max = {} }}",
            span(mean),
            span(max)
        ),
    }
}

pub(super) fn shown(span: Span) -> String {
    show::<Time>(i64::try_from(span.0).unwrap_or(i64::MAX))
}

pub(super) fn span(span: Span) -> String {
    format!("\"{}\"", shown(span))
}

pub(super) fn time(at: Instant) -> String {
    span(Span(at.0))
}

pub(super) fn unit<U: Unit>(value: i64) -> String {
    format!("\"{}\"", show::<U>(value))
}

pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

pub(super) fn text(text: &Text) -> String {
    quoted(&String::from_utf8_lossy(text))
}

pub(super) fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
