//! Joins the folders of all shards of a sweep into the folder that the unsharded sweep would have
//! written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use synod_reports::line::ResultLine;
use synod_reports::summary::{Cost, Summary};
use synod_reports::tally::Tally;

use crate::sweep::folder::{Folder, RunInfo, of_failure, read_info, read_results, read_summary};
use crate::sweep::roster::Roster;
use crate::sweep::shrinking::keep_first;

/// Why a merge failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// The shards do not fit each other, or cannot be read.
    #[error("{0}")]
    Input(String),
    /// The result cannot be written.
    #[error("{0}")]
    Output(String),
}

/// Joins the shards in these folders.
///
/// # Errors
/// When they are not all the shards of one sweep, or something cannot be read or written.
pub fn merge(shards: &[PathBuf], out: &Path) -> Result<(RunInfo, Summary), Error> {
    let infos: Vec<RunInfo> = shards
        .iter()
        .map(|path| read_info(path))
        .collect::<Result<_, _>>()
        .map_err(Error::Input)?;
    let whole = fit(shards, &infos).map_err(Error::Input)?;
    if let Some(same) = shards.iter().find(|path| {
        path.canonicalize()
            .ok()
            .zip(out.canonicalize().ok())
            .is_some_and(|(one, two)| one == two)
    }) {
        return Err(Error::Input(format!(
            "{} is one of the shards: write to another folder",
            same.display()
        )));
    }
    let mut lines: BTreeMap<u64, (usize, ResultLine)> = BTreeMap::new();
    let mut cost = Cost::default();
    let mut interrupted = false;
    let mut summaries = Vec::new();
    for (number, path) in shards.iter().enumerate() {
        for line in read_results(path).map_err(Error::Input)? {
            let place = Roster::of(&whole)
                .place(&line)
                .filter(|_| Roster::of(&infos[number]).place(&line).is_some())
                .ok_or_else(|| {
                    Error::Input(format!(
                        "{}: seed {} of {} is not a run of this shard",
                        path.display(),
                        line.record.seed,
                        line.record.scenario
                    ))
                })?;
            lines.insert(place, (number, line));
        }
        let summary = read_summary(path).map_err(Error::Input)?;
        // A shard without a summary came to a sudden end.
        interrupted |= summary.as_ref().is_none_or(|summary| summary.interrupted);
        if let Some(summary) = &summary {
            cost.cpu_seconds += summary.cpu_seconds;
            cost.wall_seconds = cost.wall_seconds.max(summary.wall_seconds);
            cost.add_by_scenario(&summary.cpu_seconds_by_scenario);
            cost.peak_rss_bytes = cost.peak_rss_bytes.max(summary.peak_rss_bytes);
        }
        summaries.push(summary);
    }
    write(shards, out, whole, &lines, cost, interrupted, &summaries)
}

/// The sweep that these are all the shards of.
fn fit(shards: &[PathBuf], infos: &[RunInfo]) -> Result<RunInfo, String> {
    let [first, ..] = infos else {
        return Err("there is nothing to merge".to_owned());
    };
    let whole = RunInfo {
        shard: None,
        ..first.clone()
    };
    for (path, info) in shards.iter().zip(infos) {
        if info.build != whole.build {
            return Err(format!(
                "{} is of build {}, {} of {}: digests of different builds cannot be joined",
                path.display(),
                info.build,
                shards[0].display(),
                whole.build
            ));
        }
        let (ours, theirs) = (&whole.settings.hashes, &info.settings.hashes);
        let edited = ours
            .iter()
            .find(|(name, hash)| theirs.get(*name).is_some_and(|other| other != *hash));
        if let Some((name, _)) = edited {
            return Err(format!(
                "the scenario {name} of {} is not that of {}: it was edited between them",
                shards[0].display(),
                path.display()
            ));
        }
        if (RunInfo {
            shard: None,
            ..info.clone()
        }) != whole
        {
            return Err(format!(
                "{} and {} are not of the same sweep: their run.json differ in more than the shard",
                shards[0].display(),
                path.display()
            ));
        }
    }
    let of = first.shard.map_or(1, |shard| shard.of);
    let mut seen: Vec<u64> = infos
        .iter()
        .map(|info| {
            info.shard
                .map_or(1, |shard| if shard.of == of { shard.index } else { 0 })
        })
        .collect();
    seen.sort_unstable();
    if seen == (1..=of).collect::<Vec<_>>() {
        return Ok(whole);
    }
    let missing: Vec<String> = (1..=of)
        .filter(|index| !seen.contains(index))
        .map(|index| format!("{index}/{of}"))
        .collect();
    if missing.is_empty() {
        Err("a shard is given twice, or shards of different partitions are mixed".to_owned())
    } else {
        Err(format!("shards are missing: {}", missing.join(", ")))
    }
}

