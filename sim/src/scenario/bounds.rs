//! Bounds of values.

use crate::scenario::form::Maybe;
use crate::scenario::problem::Problem;
use crate::scenario::units::{Unit, show};
use crate::scenario::value::Ranged;

/// Says when a value can leave its bounds.
pub fn bounds<U: Unit>(
    value: &Maybe<Ranged<U>>,
    min: i64,
    max: i64,
    help: &str,
    problems: &mut Vec<Problem>,
) {
    if let Some(value) = value
        .as_ref()
        .filter(|value| value.get_ref().min() < min || value.get_ref().max() > max)
    {
        let (low, high) = (
            show::<U>(value.get_ref().min()),
            show::<U>(value.get_ref().max()),
        );
        let what = if low == high {
            low
        } else {
            format!("{low} to {high}")
        };
        problems.push(Problem::at(
            value.span(),
            format!("{what} is out of bounds"),
            "out of bounds",
            help,
        ));
    }
}
