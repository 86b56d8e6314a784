//! An explanation as a picture: a page of its own with bars over time, one row a process, and the
//! order drawn through them.
//!
//! Time runs by events and not by the clock, so that nothing is too thin to see. Long histories are
//! shown from shortly before their end.

use std::fmt::Write;

use synod_reports::escape::escape;

use crate::check::linearizability::answer::{Explanation, text};
use crate::history::recorded::{History, Outcome};
use crate::history::values::ABSENT;

/// How many operations a picture holds.
const SHOWN: usize = 80;
const STEP: usize = 30;
const ROW: usize = 44;
const LEFT: usize = 110;
const TOP: usize = 30;

/// An operation in the picture.
struct Bar {
    number: u32,
    row: usize,
    from: usize,
    to: usize,
    /// Where the next one in its row begins: up to there its name has room.
    room: usize,
}

/// The page.
#[must_use]
pub fn page(history: &History, why: &Explanation) -> String {
    let shown = shown(history, why);
    let (bars, rows, width) = layout(history, &shown, why.operation);
    let mut out = String::with_capacity(16 * 1024);
    let title = format!(
        "Not linearizable: {}",
        text::action(history, &history.operations[why.operation as usize])
    );
    _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{0}</title><style>{STYLE}</style></head><body>\\
         n<h1>{0}</h1>\n",
        escape(&title)
    );
    let key = history.keys[why.key as usize];
    if key != ABSENT {
        _ = writeln!(out, "<p>Key {}</p>", escape(&text::value(history, key, 80)));
    }
    let skipped = why.prefix.len()
        - shown
            .iter()
            .filter(|number| why.prefix.contains(number))
            .count();
    _ = writeln!(
        out,
        "<p>{} operations were called up to the return of the red one. {}Grey ones are unknown or \
         were still open. The line joins what has a place in the longest order found.</p>",
        why.prefix.len(),
        if skipped > 0 {
            format!("{skipped} earlier ones are not shown. ")
        } else {
            String::new()
        }
    );
    svg(&mut out, history, why, &bars, &rows, width);
    if let Some(found) = &why.contradiction {
        _ = writeln!(
            out,
            "<h2>Contradiction</h2>\n<pre>{}</pre>",
            escape(&text::contradiction(history, found))
        );
    }
    _ = write!(
        out,
        "<h2>In words</h2>\n<pre>{}</pre>\n{REVEAL}\n</body></html>\n",
        escape(&text::explanation(history, why))
    );
    out
}

/// The last operations of the prefix, and all that contradict each other.
fn shown(history: &History, why: &Explanation) -> Vec<u32> {
    let from = why.prefix.len().saturating_sub(SHOWN);
    let mut shown = why.prefix[from..].to_vec();
    shown.push(why.operation);
    shown.extend(
        why.contradiction
            .iter()
            .flat_map(|found| found.operations()),
    );
    shown.sort_by_key(|number| (history.operations[*number as usize].call, *number));
    shown.dedup();
    shown
}

fn layout(history: &History, shown: &[u32], last: u32) -> (Vec<Bar>, Vec<i64>, usize) {
    let end = history.operations[last as usize].ret;
    // Calls stand before returns of the same time, as in the check.
    let mut events: Vec<(u64, bool, u32)> = Vec::new();
    for number in shown {
        let operation = &history.operations[*number as usize];
        events.push((operation.call, false, *number));
        if operation.outcome != Outcome::Unknown && operation.ret <= end {
            events.push((operation.ret, true, *number));
        }
    }
    events.sort_unstable();
    let mut rows: Vec<i64> = Vec::new();
    let mut bars: Vec<Bar> = Vec::new();
    for (at, (_, is_return, number)) in events.iter().enumerate() {
        if *is_return {
            if let Some(bar) = bars.iter_mut().find(|bar| bar.number == *number) {
                bar.to = at;
            }
            continue;
        }
        let process = history
            .processes
            .get(history.operations[*number as usize].process as usize)
            .copied()
            .unwrap_or_default();
        let row = rows
            .iter()
            .position(|row| *row == process)
            .unwrap_or_else(|| {
                rows.push(process);
                rows.len() - 1
            });
        if let Some(before) = bars.iter_mut().rfind(|bar| bar.row == row) {
            before.room = at;
        }
        bars.push(Bar {
            number: *number,
            row,
            from: at,
            to: usize::MAX,
            room: usize::MAX,
        });
    }
    (bars, rows, events.len() + 1)
}

