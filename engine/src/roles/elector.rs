//! The elector: who is suspected, who campaigns, and when a leader gives up.
//!
//! A follower that hears no leader for a random time first canvasses: it asks whether a campaign
//! could succeed, and disturbs nobody when it could not (Raft thesis 9.6). A leader that no quorum
//! answers steps down, so that under partial connectivity another one can win (the quorum-loss,
//! constrained and chained cases of Omni-Paxos, EuroSys '23). Whoever is best connected wins,
//! however far it lags: phase 1 brings it up to date.

use crate::bugs::Bug;
use crate::contract;
use crate::dice::Dice;
use crate::ids::{Ballot, NodeId, NodeSet};
use crate::probe::Probe;
use crate::time::{Mono, Span};

/// The longest backoff: the election timeout's range, doubled so many times.
const BACKOFF_MAX: u32 = 3;

/// What this node strives for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stand {
    /// It follows a leader, or waits for one.
    Following,
    /// It asks whether a campaign could succeed.
    Canvassing {
        /// The ballot that it would lead.
        ballot: Ballot,
        /// Who would promise, itself included.
        granted: NodeSet,
    },
    /// Phase 1 is under way.
    Campaigning(Ballot),
    /// It leads.
    Leading(Ballot),
}

/// What the elector wants done when its time has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Urge {
    /// Ask all peers whether they would promise this ballot.
    Canvass(Ballot),
    /// Give up leading: no quorum answers.
    StepDown,
}

/// Suspicion and ambition of one node.
#[derive(Clone, Hash, Debug)]
pub struct Elector {
    me: NodeId,
    quorum: usize,
    timeout: (Span, Span),
    stand: Stand,
    /// Whom this node follows, and at which ballot.
    leader: Option<Ballot>,
    /// When a leader or candidate was last heard; the boot counts as one, so that a node that
    /// restarts does not disturb.
    heard_at: Mono,
    /// When patience ends.
    wake_at: Mono,
    /// When each peer last answered this leader.
    answered_at: Vec<Mono>,
    /// Campaigns in a row that came to nothing.
    failures: u32,
    /// The last ballot that this node campaigned for in this boot.
    campaigned: Ballot,
    dice: Dice,
}

impl Elector {
    /// A node that has just come back, and follows nobody.
    #[must_use]
    pub fn new(
        me: NodeId,
        nodes: u8,
        quorum: usize,
        timeout: (Span, Span),
        now: Mono,
        mut dice: Dice,
    ) -> Self {
        let wake_at = now + dice.between(timeout.0, timeout.1);
        Self {
            me,
            quorum,
            timeout,
            stand: Stand::Following,
            leader: None,
            heard_at: now,
            wake_at,
            answered_at: vec![Mono(0); usize::from(nodes)],
            failures: 0,
            campaigned: Ballot::ZERO,
            dice,
        }
    }

