//! A plan in as few lines as the format allows: an entry is left out when the file that lacks it
//! means the same. So no default is known here; the reader of scenarios knows them all.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use synod_reports::record::RunRecord;

use crate::glossary::names;
use crate::plan::Plan;
use crate::plan::draw::draw;
use crate::plan::pin::{to_toml, to_toml_titled};
use crate::scenario::form::Repro;
use crate::scenario::load::parse;
use crate::scenario::names::{Names, Naming};

/// Reads plans back, and writes them.
pub struct Scribe {
    names: Names,
    repro: Repro,
}

/// A setting's place: its section, and its key.
pub type Place = (String, String);

/// A plan as lines: what comes before the settings, the settings, and what is a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Brief {
    /// `format`, title and `[repro]`.
    pub head: Vec<String>,
    /// The settings that are written, as `key = value`, by their places.
    pub settings: Vec<(Place, String)>,
    /// Overrides and steps.
    pub lists: Vec<String>,
}

impl Brief {
    /// Takes a pinned plan apart.
    fn of(text: &str) -> Self {
        let mut brief = Self {
            head: Vec::new(),
            settings: Vec::new(),
            lists: Vec::new(),
        };
        let mut section = String::new();
        for line in text.lines() {
            if line.starts_with("[[") || !brief.lists.is_empty() {
                brief.lists.push(line.to_owned());
            } else if let Some(name) = line
                .strip_prefix('[')
                .and_then(|line| line.strip_suffix(']'))
                && name != "repro"
            {
                name.clone_into(&mut section);
            } else if section.is_empty() {
                brief.head.push(line.to_owned());
            } else if let Some((key, _)) = line.split_once(" = ") {
                let place = (section.clone(), key.to_owned());
                brief.settings.push((place, line.to_owned()));
            }
        }
        while brief.head.last().is_some_and(String::is_empty) {
            brief.head.pop();
        }
        brief
    }

    /// The same with these settings alone.
    fn with(&self, kept: impl Fn(&Place) -> bool) -> Self {
        Self {
            settings: self
                .settings
                .iter()
                .filter(|(place, _)| kept(place))
                .cloned()
                .collect(),
            ..self.clone()
        }
    }

    /// The same without these settings.
    #[must_use]
    pub fn without(&self, gone: impl Fn(&Place) -> bool) -> Self {
        self.with(|place| !gone(place))
    }

    /// The lines of each fault, step or single decision in [`Self::lists`], its empty line included.
    #[must_use]
    pub fn blocks(&self) -> Vec<Range<usize>> {
        let starts = self
            .lists
            .iter()
            .enumerate()
            .filter(|(_, line)| line.starts_with("[["));
        let starts: Vec<usize> = starts.map(|(place, _)| place).collect();
        let ends = starts.iter().skip(1).copied().chain([self.lists.len()]);
        starts
            .iter()
            .copied()
            .zip(ends)
            .map(|(start, end)| start..end)
            .collect()
    }

    /// The same without one of its [`Self::blocks`].
    #[must_use]
    pub fn without_block(&self, block: &Range<usize>) -> Self {
        let mut left = self.clone();
        left.lists.drain(block.clone());
        left
    }

    /// All lines, each with the section that it opens in front of it.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.head.clone();
        let mut section = "";
        for ((name, _), line) in &self.settings {
            if section != name {
                lines.extend([String::new(), format!("[{name}]")]);
                section = name;
            }
            lines.push(line.clone());
        }
        if !self.lists.is_empty() {
            lines.push(String::new());
        }
        lines.extend(self.lists.iter().cloned());
        lines
    }

    /// The file.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines().join("\n") + "\n"
    }

    /// Lines that say something of faults and single decisions.
    #[must_use]
    pub fn decisions(&self) -> usize {
        let says = |line: &&String| !line.is_empty();
        self.lists.iter().filter(says).count()
    }

    /// Lines that say something, beside the head.
    #[must_use]
    pub fn length(&self) -> usize {
        let sections: BTreeSet<&str> = self
            .settings
            .iter()
            .map(|((name, _), _)| name.as_str())
            .collect();
        self.settings.len() + sections.len() + self.decisions()
    }
}

impl Scribe {
    /// One for reproducers of this origin.
    #[must_use]
    pub fn new(repro: Repro) -> Self {
        Self {
            names: names(),
            repro,
        }
    }

    /// One that says what this run showed.
    #[must_use]
    pub fn of(mut self, record: &RunRecord) -> Self {
        self.repro.check.clone_from(&record.check);
        self.repro.digest = Some(record.digest.clone());
        self
    }

    /// The file with this title and reason, and all that is known of its origin.
    #[must_use]
    pub fn titled(&self, brief: &Brief, plan: &Plan, title: &str, why: &str) -> Brief {
        let mut titled = brief.clone();
        titled.head = Brief::of(&to_toml_titled(plan, &self.repro, title, why)).head;
        titled
    }

    /// The kinds of messages that a file can name. None, where nobody reads them.
    #[must_use]
    pub fn message_kinds(&self) -> Vec<&'static str> {
        self.names
            .of(Naming::Message, self.repro.subject.as_deref())
    }

    /// The plan of a file; none when it cannot be read.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Plan> {
        let scenario = parse("shrunk", text, &[], &self.names).ok()?;
        Some(draw(&scenario, self.repro.seed).without_lines())
    }

    /// The plan as it is read back; none when it cannot be written as it is.
    #[must_use]
    pub fn settled(&self, plan: &Plan) -> Option<Plan> {
        self.read(&to_toml(plan, &self.repro))
            .filter(|read| read == plan)
    }

    /// The plan in few lines.
    #[must_use]
    pub fn brief(&self, plan: &Plan) -> Brief {
        let whole = Brief::of(&to_toml(plan, &self.repro));
        let same = |brief: &Brief| self.read(&brief.text()).as_ref() == Some(plan);
        let mut brief = self.needed(plan, &whole);
        // One by one: what is default beside the others that are written.
        for (place, _) in brief.settings.clone() {
            let without = brief.without(|other| *other == place);
            if same(&without) {
                brief = without;
            }
        }
        let mut unnumbered = brief.clone();
        unnumbered
            .lists
            .retain(|line| !line.starts_with("number = "));
        if same(&unnumbered) { unnumbered } else { brief }
    }

    /// Writes more and more of what a file without it means otherwise.
    fn needed(&self, plan: &Plan, whole: &Brief) -> Brief {
        let mut kept: BTreeSet<Place> = BTreeSet::new();
        kept.insert(("cluster".to_owned(), "replicas".to_owned()));
        loop {
            let brief = whole.with(|place| kept.contains(place));
            let read = self.read(&brief.text());
            if read.as_ref() == Some(plan) {
                return brief;
            }
            let Some(read) = read else {
                return whole.clone();
            };
            let other = Brief::of(&to_toml(&read, &self.repro));
            let other: BTreeMap<&Place, &String> = other
                .settings
                .iter()
                .map(|(place, line)| (place, line))
                .collect();
            let before = kept.len();
            let differ = |(place, line): &&(Place, String)| other.get(place) != Some(&line);
            kept.extend(
                whole
                    .settings
                    .iter()
                    .filter(differ)
                    .map(|(place, _)| place.clone()),
            );
            if kept.len() == before {
                return whole.clone();
            }
        }
    }
}
