//! `cargo +nightly fuzz run history_jepsen`, in `sim/`: any bytes as a history.

#![no_main]

use libfuzzer_sys::fuzz_target;
use synod_sim::check::linearizability::answer::explain;
use synod_sim::check::linearizability::check::{Verdict, check};
use synod_sim::check::linearizability::budget::Budget;
use synod_reports::page::html::html;
use synod_sim::history::input::{Format, Model, read};
use synod_sim::page::history::of_history;

fuzz_target!(|bytes: &[u8]| {
    let budget = Budget { steps: 50_000, bytes: 1 << 18 };
    for model in [Model::Register, Model::KeyValue] {
        let Ok(history) = read(bytes, Format::Jepsen, model) else { continue };
        if let Verdict::NotLinearizable { key } = check(&history, budget).verdict
            && let Some(why) = explain(&history, key, budget)
        {
            std::hint::black_box(html(&of_history("a history", "not-linearizable", &history, Some(&why))));
        }
    }
});
