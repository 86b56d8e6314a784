//! Whatever the disk loses, what was told to be durable comes back, in order.

use proptest::prelude::*;
use synod_port::files::DiskOp;

use crate::config::Config;
use crate::ids::Incarnation;
use crate::log::fake_disk::FakeDisk;
use crate::log::store;
use crate::log::tests::host::{Host, boot, config, run, steps};
use crate::probe::Full;
use crate::recovered::Recovered;

#[test]
fn incarnations_are_counted_from_one() {
    let found = boot(store::format(&config())).expect("the files are new");
    assert_eq!(
        found,
        Recovered {
            incarnation: Incarnation(1),
            ..Recovered::default()
        }
    );
}

#[test]
fn records_that_come_together_share_a_sync() {
    let mut host = Host::new(config(), FakeDisk::with(store::format(&config())), 0, ());
    host.settle();
    (0..10).for_each(|_| host.append(8));
    let mut syncs = 0;
    while !host.idle() {
        syncs += usize::from(matches!(host.under_way.front(), Some((_, DiskOp::Sync(_)))));
        host.complete();
    }
    assert_eq!(
        (host.acked, syncs),
        (10, 2),
        "the first record alone, then the nine that waited for it"
    );
}

#[test]
fn segments_that_an_earlier_configuration_made_longer_are_read_whole() {
    let longer = Config {
        segment_bytes: 4 * config().segment_bytes,
        ..config()
    };
    let mut host = Host::new(
        longer,
        FakeDisk::with(store::format(&config())),
        0,
        Full::new(None),
    );
    host.settle();
    for _ in 0..20 {
        host.append(700);
        host.settle();
    }
    let found = boot(host.disk.image()).expect("nothing is damaged");
    assert_eq!((found.records.len(), found.records), (20, host.appended));
}

#[test]
fn one_failed_sync_and_a_kill_at_any_two_instants_cost_nothing() {
    for fail in 0..50 {
        for kill in 0..50 {
            let mut host = Host::new(
                config(),
                FakeDisk::with(store::format(&config())),
                fail * 64 + kill,
                Full::new(None),
            );
            for at in 0..fail + kill {
                host.disk.fail_sync |= at == fail;
                if at % 16 == 0 {
                    host.append(700);
                    host.promise();
                }
                host.complete();
            }
            host.restart(kill % 2 == 0);
            host.settle();
            assert!(
                host.ready,
                "failed at {fail}, killed {kill} later: {:?}",
                host.halted
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_was_durable_comes_back_in_order_whatever_the_power_takes(
        seed in any::<u64>(),
        steps in steps(false),
    ) {
        run(
            &mut Host::new(
                config(),
                FakeDisk::with(store::format(&config())),
                seed,
                Full::new(None),
            ),
            &steps,
        );
    }

    #[test]
    fn what_was_durable_comes_back_in_order_on_a_failing_disk(
        seed in any::<u64>(),
        steps in steps(true),
    ) {
        run(
            &mut Host::new(
                config(),
                FakeDisk::with(store::format(&config())),
                seed,
                Full::new(None),
            ),
            &steps,
        );
    }
}
