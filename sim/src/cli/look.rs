//! Looking at one moment of a run, or at the place where it parts from another.

use clap::Args;
use synod_reports::table::count;

use crate::cli::narrow::{Bound, Narrow, bound};
use crate::cli::which::Which;
use crate::trace::portrait::ASPECTS;
use crate::trace::tale::{Line, State};

/// So many lines of each run are shown from where they part.
const LINES: usize = 10;

/// What is looked at.
#[derive(Args, Clone, Debug, Default)]
pub struct Look {
    /// End the story at the first line that holds this text, and show each replica as it is then
    #[arg(long = "break", env = "SYNOD_BREAK", value_name = "TEXT")]
    stop: Option<String>,
    /// Show each replica as it is at this time or after this event; with --from, what has changed
    /// since
    #[arg(long, env = "SYNOD_STATE", value_name = "TIME|#EVENT", value_parser = bound)]
    state: Option<Bound>,
    /// Show where the story parts from that of another run: a seed of the same scenario, or the
    /// file of a reproducer
    #[arg(long, env = "SYNOD_DIFF", value_name = "SEED|REPRO")]
    diff: Option<String>,
}

impl Look {
    /// Whether a story is asked for.
    #[must_use]
    pub const fn is_of_story(&self) -> bool {
        self.stop.is_some()
    }

    /// Whether states are asked for, and no story.
    #[must_use]
    pub const fn is_of_states(&self) -> bool {
        self.state.is_some()
    }

    /// The story up to where it is to end.
    ///
    /// # Errors
    /// When that does not come.
    pub fn until_break<'a>(&self, tale: &'a [Line]) -> Result<&'a [Line], String> {
        let Some(text) = &self.stop else {
            return Ok(tale);
        };
        match tale.iter().position(|line| line.text.contains(&text[..])) {
            Some(at) => Ok(&tale[..=at]),
            None => Err(format!("no line of the story holds `{text}`")),
        }
    }

    /// The states that are asked for.
    #[must_use]
    pub fn states(&self, tale: &[Line], narrow: &Narrow) -> String {
        let upto = |bound: Bound| {
            let behind = |line: &&Line| !bound.is_before(line);
            tale.iter().take_while(behind).collect::<Vec<_>>()
        };
        let (moment, lines) = match (self.state, &self.stop) {
            (Some(at), _) => (at.to_string(), upto(at)),
            (None, Some(_)) => {
                let lines: Vec<&Line> = tale.iter().collect();
                let last = lines.last().map_or(0, |line| line.number);
                (format!("#{last}"), lines)
            }
            (None, None) => return String::new(),
        };
        let now = states(&lines);
        let since = narrow
            .from()
            .filter(|_| self.state.is_some())
            .map(|from| (from, states(&upto(from))));
        match since {
            None => {
                let shown = now
                    .iter()
                    .map(|(node, state)| format!("  {node} {}\n", all(state)));
                format!("\nThe replicas at {moment}:\n{}", shown.collect::<String>())
            }
            Some((from, before)) => {
                let shown = now.iter().map(|(node, state)| {
                    let was = before.iter().find(|(one, _)| one == node);
                    format!("  {node} {}\n", changed(was.map(|(_, was)| *was), state))
                });
                format!(
                    "\nThe replicas at {moment}, and what has changed since {from}:\n{}",
                    shown.collect::<String>()
                )
            }
        }
    }

    /// The run that this one is compared with.
    #[must_use]
    pub fn other(&self, which: &Which) -> Option<Which> {
        let other = self.diff.as_ref()?;
        Some(match other.parse() {
            Ok(seed) => Which {
                seed: Some(seed),
                ..which.clone()
            },
            Err(_) => Which {
                target: other.clone(),
                seed: None,
            },
        })
    }
}

/// Where two stories part, of those lines that are wanted.
#[must_use]
pub fn parting(
    (one, tale): (&str, &[Line]),
    (two, other): (&str, &[Line]),
    wants: impl Fn(&Line) -> bool,
    is_same: impl Fn(&Line, &Line) -> bool,
) -> String {
    let wanted = |tale: &'_ [Line]| tale.iter().filter(|line| wants(line)).cloned().collect();
    let (here, there): (Vec<Line>, Vec<Line>) = (wanted(tale), wanted(other));
    let pairs = here.iter().zip(&there);
    let same = pairs.take_while(|(one, two)| is_same(one, two)).count();
    if here.len() == same && there.len() == same {
        return format!(
            "\nThe two stories are the same, {}.\n",
            count(same as u64, "line")
        );
    }
    let next = |name: &str, lines: &[Line]| {
        let mut text = format!("{name}:\n");
        for line in lines[same..].iter().take(LINES) {
            text.push_str(&format!("  {line}\n"));
        }
        if lines.len() == same {
            text.push_str("  nothing more\n");
        }
        text
    };
    let first = match same {
        0 => "They part at once.".to_owned(),
        same => format!("They part after {}.", count(same as u64, "equal line")),
    };
    format!("\n{first}\n{}{}", next(one, &here), next(two, &there))
}

