//! Where a sweep gets its plans from and what runs them: the one place that joins the sweep to scenarios, plans and subjects.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use synod_reports::summary::Demand;

use crate::plan::Plan;
use crate::plan::draw::draw;
use crate::plan::pin::to_toml;
use crate::run::{RunOutcome, RunSpec};
use crate::scenario;
use crate::scenario::form::Repro;
use crate::scenario::library::resolve;
use crate::scenario::load::load_file;
use crate::scenario::mix::Mix;
use crate::scenario::model::Scenario;
use crate::subject::bug_card::bugs;
use crate::subject::catalog;
use crate::sweep::settings::{DEFAULT_SUBJECT, Settings, Target};
use crate::verdict::court::Court;

/// What a reproducer says about itself, beside its plan.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Origin {
    /// The subject.
    pub subject: String,
    /// The planted bug.
    pub bug: Option<String>,
    /// The check that failed.
    pub check: Option<String>,
    /// The digest that the run had.
    pub digest: String,
    /// The build that had it.
    pub build: String,
}

/// A plan, and the reproducer's own words when it comes from one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The scenario's own subject, when it is not the default.
    pub subject: Option<String>,
    /// None for a plan that was drawn.
    pub origin: Option<Origin>,
}

/// Makes plans and runs them. Errors are for people: which file, what is wrong, what to do.
pub trait Source {
    /// The scenario's name of this run, as results show it.
    ///
    /// # Errors
    /// When there is no such scenario, or it cannot be read.
    fn scenario(&mut self, target: &Target) -> Result<String, String>;

    /// The plan of this run.
    ///
    /// # Errors
    /// As [`Self::scenario`], or when no plan can be drawn.
    fn plan(&mut self, target: &Target) -> Result<Planned, String>;

    /// The plan as a reproducer's TOML.
    fn pin(&self, plan: &Plan, origin: &Origin) -> String;

    /// Runs a plan.
    fn run(&mut self, spec: &RunSpec) -> RunOutcome {
        crate::run::run(spec)
    }
}

/// The scenarios of a sweep.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selection {
    /// Their names, in order. For the mix: those that it draws from.
    pub names: Vec<String>,
    /// What each asks of all its runs together.
    pub demands: BTreeMap<String, Demand>,
}

/// The scenarios of the settings: those that were named, or the mix.
struct Library {
    sets: Vec<String>,
    named: Vec<Scenario>,
    /// Empty when scenarios were named.
    mix: Option<Mix>,
}

impl Library {
    fn find(&self, target: &Target) -> Result<Cow<'_, Scenario>, String> {
        match target {
            Target::Mix(seed) => {
                let drawn = self.mix.as_ref().and_then(|mix| mix.scenario(*seed));
                drawn.map(Cow::Borrowed).ok_or_else(|| "the mix has no scenario: every weight is 0".to_owned())
            }
            Target::Scenario(name, _) => match self.named.iter().find(|scenario| scenario.name == *name) {
                Some(scenario) => Ok(Cow::Borrowed(scenario)),
                None => match resolve(name, &self.sets).map_err(|error| error.to_string())?.as_slice() {
                    [scenario] => Ok(Cow::Owned(scenario.clone())),
                    several => Err(format!("`{name}` holds {} scenarios: name one", several.len())),
                },
            },
            Target::Repro(path) => load_file(Path::new(path), &self.sets).map(Cow::Owned).map_err(|error| error.to_string()),
        }
    }
}

impl Source for Library {
    fn scenario(&mut self, target: &Target) -> Result<String, String> {
        Ok(self.find(target)?.name.clone())
    }

    fn plan(&mut self, target: &Target) -> Result<Planned, String> {
        let scenario = self.find(target)?;
        let seed = match (target, &scenario.repro) {
            (_, Some(repro)) => repro.seed,
            (Target::Mix(seed) | Target::Scenario(_, seed), None) => *seed,
            (Target::Repro(path), None) => return Err(format!("{path} is a scenario and no reproducer: say which seed to run, with --seed")),
        };
        let origin = scenario.repro.as_ref().map(|repro| Origin {
            subject: repro.subject.clone().unwrap_or_else(|| DEFAULT_SUBJECT.to_owned()),
            bug: repro.bug.clone(),
            check: repro.check.clone(),
            digest: repro.digest.clone().unwrap_or_default(),
            build: repro.build.clone().unwrap_or_default(),
        });
        Ok(Planned { plan: draw(&scenario, seed), subject: scenario.subject.clone(), origin })
    }

