//! Bytes for everything that leaves a replica: messages, requests, replies, batches and log
//! records.
//!
//! The codec is total: every byte string decodes to something or to [`Malformed`]; it never panics,
//! and allocates no more than a small multiple of what it was given. All integers are little-endian
//! and of fixed width. Numbers that the protocol counts with are bounded here (slots below 2^47,
//! rounds and the like below 2^62, nodes below 64), so that arithmetic on what came from outside
//! cannot overflow.
//!
//! | file | what |
//! |---|---|
//! | `frame` | the envelope of messages, requests and replies: checksum, version, cluster, sender |
//! | `message` | what replicas say to each other |
//! | `request` | what clients and a replica say to each other |
//! | `command` | the batch in a slot's value |
//! | `record` | the log's records |
//! | `wire` | the bytes' alphabet |

pub mod command;
pub mod frame;
pub mod message;
pub mod record;
pub mod request;
mod wire;

/// Why bytes do not decode.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    /// They end too early.
    #[error("the bytes end too early")]
    Short,
    /// Something follows the end.
    #[error("bytes follow the end")]
    Long,
    /// A kind, a tag or a flag that this version does not know.
    #[error("an unknown {0}")]
    Unknown(&'static str),
    /// A number beyond what the protocol counts with.
    #[error("a number is out of range: {0}")]
    Range(&'static str),
    /// The checksum does not fit.
    #[error("the checksum does not fit")]
    Checksum,
    /// Of a version that this build does not read.
    #[error("version {0} is not read by this build")]
    Version(u8),
}
