//! The card of a failing run: where it ended, what led there, what each replica was, and what to type
//! next. One screen.

use crate::cli::narrow::Narrow;
use crate::sweep::job::Report;
use crate::trace::tale::{Depth, Line};

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
        // Of a replica, or of everything, the wire says too much.
        .filter(|line| {
            focus.wants(line) && (focus.is_narrow() || line.depth == Depth::Story)
                || is_of_all(line)
        })
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
            "report.html, history.jsonl, tale.txt and repro.toml",
        ),
    ] {
        if !options.is_empty() {
            out.push_str(&format!("  {again}{options}    {what}\n"));
        }
    }
    out
}

/// What matters whatever a failure is about: faults that begin, end or happen, who leads and who does no
/// more, starts and ends of replicas.
fn is_of_all(line: &Line) -> bool {
    let of_replicas =
        |names: &[String]| !names.is_empty() && names.iter().all(|name| name.starts_with('r'));
    line.depth == Depth::Story
        && match line.about.kind.as_deref() {
            Some(kind) => ["begins", "ends", "happens", "leads", "steps-down"].contains(&kind),
            None => line.about.key.is_none() && of_replicas(&line.about.nodes),
        }
}

/// What a check's message is about: a slot before a key, and a key before a replica.
#[must_use]
pub fn focus(message: &str) -> Narrow {
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
    // One that halted, before others that are named.
    let halted = words.windows(3).find_map(|words| match words {
        [node, has, halted] if has == "has" && halted == "halted" => Some(node),
        _ => None,
    });
    let node = halted.or_else(|| words.iter().find(is_node));
    node.map_or_else(Narrow::default, |node| Narrow::to_node(node))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;
    use crate::trace::about::About;
    use synod_reports::line::ResultLine;
    use synod_reports::record::{RunRecord, Verdict};

    #[test]
    fn the_last_that_touch_it_are_shown_with_the_replicas_and_what_to_type() {
        let line = |number: u64| Line {
            depth: Depth::Wire,
            time: Instant(number * 1_000_000),
            number,
            about: About {
                slots: Some((number % 2, number % 2)),
                ..About::default()
            },
            state: None,
            text: format!("it was {number}"),
        };
        let mut record = RunRecord::blank("a/b", 1, Verdict::Safety);
        record.message = Some("r1 has another value in slot 1 than r2".to_owned());
        let report = Report {
            tale: (0..61).map(line).collect(),
            replicas: vec!["r1 up, boot 1".to_owned()],
            ..Report::new(0, ResultLine::new(record))
        };
        let card = card(&report, "synod replay x.toml");
        let has = |part: &str| assert!(card.contains(part), "{part}: {card}");
        has("event #60, 0.060000 s: it was 60\n");
        has("The last 20 of 30 events with --slot 1:\n  0.021000 #21 it was 21\n");
        has("  0.059000 #59 it was 59\n\nThe replicas then:\n  r1 up, boot 1\n");
        has("  synod replay x.toml --slot 1    all of that\n");
        assert_eq!(card.matches("it was").count(), 1 + LINES);
        // A fault, a leader and a death are shown whatever the failure is about; a vote elsewhere is not.
        for (kind, node, is_shown) in [
            (Some("begins"), None, true),
            (Some("leads"), Some("r2"), true),
            (None, Some("r3"), true),
            (Some("votes"), Some("r3"), false),
            (None, Some("c3"), false),
        ] {
            let mut other = line(7);
            other.depth = Depth::Story;
            other.about = About {
                kind: kind.map(str::to_owned),
                nodes: node.map(str::to_owned).into_iter().collect(),
                ..About::default()
            };
            assert_eq!(is_of_all(&other), is_shown, "{kind:?} {node:?}");
        }
        let nothing = Report::new(0, ResultLine::new(report.line.record));
        assert_eq!(super::card(&nothing, "x"), "", "nothing was recorded");
    }

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
            ("r1, r3 alone do not answer: r3 has halted", " --node r3"),
            ("the replay of the slot was read", ""),
            ("", ""),
        ] {
            assert_eq!(focus(message).options(), options, "{message}");
        }
    }
}