    fn pin(&self, plan: &Plan, origin: &Origin) -> String {
        let repro = Repro {
            scenario: plan.scenario.clone(),
            seed: plan.seed,
            subject: Some(origin.subject.clone()),
            bug: origin.bug.clone(),
            check: origin.check.clone(),
            digest: Some(origin.digest.clone()),
            build: Some(origin.build.clone()),
        };
        to_toml(plan, &repro)
    }
}

/// The source of these settings, and the scenarios that they select.
///
/// # Errors
/// When a scenario cannot be read, or a subject or bug is unknown.
pub fn open(settings: &Settings) -> Result<(Box<dyn Source>, Selection), String> {
    known(settings)?;
    let mut named: Vec<Scenario> = Vec::new();
    for argument in &settings.scenarios {
        named.extend(resolve(argument, &settings.set).map_err(|error| error.to_string())?);
    }
    let mix = match settings.scenarios.is_empty() {
        true => {
            let library = scenario::library::Library::standard().map_err(|error| error.to_string())?;
            Some(Mix::of(&library, &settings.set).map_err(|error| error.to_string())?)
        }
        false => None,
    };
    let selected = mix.as_ref().map_or(named.as_slice(), Mix::scenarios);
    let names = selected.iter().map(|scenario| scenario.name.clone()).collect();
    let demands = selected.iter().map(|scenario| (scenario.name.clone(), demand(&draw(scenario, 0).checks))).collect();
    let selection = Selection { names, demands };
    Ok((Box::new(Library { sets: settings.set.clone(), named, mix }), selection))
}

/// Whether the subject, the bug and the checker are known.
fn known(settings: &Settings) -> Result<(), String> {
    let list = |names: Vec<&str>| names.join(", ");
    if let Some(name) = &settings.subject
        && catalog::find(name).is_none()
    {
        return Err(format!("there is no subject `{name}`; there are {}", list(catalog::ALL.iter().map(|subject| subject.name()).collect())));
    }
    if let Some(name) = &settings.bug
        && !bugs(settings.subject.as_deref().unwrap_or(DEFAULT_SUBJECT)).iter().any(|card| card.name == *name)
    {
        return Err(format!("there is no planted bug `{name}`; `synod bugs list` lists them"));
    }
    if let Some(name) = &settings.only
        && !Court::names().any(|known| known == name)
    {
        return Err(format!("there is no checker `{name}`; there are {}", list(Court::names().collect())));
    }
    Ok(())
}

/// What a plan's checks ask of all runs of its scenario together.
#[must_use]
pub fn demand(checks: &crate::plan::Checks) -> Demand {
    Demand { milestones: checks.milestones.clone(), expect_failure: checks.expect_failure.clone(), at_least_ppm: checks.at_least_ppm }
}

/// The fault kinds in a plan, sorted, each once.
#[must_use]
pub fn fault_kinds(plan: &Plan) -> Vec<String> {
    use crate::plan::Verb;
    let scripted = plan.script.iter().filter_map(|step| match &step.verb {
        Verb::Inject { fault, .. } => Some(fault.kind()),
        _ => None,
    });
    let mut kinds: Vec<&str> = plan.nemesis.iter().map(|timed| timed.fault.kind()).chain(scripted).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.into_iter().map(str::to_owned).collect()
}

/// Whether every scenario of the folder `scenarios` can be read.
///
/// # Errors
/// What is wrong with those that cannot.
pub fn check_library() -> Result<(), String> {
    let folder = Path::new("scenarios");
    let library = scenario::library::Library::open(Some(folder)).map_err(|error| error.to_string())?;
    library.names().into_iter().try_for_each(|name| library.get(name).map(drop)).map_err(|error| error.to_string())
}
