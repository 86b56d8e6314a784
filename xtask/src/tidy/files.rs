//! Rules about single files and about the top level.

use std::fs;
use std::path::Path;

use super::source::Source;

/// The most lines of a file. A longer one is listed below with what keeps it together.
const LINES_MAX: usize = 700;

/// Longer files, and why each is still one idea.
const LONG: [(&str, &str); 2] = [
    ("sim/src/run/tests.rs", "cases of one function"),
    ("sim/src/scenario/words.rs", "one table"),
];

/// What the workspace's folder holds, beside dot files.
const TOP_LEVEL: [&str; 11] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "engine",
    "reports",
    "scenarios",
    "sim",
    "target",
    "xtask",
];

/// The top level holds what is agreed, and nothing more.
///
/// # Errors
/// When it cannot be read.
pub fn top_level(root: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(root).map_err(|error| format!("{}: {error}", root.display()))?;
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut strange: Vec<String> = names
        .filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()))
        .collect();
    strange.sort();
    Ok(strange
        .into_iter()
        .map(|name| {
            format!(
                "{name}: the top level holds {} and dot files only",
                TOP_LEVEL.join(", ")
            )
        })
        .collect())
}

/// A file is short, says what it is for, and unwraps nothing.
pub fn check(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let lines = source.text.lines().count();
    let long = LONG.iter().any(|(path, _)| *path == source.path);
    if lines > LINES_MAX && !long {
        found.push(format!(
            "{}: {lines} lines are more than {LINES_MAX}; is it still one idea? (exceptions: \
             xtask/src/tidy/files.rs)",
            source.path
        ));
    }
    if lines <= LINES_MAX && long {
        found.push(format!(
            "{}: it is short again; take it off the list in xtask/src/tidy/files.rs",
            source.path
        ));
    }
    if !source.text.starts_with("//! ") {
        found.push(format!(
            "{}:1: a file opens with `//!`: what it is for, what it promises, what it leaves out",
            source.path
        ));
    }
    for (number, line) in source.code() {
        if line.contains(concat!(".unw", "rap()")) && !line.trim_start().starts_with("//") {
            found.push(format!(
                "{}:{number}: say why it holds with `expect`, or handle it",
                source.path
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::source::tests::source;

    #[test]
    fn each_rule_finds_its_breach() {
        let of = |text: &str| check(&source("sim/src/a.rs", text)).len();
        assert_eq!(of("//! A file.\nfn a() {}\n"), 0);
        assert_eq!(of("fn a() {}\n"), 1);
        assert_eq!(of(&format!("//! A file.\n{}", "\n".repeat(LINES_MAX))), 1);
        let call = concat!("b.unw", "rap()");
        assert_eq!(of(&format!("//! A file.\nfn a() {{ {call}; }}\n")), 1);
        assert_eq!(
            of(&format!(
                "//! A file.\n// {call}\n#[cfg(test)]\nmod tests {{\n {call};\n}}\n"
            )),
            0
        );
    }

    #[test]
    fn a_strange_name_at_the_top_is_found() {
        let folder = std::env::temp_dir().join(format!("synod-tidy-{}", std::process::id()));
        fs::create_dir_all(folder.join("engine")).expect("writes");
        fs::create_dir_all(folder.join("notes")).expect("writes");
        let found = top_level(&folder).expect("reads");
        fs::remove_dir_all(&folder).expect("cleans up");
        assert!(
            found.len() == 1 && found[0].starts_with("notes:"),
            "{found:?}"
        );
    }
}
