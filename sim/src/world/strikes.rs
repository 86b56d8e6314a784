//! Cutting one step of a replica short, and what strikes it there.
//!
//! The step goes as far as it is told, and what it asks for beyond is never done. The death itself
//! comes when the event is over: until then nothing else of that replica happens.

use crate::choices::loose::Loose;
use crate::choices::strike::{Blow, Strike};
use crate::ids::Node;
use crate::scenario::fault::Keep;
use crate::subject::process::Output;
use crate::trace::observer::Observer;

use super::cut::Cut;
use super::disk::Kept;
use super::due::Due;
use super::life::STRUCK;
use super::node::Death;
use super::pledge::{Pledge, Trial};
use super::watch::Watch;
use super::world::World;

impl<O: Observer> World<O> {
    /// The next step of a replica is cut short as the strike has it.
    pub fn cut_short(&mut self, strike: &Strike) {
        self.cut = Some(Cut {
            node: usize::from(strike.replica.saturating_sub(1)),
            after: strike.after as usize,
            fails: strike.by == Blow::Failure,
            op: None,
            came: false,
        });
    }

    /// Whether the step came, and went as far as it was to go. Whatever did not come, does not.
    pub fn take_cut(&mut self) -> bool {
        self.cut.take().is_some_and(|cut| cut.came)
    }

    /// The promise that keeps out a leader, if that was the last thing before the blow.
    pub const fn take_last_word(&mut self) -> Option<Pledge> {
        self.last_word.take()
    }

    /// Takes what is beyond the cut from what a replica asks for.
    pub(super) fn cut(&mut self, node: usize, outputs: &mut Vec<Output>) {
        let Some(cut) = self
            .cut
            .as_mut()
            .filter(|cut| cut.node == node && !cut.came)
        else {
            return;
        };
        if !cut.fails {
            cut.came = outputs.len() >= cut.after;
            outputs.truncate(cut.after);
            self.last_word = self.last_word_of(node, outputs);
        } else if let Some(Output::Disk { op, .. }) = outputs.get(cut.after) {
            (cut.op, cut.came) = (Some(*op), true);
        }
    }

    fn last_word_of(&self, node: usize, outputs: &[Output]) -> Option<Pledge> {
        let Some(Output::Send { to, bytes }) = outputs.last() else {
            return None;
        };
        let from = Node(u8::try_from(node).expect("at most 9 replicas"));
        self.keeps_out(from, *to, bytes).then(|| Pledge {
            from,
            to: *to,
            trial: Trial::PowerLoss,
            bytes: bytes.clone(),
        })
    }

    /// What of a replica's disk would survive such a blow or not.
    #[must_use]
    pub fn open_to(&self, node: Node, by: Blow) -> Vec<Loose> {
        let machine = &self.machines[usize::from(node.0)];
        let disk = &machine.disk;
        match by {
            Blow::Kill => disk.landing(),
            Blow::PowerLoss | Blow::Outage | Blow::OutageKeptElsewhere => disk.loose(),
            Blow::Failure => {
                let told = machine.told.last();
                told.map_or_else(Vec::new, |(ticket, _)| disk.breakable(*ticket))
            }
        }
    }

    /// The blow falls. Who dies comes back before anybody could lose patience.
    pub fn blow_falls(&mut self, strike: &Strike) {
        let struck = usize::from(strike.replica.saturating_sub(1));
        let keep = Kept::Those(&strike.keep);
        let elsewhere = match strike.by {
            Blow::Failure => return self.fails(struck, &strike.keep),
            Blow::Kill => return self.struck(struck, Death::Kill, keep),
            Blow::PowerLoss => return self.struck(struck, Death::Power(Keep::Nothing), keep),
            Blow::Outage => Keep::Nothing,
            Blow::OutageKeptElsewhere => Keep::Everything,
        };
        for node in 0..self.machines.len() {
            let kept = if node == struck {
                keep
            } else {
                elsewhere.into()
            };
            self.struck(node, Death::Power(elsewhere), kept);
        }
    }

    /// What was asked for last fails, and of it just this lands.
    fn fails(&mut self, node: usize, kept: &[Loose]) {
        let machine = &mut self.machines[node];
        if let Some((ticket, _)) = machine.told.last() {
            machine.disk.fails_keeping(*ticket, kept);
        }
    }

    fn struck(&mut self, node: usize, death: Death, kept: Kept<'_>) {
        let ran = self.machines[node].runs();
        self.die_keeping(node, death, kept, STRUCK);
        if ran {
            let at = u8::try_from(node).expect("at most 9 replicas");
            let soon = self.plan.cluster.knobs.election_timeout.0;
            self.stage.after(
                soon,
                Due::Boot {
                    node: at,
                    by: STRUCK,
                },
            );
        }
    }

    /// From here on it is watched what disks go through.
    pub fn watch_disks(&mut self) {
        self.watch = Some(Box::default());
    }

    /// What was seen of them.
    pub const fn watch(&mut self) -> Option<&mut Watch> {
        match &mut self.watch {
            Some(watch) => Some(watch),
            None => None,
        }
    }
}
