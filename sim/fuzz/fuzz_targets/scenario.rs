//! `cargo +nightly fuzz run scenario`, in `sim/`: any text as a scenario or a reproducer. A corpus to
//! begin with is `scenarios/`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use synod_sim::glossary::names;
use synod_sim::plan::draw::draw;
use synod_sim::plan::pin::to_toml;
use synod_sim::scenario::load::parse;

fuzz_target!(|text: &str| {
    let names = names();
    match parse("x", text, &[], &names) {
        Ok(scenario) => {
            let repro = scenario.repro.clone().unwrap_or_default();
            let written = to_toml(&draw(&scenario, repro.seed), &repro);
            parse("x", &written, &[], &names).expect("what is written of a plan is a scenario");
        }
        Err(error) => assert!(error.to_string().contains("--> scenarios/x.toml")),
    }
});
