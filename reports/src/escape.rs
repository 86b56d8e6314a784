//! Text within XML and HTML.

/// Text as it stands in an element or an attribute, with the control characters that XML 1.0 cannot
/// hold shown as a replacement character.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_the_file() {
        assert_eq!(
            escape("a\u{0}b\u{1b}[1m\n<\"&\u{ffff}"),
            "a\u{fffd}b\u{fffd}[1m&#10;&lt;&quot;&amp;\u{fffd}"
        );
    }
}
