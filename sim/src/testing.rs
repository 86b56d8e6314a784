//! Scenarios as tests of any crate: `cargo test` runs some seeds of one, and fails with the card of the
//! first run that does not pass.
//!
//! ```no_run
//! synod_sim::test!(stale_reads, "safety/stale-read", seeds = 0..50);
//! synod_sim::test!(my_own, "tests/my-own.toml", seeds = 0..20, set = ["network.loss=5%"]);
//! ```

use std::ops::Range;
use std::path::Path;

use crate::cli::card::card;
use crate::cli::exit;
use crate::cli::terminal::quoted;
use crate::cli::which::options_of;
use crate::subject::catalog;
use crate::subject::process::Subject;
use crate::sweep::job::{Report, execute};
use crate::sweep::settings::{Item, Keep, Settings, Target};
use crate::sweep::shelf;

/// A test of some seeds of a scenario: its name, the scenario's name in the library or its file from
/// the crate's folder on (which ends with `.toml`), and the seeds. Then, if wanted, `subject = NAME`
/// (or `subject = &MyEngine`), `bug = NAME` and `set = [KEY=VALUE, ...]`, in this order.
#[macro_export]
macro_rules! test {
    ($name:ident, $scenario:expr, seeds = $seeds:expr
     $(, subject = $subject:expr)? $(, bug = $bug:expr)? $(, set = $set:expr)? $(,)?) => {
        #[test]
        fn $name() {
            #[allow(unused_mut, reason = "some tests set nothing")]
            let mut settings = $crate::sweep::settings::Settings::default();
            $( settings.subject = Some($crate::testing::Tested::name($subject)); )?
            $( settings.bug = Some(::std::string::String::from($bug)); )?
            $( settings.set = $set.into_iter().map(::std::string::String::from).collect(); )?
            $crate::testing::passes(env!("CARGO_MANIFEST_DIR"), $scenario, $seeds, settings);
        }
    };
}

/// What a test is of: an engine, or the name of one that is built in.
pub trait Tested {
    /// Its name, under which it is known from now on.
    fn name(self) -> String;
}

impl Tested for &str {
    fn name(self) -> String {
        self.to_owned()
    }
}

impl<S: Subject> Tested for &'static S {
    fn name(self) -> String {
        if let Err(message) = catalog::register(&[self]) {
            panic!("{message}");
        }
        Subject::name(self).to_owned()
    }
}

/// These seeds of a scenario pass, under these settings. `folder` is what a file's path begins at.
///
/// # Panics
/// With the card of the first run that does not pass, and when there is no such scenario.
#[track_caller]
pub fn passes(folder: &str, scenario: &str, seeds: Range<u64>, mut settings: Settings) {
    let name = if scenario.ends_with(".toml") {
        Path::new(folder).join(scenario).display().to_string()
    } else {
        scenario.to_owned()
    };
    settings.scenarios = vec![name.clone()];
    if let Err(message) = tried(&name, seeds, &settings) {
        panic!("{message}");
    }
}

fn tried(name: &str, seeds: Range<u64>, settings: &Settings) -> Result<(), String> {
    if seeds.is_empty() {
        return Err(format!("there is no seed in {seeds:?}"));
    }
    let mut source = shelf::open(settings)?;
    let selection = shelf::select(settings)?;
    let [scenario] = &selection.names[..] else {
        return Err(format!("`{name}` is not one scenario"));
    };
    let mut run = |seed, keep| {
        let item = Item {
            number: 0,
            target: Target::Scenario(scenario.clone(), seed),
            keep,
        };
        execute(source.as_mut(), settings, &item, &mut |_| ())
    };
    for seed in seeds {
        let record = run(seed, Keep::Line)?.line.record;
        if exit::of_run(record.verdict, record.check.as_deref()) != exit::PASSED {
            return Err(story(&run(seed, Keep::Story)?, name, settings));
        }
    }
    Ok(())
}

fn story(report: &Report, name: &str, settings: &Settings) -> String {
    let record = &report.line.record;
    let again = format!(
        "synod replay {} --seed {}{}",
        quoted(name),
        record.seed,
        options_of(settings)
    );
    format!(
        "{} seed {}: {} `{}`\n  {}\n{}\nReproduce with: {again}\n",
        record.scenario,
        record.seed,
        record.verdict.name(),
        record.check.as_deref().unwrap_or_default(),
        record.message.as_deref().unwrap_or_default(),
        card(report, &again)
    )
}
