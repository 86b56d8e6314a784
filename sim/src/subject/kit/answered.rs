//! Exactly-once: what was answered to whom. A client numbers its requests from 0, sends each until it
//! has an answer, and says with each below which number it has all answers.

use std::collections::BTreeMap;

use crate::history::operation::Return;
use crate::subject::kit::dialect::{read_return, write_return};
use crate::subject::kit::frame::{Packed, pack, unpack};

/// What is known of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Before {
    /// It was never done.
    New,
    /// It was done, with this result.
    Done(Return),
    /// Its client has its answer: it is a late copy, which is neither done nor answered.
    Past,
}

/// The results that may be asked for again, by client or session. A part of the replicated state: a
/// replica that forgets it does a retried command twice.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answered {
    by: BTreeMap<u64, Of>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Of {
    floor: u64,
    results: BTreeMap<u64, Return>,
}

impl Answered {
    /// What is known of request `sequence` of `who`, which says that it has all answers below
    /// `answered_below`.
    pub fn before(&mut self, who: u64, sequence: u64, answered_below: u64) -> Before {
        let of = self.by.entry(who).or_default();
        of.floor = of.floor.max(answered_below);
        of.results = of.results.split_off(&of.floor);
        match of.results.get(&sequence) {
            Some(result) => Before::Done(result.clone()),
            None if sequence < of.floor => Before::Past,
            None => Before::New,
        }
    }

    /// It was done now.
    pub fn done(&mut self, who: u64, sequence: u64, result: Return) {
        let of = self.by.entry(who).or_default();
        of.results.insert(sequence, result);
    }

    /// Appends all of it, for a snapshot.
    pub fn write(&self, into: &mut Vec<u8>) {
        pack(&[self.by.len() as u64], &[], into);
        for (who, of) in &self.by {
            pack(&[*who, of.floor, of.results.len() as u64], &[], into);
            for (sequence, result) in &of.results {
                let mut bytes = Vec::new();
                write_return(result, &mut bytes);
                pack(&[*sequence], &[&bytes], into);
            }
        }
    }

    /// Reads what [`Answered::write`] wrote, and gives the bytes behind it; none when it is not that.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let Packed {
            words: [count],
            mut rest,
            ..
        } = unpack::<1, 0>(bytes)?;
        let mut by = BTreeMap::new();
        for _ in 0..count {
            let Packed {
                words: [who, floor, count],
                rest: mut after,
                ..
            } = unpack::<3, 0>(rest)?;
            let mut results = BTreeMap::new();
            for _ in 0..count {
                let Packed {
                    words: [sequence],
                    texts: [result],
                    rest,
                } = unpack::<1, 1>(after)?;
                results.insert(sequence, read_return(result)?);
                after = rest;
            }
            by.insert(who, Of { floor, results });
            rest = after;
        }
        Some((Self { by }, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_done_once_and_what_is_answered_is_forgotten() {
        let mut answered = Answered::default();
        assert_eq!(answered.before(7, 0, 0), Before::New);
        answered.done(7, 0, Return::Done);
        assert_eq!(answered.before(8, 0, 0), Before::New, "another's");
        assert_eq!(answered.before(7, 0, 0), Before::Done(Return::Done));
        answered.done(7, 2, Return::Value(None));
        let mut bytes = Vec::new();
        answered.write(&mut bytes);
        assert_eq!(Answered::read(&bytes), Some((answered.clone(), &[][..])));
        assert_eq!(answered.before(7, 2, 2), Before::Done(Return::Value(None)));
        assert_eq!(answered.before(7, 0, 0), Before::Past);
        assert_eq!(
            answered.before(7, 1, 1),
            Before::Past,
            "the floor only rises"
        );
        assert_eq!(answered.before(7, 3, 2), Before::New);
    }
}
