//! `synod diff` as a user runs it: equal sides do not part, a planted bug does, folders are compared
//! with each other and with a subject, and what cannot be compared is refused.

mod command;

use command::{folder, refused, run};

#[test]
fn equal_sides_see_the_same_and_a_planted_bug_shows() {
    let here = folder();
    let here = here.path();
    let same = run(here, "diff synod synod --seeds 0..6 --no-progress");
    assert_eq!(same.status, Some(0), "{}", same.said);
    let none = "clients see another thing in 0 of 6 runs, 0 in a million; 0 of them end otherwise";
    assert!(same.data.contains(none), "{}", same.data);
    let bug = run(
        here,
        "diff synod synod+dedup-in-leader-memory safety/weather-3 --seeds 0..6 --no-progress",
    );
    assert_eq!(bug.status, Some(1), "{}", bug.said);
    for part in [
        "A is synod, B is synod+dedup-in-leader-memory",
        "pass -> safety",
        "The farthest apart:\n  safety/weather-3 seed ",
        "What clients see in safety/weather-3 seed ",
        "They part after ",
    ] {
        assert!(bug.data.contains(part), "`{part}` in:\n{}", bug.data);
    }
}

#[test]
fn folders_of_sweeps_are_sides() {
    let here = folder();
    let here = here.path();
    for (name, seeds) in [("one", "0..5"), ("two", "2..8")] {
        let swept = run(
            here,
            &format!("sweep smoke --seeds {seeds} --checks client --no-progress --out {name}"),
        );
        assert_eq!(swept.status, Some(0), "{}", swept.said);
    }
    let both = run(here, "diff one two --format json");
    assert_eq!(both.status, Some(0), "{}", both.said);
    let shown: serde_json::Value = serde_json::from_str(&both.data).expect("JSON");
    // Two scenarios: of five seeds and of six three are in common.
    let counts = ["runs", "unpaired", "parted"].map(|name| shown[name].as_u64());
    assert_eq!(counts, [Some(6), Some(10), Some(0)], "{}", both.data);
    let again = run(here, "diff one synod --no-progress");
    assert_eq!(again.status, Some(0), "{}", again.said);
    assert!(
        again.data.contains("another thing in 0 of "),
        "{}",
        again.data
    );
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let here = folder();
    let here = here.path();
    std::fs::create_dir(here.join("empty")).expect("a folder");
    for (words, part) in [
        ("diff nobody synod", "there is no subject `nobody`"),
        (
            "diff synod synod+no-such-bug",
            "no bug is called `no-such-bug`",
        ),
        ("diff empty synod", "empty"),
        (
            "diff empty empty --seeds 0..3",
            "leave scenarios and --seeds out",
        ),
        ("diff synod abd no/such", "no/such"),
    ] {
        refused(&run(here, words), 2, &[part]);
    }
}
