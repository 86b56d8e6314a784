//! The page as one HTML file: markup, style and script are fixed, and what the page knows stands
//! beside them as JSON that only the script reads.
//!
//! Nothing of a history can become markup or script. In the JSON no `<` is left, so that nothing ends
//! its element; the script puts texts where they belong as text; and the policy at the head lets no
//! other script run than the one that carries the page's number, and nothing be loaded or sent.

use xxhash_rust::xxh3::xxh3_128;

use crate::escape::escape;
use crate::page::model::Page;

/// No page is larger.
pub const BYTES_MAX: usize = 3_000_000;

const MARKUP: &str = include_str!("app/page.html");
const STYLE: &str = include_str!("app/page.css");
const SCRIPT: [&str; 9] = [
    include_str!("app/dom.js"),
    include_str!("app/data.js"),
    include_str!("app/view.js"),
    include_str!("app/causes.js"),
    include_str!("app/strip.js"),
    include_str!("app/diagram.js"),
    include_str!("app/clients.js"),
    include_str!("app/panels.js"),
    include_str!("app/main.js"),
];

/// The page, in fewer than [`BYTES_MAX`] bytes.
#[must_use]
pub fn html(page: &Page) -> String {
    let script = format!("\"use strict\";\n(() => {{\n{}}})();\n", SCRIPT.concat());
    // A fifth may be `<` and the like, which take six bytes each; where it is more, once again.
    let room = BYTES_MAX - MARKUP.len() - STYLE.len() - script.len() - 10_000;
    let mut within = room;
    let data = loop {
        let data = as_data(&page.json_within(within));
        if data.len() <= room {
            break data;
        }
        within /= 2;
    };
    let number = format!("{:032x}", xxh3_128(data.as_bytes()));
    let mut title = format!("{}: {}", page.title, page.verdict);
    crate::page::narrow::clip(&mut title, 200);
    MARKUP
        .split("{{")
        .enumerate()
        .fold(String::new(), |mut out, (at, part)| {
            let (name, rest) = match part.split_once("}}") {
                Some(both) if at > 0 => both,
                _ => ("", part),
            };
            match name {
                "number" => out.push_str(&number),
                "title" => out.push_str(&escape(&title)),
                "style" => out.push_str(STYLE),
                "data" => out.push_str(&data),
                "script" => out.push_str(&script),
                _ => {}
            }
            out.push_str(rest);
            out
        })
}

/// JSON as it may stand in a script element: the same JSON, and nothing in it that HTML, or an old
/// JavaScript, would take for the end of something.
fn as_data(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 16);
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::model::{At, Happening, Operation};

    const EVIL: &str = "</script><script>alert(1)</script><!--\u{2028}\u{202e}]]>{{script}}&amp;";

    #[test]
    fn what_a_history_says_is_data_and_comes_back_whole() {
        let page = Page {
            title: EVIL.to_owned(),
            message: Some(EVIL.to_owned()),
            operations: vec![Operation {
                key: Some(EVIL.to_owned()),
                text: EVIL.to_owned(),
                ..Operation::default()
            }],
            ..Page::default()
        };
        let html = html(&page);
        assert_eq!(
            html.matches("<script").count(),
            2,
            "the data and the script"
        );
        assert!(!html.contains("alert(1)</script>"));
        let (_, data) = html.split_once("application/json\">").expect("the data");
        let (data, _) = data.split_once("</script>").expect("its end");
        assert!(!data.contains(['<', '>', '&', '\u{2028}']));
        let back: Page = serde_json::from_str(data).expect("JSON");
        assert_eq!(back, page);
    }

    #[test]
    fn no_page_is_larger_than_its_bound() {
        let happenings = (0..60_000)
            .map(|number| Happening {
                at: At {
                    number,
                    time: number,
                },
                text: "<".repeat(100),
                ..Happening::default()
            })
            .collect();
        let page = Page {
            happenings,
            ..Page::default()
        };
        let bytes = html(&page).len();
        assert!((BYTES_MAX / 4..BYTES_MAX).contains(&bytes), "{bytes}");
    }

    #[test]
    fn the_policy_allows_no_network_and_no_other_script() {
        let html = html(&Page::default());
        let policy = html
            .split_once("Content-Security-Policy\" content=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(policy, _)| policy)
            .expect("a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'nonce-"));
        assert!(!policy.contains("unsafe") && !policy.contains("http"));
        for unsafe_word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "eval(",
            "fetch(",
        ] {
            assert!(!SCRIPT.concat().contains(unsafe_word), "{unsafe_word}");
        }
    }
}
