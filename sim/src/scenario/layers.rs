//! `extends`: a scenario whose sections are laid over those of another file, which may be laid over
//! a third. Values are replaced, never mixed: within a section key by key, and lists (steps, faults,
//! overrides) as a whole.
//!
//! What says what a file is, and where a reproducer comes from, is its own and is not passed on.

use std::path::{Component, Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::scenario::embedded;
use crate::scenario::problem::{Problem, Source};
use crate::scenario::units::Wrong;

/// The most bytes that a scenario file may have.
pub const BYTES_MAX: u64 = 4 << 20;

/// The most files that are laid over one another.
pub const DEPTH_MAX: usize = 8;

/// The key.
const KEY: &str = "extends";

/// What each file says for itself.
const OWN: [&str; 5] = ["format", "title", "why", KEY, "repro"];

/// Where files are that others extend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shelf {
    /// On the disk.
    Disk,
    /// In the library that is built into the binary.
    Binary,
}

impl Shelf {
    fn text(self, path: &Path) -> Result<String, Wrong> {
        match self {
            Self::Disk => text(path),
            Self::Binary => {
                let name = path.with_extension("").display().to_string();
                let name = name.strip_prefix("scenarios/").unwrap_or(&name);
                let found = embedded::FILES.iter().find(|(other, _)| *other == name);
                found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| {
                    let help = "`synod scenario list` shows the scenarios that there are";
                    Wrong::new("the library has no such scenario", "not there", help)
                })
            }
        }
    }
}

/// The text of a scenario file.
///
/// # Errors
/// It cannot be read, or is no text.
pub fn text(path: &Path) -> Result<String, Wrong> {
    let wrong = |title: String, help: &str| Wrong::new(title, "not read", help);
    let unread = |error: std::io::Error| {
        let help = "`synod scenario list` shows the scenarios that there are";
        wrong(format!("cannot read the scenario: {error}"), help)
    };
    let size = std::fs::metadata(path).map_err(unread)?;
    if size.is_dir() {
        let title = "this is a folder, not a scenario".to_owned();
        return Err(wrong(title, "name one of the files in it"));
    }
    // A device has no end, and a pipe that nobody writes to has no beginning.
    if !size.is_file() {
        return Err(wrong(
            "this is a device or a pipe, not a scenario".to_owned(),
            "name a file: what comes out of a pipe can be written to one first",
        ));
    }
    if size.len() > BYTES_MAX {
        return Err(wrong(
            format!("the file has {} bytes", size.len()),
            &format!("a scenario has at most {BYTES_MAX} bytes"),
        ));
    }
    String::from_utf8(std::fs::read(path).map_err(unread)?).map_err(|error| {
        wrong(
            format!("the scenario is not UTF-8: {error}"),
            "TOML is UTF-8 text",
        )
    })
}

/// The texts of the file at this path and of those that it extends, itself first. Each stands behind
/// so many spaces that its places follow those of the one before; `source` knows which is where.
///
/// # Errors
/// A file that is not there, a circle, or too many.
pub fn layers(
    source: &mut Source,
    path: &str,
    text: &str,
    shelf: Shelf,
) -> Result<Vec<String>, Problem> {
    let mut paths = vec![plain(Path::new(path))];
    let mut texts = vec![text.to_owned()];
    while let Some((place, name)) = extended(texts.last().map_or("", String::as_str)) {
        let wrong = |title: String, label: &str, help: String| {
            Err(Problem::at(place.clone(), title, label, help))
        };
        let here = paths.last().map_or(Path::new(""), PathBuf::as_path);
        let next = plain(&here.parent().unwrap_or(Path::new("")).join(&name));
        let shown = next.display().to_string();
        if paths.contains(&next) {
            let way: Vec<String> = paths
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            return wrong(
                format!("a circle: {} and {shown} again", way.join(" extends ")),
                "a file that was there before",
                "take `extends` out of one of them".to_owned(),
            );
        }
        if paths.len() == DEPTH_MAX {
            return wrong(
                format!("more than {DEPTH_MAX} files, each extending the next"),
                "one too many",
                "let it extend one further down, or write out what it says".to_owned(),
            );
        }
        let text = match shelf.text(&next) {
            Ok(text) => text,
            Err(why) => {
                let help = format!(
                    "`{shown}` was looked for: write the path from the folder of the file that \
                     extends it, such as \"../safety/weather-3.toml\""
                );
                return wrong(
                    format!("the file `{name}` cannot be extended: {}", why.title),
                    &why.label,
                    help,
                );
            }
        };
        let start = source.add_file(&shown, &text);
        texts.push(" ".repeat(start) + &text);
        paths.push(next);
    }
    Ok(texts)
}

/// Which file this one extends, and where it says so.
fn extended(text: &str) -> Option<(std::ops::Range<usize>, String)> {
    let (document, _) = DeTable::parse_recoverable(text);
    let value = document.get_ref().get(KEY)?;
    let name = value.get_ref().as_str()?.to_owned();
    Some((value.span(), name))
}

/// The path without detours.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(plain.components().next_back(), Some(Component::Normal(_))) =>
            {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// Lays a document over another.
pub fn lay<'i>(over: DeTable<'i>, under: DeTable<'i>) -> DeTable<'i> {
    let mut laid = over;
    for (key, value) in under {
        if OWN.contains(&key.get_ref().as_ref()) {
            continue;
        }
        match (
            laid.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut),
            value,
        ) {
            (None, value) => {
                laid.insert(key, value);
            }
            (Some(DeValue::Table(section)), value) => {
                if let DeValue::Table(below) = value.into_inner() {
                    for (key, value) in below {
                        if !section.contains_key(key.get_ref().as_ref()) {
                            section.insert(key, value);
                        }
                    }
                }
            }
            (Some(_), _) => {}
        }
    }
    laid
}
