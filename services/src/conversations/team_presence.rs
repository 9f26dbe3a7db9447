//! Whether a member of a site's team is there: has the dashboard, or another program with a member's key, connected to
//! any node. It lives in memory only. Nodes tell each other when the first member of a site comes and the last one leaves
//! ([`hints`](crate::runtime::hints)), and repeat it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use helpbot_domain::ids::SiteId;
use helpbot_domain::key::Scope;

use crate::accounts::viewer::Viewer;
use crate::runtime::hints::{GONE_AFTER, Hint, Hints};

/// The sites that a member is there for.
#[derive(Clone, Default)]
pub(crate) struct TeamPresence {
    sites: Arc<Mutex<HashMap<SiteId, Team>>>,
    hints: Hints,
}

#[derive(Debug, Default)]
struct Team {
    /// Number of connections of members to this node.
    here: usize,
    /// The other nodes with a member, and when they said so.
    elsewhere: HashMap<u64, Instant>,
}

impl Team {
    fn is_empty(&self) -> bool {
        self.here == 0 && self.elsewhere.is_empty()
    }
}

impl TeamPresence {
    /// No members. The other nodes are notified of changes by `hints`.
    pub(crate) fn new(hints: Hints) -> Self {
        Self { hints, ..Self::default() }
    }

    /// Counts a viewer as there until the result is dropped. `None` for viewers who are not a person of the team: a
    /// program with a secret key is connected day and night.
    pub(crate) fn enter(&self, viewer: &Viewer, site: SiteId) -> Option<MemberStay> {
        if viewer.member.is_none() || !viewer.has(Scope::WriteConversations) {
            return None;
        }
        Some(self.stay(site))
    }

    fn stay(&self, site: SiteId) -> MemberStay {
        let mut sites = self.lock();
        let team = sites.entry(site).or_default();
        team.here += 1;
        if team.here == 1 {
            self.hints.tell(Hint::Team(site, true));
        }
        MemberStay { presence: self.clone(), site }
    }

    /// Returns whether a member of the site is there.
    pub(crate) fn is_anybody_here(&self, site: SiteId) -> bool {
        self.lock().contains_key(&site)
    }

    /// Returns the sites whose members are connected to this node, for the others.
    pub(crate) fn sites_here(&self) -> Vec<SiteId> {
        self.lock().iter().filter(|(_, team)| team.here > 0).map(|(site, _)| *site).collect()
    }

    /// Records whether a member of the site is connected to another node.
    pub(crate) fn here_elsewhere(&self, site: SiteId, node: u64, is_here: bool) {
        let mut sites = self.lock();
        let team = sites.entry(site).or_default();
        if is_here {
            team.elsewhere.insert(node, Instant::now());
        } else {
            team.elsewhere.remove(&node);
        }
        if team.is_empty() {
            sites.remove(&site);
        }
    }

    /// Forgets the members on nodes that have said nothing for some time.
    pub(crate) fn forget_gone(&self) {
        self.lock().retain(|_, team| {
            team.elsewhere.retain(|_, since| since.elapsed() < GONE_AFTER);
            !team.is_empty()
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SiteId, Team>> {
        // The map is consistent after every operation, so a panic elsewhere does not corrupt it.
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A member who is there until this is dropped.
pub(crate) struct MemberStay {
    presence: TeamPresence,
    site: SiteId,
}

impl Drop for MemberStay {
    fn drop(&mut self) {
        let mut sites = self.presence.lock();
        let Some(team) = sites.get_mut(&self.site) else { return };
        team.here -= 1;
        if team.here == 0 {
            self.presence.hints.tell(Hint::Team(self.site, false));
        }
        if team.is_empty() {
            sites.remove(&self.site);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_team_is_here_until_its_last_member_on_the_last_node_leaves() {
        let (team, site) = (TeamPresence::default(), SiteId::from_uuid(Uuid::from_u128(1)));
        let (first, second) = (team.stay(site), team.stay(site));

        team.here_elsewhere(site, 7, true);
        drop(first);
        assert_eq!(team.sites_here(), [site]);
        drop(second);
        assert!(team.is_anybody_here(site) && team.sites_here().is_empty());

        team.here_elsewhere(site, 8, false);
        team.here_elsewhere(site, 7, false);
        assert!(!team.is_anybody_here(site) && team.lock().is_empty());
    }
}
