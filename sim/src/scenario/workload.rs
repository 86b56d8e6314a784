//! What a workload can be.

use toml::Spanned;

use crate::scenario::form::FileForm;
use crate::scenario::problem::Problem;
use crate::scenario::units::{Size, show};

/// The most operations of a run.
pub const OPERATIONS_MAX: i64 = 10_000_000;
/// The most bytes of a value: a quarter of the largest batch.
pub const VALUE_MAX: i64 = 4 << 10;
/// What a write takes beside its value, at most, in bytes: its key, its number, and its place in a
/// batch.
const BESIDE_VALUE: i64 = 256;

/// Says what is wrong with the workload, if there is one.
pub fn check(file: &FileForm, problems: &mut Vec<Problem>) {
    let Some(workload) = file.workload.as_ref().map(Spanned::get_ref) else {
        return;
    };
    if let (Some(size), Some(segment)) = (&workload.value_size, &file.engine.segment) {
        let (largest, smallest) = (size.get_ref().max(), segment.get_ref().min());
        let fits = smallest / 2 - BESIDE_VALUE;
        if largest > fits {
            problems.push(Problem::at(
                size.span(),
                format!(
                    "values of {} in segments of {}",
                    show::<Size>(largest),
                    show::<Size>(smallest)
                ),
                "too large",
                format!(
                    "a write fits in half a segment: write at most \"{}\", or let segments be larger",
                    show::<Size>(fits)
                ),
            ));
        }
    }
    let least = workload
        .clients
        .as_ref()
        .map_or(4, |clients| clients.get_ref().min());
    if let Some(idle) = &workload.idle
        && let Some(client) = idle
            .get_ref()
            .0
            .iter()
            .find(|one| i64::from(one.0) >= least)
    {
        problems.push(Problem::at(
            idle.span(),
            format!("there is no client `{client}` to be idle"),
            "unknown client",
            format!("the workload has c1 to c{least}"),
        ));
    }
    if let Some(mix) = &workload.mix {
        let entries = mix.get_ref();
        if [
            entries.get,
            entries.put,
            entries.append,
            entries.cas,
            entries.delete,
        ]
        .iter()
        .all(|weight| *weight == 0)
        {
            problems.push(Problem::at(
                mix.span(),
                "a mix of nothing",
                "every weight is 0",
                "write mix = { get = 4, put = 3, append = 2, cas = 1 }",
            ));
        }
    }
    if let (Some(rate), Some(_)) = (&workload.rate, &workload.think) {
        problems.push(Problem::at(
            rate.span(),
            "both `rate` and `think`",
            "one of them",
            "`rate` is of all clients together and makes an open loop; `think` is of each",
        ));
    }
}
