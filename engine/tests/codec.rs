//! The codec is total: what was encoded decodes to itself, damage is an error, and no bytes
//! whatever make it panic.

use std::sync::Arc;

use proptest::prelude::*;
use synod_engine::codec::command::{BatchBuilder, commands};
use synod_engine::codec::frame::{self, Class, Header};
use synod_engine::codec::{Malformed, message, record, request};
use synod_engine::command::{Command, Value};
use synod_engine::ids::{Ballot, ClusterId, Incarnation, NodeId, Place, Sequence, SessionId, Slot};
use synod_engine::message::{Message, Outcome, Reply, Request, RequestId, Vote};
use synod_engine::record::Record;
use synod_port::files::Bytes;

fn slot() -> impl Strategy<Value = Slot> {
    (0u64..1 << 47).prop_map(Slot)
}

fn ballot() -> impl Strategy<Value = Ballot> {
    (0u64..1 << 62, 0u8..64).prop_map(|(round, node)| Ballot {
        round,
        node: NodeId(node),
    })
}

fn bytes() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..64).prop_map(Arc::from)
}

fn value() -> impl Strategy<Value = Value> {
    bytes().prop_map(Value)
}

fn vote() -> impl Strategy<Value = Vote> {
    (slot(), ballot(), value(), any::<bool>()).prop_map(|(slot, ballot, value, chosen)| Vote {
        slot,
        ballot,
        value,
        chosen,
    })
}

fn some_message() -> impl Strategy<Value = Message> {
    let round = 0u64..1 << 62;
    let promise = (
        ballot(),
        slot(),
        prop::collection::vec(vote(), 0..5),
        prop::option::of(slot()),
        slot(),
    );
    prop_oneof![
        ballot().prop_map(|ballot| Message::Canvass { ballot }),
        (ballot(), any::<bool>(), ballot()).prop_map(|(ballot, granted, promised)| {
            Message::CanvassReply {
                ballot,
                granted,
                promised,
            }
        }),
        (ballot(), slot()).prop_map(|(ballot, from)| Message::Prepare { ballot, from }),
        promise.prop_map(
            |(ballot, from, votes, next, chosen_below)| Message::Promise {
                ballot,
                from,
                votes,
                next,
                chosen_below
            }
        ),
        (ballot(), slot(), value(), slot()).prop_map(|(ballot, slot, value, chosen_below)| {
            Message::Accept {
                ballot,
                slot,
                value,
                chosen_below,
            }
        }),
        (ballot(), prop::collection::vec(slot(), 0..9))
            .prop_map(|(ballot, slots)| Message::Accepted { ballot, slots }),
        (ballot(), ballot()).prop_map(|(ballot, promised)| Message::Reject { ballot, promised }),
        (ballot(), round.clone(), slot()).prop_map(|(ballot, round, chosen_below)| {
            Message::Heartbeat {
                ballot,
                round,
                chosen_below,
            }
        }),
        (ballot(), round, slot()).prop_map(|(ballot, round, chosen_below)| {
            Message::HeartbeatReply {
                ballot,
                round,
                chosen_below,
            }
        }),
        ballot().prop_map(|ballot| Message::Resign { ballot }),
        slot().prop_map(|from| Message::CatchUp { from }),
        (slot(), prop::collection::vec(value(), 0..5), slot()).prop_map(
            |(from, values, chosen_below)| Message::CatchUpReply {
                from,
                values,
                chosen_below
            }
        ),
    ]
}

fn some_request() -> impl Strategy<Value = Request> {
    let apply = (any::<u64>(), 0u64..1 << 62, 0u64..1 << 62, bytes());
    prop_oneof![
        any::<u64>().prop_map(|nonce| Request::Register { nonce }),
        apply.prop_map(|(session, sequence, answered, operation)| Request::Apply {
            session: SessionId(session),
            sequence: Sequence(sequence),
            answered_below: Sequence(answered),
            operation,
        }),
        (any::<u64>(), bytes()).prop_map(|(nonce, operation)| Request::Read { nonce, operation }),
    ]
}

