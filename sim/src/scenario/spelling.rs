//! Finds keys and names that do not exist, and keys that are missing, by the vocabulary, before
//! anything is read: so the place is the word itself, and what was probably meant can be said.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::scenario::kinds::ANY;
use crate::scenario::names::{Names, Naming};
use crate::scenario::problem::Problem;
use crate::scenario::value::nearest;
use crate::scenario::vocabulary::{Kind, Table};
use crate::scenario::words::{DISTRIBUTION, FILE, PICK};

/// All keys and names that do not exist, and keys that are missing.
#[must_use]
pub fn check(document: &DeTable<'_>, names: &Names) -> Vec<Problem> {
    let text = |table: &DeTable<'_>| {
        let subject = table.get("subject").map(Spanned::get_ref);
        subject.and_then(DeValue::as_str).map(str::to_owned)
    };
    let repro = document.get("repro").map(Spanned::get_ref);
    let repro = repro.and_then(DeValue::as_table);
    let mut speller = Speller {
        names,
        subject: repro.and_then(text).or_else(|| text(document)),
        problems: Vec::new(),
    };
    speller.walk(document, &FILE, None);
    let mut problems = speller.problems;
    problems.sort_by_key(|problem| problem.place.as_ref().map_or(0, |place| place.start));
    problems
}

struct Speller<'a> {
    names: &'a Names,
    /// The engine under test; none: the usual one.
    subject: Option<String>,
    problems: Vec<Problem>,
}

impl Speller<'_> {
    fn walk(&mut self, table: &DeTable<'_>, known: &'static Table, place: Option<&Range<usize>>) {
        for (name, value) in table {
            match known.key(name.get_ref()) {
                Some(key) => self.value_of(value, key.kind),
                None => self.problems.push(unknown(name, known)),
            }
        }
        for key in known
            .keys
            .iter()
            .filter(|key| key.required && !table.contains_key(key.name))
        {
            let title = format!("the key `{}` is missing", key.name);
            let help = format!("add `{} = ..`: {}", key.name, key.doc);
            self.problems.push(match place {
                Some(place) => Problem::at(
                    place.clone(),
                    title,
                    format!("no `{}` here", key.name),
                    help,
                ),
                None => Problem::of_file(title, help),
            });
        }
    }

    /// Follows a value that is a table, or a list of tables, to its own keys, and looks names up.
    fn value_of(&mut self, value: &Spanned<DeValue<'_>>, kind: Kind) {
        let place = value.span();
        match (value.get_ref(), kind) {
            (
                DeValue::Table(table),
                Kind::Table(known) | Kind::ReplicasOr(known) | Kind::WordsOr(_, known),
            ) => self.walk(table, known, Some(&place)),
            (DeValue::Table(table), Kind::Distribution) => {
                self.walk(table, &DISTRIBUTION, Some(&place))
            }
            (
                DeValue::Table(table),
                Kind::Quantity(..)
                | Kind::PerReplica(..)
                | Kind::Replicas
                | Kind::Flag
                | Kind::Words(_),
            ) => self.walk(table, &PICK, Some(&place)),
            (DeValue::Table(table), Kind::SomeNamed(_)) => {
                self.walk(table, &PICK, Some(&place));
                for options in table
                    .values()
                    .filter_map(|value| value.get_ref().as_array())
                {
                    options.iter().for_each(|one| self.value_of(one, kind));
                }
            }
            (DeValue::Array(list), Kind::Tables(known)) => {
                for entry in list.iter() {
                    if let DeValue::Table(table) = entry.get_ref() {
                        self.walk(table, known, Some(&entry.span()));
                    }
                }
            }
            (DeValue::Array(list), Kind::AllNamed(naming) | Kind::SomeNamed(naming)) => {
                for entry in list.iter() {
                    self.value_of(entry, Kind::Named(naming));
                }
            }
            (DeValue::String(name), Kind::Named(naming)) => self.look_up(name, &place, naming, &[]),
            (DeValue::String(name), Kind::SomeNamed(naming)) => {
                self.look_up(name, &place, naming, &[ANY]);
            }
            (DeValue::String(digest), Kind::Digest) => self.digest(digest, place),
            _ => {}
        }
    }

    fn digest(&mut self, digest: &str, place: Range<usize>) {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if digest.len() != 16 || !digest.bytes().all(digit) {
            self.problems.push(Problem::at(
                place,
                format!("`{digest}` is not a digest"),
                "unreadable",
                "a digest has 16 hexadecimal digits, as `synod replay` prints them: leave it out, \
                 and none is compared",
            ));
        }
    }

    /// `also` says what is as good as a name there.
    fn look_up(&mut self, name: &str, place: &Range<usize>, naming: Naming, also: &[&'static str]) {
        let mut known = self.names.of(naming, self.subject.as_deref());
        if known.is_empty() {
            return;
        }
        known.extend(also);
        if known.contains(&name) {
            return;
        }
        known.sort_unstable();
        let meant = nearest(name, known.iter().copied())
            .map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
        self.problems.push(Problem::at(
            place.clone(),
            format!("`{name}` is not {}", naming.what()),
            "unknown",
            format!("{meant}known: {}", known.join(", ")),
        ));
    }
}
fn unknown(name: &Spanned<std::borrow::Cow<'_, str>>, known: &Table) -> Problem {
    let text = name.get_ref();
    let meant = known
        .meant(text)
        .map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
    let keys = known.names(false).join(", ");
    let allowed = if known.verbs {
        format!(
            "verbs: {}; other keys: {keys}",
            known.names(true).join(", ")
        )
    } else {
        format!("allowed: {keys}")
    };
    Problem::at(
        name.span(),
        format!("unknown key `{text}`"),
        format!("not {}", known.what),
        format!("{meant}{allowed}"),
    )
}
