//! From the steps of a file to the steps of a scenario: one verb each, on replicas and clients that
//! exist.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;

use crate::ids::{Client, FaultNumber};
use crate::scenario::fault::Cut;
use crate::scenario::fault_form::{Parted, PartitionForm};
use crate::scenario::form::NemesisForm;
use crate::scenario::model::{Nemesis, NemesisFault, Step, Verb, When};
use crate::scenario::problem::{Problem, Source};
use crate::scenario::select::{ALL, Clients, Member, Replicas, Select, client};
use crate::scenario::value::{Ranged, name};
use crate::scenario::verbs::{FaultForm, NemesisFaultForm, StepForm};
use crate::scenario::words::STEP;

/// Who plays in the scenario, and where its text is.
pub struct Cast<'a> {
    /// The file.
    pub source: &'a Source,
    /// Replicas of the smallest cluster that can be drawn.
    pub replicas: u8,
    /// Replicas of the largest.
    pub largest: u8,
    /// Clients of the workload, at least.
    pub clients: u16,
    /// Operations of the workload and of the steps together, at most.
    pub operations: i64,
    /// Clients that steps invoke.
    pub invoked: BTreeSet<Client>,
    /// The file is a reproducer: its values were drawn, and may have come out as nothing.
    pub pinned: bool,
    /// The highest number that a step may have.
    pub highest: FaultNumber,
    /// Damage may go beyond what can be survived.
    pub unlimited: bool,
    /// Whether all of the file is here.
    pub extent: Extent,
    /// What was found wrong.
    pub problems: Vec<Problem>,
}

/// How much of a file is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// All of it.
    Whole,
    /// What is right in itself: what there is none of may have been left out.
    Part,
}