fn some_reply() -> impl Strategy<Value = Reply> {
    let to = prop_oneof![
        any::<u64>().prop_map(RequestId::Nonce),
        (any::<u64>(), any::<u64>()).prop_map(|(session, sequence)| RequestId::Numbered(
            SessionId(session),
            Sequence(sequence)
        )),
    ];
    let outcome = prop_oneof![
        any::<u64>().prop_map(|session| Outcome::Registered(SessionId(session))),
        (slot(), any::<u16>(), bytes()).prop_map(|(slot, index, result)| Outcome::Done {
            place: Place { slot, index },
            result
        }),
        (slot(), bytes()).prop_map(|(below, result)| Outcome::Read { below, result }),
        prop::option::of(0u8..64).prop_map(|hint| Outcome::NotLeader {
            hint: hint.map(NodeId)
        }),
        Just(Outcome::Busy),
        Just(Outcome::TooLarge),
        Just(Outcome::SessionGone),
    ];
    (to, outcome).prop_map(|(to, outcome)| Reply { to, outcome })
}

fn some_record() -> impl Strategy<Value = Record> {
    prop_oneof![
        (slot(), ballot(), value()).prop_map(|(slot, ballot, value)| Record::Vote {
            slot,
            ballot,
            value
        }),
        (slot(), value()).prop_map(|(slot, value)| Record::Learned { slot, value }),
        slot().prop_map(|slot| Record::ChosenBelow { slot }),
    ]
}

/// A message's, a request's or a reply's frame, with what it decodes to.
fn some_frame() -> impl Strategy<Value = Bytes> {
    let (cluster, sender, incarnation) = (ClusterId(3), NodeId(2), Incarnation(8));
    prop_oneof![
        some_message().prop_map(move |message| message::encode(
            &mut Vec::new(),
            cluster,
            sender,
            incarnation,
            &message
        )),
        some_request().prop_map(move |request| request::encode_request(
            &mut Vec::new(),
            cluster,
            &request
        )),
        some_reply().prop_map(move |reply| request::encode_reply(
            &mut Vec::new(),
            cluster,
            sender,
            incarnation,
            &reply
        )),
    ]
}

/// Whether the bytes are anything at all.
fn decodes(bytes: &[u8]) -> bool {
    message::decode(bytes).is_ok()
        || request::decode_request(bytes).is_ok()
        || request::decode_reply(bytes).is_ok()
}

