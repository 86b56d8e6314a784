//! The promises that replicas have sent, which bind them, and those of them that came to their
//! candidate, on which its proposals rest.
//!
//! A candidate never goes back to a lower ballot, so of each replica only the highest ballot that it
//! was promised is kept. A page that is sent again and says the same is kept once; it may say
//! something else, when a vote in it was not durable and a crash has taken it.

use std::sync::Arc;

use crate::check::signal::BallotWord;
use crate::ids::Node;
use crate::subject::process::{Promise, Report};

/// A page of a promise that was sent.
#[derive(Clone, Debug)]
pub struct Page {
    /// Who promised.
    pub by: Node,
    /// It came to its candidate, in the candidate's present boot.
    pub heard: bool,
    promise: Arc<Promise>,
}

impl Page {
    /// Whether it says something of the slot, be it that there was no vote.
    #[must_use]
    pub fn covers(&self, slot: u64) -> bool {
        self.promise.from <= slot && self.promise.next.is_none_or(|next| slot < next)
    }

    /// What it reports of the slot.
    #[must_use]
    pub fn report(&self, slot: u64) -> Option<&Report> {
        let reports = &self.promise.reports;
        let at = reports.binary_search_by_key(&slot, |report| report.slot);
        at.ok().map(|at| &reports[at])
    }
}

/// What one replica was promised.
#[derive(Clone, Default, Debug)]
struct Campaign {
    ballot: BallotWord,
    pages: Vec<Page>,
}

/// Promises that were sent, by the candidate.
#[derive(Clone, Debug)]
pub struct Grants {
    campaigns: Vec<Campaign>,
}

impl Grants {
    /// Nothing was promised to any of these replicas.
    #[must_use]
    pub fn new(replicas: u8) -> Self {
        Self {
            campaigns: vec![Campaign::default(); usize::from(replicas)],
        }
    }

    /// A page is sent.
    pub fn sent(&mut self, by: Node, promise: &Promise) {
        let ballot = BallotWord::of(promise.ballot);
        let Some(campaign) = self.campaigns.get_mut(usize::from(ballot.owner().0)) else {
            return;
        };
        if campaign.ballot < ballot {
            campaign.ballot = ballot;
            campaign.pages.clear();
        }
        let same = |page: &Page| page.by == by && *page.promise == *promise;
        if campaign.ballot == ballot && !campaign.pages.iter().any(same) {
            campaign.pages.push(Page {
                by,
                heard: false,
                promise: Arc::new(promise.clone()),
            });
        }
    }

    /// A page comes to a replica. One that is damaged on the way is no page that was sent.
    pub fn heard(&mut self, candidate: Node, by: Node, promise: &Promise) {
        let ballot = BallotWord::of(promise.ballot);
        if let Some(campaign) = self.campaigns.get_mut(usize::from(candidate.0))
            && campaign.ballot == ballot
        {
            for page in &mut campaign.pages {
                page.heard |= page.by == by && *page.promise == *promise;
            }
        }
    }

    /// A replica starts, and has heard nothing.
    pub fn booted(&mut self, candidate: Node) {
        if let Some(campaign) = self.campaigns.get_mut(usize::from(candidate.0)) {
            for page in &mut campaign.pages {
                page.heard = false;
            }
        }
    }

    /// The pages of promises of this ballot that were sent; none when its candidate was promised a
    /// higher one.
    #[must_use]
    pub fn of(&self, ballot: BallotWord) -> &[Page] {
        match self.campaigns.get(usize::from(ballot.owner().0)) {
            Some(campaign) if campaign.ballot == ballot => &campaign.pages,
            _ => &[],
        }
    }

    /// The pages that a replica sent of promises above a ballot.
    pub fn above(&self, ballot: BallotWord, by: Node) -> impl Iterator<Item = (BallotWord, &Page)> {
        self.campaigns
            .iter()
            .filter(move |campaign| campaign.ballot > ballot)
            .flat_map(|campaign| campaign.pages.iter().map(|page| (campaign.ballot, page)))
            .filter(move |(_, page)| page.by == by)
    }

