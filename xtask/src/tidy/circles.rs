//! No import circles: within a crate, files can be put in an order in which each names only those
//! before it.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;

/// The circles of all crates.
pub fn check(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for member in [
        "engine/explore/src/",
        "engine/port/src/",
        "engine/src/",
        "reports/src/",
        "sim/src/",
        "xtask/src/",
    ] {
        let files: Vec<&Source> = sources
            .iter()
            .filter(|source| source.path.starts_with(member))
            .collect();
        for circle in circles(member, &files) {
            found.push(format!("import circle: {}", circle.join(" ↔ ")));
        }
    }
    found
}

/// The strongly connected components of more than one file, by reachability: crates are small.
fn circles(member: &str, files: &[&Source]) -> Vec<Vec<String>> {
    let by_module: BTreeMap<String, usize> = files
        .iter()
        .enumerate()
        .map(|(index, file)| (module(member, &file.path), index))
        .collect();
    let edges: Vec<BTreeSet<usize>> = files
        .iter()
        .enumerate()
        .map(|(index, file)| {
            imports(member, file, &by_module)
                .into_iter()
                .filter(|to| *to != index)
                .collect()
        })
        .collect();
    let reach: Vec<BTreeSet<usize>> = (0..files.len())
        .map(|from| reachable(from, &edges))
        .collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for from in 0..files.len() {
        if seen.contains(&from) || !reach[from].contains(&from) {
            continue;
        }
        let circle: Vec<usize> = reach[from]
            .iter()
            .copied()
            .filter(|to| reach[*to].contains(&from))
            .collect();
        seen.extend(circle.iter().copied());
        found.push(
            circle
                .iter()
                .map(|index| files[*index].path.clone())
                .collect(),
        );
    }
    found
}

fn reachable(from: usize, edges: &[BTreeSet<usize>]) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<usize> = edges[from].iter().copied().collect();
    while let Some(next) = waiting.pop() {
        if reached.insert(next) {
            waiting.extend(&edges[next]);
        }
    }
    reached
}

/// `sim/src/plan/mod.rs` is `plan`, `sim/src/plan/draw.rs` is `plan::draw`, and the crate's root is
/// empty.
fn module(member: &str, path: &str) -> String {
    let inner = path.strip_prefix(member).unwrap_or(path);
    let inner = inner.strip_suffix(".rs").unwrap_or(inner);
    let inner = inner.strip_suffix("/mod").unwrap_or(inner);
    if matches!(inner, "lib" | "main" | "mod") {
        String::new()
    } else {
        inner.replace('/', "::")
    }
}

/// The files that a file names, by `crate::` and `super::` paths or as modules right below it, in
/// its code and not in its tests.
fn imports(member: &str, file: &Source, by_module: &BTreeMap<String, usize>) -> BTreeSet<usize> {
    let own = module(member, &file.path);
    let parent = own
        .rsplit_once("::")
        .map_or("", |(parent, _)| parent)
        .to_owned();
    let code: String = file
        .code()
        .map(|(_, line)| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let mut found = BTreeSet::new();
    let prefixes = [("crate::", String::new()), ("super::", parent)];
    for (word, base) in prefixes {
        for (at, _) in code.match_indices(word) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
                continue;
            }
            for path in expand(&code[at + word.len()..])
                .into_iter()
                .filter(|path| !path.is_empty())
            {
                let full = if base.is_empty() {
                    path
                } else {
                    format!("{base}::{path}")
                };
                found.extend(resolve(&full, by_module));
            }
        }
    }
    for (name, index) in children(&own, by_module) {
        let path = format!("{name}::");
        let named = code.match_indices(&path).any(|(at, _)| {
            !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$')
        });
        if named {
            found.insert(index);
        }
    }
    found
}

/// The modules right below one, by their own names.
fn children<'m>(
    own: &str,
    by_module: &'m BTreeMap<String, usize>,
) -> impl Iterator<Item = (&'m str, usize)> {
    by_module.iter().filter_map(move |(path, index)| {
        let name = if own.is_empty() {
            Some(path.as_str())
        } else {
            path.strip_prefix(own)
                .and_then(|rest| rest.strip_prefix("::"))
        };
        name.filter(|name| !name.is_empty() && !name.contains("::"))
            .map(|name| (name, *index))
    })
}

