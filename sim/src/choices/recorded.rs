//! An oracle that keeps what it decided, by what each decision was about: for tests of which
//! decisions move each other. It answers as [`Seeded`] does, unless a stream is planted that
//! several things share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::{Choices, Label, Matter, Seeded, Topic};

/// By matter and topic, the words that were drawn, in order.
pub(crate) type Log = BTreeMap<(Matter, Topic), Vec<u64>>;

/// The oracle of a seed, with a log that whoever made it shares.
pub(crate) struct Recorded {
    seeded: Seeded,
    /// What a label is taken for.
    planted: fn(Label) -> Label,
    matter: Option<Matter>,
    log: Arc<Mutex<Log>>,
}

impl Recorded {
    pub(crate) fn new(seed: u64, planted: fn(Label) -> Label, log: Arc<Mutex<Log>>) -> Self {
        Self {
            seeded: Seeded::new(seed),
            planted,
            matter: None,
            log,
        }
    }
}

impl Choices for Recorded {
    fn draw(&mut self, label: Label, range: u64) -> u64 {
        let word = self.seeded.word((self.planted)(label));
        let matter = self
            .matter
            .unwrap_or_else(|| panic!("{label:?} decides about nothing that was named"));
        let mut log = self.log.lock().expect("nobody panics with the log");
        log.entry((matter, label.topic)).or_default().push(word);
        u64::try_from((u128::from(word) * u128::from(range)) >> 64)
            .expect("a number below a u64 is a u64")
    }

    fn about(&mut self, matter: Matter) {
        self.matter = Some(matter);
    }

    fn fork(&self) -> Box<dyn Choices> {
        self.seeded.fork()
    }

    fn branch(&self, salt: u64) -> Box<dyn Choices> {
        self.seeded.branch(salt)
    }
}
