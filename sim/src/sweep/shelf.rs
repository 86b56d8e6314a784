//! The one place that joins the sweep to scenarios and subjects.

use std::collections::BTreeMap;
use std::path::Path;

use synod_reports::record::NO_DIGEST;
use xxhash_rust::xxh3::xxh3_64;

use crate::check::jury::Jury;
use crate::glossary::names;
use crate::plan::Plan;
use crate::plan::draw::draw;
use crate::plan::pin;
use crate::run::{checks, is_client_visible};
use crate::scenario::form::Repro;
use crate::scenario::library::{Library, resolve};
use crate::scenario::load::load_file;
use crate::scenario::mix::Mix;
use crate::scenario::model::Scenario;
use crate::scenario::problem::LoadError;
use crate::subject::bug_card::{bugs, unknown};
use crate::subject::catalog::{self, default_subject};
use crate::subject::process::Subject;
use crate::sweep::applying::lacking;
use crate::sweep::settings::{Judges, Settings, Target};
use crate::sweep::source::{Origin, Planned, Selection, Source, demand};

/// The scenarios of a sweep, read once.
struct Shelf {
    /// None until it is asked for.
    mix: Option<Mix>,
    /// Those that were named, by name.
    named: BTreeMap<String, Scenario>,
    /// The reproducer that was asked for last.
    repro: Option<(String, Scenario)>,
    settings: Settings,
}

/// The source of these settings. The mix is read when it is first asked for.
///
/// # Errors
/// When a scenario that is named cannot be read, or a subject or bug is unknown.
pub fn open(settings: &Settings) -> Result<Box<dyn Source>, String> {
    check_names(settings)?;
    let named = named(settings)?;
    check_hashes(settings, &named)?;
    let named = named
        .into_iter()
        .map(|scenario| (scenario.name.clone(), scenario))
        .collect();
    Ok(Box::new(Shelf {
        mix: None,
        named,
        repro: None,
        settings: settings.clone(),
    }))
}

/// The scenarios that these settings select.
///
/// # Errors
/// When one cannot be read.
pub fn select(settings: &Settings) -> Result<Selection, String> {
    check_names(settings)?;
    let scenarios = if settings.scenarios.is_empty() {
        mix(settings)?.scenarios().to_vec()
    } else {
        named(settings)?
    };
    let mut selection = Selection::default();
    for scenario in scenarios {
        if let Some(subject) = scenario.subject.as_deref().or(scenario
            .repro
            .as_ref()
            .and_then(|repro| repro.subject.as_deref()))
            && settings.subject.is_none()
        {
            check_subject(subject).map_err(|message| format!("{}: {message}", scenario.name))?;
        }
        let checks = draw(&scenario, 0).checks;
        selection.demands.insert(
            scenario.name.clone(),
            demand(
                &checks,
                subject_of(settings, &scenario),
                &settings.only,
                settings.judges.unwrap_or_default().checks(),
            ),
        );
        selection
            .hashes
            .insert(scenario.name.clone(), hash(&scenario));
        match &scenario.repro {
            Some(repro) => selection.once.push((scenario.name.clone(), repro.seed)),
            None => selection.names.push(scenario.name.clone()),
        }
    }
    Ok(selection)
}

/// Names a scenario by all that was read of it, and by the places where, because messages tell of
/// lines.
fn hash(scenario: &Scenario) -> String {
    format!("{:016x}", xxh3_64(format!("{scenario:?}").as_bytes()))
}

/// Whether these scenarios are still what they were.
///
/// # Errors
/// When one was edited, is new, or is gone.
pub fn check_unchanged(settings: &Settings) -> Result<(), String> {
    let scenarios = if settings.scenarios.is_empty() {
        mix(settings)?.scenarios().to_vec()
    } else {
        named(settings)?
    };
    check_hashes(settings, &scenarios)
}

fn check_hashes(settings: &Settings, scenarios: &[Scenario]) -> Result<(), String> {
    let was = &settings.hashes;
    if was.is_empty() || scenarios.is_empty() {
        return Ok(());
    }
    let now: BTreeMap<String, String> = scenarios
        .iter()
        .map(|scenario| (scenario.name.clone(), hash(scenario)))
        .collect();
    let Some(name) = was
        .keys()
        .chain(now.keys())
        .find(|name| was.get(*name) != now.get(*name))
    else {
        return Ok(());
    };
    let what = match (was.get(name), now.get(name)) {
        (Some(_), Some(_)) => "was edited",
        (Some(_), None) => "is gone",
        _ => "is new",
    };
    Err(format!(
        "the scenario {name} {what} since the sweep began: its runs cannot be joined with those of \
         another; sweep anew"
    ))
}

