//! The work that is measured, frozen. Figures are of the same work only while nothing here changes;
//! whoever changes it says so beside the figures.
//!
//! All checks are on. The mix is that of `scenarios/`, which may grow: what keeps it from being
//! thinned for speed is here, the share of runs in which each fault kind must take effect.

use std::collections::BTreeMap;
use std::ops::Range;

use synod_reports::figure::Figure;
use synod_sim::glossary::names;
use synod_sim::scenario::load::parse;
use synod_sim::sweep::bench::alone::Work;
use synod_sim::time::Span;

/// What five replicas go through; its run is the one that is copied, too.
const FIVE_REPLICAS: &str = include_str!("five-replicas.toml");

/// How much of everything.
pub struct Size {
    /// Messages of the hosts that ping each other.
    pings: u64,
    /// Seeds of the five replicas.
    five: Range<u64>,
    /// Seeds of the mix, far from those that others use.
    pub mix: Range<u64>,
    /// Whether these are seeds enough to tell a rate.
    pub rates_hold: bool,
    idle_seconds: u64,
    copies: u32,
}

/// The measurement that counts.
pub const WHOLE: Size = Size {
    pings: 5_000_000,
    five: 500_000..500_060,
    mix: 500_000..500_200,
    rates_hold: true,
    idle_seconds: 4_000,
    copies: 400,
};

/// A look.
pub const QUICK: Size = Size {
    pings: 2_000_000,
    five: 500_000..500_020,
    mix: 500_000..500_060,
    rates_hold: false,
    idle_seconds: 1_000,
    copies: 100,
};

/// In how many of a hundred runs of the mix each fault kind must take effect. Jumps of the wall clock
/// do not count where nobody reads it.
const RATES: [(&str, f64); 34] = [
    ("bit-rot", 15.0),
    ("clock-drift", 15.0),
    ("clog", 25.0),
    ("corrupt", 14.0),
    ("delay", 25.0),
    ("died-at-moment", 1.0),
    ("died-in-recovery", 35.0),
    ("died-in-step", 35.0),
    ("disk-full", 6.0),
    ("disk-loss", 0.3),
    ("disk-stall", 15.0),
    ("duplicate", 14.0),
    ("hold-back", 2.5),
    ("kill", 50.0),
    ("lose", 17.0),
    ("lost-names", 12.0),
    ("lost-sectors", 25.0),
    ("misdirected-write", 0.3),
    ("network.corrupt", 14.0),
    ("network.duplicate", 17.0),
    ("network.loss", 17.0),
    ("partition", 50.0),
    ("pause", 35.0),
    ("power-loss", 50.0),
    ("read-failure", 0.5),
    ("reorder", 90.0),
    ("sector-error", 0.3),
    ("slow-cpu", 14.0),
    ("slow-disk", 10.0),
    ("slow-link", 15.0),
    ("stale-sample", 30.0),
    ("sync-failure", 20.0),
    ("torn-write", 1.0),
    ("write-failure", 10.0),
];

/// The work of one thread.
///
/// # Errors
/// When the frozen scenario cannot be read any more.
pub fn alone(size: &Size) -> Result<Work, String> {
    let scenario = parse("bench/five-replicas", FIVE_REPLICAS, &[], &names())
        .map_err(|error| error.to_string())?;
    let idle = Span::from_secs(size.idle_seconds);
    Ok(Work {
        pings: size.pings,
        scenario,
        seeds: size.five.clone(),
        idle,
        operations: 1_000,
        copies: size.copies,
    })
}

/// The name of the figure of fault rates.
pub const KINDS: &str = "fault kinds at their frozen rates";

/// How many of the fault kinds keep to their rates, and what is to be said about the others.
/// `found` has percentages of runs.
pub fn rates(found: &BTreeMap<String, f64>) -> (Figure, Vec<String>) {
    let of = |kind: &str| found.get(kind).copied().unwrap_or(0.0);
    let below = RATES.iter().filter(|(kind, least)| of(kind) < *least);
    let notes: Vec<String> = below
        .map(|(kind, least)| {
            format!(
                "{kind} took effect in {:.1} % of the runs, below its {least} %",
                of(kind)
            )
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "there are some dozens")]
    let kept = (RATES.len() - notes.len()) as f64;
    (Figure::new(KINDS, "kinds", &[kept]), notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frozen_scenario_can_be_read() {
        let work = alone(&WHOLE).expect("it can");
        let plan = synod_sim::plan::draw::draw(&work.scenario, 1);
        assert_eq!(plan.cluster.replicas, 5);
        assert!(plan.nemesis.len() > 5, "{} faults", plan.nemesis.len());
    }

    #[test]
    fn every_fault_kind_has_a_rate_and_a_lower_one_is_found() {
        use synod_sim::subject::catalog::{default_subject, find};
        use synod_sim::subject::contract::Links;
        use synod_sim::world::tally::Effect;
        // What is told is never drawn, and the mix's subject does not read the wall clock and has no
        // sessions that could end.
        let subject = find(default_subject()).expect("it is there");
        assert!(!subject.reads_wall_clock() && subject.links() == Links::Datagrams);
        let out = [Effect::Override, Effect::ClockJump, Effect::Disconnect];
        let drawn = Effect::ALL.iter().filter(|one| !out.contains(one));
        let kinds: Vec<&str> = drawn.map(|effect| effect.name()).collect();
        assert!(
            kinds
                .iter()
                .all(|kind| RATES.iter().any(|(name, _)| name == kind)),
            "a kind has no rate yet"
        );
        let mut found: BTreeMap<String, f64> = RATES
            .iter()
            .map(|(kind, least)| ((*kind).to_owned(), *least))
            .collect();
        let (all, none) = rates(&found);
        assert!(none.is_empty(), "{none:?}");
        found.insert("kill".to_owned(), 49.0);
        let (figure, notes) = rates(&found);
        assert_eq!((figure.median, notes.len()), (all.median - 1.0, 1));
    }
}
