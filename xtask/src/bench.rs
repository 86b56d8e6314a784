//! The table of speed. The work, the fault rates and the checks are fixed: the seeds are in `synod_sim::sweep::bench`, the rates in `scenarios/`, and
//! every check is on.

use synod_reports::figure::Figure;
use synod_reports::table::{self, rounded};
use synod_sim::build::COMMIT;
use synod_sim::sweep::bench::mix::{FIRST_SEED, SEEDS, figures};
use synod_sim::sweep::pool::Place;
use synod_sim::sweep::settings::Settings;
use synod_sim::sweep::shelf;

/// A figure's name, its floor and its aim. Where less is better, the floor is above the aim.
const GOALS: [(&str, f64, f64); 5] = [
    ("seeds of the mix", 3_000.0, 6_000.0),
    ("messages of the mix", 700_000.0, 1_500_000.0),
    ("messages of a run, median", 10_000.0, 10_000.0),
    ("accounted memory of a run, median", 16e6, 4e6),
    ("two workers against one", 1.8, 1.95),
];

/// Measures and prints the table.
///
/// # Errors
/// When a measurement fails. A missed floor is no error: it is said in the table.
pub fn run(times: u64, markdown: bool) -> Result<(), String> {
    if cfg!(debug_assertions) {
        return Err("a debug build has no speed worth measuring: use `cargo xtask bench`, which builds with --release".to_owned());
    }
    let found = whole_runs(times.max(1))?;
    let rows: Vec<_> = found.iter().map(row).collect();
    let heading = ["figure", "unit", "median", "min..max", "floor", "aim", ""];
    println!("{SEEDS} seeds of the mix from {FIRST_SEED} on, all checks, {times} times, commit {COMMIT}\n");
    print!("{}", if markdown { table::markdown(&heading, &rows) } else { table::plain(&heading, &rows) });
    Ok(())
}

/// Figures over whole runs, made by this program's neighbour `synod`.
fn whole_runs(times: u64) -> Result<Vec<Figure>, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?.with_file_name(format!("synod{}", std::env::consts::EXE_SUFFIX));
    if !program.is_file() {
        let built = std::process::Command::new("cargo").args(["build", "--quiet", "--release", "--package", "synod-sim"]).status();
        if !built.is_ok_and(|status| status.success()) {
            return Err("the synod command cannot be built: try `cargo build --release`".to_owned());
        }
    }
    shelf::select(&Settings::default())?;
    let mut open = || Ok(Place::Children(program.clone(), vec!["worker".to_owned()]));
    figures(times, SEEDS, &mut open, &mut || ()).map_err(|broken| broken.0)
}

fn row(figure: &Figure) -> Vec<String> {
    let goal = GOALS.iter().find(|goal| goal.0 == figure.name);
    let verdict = match goal {
        None => "",
        Some((_, floor, aim)) => {
            let reaches = |mark: f64| if floor > aim { figure.median <= mark } else { figure.median >= mark };
            if reaches(*aim) {
                "aim reached"
            } else if reaches(*floor) {
                "above the floor"
            } else {
                "BELOW THE FLOOR"
            }
        }
    };
    let mark = |value: Option<f64>| value.map(rounded).unwrap_or_default();
    vec![
        figure.name.clone(),
        figure.unit.clone(),
        rounded(figure.median),
        format!("{}..{}", rounded(figure.min), rounded(figure.max)),
        mark(goal.map(|goal| goal.1)),
        mark(goal.map(|goal| goal.2)),
        verdict.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors_and_aims_are_judged_either_way_round() {
        let verdict = |name: &str, value: f64| row(&Figure::new(name, "", &[value]))[6].clone();
        assert_eq!(verdict("seeds of the mix", 2_999.0), "BELOW THE FLOOR");
        assert_eq!(verdict("seeds of the mix", 3_000.0), "above the floor");
        assert_eq!(verdict("accounted memory of a run, median", 17e6), "BELOW THE FLOOR");
        assert_eq!(verdict("accounted memory of a run, median", 3e6), "aim reached");
        assert_eq!(verdict("something else", 1.0), "");
    }
}
