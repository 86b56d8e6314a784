//! Reproducers that earlier builds shrunk still fail the check that they failed then.
//!
//! They are in `tests/reproducers/`, each with a planted bug, and were made with
//! `synod sweep --bug NAME --seeds 0..3000 --max-fail 1` at the commit that added them. What they
//! hang on is the engine's timing, so a change of the engine may end one: then say so in the change,
//! and make it anew in the same way.

use std::path::PathBuf;

use synod_sim::sweep::job::execute;
use synod_sim::sweep::settings::{Item, Keep, Settings, Target};
use synod_sim::sweep::shelf;

fn files() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reproducers");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    files.sort();
    files
}

#[test]
fn a_reproducer_of_an_earlier_build_fails_as_it_did() {
    let settings = Settings::default();
    let mut source = shelf::open(&settings).expect("the library can be read");
    let mut others = Vec::new();
    let files = files();
    for file in &files {
        let item = Item {
            number: 0,
            target: Target::Repro(file.display().to_string()),
            keep: Keep::Line,
        };
        let report = execute(source.as_mut(), &settings, &item, &mut |_| ())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let record = report.line.record;
        let origin = report.origin.expect("it is a reproducer");
        assert!(!origin.edited, "{}", file.display());
        let expected = origin.check;
        if !record.verdict.is_failure() || record.check != expected {
            others.push(format!(
                "{}: {expected:?} was expected, and it ended as {} {:?}",
                file.display(),
                record.verdict.name(),
                record.check
            ));
        }
    }
    assert!(files.len() >= 10, "{} reproducers", files.len());
    assert!(others.is_empty(), "{}", others.join("\n"));
}
