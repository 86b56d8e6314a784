//! A page within so many bytes: what is far from the violation goes first, and the page says how much
//! went.

use crate::page::model::{At, Change, Happening, Message, Page};

/// Longer texts are cut.
const TEXT_MAX: usize = 4_000;
/// Of each of these there are at most so many: figures, lanes, names, states.
const LIST_MAX: usize = 600;
/// So many times a page is made smaller, at most; each time half of what there is goes.
const TRIES: usize = 40;

impl Page {
    /// The page as JSON of at most so many bytes.
    #[must_use]
    pub fn json_within(&self, bytes: usize) -> String {
        let mut page = self.clone();
        page.clip(TEXT_MAX);
        let mut json = page.json();
        for round in 0..TRIES {
            if json.len() <= bytes {
                return json;
            }
            // Texts come last: a page of few events, and each with all that it says, is of more use.
            if round >= 8 {
                page.clip(TEXT_MAX >> (round - 7).min(8));
            }
            page.halve();
            json = page.json();
        }
        let title = page.title;
        Self {
            title,
            verdict: page.verdict,
            failed: page.failed,
            ..Self::default()
        }
        .json()
    }

    fn json(&self) -> String {
        serde_json::to_string(self).expect("plain data")
    }

    /// What the page is about: the violation, or the end.
    #[must_use]
    pub fn centre(&self) -> At {
        self.violation.unwrap_or(self.end)
    }

    /// Leaves half of everything out, what is far from the centre.
    fn halve(&mut self) {
        let rows = self.messages.len() + self.happenings.len();
        self.narrow(rows / 2);
        let centre = self.centre().number;
        keep_near(&mut self.operations, &mut self.operations_left_out, |one| {
            distance(one.call, one.ret.unwrap_or(one.call), centre)
        });
        keep_near(&mut self.spans, &mut self.spans_left_out, |one| {
            distance(one.from, one.to, centre)
        });
        if let Some(why) = &mut self.explanation {
            let half = why.order.len() / 2;
            why.order_left_out += why.order.drain(..half).len() as u64;
            why.guilty.truncate(8);
        }
        let half = self.bake_in.len() / 2;
        self.bake_in.drain(..half);
    }

    /// Leaves out messages and happenings until there are so many, those that are farthest from the
    /// centre first: three of four that stay lie before it.
    pub fn narrow(&mut self, rows: usize) {
        let mut numbers: Vec<u64> = self.messages.iter().map(Message::number).collect();
        numbers.extend(self.happenings.iter().map(|one| one.at.number));
        numbers.sort_unstable();
        if numbers.len() <= rows {
            return;
        }
        let centre = numbers.partition_point(|number| *number <= self.centre().number);
        let last = (centre + rows / 4).min(numbers.len()).max(rows);
        let first = last - rows;
        let low = numbers.get(first).copied().unwrap_or(u64::MAX);
        let high = numbers.get(last).copied().unwrap_or(u64::MAX);
        let events = |from: u64, to: u64| {
            let within = |number: u64| (from..to).contains(&number);
            let messages = self.messages.iter().filter(|one| within(one.number()));
            let happenings = self.happenings.iter().filter(|one| within(one.at.number));
            messages.map(Message::events).sum::<u64>() + happenings.count() as u64
        };
        let (before, behind) = (events(0, low), events(high, u64::MAX));
        self.window.before += before;
        self.window.behind += behind;
        for one in &self.happenings {
            if let Some(state) = one
                .lane
                .and_then(|lane| self.states.get_mut(usize::from(lane)))
                && one.at.number < low
            {
                apply(state, &one.changes);
            }
        }
        let stays = |number: u64| (low..high).contains(&number);
        self.messages.retain(|one| stays(one.number()));
        self.happenings.retain(|one| stays(one.at.number));
        let firsts = self.messages.iter().map(Message::first);
        let ats = firsts.chain(self.happenings.iter().map(|one| one.at));
        if let Some(from) = ats.clone().min() {
            self.window.from = from;
        }
        if high != u64::MAX
            && let Some(to) = ats.max()
        {
            self.window.to = to;
        }
    }

    /// Cuts what is too long to be read.
    fn clip(&mut self, most: usize) {
        let cut = |text: &mut String| clip(text, most);
        cut(&mut self.title);
        cut(&mut self.verdict);
        [&mut self.check, &mut self.message, &mut self.reproduce]
            .into_iter()
            .flatten()
            .for_each(cut);
        self.figures.truncate(LIST_MAX);
        for (name, value) in &mut self.figures {
            cut(name);
            cut(value);
        }
        self.lanes.iter_mut().for_each(|lane| cut(&mut lane.name));
        self.kinds.iter_mut().for_each(cut);
        self.ballots.iter_mut().for_each(cut);
        self.aspects.iter_mut().for_each(cut);
        self.spans.iter_mut().for_each(|span| cut(&mut span.name));
        self.states
            .iter_mut()
            .flatten()
            .for_each(|(_, value)| cut(value));
        for Happening { text, changes, .. } in &mut self.happenings {
            cut(text);
            changes.iter_mut().for_each(|(_, value)| cut(value));
        }
        for operation in &mut self.operations {
            cut(&mut operation.text);
            operation.key.iter_mut().for_each(cut);
        }
        if let Some(why) = &mut self.explanation {
            cut(&mut why.text);
        }
        self.waits.truncate(LIST_MAX);
        self.waits.iter_mut().for_each(|(name, _)| cut(name));
    }
}

