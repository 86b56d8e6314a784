//! Finds keys that do not exist and keys that are missing, by the vocabulary, before anything is
//! read: so the place is the key itself, and what was probably meant can be said.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::scenario::problem::Problem;
use crate::scenario::vocabulary::{Kind, Table};
use crate::scenario::words::{DISTRIBUTION, FILE, PICK};

/// All keys that do not exist or are missing.
#[must_use]
pub fn check(document: &DeTable<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    walk(document, &FILE, None, &mut problems);
    problems.sort_by_key(|problem| problem.place.as_ref().map_or(0, |place| place.start));
    problems
}

fn walk(
    table: &DeTable<'_>,
    known: &'static Table,
    place: Option<&Range<usize>>,
    problems: &mut Vec<Problem>,
) {
    for (name, value) in table {
        match known.key(name.get_ref()) {
            Some(key) => value_of(value, key.kind, problems),
            None => problems.push(unknown(name, known)),
        }
    }
    for key in known
        .keys
        .iter()
        .filter(|key| key.required && !table.contains_key(key.name))
    {
        let title = format!("the key `{}` is missing", key.name);
        let help = format!("add `{} = ..`: {}", key.name, key.doc);
        problems.push(match place {
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

/// Follows a value that is a table, or a list of tables, to its own keys.
fn value_of(value: &Spanned<DeValue<'_>>, kind: Kind, problems: &mut Vec<Problem>) {
    let place = value.span();
    match (value.get_ref(), kind) {
        (
            DeValue::Table(table),
            Kind::Table(known) | Kind::ReplicasOr(known) | Kind::WordsOr(_, known),
        ) => walk(table, known, Some(&place), problems),
        (DeValue::Table(table), Kind::Distribution) => {
            walk(table, &DISTRIBUTION, Some(&place), problems)
        }
        (
            DeValue::Table(table),
            Kind::Quantity(..)
            | Kind::PerReplica(..)
            | Kind::Replicas
            | Kind::Flag
            | Kind::Words(_),
        ) => walk(table, &PICK, Some(&place), problems),
        (DeValue::Array(list), Kind::Tables(known)) => {
            for entry in list.iter() {
                if let DeValue::Table(table) = entry.get_ref() {
                    walk(table, known, Some(&entry.span()), problems);
                }
            }
        }
        _ => {}
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
