//! What clients ask on their own: which operation, on which key, with which value.
//!
//! A third of the keys take appends only (`a0`, `a1`, ...; never a put, a compare-and-set or a
//! delete); the others are called `k0`, `k1`, ... Every written value is unique in the run: `p3.17`
//! is the 17th of process 3. Appended tags end in `;`, so none is a part of another.

use std::sync::Arc;

use crate::choices::{CERTAIN, Choices, Label, Topic};
use crate::history::operation::{Action, Call, Text};
use crate::plan::{Plan, Verb, Workload};

/// The keys of a run.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// Values are padded to so many bytes.
    value_size: usize,
    /// Keys for everything but appends; then keys for appends only; then those that only a script
    /// names; last the one that the check of progress writes.
    pub names: Arc<[Text]>,
    plain: usize,
    appended: usize,
}

/// An operation that was drawn but has no value yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn {
    pub key: usize,
    pub kind: Kind,
    pub duplicate: bool,
    pub abandon: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Get,
    Put,
    Append,
    Cas,
    Delete,
}

impl Keys {
    pub fn of(plan: &Plan) -> Self {
        let (mix, keys) = (plan.workload.mix, usize::from(plan.workload.keys));
        let others = mix.put + mix.cas + mix.delete > 0;
        let appended = match (mix.append > 0, others) {
            (false, _) => 0,
            (true, false) => keys,
            (true, true) if keys < 2 => 0,
            (true, true) => (keys / 3).max(1),
        };
        let plain = keys - appended;
        let value_size = plan.workload.value_size as usize;
        let mut names: Vec<Text> = (0..plain).map(|key| text(&format!("k{key}"))).collect();
        names.extend((0..appended).map(|key| text(&format!("a{key}"))));
        for step in &plan.script {
            let key = match &step.verb {
                Verb::Invoke { call, .. } => &call.key,
                Verb::Expect {
                    what: crate::plan::Expectation::Value { key, .. },
                    ..
                } => key,
                _ => continue,
            };
            if !names.contains(key) {
                names.push(key.clone());
            }
        }
        names.push(text("progress"));
        Self {
            value_size,
            names: names.into(),
            plain,
            appended,
        }
    }

    /// Draws a client's next operation: always a word for each decision, whatever comes of it.
    pub fn draw(
        &self,
        workload: &Workload,
        client: u16,
        choices: &mut dyn Choices,
    ) -> Option<Drawn> {
        let mix = workload.mix;
        let weights = [
            (Kind::Get, mix.get),
            (Kind::Put, mix.put),
            (Kind::Append, mix.append),
            (Kind::Cas, mix.cas),
            (Kind::Delete, mix.delete),
        ];
        let total: u64 = weights.iter().map(|(_, weight)| u64::from(*weight)).sum();
        if total == 0 || self.plain + self.appended == 0 {
            return None;
        }
        let mut at = choices.draw(Label::of(Topic::Operation, client), total);
        let mut kind = Kind::Get;
        for (one, weight) in weights {
            if at < u64::from(weight) {
                kind = one;
                break;
            }
            at -= u64::from(weight);
        }
        let word = choices.draw(Label::of(Topic::Key, client), 1 << 32);
        let hot = (u64::from(workload.hot) << 32) / u64::from(CERTAIN);
        let place = |low: usize, count: usize| {
            let even = word.saturating_sub(hot) * count as u64;
            let part = even.checked_div((1 << 32) - hot).unwrap_or(0);
            low + usize::try_from(part).expect("below a usize")
        };
        let key = match kind {
            Kind::Append if self.appended > 0 => place(self.plain, self.appended),
            Kind::Get => place(0, self.plain + self.appended),
            _ => place(0, self.plain.max(1)),
        };
        if kind == Kind::Append && self.appended == 0 {
            kind = Kind::Put;
        }
        let [duplicate, abandon] = [
            (Topic::Double, workload.duplicate),
            (Topic::Abandon, workload.abandon),
        ]
        .map(|(topic, ppm)| {
            choices.draw(Label::of(topic, client), u64::from(CERTAIN)) < u64::from(ppm)
        });
        Some(Drawn {
            key,
            kind,
            duplicate,
            abandon,
        })
    }

