//! Whatever bytes come in as a history: an error or an answer, never a panic. The same entry as the targets in `fuzz/`.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use synod_sim::check::linearizability::answer::{explain, picture, text};
use synod_sim::check::linearizability::check::{Verdict, check};
use synod_sim::check::linearizability::search::Budget;
use synod_sim::history::input::{Format, Model, read};
use synod_sim::history::jsonl;

const BUDGET: Budget = Budget { steps: 20_000, configurations: 1_000 };

fn digest(bytes: &[u8]) {
    for format in [Format::Auto, Format::Synod, Format::Jepsen] {
        for model in [Model::Register, Model::KeyValue] {
            let Ok(history) = read(bytes, format, model) else { continue };
            let report = check(&history, BUDGET);
            if let Verdict::NotLinearizable { key } = report.verdict
                && let Some(why) = explain(&history, key, BUDGET)
            {
                assert!(!text::explanation(&history, &why).is_empty() && picture::page(&history, &why).ends_with("</html>\n"));
            }
            let mut written = Vec::new();
            jsonl::write(&history, &mut written).expect("memory takes everything");
        }
    }
}

/// The small histories beside this file.
fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories");
    let mut files: Vec<_> = ["linearizable", "not-linearizable", "invalid"]
        .iter()
        .flat_map(|verdict| fs::read_dir(folder.join(verdict)).expect("the folder is there"))
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).expect("it can be read")).filter(|bytes| bytes.len() < 4096).collect();
    assert!(seeds.len() > 30);
    seeds
}

/// One way to damage a text: at a place, with some bytes.
#[derive(Clone, Debug)]
enum Damage {
    Put(prop::sample::Index, Vec<u8>),
    Over(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    SwapLines(prop::sample::Index, prop::sample::Index),
    RepeatLine(prop::sample::Index),
    DropLine(prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = any::<prop::sample::Index>;
    let piece = prop_oneof![
        any::<[u8; 1]>().prop_map(Vec::from),
        prop::sample::select(
            &["null", "nil", "[", "]", "{", "}", "\"", "\\", "\\u", "#", "#_", ":", ",", "-", "99999999999999999999", "1e400", "0.1", "\n"][..]
        )
        .prop_map(|piece| piece.as_bytes().to_vec()),
    ];
    prop_oneof![
        (place(), piece).prop_map(|(at, piece)| Damage::Put(at, piece)),
        (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Over(at, byte)),
        place().prop_map(Damage::Cut),
        (place(), place()).prop_map(|(one, other)| Damage::SwapLines(one, other)),
        place().prop_map(Damage::RepeatLine),
        place().prop_map(Damage::DropLine),
    ]
}

fn damaged(mut bytes: Vec<u8>, damage: &Damage) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
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

#[test]
fn damaged_histories() {
    let seeds = seeds();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) });
    let inputs = (any::<prop::sample::Index>(), prop::collection::vec(damage(), 0..6));
    let tried = runner.run(&inputs, |(seed, damages)| {
        let bytes = damages.iter().fold(seeds[seed.index(seeds.len())].clone(), damaged);
        digest(&bytes);
        Ok(())
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        digest(&bytes);
    }

    #[test]
    fn any_forms(text in r##"(INFO jepsen - )?[0-3]? ?(:(invoke|ok|fail|info|read|write|cas|nil)|[\[\]{}()"#_\\;,]|[0-9]{1,3}|nil|[ \n]){0,40}"##) {
        digest(text.as_bytes());
    }
}
