//! Folders of earlier sweeps, of which only the latest are kept. A folder goes only if Synod named it
//! itself, there is a `run.json` in it, `latest` does not point to it, and nobody writes in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::sweep::calendar::is_run_id;
use crate::sweep::folder::{RUN, hold};

/// Removes the oldest folders of sweeps below this one, so that `keep` are left, and says which. One
/// that cannot be removed stays.
#[must_use]
pub fn prune(runs: &Path, keep: usize) -> Vec<PathBuf> {
    if keep == 0 {
        return Vec::new();
    }
    let mut old = named_by_us(runs).unwrap_or_default();
    // The moment is what a name begins with.
    old.sort_unstable();
    let latest = fs::read_link(runs.join("latest")).unwrap_or_default();
    old.truncate(old.len().saturating_sub(keep));
    old.retain(|folder| folder.file_name() != latest.file_name());
    old.retain(|folder| {
        // Held for as long as it is being removed; where that cannot be, a sweep may write there.
        let Ok(Some(_held)) = hold(folder) else {
            return false;
        };
        remove(folder).is_ok()
    });
    old
}

fn named_by_us(runs: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(runs)? {
        let entry = entry?;
        // A link is no folder of ours, wherever it leads.
        let is_ours = entry.file_type()?.is_dir()
            && entry.file_name().to_str().is_some_and(is_run_id)
            && entry.path().join(RUN).is_file();
        if is_ours {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// What tells that the folder is ours goes last: after a sudden end the rest is removed another time.
fn remove(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if entry.file_name() != RUN {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_file(folder.join(RUN))?;
    fs::remove_dir(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::sweep::fake::{Behaviour, info, sweep_into};
    use crate::sweep::folder::{Folder, link_latest};
    use crate::sweep::seeds::Seeds;

    /// Folders of sweeps from the first day of a month on, the last of them the latest.
    fn swept(runs: &Path, days: u32) -> Vec<PathBuf> {
        let info = info(&["a"], Seeds { start: 0, end: 3 }, None, None);
        let path = |day| runs.join(format!("202601{day:02}-120000-{}", 100 - day));
        let all: Vec<PathBuf> = (1..=days).map(path).collect();
        for path in &all {
            sweep_into(path, &info, Behaviour::FailEvery(2), Vec::new());
            link_latest(path);
        }
        all
    }

    fn left(all: &[PathBuf]) -> Vec<usize> {
        (0..all.len())
            .filter(|place| all[*place].exists())
            .collect()
    }

    #[test]
    fn the_oldest_go_and_what_is_not_ours_stays() {
        let place = tempfile::tempdir().expect("a folder");
        let runs = place.path();
        let all = swept(runs, 6);
        assert_eq!(prune(runs, 0), [""; 0].map(PathBuf::from), "all are kept");
        assert_eq!(prune(runs, 6), [""; 0].map(PathBuf::from));
        // A name of one's own, a folder of somebody else's, and a link.
        fs::rename(&all[0], runs.join("precious")).expect("it can be renamed");
        fs::remove_file(all[1].join(RUN)).expect("it is there");
        let elsewhere = place.path().join("elsewhere");
        fs::rename(&all[2], &elsewhere).expect("it can be renamed");
        std::os::unix::fs::symlink(&elsewhere, &all[2]).expect("a link");
        assert_eq!(prune(runs, 1), [all[3].clone(), all[4].clone()]);
        assert_eq!(left(&all), [1, 2, 5]);
        assert!(runs.join("precious").join(RUN).exists() && elsewhere.join(RUN).exists());
    }

    #[test]
    fn the_latest_stays_whatever_its_name() {
        let place = tempfile::tempdir().expect("a folder");
        let all = swept(place.path(), 4);
        link_latest(&all[1]);
        assert_eq!(prune(place.path(), 1), [all[0].clone(), all[2].clone()]);
        assert_eq!(left(&all), [1, 3]);
    }

    #[test]
    fn what_another_sweep_writes_in_stays() {
        let place = tempfile::tempdir().expect("a folder");
        let all = swept(place.path(), 4);
        let goes_on = Folder::resume(&all[0], &[]).expect("it can be gone on with");
        assert_eq!(prune(place.path(), 2), [all[1].clone()]);
        drop(goes_on);
        assert_eq!(prune(place.path(), 2), [all[0].clone()]);
        assert_eq!(left(&all), [2, 3]);
    }
}