    /// The call, now that the process is known.
    pub fn call(&self, drawn: Drawn, process: u32, number: u32, last_seen: Option<&Text>) -> Call {
        let action = match drawn.kind {
            Kind::Get => Action::Get,
            Kind::Put => Action::Put(self.value(process, number)),
            Kind::Append => Action::Append(text(&format!("p{process}.{number};"))),
            Kind::Cas => Action::Cas {
                expected: last_seen.cloned(),
                new: self.value(process, number),
            },
            Kind::Delete => Action::Delete,
        };
        Call {
            key: self.names[drawn.key].clone(),
            action,
        }
    }

    /// A value that nobody else writes.
    fn value(&self, process: u32, number: u32) -> Text {
        let mut value = format!("p{process}.{number}").into_bytes();
        value.resize(self.value_size.max(value.len()), b'x');
        value.into()
    }

    /// A write that must succeed, on a key that sees nothing else, so that it spoils nothing for
    /// checks of the others.
    pub fn write(&self, process: u32, number: u32) -> Call {
        let key = self.names.last().expect("the last key is for this").clone();
        Call {
            key,
            action: Action::Put(text(&format!("p{process}.{number}"))),
        }
    }

    pub fn index(&self, key: &Text) -> Option<usize> {
        self.names.iter().position(|name| name == key)
    }
}

fn text(text: &str) -> Text {
    Arc::from(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choices::Seeded;
    use crate::plan::Mix;
    use crate::world::testing;

    #[test]
    fn a_third_of_the_keys_take_appends_only() {
        let mut plan = testing::plan(3);
        plan.workload.keys = 6;
        plan.workload.mix = Mix {
            get: 4,
            put: 3,
            append: 2,
            cas: 1,
            delete: 1,
        };
        let keys = Keys::of(&plan);
        assert_eq!((keys.plain, keys.appended), (4, 2));
        let mut choices = Seeded::new(1);
        let mut seen = [0; 6];
        for _ in 0..2000 {
            let drawn = keys
                .draw(&plan.workload, 0, &mut choices)
                .expect("there are weights");
            seen[drawn.key] += 1;
            match drawn.kind {
                Kind::Append => assert!(drawn.key >= 4),
                Kind::Get => {}
                _ => assert!(drawn.key < 4),
            }
        }
        assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
    }

    #[test]
    fn the_hot_key_gets_its_share_and_the_others_the_rest() {
        let mut plan = testing::plan(3);
        plan.workload.keys = 4;
        plan.workload.mix = Mix {
            put: 1,
            ..Mix::default()
        };
        for (hot, expected) in [
            (0, [500, 500, 500, 500]),
            (600_000, [1400, 200, 200, 200]),
            (CERTAIN, [2000, 0, 0, 0]),
        ] {
            plan.workload.hot = hot;
            let (keys, mut choices) = (Keys::of(&plan), Seeded::new(1));
            let mut seen = [0_usize; 4];
            for _ in 0..2000 {
                let drawn = keys.draw(&plan.workload, 0, &mut choices);
                seen[drawn.expect("there are weights").key] += 1;
            }
            let close = |(seen, expected): (&usize, usize)| seen.abs_diff(expected) < 90;
            assert!(seen.iter().zip(expected).all(close), "{hot}: {seen:?}");
        }
    }

    #[test]
    fn a_tag_is_no_part_of_another() {
        let plan = testing::plan(3);
        let keys = Keys::of(&plan);
        let drawn = Drawn {
            key: 0,
            kind: Kind::Append,
            duplicate: false,
            abandon: false,
        };
        let tag = |process, number| match keys.call(drawn, process, number, None).action {
            Action::Append(tag) => String::from_utf8(tag.to_vec()).expect("tags are text"),
            _ => unreachable!("an append"),
        };
        assert_eq!(tag(3, 1), "p3.1;");
        assert!(!tag(3, 17).contains(&tag(3, 1)) && !tag(13, 1).contains(&tag(3, 1)));
    }
}
