//! The verbs of steps and of the nemesis. [`fault_verbs`] is the one list of fault verbs: both
//! kinds of step get a key for each.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use crate::scenario::aim_form::{AimForm, AimedRateForm, DelayForm, DuplicateForm, HoldBackForm};
use crate::scenario::asking::{ExpectForm, InvokeForm};
use crate::scenario::fault_form::{
    BitRotForm, ClockDriftForm, ClockJumpForm, ClogForm, FailureForm, KillForm, PartitionVerb,
    PowerLossForm, Short, SlowForm, SlowLinkForm, TargetForm,
};
use crate::scenario::select::{Member, Select};
use crate::scenario::units::Time;
use crate::scenario::value::Ranged;

macro_rules! fault_verbs {
    ($($(#[$doc:meta])* $field:ident $name:literal => $variant:ident($form:ty),)*) => {
        /// A fault as it stands in a file.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum FaultForm { $($(#[$doc])* $variant($form),)* }

        /// A `[[step]]` as it stands in a file: every verb is an option, and exactly one must be
        /// there.
        #[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct StepForm {
            /// Not before this time.
            pub at: Option<Spanned<Ranged<Time>>>,
            /// So long after the step before.
            pub after: Option<Spanned<Ranged<Time>>>,
            /// How long the fault lasts.
            pub hold: Option<Spanned<Ranged<Time>>>,
            /// The step's own among all steps.
            pub number: Option<Spanned<u16>>,
            /// The line in the scenario that a reproducer was drawn from.
            pub line: Option<u32>,
            /// Wait for something.
            pub expect: Option<Spanned<ExpectForm>>,
            /// Have a client do something.
            pub invoke: Option<Spanned<InvokeForm>>,
            /// End faults.
            pub heal: Option<Spanned<HealWhat>>,
            /// Start processes.
            pub restart: Option<Spanned<Short<TargetForm>>>,
            /// End pauses.
            pub resume: Option<Spanned<Short<TargetForm>>>,
            /// Do nothing.
            pub sleep: Option<Spanned<Ranged<Time>>>,
            $($(#[$doc])* pub $field: Option<Spanned<$form>>,)*
        }

        /// A `[[nemesis.fault]]` as it stands in a file.
        #[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct NemesisFaultForm {
            /// How often, against the others.
            pub weight: Option<Spanned<u32>>,
            /// How long the fault lasts.
            pub hold: Option<Spanned<Ranged<Time>>>,
            $($(#[$doc])* pub $field: Option<Spanned<$form>>,)*
        }

        impl StepForm {
            /// Takes the fault verbs out, each with its place.
            pub fn take_faults(&mut self) -> Vec<(&'static str, Range<usize>, FaultForm)> {
                let mut found = Vec::new();
                $(if let Some(form) = self.$field.take() {
                    found.push(($name, form.span(), FaultForm::$variant(form.into_inner())));
                })*
                found
            }
        }

        impl NemesisFaultForm {
            /// Takes the fault verbs out, each with its place.
            pub fn take_faults(&mut self) -> Vec<(&'static str, Range<usize>, FaultForm)> {
                let mut step = StepForm { $($field: self.$field.take(),)* ..StepForm::default() };
                step.take_faults()
            }
        }
    };
}

fault_verbs! {
    /// Cut the network.
    partition "partition" => Partition(PartitionVerb),
    /// Kill processes.
    kill "kill" => Kill(Short<KillForm>),
    /// Cut the power.
    power_loss "power-loss" => PowerLoss(Short<PowerLossForm>),
    /// Stop scheduling processes.
    pause "pause" => Pause(Short<TargetForm>),
    /// Slow processes down.
    slow_cpu "slow-cpu" => SlowCpu(Short<SlowForm>),
    /// Hold all messages back.
    clog "clog" => Clog(ClogForm),
    /// Delay all messages.
    slow_link "slow-link" => SlowLink(SlowLinkForm),
    /// Lose messages.
    lose "lose" => Lose(AimedRateForm),
    /// Send messages twice.
    duplicate "duplicate" => Duplicate(DuplicateForm),
    /// Damage messages.
    corrupt "corrupt" => Corrupt(AimedRateForm),
    /// Delay messages.
    delay "delay" => Delay(DelayForm),
    /// Keep messages back until something happens.
    hold_back "hold-back" => HoldBack(HoldBackForm),
    /// Fail syncs.
    sync_failure "sync-failure" => SyncFailure(Short<FailureForm>),
    /// Fail writes.
    write_failure "write-failure" => WriteFailure(Short<FailureForm>),
    /// Fail reads.
    read_failure "read-failure" => ReadFailure(Short<FailureForm>),
    /// Fill disks.
    disk_full "disk-full" => DiskFull(Short<TargetForm>),
    /// Slow disks down.
    slow_disk "slow-disk" => SlowDisk(Short<SlowForm>),
    /// Let nothing complete on disks.
    disk_stall "disk-stall" => DiskStall(Short<TargetForm>),
    /// Damage what is on the media.
    bit_rot "bit-rot" => BitRot(Short<BitRotForm>),
    /// Make sectors on the media unreadable.
    sector_error "sector-error" => SectorError(Short<BitRotForm>),
    /// Misdirect a write.
    misdirected_write "misdirected-write" => MisdirectedWrite(Short<TargetForm>),
    /// Empty disks.
    disk_loss "disk-loss" => DiskLoss(Short<TargetForm>),
    /// Set wall clocks.
    clock_jump "clock-jump" => ClockJump(ClockJumpForm),
    /// Change the rate of clocks.
    clock_drift "clock-drift" => ClockDrift(ClockDriftForm),
}

impl FaultForm {
    /// Whether it is over at once, so that a hold means nothing.
    #[must_use]
    pub const fn is_instant(&self) -> bool {
        matches!(
            self,
            Self::BitRot(_) | Self::SectorError(_) | Self::MisdirectedWrite(_) | Self::ClockJump(_)
        )
    }

    /// Whether what a replica made durable may be lost, so that the redundancy budget says whom it
    /// may strike.
    #[must_use]
    pub const fn damages(&self) -> bool {
        matches!(
            self,
            Self::BitRot(_) | Self::SectorError(_) | Self::MisdirectedWrite(_) | Self::DiskLoss(_)
        )
    }

    /// Which messages it is aimed at, if it is.
    #[must_use]
    pub const fn aim(&self) -> Option<AimForm<'_>> {
        match self {
            Self::Lose(form) | Self::Corrupt(form) => Some(form.aim()),
            Self::Duplicate(form) => Some(form.aim()),
            Self::Delay(form) => Some(form.aim()),
            Self::HoldBack(form) => Some(form.aim()),
            _ => None,
        }
    }

    /// Calls `visit` for every selection of replicas, pick by pick; a selection of a link's ends is
    /// one too.
    pub fn each_select(&self, visit: &mut dyn FnMut(&Select)) {
        match self {
            Self::Partition(form) => {
                for member in form.0.groups.iter().flatten().flatten() {
                    if let Member::Replicas(select) = member {
                        select.each(visit);
                    }
                }
            }
            Self::Kill(form) => form.0.replicas.each(visit),
            Self::PowerLoss(form) => form.0.replicas.each(visit),
            Self::Pause(form)
            | Self::DiskFull(form)
            | Self::DiskStall(form)
            | Self::MisdirectedWrite(form)
            | Self::DiskLoss(form) => form.0.replicas.each(visit),
            Self::Clog(ClogForm { from, to })
            | Self::SlowLink(SlowLinkForm { from, to, .. })
            | Self::Lose(AimedRateForm { from, to, .. })
            | Self::Corrupt(AimedRateForm { from, to, .. })
            | Self::Duplicate(DuplicateForm { from, to, .. })
            | Self::Delay(DelayForm { from, to, .. })
            | Self::HoldBack(HoldBackForm { from, to, .. }) => {
                from.each(visit);
                to.each(visit);
            }
            Self::SyncFailure(form) | Self::WriteFailure(form) | Self::ReadFailure(form) => {
                form.0.replicas.each(visit)
            }
            Self::SlowDisk(form) | Self::SlowCpu(form) => form.0.replicas.each(visit),
            Self::BitRot(form) | Self::SectorError(form) => form.0.replicas.each(visit),
            Self::ClockJump(form) => form.replicas.each(visit),
            Self::ClockDrift(form) => form.replicas.each(visit),
        }
    }
}

/// What a `heal` step ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HealWhat {
    /// Every fault.
    All,
    /// Partitions and link faults.
    Network,
    /// Disk faults.
    Disk,
}
