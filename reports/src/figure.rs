//! Figures of speed.

use serde::{Deserialize, Serialize};

use crate::table::{self, rounded};

/// One figure, measured several times.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// What.
    pub name: String,
    /// In which unit.
    pub unit: String,
    /// The middle measurement.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// How many measurements.
    pub runs: u64,
}

impl Figure {
    /// A figure of these measurements; 0 throughout when there are none.
    #[must_use]
    pub fn new(name: &str, unit: &str, samples: &[f64]) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |place: usize| sorted.get(place).copied().unwrap_or(0.0);
        let last = sorted.len().saturating_sub(1);
        Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
            median: f64::midpoint(at(last / 2), at(sorted.len() / 2)),
            min: at(0),
            max: at(last),
            runs: samples.len() as u64,
        }
    }
}

/// The figures as a table.
#[must_use]
pub fn text(figures: &[Figure]) -> String {
    let rows: Vec<_> = figures
        .iter()
        .map(|figure| {
            vec![
                figure.name.clone(),
                rounded(figure.median),
                rounded(figure.min),
                rounded(figure.max),
                figure.runs.to_string(),
                figure.unit.clone(),
            ]
        })
        .collect();
    table::plain(&["figure", "median", "min", "max", "runs", "unit"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(Figure::new("a", "s", &[3.0, 1.0, 2.0]).median, 2.0);
        assert_eq!(Figure::new("a", "s", &[4.0, 1.0, 2.0, 3.0]).median, 2.5);
        assert_eq!(
            Figure::new("a", "s", &[]),
            Figure {
                name: "a".into(),
                unit: "s".into(),
                median: 0.0,
                min: 0.0,
                max: 0.0,
                runs: 0
            }
        );
        assert_eq!(
            text(&[Figure::new("speed", "seeds", &[5.0])]),
            "figure  median   min   max  runs  unit\nspeed     5.00  5.00  5.00     1  seeds\n"
        );
    }
}
