//! What is wrong with a scenario file, rendered with the place underlined. Every problem of a stage
//! is told at once; nothing here panics on any text.

use std::fmt;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use crate::scenario::units::Wrong;

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// What, and what would be right.
    pub wrong: Wrong,
    /// Where in the source, if anywhere: bytes.
    pub place: Option<Range<usize>>,
}

impl Problem {
    /// A problem at a place.
    pub fn at(
        place: Range<usize>,
        title: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            wrong: Wrong::new(title, label, help),
            place: Some(place),
        }
    }

    /// What the TOML crate or a value's reader has to say.
    #[must_use]
    pub fn of_toml(error: &toml::de::Error) -> Self {
        Self {
            wrong: in_our_words(error.message()),
            place: error.span(),
        }
    }

    /// A problem of the file as a whole.
    pub fn of_file(title: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            wrong: Wrong::new(title, "", help),
            place: None,
        }
    }
}

/// Our readers' errors have three lines. Those of the crates have one, and name what they found and
/// what they look for in words of their own.
fn in_our_words(message: &str) -> Wrong {
    let mut lines = message.split('\n');
    let (first, label, help) = (lines.next().unwrap_or_default(), lines.next(), lines.next());
    if let (Some(label), Some(help)) = (label, help) {
        return Wrong::new(first, label, help);
    }
    if first == "duplicate key" {
        let help = "a key stands once in its table: take one of the two out";
        return Wrong::new("a key that is there twice", "the second time", help);
    }
    if let Some(field) = first.strip_prefix("missing field ") {
        let title = format!("the key {field} is missing");
        return Wrong::new(title, "not all of it", format!("add {field}"));
    }
    let (found, expected) = first.split_once(", expected ").unwrap_or((first, ""));
    let found = ["invalid type: ", "invalid value: ", "invalid length "]
        .iter()
        .find_map(|prefix| found.strip_prefix(prefix));
    let Some(found) = found else {
        let (title, help) = match expected {
            "" => (first, String::new()),
            _ => (
                first.split(", expected ").next().unwrap_or(first),
                format!("write {expected}"),
            ),
        };
        return Wrong::new(title, "not what belongs here", help);
    };
    Wrong::new(
        format!("{} does not belong here", named(found)),
        "of another type",
        format!("write {expected}"),
    )
}

/// What was found, as a person would call it.
fn named(found: &str) -> String {
    let kinds = [
        ("integer ", "the number "),
        ("floating point ", "the fraction "),
        ("string ", "the text "),
        ("boolean ", ""),
    ];
    let known = kinds.iter().find_map(|(theirs, ours)| {
        let value = found.strip_prefix(theirs)?;
        Some(format!("{ours}{value}"))
    });
    known.unwrap_or_else(|| match found {
        "sequence" => "a list".to_owned(),
        "map" => "a table".to_owned(),
        other => other.to_owned(),
    })
}

/// Where problems are: a file's text, and behind it those of the files that it extends and the
/// overrides, which continue its byte positions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Source {
    path: String,
    text: String,
    more: Vec<More>,
}

/// What stands behind the file's text.
#[derive(Clone, PartialEq, Eq, Debug)]
struct More {
    start: usize,
    /// None: an override.
    path: Option<String>,
    text: String,
}

impl Source {
    /// The source of a file.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
            more: Vec::new(),
        }
    }

    /// Adds an override's text and says at which byte it begins.
    pub fn add_set(&mut self, line: &str) -> usize {
        self.add(None, line)
    }

    /// Adds the text of a file that is extended and says at which byte it begins.
    pub fn add_file(&mut self, path: &str, text: &str) -> usize {
        self.add(Some(path.to_owned()), text)
    }

    fn add(&mut self, path: Option<String>, text: &str) -> usize {
        let last = self.more.last();
        let end = last.map_or(self.text.len(), |more| more.start + more.text.len());
        let (start, text) = (end + 1, text.to_owned());
        self.more.push(More { start, path, text });
        start
    }

    fn more(&self, place: &Range<usize>) -> Option<&More> {
        let mut more = self.more.iter().rev();
        more.find(|more| place.start >= more.start)
    }

    /// The text around a place, the name of where it is, and where its first byte is.
    fn around(&self, place: &Range<usize>) -> (&str, &str, usize) {
        self.more(place)
            .map_or((&self.path, &self.text, 0), |more| {
                let path = more.path.as_deref().unwrap_or("--set");
                (path, &more.text, more.start)
            })
    }

    /// The line of a place in its file, from 1; 0 in an override.
    #[must_use]
    pub fn line(&self, place: &Range<usize>) -> u32 {
        if self.more(place).is_some_and(|more| more.path.is_none()) {
            return 0;
        }
        let (_, text, start) = self.around(place);
        let before = text
            .as_bytes()
            .iter()
            .take(place.start - start)
            .filter(|byte| **byte == b'\n')
            .count();
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }

    /// The place of `word` in quotes within a place, or that whole place.
    #[must_use]
    pub fn find(&self, place: Range<usize>, word: &str) -> Range<usize> {
        let (_, text, start) = self.around(&place);
        let inside = place
            .start
            .checked_sub(start)
            .zip(place.end.checked_sub(start))
            .and_then(|(from, to)| text.get(from..to));
        match inside.and_then(|inside| inside.find(&format!("\"{word}\""))) {
            Some(offset) => place.start + offset..place.start + offset + word.len() + 2,
            None => place,
        }
    }
}

