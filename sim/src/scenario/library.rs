//! The scenarios that there are: a folder of TOML files, or the library that is built into the
//! binary.

use std::path::{Path, PathBuf};

use crate::scenario::embedded;
use crate::scenario::load::{load_file, name_of, parse};
use crate::scenario::model::Scenario;
use crate::scenario::names::Names;
use crate::scenario::problem::{LoadError, Problem, Source};
use crate::scenario::value::nearest;

/// The folder that is used when it is there.
pub const FOLDER: &str = "scenarios";

/// Some scenarios, by name.
#[derive(Clone, Debug)]
pub struct Library {
    /// Sorted by name.
    entries: Vec<Entry>,
    /// What they may name.
    known: Names,
}

#[derive(Clone, Debug)]
struct Entry {
    name: String,
    from: From,
}

#[derive(Clone, Debug)]
enum From {
    File(PathBuf),
    Binary(&'static str),
}

impl Library {
    /// All scenario files below a folder, or those built into the binary. They may use these names.
    ///
    /// # Errors
    /// The folder cannot be read, or there is no scenario in it.
    pub fn open(folder: Option<&Path>, names: &Names) -> Result<Self, LoadError> {
        let Some(folder) = folder else {
            let entries = embedded::FILES.iter().map(|(name, text)| Entry {
                name: (*name).to_owned(),
                from: From::Binary(text),
            });
            return Ok(Self {
                entries: entries.collect(),
                known: names.clone(),
            });
        };
        let mut entries = Vec::new();
        files(folder, 0, &mut entries).map_err(|error| {
            LoadError::unreadable(
                folder.display().to_string(),
                format!("cannot read the folder: {error}"),
                "name a folder of scenarios",
            )
        })?;
        if entries.is_empty() {
            return Err(LoadError::unreadable(
                folder.display().to_string(),
                "there is no scenario in this folder",
                "scenarios are files that end in .toml",
            ));
        }
        let name = |path: &Path| {
            path.strip_prefix(folder)
                .ok()
                .filter(|rest| rest.components().count() > 1)
                .map_or_else(|| name_of(path), |rest| joined(&rest.with_extension("")))
        };
        let mut entries: Vec<Entry> = entries
            .into_iter()
            .map(|path| Entry {
                name: name(&path),
                from: From::File(path),
            })
            .collect();
        entries.sort_by(|one, two| one.name.cmp(&two.name));
        Ok(Self {
            entries,
            known: names.clone(),
        })
    }

    /// The folder `scenarios` of the current directory, or the built-in library where there is
    /// none.
    ///
    /// # Errors
    /// As of [`Library::open`].
    pub fn standard(names: &Names) -> Result<Self, LoadError> {
        let folder = Path::new(FOLDER);
        Self::open(folder.is_dir().then_some(folder), names)
    }

    /// All names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.entries
            .iter()
            .map(|entry| entry.name.as_str())
            .collect()
    }

    /// The scenario of this name.
    ///
    /// # Errors
    /// There is none, or it is wrong.
    pub fn get(&self, name: &str) -> Result<Scenario, LoadError> {
        self.get_with(name, &[])
    }

    /// The scenario of this name, with overrides. A name without its folder is enough where only
    /// one has it.
    ///
    /// # Errors
    /// There is none, or it or an override is wrong.
    pub fn get_with(&self, name: &str, sets: &[String]) -> Result<Scenario, LoadError> {
        let name = name.strip_suffix(".toml").unwrap_or(name);
        let short = |entry: &&Entry| entry.name.rsplit('/').next() == Some(name);
        let mut shorts = self.entries.iter().filter(short);
        let entry = match (
            self.entries.iter().find(|entry| entry.name == name),
            shorts.next(),
            shorts.next(),
        ) {
            (Some(entry), ..) | (None, Some(entry), None) => entry,
            _ => return Err(self.unknown(name)),
        };
        match &entry.from {
            From::File(path) => load_file(path, sets, &self.known).map(|scenario| Scenario {
                name: entry.name.clone(),
                ..scenario
            }),
            From::Binary(text) => parse(&entry.name, text, sets, &self.known),
        }
    }

