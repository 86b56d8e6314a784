//! Scenarios run as tests, as another crate would have them.

synod_sim::test!(a_scenario_of_the_library, "safety/weather-3", seeds = 0..3);
synod_sim::test!(
    a_file_of_the_crate,
    "../scenarios/smoke/healthy-3.toml",
    seeds = 0..2,
    set = ["network.loss=1%"],
);

#[test]
fn a_failing_seed_shows_its_card_and_what_to_paste() {
    let settings = synod_sim::sweep::settings::Settings {
        bug: Some("accept-below-promise".to_owned()),
        ..Default::default()
    };
    let failed = std::panic::catch_unwind(|| {
        synod_sim::testing::passes(".", "safety/weather-3", 0..3, settings);
    });
    let message = failed.expect_err("seed 0 fails");
    let message = message.downcast_ref::<String>().expect("it is text");
    for part in [
        "safety/weather-3 seed 0: safety `contract`",
        "The replicas then:",
        "Reproduce with: synod replay safety/weather-3 --seed 0 --bug accept-below-promise\n",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
#[should_panic(expected = "no seed")]
fn no_seed_is_no_test() {
    synod_sim::testing::passes(".", "safety/weather-3", 3..3, Default::default());
}
