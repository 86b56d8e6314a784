//! Finds keys and names that do not exist, keys that are missing, and values that are none, by the
//! vocabulary and before anything is made of them: so all are told at once, each in its place, with
//! what was probably meant. Values are read here as their forms read them later.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::choices::loose::Loose;
use crate::scenario::asking::{Endings, Slots};
use crate::scenario::fault_form::Parted;
use crate::scenario::form::Core;
use crate::scenario::kinds::{ANY, Kinds};
use crate::scenario::names::{Names, Naming};
use crate::scenario::overrides::Party;
use crate::scenario::problem::Problem;
use crate::scenario::select::{CLIENTS_MAX, Clients, Member, Replica, Replicas, Select, client};
use crate::scenario::value::{Choice, Shape, nearest};
use crate::scenario::vocabulary::{Key, Kind, Table, read};
use crate::scenario::words::{DISTRIBUTION, FILE, PICK};

/// All keys and names that do not exist, and keys that are missing.
#[must_use]
pub fn check(document: &DeTable<'_>, names: &Names) -> Vec<Problem> {
    let text = |table: &DeTable<'_>| {
        let subject = table.get("subject").map(Spanned::get_ref);
        subject.and_then(DeValue::as_str).map(str::to_owned)
    };
    let repro = document.get("repro").map(Spanned::get_ref);
    let repro = repro.and_then(DeValue::as_table);
    let mut speller = Speller {
        names,
        subject: repro.and_then(text).or_else(|| text(document)),
        problems: Vec::new(),
    };
    speller.walk(document, &FILE, None);
    let mut problems = speller.problems;
    problems.sort_by_key(|problem| problem.place.as_ref().map_or(0, |place| place.start));
    problems
}

struct Speller<'a> {
    names: &'a Names,
    /// The engine under test; none: the usual one.
    subject: Option<String>,
    problems: Vec<Problem>,
}

