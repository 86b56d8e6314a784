//! The names that a scenario uses and others define. They are handed in by who reads a scenario,
//! because what defines them stands above this layer.

/// What a name is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Naming {
    /// Something that a run should come by.
    Milestone,
    /// A check, or a class of failures.
    Failure,
    /// What a run can have failed, or ended by: a check, or something that is none.
    Ending,
    /// An engine under test.
    Subject,
    /// A kind of messages between replicas.
    Message,
    /// A check, and nothing else.
    Check,
    /// A bug that can be planted.
    Bug,
}

/// All names that are known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Names {
    /// Milestones.
    pub milestones: Vec<&'static str>,
    /// Checks.
    pub checks: Vec<&'static str>,
    /// Checks, and classes of failures.
    pub failures: Vec<&'static str>,
    /// What a run can end by that is no check of a property.
    pub endings: Vec<&'static str>,
    /// Subjects, the one first that is meant when a scenario names none.
    pub subjects: Vec<SubjectNames>,
}

/// The names of a subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubjectNames {
    /// Its own.
    pub name: &'static str,
    /// The kinds of its messages; none, where nobody reads them.
    pub messages: &'static [&'static str],
    /// How the names of its files begin; none, where nobody says.
    pub files: &'static [&'static str],
    /// The bugs that can be planted in it.
    pub bugs: Vec<&'static str>,
}

impl Names {
    /// What can stand in a scenario for this subject, by default the first. Empty: anything.
    #[must_use]
    pub fn of(&self, naming: Naming, subject: Option<&str>) -> Vec<&'static str> {
        match naming {
            Naming::Milestone => self.milestones.clone(),
            Naming::Failure => self.failures.clone(),
            Naming::Ending => [&self.failures[..], &self.endings].concat(),
            Naming::Subject => self.subjects.iter().map(|subject| subject.name).collect(),
            Naming::Message => self
                .subject(subject)
                .map_or(Vec::new(), |subject| subject.messages.to_vec()),
            Naming::Check => self.checks.clone(),
            Naming::Bug => self
                .subject(subject)
                .map_or(Vec::new(), |subject| subject.bugs.clone()),
        }
    }

    /// How the names of this subject's files begin. Empty: anyhow.
    #[must_use]
    pub fn files(&self, subject: Option<&str>) -> &'static [&'static str] {
        self.subject(subject).map_or(&[], |subject| subject.files)
    }

    fn subject(&self, name: Option<&str>) -> Option<&SubjectNames> {
        self.subjects
            .iter()
            .find(|known| name.is_none_or(|name| known.name == name))
    }

    /// What can stand in a scenario for any subject, sorted.
    #[must_use]
    pub fn all(&self, naming: Naming) -> Vec<&'static str> {
        let mut all: Vec<_> = self
            .subjects
            .iter()
            .flat_map(|subject| self.of(naming, Some(subject.name)))
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Naming {
    /// What an unknown name is not.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Milestone => "a milestone",
            Self::Failure => "a check or a class of failures",
            Self::Ending => "a check that a run can fail",
            Self::Subject => "an engine under test",
            Self::Message => "a kind of messages",
            Self::Check => "a check",
            Self::Bug => "a bug that can be planted",
        }
    }
}
