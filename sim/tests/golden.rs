//! Every build gives the digests that are committed, in debug and in release.

use synod_sim::sweep::golden::{PATH, digests};

#[test]
fn the_golden_digests_are_reproduced() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // The library in the folder is the one that was blessed.
    std::env::set_current_dir(&root).expect("the workspace is there");
    let committed = std::fs::read_to_string(PATH)
        .unwrap_or_else(|error| panic!("{PATH}: {error}; run `cargo xtask bless`"));
    let now = digests().expect("the mix passes");
    for (committed, now) in committed.lines().zip(now.lines()) {
        assert_eq!(
            committed, now,
            "a run changed; if it was meant to, run `cargo xtask bless`"
        );
    }
    assert_eq!(committed.lines().count(), now.lines().count());
}