/// The last state of each replica.
fn states<'a>(lines: &[&'a Line]) -> Vec<(&'a str, &'a State)> {
    let mut last = std::collections::BTreeMap::new();
    for state in lines.iter().filter_map(|line| line.state.as_ref()) {
        last.insert(&state.node[..], state);
    }
    last.into_iter().collect()
}

fn all(state: &State) -> String {
    let said = ASPECTS
        .iter()
        .zip(&state.aspects)
        .filter(|(_, value)| !value.is_empty());
    let said = said.map(|(name, value)| format!("{name} {value}"));
    said.collect::<Vec<_>>().join(", ")
}

fn changed(was: Option<&State>, is: &State) -> String {
    let none = Default::default();
    let before = was.map_or(&none, |was| &was.aspects);
    let each = ASPECTS.iter().zip(before.iter().zip(&is.aspects));
    let other = each
        .filter(|(_, (was, is))| was != is)
        .map(|(name, (was, is))| {
            let or_none = |text: &str| {
                if text.is_empty() {
                    "none".to_owned()
                } else {
                    text.to_owned()
                }
            };
            format!("{name} {} -> {}", or_none(was), or_none(is))
        });
    let other = other.collect::<Vec<_>>().join(", ");
    if other.is_empty() {
        "has not changed".to_owned()
    } else {
        other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;
    use crate::trace::about::About;
    use crate::trace::tale::Depth;

    fn line(number: u64, text: &str, state: Option<(&str, &str, &str)>) -> Line {
        let state = state.map(|(node, life, chosen)| {
            State {
                node: node.to_owned(),
                aspects: ["", "", "", "", "", "", ""].map(str::to_owned),
            }
            .with(life, chosen)
        });
        Line {
            depth: Depth::Story,
            time: Instant(number * 1_000_000),
            number,
            about: About::default(),
            state,
            text: text.to_owned(),
        }
    }

    impl State {
        fn with(mut self, life: &str, chosen: &str) -> Self {
            self.aspects[0] = life.to_owned();
            self.aspects[5] = chosen.to_owned();
            self
        }
    }

    fn tale() -> Vec<Line> {
        vec![
            line(1, "r1 takes part", Some(("r1", "up", ""))),
            line(2, "r2 takes part", Some(("r2", "up", ""))),
            line(3, "c1 asks", None),
            line(4, "r1 chooses", Some(("r1", "up", "7"))),
            line(5, "r2 is killed", Some(("r2", "down", ""))),
        ]
    }

    #[test]
    fn a_story_ends_where_it_is_told_to() {
        let look = Look {
            stop: Some("chooses".to_owned()),
            ..Look::default()
        };
        let tale = tale();
        let upto = look.until_break(&tale).expect("it comes");
        assert_eq!(upto.len(), 4);
        assert_eq!(
            look.states(upto, &Narrow::default()),
            "\nThe replicas at #4:\n  r1 life up, chosen 7\n  r2 life up\n"
        );
        let never = Look {
            stop: Some("rises".to_owned()),
            ..Look::default()
        };
        assert_eq!(
            never.until_break(&tale),
            Err("no line of the story holds `rises`".to_owned())
        );
    }

    #[test]
    fn of_a_moment_the_states_are_shown_or_what_has_changed() {
        let look = |state: &str| Look {
            state: Some(bound(state).expect("a bound")),
            ..Look::default()
        };
        let all = look("#2").states(&tale(), &Narrow::default());
        assert_eq!(all, "\nThe replicas at #2:\n  r1 life up\n  r2 life up\n");
        let since = |from: &str| Narrow::since(bound(from).expect("a bound"));
        assert_eq!(
            look("4500us").states(&tale(), &since("#3")),
            "\nThe replicas at 0.004500 s, and what has changed since #3:\n  r1 chosen none -> 7\n  r2 \
             has not changed\n"
        );
        assert_eq!(Look::default().states(&tale(), &since("#3")), "");
    }

    #[test]
    fn stories_part_at_the_first_line_that_differs() {
        let (one, mut two) = (tale(), tale());
        let every = |_: &Line| true;
        let same = parting(("a", &one), ("b", &two), every, Line::eq);
        assert_eq!(same, "\nThe two stories are the same, 5 lines.\n");
        two.truncate(4);
        two[3].text = "r1 waits".to_owned();
        assert_eq!(
            parting(("a", &one), ("b", &two), every, Line::eq),
            "\nThey part after 3 equal lines.\na:\n  0.004000 #4 r1 chooses\n  0.005000 #5 r2 \
             is killed\nb:\n  0.004000 #4 r1 waits\n"
        );
        let clients = |line: &Line| line.text.starts_with('c');
        let same = parting(("a", &one), ("b", &two), clients, Line::eq);
        assert_eq!(same, "\nThe two stories are the same, 1 line.\n");
    }
}