/// The scenarios of the mix that apply to the subject.
fn mix(settings: &Settings) -> Result<Mix, String> {
    let mut mix =
        Mix::of(&Library::standard(&names()).map_err(shown)?, &settings.set).map_err(shown)?;
    let mut lacks = None;
    mix.retain(|scenario| {
        let why = unfit(settings, scenario);
        lacks = lacks.take().or(why.clone());
        why.is_none()
    });
    match lacks {
        Some(why) if mix.scenarios().is_empty() => Err(why),
        _ => Ok(mix),
    }
}

/// The scenarios that were named, in that order, each once though a file and its folder may both be
/// named. Of a folder, those that apply to the subject, of which there is one.
fn named(settings: &Settings) -> Result<Vec<Scenario>, String> {
    let mut all: Vec<Scenario> = Vec::new();
    for argument in &settings.scenarios {
        let found = resolve(argument, &settings.set, &names()).map_err(shown)?;
        let (mut applies, mut lacks) = (false, None);
        for scenario in found {
            match unfit(settings, &scenario) {
                Some(why) => _ = lacks.get_or_insert(why),
                None => {
                    applies = true;
                    if !all.iter().any(|known| known.name == scenario.name) {
                        all.push(scenario);
                    }
                }
            }
        }
        if let (false, Some(why)) = (applies, lacks) {
            return Err(why);
        }
    }
    Ok(all)
}

/// The subject that runs this scenario, if there is one of its name.
fn subject_of(settings: &Settings, scenario: &Scenario) -> Option<&'static dyn Subject> {
    let repro = scenario
        .repro
        .as_ref()
        .and_then(|repro| repro.subject.as_deref());
    catalog::find(
        settings
            .subject
            .as_deref()
            .or(repro)
            .or(scenario.subject.as_deref())
            .unwrap_or(default_subject()),
    )
}

/// The name of the subject that runs this scenario, which was named.
///
/// # Errors
/// When it cannot be read, or there is none of its name.
pub fn subject_name(settings: &Settings, scenario: &str) -> Result<&'static str, String> {
    let named = named(settings)?;
    let scenario = named.iter().find(|known| known.name == scenario);
    scenario
        .and_then(|scenario| subject_of(settings, scenario))
        .map(Subject::name)
        .ok_or_else(|| "this scenario has no subject".to_owned())
}

/// Why this scenario does not apply to the subject that would run it.
fn unfit(settings: &Settings, scenario: &Scenario) -> Option<String> {
    lacking(
        subject_of(settings, scenario)?,
        settings.bug.as_ref(),
        scenario,
    )
}

impl Shelf {
    fn scenario_of(&mut self, target: &Target) -> Result<&Scenario, String> {
        match target {
            Target::Mix(seed) => {
                if self.mix.is_none() {
                    let mix = mix(&self.settings)?;
                    check_hashes(&self.settings, mix.scenarios())?;
                    self.mix = Some(mix);
                }
                let mix = self.mix.as_ref().expect("just read");
                mix.scenario(*seed).ok_or_else(|| {
                    "the mix is empty: no scenario outside negative/ and regressions/ has a weight"
                        .to_owned()
                })
            }
            Target::Scenario(name, _) => self
                .named
                .get(name)
                .ok_or_else(|| format!("`{name}` is none of the scenarios that were named")),
            Target::Repro(path) => self.repro(path),
        }
    }

    fn repro(&mut self, path: &str) -> Result<&Scenario, String> {
        if self.repro.as_ref().is_none_or(|known| known.0 != path) {
            let scenario =
                load_file(Path::new(path), &self.settings.set, &names()).map_err(shown)?;
            if scenario.repro.is_none() {
                return Err(format!(
                    "{path} is a scenario, not a reproducer: say which seed to run, like --seed 0"
                ));
            }
            if let Some(lacks) = unfit(&self.settings, &scenario) {
                return Err(lacks);
            }
            self.repro = Some((path.to_owned(), scenario));
        }
        Ok(&self.repro.as_ref().expect("just read").1)
    }
}

impl Source for Shelf {
    fn scenario(&mut self, target: &Target) -> Result<String, String> {
        let scenario = self.scenario_of(target)?;
        match (&scenario.repro, target) {
            (Some(repro), Target::Repro(_)) if !repro.scenario.is_empty() => {
                Ok(repro.scenario.clone())
            }
            _ => Ok(scenario.name.clone()),
        }
    }

