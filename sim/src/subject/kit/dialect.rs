//! A client protocol for engines that have none: requests and replies as bytes with a checksum, and
//! commands as bytes for a log.

use synod_port::files::Bytes;

use crate::history::operation::{Action, Call, Return};
use crate::ids::{Client, Node};
use crate::subject::kit::frame::{Packed, pack, sealed, unpack, unsealed};
use crate::subject::process::{Answer, Dialect, Output, Refusal, Session};

/// The dialect. A replica reads what comes with [`request`], and answers with [`reply`].
#[derive(Clone, Copy, Debug)]
pub struct Plain {
    /// Clients open a session before they ask for anything.
    pub sessions: bool,
    /// The operations that the engine has.
    pub offers: fn(&Action) -> bool,
}

/// What a client asks of a replica.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// A session, to be answered with [`Answer::Registered`] and this nonce.
    Open(u64),
    /// An operation, to be answered with [`Answer::Done`] or [`Answer::Refused`]. Its session (0
    /// without sessions, where the client's number stands for one); its number in the session, from
    /// 0 on, which it keeps when it is sent again; the number below which all have been answered.
    Call(Session, u64, u64, Call),
}

impl Plain {
    /// All operations, and no sessions: a client is told from others by its number.
    pub const WITHOUT_SESSIONS: Self = Self {
        sessions: false,
        offers: |_| true,
    };
    /// All operations, in sessions.
    pub const WITH_SESSIONS: Self = Self {
        sessions: true,
        offers: |_| true,
    };
}

impl Dialect for Plain {
    fn register(&self, nonce: u64) -> Option<Bytes> {
        self.sessions.then(|| frame(&[OPEN, nonce], &[]))
    }

    fn offers(&self, action: &Action) -> bool {
        (self.offers)(action)
    }

    fn request(&self, session: Session, sequence: u64, answered_below: u64, call: &Call) -> Bytes {
        let mut command = Vec::new();
        write_call(call, &mut command);
        frame(&[CALL, session.0, sequence, answered_below], &[&command])
    }

    fn reply(&self, bytes: &[u8]) -> Option<Answer> {
        let Packed {
            words: [kind, session, sequence],
            texts: [text],
            ..
        } = unpack(unsealed(bytes)?)?;
        let session = Session(session);
        let refused = |refusal| Answer::Refused {
            session,
            sequence,
            refusal,
        };
        Some(match kind {
            OPEN => Answer::Registered {
                nonce: sequence,
                session,
            },
            DONE => {
                let Packed {
                    words: [placed, slot, index],
                    texts: [result],
                    ..
                } = unpack(text)?;
                Answer::Done {
                    session,
                    sequence,
                    place: (placed == 1)
                        .then(|| u16::try_from(index).ok())
                        .flatten()
                        .map(|index| (slot, index)),
                    result: read_return(result)?,
                }
            }
            RETRY => refused(Refusal::Retry(text.first().copied().map(Node))),
            NEVER => refused(Refusal::Never),
            GONE => refused(Refusal::SessionGone),
            _ => return None,
        })
    }
}

// The kinds of what is said.
const OPEN: u64 = 1;
const CALL: u64 = 2;
const DONE: u64 = 3;
const RETRY: u64 = 4;
const NEVER: u64 = 5;
const GONE: u64 = 6;

// The kinds of results.
const DID: u64 = 0;
const VALUE: u64 = 1;
const ABSENT: u64 = 2;
const MISMATCH: u64 = 3;
const MISMATCH_ABSENT: u64 = 4;

// The kind of a compare-and-set of an absent value; the others have their numbers as actions.
const CAS_ABSENT: u64 = 5;

/// What a client's bytes ask for; none when they are damaged.
#[must_use]
pub fn request(bytes: &[u8]) -> Option<Request> {
    let bytes = unsealed(bytes)?;
    let Packed { words, rest, .. } = unpack::<2, 0>(bytes)?;
    match words {
        [OPEN, nonce] => Some(Request::Open(nonce)),
        [CALL, session] => {
            let Packed {
                words: [sequence, answered_below],
                texts: [command],
                ..
            } = unpack(rest)?;
            let call = read_call(command)?;
            Some(Request::Call(
                Session(session),
                sequence,
                answered_below,
                call,
            ))
        }
        _ => None,
    }
}

/// Answers a client.
#[must_use]
pub fn reply(to: Client, answer: &Answer) -> Output {
    let bytes = bytes(answer);
    Output::Reply { to, bytes }
}

fn bytes(answer: &Answer) -> Bytes {
    match answer {
        Answer::Registered { nonce, session } => frame(&[OPEN, session.0, *nonce], &[b""]),
        Answer::Done {
            session,
            sequence,
            place,
            result,
        } => {
            let (mut text, mut bytes) = (Vec::new(), Vec::new());
            write_return(result, &mut bytes);
            let (slot, index) = place.unwrap_or_default();
            let placed = u64::from(place.is_some());
            pack(&[placed, slot, u64::from(index)], &[&bytes], &mut text);
            frame(&[DONE, session.0, *sequence], &[&text])
        }
        Answer::Refused {
            session,
            sequence,
            refusal,
        } => {
            let hint;
            let (kind, text): (u64, &[u8]) = match refusal {
                Refusal::Retry(Some(Node(node))) => {
                    hint = [*node];
                    (RETRY, &hint)
                }
                Refusal::Retry(None) => (RETRY, b""),
                Refusal::Never => (NEVER, b""),
                Refusal::SessionGone => (GONE, b""),
            };
            frame(&[kind, session.0, *sequence], &[text])
        }
    }
}

