//! Whatever bytes come in as a history: an error or an answer, never a panic. The same entry as the
//! targets in `fuzz/`.
//!
//! `SYNOD_FUZZ_INPUTS=5000000 cargo test --release --test fuzz_histories generations --
//! --nocapture` damages the small histories that many times, and goes on with what was damaged as
//! long as it is still a history.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use synod_reports::page::html::html;
use synod_sim::check::linearizability::answer::{explain, text};
use synod_sim::check::linearizability::budget::Budget;
use synod_sim::check::linearizability::check::{Verdict, check};
use synod_sim::history::input::{Format, Model, read};
use synod_sim::history::jsonl;
use synod_sim::page::history::of_history;

mod damage;

use damage::{damage, damaged};

/// What is put into a history.
const PIECES: &[&str] = &[
    "null",
    "nil",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "\\",
    "\\u",
    "#",
    "#_",
    ":",
    ",",
    "-",
    "99999999999999999999",
    "1e400",
    "0.1",
    "\n",
];

const BUDGET: Budget = Budget {
    steps: 20_000,
    bytes: 1 << 18,
};

fn digest(bytes: &[u8]) {
    for format in [Format::Auto, Format::Synod, Format::Jepsen] {
        for model in [Model::Register, Model::KeyValue] {
            let Ok(history) = read(bytes, format, model) else {
                continue;
            };
            let report = check(&history, BUDGET);
            if let Verdict::NotLinearizable { key } = report.verdict
                && let Some(why) = explain(&history, key, BUDGET)
            {
                assert!(
                    !text::explanation(&history, &why).is_empty()
                        && html(&of_history("any", "any", &history, Some(&why)))
                            .ends_with("</html>\n")
                );
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
    let seeds: Vec<Vec<u8>> = files
        .iter()
        .map(|file| fs::read(file).expect("it can be read"))
        .filter(|bytes| bytes.len() < 4096)
        .collect();
    assert!(seeds.len() > 30);
    seeds
}

#[test]
fn damaged_histories() {
    let seeds = seeds();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(20_000)
    });
    let inputs = (
        any::<prop::sample::Index>(),
        prop::collection::vec(damage(PIECES), 0..6),
    );
    let tried = runner.run(&inputs, |(seed, damages)| {
        let bytes = damages
            .iter()
            .fold(seeds[seed.index(seeds.len())].clone(), damaged);
        digest(&bytes);
        Ok(())
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(10_000)
    })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        digest(&bytes);
    }

    #[test]
    fn any_forms(
        text in r##"(INFO jepsen - )?[0-3]? ?(:(invoke|ok|fail|info|read|write|cas|nil)|[\[\]{}()"#_\\;,]|[0-9]{1,3}|nil|[ \n]){0,40}"##,
    ) {
        digest(text.as_bytes());
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long to go on is no part of a run"
)]
fn number_from_outside(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn generations_of_damage() {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    const TOKENS: &str = "null nil [ ] { } ( ) \" \\ \\u # #_ ## #{ : , - ; 0 7 1e400 0.1 \
                          99999999999999999999 \n \r\n \t :ok :fail :info :invoke :read :write \
                          :cas :append :delete :get :put :key :value :process :nemesis :time \
                          :index :slot :error :mismatch :saw \"time\": \"slot\": \"index\": \
                          \"saw\": \"mismatch\":true, \"type\":\"info\", \"process\": \"key\": \
                          [null,1] 18446744073709551615 281474976710655 65535";
    let inputs = number_from_outside("SYNOD_FUZZ_INPUTS").unwrap_or(5_000);
    let mut rng = ChaCha8Rng::seed_from_u64(number_from_outside("SYNOD_FUZZ_SEED").unwrap_or(0));
    let mut below = |count: usize| {
        usize::try_from(rng.next_u64() % count.max(1) as u64).expect("it is below a usize")
    };
    let tokens: Vec<&str> = TOKENS
        .split(' ')
        .filter(|token| !token.is_empty())
        .collect();
    let mut pool = seeds();
    let kept = pool.len();
    let mut histories = 0u64;
    for _ in 0..inputs {
        let mut bytes = pool[below(pool.len())].clone();
        for _ in 0..1 + below(4) {
            let (from, to) = (below(bytes.len() + 1), below(bytes.len() + 1));
            let (from, to) = (from.min(to), from.max(to));
            let mut lines: Vec<Vec<u8>> = bytes
                .split_inclusive(|byte| *byte == b'\n')
                .map(<[u8]>::to_vec)
                .collect();
            let (one, other) = (below(lines.len()), below(lines.len()));
            match below(9) {
                0 => _ = bytes.splice(from..from, tokens[below(tokens.len())].bytes()),
                1 => _ = bytes.splice(from..to.min(from + 8), tokens[below(tokens.len())].bytes()),
                2 if from < bytes.len() => {
                    bytes[from] = u8::try_from(below(256)).expect("it is below 256")
                }
                3 => _ = bytes.drain(from..to.min(from + 1 + below(16))),
                4 if !lines.is_empty() => {
                    lines.swap(one, other);
                    bytes = lines.concat();
                }
                5 if !lines.is_empty() => {
                    lines.insert(other, lines[one].clone());
                    bytes = lines.concat();
                }
                6 if !lines.is_empty() => {
                    lines.remove(one);
                    bytes = lines.concat();
                }
                7 => bytes.extend_from_slice(&pool[below(kept)]),
                // A digit becomes another: another value, time or process.
                _ => {
                    let digits: Vec<usize> = (0..bytes.len())
                        .filter(|at| bytes[*at].is_ascii_digit())
                        .collect();
                    if !digits.is_empty() {
                        bytes[digits[below(digits.len())]] =
                            b'0' + u8::try_from(below(10)).expect("a digit");
                    }
                }
            }
        }
        bytes.truncate(8192);
        digest(&bytes);
        if [Model::Register, Model::KeyValue]
            .iter()
            .any(|model| read(&bytes[..], Format::Auto, *model).is_ok())
        {
            histories += 1;
            let at = kept + below(1000);
            if at < pool.len() {
                pool[at] = bytes
            } else {
                pool.push(bytes)
            }
        }
    }
    eprintln!("{inputs} inputs, {histories} of them histories");
    assert!(histories > 0);
}
