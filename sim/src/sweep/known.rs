//! The file of known failures: each by its fingerprint, with a reason and the day on which it counts
//! again.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use synod_reports::known::Known;

use crate::sweep::calendar::date;

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    known: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fingerprint: String,
    reason: String,
    until: String,
}

/// The known failures of a file, and a sentence for each whose day is past: it counts again.
///
/// # Errors
/// When the file cannot be read, or an entry says nothing, or no day.
pub fn read(path: &Path) -> Result<(Vec<Known>, Vec<String>), String> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
    of(&text, &date()).map_err(|error| format!("{shown}: {error}"))
}

fn of(text: &str, today: &str) -> Result<(Vec<Known>, Vec<String>), String> {
    let file: File = toml::from_str(text).map_err(|error| {
        format!(
            "{error}write each as [[known]] with fingerprint = \"agreement-1a2b3c4d\", reason = \
             \"...\" and until = \"2030-12-31\""
        )
    })?;
    let (mut known, mut past) = (Vec::new(), Vec::new());
    for Entry {
        fingerprint,
        reason,
        until,
    } in file.known
    {
        if !is_day(&until) {
            return Err(format!(
                "until = {until:?} of {fingerprint} is no day: write \"2030-12-31\""
            ));
        }
        if reason.trim().is_empty() {
            return Err(format!("{fingerprint} has no reason"));
        }
        // Days that are written so are in the order of their text.
        if until.as_str() < today {
            past.push(format!(
                "{fingerprint} was known until {until}, and counts again: {reason}"
            ));
        } else {
            known.push(Known {
                fingerprint,
                reason,
                until,
                runs: 0,
            });
        }
    }
    Ok((known, past))
}

fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = &parts[..] else {
        return false;
    };
    let number = |part: &str, digits: usize| {
        let plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse::<u32>().ok()).flatten()
    };
    let in_range = |number: Option<u32>, most| number.is_some_and(|it| (1..=most).contains(&it));
    number(year, 4).is_some() && in_range(number(month, 2), 12) && in_range(number(day, 2), 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_known_until_its_day_is_past() {
        let text = "[[known]]\nfingerprint = \"a-1\"\nreason = \"#7\"\nuntil = \"2026-03-01\"\n";
        let on = |today| of(text, today).expect("it can be read");
        assert_eq!(on("2026-03-01").0.len(), 1);
        let (known, past) = on("2026-03-02");
        assert!(known.is_empty());
        assert_eq!(
            past,
            ["a-1 was known until 2026-03-01, and counts again: #7"]
        );
        assert_eq!(of("", "2026-01-01"), Ok((Vec::new(), Vec::new())));
    }

    #[test]
    fn a_wrong_entry_says_what_to_write() {
        let entry = |reason: &str, until: &str| {
            let text =
                format!("[[known]]\nfingerprint = \"a\"\nreason = {reason:?}\nuntil = {until:?}\n");
            of(&text, "2026-01-01").expect_err("it is wrong")
        };
        for until in [
            "tomorrow",
            "2026-1-1",
            "2026-13-01",
            "2026-01-00",
            "26-01-01",
        ] {
            assert!(entry("x", until).contains("is no day"), "{until}");
        }
        assert_eq!(entry(" ", "2026-02-02"), "a has no reason");
        let unknown = of("[[known]]\nfingerprnt = \"a\"\n", "2026-01-01");
        assert!(unknown.is_err_and(|message| message.contains("[[known]] with fingerprint")));
    }
}
