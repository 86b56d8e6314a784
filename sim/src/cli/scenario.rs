//! `synod scenario`: validate, scaffold, list, show and describe scenarios. Data goes to standard
//! output, problems to standard error; 0 is good, 2 is wrong.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::cli::options::Global;
use crate::cli::terminal::{self, invocation, quoted, say};
use crate::cli::try_scenario::{self, TryArgs};
use crate::glossary::names;
use crate::plan::draw::draw;
use crate::plan::pin::to_toml;
use crate::scenario::form::Repro;
use crate::scenario::library::{FOLDER, Library, resolve};
use crate::scenario::load::load_file;
use crate::scenario::model::Scenario;
use crate::scenario::problem::LoadError;
use crate::scenario::schema;

/// What to do with scenarios.
#[derive(Clone, Debug, Subcommand)]
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
    /// Write a commented scenario to start from, which passes, where it should lie
    #[command(after_help = "\
Examples:
  synod scenario new safety/my-idea            scenarios/safety/my-idea.toml, or safety/my-idea.toml
  synod scenario new my-idea -o /tmp/my-idea.toml
  synod scenario new my-idea -o -              to standard output

Outside of a folder with a schema, the schema is written beside it, for editors.")]
    New {
        /// Its name, such as safety/my-idea
        name: Option<String>,
        /// The file to make; `-` for standard output [default: scenarios/NAME.toml where there is a
        /// folder scenarios, and NAME.toml elsewhere]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Run a scenario, and say what its faults do and which planted bugs it catches
    Try(Box<TryArgs>),
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

/// What the help of all of them shows.
pub const EXAMPLES: &str = "\
Examples:
  synod scenario new safety/my-idea                   a file to start from
  synod scenario check scenarios                      is each right?
  synod scenario try safety/weather-3                 do its faults do anything, what does it catch?
  synod scenario show safety/weather-3 --seed 7       the plan that a seed draws
  synod scenario schema > scenario-v1.json";

/// Does it, and says how it went: the exit status.
#[must_use]
pub fn run(command: ScenarioCommand, global: &Global) -> u8 {
    match command {
        ScenarioCommand::Try(arguments) => try_scenario::run(&arguments, global),
        ScenarioCommand::Check { paths, sets } => check(&paths, &sets),
        ScenarioCommand::New { name, output } => new(name.as_deref(), output.as_deref()),
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

/// The schema's place in a folder of scenarios, and how the scaffold names it.
const SCHEMA: &str = "schema/scenario-v1.json";

fn new(name: Option<&str>, output: Option<&Path>) -> u8 {
    let name = name.map(|name| name.strip_suffix(".toml").unwrap_or(name));
    let name = name.map(|name| name.strip_prefix("scenarios/").unwrap_or(name));
    let title = name
        .and_then(|name| name.rsplit('/').next())
        .unwrap_or_default();
    let title = title.replace('-', " ");
    let Some(name) = name.filter(|_| !title.trim().is_empty()) else {
        return tell(
            "error: a scenario needs a NAME: write `synod scenario new safety/my-idea`, with the \
             folder that it belongs into",
        );
    };
    if !name.split('/').all(is_plain) {
        return tell(&format!(
            "error: {name:?} is no name of a scenario: write letters, digits and hyphens, with the \
             folder before a slash, like safety/my-idea; -o FILE says where it goes"
        ));
    }
    let text = SCAFFOLD.replace("\"TITLE\"", &toml::Value::String(title).to_string());
    let path = match output {
        Some(path) if path.as_os_str() == "-" => return print(&text),
        Some(path) => path.to_owned(),
        None => {
            let folder = Path::new(FOLDER);
            let folder = if folder.is_dir() {
                folder
            } else {
                Path::new("")
            };
            folder.join(format!("{name}.toml"))
        }
    };
    match make(&path, &text) {
        Ok(made) => {
            let path = path.display().to_string();
            for line in made {
                say(&line);
            }
            say(&format!(
                "Try it with: {} scenario try {}",
                invocation(),
                quoted(&path)
            ));
            print(&format!("{path}\n"))
        }
        Err(message) => tell(&format!("error: {message}")),
    }
}

/// Whether this is a part of a name that needs no quotes anywhere and leads nowhere else.
fn is_plain(part: &str) -> bool {
    part.starts_with(|first: char| first.is_ascii_alphanumeric())
        && part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Makes the file, and the schema beside it where there is none. Says what else it made.
fn make(path: &Path, text: &str) -> Result<Vec<String>, String> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let failed = |error: std::io::Error| format!("cannot make {}: {error}", path.display());
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(failed)?;
    let (address, made) = schema_for(folder).map_err(failed)?;
    let text = text.replace(&format!("../{SCHEMA}"), &address);
    file.write_all(text.as_bytes()).map_err(failed)?;
    match load_file(path, &[], &names()) {
        Ok(_) => Ok(made),
        Err(error) => Err(error.render(false)),
    }
}

/// How a scenario in this folder names its schema: one above, or one that is made beside.
fn schema_for(folder: &Path) -> std::io::Result<(String, Vec<String>)> {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let above = whole
        .ancestors()
        .take(DEEPEST)
        .position(|above| above.join(SCHEMA).is_file());
    if let Some(above) = above {
        let up = if above == 0 {
            "./".to_owned()
        } else {
            "../".repeat(above)
        };
        return Ok((format!("{up}{SCHEMA}"), Vec::new()));
    }
    let path = folder.join(SCHEMA);
    std::fs::create_dir_all(folder.join("schema"))?;
    std::fs::write(&path, schema::text(&names()))?;
    let made = format!(
        "wrote {}, by which editors know what a scenario may say",
        path.display()
    );
    Ok((format!("./{SCHEMA}"), vec![made]))
}

/// So many folders above a new file are looked into for a schema.
const DEEPEST: usize = 4;

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
        assert_eq!(new(Some("/"), None), WRONG);
        assert_eq!(new(None, None), WRONG);
        for name in [
            "../x", "a/../x", "/x", "a b", ".x", "a/", "a//b", "-x", "x.y",
        ] {
            assert_eq!(new(Some(name), Some(Path::new("-"))), WRONG, "{name}");
        }
        for name in ["x", "safety/my-idea", "a/b/c_2", "scenarios/x.toml"] {
            assert_eq!(new(Some(name), Some(Path::new("-"))), GOOD, "{name}");
        }
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
            (new(Some("a/b"), Some(&file)), new(Some("a/b"), Some(&file))),
            (GOOD, WRONG)
        );
        let text = std::fs::read_to_string(&file).expect("it was written");
        assert!(
            text.starts_with("#:schema ./schema/scenario-v1.json\n"),
            "{text}"
        );
        assert!(folder.path().join(SCHEMA).is_file());
        let below = folder.path().join("safety/y.toml");
        assert_eq!(new(Some("y"), Some(&below)), GOOD);
        let text = std::fs::read_to_string(&below).expect("it was written");
        assert!(
            text.starts_with("#:schema ../schema/scenario-v1.json\n"),
            "{text}"
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
