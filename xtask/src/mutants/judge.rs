//! Builds mutants in a copy of the tree, and sweeps them.
//!
//! All that compile together are in one build. Those that do not are tried one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::blend::{CHOSEN, blend, root as blended_root};
use super::draw::is_drawn_from;
use super::entry::{List, Mutant};
use super::results::{Outcome, Results};

/// Seeds of the short sweep, which nobody else uses.
const SHORT: Range<u64> = 70_000_000..70_000_600;
/// Seeds of the sweep of those that survive it.
const LONG: Range<u64> = SHORT.end..SHORT.end + 3_000;
/// How many the short one has.
pub const SHORT_SEEDS: u64 = SHORT.end - SHORT.start;
/// No honest run takes a tenth of it.
const HANG: &str = "10s";
/// The crate's root, where the choice is kept.
const ROOT: &str = "engine/src/lib.rs";

/// The copy of the tree, what is built of it, and what is known so far.
pub struct Workshop<'a> {
    root: PathBuf,
    tree: PathBuf,
    out: PathBuf,
    /// Where mutants are.
    files: Vec<String>,
    list: &'a List,
    results: Results,
}

impl<'a> Workshop<'a> {
    /// Makes the copy, or brings it up to date.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn open(root: &Path, list: &'a List) -> Result<Self, String> {
        let out = root.join("target/mutants");
        let mut shop = Self {
            root: root.to_owned(),
            tree: out.join("tree"),
            out,
            files: Vec::new(),
            list,
            results: Results::read(root)?,
        };
        let files = Command::new("git")
            .args(["ls-files", "-co", "--exclude-standard", "-z"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("git ls-files: {error}"))?;
        let files = String::from_utf8_lossy(&files.stdout).into_owned();
        for file in files.split_terminator('\0') {
            if let Ok(bytes) = fs::read(shop.root.join(file)) {
                shop.put(file, &bytes)?;
                if is_drawn_from(file) {
                    shop.files.push(file.to_owned());
                }
            }
        }
        Ok(shop)
    }

    /// Makes a file of the copy this; one that is that already keeps its time.
    fn put(&self, file: &str, bytes: &[u8]) -> Result<(), String> {
        let to = self.tree.join(file);
        if fs::read(&to).is_ok_and(|old| old == bytes) {
            return Ok(());
        }
        fs::create_dir_all(to.parent().unwrap_or(&to))
            .and_then(|()| fs::write(&to, bytes))
            .map_err(|error| format!("{file}: {error}"))
    }

    fn original(&self, file: &str) -> Result<String, String> {
        fs::read_to_string(self.root.join(file)).map_err(|error| format!("{file}: {error}"))
    }

    /// Judges all of these by the short sweep, or by the long one, and writes down each result.
    ///
    /// # Errors
    /// When the tree does not build or pass without a mutant, or something cannot be started or
    /// written.
    pub fn judge(&mut self, chosen: &[&Mutant], long: bool) -> Result<(), String> {
        let seeds = if long { LONG } else { SHORT };
        let number = |one: &Mutant| self.list.mutant.iter().position(|other| one.id == other.id);
        let numbered: Vec<_> = chosen
            .iter()
            .filter_map(|one| Some((number(one)? + 1, *one)))
            .collect();
        let together = self.build_together(&numbered)?;
        let honest = self.sweep("", 0, seeds.clone())?;
        if !matches!(honest, Outcome::Survived(_)) {
            return Err(format!(
                "the tree does not pass without a mutant: {honest:?}"
            ));
        }
        for (number, mutant) in numbered.iter().filter(|one| together.contains(&one.0)) {
            let outcome = self.sweep(&mutant.id, *number, seeds.clone())?;
            self.note(mutant, outcome)?;
        }
        for (_, mutant) in numbered.iter().filter(|one| !together.contains(&one.0)) {
            let text = self.original(&mutant.file)?;
            let Some(changed) = mutant.applied(&text) else {
                println!(
                    "{} is out of date: {} in {}",
                    mutant.id, mutant.name, mutant.file
                );
                continue;
            };
            self.put(&mutant.file, changed.as_bytes())?;
            let outcome = if self.errors()?.is_empty() {
                self.build()?;
                self.sweep(&mutant.id, 0, seeds.clone())?
            } else {
                Outcome::Unbuildable
            };
            self.put(&mutant.file, text.as_bytes())?;
            self.note(mutant, outcome)?;
        }
        Ok(())
    }

    fn note(&mut self, mutant: &Mutant, outcome: Outcome) -> Result<(), String> {
        println!("{} {}: {outcome:?}", mutant.id, mutant.name);
        self.results.0.insert(mutant.id.clone(), outcome);
        self.results.write(&self.root, self.list)
    }

