//! The table, for people, for `xtask/docs/speed.md`, and for programs.

use serde::Serialize;
use synod_reports::figure::Figure;
use synod_reports::table::{self, rounded};

use super::goals::{self, Better, Goal, Standing};

/// What goes to standard output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum Format {
    /// A table.
    #[default]
    Human,
    /// A table for `xtask/docs/speed.md`.
    Markdown,
    /// The array of `synod bench --format json`, with floors, aims and how each figure stands to
    /// them.
    Json,
}

/// Prints the figures, and notes behind them.
pub fn print(figures: &[Figure], notes: &[String], format: Format, about: &str) {
    let heading = ["figure", "unit", "median", "min..max", "floor", "aim", ""];
    let rows: Vec<_> = figures.iter().map(row).collect();
    match format {
        Format::Json => println!(
            "{}",
            serde_json::to_string_pretty(&figures.iter().map(Line::new).collect::<Vec<_>>())
                .expect("plain data")
        ),
        Format::Human => print!("{about}\n\n{}", table::plain(&heading, &rows)),
        Format::Markdown => print!("{about}\n\n{}", table::markdown(&heading, &rows)),
    }
    for note in notes {
        match format {
            Format::Json => eprintln!("note: {note}"),
            Format::Human | Format::Markdown => println!("\nnote: {note}"),
        }
    }
}

/// A figure as JSON.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    figure: &'a Figure,
    floor: Option<f64>,
    aim: Option<f64>,
    standing: &'static str,
}

impl<'a> Line<'a> {
    fn new(figure: &'a Figure) -> Self {
        let goal = goals::of(&figure.name);
        let standing = match goal.map(|goal| goal.judge(figure.median)) {
            None => "no goal",
            Some(Standing::Missed) => "missed",
            Some(Standing::Met) => "met",
            Some(Standing::Aim) => "aim met",
        };
        Self {
            figure,
            floor: goal.map(|goal| goal.floor),
            aim: goal.map(|goal| goal.aim),
            standing,
        }
    }
}

fn row(figure: &Figure) -> Vec<String> {
    let goal = goals::of(&figure.name);
    let mark = |value: Option<f64>| value.map(rounded).unwrap_or_default();
    vec![
        figure.name.clone(),
        figure.unit.clone(),
        rounded(figure.median),
        if figure.min == figure.max {
            String::new()
        } else {
            format!("{}..{}", rounded(figure.min), rounded(figure.max))
        },
        mark(goal.map(|goal| goal.floor)),
        mark(goal.map(|goal| goal.aim)),
        goal.map(|goal| standing(goal, figure.median))
            .unwrap_or_default(),
    ]
}

fn standing(goal: &Goal, value: f64) -> String {
    let by = match goal.better {
        Better::More => 1.0 - value / goal.floor,
        Better::Less => value / goal.floor - 1.0,
    };
    match goal.judge(value) {
        Standing::Aim => "aim met".to_owned(),
        Standing::Met => "met".to_owned(),
        Standing::Missed => format!("MISSED by {:.0} %", (100.0 * by).ceil()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_how_far_off_a_figure_is() {
        let last = |name: &str, value: f64| row(&Figure::new(name, "", &[value]))[6].clone();
        assert_eq!(last("seeds of the mix", 2_400.0), "MISSED by 20 %");
        assert_eq!(last("seeds of the mix", 3_000.0), "met");
        assert_eq!(last("accounted memory of a run", 20e6), "MISSED by 25 %");
        assert_eq!(last("something else", 1.0), "");
    }

    #[test]
    fn json_has_the_fields_of_the_command_and_the_goals() {
        let figure = Figure::new("two workers against one", "times as fast", &[1.7]);
        let line = serde_json::to_value(Line::new(&figure)).expect("plain data");
        let fields: Vec<&str> = line
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            fields,
            [
                "name", "unit", "median", "min", "max", "runs", "floor", "aim", "standing"
            ]
        );
        assert_eq!(line["standing"], "missed");
    }
}
