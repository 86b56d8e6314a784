//! Which coarse states a run came by: for each replica whether it is up, what it does, where its
//! ballot stands among the others', whether it lags and whom it can talk to. Who is who does not
//! matter. It is for counting, over many runs: no check looks at it.
//!
//! Left out: what is in logs and messages, clients, links that are slow or lose, disks, which two
//! replicas cannot talk, and how far a ballot is from the next.

use xxhash_rust::xxh3::xxh3_64;

use super::standings::Standings;

/// So many distinct states of a run are kept, those that came first.
const STATES_MAX: usize = 256;

/// The states of a run, as hashes of 32 bits, in the order in which they came.
#[derive(Clone, Default)]
pub(super) struct States(Vec<u32>);

impl States {
    /// The replicas stand like this now.
    pub fn see(&mut self, standings: &Standings) {
        if self.0.len() == STATES_MAX {
            return;
        }
        let (mut words, mut count) = ([0; 9], 0);
        for (place, word) in words.iter_mut().zip(standings.words()) {
            *place = word;
            count += 1;
        }
        words[..count].sort_unstable();
        let mut bytes = [0; 18];
        for (pair, word) in bytes.chunks_exact_mut(2).zip(words) {
            pair.copy_from_slice(&word.to_le_bytes());
        }
        let hash = xxh3_64(&bytes[..2 * count]) >> 32;
        let hash = u32::try_from(hash).expect("half of a word");
        if !self.0.contains(&hash) {
            self.0.push(hash);
        }
    }

    /// Those that were kept.
    pub fn hashes(&self) -> &[u32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Node;
    use crate::trace::event::{Event, Fact};

    /// The states of three replicas, to which this happens.
    fn after(happens: &[Event<'_>]) -> States {
        let (mut standings, mut states) = (Standings::new(3), States::default());
        for event in happens {
            if standings.on(event) {
                states.see(&standings);
            }
        }
        states
    }

    fn last(happens: &[Event<'_>]) -> u32 {
        *after(happens).hashes().last().expect("something happened")
    }

    fn says(node: u8, fact: &Fact) -> Event<'_> {
        let node = Node(node);
        Event::Fact { node, fact }
    }

    fn applied(slot: u64) -> Fact {
        Fact::Applied {
            slot,
            value: 0,
            state: 0,
        }
    }

    #[test]
    fn who_is_who_and_by_how_much_does_not_matter() {
        let [low, high, higher] = [(1, 0), (2, 1), (9, 2)].map(Fact::Promised);
        let [led, leads] = [Fact::Led((2, 1)), Fact::Led((9, 2))];
        assert_eq!(
            last(&[says(0, &low), says(1, &high), says(1, &led)]),
            last(&[
                says(0, &high),
                says(1, &low),
                says(2, &higher),
                says(2, &leads)
            ]),
            "a leader with the highest ballot, and two below, of which one is lower"
        );
    }

    #[test]
    fn what_a_replica_is_matters() {
        let all = Node(0);
        let (promised, campaigned, led, far) = (
            Fact::Promised((1, 0)),
            Fact::Campaigned((1, 0)),
            Fact::Led((1, 0)),
            applied(99),
        );
        let near = applied(10);
        let contacts = [[1, 1, 1], [0, 1, 1], [2, 2, 2]];
        let happens = [
            Event::Boot { node: all, boot: 1 },
            Event::Ready(all),
            says(0, &promised),
            says(0, &campaigned),
            says(0, &led),
            says(0, &near),
            says(0, &far),
            Event::Contacts(&contacts[0]),
            Event::Contacts(&contacts[1]),
            Event::Paused(all),
            Event::Killed(all),
        ];
        assert_eq!(after(&happens).hashes().len(), happens.len(), "each is new");
        let back = [Event::Resumed(all), Event::Contacts(&contacts[2])];
        let again = [&happens[..7], &happens[9..10], &back].concat();
        assert_eq!(after(&again).hashes().len(), 8, "all is as it was");
        let few = after(&[says(0, &applied(3)), says(0, &applied(4))]);
        assert!(few.hashes().is_empty(), "nobody lags by a few slots");
    }

    #[test]
    fn so_many_are_kept() {
        let mut states = States((0..256).collect());
        states.see(&Standings::new(3));
        assert_eq!(states.hashes().len(), 256);
    }
}