    /// Whether this node has neither canvassed nor campaigned in this boot, and follows nobody.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.stand == Stand::Following && self.leader.is_none() && self.campaigned == Ballot::ZERO
    }

    /// Whether a quorum has answered this leader within a follower's least patience, which only a
    /// mutant takes for a lease.
    #[must_use]
    pub fn hears_quorum(&self, now: Mono) -> bool {
        self.answering(now, self.timeout.0) >= self.quorum
    }

    /// What this node strives for.
    #[must_use]
    pub const fn stand(&self) -> Stand {
        self.stand
    }

    /// The ballot that this node leads at, if it does.
    #[must_use]
    pub const fn leads(&self) -> Option<Ballot> {
        match self.stand {
            Stand::Leading(ballot) => Some(ballot),
            _ => None,
        }
    }

    /// The leader that this node follows, to hint clients at.
    #[must_use]
    pub fn leader(&self) -> Option<NodeId> {
        self.leads().or(self.leader).map(|ballot| ballot.node)
    }

    /// When this node wants to be woken.
    #[must_use]
    pub const fn deadline(&self) -> Mono {
        self.wake_at
    }

    /// A leader of this ballot spoke, and the acceptor has promised nothing higher.
    pub fn on_leader<P: Probe>(&mut self, ballot: Ballot, now: Mono, probe: &mut P) {
        if self.leads() == Some(ballot) {
            return;
        }
        contract!(
            probe,
            FollowsAnother,
            ballot.node != self.me,
            "follows itself at {ballot}, and leads {:?}",
            self.leads()
        );
        self.leader = Some(ballot);
        self.heard_at = now;
        self.calm_down(probe);
        self.stand = Stand::Following;
        self.rest(now, probe);
    }

    /// The leader of this ballot leads no more. Whoever follows just that one has no reason left to
    /// be patient: its timeout counts as run out, but for the random part that keeps followers from
    /// campaigning at once.
    pub fn on_resign(&mut self, ballot: Ballot, now: Mono) {
        if self.stand != Stand::Following || self.leader != Some(ballot) {
            return;
        }
        let (low, high) = self.timeout;
        self.leader = None;
        self.heard_at = Mono(now.0.saturating_sub(low.0));
        self.wake_at = self
            .wake_at
            .min(now + self.dice.between(Span(0), Span(high.0 - low.0)));
    }

    /// A ballot was promised to a candidate: give it time.
    pub fn on_promise<P: Probe>(&mut self, ballot: Ballot, now: Mono, probe: &mut P) {
        if ballot.node != self.me {
            contract!(
                probe,
                LeaderPromisesNobody,
                self.leads().is_none(),
                "promises {ballot} to another and leads {:?}",
                self.leads()
            );
            self.leader = None;
            self.heard_at = now;
            self.stand = Stand::Following;
            self.rest(now, probe);
        }
    }

    /// Whether this node would promise `ballot` to a canvasser: no leader is heard, and nothing as
    /// high is promised.
    pub fn grants<P: Probe>(
        &mut self,
        ballot: Ballot,
        promised: Ballot,
        now: Mono,
        probe: &mut P,
    ) -> bool {
        let content = self.leads().is_some() || now - self.heard_at < self.timeout.0;
        !(content || self.waits_for_ever(probe)) && ballot > promised
    }

    /// A peer would promise. Says when that makes a quorum: the campaign may begin.
    pub fn on_grant(&mut self, from: NodeId, ballot: Ballot) -> bool {
        let Stand::Canvassing {
            ballot: mine,
            granted,
        } = &mut self.stand
        else {
            return false;
        };
        *mine == ballot && granted.insert(from) && granted.len() == self.quorum
    }

    /// The campaign begins: phase 1 has as long as a follower's patience.
    pub fn campaign<P: Probe>(&mut self, ballot: Ballot, now: Mono, probe: &mut P) {
        contract!(
            probe,
            CampaignsAtItsOwnBallot,
            ballot.node == self.me,
            "{:?} campaigns at {ballot}",
            self.me
        );
        contract!(
            probe,
            NoBallotIsUsedTwice,
            ballot > self.campaigned,
            "campaigns at {ballot} after {}",
            self.campaigned
        );
        self.campaigned = ballot;
        self.stand = Stand::Campaigning(ballot);
        self.leader = None;
        self.heard_at = now;
        self.failures = self.failures.saturating_add(1);
        self.rest(now, probe);
    }

    /// Phase 1 is complete.
    pub fn lead<P: Probe>(&mut self, ballot: Ballot, now: Mono, probe: &mut P) {
        contract!(
            probe,
            LeadsAfterItsCampaign,
            self.stand == Stand::Campaigning(ballot),
            "leads at {ballot} while {:?}",
            self.stand
        );
        self.stand = Stand::Leading(ballot);
        self.leader = Some(ballot);
        self.calm_down(probe);
        self.answered_at.fill(now);
        self.wake_at = now + self.timeout.1;
    }

    /// This node neither leads nor campaigns any more.
    pub fn step_down<P: Probe>(&mut self, now: Mono, probe: &mut P) {
        let strove = matches!(self.stand, Stand::Campaigning(_) | Stand::Leading(_));
        contract!(
            probe,
            StepsDownFromStrifeAlone,
            strove,
            "steps down while {:?}",
            self.stand
        );
        self.stand = Stand::Following;
        self.leader = None;
        self.rest(now, probe);
    }

    /// A peer answered this leader.
    pub fn on_answer(&mut self, from: NodeId, now: Mono) {
        if let Some(at) = self.answered_at.get_mut(usize::from(from.0)) {
            *at = now;
        }
    }

    /// The time has come. `next` is the lowest ballot of this node above everything that it has
    /// seen.
    pub fn on_deadline<P: Probe>(
        &mut self,
        now: Mono,
        next: Ballot,
        probe: &mut P,
    ) -> Option<Urge> {
        if now < self.wake_at {
            return None;
        }
        if self.leads().is_some() {
            self.wake_at = now + self.timeout.0;
            let alone = self.answering(now, self.timeout.1) < self.quorum;
            return probe
                .flip(Bug::NoQuorumCheckPartialPartition, alone, false)
                .then_some(Urge::StepDown);
        }
        if self.waits_for_ever(probe) {
            self.rest(now, probe);
            return None;
        }
        let granted = NodeSet::from_iter([self.me]);
        contract!(
            probe,
            CanvassesAboveItsLeader,
            self.leader < Some(next),
            "canvasses for {next} after following {:?}",
            self.leader
        );
        self.leader = None;
        self.stand = Stand::Canvassing {
            ballot: next,
            granted,
        };
        self.rest(now, probe);
        Some(Urge::Canvass(next))
    }

    /// How many nodes answered this leader within that time, itself included.
    fn answering(&self, now: Mono, within: Span) -> usize {
        let me = usize::from(self.me.0);
        let answers = self.answered_at.iter().enumerate();
        let fresh = answers.filter(|(node, at)| *node == me || now - **at < within);
        fresh.count()
    }

    /// Whether this node campaigns and gives itself no end, which only a mutant does.
    fn waits_for_ever<P: Probe>(&self, probe: &mut P) -> bool {
        matches!(self.stand, Stand::Campaigning(_))
            && probe.flip(Bug::Phase1ReplyLostNoRetry, false, true)
    }

    /// Somebody leads: what failed before says nothing about the next campaign.
    fn calm_down<P: Probe>(&mut self, probe: &mut P) {
        if probe.flip(Bug::BackoffNeverResets, true, self.failures == 0) {
            self.failures = 0;
        }
    }

    /// Draws the next moment of impatience.
    fn rest<P: Probe>(&mut self, now: Mono, probe: &mut P) {
        let (low, high) = self.timeout;
        let capped = probe.flip(Bug::BackoffNeverResets, true, self.failures <= BACKOFF_MAX);
        let high = Span(high.0 << self.failures.min(if capped { BACKOFF_MAX } else { 16 }));
        let patience = self.dice.between(low, high);
        let fixed = probe.flip(Bug::DuelingFixedTimeout, false, patience > low);
        self.wake_at = now + if fixed { low } else { patience };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Full;

    const LOW: Span = Span(100);
    const HIGH: Span = Span(200);

    fn elector() -> Elector {
        Elector::new(NodeId(0), 3, 2, (LOW, HIGH), Mono(0), Dice::new([1; 32]))
    }

    fn ballot(round: u64, node: u8) -> Ballot {
        Ballot {
            round,
            node: NodeId(node),
        }
    }

    #[test]
    fn a_follower_is_content_until_its_leader_is_silent() {
        let mut elector = elector();
        elector.on_leader(ballot(1, 1), Mono(500), &mut ());
        assert!(!elector.grants(ballot(2, 2), ballot(1, 1), Mono(599), &mut ()));
        assert!(elector.grants(ballot(2, 2), ballot(1, 1), Mono(600), &mut ()));
        assert!(
            !elector.grants(ballot(1, 1), ballot(1, 1), Mono(600), &mut ()),
            "what is promised already is no better"
        );
    }

    #[test]
    fn only_the_leader_that_is_followed_can_resign() {
        let mut elector = elector();
        elector.on_leader(ballot(2, 1), Mono(500), &mut ());
        let patience = elector.deadline();
        elector.on_resign(ballot(1, 1), Mono(510));
        elector.on_resign(ballot(3, 1), Mono(510));
        assert_eq!(
            (elector.leader(), elector.deadline()),
            (Some(NodeId(1)), patience)
        );
        elector.on_resign(ballot(2, 1), Mono(510));
        assert_eq!(elector.leader(), None);
        assert!(elector.deadline() <= Mono(510) + Span(HIGH.0 - LOW.0));
        assert!(elector.grants(ballot(3, 2), ballot(2, 1), Mono(510), &mut ()));
        let soon = elector.deadline();
        elector.on_resign(ballot(2, 1), Mono(520));
        assert_eq!(elector.deadline(), soon, "a copy does nothing");
    }

    #[test]
    fn a_campaign_needs_a_quorum_of_different_nodes() {
        let mut elector = elector();
        let next = ballot(1, 0);
        assert_eq!(
            elector.on_deadline(Mono(200), next, &mut ()),
            Some(Urge::Canvass(next))
        );
        assert!(
            !elector.on_grant(NodeId(0), next),
            "its own grant is counted already"
        );
        assert!(!elector.on_grant(NodeId(1), ballot(7, 0)));
        assert!(elector.on_grant(NodeId(1), next));
        assert!(
            !elector.on_grant(NodeId(2), next),
            "the campaign begins once"
        );
    }

    #[test]
    fn a_leader_without_a_quorum_steps_down() {
        let mut elector = elector();
        elector.lead(ballot(1, 0), Mono(1000), &mut ());
        elector.on_answer(NodeId(2), Mono(1100));
        assert_eq!(elector.on_deadline(Mono(1200), ballot(2, 0), &mut ()), None);
        assert_eq!(
            elector.on_deadline(Mono(1300), ballot(2, 0), &mut ()),
            Some(Urge::StepDown)
        );
    }

    #[test]
    fn failed_campaigns_wait_longer_and_a_leader_ends_that() {
        let mut elector = elector();
        let longest = |elector: &mut Elector| {
            (0..100)
                .map(|_| {
                    elector.rest(Mono(0), &mut ());
                    elector.deadline().0
                })
                .max()
        };
        assert!(longest(&mut elector) <= Some(HIGH.0));
        (0..9).for_each(|round| elector.campaign(ballot(round, 0), Mono(0), &mut ()));
        let waits = longest(&mut elector);
        assert!(
            waits > Some(HIGH.0 * 4) && waits <= Some(HIGH.0 << BACKOFF_MAX),
            "{waits:?}"
        );
        elector.on_leader(ballot(10, 1), Mono(0), &mut ());
        assert!(longest(&mut elector) <= Some(HIGH.0));
    }

    #[test]
    #[should_panic(expected = "contract FollowsAnother")]
    fn following_oneself_breaks_a_contract() {
        elector().on_leader(ballot(1, 0), Mono(0), &mut Full::default());
    }

    #[test]
    #[should_panic(expected = "contract LeaderPromisesNobody")]
    fn a_leader_that_promises_another_breaks_a_contract() {
        let mut elector = elector();
        elector.lead(ballot(1, 0), Mono(0), &mut ());
        elector.on_promise(ballot(2, 1), Mono(0), &mut Full::default());
    }

    #[test]
    #[should_panic(expected = "contract CampaignsAtItsOwnBallot")]
    fn a_campaign_for_another_breaks_a_contract() {
        elector().campaign(ballot(1, 1), Mono(0), &mut Full::default());
    }

    #[test]
    #[should_panic(expected = "contract NoBallotIsUsedTwice")]
    fn a_ballot_used_twice_breaks_its_contract() {
        let mut elector = elector();
        for _ in 0..2 {
            elector.campaign(ballot(1, 0), Mono(0), &mut Full::default());
        }
    }

    #[test]
    #[should_panic(expected = "contract LeadsAfterItsCampaign")]
    fn a_leader_that_did_not_campaign_breaks_a_contract() {
        elector().lead(ballot(1, 0), Mono(0), &mut Full::default());
    }

    #[test]
    #[should_panic(expected = "contract StepsDownFromStrifeAlone")]
    fn a_follower_that_steps_down_breaks_a_contract() {
        elector().step_down(Mono(0), &mut Full::default());
    }

    #[test]
    #[should_panic(expected = "contract CanvassesAboveItsLeader")]
    fn a_canvass_below_the_leader_breaks_a_contract() {
        let mut elector = elector();
        elector.on_leader(ballot(5, 1), Mono(0), &mut Full::default());
        elector.on_deadline(elector.deadline(), ballot(5, 0), &mut Full::default());
    }
}
