//! What no sync covers, by names that a person would use, so that what of it survives can be told:
//! `log-00000002#7` is a sector that was written and not synced, `log-00000002#7+` the same of a
//! write that is still under way, `log-00000002#length` the file's new length (`#length+`: of a
//! truncation under way), and `log-00000002#create`, `#rename` and `#remove` are what was done to
//! the name.
//!
//! What is under way and is to survive a power loss lands and survives. Two changes of one name by
//! the same operation share their name here.

use std::fmt;

use serde::{Deserialize, Serialize};
use synod_port::files::FileName;

/// One thing on a disk that may survive a death or not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Loose {
    /// The file, by the name that it has, or had last.
    pub file: FileName,
    /// What of it.
    pub part: Part,
}

/// What of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    /// A sector of a completed write.
    Sector(u32),
    /// A sector of a write under way.
    Landing(u32),
    /// Its new length.
    Length,
    /// A truncation under way.
    Resizing,
    /// It got its name when it was made.
    Create,
    /// It got its name from a rename.
    Rename,
    /// It lost its name.
    Remove,
}

impl Part {
    /// Whether this survives where that is to: what lands is unsynced next.
    #[must_use]
    pub fn survives_with(self, named: Self) -> bool {
        match (self, named) {
            (Self::Sector(one), Self::Landing(other)) => one == other,
            (Self::Length, Self::Resizing) => true,
            _ => self == named,
        }
    }
}

impl fmt::Display for Loose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#", self.file)?;
        match self.part {
            Part::Sector(sector) => write!(f, "{sector}"),
            Part::Landing(sector) => write!(f, "{sector}+"),
            Part::Length => f.write_str("length"),
            Part::Resizing => f.write_str("length+"),
            Part::Create => f.write_str("create"),
            Part::Rename => f.write_str("rename"),
            Part::Remove => f.write_str("remove"),
        }
    }
}

impl From<Loose> for String {
    fn from(loose: Loose) -> Self {
        loose.to_string()
    }
}

impl TryFrom<String> for Loose {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = || {
            let (file, part) = text.rsplit_once('#')?;
            let part = match part {
                "length" => Part::Length,
                "length+" => Part::Resizing,
                "create" => Part::Create,
                "rename" => Part::Rename,
                "remove" => Part::Remove,
                number => match number.strip_suffix('+') {
                    Some(landing) => Part::Landing(landing.parse().ok()?),
                    None => Part::Sector(number.parse().ok()?),
                },
            };
            let file = FileName::new(file)?;
            Some(Self { file, part })
        };
        read().ok_or_else(|| {
            format!(
                "`{text}` names nothing unsynced: write FILE#7 for a sector, FILE#7+ for one of a \
                 write under way, or FILE#length, FILE#create, FILE#rename, FILE#remove"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for text in [
            "log-00000002#7",
            "log-00000002#7+",
            "a#length",
            "a#length+",
            "a#create",
            "a#rename",
            "a#b#remove",
        ] {
            let loose = Loose::try_from(text.to_owned()).expect(text);
            assert_eq!(loose.to_string(), text);
        }
        for text in ["", "a", "a#", "a#x", "a#-1", "a/b#1", "#1", "a#1++"] {
            let error = Loose::try_from(text.to_owned()).expect_err(text);
            assert!(error.contains("FILE#7"), "{error}");
        }
    }
}
