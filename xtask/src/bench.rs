//! `bench`: the table of speed, against floors and aims.
//!
//! `work` is what is measured, frozen: seeds, sizes, fault rates. `goals` are the floors and aims.
//! How it is measured is the simulator's `sweep/bench/`, and here `histories` for recorded
//! histories, each in a child process of its own, so that the memory of one does not hide
//! another's.

use synod_reports::figure::Figure;
use synod_sim::build::COMMIT;
use synod_sim::sweep::bench::{alone, mix};
use synod_sim::sweep::pool::Place;
use synod_sim::sweep::settings::Settings;
use synod_sim::sweep::shelf;

mod goals;
pub mod histories;
pub mod pending;
mod show;
mod work;

/// What `cargo xtask bench` takes.
#[derive(clap::Args)]
pub struct Arguments {
    /// Measure each figure so many times [default: 5, and 1 with --quick]
    #[arg(long)]
    times: Option<u64>,
    /// Less of everything, in about half a minute: the table's shape, and rough figures
    #[arg(long)]
    quick: bool,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t)]
    format: show::Format,
    /// Only figures whose names hold this
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// The folder of recorded histories that have known verdicts; they are no part of the project
    #[arg(
        long,
        env = "SYNOD_HISTORIES",
        value_name = "DIR",
        default_value = "../shared/histories"
    )]
    histories: std::path::PathBuf,
}

/// Measures and prints the table.
///
/// # Errors
/// When a measurement fails. A missed floor is no error: it is said in the table.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    if cfg!(debug_assertions) {
        return Err(
            "a debug build has no speed worth measuring: use `cargo xtask bench`, which builds \
             with --release"
                .to_owned(),
        );
    }
    let times = arguments
        .times
        .unwrap_or(if arguments.quick { 1 } else { 5 })
        .max(1);
    let size = if arguments.quick {
        work::QUICK
    } else {
        work::WHOLE
    };
    let (figures, notes) = measured(arguments, times, &size)?;
    show::print(
        &figures,
        &notes,
        arguments.format,
        &format!(
            "commit {COMMIT}, {times} times{}",
            if arguments.quick {
                ", quick: rough figures"
            } else {
                ""
            }
        ),
    );
    Ok(())
}

fn measured(
    arguments: &Arguments,
    times: u64,
    size: &work::Size,
) -> Result<(Vec<Figure>, Vec<String>), String> {
    let wanted = |figure: &Figure| figure.name.contains(&arguments.only);
    let any = |names: &[&str]| names.iter().any(|name| name.contains(&arguments.only));
    let (mut figures, mut notes) = (Vec::new(), Vec::new());
    if any(&goals::ALONE) {
        figures.extend(alone::figures(times, &work::alone(size)?, &mut |what| {
            eprintln!("{what}")
        })?);
    }
    if any(&goals::MIX) {
        let selection = shelf::select(&Settings::default())?;
        eprintln!(
            "{} seeds of the mix of {} scenarios, with one worker and with two",
            size.mix.end - size.mix.start,
            selection.names.len()
        );
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut open = || Ok(Place::Children(program.clone(), vec!["worker".to_owned()]));
        let measured =
            mix::measure(times, &size.mix, &mut open, &mut || ()).map_err(|broken| broken.0)?;
        figures.extend(measured.figures);
        if size.rates_hold {
            let (figure, below) = work::rates(&measured.kinds);
            figures.push(figure);
            notes.extend(below);
        }
    }
    for history in histories::all(&arguments.histories, &mut notes) {
        if any(&history.figures()) {
            eprintln!("{}", history.name());
            figures.extend(history.measure(times)?);
        }
    }
    figures.retain(wanted);
    Ok((figures, notes))
}
