//! Which part may name which: arrows run one way.

use super::source::Source;

/// In files below `place`, but not in `except`, `word` does not appear.
struct Rule {
    place: &'static str,
    except: &'static [&'static str],
    word: &'static str,
    because: &'static str,
}

const RULES: [Rule; 9] = [
    Rule {
        place: "sim/",
        except: &["sim/src/subject/synod", "sim/tests/"],
        word: "synod_engine",
        because: "only sim/src/subject/synod names our engine, so that another can take its place",
    },
    Rule {
        place: "engine/port/",
        except: &[],
        word: "synod_engine",
        because: "the port is the ground floor: an engine rests on it, and it names none",
    },
    Rule {
        place: "engine/",
        except: &[],
        word: "synod_sim",
        because: "the engine knows no simulator",
    },
    Rule {
        place: "engine/",
        except: &[],
        word: "synod_reports",
        because: "the engine knows no reports",
    },
    Rule {
        place: "reports/",
        except: &[],
        word: "synod_sim",
        because: "reports know no simulator",
    },
    Rule {
        place: "reports/",
        except: &[],
        word: "synod_engine",
        because: "reports know no engine",
    },
    Rule {
        place: "engine/src/roles/",
        except: &["engine/src/roles/mod.rs"],
        word: "crate::roles::",
        because: "roles never import roles; only the replica joins them",
    },
    Rule {
        place: "sim/src/check/",
        except: &[],
        word: "crate::world",
        because: "a checker reads the trace and the history, never the world",
    },
    Rule {
        place: "sim/src/history/",
        except: &[],
        word: "crate::world",
        because: "a history is checked without a simulated world",
    },
];

/// The rules that a file breaks.
pub fn check(source: &Source) -> Vec<String> {
    let rules: Vec<&Rule> = RULES
        .iter()
        .filter(|rule| {
            source.path.starts_with(rule.place)
                && !rule
                    .except
                    .iter()
                    .any(|except| source.path.starts_with(except))
        })
        .collect();
    let mut found = Vec::new();
    for (number, line) in source.code() {
        let code = line.split("//").next().unwrap_or_default();
        for rule in &rules {
            if code.contains(rule.word) {
                found.push(format!(
                    "{}:{number}: `{}`: {}",
                    source.path, rule.word, rule.because
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::source::tests::source;

    #[test]
    fn arrows_run_one_way() {
        let breaches = |path: &str, text: &str| check(&source(path, text)).len();
        assert_eq!(
            breaches("sim/src/run.rs", "use synod_engine::ids::Slot;"),
            1
        );
        assert_eq!(
            breaches("sim/src/run.rs", "// synod_engine is not named here"),
            0
        );
        assert_eq!(
            breaches(
                "sim/src/subject/synod/mod.rs",
                "use synod_engine::ids::Slot;"
            ),
            0
        );
        assert_eq!(
            breaches(
                "engine/src/roles/acceptor.rs",
                "use crate::roles::learner::Tally;"
            ),
            1
        );
        assert_eq!(
            breaches(
                "sim/src/check/agreement.rs",
                "use crate::world::network::Network;"
            ),
            1
        );
        assert_eq!(
            breaches("engine/port/src/files.rs", "use synod_engine::ids::Slot;"),
            1
        );
        assert_eq!(
            breaches("sim/src/world/steps.rs", "use synod_port::files::DiskOp;"),
            0
        );
        assert_eq!(
            breaches("reports/src/text.rs", "use synod_sim::run::run;"),
            1
        );
    }
}