proptest! {
    #[test]
    fn messages_come_back(
        message in some_message(),
        cluster in any::<u64>(),
        sender in 0u8..64,
        incarnation in 0u64..1 << 62,
    ) {
        let header = Header {
            class: Class::Peer,
            cluster: ClusterId(cluster),
            sender: NodeId(sender),
            incarnation: Incarnation(incarnation),
        };
        let bytes = message::encode(
            &mut Vec::new(),
            header.cluster,
            header.sender,
            header.incarnation,
            &message,
        );
        prop_assert_eq!(message::decode(&bytes), Ok((header, message)));
    }

    #[test]
    fn requests_and_replies_come_back(
        request in some_request(),
        reply in some_reply(),
        cluster in any::<u64>(),
    ) {
        let bytes = request::encode_request(&mut Vec::new(), ClusterId(cluster), &request);
        let decoded = request::decode_request(&bytes).map(|(header, request)| (
            header.cluster,
            request,
        ));
        prop_assert_eq!(decoded, Ok((ClusterId(cluster), request)));
        let bytes = request::encode_reply(
            &mut Vec::new(),
            ClusterId(cluster),
            NodeId(1),
            Incarnation(2),
            &reply,
        );
        prop_assert_eq!(request::decode_reply(&bytes).map(|(_, reply)| reply), Ok(reply));
    }

    #[test]
    fn records_and_batches_come_back(
        records in prop::collection::vec(some_record(), 0..9),
        operations in prop::collection::vec(bytes(), 0..9),
    ) {
        let mut payload = Vec::new();
        records.iter().for_each(|record| record::put(&mut payload, record));
        prop_assert_eq!(payload.len(), records.iter().map(record::encoded_len).sum::<usize>());
        prop_assert_eq!(record::records(&payload).collect::<Result<Vec<_>, _>>(), Ok(records));

        let mut batch = BatchBuilder::new();
        operations.iter().for_each(|operation| batch.push_apply(
            SessionId(1),
            Sequence(2),
            Sequence(3),
            operation,
        ));
        let value = batch.finish();
        for (command, expected) in commands(&value).zip(&operations) {
            let found = matches!(
                command,
                Ok(Command::Apply { operation, .. }) if *operation == **expected,
            );
            prop_assert!(found);
        }
        prop_assert_eq!(commands(&value).count(), operations.len());
    }

    #[test]
    fn a_cut_frame_is_an_error(
        frame in some_frame(),
        more in prop::collection::vec(any::<u8>(), 1..9),
    ) {
        prop_assert!(decodes(&frame));
        for length in 0..frame.len() {
            prop_assert!(!decodes(&frame[..length]), "cut to {}", length);
        }
        prop_assert!(!decodes(&[&*frame, &more].concat()), "grown");
    }

    #[test]
    fn a_flipped_byte_is_an_error(
        frame in some_frame(),
        masks in prop::collection::vec(1u8.., 1..400),
    ) {
        for (at, mask) in (0..frame.len()).zip(masks.iter().cycle()) {
            let mut bad = frame.to_vec();
            bad[at] ^= mask;
            prop_assert!(!decodes(&bad), "byte {} by {:08b}", at, mask);
        }
    }

    #[test]
    fn scattered_flips_are_an_error(
        frame in some_frame(),
        flips in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let mut bad = frame.to_vec();
        for flip in flips {
            let bit = flip.index(frame.len() * 8);
            bad[bit / 8] ^= 1 << (bit % 8);
        }
        prop_assert!(bad == *frame || !decodes(&bad));
    }

    #[test]
    fn any_bytes_decode_to_something_or_to_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        decodes(&bytes);
        prop_assert!(record::records(&bytes).count() <= bytes.len());
        prop_assert!(commands(&Value(Arc::from(bytes))).count() <= 200);
    }

    #[test]
    fn any_body_under_a_good_checksum_does_too(
        class in 0u8..3,
        kind in 0u8..14,
        body in prop::collection::vec(prop_oneof![Just(0u8), Just(1), any::<u8>()], 0..120),
    ) {
        let class = [Class::Peer, Class::Request, Class::Reply][usize::from(class)];
        let header = Header {
            class,
            cluster: ClusterId(1),
            sender: NodeId(1),
            incarnation: Incarnation(1),
        };
        let bytes = frame::seal(&mut Vec::new(), header, kind, |out| out.extend_from_slice(&body));
        if let Ok((_, message)) = message::decode(&bytes) {
            let again = message::encode(
                &mut Vec::new(),
                ClusterId(1),
                NodeId(1),
                Incarnation(1),
                &message,
            );
            prop_assert_eq!(again, bytes, "there is one encoding of everything");
        } else {
            let _ = (request::decode_request(&bytes), request::decode_reply(&bytes));
        }
    }
}

#[test]
fn a_count_that_cannot_be_there_is_refused_before_anything_is_allocated() {
    let header = Header {
        class: Class::Peer,
        cluster: ClusterId(1),
        sender: NodeId(1),
        incarnation: Incarnation(1),
    };
    let bytes = frame::seal(&mut Vec::new(), header, message::CATCH_UP_REPLY, |out| {
        out.extend_from_slice(&[0; 16]);
        out.extend_from_slice(&u32::MAX.to_le_bytes());
    });
    assert_eq!(message::decode(&bytes), Err(Malformed::Short));
}
