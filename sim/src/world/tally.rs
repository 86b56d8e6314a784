//! How often each fault kind took effect and each milestone was reached: what happened, never what
//! was planned.

use synod_reports::record::Costs;

use crate::subject::process::Subject;

macro_rules! counted {
    ($(#[$docs:meta])* $name:ident { $($(#[$doc:meta])+ $variant:ident = $text:literal,)+ }) => {
        $(#[$docs])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name {
            $($(#[$doc])+ $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in results.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The one of that name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

counted! {
    /// A fault that took effect.
    Effect {
        /// A partition dropped a message.
        Partition = "partition",
        /// A clogged link held a message.
        Clog = "clog",
        /// A slow link delayed a message.
        SlowLink = "slow-link",
        /// The weather lost a message.
        NetworkLoss = "network.loss",
        /// A second copy of a message, which the weather made, arrived.
        NetworkDuplicate = "network.duplicate",
        /// A message that the weather damaged was delivered.
        NetworkCorrupt = "network.corrupt",
        /// A fault lost a message.
        Lose = "lose",
        /// A second copy of a message, which a fault made, arrived.
        Duplicate = "duplicate",
        /// A message that a fault damaged was delivered.
        Corrupt = "corrupt",
        /// A fault delayed a message.
        Delay = "delay",
        /// A message came later because it was kept back.
        HoldBack = "hold-back",
        /// A message arrived after one that was sent later on its link.
        Reorder = "reorder",
        /// A session between two replicas that were both up ended.
        Disconnect = "disconnect",
        /// A running process was killed.
        Kill = "kill",
        /// A running process lost its power.
        PowerLoss = "power-loss",
        /// Part of a write was lost, and part was kept.
        TornWrite = "torn-write",
        /// Data that was not synced was lost.
        LostSectors = "lost-sectors",
        /// A name operation that was not synced was lost, or a removed name came back.
        LostNames = "lost-names",
        /// A process died inside a step, between two of its outputs.
        DiedInStep = "died-in-step",
        /// A process died just before it sent a message, or synced a file, that was named.
        DiedAtMoment = "died-at-moment",
        /// A process died while it recovered.
        DiedInRecovery = "died-in-recovery",
        /// An input was delayed because its process was paused.
        Pause = "pause",
        /// The first step after a pause used a time from before it.
        StaleSample = "stale-sample",
        /// A step took its time.
        SlowCpu = "slow-cpu",
        /// A sync failed.
        SyncFailure = "sync-failure",
        /// A write failed.
        WriteFailure = "write-failure",
        /// A read failed.
        ReadFailure = "read-failure",
        /// A disk operation found no space.
        DiskFull = "disk-full",
        /// A disk operation took longer.
        SlowDisk = "slow-disk",
        /// A disk operation was held.
        DiskStall = "disk-stall",
        /// A synced sector was damaged.
        BitRot = "bit-rot",
        /// A sector became unreadable.
        SectorError = "sector-error",
        /// A misdirected write came to light, at both its places.
        MisdirectedWrite = "misdirected-write",
        /// A disk with files on it was replaced by an empty one.
        DiskLoss = "disk-loss",
        /// A process was stepped after its wall clock had jumped.
        ClockJump = "clock-jump",
        /// A process was stepped after its clocks' rate had changed.
        ClockDrift = "clock-drift",
        /// A single decision went as it was told.
        Override = "override",
    }
}

counted! {
    /// Something that a run should come by.
    Milestone {
        /// A node leads that is not the one that led before.
        LeaderChanged = "leader-changed",
        /// A node asked the others to let it lead, at a ballot that was new for it.
        Campaigned = "campaigned",
        /// A node acted as leader at a ballot at which it had not done so before.
        Elected = "elected",
        /// A node acted as leader while one of a higher ballot was up.
        TwoLeadersAlive = "two-leaders-alive",
        /// A recovery cut a torn tail.
        TornTailCut = "torn-tail-cut",
        /// A recovery found chosen slots in its log.
        RecoveredWithLog = "recovered-with-log",
        /// A message was delivered that an earlier boot of its sender had sent.
        StaleMessageDelivered = "stale-message-delivered",
        /// A client tried a request again.
        ClientRetried = "client-retried",
        /// A request went to two replicas at once.
        ClientDuplicated = "client-duplicated",
        /// A client gave up on a request that may or may not have taken effect.
        UnknownOutcome = "unknown-outcome",
        /// A request was refused for certain.
        DefiniteRefusal = "definite-refusal",
        /// A client opened a session after one was gone.
        SessionReopened = "session-reopened",
        /// A process took part again after a restart.
        Rejoined = "rejoined",
        /// A process halted by its own will.
        Halted = "halted",
    }
}

impl Milestone {
    /// Whether runs of this subject can come by it at all.
    #[must_use]
    pub fn can_show(self, subject: &dyn Subject) -> bool {
        match self {
            Self::LeaderChanged | Self::Elected | Self::TwoLeadersAlive => subject.has_leader(),
            Self::Campaigned => subject.has_leader() && subject.reader().is_some(),
            _ => !self.is_seen_in_facts() || subject.tells_facts(),
        }
    }

    /// Whether facts alone tell of it, so that how often it is counted depends on whether a run
    /// hears of them.
    #[must_use]
    pub const fn is_seen_in_facts(self) -> bool {
        matches!(self, Self::TornTailCut | Self::RecoveredWithLog)
    }
}

/// The counters of one run.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// What replicas did; who was answered is counted by `Service`.
    pub costs: Costs,
    pub effects: [u64; Effect::ALL.len()],
    pub milestones: [u64; Milestone::ALL.len()],
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            costs: Costs::default(),
            effects: [0; Effect::ALL.len()],
            milestones: [0; Milestone::ALL.len()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fault::{
        Aim, Boundary, Fault, Keep, LinkFault, MessageFault, Partition, Spots, Until, Who,
    };
    use crate::scenario::value::Word;
    use crate::time::Span;

    #[test]
    fn messages_wait_for_milestones() {
        for (name, until) in Until::WORDS {
            assert_eq!(
                Milestone::named(name).is_none(),
                *until == Until::End,
                "{name}"
            );
        }
    }

    #[test]
    fn every_fault_kind_has_a_counter() {
        let who = Who::All;
        let link = |fault| Fault::Links {
            from: Who::All,
            to: Who::All,
            fault,
        };
        let messages = |fault| Fault::Messages {
            aim: Aim {
                from: Who::All,
                to: Who::All,
                kinds: Vec::new(),
                nth: None,
            },
            fault,
        };
        for fault in [
            Fault::Partition(Partition::Groups(Vec::new())),
            link(LinkFault::Clog),
            link(LinkFault::Slow(Span(1))),
            messages(MessageFault::Lose(1)),
            messages(MessageFault::Duplicate {
                ppm: 1,
                later: Span(1),
            }),
            messages(MessageFault::Corrupt(1)),
            messages(MessageFault::Delay(Span(1))),
            messages(MessageFault::HoldBack(Until::End)),
            Fault::Kill {
                who: who.clone(),
                boundary: Boundary::Now,
            },
            Fault::PowerLoss {
                who: who.clone(),
                keep: Keep::Any,
                boundary: Boundary::Now,
            },
            Fault::Pause(who.clone()),
            Fault::SlowCpu {
                who: who.clone(),
                by: Span(1),
            },
            Fault::SyncFailure {
                who: who.clone(),
                ppm: 1,
            },
            Fault::WriteFailure {
                who: who.clone(),
                ppm: 1,
            },
            Fault::ReadFailure {
                who: who.clone(),
                ppm: 1,
            },
            Fault::DiskFull(who.clone()),
            Fault::SlowDisk {
                who: who.clone(),
                by: Span(1),
            },
            Fault::DiskStall(who.clone()),
            Fault::BitRot {
                who: who.clone(),
                spots: Spots::anywhere(1),
            },
            Fault::SectorError {
                who: who.clone(),
                spots: Spots::anywhere(1),
            },
            Fault::MisdirectedWrite(who.clone()),
            Fault::DiskLoss(who.clone()),
            Fault::ClockJump {
                who: who.clone(),
                by: 1,
            },
            Fault::ClockDrift { who, ppm: 1 },
        ] {
            assert!(Effect::named(fault.kind()).is_some(), "{}", fault.kind());
        }
    }
}
