//! Takes what is wrong out of a document, so that the rest can be looked at as well. What is taken out
//! is a whole step or fault, or the key of a section: never less, since what is left has to be as
//! somebody could have written it.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::scenario::problem::Problem;

/// What others are counted by: without it nothing that is said of them means anything.
const FOUNDATIONS: [(&str, &str); 2] = [("cluster", "replicas"), ("workload", "clients")];

/// Takes out what these problems are of. False when what is left says nothing.
pub fn prune(document: &mut DeTable<'_>, problems: &[Problem]) -> bool {
    let starts: Vec<usize> = problems
        .iter()
        .filter_map(|problem| problem.place.as_ref().map(|place| place.start))
        .collect();
    let mut sound = true;
    let sections: Vec<(String, bool)> = document
        .iter()
        .map(|(name, _)| (name.get_ref().to_string(), within(&name.span(), &starts)))
        .collect();
    for (section, unknown) in sections {
        if unknown {
            document.remove(section.as_str());
            continue;
        }
        let wrong = match document.get_mut(section.as_str()).map(Spanned::get_mut) {
            Some(DeValue::Table(table)) => {
                sound &= prune_section(table, &section, &starts);
                false
            }
            Some(DeValue::Array(list)) => {
                keep_sound(list, &starts);
                false
            }
            _ => true,
        };
        if wrong {
            prune_keys(document, &section, &starts);
        }
    }
    sound
}

fn prune_section(table: &mut DeTable<'_>, section: &str, starts: &[usize]) -> bool {
    let mut sound = true;
    let keys: Vec<String> = table
        .iter()
        .map(|(name, _)| name.get_ref().to_string())
        .collect();
    for key in keys {
        // Faults of a nemesis are a list of tables within a section.
        if let Some(DeValue::Array(list)) = table.get_mut(key.as_str()).map(Spanned::get_mut)
            && list.iter().all(|entry| entry.get_ref().is_table())
        {
            keep_sound(list, starts);
            continue;
        }
        let taken = prune_keys(table, &key, starts);
        sound &= !(taken && FOUNDATIONS.contains(&(section, key.as_str())));
    }
    sound
}

/// Keeps the entries in which none of the places is.
fn keep_sound(list: &mut DeArray<'_>, starts: &[usize]) {
    let all = std::mem::replace(list, DeArray::new());
    for entry in all {
        if !holds(&entry, starts) {
            list.push(entry);
        }
    }
}

/// Takes this key out if one of the places is its own, or in its value.
fn prune_keys(table: &mut DeTable<'_>, key: &str, starts: &[usize]) -> bool {
    let wrong = table.iter().any(|(name, value)| {
        name.get_ref() == key && (within(&name.span(), starts) || holds(value, starts))
    });
    if wrong {
        table.remove(key);
    }
    wrong
}

/// Whether a place is within a value, at any depth.
fn holds(value: &Spanned<DeValue<'_>>, starts: &[usize]) -> bool {
    let deeper = match value.get_ref() {
        DeValue::Table(table) => table
            .iter()
            .any(|(name, value)| within(&name.span(), starts) || holds(value, starts)),
        DeValue::Array(list) => list.iter().any(|entry| holds(entry, starts)),
        _ => false,
    };
    deeper || within(&value.span(), starts)
}

fn within(place: &Range<usize>, starts: &[usize]) -> bool {
    starts
        .iter()
        .any(|start| place.contains(start) || place.start == *start)
}
