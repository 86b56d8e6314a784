//! A sweep that is killed at any moment and gone on with, and one that is made in shards and joined,
//! leave what the unbroken sweep leaves: results, totals and the folders of failures, byte for byte,
//! times and memory aside. What another version left is refused in a sentence.

#![cfg(target_os = "linux")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "it watches another process by the clock"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A sweep, and how many runs it has.
type Swept = (&'static str, u64);

/// Two scenarios, of which one fails in several ways.
const SEVERAL: Swept = (
    "safety/weather-3 smoke/healthy-3 --seeds 0..7 --bug accept-below-promise \
     --verify-determinism 20% --shrink 0",
    14,
);

/// One that fails in one way, which is made small.
const SHRUNK: Swept = (
    "smoke/healthy-3 --seeds 0..6 --bug commit-bound-inclusive --shrink 1",
    6,
);

/// What a summary says of the machine and the moment.
const COSTS: [&str; 4] = [
    "cpu_seconds",
    "wall_seconds",
    "cpu_seconds_by_scenario",
    "peak_rss_bytes",
];

fn synod(folder: &Path, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_synod"));
    command
        .args(["-q", "--no-progress"])
        .args(words.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Its exit status and what it says.
fn told(folder: &Path, words: &str) -> (Option<i32>, String) {
    let output = synod(folder, words)
        .stderr(Stdio::piped())
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

fn status(folder: &Path, words: &str) -> Option<i32> {
    told(folder, words).0
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All that a sweep left and that no clock has a say in, by its path.
fn left(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::from([("results.jsonl".into(), read(&folder.join("results.jsonl")))]);
    for (name, aside) in [("run.json", &["shard"][..]), ("summary.json", &COSTS[..])] {
        let mut document: Value =
            serde_json::from_slice(&read(&folder.join(name))).expect("it is JSON");
        let fields = document.as_object_mut().expect("it has fields");
        for field in aside {
            assert!(fields.remove(*field).is_some(), "{name} has no {field}");
        }
        all.insert(name.into(), document.to_string().into_bytes());
    }
    files(folder, Path::new("failures"), &mut all);
    all
}

/// The files of a folder and of those in it.
fn files(root: &Path, folder: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let entries = std::fs::read_dir(root.join(folder)).expect("it is there");
    for entry in entries {
        let entry = entry.expect("it can be read");
        let path = folder.join(entry.file_name());
        if entry.path().is_dir() {
            files(root, &path, all);
        } else {
            let bytes = read(&entry.path());
            all.insert(path, bytes);
        }
    }
}

/// Says in which files two sweeps differ, not what megabytes they hold.
fn same(whole: &BTreeMap<PathBuf, Vec<u8>>, other: &Path, what: &str) {
    let other = left(other);
    let names = |all: &BTreeMap<PathBuf, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(whole), names(&other), "{what}");
    for (path, bytes) in whole {
        let is_same = *bytes == other[path];
        assert!(is_same, "{what}: {} is another", path.display());
    }
}

/// The unbroken sweep.
fn whole(place: &Path, swept: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let words = format!("sweep {swept} --jobs 2 --out whole");
    assert_eq!(status(place, &words), Some(1));
    left(&place.join("whole"))
}

fn has(whole: &BTreeMap<PathBuf, Vec<u8>>, file: &str) -> usize {
    whole.keys().filter(|path| path.ends_with(file)).count()
}

/// The next of the numbers that this one begins (splitmix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Kills it once it has written so many results and this time has passed, without a warning. Whether
/// it was still there to be killed.
fn kill(mut child: Child, folder: &Path, results: u64, later: Duration) -> bool {
    let began = Instant::now();
    let written = |name: &str| {
        let text = std::fs::read(folder.join(name)).unwrap_or_default();
        text.iter().filter(|byte| **byte == b'\n').count() as u64
    };
    while !folder.join("run.json").exists()
        || written("results.jsonl").max(written("results.jsonl.new")) < results
    {
        assert!(began.elapsed() < Duration::from_secs(300), "it hangs");
        if child.try_wait().expect("it can be asked").is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(later);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends").code().is_none()
}

/// Kills the sweep at moments that these seeds draw, goes on with it, and looks at what is left.
fn killed(swept: Swept, seeds: std::ops::Range<u64>) {
    let place = tempfile::tempdir().expect("a folder");
    let place = place.path();
    let (words, runs) = swept;
    let whole = whole(place, words);
    let mut killed = 0;
    for seed in seeds.clone() {
        let mut moments = seed;
        let out = place.join(format!("killed-{seed}"));
        let mut words = format!("sweep {words} --jobs 2 --out {}", out.display());
        // Up to three times, when so many results are there; often when all of them are, and
        // failures are repeated or made small.
        for _ in 0..=next(&mut moments) % 3 {
            let results = (next(&mut moments) % (runs * 3 / 2)).min(runs);
            let later = Duration::from_micros(next(&mut moments) % 60_000);
            let child = synod(place, &words).spawn().expect("it starts");
            killed += u64::from(kill(child, &out, results, later));
            words = format!("sweep --jobs 2 --resume {}", out.display());
        }
        assert_eq!(status(place, &words), Some(1), "seed {seed}");
        same(&whole, &out, &format!("seed {seed}"));
    }
    assert!(
        killed * 2 >= seeds.end - seeds.start,
        "{killed} were still running"
    );
}

#[test]
fn a_sweep_that_is_killed_and_gone_on_with_leaves_what_the_unbroken_one_does() {
    killed(SEVERAL, 0..4);
}

#[test]
fn so_does_one_that_is_killed_while_it_makes_a_failure_small() {
    killed(SHRUNK, 10..16);
}

#[test]
fn shards_that_are_joined_leave_what_the_unsharded_sweep_does() {
    for (words, _) in [SEVERAL, SHRUNK] {
        let place = tempfile::tempdir().expect("a folder");
        let place = place.path();
        let whole = whole(place, words);
        assert!(has(&whole, "repro.toml") > 0, "nothing failed");
        let is_shrunk = has(&whole, "shrunk.toml") > 0;
        assert_eq!(is_shrunk, words == SHRUNK.0);
        for shard in 1..=4 {
            let words = format!("sweep {words} --jobs 1 --shard {shard}/4 --out shard-{shard}");
            assert!(status(place, &words).is_some_and(|status| status <= 1));
        }
        let merge = "merge shard-3 shard-1 shard-4 shard-2 -o joined";
        assert_eq!(status(place, merge), Some(1));
        same(&whole, &place.join("joined"), "four shards");
    }
}

/// What `change` makes of a file of a sweep is refused by all that read it: with exit 2, and one
/// sentence that names the file.
fn refused(place: &Path, file: &str, change: impl Fn(&str) -> String, parts: &[&str]) {
    let path = place.join("swept").join(file);
    let text = String::from_utf8(read(&path)).expect("it is text");
    let changed = change(&text);
    assert_ne!(changed, text, "nothing was changed");
    std::fs::write(&path, changed).expect("it can be written");
    let readers = ["sweep --resume swept", "merge swept -o out", "triage swept"];
    // An issue's text is made of the results alone.
    let readers = readers
        .iter()
        .filter(|words| file != "summary.json" || !words.starts_with("triage"));
    for words in readers {
        let (status, said) = told(place, words);
        assert_eq!(status, Some(2), "{words}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{words}: {said}");
        for part in parts.iter().chain([&file]) {
            assert!(said.contains(part), "{words}: `{part}` in {said}");
        }
    }
    std::fs::write(&path, text).expect("it can be written");
}

#[test]
fn a_folder_of_another_version_is_read_or_refused_in_a_sentence() {
    let place = tempfile::tempdir().expect("a folder");
    let place = place.path();
    let sweep = "sweep smoke/healthy-3 --seeds 0..2 --jobs 1 --out swept";
    assert_eq!(status(place, sweep), Some(0));
    let version = |other: &'static str| {
        move |text: &str| text.replacen("\"format\": 1", &format!("\"format\": {other}"), 1)
    };
    refused(place, "run.json", version("0"), &["format 0", "sweep anew"]);
    refused(place, "run.json", version("2"), &["format 2", "sweep anew"]);
    // An older one had other fields: its version is told, and not the first field that it lacks.
    let bare = |_: &str| "{\"format\": 0, \"seeds\": \"0..2\"}".to_owned();
    refused(place, "run.json", bare, &["format 0"]);
    let none = |_: &str| "{\"seeds\": [0, 2]}".to_owned();
    refused(place, "run.json", none, &["format"]);
    let cut = |text: &str| text[..text.len() / 2].to_owned();
    refused(place, "run.json", cut, &["EOF"]);
    refused(place, "run.json", |_| String::new(), &["EOF"]);
    refused(place, "summary.json", version("0"), &["format 0"]);
    refused(place, "summary.json", |_| "{}".to_owned(), &["format"]);
    let verdict = |text: &str| text.replacen("\"pass\"", "\"well\"", 1);
    refused(place, "results.jsonl", verdict, &[":1:", "well"]);
    // What only came to be written later need not be there.
    let path = place.join("swept/run.json");
    let mut info: Value = serde_json::from_slice(&read(&path)).expect("it is JSON");
    let fields = info.as_object_mut().expect("it has fields");
    fields.remove("shrink").expect("it is there");
    std::fs::write(&path, info.to_string()).expect("it can be written");
    assert_eq!(status(place, "sweep --resume swept"), Some(0));
    assert_eq!(status(place, "merge swept -o out"), Some(0));
}