impl Cast<'_> {
    pub(super) fn wrong(
        &mut self,
        place: Range<usize>,
        title: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.push(Problem::at(place, title, label, help));
    }

    /// All steps, as far as they are right.
    pub fn steps(&mut self, forms: Vec<Spanned<StepForm>>) -> Vec<Step> {
        for form in &forms {
            if let Some(invoke) = &form.get_ref().invoke {
                self.invoked.extend(client(&invoke.get_ref().client));
            }
        }
        if forms.len() > usize::from(self.highest.0) {
            self.problems.push(Problem::at(
                forms[usize::from(self.highest.0)].span(),
                format!("a script of {} steps", forms.len()),
                "too many",
                format!("it has at most {}: leave the others out", self.highest.0),
            ));
            return Vec::new();
        }
        let numbers = self.numbers(&forms);
        forms
            .into_iter()
            .zip(numbers)
            .filter_map(|(form, number)| self.step(form, number))
            .collect()
    }

    /// The numbers of the steps: those that are written, and for the others their places, or the
    /// next number that nobody has.
    fn numbers(&mut self, forms: &[Spanned<StepForm>]) -> Vec<FaultNumber> {
        let mut taken = BTreeSet::new();
        for number in forms
            .iter()
            .filter_map(|form| form.get_ref().number.as_ref())
        {
            let wrong = match *number.get_ref() {
                high if high > self.highest.0 => {
                    Some("write a number up to 60,000, or up to 30,000 beside a nemesis")
                }
                one if !taken.insert(one) => Some("two steps have this number: change one of them"),
                _ => None,
            };
            if let Some(help) = wrong {
                let place = self.source.key_of(number.span(), "number");
                self.wrong(place, "a number that is not its own", "not its own", help);
            }
        }
        let mut numbers = Vec::with_capacity(forms.len());
        for (form, place) in forms.iter().zip(1..) {
            let number = form.get_ref().number.as_ref().map_or_else(
                || {
                    let free = (place..).find(|number| taken.insert(*number));
                    free.unwrap_or(self.highest.0)
                },
                |number| *number.get_ref(),
            );
            numbers.push(FaultNumber(number));
        }
        numbers
    }

    fn step(&mut self, spanned: Spanned<StepForm>, number: FaultNumber) -> Option<Step> {
        let place = spanned.span();
        let mut form = spanned.into_inner();
        let mut verbs: Vec<(&'static str, Range<usize>, Option<Verb>)> = Vec::new();
        for (name, at, fault) in form.take_faults() {
            self.fault(&fault, &at);
            verbs.push((name, at, Some(Verb::Fault(fault))));
        }
        if let Some(form) = form.expect {
            let at = form.span();
            let verb = self.expect(form.into_inner(), &at);
            verbs.push(("expect", at, verb.map(Verb::Expect)));
        }
        if let Some(form) = form.invoke {
            let at = form.span();
            let verb = self.invoke(form.into_inner(), &at);
            verbs.push(("invoke", at, verb.map(Verb::Invoke)));
        }
        if let Some(form) = form.heal {
            verbs.push(("heal", form.span(), Some(Verb::Heal(form.into_inner()))));
        }
        for (name, form, verb) in [
            ("restart", form.restart, Verb::Restart as fn(Select) -> Verb),
            ("resume", form.resume, Verb::Resume),
        ] {
            if let Some(form) = form {
                let at = form.span();
                let select = form.into_inner().0.replicas;
                self.known(&select, &at, name);
                verbs.push((name, at, Some(verb(select))));
            }
        }
        if let Some(form) = form.sleep {
            verbs.push(("sleep", form.span(), Some(Verb::Sleep(form.into_inner()))));
        }
        let (name, at, verb) = self.only(verbs, &place, "step")?;
        let line = form.line.unwrap_or_else(|| self.source.line(&at));
        let instant = matches!(&verb, Some(Verb::Fault(fault)) if fault.is_instant());
        if let (Some(hold), false) = (&form.hold, matches!(verb, Some(Verb::Fault(_)) | None)) {
            let help = format!("only a fault lasts; `{name}` has no `hold`");
            self.wrong(
                self.source.key_of(hold.span(), "hold"),
                "a `hold` without a fault",
                "nothing to hold here",
                help,
            );
        }
        if let (Some(hold), Some(Verb::Fault(fault))) = (&form.hold, &verb) {
            self.brief(fault, hold);
        }
        let apart = self.pinned && form.line.is_none() && form.at.is_some() && form.hold.is_some();
        if let (Some(hold), true, false) = (&form.hold, instant, apart) {
            let help = format!("`{name}` is over at once; leave `hold` out");
            self.wrong(
                self.source.key_of(hold.span(), "hold"),
                format!("`{name}` does not last"),
                "nothing to hold here",
                help,
            );
        }
        if let (Some(at), Some(_)) = (&form.at, &form.after) {
            self.wrong(
                self.source.key_of(at.span(), "at"),
                "both `at` and `after`",
                "a step has one of them",
                "`at` is a time of the run; `after` counts from the step before",
            );
        }
        let when = match (form.at, form.after) {
            (Some(at), _) if apart => When::Apart(at.into_inner()),
            (Some(at), _) => When::At(at.into_inner()),
            (None, Some(after)) => When::After(after.into_inner()),
            (None, None) => When::Next,
        };
        Some(Step {
            number,
            when,
            hold: form.hold.map(Spanned::into_inner),
            line,
            verb: verb?,
        })
    }

    /// The one verb that is there.
    fn only<T>(
        &mut self,
        mut verbs: Vec<(&'static str, Range<usize>, T)>,
        place: &Range<usize>,
        what: &str,
    ) -> Option<(&'static str, Range<usize>, T)> {
        verbs.sort_by_key(|(_, at, _)| at.start);
        let names: Vec<_> = verbs.iter().map(|(name, ..)| format!("`{name}`")).collect();
        if let [_, (name, at, _), ..] = verbs.as_slice() {
            let (at, name) = (self.source.key_of(at.clone(), name), *name);
            self.wrong(
                at,
                format!("several verbs in a {what}: {}", names.join(", ")),
                "a second verb",
                format!("a {what} has exactly one verb: give `{name}` a {what} of its own"),
            );
            return None;
        }
        if verbs.is_empty() {
            let verbs = STEP.names(true).join(", ");
            self.wrong(
                place.clone(),
                format!("a {what} without a verb"),
                "does nothing",
                format!("verbs: {verbs}"),
            );
        }
        verbs.pop()
    }

    fn fault(&mut self, fault: &FaultForm, place: &Range<usize>) {
        let mut selects = Vec::new();
        fault.each_select(&mut |select| selects.push(select.clone()));
        for select in &selects {
            self.exists(select, place);
        }
        let roles = |select: &Select| {
            matches!(
                select,
                Select::Leader
                    | Select::Others
                    | Select::All
                    | Select::Follower
                    | Select::Minority
                    | Select::Majority
                    | Select::Core
            )
        };
        if fault.damages() && !self.unlimited && selects.iter().any(roles) {
            let help = "damage stays within the redundancy budget, which is drawn up front: write \
                        a number of replicas, or names";
            self.wrong(
                place.clone(),
                "whose disk is damaged must be known beforehand",
                "a role, or everybody",
                help,
            );
        }
        if fault.damages() && !self.unlimited && selects.contains(&Select::LastHolder) {
            self.wrong(
                place.clone(),
                "the budget spares the last holder",
                "no effect",
                "within the redundancy budget a chosen value always has another copy, or its last \
                 one is not damaged: write budget = \"none\" in [nemesis]",
            );
        }
        if self.unlimited && matches!(fault, FaultForm::MisdirectedWrite(_)) {
            self.wrong(
                place.clone(),
                "nothing reveals a misdirected write on every copy",
                "without a budget",
                "leave it out: past the budget only damage that can be seen is judged",
            );
        }
        match fault {
            FaultForm::Partition(form) => self.partition(&form.0, place),
            FaultForm::Kill(form) => self.death(
                &form.0.boundary,
                &form.0.deaths,
                form.0.when.as_ref(),
                place,
            ),
            FaultForm::PowerLoss(form) => self.death(
                &form.0.boundary,
                &form.0.deaths,
                form.0.when.as_ref(),
                place,
            ),
            _ => {}
        }
        self.idle(fault, place);
    }

    fn partition(&mut self, form: &PartitionForm, place: &Range<usize>) {
        if form.shape.is_some() == form.groups.is_some() {
            self.wrong(
                place.clone(),
                "a partition has a `shape` or `groups`",
                "neither, or both",
                "write { shape = \"halves\" } or { groups = [[\"leader\", \"c1\"], [\"others\"]] }",
            );
        }
        if let Some(groups) = &form.groups {
            self.groups(groups, place);
        }
        let cuts = form.shape.as_ref().map_or(&[][..], |shape| &shape.0);
        for cut in cuts {
            // One of several may ask for more than the smallest cluster: there it is not drawn.
            let (least, size) = match cuts {
                [only] => (only.least(), self.replicas),
                _ => (cut.least(), self.largest),
            };
            if least > size {
                let name = name(*cut);
                self.wrong(
                    self.source.find(place.clone(), name),
                    format!("`{name}` cuts nothing in a cluster of {size}"),
                    "no effect",
                    format!(
                        "it needs {least} replicas or more: leave it out, or write `replicas = \
                         {least}` in [cluster]"
                    ),
                );
            }
        }
        if cuts.len() > 1 && cuts.iter().all(|cut| cut.least() > self.replicas) {
            let title = format!("no shape fits a cluster of {}", self.replicas);
            let help = if self.replicas < Cut::Halves.least() {
                "a single replica has no links to others: write `replicas = 2` or more in \
                 [cluster], or leave the partition out"
            } else {
                "add a shape that fits it, such as \"halves\""
            };
            self.wrong(place.clone(), title, "nothing to draw", help);
        }
        self.order(form, cuts, place);
    }

    /// What a shape is said to go by.
    fn order(&mut self, form: &PartitionForm, cuts: &[Cut], place: &Range<usize>) {
        if let Some(Parted::Share(_)) = &form.clients {
            self.share(form, cuts, place);
            return;
        }
        let Some(Replicas(order)) = &form.order else {
            if form.clients.is_some() {
                let help = "write the `order` of the replicas as well, or clients = \"half\", \
                            \"all\" or \"none\"";
                self.wrong(
                    place.clone(),
                    "`clients` by name without an `order`",
                    "half a cut",
                    help,
                );
            }
            return;
        };
        let [cut] = cuts else {
            let help = "an `order` goes with one `shape`";
            self.wrong(place.clone(), "an `order` of no shape", "of what?", help);
            return;
        };
        if cut.is_of_sides() {
            let help = "write the sides: { groups = [[\"r1\", \"c1\"], [\"r2\", \"r3\"]] }";
            let title = format!("`{}` has no order", name(*cut));
            self.wrong(place.clone(), title, "says nothing", help);
        }
        if self.replicas != self.largest || order.len() != usize::from(self.replicas) {
            let help = "an `order` names every replica once, and `cluster.replicas` is one number";
            let title = format!("an order of {} for another number of replicas", order.len());
            self.wrong(place.clone(), title, "does not fit", help);
        }
        self.exists(&Select::Nodes(order.clone()), place);
        let Some(Parted::Named(Clients(clients))) = &form.clients else {
            return;
        };
        if !cut.parts_clients() {
            let help = "clients are parted by `isolate-leader` and `leader-in-minority`; or write `groups`";
            let title = format!("`{}` parts no clients", name(*cut));
            self.wrong(place.clone(), title, "no effect", help);
        }
        for client in clients {
            self.client_exists(*client, place);
        }
    }

    /// How many clients a shape is said to part.
    fn share(&mut self, form: &PartitionForm, cuts: &[Cut], place: &Range<usize>) {
        let help = "clients are parted by `isolate-leader`, `leader-in-minority` and `halves`; in \
                    `groups` they are named";
        if form.order.is_some() {
            let help = "beside an `order` clients are named: clients = [\"c1\"]";
            let title = "an `order` whose clients are drawn";
            self.wrong(place.clone(), title, "half drawn", help);
        } else if !cuts.iter().any(|cut| cut.draws_clients()) {
            let title = match cuts {
                [cut] => format!("`{}` parts no clients", name(*cut)),
                _ => "a share of the clients of no shape that parts them".to_owned(),
            };
            self.wrong(place.clone(), title, "no effect", help);
        } else if self.clients == 0 && self.extent == Extent::Whole && !self.pinned {
            let help = "add a [workload] with `clients`, or write `groups` with those that steps \
                        invoke";
            self.wrong(
                place.clone(),
                "a share of the workload's clients where it may have none",
                "of nobody",
                help,
            );
        }
    }

    fn groups(&mut self, groups: &[Vec<Member>], place: &Range<usize>) {
        if groups.len() < 2 || groups.iter().any(Vec::is_empty) {
            self.wrong(
                place.clone(),
                "a partition needs two sides or more",
                "too few, or an empty one",
                "write groups = [[\"leader\", \"c1\"], [\"others\", \"c2\"]]",
            );
        }
        let mut seen: Vec<&Member> = Vec::new();
        for member in groups.iter().flatten() {
            if seen.contains(&member) {
                self.wrong(
                    place.clone(),
                    "somebody is on two sides of a partition",
                    "there twice",
                    "name each once; who is on no side reaches everybody",
                );
            }
            seen.push(member);
            if let Member::Client(client) = member {
                self.client_exists(*client, place);
            }
        }
    }

    fn client_exists(&mut self, client: Client, place: &Range<usize>) {
        let part = self.extent == Extent::Part;
        if !part && client.0 >= self.clients && !self.invoked.contains(&client) {
            let name = client.to_string();
            let workload = if self.clients == 0 {
                "there is no workload".to_owned()
            } else {
                format!("the workload has c1 to c{}", self.clients)
            };
            let invoked: Vec<String> = self.invoked.iter().map(ToString::to_string).collect();
            let steps = if invoked.is_empty() {
                "no step invokes a client".to_owned()
            } else {
                format!("steps invoke {}", invoked.join(", "))
            };
            self.wrong(
                self.source.find(place.clone(), &name),
                format!("there is no client `{name}`"),
                "unknown client",
                format!("{workload}, and {steps}"),
            );
        }
    }

    /// Replicas that must exist, and numbers that a cluster must have.
    pub(super) fn exists(&mut self, select: &Select, place: &Range<usize>) {
        let replicas = self.replicas;
        match select {
            Select::Nodes(nodes) => {
                for node in nodes.iter().filter(|node| node.0 >= replicas) {
                    let name = node.to_string();
                    let at = self.source.find(place.clone(), &name);
                    self.wrong(
                        at,
                        format!("there is no replica `{name}`"),
                        "unknown replica",
                        format!("the smallest cluster of this scenario has r1 to r{replicas}"),
                    );
                }
                if nodes.is_empty() {
                    self.wrong(
                        place.clone(),
                        "a list without replicas",
                        "nobody",
                        "name at least one",
                    );
                }
            }
            Select::Minority if replicas < 3 => {
                self.wrong(
                    place.clone(),
                    format!("a minority of {replicas}"),
                    "nobody",
                    "the smallest cluster of this scenario has too few replicas: write 3 or more",
                );
            }
            Select::Count(count)
                if count.min() < 1 || (count.max() > i64::from(replicas) && count.max() != ALL) =>
            {
                let help = format!(
                    "the smallest cluster of this scenario has {replicas} replicas: write 1 to \
                     {replicas}, or \"1..all\""
                );
                self.wrong(
                    place.clone(),
                    "a number of replicas that the cluster does not have",
                    "too few or too many",
                    help,
                );
            }
            _ => {}
        }
    }

    /// A selection that must be decided without a draw.
    pub(super) fn known(&mut self, select: &Select, place: &Range<usize>, verb: &str) {
        self.exists(select, place);
        if matches!(
            select,
            Select::Count(_) | Select::Pick(_) | Select::Minority | Select::Majority
        ) {
            let help = "write \"all\", \"leader\", \"others\", \"follower\", \"core\", or names";
            self.wrong(
                place.clone(),
                format!("`{verb}` needs to know whom"),
                "a number says only how many",
                help,
            );
        }
    }

    /// The nemesis, as far as it is right; none when it is there for its budget alone.
    pub fn nemesis(&mut self, spanned: Spanned<NemesisForm>) -> Option<Nemesis> {
        let place = spanned.span();
        let form = spanned.into_inner();
        if form.every.is_none() && form.fault.is_empty() && form.budget.is_some() {
            return None;
        }
        let Some(every) = form.every else {
            if self.extent == Extent::Part {
                return None;
            }
            self.wrong(
                place,
                "a nemesis without a pace",
                "when?",
                "say how long it is between two faults: every = \"200ms..2s\"",
            );
            return None;
        };
        let faults: Vec<NemesisFault> = form
            .fault
            .into_iter()
            .filter_map(|fault| self.nemesis_fault(fault))
            .collect();
        let all = self.extent == Extent::Whole && self.problems.is_empty();
        if all && faults.iter().all(|fault| fault.weight == 0) {
            self.wrong(
                place,
                "a nemesis without faults",
                "does nothing",
                "add a [[nemesis.fault]] with a weight above 0",
            );
        }
        Some(Nemesis {
            every: every.into_inner(),
            faults,
        })
    }

    fn nemesis_fault(&mut self, spanned: Spanned<NemesisFaultForm>) -> Option<NemesisFault> {
        let place = spanned.span();
        let mut form = spanned.into_inner();
        let verbs = form.take_faults();
        let (_, at, fault) = self.only(verbs, &place, "fault")?;
        self.fault(&fault, &at);
        if let Some(hold) = &form.hold {
            self.brief(&fault, hold);
        }
        let weight = form.weight.map_or(1, Spanned::into_inner);
        let hold = form.hold.map_or_else(
            || Ranged::between(100_000_000, 2_000_000_000),
            Spanned::into_inner,
        );
        Some(NemesisFault {
            weight,
            hold,
            fault,
        })
    }
}