impl Source {
    /// The place of the key `name` that stands before a value on its line, or the value's own
    /// place.
    #[must_use]
    pub fn key_of(&self, value: Range<usize>, name: &str) -> Range<usize> {
        let (_, text, start) = self.around(&value);
        let before = value
            .start
            .checked_sub(start)
            .and_then(|end| text.get(..end))
            .unwrap_or("");
        let line_at = before.rfind('\n').map_or(0, |newline| newline + 1);
        match before[line_at..].rfind(name) {
            Some(offset) => start + line_at + offset..start + line_at + offset + name.len(),
            None => value,
        }
    }
}

/// Why a scenario cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadError {
    source: Source,
    problems: Vec<Problem>,
}

impl LoadError {
    /// These problems of this source; there is at least one.
    #[must_use]
    pub fn new(source: Source, problems: Vec<Problem>) -> Self {
        Self { source, problems }
    }

    /// A file that cannot be read at all.
    pub fn unreadable(
        path: impl Into<String>,
        title: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            source: Source::new(path, ""),
            problems: vec![Problem::of_file(title, help)],
        }
    }

    /// The problems.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// All problems as a person reads them, in colour or not.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        }
        .decor_style(DecorStyle::Ascii)
        .term_width(160);
        let rendered: Vec<String> = self
            .problems
            .iter()
            .map(|problem| self.one(problem, &renderer))
            .collect();
        rendered.join("\n\n")
    }

    fn one(&self, problem: &Problem, renderer: &Renderer) -> String {
        let title = Level::ERROR.primary_title(problem.wrong.title.as_str());
        let help = (!problem.wrong.help.is_empty())
            .then(|| Level::HELP.message(problem.wrong.help.as_str()));
        let Some(place) = &problem.place else {
            let group = title.element(Origin::path(self.source.path.as_str()));
            return renderer.render(&[group.elements(help)]);
        };
        let (path, text, start) = self.source.around(place);
        let span = on_characters(
            text,
            place.start.saturating_sub(start)..place.end.saturating_sub(start),
        );
        let mark = AnnotationKind::Primary
            .span(span)
            .label((!problem.wrong.label.is_empty()).then_some(problem.wrong.label.as_str()));
        let group = title.element(Snippet::source(text).path(path).annotation(mark));
        renderer.render(&[group.elements(help)])
    }
}

/// The nearest range within the text whose ends are between characters, on one line where the range
/// is long.
fn on_characters(text: &str, range: Range<usize>) -> Range<usize> {
    let mut start = range.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let line = text[start..]
        .find('\n')
        .map_or(text.len(), |length| start + length);
    let mut end = range.end.clamp(start, line);
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for LoadError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn overrides_have_places_of_their_own() {
        let mut source = Source::new("x.toml", "a = 1\nb = 2\n");
        let first = source.add_set("a = 2");
        let second = source.add_set("b = 3");
        assert_eq!(
            (source.line(&(6..7)), source.line(&(first..first + 1))),
            (2, 0)
        );
        let error = LoadError::new(
            source,
            vec![Problem::at(second..second + 1, "no", "here", "do")],
        );
        assert!(
            error.to_string().contains("--> --set:1:1") && error.to_string().contains("b = 3"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn no_place_in_no_text_panics(
            text in "\\PC{0,20}(\n\t?\\PC{0,9}){0,3}",
            start in 0..50usize,
            length in 0..50usize,
        ) {
            let error = LoadError::new(
                Source::new("x", text),
                vec![Problem::at(start..start + length, "t", "l", "h")],
            );
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
