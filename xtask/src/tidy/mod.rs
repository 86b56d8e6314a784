//! `tidy`: the house's rules that a machine can check. Each rule says what is wrong, where, and why
//! it matters.

use std::fs;
use std::path::{Path, PathBuf};

mod circles;
mod files;
mod imports;
mod source;

use source::Source;

/// Checks everything and tells all that it finds.
///
/// # Errors
/// How many rules were broken; each was printed.
pub fn run() -> Result<(), String> {
    let root = Path::new(".");
    let sources = sources(root)?;
    let mut found = files::top_level(root)?;
    for source in &sources {
        found.extend(files::check(source));
        found.extend(imports::check(source));
    }
    found.extend(circles::check(&sources));
    found.extend(scenarios());
    for problem in &found {
        println!("{problem}");
    }
    match found.len() {
        0 => Ok(()),
        1 => Err("tidy: 1 rule is broken".to_owned()),
        several => Err(format!("tidy: {several} rules are broken")),
    }
}

/// All Rust sources of the workspace, in order.
fn sources(root: &Path) -> Result<Vec<Source>, String> {
    let mut paths = Vec::new();
    for member in ["engine", "reports", "sim", "xtask"] {
        walk(&root.join(member), &mut paths).map_err(|error| format!("{member}: {error}"))?;
    }
    paths.sort();
    let read = |path: PathBuf| {
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let path = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('\\', "/");
        Ok(Source { path, text })
    };
    paths.into_iter().map(read).collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                walk(&path, paths)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    Ok(())
}

/// Every scenario loads.
fn scenarios() -> Vec<String> {
    synod_sim::sweep::shelf::check_library()
        .err()
        .into_iter()
        .collect()
}
