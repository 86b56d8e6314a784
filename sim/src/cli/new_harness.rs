//! `synod new-harness`: a package outside of this one that puts an engine of one's own under test.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::exit;
use crate::cli::terminal::{fail, print, quoted, say};
use crate::subject::catalog;

/// Arguments of `new-harness`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  synod new-harness my-engine                         makes ./my-engine
  synod new-harness my-engine -o ../tests/simulated

It compiles, runs, passes, and finds the bug that is planted in it. Then src/engine.rs gets your \
engine in place of the one that is there.")]
pub struct NewHarnessArgs {
    /// Its name, a letter and then a to z, 0 to 9 and -: of the package, and of the engine on the command line
    name: String,
    /// The folder to make; it must not be there [default: ./NAME]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// The folder of Synod's package synod-sim [default: the one that this program was built from]
    #[arg(long, env = "SYNOD_SOURCES", value_name = "DIR")]
    sources: Option<PathBuf>,
}

/// Names that cargo keeps for itself, and those of packages that a harness depends on.
const RESERVED: [&str; 9] = [
    "build",
    "deps",
    "examples",
    "incremental",
    "test",
    "synod-engine",
    "synod-port",
    "synod-reports",
    "synod-sim",
];

/// The files, and what they hold.
const FILES: [(&str, &str); 7] = [
    ("Cargo.toml", include_str!("harness/manifest.toml")),
    ("README.md", include_str!("harness/guide.md")),
    (".gitignore", "/target\n"),
    ("src/main.rs", include_str!("harness/main.rs")),
    ("src/engine.rs", include_str!("harness/engine.rs")),
    (
        "scenarios/power-loss.toml",
        include_str!("harness/power-loss.toml"),
    ),
    (
        "scenarios/lossy-clients.toml",
        include_str!("harness/lossy-clients.toml"),
    ),
];

/// Runs the command.
#[must_use]
pub fn run(arguments: &NewHarnessArgs) -> u8 {
    match make(arguments) {
        Err(message) => fail(exit::USAGE, &message),
        Ok(folder) => {
            let shown = folder.display().to_string();
            say(&format!(
                "Try it with: cd {} && cargo run --release -- sweep",
                quoted(&shown)
            ));
            print(&format!("{shown}\n"));
            exit::PASSED
        }
    }
}

fn make(arguments: &NewHarnessArgs) -> Result<PathBuf, String> {
    let name = &*arguments.name;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) || !name.bytes().all(is_plain) {
        return Err(format!(
            "a package cannot be called `{name}`: a name is of a to z, 0 to 9 and -, such as \
             my-engine, and begins with a letter"
        ));
    }
    if RESERVED.contains(&name) {
        return Err(format!(
            "cargo does not build a package that is called `{name}`: take another name"
        ));
    }
    if catalog::find(name).is_some() {
        return Err(format!(
            "there is an engine called `{name}` already: take another name"
        ));
    }
    let sources = arguments
        .sources
        .clone()
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    if !sources.join("Cargo.toml").is_file() {
        return Err(format!(
            "there is no package in {}: say with --sources where Synod's package synod-sim lies",
            sources.display()
        ));
    }
    let sources = fs::canonicalize(&sources)
        .map_err(|error| format!("{}: {error}", sources.display()))?
        .display()
        .to_string();
    let synod = format!("{{ path = {} }}", toml::Value::String(sources));
    let folder = arguments
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(name));
    if folder.exists() {
        return Err(format!(
            "{} is there already: name another folder with -o",
            folder.display()
        ));
    }
    for (file, text) in FILES {
        let text = text.replace("NAME", name).replace("SYNOD", &synod);
        write(&folder.join(file), &text)?;
    }
    Ok(folder)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let parent = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glossary::names;
    use crate::scenario::load::load_file;

    fn arguments(name: &str, output: PathBuf) -> NewHarnessArgs {
        NewHarnessArgs {
            name: name.to_owned(),
            output: Some(output),
            sources: None,
        }
    }

    #[test]
    fn a_package_with_scenarios_that_are_right_and_an_adapter_of_less_than_150_lines() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("made");
        assert_eq!(make(&arguments("mine", folder.clone())), Ok(folder.clone()));
        for file in ["power-loss", "lossy-clients"] {
            let path = folder.join(format!("scenarios/{file}.toml"));
            let scenario = load_file(&path, &[], &names());
            assert!(scenario.is_ok(), "{scenario:?}");
        }
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("it is there");
        assert!(manifest.contains("name = \"mine\"") && manifest.contains("{ path = \"/"));
        let engine = fs::read_to_string(folder.join("src/engine.rs")).expect("it is there");
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        let lines = engine.lines().filter(is_code).count();
        assert!(lines < 150, "{lines}");
        let again = make(&arguments("mine", folder)).expect_err("it is there");
        assert!(again.ends_with("name another folder with -o"), "{again}");
    }

    #[test]
    fn names_that_are_none_and_sources_that_are_not_there() {
        for name in ["", "My", "a b", "../x", "9x", "synod", "deps"] {
            let place = tempfile::tempdir().expect("a folder");
            let refused = make(&arguments(name, place.path().join("made")));
            assert!(
                refused.is_err() && !place.path().join("made").exists(),
                "{name}"
            );
        }
        let lost = NewHarnessArgs {
            sources: Some(PathBuf::from("/nowhere")),
            ..arguments("mine", PathBuf::from("made"))
        };
        assert!(make(&lost).is_err_and(|error| error.contains("--sources")));
    }
}