    /// The bytes that it holds, roughly.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let pages = self.campaigns.iter().flat_map(|campaign| &campaign.pages);
        pages
            .map(|page| {
                let reports = page.promise.reports.len() * size_of::<Report>();
                (size_of::<Page>() + size_of::<Promise>() + reports) as u64
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(ballot: (u64, u8), from: u64, next: Option<u64>, slots: &[u64]) -> Promise {
        let report = |slot: &u64| Report {
            slot: *slot,
            ballot: (1, 0),
            value: 7,
            chosen: false,
        };
        Promise {
            ballot,
            from,
            next,
            reports: slots.iter().map(report).collect(),
        }
    }

    #[test]
    fn a_page_is_about_its_slots_and_no_others() {
        let mut grants = Grants::new(3);
        grants.sent(Node(1), &promise((2, 0), 4, Some(9), &[5, 7]));
        let [page] = grants.of(BallotWord::of((2, 0))) else {
            panic!("one page was sent")
        };
        assert_eq!(
            [3, 4, 8, 9].map(|slot| page.covers(slot)),
            [false, true, true, false]
        );
        assert_eq!(
            [5, 6, 7].map(|slot| page.report(slot).is_some()),
            [true, false, true]
        );
        grants.sent(Node(1), &promise((2, 0), 9, None, &[]));
        assert!(grants.of(BallotWord::of((2, 0)))[1].covers(u64::MAX));
    }

    #[test]
    fn what_comes_as_it_was_sent_is_heard_until_the_next_boot() {
        let (mut grants, page) = (Grants::new(3), promise((2, 0), 4, None, &[5]));
        for node in 1..3 {
            grants.sent(Node(node), &page);
        }
        let heard = |grants: &Grants| {
            let pages = grants.of(BallotWord::of((2, 0))).iter();
            pages.map(|page| page.heard).collect::<Vec<_>>()
        };
        grants.heard(Node(1), Node(2), &page);
        grants.heard(Node(0), Node(2), &promise((2, 0), 4, None, &[]));
        grants.heard(Node(0), Node(2), &promise((1, 0), 4, None, &[5]));
        assert_eq!(heard(&grants), [false, false]);
        grants.heard(Node(0), Node(2), &page);
        assert_eq!(heard(&grants), [false, true]);
        grants.sent(Node(2), &page);
        grants.booted(Node(2));
        assert_eq!(heard(&grants), [false, true]);
        grants.booted(Node(0));
        assert_eq!(heard(&grants), [false, false]);
    }

    #[test]
    fn what_is_sent_again_is_kept_once_and_a_higher_campaign_takes_the_place() {
        let mut grants = Grants::new(3);
        let (low, high) = (BallotWord::of((2, 0)), BallotWord::of((3, 0)));
        for node in [1, 1, 2] {
            grants.sent(Node(node), &promise((2, 0), 4, None, &[5]));
        }
        assert_eq!(grants.of(low).len(), 2);
        grants.sent(Node(1), &promise((2, 0), 4, None, &[]));
        assert_eq!(grants.of(low).len(), 3, "it says something else");
        grants.sent(Node(1), &promise((3, 0), 4, None, &[]));
        grants.sent(Node(2), &promise((2, 0), 4, None, &[]));
        assert_eq!((grants.of(low).len(), grants.of(high).len()), (0, 1));
        grants.sent(Node(1), &promise((2, 2), 4, None, &[]));
        let above = |ballot| grants.above(BallotWord::of(ballot), Node(1)).count();
        assert_eq!([(2, 1), (2, 2), (3, 0)].map(above), [2, 1, 0]);
        assert_eq!(grants.above(BallotWord::NONE, Node(2)).count(), 0);
        grants.heard(Node(7), Node(1), &promise((9, 7), 4, None, &[]));
        grants.sent(Node(1), &promise((9, 7), 4, None, &[]));
        assert!(grants.of(BallotWord::of((9, 7))).is_empty());
        assert!(grants.bytes() > 0);
    }
}
