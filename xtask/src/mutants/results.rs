//! What became of the mutants, and why those that survived did.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use synod_reports::table;

use super::entry::{List, Mutant};

/// A line for each mutant that was judged.
pub const RESULTS: &str = "xtask/mutants/results.tsv";
/// Why each survivor survived.
pub const SURVIVORS: &str = "xtask/mutants/survivors.toml";

/// What became of a mutant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// By which check, at which seed of the sweep.
    Killed(String, u64),
    /// So many seeds passed.
    Survived(u64),
    /// It does not compile.
    Unbuildable,
}

impl Outcome {
    fn line(&self, id: &str) -> String {
        match self {
            Self::Killed(check, seeds) => format!("{id}\tkilled\t{seeds}\t{check}\n"),
            Self::Survived(seeds) => format!("{id}\tsurvived\t{seeds}\t-\n"),
            Self::Unbuildable => format!("{id}\tunbuildable\t0\t-\n"),
        }
    }

    fn parse(line: &str) -> Option<(String, Self)> {
        let mut words = line.split('\t');
        let id = words.next()?.to_owned();
        let (what, seeds) = (words.next()?, words.next()?.parse().ok()?);
        let check = words.next()?.to_owned();
        Some((
            id,
            match what {
                "killed" => Self::Killed(check, seeds),
                "survived" => Self::Survived(seeds),
                "unbuildable" => Self::Unbuildable,
                _ => return None,
            },
        ))
    }
}

/// All results.
#[derive(Default)]
pub struct Results(pub BTreeMap<String, Outcome>);

impl Results {
    /// Reads the results; none is as good as a file without lines.
    ///
    /// # Errors
    /// The line that says nothing.
    pub fn read(root: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(root.join(RESULTS)).unwrap_or_default();
        let parse = |line: &str| Outcome::parse(line).ok_or(format!("{RESULTS}: {line}"));
        Ok(Self(text.lines().map(parse).collect::<Result<_, _>>()?))
    }

    /// Writes the results in the order of the list; what is not in it any more is dropped.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&self, root: &Path, list: &List) -> Result<(), String> {
        let line = |one: &Mutant| self.0.get(&one.id).map(|outcome| outcome.line(&one.id));
        let text: String = list.mutant.iter().filter_map(line).collect();
        fs::write(root.join(RESULTS), text).map_err(|error| format!("{RESULTS}: {error}"))
    }
}

/// Why a survivor survived.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// No run differs.
    Equivalent,
    /// What differs is how long something takes, or how much is sent, within what is promised.
    Performance,
    /// Runs differ where another guard, which is named, does the same work.
    Guarded,
    /// A change of behaviour that the sweep should see and does not.
    Gap,
}

/// An explanation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survivor {
    /// The mutant's.
    pub id: String,
    /// In a word.
    pub class: Class,
    /// In a sentence or two; of a gap, what would close it.
    pub why: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Survivors {
    #[serde(default)]
    survivor: Vec<Survivor>,
}

/// Reads the explanations.
///
/// # Errors
/// When they cannot be read.
pub fn survivors(root: &Path) -> Result<Vec<Survivor>, String> {
    let text = fs::read_to_string(root.join(SURVIVORS)).unwrap_or_default();
    let read: Survivors = toml::from_str(&text).map_err(|error| format!("{SURVIVORS}: {error}"))?;
    Ok(read.survivor)
}

/// Survivors without an explanation.
pub fn unexplained<'a>(results: &'a Results, survivors: &[Survivor]) -> Vec<&'a str> {
    let survived = |(_, outcome): &(&String, &Outcome)| matches!(outcome, Outcome::Survived(_));
    let ids = results.0.iter().filter(survived).map(|(id, _)| id.as_str());
    ids.filter(|id| survivors.iter().all(|one| one.id != *id))
        .collect()
}

/// Prints what became of all.
///
/// # Errors
/// When more than one of twenty survived without an explanation.
pub fn summary(root: &Path, list: &List) -> Result<(), String> {
    let (results, survivors) = (Results::read(root)?, survivors(root)?);
    let mut seeds = Vec::new();
    let mut by_check: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut survived, mut unbuildable) = (Vec::new(), 0);
    for one in &list.mutant {
        match results.0.get(&one.id) {
            Some(Outcome::Killed(check, after)) => {
                seeds.push(*after);
                *by_check.entry(check).or_default() += 1;
            }
            Some(Outcome::Survived(after)) => survived.push((one, *after)),
            Some(Outcome::Unbuildable) => unbuildable += 1,
            None => {}
        }
    }
    seeds.sort_unstable();
    let mut checks: Vec<_> = by_check.into_iter().collect();
    checks.sort_by_key(|(check, count)| (std::cmp::Reverse(*count), *check));
    let rows: Vec<_> = checks
        .iter()
        .map(|(check, count)| vec![(*check).to_owned(), count.to_string()])
        .collect();
    print!("{}", table::plain(&["killed by", "mutants"], &rows));
    for (one, after) in &survived {
        let told = survivors.iter().find(|survivor| survivor.id == one.id);
        let told = told.map_or("NOT EXPLAINED".to_owned(), |survivor| {
            format!("{:?}: {}", survivor.class, survivor.why)
        });
        println!(
            "{} {} ({}, {after} seeds): {told}",
            one.id, one.name, one.file
        );
    }
    let judged = seeds.len() + survived.len();
    let open = unexplained(&results, &survivors).len();
    println!(
        "{} of {} mutants were run: {} killed (after {} seeds in the median), {} survived, \
         {unbuildable} do not build; {open} of {judged} survived unexplained",
        judged + unbuildable,
        list.mutant.len(),
        seeds.len(),
        seeds.get(seeds.len() / 2).copied().unwrap_or_default(),
        survived.len(),
    );
    if open * 20 > judged {
        return Err("more than 5 % of the mutants survive, and nobody knows why".to_owned());
    }
    Ok(())
}
