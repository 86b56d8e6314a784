//! `mutants`: small changes of the engine that nobody planted, each judged by a short sweep alone.
//!
//! A sample is drawn once and committed (`xtask/mutants/list.toml`), and so is what became of each
//! mutant (`results.tsv`) and why those that survived did (`survivors.toml`). A run goes on where the
//! last one ended. It is a chore for a night, and no part of `cargo xtask ci`; that the list still
//! fits the code is a test.

use std::path::Path;

use clap::Args;

mod blend;
mod draw;
mod entry;
mod judge;
mod results;
mod scan;

use entry::{List, Mutant};
use judge::Workshop;
use results::{Outcome, Results};

/// What to do with the mutants.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask mutants                  judge those that were not yet, by 600 seeds each
  cargo xtask mutants --long           those that survived, by 3,000 seeds more
  cargo xtask mutants --id 0a1b2c3d    this one again, after a change that should see it
  cargo xtask mutants --summary        what became of all; exit 1 when one of 20 is unexplained
  cargo xtask mutants --list           draw the sample anew (needs cargo-mutants)")]
pub struct Arguments {
    /// Draw the sample
    #[arg(long, conflicts_with_all = ["summary", "long", "id", "most"])]
    list: bool,
    /// Print what became of all
    #[arg(long, conflicts_with_all = ["long", "id", "most"])]
    summary: bool,
    /// A longer sweep of those that survived the short one
    #[arg(long)]
    long: bool,
    /// Judge these, whether or not they were judged before
    #[arg(long, value_name = "ID")]
    id: Vec<String>,
    /// Judge so many at most
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    most: usize,
}

/// Runs the chore.
///
/// # Errors
/// When something cannot be read, built or written, or too many survive unexplained.
pub fn run(root: &Path, arguments: &Arguments) -> Result<(), String> {
    if arguments.list {
        return draw::draw(root);
    }
    let list = List::read(root)?;
    if !arguments.summary {
        let results = Results::read(root)?;
        let wanted = |one: &&Mutant| {
            if !arguments.id.is_empty() {
                return arguments.id.contains(&one.id);
            }
            match results.0.get(&one.id) {
                None => !arguments.long,
                Some(Outcome::Survived(seeds)) => arguments.long && *seeds <= judge::SHORT_SEEDS,
                Some(_) => false,
            }
        };
        let chosen: Vec<_> = list
            .mutant
            .iter()
            .filter(wanted)
            .take(arguments.most)
            .collect();
        Workshop::open(root, &list)?.judge(&chosen, arguments.long)?;
    }
    results::summary(root, &list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn most_of_the_list_still_fits_the_code() {
        let root = crate::root();
        let list = List::read(&root).expect("it is committed");
        let stale = |one: &&Mutant| {
            let text = fs::read_to_string(root.join(&one.file)).unwrap_or_default();
            one.applied(&text).is_none_or(|changed| changed == text)
        };
        let stale: Vec<_> = list
            .mutant
            .iter()
            .filter(stale)
            .map(|one| &one.id)
            .collect();
        println!("out of date: {stale:?}");
        assert!(
            stale.len() * 10 <= list.mutant.len(),
            "draw the list anew: {} of {} are out of date",
            stale.len(),
            list.mutant.len()
        );
    }

    #[test]
    fn each_survivor_is_explained_and_nothing_else_is() {
        let root = crate::root();
        let results = Results::read(&root).expect("they are committed");
        let survivors = results::survivors(&root).expect("they are committed");
        let open = results::unexplained(&results, &survivors);
        assert!(
            open.len() * 20 <= results.0.len(),
            "not explained: {open:?}"
        );
        for one in &survivors {
            assert!(
                matches!(results.0.get(&one.id), Some(Outcome::Survived(_))),
                "{} is explained ({:?}), and did not survive",
                one.id,
                one.class
            );
            assert!(!one.why.trim().is_empty(), "{}", one.id);
        }
    }
}
