//! Whether a member of a site's team is there: has the dashboard, or another program with a member's key, connected. It
//! lives in memory only, so each node knows the members that are connected to it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use helpbot_domain::ids::SiteId;
use helpbot_domain::key::{KeyKind, Scope};

use crate::accounts::viewer::Viewer;

/// The number of connections of members by site.
#[derive(Debug, Clone, Default)]
pub(crate) struct TeamPresence(Arc<Mutex<HashMap<SiteId, usize>>>);

impl TeamPresence {
    /// Counts a viewer as there until the result is dropped. `None` for viewers who are not a person of the team: a
    /// program with a secret key is connected day and night.
    pub(crate) fn enter(&self, viewer: &Viewer, site: SiteId) -> Option<MemberStay> {
        if viewer.kind != KeyKind::Member || !viewer.has(Scope::WriteConversations) {
            return None;
        }
        *self.lock().entry(site).or_default() += 1;
        Some(MemberStay { presence: self.clone(), site })
    }

    /// Returns whether a member of the site is there.
    pub(crate) fn is_anybody_here(&self, site: SiteId) -> bool {
        self.lock().contains_key(&site)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SiteId, usize>> {
        // The map is consistent after every operation, so a panic elsewhere does not corrupt it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A member who is there until this is dropped.
#[derive(Debug)]
pub(crate) struct MemberStay {
    presence: TeamPresence,
    site: SiteId,
}

impl Drop for MemberStay {
    fn drop(&mut self) {
        let mut sites = self.presence.lock();
        if let Some(count) = sites.get_mut(&self.site) {
            *count -= 1;
            if *count == 0 {
                sites.remove(&self.site);
            }
        }
    }
}
