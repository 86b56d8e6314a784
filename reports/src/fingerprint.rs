//! One name for failures that look alike: the check, the message without its particulars, and the
//! panic site. 37 failing seeds read as 2 failures.

use xxhash_rust::xxh3::xxh3_64;

/// The fingerprint of a failure, fit for a folder's name: the check and eight hexadecimal digits.
#[must_use]
pub fn fingerprint(check: &str, message: &str) -> String {
    let (text, site) = split_site(message);
    let key = format!("{check}\n{}\n{}", normalise(text), site.unwrap_or_default());
    let name: String = check
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .take(40)
        .collect();
    format!(
        "{}-{:08x}",
        if name.is_empty() { "failure" } else { &name },
        xxh3_64(key.as_bytes()) >> 32
    )
}

/// The message with what differs from seed to seed taken out: numbers and hexadecimal words become
/// `#`, quoted text `"…"`, and repeated items collapse.
#[must_use]
pub fn normalise(message: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut rest = message.chars().peekable();
    while let Some(c) = rest.next() {
        let word = if c == '"' || c == '`' {
            for inner in rest.by_ref() {
                if inner == c {
                    break;
                }
            }
            "\"…\"".to_owned()
        } else if c.is_ascii_alphanumeric() {
            let mut word = String::from(c);
            while let Some(next) = rest.next_if(char::is_ascii_alphanumeric) {
                word.push(next);
            }
            without_numbers(&word)
        } else if c.is_whitespace() {
            " ".to_owned()
        } else {
            c.to_string()
        };
        words.push(word);
        collapse(&mut words);
    }
    words.concat().trim().to_owned()
}

fn without_numbers(word: &str) -> String {
    let hexadecimal = word.len() >= 8
        && word.chars().all(|c| c.is_ascii_hexdigit())
        && word.chars().any(|c| c.is_ascii_digit());
    if hexadecimal {
        return "#".to_owned();
    }
    let mut out = String::new();
    for c in word.chars() {
        if !c.is_ascii_digit() {
            out.push(c);
        } else if !out.ends_with('#') {
            out.push('#');
        }
    }
    out
}

/// Joins `#, #` to `#` and two spaces to one, so that lists of any length and numbers with any
/// grouping look alike.
fn collapse(words: &mut Vec<String>) {
    if let [.., first, second] = words.as_slice()
        && first == " "
        && second == " "
    {
        words.pop();
    }
    for gap in [1, 2] {
        let Some(start) = words.len().checked_sub(gap + 2) else {
            return;
        };
        let window = &words[start..];
        let separated = window[1..=gap]
            .iter()
            .all(|word| matches!(word.as_str(), "," | "." | " " | ";"));
        if separated
            && window[0] == window[gap + 1]
            && (window[0].contains('#') || window[0] == "\"…\"")
        {
            words.truncate(start + 1);
            return;
        }
    }
}

/// Splits a panic's message from its place at the end, `(engine/src/x.rs:12)`.
#[must_use]
pub fn split_site(message: &str) -> (&str, Option<&str>) {
    let split = || {
        let (text, place) = message.trim_end().strip_suffix(')')?.rsplit_once(" (")?;
        let (file, line) = place.rsplit_once(':')?;
        let number = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
        (number && file.ends_with(".rs") && !file.contains(' ')).then_some((text, place))
    };
    split().map_or((message, None), |(text, place)| (text, Some(place)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn particulars_do_not_count() {
        let one = fingerprint(
            "agreement",
            "slot 12: r1 applied 0123456789abcdef, r3 applied fedcba9876543210",
        );
        let two = fingerprint(
            "agreement",
            "slot 7: r2 applied 1123456789abcdef, r1 applied aaaaba9876543210",
        );
        assert_eq!(one, two);
        assert!(
            one.starts_with("agreement-") && one.len() == "agreement-".len() + 8,
            "{one}"
        );
    }

    #[test]
    fn the_check_the_words_and_the_panic_site_count() {
        let base = fingerprint("panic", "index out of bounds (engine/src/a.rs:10)");
        assert_ne!(
            base,
            fingerprint("panic", "index out of bounds (engine/src/a.rs:11)")
        );
        assert_ne!(
            base,
            fingerprint("panic", "index in bounds (engine/src/a.rs:10)")
        );
        assert_ne!(
            base,
            fingerprint("crash", "index out of bounds (engine/src/a.rs:10)")
        );
    }

    #[test]
    fn lists_and_quotes_collapse() {
        assert_eq!(
            normalise("slots [1, 2, 33] hold \"a\", \"b\" at 1,000,000 of key `x`"),
            "slots [#] hold \"…\" at # of key \"…\""
        );
        assert_eq!(normalise("r1 and r22  wait"), "r# and r# wait");
    }

    #[test]
    fn only_a_source_place_is_a_site() {
        assert_eq!(split_site("stuck (slot:1)"), ("stuck (slot:1)", None));
        assert_eq!(
            split_site("boom (engine/src/x.rs:12)"),
            ("boom", Some("engine/src/x.rs:12"))
        );
    }

    #[test]
    fn odd_checks_make_plain_folder_names() {
        let name = fingerprint("../a b", "");
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
            "{name}"
        );
    }
}
