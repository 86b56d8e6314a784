//! From a TOML file to a [`Scenario`], with overrides. Four stages, each of which tells all that it
//! finds wrong: the TOML itself, keys that do not exist, values that cannot be read, and what does
//! not fit together.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::scenario::check;
use crate::scenario::form::FileForm;
use crate::scenario::model::Scenario;
use crate::scenario::names::Names;
use crate::scenario::problem::{LoadError, Problem, Source};
use crate::scenario::spelling;
use crate::scenario::units::Wrong;

/// The most bytes that a scenario file may have.
pub const BYTES_MAX: u64 = 4 << 20;

/// Reads a scenario from a file. `sets` are overrides such as `network.loss=1%`; `names` are those
/// that it may use.
///
/// # Errors
/// The file cannot be read, or something in it (or in an override) is wrong.
pub fn load_file(path: &Path, sets: &[String], names: &Names) -> Result<Scenario, LoadError> {
    let shown = path.display().to_string();
    let help = "`synod scenario list` shows the scenarios that there are";
    let size = std::fs::metadata(path).map_err(|error| {
        LoadError::unreadable(&shown, format!("cannot read the scenario: {error}"), help)
    })?;
    if size.is_dir() {
        return Err(LoadError::unreadable(
            &shown,
            "this is a folder, not a scenario",
            "name one of the files in it",
        ));
    }
    if size.len() > BYTES_MAX {
        return Err(LoadError::unreadable(
            &shown,
            format!("the file has {} bytes", size.len()),
            format!("a scenario has at most {BYTES_MAX} bytes"),
        ));
    }
    let bytes = std::fs::read(path).map_err(|error| {
        LoadError::unreadable(&shown, format!("cannot read the scenario: {error}"), help)
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        LoadError::unreadable(
            &shown,
            format!("the scenario is not UTF-8: {error}"),
            "TOML is UTF-8 text",
        )
    })?;
    read(&shown, &name_of(path), &text, sets, names)
}

/// Reads a scenario from a text. `name` is its name, such as `safety/stale-read`.
///
/// # Errors
/// Something in it, or in an override, is wrong.
pub fn parse(
    name: &str,
    text: &str,
    sets: &[String],
    names: &Names,
) -> Result<Scenario, LoadError> {
    read(&format!("scenarios/{name}.toml"), name, text, sets, names)
}

/// The name of a scenario file: without its extension, with its folder unless that is `scenarios`.
#[must_use]
pub fn name_of(path: &Path) -> String {
    let stem = path
        .file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let folder = path
        .parent()
        .and_then(Path::file_name)
        .map(|folder| folder.to_string_lossy().into_owned());
    match folder {
        Some(folder) if folder != "scenarios" => format!("{folder}/{stem}"),
        _ => stem,
    }
}

fn read(
    path: &str,
    name: &str,
    text: &str,
    sets: &[String],
    names: &Names,
) -> Result<Scenario, LoadError> {
    let mut source = Source::new(path, text);
    let mut overrides = Vec::new();
    for set in sets {
        match Override::parse(&mut source, set) {
            Ok(parsed) => overrides.push(parsed),
            Err(problem) => return Err(LoadError::new(source, vec![problem])),
        }
    }
    let mut document = match DeTable::parse(text) {
        Ok(document) => document,
        Err(error) => return Err(LoadError::new(source, vec![of_toml(&error)])),
    };
    for set in &overrides {
        if let Err(problem) = set.apply(document.get_mut()) {
            return Err(LoadError::new(source, vec![problem]));
        }
    }
    let problems = spelling::check(document.get_ref(), names);
    if !problems.is_empty() {
        return Err(LoadError::new(source, problems));
    }
    match FileForm::deserialize(toml::de::Deserializer::from(document)) {
        Err(error) => Err(LoadError::new(source, vec![of_toml(&error)])),
        Ok(file) => {
            check::check(name, file, &source).map_err(|problems| LoadError::new(source, problems))
        }
    }
}