impl Speller<'_> {
    fn walk(&mut self, table: &DeTable<'_>, known: &'static Table, place: Option<&Range<usize>>) {
        for (name, value) in table {
            match known.key(name.get_ref()) {
                Some(key) => {
                    let before = self.problems.len();
                    self.value_of(key.name, value, key.kind);
                    if self.problems.len() == before {
                        self.bounded(value, key);
                    }
                }
                None => self.problems.push(unknown(name, known)),
            }
        }
        for key in known
            .keys
            .iter()
            .filter(|key| key.required && !table.contains_key(key.name))
        {
            let title = format!("the key `{}` is missing", key.name);
            let help = format!("add `{} = ..`: {}", key.name, key.doc);
            self.problems.push(match place {
                Some(place) => Problem::at(
                    place.clone(),
                    title,
                    format!("no `{}` here", key.name),
                    help,
                ),
                None => Problem::of_file(title, help),
            });
        }
    }

    /// Follows a value that is a table, or a list of tables, to its own keys; reads what is neither,
    /// and looks names up.
    fn value_of(&mut self, name: &str, value: &Spanned<DeValue<'_>>, kind: Kind) {
        let place = value.span();
        match (value.get_ref(), kind) {
            (DeValue::Datetime(date), _) => {
                let title = format!("the date `{date}` does not belong here");
                let help = format!("`{name}` takes no date: put a text into quotes");
                self.wrong(place, title, "of another type", help);
            }
            (
                DeValue::Table(table),
                Kind::Table(known) | Kind::ReplicasOr(known) | Kind::WordsOr(_, known),
            ) => self.walk(table, known, Some(&place)),
            (DeValue::Table(table), Kind::Distribution) => {
                let before = self.problems.len();
                self.walk(table, &DISTRIBUTION, Some(&place));
                if self.problems.len() == before {
                    self.reads::<Shape>(value);
                }
            }
            (DeValue::Table(table), _) if kind.is_picked() => self.pick(name, table, kind, &place),
            (DeValue::Array(list), Kind::PerReplica(measure)) => {
                for entry in list.iter() {
                    self.value_of(name, entry, Kind::Quantity(measure));
                }
            }
            (DeValue::Array(list), Kind::Tables(known)) => {
                for entry in list.iter() {
                    match entry.get_ref() {
                        DeValue::Table(table) => self.walk(table, known, Some(&entry.span())),
                        _ => self.no_table(name, entry.span(), true),
                    }
                }
            }
            (DeValue::Array(list), Kind::Groups) => {
                for member in list.iter().filter_map(|side| side.get_ref().as_array()) {
                    member.iter().for_each(|one| self.reads::<Member>(one));
                }
                if list.iter().any(|side| !side.get_ref().is_array()) {
                    self.reads::<Vec<Vec<Member>>>(value);
                }
            }
            (DeValue::Array(list), Kind::Loose) => list.iter().for_each(|one| self.loose(one)),
            (DeValue::Array(list), Kind::AllNamed(naming) | Kind::SomeNamed(naming)) => {
                if list.is_empty() && matches!(kind, Kind::SomeNamed(_)) {
                    self.reads::<Kinds>(value);
                }
                for entry in list.iter() {
                    self.value_of(name, entry, Kind::Named(naming));
                }
            }
            (DeValue::String(text), Kind::Named(naming)) => self.look_up(text, &place, naming, &[]),
            (DeValue::String(text), Kind::SomeNamed(naming)) => {
                self.look_up(text, &place, naming, &[ANY]);
            }
            (DeValue::String(text), Kind::FilePrefix) => self.file(text, place),
            (DeValue::String(digest), Kind::Digest) => self.digest(digest, place),
            (_, Kind::Table(_)) => self.no_table(name, place, false),
            (_, Kind::Tables(_)) => self.no_table(name, place, true),
            _ => self.leaf(name, value, kind),
        }
    }

    /// A value with nothing in it to follow.
    fn leaf(&mut self, name: &str, value: &Spanned<DeValue<'_>>, kind: Kind) {
        match kind {
            Kind::Text | Kind::FilePrefix | Kind::Named(_) | Kind::Digest => {
                self.reads::<String>(value);
            }
            Kind::AllNamed(_) | Kind::Loose => self.reads::<Vec<String>>(value),
            Kind::SomeNamed(_) => self.reads::<Kinds>(value),
            Kind::Bool => self.reads::<bool>(value),
            Kind::Flag => self.reads::<Choice<bool>>(value),
            Kind::Word(words) | Kind::Words(words) | Kind::WordsOr(words, _) => {
                self.word(name, value, words);
            }
            Kind::Sequence(words) => {
                if read::<Vec<String>>(value).is_ok_and(|found| found == words) {
                    return;
                }
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                let help = format!("write [{}]", words.join(", "));
                self.wrong(value.span(), "no such pair", "unknown", help);
            }
            Kind::Distribution => self.reads::<Shape>(value),
            Kind::Replicas | Kind::ReplicasOr(_) => self.reads::<Select>(value),
            Kind::Replica => self.reads::<Replica>(value),
            Kind::Slots => self.reads::<Slots>(value),
            Kind::Order => self.reads::<Replicas>(value),
            Kind::Clients => self.reads::<Clients>(value),
            Kind::Parted => self.reads::<Parted>(value),
            Kind::Client => {
                let text = value.get_ref().as_str();
                if text.is_some_and(|name| client(name).is_some()) {
                    return;
                }
                let title = text.map_or_else(
                    || "this is not the name of a client".to_owned(),
                    |text| format!("`{text}` is not the name of a client"),
                );
                let help = format!("clients are named c1 to c{CLIENTS_MAX}");
                self.wrong(value.span(), title, "unknown client", help);
            }
            Kind::Party => self.reads::<Party>(value),
            Kind::Core => self.reads::<Core>(value),
            Kind::Endings => self.reads::<Endings>(value),
            Kind::Groups => self.reads::<Vec<Vec<Member>>>(value),
            // Bounds are looked at by who knows the key.
            Kind::Quantity(measure) | Kind::PerReplica(measure) => {
                self.problems.extend((measure.read)(value).err());
            }
            Kind::Whole => {
                if whole(value.get_ref()).is_none() {
                    let help = "write it without a fraction, a unit or quotes: 3";
                    self.wrong(
                        value.span(),
                        "this is no whole number",
                        "not a number",
                        help,
                    );
                }
            }
            Kind::Options | Kind::Table(_) | Kind::Tables(_) => {}
        }
    }

    fn reads<T: for<'de> serde::Deserialize<'de>>(&mut self, value: &Spanned<DeValue<'_>>) {
        self.problems.extend(read::<T>(value).err());
    }

    fn wrong(
        &mut self,
        place: Range<usize>,
        title: impl Into<String>,
        label: &str,
        help: impl Into<String>,
    ) {
        self.problems.push(Problem::at(place, title, label, help));
    }

    fn word(&mut self, name: &str, value: &Spanned<DeValue<'_>>, words: &[&'static str]) {
        let allowed: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let allowed = allowed.join(", ");
        let Some(text) = value.get_ref().as_str() else {
            let help = format!("write one of {allowed}");
            self.wrong(
                value.span(),
                format!("this is no value of `{name}`"),
                "unknown",
                help,
            );
            return;
        };
        if words.contains(&text) {
            return;
        }
        let meant = nearest(text, words.iter().copied())
            .map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
        self.wrong(
            value.span(),
            format!("`{text}` is no value of `{name}`"),
            "unknown",
            format!("{meant}write one of {allowed}"),
        );
    }

    /// `{ pick = [..] }`: each option is one that could stand alone.
    fn pick(&mut self, name: &str, table: &DeTable<'_>, kind: Kind, place: &Range<usize>) {
        self.walk(table, &PICK, Some(place));
        let Some(options) = table.get("pick") else {
            return;
        };
        match options.get_ref().as_array() {
            Some(list) if list.is_empty() => self.wrong(
                options.span(),
                "nothing to pick from",
                "an empty list",
                "write `{ pick = [..] }` with at least one value",
            ),
            Some(list) => {
                for option in list.iter() {
                    self.value_of(name, option, kind);
                }
            }
            None => self.wrong(
                options.span(),
                "this is no list to pick from",
                "not a list",
                "write `{ pick = [..] }`",
            ),
        }
    }

    fn no_table(&mut self, name: &str, place: Range<usize>, list: bool) {
        let (title, help) = if list {
            let help = match name {
                "fault" => {
                    "write [[nemesis.fault]] on a line of its own, and its keys below".into()
                }
                _ => format!("write [[{name}]] on a line of its own, and its keys below"),
            };
            (format!("`{name}` is a list of tables"), help)
        } else if FILE
            .key(name)
            .is_some_and(|key| matches!(key.kind, Kind::Table(_)))
        {
            let help = format!("write [{name}] on a line of its own, and its keys below");
            (format!("`{name}` is a section"), help)
        } else {
            (
                format!("`{name}` is a table"),
                format!("write {name} = {{ KEY = VALUE }}"),
            )
        };
        self.wrong(place, title, "not a table", help);
    }

    /// Something that a file's disk held.
    fn loose(&mut self, value: &Spanned<DeValue<'_>>) {
        let before = self.problems.len();
        self.reads::<String>(value);
        let Some(text) = value.get_ref().as_str() else {
            return;
        };
        match Loose::try_from(text.to_owned()) {
            Err(help) => {
                let (title, help) = help.split_once(": ").unwrap_or((&help, ""));
                self.wrong(value.span(), title, "unknown", help);
            }
            Ok(loose) if self.problems.len() == before => {
                self.file(loose.file.as_str(), value.span());
            }
            Ok(_) => {}
        }
    }

    /// A file's name, or how it begins: the subject has such files.
    fn file(&mut self, prefix: &str, place: Range<usize>) {
        let known = self.names.files(self.subject.as_deref());
        let fits = |known: &str| known.starts_with(prefix) || prefix.starts_with(known);
        if known.is_empty() || known.iter().any(|known| fits(known)) {
            return;
        }
        let meant = nearest(prefix, known.iter().copied())
            .map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
        self.wrong(
            place,
            format!("no file of this engine begins with `{prefix}`"),
            "matches nothing",
            format!("{meant}its files begin with {}", known.join(", ")),
        );
    }

    /// A number, or the ends of a quantity, within the bounds of its key.
    fn bounded(&mut self, value: &Spanned<DeValue<'_>>, key: &Key) {
        let Some(bounds) = key.bounds else { return };
        let (low, high, shown) = match key.kind {
            Kind::Quantity(measure) => match (measure.read)(value) {
                Err(_) => return,
                Ok((low, high)) => {
                    let (first, last) = ((measure.show)(low), (measure.show)(high));
                    (i128::from(low), i128::from(high), (first, last))
                }
            },
            _ => match whole(value.get_ref()) {
                None => return,
                Some(number) => (number, number, (number.to_string(), number.to_string())),
            },
        };
        if bounds.min <= low && high <= bounds.max {
            return;
        }
        let what = match shown {
            (low, high) if low == high => low,
            (low, high) => format!("{low} to {high}"),
        };
        let title = format!("{what} is out of bounds");
        self.wrong(value.span(), title, "out of bounds", bounds.help);
    }

    fn digest(&mut self, digest: &str, place: Range<usize>) {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if digest.len() != 16 || !digest.bytes().all(digit) {
            self.problems.push(Problem::at(
                place,
                format!("`{digest}` is not a digest"),
                "unreadable",
                "a digest has 16 hexadecimal digits in lower case, as `synod replay` prints them: \
                 leave it out, and none is compared",
            ));
        }
    }

    /// `also` says what is as good as a name there.
    fn look_up(&mut self, name: &str, place: &Range<usize>, naming: Naming, also: &[&'static str]) {
        // A scenario that names no engine may be run with any.
        let mut known = match (naming, &self.subject) {
            (Naming::Message, None) => self.names.all(naming),
            (_, subject) => self.names.of(naming, subject.as_deref()),
        };
        if known.is_empty() && naming == Naming::Bug {
            self.wrong(
                place.clone(),
                "in this engine no bug can be planted",
                "no bugs",
                "leave it out",
            );
        }
        if known.is_empty() {
            return;
        }
        known.extend(also);
        if known.contains(&name) {
            return;
        }
        known.sort_unstable();
        let meant = nearest(name, known.iter().copied())
            .map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
        let all = match naming {
            Naming::Bug => "`synod bugs list` shows all".to_owned(),
            _ => format!("known: {}", known.join(", ")),
        };
        self.problems.push(Problem::at(
            place.clone(),
            format!("`{name}` is not {}", naming.what()),
            "unknown",
            format!("{meant}{all}"),
        ));
    }
}

/// The whole number that stands there.
fn whole(value: &DeValue<'_>) -> Option<i128> {
    let number = value.as_integer()?;
    i128::from_str_radix(number.as_str(), number.radix()).ok()
}

fn unknown(name: &Spanned<std::borrow::Cow<'_, str>>, known: &Table) -> Problem {
    let text = name.get_ref();
    let meant = known
        .meant(text)
        .map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
    let keys = known.names(false).join(", ");
    let allowed = if known.verbs {
        format!(
            "verbs: {}; other keys: {keys}",
            known.names(true).join(", ")
        )
    } else {
        format!("allowed: {keys}")
    };
    Problem::at(
        name.span(),
        format!("unknown key `{text}`"),
        format!("not {}", known.what),
        format!("{meant}{allowed}"),
    )
}
