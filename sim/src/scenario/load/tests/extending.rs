//! Files that are laid over others.

use super::{HEAD, says};
use crate::glossary::names;
use crate::plan::draw::draw;
use crate::scenario::layers::DEPTH_MAX;
use crate::scenario::load::{load_file, parse};
use crate::scenario::model::Scenario;
use crate::scenario::problem::LoadError;

const BASE: &str = "[cluster]\nreplicas = 5\nheartbeat = \"20ms\"\n[network]\nlatency = { shape = \
                    \"exponential\", mean = \"3ms\", max = \"90ms\" }\nloss = \"1%\"\n[workload]\n\
                    clients = 2\n[[step]]\nkill = 1\n[[step]]\npause = 1\n";

/// The first of these files, in a folder with the others.
fn of(files: &[(&str, &str)], sets: &[&str]) -> Result<Scenario, LoadError> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("made");
        std::fs::write(path, HEAD.to_owned() + text).expect("written");
    }
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    load_file(&folder.path().join(files[0].0), &sets, &names())
}

fn good(files: &[(&str, &str)], sets: &[&str]) -> Scenario {
    of(files, sets).unwrap_or_else(|error| panic!("{error}"))
}

fn wrong(files: &[(&str, &str)]) -> String {
    of(files, &[]).expect_err("it is wrong").to_string()
}

#[test]
fn a_section_is_laid_over_key_by_key_and_a_value_replaces_another() {
    let over = "extends = \"../base.toml\"\n[cluster]\nreplicas = 3\n[network]\nlatency = \"1ms\"\n\
                [[step]]\nsleep = \"1s\"\n[end]\ntime = \"9s\"\n";
    let written = "[cluster]\nreplicas = 3\nheartbeat = \"20ms\"\n[network]\nlatency = \"1ms\"\nloss = \
                   \"1%\"\n[workload]\nclients = 2\n[[step]]\nsleep = \"1s\"\n[end]\ntime = \"9s\"\n";
    let laid = good(&[("in/over.toml", over), ("base.toml", BASE)], &[]);
    let plain = good(&[("in/over.toml", written)], &[]);
    for seed in 0..3 {
        let [laid, plain] = [&laid, &plain].map(|one| draw(one, seed).without_lines());
        assert_eq!(laid, plain);
    }
    let none = "extends = \"base.toml\"\nstep = []\n";
    let none = good(&[("over.toml", none), ("base.toml", BASE)], &[]);
    assert_eq!((none.steps.len(), none.replicas().min()), (0, 5));
}

#[test]
fn a_file_has_a_title_of_its_own_and_overrides_come_last() {
    let base = BASE.to_owned() + "[repro]\nseed = 7\n";
    let files = [
        ("over.toml", "extends = \"base.toml\"\n"),
        ("base.toml", &base),
    ];
    let over = good(&files, &["cluster.replicas=7"]);
    assert_eq!((over.replicas().min(), over.repro), (7, None));
    let text = "format = 1\nwhy = \"w\"\nextends = \"safety/weather-3.toml\"\n";
    let error = parse("x", text, &[], &names()).expect_err("it has no title");
    says(
        &error.to_string(),
        &["the key `title` is missing", "scenarios/x.toml"],
    );
}

#[test]
fn a_scenario_of_the_library_can_be_extended() {
    let text = HEAD.to_owned() + "extends = \"weather-3.toml\"\n[end]\ntime = \"99s\"\n";
    let over = parse("safety/x", &text, &[], &names()).unwrap_or_else(|error| panic!("{error}"));
    assert!(over.nemesis.is_some());
    let error = parse("x", &text, &[], &names()).expect_err("it is in another folder");
    says(
        &error.to_string(),
        &[
            "the file `weather-3.toml` cannot be extended: the library has no such scenario",
            "scenarios/x.toml:4:11",
            "`scenarios/weather-3.toml` was looked for",
        ],
    );
}

#[test]
fn what_is_wrong_has_its_place_in_its_own_file() {
    let message = wrong(&[
        (
            "over.toml",
            "extends = \"base.toml\"\n[workload]\nkeys = 0\n",
        ),
        (
            "base.toml",
            "# a line more\n[cluster]\nreplicsa = 3\n[[step]]\nkill = \"r7\"\n",
        ),
    ]);
    says(
        &message,
        &[
            "over.toml:6:8",
            "0 is out of bounds",
            "base.toml:6:1",
            "did you mean `replicas`?",
        ],
    );
    let message = wrong(&[
        ("over.toml", "extends = \"base.toml\"\n"),
        ("base.toml", "[workload]\n[[step]]\nkill = \"r7\"\n"),
    ]);
    says(&message, &["base.toml:6:8", "there is no replica `r7`"]);
    let message = wrong(&[
        ("over.toml", "extends = \"base.toml\"\n"),
        ("base.toml", "a = \n"),
    ]);
    says(&message, &["base.toml:4:"]);
    let steps = good(
        &[
            ("over.toml", "extends = \"base.toml\"\n"),
            ("base.toml", BASE),
        ],
        &[],
    );
    assert_eq!(steps.steps[1].line, 15, "the line of the base");
}

#[test]
fn a_base_that_is_none_is_told_with_its_place() {
    let message = wrong(&[("over.toml", "extends = \"base.toml\"\n")]);
    says(
        &message,
        &[
            "over.toml:4:11",
            "`base.toml` cannot be extended: cannot read",
            "was looked for",
        ],
    );
    let message = wrong(&[("over.toml", "extends = \".\"\n")]);
    says(&message, &["over.toml:4:11", "this is a folder"]);
    let message = wrong(&[("over.toml", "extends = 3\n")]);
    says(
        &message,
        &["over.toml:4:11", "the number `3` does not belong here"],
    );
    let message = wrong(&[("over.toml", "extnds = \"base.toml\"\n")]);
    says(&message, &["did you mean `extends`?"]);
}

#[test]
fn a_circle_and_a_tower_end() {
    let message = wrong(&[
        ("one.toml", "extends = \"in/two.toml\"\n"),
        ("in/two.toml", "extends = \"../one.toml\"\n"),
    ]);
    says(
        &message,
        &[
            "two.toml:4:11",
            "a circle: ",
            "one.toml extends ",
            "take `extends` out",
        ],
    );
    let message = wrong(&[("one.toml", "extends = \"./one.toml\"\n")]);
    says(&message, &["one.toml:4:11", "a circle: "]);
    let name = |index: usize| format!("{index}.toml");
    let texts: Vec<(String, String)> = (0..=DEPTH_MAX)
        .map(|index| (name(index), format!("extends = \"{}\"\n", name(index + 1))))
        .chain([(name(DEPTH_MAX + 1), BASE.to_owned())])
        .collect();
    let tower = |from: usize| {
        let texts = texts[from..].iter();
        let files: Vec<(&str, &str)> = texts.map(|(name, text)| (&**name, &**text)).collect();
        of(&files, &[])
    };
    let message = tower(0).expect_err("too high").to_string();
    says(&message, &["more than 8 files", "7.toml:4:11"]);
    assert_eq!(tower(2).expect("it stands").steps.len(), 2);
}