/// What the TOML crate or a value's reader has to say.
fn of_toml(error: &toml::de::Error) -> Problem {
    let mut texts = error.message().split('\n');
    let mut next = || texts.next().unwrap_or_default().to_owned();
    let wrong = Wrong {
        title: next(),
        label: next(),
        help: next(),
    };
    let wrong = match wrong.title.split_once(", expected ") {
        Some((title, expected)) if wrong.help.is_empty() => Wrong::new(
            title,
            "not what belongs here",
            format!("expected {expected}"),
        ),
        _ => wrong,
    };
    Problem {
        wrong,
        place: error.span(),
    }
}

/// An override, `KEY=VALUE`.
struct Override {
    keys: Vec<String>,
    key_place: std::ops::Range<usize>,
    /// `v = VALUE` behind so many spaces that its places follow those of the file.
    padded: String,
}

impl Override {
    fn parse(source: &mut Source, set: &str) -> Result<Self, Problem> {
        let at = source.add_set(set);
        let wrong = |title: &str| {
            Problem::at(
                at..at + set.len(),
                title,
                "not KEY=VALUE",
                "write --set KEY=VALUE, such as --set cluster.replicas=5 or --set network.loss=1%",
            )
        };
        let (key, value) = set
            .split_once('=')
            .ok_or_else(|| wrong("an override without a value"))?;
        let is_key = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        let keys: Vec<String> = key.trim().split('.').map(str::to_owned).collect();
        if !keys.iter().all(|part| is_key(part)) {
            return Err(wrong("an override of nothing that could be a key"));
        }
        let value_at = at + key.len() + 1 + (value.len() - value.trim_start().len());
        let literal = value.trim();
        let is_toml =
            DeTable::parse(&format!("v={literal}")).is_ok_and(|table| table.get_ref().len() == 1);
        // What is no TOML is a string without its quotes.
        let literal = if is_toml {
            literal.to_owned()
        } else {
            toml::Value::String(literal.to_owned()).to_string()
        };
        Ok(Self {
            keys,
            key_place: at..at + key.len(),
            padded: format!("{}v={literal}", " ".repeat(value_at - 2)),
        })
    }

    fn apply<'i>(&'i self, root: &mut DeTable<'i>) -> Result<(), Problem> {
        let value = DeTable::parse(&self.padded)
            .map_err(|error| of_toml(&error))?
            .into_inner()
            .remove("v")
            .expect("the text was parsed before");
        let mut value = Some(value);
        self.put(root, &self.keys, &mut value)
    }

    fn put<'i>(
        &'i self,
        table: &mut DeTable<'i>,
        keys: &'i [String],
        value: &mut Option<Spanned<DeValue<'i>>>,
    ) -> Result<(), Problem> {
        let [first, rest @ ..] = keys else {
            return Ok(());
        };
        if !table.contains_key(first.as_str()) {
            table.insert(
                Spanned::new(self.key_place.clone(), first.into()),
                Spanned::new(self.key_place.clone(), DeValue::Table(DeTable::new())),
            );
        }
        let place = table
            .get_mut(first.as_str())
            .expect("it is there or was just made");
        self.put_in(place, rest, value)
    }

    fn put_in<'i>(
        &'i self,
        place: &mut Spanned<DeValue<'i>>,
        rest: &'i [String],
        value: &mut Option<Spanned<DeValue<'i>>>,
    ) -> Result<(), Problem> {
        let Some(next) = rest.first() else {
            if let Some(value) = value.take() {
                *place = value;
            }
            return Ok(());
        };
        match place.get_mut() {
            DeValue::Table(table) => self.put(table, rest, value),
            DeValue::Array(array) => {
                let element = next
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| array.get_mut(index));
                let element =
                    element.ok_or_else(|| self.no_way(next, "lists are numbered from 0"))?;
                self.put_in(element, &rest[1..], value)
            }
            _ => Err(self.no_way(next, "what is before it is a value, not a table")),
        }
    }

    fn no_way(&self, key: &str, why: &str) -> Problem {
        Problem::at(
            self.key_place.clone(),
            format!("the override finds no `{key}`"),
            "no such place",
            why,
        )
    }
}

#[cfg(test)]
mod tests;