    fn plan(&mut self, target: &Target) -> Result<Planned, String> {
        let name = self.scenario(target)?;
        let scenario = self.scenario_of(target)?;
        let seed = match (target, &scenario.repro) {
            (Target::Repro(_), Some(repro)) => repro.seed,
            (Target::Mix(seed) | Target::Scenario(_, seed), _) => *seed,
            (Target::Repro(path), None) => return Err(format!("{path} is no reproducer")),
        };
        // Among others, a reproducer goes by its own name, and not by that of the scenario that it
        // came from.
        let plan = draw(scenario, seed);
        let repro = scenario.repro.as_ref();
        let is_edited = |repro: &Repro| {
            let had = repro.plan.as_ref();
            had.is_some_and(|had| *had != pin::fingerprint(&plan, repro))
        };
        let edited = repro.is_some_and(is_edited);
        let plan = Plan {
            scenario: name,
            ..plan
        };
        let subject = repro
            .and_then(|repro| repro.subject.clone())
            .or_else(|| scenario.subject.clone());
        let judges = repro.map(judges).transpose()?.flatten();
        let origin = repro.map(|repro| Origin {
            subject: subject
                .clone()
                .unwrap_or_else(|| default_subject().to_owned()),
            bug: repro.bug.clone(),
            only: jury(repro),
            judges: judges.unwrap_or_default(),
            check: repro.check.clone(),
            digest: repro.digest.clone().unwrap_or_else(|| NO_DIGEST.to_owned()),
            build: repro.build.clone().unwrap_or_default(),
            edited,
        });
        let (bug, only) = (
            repro.and_then(|repro| repro.bug.clone()),
            repro.map(jury).unwrap_or_default(),
        );
        Ok(Planned {
            plan,
            bug,
            only,
            judges,
            subject,
            origin,
        })
    }

    fn pin(&self, plan: &Plan, origin: &Origin) -> String {
        pin::to_toml(plan, &repro_of(plan, origin))
    }
}

/// What a reproducer of this plan says about itself.
#[must_use]
pub fn repro_of(plan: &Plan, origin: &Origin) -> Repro {
    Repro {
        scenario: plan.scenario.clone(),
        seed: plan.seed,
        subject: Some(origin.subject.clone()),
        bug: origin.bug.clone(),
        only: (!origin.only.is_everybody()).then(|| origin.only.named().to_vec()),
        checks: (origin.judges != Judges::default()).then(|| origin.judges.name().to_owned()),
        check: origin.check.clone(),
        digest: (!origin.digest.is_empty()).then(|| origin.digest.clone()),
        build: Some(origin.build.clone()),
        plan: None,
        branches: None,
        strikes: None,
    }
}

