//! One request, one answer: what a client hears of a request of its session, late or again, is what
//! it heard first: the same result, at the same place. What was definitely refused is never done.
//!
//! A read is not remembered by a session; asked twice, it may see two states, and only has to stay a
//! read. Where there are no sessions a request may be done twice, and only a refusal binds.

use xxhash_rust::xxh3::Xxh3;

use crate::check::checker::Checker;
use crate::check::chunked::BySession;
use crate::check::ghost::Ghost;
use crate::check::signal::{Finding, Hears, Signal};
use crate::history::operation::Return;
use crate::ids::Client;
use crate::trace::event::Outcome;

/// What was heard of a request.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum Heard {
    /// Nothing.
    #[default]
    Nothing,
    /// It definitely did not take effect.
    Refused,
    /// A value was read.
    Read,
    /// It took effect with this result, by its hash, at this place.
    Done(u64, Option<(u64, u16)>),
}

/// The checker.
#[derive(Clone, Debug)]
pub struct Answers {
    heard: BySession<Heard>,
    checked: u64,
}

impl Checker for Answers {
    const NAME: &'static str = "answers";
    const HEARS: Hears = Hears::CLIENTS;
    const CLIENT_VISIBLE: bool = true;

    fn new(_: u8) -> Self {
        Self {
            heard: BySession::default(),
            checked: 0,
        }
    }

    fn hear(&mut self, _: &Ghost, signal: &Signal<'_>) -> Finding {
        match *signal {
            Signal::Answered(client, request, outcome) => self.answered(client, request, outcome),
            _ => Ok(()),
        }
    }

    fn checked(&self) -> u64 {
        self.checked
    }

    fn bytes(&self) -> u64 {
        self.heard.bytes()
    }
}

impl Answers {
    fn answered(
        &mut self,
        client: Client,
        (session, sequence): (u64, u64),
        outcome: &Outcome,
    ) -> Finding {
        // Without sessions each client counts its own requests.
        let owner = if session == 0 {
            u64::MAX - u64::from(client.0)
        } else {
            session
        };
        let Some(first) = self.heard.entry(owner, sequence) else {
            return Ok(());
        };
        let now = heard(outcome);
        if *first == Heard::Nothing {
            *first = now;
            return Ok(());
        }
        self.checked += 1;
        let what = match (*first, now) {
            (before, now) if before == now => return Ok(()),
            (Heard::Refused, _) => "done, and it was definitely refused",
            (_, Heard::Refused) => "definitely refused, and it was done",
            _ if session == 0 => return Ok(()),
            (Heard::Done(one, _), Heard::Done(other, _)) if one == other => "done at another place",
            _ => "answered with another result",
        };
        Err(format!(
            "request {sequence} of session {session} of {client} is {what}"
        ))
    }
}

fn heard(outcome: &Outcome) -> Heard {
    match outcome {
        Outcome::Unknown => Heard::Nothing,
        Outcome::Fail => Heard::Refused,
        Outcome::Ok {
            result: Return::Value(_),
            ..
        } => Heard::Read,
        Outcome::Ok { result, place } => Heard::Done(hash(result), *place),
    }
}

fn hash(result: &Return) -> u64 {
    let (kind, value) = match result {
        Return::Value(value) => (0, value.as_ref()),
        Return::Done => (1, None),
        Return::Mismatch(saw) => (2, saw.as_ref()),
    };
    let mut hash = Xxh3::new();
    hash.update(&[kind, u8::from(value.is_some())]);
    hash.update(value.map_or(&[], |value| value));
    hash.digest()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::operation::Text;

    fn ok(result: Return, place: (u64, u16)) -> Outcome {
        Outcome::Ok {
            result,
            place: Some(place),
        }
    }

    fn saw(text: &str) -> Return {
        Return::Mismatch(Some(Text::from(text.as_bytes())))
    }

    fn read(text: &str) -> Outcome {
        let value = Return::Value(Some(Text::from(text.as_bytes())));
        ok(value, (4, u16::MAX))
    }

    /// What is found at the second answer to request 2, after others were answered.
    fn twice(session: u64, first: &Outcome, second: &Outcome) -> Finding {
        let (ghost, mut answers) = (Ghost::new(3, false), Answers::new(3));
        let mut tell = |client, session, sequence, outcome: &Outcome| {
            answers.hear(
                &ghost,
                &Signal::Answered(Client(client), (session, sequence), outcome),
            )
        };
        tell(0, session, 2, first).unwrap();
        tell(0, session, 3, second).unwrap();
        tell(1, if session == 0 { 0 } else { session + 1 }, 2, second).unwrap();
        let finding = tell(0, session, 2, second);
        assert_eq!(answers.checked(), 1);
        finding
    }

    #[test]
    fn the_same_answer_may_come_again() {
        let done = ok(Return::Done, (4, 1));
        twice(9, &done, &done).unwrap();
        twice(9, &ok(saw("a"), (4, 1)), &ok(saw("a"), (4, 1))).unwrap();
        twice(9, &read("a"), &read("b")).unwrap();
        twice(0, &done, &ok(saw("a"), (5, 1))).unwrap();
    }

    #[test]
    fn another_answer_is_found() {
        let done = ok(Return::Done, (4, 1));
        let error = |first: &Outcome, second: &Outcome| twice(9, first, second).unwrap_err();
        assert_eq!(
            error(&done, &ok(Return::Done, (4, 2))),
            "request 2 of session 9 of c1 is done at another place"
        );
        assert_eq!(
            error(&done, &ok(saw("a"), (4, 1))),
            "request 2 of session 9 of c1 is answered with another result"
        );
        error(&ok(saw("a"), (4, 1)), &ok(saw("b"), (4, 1)));
        error(&done, &read("a"));
        assert_eq!(
            error(&Outcome::Fail, &done),
            "request 2 of session 9 of c1 is done, and it was definitely refused"
        );
        twice(0, &Outcome::Fail, &done).unwrap_err();
    }
}
