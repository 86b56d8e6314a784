//! Numbers and tables as people read them.

/// An integer with its thousands apart: `1,234,567`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A quantity with three significant digits: `0.00123`, `4.56`, `123`, `12,300`, `1.23 M`.
#[must_use]
pub fn rounded(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "-".to_owned()
    } else if size == 0.0 {
        "0".to_owned()
    } else if size >= 999_500.0 {
        format!("{} M", rounded(value / 1e6))
    } else if size >= 99.95 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "below a million and not negative"
        )]
        let whole = size.round() as u64;
        format!("{}{}", if value < 0.0 { "-" } else { "" }, grouped(whole))
    } else if size >= 9.995 {
        format!("{value:.1}")
    } else if size >= 0.9995 {
        format!("{value:.2}")
    } else {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small positive number of digits"
        )]
        let digits = (2.0 - size.log10().floor()).clamp(0.0, 12.0) as usize;
        format!("{value:.digits$}")
    }
}

/// Bytes: `512 B`, `3.40 MB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let value = count as f64;
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{} kB", rounded(value / 1e3)),
        1_000_000..1_000_000_000 => format!("{} MB", rounded(value / 1e6)),
        _ => format!("{} GB", rounded(value / 1e9)),
    }
}

/// Seconds, minutes, hours or days, whichever reads best.
#[must_use]
pub fn duration(seconds: f64) -> String {
    match seconds {
        days if days >= 172_800.0 => format!("{} days", rounded(days / 86_400.0)),
        hours if hours >= 7_200.0 => format!("{} h", rounded(hours / 3_600.0)),
        minutes if minutes >= 120.0 => format!("{} min", rounded(minutes / 60.0)),
        seconds => format!("{} s", rounded(seconds)),
    }
}

/// `1 run`, `2 runs`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    format!(
        "{} {noun}{}",
        grouped(number),
        if number == 1 { "" } else { "s" }
    )
}

/// Rows under a heading, columns padded to their widest cell; numbers to the right.
#[must_use]
pub fn plain(heading: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..heading.len())
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .chain([heading[column].chars().count()])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let numeric: Vec<bool> = (0..heading.len())
        .map(|column| {
            !rows.is_empty()
                && rows
                    .iter()
                    .filter_map(|row| row.get(column))
                    .all(|cell| cell.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
        })
        .collect();
    let mut out = String::new();
    let heads: Vec<String> = heading.iter().map(|&head| head.to_owned()).collect();
    for row in std::iter::once(&heads).chain(rows) {
        let mut text = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            let padded = if numeric[column] {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            };
            text.push_str(if column == 0 { "" } else { "  " });
            text.push_str(&padded);
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

/// The same as a Markdown table.
#[must_use]
pub fn markdown(heading: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &mut dyn Iterator<Item = String>| {
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let mut out = line(&mut heading.iter().map(|&head| head.to_owned()));
    out.push_str(&format!("|{}\n", "---|".repeat(heading.len())));
    for row in rows {
        out.push_str(&line(
            &mut row
                .iter()
                .map(|cell| cell.replace('|', "\\|").replace('\n', " ")),
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [
                0.0,
                0.001_497,
                0.95,
                4.567,
                45.67,
                456.7,
                45_678.9,
                1_234_567.0
            ]
            .map(rounded),
            [
                "0", "0.00150", "0.950", "4.57", "45.7", "457", "45,679", "1.23 M"
            ]
        );
        assert_eq!([5, 3_400_000].map(bytes), ["5 B", "3.40 MB"]);
        assert_eq!(
            [1.5, 150.0, 9_000.0, 400_000.0].map(duration),
            ["1.50 s", "2.50 min", "2.50 h", "4.63 days"]
        );
    }

    #[test]
    fn tables_line_up() {
        let rows = vec![
            vec!["kill".to_owned(), "12".to_owned()],
            vec!["power-loss".to_owned(), "1,234".to_owned()],
        ];
        assert_eq!(
            plain(&["fault", "times"], &rows),
            "fault       times\nkill           12\npower-loss  1,234\n"
        );
        assert_eq!(
            markdown(&["fault", "times"], &rows),
            "| fault | times |\n|---|---|\n| kill | 12 |\n| power-loss | 1,234 |\n"
        );
    }
}
