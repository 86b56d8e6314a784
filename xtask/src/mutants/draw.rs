//! Draws the sample out of what cargo-mutants lists.
//!
//! Each mutant has a hash of the seed and of what it changes; the lowest make the sample. So code that
//! moves changes nothing in it, and a sample that is drawn again keeps those that are still there.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::entry::{LIST, List, Mutant};
use super::scan::{beside_the_point, covers};

/// How many are drawn.
const SAMPLE: usize = 200;
/// The seed of the sample.
const SEED: u64 = 20_250_101;
/// Where mutants are drawn from.
const PLACES: [&str; 4] = [
    "engine/src/roles/",
    "engine/src/replica/",
    "engine/src/outbox.rs",
    "engine/src/log/",
];
/// Functions that serve facts, digests, sums of memory, contracts, tests or planted bugs alone, and
/// are asked for in other files.
const ASIDE: [&str; 13] = [
    "Desk::drain",
    "Desk::is_empty",
    "Elector::hears_quorum",
    "Elector::is_fresh",
    "Executor<M>::digest",
    "Executor<M>::is_salted",
    "Executor<M>::knows",
    "Outbox::is_empty",
    "Outbox::is_untouched",
    "Outbox::len",
    "Replica<M, P>::leads_at_its_promise",
    "Replica<M, P>::stand",
    "Session::digest",
];

/// A mutant, as cargo-mutants tells it.
#[derive(Deserialize)]
struct Listed {
    file: String,
    name: String,
    genre: String,
    replacement: String,
    function: Option<Function>,
    span: Span,
}

#[derive(Deserialize)]
struct Function {
    function_name: String,
}

#[derive(Deserialize)]
struct Span {
    start: Point,
    end: Point,
}

/// Lines and columns count from 1.
#[derive(Deserialize)]
struct Point {
    line: usize,
    column: usize,
}

/// Whether mutants of this file are drawn.
pub fn is_drawn_from(file: &str) -> bool {
    file.ends_with(".rs") && PLACES.iter().any(|place| file.starts_with(place))
}

/// Draws the sample and writes the list.
///
/// # Errors
/// When cargo-mutants is not there, or its list cannot be read.
pub fn draw(root: &Path) -> Result<(), String> {
    let listed: Vec<Listed> = serde_json::from_slice(&listed()?)
        .map_err(|error| format!("what cargo-mutants lists: {error}"))?;
    let mut texts: BTreeMap<String, (String, Vec<Range<usize>>)> = BTreeMap::new();
    let (mut found, mut spared) = (Vec::new(), 0);
    for one in &listed {
        if !is_drawn_from(&one.file) {
            continue;
        }
        if !texts.contains_key(&one.file) {
            let text = fs::read_to_string(root.join(&one.file))
                .map_err(|error| format!("{}: {error}", one.file))?;
            let spans = beside_the_point(&text);
            texts.insert(one.file.clone(), (text, spans));
        }
        let (text, spans) = &texts[&one.file];
        let span = offset(text, &one.span.start)..offset(text, &one.span.end);
        let function = one
            .function
            .as_ref()
            .map_or("", |f| f.function_name.as_str());
        let aside = ASIDE.contains(&function) || function.ends_with("::accounted_bytes");
        if aside || covers(spans, &span) {
            spared += 1;
        } else {
            found.extend(entry(one, text, span));
        }
    }
    found.sort_by(|one, two| one.id.cmp(&two.id));
    let drawn = format!(
        "{SAMPLE} of {} mutants of {}, seed {SEED}; {spared} more change what is there for planted \
         bugs and observers alone",
        found.len(),
        PLACES.join(", ")
    );
    found.truncate(SAMPLE);
    println!("{drawn}");
    let list = List {
        drawn,
        mutant: found,
    };
    let text = toml::to_string_pretty(&list).map_err(|error| error.to_string())?;
    fs::write(root.join(LIST), text).map_err(|error| format!("{LIST}: {error}"))
}

fn listed() -> Result<Vec<u8>, String> {
    let output = Command::new("cargo")
        .args(["mutants", "--list", "--json", "--package", "synod-engine"])
        .output()
        .map_err(|error| format!("cargo mutants: {error}"))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!(
            "`cargo install cargo-mutants` first? {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ))
    }
}

/// The place in bytes.
fn offset(text: &str, point: &Point) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(point.line - 1)
        .map(str::len)
        .sum();
    let line = &text[start..];
    start
        + line
            .char_indices()
            .nth(point.column - 1)
            .map_or(line.len(), |(at, _)| at)
}

/// The entry; none when nothing that the file has once tells where it is.
fn entry(one: &Listed, text: &str, span: Range<usize>) -> Option<Mutant> {
    let body = one.genre == "FnValue";
    let (mut start, end, after) = if body {
        let open = text[..span.start].rfind('{')?;
        (
            line_of(text, open),
            open + 1,
            format!(" {} ", one.replacement),
        )
    } else {
        let end = span.end + text[span.end..].find('\n').unwrap_or(0);
        (line_of(text, span.start), end, String::new())
    };
    let first = start;
    while text.matches(&text[start..end]).count() > 1 || (body && !text[start..end].contains("fn "))
    {
        start = line_of(text, start.checked_sub(1)?);
    }
    let after = if body {
        after
    } else {
        let (head, tail) = (&text[start..span.start], &text[span.end..end]);
        debug_assert!(start <= first);
        format!("{head}{}{tail}", one.replacement)
    };
    let before = text[start..end].to_owned();
    let key = format!("{}\n{before}\n{after}", one.file);
    Some(Mutant {
        id: format!("{:016x}", xxh3_64_with_seed(key.as_bytes(), SEED))[..8].to_owned(),
        file: one.file.clone(),
        name: one.name.splitn(4, ':').last()?.trim().to_owned(),
        before,
        after,
        body,
    })
}

/// Where the line begins that this is in.
fn line_of(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}
