//! The envelope of everything that is sent.
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | CRC-32C of all that follows |
//! | 4 | version, 1 |
//! | 5 | class: 1 peer, 2 request, 3 reply |
//! | 6..14 | cluster |
//! | 14 | sender, 0 in a request |
//! | 15..23 | incarnation of the sender, 0 in a request |
//! | 23 | kind of the body |
//! | 24.. | body |
//!
//! [`parse`] says whether the checksum fits and leaves it to the caller to insist;
//! [`Frame::intact`] insists.

use std::sync::Arc;

use crc_fast::crc32_iscsi;
use synod_port::files::Bytes;

use crate::codec::Malformed;
use crate::codec::wire::Reader;
use crate::ids::{ClusterId, Incarnation, NodeId};

/// The version of frames and bodies that this build writes and reads.
pub const VERSION: u8 = 1;
/// The bytes before the body.
pub const HEAD: usize = 24;

/// Who talks to whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// A replica to a replica.
    Peer,
    /// A client to a replica.
    Request,
    /// A replica to a client.
    Reply,
}

impl Class {
    const fn code(self) -> u8 {
        match self {
            Self::Peer => 1,
            Self::Request => 2,
            Self::Reply => 3,
        }
    }

    const fn of(code: u8) -> Result<Self, Malformed> {
        match code {
            1 => Ok(Self::Peer),
            2 => Ok(Self::Request),
            3 => Ok(Self::Reply),
            _ => Err(Malformed::Unknown("class")),
        }
    }
}

/// What the envelope says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Who talks to whom.
    pub class: Class,
    /// The cluster that both belong to.
    pub cluster: ClusterId,
    /// The replica that sends; replica 0 in a request, where it means nothing.
    pub sender: NodeId,
    /// The boot of the sender.
    pub incarnation: Incarnation,
}

/// A frame, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// What the envelope says.
    pub header: Header,
    /// The kind of the body, within its class.
    pub kind: u8,
    /// The body.
    pub body: &'a [u8],
    /// Whether the checksum fits.
    pub sound: bool,
}

impl<'a> Frame<'a> {
    /// The frame, if its checksum fits.
    ///
    /// # Errors
    /// [`Malformed::Checksum`].
    pub const fn intact(self) -> Result<Self, Malformed> {
        if self.sound {
            Ok(self)
        } else {
            Err(Malformed::Checksum)
        }
    }
}

/// Takes a frame apart. Nothing in it is to be believed before `sound` was asked for.
///
/// # Errors
/// When there is no whole header, or one of another version.
pub fn parse(bytes: &[u8]) -> Result<Frame<'_>, Malformed> {
    let (head, body) = bytes.split_first_chunk::<HEAD>().ok_or(Malformed::Short)?;
    let sound = head[..4] == crc32_iscsi(&bytes[4..]).to_le_bytes();
    let mut from = Reader::new(&head[4..]);
    let version = from.u8()?;
    if version != VERSION {
        return Err(if sound {
            Malformed::Version(version)
        } else {
            Malformed::Checksum
        });
    }
    let class = Class::of(from.u8()?)?;
    let header = Header {
        class,
        cluster: ClusterId(from.u64()?),
        sender: from.node()?,
        incarnation: Incarnation(from.counter("incarnation")?),
    };
    let kind = from.u8()?;
    Ok(Frame {
        header,
        kind,
        body,
        sound,
    })
}

/// Makes a frame. `buffer` is only for reuse and comes back empty.
pub fn seal(
    buffer: &mut Vec<u8>,
    header: Header,
    kind: u8,
    body: impl FnOnce(&mut Vec<u8>),
) -> Bytes {
    let mut head = [0; HEAD];
    head[4..6].copy_from_slice(&[VERSION, header.class.code()]);
    head[6..14].copy_from_slice(&header.cluster.0.to_le_bytes());
    head[14] = header.sender.0;
    head[15..23].copy_from_slice(&header.incarnation.0.to_le_bytes());
    head[23] = kind;
    buffer.clear();
    buffer.extend_from_slice(&head);
    body(buffer);
    let sum = crc32_iscsi(&buffer[4..]);
    buffer[..4].copy_from_slice(&sum.to_le_bytes());
    let frame = Arc::from(buffer.as_slice());
    buffer.clear();
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header {
        class: Class::Peer,
        cluster: ClusterId(7),
        sender: NodeId(2),
        incarnation: Incarnation(9),
    };

    #[test]
    fn a_frame_carries_its_header_and_body() {
        let mut buffer = Vec::new();
        let bytes = seal(&mut buffer, HEADER, 5, |out| out.extend_from_slice(b"body"));
        let frame = parse(&bytes)
            .and_then(Frame::intact)
            .expect("it was just made");
        assert_eq!(
            frame,
            Frame {
                header: HEADER,
                kind: 5,
                body: b"body",
                sound: true
            }
        );
        assert_eq!(bytes.len(), HEAD + 4);
    }

    #[test]
    fn another_version_is_told_from_damage() {
        let mut bytes = seal(&mut Vec::new(), HEADER, 5, |_| ()).to_vec();
        bytes[4] = 2;
        assert_eq!(
            parse(&bytes).and_then(Frame::intact),
            Err(Malformed::Checksum)
        );
        let sum = crc32_iscsi(&bytes[4..]);
        bytes[..4].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(parse(&bytes), Err(Malformed::Version(2)));
    }
}
