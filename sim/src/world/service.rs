//! What clients see of the cluster: what each was answered, how long it waited, and for how long
//! nobody was answered.

use std::hash::{Hash, Hasher};

use synod_reports::record::{Costs, Service as Record};
use xxhash_rust::xxh3::Xxh3Default;

use crate::history::operation::Call;
use crate::time::{Instant, Span};
use crate::trace::event::Outcome;

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Service {
    /// By client, a hash of what it asked and heard, in its order, whatever the time.
    heard: Vec<u64>,
    /// How long answers took, in microseconds.
    waits: Vec<u32>,
    /// Requests that are under way.
    open: u32,
    /// Since when some are, and nobody was answered.
    silent_since: Option<Instant>,
    longest_silence: Span,
}

impl Service {
    /// A client asks.
    pub fn asked(&mut self, now: Instant) {
        self.open += 1;
        self.silent_since.get_or_insert(now);
    }

    /// What a client asked is over.
    pub fn ended(&mut self, now: Instant, client: u16, asked: (Instant, &Call), outcome: &Outcome) {
        let (began, call) = asked;
        let client = usize::from(client);
        if self.heard.len() <= client {
            self.heard.resize(client + 1, 0);
        }
        let mut hash = Xxh3Default::new();
        self.heard[client].hash(&mut hash);
        call.hash(&mut hash);
        match outcome {
            Outcome::Ok { result, .. } => (0u8, Some(result)),
            Outcome::Fail => (1, None),
            Outcome::Unknown => (2, None),
        }
        .hash(&mut hash);
        self.heard[client] = hash.finish();
        if matches!(outcome, Outcome::Ok { .. }) {
            let took = (now - began).0 / 1000;
            self.waits.push(u32::try_from(took).unwrap_or(u32::MAX));
            if let Some(since) = self.silent_since.replace(now) {
                self.longest_silence = self.longest_silence.max(now - since);
            }
        }
        self.open = self.open.saturating_sub(1);
        if self.open == 0
            && let Some(since) = self.silent_since.take()
        {
            self.longest_silence = self.longest_silence.max(now - since);
        }
    }

    /// As it is kept of a run.
    pub fn record(&self, now: Instant, costs: &Costs) -> Record {
        let mut waits = self.waits.clone();
        waits.sort_unstable();
        let at = |percent: usize| {
            let last = waits.len().saturating_sub(1);
            waits.get(last * percent / 100).copied().unwrap_or(0).into()
        };
        let silence = self.silent_since.map_or(Span(0), |since| now - since);
        let mut answers = Xxh3Default::new();
        self.heard.hash(&mut answers);
        Record {
            answers: format!("{:016x}", answers.finish()),
            wait_p50: at(50),
            wait_p99: at(99),
            wait_max: at(100),
            longest_silence: self.longest_silence.max(silence).0 / 1000,
            costs: Costs {
                answered: waits.len() as u64,
                ..*costs
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::operation::{Action, Return};

    fn at(millis: u64) -> Instant {
        Instant(millis * 1_000_000)
    }

    fn ok() -> Outcome {
        Outcome::Ok {
            result: Return::Value(None),
            place: None,
        }
    }

    fn get(key: &str) -> Call {
        Call {
            key: key.as_bytes().into(),
            action: Action::Get,
        }
    }

    #[test]
    fn waits_and_silences_are_those_of_clients() {
        let mut service = Service::default();
        let call = get("k");
        service.asked(at(10));
        service.ended(at(12), 0, (at(10), &call), &ok());
        // Nobody asks anything for long, which is no silence.
        service.asked(at(500));
        service.asked(at(510));
        service.ended(at(540), 1, (at(510), &call), &ok());
        service.ended(at(600), 0, (at(500), &call), &ok());
        service.asked(at(700));
        let record = service.record(at(705), &Costs::default());
        assert_eq!(
            (record.costs.answered, record.wait_p50, record.wait_max),
            (3, 30_000, 100_000)
        );
        assert_eq!(record.longest_silence, 60_000);
        assert_eq!(
            service.record(at(900), &Costs::default()).longest_silence,
            200_000
        );
    }

    #[test]
    fn answers_are_the_same_whatever_the_time_and_whoever_is_first() {
        let heard = |order: &[(u16, u64, Outcome)], key: &str| {
            let (mut service, call) = (Service::default(), get(key));
            for (client, millis, outcome) in order {
                service.asked(at(*millis));
                service.ended(at(millis + 5), *client, (at(*millis), &call), outcome);
            }
            service.record(at(1000), &Costs::default()).answers
        };
        let one = heard(&[(0, 1, ok()), (1, 2, Outcome::Fail)], "k");
        assert_eq!(one, heard(&[(1, 7, Outcome::Fail), (0, 9, ok())], "k"));
        assert_ne!(one, heard(&[(0, 1, ok()), (1, 2, Outcome::Unknown)], "k"));
        assert_ne!(one, heard(&[(0, 1, ok()), (1, 2, Outcome::Fail)], "j"));
        assert_ne!(one, heard(&[(1, 1, ok()), (0, 2, Outcome::Fail)], "k"));
    }
}
