//! Recorded histories through the command's own entry: the ones beside this file, and the
//! collection with known verdicts where it is at hand.
//!
//! A file is named `<what>[.line-<n>].<model>.<kind>`; its folder is the verdict.

use std::fs;
use std::path::{Path, PathBuf};

use synod_sim::cli::check_history::{CheckHistoryArgs, FormatArg, InputArg, ModelArg, run};
use synod_sim::history::input::{Format, Model, read};

fn args(file: &Path, model: ModelArg, input: InputArg) -> CheckHistoryArgs {
    CheckHistoryArgs {
        file: file.to_owned(),
        model,
        input,
        failed_cas: None,
        nil: None,
        initial: None,
        format: FormatArg::Json,
        picture: None,
        budget: 100,
        memory: 768,
    }
}

fn model(name: &str) -> ModelArg {
    match name {
        "register" => ModelArg::Register,
        "kv" => ModelArg::Kv,
        "mutex" => ModelArg::Mutex,
        "set" => ModelArg::Set,
        "queue" => ModelArg::Queue,
        "multi-register" => ModelArg::MultiRegister,
        other => panic!("{other} is no model"),
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/histories")
        .join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    files.sort();
    assert!(files.len() > 10, "{} holds histories", folder.display());
    files
}

/// The parts of a file's name, from the last on.
fn parts(file: &Path) -> Vec<String> {
    let name = file
        .file_name()
        .expect("a file has a name")
        .to_string_lossy();
    name.rsplit('.').map(String::from).collect()
}

#[test]
fn own_histories_get_their_verdicts() {
    for (folder, status) in [("linearizable", 0), ("not-linearizable", 1), ("invalid", 2)] {
        for file in files(folder) {
            let parts = parts(&file);
            let named = if parts[0] == "jsonl" {
                InputArg::Synod
            } else {
                InputArg::Jepsen
            };
            for input in [InputArg::Auto, named] {
                assert_eq!(
                    run(&args(&file, model(&parts[1]), input)),
                    status,
                    "{} as {input:?}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn errors_name_the_line_that_the_file_is_named_after() {
    for file in files("invalid") {
        let parts = parts(&file);
        let model = model(&parts[1]).model();
        let bytes = fs::read(&file).expect("the file can be read");
        let error = read(&bytes[..], Format::Auto, model)
            .expect_err("it is no history")
            .to_string();
        let line = parts[2]
            .strip_prefix("line-")
            .expect("the name says which line");
        assert!(
            error.starts_with(&format!("line {line}: "))
                || line == "0" && error.contains("no operation"),
            "{}: {error}",
            file.display()
        );
    }
}

#[test]
fn what_does_not_exist_is_an_error_of_the_input() {
    assert_eq!(
        run(&args(
            Path::new("/does/not/exist"),
            ModelArg::Register,
            InputArg::Auto
        )),
        2
    );
}

#[test]
fn a_budget_that_does_not_suffice_is_no_verdict() {
    use synod_sim::check::linearizability::budget::{Budget, Exhausted};
    use synod_sim::check::linearizability::check::{Verdict, check};
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/histories/not-linearizable/hundred-unknown.register.jsonl");
    let history = read(
        &fs::read(file).expect("the file can be read")[..],
        Format::Auto,
        Model::Register,
    )
    .expect("a history");
    let report = check(
        &history,
        Budget {
            steps: 50,
            ..Budget::default()
        },
    );
    assert_eq!(
        report.verdict,
        Verdict::Unknown {
            key: 0,
            reason: Exhausted::Steps
        }
    );
}

#[test]
fn a_picture_is_drawn_of_what_is_not_linearizable() {
    let folder = tempfile::tempdir().expect("a folder for the picture");
    for file in files("not-linearizable") {
        let picture = folder.path().join("picture.html");
        let args = CheckHistoryArgs {
            picture: Some(picture.clone()),
            ..args(&file, model(&parts(&file)[1]), InputArg::Auto)
        };
        assert_eq!(run(&args), 1);
        let page = fs::read_to_string(&picture).expect("it was written");
        assert!(
            page.contains("\"explanation\":{\"operation\":") && page.ends_with("</html>\n"),
            "{}",
            file.display()
        );
        fs::remove_file(picture).expect("it can be removed");
    }
}

/// The collection is not part of the project; its README says where it comes from.
/// `SYNOD_HISTORIES` names its folder where it is elsewhere.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "where the collection lies is no part of a run"
)]
fn known_verdicts_come_out() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/histories");
    let folder = std::env::var_os("SYNOD_HISTORIES").map_or_else(beside, PathBuf::from);
    let Ok(verdicts) = fs::read_to_string(folder.join("verdicts.tsv")) else {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    };
    let mut count = 0;
    for line in verdicts.lines().skip(1) {
        let [file, name, linearizable] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line} is no verdict")
        };
        let status = if linearizable == "true" { 0 } else { 1 };
        for input in [InputArg::Jepsen, InputArg::Auto] {
            assert_eq!(
                run(&args(&folder.join(file), model(name), input)),
                status,
                "{file} as {input:?}"
            );
        }
        count += 1;
    }
    assert!(count > 0, "{} has no verdicts", folder.display());
    eprintln!("{count} known verdicts came out");
}