    /// Builds all that compile together, and says which those are. The copy is as it was afterwards.
    fn build_together(&self, numbered: &[(usize, &Mutant)]) -> Result<BTreeSet<usize>, String> {
        self.put(ROOT, blended_root(&self.original(ROOT)?).as_bytes())?;
        let mut left_out = BTreeSet::new();
        let inside = loop {
            let (mut copies, mut inside) = (BTreeMap::new(), BTreeSet::new());
            for file in &self.files {
                let those = numbered.iter().copied();
                let those = those.filter(|(n, one)| one.file == *file && !left_out.contains(n));
                let blend = blend(&self.original(file)?, &those.collect::<Vec<_>>());
                self.put(file, blend.text.as_bytes())?;
                inside.extend(blend.copies.iter().map(|(_, number)| *number));
                copies.insert(file.as_str(), blend.copies);
            }
            let errors = self.errors()?;
            if errors.is_empty() {
                break inside;
            }
            let in_copy = |(file, at): &(String, usize)| {
                let copies = copies.get(file.as_str())?;
                copies
                    .iter()
                    .find(|(place, _)| place.contains(at))
                    .map(|(_, number)| *number)
            };
            let blamed: BTreeSet<_> = errors.iter().filter_map(in_copy).collect();
            if blamed.is_empty() {
                return Err(format!(
                    "no mutant is to blame that this does not compile: {errors:?}"
                ));
            }
            println!("{} mutants do not compile with the others", blamed.len());
            left_out.extend(blamed);
        };
        self.build()?;
        for file in self.files.iter().map(String::as_str).chain([ROOT]) {
            self.put(file, self.original(file)?.as_bytes())?;
        }
        Ok(inside)
    }

    fn cargo(&self, command: &str) -> Command {
        let mut cargo = Command::new("cargo");
        cargo
            .args([command, "--quiet", "--profile", "mutants", "--target-dir"])
            .arg(self.out.join("build"))
            .current_dir(&self.tree)
            // The commit of the checkout is not this tree's.
            .env("GIT_CEILING_DIRECTORIES", &self.out);
        cargo
    }

    /// The places that the compiler complains of, in bytes: files from the workspace's folder.
    fn errors(&self) -> Result<Vec<(String, usize)>, String> {
        let output = self
            .cargo("check")
            .args(["--package", "synod-engine", "--message-format", "json"])
            .stderr(Stdio::null())
            .output()
            .map_err(|error| format!("cargo check: {error}"))?;
        let mut places = Vec::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let line: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            if line["message"]["level"] == "error" {
                let spans = line["message"]["spans"].as_array();
                for span in spans.into_iter().flatten() {
                    let mut span = span;
                    while span.is_object() {
                        let file = span["file_name"].as_str().unwrap_or_default();
                        let at = span["byte_start"]
                            .as_u64()
                            .and_then(|at| at.try_into().ok());
                        places.push((file.to_owned(), at.unwrap_or_default()));
                        span = &span["expansion"]["span"];
                    }
                }
            }
        }
        if places.is_empty() && !output.status.success() {
            return Err("cargo check: it fails, and names no place".to_owned());
        }
        Ok(places)
    }

    fn build(&self) -> Result<(), String> {
        let output = self
            .cargo("build")
            .args(["--package", "synod-sim", "--bin", "synod"])
            .output()
            .map_err(|error| format!("cargo build: {error}"))?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Sweeps what was built last, with this mutant chosen in it. Seeds that it survived before
    /// count as well.
    fn sweep(&self, id: &str, number: usize, seeds: Range<u64>) -> Result<Outcome, String> {
        let passed = match self.results.0.get(id) {
            Some(Outcome::Survived(passed)) if seeds == LONG => *passed,
            _ => 0,
        };
        let output = Command::new(self.out.join("build/mutants/synod"))
            .args([
                "sweep",
                "--seeds",
                &format!("{}..{}", seeds.start, seeds.end),
            ])
            .args(["--max-fail", "1", "--jobs", "1", "--hang-after", HANG])
            .args(["--format", "json", "--no-progress", "--quiet", "--out"])
            .arg(self.out.join("sweep"))
            .env(CHOSEN, number.to_string())
            .current_dir(&self.tree)
            .stderr(Stdio::null())
            .output()
            .map_err(|error| format!("synod: {error}"))?;
        let summary: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("{id}: the sweep's summary: {error}"))?;
        let runs = summary["runs"].as_u64().unwrap_or_default() + passed;
        let check = summary["failures"][0]["check"].as_str();
        Ok(match (output.status.code(), check) {
            (Some(0), _) => Outcome::Survived(runs),
            (_, Some(check)) => Outcome::Killed(check.to_owned(), runs),
            (Some(4), None) => Outcome::Killed("vacuous".to_owned(), runs),
            (Some(5), None) => Outcome::Killed("determinism".to_owned(), runs),
            (status, None) => return Err(format!("{id}: the sweep ended with {status:?}")),
        })
    }
}
