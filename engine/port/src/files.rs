//! The port's files: one directory a node, what can be done to it, and how that ends.

use std::sync::Arc;

/// Bytes shared by everybody who refers to them.
pub type Bytes = Arc<[u8]>;

/// The name of a file in a node's one directory: at most 23 bytes of ASCII, held inline.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName {
    bytes: [u8; 23],
    length: u8,
}

impl FileName {
    /// The name, when it is non-empty ASCII of at most 23 bytes without a slash.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        Self::joined(name, "")
    }

    /// The name of two parts, as [`new`](Self::new).
    #[must_use]
    pub fn joined(one: &str, two: &str) -> Option<Self> {
        let length = one.len() + two.len();
        let fits = |part: &str| part.is_ascii() && !part.contains('/');
        if length == 0 || length > 23 || !fits(one) || !fits(two) {
            return None;
        }
        let mut bytes = [0; 23];
        bytes[..one.len()].copy_from_slice(one.as_bytes());
        bytes[one.len()..length].copy_from_slice(two.as_bytes());
        Some(Self {
            bytes,
            length: u8::try_from(length).ok()?,
        })
    }

    /// The name's bytes, which are ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or("")
    }
}

impl std::fmt::Debug for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names one disk operation of one boot; the completion carries it back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct OpId(pub u64);

/// A disk operation. Several may be under way; they complete in any order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DiskOp {
    /// All names in the directory.
    List,
    /// The length of a file in bytes.
    Length(FileName),
    /// Up to `length` bytes from `offset`; fewer at the file's end.
    Read {
        /// The file.
        file: FileName,
        /// Where, in bytes.
        offset: u64,
        /// How many bytes.
        length: u32,
    },
    /// Make a new, empty file. Fails when the name exists.
    Create(FileName),
    /// Write bytes; the file grows as needed, with zeros in between.
    Write {
        /// The file.
        file: FileName,
        /// Where, in bytes.
        offset: u64,
        /// What.
        data: Bytes,
    },
    /// Set the length; growing fills with zeros.
    Truncate {
        /// The file.
        file: FileName,
        /// The new length in bytes.
        length: u64,
    },
    /// Give a file another name, atomically replacing what had it.
    Rename {
        /// The name now.
        from: FileName,
        /// The name then.
        to: FileName,
    },
    /// Remove a name.
    Remove(FileName),
    /// Make the bytes and length of writes that were complete when this was submitted durable.
    /// Names are another matter.
    Sync(FileName),
    /// Make all name operations that were complete when this was submitted durable.
    SyncDir,
}

/// How a disk operation went well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DiskOk {
    /// Nothing to tell.
    Done,
    /// Answer to `List`, in name order.
    Names(Vec<FileName>),
    /// Answer to `Length`.
    Length(u64),
    /// Answer to `Read`.
    Data(Bytes),
}

/// How a disk operation failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskError {
    /// No such file.
    NotFound,
    /// The name is taken.
    Exists,
    /// The disk is full; nothing was written.
    NoSpace,
    /// The device failed. A write may be half done; after a failed sync nothing is known of what
    /// was to be synced.
    Io,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_ascii_without_a_slash() {
        let longest = "a".repeat(23);
        for good in ["a", "log-00000001", &longest] {
            assert_eq!(FileName::new(good).expect("a name").as_str(), good);
        }
        for bad in ["", "a/b", "/", "é", &"a".repeat(24)] {
            assert_eq!(FileName::new(bad), None, "{bad}");
        }
    }

    #[test]
    fn two_parts_make_one_name() {
        assert_eq!(FileName::joined("log-", "7"), FileName::new("log-7"));
        assert_eq!(FileName::joined("", ""), None);
        assert_eq!(FileName::joined("a", "/b"), None);
        assert_eq!(FileName::joined(&"a".repeat(12), &"b".repeat(12)), None);
    }
}
