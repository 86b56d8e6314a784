//! The folders that sweeps write: which stay, what is in them, and how a sweep goes on from one.

#![cfg(target_os = "linux")]

mod command;

use command::{folder, refused, run, run_with};

/// Old sweeps go, and those that somebody named do not.
#[test]
fn folders_of_old_sweeps() {
    let place = folder();
    let at = place.path();
    let sweep = |rest: &str| {
        let made = run(
            at,
            &format!("sweep smoke/healthy-3 --seeds 0..1 --jobs 1 {rest}"),
        );
        assert_eq!(made.status, Some(0), "{}", made.said);
        made.said
    };
    let runs = at.join("target/synod");
    let left = || {
        let entries = std::fs::read_dir(&runs).expect("there are some");
        let names = entries.map(|entry| entry.expect("it can be read").file_name());
        let mut names: Vec<String> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort_unstable();
        names
    };
    assert_eq!(sweep("--out target/synod/20200101-000000-1"), "");
    assert_eq!(
        sweep("--out target/synod/20200102-000000-1 --keep-runs 1"),
        ""
    );
    assert_eq!(sweep("--out target/synod/mine"), "");
    assert_eq!(left().len(), 3, "{:?}", left());
    assert_eq!(sweep("--keep-runs 0"), "");
    assert_eq!(left().len(), 5, "and the link: {:?}", left());
    let said = sweep("-v --keep-runs 3");
    assert!(
        said.contains("removed target/synod/20200101-000000-1"),
        "{said}"
    );
    assert_eq!(sweep("--keep-runs 2"), "", "it is told to who asks");
    let left = left();
    assert!(
        !left.iter().any(|name| name.starts_with("2020")),
        "{left:?}"
    );
    assert_eq!(
        left.len(),
        4,
        "two, the one that was named, the link: {left:?}"
    );
    let latest = std::fs::read_link(runs.join("latest")).expect("it is a link");
    assert!(runs.join(latest).join("results.jsonl").is_file());
}

/// Days since 1970 in UTC.
#[expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the command reads the day as well"
)]
fn days() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("it is later").as_secs() / 86_400
}

/// A night's seeds hang on the day alone, and are told and kept.
#[test]
fn seeds_of_a_night() {
    let place = folder();
    let at = place.path();
    let kept = || {
        let text = std::fs::read_to_string(at.join("out/run.json")).expect("it was written");
        let info: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        info["seeds"].clone()
    };
    let nightly = "sweep smoke/healthy-3 --profile nightly --jobs 1 --out out";
    let today = days();
    let night = run(at, &format!("{nightly} --time 1ms"));
    if days() != today {
        return;
    }
    let (start, end) = (today * 100_000_000, (today + 1) * 100_000_000);
    let told = format!("smoke/healthy-3, seeds {start}..{end}; its base is the day in UTC");
    assert_eq!(night.said.lines().next(), Some(told.as_str()));
    assert_eq!(kept(), serde_json::json!({"start": start, "end": end}));
    let given = run(at, &format!("{nightly} --seeds 3..5"));
    assert_eq!((given.status, given.said.as_str()), (Some(0), ""));
    assert_eq!(kept(), serde_json::json!({"start": 3, "end": 5}));
}

/// A reproducer is there in whole or not at all, and what to paste is said all the same.
#[test]
fn reproducers_that_find_no_space() {
    let place = folder();
    let at = place.path();
    let sweep =
        "sweep smoke/healthy-3 --bug commit-bound-inclusive --seeds 0..1 --shrink 0 --jobs 1";
    let well = run(at, &format!("{sweep} --out well"));
    assert_eq!(well.status, Some(1), "{}", well.said);
    let mut failures = std::fs::read_dir(at.join("well/failures")).expect("it failed");
    let fingerprint = failures
        .next()
        .expect("one")
        .expect("it can be read")
        .file_name();
    let kept = at.join("full/failures").join(fingerprint);
    std::fs::create_dir_all(&kept).expect("it can be made");
    std::os::unix::fs::symlink("/dev/full", kept.join("repro.toml.part")).expect("a link");
    let full = run(at, &format!("{sweep} --out full"));
    assert_eq!(full.status, Some(70), "{}", full.said);
    assert!(full.said.contains("No space left"), "{}", full.said);
    let again = "replay smoke/healthy-3 --seed 0 --bug commit-bound-inclusive";
    assert!(full.said.contains(again), "{}", full.said);
    assert_eq!(std::fs::read_dir(kept).expect("it is there").count(), 0);
}

/// What a CI's page says can be pasted where the sweep ran.
#[test]
fn commands_of_a_junit_file() {
    let place = folder();
    let at = place.path();
    let sweep =
        "sweep smoke/healthy-3 --bug commit-bound-inclusive --seeds 0..1 --shrink 0 --jobs 1";
    let pasted = |file: &str| {
        let text = std::fs::read_to_string(at.join(file)).expect("it was written");
        let line = text.lines().find(|line| line.contains(" replay "));
        let line = line.expect("it says what to paste").to_owned();
        let words = line.split(" replay ").nth(1).expect("there is more");
        let again = run(at, &format!("replay {words}"));
        assert_eq!(again.status, Some(1), "{line}: {}", again.said);
    };
    let made = run(at, &format!("{sweep} --out some/where --junit beside.xml"));
    assert_eq!(made.status, Some(1), "{}", made.said);
    pasted("some/where/junit.xml");
    pasted("beside.xml");
    let gone_on = run(at, "sweep --resume some/where --junit beside.xml");
    assert_eq!(gone_on.status, Some(1), "{}", gone_on.said);
    pasted("some/where/junit.xml");
    pasted("beside.xml");
    assert!(
        gone_on.said.contains("replay some/where/failures/"),
        "{}",
        gone_on.said
    );
}

/// A sweep that goes on is as it was begun: what is typed beside is refused, and what a CI sets for
/// all sweeps is passed over.
#[test]
fn options_of_a_sweep_that_goes_on() {
    let place = folder();
    let at = place.path();
    std::fs::write(at.join("known.toml"), "").expect("it can be written");
    let begun = run(at, "sweep smoke/healthy-3 --seeds 0..2 --jobs 1 --out out");
    assert_eq!(begun.status, Some(0), "{}", begun.said);
    let results = || std::fs::read_to_string(at.join("out/results.jsonl")).expect("reads");
    let before = results();
    let variables = [
        ("SYNOD_KNOWN", "known.toml"),
        ("SYNOD_SEEDS", "7..9"),
        ("SYNOD_SHARD", "2/3"),
        ("SYNOD_BUG", "accept-below-promise"),
        ("SYNOD_OUT", "elsewhere"),
        ("SYNOD_PROFILE", "nightly"),
        ("SYNOD_SHRINK", "1"),
    ];
    let resume = ["sweep", "--resume", "out", "--jobs", "1"];
    let gone_on = run_with(at, &resume, &variables);
    assert_eq!((gone_on.status, gone_on.said.as_str()), (Some(0), ""));
    assert_eq!(results(), before);
    for typed in [
        "--seeds 0..3",
        "--known known.toml",
        "--bug x",
        "--strategy random",
        "--beyond-contract",
    ] {
        let option = typed.split(' ').next().expect("a word");
        let refusal = format!("leave {option} out");
        refused(
            &run(at, &format!("sweep --resume out {typed}")),
            2,
            &[&refusal],
        );
    }
    refused(
        &run(at, "sweep smoke/healthy-3 --resume out"),
        2,
        &["leave scenarios out"],
    );
}
