//! What leaves a run undecided that no check is to blame for.

/// Why a run says nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Undecided {
    /// Its events were used up.
    Events,
    /// Its observer ended it and did not say why.
    Observer,
    /// There is no such subject.
    Subject,
    /// Its time was over before its script was done.
    Time,
    /// Its plan names what never came.
    Unmatched,
}

impl Undecided {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Events,
        Self::Observer,
        Self::Subject,
        Self::Time,
        Self::Unmatched,
    ];

    /// Its name, where a failed run has its check's.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Observer => "observer",
            Self::Subject => "subject",
            Self::Time => "time",
            Self::Unmatched => "unmatched",
        }
    }
}
