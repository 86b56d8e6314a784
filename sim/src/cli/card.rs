//! The card of a failing run: where it ended, what led there, what each replica was, and what to type
//! next. One screen.

use crate::cli::narrow::Narrow;
use crate::sweep::job::Report;
use crate::trace::tale::Line;

/// So many lines of what led there.
const LINES: usize = 20;

/// The card. `again` is the command that replays this run.
#[must_use]
pub fn card(report: &Report, again: &str) -> String {
    let mut out = String::new();
    let Some(last) = report.tale.last() else {
        return out;
    };
    out.push_str(&format!(
        "  at       event #{}, {} s: {}\n",
        last.number, last.time, last.text
    ));
    let message = report.line.record.message.as_deref().unwrap_or_default();
    let focus = focus(message);
    let touching: Vec<&Line> = report
        .tale
        .iter()
        .filter(|line| focus.wants(line))
        .collect();
    let asked = focus.options();
    let what = if asked.is_empty() {
        " in all".to_owned()
    } else {
        format!(" with{asked}")
    };
    out.push_str(&format!(
        "\nThe last {} of {} events{what}:\n",
        touching.len().min(LINES),
        touching.len()
    ));
    for line in &touching[touching.len().saturating_sub(LINES)..] {
        out.push_str(&format!("  {line}\n"));
    }
    if !report.replicas.is_empty() {
        out.push_str("\nThe replicas then:\n");
    }
    for replica in &report.replicas {
        out.push_str(&format!("  {replica}\n"));
    }
    out.push_str("\nA number after # is a `time` of the history. Next:\n");
    for (options, what) in [
        (focus.options(), "all of that"),
        (" -v".to_owned(), "the whole story; -vv with every message"),
        (
            format!(" --from '#{}'", last.number.saturating_sub(200)),
            "all of the last 200 events",
        ),
        (
            " --out DIR".to_owned(),
            "history.jsonl, tale.txt and repro.toml",
        ),
    ] {
        if !options.is_empty() {
            out.push_str(&format!("  {again}{options}    {what}\n"));
        }
    }
    out
}

/// What a check's message is about: a slot before a key, and a key before a replica.
fn focus(message: &str) -> Narrow {
    let bare = |word: &str| {
        let is_edge = |it: char| !it.is_ascii_alphanumeric();
        word.trim_matches(is_edge).to_owned()
    };
    let words: Vec<String> = message.split_whitespace().map(bare).collect();
    let after = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1)
    };
    if let Some(slot) = after("slot").and_then(|slot| slot.parse().ok()) {
        return Narrow::to_slot(slot);
    }
    if let Some(key) = after("key") {
        return Narrow::to_key(key);
    }
    let is_node = |word: &&String| {
        word.strip_prefix('r')
            .is_some_and(|number| number.parse::<u8>().is_ok())
    };
    let node = words.iter().find(is_node);
    node.map_or_else(Narrow::default, |node| Narrow::to_node(node))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_to_look_at() {
        for (message, options) in [
            ("r4 has another value in slot 92 than r5", " --slot 92"),
            (
                "a second vote in slot 62, not above the first (a.rs:135)",
                " --slot 62",
            ),
            (
                "key k3: no order explains what its clients saw",
                " --key k3",
            ),
            ("r2 halted because of its disk", " --node r2"),
            ("the replay of the slot was read", ""),
            ("", ""),
        ] {
            assert_eq!(focus(message).options(), options, "{message}");
        }
    }
}
