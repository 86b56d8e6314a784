//! A mutant in the committed list: where it is by content, and what becomes of that. A list outlives
//! code that moves; an entry whose code is gone says so.

use std::fs;
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::scan::{close, masked};

/// The list, from the workspace's folder.
pub const LIST: &str = "xtask/mutants/list.toml";

/// One change of the engine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// A hash of the seed and all below: the sample is those with the lowest.
    pub id: String,
    /// From the workspace's folder.
    pub file: String,
    /// Its function, and what is done to it, as cargo-mutants calls it.
    pub name: String,
    /// Whole lines that the file has once. Of a body: up to where it opens.
    pub before: String,
    /// What takes their place; of a body: what is between its braces.
    pub after: String,
    /// All of a function's body is replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub body: bool,
}

/// The committed list, in the order in which it is run.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// How it was drawn.
    pub drawn: String,
    /// The sample.
    pub mutant: Vec<Mutant>,
}

impl List {
    /// Reads the list.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn read(root: &Path) -> Result<Self, String> {
        let text =
            fs::read_to_string(root.join(LIST)).map_err(|error| format!("{LIST}: {error}"))?;
        toml::from_str(&text).map_err(|error| format!("{LIST}: {error}"))
    }
}

impl Mutant {
    /// What is replaced in this text, and by what: no more than what differs. None when the code is
    /// not there any more, or not once.
    pub fn change(&self, text: &str) -> Option<(Range<usize>, &str)> {
        let mut places = text.match_indices(&self.before);
        let (start, _) = places.next()?;
        if places.next().is_some() {
            return None;
        }
        let end = start + self.before.len();
        if self.body {
            let close = close(masked(text).as_bytes(), end.checked_sub(1)?)?;
            return Some((end..close, &self.after));
        }
        let (before, after) = (self.before.as_bytes(), self.after.as_bytes());
        let same = |(one, two): &(&u8, &u8)| one == two;
        let head = before.iter().zip(after).take_while(same).count();
        let ends = before[head..].iter().rev().zip(after[head..].iter().rev());
        let tail = ends.take_while(same).count();
        let new = self.after.get(head..after.len() - tail)?;
        Some((start + head..end - tail, new))
    }

    /// The text with this change in it.
    pub fn applied(&self, text: &str) -> Option<String> {
        let (place, new) = self.change(text)?;
        Some(format!(
            "{}{new}{}",
            &text[..place.start],
            &text[place.end..]
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutant(before: &str, after: &str, body: bool) -> Mutant {
        let text = |text: &str| text.to_owned();
        Mutant {
            id: text("0"),
            file: text("a.rs"),
            name: text("a"),
            before: text(before),
            after: text(after),
            body,
        }
    }

    #[test]
    fn what_is_there_once_is_changed() {
        let text = "fn a() -> u8 {\n    b(\"}\") + 1\n}\nfn b() {}\n";
        assert_eq!(
            mutant("+ 1", "- 1", false).applied(text).as_deref(),
            Some("fn a() -> u8 {\n    b(\"}\") - 1\n}\nfn b() {}\n")
        );
        assert_eq!(
            mutant("fn a() -> u8 {", " 7 ", true)
                .applied(text)
                .as_deref(),
            Some("fn a() -> u8 { 7 }\nfn b() {}\n")
        );
        assert_eq!(mutant("+ 2", "- 2", false).applied(text), None);
        assert_eq!(
            mutant("fn", "", false).applied(text),
            None,
            "it is there twice"
        );
    }
}