/// Appends the bytes of a command.
pub fn write_call(call: &Call, into: &mut Vec<u8>) {
    let (kind, one, two): (u64, &[u8], &[u8]) = match &call.action {
        Action::Get | Action::Delete => (call.action.kind() as u64, b"", b""),
        Action::Put(text) | Action::Append(text) => (call.action.kind() as u64, text, b""),
        Action::Cas {
            expected: Some(old),
            new,
        } => (call.action.kind() as u64, new, old),
        Action::Cas {
            expected: None,
            new,
        } => (CAS_ABSENT, new, b""),
    };
    pack(&[kind], &[&call.key, one, two], into);
}

/// Reads a command; none when the bytes are none.
#[must_use]
pub fn read_call(bytes: &[u8]) -> Option<Call> {
    let Packed {
        words: [kind],
        texts: [key, one, two],
        ..
    } = unpack(bytes)?;
    let action = match kind {
        0 => Action::Get,
        1 => Action::Put(one.into()),
        2 => Action::Append(one.into()),
        3 => Action::Cas {
            expected: Some(two.into()),
            new: one.into(),
        },
        4 => Action::Delete,
        CAS_ABSENT => Action::Cas {
            expected: None,
            new: one.into(),
        },
        _ => return None,
    };
    let key = key.into();
    Some(Call { key, action })
}

/// Appends the bytes of a result.
pub fn write_return(result: &Return, into: &mut Vec<u8>) {
    let (kind, text): (u64, &[u8]) = match result {
        Return::Done => (DID, b""),
        Return::Value(Some(value)) => (VALUE, value),
        Return::Value(None) => (ABSENT, b""),
        Return::Mismatch(Some(value)) => (MISMATCH, value),
        Return::Mismatch(None) => (MISMATCH_ABSENT, b""),
    };
    pack(&[kind], &[text], into);
}

/// Reads a result; none when the bytes are none.
#[must_use]
pub fn read_return(bytes: &[u8]) -> Option<Return> {
    let Packed {
        words: [kind],
        texts: [text],
        ..
    } = unpack(bytes)?;
    Some(match kind {
        DID => Return::Done,
        VALUE => Return::Value(Some(text.into())),
        ABSENT => Return::Value(None),
        MISMATCH => Return::Mismatch(Some(text.into())),
        MISMATCH_ABSENT => Return::Mismatch(None),
        _ => return None,
    })
}

fn frame(words: &[u64], texts: &[&[u8]]) -> Bytes {
    let mut bytes = Vec::new();
    pack(words, texts, &mut bytes);
    sealed(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::operation::Text;

    const DIALECT: Plain = Plain::WITH_SESSIONS;

    #[test]
    fn what_a_client_asks_for_is_understood() {
        let text = |text: &str| Text::from(text.as_bytes());
        let cas = |expected: Option<&str>| Action::Cas {
            expected: expected.map(text),
            new: text("new"),
        };
        let actions = [
            Action::Get,
            Action::Put(text("1")),
            Action::Append(text("")),
            cas(Some("old")),
            cas(Some("")),
            cas(None),
            Action::Delete,
        ];
        for action in actions {
            let key = text("k");
            let call = Call { key, action };
            let bytes = DIALECT.request(Session(3), 4, 2, &call);
            let asked = Request::Call(Session(3), 4, 2, call);
            assert_eq!(request(&bytes), Some(asked));
            assert_eq!(request(&bytes[1..]), None);
        }
        let open = DIALECT.register(9).expect("it has sessions");
        assert_eq!(request(&open), Some(Request::Open(9)));
    }

    #[test]
    fn what_a_replica_answers_is_understood() {
        let value = Some(Text::from(&b"v"[..]));
        let results = [
            Return::Done,
            Return::Value(None),
            Return::Value(value.clone()),
            Return::Mismatch(None),
            Return::Mismatch(value),
        ];
        let done = |(number, result)| Answer::Done {
            session: Session(3),
            sequence: number as u64,
            place: (number > 1).then_some((number as u64, u16::MAX)),
            result,
        };
        let refusals = [
            Refusal::Retry(None),
            Refusal::Retry(Some(Node(0))),
            Refusal::Never,
            Refusal::SessionGone,
        ];
        let refused = |refusal| Answer::Refused {
            session: Session(3),
            sequence: 4,
            refusal,
        };
        let opened = Answer::Registered {
            nonce: 9,
            session: Session(3),
        };
        let all = results.into_iter().enumerate().map(done);
        let all = all.chain(refusals.map(refused)).chain([opened]);
        for answer in all {
            assert_eq!(DIALECT.reply(&bytes(&answer)), Some(answer));
        }
    }
}
