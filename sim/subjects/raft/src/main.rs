//! TiKV's `raft` under Synod: the simulator's whole command. `cargo run --release -- sweep`.

mod bugs;
mod messages;
mod replica;
mod running;
mod store;
mod subject;

fn main() -> std::process::ExitCode {
    synod_sim::cli::main_with(&[&subject::Raft])
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use synod_sim::sweep::settings::Settings;
    use synod_sim::testing::{Tested, passes};

    use crate::bugs::*;
    use crate::subject::Raft;

    synod_sim::test!(healthy, "smoke/healthy-5", seeds = 0..5, subject = &Raft);
    synod_sim::test!(weather, "safety/weather-3", seeds = 0..20, subject = &Raft);
    synod_sim::test!(
        power_loss,
        "storage/power-loss-everywhere",
        seeds = 0..10,
        subject = &Raft
    );

    /// A run of these fails.
    fn with(bug: &str, scenario: &str, seeds: Range<u64>) {
        let settings = Settings {
            subject: Some(Tested::name(&Raft)),
            bug: Some(bug.to_owned()),
            ..Settings::default()
        };
        passes(env!("CARGO_MANIFEST_DIR"), scenario, seeds, settings);
    }

    #[test]
    #[should_panic(expected = ": safety `last-quorum-audit`")]
    fn messages_before_sync_is_found() {
        with(MESSAGES_BEFORE_SYNC.name, "safety/weather-3", 0..5);
    }

    #[test]
    #[should_panic(expected = ": safety `")]
    fn applies_twice_is_found() {
        with(APPLIES_TWICE.name, "safety/weather-3", 0..10);
    }

    #[test]
    #[should_panic(expected = ": safety `log-order`")]
    fn read_without_index_is_found() {
        with(READ_WITHOUT_INDEX.name, "safety/weather-3", 0..5);
    }

    #[test]
    #[should_panic(expected = ": expectation `")]
    fn lease_reads_is_found() {
        with(LEASE_READS.name, "safety/stale-read", 0..10);
    }

    #[test]
    #[should_panic(expected = "Store(Compacted)")]
    fn ticks_while_saving_is_found() {
        let scenario = "regressions/campaign-during-snapshot.toml";
        with(TICKS_WHILE_SAVING.name, scenario, 0..20);
    }

    synod_sim::test!(
        no_ticks_while_saving,
        "regressions/campaign-during-snapshot.toml",
        seeds = 0..20,
        subject = &Raft
    );
}
