//! Which lines of a story are wanted.

use std::fmt::{self, Display, Formatter};

use clap::Args;

use crate::scenario::units::{Time, parse};
use crate::time::Instant;
use crate::trace::tale::Line;

/// What a story is narrowed to: a line has to fit all that is given.
#[derive(Args, Clone, Debug, Default)]
pub struct Narrow {
    /// Only what touches this slot of the log
    #[arg(long, env = "SYNOD_SLOT", value_name = "N")]
    slot: Option<u64>,
    /// Only operations on this key
    #[arg(long, env = "SYNOD_KEY", value_name = "KEY")]
    key: Option<String>,
    /// Only what happens to or at this replica or client: r2, c1
    #[arg(long, env = "SYNOD_NODE", value_name = "NAME")]
    node: Option<String>,
    /// Only messages, faults, or deeds of replicas, of this kind: accepted, pause, leads
    #[arg(long, env = "SYNOD_KIND", value_name = "KIND")]
    kind: Option<String>,
    /// Only from this time or event on: 1500ms, #4711
    #[arg(long, env = "SYNOD_FROM", value_name = "TIME|#EVENT", value_parser = bound)]
    from: Option<Bound>,
    /// Only until this time or event: 2s, #4720
    #[arg(long, env = "SYNOD_UNTIL", value_name = "TIME|#EVENT", value_parser = bound)]
    until: Option<Bound>,
}

/// A place in a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// A time of the run.
    Time(Instant),
    /// An event, by its number in the story.
    Event(u64),
}

impl Bound {
    /// Whether a line comes after it.
    #[must_use]
    pub fn is_before(self, line: &Line) -> bool {
        match self {
            Self::Time(time) => line.time > time,
            Self::Event(number) => line.number > number,
        }
    }
}

impl Display for Bound {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => write!(f, "{time} s"),
            Self::Event(number) => write!(f, "#{number}"),
        }
    }
}

/// Reads a place in a run: a time with its unit, or `#` and the number of an event.
///
/// # Errors
/// When it is neither.
pub fn bound(text: &str) -> Result<Bound, String> {
    if let Some(number) = text.strip_prefix('#') {
        let number = number.parse();
        return number
            .map(Bound::Event)
            .map_err(|_| "write an event as the story does: #4711".to_owned());
    }
    let time = parse::<Time>(text)
        .ok()
        .and_then(|time| u64::try_from(time).ok());
    time.map(|time| Bound::Time(Instant(time))).ok_or_else(|| {
        "write a time with its unit, like 1500ms, or an event, like #4711".to_owned()
    })
}

impl Narrow {
    /// What touches a slot.
    #[must_use]
    pub fn to_slot(slot: u64) -> Self {
        Self {
            slot: Some(slot),
            ..Self::default()
        }
    }

    /// What happens to operations on a key.
    #[must_use]
    pub fn to_key(key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..Self::default()
        }
    }

    /// What happens to or at a replica or client.
    #[must_use]
    pub fn to_node(node: &str) -> Self {
        Self {
            node: Some(node.to_owned()),
            ..Self::default()
        }
    }

    /// What happens from there on.
    #[must_use]
    pub fn since(from: Bound) -> Self {
        Self {
            from: Some(from),
            ..Self::default()
        }
    }

    /// From where on, if that is asked for.
    #[must_use]
    pub const fn from(&self) -> Option<Bound> {
        self.from
    }

    /// The slot, if one is asked for.
    #[must_use]
    pub const fn slot(&self) -> Option<u64> {
        self.slot
    }

    /// The key, if one is asked for.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Whether a slot or a key is asked for.
    #[must_use]
    pub const fn is_narrow(&self) -> bool {
        self.slot.is_some() || self.key.is_some()
    }

    /// Whether anything is asked for.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        self.slot.is_some()
            || self.key.is_some()
            || self.node.is_some()
            || self.kind.is_some()
            || self.from.is_some()
            || self.until.is_some()
    }

    /// Whether a line is wanted.
    #[must_use]
    pub fn wants(&self, line: &Line) -> bool {
        let about = &line.about;
        let in_slots = |slot| {
            about
                .slots
                .is_some_and(|(first, last)| first <= slot && slot <= last)
        };
        let before = |bound| match bound {
            Bound::Time(time) => line.time < time,
            Bound::Event(number) => line.number < number,
        };
        self.slot.is_none_or(in_slots)
            && (self.key.is_none() || self.key == about.key)
            && self
                .node
                .as_ref()
                .is_none_or(|node| about.nodes.contains(node))
            && (self.kind.is_none() || self.kind == about.kind)
            && !self.from.is_some_and(before)
            && !self.until.is_some_and(|bound| bound.is_before(line))
    }

    /// The options that ask for this.
    #[must_use]
    pub fn options(&self) -> String {
        let slot = self.slot.map(|slot| format!(" --slot {slot}"));
        let key = self.key.as_ref().map(|key| format!(" --key {key}"));
        let node = self.node.as_ref().map(|node| format!(" --node {node}"));
        [slot, key, node].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::about::About;
    use crate::trace::tale::Depth;

    #[test]
    fn a_line_has_to_fit_all_that_is_asked() {
        let line = Line {
            depth: Depth::Wire,
            time: Instant(2_000_000),
            number: 40,
            about: About {
                nodes: vec!["r1".to_owned(), "r2".to_owned()],
                ballot: None,
                slots: Some((3, 6)),
                key: Some("k".to_owned()),
                kind: Some("accepted".to_owned()),
            },
            state: None,
            text: String::new(),
        };
        let at = |text: &str| Some(bound(text).expect("a bound"));
        let all = Narrow {
            slot: Some(6),
            key: Some("k".to_owned()),
            node: Some("r2".to_owned()),
            kind: Some("accepted".to_owned()),
            from: at("#40"),
            until: at("2ms"),
        };
        assert!(all.wants(&line) && Narrow::default().wants(&line));
        for other in [
            Narrow {
                slot: Some(7),
                ..all.clone()
            },
            Narrow {
                key: Some("j".to_owned()),
                ..all.clone()
            },
            Narrow {
                node: Some("r3".to_owned()),
                ..all.clone()
            },
            Narrow {
                kind: Some("accept".to_owned()),
                ..all.clone()
            },
            Narrow {
                from: at("#41"),
                ..all.clone()
            },
            Narrow {
                from: at("3ms"),
                ..all.clone()
            },
            Narrow {
                until: at("#39"),
                ..all.clone()
            },
            Narrow {
                until: at("1999us"),
                ..all.clone()
            },
        ] {
            assert!(!other.wants(&line), "{other:?}");
        }
        assert!(bound("12").is_err() && bound("#x").is_err() && bound("-1s").is_err());
    }
}
