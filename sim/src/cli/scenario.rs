//! `synod scenario`: validate, scaffold, list, show and describe scenarios. Data goes to standard
//! output, problems to standard error; 0 is good, 2 is wrong.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::cli::terminal;
use crate::glossary::names;
use crate::plan::draw::draw;
use crate::plan::pin::to_toml;
use crate::scenario::form::Repro;
use crate::scenario::library::{Library, resolve};
use crate::scenario::load::load_file;
use crate::scenario::model::Scenario;
use crate::scenario::problem::LoadError;
use crate::scenario::schema;

/// What to do with scenarios.
#[derive(Clone, PartialEq, Eq, Debug, Subcommand)]
pub enum ScenarioCommand {
    /// Validate scenarios: files, folders or names; the whole library without any
    Check {
        /// Files, folders, or names such as safety/weather-3
        #[arg(value_name = "SCENARIO|DIR")]
        paths: Vec<String>,
        /// Override a value: cluster.replicas=5
        #[arg(long = "set", value_name = "KEY=VALUE", env = "SYNOD_SET")]
        sets: Vec<String>,
    },
    /// Write a scenario to start from
    New {
        /// Its name, such as safety/my-idea
        name: String,
        /// The file to make; standard output without it
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// List the scenarios with their weight in the mix and their titles
    List {
        /// A folder of scenarios; ./scenarios or the built-in library without it
        folder: Option<PathBuf>,
    },
    /// Print the plan that a seed draws, as a scenario with everything pinned
    Show {
        /// A file, or a name such as safety/weather-3
        scenario: String,
        /// The seed; a reproducer brings its own
        #[arg(long, env = "SYNOD_SEED")]
        seed: Option<u64>,
        /// Override a value: cluster.replicas=5
        #[arg(long = "set", value_name = "KEY=VALUE", env = "SYNOD_SET")]
        sets: Vec<String>,
    },
    /// Print the JSON Schema of scenario files
    Schema,
}

const GOOD: u8 = 0;
const WRONG: u8 = 2;

/// Does it, and says how it went: the exit status.
#[must_use]
pub fn run(command: ScenarioCommand) -> u8 {
    match command {
        ScenarioCommand::Check { paths, sets } => check(&paths, &sets),
        ScenarioCommand::New { name, output } => new(&name, output.as_deref()),
        ScenarioCommand::List { folder } => list(folder.as_deref()),
        ScenarioCommand::Show {
            scenario,
            seed,
            sets,
        } => show(&scenario, seed, &sets),
        ScenarioCommand::Schema => print(&schema::text(&names())),
    }
}

fn print(text: &str) -> u8 {
    terminal::print(text);
    GOOD
}

fn tell(text: &str) -> u8 {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
    WRONG
}

fn complain(error: &LoadError) -> u8 {
    let colour = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    tell(&error.render(colour))
}

fn check(paths: &[String], sets: &[String]) -> u8 {
    let results: Vec<Result<Scenario, LoadError>> = match paths {
        [] => match Library::standard(&names()) {
            Ok(library) => each(&library, sets),
            Err(error) => return complain(&error),
        },
        _ => paths
            .iter()
            .flat_map(|path| check_one(path, sets))
            .collect(),
    };
    let mut wrong = 0;
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        complain(error);
        wrong += 1;
    }
    if wrong > 0 {
        return tell(&format!("{wrong} of {} wrong", results.len()));
    }
    print(&format!("{} good\n", results.len()))
}

fn each(library: &Library, sets: &[String]) -> Vec<Result<Scenario, LoadError>> {
    library
        .names()
        .into_iter()
        .map(|name| library.get_with(name, sets))
        .collect()
}

/// A folder is checked file by file, so that one wrong file does not hide the others.
fn check_one(path: &str, sets: &[String]) -> Vec<Result<Scenario, LoadError>> {
    let folder = Path::new(path);
    if folder.is_dir() {
        return match Library::open(Some(folder), &names()) {
            Ok(library) => each(&library, sets),
            Err(error) => vec![Err(error)],
        };
    }
    match resolve(path, sets, &names()) {
        Ok(scenarios) => scenarios.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }
}

fn list(folder: Option<&Path>) -> u8 {
    let library = match folder.map_or_else(
        || Library::standard(&names()),
        |folder| Library::open(Some(folder), &names()),
    ) {
        Ok(library) => library,
        Err(error) => return complain(&error),
    };
    let mut status = GOOD;
    let mut text = String::new();
    let width = library
        .names()
        .iter()
        .map(|name| name.len())
        .max()
        .unwrap_or(0);
    for name in library.names() {
        match library.get(name) {
            Ok(scenario) => text.push_str(&format!(
                "{name:width$}  {:8}  {:3}  {}\n",
                scenario.kind(),
                scenario.weight,
                scenario.title
            )),
            Err(error) => status = complain(&error),
        }
    }
    print(&text).max(status)
}

fn show(scenario: &str, seed: Option<u64>, sets: &[String]) -> u8 {
    match resolve(scenario, sets, &names()).as_deref() {
        Err(error) => complain(error),
        Ok([scenario]) => {
            let repro = scenario.repro.clone().unwrap_or_else(|| Repro {
                subject: scenario.subject.clone(),
                ..Repro::default()
            });
            let plan = draw(scenario, seed.unwrap_or(repro.seed));
            print(&to_toml(&plan, &repro))
        }
        Ok(several) => tell(&format!(
            "error: {} scenarios, and only one can be shown: name one of them",
            several.len()
        )),
    }
}

const SCAFFOLD: &str = include_str!("scaffold.toml");

fn new(name: &str, output: Option<&Path>) -> u8 {
    let name = name.strip_suffix(".toml").unwrap_or(name);
    let title = name.rsplit('/').next().unwrap_or(name).replace('-', " ");
    if title.trim().is_empty() {
        return tell("error: a scenario needs a name, such as safety/my-idea");
    }
    let text = SCAFFOLD.replace("\"TITLE\"", &toml::Value::String(title).to_string());
    let Some(path) = output else {
        return print(&text);
    };
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    if let Err(error) = made {
        return tell(&format!("error: cannot make {}: {error}", path.display()));
    }
    match load_file(path, &[], &names()) {
        Ok(_) => print(&format!("{}\n", path.display())),
        Err(error) => complain(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load::parse;

    #[test]
    fn the_scaffold_is_a_scenario() {
        let text = SCAFFOLD.replace("\"TITLE\"", "\"x\"");
        assert!(
            parse("new", &text, &[], &names()).is_ok(),
            "{}",
            parse("new", &text, &[], &names()).unwrap_err()
        );
    }

    #[test]
    fn bad_input_is_exit_2() {
        assert_eq!(check(&["/no/such/file.toml".into()], &[]), WRONG);
        assert_eq!(show("no-such-scenario", Some(1), &[]), WRONG);
        assert_eq!(list(Some(Path::new("/no/such/folder"))), WRONG);
        assert_eq!(new("/", None), WRONG);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.toml");
        std::fs::write(&file, [0xff, 0xfe]).unwrap();
        assert_eq!(check(&[file.display().to_string()], &[]), WRONG);
        assert_eq!(check(&[folder.path().display().to_string()], &[]), WRONG);
    }

    #[test]
    fn a_new_file_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.toml");
        assert_eq!(
            (new("a/b", Some(&file)), new("a/b", Some(&file))),
            (GOOD, WRONG)
        );
        assert_eq!(
            check(
                &[file.display().to_string()],
                &["cluster.replicas=3".into()]
            ),
            GOOD
        );
    }
}