impl Message {
    /// When it is first seen.
    #[must_use]
    pub fn first(&self) -> At {
        let arrived = self.delivered.first().copied();
        self.sent.or(arrived).unwrap_or_default()
    }

    /// Of how many events it consists: its sending, and each arrival.
    #[must_use]
    pub fn events(&self) -> u64 {
        u64::from(self.sent.is_some()) + self.delivered.len() as u64
    }

    /// The number by which it is ordered.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.first().number
    }
}

/// Changes come over a state.
pub fn apply(state: &mut Vec<Change>, changes: &[Change]) {
    for (aspect, value) in changes {
        match state.iter_mut().find(|(known, _)| known == aspect) {
            Some((_, old)) => old.clone_from(value),
            None => state.push((*aspect, value.clone())),
        }
    }
}

/// How far a time is from the centre, 0 when the centre lies in it.
const fn distance(from: At, to: At, centre: u64) -> u64 {
    if centre < from.number {
        from.number - centre
    } else {
        centre.saturating_sub(to.number)
    }
}

/// Keeps the half that is nearest, in its order.
fn keep_near<T>(list: &mut Vec<T>, left_out: &mut u64, far: impl Fn(&T) -> u64) {
    let half = list.len() / 2;
    let mut distances: Vec<u64> = list.iter().map(&far).collect();
    distances.sort_unstable();
    let Some(limit) = half
        .checked_sub(1)
        .and_then(|last| distances.get(last).copied())
    else {
        *left_out += list.len() as u64;
        list.clear();
        return;
    };
    let before = list.len();
    let mut room = half;
    list.retain(|one| {
        let stays = far(one) <= limit && room > 0;
        room -= usize::from(stays);
        stays
    });
    *left_out += (before - list.len()) as u64;
}

/// Cuts a text at so many characters, and says so.
pub fn clip(text: &mut String, most: usize) {
    if text.len() <= most {
        return;
    }
    if let Some((at, _)) = text.char_indices().nth(most) {
        text.truncate(at);
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::model::{Lane, Operation, Window};

    fn at(number: u64) -> At {
        At {
            number,
            time: number * 1_000,
        }
    }

    fn long(events: u64) -> Page {
        Page {
            title: "a run".to_owned(),
            lanes: vec![Lane::default()],
            states: vec![Vec::new()],
            aspects: vec!["boot".to_owned()],
            end: at(events),
            violation: Some(at(events / 2)),
            window: Window {
                to: at(events),
                ..Window::default()
            },
            happenings: (0..events)
                .map(|number| Happening {
                    at: at(number),
                    lane: Some(0),
                    text: format!("\u{202e}<script>{number}"),
                    changes: vec![(0, number.to_string())],
                    ..Happening::default()
                })
                .collect(),
            operations: (0..1_000)
                .map(|id| Operation {
                    id,
                    call: at(u64::from(id)),
                    text: "x".repeat(5_000),
                    ..Operation::default()
                })
                .collect(),
            ..Page::default()
        }
    }

    #[test]
    fn what_is_left_lies_round_the_violation_and_begins_with_the_state_of_then() {
        let mut page = long(1_000);
        page.narrow(100);
        let numbers: Vec<u64> = page.happenings.iter().map(|one| one.at.number).collect();
        assert_eq!((numbers.len(), numbers[0], numbers[99]), (100, 426, 525));
        assert_eq!(page.states, [[(0, "425".to_owned())]]);
        assert_eq!((page.window.before, page.window.behind), (426, 474));
        assert_eq!((page.window.from, page.window.to), (at(426), at(525)));
    }

    #[test]
    fn a_page_keeps_to_its_bytes_and_says_what_it_left_out() {
        let page = long(20_000);
        let whole = page.json_within(usize::MAX);
        for bytes in [whole.len() / 3, 100_000, 20_000, 1_000] {
            let json = page.json_within(bytes);
            assert!(json.len() <= bytes, "{} of {bytes}", json.len());
            let back: Page = serde_json::from_str(&json).expect("JSON");
            assert_eq!(back.title, "a run");
            let told = back.happenings.len() as u64 + back.window.before + back.window.behind;
            assert!(told == 20_000 || bytes == 1_000, "{told} in {bytes}");
        }
    }

    #[test]
    fn what_is_nearest_stays_in_order() {
        let (mut list, mut left_out) = (vec![9_u64, 1, 5, 4, 6, 30], 0);
        keep_near(&mut list, &mut left_out, |one| one.abs_diff(5));
        assert_eq!((list, left_out), (vec![5, 4, 6], 3));
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let mut text = "äöü".to_owned();
        clip(&mut text, 2);
        assert_eq!(text, "äö…");
    }
}
