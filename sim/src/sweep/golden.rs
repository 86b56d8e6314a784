//! Golden digests: those of 32 seeds of the mix, committed. They change only with a change that is
//! meant to change runs.

use synod_reports::record::Verdict;

use crate::sweep::job::execute;
use crate::sweep::settings::{Item, Keep, Settings, Target};
use crate::sweep::shelf;

/// Where they are, from the workspace's folder.
pub const PATH: &str = "sim/tests/golden-digests.txt";

/// How many seeds.
pub const SEEDS: u64 = 32;

const HEADING: &str =
    "# Digests of the mix: seed, digest, scenario. Renewed by `cargo xtask bless`. Format 1.\n";

/// The file's content as this build has it.
///
/// # Errors
/// When a run cannot be made or does not pass.
pub fn digests() -> Result<String, String> {
    let settings = Settings::default();
    let mut source = shelf::open(&settings)?;
    let mut text = HEADING.to_owned();
    for seed in 0..SEEDS {
        let item = Item {
            number: seed,
            target: Target::Mix(seed),
            keep: Keep::Line,
        };
        let record = execute(source.as_mut(), &settings, &item, &mut |_| ())?
            .line
            .record;
        if !matches!(record.verdict, Verdict::Pass | Verdict::Excused) {
            return Err(format!(
                "{} seed {seed} is {}: {}",
                record.scenario,
                record.verdict.name(),
                record.message.unwrap_or_default()
            ));
        }
        text.push_str(&format!("{seed} {} {}\n", record.digest, record.scenario));
    }
    Ok(text)
}
