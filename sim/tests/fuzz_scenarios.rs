//! Whatever text comes in as a scenario or a reproducer: it is refused with a place, or it draws a
//! plan that its own reproducer brings back and that can be run; never a panic.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use synod_reports::record::Verdict;
use synod_sim::glossary::names;
use synod_sim::plan::Plan;
use synod_sim::plan::draw::draw;
use synod_sim::plan::pin::to_toml;
use synod_sim::run::{RunSpec, run};
use synod_sim::scenario::embedded::FILES;
use synod_sim::scenario::form::Repro;
use synod_sim::scenario::load::parse;
use synod_sim::scenario::names::Names;

mod damage;

use damage::{damage, damaged};

/// One in so many of what can be run is run, for so many events.
const RUN_ONE_IN: u32 = 20;
const EVENTS: u64 = 5_000;

/// What is put into a scenario.
const PIECES: &[&str] = &[
    "",
    "0",
    "1",
    "-1",
    "7",
    "9",
    "65536",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "0.5",
    "1e400",
    "nan",
    "true",
    "null",
    "{}",
    "[]",
    "[[",
    "]]",
    "{",
    "}",
    "[",
    "]",
    "=",
    ".",
    ",",
    "\"",
    "'",
    "\"\"\"",
    "#",
    "\n",
    "\t",
    "\\u0000",
    "0ns",
    "1ns",
    "5ms",
    "1h",
    "1000000h",
    "9223372036854775807ns",
    "0%",
    "100%",
    "101%",
    "1ppm",
    "1B",
    "4KiB",
    "1000000GiB",
    "1/s",
    "0/s",
    "1..2",
    "2..1",
    "1..",
    "..",
    "1..all",
    "all",
    "any",
    "leader",
    "others",
    "follower",
    "minority",
    "majority",
    "core",
    "acknowledgers",
    "r1",
    "r9",
    "r10",
    "c1",
    "c9",
    "everyone",
    "none",
    "accept",
    "leader-changed",
    "synod",
    "abd",
    "primary-copy",
    "half-is-a-quorum",
    "safety",
    "format",
    "title",
    "step",
    "after",
    "within",
    "for",
    "expect",
    "invoke",
    "kill",
    "partition",
    "heal",
    "{ pick = [1, 3, 5] }",
    "{ shape = \"exponential\", mean = \"1ms\", max = \"9ms\" }",
];

/// What is nowhere in a file has the file for its place, and all else a line and a column.
fn has_place(said: &str) -> bool {
    const NOWHERE: &[&str] = &[
        "error: the key `",
        "error: nobody asks anything",
        "error: damage beyond the redundancy budget",
    ];
    let Some((_, place)) = said.split_once("--> scenarios/x.toml") else {
        return false;
    };
    let is_numbered = place
        .strip_prefix(':')
        .is_some_and(|line| line.starts_with(|first: char| first.is_ascii_digit()));
    is_numbered || NOWHERE.iter().any(|nowhere| said.starts_with(nowhere))
}

/// Refused with a place, or a plan that comes back from what is written of it.
fn read(text: &str, names: &Names, seed: u64) -> Option<Plan> {
    let scenario = match parse("x", text, &[], names) {
        Ok(scenario) => scenario,
        Err(error) => {
            assert!(!error.problems().is_empty());
            for said in error.to_string().split("\n\n") {
                assert!(has_place(said), "no place in:\n{said}\nof:\n{text}");
            }
            return None;
        }
    };
    let repro = scenario.repro.clone().unwrap_or_else(|| Repro {
        seed,
        ..Repro::default()
    });
    let seed = repro.seed;
    let plan = draw(&scenario, seed);
    let written = to_toml(&plan, &repro);
    let again = parse("x", &written, &[], names)
        .unwrap_or_else(|error| panic!("{error}\nin what was written of:\n{text}"));
    assert_eq!(
        draw(&again, seed).without_lines(),
        plan.clone().without_lines(),
        "{text}"
    );
    Some(plan)
}

/// Scenarios of the library, and what was written of a drawn one.
fn seeds() -> Vec<Vec<u8>> {
    let names = names();
    let drawn = |name: &&str| {
        let scenario = parse(name, text_of(name), &[], &names).expect("the library is good");
        let repro = Repro {
            seed: 7,
            ..Repro::default()
        };
        to_toml(&draw(&scenario, 7), &repro).into_bytes()
    };
    let short = ["safety/stale-read", "smoke/healthy-3"];
    FILES
        .iter()
        .map(|(_, text)| text.as_bytes().to_vec())
        .chain(short.iter().map(drawn))
        .collect()
}

fn text_of(name: &str) -> &'static str {
    let file = FILES.iter().find(|(file, _)| *file == name);
    file.expect("it is in the library").1
}

#[test]
fn damaged_scenarios() {
    let (seeds, names) = (seeds(), names());
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(4_000)
    });
    let inputs = (
        any::<Index>(),
        prop::collection::vec(damage(PIECES), 0..4),
        any::<u64>(),
    );
    let good = std::cell::Cell::new(0u32);
    let tried = runner.run(&inputs, |(file, damages, seed)| {
        let bytes = seeds[file.index(seeds.len())].clone();
        let bytes = damages.iter().fold(bytes, damaged);
        if let Some(mut plan) = read(&String::from_utf8_lossy(&bytes), &names, seed) {
            good.set(good.get() + 1);
            if good.get().is_multiple_of(RUN_ONE_IN) {
                plan.end.events = plan.end.events.min(EVENTS);
                let record = run(&RunSpec::new(plan)).record;
                let ends_well = !matches!(record.verdict, Verdict::Panic | Verdict::Lost);
                assert!(
                    ends_well,
                    "{record:?}\nof:\n{}",
                    String::from_utf8_lossy(&bytes)
                );
            }
        }
        Ok(())
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
    // Damage that always breaks the TOML itself would test the parser of TOML.
    assert!(good.get() > 1_000, "{} of 4,000 are scenarios", good.get());
}