/// The longest prefix of a path that is a module.
fn resolve(path: &str, by_module: &BTreeMap<String, usize>) -> Option<usize> {
    let mut prefix = path;
    loop {
        if let Some(index) = by_module.get(prefix) {
            return Some(*index);
        }
        prefix = prefix.rsplit_once("::")?.0;
    }
}

/// The paths that a text begins with: `a::{b, c::D}; ...` gives `a::b` and `a::c::D`.
fn expand(text: &str) -> Vec<String> {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .unwrap_or(text.len());
    let (head, rest) = text.split_at(end);
    if !(head.ends_with("::") || head.is_empty()) || !rest.starts_with('{') {
        return vec![head.trim_end_matches(':').to_owned()];
    }
    let mut paths = Vec::new();
    let mut depth = 0;
    let mut start = 1;
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            ',' if depth == 1 => {
                paths.extend(
                    expand(rest[start..at].trim())
                        .into_iter()
                        .map(|tail| format!("{head}{tail}")),
                );
                start = at + 1;
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    paths.extend(
                        expand(rest[start..at].trim())
                            .into_iter()
                            .map(|tail| format!("{head}{tail}")),
                    );
                    break;
                }
            }
            _ => {}
        }
    }
    paths
        .into_iter()
        .map(|path| path.trim_end_matches(':').to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::source::tests::source;

    #[test]
    fn grouped_imports_are_spread() {
        assert_eq!(
            expand("a::{b, c::{D, E}, f::G};"),
            ["a::b", "a::c::D", "a::c::E", "a::f::G"]
        );
        assert_eq!(expand("time::Span;"), ["time::Span"]);
        assert_eq!(expand("{a, b::C};"), ["a", "b::C"]);
    }

    #[test]
    fn a_circle_is_found_and_a_ladder_is_not() {
        let ladder = [
            source("sim/src/a.rs", "use crate::b::B;"),
            source("sim/src/b.rs", "use crate::c::d::D;"),
            source("sim/src/c/d.rs", "struct D;"),
        ];
        assert_eq!(check(&ladder), Vec::<String>::new());
        let circle = [
            source("sim/src/a.rs", "use crate::b::B;"),
            source("sim/src/b.rs", "use crate::c::d::D;"),
            source("sim/src/c/d.rs", "fn x() { crate::a::y() }"),
        ];
        assert_eq!(
            check(&circle),
            ["import circle: sim/src/a.rs ↔ sim/src/b.rs ↔ sim/src/c/d.rs"]
        );
    }

    #[test]
    fn tests_and_other_crates_do_not_count() {
        let files = [
            source("sim/src/a.rs", "use crate::b::B;"),
            source(
                "sim/src/b.rs",
                "use other_crate::a::A;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n",
            ),
        ];
        assert_eq!(check(&files), Vec::<String>::new());
    }

    #[test]
    fn siblings_are_found_through_super() {
        let files = [
            source("sim/src/x/a.rs", "use super::b::B;"),
            source("sim/src/x/b.rs", "use super::a::A;"),
            source("sim/src/x/mod.rs", "pub mod a;"),
        ];
        assert_eq!(
            check(&files),
            ["import circle: sim/src/x/a.rs ↔ sim/src/x/b.rs"]
        );
    }

    #[test]
    fn a_parent_that_uses_its_child_must_not_be_used_by_it() {
        let files = |parent| {
            [
                source("sim/src/x/a.rs", "use crate::x::X;"),
                source("sim/src/x/mod.rs", parent),
            ]
        };
        assert_eq!(check(&files("pub mod a;\nstruct X;")), Vec::<String>::new());
        assert_eq!(
            check(&files("pub mod a;\nuse a::A;\nstruct X;")),
            ["import circle: sim/src/x/a.rs ↔ sim/src/x/mod.rs"]
        );
    }
}
