//! Runs that are so many times as long.

use super::*;

#[test]
fn a_run_has_an_end() {
    for (longer, operations, part) in [
        ("0", 400, "1 to 1000 times"),
        ("1001", 400, "1 to 1000 times"),
        ("2.5", 400, "without a fraction"),
        ("\"2\"", 400, "without a fraction, a unit or quotes"),
        ("1000", 10_001, "10000000 operations in all"),
    ] {
        says(
            &errors(&format!(
                "longer = {longer}\n[workload]\noperations = {operations}\n"
            )),
            &[part, "x.toml:4:10"],
        );
    }
    let often = "[workload]\n[heal]\nat = \"30s\"\n[nemesis]\nevery = \"10ms..110ms\"\n\
                 [[nemesis.fault]]\nkill = 1\n";
    let text = format!("{HEAD}{often}");
    assert_eq!(good(often).longer, 1);
    says(&errors_of(&text, &["longer=100"]), &["too many faults"]);
}

#[test]
fn a_reproducer_is_as_long_as_it_was() {
    let text = format!("{HEAD}[workload]\n[repro]\nseed = 1\n");
    says(
        &errors_of(&text, &["longer=2"]),
        &[
            "a reproducer is as long as the run that it came from",
            "--set",
        ],
    );
}