fn write(
    shards: &[PathBuf],
    out: &Path,
    whole: RunInfo,
    lines: &BTreeMap<u64, (usize, ResultLine)>,
    cost: Cost,
    interrupted: bool,
    summaries: &[Option<Summary>],
) -> Result<(RunInfo, Summary), Error> {
    let failed = |error: std::io::Error| Error::Output(format!("{}: {error}", out.display()));
    let mut folder = Folder::create(out, &whole).map_err(failed)?;
    let mut tally = Tally::knowing(&whole.known);
    let mut first_shards = Vec::new();
    for (shard, line) in lines.values() {
        if tally.add(line) {
            first_shards.push(*shard);
        }
        folder.add(line).map_err(failed)?;
        if whole.max_fail.is_some_and(|most| tally.failed() >= most) {
            break;
        }
    }
    let mut summary = tally.finish(&whole.demands, cost, interrupted);
    for (failure, shard) in summary.failures.iter_mut().zip(first_shards) {
        let there = summaries[shard].as_ref().and_then(|summary| {
            summary
                .failures
                .iter()
                .find(|other| other.fingerprint == failure.fingerprint)
        });
        if let Some(repro) = there.and_then(|other| other.repro.clone()) {
            copy_folder(
                &of_failure(&shards[shard], &failure.fingerprint),
                &of_failure(out, &failure.fingerprint),
            )
            .map_err(failed)?;
            failure.repro = Some(repro);
        }
    }
    keep_first(&summary.failures, &folder).map_err(failed)?;
    folder.finish(&summary, &whole.title()).map_err(failed)?;
    Ok((whole, summary))
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::fake::{Behaviour, info, sweep_into};
    use crate::sweep::folder::SHRUNK;
    use crate::sweep::lost;
    use crate::sweep::seeds::{Seeds, Shard};
    use crate::sweep::shrinking::MOST;

    fn run(path: &Path, shard: Option<Shard>) {
        sweep_into(
            path,
            &info(&["a", "b"], Seeds { start: 3, end: 40 }, shard, None),
            Behaviour::FailEvery(9),
            Vec::new(),
        );
    }

    fn timeless(path: &Path) -> Summary {
        let summary = read_summary(path).expect("reads").expect("is there");
        Summary {
            cpu_seconds: 0.0,
            wall_seconds: 0.0,
            peak_rss_bytes: None,
            cpu_seconds_by_scenario: BTreeMap::new(),
            ..summary
        }
    }

    #[test]
    fn shards_make_the_whole_byte_for_byte() {
        let place = tempfile::tempdir().expect("a folder");
        let at = |name: &str| place.path().join(name);
        run(&at("whole"), None);
        let shards: Vec<PathBuf> = (1..=3).map(|index| at(&format!("shard{index}"))).collect();
        for (index, path) in shards.iter().enumerate() {
            run(
                path,
                Some(Shard {
                    index: index as u64 + 1,
                    of: 3,
                }),
            );
        }
        merge(
            &[shards[2].clone(), shards[0].clone(), shards[1].clone()],
            &at("merged"),
        )
        .expect("they fit");
        let summary = timeless(&at("whole"));
        assert_eq!(summary, timeless(&at("merged")));
        let repro = summary.failures[0].repro.clone().expect("was written");
        for file in ["run.json", "results.jsonl", &repro] {
            assert_eq!(
                fs::read(at("whole").join(file)).expect(file),
                fs::read(at("merged").join(file)).expect(file),
                "{file}"
            );
        }
    }

    #[test]
    fn of_what_shards_made_smaller_the_first_failures_keep_theirs() {
        let place = tempfile::tempdir().expect("a folder");
        let lost = |seed: u64| {
            let word = "x".repeat(1 + usize::try_from(seed).expect("a small one"));
            lost::line("a", seed, lost::CRASH, format!("it died of {word}"))
        };
        let most = MOST as u64;
        let shards: Vec<PathBuf> = (1..=2)
            .map(|index| {
                let path = place.path().join(index.to_string());
                let shard = Shard { index, of: 2 };
                let seeds = Seeds {
                    start: 0,
                    end: most + 1,
                };
                let known = (0..=most).filter(|seed| shard.takes(*seed)).map(lost);
                let info = info(&["a"], seeds, Some(shard), None);
                let made = sweep_into(&path, &info, Behaviour::Pass, known.collect());
                for failure in &made.summary.failures {
                    let folder = path.join("failures").join(&failure.fingerprint);
                    fs::write(folder.join(SHRUNK), "smaller").expect("writes");
                }
                path
            })
            .collect();
        let out = place.path().join("out");
        let (_, summary) = merge(&shards, &out).expect("they fit");
        let kept: Vec<bool> = summary
            .failures
            .iter()
            .map(|failure| {
                let folder = of_failure(&out, &failure.fingerprint);
                folder.join(SHRUNK).exists()
            })
            .collect();
        assert_eq!(
            kept.len(),
            MOST + 1,
            "the scenario is part of a fingerprint"
        );
        assert_eq!(kept.iter().filter(|kept| **kept).count(), MOST);
        assert!(!kept[MOST]);
    }

    #[test]
    fn shards_of_an_edited_scenario_are_refused() {
        let place = tempfile::tempdir().expect("a folder");
        let shards: Vec<PathBuf> = ["one", "two"].map(|name| place.path().join(name)).into();
        for (path, (index, hash)) in shards.iter().zip([(1, "before"), (2, "after")]) {
            let shard = Some(Shard { index, of: 2 });
            let mut info = info(&["a"], Seeds { start: 0, end: 9 }, shard, None);
            info.settings.hashes = BTreeMap::from([("a".to_owned(), hash.to_owned())]);
            sweep_into(path, &info, Behaviour::Pass, Vec::new());
        }
        let refused = merge(&shards, &place.path().join("out")).expect_err("they do not fit");
        assert!(
            matches!(&refused, Error::Input(message) if message.contains("the scenario a of")),
            "{refused}"
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let place = tempfile::tempdir().expect("a folder");
        let at = |name: &str| place.path().join(name);
        let refused = |shards: &[&str]| match merge(
            &shards.iter().map(|name| at(name)).collect::<Vec<_>>(),
            &at("out"),
        ) {
            Err(Error::Input(message)) => message,
            other => panic!("{other:?}"),
        };
        run(&at("one"), Some(Shard { index: 1, of: 3 }));
        run(&at("two"), Some(Shard { index: 2, of: 3 }));
        assert!(refused(&["one", "two"]).contains("missing: 3/3"));
        assert!(refused(&["one", "one", "two"]).contains("missing: 3/3"));
        assert!(refused(&["nowhere"]).contains("run.json"));
        let text = fs::read_to_string(at("two").join("run.json"))
            .expect("reads")
            .replace("\"end\": 40", "\"end\": 41");
        fs::write(at("two").join("run.json"), text).expect("writes");
        assert!(refused(&["one", "two"]).contains("not of the same sweep"));
    }
}