/// Whether every scenario of the library can be read.
///
/// # Errors
/// What is wrong with those that cannot.
pub fn check_library() -> Result<(), String> {
    let library = Library::standard(&names()).map_err(shown)?;
    let wrong: Vec<String> = library
        .names()
        .into_iter()
        .filter_map(|name| library.get(name).err().map(shown))
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

/// Who judged when the reproducer was found. A name that this build does not know judges nothing.
fn jury(repro: &Repro) -> Jury {
    Jury::only(repro.only.iter().flatten())
}

/// What `--checks` said when the reproducer was found.
fn judges(repro: &Repro) -> Result<Option<Judges>, String> {
    let named = repro.checks.as_deref().map(Judges::named);
    named.transpose()
}

fn check_names(settings: &Settings) -> Result<(), String> {
    check_jury(settings)?;
    let subject = settings.subject.as_deref();
    subject.map_or(Ok(()), check_subject)?;
    if let Some(bug) = &settings.bug {
        let subject = subject.unwrap_or(default_subject());
        if !bugs(subject).iter().any(|card| card.name == *bug) {
            return Err(unknown(subject, bug));
        }
    }
    Ok(())
}

fn check_jury(settings: &Settings) -> Result<(), String> {
    let judging: Vec<&str> = checks()
        .filter(|name| settings.judges != Some(Judges::Client) || is_client_visible(name))
        .collect();
    for name in settings.only.named() {
        if !checks().any(|check| check == name) {
            return Err(format!(
                "no check is called `{name}`; there is {}",
                judging.join(", ")
            ));
        }
        if !judging.contains(&name.as_str()) {
            return Err(format!(
                "`{name}` judges what no client sees; with --checks client there is {}",
                judging.join(", ")
            ));
        }
    }
    Ok(())
}

/// Whether there is a subject of this name.
///
/// # Errors
/// When there is none, with those that there are.
pub fn check_subject(name: &str) -> Result<(), String> {
    let names: Vec<&str> = catalog::all().map(|subject| subject.name()).collect();
    if catalog::find(name).is_some() {
        Ok(())
    } else {
        Err(format!(
            "there is no subject `{name}`; there is {}",
            names.join(", ")
        ))
    }
}

fn shown(error: LoadError) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use synod_reports::record::Verdict;

    use super::*;
    use crate::sweep::job::{Report, execute};
    use crate::sweep::settings::{Item, Keep};

    #[test]
    fn checks_that_cannot_judge_are_refused() {
        let refused = |judges, name: &str| {
            check_jury(&Settings {
                judges: Some(judges),
                only: Jury::only([name]),
                ..Settings::default()
            })
        };
        let message = refused(Judges::All, "agrement").unwrap_err();
        assert!(
            message.contains("no check is called `agrement`")
                && message.contains("agreement, answers, ballots"),
            "{message}"
        );
        assert_eq!(refused(Judges::All, "contract"), Ok(()));
        assert!(
            refused(Judges::Client, "contract")
                .unwrap_err()
                .contains("what no client sees")
        );
        assert_eq!(refused(Judges::Client, "exactly-once"), Ok(()));
    }

    #[test]
    fn a_reproducer_carries_its_judges() {
        let settings = Settings {
            scenarios: vec!["smoke/healthy-3".to_owned()],
            ..Settings::default()
        };
        let mut source = open(&settings).expect("it is there");
        let target = Target::Scenario("smoke/healthy-3".to_owned(), 4);
        let plan = source.plan(&target).expect("it can be drawn").plan;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("repro.toml");
        for judges in [Judges::Client, Judges::All] {
            let own = Origin {
                subject: default_subject().to_owned(),
                judges,
                ..Origin::default()
            };
            std::fs::write(&file, source.pin(&plan, &own)).expect("writes");
            let target = Target::Repro(file.display().to_string());
            let mut source = open(&Settings::default()).expect("nothing is named");
            let planned = source.plan(&target).expect("it can be read");
            assert_eq!(planned.judges.unwrap_or_default(), judges);
            assert_eq!(planned.origin.expect("it has one").judges, judges);
        }
        let text = std::fs::read_to_string(&file).expect("reads");
        let text = text.replace("[repro]", "[repro]\nchecks = \"nobody\"");
        std::fs::write(&file, text).expect("writes");
        let target = Target::Repro(file.display().to_string());
        let refused = open(&Settings::default()).expect("as before").plan(&target);
        assert!(refused.expect_err("nobody judges").contains("nobody"));
    }

    #[test]
    fn a_longer_run_comes_back_from_its_reproducer() {
        let run = |set: &[&str], target: &Target| {
            let settings = Settings {
                scenarios: vec!["safety/weather-3".to_owned()],
                set: set.iter().map(|&set| set.to_owned()).collect(),
                ..Settings::default()
            };
            let item = Item {
                number: 0,
                target: target.clone(),
                keep: Keep::Everything,
            };
            let mut source = open(&settings).expect("it is there");
            execute(source.as_mut(), &settings, &item, &mut |_| {}).expect("it can be run")
        };
        let target = Target::Scenario("safety/weather-3".to_owned(), 4);
        let [once, thrice] = [&[][..], &["longer=3"]].map(|set| run(set, &target));
        let of = |report: &Report| {
            let record = &report.line.record;
            assert_eq!(record.verdict, Verdict::Pass);
            (record.client_operations, record.virtual_seconds)
        };
        let ((operations, seconds), (more, longer)) = (of(&once), of(&thrice));
        assert!(
            (25..=35).contains(&(more * 10 / operations)),
            "{operations}, {more}"
        );
        assert!(
            (2.0..=3.5).contains(&(longer / seconds)),
            "{seconds}, {longer}"
        );
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("repro.toml");
        let repro = thrice.repro.as_ref().expect("was kept");
        std::fs::write(&file, repro).expect("writes");
        let target = Target::Repro(file.display().to_string());
        let again = run(&[], &target);
        assert_eq!(again.line, thrice.line);
        let had = again.origin.expect("it has one");
        assert_eq!(had.digest, thrice.line.record.digest);
        assert!(!had.edited);
        for (part, edited) in [
            ("[workload]\n", "[workload]\nidle = [\"c2\"]\n"),
            ("[repro]\n", "[repro]\nbug = \"commit-on-nack\"\n"),
        ] {
            assert!(repro.contains(part));
            std::fs::write(&file, repro.replace(part, edited)).expect("writes");
            let mut source = open(&Settings::default()).expect("nothing is named");
            let planned = source.plan(&target).expect("it can be read");
            assert!(planned.origin.expect("it has one").edited, "{edited}");
        }
    }

    #[test]
    fn what_a_bug_does_at_the_start_of_a_fork_counts() {
        let settings = Settings {
            scenarios: vec!["safety/weather-5".to_owned()],
            bug: Some("promise-reports-promised-as-accepted".to_owned()),
            ..Settings::default()
        };
        let mut source = open(&settings).expect("it is there");
        let mut failed = 0;
        for seed in 1_000_010..1_000_022 {
            let item = Item {
                number: 0,
                target: Target::Scenario("safety/weather-5".to_owned(), seed),
                keep: Keep::Line,
            };
            let report = execute(source.as_mut(), &settings, &item, &mut |_| {});
            let record = report.expect("it can be run").line.record;
            let (_, triggered) = record.bug.expect("it is planted");
            failed += u64::from(record.verdict.is_failure());
            assert!(
                triggered > 0 || record.verdict == Verdict::Pass,
                "{seed}: {record:?}"
            );
        }
        assert!(failed > 5, "{failed}");
    }

    #[test]
    fn an_edited_scenario_is_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x.toml");
        let text = "format = 1\ntitle = \"x\"\nwhy = \"y\"\n[network]\nloss = \"1%\"\n[workload]\n";
        std::fs::write(&file, text).expect("writes");
        let settings = Settings {
            scenarios: vec![file.display().to_string()],
            ..Settings::default()
        };
        let began = Settings {
            hashes: select(&settings).expect("it can be read").hashes,
            ..settings.clone()
        };
        assert_eq!(check_unchanged(&began), Ok(()));
        let overridden = Settings {
            set: vec!["network.loss=2%".to_owned()],
            ..began.clone()
        };
        assert!(check_unchanged(&overridden).is_err());
        std::fs::write(&file, text.replace("1%", "2%")).expect("writes");
        let refused = check_unchanged(&began).expect_err("it was edited");
        assert!(
            refused.contains("was edited since the sweep began"),
            "{refused}"
        );
        assert!(open(&began).is_err(), "a worker that comes later");
        assert!(open(&settings).is_ok());
    }

    fn of(subject: &str, scenarios: &[&str]) -> Result<Selection, String> {
        let scenarios = scenarios.iter().map(|&name| name.to_owned()).collect();
        select(&Settings {
            subject: Some(subject.to_owned()),
            scenarios,
            ..Settings::default()
        })
    }

    #[test]
    fn a_script_that_rests_on_what_a_subject_lacks_is_left_out() {
        let [ours, abd] =
            ["synod", "abd"].map(|subject| of(subject, &[]).expect("the library is right").names);
        let missing: Vec<&String> = ours.iter().filter(|name| !abd.contains(name)).collect();
        let unread = [
            "liveness/chosen-by-the-dead",
            "liveness/deaf-source",
            "liveness/lagging-hub",
            "safety/stalled-leader-cut-off",
            "smoke/healthy-3",
            "storage/last-copy",
        ];
        assert_eq!(missing, unread);
        let refused = of("abd", &["smoke/healthy-3"]).expect_err("its script swaps and deletes");
        assert!(refused.contains("`abd` does not have"), "{refused}");
    }

    #[test]
    fn a_bug_is_planted_in_the_subject_that_it_is_of() {
        let with = |scenario: &str, subject: Option<&str>| {
            let settings = Settings {
                bug: Some("accept-below-promise".to_owned()),
                subject: subject.map(str::to_owned),
                scenarios: vec![scenario.to_owned()],
                ..Settings::default()
            };
            open(&settings)?;
            select(&settings)
        };
        let (own, naive) = ("smoke/healthy-3", "negative/primary-copy-partition");
        assert!(with(own, None).is_ok());
        let refused = with(naive, None).expect_err("it is of another subject");
        assert!(
            refused.contains("is of `primary_copy`, in which there is no `accept-below-promise`"),
            "{refused}"
        );
        assert!(with(naive, Some(default_subject())).is_ok());
        let folder = with("negative", None).expect_err("all of them are");
        assert!(folder.contains("is of `primary_copy`"), "{folder}");
    }

    #[test]
    fn milestones_that_a_subject_cannot_show_are_not_asked_for() {
        let asked = |subject| {
            of(subject, &["safety/weather-3"])
                .expect("it is there")
                .demands["safety/weather-3"]
                .milestones
                .clone()
        };
        assert!(asked("synod").contains(&"leader-changed".to_owned()));
        assert_eq!(asked("abd"), Vec::<String>::new());
    }
}