    fn unknown(&self, name: &str) -> LoadError {
        let names = self.names();
        let near = nearest(name, names.iter().copied()).or_else(|| {
            let shorts = names
                .iter()
                .map(|name| name.rsplit('/').next().unwrap_or(name));
            nearest(name.rsplit('/').next().unwrap_or(name), shorts).and_then(|short| {
                names
                    .iter()
                    .copied()
                    .find(|name| name.rsplit('/').next() == Some(short))
            })
        });
        let meant = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
        let help = format!("{meant}`synod scenario list` shows all {}", names.len());
        LoadError::new(
            Source::new(name, ""),
            vec![Problem::of_file(
                format!("there is no scenario `{name}`, and no such file"),
                help,
            )],
        )
    }
}

/// The scenarios that an argument of the command line means: a file, a folder, a name of the
/// library, or one of its folders.
///
/// # Errors
/// It means nothing, or something in it is wrong.
pub fn resolve(argument: &str, sets: &[String], names: &Names) -> Result<Vec<Scenario>, LoadError> {
    let path = Path::new(argument);
    if path.is_dir() {
        let library = Library::open(Some(path), names)?;
        let inner = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .filter(|name| name != FOLDER);
        let named = |name: &str, scenario: Scenario| match &inner {
            Some(inner) if !scenario.name.contains('/') => Scenario {
                name: format!("{inner}/{name}"),
                ..scenario
            },
            _ => scenario,
        };
        return library
            .names()
            .into_iter()
            .map(|name| {
                library
                    .get_with(name, sets)
                    .map(|scenario| named(name, scenario))
            })
            .collect();
    }
    if path.exists() {
        return load_file(path, sets, names).map(|scenario| vec![scenario]);
    }
    let library = Library::standard(names)?;
    let name = argument.strip_prefix("scenarios/").unwrap_or(argument);
    let folder = format!("{}/", name.trim_end_matches('/'));
    let inside: Vec<&str> = library
        .names()
        .into_iter()
        .filter(|name| name.starts_with(&folder))
        .collect();
    if inside.is_empty() {
        return library.get_with(name, sets).map(|scenario| vec![scenario]);
    }
    inside
        .into_iter()
        .map(|name| library.get_with(name, sets))
        .collect()
}

fn joined(path: &Path) -> String {
    path.components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join("/")
}

/// The deepest folders that are looked into, so that a circle of links ends.
const DEPTH_MAX: usize = 8;

fn files(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && depth < DEPTH_MAX {
            files(&path, depth + 1, found)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glossary::names;

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
    }

    #[test]
    fn the_built_in_library_is_the_folder() {
        let (folder, built_in) = (
            Library::open(Some(&folder()), &names()).unwrap(),
            Library::open(None, &names()).unwrap(),
        );
        assert_eq!(
            folder.names(),
            built_in.names(),
            "scenario/embedded.rs lists the files of scenarios/, sorted"
        );
        assert!(folder.names().len() >= 22);
        for name in folder.names() {
            let (one, two) = (folder.get(name), built_in.get(name));
            assert!(one.is_ok(), "{}", one.unwrap_err());
            assert_eq!(one, two);
        }
    }

    #[test]
    fn a_name_is_found_without_its_folder_and_a_wrong_one_is_guessed() {
        let library = Library::open(None, &names()).unwrap();
        assert_eq!(library.get("weather-3").unwrap().name, "safety/weather-3");
        let error = library.get("weathr-3").unwrap_err().to_string();
        assert!(
            error.contains("did you mean `safety/weather-3`?"),
            "{error}"
        );
        assert!(Library::open(Some(Path::new("/no/such/folder")), &names()).is_err());
    }

    #[test]
    fn arguments_are_files_folders_or_names() {
        let file = folder().join("safety/weather-3.toml");
        assert_eq!(
            resolve(&file.display().to_string(), &[], &names()).unwrap()[0].name,
            "safety/weather-3"
        );
        let inside: Vec<String> = resolve(
            &folder().join("safety").display().to_string(),
            &[],
            &names(),
        )
        .unwrap()
        .into_iter()
        .map(|scenario| scenario.name)
        .collect();
        assert!(
            inside.contains(&"safety/weather-3".to_owned()),
            "{inside:?}"
        );
        assert!(resolve("no-such-thing", &[], &names()).is_err());
        assert!(resolve("no/such/file.toml", &[], &names()).is_err());
    }
}