fn svg(
    out: &mut String,
    history: &History,
    why: &Explanation,
    bars: &[Bar],
    rows: &[i64],
    width: usize,
) {
    let (pixels, height) = (LEFT * 2 + width * STEP, TOP + rows.len() * ROW + 20);
    let x = |at: usize| LEFT + at.min(width) * STEP;
    let y = |row: usize| TOP + row * ROW;
    _ = writeln!(
        out,
        "<div class=\"scroll\"><svg width=\"{pixels}\" height=\"{height}\" viewBox=\"0 0 {pixels} \
         {height}\" role=\"img\">"
    );
    for (row, process) in rows.iter().enumerate() {
        // At both ends, since a wide picture is scrolled.
        for (anchor, x) in [("start", 8), ("end", pixels - 8)] {
            _ = writeln!(
                out,
                "<text x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">process {process}</text>",
                y(row) + 16
            );
        }
        _ = writeln!(
            out,
            "<line class=\"row\" x1=\"{LEFT}\" x2=\"{1}\" y1=\"{0}\" y2=\"{0}\"/>",
            y(row) + 35,
            x(width)
        );
    }
    let guilty = why
        .contradiction
        .map(|found| found.operations())
        .unwrap_or_default();
    for bar in bars {
        let operation = &history.operations[bar.number as usize];
        let class = match () {
            () if bar.number == why.operation => "stuck",
            () if bar.to == usize::MAX => "open",
            () => "done",
        };
        let guilty = if guilty.contains(&bar.number) {
            " guilty"
        } else {
            ""
        };
        let (from, to) = (x(bar.from), x(bar.to));
        _ = writeln!(
            out,
            "<g class=\"{class}{guilty}\"><title>{}</title><rect x=\"{from}\" y=\"{}\" \
             width=\"{}\" height=\"24\" rx=\"4\"/><text x=\"{}\" y=\"{}\">{}</text></g>",
            escape(&text::line(history, bar.number)),
            y(bar.row),
            (to - from).max(6),
            from + 4,
            y(bar.row) + 16,
            escape(&short(
                &text::action(history, operation),
                (x(bar.room) - from) / 7
            ))
        );
    }
    let mut points = String::new();
    let mut latest = 0;
    for number in &why.linearized {
        let Some(bar) = bars.iter().find(|bar| bar.number == *number) else {
            continue;
        };
        // In the middle of what the order leaves of its interval.
        latest = latest.max(x(bar.from) + 4);
        let point = latest.min(x(bar.to));
        // On the edge, so that it does not cross the name.
        let edge = y(bar.row) + 24;
        _ = write!(points, "{point},{edge} ");
        _ = writeln!(
            out,
            "<circle class=\"point\" cx=\"{point}\" cy=\"{edge}\" r=\"3\"/>"
        );
        latest += 2;
    }
    _ = writeln!(
        out,
        "<polyline class=\"order\" points=\"{}\"/>\n</svg></div>",
        points.trim_end()
    );
}

fn short(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.into();
    }
    let mut cut: String = text.chars().take(room.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// The red one is at the end of what may be wider than the window.
const REVEAL: &str = "<script>document.querySelector('.stuck').scrollIntoView({block:'nearest',\
                      inline:'center'})</script>";

const STYLE: &str = "\
:root{color-scheme:light \
     dark;--ink:#1c2733;--paper:#fff;--done:#cfe3f7;--open:#e3e6ea;--stuck:#f6b3ab;--guilty:#\
     c0392b;--line:#2166ac;--faint:#dde2e8}@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;\
     --paper:#12171d;--done:#27486b;--open:#353c45;--stuck:#8c2f26;--guilty:#ff8a7a;--line:#\
     7fb8ef;--faint:#2a323b}}body{font:14px/1.5 \
     system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:2em}h1{font-size:\
     20px}h2{font-size:16px}pre{white-space:pre-wrap}.scroll{overflow-x:auto}svg text{font:11px \
     ui-monospace,monospace;fill:var(--ink)}.row{stroke:var(--faint)}.done \
     rect{fill:var(--done)}.open rect{fill:var(--open);stroke:var(--ink);stroke-dasharray:3 \
     3}.stuck rect{fill:var(--stuck)}.guilty \
     rect{stroke:var(--guilty);stroke-width:2}.order{fill:none;stroke:var(--line);stroke-width:1.\
     5;opacity:.7}.point{fill:var(--line)}";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::linearizability::answer::explain;
    use crate::check::linearizability::budget::Budget;
    use crate::history::input::{Format, Model, read};

    const STALE: &str = r#"{"process": 1, "type": "invoke", "f": "write", "value": "<b>"}
{"process": 1, "type": "ok", "f": "write"}
{"process": 2, "type": "invoke", "f": "write", "value": "2"}
{"process": 2, "type": "info", "f": "write"}
{"process": 3, "type": "invoke", "f": "read"}
{"process": 3, "type": "ok", "f": "read", "value": null}
{"process": 1, "type": "invoke", "f": "read"}
{"process": 1, "type": "ok", "f": "read", "value": "2"}"#;

    #[test]
    fn a_stale_read_is_explained() {
        let history = read(STALE.as_bytes(), Format::Synod, Model::Register).expect("a history");
        let why = explain(&history, 0, Budget::default()).expect("an explanation");
        assert_eq!(
            (
                why.operation,
                &why.linearized[..],
                &why.prefix[..],
                &why.open[..]
            ),
            (2, &[0, 1][..], &[0, 1, 2][..], &[1][..])
        );
        let text = text::explanation(&history, &why);
        assert!(
            text.contains("cannot be placed: process 3: read → nil at 5..6 (lines 5 and 6)"),
            "{text}"
        );
        assert!(text.contains("contradiction: "), "{text}");
        let page = page(&history, &why);
        assert!(
            page.contains("&lt;b&gt;") && !page.contains("<b>") && page.contains("<polyline"),
            "{page}"
        );
        let mut answer = serde_json::Map::new();
        super::super::json::explain(&mut answer, &history, &why);
        assert_eq!(answer["operation"]["process"], 3);
        assert_eq!(answer["linearized"][0]["value"], "<b>");
        assert!(answer["contradiction"]["operations"].is_array());
    }
}
