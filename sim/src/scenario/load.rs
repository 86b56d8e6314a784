//! From a TOML file to a [`Scenario`], with overrides. Three stages: the TOML itself, and that of the
//! files that it extends; keys and values one by one; and what does not fit together. Each tells all
//! that it finds wrong, and what is wrong in one is left out for the next, so that a file's problems
//! are told at once.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::scenario::check;
use crate::scenario::form::FileForm;
use crate::scenario::layers::{self, Shelf, lay, layers};
use crate::scenario::model::Scenario;
use crate::scenario::names::Names;
use crate::scenario::problem::{LoadError, Problem, Source};
use crate::scenario::prune;
use crate::scenario::spelling;

/// Reads a scenario from a file. `sets` are overrides such as `network.loss=1%`; `names` are those
/// that it may use.
///
/// # Errors
/// The file cannot be read, or something in it (or in an override) is wrong.
pub fn load_file(path: &Path, sets: &[String], names: &Names) -> Result<Scenario, LoadError> {
    let shown = path.display().to_string();
    let text = layers::text(path)
        .map_err(|wrong| LoadError::unreadable(&shown, wrong.title, wrong.help))?;
    read((&shown, Shelf::Disk), &name_of(path), &text, sets, names)
}

/// Reads a scenario from a text. `name` is its name, such as `safety/stale-read`; what it extends is
/// one of the library that is built in.
///
/// # Errors
/// Something in it, or in an override, is wrong.
pub fn parse(
    name: &str,
    text: &str,
    sets: &[String],
    names: &Names,
) -> Result<Scenario, LoadError> {
    let path = format!("scenarios/{name}.toml");
    read((&path, Shelf::Binary), name, text, sets, names)
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
    (path, shelf): (&str, Shelf),
    name: &str,
    text: &str,
    sets: &[String],
    names: &Names,
) -> Result<Scenario, LoadError> {
    let mut source = Source::new(path, text);
    let mut problems = Vec::new();
    let texts = match layers(&mut source, path, text, shelf) {
        Ok(texts) => texts,
        Err(problem) => return Err(LoadError::new(source, vec![problem])),
    };
    let mut overrides = Vec::new();
    for set in sets {
        match Override::parse(&mut source, set) {
            Ok(parsed) => overrides.push(parsed),
            Err(problem) => problems.push(problem),
        }
    }
    let (mut documents, broken): (Vec<_>, Vec<_>) = texts
        .iter()
        .map(|text| DeTable::parse_recoverable(text))
        .unzip();
    let broken: Vec<_> = broken.into_iter().flatten().collect();
    let whole = broken
        .iter()
        .all(|error| error.message() == "duplicate key");
    problems.extend(broken.iter().map(Problem::of_toml));
    if !whole {
        // What is read of broken TOML is a guess, and what is wrong with a guess says nothing.
        return Err(LoadError::new(source, problems));
    }
    let mut document = documents.remove(0);
    let laid = std::mem::take(document.get_mut());
    *document.get_mut() = documents
        .into_iter()
        .fold(laid, |over, under| lay(over, under.into_inner()));
    for set in &overrides {
        problems.extend(set.apply(document.get_mut()).err());
    }
    problems.extend(spelling::check(document.get_ref(), names));
    if problems.is_empty() {
        let form = FileForm::deserialize(toml::de::Deserializer::from(document));
        let file = match form {
            Ok(file) => file,
            Err(error) => return Err(LoadError::new(source, vec![Problem::of_toml(&error)])),
        };
        return check::check(name, file, &source)
            .map_err(|problems| LoadError::new(source, problems));
    }
    if prune::prune(document.get_mut(), &problems)
        && let Ok(file) = FileForm::deserialize(toml::de::Deserializer::from(document))
    {
        problems.extend(check::check_partly(name, file, &source));
    }
    problems.sort_by_key(|problem| problem.place.as_ref().map_or(0, |place| place.start));
    Err(LoadError::new(source, problems))
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
            .map_err(|error| Problem::of_toml(&error))?
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
