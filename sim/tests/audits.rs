//! The story of an audit that fails is told to its end, fork and all.

use synod_sim::sweep::job::{Report, execute};
use synod_sim::sweep::settings::{Item, Keep, Settings, Target};
use synod_sim::sweep::shelf;

fn run(scenario: &str, seed: u64, settings: &Settings) -> Report {
    let settings = &Settings {
        scenarios: vec![scenario.to_owned()],
        ..settings.clone()
    };
    let mut source = shelf::open(settings).expect("the library can be read");
    let item = Item {
        number: 0,
        target: Target::Scenario(scenario.to_owned(), seed),
        keep: Keep::Everything,
    };
    execute(source.as_mut(), settings, &item, &mut |_| ()).expect("there is a plan")
}

/// The text of the lines from where the run forks on.
#[track_caller]
fn fork<'a>(report: &'a Report, check: &str, why: &str) -> Vec<&'a str> {
    assert_eq!(report.line.record.check.as_deref(), Some(check));
    let lines = report.tale.iter().map(|line| line.text.as_str());
    let fork: Vec<&str> = lines
        .skip_while(|line| !line.starts_with("fork of the run"))
        .collect();
    assert!(
        fork.first().is_some_and(|line| line.contains(why)),
        "{fork:?}"
    );
    fork
}

#[test]
fn a_promise_that_kept_nobody_out_is_seen_to_be_broken() {
    let settings = Settings {
        bug: Some("accept-below-promise".to_owned()),
        ..Settings::default()
    };
    let report = run("safety/weather-3", 1, &settings);
    let fork = fork(
        &report,
        "fencing-audit",
        "r1 has promised r2 and lost its power",
    );
    let last = fork.last().expect("it goes on");
    assert_eq!(*last, "r2 votes in slot 260 at 6.r3 for 939c6231");
    assert!(
        report.replicas[1].contains("promised 7.r2"),
        "{:?}",
        report.replicas
    );
    let page = report.html("x").expect("it was kept");
    assert!(page.contains("fork of the run"));
}

#[test]
fn a_quorum_that_is_left_alone_is_seen_to_fail() {
    let settings = Settings {
        bug: Some("fsync-error-ignored".to_owned()),
        only: synod_sim::check::jury::Jury::only(["last-quorum-audit"]),
        ..Settings::default()
    };
    let report = run("safety/small-pages", 1, &settings);
    let fork = fork(&report, "last-quorum-audit", "all lost their power");
    assert!(
        fork.iter().any(|line| line.starts_with("r3 halts")),
        "{fork:?}"
    );
}
